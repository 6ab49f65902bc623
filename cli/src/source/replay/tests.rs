use lightbox_codec::geom::Size;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::super::record::{RecordError, Recorder};
use super::*;

const SIZE: Size = Size::new(150, 40);

/// Pictures that change by known rects.
fn pictures() -> Vec<(Duration, Vec<u8>, Vec<Rect>)> {
    let mut data: Vec<u8> =
        (0..SIZE.area()).flat_map(|i| [(i * 7) as u8, (i / 3) as u8, 200, 0xFF]).collect();
    let mut all = vec![(Duration::ZERO, data.clone(), vec![SIZE.rect()])];
    for step in 1..6u32 {
        let rects = vec![Rect::new(step * 9, step, 31, 17), Rect::new(step, 30, 1, 1)];
        let mut image = ImageMut::new(&mut data, SIZE, SIZE.w as usize * 4, PixelFormat::Bgrx8).unwrap();
        for rect in &rects {
            image.fill(*rect, [step as u8 * 40, 255 - step as u8, 3, 0xFF]);
        }
        all.push((Duration::from_millis(step.into()), data.clone(), rects));
    }
    all
}

fn view(data: &[u8]) -> ImageRef<'_> {
    ImageRef::new(data, SIZE, SIZE.w as usize * 4, PixelFormat::Bgrx8).unwrap()
}

fn recorded() -> Vec<u8> {
    let mut recorder = Recorder::new("test", "a test", SIZE);
    for (at, data, rects) in pictures() {
        recorder.push(at, view(&data), &rects).unwrap();
    }
    recorder.finish().unwrap()
}

fn pack(header: &str, body: &[u8]) -> Vec<u8> {
    let plain = [header.as_bytes(), b"\n", body].concat();
    compress_to_vec(&plain[..], CompressionLevel::Fastest)
}

fn play(packed: Vec<u8>) -> Result<Vec<Frame>, ReplayError> {
    Recording::from_bytes(packed)?.frames()?.collect()
}

#[test]
fn what_was_recorded_is_played() {
    for preload in [false, true] {
        let options = ReplayOptions { pace: Pace::AsAsked, preload, ..ReplayOptions::default() };
        let recording = Recording::from_bytes(recorded()).unwrap();
        recording.verify().unwrap();
        let mut source = ReplaySource::new(recording, options).unwrap();
        for (_, data, rects) in pictures() {
            let mut changes = Vec::new();
            source.poll(Duration::ZERO, &mut changes).unwrap();
            assert!(matches!(&changes[..], [Change::Damage { rects: r, .. }] if r.len() == rects.len()));
            assert!(source.image().rows().eq(view(&data).rows()));
        }
        let mut changes = Vec::new();
        source.poll(Duration::ZERO, &mut changes).unwrap();
        source.poll(Duration::ZERO, &mut changes).unwrap();
        assert_eq!(changes, [Change::Ended]);
    }
}

#[test]
fn the_committed_recording_is_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/reading-room.scr.zst");
    Recording::open(&path).unwrap().verify().unwrap();
}

#[test]
fn a_loop_goes_on_and_the_counter_counts_through() {
    let options =
        ReplayOptions { pace: Pace::AsAsked, looped: true, counter: true, ..ReplayOptions::default() };
    let mut source = ReplaySource::new(Recording::from_bytes(recorded()).unwrap(), options).unwrap();
    for n in 1..=20 {
        let mut changes = Vec::new();
        source.poll(Duration::ZERO, &mut changes).unwrap();
        assert_eq!(counter::read(source.image()), Some(n));
        let [Change::Damage { rects, .. }] = &changes[..] else { panic!("{changes:?}") };
        assert!(rects.iter().any(|r| r.contains(counter::AREA)));
    }
}

#[test]
fn a_cut_is_an_error_and_a_flipped_byte_an_error_or_harmless() {
    let packed = recorded();
    for cut in (0..packed.len()).step_by(3) {
        assert!(play(packed[..cut].to_vec()).is_err(), "cut at {cut}");
    }
    for at in (0..packed.len()).step_by(5) {
        let mut damaged = packed.clone();
        damaged[at] ^= 0x11;
        if let Ok(frames) = play(damaged) {
            assert!(frames.iter().flat_map(|f| &f.rects).all(|r| r.w <= 8192 && r.h <= 8192));
        }
    }
}

#[test]
fn what_is_no_recording_is_named() {
    let ok = r#"{"width":2,"height":1,"frames":1}"#;
    // t_us, one rect over the whole screen, three planes of two bytes
    let body = [&[0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 1, 0][..], &[1, 2, 3, 4, 5, 6]].concat();
    let [frame] = &play(pack(ok, &body)).unwrap()[..] else { panic!("one frame") };
    assert_eq!(frame.pixels, [1 + 3, 1, 1 + 5, 0xFF, 3 + 7, 3, 3 + 11, 0xFF]);

    let change = |at: usize, to: u8| {
        let mut body = body.clone();
        body[at] = to;
        play(pack(ok, &body))
    };
    assert!(matches!(change(0, 1), Err(ReplayError::Time { frame: 0 })));
    assert!(matches!(change(6, 1), Err(ReplayError::Rects { frame: 0 })), "sticks out");
    assert!(matches!(change(12, 0), Err(ReplayError::Rects { frame: 0 })), "empty");
    assert!(matches!(change(5, 255), Err(ReplayError::Broken { frame: 0 })));
    assert!(matches!(play(pack(ok, &body[..19])), Err(ReplayError::Broken { frame: 0 })));
    assert!(matches!(play(pack(ok, &[&body[..], &[0]].concat())), Err(ReplayError::Trailing)));
    for bad in [
        "",
        "[]",
        r#"{"width":0,"height":1,"frames":1}"#,
        r#"{"width":8192,"height":8192,"frames":1}"#,
        r#"{"width":2,"height":1,"frames":-1}"#,
        r#"{"width":2,"height":1,"frames":1,"final_sha256_bgr":"00"}"#,
    ] {
        assert!(matches!(play(pack(bad, &body)), Err(ReplayError::Header { .. })), "{bad}");
    }
    let wrong = format!(r#"{{"width":2,"height":1,"frames":1,"final_sha256_bgr":"{}"}}"#, "0".repeat(64));
    let recording = Recording::from_bytes(pack(&wrong, &body)).unwrap();
    assert!(matches!(recording.verify(), Err(ReplayError::Digest)));
    assert!(matches!(play(b"not zstd".to_vec()), Err(ReplayError::Zst(_))));
}

#[test]
fn a_recorder_refuses_what_the_format_cannot_say() {
    let data = [0; 4 * 4];
    let image = ImageRef::new(&data, Size::new(2, 2), 8, PixelFormat::Bgrx8).unwrap();
    let mut recorder = Recorder::new("", "", Size::new(2, 2));
    recorder.push(Duration::from_secs(9), image, &[]).unwrap();
    recorder.push(Duration::from_secs(2), image, &[Rect::new(0, 0, 1, 1)]).unwrap();
    let at = Duration::from_secs(1);
    assert_eq!(recorder.push(at, image, &[]), Err(RecordError::Time { at }));
    let at = Duration::from_secs(5000);
    assert_eq!(recorder.push(at, image, &[]), Err(RecordError::Time { at }));
    assert_eq!(
        Recorder::new("", "", Size::new(1, 2)).push(at, image, &[]),
        Err(RecordError::Image { w: 1, h: 2 })
    );
    assert_eq!(Recorder::new("", "", Size::new(1, 1)).finish(), None);
}
