//! What the sweep remembers of a page, so that it asks Meta only about forms that may have new leads.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{FormId, PageId};

/// Meta's counts of a form's leads: all, expired, organic. Any change can mean a new lead.
pub type LeadCounts = [u64; 3];

/// A form is listed for this long after its counts moved by more leads than were listed, because Meta's lists can lag
/// behind its counts.
const LISTING_LAG: SignedDuration = SignedDuration::from_hours(1);
/// Every form is listed this often, whatever its counts, because Meta promises nothing about them.
const FULL_SEARCH_INTERVAL: SignedDuration = SignedDuration::from_hours(6);
/// The full searches of the pages are spread over this time.
const FULL_SEARCH_SPREAD_S: u64 = 5_400;

/// How far the regular searches of one page have come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepProgress {
    /// The forms that have leads, or had unknown ones. A form that is not among them had no leads.
    #[serde(default)]
    pub forms: BTreeMap<FormId, CountedForm>,
    /// When every form was last listed.
    pub full_at: Option<Timestamp>,
}

/// A form's leads, as last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedForm {
    /// Meta's counts when all listed leads were known. `None` if some were not.
    #[serde(rename = "c")]
    pub counts: Option<LeadCounts>,
    /// When the counts last moved.
    #[serde(rename = "at")]
    pub moved_at: Timestamp,
    /// Whether as many leads were listed then as the counts had moved by.
    #[serde(rename = "all", default)]
    pub all_listed: bool,
}

/// What a search found of one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormSearch {
    /// Whether all listed leads are known.
    pub all_known: bool,
    /// How many of them were submitted since the form's counts last moved.
    pub recent: u64,
}

impl SweepProgress {
    /// Returns whether every form is due. The interval differs a little from page to page.
    #[must_use]
    pub fn is_full_search_due(&self, page: &PageId, now: Timestamp) -> bool {
        let number: u64 = page.as_str().bytes().fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let earlier = SignedDuration::from_secs(i64::try_from(number % FULL_SEARCH_SPREAD_S).unwrap_or(0));
        self.full_at.is_none_or(|at| now.duration_since(at) >= FULL_SEARCH_INTERVAL - earlier)
    }

    /// Returns whether a form may have leads that are not known. Without counts from Meta, it always may.
    #[must_use]
    pub fn is_due(&self, form: &FormId, counts: Option<LeadCounts>, now: Timestamp) -> bool {
        match (self.forms.get(form), counts) {
            (_, None) => true,
            (None, Some(counts)) => counts != LeadCounts::default(),
            (Some(known), counts) => {
                known.counts != counts || (!known.all_listed && now.duration_since(known.moved_at) < LISTING_LAG)
            }
        }
    }

    /// Returns when a form's counts last moved, as far as is known.
    #[must_use]
    pub fn moved_at(&self, form: &FormId) -> Option<Timestamp> {
        self.forms.get(form).map(|known| known.moved_at)
    }

    /// Records the search of a form.
    pub fn set_searched(&mut self, form: &FormId, counts: Option<LeadCounts>, search: FormSearch, now: Timestamp) {
        let counts = counts.filter(|_| search.all_known);
        let before = self.forms.get(form);
        if before.map_or(Some(LeadCounts::default()), |known| known.counts) == counts {
            return;
        }
        let all = |counts: Option<LeadCounts>| counts.map(|[all, ..]| all);
        let moved_by = before.and_then(|known| Some(all(counts)?.saturating_sub(all(known.counts)?)));
        let all_listed = moved_by.is_some_and(|moved_by| search.recent >= moved_by);
        self.forms.insert(form.clone(), CountedForm { counts, moved_at: now, all_listed });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(id: &str) -> FormId {
        FormId::parse(id).unwrap()
    }

    fn listed(recent: u64) -> FormSearch {
        FormSearch { all_known: true, recent }
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn a_form_is_asked_while_its_counts_move_and_longer_if_its_list_does_not_show_why() {
        let mut progress = SweepProgress::default();
        let (quiet, busy) = (form("1"), form("2"));
        assert!(!progress.is_due(&quiet, Some([0, 0, 0]), at(0)), "it never had a lead");
        assert!(progress.is_due(&quiet, None, at(0)), "Meta gave no counts");
        assert!(progress.is_due(&busy, Some([5, 0, 0]), at(0)), "never listed");
        progress.set_searched(&busy, Some([5, 0, 0]), listed(5), at(0));
        assert!(progress.is_due(&busy, Some([5, 0, 0]), at(59)), "which leads are the five is not known");
        assert!(!progress.is_due(&busy, Some([5, 0, 0]), at(60)));
        assert!(progress.is_due(&busy, Some([5, 1, 0]), at(60)), "one expired, and another may have come");
        progress.set_searched(&busy, Some([5, 0, 0]), listed(0), at(60));
        assert!(!progress.is_due(&busy, Some([5, 0, 0]), at(61)), "the same counts again are no movement");
        progress.set_searched(&busy, Some([7, 0, 0]), listed(2), at(75));
        assert!(!progress.is_due(&busy, Some([7, 0, 0]), at(76)), "the two are listed");
        progress.set_searched(&busy, Some([9, 0, 0]), listed(1), at(90));
        assert!(progress.is_due(&busy, Some([9, 0, 0]), at(149)), "the list lags behind the count");
        assert!(!progress.is_due(&busy, Some([9, 0, 0]), at(150)));
    }

    #[test]
    fn a_form_with_unknown_leads_stays_due_until_they_are_known() {
        let mut progress = SweepProgress::default();
        progress.set_searched(&form("1"), Some([0, 0, 0]), FormSearch { all_known: false, recent: 1 }, at(0));
        assert!(progress.is_due(&form("1"), Some([0, 0, 0]), at(600)), "a test lead is not counted, but listed");
        progress.set_searched(&form("1"), Some([0, 0, 0]), listed(1), at(600));
        assert!(!progress.is_due(&form("1"), Some([0, 0, 0]), at(700)));
    }

    #[test]
    fn every_page_is_searched_in_full_a_few_times_a_day_and_not_all_at_once() {
        let page = |id: u64| PageId::parse(&id.to_string()).unwrap();
        let searched = SweepProgress { full_at: Some(at(0)), ..SweepProgress::default() };
        assert!(SweepProgress::default().is_full_search_due(&page(1), at(0)));
        let due = |minutes| (1..500).filter(|id| searched.is_full_search_due(&page(id * 7_919), at(minutes))).count();
        assert_eq!((due(269), due(360)), (0, 499));
        assert!((100..400).contains(&due(315)), "about half of them after half of the spread: {}", due(315));
    }

    #[test]
    fn five_hundred_forms_and_two_leads_stay_far_below_the_quota() {
        // Meta allows 4,800 calls in 24 hours for each lead of the last 90 days.
        let (mut progress, page) = (SweepProgress::default(), PageId::parse("7").unwrap());
        let mut calls = 0;
        for sweep in 0..96 {
            let now = at(sweep * 15);
            calls += 5; // the list of forms, 100 at a time
            let is_full = progress.is_full_search_due(&page, now);
            for id in 0..500_u64 {
                let counts = Some(if id < 2 && sweep > 50 { [1, 0, 0] } else { [0, 0, 0] });
                let id = form(&id.to_string());
                if is_full || progress.is_due(&id, counts, now) {
                    calls += 1;
                    progress.set_searched(&id, counts, listed(0), now);
                }
            }
            if is_full {
                progress.full_at = Some(now);
            }
        }
        assert!(calls < 2 * 4_800 / 3, "{calls}");
    }
}
