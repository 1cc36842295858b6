//! The frame of every page: head, navigation, the logged-in user, and the outcome of the last action.

use std::borrow::Cow;

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use http::{HeaderMap, HeaderValue, header};
use leadwire::error::ErrorCode;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::IntegrationId;
use leadwire::model::org::{ADS_MANAGEMENT, INBOX, LEAD_MANAGEMENT, PUBLISHING};
use leadwire::tr;
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use url::Url;

use crate::assets;
use crate::components::{self, with_markup};
use crate::flash::Flash;
use crate::language;
use crate::messages;
use crate::request::wants_fragment;
use crate::session::{MAX_PARKED, Visitor};

/// The sections of the console.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Integrations,
    Leads,
    Inbox,
    Delivery,
    Forms,
    Posts,
    Ads,
    Campaigns,
    Audit,
    Settings,
    /// A page outside all sections.
    Elsewhere,
}

/// The sections in the order of the navigation, with their addresses. The first are those that people use all day.
const SECTIONS: [(Section, &str); 11] = [
    (Section::Home, "/home"),
    (Section::Leads, "/leads"),
    (Section::Inbox, "/inbox"),
    (Section::Integrations, "/integrations"),
    (Section::Delivery, "/delivery"),
    (Section::Forms, "/forms"),
    (Section::Posts, "/posts"),
    (Section::Ads, "/ads"),
    (Section::Campaigns, "/campaigns"),
    (Section::Audit, "/audit"),
    (Section::Settings, "/settings"),
];

/// Sections that fit beside each other on a phone, in every language. The others are behind one word there.
const MAX_IN_A_ROW: usize = 3;

impl Section {
    fn name(self) -> Cow<'static, str> {
        match self {
            Self::Home => tr!("Home"),
            Self::Integrations => tr!("Integrations"),
            Self::Leads => tr!("Leads"),
            Self::Inbox => tr!("Inbox"),
            Self::Delivery => tr!("Delivery"),
            Self::Forms => tr!("Forms"),
            Self::Posts => tr!("Posts"),
            Self::Ads => tr!("Ads"),
            Self::Campaigns => tr!("Campaigns"),
            Self::Audit => tr!("Audit"),
            Self::Settings => tr!("Settings"),
            Self::Elsewhere => Cow::Borrowed(""),
        }
    }
}

/// A page in its frame. Shows the pending flash and clears it.
pub(crate) fn page(visitor: &Visitor, jar: PrivateCookieJar, section: Section, title: &str, body: &Markup) -> Response {
    titled_page(visitor, jar, section, (title, title), body)
}

/// A page whose title in the browser says more than its heading, such as one of several pages about one thing.
pub(crate) fn titled_page(
    visitor: &Visitor,
    jar: PrivateCookieJar,
    section: Section,
    titles: (&str, &str),
    body: &Markup,
) -> Response {
    let jar = if visitor.flash.is_some() { Flash::clear(jar) } else { jar };
    (jar, framed(visitor, section, titles, body)).into_response()
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
                p.quiet { (tr!("Code:")) " " code { (problem.code.name()) } }
                p {
                    @if visitor.is_some() { a.button href="/" { (tr!("Go to the start page")) } }
                    @else if problem.status >= 500 { a.button href="" { (tr!("Reload")) } }
                    @else { a.button href="/login" { (tr!("Log in")) } }
                }
            }
        }
    };
    match visitor {
        Some(visitor) => framed(&visitor.without_flash(), Section::Elsewhere, (&*title, &*title), &body),
        None => bare_page(&title, &body),
    }
}

