//! The frame of every page: its head, the logged-in user, and the outcome of the last action.

use std::borrow::Cow;

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use http::{HeaderMap, HeaderValue, header};
use leadwire::error::ErrorCode;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::IntegrationId;
use leadwire::model::org::Permission;
use leadwire::tr;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use url::Url;

use crate::assets;
use crate::components::{self, Tone, with_markup};
use crate::flash::Flash;
use crate::language;
use crate::messages;
pub(crate) use crate::navigation::Section;
use crate::navigation::{crumbs, navigation};
use crate::request::wants_fragment;
use crate::session::Visitor;

/// What stands above a page: its heading, what there is to know, what can be done, and the tabs beside each other.
pub(crate) struct PageHead<'a> {
    heading: &'a str,
    /// The title in the browser.
    title: Cow<'a, str>,
    about: Markup,
    acts: Markup,
    tabs: Markup,
    /// The name and the path of the page above, if that is not the section's first.
    above: Option<(Cow<'a, str>, &'a str)>,
}

impl<'a, T: AsRef<str> + ?Sized> From<&'a T> for PageHead<'a> {
    fn from(heading: &'a T) -> Self {
        Self::new(heading.as_ref())
    }
}

impl<'a> PageHead<'a> {
    pub(crate) fn new(heading: &'a str) -> Self {
        Self { heading, title: Cow::Borrowed(heading), about: html! {}, acts: html! {}, tabs: html! {}, above: None }
    }

    /// The head of one of several pages with the same heading, whose own name only the browser's title has.
    pub(crate) fn of_part(self, name: &str) -> Self {
        Self { title: format!("{name} · {}", self.heading).into(), ..self }
    }

    /// Below a page that is not the first of its section.
    pub(crate) fn below(self, name: Cow<'a, str>, path: &'a str) -> Self {
        Self { above: Some((name, path)), ..self }
    }

    /// A line below the heading.
    pub(crate) fn about(self, about: Markup) -> Self {
        Self { about, ..self }
    }

    /// What can be done, beside the heading. The primary act is the last one.
    pub(crate) fn acts(self, acts: Markup) -> Self {
        Self { acts, ..self }
    }

    pub(crate) fn tabs(self, tabs: Markup) -> Self {
        Self { tabs, ..self }
    }

    pub(crate) fn show(&self) -> Markup {
        html! {
            header.page-head {
                div { h1 { (self.heading) } @if !self.about.0.is_empty() { p { (self.about) } } }
                @if !self.acts.0.is_empty() { div.acts { (self.acts) } }
            }
            (self.tabs)
        }
    }
}

/// A page in its frame. Shows the pending flash and clears it.
pub(crate) fn page<'a>(
    visitor: &Visitor,
    jar: PrivateCookieJar,
    section: Section,
    head: impl Into<PageHead<'a>>,
    body: &Markup,
) -> Response {
    let jar = if visitor.flash.is_some() { Flash::clear(jar) } else { jar };
    (jar, framed(visitor, section, &head.into(), body)).into_response()
}

/// A fragment: as such for our script, otherwise as a page of its own.
pub(crate) fn fragment_or_page(
    headers: &HeaderMap,
    visitor: &Visitor,
    jar: PrivateCookieJar,
    (section, title): (Section, &str),
    part: &Markup,
) -> Response {
    if wants_fragment(headers) { part.clone().into_response() } else { page(visitor, jar, section, title, part) }
}

