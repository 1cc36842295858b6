//! Whether leads can arrive through an integration or one of its pages: the worst of all that is known of it. The API,
//! the console, the mails and the events all say what this module says.

use jiff::Timestamp;
use serde::Serialize;
use strum::{EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::model::connection::problem::{Impact, IntegrationProblem, IntegrationProblemCode};
use crate::model::connection::state::{ConnectionStatus, EndReason, TokenKind};
use crate::model::connection::{Connection, Integration};

/// How bad things are, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, EnumIter, IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Severity {
    /// Everything works.
    Ok,
    /// Leads arrive; something else does not work.
    Notice,
    /// Leads arrive, but may be late, stop soon, have stopped from some of the pages, or could not be imported.
    Warning,
    /// No leads can arrive.
    Error,
}

/// Why no leads can arrive, as a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum StopReason {
    /// The connection has ended.
    Ended(EndReason),
    /// The connection works, but is not allowed to read leads.
    Blocked(IntegrationProblemCode),
}

/// Why no leads can arrive, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The reason.
    pub reason: StopReason,
    /// The reason in words.
    pub message: String,
    /// How to fix it.
    pub fix: String,
}

/// Whether leads can arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadState {
    /// How bad it is.
    pub severity: Severity,
    /// `Expired` exactly if there is a `stop`.
    pub status: ConnectionStatus,
    /// Why no leads can arrive; `None` while they can.
    pub stop: Option<Stop>,
    /// When leads stop unless the integration is reconnected; `None` if never.
    pub expires_at: Option<Timestamp>,
}

impl Stop {
    /// A connection that has ended.
    #[must_use]
    pub fn from_end(reason: EndReason, kind: TokenKind) -> Self {
        let (message, fix) = (reason.message().into_owned(), reason.fix_for(kind).into_owned());
        Self { reason: StopReason::Ended(reason), message, fix }
    }

    fn from_problem(problem: &IntegrationProblem) -> Self {
        let IntegrationProblem { code, message, fix, .. } = problem.translate();
        Self { reason: StopReason::Blocked(code), message, fix }
    }
}

impl Integration {
    /// The worst of the integration and its connected pages. Leads have stopped if they have from every page.
    #[must_use]
    pub fn lead_state<'a>(&self, pages: impl IntoIterator<Item = &'a Connection>, now: Timestamp) -> LeadState {
        let whole = self.state(now);
        let pages: Vec<LeadState> = pages.into_iter().map(|page| page.lead_state(self, now)).collect();
        let own = whole.reason.map(|reason| Stop::from_end(reason, self.token_kind));
        let own = own.or_else(|| self.blocking(|problem| problem.page_id.is_none()));
        let all_stopped = pages.iter().all(|page| page.stop.is_some());
        let stop = own.or_else(|| pages.first().filter(|_| all_stopped).and_then(|page| page.stop.clone()));
        let has = |impact| self.problems.iter().any(|problem| problem.impact == impact);
        let severity = if stop.is_some() {
            Severity::Error
        } else if pages.iter().any(|page| page.severity >= Severity::Warning)
            || whole.status == ConnectionStatus::ExpiringSoon
            || has(Impact::LeadsAtRisk)
            || has(Impact::LeadsBlocked)
        {
            Severity::Warning
        } else if self.problems.is_empty() {
            Severity::Ok
        } else {
            Severity::Notice
        };
        let status = if stop.is_some() { ConnectionStatus::Expired } else { whole.status };
        LeadState { severity, status, stop, expires_at: whole.expires_at }
    }

    /// The first of the blocking problems that `concerns` holds for.
    fn blocking(&self, concerns: impl Fn(&IntegrationProblem) -> bool) -> Option<Stop> {
        let mut blocking = self.problems.iter().filter(|problem| problem.impact == Impact::LeadsBlocked);
        blocking.find(|problem| concerns(problem)).map(Stop::from_problem)
    }
}

impl Connection {
    /// The worst of the page, and of what its integration says of all pages.
    #[must_use]
    pub fn lead_state(&self, integration: &Integration, now: Timestamp) -> LeadState {
        let state = self.state(integration, now);
        let concerns = |problem: &IntegrationProblem| problem.page_id.as_ref().is_none_or(|id| *id == self.page_id);
        let stop = state.reason.map(|reason| Stop::from_end(reason, integration.token_kind));
        let stop = stop.or_else(|| integration.blocking(concerns));
        let at_risk = |problem: &IntegrationProblem| concerns(problem) && problem.impact == Impact::LeadsAtRisk;
        let is_worrying = state.status == ConnectionStatus::ExpiringSoon
            || self.quiet_since.is_some()
            || integration.problems.iter().any(at_risk);
        let severity = match (&stop, is_worrying) {
            (Some(_), _) => Severity::Error,
            (None, true) => Severity::Warning,
            (None, false) => Severity::Ok,
        };
        let status = if stop.is_some() { ConnectionStatus::Expired } else { state.status };
        LeadState { severity, status, stop, expires_at: state.expires_at }
    }

