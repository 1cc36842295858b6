//! Pictures and videos from the author's own computer: the browser sends them to the bucket, and shows what they are.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use leadwire::error::ActError;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::MediaId;
use leadwire::model::publishing::MediaType;
use leadwire::model::publishing::upload::{MediaAddress, MediaUse};
use leadwire::model::web_address::parse_public;
use leadwire::publishing::{MediaIn, MediaOut};
use leadwire::{language, tr};
use maud::{Markup, html};

use super::AuthorForm;
use crate::actor::Author;
use crate::components::size;
use crate::state::Console;

/// Where a picture of a post can be shown from: our own address of an uploaded file, or the web if it is encrypted there.
pub(super) fn picture_source(address: &str) -> Option<String> {
    match address.parse::<MediaAddress>() {
        Ok(address) if address.format.media_type() == MediaType::Image => Some(format!("/posts/media/{}", address.id)),
        Ok(_) => None,
        Err(_) => parse_public(address).ok().filter(|url| url.scheme() == "https").map(String::from),
    }
}

/// Answers the script where to send a file.
pub(super) async fn begin(AuthorForm { console, actor: author, fields, .. }: AuthorForm) -> Result<Response, Problem> {
    let input = MediaIn {
        content_type: fields.text("content_type"),
        size: fields.get("size").and_then(|size| size.parse().ok()).unwrap_or_default(),
    };
    Ok(Json(console.publishing.begin_upload(&author.access, &input).await?).into_response())
}

/// Shows an uploaded file by its own address.
pub(super) async fn show(
    State(console): State<Console>,
    Author { access, .. }: Author,
    Id(id): Id<MediaId>,
) -> Result<Response, Problem> {
    let link = console.publishing.media_link(&access, &id).await?;
    // The link itself works for an hour.
    let cached = [(header::CACHE_CONTROL, "private, max-age=600")];
    Ok((cached, Redirect::temporary(&link)).into_response())
}

/// What an uploaded file is, as an item of the form.
pub(super) async fn item(
    State(console): State<Console>,
    Author { access, .. }: Author,
    Id(id): Id<MediaId>,
) -> Result<Markup, Problem> {
    match console.publishing.media(&access, &id).await {
        Ok(media) => Ok(uploaded(&media.address, Some(&media))),
        // Loading the item succeeded, and this is what it says.
        Err(ActError::Refused(refusal)) => Ok(html! { p.wrong { (refusal.message) } }),
        Err(error) => Err(error.into()),
    }
}

/// An uploaded file in the form, with what is known of it.
pub(super) fn uploaded(address: &str, media: Option<&MediaOut>) -> Markup {
    html! {
        li data-upload-item {
            input type="hidden" name="upload" value=(address);
            @match picture_source(address) {
                Some(source) => img src=(source) alt="";,
                None => span.film { "▶" },
            }
            div {
                @if let Some(media) = media {
                    p { (media.width) " × " (media.height) ", " (size(media.size)) @if let Some(duration) = media.duration { ", " (language::decimal(&format!("{duration:.1}"))) " s" } }
                    @for refusal in media.uses.iter().filter_map(|purpose| Some((words(purpose.purpose)?, purpose.refusal.as_ref()?))) {
                        p.wrong { (refusal.0) ": " (refusal.1) }
                    }
                }
                button type="button" data-upload-earlier { (tr!("moves a picture forward" => "Earlier")) }
                button type="button" data-upload-remove { (tr!("Remove")) }
            }
        }
    }
}

/// The uses that the form offers. Stories are published through the API.
fn words(purpose: MediaUse) -> Option<&'static str> {
    match purpose {
        MediaUse::PagePicture | MediaUse::PageVideo => Some("Facebook"),
        MediaUse::InstagramPicture | MediaUse::InstagramVideo => Some("Instagram"),
        MediaUse::StoryPicture | MediaUse::StoryVideo => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_ours_or_encrypted_is_shown() {
        assert_eq!(picture_source("media:med_1.jpg").as_deref(), Some("/posts/media/med_1"));
        assert_eq!(picture_source("media:med_1.mp4"), None);
        assert_eq!(picture_source("https://cdn.example/1.jpg").as_deref(), Some("https://cdn.example/1.jpg"));
        for other in
            ["http://cdn.example/1.jpg", "https://10.0.0.1/1.jpg", "media:\"onerror=.jpg", "javascript:alert(1)"]
        {
            assert_eq!(picture_source(other), None, "{other}");
        }
    }
}
