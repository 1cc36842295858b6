//! One campaign: its state at Meta and in review, its leads, what went wrong, and launching and pausing it.

use std::borrow::Cow;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::campaigns::LeadCampaignOut;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::{CampaignId, OrgScope};
use leadwire::language::translate;
use leadwire::model::campaigns::{AdImage, CampaignStatus};
use leadwire::model::lead::query::LeadQuery;
use leadwire::tr;
use maud::{Markup, html};

use super::answers::{field_name, own_field, step_of};
use super::questions::render_ad;
use super::{budget, state_badge};
use crate::actor::Advertiser;
use crate::components::{
    Confirm, Confirming, Tone, alert, csrf_field, lazy_fragment, live_fragment, refresh_in, time, time_or, with_markup,
};
use crate::countries;
use crate::flash::redirect_with;
use crate::form::Submitted;
use crate::layout::{Section, fragment_or_page, page};
use crate::session::Visitor;
use crate::state::Console;

/// A campaign with the names that its page shows.
struct Shown<'a> {
    visitor: &'a Visitor,
    campaign: &'a LeadCampaignOut,
    page_name: &'a str,
    /// The dialog to show as open.
    confirm: &'a str,
}

pub(super) async fn show(
    State(console): State<Console>,
    advertiser: Advertiser,
    Id(id): Id<CampaignId>,
    Query(Confirming { confirm }): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let (title, part) = render(&console, &advertiser, &id, &confirm).await?;
    let body = live_fragment(&format!("/campaigns/{id}/state"), &part);
    Ok(page(&advertiser.visitor, jar, Section::Campaigns, &title, &body))
}

/// The same as a fragment, which the script loads again as long as Meta is at it.
pub(super) async fn state(
    State(console): State<Console>,
    advertiser: Advertiser,
    Id(id): Id<CampaignId>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let (title, part) = render(&console, &advertiser, &id, "").await?;
    Ok(fragment_or_page(&headers, &advertiser.visitor, jar, (Section::Campaigns, &title), &part))
}

async fn render(
    console: &Console,
    Advertiser { visitor, access }: &Advertiser,
    id: &CampaignId,
    confirm: &str,
) -> Result<(String, Markup), Problem> {
    let campaign = console.rooms.campaigns.read(access, id).await?;
    let pages = console.rooms.leads.pages(&access.scope).await?;
    let page_name = pages.get(&campaign.page_id).map_or("", String::as_str);
    let part = Shown { visitor, campaign: &campaign, page_name, confirm }.render();
    Ok((campaign.name, part))
}

/// How many leads the campaign has brought.
pub(super) async fn leads(
    State(console): State<Console>,
    Advertiser { visitor, access }: Advertiser,
    Id(id): Id<CampaignId>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let campaign = console.rooms.campaigns.read(&access, &id).await?;
    let part = count_leads(&console, &access.scope, &visitor, &campaign).await?;
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Campaigns, &campaign.name), &part))
}

async fn count_leads(
    console: &Console,
    scope: &OrgScope,
    visitor: &Visitor,
    campaign: &LeadCampaignOut,
) -> Result<Markup, Problem> {
    /// More are not counted: each count reads them.
    const MAX: usize = 100;
    let none_yet = || html! { span.quiet { (tr!("leads" => "None yet")) } };
    let Some(id) = &campaign.meta.campaign_id else { return Ok(none_yet()) };
    let query = LeadQuery {
        page_id: Some(campaign.page_id.clone()),
        form_id: Some(campaign.form_id.clone()),
        campaign_id: Some(id.to_string()),
        from: Some(campaign.created_at),
        ..LeadQuery::default()
    };
    let found = console.rooms.leads.list(scope, &query, None, MAX).await?;
    let (number, has_more) = (found.items.len(), found.next_cursor.is_some());
    let words = if has_more {
        tr!([number] "More than {n} lead" | "More than {n} leads")
    } else {
        tr!([number] "{n} lead" | "{n} leads")
    };
    let path = format!("/leads?page_id={}&form_id={}&campaign_id={id}", campaign.page_id, campaign.form_id);
    Ok(html! {
        @if number == 0 && !has_more { (none_yet()) }
        @else if visitor.may(leadwire::model::org::Permission::LeadManagement) { a href=(path) { (words) } }
        @else { (words) }
    })
}

