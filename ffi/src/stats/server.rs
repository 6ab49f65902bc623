//! What became of what a server was given and sent.
#![allow(unsafe_code)]

use std::mem::offset_of;
use std::sync::atomic::Ordering;

use lightbox_server::{OutputStats, SessionStats};

use crate::error::lbx_result;
use crate::guard;
use crate::handle;
use crate::output::lbx_output;
use crate::server::{lbx_server, no_session};
use crate::sized::{self, SizeFirst};
use crate::vocabulary::lbx_session_id;

/// What became of what one session was sent, since it joined.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_session_stats {
    /// sizeof(lbx_session_stats).
    pub size: usize,
    /// Frames sent.
    pub frames: u64,
    /// Bytes of those frames, before the transport's headers.
    pub frame_bytes: u64,
    /// Frames acknowledged.
    pub shown: u64,
    /// Tiles that reached the client other than they left.
    pub mismatches: u64,
    /// Age of the newest acknowledged frame when the acknowledgement came, in microseconds.
    pub age_us: u64,
    /// Time spent making frames, in microseconds.
    pub encode_us: u64,
    /// Round-trip time in microseconds.
    pub rtt_us: u64,
    /// All tiles.
    pub total: u32,
    /// Tiles sent in full.
    pub exact: u32,
    /// Tiles proved.
    pub verified: u32,
    /// Tiles that the client shows with a stated error, on their way to exact.
    pub refining: u32,
    /// Bytes on the wire of the present connection, both ways, IP and UDP headers included.
    pub wire_bytes: u64,
    /// Tiles that took longer than LBX_CONTRACT_EXACT_WITHIN allows.
    pub late_tiles: u64,
    /// The largest error that the client shows, in sample values.
    pub max_error: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: `repr(C)`, size first, integers only.
unsafe impl SizeFirst for lbx_session_stats {
    const NAME: &'static str = "lbx_session_stats";
    const LEAST: usize = offset_of!(Self, wire_bytes);
}

/// What became of what one monitor was given.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_output_stats {
    /// sizeof(lbx_output_stats).
    pub size: usize,
    /// Frames submitted.
    pub submitted: u64,
    /// Tiles that had changed.
    pub changed_tiles: u64,
    /// Tiles damaged by the host's word that had not changed.
    pub false_tiles: u64,
    /// Tiles that had changed without the host's word.
    pub under_reported: u64,
    /// Bytes of pixels taken from frames by the host's word: each is read once, compared, and copied into the library's
    /// own picture.
    pub taken_bytes: u64,
    /// The same for tiles that the sweep looked at.
    pub swept_bytes: u64,
    /// Bytes that were copied once more, before, to be looked at safely: out of files that can be truncated, and by a
    /// scanout's `read`.
    pub staged_bytes: u64,
}

// SAFETY: `repr(C)`, size first, integers only.
unsafe impl SizeFirst for lbx_output_stats {
    const NAME: &'static str = "lbx_output_stats";
    const LEAST: usize = offset_of!(Self, taken_bytes);
}

/// What became of what a session was sent; set `stats->size` before.
/// Errors: `LBX_ERROR_STATE` if there is no such session.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_server_read_session_stats(
    server: *const lbx_server,
    session: *const lbx_session_id,
    stats: *mut lbx_session_stats,
) -> lbx_result {
    guard::call(|| {
        let server = handle::part(server)?;
        // SAFETY: promise 2.
        let session = unsafe { lbx_session_id::read(session)? };
        // SAFETY: promise 3.
        let place = unsafe { sized::place(stats) }?;
        let sessions = server.server.sessions();
        let found = sessions.iter().find(|(id, _)| *id == session);
        place.fill(of_session(&found.ok_or_else(no_session)?.1));
        Ok(())
    })
}

/// What became of what a monitor was given; set `stats->size` before.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_read_stats(
    output: *const lbx_output,
    stats: *mut lbx_output_stats,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        // SAFETY: promise 3.
        let place = unsafe { sized::place(stats) }?;
        let staged_bytes = output.staged.load(Ordering::Relaxed);
        place.fill(lbx_output_stats { staged_bytes, ..of_output(output.output.stats()) });
        Ok(())
    })
}

fn of_session(stats: &SessionStats) -> lbx_session_stats {
    lbx_session_stats {
        frames: stats.frames,
        frame_bytes: stats.frame_bytes,
        shown: stats.shown,
        mismatches: stats.mismatches,
        age_us: stats.age_us,
        encode_us: stats.encode_us,
        rtt_us: stats.rtt_us,
        total: stats.tiles.total,
        exact: stats.tiles.exact,
        verified: stats.tiles.verified,
        refining: stats.tiles.refining,
        max_error: stats.tiles.max_error,
        wire_bytes: stats.wire_bytes,
        late_tiles: stats.late_tiles,
        ..lbx_session_stats::new()
    }
}

fn of_output(stats: OutputStats) -> lbx_output_stats {
    lbx_output_stats {
        submitted: stats.submitted,
        changed_tiles: stats.changed_tiles,
        false_tiles: stats.false_tiles,
        under_reported: stats.under_reported,
        taken_bytes: stats.taken_bytes,
        swept_bytes: stats.swept_bytes,
        ..lbx_output_stats::new()
    }
}
