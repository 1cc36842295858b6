//! One integration: its pages with their counts, its settings, its searches, its health, and deleting it.

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::connections::{ConnectionOut, IntegrationOut, PageList};
use leadwire::directory::UserOut;
use leadwire::http::path::Id;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::{IntegrationId, UserId};
use leadwire::model::assignee_mail::{MailProblem, MailProblemReason};
use leadwire::model::connection::problem::Impact;
use leadwire::model::connection::state::{EXPIRING_SOON_PERIOD, TokenKind};
use leadwire::model::lead::FoundBy;
use leadwire::model::lead::assignment::Assignment;
use leadwire::model::org::{INBOX, LEAD_MANAGEMENT, User};
use maud::{Markup, html};
use serde::Deserialize;

use super::fragments::list_of_runs;
use super::{connection_badge, page_link, reconnect, state_of};
use crate::components::{
    Confirm, alert, count, csrf_field, is_wrong, lazy_fragment, live_fragment, plural, problem_alert, time, time_or,
};
use crate::form::Fields;
use crate::layout::{Section, page};
use crate::session::{Admin, Visitor};
use crate::state::Console;

/// What the admin tried to save, and why it was rejected.
pub(super) struct Refused<'a> {
    pub(super) fields: &'a Fields,
    pub(super) problem: &'a Problem,
}

pub(super) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Id(id): Id<IntegrationId>,
    Query(query): Query<Showing>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    render(&console, &admin, &id, &query, None, jar).await
}

/// What the address asks to show besides the integration.
#[derive(Default, Deserialize)]
pub(super) struct Showing {
    /// The dialog to show as open.
    #[serde(default)]
    confirm: String,
    /// After a login of another account: the pages that would be lost.
    other: Option<String>,
}

pub(super) async fn render(
    console: &Console,
    Admin { visitor, access }: &Admin,
    id: &IntegrationId,
    showing: &Showing,
    refused: Option<&Refused<'_>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let integration = console.connections.integration(access, id).await?;
    let pages = console.connections.pages(access, id).await?;
    let described = console.directory.describe_users(&access.scope).await?;
    let unreached = unreached(&integration, &described);
    let users: Vec<User> = described.into_iter().map(|described| described.user).collect();
    let runs = console.leads.runs(access, id).await?.items;
    let base = format!("/integrations/{id}");
    let delete = Confirm {
        id: "delete",
        label: "Delete this integration",
        question: "Delete this integration?",
        action: &format!("{base}/delete"),
        act: "Delete",
        open: showing.confirm == "delete",
        sends: None,
    };
    let body = html! {
        @if let Some(lost) = &showing.other { (other_account(visitor, &integration, &pages, lost)) }
        (state_card(visitor, &integration))
        nav.tabs aria-label="On this page" {
            @for (anchor, name) in [("#pages", "Pages"), ("#import", "Import leads"), ("#settings", "Settings"), ("#health", "Health")] { a href=(anchor) { (name) } }
            a href={ (base) "/quality" } { "Lead quality" }
        }
        section #pages {
            h2 { "Pages" }
            (pages_table(&pages.items))
            (choose(visitor, &base, &pages))
        }
        section #import {
            h2 { "Import leads" }
            div.card {
                div.acts {
                    form method="post" action={ (base) "/sync" } { (csrf_field(visitor)) button { "Sync now" } }
                    span.quiet { "Checks the last 48 hours of every form and imports missing leads." }
                }
                // Until leads from before the connection were searched for, that is what to do next.
                details open[!runs.iter().any(|run| run.run.kind == FoundBy::Backfill)] #earlier {
                    summary { "Leads from before the connection" }
                    form.inline method="post" action={ (base) "/backfill" } {
                        (csrf_field(visitor))
                        label { "Days back" input type="number" name="days" min="1" max="90" value="30" required; }
                        label.tick { input type="checkbox" name="assign" value="yes"; "Assign them like new leads" }
                        button { "Import them" }
                    }
                }
                (live_fragment(&format!("{base}/runs"), &list_of_runs(&runs, id)))
            }
        }
        section {
            h2 { "Lead quality" }
            div.card {
                p { "Report to Meta which leads became customers, so that your ads reach more people like them." }
                p.acts { a.button href={ (base) "/quality" } { "Choose what is reported" } }
            }
        }
        section #settings { h2 { "Settings" } (settings(visitor, &base, &integration, &users, &unreached, refused)) }
        section #health {
            h2 { "Health" }
            div.card { (lazy_fragment(&format!("{base}/health"), "Checking token, permissions, subscriptions and forms with Meta…")) }
        }
        section.acts {
            (delete.show(visitor, html! {
                p { "“" (integration.name) "” is disconnected from Meta and deleted here." }
                ul {
                    li { "New leads from its " (plural(integration.pages_count, "page")) " stop immediately." }
                    li { "Existing leads are kept, with their history." }
                    li { "Ad accounts that use it are not synced until they get another token." }
                    li { "Pages that no other connection uses are unsubscribed at Meta, and its access tokens are deleted." }
                }
            }))
        }
    };
    Ok(page(visitor, jar, Section::Integrations, &integration.name, &body))
}

