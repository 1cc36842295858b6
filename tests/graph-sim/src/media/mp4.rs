//! The boxes of an MP4 or `QuickTime` file that state its length and dimensions.

/// What a file states about itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) size: Option<(u32, u32)>,
    pub(super) duration_ms: Option<u64>,
}

/// Reads `moov/mvhd` and the dimensions of the first track that has any. A file without them has no facts.
pub(super) fn facts(bytes: &[u8]) -> Facts {
    let Some(movie) = child(bytes, *b"moov") else { return Facts::default() };
    let duration_ms = child(movie, *b"mvhd").and_then(duration_ms);
    let size = boxes(movie)
        .filter(|(kind, _)| kind == b"trak")
        .filter_map(|(_, track)| child(track, *b"tkhd").and_then(size))
        .find(|(width, height)| *width > 0 && *height > 0);
    Facts { size, duration_ms }
}

fn child(bytes: &[u8], wanted: [u8; 4]) -> Option<&[u8]> {
    boxes(bytes).find(|(kind, _)| *kind == wanted).map(|(_, content)| content)
}

/// Returns kind and content of each box, up to the first broken one.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let kind: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
        let (head, length) = match be32(bytes, 0)? {
            // The box extends to the end of the file.
            0 => (8, bytes.len()),
            1 => (16, usize::try_from(be64(bytes, 8)?).ok()?),
            length => (8, usize::try_from(length).ok()?),
        };
        let content = bytes.get(head..length.min(bytes.len()))?;
        bytes = bytes.get(length.min(bytes.len())..)?;
        Some((kind, content))
    })
}

fn duration_ms(header: &[u8]) -> Option<u64> {
    let (scale, units) = match header.first()? {
        0 => (u64::from(be32(header, 12)?), u64::from(be32(header, 16)?)),
        _ => (u64::from(be32(header, 20)?), be64(header, 24)?),
    };
    units.checked_mul(1000)?.checked_div(scale)
}

/// The dimensions are 16.16 fixed-point numbers at the end of the box.
fn size(header: &[u8]) -> Option<(u32, u32)> {
    let at = header.len().checked_sub(8)?;
    Some((be32(header, at)? >> 16, be32(header, at + 4)? >> 16))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Facts, facts};

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap();
        [&length.to_be_bytes()[..], kind, content].concat()
    }

    #[test]
    fn length_and_dimensions_come_from_the_movie_box() {
        let mut movie_header = vec![0; 12];
        movie_header.extend(1000_u32.to_be_bytes());
        movie_header.extend(15_500_u32.to_be_bytes());
        let mut track_header = vec![0; 76];
        track_header.extend((1080_u32 << 16).to_be_bytes());
        track_header.extend((1920_u32 << 16).to_be_bytes());
        let track = boxed(b"trak", &boxed(b"tkhd", &track_header));
        let movie = boxed(b"moov", &[boxed(b"mvhd", &movie_header), track].concat());
        let file = [boxed(b"ftyp", b"isom"), movie].concat();
        assert_eq!(facts(&file), Facts { size: Some((1080, 1920)), duration_ms: Some(15_500) });
        assert_eq!(facts(&boxed(b"ftyp", b"isom")), Facts::default());
        assert_eq!(facts(b"\0\0\0\x02moov"), Facts::default());
    }
}
