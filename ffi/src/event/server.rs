//! What a server tells its application.
#![allow(unsafe_code)]

use std::ffi::c_char;
use std::mem::offset_of;
use std::ptr::null;

use lightbox_server::input::Action;
use lightbox_server::{Event, SessionId};

use super::Kept;
use crate::error::c_text;
use crate::input::lbx_input;
use crate::sized::SizeFirst;
use crate::stream::{LBX_STREAM_CLOSED, LBX_STREAM_OFFERED, Told};
use crate::vocabulary::{lbx_place, lbx_session_id};

/// A person came in: `session`; `text` is what the terminal calls itself.
pub const LBX_SERVER_JOINED: u32 = 1;
/// The session's connection is there again: `session`.
pub const LBX_SERVER_RESUMED: u32 = 2;
/// The session's connection is gone, and it waits for its client: `session`, `code`, `text`.
pub const LBX_SERVER_DETACHED: u32 = 3;
/// The session is over: `session`, `code`, `text`.
pub const LBX_SERVER_LEFT: u32 = 4;
/// The person did something: `session`, `input`.
pub const LBX_SERVER_INPUT: u32 = 5;
/// The terminal would like these monitors: `session`, `places`. lbx_output_resize() follows it if the guest does.
pub const LBX_SERVER_WANT_LAYOUT: u32 = 6;
/// Tiles reached the client other than they left, and are sent again: `session`, `tiles`.
pub const LBX_SERVER_MISMATCH: u32 = 7;
/// The sweep found changes that no damage had reported, and sends them: `output`, `tiles`.
pub const LBX_SERVER_UNDER_REPORTED: u32 = 8;

/// What was shown before lbx_output_notify() has been taken: `output`, `cookie`; `sessions` is how many connected ones did
/// not take it within a second.
pub const LBX_SERVER_FRAME_DONE: u32 = 9;
/// Tiles took longer than LBX_CONTRACT_EXACT_WITHIN allows: `session`, `output`, `tiles`.
pub const LBX_SERVER_LATE: u32 = 10;
/// A client is at the door, with LBX_ADMIT_ASK: `knock`, for lbx_server_answer(); `text` is what the terminal calls
/// itself; `address`, `ticket`, `certificate`.
pub const LBX_SERVER_KNOCK: u32 = 11;

/// Somebody who decodes video came in the middle of a monitor's run, or could not go on with it: `output`. The host's
/// encoder may make its next unit a key frame. Told twice a second at most; until then they are served without video.
pub const LBX_SERVER_WANT_KEY_FRAME: u32 = 12;

/// What a server tells its application: LBX_SERVER_*, and LBX_STREAM_* with `session`. What does not belong to its kind is 0 or NULL. Skip kinds you do not know.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_server_event {
    /// sizeof(lbx_server_event).
    pub size: usize,
    /// A terminal's name, or a reason: UTF-8, with a NUL behind it. A peer wrote it: nobody vouches for it.
    pub text: *const c_char,
    /// Where the terminal would like monitors.
    pub places: *const lbx_place,
    /// How many.
    pub places_len: usize,
    /// LBX_SERVER_*.
    pub kind: u32,
    /// Which session.
    pub session: lbx_session_id,
    /// Why a connection or session ended, by the numbers of SPEC.md: 0 is the person's or the program's wish.
    pub code: u32,
    /// How many tiles.
    pub tiles: u32,
    /// Which monitor.
    pub output: u32,
    /// What the person did.
    pub input: lbx_input,
    /// Which byte stream.
    pub stream: u64,
    /// LBX_URGENCY_*.
    pub urgency: u32,
    /// How many sessions.
    pub sessions: u32,
    /// What lbx_output_notify() was given.
    pub cookie: u64,
    /// For lbx_server_answer().
    pub knock: u64,
    /// Where the client is: an IP address and port.
    pub address: *const c_char,
    /// The ticket it brought; empty if none. A peer wrote it.
    pub ticket: *const c_char,
    /// Whom its certificate names, which one of the configured authorities signed: DNS names, then URIs, a space
    /// between them. NULL if it showed none.
    pub certificate: *const c_char,
}

