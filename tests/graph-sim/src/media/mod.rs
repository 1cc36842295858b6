//! Pictures and videos: what they are, and where they come from.
//!
//! A file is uploaded in a request, or fetched from an address as Meta does (see [`fetch`]). Its kind and size are read
//! from its bytes, never from its name.

pub(crate) mod fetch;
mod inspect;
mod mp4;

/// A picture or a video, without its bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Media {
    pub(crate) kind: Kind,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// In pixels; `None` if the format is not parsed that far.
    pub(crate) size: Option<(u32, u32)>,
    /// Length of a video; `None` if the file does not state it.
    pub(crate) duration_ms: Option<u64>,
    /// Equal for equal content.
    pub(crate) digest: String,
    /// A failure while the file is processed, chosen by a test: an Instagram subcode such as 2207026.
    pub(crate) processing_error: Option<i64>,
    /// How long processing takes, if a test chose it.
    pub(crate) processing_ms: Option<i64>,
}

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Jpeg,
    Png,
    Gif,
    Bmp,
    Tiff,
    Webp,
    /// MP4 or `QuickTime`.
    Video,
    /// Neither a picture nor a video that Meta reads.
    Other,
}

impl Kind {
    /// Returns the kind of a content type.
    pub(crate) fn of_content_type(content_type: &str) -> Self {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "image/jpeg" | "image/jpg" => Self::Jpeg,
            "image/png" => Self::Png,
            "image/gif" => Self::Gif,
            "image/bmp" => Self::Bmp,
            "image/tiff" => Self::Tiff,
            "image/webp" => Self::Webp,
            "video/mp4" | "video/quicktime" => Self::Video,
            _ => Self::Other,
        }
    }

    /// Returns whether pages accept it as a photo. `WebP` is not in Meta's list.
    pub(crate) fn is_photo(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Gif | Self::Bmp | Self::Tiff)
    }
}

impl Media {
    /// Examines a file.
    pub(crate) fn examine(bytes: &[u8]) -> Self {
        inspect::examine(bytes)
    }

    /// The ratio of width to height, if known.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.size.filter(|(_, height)| *height > 0).map(|(width, height)| f64::from(width) / f64::from(height))
    }
}
