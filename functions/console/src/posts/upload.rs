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
use leadwire::model::publishing::draft::MAX_IMAGES;
use leadwire::model::publishing::upload::{FileFormat, MediaAddress, MediaUse};
use leadwire::model::web_address::parse_public;
use leadwire::publishing::{MediaIn, MediaOut};
use leadwire::{language, tr};
use maud::{Markup, html};

use super::AuthorForm;
use super::composer::{mistake, mistake_text};
use super::draft::Draft;
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
    Ok(Json(console.rooms.publishing.begin_upload(&author.access, &input).await?).into_response())
}

/// Shows an uploaded file by its own address.
pub(super) async fn show(
    State(console): State<Console>,
    Author { access, .. }: Author,
    Id(id): Id<MediaId>,
) -> Result<Response, Problem> {
    let link = console.rooms.publishing.media_link(&access, &id).await?;
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
    match console.rooms.publishing.media(&access, &id).await {
        Ok(media) => Ok(uploaded(&media.address, Some(&media))),
        // Loading the item succeeded, and this is what it says.
        Err(ActError::Refused(refusal)) => Ok(html! { p.wrong { (refusal.message) } }),
        Err(error) => Err(error.into()),
    }
}

/// Files from the author's computer, and below them addresses on the web, which work without the script.
pub(super) fn media_fields(draft: &Draft, problem: Option<&Problem>) -> Markup {
    let uploaded_pictures = draft.uploaded_pictures();
    // A mistake stands below what it is about: pictures are counted over both.
    let of_upload = |field: &str| match mistake(problem, field)? {
        (_, Some(position)) => Some(position < uploaded_pictures),
        (_, None) => Some(field == "video" && draft.video.trim().is_empty()),
    };
    let field = ["images", "video"].into_iter().find(|field| of_upload(field) == Some(true));
    let wrong = |field: &str| (of_upload(field) == Some(false)).then_some("true");
    let described = |field: &str| wrong(field).map(|_| format!("{field}-mistake"));
    let explain = |field: &str| {
        mistake_text(problem, field, &|position| format!("{}: ", tr!("Picture {number}", number = position + 1)))
    };
    let is_open = ["images", "video"].into_iter().any(|field| of_upload(field) == Some(false));
    let limits = tr!(
        "Up to {pictures} pictures of {megabytes} MB each, or one video of 1 GB. Instagram takes pictures only as JPEG.",
        pictures = MAX_IMAGES,
        megabytes = FileFormat::Jpeg.max_bytes() / 1_000_000
    );
    html! {
        label data-upload="/posts/new/media" hidden {
            (tr!("Pictures, or a video: choose files, or drop them here"))
            input type="file" multiple accept="image/jpeg,image/png,image/gif,image/bmp,image/tiff,video/mp4,video/quicktime"
                aria-invalid=[field.map(|_| "true")] aria-describedby=(field.map_or_else(|| "media-limits".to_owned(), |field| format!("{field}-mistake media-limits")));
        }
        @if let Some(field) = field { (explain(field)) }
        p #media-limits.hint.quiet { (limits) }
        ol.uploads data-uploads aria-live="polite" { @for address in &draft.uploads { (uploaded(address, None)) } }
        details open[is_open || !draft.images.trim().is_empty() || !draft.video.trim().is_empty()] {
            summary { (tr!("Pictures or a video from the web")) }
            label { (tr!("Addresses of pictures, one per line")) textarea name="images" rows="3" inputmode="url" placeholder="https://" aria-invalid=[wrong("images")] aria-describedby=[described("images")] { "\n" (draft.images) } }
            @if wrong("images").is_some() { (explain("images")) }
            label { (tr!("Address of a video, instead of pictures")) input name="video" inputmode="url" value=(draft.video) placeholder="https://" aria-invalid=[wrong("video")] aria-describedby=[described("video")]; }
            @if wrong("video").is_some() { (explain("video")) }
        }
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
                button type="button" data-upload-later { (tr!("moves a picture backward" => "Later")) }
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
