//! One post: what it says, how far it is, why it failed, what can still be changed, and everything that happened to it.

use std::borrow::Cow;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::PostId;
use leadwire::model::publishing::upload::MediaAddress;
use leadwire::model::publishing::{InstagramFormat, Media, MediaStatus, MediaType, PostStatus};
use leadwire::publishing::{PostChangeIn, PostOut};
use leadwire::{language, tr};
use maud::{Markup, html};

use super::history::timeline;
use super::upload::picture_source;
use super::{AuthorForm, Places, failure, network, status_badge, summary};
use crate::actor::Author;
use crate::acts::Showing;
use crate::components::{
    Confirm, Confirming, Tone, alert, badge, csrf_field, live_fragment, problem_alert, prose, refresh_in, time,
};
use crate::flash::redirect_with;
use crate::layout::{Section, fragment_or_page, page};
use crate::session::Visitor;
use crate::state::Console;
use crate::zone::Zone;

/// What is shown of a post, and to whom.
struct Life<'a> {
    visitor: &'a Visitor,
    post: &'a PostOut,
    /// The posts that were written together with it.
    siblings: &'a [PostOut],
    places: &'a Places,
    zone: &'a Zone,
    /// The dialog to show as open.
    confirm: &'a str,
    /// A time that was refused, and why.
    refused: Option<(&'a str, &'a Problem)>,
    now: Timestamp,
}

pub(super) async fn show(
    State(console): State<Console>,
    author: Author,
    Id(id): Id<PostId>,
    zone: Zone,
    Query(query): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let (title, part) = life(&console, &author, &id, &zone, &query.confirm, None).await?;
    let body = html! { (live_fragment(&format!("/posts/{id}/state"), &part)) (zone.note()) };
    Ok(page(&author.visitor, jar, Section::Posts, &title, &body))
}

/// The same as a fragment, which the script loads again until nothing more happens by itself.
pub(super) async fn state(
    State(console): State<Console>,
    author: Author,
    Id(id): Id<PostId>,
    zone: Zone,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let (title, part) = life(&console, &author, &id, &zone, "", None).await?;
    Ok(fragment_or_page(&headers, &author.visitor, jar, (Section::Posts, &title), &part))
}

/// The title of the page, and the page.
async fn life(
    console: &Console,
    Author { visitor, access }: &Author,
    id: &PostId,
    zone: &Zone,
    confirm: &str,
    refused: Option<(&str, &Problem)>,
) -> Result<(String, Markup), Problem> {
    let post = console.rooms.publishing.post(access, id).await?;
    let (siblings, places) =
        tokio::try_join!(console.rooms.publishing.siblings(access, &post), Places::load(console, access))?;
    let now = leadwire::clock::now();
    let life = Life { visitor, post: &post, siblings: &siblings, places: &places, zone, confirm, refused, now };
    Ok((summary(&post), life.render()))
}

