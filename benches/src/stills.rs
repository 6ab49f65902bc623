//! The pictures that the still codec and its peers are measured on, and the classes in which results are told.

use std::path::{Path, PathBuf};

use lightbox_cli::picture::{Still, read_still};
use lightbox_codec::geom::Size;
use lightbox_codec::pixel::{ImageRef, PixelFormat};

use crate::Picture;
use crate::peers::Error;

/// A picture and what to call it.
pub struct Named {
    /// The file's name without folder and extension, or what a generated picture is.
    pub name: String,
    /// Its pixels.
    pub still: Still,
}

/// What kind of picture it is, by its samples alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Gray of 9 to 16 bits.
    DeepGray,
    /// Gray of 8 bits.
    Gray,
    /// Colour of 1920x1080: a desktop.
    Screen,
    /// Any other colour.
    Colour,
}

impl Class {
    /// All of them, in the order of tables.
    pub const ALL: [Class; 4] = [Class::DeepGray, Class::Gray, Class::Screen, Class::Colour];

    /// The class of a picture.
    pub fn of(image: ImageRef<'_>) -> Self {
        match image.format() {
            PixelFormat::Gray16(_) => Class::DeepGray,
            PixelFormat::Gray8 => Class::Gray,
            _ if image.size() == Size::new(1920, 1080) => Class::Screen,
            _ => Class::Colour,
        }
    }

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Class::DeepGray => "gray, 9-16 bits",
            Class::Gray => "gray, 8 bits",
            Class::Screen => "screen",
            Class::Colour => "colour",
        }
    }
}

/// Reads the pictures of `paths`, each a file (PGM, PPM or PNG, also inside zstd) or a folder of such; without any,
/// the generated ones.
///
/// # Errors
/// The first file that cannot be read, by name.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Named>, Error> {
    if paths.is_empty() {
        return generated();
    }
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut inside =
                path.read_dir()?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Error>>()?;
            inside.retain(|file| is_picture(file));
            inside.sort();
            files.append(&mut inside);
        } else {
            files.push(path.clone());
        }
    }
    let read = |file: &PathBuf| {
        let still = read_still(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Ok(Named { name: name.split('.').next().unwrap_or_default().into(), still })
    };
    files.iter().map(read).collect()
}

fn is_picture(file: &Path) -> bool {
    let name = file.to_string_lossy();
    let name = name.strip_suffix(".zst").unwrap_or(&name);
    [".pgm", ".ppm", ".png"].iter().any(|end| name.ends_with(end))
}

fn generated() -> Result<Vec<Named>, Error> {
    let pictures = [
        Picture::slice(Size::new(512, 512), 60),
        Picture::viewport(Size::new(900, 900), 60),
        Picture::desktop(Size::new(1920, 1080)),
        Picture::stain(Size::new(700, 600)),
    ];
    let named = |picture: &Picture| {
        let image = picture.image()?;
        let data = image.rows().flatten().copied().collect();
        let still = Still { size: image.size(), format: image.format(), data };
        Ok(Named { name: picture.name().into(), still })
    };
    pictures.iter().map(named).collect()
}
