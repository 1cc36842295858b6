//! Integrations → Meta: connecting accounts, and the state of the connections.

mod actions;
mod assignment;
mod health;
mod pages;
mod quality;
mod searches;
mod settings;
mod tabs;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use leadwire::connections::{ConnectionOut, IntegrationOut, IntegrationStatus};
use leadwire::directory::UserOut;
use leadwire::http::Problem;
use leadwire::ids::IntegrationId;
use leadwire::model::connection::lead_state::{Severity, StopReason};
use leadwire::model::connection::problem::{Impact, IntegrationProblem};
use leadwire::model::connection::state::{ConnectionStatus, EXPIRING_SOON_PERIOD, TokenKind};
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};

use self::pages::page_path;
use self::settings::token_path;
use self::tabs::{consequence, fix_beside_button};
use crate::actor::Admin;
use crate::components::{
    Confirm, Confirming, Tone, ago, alert, badge, brief_time, count, csrf_field, empty, time, with_markup,
};
use crate::delivery;
use crate::layout::{PageHead, Section, page};
use crate::session::Visitor;
use crate::state::Console;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(list))
        .route("/connect", post(actions::connect))
        .route("/return", get(actions::back_from_meta))
        .route("/token", get(actions::token_form).post(actions::paste))
        .route("/disconnect", post(actions::disconnect))
        .route("/{id}", get(health::show))
        .route("/{id}/health", get(health::checks))
        .route("/{id}/pages", get(pages::show).post(actions::pages))
        .route("/{id}/searches", get(searches::show))
        .route("/{id}/quality", get(quality::show).post(quality::save))
        .route("/{id}/quality/test", post(quality::test))
        .route("/{id}/settings", get(settings::show).post(actions::settings))
        .route("/{id}/reconnect", post(actions::reconnect))
        .route("/{id}/token", post(actions::replace_token))
        .route("/{id}/sync", post(actions::sync))
        .route("/{id}/backfill", post(actions::backfill))
        .route("/{id}/delete", post(actions::delete))
}

/// Parked leads that are counted. More are shown as "more than".
const MAX_COUNTED: usize = 100;

async fn list(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let (integrations, connections, parked, users) = tokio::try_join!(
        console.rooms.connections.integrations(&access),
        console.rooms.connections.connections(&access),
        console.rooms.leads.parked(&access, None, MAX_COUNTED),
        console.rooms.directory.describe_users(&access.scope),
    )?;
    let (integrations, connections) = (integrations.items, connections.items);
    let body = if integrations.is_empty() {
        not_connected(&visitor)
    } else {
        let disconnect = Confirm {
            id: "disconnect",
            label: &tr!("Disconnect Meta"),
            question: &tr!("Disconnect Meta?"),
            action: "/integrations/disconnect",
            act: &tr!("Disconnect"),
            open: query.confirm == "disconnect",
            sends: None,
        };
        html! {
            div.problems { (stops(&visitor, &integrations, &connections)) (delivery::parked_banner(&parked)) (silences(&connections)) (alerted(&users)) }
            h2.hidden { (tr!("Accounts")) }
            div.cards { @for integration in &integrations { (card(integration)) } }
            section {
                h2 { (tr!("Connected pages")) }
                (table(&connections, &integrations))
            }
            section.acts {
                a.button href="/webhooks" { (tr!("Webhooks to your CRM")) }
                (disconnect.show(&visitor, disconnect_consequences(&visitor, integrations.len(), connections.len())))
            }
            (help())
        }
    };
    let title = tr!("Integrations");
    let acts = html! {
        @if !integrations.is_empty() {
            a.button href="/integrations/token" { (tr!("Use a system user's token")) }
            form method="post" action="/integrations/connect" { (csrf_field(&visitor)) button.primary { (tr!("Connect another account")) } }
        }
    };
    Ok(page(&visitor, jar, Section::Integrations, PageHead::new(&title).acts(acts), &body))
}

fn not_connected(visitor: &Visitor) -> Markup {
    html! {
        (welcome(visitor))
        section { h2 { (tr!("Connected pages")) } (table(&[], &[])) }
        (help())
    }
}

