use std::fs;

use super::super::scene::{SceneConfig, SceneSource};
use super::*;

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lightbox-dicom-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.join(name), bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An element in explicit VR, little endian.
fn element(tag: (u16, u16), vr: &str, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" || vr == "OB" { 0 } else { b' ' });
    }
    let mut bytes = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    bytes.extend(vr.bytes());
    if matches!(vr, "OB" | "OW") {
        bytes.extend([0, 0]);
        bytes.extend((value.len() as u32).to_le_bytes());
    } else {
        bytes.extend((value.len() as u16).to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

/// A 3x2 image of 16-bit samples, 12 of the bits used, with the given differences from the usual.
fn file(samples: [i16; 6], changes: &[((u16, u16), &str, &[u8])]) -> Vec<u8> {
    let meta = [
        element((2, 1), "OB", &[0, 1]),
        element((2, 2), "UI", b"1.2.840.10008.5.1.4.1.1.2"), // CT image
        element((2, 3), "UI", b"1.2.3"),
        element((2, 0x10), "UI", b"1.2.840.10008.1.2.1"), // explicit VR, little endian
        element((2, 0x12), "UI", b"1.2.4"),
    ]
    .concat();
    let pixels: Vec<u8> = samples.into_iter().flat_map(i16::to_le_bytes).collect();
    let mut data: Vec<((u16, u16), &str, &[u8])> = vec![
        ((0x08, 0x16), "UI", b"1.2.840.10008.5.1.4.1.1.2"),
        ((0x10, 0x10), "PN", b"Nobody^Known"),
        ((0x20, 0x0E), "UI", b"1.2.5"),
        ((0x28, 0x02), "US", &[1, 0]),
        ((0x28, 0x04), "CS", b"MONOCHROME2"),
        ((0x28, 0x10), "US", &[2, 0]),
        ((0x28, 0x11), "US", &[3, 0]),
        ((0x28, 0x100), "US", &[16, 0]),
        ((0x28, 0x101), "US", &[12, 0]),
        ((0x28, 0x102), "US", &[11, 0]),
        ((0x28, 0x103), "US", &[1, 0]),
        ((0x28, 0x1050), "DS", b"40"),
        ((0x28, 0x1051), "DS", b"400"),
        ((0x28, 0x1052), "DS", b"-24"),
        ((0x28, 0x1053), "DS", b"2"),
        ((0x7FE0, 0x10), "OW", &pixels),
    ];
    for change in changes {
        data.retain(|(tag, ..)| *tag != change.0);
        data.push(*change);
    }
    data.sort_by_key(|(tag, ..)| *tag);
    let length = element((2, 0), "UL", &(meta.len() as u32).to_le_bytes());
    let data = data.into_iter().flat_map(|(tag, vr, value)| element(tag, vr, value));
    [vec![0; 128], b"DICM".to_vec(), length, meta, data.collect()].concat()
}

fn read_bytes(bytes: &[u8]) -> Result<Vec<Slice>, DicomError> {
    parse(bytes.to_vec(), &mut 1000)
}

fn value(gray: &Gray<'_>, i: usize) -> f32 {
    f32::from(gray.samples[i]) * gray.slope + gray.intercept
}

#[test]
fn signed_samples_become_values_and_the_window_is_the_files_own() {
    let folder = Folder::new("values");
    folder.write("a.dcm", &file([-2048, -1, 0, 1, 2, 2047], &[]));
    let mut stack = Stack::open(&folder.0).unwrap();
    assert_eq!((stack.count(), stack.window(0)), (1, Window { center: 40.0, width: 400.0 }));
    assert_eq!(stack.captions(0)[0], ["Nobody Known"]);
    let gray = stack.image(0);
    assert_eq!((gray.size, gray.inverted), (Size::new(3, 2), false));
    let values: Vec<f32> = (0..6).map(|i| value(&gray, i)).collect();
    assert_eq!(values, [-4120.0, -26.0, -24.0, -22.0, -20.0, 4070.0]);
}

#[test]
fn slices_lie_along_the_patient_and_then_by_number() {
    let folder = Folder::new("order");
    let orientation: (_, _, &[u8]) = ((0x20, 0x37), "DS", b"1\\0\\0\\0\\1\\0");
    for (name, z, first) in [("a", "10.5", 3), ("b", "-7", 1), ("c", "2", 2)] {
        let place = format!("0\\0\\{z}");
        folder.write(name, &file([first; 6], &[orientation, ((0x20, 0x32), "DS", place.as_bytes())]));
    }
    folder.write("d", &file([5; 6], &[((0x20, 0x13), "IS", b"20")]));
    folder.write("e", &file([4; 6], &[((0x20, 0x13), "IS", b"3")]));
    let mut stack = Stack::open(&folder.0).unwrap();
    let order: Vec<f32> = (0..5).map(|i| (value(&stack.image(i), 0) + 24.0) / 2.0).collect();
    assert_eq!(order, [1.0, 2.0, 3.0, 4.0, 5.0]);
}

#[test]
fn one_line_for_each_file_that_is_left_out() {
    let folder = Folder::new("bad");
    let good = file([1; 6], &[]);
    folder.write("good.dcm", &good);
    folder.write("notes.txt", b"not an image\nat all");
    folder.write("cut.dcm", &good[..good.len() - 5]);
    folder.write("huge.dcm", &file([1; 6], &[((0x28, 0x10), "US", &[0xFF, 0xFF])]));
    folder.write("palette.dcm", &file([1; 6], &[((0x28, 0x04), "CS", b"PALETTE COLOR")]));
    folder.write("short.dcm", &file([1; 6], &[((0x28, 0x11), "US", &[9, 0])]));
    let many: (_, _, &[u8]) = ((0x28, 0x08), "IS", b"2147483647");
    folder.write("bomb.dcm", &file([1; 6], &[many]));
    let stack = Stack::open(&folder.0).unwrap();
    assert_eq!(stack.count(), 1);
    let names: Vec<&str> = stack.skipped().iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(names, ["bomb.dcm", "cut.dcm", "huge.dcm", "notes.txt", "palette.dcm", "short.dcm"]);
    assert!(stack.skipped().iter().all(|line| !line.contains('\n')));
    let empty = Folder::new("empty");
    assert!(matches!(Stack::open(&empty.0), Err(DicomError::Empty { .. })));
    assert!(matches!(Stack::open(&empty.0.join("missing")), Err(DicomError::Io(_))));
}

#[test]
fn a_length_past_the_end_is_seen_before_it_is_believed() {
    let good = file([1; 6], &[]);
    assert!(lengths::fit(&good));
    for at in 132..good.len() {
        assert!(!lengths::fit(&good[..at]) || read_bytes(&good[..at]).is_err(), "cut at {at}");
    }
    let sequence = |length: u32, inside: &[u8]| {
        let head = [&[0x32, 0, 0x64, 0][..], b"SQ\0\0", &u32::MAX.to_le_bytes()].concat();
        let item = [&[0xFE, 0xFF, 0, 0xE0][..], &u32::MAX.to_le_bytes(), b"\x08\0\x05\0UT\0\0"].concat();
        let end = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
        [
            &good[..good.len() - 24],
            &head,
            &item,
            &length.to_le_bytes(),
            inside,
            &end,
            &good[good.len() - 24..],
        ]
        .concat()
    };
    assert!(lengths::fit(&sequence(2, b"ab")));
    assert!(!lengths::fit(&sequence(0x7FFF_FFFE, b"ab")));
}

#[test]
fn no_damage_to_a_file_stops_the_reader() {
    let good = file([1; 6], &[]);
    for at in (128..good.len()).step_by(2) {
        let mut bytes = good.clone();
        bytes[at] ^= 0xFF >> (at % 8);
        let _ = read_bytes(&bytes);
    }
}

#[test]
fn the_viewer_scrolls_and_windows_and_the_scene_shows_the_stack() {
    let folder = Folder::new("viewer");
    folder.write("a", &file([0; 6], &[((0x20, 0x13), "IS", b"1")]));
    folder.write("b", &file([100; 6], &[((0x20, 0x13), "IS", b"2")]));
    let mut source = DicomSource::open(&folder.0).unwrap();
    let mut poll = |action: Option<Action>| {
        if let Some(action) = action {
            source.input(&action).unwrap();
        }
        let mut changes = Vec::new();
        source.poll(Duration::ZERO, &mut changes).unwrap();
        let image = source.image();
        (changes, image.row(image.size().h / 2 - 40)[image.size().w as usize * 2 + 1])
    };
    let (changes, dark) = poll(None);
    assert!(matches!(changes[..], [Change::Cursor(_), Change::Damage { .. }, Change::CursorAt { .. }]));
    assert_eq!(poll(None), (vec![], dark));
    let (_, bright) = poll(Some(Action::Wheel { dx: 0, dy: 120 }));
    // Values -24 and 176 in a window from -160 to 240.
    assert_eq!((dark, bright), (87, 214));
    poll(Some(Action::Button { code: 0x110, pressed: true, at: None }));
    let (_, darker) = poll(Some(Action::Motion { dx: 0, dy: 30 * 256 }));
    assert!(darker < bright);

    let stack = Some(Box::new(Stack::open(&folder.0).unwrap()) as Box<dyn Images>);
    let mut scene =
        SceneSource::new(SceneConfig { size: Size::new(960, 600), stack, ..SceneConfig::default() }).unwrap();
    for step in [0, 300, 500] {
        scene.frame_at(step, lightbox_protocol::Time(0), &mut Vec::new());
    }
}
