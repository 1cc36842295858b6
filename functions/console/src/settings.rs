//! Settings: the people and the org as the CRM describes them, and how programs get in.

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::request::Parts;
use leadwire::directory::UserOut;
use leadwire::http::Problem;
use leadwire::model::assignee_mail::MailProblemReason;
use leadwire::model::org::{ADS_MANAGEMENT, INBOX, LEAD_MANAGEMENT, Org, PUBLISHING};
use maud::{Markup, html};

use crate::components::{badge, empty, money, plural, time};
use crate::countries;
use crate::layout::{Section, page};
use crate::session::Admin;
use crate::state::Console;

/// What each permission allows, in the words of people.
const PERMISSIONS: [(&str, &str); 4] =
    [(LEAD_MANAGEMENT, "Leads"), (INBOX, "Inbox"), (PUBLISHING, "Posts"), (ADS_MANAGEMENT, "Campaigns")];

/// The people of the org, and the org.
pub(crate) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let users = console.directory.describe_users(&access.scope).await?;
    let body = html! {
        (tabs("/settings"))
        p { "The CRM manages people and the org. What it pushes applies here at once." }
        section {
            h2 { "People" }
            @if users.is_empty() {
                (empty("No people yet", html! { "The CRM pushes its users with " code { "PUT /api/users/{id}" } ". " a href="/settings/api" { "How programs get in" } }))
            } @else { (people(&users)) }
        }
        @if let Some(org) = &visitor.org { section { h2 { "Org" } (org_card(org)) } }
    };
    Ok(page(&visitor, jar, Section::Settings, "Settings", &body))
}

fn tabs(here: &str) -> Markup {
    html! {
        nav.tabs aria-label="Settings" {
            @for (path, name) in [("/settings", "People and org"), ("/settings/api", "API"), ("/webhooks", "Webhooks")] {
                a href=(path) aria-current=[(path == here).then_some("page")] { (name) }
            }
        }
    }
}

fn people(users: &[UserOut]) -> Markup {
    let mut users: Vec<&UserOut> = users.iter().collect();
    users.sort_by_key(|out| (!out.user.active, out.user.name.to_lowercase()));
    html! {
        div.card.flush {
            table {
                thead { tr { th { "Name" } th { "Role" } th { "May use" } th { "Mails about leads" } th { "Last change" } } }
                tbody {
                    @for out in users {
                        tr {
                            td data-label="Name" { b { (out.user.name) } @if !out.user.active { " " (badge("dim", "Inactive")) } div.quiet { (out.user.email) } }
                            td data-label="Role" { (out.user.role.as_deref().unwrap_or("–")) @if out.user.is_admin() { div.quiet { "Is mailed alerts" } } }
                            td data-label="May use" { (rights(out)) }
                            td data-label="Mails about leads" { (mails(out)) }
                            td data-label="Last change" { (time(out.user.updated_at)) }
                        }
                    }
                }
            }
        }
    }
}

fn rights(out: &UserOut) -> Markup {
    let names: Vec<&str> =
        PERMISSIONS.iter().filter(|(permission, _)| out.user.may(permission)).map(|(_, name)| *name).collect();
    html! { @if names.is_empty() { span.quiet { "–" } } @else { (names.join(", ")) } }
}

fn mails(out: &UserOut) -> Markup {
    html! {
        @match out.mail_problem.as_ref().map(|problem| &problem.reason) {
            Some(MailProblemReason::Bounced) => (badge("bad", "Address does not work")),
            Some(MailProblemReason::Complained) => (badge("bad", "Reported as unwanted")),
            None if out.notifications => "On",
            None => span.quiet { "Switched off" },
        }
    }
}

fn org_card(org: &Org) -> Markup {
    html! {
        div.card {
            dl.facts {
                div { dt { "Name" } dd { (org.name) } }
                div { dt { "Plan" } dd { (org.plan.name) } }
                div { dt { "Country of phone numbers" } dd { @match &org.default_country { Some(code) => (countries::name(code)), None => span.quiet { "None: numbers need a country code" } } } }
                div { dt { "Leads are kept" } dd { @match org.keep_leads_days { Some(days) => (plural(days, "day")), None => "For good" } } }
                div { dt { "Daily limit of campaigns" } dd { @match &org.daily_spend_limit { Some(limit) => (money(&limit.amount.to_string(), &limit.currency)), None => "None" } } }
                div { dt { "Last change" } dd { (time(org.updated_at)) } }
            }
        }
    }
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
        (tabs("/settings/api"))
        p { "Programs do over HTTP whatever is done here. The operator of this system gives your CRM a client id and a secret; with these it gets tokens." }
        div.card {
            dl.facts {
                div { dt { "Address" } dd { code { (origin) "/api" } } }
                div { dt { "Header for this org" } dd { code { "orgid: " (org) } } }
                div { dt { "Description" } dd { a href="/openapi.json" { "openapi.json" } } }
                div { dt { "Events" } dd { a href="/webhooks" { "Webhooks" } } }
            }
        }
        @for (title, text) in [("List leads", &list), ("Change the status of a lead", &change), ("Push a user", &user)] {
            section { h2 { (title) } pre.card tabindex="0" { code { (text) } } }
        }
    };
    Ok(page(&visitor, jar, Section::Settings, "API", &body))
}