/// The first thing to do in a new org.
pub(crate) fn welcome(visitor: &Visitor) -> Markup {
    html! {
        div.card.narrow.welcome {
            p.lead { (tr!("Connect Facebook, and leads from your Facebook and Instagram forms arrive here within seconds, without duplicates, for your team to work on.")) }
            form method="post" action="/integrations/connect" { (csrf_field(visitor)) button.primary { (tr!("Connect Facebook")) } }
            p.quiet { (tr!("You choose the pages at Facebook.")) " " a href="/integrations/token" { (tr!("Use a system user's token instead")) } }
        }
    }
}

/// The alerts about connections that bring no leads, or will stop doing so: one for each kind.
pub(crate) fn stops(visitor: &Visitor, integrations: &[IntegrationOut], connections: &[ConnectionOut]) -> Markup {
    let stopped: Vec<&IntegrationOut> =
        integrations.iter().filter(|it| it.status == IntegrationStatus::Error).collect();
    let works = |id: &IntegrationId| !stopped.iter().any(|it| it.id == *id);
    let pages: Vec<&ConnectionOut> =
        connections.iter().filter(|page| page.reason.is_some() && works(&page.integration_id)).collect();
    let is_told =
        |problem: &IntegrationProblem| pages.iter().any(|page| Some(&page.page_id) == problem.page_id.as_ref());
    let risks: Vec<(&IntegrationOut, &IntegrationProblem)> = integrations
        .iter()
        .filter(|it| works(&it.id))
        .flat_map(|it| it.problems.iter().map(move |problem| (it, problem)))
        .filter(|(_, problem)| problem.impact <= Impact::LeadsAtRisk && !is_told(problem))
        .collect();
    let ending: Vec<&IntegrationOut> =
        integrations.iter().filter(|it| works(&it.id) && ends_soon(it, connections)).collect();
    html! {
        @if !stopped.is_empty() {
            (alert(Tone::Bad, html! {
                @if stopped.len() > 1 {
                    p { (with_markup(&tr!("{integrations} bring no leads:"), &[("integrations", html! { b { (tr!([stopped.len()] "{n} integration" | "{n} integrations")) } })])) }
                }
                @for integration in &stopped {
                    div.stop {
                        p {
                            b { (integration.name) } ": "
                            @match &integration.reason_message { Some(message) => (message), None => (tr!("No leads can arrive.")) }
                            (consequence(integration))
                            @if let Some(fix) = fix_beside_button(integration) { " " (fix) }
                        }
                        (reconnect(visitor, integration))
                    }
                }
            }))
        }
        @if !pages.is_empty() {
            (alert(Tone::Bad, html! {
                @for page in &pages {
                    div.stop {
                        p {
                            (with_markup(&tr!("{page} brings no leads:"), &[("page", html! { b { (page.page_name) } })])) " "
                            (page.reason_message.as_deref().unwrap_or_default()) " "
                            (page.fix.as_deref().unwrap_or_default())
                        }
                        a.button.primary href=(page_path(page)) { (tr!("Open the integration")) }
                    }
                }
            }))
        }
        @if !risks.is_empty() {
            (alert(Tone::Warn, html! {
                @for (integration, problem) in &risks {
                    div.stop {
                        p { b { (integration.name) } ": " (problem.message) " " (problem.fix) }
                        a.button href={ "/integrations/" (integration.id) } { (tr!("Open the integration")) }
                    }
                }
            }))
        }
        @if !ending.is_empty() {
            (alert(Tone::Warn, html! {
                @for integration in &ending {
                    div.stop {
                        p {
                            (with_markup(
                                &tr!("{name}: expires {time}. Reconnect before then to keep leads arriving."),
                                &[("name", html! { b { (integration.name) } }), ("time", html! { @if let Some(at) = integration.expires_at { (time(at)) } })],
                            ))
                        }
                        (reconnect(visitor, integration))
                    }
                }
            }))
        }
    }
}

fn ends_soon(integration: &IntegrationOut, connections: &[ConnectionOut]) -> bool {
    connections
        .iter()
        .any(|page| page.integration_id == integration.id && page.status == ConnectionStatus::ExpiringSoon)
}

