//! What a user asks to publish, checked against everything that Meta is known to refuse, before Meta is asked.
//!
//! The limits are those of Meta's Pages API (posts, photos), its Instagram content publishing API and of practice.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::upload::MediaAddress;
use super::{InstagramFormat, Media, MediaType};
use crate::model::web_address::parse_public;
use crate::tr;

/// Characters of a page's post.
pub const MAX_MESSAGE: usize = 63_206;
/// Characters of a caption on Instagram.
pub const MAX_CAPTION: usize = 2_200;
/// Hashtags of a caption on Instagram.
pub const MAX_HASHTAGS: usize = 30;
/// Mentions of a caption on Instagram.
pub const MAX_MENTIONS: usize = 20;
/// Pictures of a page's post.
pub const MAX_IMAGES: usize = 10;
/// Pictures and videos of a carousel.
pub const CAROUSEL_SIZES: std::ops::RangeInclusive<usize> = 2..=10;
/// How far ahead a post is scheduled at least: Meta's own minimum, kept so that a post means the same everywhere.
pub const MIN_AHEAD: SignedDuration = SignedDuration::from_mins(10);
/// How far ahead a post is scheduled at most: Meta's own maximum.
pub const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A field of a draft that cannot be published as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftError {
    /// The field, as it was given.
    pub field: Cow<'static, str>,
    /// What kind of mistake it is.
    pub kind: DraftMistake,
    /// What would be accepted.
    pub message: String,
}

/// The kinds of mistakes in a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftMistake {
    /// There is nothing to publish, or not what this kind of post needs.
    Missing,
    /// Fields that exclude each other.
    Conflict,
    /// A text that is too long, or has too much in it.
    Text,
    /// An address that Meta cannot download from.
    Address,
    /// A file that Meta does not accept.
    Media,
    /// A time that is not allowed.
    Time,
}

fn mistake(field: impl Into<Cow<'static, str>>, kind: DraftMistake, message: impl Into<String>) -> DraftError {
    DraftError { field: field.into(), kind, message: message.into() }
}

/// A post for a page, as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageDraft {
    /// The text.
    pub message: Option<String>,
    /// The link.
    pub link: Option<String>,
    /// One picture.
    pub image: Option<String>,
    /// Several pictures.
    pub images: Vec<String>,
    /// A video.
    pub video: Option<String>,
}

/// A post for an Instagram account, as it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstagramDraft {
    /// A picture or a video, by its ending.
    pub media_url: Option<String>,
    /// A picture.
    pub image: Option<String>,
    /// A video.
    pub video: Option<String>,
    /// Pictures and videos of a carousel, by their endings.
    pub carousel: Vec<String>,
    /// The form, if it cannot be concluded from the media.
    pub format: Option<InstagramFormat>,
    /// The caption.
    pub caption: Option<String>,
}

/// What is published: a draft without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The text.
    pub message: Option<String>,
    /// The link whose preview is shown.
    pub link: Option<String>,
    /// Pictures and videos.
    pub media: Vec<Media>,
    /// The fields of the draft that named them, in the same order.
    pub fields: Vec<Cow<'static, str>>,
    /// The form on Instagram.
    pub format: Option<InstagramFormat>,
}

impl PageDraft {
    /// Checks the draft.
    ///
    /// A page's post shows pictures, a video or the preview of a link, but not two of them: a link beside pictures or a
    /// video becomes the last line of the text.
    ///
    /// # Errors
    /// The first field that Meta would refuse.
    pub fn check(self) -> Result<Content, DraftError> {
        if self.image.is_some() && !self.images.is_empty() {
            return Err(mistake("image", DraftMistake::Conflict, tr!("Either image or images.")));
        }
        let link = text(self.link);
        let link = link.map(|link| address("link", &link)).transpose()?.map(String::from);
        let mut named = Vec::new();
        named.extend(self.image.as_ref().map(|url| (Cow::from("image"), url)));
        let images = self.images.iter().enumerate();
        named.extend(images.map(|(position, url)| (Cow::from(format!("images[{position}]")), url)));
        let mut media = Vec::new();
        for (field, url) in &named {
            media.push(picture(field.clone(), url, NetworkRules::Page)?);
        }
        let mut fields: Vec<_> = named.into_iter().map(|(field, _)| field).collect();
        if media.len() > MAX_IMAGES {
            return Err(mistake("images", DraftMistake::Media, tr!("At most {most} pictures.", most = MAX_IMAGES)));
        }
        if let Some(url) = &self.video {
            if !media.is_empty() {
                return Err(mistake("video", DraftMistake::Conflict, tr!("Either pictures or a video.")));
            }
            media.push(video("video", url)?);
            fields.push("video".into());
        }
        let mut message = text(self.message);
        if message.is_none() && link.is_none() && media.is_empty() {
            return Err(mistake("message", DraftMistake::Missing, tr!("A message, a link, pictures or a video.")));
        }
        let link = match link {
            Some(link) if !media.is_empty() => {
                message = Some(message.map_or(link.clone(), |message| format!("{message}\n\n{link}")));
                None
            }
            link => link,
        };
        check_length("message", message.as_deref(), MAX_MESSAGE)?;
        Ok(Content { message, link, media, fields, format: None })
    }
}

