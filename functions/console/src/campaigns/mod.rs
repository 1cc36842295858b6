//! Campaigns for lead ads: the list, the wizard that creates one with its form, and one campaign's state.

mod answers;
mod detail;
mod lead_form;
mod questions;
mod wizard;

pub(crate) use lead_form::language_name;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use leadwire::campaigns::LeadCampaignOut;
use leadwire::http::Problem;
use leadwire::model::campaigns::CampaignStatus;
use leadwire::tr;
use maud::{Markup, html};
use serde::Deserialize;

use crate::actor::Advertiser;
use crate::components::{Tone, badge, empty, money, time};
use crate::layout::{PageHead, Section, page};
use crate::state::Console;

/// Campaigns per page of the list.
const PAGE: usize = 25;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(list))
        .route("/new", get(wizard::begin).post(wizard::next))
        .route("/new/preview", post(wizard::preview))
        .route("/{id}", get(detail::show))
        .route("/{id}/state", get(detail::state))
        .route("/{id}/leads", get(detail::leads))
        .route("/{id}/launch", post(detail::launch))
        .route("/{id}/pause", post(detail::pause))
        .route("/{id}/archive", post(detail::archive))
}

#[derive(Deserialize)]
struct Position {
    cursor: Option<String>,
}

async fn list(
    State(console): State<Console>,
    Advertiser { visitor, access }: Advertiser,
    Query(position): Query<Position>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let found = console.rooms.campaigns.list(&access, position.cursor.as_deref(), PAGE).await?;
    let body = html! {
        @if found.items.is_empty() {
            (empty(&tr!("No campaigns yet"), html! {
                (tr!("A campaign shows an ad with a lead form. It is created paused and spends nothing until you launch it.")) " "
                a.button.primary href="/campaigns/new" { (tr!("Create a campaign")) }
            }))
        } @else {
            div.card.flush {
                table {
                    thead { tr { th { (tr!("Campaign")) } th { (tr!("Status")) } th.number { (tr!("Budget")) } th { (tr!("Created")) } } }
                    tbody {
                        @for campaign in &found.items {
                            tr {
                                td data-label=(tr!("Campaign")) { a href={ "/campaigns/" (campaign.id) } { (campaign.name) } }
                                td data-label=(tr!("Status")) { (state_badge(campaign)) }
                                td.number data-label=(tr!("Budget")) { (budget(campaign)) }
                                td data-label=(tr!("Created")) { (time(campaign.created_at)) }
                            }
                        }
                    }
                }
            }
            @if let Some(cursor) = &found.next_cursor {
                nav.acts aria-label=(tr!("Pages")) { a.button href={ "/campaigns?cursor=" (cursor) } { (tr!("Earlier campaigns")) } }
            }
        }
    };
    let title = tr!("Campaigns");
    // Without campaigns, the page itself says how to begin.
    let acts = html! {
        @if !found.items.is_empty() { a.button.primary href="/campaigns/new" { (tr!("Create a campaign")) } }
    };
    Ok(page(&visitor, jar, Section::Campaigns, PageHead::new(&title).acts(acts), &body))
}

/// The state in one or two words: ours, and what Meta's review says.
fn state_badge(campaign: &LeadCampaignOut) -> Markup {
    let review = campaign.review.status.as_deref().unwrap_or_default();
    match (campaign.status, review) {
        (CampaignStatus::Creating, _) => badge(Tone::Calm, &tr!("Being created")),
        (CampaignStatus::Failed, _) => badge(Tone::Bad, &tr!("Not created")),
        (CampaignStatus::Archived, _) => badge(Tone::Dim, &tr!("Archived")),
        (_, "DISAPPROVED") => badge(Tone::Bad, &tr!("Rejected by Meta")),
        (CampaignStatus::Paused, _) => badge(Tone::Calm, &tr!("Paused")),
        (CampaignStatus::Active, "PENDING_REVIEW" | "IN_PROCESS") => badge(Tone::Warn, &tr!("In review")),
        (CampaignStatus::Active, "WITH_ISSUES") => badge(Tone::Bad, &tr!("Has a problem")),
        (CampaignStatus::Active, _) => badge(Tone::Good, &tr!("Active")),
    }
}

fn budget(campaign: &LeadCampaignOut) -> String {
    match (&campaign.daily_budget, &campaign.lifetime_budget) {
        (Some(amount), _) => tr!("{amount} a day", amount = money(amount, &campaign.currency)),
        (None, Some(amount)) => tr!("{amount} in all", amount = money(amount, &campaign.currency)),
        (None, None) => String::new(),
    }
}
