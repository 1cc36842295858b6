//! One integration: its pages with their counts, its settings, its searches, its health, and deleting it.

use std::borrow::Cow;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::connections::{ConnectionOut, IntegrationOut, PageList};
use leadwire::directory::UserOut;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;
use leadwire::model::connection::problem::Impact;
use leadwire::model::connection::state::{EXPIRING_SOON_PERIOD, TokenKind};
use leadwire::model::lead::FoundBy;
use leadwire::model::mail_preference::{MailProblem, MailProblemReason};
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};
use serde::Deserialize;

use super::assignment::Work;
use super::fragments::list_of_runs;
use super::{connection_badge, page_link, reconnect, state_of};
use crate::actor::Admin;
use crate::components::{
    Confirm, alert, count, csrf_field, is_wrong, lazy_fragment, live_fragment, problem_alert, time, time_or,
    with_markup,
};
use crate::form::Fields;
use crate::layout::{Section, page};
use crate::session::Visitor;
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
    let (integration, pages, described, runs) = tokio::try_join!(
        console.connections.integration(access, id),
        console.connections.pages(access, id),
        console.directory.describe_users(&access.scope),
        console.leads.runs(access, id),
    )?;
    let runs = runs.items;
    let unreached = unreached(&integration, &described);
    let users: Vec<User> = described.into_iter().map(|described| described.user).collect();
    let base = format!("/integrations/{id}");
    let delete = Confirm {
        id: "delete",
        label: &tr!("Delete this integration"),
        question: &tr!("Delete this integration?"),
        action: &format!("{base}/delete"),
        act: &tr!("Delete"),
        open: showing.confirm == "delete",
        sends: None,
    };
    let body = html! {
        @if let Some(lost) = &showing.other { (other_account(visitor, &integration, &pages, lost)) }
        (state_card(visitor, &integration))
        nav.tabs aria-label=(tr!("On this page")) {
            @for (anchor, name) in [("#pages", tr!("Pages")), ("#import", tr!("Import leads")), ("#settings", tr!("Settings")), ("#health", tr!("Health"))] { a href=(anchor) { (name) } }
            a href={ (base) "/quality" } { (tr!("Lead quality")) }
        }
        section #pages {
            h2 { (tr!("Pages")) }
            (pages_table(&pages.items))
            (choose(visitor, &base, &pages))
        }
        section #import {
            h2 { (tr!("Import leads")) }
            div.card {
                div.acts {
                    form method="post" action={ (base) "/sync" } { (csrf_field(visitor)) button { (tr!("Sync now")) } }
                    span.quiet { (tr!("Checks the last 48 hours of every form and imports missed leads.")) }
                }
                // Until leads from before the connection were searched for, that is what to do next.
                details open[!runs.iter().any(|run| run.run.kind == FoundBy::Backfill)] #earlier {
                    summary { (tr!("Leads from before the connection")) }
                    form.inline method="post" action={ (base) "/backfill" } {
                        (csrf_field(visitor))
                        label { (tr!("Days back")) input type="number" name="days" min="1" max="90" value="30" required; }
                        label.tick { input type="checkbox" name="assign" value="yes"; (tr!("Assign them like new leads")) }
                        button { (tr!("Import earlier leads")) }
                    }
                }
                (live_fragment(&format!("{base}/runs"), &list_of_runs(&runs, id)))
            }
        }
        section {
            h2 { (tr!("Lead quality")) }
            div.card {
                p { (tr!("Report to Meta which leads became customers, so that your ads reach more people like them.")) }
                p.acts { a.button href={ (base) "/quality" } { (tr!("Choose what is reported")) } }
            }
        }
        section #settings { h2 { (tr!("Settings")) } (settings(visitor, &base, &integration, &users, &unreached, refused)) }
        section #health {
            h2 { (tr!("Health")) }
            div.card { (lazy_fragment(&format!("{base}/health"), &tr!("Checking token, permissions, subscriptions and forms with Meta…"))) }
        }
        section.acts {
            (delete.show(visitor, html! {
                p { (tr!("“{name}” is disconnected from Meta and deleted from Leadwire.", name = integration.name)) }
                ul {
                    li { (tr!([integration.pages_count] "New leads from its {n} page stop immediately." | "New leads from its {n} pages stop immediately.")) }
                    li { (tr!("Existing leads are kept, with their history.")) }
                    li { (tr!("Ad accounts that use this integration are not synced until they get another token.")) }
                    li { (tr!("Pages that no other connection uses are unsubscribed at Meta, and the integration's access tokens are deleted.")) }
                }
            }))
        }
    };
    Ok(page(visitor, jar, Section::Integrations, &integration.name, &body))
}

