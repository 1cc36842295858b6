//! Uploaded pictures and videos: where a file is sent, what it is by its own header, and where Meta accepts it.
//!
//! Files go from the browser to the bucket and from there to Meta. Leadwire itself reads their first bytes, and the
//! photos that it sends to pages.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;
use utoipa::ToSchema;

use super::Publishing;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing, WorkError};
use crate::files::{FileError, FileKey, Files};
use crate::ids::{MediaId, OrgScope};
use crate::model::json_input::whole;
use crate::model::publishing::draft::Content;
use crate::model::publishing::upload::{
    FileFacts, FileFormat, MediaAddress, MediaUse, box_header, picture_facts, video_facts,
};
use crate::model::publishing::{MediaType, PostKind};
use crate::tr;

/// How long a file can be sent to the address that was given for it. An upload that began in time may last longer.
const UPLOAD_TIME: Duration = Duration::from_mins(15);
/// How long a link to a file works.
const LINK_TIME: Duration = Duration::from_hours(1);
/// The first bytes of a picture, which hold its size unless a camera wrote much about it before.
const PICTURE_START: u64 = 512_000;
/// The boxes of a video that are skipped to find the one that describes it.
const MAX_BOXES: usize = 64;
/// The longest description of a video that is read. That of an hour has about 3 MB.
const MAX_DESCRIPTION: u64 = 16_000_000;
/// Files that are read at once.
const CONCURRENCY: usize = 4;

/// A picture or a video to upload.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MediaIn {
    /// `image/jpeg`, `image/png`, `image/gif`, `image/bmp`, `image/tiff`, `video/mp4` or `video/quicktime`.
    pub content_type: String,
    /// The size of the file in bytes: at most 10,000,000 for a picture and 1,000,000,000 for a video.
    #[serde(deserialize_with = "whole")]
    pub size: u64,
}

/// Where a file is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MediaUpload {
    /// The id of the file.
    pub id: MediaId,
    /// Its address in posts, for every field that takes the address of a picture or a video.
    pub address: String,
    /// Where to send the file, by `PUT`, with `content-type` as it was given and exactly the given size.
    pub upload_url: String,
    /// Until when the upload can begin.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MediaOut {
    /// Its address in posts.
    pub address: String,
    /// Its format, as its own header says.
    pub content_type: &'static str,
    /// Its size in bytes.
    pub size: u64,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// How long a video is, in seconds.
    pub duration: Option<f64>,
    /// What it can be published as, and what it cannot.
    pub uses: Vec<MediaUseOut>,
    /// Where it can be seen, until `url_expires_at`.
    pub url: String,
    /// Until when `url` works.
    #[schema(value_type = String, format = DateTime)]
    pub url_expires_at: Timestamp,
}

/// What a file can be published as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MediaUseOut {
    /// The use.
    #[serde(rename = "use")]
    pub purpose: MediaUse,
    /// Why Meta would refuse it, and what it accepts. `null` if nothing is known against it.
    pub refusal: Option<String>,
}

impl Publishing {
    /// Gives an address to which a file can be sent.
    ///
    /// # Errors
    /// Refuses a format or a size that Meta does not take anywhere.
    pub async fn begin_upload(&self, access: &MetaAccess, input: &MediaIn) -> Result<MediaUpload, ActError> {
        let Some(format) = FileFormat::of_content_type(&input.content_type) else {
            let message = tr!("One of {names}.", names = FileFormat::all());
            return Err(ActError::invalid("content_type", ErrorCode::MediaInvalid, message));
        };
        if !(1..=format.max_bytes()).contains(&input.size) {
            let message = tr!("1 to {most} bytes.", most = format.max_bytes());
            return Err(ActError::invalid("size", ErrorCode::MediaInvalid, message));
        }
        let address = MediaAddress { id: MediaId::new(), format };
        let key = FileKey::of_upload(&access.scope, &address.id);
        let link = self.files.upload_link(&key, format.content_type(), input.size, UPLOAD_TIME).await?;
        Ok(MediaUpload {
            address: address.to_string(),
            id: address.id,
            upload_url: link.into(),
            expires_at: crate::clock::now() + UPLOAD_TIME,
        })
    }

    /// Reads what an uploaded file is and where Meta accepts it.
    ///
    /// # Errors
    /// Refuses a file that has not been uploaded, and one that is no picture or video.
    pub async fn media(&self, access: &MetaAccess, id: &MediaId) -> Result<MediaOut, ActError> {
        let key = FileKey::of_upload(&access.scope, id);
        let format = match self.files.head(&key).await {
            Ok(stored) => FileFormat::of_content_type(&stored.content_type),
            Err(FileError::Missing) => None,
            Err(error) => return Err(error.into()),
        };
        let Some(format) = format else { return Err(ActError::not_found(Missing::UploadedFile)) };
        let address = MediaAddress { id: id.clone(), format };
        let facts = inspect(&self.files, &access.scope, &address).await?;
        let facts = facts.map_err(|message| ActError::invalid("file", ErrorCode::MediaInvalid, message))?;
        let uses = MediaUse::iter().filter(|purpose| purpose.media_type() == facts.format.media_type());
        Ok(MediaOut {
            address: address.to_string(),
            content_type: facts.format.content_type(),
            size: facts.bytes,
            width: facts.width,
            height: facts.height,
            duration: facts.duration.map(|duration| duration.as_secs_f64()),
            uses: uses.map(|purpose| MediaUseOut { purpose, refusal: facts.refusal(purpose) }).collect(),
            url: self.files.link(&key, LINK_TIME).await?.into(),
            url_expires_at: crate::clock::now() + LINK_TIME,
        })
    }

