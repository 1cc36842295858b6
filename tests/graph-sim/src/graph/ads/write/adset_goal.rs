//! What an ad set optimizes for, where it leads people, and what it promotes.

use serde_json::{Map, Value};

use super::rules;
use super::site::{self, text_at};
use crate::graph::error::GraphError;
use crate::graph::rejection::Refused;
use crate::graph::session::Call;

pub(super) const GOALS: &[&str] = &[
    "ADVERTISER_SILOED_VALUE",
    "AD_RECALL_LIFT",
    "APP_INSTALLS",
    "APP_INSTALLS_AND_OFFSITE_CONVERSIONS",
    "AUTOMATIC_OBJECTIVE",
    "CONVERSATIONS",
    "DERIVED_EVENTS",
    "ENGAGED_PAGE_VIEWS",
    "ENGAGED_USERS",
    "EVENT_RESPONSES",
    "IMPRESSIONS",
    "IN_APP_VALUE",
    "LANDING_PAGE_VIEWS",
    "LEAD_GENERATION",
    "LINK_CLICKS",
    "MEANINGFUL_CALL_ATTEMPT",
    "MESSAGING_APPOINTMENT_CONVERSION",
    "MESSAGING_PURCHASE_CONVERSION",
    "NONE",
    "OFFSITE_CONVERSIONS",
    "PAGE_LIKES",
    "POST_ENGAGEMENT",
    "PROFILE_AND_PAGE_ENGAGEMENT",
    "PROFILE_VISIT",
    "QUALITY_CALL",
    "QUALITY_LEAD",
    "REACH",
    "REMINDERS_SET",
    "SUBSCRIBERS",
    "THRUPLAY",
    "VALUE",
    "VISIT_INSTAGRAM_PROFILE",
];
pub(super) const BILLING_EVENTS: &[&str] = &[
    "APP_INSTALLS",
    "CLICKS",
    "IMPRESSIONS",
    "LINK_CLICKS",
    "LISTING_INTERACTION",
    "NONE",
    "OFFER_CLAIMS",
    "PAGE_LIKES",
    "POST_ENGAGEMENT",
    "PURCHASE",
    "THRUPLAY",
];
pub(super) const DESTINATIONS: &[&str] = &[
    "APP",
    "APPLINKS_AUTOMATIC",
    "FACEBOOK",
    "FACEBOOK_LIVE",
    "FACEBOOK_PAGE",
    "IMAGINE",
    "INSTAGRAM_DIRECT",
    "INSTAGRAM_LIVE",
    "INSTAGRAM_PROFILE",
    "INSTAGRAM_PROFILE_AND_FACEBOOK_PAGE",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER",
    "MESSAGING_INSTAGRAM_DIRECT_MESSENGER_WHATSAPP",
    "MESSAGING_INSTAGRAM_DIRECT_WHATSAPP",
    "MESSAGING_MESSENGER_WHATSAPP",
    "MESSENGER",
    "ON_AD",
    "ON_EVENT",
    "ON_PAGE",
    "ON_POST",
    "ON_VIDEO",
    "SHOP_AUTOMATIC",
    "WEBSITE",
    "WHATSAPP",
];
/// Goals that no campaign offers any more. (The list is unconfirmed.)
const RETIRED: &[&str] = &["ADVERTISER_SILOED_VALUE", "APP_INSTALLS_AND_OFFSITE_CONVERSIONS", "EVENT_RESPONSES"];
/// Goals that need an instant form or a conversation on Meta.
const LEAD_GOALS: &[&str] = &["LEAD_GENERATION", "QUALITY_LEAD"];

/// The goals of each objective.
fn goals(objective: &str) -> &'static [&'static str] {
    match objective {
        "OUTCOME_LEADS" => &[
            "LEAD_GENERATION",
            "QUALITY_LEAD",
            "OFFSITE_CONVERSIONS",
            "LANDING_PAGE_VIEWS",
            "LINK_CLICKS",
            "REACH",
            "IMPRESSIONS",
            "CONVERSATIONS",
            "QUALITY_CALL",
        ],
        "OUTCOME_SALES" => &[
            "OFFSITE_CONVERSIONS",
            "VALUE",
            "LANDING_PAGE_VIEWS",
            "LINK_CLICKS",
            "REACH",
            "IMPRESSIONS",
            "CONVERSATIONS",
            "MESSAGING_PURCHASE_CONVERSION",
            "QUALITY_CALL",
        ],
        "OUTCOME_TRAFFIC" => &[
            "LINK_CLICKS",
            "LANDING_PAGE_VIEWS",
            "REACH",
            "IMPRESSIONS",
            "CONVERSATIONS",
            "QUALITY_CALL",
            "PROFILE_VISIT",
            "VISIT_INSTAGRAM_PROFILE",
        ],
        "OUTCOME_ENGAGEMENT" => &[
            "POST_ENGAGEMENT",
            "PAGE_LIKES",
            "REMINDERS_SET",
            "THRUPLAY",
            "REACH",
            "IMPRESSIONS",
            "CONVERSATIONS",
            "LINK_CLICKS",
            "LANDING_PAGE_VIEWS",
            "OFFSITE_CONVERSIONS",
            "QUALITY_CALL",
            "PROFILE_AND_PAGE_ENGAGEMENT",
        ],
        "OUTCOME_AWARENESS" => &["REACH", "IMPRESSIONS", "AD_RECALL_LIFT", "THRUPLAY"],
        _ => &["APP_INSTALLS", "OFFSITE_CONVERSIONS", "LINK_CLICKS", "VALUE", "IN_APP_VALUE"],
    }
}