impl Life<'_> {
    fn render(&self) -> Markup {
        let post = self.post;
        html! {
            @if let Some(seconds) = self.next_look() { (refresh_in(seconds)) }
            div.columns {
                div {
                    section.card { (self.facts()) }
                    @if let Some(why) = failure::explain(post) { (self.failure(&why)) }
                    section.card { (content(post)) }
                }
                aside {
                    section.card { (self.acts()) }
                    @if !self.siblings.is_empty() { section.card { h2 { (tr!("From the same draft")) } (self.together()) } }
                }
            }
            section { h2 { (tr!("History")) } (timeline(&post.trace)) }
        }
    }

    /// When to look again: soon while a worker is at it, and not while what is typed here would be lost.
    fn next_look(&self) -> Option<u32> {
        let is_due = self.post.scheduled_at.is_some_and(|at| at < self.now + SignedDuration::from_mins(1));
        let is_moving = |post: &PostOut| matches!(post.status, PostStatus::Queued | PostStatus::Publishing);
        let moves = is_moving(self.post)
            || self.post.status == PostStatus::Scheduled && is_due
            || self.post.status.is_final() && self.siblings.iter().any(is_moving);
        (moves && self.refused.is_none()).then_some(2)
    }

    fn facts(&self) -> Markup {
        let post = self.post;
        html! {
            dl.rows {
                div { dt { (tr!("Status")) } dd { (status_badge(post.status)) } }
                div { dt { (tr!("published on a page" => "Page or account")) } dd { (self.places.name(post)) " " span.quiet { (network(post.kind)) @if let Some(format) = post.media_type { ", " (form_name(format)) } } } }
                @if let Some(at) = post.scheduled_at { div { dt { (tr!("Scheduled for")) } dd { (time(at)) } } }
                @if let Some(at) = post.published_at { div { dt { (tr!("Published")) } dd { (time(at)) } } }
                div { dt { (tr!("Written")) } dd { (time(post.created_at)) } }
                @if let Some(link) = post.permalink.as_deref().filter(|link| link.starts_with("https://")) {
                    div { dt { (tr!("Address")) } dd.address { a href=(link) rel="noreferrer" { (link) } } }
                }
            }
        }
    }

    fn failure(&self, why: &str) -> Markup {
        let changes = self.post.reason.is_some_and(failure::needs_change);
        html! {
            (alert(Tone::Bad, html! {
                p { b { (tr!("Not published.")) " " } (prose(why)) }
                @if let Some(fix) = &self.post.fix { p.fix { b { (tr!("What to do:")) " " } (language::translate(fix)) } }
                form.acts method="post" action={ "/posts/" (self.post.id) "/publish" } {
                    (csrf_field(self.visitor))
                    @if changes { a.button.primary href={ "/posts/new?copy=" (self.post.id) } { (tr!("Edit as new post")) } }
                    button.primary[!changes] { (tr!("Publish again")) }
                    @if !changes { a.button href={ "/posts/new?copy=" (self.post.id) } { (tr!("Edit as new post")) } }
                }
                @if let Some(words) = failure::technical_words(self.post) {
                    details.quiet { summary { (tr!("Meta's error message")) } (words) }
                }
            }))
        }
    }

    /// What can still be done with it.
    fn acts(&self) -> Markup {
        let post = self.post;
        let cancel = Confirm {
            id: "cancel",
            label: &tr!("Cancel this post"),
            question: &tr!("Cancel this post?"),
            action: &format!("/posts/{}/cancel", post.id),
            act: &tr!("Cancel the post"),
            open: self.confirm == "cancel",
            sends: None,
        };
        html! {
            @match post.status {
                PostStatus::Scheduled | PostStatus::Queued => {
                    @if post.status == PostStatus::Scheduled { (self.move_form(&tr!("Reschedule"))) (self.publish_form(&tr!("Publish now"))) }
                    (cancel.show(self.visitor, html! { p { (tr!("The post will not be published. It stays in the list, and you can still publish it later.")) } }))
                }
                PostStatus::Failed | PostStatus::Cancelled => {
                    (self.move_form(&tr!("Publish at this time")))
                    @if post.status == PostStatus::Cancelled { (self.publish_form(&tr!("Publish now"))) }
                }
                PostStatus::Publishing => { p.waiting { span.spinner aria-hidden="true" {} (tr!("Meta is publishing it. It cannot be changed any more.")) } }
                PostStatus::Published => { p.quiet { (tr!("It is public. To change or delete it, open it at Meta.")) } }
            }
            @if post.status != PostStatus::Failed { p { a.button href={ "/posts/new?copy=" (post.id) } { (tr!("Duplicate")) } } }
        }
    }

    fn move_form(&self, act: &str) -> Markup {
        let (value, problem) = match self.refused {
            Some((typed, problem)) => (typed.to_owned(), Some(problem)),
            None => (self.post.scheduled_at.map(|at| self.zone.field_value(at)).unwrap_or_default(), None),
        };
        html! {
            form method="post" action={ "/posts/" (self.post.id) "/move#refused" } {
                (csrf_field(self.visitor))
                input type="hidden" name="zone" value=(self.zone.name());
                label {
                    (tr!("Day and time ({zone})", zone = self.zone.name()))
                    input type="datetime-local" name="at" value=(value) required aria-invalid=[problem.map(|_| "true")];
                }
                (problem_alert(problem))
                p.acts { button { (act) } }
            }
        }
    }

    fn publish_form(&self, act: &str) -> Markup {
        html! {
            form method="post" action={ "/posts/" (self.post.id) "/publish" } { (csrf_field(self.visitor)) p.acts { button { (act) } } }
        }
    }

    fn together(&self) -> Markup {
        html! {
            ul.plain {
                @for post in self.siblings {
                    li {
                        a href={ "/posts/" (post.id) } { (self.places.name(post)) } " " span.quiet { (network(post.kind)) } " " (status_badge(post.status))
                        @if let Some(why) = failure::explain(post) { div.quiet { (why) } }
                    }
                }
            }
        }
    }
}

