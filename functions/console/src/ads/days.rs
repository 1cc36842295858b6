//! The days of a report: which the reader chose, which are shown, and which of them are not over yet.

use std::collections::BTreeSet;

use jiff::civil::Date;
use leadwire::ads::Days;
use leadwire::ads::accounts::AdAccountOut;
use leadwire::ads::outcomes::OutcomeReport;
use leadwire::ads::report::ReportOut;
use leadwire::http::{Problem, fields};
use leadwire::language::date;
use leadwire::model::days::{back, days};
use leadwire::tr;
use maud::{Markup, html};

use crate::chart::unfinished;
use crate::components::with_markup;
use crate::request::ListQuery;
use crate::zone::Zone;

/// The days that a report covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShownDays {
    pub(super) since: Date,
    pub(super) until: Date,
    /// The first day that is not over yet.
    pub(super) unfinished_since: Option<Date>,
}

impl From<&ReportOut> for ShownDays {
    fn from(report: &ReportOut) -> Self {
        let ReportOut { since, until, unfinished_since, .. } = *report;
        Self { since, until, unfinished_since }
    }
}

impl From<&OutcomeReport> for ShownDays {
    fn from(report: &OutcomeReport) -> Self {
        let OutcomeReport { since, until, unfinished_since, .. } = *report;
        Self { since, until, unfinished_since }
    }
}

impl ShownDays {
    /// The days that are over: the first and the last.
    pub(super) fn finished(&self) -> Option<(Date, Date)> {
        let last = self.unfinished_since.map_or(self.until, |first| back(first, 1));
        (last >= self.since).then_some((self.since, last))
    }

    /// As many days before these as are over of them.
    pub(super) fn before(&self) -> Option<(Date, Date)> {
        let (since, until) = self.finished()?;
        Some((back(since, days(since, until)), back(since, 1)))
    }

    /// Says which days are shown, in whose time zone, and which of them are not over. Leads of no account count in the
    /// zone of `others`.
    pub(super) fn note<'a>(&self, accounts: impl Iterator<Item = &'a AdAccountOut>, others: Option<&Zone>) -> Markup {
        let zones: BTreeSet<&str> = accounts.map(|account| account.timezone.as_str()).collect();
        let bold = |zone: &str| html! { b { (zone) } };
        html! {
            p.quiet data-zone=[others.map(Zone::name)] {
                b { (self.words()) } ". "
                @match (zones.first(), zones.len(), others) {
                    (Some(zone), 1, _) => (with_markup(&tr!("Days are in the time zone {zone}."), &[("zone", bold(zone))])),
                    (Some(_), _, _) => (tr!("Each day is in its account's time zone.")),
                    (None, _, Some(zone)) => (with_markup(&tr!("Days are in the time zone {zone}."), &[("zone", bold(zone.name()))])),
                    (None, _, None) => {}
                }
                @if let (Some(zone), false) = (others, zones.is_empty()) {
                    " " (with_markup(&tr!("Leads without a linked ad account count in the time zone {zone}."), &[("zone", bold(zone.name()))]))
                }
                @if let Some(first) = self.unfinished_since {
                    " " (unfinished(first, self.until)) " " (tr!("Numbers still grow, and what a lead costs can still change."))
                }
            }
        }
    }

    fn words(&self) -> String {
        if self.since == self.until {
            return date(self.since);
        }
        let length = tr!([days(self.since, self.until)] "{n} day" | "{n} days");
        tr!("{since} to {until}, {days}", since = date(self.since), until = date(self.until), days = length)
    }
}

impl ListQuery {
    /// The selected days.
    pub(super) fn days(&self) -> Result<Days, Problem> {
        let day = |name: &str| self.get(name).map(|text| fields::day(name, text)).transpose();
        Ok(Days { since: day("since")?, until: day("until")? })
    }

    /// As many days before the selected ones, and one more at each end: the accounts' days are not the reader's. The last
    /// 30 days are selected by default.
    pub(super) fn days_before(&self, today: Date) -> Result<Days, Problem> {
        let Days { since, until } = self.days()?;
        let until = until.unwrap_or(today);
        let since = since.unwrap_or_else(|| back(until, 29));
        Ok(Days { since: Some(back(since, days(since, until) + 1)), until: Some(since) })
    }

    /// The fields that select days, filled with those that are shown.
    pub(super) fn day_fields(&self, shown: Option<ShownDays>) -> Markup {
        let value = |name: &str, day: fn(ShownDays) -> Date| {
            shown.map(|shown| day(shown).to_string()).or_else(|| self.text(name))
        };
        html! {
            label { (tr!("From")) input type="date" name="since" value=[value("since", |shown| shown.since)]; }
            label { (tr!("Until")) input type="date" name="until" value=[value("until", |shown| shown.until)]; }
        }
    }

