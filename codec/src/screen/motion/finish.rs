//! From rects of whole blocks to moves: grown to the pixel, in an order that is safe in place.

use alloc::vec::Vec;

use super::blocks::BLOCK;
use super::{Move, Pair, Piece};
use crate::geom::Rect;

/// Widens every piece by less than a block per side, as far as the pixels agree and no other piece is.
///
/// What moved seldom lies on the grid of blocks; whole blocks beside a piece were already refused.
pub(super) fn grow(pair: Pair<'_>, pieces: &mut [Piece]) {
    for at in 0..pieces.len() {
        for side in [Side::Left, Side::Right, Side::Top, Side::Bottom] {
            let mut step = BLOCK / 2;
            while step > 0 {
                let Piece { target, vector, .. } = pieces[at];
                if let Some(strip) = side.strip(target, step)
                    && pieces.iter().all(|p| p.target.intersect(strip).is_none())
                    && pair.alike(strip, vector)
                {
                    pieces[at].target = target.union(strip);
                }
                step /= 2;
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
    Top,
    Bottom,
}

impl Side {
    /// The `step` columns or rows beside `rect`; `None` past the left or top edge of the image.
    fn strip(self, rect: Rect, step: u32) -> Option<Rect> {
        Some(match self {
            Side::Left => Rect { x: rect.x.checked_sub(step)?, w: step, ..rect },
            Side::Right => Rect { x: rect.right(), w: step, ..rect },
            Side::Top => Rect { y: rect.y.checked_sub(step)?, h: step, ..rect },
            Side::Bottom => Rect { y: rect.bottom(), h: step, ..rect },
        })
    }
}

/// The pieces as moves, each before all that would overwrite its source.
///
/// Pieces of one vector always have such an order, because rects can be slid away one after the other in any
/// direction. Pieces of several vectors may wait for each other in a circle (two windows that change places);
/// then the lightest is left out, to be coded as pixels.
pub(super) fn order(mut pieces: Vec<Piece>) -> Vec<Move> {
    let mut moves = Vec::with_capacity(pieces.len());
    while !pieces.is_empty() {
        let harmless = pieces.iter().position(|piece| {
            let others = pieces.iter().filter(|other| other.target != piece.target);
            others.into_iter().all(|other| other.source().intersect(piece.target).is_none())
        });
        if let Some(at) = harmless {
            let piece = pieces.remove(at);
            moves.push(Move { from: piece.source(), to: piece.target.origin() });
        } else if let Some(lightest) = (0..pieces.len()).min_by_key(|&i| pieces[i].weight) {
            pieces.remove(lightest);
        }
    }
    moves
}