fn form_name(format: InstagramFormat) -> Cow<'static, str> {
    match format {
        InstagramFormat::Image => tr!("picture"),
        InstagramFormat::Reel => tr!("reel"),
        InstagramFormat::Story => tr!("story"),
        InstagramFormat::Carousel => tr!("carousel"),
    }
}

fn content(post: &PostOut) -> Markup {
    html! {
        h2 { (tr!("Content")) }
        @match &post.message { Some(text) => p.text { (text) }, None => p.quiet { (tr!("No text.")) } }
        @if let Some(link) = &post.link { p.address { (tr!("Link: {link}", link = link)) } }
        @if !post.media.is_empty() {
            ol.media { @for media in &post.media { (medium(media)) } }
        }
    }
}

fn medium(media: &Media) -> Markup {
    html! {
        li {
            @if let Some(source) = picture_source(&media.url).filter(|_| media.r#type == MediaType::Image) { img src=(source) alt="" loading="lazy" referrerpolicy="no-referrer"; }
            span.address {
                @if !MediaAddress::is_one(&media.url) { (media.url) }
                @else if media.r#type == MediaType::Video { (tr!("Uploaded video")) }
                @else { (tr!("Uploaded picture")) }
            }
            " " @match media.status {
                MediaStatus::Waiting => (badge(Tone::Dim, &tr!("Not at Meta yet"))),
                MediaStatus::Processing => (badge(Tone::Calm, &tr!("Processing at Meta"))),
                MediaStatus::Ready => (badge(Tone::Good, &tr!("Ready"))),
                MediaStatus::Failed => (badge(Tone::Bad, &tr!("Refused"))),
            }
        }
    }
}

/// Moves a post to another time. Also publishes one that failed or was cancelled, at that time.
pub(super) async fn move_post(
    Id(id): Id<PostId>,
    AuthorForm { console, actor: author, jar, fields }: AuthorForm,
) -> Result<Response, Problem> {
    let zone = Zone::parse(fields.get("zone").unwrap_or("UTC"));
    let typed = fields.text("at");
    let change = async {
        let unreadable = || Problem::field("scheduled_at", ErrorCode::TimeNotAllowed, tr!("Choose a day and a time."));
        let at = zone.parse_time(&typed).ok_or_else(unreadable)?;
        console.rooms.publishing.move_post(&author.access, &id, &PostChangeIn { scheduled_at: Some(at) }).await?;
        Ok::<_, Problem>(tr!("Scheduled for {time}.", time = zone.in_words(at)))
    };
    match change.await {
        Err(problem) if problem.field.is_some() => {
            let (title, part) = life(&console, &author, &id, &zone, "", Some((&typed, &problem))).await?;
            Ok(page(&author.visitor, jar, Section::Posts, &title, &part).showing(Some(&problem)))
        }
        outcome => Ok(redirect_with(&format!("/posts/{id}"), jar, outcome)),
    }
}

/// Publishes a post now: before its time, or again after it failed or was cancelled.
pub(super) async fn publish(
    Id(id): Id<PostId>,
    AuthorForm { console, actor: author, jar, .. }: AuthorForm,
) -> Response {
    let published = console.rooms.publishing.move_post(&author.access, &id, &PostChangeIn { scheduled_at: None }).await;
    let outcome = published.map_err(Problem::from).map(|_| tr!("The post is being published.").into_owned());
    redirect_with(&format!("/posts/{id}"), jar, outcome)
}

pub(super) async fn cancel(Id(id): Id<PostId>, AuthorForm { console, actor: author, jar, .. }: AuthorForm) -> Response {
    let cancelled = console.rooms.publishing.cancel_post(&author.access, &id).await;
    redirect_with(
        &format!("/posts/{id}"),
        jar,
        cancelled.map_err(Problem::from).map(|_| tr!("The post is cancelled.").into_owned()),
    )
}

#[cfg(test)]
mod tests {
    use leadwire::model::caller::Role;
    use leadwire::model::publishing::failure::PostFailureCode;

    use super::super::tests::{places, post};
    use super::*;
    use crate::session::tests::visitor;

    fn shown(post: &PostOut, siblings: &[PostOut], refused: Option<(&str, &Problem)>) -> String {
        let (visitor, places, zone) = (visitor(Role::Admin, &[]), places(), Zone::parse("Europe/Berlin"));
        let now = "2026-11-28T00:00:00Z".parse().unwrap();
        let life = Life { visitor: &visitor, post, siblings, places: &places, zone: &zone, confirm: "", refused, now };
        life.render().into_string()
    }

    #[test]
    fn a_failed_post_says_what_to_do_and_offers_to_publish_it_again() {
        let failed = PostOut {
            status: PostStatus::Failed,
            reason: Some(PostFailureCode::MediaRefused),
            reason_message: Some("Picture 2 of 3 (https://cdn.example/2.jpg): too large.".to_owned()),
            fix: Some("Replace the file.".to_owned()),
            ..post()
        };
        let page = shown(&failed, &[], None);
        for words in
            ["Picture 2 of 3", "What to do: ", "Replace the file.", "/posts/post_1/publish", "/posts/new?copy=post_1"]
        {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains("/cancel") && !page.contains("data-again-in"), "{page}");
    }

    #[test]
    fn only_what_can_be_done_is_offered() {
        let acts = |status| {
            let page = shown(&PostOut { status, ..post() }, &[], None);
            ["/move", "/publish", "/cancel"].map(|act| page.contains(&format!("/posts/post_1{act}")))
        };
        assert_eq!(acts(PostStatus::Scheduled), [true, true, true]);
        assert_eq!(acts(PostStatus::Queued), [false, false, true]);
        assert_eq!(acts(PostStatus::Publishing), [false, false, false]);
        assert_eq!(acts(PostStatus::Published), [false, false, false]);
        assert_eq!(acts(PostStatus::Cancelled), [true, true, false]);
    }

    #[test]
    fn a_post_is_watched_while_something_happens_to_it() {
        let watched = |post: PostOut, siblings: &[PostOut]| shown(&post, siblings, None).contains("data-again-in");
        let with = |status| PostOut { status, ..post() };
        assert!(watched(with(PostStatus::Queued), &[]) && watched(with(PostStatus::Publishing), &[]));
        assert!(!watched(post(), &[]), "its time is days away, and a new one may be typed in");
        assert!(watched(PostOut { scheduled_at: "2026-11-28T00:00:30Z".parse().ok(), ..post() }, &[]));
        assert!(watched(with(PostStatus::Published), &[with(PostStatus::Publishing)]));
        assert!(!watched(with(PostStatus::Published), &[with(PostStatus::Failed)]));
    }

    #[test]
    fn a_refused_time_is_still_there() {
        let problem = Problem::field("scheduled_at", ErrorCode::TimeNotAllowed, "A time at least 10 minutes ahead.");
        let page = shown(&post(), &[], Some(("2026-11-28T01:05", &problem)));
        assert!(page.contains("value=\"2026-11-28T01:05\"") && page.contains("at least 10 minutes ahead"), "{page}");
        assert!(
            shown(&post(), &[], None).contains("value=\"2026-12-01T09:00\""),
            "else its own, in the zone of the reader"
        );
    }

    #[test]
    fn an_address_that_is_none_is_no_link() {
        let page = shown(&PostOut { permalink: Some("javascript:alert(1)".to_owned()), ..post() }, &[], None);
        assert!(!page.contains("javascript:"), "{page}");
    }
}
