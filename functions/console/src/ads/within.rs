//! Down from campaigns to their ad sets and to these ads, and the way back up.

use leadwire::ads::parents::{AdParentOut, AdParents};
use leadwire::ads::place::{AdObjectState, AdPlace};
use leadwire::http::{Problem, fields};
use leadwire::ids::AdObjectId;
use leadwire::model::ads::currency::format_amount;
use leadwire::model::ads::object::AdObjectKind;
use leadwire::tr;
use maud::{Markup, html};

use crate::components::{Tone, badge, money};
use crate::request::ListQuery;

const CAMPAIGN: &str = "campaign_id";
const ADSET: &str = "adset_id";

impl ListQuery {
    /// The campaign and the ad set that a report is limited to.
    pub(super) fn within(&self) -> Result<AdParents, Problem> {
        let id = |name: &str| self.get(name).map(|text| fields::id(name, text, AdObjectId::parse)).transpose();
        Ok(AdParents { campaign_id: id(CAMPAIGN)?, adset_id: id(ADSET)? })
    }

    /// The same as fields of a form that chooses something else.
    pub(super) fn within_fields(&self) -> Markup {
        html! {
            @for name in [CAMPAIGN, ADSET] {
                @if let Some(id) = self.get(name) { input type="hidden" name=(name) value=(id); }
            }
        }
    }

    /// What a report is limited to: each part leads to what lies in it and can be left out.
    pub(super) fn way_up(&self, path: &str, parents: &[AdParentOut]) -> Markup {
        let name = |id: &str| {
            let parent = parents.iter().find(|parent| parent.id.as_str() == id);
            parent.and_then(|parent| parent.name.clone()).unwrap_or_else(|| id.to_owned())
        };
        let campaign = self.get(CAMPAIGN).map(|id| {
            let inside = self.at(path, &[("group_by", "adset"), (ADSET, "")]);
            (tr!("Campaign: {campaign}", campaign = name(id)), inside, self.at(path, &[(CAMPAIGN, "")]))
        });
        let adset = self.get(ADSET).map(|id| {
            let inside = self.at(path, &[("group_by", "ad")]);
            (tr!("Ad set: {adset}", adset = name(id)), inside, self.at(path, &[(ADSET, "")]))
        });
        let parts: Vec<(String, String, String)> = campaign.into_iter().chain(adset).collect();
        html! {
            @if !parts.is_empty() {
                nav.chips aria-label=(tr!("Limited to")) {
                    a.chip href=(self.at(path, &[("group_by", "campaign"), (CAMPAIGN, ""), (ADSET, "")])) { (tr!("All campaigns")) }
                    @for (words, inside, without) in &parts {
                        span.chip.part {
                            a href=(inside) title=(words) { (words) }
                            a.leave href=(without) aria-label=(tr!("Remove filter: {filter}", filter = words)) { span aria-hidden="true" { "×" } }
                        }
                    }
                }
            }
        }
    }
}

/// A campaign, an ad set or an ad as the name of a row.
pub(super) struct ObjectName<'a> {
    pub(super) kind: AdObjectKind,
    pub(super) id: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) place: &'a AdPlace,
    pub(super) state: &'a AdObjectState,
    /// Whether the page shows objects of several accounts.
    pub(super) shows_account: bool,
}

impl ObjectName<'_> {
    /// The name, which leads to what lies in the object, and whether it runs; below, what it lies in and its budget.
    pub(super) fn show(&self, query: &ListQuery, path: &str) -> Markup {
        let name = self.name.unwrap_or(self.id);
        let AdObjectState { effective_status, daily_budget, budget_currency } = self.state;
        let budget = daily_budget.zip(budget_currency.as_deref()).map(|(amount, currency)| {
            tr!("{amount} a day", amount = money(&format_amount(amount, currency), currency)).replace(' ', "\u{a0}")
        });
        let below: Vec<&str> = self.around().into_iter().chain(budget.as_deref()).collect();
        html! {
            div {
                @match self.inside(query, path) {
                    Some(inside) => a href=(inside) { (name) },
                    None => (name),
                }
                @if let Some(status) = effective_status { " " (status_badge(status)) }
            }
            @if !below.is_empty() { div.quiet { (below.join(" · ")) } }
        }
    }

    /// The address of what lies in the object.
    fn inside(&self, query: &ListQuery, path: &str) -> Option<String> {
        let campaign = self.place.campaign_id.as_deref().or(query.get(CAMPAIGN)).unwrap_or_default();
        match self.kind {
            AdObjectKind::Campaign => Some(query.at(path, &[("group_by", "adset"), (CAMPAIGN, self.id), (ADSET, "")])),
            AdObjectKind::Adset => Some(query.at(path, &[("group_by", "ad"), (CAMPAIGN, campaign), (ADSET, self.id)])),
            AdObjectKind::Ad => None,
        }
    }

    /// The names of what the object lies in, the narrowest first.
    fn around(&self) -> Vec<&str> {
        let AdPlace { account_id, account_name, campaign_id, campaign_name, adset_id, adset_name } = self.place;
        let levels = [
            (self.kind > AdObjectKind::Adset, adset_name, adset_id),
            (self.kind > AdObjectKind::Campaign, campaign_name, campaign_id),
            (self.shows_account, account_name, account_id),
        ];
        let names = levels.into_iter().filter(|(is_shown, _, _)| *is_shown);
        names.filter_map(|(_, name, id)| name.as_deref().or(id.as_deref())).collect()
    }
}

