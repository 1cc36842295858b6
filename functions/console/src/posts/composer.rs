//! The form for a new post: one text for many targets.

use std::collections::BTreeMap;
use std::iter;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::ids::PostId;
use leadwire::once::OnceKey;
use leadwire::publishing::{ComposedPosts, PostOut};
use leadwire::tr;
use maud::{Markup, html};

use super::draft::{Draft, account_value, page_value};
use super::look::render_looks;
use super::upload::media_fields;
use super::{AuthorForm, Places};
use crate::actor::Author;
use crate::acts::Showing;
use crate::components::{Tone, alert, csrf_field, empty, with_markup};
use crate::flash::redirect_with;
use crate::form::new_request_id;
use crate::layout::{Section, page};
use crate::messages;
use crate::request::wants_fragment;
use crate::session::Visitor;
use crate::state::Console;
use crate::zone::Zone;

/// What is shown above the form.
enum Notice {
    None,
    Done(String),
    Refused(Problem),
}

pub(super) async fn form(
    State(console): State<Console>,
    Author { visitor, access }: Author,
    zone: Zone,
    Query(query): Query<BTreeMap<String, String>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let places = Places::load(&console, &access).await?;
    let copied: Option<PostOut> = match query.get("copy").and_then(|id| PostId::parse(id).ok()) {
        Some(id) => Some(console.rooms.publishing.post(&access, &id).await?),
        None => None,
    };
    let draft = match copied {
        Some(post) => Draft::copy(&post, zone),
        None => Draft::new(zone, query.get("day").and_then(|day| day.parse().ok())),
    };
    Ok(render(&visitor, jar, &draft, &places, &Notice::None))
}

pub(super) async fn send(AuthorForm { console, actor: author, jar, fields }: AuthorForm) -> Result<Response, Problem> {
    let Author { visitor, access } = author;
    let draft = Draft::submitted(&fields);
    let compose = async {
        let input = draft.input()?;
        let once = OnceKey::new("write-posts", "request_id", &draft.request_id, &input)?;
        Ok::<_, Problem>(console.rooms.publishing.compose(&access, input, Some(once)).await?)
    };
    match compose.await {
        Ok(posts) => {
            let path = posts.items.first().map_or("/posts".to_owned(), |post| format!("/posts/{}", post.post_id));
            Ok(redirect_with(&path, jar, Ok(sent_message(&draft, &posts))))
        }
        Err(problem) => {
            let places = Places::load(&console, &access).await?;
            // The next attempt is another request on purpose: its author has read that this one was carried out.
            let is_reused = problem.code.is(ErrorCode::RequestReused);
            let request_id = if is_reused { new_request_id() } else { draft.request_id.clone() };
            let page =
                render(&visitor, jar, &Draft { request_id, ..draft }, &places, &Notice::Refused(problem.clone()));
            Ok(page.showing(Some(&problem)))
        }
    }
}

fn sent_message(draft: &Draft, posts: &ComposedPosts) -> String {
    let number = posts.items.len();
    match draft.scheduled_at() {
        Ok(Some(at)) => {
            let time = draft.zone.in_words(at);
            tr!([number] "{n} post scheduled for {time}." | "{n} posts scheduled for {time}.", time = time)
        }
        _ => tr!([number] "{n} post is being published." | "{n} posts are being published."),
    }
}

/// Shows how the draft looks: to the script as a fragment, otherwise as the whole form.
pub(super) async fn preview(
    headers: HeaderMap,
    AuthorForm { console, actor: author, jar, fields }: AuthorForm,
) -> Result<Response, Problem> {
    let draft = Draft::submitted(&fields);
    let places = Places::load(&console, &author.access).await?;
    if wants_fragment(&headers) {
        return Ok(render_looks(&draft, &places).into_response());
    }
    Ok(render(&author.visitor, jar, &draft, &places, &Notice::None))
}

