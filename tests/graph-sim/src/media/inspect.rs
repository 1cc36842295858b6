//! Reads kind, dimensions and length from the bytes of a file.

use sha2::{Digest, Sha256};

use super::{Kind, Media, mp4};

/// Examines a file. Unreadable pictures are [`Kind::Other`]; a video only has to begin like one.
pub(super) fn examine(bytes: &[u8]) -> Media {
    let (kind, size, duration_ms) = match bytes {
        [0xff, 0xd8, 0xff, ..] => picture(Kind::Jpeg, jpeg_size(bytes)),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => picture(Kind::Png, png_size(bytes)),
        [b'G', b'I', b'F', b'8', ..] => picture(Kind::Gif, gif_size(bytes)),
        [b'B', b'M', ..] => picture(Kind::Bmp, bmp_size(bytes)),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => (Kind::Tiff, None, None),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => (Kind::Webp, None, None),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] | [_, _, _, _, b'm', b'o', b'o', b'v', ..] => {
            let facts = mp4::facts(bytes);
            (Kind::Video, facts.size, facts.duration_ms)
        }
        _ => (Kind::Other, None, None),
    };
    Media {
        kind,
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        size,
        duration_ms,
        digest: hex::encode(Sha256::digest(bytes)),
        processing_error: None,
        processing_ms: None,
    }
}

fn picture(kind: Kind, size: Option<(u32, u32)>) -> (Kind, Option<(u32, u32)>, Option<u64>) {
    let kind = if size.is_some() { kind } else { Kind::Other };
    (kind, size, None)
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u32::from(u16::from_be_bytes(bytes.try_into().ok()?)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Walks the segments up to the frame header (SOF).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        while *bytes.get(at)? == 0xff && *bytes.get(at + 1)? == 0xff {
            at += 1;
        }
        let (mark, kind) = (*bytes.get(at)?, *bytes.get(at + 1)?);
        if mark != 0xff {
            return None;
        }
        match kind {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Some((be16(bytes, at + 7)?, be16(bytes, at + 5)?));
            }
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => at += 2 + usize::try_from(be16(bytes, at + 2)?).ok()?,
        }
    }
}

fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    Some((be32(bytes, 16)?, be32(bytes, 20)?))
}

fn gif_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let le16 = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    Some((le16(6)?, le16(8)?))
}

fn bmp_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let le32 = |at: usize| Some(i32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?).unsigned_abs());
    Some((le32(18)?, le32(22)?))
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Media};

    #[test]
    fn pictures_are_known_by_their_bytes_and_broken_ones_are_none() {
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0x04, 0x38, 0x05, 0xa0, 3, 0, 0, 0];
        for (bytes, kind, size) in [
            (&jpeg[..], Kind::Jpeg, Some((1440, 1080))),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0\0\0\x01\0", Kind::Png, Some((512, 256))),
            (b"GIF89a\x10\0\x20\0", Kind::Gif, Some((16, 32))),
            (b"RIFF\0\0\0\0WEBPVP8 ", Kind::Webp, None),
            (b"\xff\xd8\xff\xe0", Kind::Other, None),
            (b"<!DOCTYPE html>", Kind::Other, None),
        ] {
            let media = Media::examine(bytes);
            assert_eq!((media.kind, media.size), (kind, size), "{bytes:?}");
        }
    }
}