/// Meta's status in effect, in a word.
fn status_badge(status: &str) -> Markup {
    match status {
        "ACTIVE" => badge(Tone::Good, &tr!("Active")),
        "PAUSED" => badge(Tone::Dim, &tr!("Paused")),
        "CAMPAIGN_PAUSED" => badge(Tone::Dim, &tr!("Campaign paused")),
        "ADSET_PAUSED" => badge(Tone::Dim, &tr!("Ad set paused")),
        "ARCHIVED" => badge(Tone::Dim, &tr!("Archived")),
        "DELETED" => badge(Tone::Dim, &tr!("Deleted")),
        "IN_PROCESS" | "PENDING_REVIEW" => badge(Tone::Warn, &tr!("In review")),
        "PENDING_BILLING_INFO" => badge(Tone::Bad, &tr!("Billing information missing")),
        "DISAPPROVED" => badge(Tone::Bad, &tr!("Rejected by Meta")),
        "WITH_ISSUES" => badge(Tone::Bad, &tr!("Has a problem")),
        // An ad of which Meta shows nothing but numbers, and what Meta may add.
        _ => html! {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> AdPlace {
        let some = |text: &str| Some(text.to_owned());
        AdPlace {
            account_id: some("act_1"),
            account_name: some("Berlin"),
            campaign_id: some("2"),
            campaign_name: some("Spring"),
            adset_id: some("3"),
            adset_name: None,
        }
    }

    fn shown(kind: AdObjectKind, state: &AdObjectState, shows_account: bool) -> String {
        let query = ListQuery::new([("since", "2026-11-01"), ("sort", "ctr"), ("col.ctr", "yes")].into_iter());
        let name = ObjectName { kind, id: "9", name: Some("<Tents>"), place: &place(), state, shows_account };
        name.show(&query, "/ads/report").into_string()
    }

    #[test]
    fn a_name_leads_to_what_lies_in_it_with_the_same_days_columns_and_order() {
        let state = AdObjectState::default();
        let campaign = shown(AdObjectKind::Campaign, &state, false);
        let kept = "col.ctr=yes&amp;group_by=adset&amp;since=2026-11-01&amp;sort=ctr";
        assert_eq!(campaign, format!("<div><a href=\"/ads/report?campaign_id=9&amp;{kept}\">&lt;Tents&gt;</a></div>"));
        let adset = shown(AdObjectKind::Adset, &state, true);
        assert!(adset.contains("?adset_id=9&amp;campaign_id=2&amp;col.ctr=yes&amp;group_by=ad&amp;"), "{adset}");
        assert!(adset.ends_with("<div class=\"quiet\">Spring · Berlin</div>"), "{adset}");
        let ad = shown(AdObjectKind::Ad, &state, false);
        assert_eq!(ad, "<div>&lt;Tents&gt;</div><div class=\"quiet\">3 · Spring</div>", "an id stands in for a name");
    }

    #[test]
    fn an_object_says_whether_it_runs_and_what_it_may_spend() {
        let state = AdObjectState {
            effective_status: Some("CAMPAIGN_PAUSED".to_owned()),
            daily_budget: Some(20.into()),
            budget_currency: Some("EUR".to_owned()),
        };
        let adset = shown(AdObjectKind::Adset, &state, false);
        assert!(adset.contains("</a> <span class=\"badge dim\">Campaign paused</span>"), "{adset}");
        assert!(adset.ends_with("<div class=\"quiet\">Spring · 20.00\u{a0}EUR\u{a0}a\u{a0}day</div>"), "{adset}");
        let unknown = AdObjectState { effective_status: Some("UNKNOWN".to_owned()), ..AdObjectState::default() };
        assert!(!shown(AdObjectKind::Ad, &unknown, false).contains("badge"));
    }

    #[test]
    fn each_part_leads_up_and_can_be_left_out() {
        let fields = [("campaign_id", "2"), ("adset_id", "3"), ("group_by", "ad"), ("sort", "ctr")];
        let query = ListQuery::new(fields.into_iter());
        let parent = AdParentOut {
            kind: AdObjectKind::Campaign,
            id: AdObjectId::parse("2").unwrap(),
            name: Some("Spring".to_owned()),
        };
        let shown = query.way_up("/ads/report", &[parent]).into_string();
        for link in [
            "href=\"/ads/report?group_by=campaign&amp;sort=ctr\">All campaigns<",
            "href=\"/ads/report?campaign_id=2&amp;group_by=adset&amp;sort=ctr\" title=\"Campaign: Spring\"",
            "href=\"/ads/report?adset_id=3&amp;group_by=ad&amp;sort=ctr\" aria-label=\"Remove filter: Campaign: Spring\"",
            "href=\"/ads/report?campaign_id=2&amp;group_by=ad&amp;sort=ctr\" aria-label=\"Remove filter: Ad set: 3\"",
        ] {
            assert!(shown.contains(link), "{link}: {shown}");
        }
        assert_eq!(ListQuery::new([("sort", "ctr")].into_iter()).way_up("/ads/report", &[]).into_string(), "");
        let kept = query.within_fields().into_string();
        assert!(kept.contains("name=\"campaign_id\" value=\"2\"") && kept.contains("name=\"adset_id\" value=\"3\""));
        let wrong = ListQuery::new([("adset_id", "3x")].into_iter()).within().unwrap_err();
        assert_eq!((wrong.status, wrong.field.as_deref()), (400, Some("adset_id")));
    }
}