/// Asks Meta for the Instagram accounts, and shows the form with them.
pub(super) async fn refresh_accounts(
    AuthorForm { console, actor: author, jar, fields }: AuthorForm,
) -> Result<Response, Problem> {
    let notice = match console.rooms.publishing.refresh_accounts(&author.access).await {
        Ok(refreshed) => {
            let found = tr!([refreshed.found] "{n} Instagram account found." | "{n} Instagram accounts found.");
            Notice::Done(match refreshed.failed {
                0 => found,
                failed => {
                    let failed =
                        tr!([failed] "Meta did not answer for {n} page." | "Meta did not answer for {n} pages.");
                    format!("{found} {failed}")
                }
            })
        }
        Err(error) => Notice::Refused(error.into()),
    };
    let places = Places::load(&console, &author.access).await?;
    let page = render(&author.visitor, jar, &Draft::submitted(&fields), &places, &notice);
    Ok(page.showing(match &notice {
        Notice::Refused(problem) => Some(problem),
        Notice::None | Notice::Done(_) => None,
    }))
}

fn render(visitor: &Visitor, jar: PrivateCookieJar, draft: &Draft, places: &Places, notice: &Notice) -> Response {
    let body = html! {
        @if places.0.is_empty() {
            (empty(&tr!("No page to publish on"), html! {
                @if visitor.is_admin() {
                    @let connect = html! { a href="/integrations" { (tr!("begins a sentence" => "Connect Facebook")) } };
                    (with_markup(&tr!("{connect} to publish on your pages and Instagram accounts."), &[("connect", connect)]))
                } @else { (tr!("Ask an admin to connect Facebook.")) }
            }))
        } @else {
            (composer(visitor, draft, places, notice))
            (draft.zone.note())
        }
    };
    page(visitor, jar, Section::Posts, &tr!("New post"), &body)
}

fn composer(visitor: &Visitor, draft: &Draft, places: &Places, notice: &Notice) -> Markup {
    let problem = match notice {
        Notice::Refused(problem) => Some(problem),
        _ => None,
    };
    let wrong = |field: &str| mistake(problem, field).map(|_| "true");
    let described = |field: &str| mistake(problem, field).map(|_| format!("{field}-mistake"));
    html! {
        form.columns method="post" action="/posts/new#refused" data-preview="/posts/new/preview" {
            div.card {
                // The first button is what the enter key presses. It must not publish.
                button.hidden formaction="/posts/new/preview" formnovalidate tabindex="-1" aria-hidden="true" { (tr!("Preview")) }
                (csrf_field(visitor))
                input type="hidden" name="request_id" value=(draft.request_id);
                input type="hidden" name="zone" value=(draft.zone.name());
                (outcome(notice))
                fieldset aria-invalid=[wrong("targets")] aria-describedby=[described("targets")] {
                    legend { (tr!("Publish on")) }
                    (boxes(draft, places))
                    (mistake_text(problem, "targets", &|position| chosen_name(draft, places, position)))
                    button formaction="/posts/new/accounts" formnovalidate { (tr!("Look for Instagram accounts")) }
                }
                label { (tr!("Text")) textarea name="message" rows="8" aria-invalid=[wrong("message")] aria-describedby=[described("message")] { "\n" (draft.message) } }
                (mistake_text(problem, "message", &|_| String::new()))
                label { (tr!("Link")) input name="link" inputmode="url" value=(draft.link) placeholder="https://" aria-invalid=[wrong("link")] aria-describedby=[described("link")]; }
                (mistake_text(problem, "link", &|_| String::new()))
                (media_fields(draft, problem))
                fieldset aria-invalid=[wrong("scheduled_at")] aria-describedby=[described("scheduled_at")] {
                    legend { (tr!("When")) }
                    label.tick { input type="radio" name="when" value="now" checked[!draft.is_later]; (tr!("Now")) }
                    label.tick { input type="radio" name="when" value="later" checked[draft.is_later]; (tr!("At a specific time")) }
                    div.at {
                        label { (tr!("Day and time ({zone})", zone = draft.zone.name())) input type="datetime-local" name="at" value=(draft.at); }
                        (mistake_text(problem, "scheduled_at", &|_| String::new()))
                        p.quiet { (tr!("10 minutes to 30 days ahead.")) }
                    }
                }
                div.acts {
                    button.primary { (tr!("Publish")) }
                    button formaction="/posts/new/preview" formnovalidate { (tr!("Preview")) }
                    a.button href="/posts" { (tr!("Cancel")) }
                }
            }
            aside aria-label=(tr!("Preview")) {
                h2 { (tr!("Preview")) }
                div data-preview-place { (render_looks(draft, places)) }
            }
        }
    }
}