    /// Where an uploaded file can be seen for an hour.
    pub async fn media_link(&self, access: &MetaAccess, id: &MediaId) -> Result<String, ActError> {
        Ok(self.files.link(&FileKey::of_upload(&access.scope, id), LINK_TIME).await?.into())
    }

    /// Checks the uploaded files of posts by their own headers. Each is read once.
    ///
    /// # Errors
    /// Refuses the first that Meta would refuse, by the name of its field.
    pub(super) async fn check_uploads(&self, scope: &OrgScope, posts: &[(PostKind, &Content)]) -> Result<(), ActError> {
        let addresses: BTreeMap<String, MediaAddress> = posts
            .iter()
            .flat_map(|(_, content)| &content.media)
            .filter_map(|media| Some((media.url.clone(), media.url.parse().ok()?)))
            .collect();
        let read = addresses.into_iter().map(|(url, address)| async move {
            Ok::<_, WorkError>((url, inspect(&self.files, scope, &address).await?))
        });
        let read: BTreeMap<String, Result<FileFacts, String>> =
            stream::iter(read).buffer_unordered(CONCURRENCY).try_collect().await?;
        for (kind, content) in posts {
            for (media, field) in content.media.iter().zip(&content.fields) {
                let purpose = MediaUse::in_post(*kind, content.format, media.r#type);
                let refusal = match read.get(&media.url) {
                    None => continue,
                    Some(Err(message)) => Some(message.clone()),
                    Some(Ok(facts)) => facts.refusal(purpose),
                };
                if let Some(message) = refusal {
                    return Err(ActError::invalid(field.clone(), ErrorCode::MediaInvalid, message));
                }
            }
        }
        Ok(())
    }
}

/// Where Meta can download a medium: its address on the web, or a link to the uploaded file, which works for an hour.
pub(super) async fn download_link(files: &Files, scope: &OrgScope, address: &str) -> Result<String, FileError> {
    match address.parse::<MediaAddress>() {
        Ok(address) => Ok(files.link(&FileKey::of_upload(scope, &address.id), LINK_TIME).await?.into()),
        Err(_) => Ok(address.to_owned()),
    }
}

/// Reads what an uploaded file is. The inner error says what is wrong with it.
async fn inspect(
    files: &Files,
    scope: &OrgScope,
    address: &MediaAddress,
) -> Result<Result<FileFacts, String>, WorkError> {
    let key = FileKey::of_upload(scope, &address.id);
    let bytes = match files.head(&key).await {
        Ok(stored) => stored.bytes,
        Err(FileError::Missing) => {
            return Ok(Err(tr!("No file was uploaded to this address, or it is no longer kept.").into_owned()));
        }
        Err(error) => return Err(error.into()),
    };
    let facts = match address.format.media_type() {
        MediaType::Image => read_picture(files, &key, bytes).await?,
        MediaType::Video => read_video(files, &key, bytes).await?,
    };
    let declared = address.format.content_type();
    Ok(match facts {
        None => Err(tr!("The file is damaged, or not in the format {declared}.", declared = declared)),
        Some(facts) if facts.format != address.format && address.format.media_type() == MediaType::Image => {
            Err(tr!("The file is {actual}, not {declared}.", actual = facts.format.content_type(), declared = declared))
        }
        Some(facts) => Ok(facts),
    })
}

async fn read_picture(files: &Files, key: &FileKey, bytes: u64) -> Result<Option<FileFacts>, WorkError> {
    let start = files.read(key, 0, PICTURE_START).await?;
    match picture_facts(&start, bytes) {
        None if bytes > PICTURE_START => Ok(picture_facts(&files.read(key, 0, bytes).await?, bytes)),
        facts => Ok(facts),
    }
}

/// Finds the boxes that describe a video: `moov` may come after all of its pictures.
async fn read_video(files: &Files, key: &FileKey, bytes: u64) -> Result<Option<FileFacts>, WorkError> {
    let (mut offset, mut boxes) = (0, Vec::new());
    for _ in 0..MAX_BOXES {
        if offset >= bytes {
            return Ok(None);
        }
        let Some((kind, size)) = box_header(&files.read(key, offset, 16).await?) else { return Ok(None) };
        let size = size.min(bytes - offset);
        if matches!(&kind, b"ftyp" | b"moov") {
            if size > MAX_DESCRIPTION {
                return Ok(None);
            }
            boxes.extend(files.read(key, offset, size).await?);
        }
        if &kind == b"moov" {
            return Ok(video_facts(&boxes, bytes));
        }
        offset += size;
    }
    Ok(None)
}
