use super::*;

/// The beginning of a picture.
pub(crate) fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8, 0xff, 0xe0, 0, 16];
    file.extend(b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0");
    file.extend([0xff, 0xc0, 0, 17, 8]);
    file.extend(height.to_be_bytes());
    file.extend(width.to_be_bytes());
    file.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    file
}

/// The beginning of a picture.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file.extend([8, 2, 0, 0, 0]);
    file
}

fn mp4_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len() + 8).unwrap();
    [&size.to_be_bytes(), kind.as_slice(), content].concat()
}

/// What describes a video that is stored `width` by `height`, and shown turned if it was filmed upright.
pub(crate) fn movie(width: u32, height: u32, seconds: u32, is_turned: bool) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let one = 0x1_0000;
    let straight = [one, 0, 0, 0, one, 0, 0, 0, 0x4000_0000];
    let turned = [0, one, 0, 0u32.wrapping_sub(one), 0, 0, 0, 0, 0x4000_0000];
    let mvhd =
        [words(&[0, 0, 0, 1_000, seconds * 1_000, one, 0x100_0000, 0, 0]), words(&straight), vec![0; 28]].concat();
    let matrix = if is_turned { turned } else { straight };
    let tkhd =
        [words(&[7, 0, 0, 1, 0, seconds * 1_000, 0, 0, 0, 0]), words(&matrix), words(&[width << 16, height << 16])];
    let mdhd = words(&[0, 0, 0, 600, seconds * 600, 0]);
    let hdlr = [words(&[0, 0]), b"vide".to_vec(), vec![0; 13]].concat();
    let stbl = mp4_box(b"stbl", &mp4_box(b"stsd", &words(&[0, 0])));
    let mdia = [mp4_box(b"mdhd", &mdhd), mp4_box(b"hdlr", &hdlr), mp4_box(b"minf", &stbl)].concat();
    let trak = [mp4_box(b"tkhd", &tkhd.concat()), mp4_box(b"mdia", &mdia)].concat();
    mp4_box(b"moov", &[mp4_box(b"mvhd", &mvhd), mp4_box(b"trak", &trak)].concat())
}

/// What an MP4 file begins with.
pub(crate) fn mp4_start() -> Vec<u8> {
    mp4_box(b"ftyp", b"isom\0\0\x02\0isommp41")
}

/// The pictures and sounds of a video.
pub(crate) fn mp4_data(bytes: usize) -> Vec<u8> {
    mp4_box(b"mdat", &vec![0; bytes])
}

fn facts(format: FileFormat, width: u32, height: u32) -> FileFacts {
    FileFacts { format, bytes: 1_000, width, height, duration: None }
}

#[test]
fn a_picture_says_what_it_is_whatever_its_name() {
    assert_eq!(
        picture_facts(&jpeg(1_080, 1_350), 9),
        Some(FileFacts { bytes: 9, ..facts(FileFormat::Jpeg, 1_080, 1_350) })
    );
    assert_eq!(picture_facts(&png(20, 10), 1_000), Some(facts(FileFormat::Png, 20, 10)));
    for other in [b"RIFF\0\0\0\0WEBPVP8 ".as_slice(), b"<svg xmlns=", b"<html>", b"%PDF-1.7", b"", &jpeg(0, 10)] {
        assert_eq!(picture_facts(other, 1_000), None, "{other:?}");
    }
    assert_eq!(picture_facts(&jpeg(10, 10)[..22], 1_000), None, "more bytes are needed");
}

#[test]
fn a_video_says_how_long_it_is_and_how_it_is_shown() {
    let file = [mp4_start(), movie(1_920, 1_080, 15, true)].concat();
    let seen = video_facts(&file, 5_000).unwrap();
    assert_eq!((seen.width, seen.height, seen.bytes), (1_080, 1_920, 5_000), "a telephone was held upright");
    assert_eq!((seen.duration, seen.format), (Some(Duration::from_secs(15)), FileFormat::Mp4));
    let seen = video_facts(&[mp4_start(), movie(640, 480, 2, false)].concat(), 1).unwrap();
    assert_eq!((seen.width, seen.height), (640, 480));
    let whole = [mp4_start(), movie(640, 480, 2, false)].concat();
    for length in 0..whole.len() {
        assert_eq!(video_facts(&whole[..length], 1), None, "a part of {length} bytes");
    }
}