/// A page that shows a problem, with the problem's own text.
pub(crate) fn problem_page(visitor: Option<&Visitor>, problem: &Problem, was_read: bool) -> Markup {
    let is_unknown_org = visitor.is_some_and(|visitor| visitor.org.is_none());
    let (title, advice) = match problem.code {
        ProblemCode::Act(ErrorCode::MetaNotInPlan) if is_unknown_org => (tr!("Your org is not set up yet"), None),
        ProblemCode::Act(ErrorCode::MetaNotInPlan) => (tr!("Upgrade to connect Meta"), None),
        ProblemCode::NoSuchPage | ProblemCode::Act(ErrorCode::NotFound) => (tr!("Not found"), None),
        ProblemCode::SessionEnded | ProblemCode::LoginFailed => (tr!("Please log in"), None),
        _ if problem.status == 403 => (tr!("Not allowed"), None),
        _ if problem.status >= 500 && was_read => {
            (tr!("Not available at the moment"), Some(tr!("Nothing was lost. Reload the page in a minute.")))
        }
        _ if problem.status >= 500 => (
            tr!("Not available at the moment"),
            Some(tr!("Your change may have been saved: check before you try again.")),
        ),
        _ => (tr!("This did not work"), None),
    };
    let body = html! {
        div.card.narrow {
            @if problem.code.is(ErrorCode::MetaNotInPlan) && is_unknown_org {
                p { (tr!("Your CRM has not set up your org in Leadwire yet. Ask the person who runs the CRM to do this, then reload this page.")) }
                p { a.button href="/" { (tr!("Reload")) } }
            } @else if problem.code.is(ErrorCode::MetaNotInPlan) {
                p { (tr!("Your plan does not include the Meta integration yet. With it, leads from Facebook and Instagram arrive here within seconds, assigned to your team, and you see what your ads cost and achieve.")) }
                p { (with_markup(&tr!("Ask the person who manages your CRM's plan to add {feature}, then reload this page."), &[("feature", html! { b { "Meta" } })])) }
                p { a.button href="/" { (tr!("Reload")) } }
            } @else {
                p { (messages::text(problem)) }
                @if let Some(advice) = advice { p { (advice) } }
                @if problem.status != 404 { p.quiet { (tr!("Code:")) " " code { (problem.code.name()) } } }
                p {
                    @if visitor.is_some() { a.button href="/" { (tr!("Go to the start page")) } }
                    @else if problem.status >= 500 { a.button href="" { (tr!("Reload")) } }
                    @else { a.button href="/login" { (tr!("Log in")) } }
                }
            }
        }
    };
    match visitor {
        Some(visitor) => framed(&visitor.without_flash(), Section::Elsewhere, &PageHead::new(&title), &body),
        None => bare_page(&title, &body),
    }
}

/// A fragment that shows a problem.
pub(crate) fn problem_fragment(problem: &Problem) -> Markup {
    html! {
        (components::alert(Tone::Bad, html! { (messages::text(problem)) }))
        @if problem.code == ProblemCode::SessionEnded { p { button type="button" data-reload { (tr!("Reload the page")) } } }
        @else { p { button type="button" data-again { (tr!("Try again")) } } }
    }
}

/// The page after signing out, for issuers without one of their own.
pub(crate) fn signed_out() -> Markup {
    bare_page(
        &tr!("Signed out"),
        &html! { p { (tr!("You are signed out.")) } p { a.button href="/login" { (tr!("Log in again")) } } },
    )
}

/// Sends the browser to another site by a refresh. A redirect would be part of submitting the form, and forms may
/// submit only to this origin.
pub(crate) fn redirect_out(url: &Url, title: &str) -> Response {
    let body = html! {
        p { (tr!("One moment…")) }
        p { a.button href=(url) { (tr!("Continue")) } }
    };
    let mut response = bare_page(title, &body).into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("0; url={url}")) {
        response.headers_mut().insert(header::REFRESH, value);
    }
    response
}

#[derive(Deserialize)]
pub(crate) struct Reconnect {
    /// An integration's id. Mails about a connection link here with it.
    reconnect: Option<String>,
}

