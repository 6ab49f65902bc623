//! A seeded network in virtual time: sixty seconds of a bad line in a few milliseconds of test.
//!
//! A line is bad in layers, and each layer hurts a desktop in its own way. A *queue* in front of a slow line
//! turns a burst into delay and then into loss. *Loss* costs a round trip, and comes in bursts on radio. *Gaps*
//! (a roam, a handover) stop everything and then let it go at once; *outages* swallow it. *Jitter* makes regular
//! things irregular. The layers are one direction of a path, [`link::Link`]: told the time and a packet's length,
//! it answers when that packet arrives, or why it does not. Nothing here reads a clock or sleeps, and the same
//! seed gives the same answers on every machine.
//!
//! - [`rng`]: [`rng::Rng`], the randomness of the simulation and of other crates' tests.
//! - [`link`]: [`link::LinkConfig`] and [`link::Link`], one direction of a path.
//! - [`profile`]: [`profile::Profile`], the project's named networks N1 to N6 and NX, both directions.
//! - [`net`]: [`net::Wire`], messages over a link: ordered lanes, independent streams, datagrams.
//!
//! ```
//! use bytes::Bytes;
//! use lightbox_protocol::Time;
//! use lightbox_sim::net::{Carrier, Wire};
//! use lightbox_sim::profile::Profile;
//!
//! let (down, _up) = Profile::named("N3").expect("a profile's name").links(7);
//! let mut wire = Wire::new(down, 7);
//! wire.send(Time(0), Carrier::Stream(1), Bytes::from_static(b"first light"));
//! let arrival = wire.next_arrival().expect("something is under way");
//! assert!(arrival >= Time(20_000)); // half of the 40 ms round trip
//! assert_eq!(wire.receive(arrival).expect("it arrived").1, "first light");
//! ```

pub mod link;
pub mod net;
pub mod profile;
pub mod rng;
