//! The search for scrolls and drags.
//!
//! ```text
//! cargo bench -p lightbox-benches --bench motion
//! cargo bench -p lightbox-benches --bench motion -- scroll
//! ```
//!
//! 1920x1080, four bytes per pixel; throughput counts all pixels of the changed tiles. `scroll` moves a full
//! screen of text by 37 rows, `drag` a window of 700x500 over a photograph, `repaint` finds nothing because text
//! gave way to other text, `noise` finds nothing in random pixels.
#![allow(missing_docs, reason = "criterion's macros make public items without documentation")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lightbox_codec::geom::{Point, Rect, Size, TileGrid};
use lightbox_codec::pixel::{ImageMut, ImageRef, PixelFormat};
use lightbox_codec::screen::motion::Finder;

const SIZE: Size = Size::new(1920, 1080);
const STRIDE: usize = SIZE.w as usize * 4;

struct Screen(Vec<u8>);

impl Screen {
    fn white() -> Self {
        Self(vec![0xff; STRIDE * SIZE.h as usize])
    }

    fn view(&self) -> ImageRef<'_> {
        ImageRef::new(&self.0, SIZE, STRIDE, PixelFormat::Bgrx8).expect("the memory fits the size")
    }

    fn edit(&mut self) -> ImageMut<'_> {
        ImageMut::new(&mut self.0, SIZE, STRIDE, PixelFormat::Bgrx8).expect("the memory fits the size")
    }

    /// Letters of random strokes with softened edges, words apart, a line every 18 rows.
    fn text(mut self, rect: Rect, seed: u32) -> Self {
        let mut random = Random(seed);
        self.edit().fill(rect, [0xff; 4]);
        for y in (rect.y..rect.bottom() - 14).step_by(18) {
            for x in (rect.x..rect.right() - 8).step_by(8) {
                let strokes = if random.next().is_multiple_of(6) { 0 } else { random.next() };
                for bit in (0..15).filter(|bit| strokes >> bit & 1 == 1) {
                    let (left, top) = (x + bit % 3 * 2, y + bit / 3 * 2);
                    let shade = (strokes >> (16 + bit % 8)) as u8 & 0x7f;
                    self.edit().fill(Rect::new(left, top, 2, 2), [shade, shade, shade, 0xff]);
                }
            }
        }
        self
    }

    fn noise(seed: u32) -> Self {
        let mut random = Random(seed);
        let mut screen = Self::white();
        screen
            .0
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .for_each(|px| *px = (random.next() | 0xff00_0000).to_le_bytes());
        screen
    }

    fn rows_of(&self, rect: Rect) -> Vec<&[u8]> {
        self.view().crop(rect).expect("the rect is on the screen").rows().collect()
    }

    fn with(mut self, source: &Screen, from: Rect, to: Point) -> Self {
        let source = source.view().crop(from).expect("the source is on the screen");
        self.edit().crop_mut(from.at(to)).expect("the target is on the screen").copy_from(source);
        self
    }
}

struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

fn finder(c: &mut Criterion) {
    let all = SIZE.rect();
    let page = || Screen::white().text(all, 1);
    let window = Rect::new(0, 0, 700, 500);
    let dragged = |x, y| Screen::noise(7).with(&page(), window, Point::new(x, y));
    let cases = [
        (
            "scroll",
            page(),
            Screen::white().text(all, 2).with(&page(), Rect::new(0, 37, 1920, 1043), Point::new(0, 0)),
        ),
        ("drag", dragged(300, 200), dragged(341, 187)),
        ("repaint", page(), Screen::white().text(all, 3)),
        ("noise", Screen::noise(4), Screen::noise(5)),
    ];
    let mut group = c.benchmark_group("motion");
    for (name, old, new) in &cases {
        let grid = TileGrid::new(SIZE);
        let differs = |r: &Rect| old.rows_of(*r) != new.rows_of(*r);
        let changed: Vec<Rect> = (0..grid.len()).map(|i| grid.rect(i)).filter(differs).collect();
        group.throughput(Throughput::Elements(changed.iter().map(|r| r.area()).sum()));
        let mut finder = Finder::new();
        group.bench_function(*name, |b| b.iter(|| finder.find(old.view(), new.view(), black_box(&changed))));
    }
}

criterion_group!(benches, finder);
criterion_main!(benches);
