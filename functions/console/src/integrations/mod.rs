//! Integrations → Meta: connecting accounts, and the state of the connections.

mod actions;
mod details;
mod fragments;
mod quality;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use leadwire::connections::{ConnectionOut, IntegrationOut, IntegrationStatus};
use leadwire::http::Problem;
use leadwire::model::connection::state::{ConnectionStatus, EndReason};
use maud::{Markup, html};

use crate::components::{Confirm, Confirming, alert, badge, count, csrf_field, empty, plural, time, time_or};
use crate::layout::{Section, page};
use crate::session::{Admin, Visitor};
use crate::state::Console;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(list))
        .route("/connect", post(actions::connect))
        .route("/return", get(actions::back_from_meta))
        .route("/token", get(actions::token_form).post(actions::paste))
        .route("/disconnect", post(actions::disconnect))
        .route("/{id}", get(details::show))
        .route("/{id}/reconnect", post(actions::reconnect))
        .route("/{id}/settings", post(actions::settings))
        .route("/{id}/pages", post(actions::pages))
        .route("/{id}/token", post(actions::replace_token))
        .route("/{id}/sync", post(actions::sync))
        .route("/{id}/backfill", post(actions::backfill))
        .route("/{id}/delete", post(actions::delete))
        .route("/{id}/health", get(fragments::health))
        .route("/{id}/runs", get(fragments::runs))
        .route("/{id}/quality", get(quality::show).post(quality::save))
        .route("/{id}/quality/test", post(quality::test))
}

/// Maximum number of parked leads that are counted. More are shown as "more than".
const MAX_COUNTED: usize = 100;

async fn list(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let integrations = console.connections.integrations(&access).await?.items;
    let connections = console.connections.connections(&access).await?.items;
    let parked = console.leads.parked(&access, None, MAX_COUNTED).await?;
    let waiting = (parked.items.len(), parked.next_cursor.is_some());
    let body = if integrations.is_empty() {
        not_connected(&visitor)
    } else {
        let disconnect = Confirm {
            id: "disconnect",
            label: "Disconnect Meta",
            question: "Disconnect Meta?",
            action: "/integrations/disconnect",
            act: "Disconnect",
            open: query.confirm == "disconnect",
        };
        html! {
            @for integration in &integrations { (ending(&visitor, integration, &connections)) }
            (problem_banner(waiting, &connections))
            h2.hidden { "Accounts" }
            div.cards { @for integration in &integrations { (card(integration)) } }
            section {
                h2 { "Connected pages" }
                (table(&connections))
            }
            section.acts {
                form method="post" action="/integrations/connect" { (csrf_field(&visitor)) button { "Connect another account" } }
                a.button href="/integrations/token" { "Use a system user's token" }
                a.button href="/webhooks" { "Webhooks to your CRM" }
                (disconnect.show(&visitor, disconnect_consequences(&visitor, integrations.len(), connections.len())))
            }
            (help())
        }
    };
    Ok(page(&visitor, jar, Section::Integrations, "Integrations", &body))
}

fn not_connected(visitor: &Visitor) -> Markup {
    html! {
        div.card.narrow.welcome {
            p.lead { "Connect Facebook, and leads from your Facebook and Instagram forms arrive here within seconds, without duplicates, for your team to work on." }
            form method="post" action="/integrations/connect" { (csrf_field(visitor)) button.primary { "Connect Facebook" } }
            p.quiet { "You choose the pages at Facebook. " a href="/integrations/token" { "Use a system user's token instead" } }
        }
        section { h2 { "Connected pages" } (table(&[])) }
        (help())
    }
}

/// An alert about a connection that has ended or is about to, with the way to continue.
fn ending(visitor: &Visitor, integration: &IntegrationOut, connections: &[ConnectionOut]) -> Markup {
    let ends_soon = connections.iter().any(|connection| {
        connection.integration_id == integration.id && connection.status == ConnectionStatus::ExpiringSoon
    });
    let is_over = integration.status == IntegrationStatus::Error;
    html! {
        @if is_over || ends_soon {
            (alert(if is_over { "bad" } else { "warn" }, html! {
                p {
                    b { (integration.name) } ": "
                    @if is_over {
                        (integration.reason_message.unwrap_or("No leads can arrive.")) " No leads arrive until it is reconnected. "
                        @if matches!(integration.reason, Some(EndReason::Checkpoint | EndReason::ConsentBlocked | EndReason::PageRoleLost)) { (integration.fix.unwrap_or_default()) }
                    } @else {
                        "expires " @if let Some(at) = integration.expires_at { (time(at)) } ". Reconnect in time to avoid an interruption."
                    }
                }
                (reconnect(visitor, integration))
            }))
        }
    }
}

/// The button that reconnects an integration.
pub(super) fn reconnect(visitor: &Visitor, integration: &IntegrationOut) -> Markup {
    let path = format!("/integrations/{}/reconnect", integration.id);
    html! { form method="post" action=(path) { (csrf_field(visitor)) button.primary { "Reconnect" } } }
}

