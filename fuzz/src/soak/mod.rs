//! The oracle of "verified": a desktop that changes at random, a client at the end of a bad network, and the truth.
//!
//! Both halves of a session are values, so hours of them run in seconds, and a seed is a run. The two ends join their
//! parts as the SDKs do, with the SDKs' own [`View`](lightbox_server::encode::View) and
//! [`Canvas`](lightbox_client::paint::Canvas), but on a virtual clock. Screens change shape and go, packets are lost
//! and streams overtake each other, the network freezes and parts, connections die and are resumed, and the client's
//! memory is spoiled between painting and proving, its models too. Through all of it:
//!
//! 1. What the client calls verified has the bytes that the source had when the frame was made. Bytes are compared,
//!    never digests.
//! 2. What it calls verified was the source's picture not longer ago than the lease allows.
//! 3. What it shows with a stated error, on thin paths, is not farther from those bytes than stated.
//!    Of video nothing is stated, and it shows noise: what it shows must never be called verified.
//! 4. What is right is never called wrong, and what was spoiled is found or painted over.
//! 5. Where nothing is spoiled, nothing is wrong: a run without faults has no mismatch.
//! 6. When the desktop and the network come to rest, everything is verified and equal within [`SETTLE`].
//!
//! ```
//! let config = lightbox_fuzz::soak::Config { updates: 50, seed: 1, faults: true };
//! let report = lightbox_fuzz::soak::run(config, |_| ())?;
//! assert_eq!((report.false_verified, report.updates >= 50), (0, true));
//! # Ok::<(), lightbox_fuzz::soak::Violation>(())
//! ```

mod film;
mod history;
mod host;
mod line;
mod scene;
mod terminal;
mod world;

use std::fmt;
use std::time::Duration;

use lightbox_protocol::Time;
use lightbox_protocol::msg::control::Close;

/// Within this much virtual time all is verified once the desktop and the network are at rest.
pub const SETTLE: Duration = Duration::from_secs(60);

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// How often a screen changes.
    pub updates: u64,
    /// What everything random comes from.
    pub seed: u64,
    /// Whether the client's memory is spoiled now and then.
    pub faults: bool,
}

/// What a run did. Counts are of events, times are virtual.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Changes of screens.
    pub updates: u64,
    /// Frames sent.
    pub frames: u64,
    /// Screens plugged in, pulled out and reshaped.
    pub shapes: u64,
    /// Connections lost, and those among them that were lost before the client was welcome.
    pub lost: (u64, u64),
    /// Sessions resumed.
    pub resumes: u64,
    /// What was spoiled and what became of it.
    pub faults: Faults,
    /// Tiles that became verified.
    pub verified: u64,
    /// Verified tiles whose bytes were compared with the source's.
    pub compared: u64,
    /// Tiles shown with a stated error that were compared with the source's.
    pub coarse: u64,
    /// Access units that were decoded.
    pub units: u64,
    /// Units of the screen codec that were painted, and those among them that started from a register.
    pub updates_by_model: (u64, u64),
    /// Verified tiles with other bytes. A run ends with a [`Violation`] at the first.
    pub false_verified: u64,
    /// How often everything came to rest and was equal.
    pub settled: u64,
    /// The longest that took.
    pub settle_max: Duration,
    /// How long the run was.
    pub virtual_time: Duration,
}

/// Faults in the client's memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Bytes changed after painting.
    pub injected: u64,
    /// Changed bytes that the server found by the tile's digest.
    pub found: u64,
    /// Changed bytes that later frames painted over, or whose surface went.
    pub overwritten: u64,
    /// Frames that the client painted in part at the most.
    pub refused: u64,
    /// Frames that wanted to show what had been lost with another frame.
    pub empty_slots: u64,
    /// Models changed between two units.
    pub models: u64,
    /// Frames that wanted to start from a register whose frame had failed.
    pub empty_registers: u64,
    /// Tiles whose digest was another: those with changed bytes, and what was painted from them.
    pub mismatches: u64,
}

/// What must never happen, and did. The same seed gets there again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("seed {seed}, update {update}, at {at}: {broken}")]
pub struct Violation {
    /// The run's seed.
    pub seed: u64,
    /// Changes of screens so far.
    pub update: u64,
    /// Virtual time.
    pub at: Time,
    /// What it is.
    pub broken: Broken,
}