impl Shown<'_> {
    fn render(&self) -> Markup {
        let campaign = self.campaign;
        html! {
            @if campaign.status == CampaignStatus::Creating { (refresh_in(2)) }
            @else if campaign.status == CampaignStatus::Active && self.is_in_review() { (refresh_in(60)) }
            (self.failures())
            (self.review())
            div.columns {
                div {
                    div.card { (self.facts()) (self.acts()) }
                    details.card { summary { (tr!("What was created at Meta")) } (self.objects()) }
                }
                aside aria-label=(tr!("The ad")) { h2 { (tr!("The ad")) } (self.ad()) }
            }
        }
    }

    fn is_in_review(&self) -> bool {
        matches!(self.campaign.review.status.as_deref(), Some("PENDING_REVIEW" | "IN_PROCESS"))
    }

    /// What Meta refused, by the wizard's field.
    fn failures(&self) -> Markup {
        let id = &self.campaign.id;
        html! {
            @for error in &self.campaign.errors {
                @let field = error.field.as_deref().map(own_field);
                (alert(Tone::Bad, html! {
                    p {
                        @if let Some(name) = field.as_deref().and_then(field_name) { b { (name) ": " } }
                        (translate(&error.message))
                    }
                    p.fix { b { (tr!("What to do:")) " " } (translate(&error.fix)) }
                    @if self.campaign.status == CampaignStatus::Failed {
                        a.button href={ "/campaigns/new?copy=" (id) "&step=" (step_of(field.as_deref())) } { (tr!("Change it and create it again")) }
                    }
                }))
            }
        }
    }

    /// What Meta's review says, if a member has to act on it.
    fn review(&self) -> Markup {
        let review = &self.campaign.review;
        let (tone, heading, fix) = match review.status.as_deref() {
            _ if self.campaign.status == CampaignStatus::Archived => return html! {},
            Some("DISAPPROVED") => (
                Tone::Bad,
                tr!("Meta rejected the ad."),
                tr!(
                    "Create a campaign with another text or picture. If Meta is wrong, ask for another review in Ads Manager."
                ),
            ),
            Some("WITH_ISSUES") => (
                Tone::Bad,
                tr!("Meta does not show the ad."),
                tr!("Open the campaign in Ads Manager: it says what is missing."),
            ),
            Some("PENDING_BILLING_INFO") => (
                Tone::Bad,
                tr!("The ad account cannot pay."),
                tr!("Add a valid payment method to the ad account in Meta's billing settings."),
            ),
            _ if !review.feedback.is_empty() => {
                (Tone::Warn, tr!("Meta's review has feedback on the ad."), tr!("Open the campaign in Ads Manager."))
            }
            _ => return html! {},
        };
        html! {
            (alert(tone, html! {
                p { b { (heading) } }
                @if !review.feedback.is_empty() { ul { @for text in &review.feedback { li { (feedback_words(text)) } } } }
                p.fix { b { (tr!("What to do:")) " " } (fix) }
                @if review.status.as_deref() == Some("DISAPPROVED") {
                    a.button href={ "/campaigns/new?copy=" (self.campaign.id) "&step=4" } { (tr!("Create it with another ad")) }
                }
            }))
        }
    }

    fn facts(&self) -> Markup {
        let campaign = self.campaign;
        let is_made = campaign.meta.campaign_id.is_some();
        html! {
            dl.rows {
                div { dt { (tr!("Status")) } dd {
                    (state_badge(campaign))
                    @if campaign.status == CampaignStatus::Creating { " " span.quiet { (tr!("Meta is creating it. This takes up to a minute.")) } }
                } }
                @if is_made { div { dt { (tr!("Review")) } dd { (review_words(campaign)) } } }
                @if is_made { div { dt { (tr!("Leads")) } dd { (lazy_fragment(&format!("/campaigns/{}/leads", campaign.id), &tr!("Counting…"))) } } }
                div { dt { (tr!("Budget")) } dd { (budget(campaign)) } }
                div { dt { (tr!("from when to when a campaign runs" => "Runs")) } dd { (with_markup(&tr!("{from} – {to}"), &[
                    ("from", time_or(campaign.start_time, &tr!("From launch"))),
                    ("to", time_or(campaign.end_time, &tr!("no end date"))),
                ])) } }
                div { dt { (tr!("Shown in")) } dd { (countries::names(&campaign.countries)) @if let Some(ages) = self.ages() { ", " (ages) } } }
                div { dt { (tr!("Page")) } dd { @if self.page_name.is_empty() { (campaign.page_id) } @else { (self.page_name) } } }
                div { dt { (tr!("Ad account")) } dd { (campaign.names.ad_account.as_deref().unwrap_or(campaign.ad_account_id.as_str())) } }
                @let form = campaign.names.form.as_deref().unwrap_or(campaign.form_id.as_str());
                div { dt { (tr!("Lead form")) } dd {
                    @if self.visitor.is_admin() { a href={ "/forms/" (campaign.form_id) } { (form) } } @else { (form) }
                } }
                div { dt { (tr!("Created")) } dd { (time(campaign.created_at)) } }
            }
        }
    }

    fn ages(&self) -> Option<String> {
        let targeting = &self.campaign.targeting;
        let (from, to) = (targeting.age_min, targeting.age_max);
        (from.is_some() || to.is_some()).then(|| match to.filter(|to| *to < 65) {
            Some(to) => tr!("ages {from} to {to}", from = from.unwrap_or(18), to = to),
            None => tr!("ages {from} and older", from = from.unwrap_or(18)),
        })
    }

    fn acts(&self) -> Markup {
        let path = format!("/campaigns/{}", self.campaign.id);
        let status = self.campaign.status;
        let archive = Confirm {
            id: "archive",
            label: &tr!("Archive"),
            question: &tr!("Archive this campaign?"),
            action: &format!("{path}/archive"),
            act: &tr!("Archive"),
            open: self.confirm == "archive",
            sends: None,
        };
        html! {
            div.acts {
                @if status == CampaignStatus::Paused {
                    form method="post" action={ (path) "/launch" } { (csrf_field(self.visitor)) button.primary { (tr!("Launch")) } }
                }
                @if status == CampaignStatus::Active {
                    form method="post" action={ (path) "/pause" } { (csrf_field(self.visitor)) button.primary { (tr!("Pause")) } }
                }
                @if matches!(status, CampaignStatus::Paused | CampaignStatus::Active) {
                    (archive.show(self.visitor, html! { p { (tr!("It ends at Meta and cannot be launched again. Its leads stay.")) } }))
                }
                @if status != CampaignStatus::Creating {
                    a.button href={ "/campaigns/new?copy=" (self.campaign.id) } { (tr!("Duplicate")) }
                }
            }
            @if status == CampaignStatus::Paused {
                p.quiet { (tr!("After the launch, Meta reviews the ad first. Then the campaign spends up to {budget}.", budget = budget(self.campaign))) }
            }
        }
    }

    fn objects(&self) -> Markup {
        let meta = &self.campaign.meta;
        let objects = [
            (tr!("Campaign"), &meta.campaign_id),
            (tr!("Ad set"), &meta.adset_id),
            (tr!("Creative"), &meta.creative_id),
            (tr!("Ad"), &meta.ad_id),
        ];
        html! {
            dl.rows {
                @for (name, id) in objects {
                    div { dt { (name) } dd { @match id { Some(id) => code { (id) }, None => span.quiet { (tr!("an object at Meta" => "None")) } } } }
                }
            }
            @if let Some(id) = &meta.campaign_id {
                p { a href={ "https://adsmanager.facebook.com/adsmanager/manage/campaigns?act=" (self.campaign.ad_account_id.as_str().trim_start_matches("act_")) "&selected_campaign_ids=" (id) } rel="noreferrer" { (tr!("Open in Ads Manager")) } }
            }
        }
    }

    fn ad(&self) -> Markup {
        let creative = &self.campaign.creative;
        let image = match &creative.image {
            AdImage::Url(url) => Some(url.as_str()),
            AdImage::Hash(_) => None,
        };
        let page: Cow<'_, str> =
            if self.page_name.is_empty() { tr!("Your page") } else { Cow::Borrowed(self.page_name) };
        render_ad(&page, &creative.message, creative.headline.as_deref(), image, creative.call_to_action)
    }
}