/// The start: redirects to the page that fits the user's role.
pub(crate) async fn home(visitor: Visitor, Query(query): Query<Reconnect>) -> Redirect {
    if !visitor.is_admin() {
        let starts = [
            (Permission::LeadManagement, "/leads"),
            (Permission::Inbox, "/inbox"),
            (Permission::Publishing, "/posts"),
            (Permission::AdsManagement, "/campaigns"),
        ];
        let start = starts.into_iter().find(|(permission, _)| visitor.may(*permission));
        return Redirect::to(start.map_or("/leads", |(_, path)| path));
    }
    if visitor.has_to_select_org() {
        return Redirect::to("/orgs");
    }
    match query.reconnect.and_then(|id| IntegrationId::parse(&id).ok()) {
        Some(id) => Redirect::to(&format!("/integrations/{id}")),
        None => Redirect::to("/home"),
    }
}

fn framed(visitor: &Visitor, section: Section, head: &PageHead<'_>, body: &Markup) -> Markup {
    let inside = html! {
        a.skip href="#main" { (tr!("Skip to content")) }
        header.top {
            a.brand href="/" { (assets::mark()) span { "Leadwire" } }
            a.button.plain.palette href="/leads#find" data-palette aria-keyshortcuts="Control+K Meta+K" { (assets::magnifier()) span { (tr!("Search")) } kbd aria-hidden="true" { "Ctrl K" } }
            (user_menu(visitor))
        }
        (navigation(visitor, section))
        main #main tabindex="-1" {
            (pending_flash(visitor))
            @match &head.above {
                Some((name, path)) => p.crumbs { a href=(path) { (name) } },
                None => (crumbs(section, head.heading)),
            }
            (head.show())
            (body)
        }
    };
    document(&head.title, "framed", &inside)
}

/// The outcome of the last action, with the way back and what to do next.
pub(crate) fn pending_flash(visitor: &Visitor) -> Markup {
    html! {
        @if let Some(flash) = &visitor.flash {
            (components::alert(if flash.is_failure { Tone::Bad } else { Tone::Good }, html! {
                p { (flash.text) }
                @if let Some(path) = &flash.undo {
                    form method="post" action=(path) { (components::csrf_field(visitor)) button { (tr!("Undo")) } }
                }
                @if !flash.next.is_empty() { div.acts { @for (label, path) in &flash.next { a.button href=(path) { (label) } } } }
            }))
        }
    }
}

fn user_menu(visitor: &Visitor) -> Markup {
    html! {
        details.menu.who {
            summary.button.plain {
                @match visitor.org_name() {
                    Some(org) => { span.org { (org) } " " span.name { (visitor.name()) } }
                    None => span.org { (visitor.name()) },
                }
            }
            form method="post" action="/logout" {
                (components::csrf_field(visitor))
                a href="/account" { (tr!("Your account")) }
                @if visitor.is_superadmin() { a href="/orgs" { (tr!("Switch org")) } }
                a.keys href="/account#keys" data-keys { (tr!("Keyboard shortcuts")) }
                (language::switch())
                button { (tr!("Sign out")) }
            }
        }
    }
}

pub(crate) fn bare_page(title: &str, body: &Markup) -> Markup {
    let inside = html! {
        main #main {
            p.brand { (assets::mark()) span { "Leadwire" } }
            (PageHead::new(title).show())
            (body)
        }
        footer.languages { (language::switch()) }
    };
    document(title, "bare", &inside)
}

fn document(title: &str, class: &str, inside: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(leadwire::language::current()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Leadwire" }
                link rel="icon" type="image/svg+xml" href=(assets::path("mark.svg"));
                link rel="preload" as="font" type="font/woff2" crossorigin href=(assets::path("latin.woff2"));
                link rel="stylesheet" href=(assets::path("console.css"));
                // Nothing is shown before the page is whole and the script has put times into the reader's zone: tables and
                // the inbox change their measures with both.
                link rel="expect" href="#end" blocking="render";
                script src=(assets::path("console.js")) defer blocking="render" {}
            }
            body class=(class) data-texts=[assets::texts()] { (inside) span #end hidden {} }
        }
    }
}