fn state_card(visitor: &Visitor, integration: &IntegrationOut) -> Markup {
    html! {
        @if let Some(message) = &integration.reason_message {
            (alert("bad", html! {
                p { (message) " " (tr!("No leads arrive until this is fixed.")) }
                p.fix { b { (tr!("What to do:")) " " } (integration.fix.as_deref().unwrap_or_default()) }
                (reconnect(visitor, integration))
            }))
        }
        // What stops everything is said above.
        @for problem in integration.problems.iter().filter(|problem| integration.reason_message.as_ref() != Some(&problem.message)) {
            @let kind = match problem.impact { Impact::LeadsBlocked => "bad", Impact::LeadsAtRisk => "warn", _ => "calm" };
            (alert(kind, html! { p { (problem.message) } p.fix { b { (tr!("What to do:")) " " } (problem.fix) } }))
        }
        @if integration.reason_message.is_none() && integration.expires_at.is_some_and(|at| at <= leadwire::clock::now() + EXPIRING_SOON_PERIOD) {
            (alert("warn", html! { p { (tr!("This connection expires soon. Reconnect before then to keep leads arriving.")) } (reconnect(visitor, integration)) }))
        }
        div.card {
            dl.facts {
                div { dt { (tr!("State")) } dd { (state_of(integration)) } }
                div { dt { (tr!("Pages")) } dd { (count(integration.pages_count)) } }
                div { dt { (tr!("Last new lead")) } dd { (time_or(integration.last_sync_at, &tr!("None yet"))) } }
                div { dt { (tr!("Expires")) } dd { (time_or(integration.expires_at, &tr!("Never"))) } }
                div { dt { (tr!("Connected")) } dd { (time(integration.connected_at)) } }
                div { dt { (tr!("Connected through")) } dd { @match integration.token_kind { TokenKind::User => (tr!("A person's login")), TokenKind::SystemUser => (tr!("A system user's token")) } } }
                div { dt { (tr!("Last checked")) } dd { (time_or(integration.checked_at, &tr!("Not yet"))) } }
            }
            @if integration.reason_message.is_none() {
                @match integration.token_kind {
                    TokenKind::User => div.acts { (reconnect_calmly(visitor, integration)) span.quiet { (tr!("Reconnecting keeps settings, history and leads. Add or remove pages at Facebook.")) } },
                    TokenKind::SystemUser => div.acts { a.button href="#token" { (tr!("Replace the token")) } span.quiet { (tr!("Replacing it keeps settings, history and leads. Assign pages to the system user in Meta Business settings first.")) } },
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
            h2 { (tr!("This was another account")) }
            @match integration.token_kind {
                TokenKind::User => p { (tr!("You logged in at Facebook as a different person from the one who connected “{name}”. Nothing was changed.", name = integration.name)) },
                TokenKind::SystemUser => p { (tr!("“{name}” uses a system user's token, which can last forever. A person's login ends after 60 days. Nothing was changed.", name = integration.name)) },
            }
            @if !lost.is_empty() {
                p { (tr!("If this account takes its place, leads from these pages stop:")) }
                ul { @for page in &lost { li { (page.page_name) } } }
            }
            p { (tr!("To keep both, connect the other account as an integration of its own.")) }
            div.acts {
                (reconnect(visitor, integration))
                form method="post" action={ "/integrations/" (integration.id) "/reconnect" } {
                    (csrf_field(visitor))
                    input type="hidden" name="replace" value="yes";
                    button.danger { (tr!("Replace the account")) }
                }
            }
        }))
    }
}

fn reconnect_calmly(visitor: &Visitor, integration: &IntegrationOut) -> Markup {
    html! { form method="post" action={ "/integrations/" (integration.id) "/reconnect" } { (csrf_field(visitor)) button { (tr!("Reconnect")) } } }
}

