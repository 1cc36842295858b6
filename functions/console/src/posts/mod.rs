//! Posts on pages and Instagram accounts: the list, the calendar, the form for new ones, and the life of one post.

mod calendar;
mod composer;
mod detail;
mod draft;
mod failure;
mod history;
mod list;
mod look;
mod upload;

use std::borrow::Cow;

use axum::Router;
use axum::routing::{get, post};
use jiff::Timestamp;
use leadwire::directory::MetaAccess;
use leadwire::error::ActError;
use leadwire::model::publishing::{MediaType, PostKind, PostStatus};
use leadwire::publishing::{PageTarget, PostOut};
use leadwire::tr;
use maud::{Markup, html};

use crate::actor::Author;
use crate::components::{self, Tone, badge};
use crate::form::Submitted;
use crate::layout::PageHead;
use crate::state::Console;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(list::show))
        .route("/calendar", get(calendar::show))
        .route("/new", get(composer::form).post(composer::send))
        .route("/new/preview", post(composer::preview))
        .route("/new/accounts", post(composer::refresh_accounts))
        .route("/new/media", post(upload::begin))
        .route("/new/media/{id}", get(upload::item))
        .route("/media/{id}", get(upload::show))
        .route("/{id}", get(detail::show))
        .route("/{id}/state", get(detail::state))
        .route("/{id}/move", post(detail::move_post))
        .route("/{id}/publish", post(detail::publish))
        .route("/{id}/cancel", post(detail::cancel))
}

/// An author's action through a form.
type AuthorForm = Submitted<Author>;

/// The statuses in the order of a post's life.
const STATUSES: [PostStatus; 6] = [
    PostStatus::Scheduled,
    PostStatus::Queued,
    PostStatus::Publishing,
    PostStatus::Published,
    PostStatus::Failed,
    PostStatus::Cancelled,
];

fn status_name(status: PostStatus) -> Cow<'static, str> {
    match status {
        PostStatus::Scheduled => tr!("Scheduled"),
        PostStatus::Queued => tr!("Queued"),
        PostStatus::Publishing => tr!("Publishing"),
        PostStatus::Published => tr!("Published"),
        PostStatus::Failed => tr!("Failed"),
        PostStatus::Cancelled => tr!("a post" => "Cancelled"),
    }
}

fn status_badge(status: PostStatus) -> Markup {
    let tone = match status {
        PostStatus::Scheduled | PostStatus::Queued | PostStatus::Publishing => Tone::Calm,
        PostStatus::Published => Tone::Good,
        PostStatus::Failed => Tone::Bad,
        PostStatus::Cancelled => Tone::Dim,
    };
    badge(tone, &status_name(status))
}

pub(crate) fn network(kind: PostKind) -> &'static str {
    match kind {
        PostKind::Page => "Facebook",
        PostKind::Instagram => "Instagram",
    }
}

/// The names of the pages and accounts that posts are published on.
struct Places(Vec<PageTarget>);

impl Places {
    async fn load(console: &Console, access: &MetaAccess) -> Result<Self, ActError> {
        Ok(Self(console.rooms.publishing.targets(access).await?))
    }

    /// The name of a post's page or account, or its id if the org has no such connection any more.
    fn name(&self, post: &PostOut) -> String {
        let page = self.0.iter().find(|target| target.page_id == post.page_id);
        match &post.instagram_account_id {
            None => page.map_or_else(|| tr!("Page {id}", id = post.page_id), |target| target.name.clone()),
            Some(id) => {
                let account = page.and_then(|target| target.instagram.as_ref()).filter(|account| account.id == *id);
                let username = account.and_then(|account| account.username.as_ref());
                username.map_or_else(|| tr!("Account {id}", id = id), |username| format!("@{username}"))
            }
        }
    }
}

/// When a post was or is to be published, else when it was written: the time by which lists are sorted.
fn listed_at(post: &PostOut) -> Timestamp {
    post.published_at.or(post.scheduled_at).unwrap_or(post.created_at)
}

/// The beginning of a post's text, or what else it consists of.
pub(crate) fn summary(post: &PostOut) -> String {
    const MAX_CHARS: usize = 80;
    let text = post.message.as_deref().unwrap_or_default().trim();
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > MAX_CHARS {
        words = words.chars().take(MAX_CHARS).chain(['…']).collect();
    }
    if !words.is_empty() {
        return words;
    }
    match (media_summary(post), &post.link) {
        (Some(media), _) => media,
        (None, Some(link)) => link.clone(),
        (None, None) => tr!("Post without text").into_owned(),
    }
}