    /// The time from which leads of the page may be missing if none could arrive until now.
    #[must_use]
    pub fn complete_until(&self) -> Timestamp {
        self.swept_until.unwrap_or(self.connected_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PageId;
    use crate::model::connection::state::ConnectionEnd;
    use crate::model::connection::tests::{connection, integration};

    const NOW: &str = "2026-03-01T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn problem(impact: Impact, page: Option<&str>) -> IntegrationProblem {
        IntegrationProblem {
            code: IntegrationProblemCode::ScopeMissing,
            impact,
            page_id: page.map(|id| PageId::parse(id).unwrap()),
            message: "No permission.".to_owned(),
            fix: "Reconnect.".to_owned(),
        }
    }

    fn page(id: &str) -> Connection {
        Connection { page_id: PageId::parse(id).unwrap(), ..connection() }
    }

    fn judge(problems: Vec<IntegrationProblem>, pages: &[Connection]) -> (Severity, Vec<Severity>) {
        let whole = Integration { problems, ..integration() };
        let each = pages.iter().map(|page| page.lead_state(&whole, at(NOW)).severity).collect();
        (whole.lead_state(pages, at(NOW)).severity, each)
    }

    #[test]
    fn nothing_is_ok_where_no_lead_can_come() {
        use Severity::{Error, Notice, Ok, Warning};
        let pages = [page("7"), page("8")];
        for (problems, whole, each) in [
            (vec![], Ok, [Ok, Ok]),
            (vec![problem(Impact::LeadsBlocked, None)], Error, [Error, Error]),
            (vec![problem(Impact::LeadsBlocked, Some("7"))], Warning, [Error, Ok]),
            (
                vec![problem(Impact::LeadsBlocked, Some("7")), problem(Impact::LeadsBlocked, Some("8"))],
                Error,
                [Error, Error],
            ),
            (vec![problem(Impact::LeadsAtRisk, Some("8"))], Warning, [Ok, Warning]),
            (vec![problem(Impact::LeadsAtRisk, None)], Warning, [Warning, Warning]),
            (vec![problem(Impact::AdsReports, None)], Notice, [Ok, Ok]),
            // A page that Meta lists without a token is not connected, and still worth a warning.
            (vec![problem(Impact::LeadsBlocked, Some("9"))], Warning, [Ok, Ok]),
        ] {
            assert_eq!(judge(problems.clone(), &pages), (whole, each.to_vec()), "{problems:?}");
        }
    }

    #[test]
    fn an_integration_without_pages_brings_no_leads_and_says_no_more_than_it_knows() {
        assert_eq!(judge(vec![], &[]), (Severity::Ok, vec![]));
    }

    #[test]
    fn an_end_outweighs_a_problem_and_pages_that_ended_alone_count() {
        let end = |reason| Some(ConnectionEnd { reason, since: at(NOW), evidence: String::new() });
        let lost = Connection { ended: end(EndReason::PageRoleLost), ..page("7") };
        let blocked = Integration { problems: vec![problem(Impact::LeadsBlocked, Some("8"))], ..integration() };
        let state = blocked.lead_state([&lost, &page("8")], at(NOW));
        assert_eq!(state.status, ConnectionStatus::Expired, "one page has ended, the other is blocked");
        assert_eq!(state.stop.unwrap().reason, StopReason::Ended(EndReason::PageRoleLost));
        let dead = Integration { ended: end(EndReason::AppRemoved), ..blocked };
        let stop = page("8").lead_state(&dead, at(NOW)).stop.unwrap();
        assert_eq!(stop.reason, StopReason::Ended(EndReason::AppRemoved));
        assert_eq!(serde_json::to_value(stop.reason).unwrap(), "app_removed");
        assert_eq!(
            serde_json::to_value(StopReason::Blocked(IntegrationProblemCode::ScopeMissing)).unwrap(),
            "scope_missing"
        );
    }

    #[test]
    fn a_connection_that_ends_soon_or_is_silent_is_a_warning() {
        let soon = Integration { token_expires_at: Some(at("2026-03-03T12:00:00Z")), ..integration() };
        let state = soon.lead_state([&page("7")], at(NOW));
        assert_eq!((state.severity, state.status), (Severity::Warning, ConnectionStatus::ExpiringSoon));
        let silent = Connection { quiet_since: Some(at(NOW)), ..page("7") };
        let whole = integration().lead_state([&silent], at(NOW));
        assert_eq!((whole.severity, whole.status), (Severity::Warning, ConnectionStatus::Active));
    }
}
