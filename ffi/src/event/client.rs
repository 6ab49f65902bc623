//! What a client tells its application.
#![allow(unsafe_code)]

use std::ffi::c_char;

use lightbox_client::{Close, Event, Role};

use super::Kept;
use crate::error::c_text;
use crate::input::bits_of;
use crate::sized::SizeFirst;
use crate::stream::Told;
use crate::vocabulary::{LBX_ROLE_CONTROL, LBX_ROLE_VIEW, lbx_place, lbx_rect, lbx_session_id, number_of};

/// The server let the client in: `session`, `resumed`, `role`.
pub const LBX_CLIENT_CONNECTED: u32 = 1;
/// There is a surface of this size: `surface`, `w`, `h`, `format`. It is blank unless it goes on from before.
pub const LBX_CLIENT_SURFACE: u32 = 2;
/// The surface is no more: `surface`.
pub const LBX_CLIENT_SURFACE_GONE: u32 = 3;
/// Where monitors are, and which surface each shows: `places`.
pub const LBX_CLIENT_LAYOUT: u32 = 4;
/// Samples changed: `surface`, `rects`, `frame`, `captured_us`, `age_us`.
pub const LBX_CLIENT_UPDATED: u32 = 5;
/// Tiles are proved to show the source's samples: `surface`, `tiles`.
pub const LBX_CLIENT_VERIFIED: u32 = 6;
/// The cursor's picture: `w`, `h`, its hotspot `x`, `y`, `bgra`.
pub const LBX_CLIENT_CURSOR_SHAPE: u32 = 7;
/// The server moved the cursor: `output`, `x`, `y`, `visible`.
pub const LBX_CLIENT_CURSOR_AT: u32 = 8;
/// The guest's lock keys: `locks`.
pub const LBX_CLIENT_LEDS: u32 = 9;
/// The connection is gone, and the client tries to get it back: `code`, `text`. Told again when another reason keeps it
/// from that.
pub const LBX_CLIENT_LOST: u32 = 10;
/// The session is over, and nothing follows: `code`, `text`.
pub const LBX_CLIENT_ENDED: u32 = 11;

/// A time that is not known.
pub const LBX_UNKNOWN: u64 = u64::MAX;

/// What a client tells its application: LBX_CLIENT_*, and LBX_STREAM_*. What does not belong to its kind is 0 or NULL. Skip kinds you do not know.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_client_event {
    /// sizeof(lbx_client_event).
    pub size: usize,
    /// A reason: UTF-8, with a NUL behind it.
    pub text: *const c_char,
    /// Where samples changed; they may overlap.
    pub rects: *const lbx_rect,
    /// How many.
    pub rects_len: usize,
    /// Which tiles: row by row from the top left, each 64x64 pixels.
    pub tiles: *const u32,
    /// How many.
    pub tiles_len: usize,
    /// Where monitors are.
    pub places: *const lbx_place,
    /// How many.
    pub places_len: usize,
    /// The cursor: w*h pixels of blue, green, red and alpha, colour already multiplied by alpha.
    pub bgra: *const u8,
    /// Its bytes.
    pub bgra_len: usize,
    /// The frame's number.
    pub frame: u64,
    /// When its picture was taken, on the server's clock in microseconds; `LBX_UNKNOWN` where the frame does not say: small
    /// ones do a few times in a second.
    pub captured_us: u64,
    /// How long after that it was painted, give or take half a round trip; `LBX_UNKNOWN` at first, and where
    /// `captured_us` is.
    pub age_us: u64,
    /// LBX_CLIENT_*.
    pub kind: u32,
    /// Which session.
    pub session: lbx_session_id,
    /// Why a connection or session ended, by the numbers of SPEC.md: 0 is the person's or the program's wish.
    pub code: u32,
    /// LBX_ROLE_*.
    pub role: u32,
    /// 1: the session goes on where it was before the connection was lost.
    pub resumed: u32,
    /// Which surface.
    pub surface: u32,
    /// Columns.
    pub w: u32,
    /// Rows.
    pub h: u32,
    /// LBX_FORMAT_*.
    pub format: u32,
    /// Which monitor.
    pub output: u32,
    /// Column.
    pub x: u32,
    /// Row.
    pub y: u32,
    /// 1: the cursor shows.
    pub visible: u32,
    /// LBX_LOCK_* bits.
    pub locks: u32,
    /// Which byte stream.
    pub stream: u64,
    /// LBX_URGENCY_*.
    pub urgency: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: `repr(C)`, size first, integers, raw pointers and structs of these.