impl InstagramDraft {
    /// Checks the draft. A media address and a caption alone suffice.
    ///
    /// # Errors
    /// The first field that Meta would refuse.
    pub fn check(self) -> Result<Content, DraftError> {
        let one = || tr!("One of mediaUrl, image, video and carousel.");
        let is_carousel = !self.carousel.is_empty() || self.format == Some(InstagramFormat::Carousel);
        let given = [self.media_url.is_some(), self.image.is_some(), self.video.is_some(), is_carousel];
        match given.into_iter().filter(|given| *given).count() {
            0 => return Err(mistake("mediaUrl", DraftMistake::Missing, one())),
            1 => {}
            _ => return Err(mistake("mediaUrl", DraftMistake::Conflict, one())),
        }
        let named: Vec<(Cow<'static, str>, &String)> = if is_carousel {
            if !CAROUSEL_SIZES.contains(&self.carousel.len()) {
                return Err(mistake("carousel", DraftMistake::Media, tr!("2 to 10 pictures and videos.")));
            }
            let items = self.carousel.iter().enumerate();
            items.map(|(position, url)| (format!("carousel[{position}]").into(), url)).collect()
        } else {
            let one = [("image", &self.image), ("video", &self.video), ("mediaUrl", &self.media_url)];
            one.into_iter().filter_map(|(field, url)| Some((field.into(), url.as_ref()?))).collect()
        };
        let medium = |(field, url): &(Cow<'static, str>, &String)| {
            let is_video = match field.as_ref() {
                "image" => false,
                "video" => true,
                "mediaUrl" => looks_like_video(url) || self.format == Some(InstagramFormat::Reel),
                _ => looks_like_video(url),
            };
            if is_video { video(field.clone(), url) } else { picture(field.clone(), url, NetworkRules::Instagram) }
        };
        let media = named.iter().map(medium).collect::<Result<Vec<_>, _>>()?;
        let fields = named.into_iter().map(|(field, _)| field).collect();
        let first = media.first().map(|media| media.r#type);
        let format = match (self.format, first) {
            (None | Some(InstagramFormat::Carousel), _) if is_carousel => InstagramFormat::Carousel,
            (Some(format), _) if is_carousel => {
                let message = tr!("carousel has the media type carousel, not {format}.", format = format);
                return Err(mistake("mediaType", DraftMistake::Conflict, message));
            }
            (Some(InstagramFormat::Image), Some(MediaType::Video)) => {
                return Err(mistake("mediaType", DraftMistake::Conflict, tr!("A video is a reel or a story.")));
            }
            (Some(InstagramFormat::Reel), Some(MediaType::Image)) => {
                return Err(mistake("mediaType", DraftMistake::Conflict, tr!("A reel is a video.")));
            }
            (Some(format), _) => format,
            (None, Some(MediaType::Video)) => InstagramFormat::Reel,
            (None, _) => InstagramFormat::Image,
        };
        let caption = text(self.caption);
        check_length("caption", caption.as_deref(), MAX_CAPTION)?;
        let marks = |mark: char| caption.as_deref().map_or(0, |caption| count_marks(caption, mark));
        if marks('#') > MAX_HASHTAGS {
            return Err(mistake("caption", DraftMistake::Text, tr!("At most {most} hashtags.", most = MAX_HASHTAGS)));
        }
        if marks('@') > MAX_MENTIONS {
            return Err(mistake("caption", DraftMistake::Text, tr!("At most {most} mentions.", most = MAX_MENTIONS)));
        }
        Ok(Content { message: caption, link: None, media, fields, format: Some(format) })
    }
}

/// Checks when a post is to be published.
///
/// # Errors
/// If the time is not one that Meta would accept for a scheduled post.
pub fn check_time(field: &'static str, at: Timestamp, now: Timestamp) -> Result<(), DraftError> {
    if at < now + MIN_AHEAD {
        return Err(mistake(
            field,
            DraftMistake::Time,
            tr!("A time at least 10 minutes ahead; leave it out to publish now."),
        ));
    }
    if at > now + MAX_AHEAD {
        return Err(mistake(field, DraftMistake::Time, tr!("A time at most 30 days ahead.")));
    }
    Ok(())
}

/// A text that says something. Line breaks and spaces within it stay.
fn text(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

fn check_length(field: &'static str, text: Option<&str>, most: usize) -> Result<(), DraftError> {
    match text.map(|text| text.chars().count()).filter(|length| *length > most) {
        None => Ok(()),
        Some(length) => {
            let message = tr!("At most {most} characters; this has {length}.", most = most, length = length);
            Err(mistake(field, DraftMistake::Text, message))
        }
    }
}

/// Counts words that begin with `mark` and go on.
pub(super) fn count_marks(text: &str, mark: char) -> usize {
    let begins = |(at, _): &(usize, &str)| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        let after = text.get(at + mark.len_utf8()..).and_then(|after| after.chars().next());
        before.is_none_or(|c| !c.is_alphanumeric()) && after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    text.match_indices(mark).filter(begins).count()
}

pub(super) fn address(field: impl Into<Cow<'static, str>>, text: &str) -> Result<Url, DraftError> {
    parse_public(text).map_err(|message| mistake(field, DraftMistake::Address, message))
}

/// Which network's rules apply to a picture.
#[derive(Clone, Copy, PartialEq)]
enum NetworkRules {
    Page,
    Instagram,
}

/// Checks the address of a medium: on the public internet, or of an uploaded file. Returns it in normal form.
fn media_address(field: impl Into<Cow<'static, str>>, text: &str) -> Result<String, DraftError> {
    let address = match MediaAddress::is_one(text) {
        true => text.parse::<MediaAddress>().map(|address| address.to_string()).map_err(String::from),
        false => parse_public(text).map(String::from).map_err(String::from),
    };
    address.map_err(|rule| mistake(field, DraftMistake::Address, rule))
}

fn picture(field: impl Into<Cow<'static, str>>, url: &str, rules: NetworkRules) -> Result<Media, DraftError> {
    let field = field.into();
    let url = media_address(field.clone(), url)?;
    let known: &[&str] = match rules {
        NetworkRules::Page => &["jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff"],
        NetworkRules::Instagram => &["jpg", "jpeg"],
    };
    match ending(&url) {
        Some(ending) if !known.contains(&ending.as_str()) && (is_video_ending(&ending) || is_image_ending(&ending)) => {
            let message = match rules {
                NetworkRules::Page => {
                    tr!("Use JPEG, PNG, GIF, BMP or TIFF. This file is .{ending}.", ending = ending)
                }
                NetworkRules::Instagram => tr!("Use JPEG. This file is .{ending}.", ending = ending),
            };
            Err(mistake(field, DraftMistake::Media, message))
        }
        _ => Ok(Media::new(MediaType::Image, url)),
    }
}

fn video(field: impl Into<Cow<'static, str>>, url: &str) -> Result<Media, DraftError> {
    let field = field.into();
    let url = media_address(field.clone(), url)?;
    match ending(&url) {
        Some(ending) if is_image_ending(&ending) || matches!(ending.as_str(), "webm" | "avi" | "mkv" | "wmv") => {
            let message = tr!("A video in the format MP4 or MOV; this is .{ending}.", ending = ending);
            Err(mistake(field, DraftMistake::Media, message))
        }
        _ => Ok(Media::new(MediaType::Video, url)),
    }
}

fn looks_like_video(address: &str) -> bool {
    ending(address.trim()).is_some_and(|ending| is_video_ending(&ending))
}

/// The ending of the file's name in lower case, if it has one.
fn ending(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let (_, ending) = url.path().rsplit('/').next()?.rsplit_once('.')?;
    Some(ending.to_ascii_lowercase())
}

fn is_video_ending(ending: &str) -> bool {
    matches!(ending, "mp4" | "mov" | "m4v" | "webm" | "avi" | "mkv" | "wmv")
}

fn is_image_ending(ending: &str) -> bool {
    matches!(
        ending,
        "jpg" | "jpeg" | "png" | "gif" | "bmp" | "tif" | "tiff" | "webp" | "svg" | "heic" | "heif" | "avif" | "pdf"
    )
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
