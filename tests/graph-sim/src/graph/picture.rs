//! The size of a picture, from its first bytes.

/// Returns width and height of a PNG, GIF or JPEG. `None` for anything else.
pub(crate) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some((big(bytes.get(16..20)?), big(bytes.get(20..24)?)));
    }
    if bytes.starts_with(b"GIF8") {
        let little = |at: usize| Some(u32::from(*bytes.get(at)?) + 256 * u32::from(*bytes.get(at + 1)?));
        return Some((little(6)?, little(8)?));
    }
    if bytes.starts_with(b"\xff\xd8") { jpeg(bytes) } else { None }
}

fn big(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Walks the segments of a JPEG to the one with its size.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let [0xff, marker] = *bytes.get(at..at + 2)? else { return None };
        let is_frame = matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc);
        if is_frame {
            return Some((big(bytes.get(at + 7..at + 9)?), big(bytes.get(at + 5..at + 7)?)));
        }
        at += 2 + usize::try_from(big(bytes.get(at + 2..at + 4)?)).ok()?;
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn pictures_are_told_by_their_first_bytes() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        png.extend([0, 0, 4, 56, 0, 0, 2, 54]);
        assert_eq!(size(&png), Some((1080, 566)));
        assert_eq!(size(b"GIF89a\x0a\0\x05\x01"), Some((10, 261)));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\x02\x36\x04\x38";
        assert_eq!(size(jpeg), Some((1080, 566)));
        assert_eq!(size(b"<svg>"), None);
        assert_eq!(size(b""), None);
    }
}