fn state_card(visitor: &Visitor, integration: &IntegrationOut) -> Markup {
    html! {
        @if let Some(message) = &integration.reason_message {
            (alert("bad", html! { p { (message) " No leads arrive until this is fixed." } p.fix { b { "What to do: " } (integration.fix.as_deref().unwrap_or_default()) } (reconnect(visitor, integration)) }))
        }
        // What stops everything is said above.
        @for problem in integration.problems.iter().filter(|problem| integration.reason_message.as_ref() != Some(&problem.message)) {
            @let kind = match problem.impact { Impact::LeadsBlocked => "bad", Impact::LeadsAtRisk => "warn", _ => "calm" };
            (alert(kind, html! { p { (problem.message) } p.fix { b { "What to do: " } (problem.fix) } }))
        }
        @if integration.reason_message.is_none() && integration.expires_at.is_some_and(|at| at <= leadwire::clock::now() + EXPIRING_SOON_PERIOD) {
            (alert("warn", html! { p { "This connection expires soon. Reconnect before then to keep leads arriving." } (reconnect(visitor, integration)) }))
        }
        div.card {
            dl.facts {
                div { dt { "State" } dd { (state_of(integration)) } }
                div { dt { "Pages" } dd { (count(integration.pages_count)) } }
                div { dt { "Last new lead" } dd { (time_or(integration.last_sync_at, "None yet")) } }
                div { dt { "Expires" } dd { (time_or(integration.expires_at, "Never")) } }
                div { dt { "Connected" } dd { (time(integration.connected_at)) } }
                div { dt { "Connected through" } dd { @match integration.token_kind { TokenKind::User => "A person's login", TokenKind::SystemUser => "A system user's token" } } }
                div { dt { "Last checked" } dd { (time_or(integration.checked_at, "Not yet")) } }
            }
            @if integration.reason_message.is_none() {
                @match integration.token_kind {
                    TokenKind::User => div.acts { (reconnect_calmly(visitor, integration)) span.quiet { "Reconnecting keeps settings, history and leads. Add or remove pages at Facebook." } },
                    TokenKind::SystemUser => div.acts { a.button href="#token" { "Replace the token" } span.quiet { "Replacing it keeps settings, history and leads. Assign pages to the system user in Meta Business settings first." } },
                }
            }
        }
    }
}

/// Asks before another account takes the place of the connected one.
fn other_account(visitor: &Visitor, integration: &IntegrationOut, pages: &PageList, lost: &str) -> Markup {
    // The address is anyone's to write, so it only selects from the integration's own pages.
    let lost: Vec<&str> = lost.split(',').collect();
    let lost: Vec<&ConnectionOut> = pages.items.iter().filter(|page| lost.contains(&page.page_id.as_str())).collect();
    html! {
        (alert("warn", html! {
            h2 { "This was another account" }
            @match integration.token_kind {
                TokenKind::User => p { "You logged in at Facebook as another person than the one who connected “" (integration.name) "”. Nothing was changed." },
                TokenKind::SystemUser => p { "“" (integration.name) "” uses a system user's token, which can last forever. A person's login ends after 60 days. Nothing was changed." },
            }
            @if !lost.is_empty() {
                p { "If this account takes its place, leads from these pages stop:" }
                ul { @for page in &lost { li { (page.page_name) } } }
            }
            p { "To keep both, connect the other account as an integration of its own." }
            div.acts {
                (reconnect(visitor, integration))
                form method="post" action={ "/integrations/" (integration.id) "/reconnect" } {
                    (csrf_field(visitor))
                    input type="hidden" name="replace" value="yes";
                    button.danger { "Replace the account" }
                }
            }
        }))
    }
}