/// The way to make an integration work again: a person reconnects, a system user's token is replaced.
pub(super) fn reconnect(visitor: &Visitor, integration: &IntegrationOut) -> Markup {
    html! {
        @match integration.token_kind {
            TokenKind::User => form method="post" action={ "/integrations/" (integration.id) "/reconnect" } { (csrf_field(visitor)) button.primary { (tr!("Reconnect")) } },
            TokenKind::SystemUser => a.button.primary href=(token_path(&integration.id)) { (tr!("Replace the token")) },
        }
    }
}

/// An alert about pages that are silent for longer than usual.
pub(crate) fn silences(connections: &[ConnectionOut]) -> Markup {
    let quiet: Vec<_> = connections.iter().filter_map(|page| Some((page, page.quiet_since?))).collect();
    html! {
        @if !quiet.is_empty() {
            (alert(Tone::Warn, html! {
                @for (page, since) in &quiet {
                    div.stop {
                        p {
                            (with_markup(
                                &tr!("{page} has been unusually silent since {time}."),
                                &[("page", html! { b { (page.page_name) } }), ("time", time(*since))],
                            ))
                        }
                        a.button href={ "/integrations/" (page.integration_id) } { (tr!("Check its health")) }
                    }
                }
            }))
        }
    }
}

/// Who is mailed when a connection ends or is about to.
pub(crate) fn alerted(users: &[UserOut]) -> Markup {
    let alerted: Vec<&User> = users.iter().filter(|out| out.is_alerted()).map(|out| &out.user).collect();
    let has_admin = users.iter().any(|out| out.user.is_admin());
    let people = html! {
        @for (index, admin) in alerted.iter().enumerate() { @if index > 0 { ", " } span title=(admin.email) { (admin.name) } }
    };
    html! {
        @if alerted.is_empty() {
            (alert(Tone::Bad, html! { p {
                b { (tr!("No one is mailed when a connection ends.")) " " }
                @if has_admin {
                    @let link = html! { a href="/settings" { (tr!("See who gets mails")) } };
                    (with_markup(&tr!("Every admin has switched alerts off, or has an address that does not work. {link}."), &[("link", link)]))
                } @else { (tr!("Your CRM lists no active admin. Add a user with the role admin there.")) }
            } }))
        } @else {
            p.quiet { (with_markup(&tr!("Alerts about connections are mailed to {people}."), &[("people", people)])) }
        }
    }
}

/// The state of an integration as a badge.
pub(super) fn state_of(integration: &IntegrationOut) -> Markup {
    let ends_soon = integration.expires_at.is_some_and(|at| at <= leadwire::clock::now() + EXPIRING_SOON_PERIOD);
    worst(integration.severity, ends_soon, &tr!("Error"))
}

/// The state of a page's connection as a badge.
pub(super) fn connection_badge(connection: &ConnectionOut) -> Markup {
    let stopped = match connection.reason {
        Some(StopReason::Blocked(_)) => tr!("No leads"),
        Some(StopReason::Ended(_)) | None => tr!("Expired"),
    };
    worst(connection.severity, connection.status == ConnectionStatus::ExpiringSoon, &stopped)
}

/// The worst of what is known, in one badge. The same everywhere.
fn worst(severity: Severity, ends_soon: bool, stopped: &str) -> Markup {
    match severity {
        Severity::Error => badge(Tone::Bad, stopped),
        Severity::Warning if ends_soon => badge(Tone::Warn, &tr!("Expiring soon")),
        Severity::Warning => badge(Tone::Warn, &tr!("Needs attention")),
        Severity::Notice | Severity::Ok => badge(Tone::Good, &tr!("Active")),
    }
}

fn card(integration: &IntegrationOut) -> Markup {
    let is_minor = |problem: &&IntegrationProblem| problem.impact > Impact::LeadsAtRisk;
    let minor: Vec<&IntegrationProblem> = integration.problems.iter().filter(is_minor).collect();
    html! {
        a.card.integration href={ "/integrations/" (integration.id) } {
            span.row { b { (integration.name) } (state_of(integration)) }
            @if !integration.description.is_empty() { span.quiet { (integration.description) } }
            // What stops leads, or may, stands above all integrations.
            @if let Some(worst) = minor.first() {
                span.wrong { (worst.message) @if minor.len() > 1 { " " (tr!([minor.len() - 1] "And {n} more problem." | "And {n} more problems.")) } }
            }
            span.facts {
                span { (tr!([integration.pages_count] "{n} page" | "{n} pages")) }
                span {
                    @match integration.last_sync_at {
                        Some(at) => (with_markup(&tr!("Last new lead {time}"), &[("time", ago(at))])),
                        None => span.quiet { (tr!("No new leads yet")) },
                    }
                }
            }
        }
    }
}