unsafe impl SizeFirst for lbx_client_event {
    const NAME: &'static str = "lbx_client_event";
    const LEAST: usize = size_of::<Self>();
}

impl lbx_client_event {
    /// The event as C sees it; what it points to is in `kept`.
    pub(crate) fn of(event: Event, kept: &mut Kept) -> Self {
        *kept = Kept::default();
        let mut seen = Self::new();
        match event {
            Event::Connected { session, resumed, role } => {
                seen.kind = LBX_CLIENT_CONNECTED;
                seen.session = session.into();
                seen.resumed = resumed.into();
                seen.role = match role {
                    Role::Control => LBX_ROLE_CONTROL,
                    Role::View => LBX_ROLE_VIEW,
                };
            }
            Event::Surface(surface) => {
                seen.kind = LBX_CLIENT_SURFACE;
                seen.surface = surface.id;
                (seen.w, seen.h) = (surface.size.w, surface.size.h);
                seen.format = number_of(surface.format);
            }
            Event::SurfaceGone(surface) => (seen.kind, seen.surface) = (LBX_CLIENT_SURFACE_GONE, surface),
            Event::Layout(layout) => {
                seen.kind = LBX_CLIENT_LAYOUT;
                kept.places = lbx_place::all_of(&layout);
                (seen.places, seen.places_len) = (kept.places.as_ptr(), kept.places.len());
            }
            Event::Updated { surface, rects, frame, capture_us, age, .. } => {
                seen.kind = LBX_CLIENT_UPDATED;
                seen.surface = surface;
                (seen.frame, seen.captured_us) = (frame, capture_us.unwrap_or(LBX_UNKNOWN));
                seen.age_us = age.map_or(LBX_UNKNOWN, |age| age.as_micros() as u64);
                kept.rects = rects.iter().map(|r| lbx_rect { x: r.x, y: r.y, w: r.w, h: r.h }).collect();
                (seen.rects, seen.rects_len) = (kept.rects.as_ptr(), kept.rects.len());
            }
            Event::Verified { surface, tiles } => {
                (seen.kind, seen.surface) = (LBX_CLIENT_VERIFIED, surface);
                kept.tiles = tiles;
                (seen.tiles, seen.tiles_len) = (kept.tiles.as_ptr(), kept.tiles.len());
            }
            Event::CursorShape(shape) => {
                seen.kind = LBX_CLIENT_CURSOR_SHAPE;
                (seen.w, seen.h) = (shape.size.w, shape.size.h);
                (seen.x, seen.y) = (shape.hotspot.x, shape.hotspot.y);
                kept.bytes = shape.bgra.into();
                (seen.bgra, seen.bgra_len) = (kept.bytes.as_ptr(), kept.bytes.len());
            }
            Event::CursorAt(cursor) => {
                seen.kind = LBX_CLIENT_CURSOR_AT;
                (seen.output, seen.x, seen.y) = (cursor.at.output, cursor.at.x, cursor.at.y);
                seen.visible = cursor.visible.into();
            }
            Event::Leds(locks) => (seen.kind, seen.locks) = (LBX_CLIENT_LEDS, bits_of(locks)),
            Event::Lost(why) => ended(&mut seen, kept, LBX_CLIENT_LOST, why),
            Event::Ended(why) => ended(&mut seen, kept, LBX_CLIENT_ENDED, why),
            Event::Stream(event) => {
                if let Some(told) = Told::of(event) {
                    (seen.kind, seen.stream) = (told.kind, told.stream);
                    (seen.urgency, seen.code) = (told.urgency, told.code);
                    kept.text = c_text(told.text);
                    seen.text = kept.text.as_ptr();
                }
            }
            // Kind 0: what a later version tells.
            _ => {}
        }
        seen
    }
}

fn ended(seen: &mut lbx_client_event, kept: &mut Kept, kind: u32, why: Close) {
    kept.text = c_text(why.reason);
    seen.kind = kind;
    seen.code = why.code.try_into().unwrap_or(u32::MAX);
    seen.text = kept.text.as_ptr();
}