fn reconnect_calmly(visitor: &Visitor, integration: &IntegrationOut) -> Markup {
    html! { form method="post" action={ "/integrations/" (integration.id) "/reconnect" } { (csrf_field(visitor)) button { "Reconnect" } } }
}

fn pages_table(pages: &[ConnectionOut]) -> Markup {
    html! {
        @if pages.is_empty() {
            div.empty { h3 { "No pages" } p { "Reconnect and select the pages at Facebook." } }
        } @else {
            div.card.flush {
                table {
                    thead { tr { th { "Page" } th { "Status" } th.number { "Leads imported" } th.number { "Missed by webhooks" } th { "Last new lead" } th { "Compared with Meta until" } } }
                    tbody {
                        @for page in pages {
                            tr {
                                td data-label="Page" { (page_link(page)) }
                                td data-label="Status" {
                                    (connection_badge(page))
                                    @if let Some(why) = &page.reason_message { div.quiet { (why) " " (page.fix.as_deref().unwrap_or_default()) } }
                                    @if let Some(since) = page.quiet_since { div.wrong { "Silent since " (time(since)) } }
                                }
                                td.number data-label="Leads imported" { (count(page.leads_count)) }
                                td.number data-label="Missed by webhooks" { (count(page.found_by.sweep)) }
                                td data-label="Last new lead" { (time_or(page.last_sync_at, "None yet")) }
                                td data-label="Compared until" { (time_or(page.swept_until, "Not yet")) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn choose(visitor: &Visitor, base: &str, pages: &PageList) -> Markup {
    html! {
        @if pages.items.len() > 1 || !pages.available.is_empty() {
            details {
                summary { "Choose pages" @if !pages.available.is_empty() { " (" (pages.available.len()) " more at Meta)" } }
                form.card method="post" action={ (base) "/pages" } {
                    (csrf_field(visitor))
                    fieldset {
                        legend { "Import leads from" }
                        @for (list, is_in) in [(&pages.items, true), (&pages.available, false)] {
                            @for page in list {
                                label.tick { input type="checkbox" name="page" value=(page.page_id) checked[is_in]; (page.page_name) }
                            }
                        }
                    }
                    p.quiet { "No new leads are imported from pages that are not selected. Existing leads are kept." }
                    button { "Save pages" }
                }
            }
        }
    }
}

fn settings(
    visitor: &Visitor,
    base: &str,
    integration: &IntegrationOut,
    users: &[User],
    unreached: &Markup,
    rejected: Option<&Refused<'_>>,
) -> Markup {
    let problem = rejected.map(|rejected| rejected.problem);
    let name = rejected.map_or_else(|| integration.name.clone(), |rejected| rejected.fields.text("name"));
    let description =
        rejected.map_or_else(|| integration.description.clone(), |rejected| rejected.fields.text("description"));
    html! {
        form.card method="post" action={ (base) "/settings#refused" } {
            (csrf_field(visitor))
            (problem_alert(problem))
            label { "Name" input name="name" value=(name) maxlength="100" required aria-invalid=[is_wrong(problem, "name")]; }
            label { "Description" textarea name="description" maxlength="500" rows="2" aria-invalid=[is_wrong(problem, "description")] { (description) } }
            @let typed = |work: &Work| rejected.and_then(|rejected| work.parse(rejected.fields).ok());
            (LEADS.select(&typed(&LEADS).unwrap_or_else(|| integration.assignment.clone()), users))
            (CONVERSATIONS.select(&typed(&CONVERSATIONS).unwrap_or_else(|| integration.inbox_assignment.clone()), users))
            label.tick { input type="checkbox" name="notify_assignee" value="yes" checked[rejected.map_or(integration.notify_assignee, |rejected| rejected.fields.is_ticked("notify_assignee"))]; "Mail each new lead to the person it is assigned to" }
            p.quiet { "At once, with all it takes to call. After 20 mails within an hour, further leads come in one mail. Imports and searches for earlier leads send none." }
            (unreached)
            p.quiet { "A changed assignment applies to what is new only. Leads and conversations have turns of their own." }
            button { "Save settings" }
        }
        @if integration.token_kind == TokenKind::SystemUser {
            details #token {
                summary { "Replace the system user's token" }
                form.card method="post" action={ (base) "/token" } {
                    (csrf_field(visitor))
                    label { "New token" input type="password" name="token" autocomplete="off" required; }
                    p.quiet { "It is verified with Meta first. Until then, the old one keeps working." }
                    label.tick { input type="checkbox" name="replace" value="yes"; "Use it even if it belongs to another account and pages are lost" }
                    button { "Replace" }
                }
            }
        }
    }
}

/// The people who could be assigned leads and are not mailed, each with why.
fn unreached(integration: &IntegrationOut, users: &[UserOut]) -> Markup {
    let reason = |out: &UserOut| match &out.mail_problem {
        _ if !out.user.takes_leads() => None,
        Some(MailProblem { reason: MailProblemReason::Bounced, .. }) => Some("mails to their address do not arrive"),
        Some(MailProblem { reason: MailProblemReason::Complained, .. }) => Some("they reported a mail as unwanted"),
        None => (!out.notifications).then_some("they switched the mails off"),
    };
    let found: Vec<(&str, &str)> =
        users.iter().filter_map(|out| Some((out.user.name.as_str(), reason(out)?))).collect();
    html! {
        @if integration.notify_assignee && !found.is_empty() {
            p { "Not mailed: " @for (index, (name, reason)) in found.iter().enumerate() { @if index > 0 { "; " } b { (name) } " (" (reason) ")" } "." }
        }
    }
}

/// What is assigned to users: a selection of strategies and people.
pub(super) struct Work {
    field: &'static str,
    label: &'static str,
    /// Who takes part, as in "Everyone who manages leads, in turn".
    who: &'static str,
    permission: &'static str,
}

pub(super) const LEADS: Work =
    Work { field: "assignment", label: "Assign new leads to", who: "manages leads", permission: LEAD_MANAGEMENT };
pub(super) const CONVERSATIONS: Work =
    Work { field: "inbox_assignment", label: "Assign new conversations to", who: "uses the inbox", permission: INBOX };

impl Work {
    pub(super) fn select(&self, now: &Assignment, users: &[User]) -> Markup {
        let able = || users.iter().filter(|user| user.may(self.permission));
        let chosen = match now {
            Assignment::User { user_id } => Some(user_id),
            _ => None,
        };
        let is_gone = chosen.filter(|id| !able().any(|user| user.id == **id));
        html! {
            label {
                (self.label)
                select name=(self.field) {
                    option value="unassigned" selected[*now == Assignment::Unassigned] { "No one: users pick them up themselves" }
                    option value="round_robin" selected[*now == Assignment::RoundRobin] {
                        "Everyone who " (self.who) ", in turn (" (able().count()) ")"
                    }
                    @for user in able() {
                        option value={ "user:" (user.id) } selected[chosen == Some(&user.id)] { (user.name) }
                    }
                    @if let Some(id) = is_gone { option value={ "user:" (id) } selected { (id) " (not able to at the moment)" } }
                }
            }
        }
    }

    /// The assignment that a form selects.
    pub(super) fn parse(&self, fields: &Fields) -> Result<Assignment, Problem> {
        let unknown = || Problem::field(self.field, ProblemCode::AssignmentUnknown, "Choose who gets what is new.");
        match fields.get(self.field) {
            Some("unassigned") => Ok(Assignment::Unassigned),
            Some("round_robin") => Ok(Assignment::RoundRobin),
            Some(other) => {
                let user = other.strip_prefix("user:").and_then(|id| UserId::parse(id).ok()).ok_or_else(unknown)?;
                Ok(Assignment::User { user_id: user })
            }
            None => Err(unknown()),
        }
    }
}