/// An alert about what keeps leads out, or may.
fn problem_banner((parked, more): (usize, bool), connections: &[ConnectionOut]) -> Markup {
    let quiet: Vec<_> = connections.iter().filter_map(|page| Some((page, page.quiet_since?))).collect();
    html! {
        @if parked > 0 || !quiet.is_empty() {
            (alert("warn", html! {
                @if parked > 0 {
                    p {
                        b { @if more { "More than " } (count(parked)) @if parked == 1 && !more { " lead is" } @else { " leads are" } " parked: " }
                        "they could not be imported and wait here with the reason. Nothing is lost. " a href="/delivery#parked" { "See why, and try again" }
                    }
                }
                @for (page, since) in &quiet {
                    p { b { (page.page_name) } " has been silent since " (time(*since)) ", much longer than usual. "
                        a href={ "/integrations/" (page.integration_id) "#health" } { "Check its health" } }
                }
            }))
        }
    }
}

/// The state of an integration as a badge.
pub(super) fn state_of(integration: &IntegrationOut) -> Markup {
    match integration.status {
        IntegrationStatus::Active => badge("good", "Active"),
        IntegrationStatus::Error => badge("bad", "Error"),
    }
}

fn card(integration: &IntegrationOut) -> Markup {
    html! {
        a.card.integration href={ "/integrations/" (integration.id) } {
            span.row { b { (integration.name) } (state_of(integration)) }
            @if !integration.description.is_empty() { span.quiet { (integration.description) } }
            @if let Some(message) = integration.reason_message { span.wrong { (message) } }
            @if !integration.problems.is_empty() {
                span.wrong { (plural(integration.problems.len(), "problem")) " to fix" }
            }
            span.facts {
                span { (plural(integration.pages_count, "page")) }
                span { "Last lead " (time_or(integration.last_sync_at, "never")) }
            }
        }
    }
}

/// The state of a page's connection as a badge.
pub(super) fn connection_badge(connection: &ConnectionOut) -> Markup {
    match connection.status {
        ConnectionStatus::Active => badge("good", "Active"),
        ConnectionStatus::ExpiringSoon => badge("warn", "Expiring soon"),
        ConnectionStatus::Expired => badge("bad", "Expired"),
    }
}

fn table(connections: &[ConnectionOut]) -> Markup {
    if connections.is_empty() {
        return empty("No connections found", html! { "Pages appear here as soon as an account is connected." });
    }
    html! {
        div.card.flush {
            table {
                thead { tr { th { "Page" } th { "Status" } th { "Expires" } th { "Connected by" } th.number { "Leads" } th { "Last lead" } } }
                tbody {
                    @for connection in connections {
                        tr {
                            td data-label="Page" { (page_link(connection)) }
                            td data-label="Status" { (connection_badge(connection)) @if let Some(why) = connection.reason_message { div.quiet { (why) } } }
                            td data-label="Expires" { @if connection.status == ConnectionStatus::Expired { "–" } @else { (time_or(connection.expires_at, "Never")) } }
                            td data-label="Connected by" {
                                @match &connection.connected_by { Some(person) => (person.name), None => span.quiet { "Unknown" } }
                            }
                            td.number data-label="Leads" { (count(connection.leads_count)) }
                            td data-label="Last lead" { (time_or(connection.last_sync_at, "None yet")) }
                        }
                    }
                }
            }
        }
    }
}

/// The page's name, linked to the page. Anything but an `https` address is not linked.
pub(super) fn page_link(connection: &ConnectionOut) -> Markup {
    html! {
        @if connection.page_url.starts_with("https://") {
            a href=(connection.page_url) target="_blank" rel="noopener noreferrer" { (connection.page_name) }
        } @else { (connection.page_name) }
    }
}

fn disconnect_consequences(visitor: &Visitor, integrations: usize, pages: usize) -> Markup {
    html! {
        p { b { (visitor.org_name().unwrap_or_default()) } ": this disconnects " @if integrations == 1 { "the connected account" } @else { "all " (integrations) " connected accounts" }
            " with " (plural(pages, "page")) "." }
        ul {
            li { "New leads stop immediately." }
            li { "Pages that no other connection uses are unsubscribed at Meta, and our copies of the access tokens are deleted." }
            li { "Existing leads are kept, with their history. Leads that people submit afterwards can be imported for 90 days if you connect again." }
            li { "Ad accounts that use one of these accounts are no longer synced." }
        }
    }
}

fn help() -> Markup {
    html! {
        details.help {
            summary { "What do I need to connect?" }
            ul {
                li { "A Facebook account that can access the leads of your pages: the task " i { "Leads" } " in Meta Business Suite, or full control." }
                li { "At Facebook, keep every permission selected. If one is missing, this page says so afterwards, with what to do." }
                li { "If your business uses Leads Access Manager, assign this app there as well." }
                li { "A connection lasts 60 days, and reconnecting keeps everything. You get an e-mail 7, 3 and 1 days before it expires." }
            }
        }
    }
}