// SAFETY: `repr(C)`, size first, integers, raw pointers and structs of these.
unsafe impl SizeFirst for lbx_server_event {
    const NAME: &'static str = "lbx_server_event";
    const LEAST: usize = offset_of!(Self, stream);
}

impl lbx_server_event {
    /// The event as C sees it; what it points to is in `kept`.
    pub(crate) fn of(event: Event, kept: &mut Kept) -> Self {
        *kept = Kept::default();
        let mut seen = Self::new();
        let mut of = |kind, session: SessionId| (seen.kind, seen.session) = (kind, session.into());
        match event {
            Event::Joined { session, terminal } => {
                of(LBX_SERVER_JOINED, session);
                kept.text = c_text(terminal);
            }
            Event::Resumed(session) => of(LBX_SERVER_RESUMED, session),
            Event::Detached { session, why } => {
                of(LBX_SERVER_DETACHED, session);
                seen.code = why.code.try_into().unwrap_or(u32::MAX);
                kept.text = c_text(why.reason);
            }
            Event::Left { session, why } => {
                of(LBX_SERVER_LEFT, session);
                seen.code = why.code.try_into().unwrap_or(u32::MAX);
                kept.text = c_text(why.reason);
            }
            Event::Input { session, action } => {
                of(LBX_SERVER_INPUT, session);
                if let Action::Text(text) = &action {
                    kept.text = c_text(text.as_str());
                }
                seen.input = lbx_input::of(&action, &kept.text);
            }
            Event::WantLayout { session, layout } => {
                of(LBX_SERVER_WANT_LAYOUT, session);
                kept.places = lbx_place::all_of(&layout);
            }
            Event::Mismatch { session, tiles } => {
                of(LBX_SERVER_MISMATCH, session);
                seen.tiles = tiles.try_into().unwrap_or(u32::MAX);
            }
            Event::WantKeyFrame { output } => {
                seen.kind = LBX_SERVER_WANT_KEY_FRAME;
                seen.output = output;
            }
            Event::UnderReported { output, tiles } => {
                seen.kind = LBX_SERVER_UNDER_REPORTED;
                (seen.output, seen.tiles) = (output, tiles);
            }
            Event::FrameDone { output, cookie, behind } => {
                (seen.kind, seen.output, seen.cookie) = (LBX_SERVER_FRAME_DONE, output, cookie);
                seen.sessions = behind.try_into().unwrap_or(u32::MAX);
            }
            Event::Late { session, output, tiles } => {
                of(LBX_SERVER_LATE, session);
                (seen.output, seen.tiles) = (output, tiles);
            }
            Event::Knock { id, knock } => {
                (seen.kind, seen.knock) = (LBX_SERVER_KNOCK, id);
                kept.text = c_text(knock.terminal);
                kept.address = c_text(knock.address.to_string());
                // What is not UTF-8 is none of ours.
                kept.ticket = c_text(String::from_utf8(knock.ticket).unwrap_or_default());
                seen.address = kept.address.as_ptr();
                seen.ticket = kept.ticket.as_ptr();
                if let Some(peer) = knock.certificate {
                    kept.certificate = c_text(peer.names.join(" "));
                    seen.certificate = kept.certificate.as_ptr();
                }
            }
            Event::Stream { session, event } => {
                if let Some(told) = Told::of(event) {
                    of(told.kind, session);
                    (seen.stream, seen.urgency, seen.code) = (told.stream, told.urgency, told.code);
                    kept.text = c_text(told.text);
                }
            }
            // Kind 0: what a later version tells.
            _ => {}
        }
        if matches!(
            seen.kind,
            LBX_SERVER_JOINED
                | LBX_SERVER_DETACHED
                | LBX_SERVER_LEFT
                | LBX_SERVER_KNOCK
                | LBX_STREAM_OFFERED
                | LBX_STREAM_CLOSED
        ) {
            seen.text = kept.text.as_ptr();
        }
        seen.places = if kept.places.is_empty() { null() } else { kept.places.as_ptr() };
        seen.places_len = kept.places.len();
        seen
    }
}