/// What Meta's review says, in words.
fn review_words(campaign: &LeadCampaignOut) -> Cow<'static, str> {
    match campaign.review.status.as_deref() {
        None if campaign.status == CampaignStatus::Archived => tr!("a review" => "No longer reviewed"),
        None => tr!("Not started yet"),
        Some("PENDING_REVIEW" | "IN_PROCESS") => tr!("Meta is reviewing the ad, usually within a day"),
        Some("DISAPPROVED") => tr!("Rejected"),
        Some("WITH_ISSUES") => tr!("Not shown"),
        Some("PENDING_BILLING_INFO") => tr!("Waiting for a payment method"),
        Some(_) if campaign.status == CampaignStatus::Archived => tr!("a review" => "No longer reviewed"),
        Some(_) => tr!("Passed"),
    }
}

/// "Personal attributes: Not about you" for `PERSONAL_ATTRIBUTES: Not about you`.
fn feedback_words(text: &str) -> String {
    let Some((policy, rest)) = text.split_once(": ") else { return text.to_owned() };
    if policy.is_empty() || !policy.chars().all(|char| char.is_ascii_uppercase() || char == '_') {
        return text.to_owned();
    }
    let (first, others) = policy.split_at(1);
    format!("{first}{}: {rest}", others.to_lowercase().replace('_', " "))
}

pub(super) async fn launch(
    Id(id): Id<CampaignId>,
    Submitted { console, actor, jar, .. }: Submitted<Advertiser>,
) -> Response {
    let launched = console.rooms.campaigns.launch(&actor.access, &id).await.map_err(Problem::from);
    let outcome = launched.map(|_| tr!("Launched. Meta reviews the ad first.").into_owned());
    redirect_with(&format!("/campaigns/{id}"), jar, outcome)
}

pub(super) async fn pause(
    Id(id): Id<CampaignId>,
    Submitted { console, actor, jar, .. }: Submitted<Advertiser>,
) -> Response {
    let paused = console.rooms.campaigns.pause(&actor.access, &id).await.map_err(Problem::from);
    redirect_with(&format!("/campaigns/{id}"), jar, paused.map(|_| tr!("Paused. It spends nothing now.").into_owned()))
}

pub(super) async fn archive(
    Id(id): Id<CampaignId>,
    Submitted { console, actor, jar, .. }: Submitted<Advertiser>,
) -> Response {
    let archived = console.rooms.campaigns.archive(&actor.access, &id).await.map_err(Problem::from);
    let outcome = archived.map(|_| tr!("Archived. It has ended at Meta.").into_owned());
    redirect_with(&format!("/campaigns/{id}"), jar, outcome)
}
