//! One campaign: its state at Meta and in review, what went wrong, and launching and pausing it.

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::campaigns::LeadCampaignOut;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::CampaignId;
use leadwire::model::campaigns::CampaignStatus;
use maud::{Markup, html};

use super::{budget, state_badge};
use crate::components::{Confirm, Confirming, alert, csrf_field, live_fragment, refresh_in, time, time_or};
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::layout::{Section, fragment_or_page, page};
use crate::session::Admin;
use crate::state::Console;

pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Id(id): Id<CampaignId>,
    Query(Confirming { confirm }): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let campaign = console.campaigns.read(&access, &id).await?;
    let path = format!("/campaigns/{id}");
    let launch = Confirm {
        id: "launch",
        label: "Launch",
        question: "Launch this campaign?",
        action: &format!("{path}/launch"),
        act: "Launch",
        open: confirm == "launch",
    };
    let archive = Confirm {
        id: "archive",
        label: "Archive",
        question: "Archive this campaign?",
        action: &format!("{path}/archive"),
        act: "Archive",
        open: confirm == "archive",
    };
    let can_end = matches!(campaign.status, CampaignStatus::Paused | CampaignStatus::Active);
    let body = html! {
        (live_fragment(&format!("{path}/state"), &state_card(&campaign)))
        div.acts {
            @if campaign.status == CampaignStatus::Paused {
                (launch.show(&visitor, html! {
                    p { "Meta reviews the ad first, then the campaign spends up to " b { (budget(&campaign)) } "." }
                }))
            }
            @if campaign.status == CampaignStatus::Active {
                form method="post" action={ (path) "/pause" } { (csrf_field(&visitor)) button.primary { "Pause" } }
            }
            @if can_end {
                (archive.show(&visitor, html! { p { "It ends at Meta and cannot be launched again. Its leads stay." } }))
            }
            @if campaign.status == CampaignStatus::Failed { a.button.primary href="/campaigns/new" { "Create another" } }
            a.button href={ "/leads?form_id=" (campaign.form_id) } { "View its form's leads" }
        }
    };
    Ok(page(&visitor, jar, Section::Campaigns, &campaign.name, &body))
}

/// The campaign's state as a fragment, which is reloaded while it changes.
pub(super) async fn state(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Id(id): Id<CampaignId>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let campaign = console.campaigns.read(&access, &id).await?;
    let part = state_card(&campaign);
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Campaigns, &campaign.name), &part))
}

fn state_card(campaign: &LeadCampaignOut) -> Markup {
    let in_review = matches!(campaign.review.status.as_deref(), Some("PENDING_REVIEW" | "IN_PROCESS"));
    html! {
        @if campaign.status == CampaignStatus::Creating { (refresh_in(2)) }
        @else if campaign.status == CampaignStatus::Active && in_review { (refresh_in(60)) }
        @for error in &campaign.errors {
            (alert("bad", html! {
                p { (error.message) } p.fix { b { "What to do: " } (error.fix) }
            }))
        }
        @if !campaign.review.feedback.is_empty() {
            (alert("bad", html! {
                p { b { "Meta rejected the ad." } }
                ul { @for text in &campaign.review.feedback { li { (text) } } }
                p.fix { b { "What to do: " } "Create a campaign with another text or picture, or appeal in Ads Manager." }
            }))
        }
        div.card {
            dl.facts {
                div { dt { "State" } dd { (state_badge(campaign)) } }
                div { dt { "Budget" } dd { (budget(campaign)) } }
                div { dt { "Runs" } dd { (time_or(campaign.start_time, "From its launch")) " to " (time_or(campaign.end_time, "open end")) } }
                div { dt { "Shown in" } dd { (campaign.countries.join(", ")) } }
                div { dt { "Ad account" } dd { (campaign.ad_account_id) } }
                div { dt { "Lead form" } dd { (campaign.form_id) } }
                div { dt { "At Meta" } dd {
                    @match &campaign.meta.campaign_id {
                        Some(id) => a href={ "https://adsmanager.facebook.com/adsmanager/manage/campaigns?selected_campaign_ids=" (id) } rel="noreferrer" { "Campaign " (id) },
                        None => span.quiet { "Nothing yet" },
                    }
                } }
                div { dt { "Created" } dd { (time(campaign.created_at)) } }
            }
        }
    }
}

pub(super) async fn launch(Id(id): Id<CampaignId>, AdminForm { console, admin, jar, .. }: AdminForm) -> Response {
    let launched = console.campaigns.launch(&admin.access, &id).await.map_err(Problem::from);
    let outcome = launched.map(|_| "Launched. Meta reviews the ad first.".to_owned());
    redirect_with(&format!("/campaigns/{id}"), jar, outcome)
}

pub(super) async fn pause(Id(id): Id<CampaignId>, AdminForm { console, admin, jar, .. }: AdminForm) -> Response {
    let paused = console.campaigns.pause(&admin.access, &id).await.map_err(Problem::from);
    redirect_with(&format!("/campaigns/{id}"), jar, paused.map(|_| "Paused. It spends nothing now.".to_owned()))
}

pub(super) async fn archive(Id(id): Id<CampaignId>, AdminForm { console, admin, jar, .. }: AdminForm) -> Response {
    let archived = console.campaigns.archive(&admin.access, &id).await.map_err(Problem::from);
    redirect_with(&format!("/campaigns/{id}"), jar, archived.map(|_| "Archived.".to_owned()))
}
