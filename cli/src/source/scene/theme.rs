//! The scene's colours and type sizes: a dark room, little contrast in the frame, all of it in the images.

use super::text::{Face, Style};

/// A pixel in memory order: B, G, R, X.
pub(crate) type Color = [u8; 4];

/// 0xRRGGBB as a pixel.
pub(crate) const fn rgb(hex: u32) -> Color {
    [hex as u8, (hex >> 8) as u8, (hex >> 16) as u8, 0xFF]
}

pub(crate) const DESKTOP: Color = rgb(0x07090C);
pub(crate) const BAR: Color = rgb(0x161B22);
pub(crate) const PANE: Color = rgb(0x0F1318);
pub(crate) const PANE_ODD: Color = rgb(0x12171D);
pub(crate) const HEADER: Color = rgb(0x1A2029);
pub(crate) const LINE: Color = rgb(0x28303B);
pub(crate) const FIELD: Color = rgb(0x0A0D11);
pub(crate) const SELECTED: Color = rgb(0x17384F);
pub(crate) const ACCENT: Color = rgb(0x3DA9C4);
pub(crate) const TEXT: Color = rgb(0xD3DAE3);
pub(crate) const DIM: Color = rgb(0x8793A3);
pub(crate) const FAINT: Color = rgb(0x566170);
pub(crate) const OVERLAY: Color = rgb(0xC9C3A0);
pub(crate) const BLACK: Color = rgb(0x000000);
pub(crate) const RED: Color = rgb(0xE5534B);
pub(crate) const AMBER: Color = rgb(0xDCA23A);
pub(crate) const GREEN: Color = rgb(0x57AB5A);
pub(crate) const VIOLET: Color = rgb(0xA58BE0);
pub(crate) const ECG: Color = rgb(0x4FD18B);

/// Running text.
pub(crate) const BODY: Style = Style { face: Face::Sans, px: 13, color: TEXT };
/// What stands beside or behind it.
pub(crate) const NOTE: Style = Style { face: Face::Sans, px: 12, color: DIM };
/// Titles of panes.
pub(crate) const TITLE: Style = Style { face: Face::Bold, px: 12, color: TEXT };
/// Text over an image.
pub(crate) const OVER: Style = Style { face: Face::Sans, px: 13, color: OVERLAY };
/// Numbers that stand in columns.
pub(crate) const MONO: Style = Style { face: Face::Mono, px: 12, color: DIM };
