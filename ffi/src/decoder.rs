//! A terminal's own decoder: hardware, most of the time.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use lightbox_client::pixel::ImageMut;
use lightbox_client::{AccessUnit, Codec, Config, DecodeError, Decoder};

use crate::error::Failure;
use crate::guard;
use crate::handle;
use crate::sized::SizeFirst;
use crate::video::{
    LBX_CODEC_AV1, LBX_CODEC_H264, LBX_CODEC_HEVC, LBX_UNIT_BT601, LBX_UNIT_FULL_RANGE, LBX_UNIT_KEY,
    lbx_access_unit,
};
use crate::vocabulary::lbx_rect;

/// Makes a decoder for one stream of this codec (LBX_CODEC_*); NULL: there is none to be had just now.
pub type lbx_decoder_open_fn = Option<unsafe extern "C" fn(userdata: *mut c_void, codec: u32) -> *mut c_void>;

/// Decodes `unit` and paints its picture: `unit->rect.h` rows of `unit->rect.w` pixels of LBX_FORMAT_BGRX8 at `pixels`,
/// `stride` bytes from one row to the next. The fourth byte of a pixel is anything. 0: done. Anything else: the unit
/// gives no such picture; then the decoder is closed, and what it should have shown comes otherwise. A key frame begins
/// anew, in another size perhaps. The unit is from the network: what it asks for must be compared with what is painted
/// before memory is reserved for it.
pub type lbx_decoder_decode_fn = Option<
    unsafe extern "C" fn(
        decoder: *mut c_void,
        unit: *const lbx_access_unit,
        pixels: *mut c_void,
        stride: usize,
    ) -> c_int,
>;

/// Ends a decoder that was opened.
pub type lbx_decoder_close_fn = Option<unsafe extern "C" fn(decoder: *mut c_void)>;

/// Who decodes video for a client: one decoder for each surface that shows some. The callbacks run on the client's own
/// threads, one at a time for a client; they may call anything but lbx_client_free() of that client.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct lbx_decoder {
    /// sizeof(lbx_decoder).
    pub size: usize,
    /// Given to `open`. It must be there until the client has ended.
    pub userdata: *mut c_void,
    /// The codecs that are decoded, LBX_CODEC_*; copied.
    pub codecs: *const u32,
    /// How many.
    pub codecs_len: usize,
    /// Must be set.
    pub open: lbx_decoder_open_fn,
    /// Must be set.
    pub decode: lbx_decoder_decode_fn,
    /// Must be set.
    pub close: lbx_decoder_close_fn,
}

// SAFETY: `repr(C)`, size first, integers, raw pointers and optional function pointers.
unsafe impl SizeFirst for lbx_decoder {
    const NAME: &'static str = "lbx_decoder";
    const LEAST: usize = size_of::<Self>();
}

/// The same with all callbacks there.
#[derive(Clone, Copy)]
struct Callbacks {
    userdata: *mut c_void,
    open: unsafe extern "C" fn(*mut c_void, u32) -> *mut c_void,
    decode: unsafe extern "C" fn(*mut c_void, *const lbx_access_unit, *mut c_void, usize) -> c_int,
    close: unsafe extern "C" fn(*mut c_void),
}

// SAFETY: promise 1: the callbacks take this userdata on any thread; it is passed on and not looked at.
unsafe impl Send for Callbacks {}
// SAFETY: as above.
unsafe impl Sync for Callbacks {}

impl lbx_decoder {
    /// `config` with this decoder.
    ///
    /// # Safety
    /// Promise 2.
    pub(crate) unsafe fn parsed(&self, config: Config) -> Result<Config, Failure> {
        let (Some(open), Some(decode), Some(close)) = (self.open, self.decode, self.close) else {
            return Err(Failure::argument("a decoder must open, decode and close"));
        };
        // SAFETY: the caller's promise.
        let numbers = unsafe { handle::array(self.codecs, self.codecs_len, "codecs") }?;
        let codec = |number: &u32| match *number {
            LBX_CODEC_H264 => Ok(Codec::H264),
            LBX_CODEC_HEVC => Ok(Codec::Hevc),
            LBX_CODEC_AV1 => Ok(Codec::Av1),
            other => Err(Failure::argument(format_args!("no codec {other}: LBX_CODEC_*"))),
        };
        let codecs = numbers.iter().map(codec).collect::<Result<Vec<_>, _>>()?;
        let callbacks = Callbacks { userdata: self.userdata, open, decode, close };
        Ok(config.decoder(&codecs, Arc::new(move |codec| callbacks.opened(codec))))
    }
}

impl Callbacks {
    fn opened(self, codec: Codec) -> Option<Box<dyn Decoder>> {
        let mut decoder = std::ptr::null_mut();
        // SAFETY: promise 1.
        guard::callback(|| decoder = unsafe { (self.open)(self.userdata, number_of(codec)) });
        if decoder.is_null() {
            return None;
        }
        Some(Box::new(Opened { decoder, callbacks: self, pixels: Vec::new() }))
    }
}

/// A decoder that the application opened.
struct Opened {
    decoder: *mut c_void,
    callbacks: Callbacks,
    pixels: Vec<u8>,
}

// SAFETY: promise 1: the callbacks take it on any thread, one at a time.
unsafe impl Send for Opened {}

impl Decoder for Opened {
    fn decode(&mut self, unit: &AccessUnit<'_>, picture: &mut ImageMut<'_>) -> Result<(), DecodeError> {
        let size = picture.size();
        let flag = |is_set: bool, flag: u32| if is_set { flag } else { 0 };
        let given = lbx_access_unit {
            data: unit.data.as_ptr().cast(),
            len: unit.data.len(),
            rect: lbx_rect { x: 0, y: 0, w: size.w, h: size.h },
            codec: number_of(unit.codec),
            flags: flag(unit.key, LBX_UNIT_KEY)
                | flag(unit.colour.full_range, LBX_UNIT_FULL_RANGE)
                | flag(unit.colour.bt601, LBX_UNIT_BT601),
            ..lbx_access_unit::new()
        };
        // The callback's own, so that what it writes beside its rows is no sample of ours, and kept from unit to unit.
        let stride = size.w as usize * 4;
        self.pixels.resize(stride * size.h as usize, 0);
        let mut outcome = -1;
        guard::callback(|| {
            let pixels = self.pixels.as_mut_ptr().cast();
            // SAFETY: promise 1; the unit and the pixels stay until the callback returns, and have what is said of them.
            outcome = unsafe { (self.callbacks.decode)(self.decoder, &given, pixels, stride) };
        });
        if outcome != 0 {
            return Err(DecodeError::Refused(format!("the application's decoder says {outcome}")));
        }
        for (y, row) in (0..size.h).zip(self.pixels.chunks_exact(stride)) {
            picture.row_mut(y).copy_from_slice(row);
        }
        Ok(())
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: promise 1; this is what `open` gave, once.
        guard::callback(|| unsafe { (self.callbacks.close)(self.decoder) });
    }
}

fn number_of(codec: Codec) -> u32 {
    match codec {
        Codec::H264 => LBX_CODEC_H264,
        Codec::Hevc => LBX_CODEC_HEVC,
        Codec::Av1 => LBX_CODEC_AV1,
    }
}
