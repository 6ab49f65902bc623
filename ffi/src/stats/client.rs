//! What became of what a client received.
#![allow(unsafe_code)]

use lightbox_client::Stats;

use crate::client::lbx_client;
use crate::error::lbx_result;
use crate::guard;
use crate::handle;
use crate::sized::{self, SizeFirst};

/// What a client received.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_client_stats {
    /// sizeof(lbx_client_stats).
    pub size: usize,
    /// Frames painted.
    pub frames: u64,
    /// Frames that could not be painted.
    pub failed: u64,
    /// Time spent decoding and painting, in microseconds.
    pub paint_us: u64,
    /// Bytes on the wire, both ways, over all connections.
    pub wire_bytes: u64,
    /// Round-trip time in microseconds.
    pub rtt_us: u64,
    /// How often the session went on over another connection.
    pub resumed: u64,
}

// SAFETY: `repr(C)`, size first, integers only.
unsafe impl SizeFirst for lbx_client_stats {
    const NAME: &'static str = "lbx_client_stats";
    const LEAST: usize = size_of::<Self>();
}

/// What a client received; set `stats->size` before.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_client_read_stats(
    client: *const lbx_client,
    stats: *mut lbx_client_stats,
) -> lbx_result {
    guard::call(|| {
        let client = handle::part(client)?;
        // SAFETY: promise 3.
        let place = unsafe { sized::place(stats) }?;
        place.fill(of_client(&client.client.stats()));
        Ok(())
    })
}

fn of_client(stats: &Stats) -> lbx_client_stats {
    lbx_client_stats {
        frames: stats.frames,
        failed: stats.failed,
        paint_us: stats.paint_us,
        wire_bytes: stats.wire_bytes,
        rtt_us: stats.rtt_us,
        resumed: stats.resumed,
        ..lbx_client_stats::new()
    }
}