fn outcome(notice: &Notice) -> Markup {
    html! {
        @match notice {
            Notice::None => {}
            Notice::Done(text) => (alert(Tone::Good, html! { (text) })),
            // The form submits to this anchor, so that the problem is in view afterwards.
            Notice::Refused(problem) => div #refused { (alert(Tone::Bad, html! {
                @if let Some(field) = FIELDS.iter().find(|field| mistake(Some(problem), field).is_some()) {
                    p { (tr!("Nothing was published. Correct the marked field, and publish again.")) }
                    p.fix { a href={ "#" (field) "-mistake" } { (messages::text(problem)) } }
                } @else { (messages::text(problem)) }
            })) },
        }
    }
}

/// The boxes of pages and their Instagram accounts. Below them stands what cannot be published on, by the reason.
fn boxes(draft: &Draft, places: &Places) -> Markup {
    let (mut offered, mut refused) = (Vec::new(), BTreeMap::<&str, Vec<Markup>>::new());
    for target in &places.0 {
        let page = (page_value(target), target.name.clone(), "Facebook", &target.problem);
        let account = target.instagram.as_ref().map(|account| {
            let name = account.username.as_ref().map(|name| format!("@{name}"));
            let name = name.unwrap_or_else(|| tr!("Account {id}", id = account.id));
            (account_value(&account.id), name, "Instagram", &account.problem)
        });
        for (value, name, network, problem) in iter::once(page).chain(account) {
            let tick = html! {
                label.tick {
                    input type="checkbox" name="target" value=(value) checked[draft.has(&value) && problem.is_none()] disabled[problem.is_some()];
                    span { (name) " " span.quiet { (network) } }
                }
            };
            match problem {
                None => offered.push(tick),
                Some(problem) => refused.entry(problem).or_default().push(tick),
            }
        }
    }
    html! {
        @for tick in &offered { (tick) }
        @for (problem, ticks) in &refused {
            div.blocked role="group" aria-label=(problem) { p.quiet { b { (problem) } } @for tick in ticks { (tick) } }
        }
    }
}

/// The fields beside which a problem can be shown.
const FIELDS: [&str; 6] = ["targets", "message", "link", "images", "video", "scheduled_at"];

/// The problem with a field or with one of its items, and the item's position.
pub(super) fn mistake<'p>(problem: Option<&'p Problem>, field: &str) -> Option<(&'p Problem, Option<usize>)> {
    let problem = problem?;
    let rest = problem.field.as_deref()?.strip_prefix(field)?;
    let position =
        rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).and_then(|position| position.parse().ok());
    (rest.is_empty() || position.is_some()).then_some((problem, position))
}

/// The problem with a field as a sentence below it. `name` names an item of the field.
pub(super) fn mistake_text(problem: Option<&Problem>, field: &str, name: &dyn Fn(usize) -> String) -> Markup {
    html! {
        @if let Some((problem, position)) = mistake(problem, field) {
            p.wrong id={ (field) "-mistake" } { (position.map(name).unwrap_or_default()) (messages::text(problem)) }
        }
    }
}

