//! The pages of an integration: how leads arrive from each, and which of them leads are imported from.

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::connections::{ConnectionOut, PageList};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;
use leadwire::model::connection::diagnosis::LEAD_FIELD;
use leadwire::tr;
use maud::{Markup, html};

use super::connection_badge;
use super::tabs::Tab;
use crate::actor::Admin;
use crate::components::{Tone, badge, count, csrf_field, time, time_or, with_markup};
use crate::session::Visitor;
use crate::state::Console;

/// The address of a page among the pages of its integration.
pub(super) fn page_path(page: &ConnectionOut) -> String {
    format!("{}#page-{}", Tab::Pages.path(&page.integration_id), page.page_id)
}

pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Id(id): Id<IntegrationId>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let (integration, pages) = tokio::try_join!(
        console.rooms.connections.integration(&access, &id),
        console.rooms.connections.pages(&access, &id)
    )?;
    let body = html! {
        (table(&pages.items))
        (choose(&visitor, &Tab::Pages.path(&id), &pages))
    };
    Ok(Tab::Pages.page(&visitor, jar, &integration, &body))
}

fn table(pages: &[ConnectionOut]) -> Markup {
    html! {
        @if pages.is_empty() {
            div.empty { h2 { (tr!("No pages")) } p { (tr!("Reconnect and select the pages at Facebook.")) } }
        } @else {
            div.card.flush {
                table.report {
                    thead { tr { th { (tr!("Page")) } th { (tr!("Status")) } th { (tr!("Webhook subscription")) } th.number { (tr!("Leads")) } th.number { (tr!("Recovered")) } th { (tr!("Last new lead")) } th { (tr!("Last checked")) } } }
                    tbody { @for page in pages { (row(page)) } }
                }
            }
        }
    }
}

fn row(page: &ConnectionOut) -> Markup {
    let is_subscribed = page.subscribed_fields.iter().any(|field| field == LEAD_FIELD);
    html! {
        tr id={ "page-" (page.page_id) } {
            td data-label=(tr!("Page")) {
                b { (page.page_name) }
                // Meta reports the address. Anything but an `https` address is not linked.
                @if page.page_url.starts_with("https://") {
                    div { a.quiet href=(page.page_url) target="_blank" rel="noopener noreferrer" { (tr!("Open on Facebook")) span.hidden { ": " (page.page_name) } } }
                }
            }
            td data-label=(tr!("Status")) {
                (connection_badge(page))
                @if let Some(why) = &page.reason_message { div.quiet { (why) " " (page.fix.as_deref().unwrap_or_default()) } }
                @if let Some(since) = page.quiet_since { div.wrong { (with_markup(&tr!("Unusually silent since {time}"), &[("time", time(since))])) } }
            }
            td data-label=(tr!("Webhook subscription")) {
                @if is_subscribed { (badge(Tone::Good, &tr!("Subscribed"))) } @else { (badge(Tone::Bad, &tr!("Not subscribed"))) }
                @if let Some(at) = page.last_webhook_at { div.quiet { (with_markup(&tr!("Last webhook {time}"), &[("time", time(at))])) } }
            }
            td.number data-label=(tr!("Leads")) { (count(page.leads_count)) }
            td.number data-label=(tr!("Recovered")) { (count(page.found_by.sweep)) }
            td data-label=(tr!("Last new lead")) { (time_or(page.last_sync_at, &tr!("None yet"))) }
            td data-label=(tr!("Last checked")) { (time_or(page.swept_until, &tr!("Not yet"))) }
        }
    }
}

fn choose(visitor: &Visitor, path: &str, pages: &PageList) -> Markup {
    html! {
        @if pages.items.len() > 1 || !pages.available.is_empty() {
            details {
                summary {
                    @if pages.available.is_empty() { (tr!("Choose pages")) }
                    @else { (tr!("Choose pages ({number} more at Meta)", number = count(pages.available.len()))) }
                }
                form.card method="post" action=(path) {
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
