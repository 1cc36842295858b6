//! Files that users upload for posts: what may be uploaded, what a file is by its own header, and where Meta accepts it.
//!
//! The limits are those of Meta's references of page photos, page videos and Instagram's content publishing.

use std::borrow::Cow;
use std::fmt;
use std::io::Cursor;
use std::str::FromStr;
use std::time::Duration;

use imagesize::ImageType;
use mp4parse::TrackType;
use serde::Serialize;
use strum::{EnumIter, IntoEnumIterator};
use utoipa::ToSchema;

use super::{InstagramFormat, MediaType, PostKind};
use crate::ids::MediaId;
use crate::{language, tr};

const MB: u64 = 1_000_000;

/// The formats of files that can be uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
pub enum FileFormat {
    /// A picture for every network.
    Jpeg,
    /// A picture for pages.
    Png,
    /// A picture for pages.
    Gif,
    /// A picture for pages.
    Bmp,
    /// A picture for pages.
    Tiff,
    /// A video.
    Mp4,
    /// A video of Apple's devices.
    Mov,
}

impl FileFormat {
    /// The formats in words, for messages.
    #[must_use]
    pub fn all() -> Cow<'static, str> {
        tr!("image/jpeg, image/png, image/gif, image/bmp, image/tiff, video/mp4 or video/quicktime")
    }

    /// Its content type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
        }
    }

    /// The ending of its files' names.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
        }
    }

    /// The format with this content type.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        Self::iter().find(|format| format.content_type() == content_type)
    }

    /// Whether it is a picture or a video.
    #[must_use]
    pub fn media_type(self) -> MediaType {
        match self {
            Self::Mp4 | Self::Mov => MediaType::Video,
            _ => MediaType::Image,
        }
    }

    /// The bytes of a file that some network accepts, at most.
    #[must_use]
    pub fn max_bytes(self) -> u64 {
        match self.media_type() {
            MediaType::Image => 10 * MB,
            MediaType::Video => 1_000 * MB,
        }
    }
}

/// The address of an uploaded file in a post: `media:`, its id and the ending of its format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaAddress {
    /// The file.
    pub id: MediaId,
    /// Its format.
    pub format: FileFormat,
}

impl MediaAddress {
    const SCHEME: &'static str = "media:";

    /// Whether `address` is of an uploaded file rather than of the web.
    #[must_use]
    pub fn is_one(address: &str) -> bool {
        address.starts_with(Self::SCHEME)
    }
}

impl fmt::Display for MediaAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}.{}", Self::SCHEME, self.id, self.format.ending())
    }
}

impl FromStr for MediaAddress {
    type Err = Cow<'static, str>;

    fn from_str(text: &str) -> Result<Self, Cow<'static, str>> {
        let rule = || tr!("The address of an uploaded file, as it was given for the upload.");
        let (id, ending) = text.strip_prefix(Self::SCHEME).and_then(|name| name.rsplit_once('.')).ok_or_else(rule)?;
        let format = FileFormat::iter().find(|format| format.ending() == ending).ok_or_else(rule)?;
        Ok(Self { id: MediaId::parse(id).map_err(|_| rule())?, format })
    }
}

/// What a file is, as its own header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFacts {
    /// Its format.
    pub format: FileFormat,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its width in pixels, as it is shown.
    pub width: u32,
    /// Its height in pixels, as it is shown.
    pub height: u32,
    /// How long a video is.
    pub duration: Option<Duration>,
}

/// What a medium is published as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumIter, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaUse {
    /// A picture of a page's post.
    PagePicture,
    /// The video of a page's post.
    PageVideo,
    /// A picture of an Instagram post, alone or in a carousel.
    InstagramPicture,
    /// A reel, or a video in a carousel.
    InstagramVideo,
    /// A picture as a story.
    StoryPicture,
    /// A video as a story.
    StoryVideo,
}

impl MediaUse {
    /// What a medium of this type is in a post.
    #[must_use]
    pub fn in_post(kind: PostKind, format: Option<InstagramFormat>, media: MediaType) -> Self {
        match (kind, format, media) {
            (PostKind::Page, _, MediaType::Image) => Self::PagePicture,
            (PostKind::Page, _, MediaType::Video) => Self::PageVideo,
            (_, Some(InstagramFormat::Story), MediaType::Image) => Self::StoryPicture,
            (_, Some(InstagramFormat::Story), MediaType::Video) => Self::StoryVideo,
            (_, _, MediaType::Image) => Self::InstagramPicture,
            (_, _, MediaType::Video) => Self::InstagramVideo,
        }
    }

    /// Whether it takes pictures or videos.
    #[must_use]
    pub fn media_type(self) -> MediaType {
        match self {
            Self::PagePicture | Self::InstagramPicture | Self::StoryPicture => MediaType::Image,
            Self::PageVideo | Self::InstagramVideo | Self::StoryVideo => MediaType::Video,
        }
    }
}

