//! What a sweep searches for: from when, until when, and how the leads it finds are marked.

use jiff::{SignedDuration, Timestamp};

use crate::ids::{PageId, RunId};
use crate::model::connection::Connection;
use crate::model::lead::FoundBy;
use crate::model::lead::run::Run;

/// The least that a search of every form looks back: Meta shows some leads late.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(48);
/// The least that a search between those looks back.
const SHORT_LOOK_BACK: SignedDuration = SignedDuration::from_hours(1);
/// How long Meta retains leads.
const RETENTION: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What to search for.
#[derive(Debug, Clone)]
pub struct Search {
    /// The start of the search. A search of every form goes back at least 48 hours, and further if this is earlier; a
    /// backfill starts exactly here. `None` resumes where the last regular search of each page stopped; only such a search moves
    /// that position.
    pub since: Option<Timestamp>,
    /// Younger leads are ignored, because Meta's webhook may still deliver them.
    pub until: Timestamp,
    /// Lists every form, whatever Meta's counts say.
    pub everything: bool,
    /// How the leads it finds are marked. Only a backfill finds leads from before the connection.
    pub found_by: FoundBy,
    /// Whether the leads it finds stay unassigned.
    pub unassigned: bool,
    /// The requested search that records the progress.
    pub run: Option<RunId>,
    /// Restricts the search to this page.
    pub page: Option<PageId>,
}

impl Search {
    /// Creates the regular search.
    #[must_use]
    pub fn regular(until: Timestamp) -> Self {
        Self {
            since: None,
            until,
            everything: false,
            found_by: FoundBy::Sweep,
            unassigned: false,
            run: None,
            page: None,
        }
    }

    /// Creates a requested search, of one of its pages or of all.
    #[must_use]
    pub fn of_run(run: &Run, page: Option<PageId>, now: Timestamp) -> Self {
        Self {
            since: Some(run.since),
            until: now,
            everything: true,
            found_by: run.kind,
            unassigned: !run.assign,
            run: Some(run.id.clone()),
            page,
        }
    }

    /// Returns whether it comes again by itself, so that it may leave to the next what Meta would not like to give now. Any
    /// other is repeated until all was searched.
    pub(super) fn is_regular(&self) -> bool {
        self.since.is_none()
    }

    /// Returns whether every form is listed, whatever Meta's counts say.
    pub(super) fn is_full(&self) -> bool {
        self.everything || !self.is_regular()
    }

    /// Returns the start of the search of a page at `now`, of every form or of those whose counts moved. Only a backfill
    /// starts before the page was connected.
    pub(super) fn since(&self, page: &Connection, is_full: bool, now: Timestamp) -> Timestamp {
        let from = self.since.or(page.swept_until).unwrap_or(page.connected_at);
        if self.found_by == FoundBy::Backfill {
            return from.max(now - RETENTION);
        }
        let look_back = if is_full { now - LOOK_BACK } else { from.min(now) - SHORT_LOOK_BACK };
        from.min(look_back).max(page.connected_at).max(now - RETENTION)
    }

    /// Returns whether a lead submitted at `created` is searched for. A backfill leaves leads from after the connection
    /// to the other searches, so that they are assigned as usual.
    pub(super) fn wants(&self, page: &Connection, created: Timestamp) -> bool {
        self.found_by != FoundBy::Backfill || created < page.connected_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::connection::tests::connection;

    #[test]
    fn a_search_looks_back_two_days_further_if_need_be_and_never_before_the_connection() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-06-10T12:00:00Z");
        let since = |swept: Option<&str>, connected: &str, since: Option<&str>| {
            let page = Connection { swept_until: swept.map(at), connected_at: at(connected), ..connection() };
            let search = Search { since: since.map(at), ..Search::regular(now) };
            search.since(&page, true, now).to_string()
        };
        assert_eq!(since(Some("2026-06-10T11:45:00Z"), "2026-01-01T00:00:00Z", None), "2026-06-08T12:00:00Z");
        assert_eq!(since(Some("2026-06-01T00:00:00Z"), "2026-01-01T00:00:00Z", None), "2026-06-01T00:00:00Z");
        assert_eq!(since(None, "2026-06-10T00:00:00Z", None), "2026-06-10T00:00:00Z");
        assert_eq!(since(None, "2026-06-01T00:00:00Z", None), "2026-06-01T00:00:00Z", "never searched");
        assert_eq!(since(None, "2026-01-01T00:00:00Z", None), "2026-03-12T12:00:00Z", "what Meta still has");
        let backfill =
            Search { since: Some(at("2026-01-01T00:00:00Z")), found_by: FoundBy::Backfill, ..Search::regular(now) };
        let page = Connection { connected_at: at("2026-06-09T00:00:00Z"), ..connection() };
        assert_eq!(backfill.since(&page, true, now).to_string(), "2026-03-12T12:00:00Z", "from before the connection");
        let wants = |search: &Search, created: &str| search.wants(&page, at(created));
        assert!(wants(&backfill, "2026-06-08T23:59:59Z") && !wants(&backfill, "2026-06-09T00:00:00Z"));
        assert!(wants(&Search::regular(now), "2026-06-09T00:00:00Z"));
        let swept = Connection { swept_until: Some(at("2026-06-10T11:15:00Z")), ..page };
        let short = Search::regular(now).since(&swept, false, now).to_string();
        assert_eq!(short, "2026-06-10T10:15:00Z", "between full searches, an hour before the position");
        let missed = Some("2026-06-05T00:00:00Z");
        assert_eq!(since(Some("2026-06-10T11:45:00Z"), "2026-01-01T00:00:00Z", missed), "2026-06-05T00:00:00Z");
    }
}