/// The part of an ad set that this file is about.
pub(super) struct Aim {
    pub(super) objective: String,
    pub(super) goal: String,
    pub(super) billing: String,
    pub(super) destination: Option<String>,
    pub(super) promoted: Map<String, Value>,
}

impl Aim {
    /// Whether the ads need an instant form.
    pub(super) fn needs_form(&self) -> bool {
        match self.destination.as_deref() {
            Some("ON_AD") => true,
            None | Some("UNDEFINED") => LEAD_GOALS.contains(&self.goal.as_str()),
            Some(_) => false,
        }
    }

    pub(super) fn page_id(&self) -> Option<String> {
        text_at(&Value::Object(self.promoted.clone()), "page_id")
    }

    /// Checks that goal, destination and billing fit the campaign's objective.
    ///
    /// # Errors
    /// Returns 3858327, 1815715 or 2490408, or 100 for the billing event.
    pub(super) fn check_goal(&self) -> Result<(), Refused> {
        let goal = self.goal.as_str();
        if RETIRED.contains(&goal) {
            return Err(rules::GOAL_RETIRED.broken(&["optimization_goal"], goal));
        }
        if self.destination.as_deref() == Some("ON_AD") && self.objective != "OUTCOME_LEADS" {
            return Err(rules::ON_AD_OBJECTIVE.broken_by("destination_type"));
        }
        let on_ad_without_leads = self.destination.as_deref() == Some("ON_AD") && !LEAD_GOALS.contains(&goal);
        let leads_on_website = self.destination.as_deref() == Some("WEBSITE") && LEAD_GOALS.contains(&goal);
        if !goals(&self.objective).contains(&goal) || on_ad_without_leads || leads_on_website {
            return Err(rules::GOAL_UNAVAILABLE.broken(&["optimization_goal"], goal));
        }
        let own = ["LINK_CLICKS", "THRUPLAY", "PAGE_LIKES", "POST_ENGAGEMENT"].contains(&goal) && self.billing == goal;
        if self.billing == "IMPRESSIONS" || own {
            Ok(())
        } else {
            Err(rules::BILLING_UNAVAILABLE.broken(&["billing_event"], &self.billing))
        }
    }

    /// Checks that the promoted object is there, that the token's owner may advertise for its page, and that the page
    /// may run lead ads.
    ///
    /// # Errors
    /// Returns 1815430 without what the goal needs, 100/33 or 200 for the page, 1815089 for its terms.
    pub(super) fn check_promoted(&self, call: &Call<'_>) -> Result<(), Refused> {
        let promoted = Value::Object(self.promoted.clone());
        let has = |names: &[&str]| names.iter().any(|name| text_at(&promoted, name).is_some());
        let fits = match self.goal.as_str() {
            "OFFSITE_CONVERSIONS" | "VALUE" => has(&["pixel_id", "custom_conversion_id", "application_id"]),
            "APP_INSTALLS" | "IN_APP_VALUE" => has(&["application_id"]),
            "CONVERSATIONS" | "PAGE_LIKES" => has(&["page_id"]),
            _ => !self.needs_form() || has(&["page_id"]),
        };
        if !fits {
            return Err(rules::PROMOTED_OBJECT_MISSING.broken_by("promoted_object"));
        }
        let Some(page_id) = self.page_id() else { return Ok(()) };
        site::check_page(call, &page_id)?;
        if !self.needs_form() {
            return Ok(());
        }
        let page = call.world.pages.get(&page_id).ok_or_else(|| GraphError::not_visible("post", &page_id))?;
        if page.lead_terms_accepted {
            Ok(())
        } else {
            Err(rules::LEAD_TERMS.broken(&["promoted_object.page_id"], &page_id))
        }
    }
}
