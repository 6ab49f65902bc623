//! What the next pixels of a row are, as decisions.

use super::number::Numbers;
use crate::range::{Coder, Odds};

/// What a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// One pixel, coded on its own.
    Pixel,
    /// Pixels that equal the ones above them.
    Above(Length),
    /// Pixels of the colour of the one before the first.
    Flat(Length),
    /// A rect of pixels that were there before. It hangs down into the rows below.
    Copy(Copied),
}

/// How many open pixels of a row a run takes; it passes over those that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Pixels(usize),
    ToTheEnd,
}

/// The size of a rect, and how far to the left and above its pixels are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) w: usize,
    pub(super) h: usize,
    pub(super) vector: Vector,
}

/// How far back the source of a copy lies. `dx` is negative where it lies to the right, which is never in the same row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Vector {
    pub(super) dx: isize,
    pub(super) dy: usize,
}

impl Vector {
    /// The same in pixels of a canvas.
    pub(super) fn back(self, stride: usize) -> usize {
        (self.dy * stride).wrapping_add_signed(self.dx)
    }
}

/// What tells of the next token: the colours around, and the tokens before it in the row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct History {
    last: usize,
    /// Pixels since the last other token.
    pixels: usize,
}

impl History {
    fn add(&mut self, token: Token) {
        self.pixels = if token == Token::Pixel { self.pixels + 1 } else { 0 };
        self.last = match token {
            Token::Above(_) => 1,
            Token::Flat(_) => 2,
            Token::Copy(_) => 3,
            Token::Pixel => match self.pixels {
                ..=1 => 4,
                2..=3 => 5,
                4..=7 => 6,
                8.. => 7,
            },
        };
    }
}

/// What is known of tokens so far.
pub(super) struct Tokens {
    kind: [[Odds; 3]; CONTEXTS],
    to_the_end: [Odds; 2],
    length: [Numbers; 2],
    w: Numbers,
    h: Numbers,
    same_vector: Odds,
    dy: Numbers,
    to_the_left: Odds,
    /// In the row of the source itself, and in others.
    dx: [Numbers; 2],
    vector: Vector,
}

impl Tokens {
    pub(super) fn new() -> Self {
        let half = Odds::new(128, 0);
        Self {
            kind: [[half; 3]; CONTEXTS],
            to_the_end: [half; 2],
            length: [Numbers::NEW; 2],
            w: Numbers::NEW,
            h: Numbers::NEW,
            same_vector: half,
            dy: Numbers::NEW,
            to_the_left: half,
            dx: [Numbers::NEW; 2],
            vector: Vector::default(),
        }
    }

    /// Codes the token `truth`, which the reading side does not look at, and gives it. What is read need not fit.
    #[inline(always)]
    pub(super) fn code<C: Coder>(
        &mut self,
        coder: &mut C,
        around: usize,
        history: &mut History,
        truth: Token,
    ) -> Token {
        let odds = &mut self.kind[around * LASTS + history.last];
        let token = if coder.decide(&mut odds[0], truth == Token::Pixel) {
            Token::Pixel
        } else if coder.decide(&mut odds[1], matches!(truth, Token::Above(_))) {
            Token::Above(self.code_length(coder, 0, truth))
        } else if coder.decide(&mut odds[2], matches!(truth, Token::Copy(_))) {
            Token::Copy(self.code_copy(coder, truth))
        } else {
            Token::Flat(self.code_length(coder, 1, truth))
        };
        history.add(token);
        token
    }

    fn code_length<C: Coder>(&mut self, coder: &mut C, kind: usize, truth: Token) -> Length {
        let truth = match truth {
            Token::Above(length) | Token::Flat(length) => length,
            Token::Pixel | Token::Copy(_) => Length::Pixels(1),
        };
        if coder.decide(&mut self.to_the_end[kind], truth == Length::ToTheEnd) {
            return Length::ToTheEnd;
        }
        let pixels = if let Length::Pixels(pixels) = truth { pixels } else { 1 };
        Length::Pixels(self.length[kind].code(coder, pixels))
    }

    fn code_copy<C: Coder>(&mut self, coder: &mut C, truth: Token) -> Copied {
        let truth = if let Token::Copy(copied) = truth { copied } else { Copied::default() };
        let w = self.w.code(coder, truth.w);
        let h = self.h.code(coder, truth.h);
        if !coder.decide(&mut self.same_vector, truth.vector == self.vector) {
            let Vector { dx, dy } = truth.vector;
            let dy = self.dy.code(coder, dy + 1) - 1;
            let dx = if dy == 0 {
                self.dx[0].code(coder, dx.unsigned_abs()) as isize
            } else {
                let to_the_left = coder.decide(&mut self.to_the_left, dx >= 0);
                let size = self.dx[1].code(coder, dx.unsigned_abs() + 1) as isize - 1;
                if to_the_left { size } else { -size }
            };
            self.vector = Vector { dx, dy };
        }
        Copied { w, h, vector: self.vector }
    }
}

/// Which of the neighbours of the pixel at `at` are equal, as a number below 32.
#[inline(always)]
pub(super) fn around(data: &[u32], at: usize, stride: usize) -> usize {
    let (w, ww) = (data[at - 1], data[at - 2]);
    let (n, nw, ne, nn) =
        (data[at - stride], data[at - stride - 1], data[at - stride + 1], data[at - 2 * stride]);
    usize::from(w == n)
        | usize::from(n == ne) << 1
        | usize::from(n == nw) << 2
        | usize::from(ww == w) << 3
        | usize::from(nn == n) << 4
}

/// Values of [`History::last`].
const LASTS: usize = 8;
/// Contexts of a token.
const CONTEXTS: usize = 32 * LASTS;
