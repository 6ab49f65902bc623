use lightbox_protocol::msg::input::Place;

use super::*;

/// A small room: what is tested does not depend on its size, and the tests run unoptimised.
fn room(seed: u64) -> SceneSource {
    SceneSource::new(SceneConfig { size: Size::new(960, 600), seed, ..SceneConfig::default() }).unwrap()
}

fn show(scene: &mut SceneSource, step: u64) -> Vec<Change> {
    let mut changes = Vec::new();
    scene.frame_at(step, Time(step), &mut changes);
    changes
}

fn pixels(scene: &SceneSource) -> Vec<u8> {
    scene.image().rows().flatten().copied().collect()
}

fn damage(changes: &[Change]) -> Vec<Rect> {
    let rects = changes.iter().filter_map(|c| match c {
        Change::Damage { rects, .. } => Some(rects.clone()),
        _ => None,
    });
    rects.flatten().collect()
}

/// Steps over a whole round of work, more of them than there are acts.
fn steps() -> impl Iterator<Item = u64> {
    (0..1300).step_by(53)
}

#[test]
fn the_same_seed_and_step_give_the_same_picture() {
    let (mut one, mut other) = (room(7), room(7));
    for step in steps() {
        show(&mut one, step);
    }
    let last = one.step();
    show(&mut other, last);
    assert_eq!(pixels(&one), pixels(&other), "whatever was shown before");
    let mut third = room(8);
    show(&mut third, last);
    assert_ne!(pixels(&one), pixels(&third));
}

#[test]
fn nothing_changes_outside_of_the_damage_and_all_of_it_has_a_change() {
    let mut scene = room(1);
    let size = scene.layout.screen;
    assert_eq!(damage(&show(&mut scene, 0)), [size.rect()]);
    let mut before = pixels(&scene);
    for step in steps().skip(1) {
        let rects = damage(&show(&mut scene, step));
        let after = pixels(&scene);
        let mut hit = vec![false; rects.len()];
        for (i, (a, b)) in before.chunks_exact(4).zip(after.chunks_exact(4)).enumerate() {
            assert_eq!(b[3], 0xFF);
            if a != b {
                let at = Point::new(i as u32 % size.w, i as u32 / size.w);
                let holders = rects.iter().enumerate().filter(|(_, r)| r.contains_point(at));
                let count = holders.map(|(k, _)| hit[k] = true).count();
                assert!(count > 0, "{at:?} changed silently in step {step}");
            }
        }
        assert!(hit.iter().all(|h| *h), "a rect without a change in step {step}");
        before = after;
    }
}

#[test]
fn the_picture_settles_in_between() {
    let mut scene = room(1);
    show(&mut scene, 0);
    let quiet = (1..1230).step_by(6).filter(|step| damage(&show(&mut scene, *step)).is_empty()).count();
    assert!(quiet > 25, "only {quiet} quiet steps");
}

#[test]
fn keys_wheel_and_pointer_are_seen() {
    let mut scene = room(1);
    show(&mut scene, 0);
    for code in [35, 18, 38, 38, 24] {
        scene.input(&Action::Key { code, pressed: true }).unwrap();
        scene.input(&Action::Key { code, pressed: false }).unwrap();
    }
    scene.input(&Action::Text(" grüezi\u{7}".to_owned())).unwrap();
    assert_eq!(scene.typed(), "hello grüezi");
    let changes = show(&mut scene, 0);
    let editor = scene.layout.editor;
    assert!(!damage(&changes).is_empty() && damage(&changes).iter().all(|r| editor.contains(*r)));

    let stack = Layout::inside(scene.layout.stack);
    let place = Place { output: 0, x: stack.x + 20, y: stack.y + 20 };
    scene.input(&Action::Pointer(place)).unwrap();
    let at = Point::new(place.x, place.y);
    let moved = show(&mut scene, 0);
    assert!(moved.contains(&Change::CursorAt { at, visible: true }), "{moved:?}");
    assert!(moved.contains(&Change::Cursor(Pointer::Cross.shape())));
    let index = scene.shown.as_ref().unwrap().slice.index;
    for _ in 0..6 {
        scene.input(&Action::Wheel { dx: 0, dy: -60 }).unwrap();
    }
    assert!(!damage(&show(&mut scene, 0)).is_empty());
    assert_eq!(scene.shown.as_ref().unwrap().slice.index, index - 3);
}

#[test]
fn wild_input_does_no_harm() {
    let mut scene = room(1);
    show(&mut scene, 0);
    let far = Place { output: 9, x: u32::MAX, y: u32::MAX };
    for _ in 0..3 {
        for action in [
            Action::Wheel { dx: i32::MIN, dy: i32::MIN },
            Action::Motion { dx: i32::MIN, dy: i32::MAX },
            Action::Button { code: 0x110, pressed: true, at: Some(far) },
            Action::Pointer(Place::default()),
            Action::Text("x\u{1F600}".repeat(900)),
            Action::Wheel { dx: 0, dy: i32::MAX },
            Action::Key { code: u16::MAX, pressed: true },
        ] {
            scene.input(&action).unwrap();
            show(&mut scene, 0);
        }
    }
    assert!(scene.typed().len() <= 2000);
}

#[test]
fn refuses_rooms_that_cannot_be() {
    let make = |w, h, fps| {
        let size = Size::new(w, h);
        SceneSource::new(SceneConfig { size, fps, ..SceneConfig::default() }).err()
    };
    assert_eq!(make(799, 600, 30), Some(SceneError::Size { w: 799, h: 600 }));
    assert_eq!(make(20_000, 600, 30), Some(SceneError::Size { w: 20_000, h: 600 }));
    assert_eq!(make(800, 600, 0), Some(SceneError::Rate { fps: 0 }));
}
