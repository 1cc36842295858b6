//! Comparing pictures of pages with kept ones.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::browser::{DESK, DESK_DARK, PHONE, Screen};

/// The screens of the kept pictures of all components.
pub const STYLEGUIDE_SCREENS: [Screen; 3] = [DESK, DESK_DARK, PHONE];
/// Colours that differ by less look the same; letters are not drawn alike everywhere.
const SAME_COLOUR: u8 = 48;

/// The kept picture of all components on a screen. `cargo pictures` takes it again.
#[must_use]
pub fn kept_styleguide(screen: Screen) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("styleguide/styleguide-{}.png", screen.name))
}

/// The share of pixels in which two pictures differ. Rows that only the longer one has count as different.
///
/// # Panics
/// Panics if a picture cannot be read, or has another width.
#[must_use]
pub fn difference(one: &Path, other: &Path) -> f64 {
    let (one, other) = (Picture::read(one), Picture::read(other));
    assert_eq!(one.width, other.width, "the pictures are of different screens");
    let rows = one.pixels.len().max(other.pixels.len());
    let same = one
        .pixels
        .iter()
        .zip(&other.pixels)
        .filter(|(one, other)| one.iter().zip(other.iter()).all(|(one, other)| one.abs_diff(*other) < SAME_COLOUR));
    #[expect(clippy::cast_precision_loss, reason = "a picture has few millions of pixels")]
    let share = 1.0 - same.count() as f64 / rows.max(1) as f64;
    share
}

struct Picture {
    width: u32,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    fn read(path: &Path) -> Self {
        let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut decoder = png::Decoder::new(BufReader::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().expect("a picture");
        let mut buffer = vec![0; reader.output_buffer_size().expect("a picture that fits into memory")];
        let frame = reader.next_frame(&mut buffer).expect("a whole picture");
        let samples = frame.color_type.samples();
        let pixels = buffer[..frame.buffer_size()].chunks(samples).map(|pixel| match pixel {
            [grey] | [grey, _] => [*grey; 3],
            [red, green, blue, ..] => [*red, *green, *blue],
            [] => [0; 3],
        });
        Self { width: frame.width, pixels: pixels.collect() }
    }
}
