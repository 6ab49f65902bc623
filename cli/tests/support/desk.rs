//! A desktop that a test paints.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use lightbox_client::Client;
use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::{Image, ImageRef, PixelFormat};
use lightbox_server::{Config, Damage, Event, Output, Server};

use crate::support::{PATIENCE, until};

/// A server on loopback with one output, and the picture it shows.
pub(crate) struct Desk {
    pub(crate) server: Server,
    pub(crate) output: Output,
    pub(crate) picture: Image,
    pub(crate) heard: Vec<Event>,
}

impl Desk {
    pub(crate) fn new(config: impl FnOnce(Config) -> Config) -> Self {
        Self::of(Size::new(640, 400), PixelFormat::Bgrx8, config)
    }

    pub(crate) fn of(size: Size, format: PixelFormat, config: impl FnOnce(Config) -> Config) -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::start(config(Config::new(listen))).unwrap();
        let output = server.add_output(size, format).unwrap();
        let picture = Image::new(size, format).unwrap();
        Self { server, output, picture, heard: Vec::new() }
    }

    pub(crate) fn address(&self) -> String {
        self.server.address("127.0.0.1").unwrap()
    }

    /// Paints a pattern that differs with `n` over `rect`, and submits it.
    pub(crate) fn paint(&mut self, rect: Rect, n: u32) {
        let bytes = self.picture.format().bytes_per_pixel();
        let mut image = self.picture.as_mut();
        let mut part = image.crop_mut(rect).unwrap();
        for y in 0..rect.h {
            for (x, pixel) in part.row_mut(y).chunks_exact_mut(bytes).enumerate() {
                let v = (x as u32 / 3 + y / 2).wrapping_mul(n.wrapping_mul(2_654_435_761) >> 8);
                for (byte, shift) in pixel.iter_mut().zip([0, 8, 16, 24]) {
                    *byte = (v >> shift) as u8;
                }
                if bytes == 2 {
                    pixel[1] &= 0x0F;
                }
            }
        }
        self.output.submit(self.picture.as_ref(), Damage::Rects(&[rect])).unwrap();
    }

    /// Reads the server's events until one is what is looked for.
    pub(crate) fn hear(&mut self, what: impl Fn(&Event) -> bool) -> Event {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(place) = self.heard.iter().position(&what) {
                return self.heard.remove(place);
            }
            assert!(Instant::now() < end, "the server did not say it; it said {:?}", self.heard);
            self.heard.extend(self.server.events().next_within(Duration::from_millis(20)));
        }
    }

    /// Waits until `client` has proved that it shows the picture, and compares every byte.
    pub(crate) fn proves(&self, client: &Client) {
        until("the picture is proved", || self.server.is_settled() && client.counts().all_verified());
        let shows = client.with_surface(self.output.id(), |image| equal(image, self.picture.as_ref()));
        assert_eq!(shows, Some(true), "verified, and yet not the source's bytes");
    }
}

fn equal(a: ImageRef<'_>, b: ImageRef<'_>) -> bool {
    let rows = || a.rows().zip(b.rows());
    match a.format() {
        PixelFormat::Bgrx8 => rows().all(|(a, b)| {
            a.as_chunks::<4>().0.iter().zip(b.as_chunks::<4>().0).all(|(a, b)| a[..3] == b[..3])
        }),
        _ => rows().all(|(a, b)| a == b),
    }
}