#[test]
fn what_a_network_refuses_names_its_limit() {
    use FileFormat::{Jpeg, Mov, Mp4, Png};
    let says = |facts: FileFacts, purpose, words: &str| {
        let refusal = facts.refusal(purpose).unwrap_or_default();
        assert!(refusal.contains(words) && !words.is_empty(), "{purpose:?}: {refusal}");
    };
    let fits = |facts: FileFacts, purpose| assert_eq!(facts.refusal(purpose), None, "{purpose:?}");
    fits(facts(Png, 4_000, 100), MediaUse::PagePicture);
    says(facts(Png, 100, 100), MediaUse::InstagramPicture, "only JPEG");
    says(facts(Png, 100, 100), MediaUse::StoryPicture, "only JPEG");
    for (width, height, fit) in
        [(1_080, 1_350, true), (1_080, 1_356, false), (1_910, 1_000, true), (1_080, 566, true), (2_000, 1_000, false)]
    {
        assert_eq!(facts(Jpeg, width, height).refusal(MediaUse::InstagramPicture).is_none(), fit, "{width} x {height}");
    }
    says(facts(Jpeg, 2_000, 1_000), MediaUse::InstagramPicture, "2000 x 1000");
    fits(facts(Jpeg, 1_080, 1_920), MediaUse::StoryPicture);
    let big = FileFacts { bytes: 9_123_456, ..facts(Jpeg, 100, 100) };
    says(big, MediaUse::InstagramPicture, "At most 8 MB; this file has 9.2 MB");
    fits(big, MediaUse::PagePicture);
    let video =
        |seconds: f64| FileFacts { duration: Some(Duration::from_secs_f64(seconds)), ..facts(Mp4, 1_080, 1_920) };
    for (seconds, purpose, fit) in [
        (2.0, MediaUse::InstagramVideo, false),
        (2.9, MediaUse::InstagramVideo, true),
        (899.0, MediaUse::InstagramVideo, true),
        (902.0, MediaUse::InstagramVideo, false),
        (59.0, MediaUse::StoryVideo, true),
        (62.0, MediaUse::StoryVideo, false),
        (1.0, MediaUse::PageVideo, true),
        (1_203.0, MediaUse::PageVideo, false),
    ] {
        assert_eq!(video(seconds).refusal(purpose).is_none(), fit, "{purpose:?}: {seconds}");
    }
    says(facts(Mov, 3_840, 2_160), MediaUse::InstagramVideo, "3840");
    says(facts(Mp4, 10, 10), MediaUse::PagePicture, "A picture; this is video/mp4");
    says(facts(Jpeg, 10, 10), MediaUse::StoryVideo, "A video; this is image/jpeg");
}

#[test]
fn addresses_of_files_are_told_from_those_of_the_web() {
    let address = MediaAddress { id: MediaId::new(), format: FileFormat::Jpeg };
    assert_eq!(address.to_string().parse(), Ok(address));
    for bad in ["media:", "media:.jpg", "media:med_1.exe", "media:../x.jpg", "https://a.example/1.jpg", "media:a/b.jpg"]
    {
        assert!(bad.parse::<MediaAddress>().is_err(), "{bad}");
    }
}

#[test]
fn boxes_are_told_from_other_bytes() {
    assert_eq!(box_header(b"\0\0\0\x10ftypisom"), Some((*b"ftyp", 16)));
    assert_eq!(box_header(b"\0\0\0\x01mdat\0\0\0\x01\0\0\0\0"), Some((*b"mdat", 1 << 32)));
    assert_eq!(box_header(b"\0\0\0\0mdat"), Some((*b"mdat", u64::MAX)));
    for bad in [b"\0\0\0\x04ftyp".as_slice(), b"\0\0\0\x10ft", b"\0\0\0\x10\xff\xd8\xff\xe0", b"\0\0\0\x01mdat\0\0"] {
        assert_eq!(box_header(bad), None, "{bad:?}");
    }
}
