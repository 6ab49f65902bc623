use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::geom::{Region, TileGrid};
use crate::pixel::{ImageMut, PixelFormat, SampleDepth};

/// A desktop that can be drawn on.
#[derive(Clone)]
struct Scene {
    size: Size,
    format: PixelFormat,
    data: Vec<u8>,
}

impl Scene {
    fn new(w: u32, h: u32) -> Self {
        Self::with_format(w, h, PixelFormat::Bgrx8)
    }

    fn with_format(w: u32, h: u32, format: PixelFormat) -> Self {
        let len = w as usize * h as usize * format.bytes_per_pixel();
        Self { size: Size::new(w, h), format, data: vec![0xff; len] }
    }

    fn stride(&self) -> usize {
        self.size.w as usize * self.format.bytes_per_pixel()
    }

    fn view(&self) -> ImageRef<'_> {
        ImageRef::new(&self.data, self.size, self.stride(), self.format).unwrap()
    }

    fn edit(&mut self) -> ImageMut<'_> {
        let stride = self.stride();
        ImageMut::new(&mut self.data, self.size, stride, self.format).unwrap()
    }

    fn fill(&mut self, rect: Rect, colour: u32) {
        let inside = rect.intersect(self.size.rect()).unwrap_or_default();
        self.edit().fill(inside, colour.to_le_bytes());
    }

    /// Lines of letter-like marks, 12 rows a line, no two lines alike unless `seed` repeats.
    fn text(&mut self, rect: Rect, seed: u32) {
        let mut random = Random(seed | 1);
        for y in (rect.y..rect.bottom().saturating_sub(10)).step_by(12) {
            for x in (rect.x..rect.right().saturating_sub(6)).step_by(7) {
                let strokes = random.next();
                for bit in 0..15 {
                    if strokes >> bit & 1 == 1 {
                        self.fill(Rect::new(x + bit % 3 * 2, y + bit / 3 * 2, 2, 2), 0xff20_2020);
                    }
                }
            }
        }
    }

    fn noise(&mut self, rect: Rect, seed: u32) {
        let mut random = Random(seed | 1);
        for y in rect.y..rect.bottom() {
            for x in rect.x..rect.right() {
                self.fill(Rect::new(x, y, 1, 1), random.next() | 0xff00_0000);
            }
        }
    }

    /// The same with the pixels of `rect` moved by (`dx`, `dy`) within it; what becomes free shows new text.
    fn scrolled(&self, rect: Rect, dx: i32, dy: i32) -> Self {
        let mut new = self.clone();
        new.fill(rect, 0xffff_ffff);
        new.text(rect, 0x5eed);
        let vector = Vector { dx: -dx, dy: -dy };
        let (right, down) = (dx.max(0) as u32, dy.max(0) as u32);
        let (left, up) = ((-dx).max(0) as u32, (-dy).max(0) as u32);
        let target = Rect::span(rect.x + right, rect.y + down, rect.right() - left, rect.bottom() - up);
        let source = self.view().crop(vector.source(target, self.size).unwrap()).unwrap();
        new.edit().crop_mut(target).unwrap().copy_from(source);
        new
    }

    fn changed_tiles(&self, old: &Scene) -> Vec<Rect> {
        let grid = TileGrid::new(self.size);
        let differs =
            |r: &Rect| !self.view().crop(*r).unwrap().rows().eq(old.view().crop(*r).unwrap().rows());
        (0..grid.len()).map(|i| grid.rect(i)).filter(differs).collect()
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

/// The moves between two scenes, after proof that each one paints what it should when its turn comes.
fn moves(old: &Scene, new: &Scene) -> Vec<Move> {
    let mut tiles = new.changed_tiles(old);
    tiles.reverse();
    let moves = Finder::new().find(old.view(), new.view(), &tiles);
    assert!(moves.len() <= MAX_MOVES);
    let mut screen = old.clone();
    for step in &moves {
        assert!(screen.edit().copy_within(step.from, step.to), "{step:?} sticks out");
        let painted = screen.view().crop(step.target()).unwrap();
        assert!(painted.rows().eq(new.view().crop(step.target()).unwrap().rows()), "{step:?} is wrong");
    }
    let covered: Region = moves.iter().map(|m| m.target()).collect();
    assert_eq!(covered.area(), moves.iter().map(|m| m.from.area()).sum::<u64>(), "targets overlap");
    moves
}

fn page() -> (Scene, Rect) {
    let mut scene = Scene::new(700, 500);
    scene.fill(scene.size.rect(), 0xff30_4050);
    scene.text(Rect::new(0, 0, 700, 40), 3);
    let pane = Rect::new(37, 53, 611, 401);
    scene.fill(pane, 0xffff_ffff);
    scene.text(pane, 77);
    (scene, pane)
}

#[test]
fn a_scrolled_pane_is_one_move_to_the_pixel() {
    let (old, pane) = page();
    for (dx, dy) in [(0, -17), (0, 40), (-33, 0), (90, 0), (21, -34), (-5, 7), (0, -1), (0, 250)] {
        let moves = moves(&old, &old.scrolled(pane, dx, dy));
        assert_eq!(moves.len(), 1, "({dx}, {dy}): {moves:?}");
        let Move { from, to } = moves[0];
        assert_eq!((to.x as i32 - from.x as i32, to.y as i32 - from.y as i32), (dx, dy));
        let possible = (pane.w - dx.unsigned_abs()) * (pane.h - dy.unsigned_abs());
        // White edges may agree beyond the pane's moved part, or the last pixels be white by chance.
        assert!(from.area() * 100 >= u64::from(possible) * 97, "({dx}, {dy}): {from:?}");
    }
}

#[test]
fn a_dragged_window_moves_whole_and_the_uncovered_background_does_not() {
    let mut desktop = Scene::new(800, 600);
    desktop.noise(Rect::new(0, 0, 800, 600), 5);
    let mut window = Scene::new(301, 203);
    window.text(Rect::new(4, 24, 290, 170), 9);
    window.fill(Rect::new(0, 0, 301, 20), 0xff20_4080);
    let show = |x, y| {
        let mut scene = desktop.clone();
        scene.edit().crop_mut(Rect::new(x, y, 301, 203)).unwrap().copy_from(window.view());
        scene
    };
    for (x, y) in [(150, 111), (91, 160), (401, 350), (100, 93)] {
        let moves = moves(&show(100, 100), &show(x, y));
        assert_eq!(moves, [Move { from: Rect::new(100, 100, 301, 203), to: Point::new(x, y) }]);
    }
}

#[test]
fn moves_go_around_what_changed_inside() {
    let (old, pane) = page();
    let mut new = old.scrolled(pane, 0, -24);
    let caret = Rect::new(300, 200, 40, 30);
    new.noise(caret, 8);
    let moves = moves(&old, &new);
    assert!((2..=5).contains(&moves.len()), "{moves:?}");
    let covered: u64 = moves.iter().map(|m| m.from.area()).sum();
    assert!(covered * 100 >= 94 * u64::from(pane.w * (pane.h - 24)), "{moves:?}");
}

#[test]
fn two_panes_scroll_apart_and_windows_that_change_places_do_no_harm() {
    let mut old = Scene::new(640, 512);
    let (left, right) = (Rect::new(0, 0, 320, 512), Rect::new(320, 0, 320, 512));
    old.text(left, 11);
    old.text(right, 12);
    let apart = moves(&old, &old.scrolled(left, 0, -30).scrolled(right, 0, 45));
    assert_eq!(apart.len(), 2, "{apart:?}");

    let mut new = old.clone();
    new.edit().crop_mut(left).unwrap().copy_from(old.view().crop(right).unwrap());
    new.edit().crop_mut(right).unwrap().copy_from(old.view().crop(left).unwrap());
    assert_eq!(moves(&old, &new).len(), 1);
}

#[test]
fn repeated_text_is_still_exact() {
    let mut old = Scene::new(640, 480);
    for row in 0..40 {
        old.text(Rect::new(0, row * 12, 640, 12), 42 + row % 3);
    }
    old.text(Rect::new(0, 240, 640, 12), 99);
    for dy in [-12, -36, 12, 5] {
        moves(&old, &old.scrolled(Rect::new(0, 0, 640, 480), 0, dy));
    }
}

#[test]
fn nothing_moves_in_noise_flats_small_changes_and_unlike_images() {
    let mut noise = [Scene::new(500, 300), Scene::new(500, 300)];
    noise[0].noise(Rect::new(0, 0, 500, 300), 1);
    noise[1].noise(Rect::new(0, 0, 500, 300), 2);
    assert_eq!(moves(&noise[0], &noise[1]), []);

    let mut flats = [Scene::new(500, 300), Scene::new(500, 300)];
    flats[0].fill(Rect::new(20, 20, 200, 200), 0xff00_00ff);
    flats[1].fill(Rect::new(90, 50, 200, 200), 0xff00_00ff);
    moves(&flats[0], &flats[1]);

    let (old, _) = page();
    let new = old.scrolled(Rect::new(0, 0, 100, 60), 0, -20);
    assert!(new.changed_tiles(&old).len() < MIN_TILES);
    assert_eq!(moves(&old, &new), []);

    let all = [old.size.rect()];
    assert_eq!(Finder::new().find(old.view(), Scene::new(10, 10).view(), &all), []);
    assert_eq!(Finder::new().find(old.view(), old.view(), &[]), []);
}

#[test]
fn a_used_finder_finds_what_a_new_one_does() {
    let (old, pane) = page();
    let new = old.scrolled(pane, 13, -20);
    let tiles = new.changed_tiles(&old);
    let mut finder = Finder::new();
    let first = finder.find(old.view(), new.view(), &tiles);
    let (small, strip) = (Scene::new(300, 200), [Rect::new(0, 0, 300, 20)]);
    assert_eq!(finder.find(small.view(), small.view(), &strip), []);
    assert_eq!(finder.find(old.view(), new.view(), &tiles), first);
    assert!(!first.is_empty());
}

#[derive(Clone, Debug)]
enum Step {
    Fill(Rect, u32),
    Text(Rect, u32),
    Noise(Rect, u32),
    Copy(Rect, Point),
}

fn rect() -> impl Strategy<Value = Rect> {
    (0u32..330, 0u32..250, 1u32..260, 1u32..260).prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (rect(), any::<u32>()).prop_map(|(rect, colour)| Step::Fill(rect, colour)),
        2 => (rect(), 0u32..4).prop_map(|(rect, seed)| Step::Text(rect, seed)),
        1 => (rect(), 0u32..4).prop_map(|(rect, seed)| Step::Noise(rect, seed)),
        4 => (rect(), 0u32..330, 0u32..250).prop_map(|(rect, x, y)| Step::Copy(rect, Point::new(x, y))),
    ]
}