    /// Links to usual ranges of days, up to `today`.
    pub(super) fn presets(&self, path: &str, today: Date, shown: Option<ShownDays>) -> Markup {
        let back = |days: i32| back(today, days);
        let first_of_month = today.first_of_month();
        let last_month = leadwire::model::days::back(first_of_month, 1);
        let ranges = [
            (tr!("Today"), today, today),
            (tr!("Yesterday"), back(1), back(1)),
            (tr!([7] "{n} day" | "{n} days").into(), back(6), today),
            (tr!([28] "{n} day" | "{n} days").into(), back(27), today),
            (tr!([30] "{n} day" | "{n} days").into(), back(29), today),
            (tr!("This month"), first_of_month, today),
            (tr!("Last month"), last_month.first_of_month(), last_month),
        ];
        // On some days, two of them are the same.
        let chosen = shown.and_then(|shown| {
            ranges.iter().position(|(_, since, until)| (shown.since, shown.until) == (*since, *until))
        });
        html! {
            nav.chips aria-label=(tr!("Days")) {
                @for (position, (name, since, until)) in ranges.into_iter().enumerate() {
                    @let is_chosen = chosen == Some(position);
                    @let (since, until) = (since.to_string(), until.to_string());
                    a.chip href=(self.at(path, &[("since", &since), ("until", &until)])) aria-current=[is_chosen.then_some("true")] { (name) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn shown(since: &str, until: &str, unfinished_since: &str) -> ShownDays {
        ShownDays { since: day(since), until: day(until), unfinished_since: unfinished_since.parse().ok() }
    }

    #[test]
    fn a_day_that_is_not_over_is_compared_with_nothing() {
        let between =
            |days: Option<(Date, Date)>| days.map(|(since, until)| format!("{since} {until}")).unwrap_or_default();
        let all = shown("2026-11-01", "2026-11-28", "");
        assert_eq!(between(all.finished()), "2026-11-01 2026-11-28");
        assert_eq!(between(all.before()), "2026-10-04 2026-10-31");
        let growing = shown("2026-11-01", "2026-11-28", "2026-11-28");
        assert_eq!(between(growing.finished()), "2026-11-01 2026-11-27");
        assert_eq!(between(growing.before()), "2026-10-05 2026-10-31");
        assert_eq!(shown("2026-11-28", "2026-11-28", "2026-11-28").before(), None);
    }

    #[test]
    fn the_days_to_compare_with_are_read_with_a_day_more_at_each_end() {
        let query = |since: &str, until: &str| ListQuery::new([("since", since), ("until", until)].into_iter());
        let before = query("2026-11-22", "2026-11-28").days_before(day("2026-11-28")).unwrap();
        assert_eq!(before, Days { since: Some(day("2026-11-14")), until: Some(day("2026-11-22")) });
        let before = query("", "").days_before(day("2026-11-30")).unwrap();
        assert_eq!(before, Days { since: Some(day("2026-10-01")), until: Some(day("2026-11-01")) });
    }

    #[test]
    fn a_report_says_which_days_it_shows_and_what_is_not_over() {
        let note = |days: ShownDays| days.note([].iter(), Some(&Zone::parse("Europe/Berlin"))).into_string();
        let said = note(shown("2026-11-01", "2026-11-28", "2026-11-28"));
        for words in [
            "<b>1 Nov 2026 to 28 Nov 2026, 28 days</b>. ",
            "Days are in the time zone <b>Europe/Berlin</b>.",
            "28 Nov 2026 is not over yet.",
        ] {
            assert!(said.contains(words), "{said}");
        }
        let said = note(shown("2026-11-27", "2026-11-27", ""));
        assert!(said.contains("<b>27 Nov 2026</b>. ") && !said.contains("not over"), "{said}");
        let said = note(shown("2026-11-01", "2026-11-29", "2026-11-28"));
        assert!(said.contains("28 Nov 2026 to 29 Nov 2026 are not over yet."), "{said}");
    }

    #[test]
    fn of_two_names_for_the_same_days_one_is_lit() {
        let query = ListQuery::new(std::iter::empty());
        let month = shown("2026-11-01", "2026-11-30", "");
        let chips = query.presets("/ads", day("2026-11-30"), Some(month)).into_string();
        assert!(chips.contains("aria-current=\"true\">30 days<"), "{chips}");
        assert_eq!(chips.matches("aria-current").count(), 1, "{chips}");
    }

    #[test]
    fn the_fields_have_the_days_that_are_shown_or_else_what_was_typed() {
        let query = ListQuery::new([("since", "2026-11-31")].into_iter());
        let filled = query.day_fields(Some(shown("2026-11-01", "2026-11-28", ""))).into_string();
        assert!(filled.contains("value=\"2026-11-01\"") && filled.contains("value=\"2026-11-28\""), "{filled}");
        let typed = query.day_fields(None).into_string();
        assert!(typed.contains("value=\"2026-11-31\"") && typed.matches("value=").count() == 1, "{typed}");
    }
}
