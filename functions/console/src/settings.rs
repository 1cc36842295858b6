//! Settings: the people and the org as the CRM describes them, and how programs get in.

use std::borrow::Cow;

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::request::Parts;
use leadwire::directory::UserOut;
use leadwire::http::Problem;
use leadwire::model::mail_preference::MailProblemReason;
use leadwire::model::org::{Org, Permission};
use leadwire::tr;
use maud::{Markup, html};
use strum::IntoEnumIterator;

use crate::actor::Admin;
use crate::components::{self, Tone, badge, empty, money, time, with_markup};
use crate::countries;
use crate::layout::{PageHead, Section, page};
use crate::state::Console;

/// What each permission allows, in the words of people.
fn right(permission: Permission) -> Cow<'static, str> {
    match permission {
        Permission::LeadManagement => tr!("Leads"),
        Permission::Inbox => tr!("Inbox"),
        Permission::Publishing => tr!("Posts"),
        Permission::AdsManagement => tr!("Campaigns"),
    }
}

/// The people of the org, and the org.
pub(crate) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let users = console.rooms.directory.describe_users(&access.scope).await?;
    let body = html! {
        section {
            h2 { (tr!("People")) }
            @if users.is_empty() {
                @let sentence = with_markup(&tr!("The CRM pushes its users with {call}."), &[("call", html! { code { "PUT /api/users/{id}" } })]);
                (empty(&tr!("No people yet"), html! { (sentence) " " a href="/settings/api" { (tr!("How to use the API")) } }))
            } @else { (people(&users)) }
        }
        @if let Some(org) = &visitor.org { section { h2 { (tr!("Org")) } (org_card(org)) } }
    };
    let about = tr!("Manage people and the org in your CRM. Changes there apply in Leadwire at once.");
    let title = tr!("Settings");
    let head = PageHead::new(&title).about(html! { (about) }).tabs(tabs("/settings"));
    Ok(page(&visitor, jar, Section::Settings, head, &body))
}

pub(crate) fn tabs(here: &str) -> Markup {
    let pages = [("/settings", tr!("People and org")), ("/settings/api", tr!("API")), ("/webhooks", tr!("Webhooks"))];
    components::tabs(&tr!("Settings"), here, pages)
}

fn people(users: &[UserOut]) -> Markup {
    let mut users: Vec<&UserOut> = users.iter().collect();
    users.sort_by_key(|out| (!out.user.active, out.user.name.to_lowercase()));
    html! {
        div.card.flush {
            table {
                thead { tr { th { (tr!("Name")) } th { (tr!("Role")) } th { (tr!("Access")) } th { (tr!("Mails about leads")) } th { (tr!("Updated")) } } }
                tbody {
                    @for out in users {
                        tr {
                            td data-label=(tr!("Name")) { b { (out.user.name) } @if !out.user.active { " " (badge(Tone::Dim, &tr!("Inactive"))) } div.quiet { (out.user.email) } }
                            td data-label=(tr!("Role")) { (out.user.role.as_deref().unwrap_or("–")) @if out.is_alerted() { div.quiet { (tr!("Gets alerts by mail")) } } @else if out.user.is_admin() { div.quiet { (tr!("Gets no alerts")) } } }
                            td data-label=(tr!("Access")) { (rights(out)) }
                            td data-label=(tr!("Mails about leads")) { (mails(out)) }
                            td data-label=(tr!("Updated")) { (time(out.user.updated_at)) }
                        }
                    }
                }
            }
        }
    }
}

fn rights(out: &UserOut) -> Markup {
    let held = Permission::iter().filter(|permission| out.user.may(*permission));
    let names: Vec<Cow<'_, str>> = held.map(right).collect();
    html! { @if names.is_empty() { span.quiet { "–" } } @else { (names.join(", ")) } }
}