impl FileFacts {
    /// Why Meta would refuse the file for this use, as a sentence with the limit. `None` if nothing is known against it.
    #[must_use]
    pub fn refusal(&self, purpose: MediaUse) -> Option<String> {
        if self.format.media_type() != purpose.media_type() {
            let format = self.format.content_type();
            return Some(match purpose.media_type() {
                MediaType::Image => tr!("A picture; this is {format}.", format = format),
                MediaType::Video => tr!("A video; this is {format}.", format = format),
            });
        }
        let is_instagram = !matches!(purpose, MediaUse::PagePicture | MediaUse::PageVideo);
        if is_instagram && purpose.media_type() == MediaType::Image && self.format != FileFormat::Jpeg {
            return Some(tr!("Instagram accepts only JPEG; this is {format}.", format = self.format.content_type()));
        }
        let (most, seconds) = match purpose {
            MediaUse::PagePicture => (10 * MB, None),
            MediaUse::InstagramPicture | MediaUse::StoryPicture => (8 * MB, None),
            MediaUse::PageVideo => (1_000 * MB, Some((0, 20 * 60))),
            MediaUse::InstagramVideo => (300 * MB, Some((3, 15 * 60))),
            MediaUse::StoryVideo => (100 * MB, Some((3, 60))),
        };
        if self.bytes > most {
            let size = self.bytes.div_ceil(MB / 10);
            let size = language::decimal(&format!("{}.{}", size / 10, size % 10));
            return Some(tr!("At most {most} MB; this file has {size} MB.", most = most / MB, size = size));
        }
        if let (Some((least, longest)), Some(duration)) = (seconds, self.duration) {
            // Editors cut a frame early or late.
            let slack = Duration::from_millis(500);
            if duration + slack < Duration::from_secs(least) || duration > Duration::from_secs(longest) + slack {
                let length = format!("{}.{}", duration.as_secs(), duration.subsec_millis() / 100);
                return Some(tr!(
                    "A video of {least} to {longest} seconds; this one lasts {length} s.",
                    least = least,
                    longest = longest,
                    length = language::decimal(&length)
                ));
            }
        }
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        match purpose {
            // 4:5 to 1.91:1, with a pixel to spare.
            MediaUse::InstagramPicture if (width + 1) * 5 < height * 4 || width * 100 > (height + 1) * 191 => {
                Some(tr!(
                    "Instagram shows pictures from 4:5 (upright) to 1.91:1 (wide); this one has {width} x {height} pixels. Crop it.",
                    width = width,
                    height = height
                ))
            }
            MediaUse::InstagramVideo if self.width > 1_920 => {
                Some(tr!("A video at most 1,920 pixels wide; this one has {width}.", width = width))
            }
            _ => None,
        }
    }
}

/// Reads what a picture is from the first bytes of its file. `None` if that is not a picture, or more bytes are needed.
#[must_use]
pub fn picture_facts(start: &[u8], bytes: u64) -> Option<FileFacts> {
    let format = match imagesize::image_type(start).ok()? {
        ImageType::Jpeg => FileFormat::Jpeg,
        ImageType::Png => FileFormat::Png,
        ImageType::Gif => FileFormat::Gif,
        ImageType::Bmp => FileFormat::Bmp,
        ImageType::Tiff => FileFormat::Tiff,
        _ => return None,
    };
    let size = imagesize::blob_size(start).ok()?;
    let (width, height) = (u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?);
    (width > 0 && height > 0).then_some(FileFacts { format, bytes, width, height, duration: None })
}

/// Reads what a video is from its boxes `ftyp` and `moov`. `None` if they describe no video.
#[must_use]
pub fn video_facts(boxes: &[u8], bytes: u64) -> Option<FileFacts> {
    let movie = mp4parse::read_mp4(&mut Cursor::new(boxes)).ok()?;
    let track = movie.tracks.iter().find(|track| track.track_type == TrackType::Video)?;
    let shown = track.tkhd.as_ref()?;
    // 16.16 fixed point. A telephone held upright turns the picture by the matrix.
    let (mut width, mut height) = (shown.width >> 16, shown.height >> 16);
    if shown.matrix.a == 0 && shown.matrix.d == 0 {
        (width, height) = (height, width);
    }
    let (units, scale) = (track.duration.as_ref()?.0, track.timescale.as_ref()?.0);
    let milliseconds = u128::from(units) * 1_000 / u128::from(scale.max(1));
    let duration = Some(Duration::from_millis(u64::try_from(milliseconds).ok()?));
    let format = if boxes.get(8..12) == Some(b"qt  ") { FileFormat::Mov } else { FileFormat::Mp4 };
    (width > 0 && height > 0).then_some(FileFacts { format, bytes, width, height, duration })
}

/// Reads the header of a box in an MP4 file: its kind, and its whole size in bytes. `None` if this is not the beginning
/// of a box.
#[must_use]
pub fn box_header(header: &[u8]) -> Option<([u8; 4], u64)> {
    let kind: [u8; 4] = header.get(4..8)?.try_into().ok()?;
    let is_name = kind.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    let size = u64::from(u32::from_be_bytes(header.get(..4)?.try_into().ok()?));
    let size = match size {
        // To the end of the file.
        0 => u64::MAX,
        1 => u64::from_be_bytes(header.get(8..16)?.try_into().ok()?),
        size => size,
    };
    (is_name && size >= 8).then_some((kind, size))
}

#[cfg(test)]
#[path = "upload_tests.rs"]
pub(crate) mod tests;