/// "3 pictures", "1 picture, 1 video".
fn media_summary(post: &PostOut) -> Option<String> {
    let count = |kind| post.media.iter().filter(|media| media.r#type == kind).count();
    let (pictures, videos) = (count(MediaType::Image), count(MediaType::Video));
    let parts = [
        (pictures > 0).then(|| tr!([pictures] "{n} picture" | "{n} pictures")),
        (videos > 0).then(|| tr!([videos] "{n} video" | "{n} videos")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The head of the lists of posts, with the way to a new one.
fn head<'a>(title: &'a str, here: &str) -> PageHead<'a> {
    let acts = html! { a.button.primary href="/posts/new" { (tr!("New post")) } };
    let tabs = components::tabs(title, here, [("/posts", tr!("List")), ("/posts/calendar", tr!("Calendar"))]);
    PageHead::new(title).acts(acts).tabs(tabs)
}

#[cfg(test)]
mod tests {
    use leadwire::ids::{InstagramAccountId, PageId, PostId, UserId};
    use leadwire::model::publishing::Media;
    use leadwire::publishing::InstagramTarget;

    use super::*;

    pub(super) fn post() -> PostOut {
        PostOut {
            id: PostId::parse("post_1").unwrap(),
            kind: PostKind::Page,
            page_id: PageId::parse("7").unwrap(),
            instagram_account_id: None,
            group: None,
            siblings: Vec::new(),
            message: Some("Sale ends Sunday".to_owned()),
            link: None,
            media: Vec::new(),
            media_type: None,
            status: PostStatus::Scheduled,
            reason: None,
            reason_message: None,
            fix: None,
            scheduled_at: Some("2026-12-01T08:00:00Z".parse().unwrap()),
            published_at: None,
            meta_id: None,
            permalink: None,
            created_by: UserId::parse("u").unwrap(),
            created_at: "2026-11-28T00:00:00Z".parse().unwrap(),
            trace: Vec::new(),
        }
    }

    pub(super) fn places() -> Places {
        let instagram = InstagramTarget {
            id: InstagramAccountId::parse("178").unwrap(),
            username: Some("northwind".to_owned()),
            problem: None,
        };
        let page = |id: &str, name: &str| PageTarget {
            page_id: PageId::parse(id).unwrap(),
            name: name.to_owned(),
            problem: None,
            instagram: None,
        };
        let ended = Some("The connection has expired after 60 days. Reconnect.".to_owned());
        Places(vec![
            PageTarget { instagram: Some(instagram), ..page("7", "Northwind") },
            page("8", "Northwind Bergen"),
            PageTarget { problem: ended, ..page("9", "Northwind Oslo") },
        ])
    }

    #[test]
    fn a_post_is_named_by_its_text_or_by_what_it_shows() {
        let image = Media::new(MediaType::Image, "https://cdn.example/1.jpg".to_owned());
        let named = |message: Option<&str>, media: usize, link: Option<&str>| {
            let (message, link) = (message.map(ToOwned::to_owned), link.map(ToOwned::to_owned));
            summary(&PostOut { message, link, media: vec![image.clone(); media], ..post() })
        };
        assert_eq!(named(Some(" Two\n\nlines "), 1, None), "Two lines");
        assert_eq!(named(Some(&"ä".repeat(200)), 0, None), format!("{}…", "ä".repeat(80)));
        assert_eq!(named(Some(" \n"), 3, None), "3 pictures");
        assert_eq!(named(None, 0, Some("https://shop.example/")), "https://shop.example/");
        assert_eq!(named(None, 0, None), "Post without text");
    }

    #[test]
    fn a_place_has_a_name_as_long_as_it_is_connected() {
        let instagram = |id: &str| PostOut { instagram_account_id: InstagramAccountId::parse(id).ok(), ..post() };
        let places = places();
        assert_eq!(places.name(&post()), "Northwind");
        assert_eq!(places.name(&instagram("178")), "@northwind");
        assert_eq!(places.name(&instagram("179")), "Account 179");
        assert_eq!(places.name(&PostOut { page_id: PageId::parse("1").unwrap(), ..post() }), "Page 1");
    }
}