/// The name of a ticked target.
fn chosen_name(draft: &Draft, places: &Places, position: usize) -> String {
    let Some(value) = draft.targets.get(position) else { return String::new() };
    let name = places.0.iter().find_map(|target| {
        let account = target.instagram.as_ref().filter(|account| account_value(&account.id) == *value);
        let username = account.and_then(|account| account.username.as_ref()).map(|username| format!("@{username}"));
        username.or_else(|| (page_value(target) == *value).then(|| target.name.clone()))
    });
    name.map(|name| format!("{name}: ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use leadwire::model::caller::Role;

    use super::super::tests::places;
    use super::*;
    use crate::session::tests::visitor;

    fn draft() -> Draft {
        Draft {
            targets: vec!["page:7".to_owned(), "instagram:178".to_owned()],
            message: "\nSale <now>".to_owned(),
            link: "https://shop.example/".to_owned(),
            images: "https://cdn.example/1.jpg\nhttps://cdn.example/2.png".to_owned(),
            video: "https://cdn.example/3.mp4".to_owned(),
            is_later: true,
            at: "2026-12-01T09:00".to_owned(),
            ..Draft::new(Zone::parse("Europe/Berlin"), None)
        }
    }

    fn page_after(notice: &Notice) -> String {
        composer(&visitor(Role::Admin, &[]), &draft(), &places(), notice).into_string()
    }

    #[test]
    fn what_was_typed_is_still_there_after_a_mistake() {
        let draft = draft();
        let problem = Problem::field("images[1]", ErrorCode::MediaInvalid, "A picture in the format JPEG.");
        let page = page_after(&Notice::Refused(problem));
        for kept in [
            "\n\nSale &lt;now&gt;</textarea>",
            "value=\"https://shop.example/\"",
            "https://cdn.example/1.jpg\nhttps://cdn.example/2.png</textarea>",
            "value=\"https://cdn.example/3.mp4\"",
            "value=\"later\" checked",
            "value=\"2026-12-01T09:00\"",
            "name=\"zone\" value=\"Europe/Berlin\"",
            "value=\"page:7\" checked",
            "value=\"instagram:178\" checked",
        ] {
            assert!(page.contains(kept), "{kept}: {page}");
        }
        assert!(!page.contains("value=\"page:8\" checked"), "{page}");
        // Sent again, it is still the same request.
        let request_id = draft.request_id.clone();
        let again = composer(&visitor(Role::Admin, &[]), &draft, &places(), &Notice::None).into_string();
        assert!(again.contains(&format!("name=\"request_id\" value=\"{request_id}\"")));
    }

    #[test]
    fn a_mistake_stands_beside_its_field_and_names_the_item() {
        let check = |field: &str, id: &str, text: &str| {
            let page = page_after(&Notice::Refused(Problem::field(field, ErrorCode::MediaInvalid, "Wrong.")));
            assert!(page.contains(&format!("id=\"{id}-mistake\">{text}</p>")), "{field}: {page}");
            assert!(page.contains(&format!("aria-describedby=\"{id}-mistake\"")), "{field}: {page}");
            assert_eq!(page.matches("aria-invalid").count(), 1, "{field}");
        };
        check("images[1]", "images", "Picture 2: Wrong.");
        check("targets[0]", "targets", "Northwind: Wrong.");
        check("targets[1]", "targets", "@northwind: Wrong.");
        check("message", "message", "Wrong.");
        check("scheduled_at", "scheduled_at", "Wrong.");
        let page = page_after(&Notice::Refused(Problem::new(ErrorCode::MetaThrottled, "Try again later.")));
        assert!(page.contains("Try again later.") && !page.contains("aria-invalid"), "{page}");
    }

    #[test]
    fn a_mistake_of_an_uploaded_picture_stands_below_the_uploads() {
        let uploads = ["media:med_1.mp4", "media:med_2.png"].map(ToOwned::to_owned).to_vec();
        let draft = Draft { uploads, video: String::new(), ..draft() };
        let place = |field: &str| {
            let notice = Notice::Refused(Problem::field(field, ErrorCode::MediaInvalid, "Wrong."));
            let page = composer(&visitor(Role::Admin, &[]), &draft, &places(), &notice).into_string();
            let mistake = "class=\"wrong\" id=";
            assert_eq!((page.matches("aria-invalid").count(), page.matches(mistake).count()), (1, 1), "{page}");
            page.find(mistake) < page.find("<ol")
        };
        assert!(place("images[0]") && place("video"), "the picture and the video that were uploaded");
        assert!(!place("images[1]"), "the first address");
    }

    #[test]
    fn the_enter_key_publishes_nothing() {
        let page = page_after(&Notice::None);
        let (_, first) = page.split_once("<button").unwrap();
        assert!(first.split('>').next().unwrap().contains("formaction=\"/posts/new/preview\""), "{first}");
    }

    #[test]
    fn what_cannot_be_published_on_says_why() {
        let page = page_after(&Notice::None);
        let (_, oslo) = page.split_once("value=\"page:9\"").unwrap();
        assert!(oslo.starts_with(" disabled"), "{page}");
        assert!(page.contains("The connection has expired after 60 days."), "{page}");
    }
}