fn table(connections: &[ConnectionOut], integrations: &[IntegrationOut]) -> Markup {
    // The same page can be connected by several accounts.
    let names_account = integrations.len() > 1;
    let account = |page: &ConnectionOut| {
        let found = integrations.iter().find(|integration| integration.id == page.integration_id);
        found.map_or_else(String::new, |integration| integration.name.clone())
    };
    if connections.is_empty() {
        return empty(
            &tr!("No pages connected yet"),
            html! { (tr!("Pages appear here as soon as an account is connected.")) },
        );
    }
    html! {
        div.card.flush {
            table {
                thead { tr { th { (tr!("Page")) } @if names_account { th { (tr!("Integration")) } } th { (tr!("Status")) } th { (tr!("Expires")) } th { (tr!("Connected by")) } th.number { (tr!("Leads")) } th { (tr!("Last new lead")) } } }
                tbody {
                    @for connection in connections {
                        tr {
                            td data-label=(tr!("Page")) { a href=(page_path(connection)) { (connection.page_name) } }
                            @if names_account { td data-label=(tr!("Integration")) { a href={ "/integrations/" (connection.integration_id) } { (account(connection)) } } }
                            td data-label=(tr!("Status")) { (connection_badge(connection)) }
                            td data-label=(tr!("Expires")) { @if connection.status == ConnectionStatus::Expired { "–" } @else if let Some(at) = connection.expires_at { (brief_time(at)) } @else { span.quiet { (tr!("Never")) } } }
                            td data-label=(tr!("Connected by")) {
                                @match &connection.connected_by { Some(person) => (person.name), None => span.quiet { (tr!("Unknown")) } }
                            }
                            td.number data-label=(tr!("Leads")) { (count(connection.leads_count)) }
                            td data-label=(tr!("Last new lead")) { @match connection.last_sync_at { Some(at) => (ago(at)), None => span.quiet { (tr!("None yet")) } } }
                        }
                    }
                }
            }
        }
    }
}

fn disconnect_consequences(visitor: &Visitor, integrations: usize, pages: usize) -> Markup {
    let pages = tr!([pages] "{n} page" | "{n} pages");
    html! {
        p {
            b { (visitor.org_name().unwrap_or_default()) } ": "
            @if integrations == 1 { (tr!("this disconnects the connected account with {pages}.", pages = pages)) }
            @else { (tr!("this disconnects all {accounts} connected accounts with {pages}.", accounts = count(integrations), pages = pages)) }
        }
        ul {
            li { (tr!("New leads stop immediately.")) }
            li { (tr!("Pages that no other connection uses are unsubscribed at Meta, and our copies of the access tokens are deleted.")) }
            li { (tr!("Existing leads are kept, with their history. Leads that people submit afterwards can be imported for 90 days if you connect again.")) }
            li { (tr!("Ad accounts that use one of these accounts are no longer synced.")) }
        }
    }
}

fn help() -> Markup {
    html! {
        details.help {
            summary { (tr!("What do I need to connect?")) }
            ul {
                li {
                    (with_markup(
                        &tr!("A Facebook account that can access the leads of your pages: the task {task} in Meta Business Suite, or full control."),
                        &[("task", html! { i { (tr!("Leads")) } })],
                    ))
                }
                li { (tr!("At Facebook, keep every permission selected. If one is missing, this page then says so and explains what to do.")) }
                li { (tr!("If your business uses Leads Access Manager, assign this app there as well.")) }
                li { (tr!("A connection lasts 60 days, and reconnecting keeps everything. Users with the role admin get a mail 7, 3 and 1 days before it expires.")) }
            }
        }
    }
}