fn mails(out: &UserOut) -> Markup {
    html! {
        @match out.mail_problem.as_ref().map(|problem| &problem.reason) {
            Some(MailProblemReason::Bounced) => (badge(Tone::Bad, &tr!("Address does not work"))),
            Some(MailProblemReason::Complained) => (badge(Tone::Bad, &tr!("Reported as unwanted"))),
            None if out.notifications => (tr!("On")),
            None => span.quiet { (tr!("Switched off")) },
        }
    }
}

fn org_card(org: &Org) -> Markup {
    html! {
        div.card {
            dl.facts {
                div { dt { (tr!("Name")) } dd { (org.name) } }
                div { dt { (tr!("Plan")) } dd { span.plan { (org.plan.name) } } }
                div { dt { (tr!("Default country for phone numbers")) } dd { @match &org.default_country { Some(code) => (countries::name(code)), None => span.quiet { (tr!("None: numbers need a country code")) } } } }
                div { dt { (tr!("Leads are kept")) } dd { @match org.keep_leads_days { Some(days) => (tr!([days] "{n} day" | "{n} days")), None => (tr!("Forever")) } } }
                div { dt { (tr!("Daily spend limit for campaigns")) } dd { @match &org.daily_spend_limit { Some(limit) => (money(&limit.amount.to_string(), &limit.currency)), None => (tr!("No limit")) } } }
                div { dt { (tr!("Updated")) } dd { (time(org.updated_at)) } }
            }
        }
    }
}

fn copy_button(text: &str) -> Markup {
    html! { button.plain type="button" data-copy=(text) { (tr!("Copy")) } }
}

/// How programs get in.
pub(crate) async fn api(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    parts: Parts,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let origin = console.origin(&parts)?;
    let origin = origin.as_str().trim_end_matches('/');
    let org = access.scope.org();
    let list =
        format!("curl -s \"{origin}/api/leads?limit=10\" -H \"Authorization: Bearer $TOKEN\" -H \"orgid: {org}\"");
    let change = format!(
        "curl -s -X PATCH \"{origin}/api/leads/LEAD_ID\" -H \"Authorization: Bearer $TOKEN\" -H \"orgid: {org}\" \\\n  \
         -H \"Content-Type: application/json\" -d '{{\"status\": \"qualified\"}}'"
    );
    let user = format!(
        "curl -s -X PUT \"{origin}/api/users/USER_ID\" -H \"Authorization: Bearer $TOKEN\" -H \"orgid: {org}\" \\\n  \
         -H \"Content-Type: application/json\" \\\n  \
         -d '{{\"name\": \"Ann\", \"email\": \"ann@example.com\", \"role\": \"admin\", \"permissions\": [\"lead_management\"]}}'"
    );
    let body = html! {
        div.card {
            dl.facts {
                div { dt { (tr!("Address")) } dd { code { (origin) "/api" } " " (copy_button(&format!("{origin}/api"))) } }
                div { dt { (tr!("Header for this org")) } dd { code { "orgid: " (org) } " " (copy_button(&format!("orgid: {org}"))) } }
                div { dt { (tr!("Description")) } dd { a href="/openapi.json" { "openapi.json" } } }
                div { dt { (tr!("Events")) } dd { a href="/webhooks" { (tr!("Webhooks")) } } }
            }
        }
        @for (title, text) in [(tr!("List leads"), &list), (tr!("Change the status of a lead"), &change), (tr!("Push a user"), &user)] {
            section { div.row { h2 { (title) } (copy_button(text)) } pre.card tabindex="0" { code { (text) } } }
        }
    };
    let about = tr!(
        "Programs can do over HTTP what people do here. The operator of Leadwire gives your CRM a client id and a secret, with which it gets tokens."
    );
    let title = tr!("Settings");
    let head = PageHead::new(&title).of_part(&tr!("API")).about(html! { (about) }).tabs(tabs("/settings/api"));
    Ok(page(&visitor, jar, Section::Settings, head, &body))
}
