//! Access units as the host submits them.

use std::time::Duration;

use bytes::Bytes;
use lightbox_codec::geom::{Rect, Size};
use lightbox_codec::pixel::PixelFormat;
use lightbox_codec::video::{Codec, Colour};
use lightbox_protocol::Time;
use lightbox_protocol::msg::video::{self, MAX_UNIT};
use lightbox_protocol::wire::ids;

use crate::encode::SubmittedUnit;
use crate::error::UnitError;

/// A picture as the host's own encoder has it: one that is decoded at once, without reordering, 8 bits and 4:2:0.
#[derive(Clone, Copy, Debug)]
pub struct AccessUnit<'a> {
    /// By what it is coded.
    pub codec: Codec,
    /// It is decoded without those before it, and has all that a decoder must know in front. It begins a run, whose
    /// other units have the same codec and rect.
    pub key: bool,
    /// Where its picture stands on the output. The coded picture may be up to 63 columns and rows larger, which are not
    /// shown.
    pub rect: Rect,
    /// What its samples mean.
    pub colour: Colour,
    /// H.264 and HEVC: an access unit in the byte stream format of Annex B. AV1: a temporal unit of the low-overhead
    /// format.
    pub bytes: &'a [u8],
}

/// The run of an output, and the host's part of the talk about it.
#[derive(Debug, Default)]
pub(crate) struct Coded {
    run: Option<(Codec, Rect)>,
    /// Units so far.
    number: u64,
    asked: Option<Time>,
}

/// A host is asked for a key frame at most this often: one takes the bytes of many other units.
const ASK_GAP: Duration = Duration::from_millis(500);

impl Coded {
    /// Whether `unit` can be the next of an output of this shape.
    pub(crate) fn check(
        &self,
        unit: &AccessUnit<'_>,
        size: Size,
        format: PixelFormat,
    ) -> Result<(), UnitError> {
        if format != PixelFormat::Bgrx8 {
            return Err(UnitError::Format(format));
        }
        if unit.rect.is_empty() || !size.rect().contains(unit.rect) {
            return Err(UnitError::Rect);
        }
        if unit.bytes.is_empty() || unit.bytes.len() > MAX_UNIT {
            return Err(UnitError::Length { limit: MAX_UNIT, got: unit.bytes.len() });
        }
        if !unit.key && self.run != Some((unit.codec, unit.rect)) {
            return Err(UnitError::NoRun);
        }
        Ok(())
    }

    /// The next unit, with its number.
    pub(crate) fn number(&mut self, unit: &AccessUnit<'_>, at: Time) -> SubmittedUnit {
        self.run = Some((unit.codec, unit.rect));
        self.number += 1;
        let codec = match unit.codec {
            Codec::H264 => ids::codec::H264,
            Codec::Hevc => ids::codec::HEVC,
            Codec::Av1 => ids::codec::AV1,
        };
        let Colour { full_range, bt601 } = unit.colour;
        let unit = video::Unit {
            rect: unit.rect,
            codec,
            key: unit.key,
            colour: video::Colour { full_range, bt601 },
            data: Bytes::copy_from_slice(unit.bytes),
        };
        SubmittedUnit { number: self.number, at, unit }
    }

    /// The next unit must be a key frame.
    pub(crate) fn end(&mut self) {
        self.run = None;
    }

    /// True if the host may be asked for a key frame now; then it is.
    pub(crate) fn may_ask(&mut self, now: Time) -> bool {
        let may = self.asked.is_none_or(|asked| now >= asked + ASK_GAP);
        if may {
            self.asked = Some(now);
        }
        may
    }
}