/// What must never happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// A tile is called verified that shows something else than the source's samples.
    #[error(
        "tile {tile} of surface {surface} is called verified, but is not what frame {epoch} was made from"
    )]
    FalseVerified {
        /// Which surface.
        surface: u32,
        /// Which tile.
        tile: u32,
        /// The frame that painted it last.
        epoch: u64,
    },
    /// A tile is farther from the source's samples than was stated.
    #[error("tile {tile} of surface {surface} is more than {error} from what frame {epoch} was made from")]
    FalseError {
        /// Which surface.
        surface: u32,
        /// Which tile.
        tile: u32,
        /// The frame that painted it last.
        epoch: u64,
        /// What was stated.
        error: u32,
    },
    /// A tile is called verified though the source changed it longer ago than the lease allows.
    #[error("tile {tile} of surface {surface} is called verified, but was changed {age:?} ago")]
    Withheld {
        /// Which surface.
        surface: u32,
        /// Which tile.
        tile: u32,
        /// How long ago the source showed something else already.
        age: Duration,
    },
    /// The server called a tile wrong whose samples are right.
    #[error("tile {tile} of surface {surface} is right and was called wrong")]
    FalseMismatch {
        /// Which surface.
        surface: u32,
        /// Which tile.
        tile: u32,
    },
    /// A tile is wrong in a run in which nothing is spoiled.
    #[error("tile {tile} of surface {surface} is wrong though nothing was spoiled")]
    Unspoiled {
        /// Which surface.
        surface: u32,
        /// Which tile.
        tile: u32,
    },
    /// All is at rest and something is still not verified or not equal.
    #[error("not settled within {SETTLE:?}: {what}")]
    Unsettled {
        /// What is missing.
        what: String,
    },
    /// A frame of an honest server could not be painted.
    #[error("the client cannot paint a frame of the server")]
    Unpaintable,
    /// A peer that keeps the rules was sent away.
    #[error("the session ended: {0}")]
    Ended(Close),
    /// A client that has the session's secret could not resume it.
    #[error("the client is locked out of its session")]
    LockedOut,
    /// Input arrived twice or out of order.
    #[error("input {got} was delivered after {last}")]
    Input {
        /// What was delivered last.
        last: i32,
        /// What was delivered then.
        got: i32,
    },
    /// Something is due again and again and time stands still.
    #[error("time stands still")]
    Spinning,
}

/// Runs to the end, and tells `progress` how far it is each time everything has come to rest.
///
/// # Errors
/// The first thing that must never happen.
pub fn run(config: Config, mut progress: impl FnMut(&Report)) -> Result<Report, Violation> {
    let mut world = world::World::new(config.seed, config.faults);
    let end = loop {
        if let Err(broken) = world.round(config.updates) {
            break Err(broken);
        }
        let report = world.report();
        progress(&report);
        if report.updates >= config.updates {
            break Ok(report);
        }
    };
    end.map_err(|broken| Violation {
        seed: config.seed,
        update: world.report().updates,
        at: world.now(),
        broken,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Faults {
            injected,
            found,
            overwritten,
            refused,
            empty_slots,
            models,
            empty_registers,
            mismatches,
        } = self.faults;
        write!(
            f,
            "{} updates, {} frames, {} shapes, {} lost ({} unwelcomed), {} resumes, {injected} faults ({found} found, \
             {overwritten} overwritten), {refused} frames refused, {empty_slots} of empty slots, {models} models spoiled, \
             {empty_registers} of empty registers, {mismatches} mismatches, \
             {} verified, {} compared, {} coarse, {} units, {} updates ({} by a register), {} false, settled {} times in {:.1} s at most, {:.0} s in all",
            self.updates,
            self.frames,
            self.shapes,
            self.lost.0,
            self.lost.1,
            self.resumes,
            self.verified,
            self.compared,
            self.coarse,
            self.units,
            self.updates_by_model.0,
            self.updates_by_model.1,
            self.false_verified,
            self.settled,
            self.settle_max.as_secs_f64(),
            self.virtual_time.as_secs_f64(),
        )
    }
}
