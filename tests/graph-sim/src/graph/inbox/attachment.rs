//! Files that the app attaches to comments and messages. Meta fetches them.

use serde_json::{Value, json};

use super::super::content::params;
use super::super::error::GraphError;
use super::super::session::Call;
use super::message_body::{self, Source};
use super::rights;
use crate::media::fetch::{Expected, Failure};
use crate::media::{Kind, Media};
use crate::world::content::picture_address;
use crate::world::inbox::Account;
use crate::world::inbox::message::Attachment;

/// Maximum size of a picture by address, and of everything else.
const MAX_PICTURE: u64 = 8 * 1024 * 1024;
const MAX_FILE: u64 = 25 * 1024 * 1024;

/// Returns the attachment of a comment that is written. `None` while its picture is still to be fetched.
///
/// # Errors
/// Returns 100 for an unknown photo, 324 for a picture that cannot be read.
pub(super) fn of_comment(call: &mut Call<'_>) -> Result<Option<Option<Attachment>>, GraphError> {
    let text = |name: &str| params::text(call.request, name);
    let (id, url, share) = (text("attachment_id"), text("attachment_url"), text("attachment_share_url"));
    if let Some(id) = id {
        if call.world.content.photo(&id).is_none() {
            return Err(GraphError::invalid("(#100) Param attachment_id must be a photo that can be attached"));
        }
        let url = Some(picture_address(&id));
        return Ok(Some(Some(Attachment { kind: "photo".to_owned(), url, ..Attachment::default() })));
    }
    if let Some(url) = url {
        return match call.download(&url, Expected::PagePhoto) {
            None => Ok(None),
            Some(Ok(fetched)) if fetched.media.kind.is_photo() => {
                Ok(Some(Some(Attachment { kind: "photo".to_owned(), url: Some(url), ..Attachment::default() })))
            }
            Some(_) => Err(GraphError::injected(324, None, None, None)),
        };
    }
    let kind = || "animated_image_share".to_owned();
    Ok(Some(share.map(|url| Attachment { kind: kind(), url: Some(url), ..Attachment::default() })))
}

/// Fetches the files of a message. Returns whether they are there.
///
/// # Errors
/// Returns 100 with the subcode for what is wrong: 2018008 not fetched, 2018047 another type, 2018109 too big, 2018294
/// a video that took too long, or 2018008 for an unknown reusable id.
pub(super) fn fetch(call: &mut Call<'_>, sources: &[Source]) -> Result<bool, GraphError> {
    let mut there = true;
    for source in sources {
        match source {
            Source::Url { kind, url } => {
                let expected = if kind == "video" { Expected::Video } else { Expected::MessageFile };
                match call.download(url, expected) {
                    None => there = false,
                    Some(Ok(fetched)) => check(kind, &fetched.media)?,
                    Some(Err(Failure::TimedOut)) if kind == "video" => {
                        return Err(GraphError::messaging(100, 2_018_294, "(#100) Video upload timed out"));
                    }
                    Some(Err(_)) => return Err(not_fetched()),
                }
            }
            Source::Saved { id, .. } => {
                if call.world.inbox.file(id).is_none_or(|file| file.number_id.is_some()) {
                    return Err(not_fetched());
                }
            }
            Source::Template(_) => {}
        }
    }
    Ok(there)
}

fn not_fetched() -> GraphError {
    GraphError::messaging(100, 2_018_008, "(#100) Failed to fetch the file from the url")
}

fn check(kind: &str, media: &Media) -> Result<(), GraphError> {
    let fits = match kind {
        "image" => media.kind.is_photo() || media.kind == Kind::Webp,
        "video" => media.kind == Kind::Video,
        _ => true,
    };
    if !fits {
        return Err(GraphError::messaging(100, 2_018_047, "(#100) Upload attachment failure: the type does not match"));
    }
    let max = if kind == "image" { MAX_PICTURE } else { MAX_FILE };
    if media.bytes > max {
        return Err(GraphError::messaging(100, 2_018_109, "(#100) Attachment size exceeds allowable limit"));
    }
    Ok(())
}

/// `POST /{page}/message_attachments`: fetches a file that messages can use later.
///
/// # Errors
/// As for [`fetch`]; 100 for a message that is not one reusable attachment.
pub(super) fn save(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    rights::messages(call, page_id, &Account::Page(page_id.to_owned()), page_id)?;
    let body = message_body::parse(call.request)?;
    let Some([source @ Source::Url { kind, .. }]) = body.as_ref().map(|body| body.sources.as_slice()) else {
        return Err(GraphError::invalid("(#100) Param message must have one attachment with a url"));
    };
    if !fetch(call, std::slice::from_ref(source))? {
        return Ok(Value::Null);
    }
    let id = call.world.add_file(kind, None, None);
    Ok(json!({ "attachment_id": id }))
}