/// A fragment that shows a problem.
pub(crate) fn problem_fragment(problem: &Problem) -> Markup {
    html! {
        (components::alert("bad", html! { (messages::text(problem)) }))
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
        let starts =
            [(LEAD_MANAGEMENT, "/leads"), (INBOX, "/inbox"), (PUBLISHING, "/posts"), (ADS_MANAGEMENT, "/campaigns")];
        let start = starts.iter().find(|(permission, _)| visitor.may(permission));
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

impl Visitor {
    /// Whether a section is in their navigation.
    fn may_open(&self, section: Section) -> bool {
        match section {
            Section::Leads => true,
            Section::Inbox => self.may(INBOX),
            Section::Posts => self.may(PUBLISHING),
            Section::Campaigns => self.may(ADS_MANAGEMENT),
            _ => self.is_admin(),
        }
    }
}

fn framed(visitor: &Visitor, section: Section, (title, heading): (&str, &str), body: &Markup) -> Markup {
    let inside = html! {
        a.skip href="#main" { (tr!("Skip to content")) }
        header.top {
            a.brand href="/" { (assets::mark()) span { "Leadwire" } }
            a.button.plain.palette href="/leads#find" data-palette aria-keyshortcuts="Control+K Meta+K" { (assets::magnifier()) span { (tr!("Search")) } kbd aria-hidden="true" { "Ctrl K" } }
            div.who {
                @if let Some(org) = visitor.org_name() { span.org { (org) } }
                @if visitor.is_superadmin() { a href="/orgs" { (tr!("Switch org")) } }
                a.name href="/account" { (visitor.name()) }
                form method="post" action="/logout" { (components::csrf_field(visitor)) button.plain { (tr!("Sign out")) } }
            }
        }
        (navigation(visitor, section))
        main #main tabindex="-1" {
            @if let Some(flash) = &visitor.flash {
                (components::alert(if flash.is_failure { "bad" } else { "good" }, html! {
                    (flash.text)
                    @if let Some(path) = &flash.undo {
                        form method="post" action=(path) { (components::csrf_field(visitor)) button { (tr!("Undo")) } }
                    }
                }))
            }
            @for (this, path) in SECTIONS {
                // Breadcrumb, on all pages but the section's first.
                @if this == section && this.name() != heading { p.crumbs { a href=(path) { (this.name()) } } }
            }
            h1 { (heading) }
            (body)
        }
        footer.languages { a href="/account" { (tr!("Your account")) } (language::switch()) }
    };
    document(title, "framed", &inside)
}

/// The sections. On a phone, a sheet that needs no script has those for which there is no room; elsewhere the style shows
/// its links with the others.
fn navigation(visitor: &Visitor, section: Section) -> Markup {
    let open: Vec<(Section, &str)> = SECTIONS.into_iter().filter(|(this, _)| visitor.may_open(*this)).collect();
    let (row, rest) = open.split_at_checked(MAX_IN_A_ROW).unwrap_or((open.as_slice(), &[]));
    let is_parked = |this: Section| this == Section::Delivery && visitor.parked > 0;
    let link = |(this, path): &(Section, &str)| {
        html! {
            a href=(path) aria-current=[(*this == section).then_some("page")] {
                (this.name())
                @if is_parked(*this) { " " (parked(visitor.parked)) }
            }
        }
    };
    html! {
        nav.sections aria-label=(tr!("Sections")) {
            @for entry in row { (link(entry)) }
            @if !rest.is_empty() {
                @let is_here = rest.iter().any(|(this, _)| *this == section);
                button.more type="button" popovertarget="more-sections" data-here[is_here] {
                    (tr!("More"))
                    @if rest.iter().any(|(this, _)| is_parked(*this)) { " " (parked(visitor.parked)) }
                }
                div #more-sections popover { @for entry in rest { (link(entry)) } }
            }
        }
    }
}

/// How many leads are parked, beside the section that says why.
fn parked(leads: usize) -> Markup {
    let number = if leads < MAX_PARKED { components::count(leads) } else { format!("{}+", MAX_PARKED - 1) };
    let words = match leads < MAX_PARKED {
        true => tr!([leads] "{n} lead could not be imported." | "{n} leads could not be imported."),
        false => {
            tr!([MAX_PARKED - 1] "More than {n} lead could not be imported." | "More than {n} leads could not be imported.")
        }
    };
    html! { span.waiting title=(words) { (number) span.hidden { " – " (words) } } }
}

pub(crate) fn bare_page(title: &str, body: &Markup) -> Markup {
    let inside = html! {
        main #main {
            p.brand { (assets::mark()) span { "Leadwire" } }
            h1 { (title) }
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
                script src=(assets::path("console.js")) defer {}
            }
            body class=(class) data-texts=[assets::texts()] { (inside) }
        }
    }
}
