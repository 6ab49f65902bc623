//! What a host is promised: parts of the picture that are exact, and a word when a frame was taken.
#![allow(unsafe_code)]

use std::time::Duration;

use lightbox_server::Contract;

use crate::error::{Failure, lbx_result};
use crate::guard;
use crate::handle;
use crate::output::{lbx_output, refused};
use crate::vocabulary::{lbx_rect, rects_of};

/// Nothing is shown with an error, however thin the path is: the person waits for the exact picture.
pub const LBX_CONTRACT_NEVER_LOSSY: u32 = 1;
/// Changes are sent before those of other parts, and made exact before others are, within `within_ms`: from the capture
/// to the frame that brings the source's samples. What takes longer is counted in `late_tiles` of lbx_session_stats,
/// and told by `LBX_SERVER_LATE`.
pub const LBX_CONTRACT_EXACT_WITHIN: u32 = 2;

/// A promise (LBX_CONTRACT_*) for these parts of the monitor's picture, by whole tiles of 64x64 pixels, in place of the
/// parts that it was made for before; with no rects it ends. It holds for every frame that is sent after this returns,
/// and goes on when the monitor takes another size. What clients show there with an error at that moment is sent again
/// exactly, if it must never be so. `within_ms` is of LBX_CONTRACT_EXACT_WITHIN, otherwise 0.
/// Errors: `LBX_ERROR_ARGUMENT`.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_contract(
    output: *mut lbx_output,
    contract: u32,
    within_ms: u32,
    rects: *const lbx_rect,
    rects_len: usize,
) -> lbx_result {
    guard::call(|| {
        let output = handle::part(output)?;
        // SAFETY: promise 2.
        let rects = unsafe { handle::array(rects, rects_len, "rects") }?;
        let contract = match (contract, within_ms) {
            (LBX_CONTRACT_NEVER_LOSSY, 0) => Contract::NeverLossy,
            (LBX_CONTRACT_NEVER_LOSSY, _) => {
                return Err(Failure::argument("LBX_CONTRACT_NEVER_LOSSY has no time: within_ms is 0"));
            }
            (LBX_CONTRACT_EXACT_WITHIN, ms) => Contract::ExactWithin(Duration::from_millis(ms.into())),
            (other, _) => return Err(Failure::argument(format_args!("{other} is no LBX_CONTRACT"))),
        };
        output.output.contract(contract, &rects_of(rects));
        Ok(())
    })
}

/// `LBX_SERVER_FRAME_DONE` with this cookie follows when all that was shown on this monitor before has been taken into
/// frames for every connected session, at once if there is none: the moment at which painting the next picture is worth
/// it. Sessions that wait for their client do not count, and one that takes nothing, as its path is stuck, keeps the
/// word back for a second at most. Where events are not read in time, the newest stands for those before it.
/// Errors: `LBX_ERROR_LIMIT` while 64 are open.
/// Threads: any. since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lbx_output_notify(output: *mut lbx_output, cookie: u64) -> lbx_result {
    guard::call(|| handle::part(output)?.output.notify(cookie).map_err(refused))
}