fn pages_table(pages: &[ConnectionOut]) -> Markup {
    html! {
        @if pages.is_empty() {
            div.empty { h3 { (tr!("No pages")) } p { (tr!("Reconnect and select the pages at Facebook.")) } }
        } @else {
            div.card.flush {
                table {
                    thead { tr { th { (tr!("Page")) } th { (tr!("Status")) } th.number { (tr!("Leads imported")) } th.number { (tr!("Found by the regular check")) } th { (tr!("Last new lead")) } th { (tr!("Checked against Meta up to")) } } }
                    tbody {
                        @for page in pages {
                            tr {
                                td data-label=(tr!("Page")) { (page_link(page)) }
                                td data-label=(tr!("Status")) {
                                    (connection_badge(page))
                                    @if let Some(why) = &page.reason_message { div.quiet { (why) " " (page.fix.as_deref().unwrap_or_default()) } }
                                    @if let Some(since) = page.quiet_since { div.wrong { (with_markup(&tr!("Unusually silent since {time}"), &[("time", time(since))])) } }
                                }
                                td.number data-label=(tr!("Leads imported")) { (count(page.leads_count)) }
                                td.number data-label=(tr!("Found by the regular check")) { (count(page.found_by.sweep)) }
                                td data-label=(tr!("Last new lead")) { (time_or(page.last_sync_at, &tr!("None yet"))) }
                                td data-label=(tr!("Compared until")) { (time_or(page.swept_until, &tr!("Not yet"))) }
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
                summary {
                    @if pages.available.is_empty() { (tr!("Choose pages")) }
                    @else { (tr!("Choose pages ({number} more at Meta)", number = count(pages.available.len()))) }
                }
                form.card method="post" action={ (base) "/pages" } {
                    (csrf_field(visitor))
                    fieldset {
                        legend { (tr!("Import leads from")) }
                        @for (list, is_in) in [(&pages.items, true), (&pages.available, false)] {
                            @for page in list {
                                label.tick { input type="checkbox" name="page" value=(page.page_id) checked[is_in]; (page.page_name) }
                            }
                        }
                    }
                    p.quiet { (tr!("No new leads are imported from pages that are not selected. Existing leads are kept.")) }
                    button { (tr!("Save pages")) }
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
            label { (tr!("Name")) input name="name" value=(name) maxlength="100" required aria-invalid=[is_wrong(problem, "name")]; }
            label { (tr!("Description")) textarea name="description" maxlength="500" rows="2" aria-invalid=[is_wrong(problem, "description")] { (description) } }
            @let typed = |work: Work| rejected.and_then(|rejected| work.parse(rejected.fields).ok());
            (Work::Leads.select(&typed(Work::Leads).unwrap_or_else(|| integration.assignment.clone()), users))
            (Work::Conversations.select(&typed(Work::Conversations).unwrap_or_else(|| integration.inbox_assignment.clone()), users))
            label.tick { input type="checkbox" name="notify_assignee" value="yes" checked[rejected.map_or(integration.notify_assignee, |rejected| rejected.fields.is_ticked("notify_assignee"))]; (tr!("Mail each new lead to the person it is assigned to")) }
            p.quiet { (tr!("The mail is sent at once and has all you need to call the lead. After 20 mails within an hour, further leads come in one mail. Imports and searches for earlier leads send no mails.")) }
            (unreached)
            p.quiet { (tr!("Changes to the assignment apply only to new leads and conversations. Leads and conversations are assigned in separate turns.")) }
            button { (tr!("Save settings")) }
        }
        @if integration.token_kind == TokenKind::SystemUser {
            details #token {
                summary { (tr!("Replace the system user's token")) }
                form.card method="post" action={ (base) "/token" } {
                    (csrf_field(visitor))
                    label { (tr!("New token")) input type="password" name="token" autocomplete="off" required; }
                    p.quiet { (tr!("It is verified with Meta first. Until then, the old one keeps working.")) }
                    label.tick { input type="checkbox" name="replace" value="yes"; (tr!("Use it even if it belongs to another account and pages are lost")) }
                    button { (tr!("Replace")) }
                }
            }
        }
    }
}

/// The people who could be assigned leads and are not mailed, each with why.
fn unreached(integration: &IntegrationOut, users: &[UserOut]) -> Markup {
    let reason = |out: &UserOut| match &out.mail_problem {
        _ if !out.user.takes_leads() => None,
        Some(MailProblem { reason: MailProblemReason::Bounced, .. }) => {
            Some(tr!("mails to their address do not arrive"))
        }
        Some(MailProblem { reason: MailProblemReason::Complained, .. }) => {
            Some(tr!("they reported a mail as unwanted"))
        }
        None => (!out.notifications).then(|| tr!("they switched the mails off")),
    };
    let found: Vec<(&str, Cow<'static, str>)> =
        users.iter().filter_map(|out| Some((out.user.name.as_str(), reason(out)?))).collect();
    let people = html! {
        @for (index, (name, reason)) in found.iter().enumerate() { @if index > 0 { "; " } b { (name) } " (" (reason) ")" }
    };
    html! {
        @if integration.notify_assignee && !found.is_empty() {
            p { (with_markup(&tr!("No mails go to {people}."), &[("people", people)])) }
        }
    }
}