impl Scene {
    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Fill(rect, colour) => self.fill(rect, colour),
            Step::Text(rect, seed) => self.text(rect, seed),
            Step::Noise(rect, seed) => self.noise(rect, seed),
            Step::Copy(rect, to) => {
                let room =
                    Size::new(self.size.w - to.x.min(self.size.w), self.size.h - to.y.min(self.size.h));
                let from = rect.intersect(self.size.rect()).unwrap_or_default();
                let from = Rect { w: from.w.min(room.w), h: from.h.min(room.h), ..from };
                if !from.is_empty() {
                    self.edit().copy_within(from, to);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn moves_are_exact_between_any_scenes(
        (w, h) in (1u32..340, 1u32..260),
        format in prop_oneof![
            4 => Just(PixelFormat::Bgrx8),
            1 => Just(PixelFormat::Gray8),
            1 => Just(PixelFormat::Gray16(SampleDepth::new(16).unwrap())),
        ],
        before in prop::collection::vec(step(), 0..8),
        between in prop::collection::vec(step(), 0..8),
    ) {
        let mut old = Scene::with_format(w, h, format);
        before.iter().for_each(|step| old.apply(step));
        let mut new = old.clone();
        between.iter().for_each(|step| new.apply(step));
        moves(&old, &new);
    }

    #[test]
    fn a_wrong_list_of_changes_costs_no_exactness(
        steps in prop::collection::vec(step(), 1..6),
        tiles in prop::collection::vec(rect(), 0..6),
    ) {
        let mut old = Scene::new(340, 260);
        old.text(Rect::new(0, 0, 340, 260), 1);
        let mut new = old.clone();
        steps.iter().for_each(|step| new.apply(step));
        let mut screen = old.clone();
        for step in Finder::new().find(old.view(), new.view(), &tiles) {
            prop_assert!(screen.edit().copy_within(step.from, step.to));
            let painted = screen.view().crop(step.target()).unwrap();
            prop_assert!(painted.rows().eq(new.view().crop(step.target()).unwrap().rows()));
        }
    }
}
