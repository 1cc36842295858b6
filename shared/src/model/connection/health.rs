//! The health report of an integration: one check per cause that can keep leads out, each with what was seen and what
//! to do. "Unknown" is an answer: nothing was seen that would tell.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::ids::PageId;
use crate::model::connection::diagnosis::{Observed, PageObservation, not_subscribed, problems};
use crate::model::connection::standing::{ConnectionStatus, EndReason, TokenKind};
use crate::model::connection::{Integration, IntegrationProblem, IntegrationProblemCode};
use crate::model::failure::FailureCode;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// In order.
    Pass,
    /// Not in order: leads are kept out, or will be.
    Fail,
    /// It could not be found out, or there was nothing to see yet.
    Unknown,
}

/// What is checked.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    EnumIter,
    IntoStaticStr,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CheckId {
    /// Whether the token lives.
    Token,
    /// Whether every permission that was asked for is granted.
    Scopes,
    /// Whether the person who connected may do on each page what is needed.
    PageTasks,
    /// Whether Meta's webhook reports each page's leads.
    Subscription,
    /// Whether Leads Access Manager lets the app read each page's leads.
    LeadAccess,
    /// Whether each page has a form that people can fill in.
    Forms,
    /// When the webhook last brought a lead.
    LastWebhook,
    /// When a lead last came.
    LastLead,
    /// Whether the Meta app is live.
    AppMode,
    /// Whether leads wait, or are parked.
    Backlog,
}

impl CheckId {
    /// Whether Meta answers it: an unknown outcome is then no good sign.
    #[must_use]
    pub fn is_asked_of_meta(self) -> bool {
        match self {
            Self::Token | Self::Scopes | Self::PageTasks | Self::Subscription | Self::LeadAccess | Self::Forms => true,
            Self::LastWebhook | Self::LastLead | Self::AppMode | Self::Backlog => false,
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// What was checked.
    pub id: CheckId,
    /// How it came out.
    pub status: CheckStatus,
    /// What was seen, for people.
    pub evidence: String,
    /// What to do; `null` if nothing is wrong.
    pub fix: Option<String>,
    /// The pages it is about, if it is not about all of them.
    pub page_ids: Vec<PageId>,
}

/// What was observed of an integration.
#[derive(Debug)]
pub struct HealthObservation {
    /// The integration, with what Meta said of its dates and permissions just now.
    pub integration: Integration,
    /// Whether Meta answered a call with the token just now.
    pub token: Observed<()>,
    /// Its connected pages.
    pub pages: Vec<PageHealth>,
    /// Leads that wait in the queue, of all orgs.
    pub queued: Observed<u64>,
    /// Leads of these pages that are parked, with the reason of each.
    pub parked: Vec<FailureCode>,
}

/// What was observed of one page.
#[derive(Debug)]
pub struct PageHealth {
    /// What the diagnosis needs.
    pub observation: PageObservation,
    /// Why this page alone brings no leads, if it does not.
    pub lost: Option<EndReason>,
    /// Its forms: name, and whether people can fill it in.
    pub forms: Observed<Vec<(String, bool)>>,
    /// When it was connected.
    pub connected_at: Timestamp,
    /// When a webhook last brought a lead.
    pub last_webhook_at: Option<Timestamp>,
    /// When a real lead last came, in whatever way.
    pub last_lead_at: Option<Timestamp>,
    /// When a test lead last came.
    pub last_test_lead_at: Option<Timestamp>,
}

/// Leads in the queue that are no sign of trouble yet.
const USUAL_QUEUE: u64 = 1000;

/// The checks, in the order in which an engineer would look for the fault.
#[must_use]
pub fn report(seen: &HealthObservation, now: Timestamp) -> Vec<Check> {
    let observations: Vec<PageObservation> = seen.pages.iter().map(|page| page.observation.clone()).collect();
    let problems = problems(&seen.integration, &observations);
    vec![
        token(seen, now),
        scopes(&problems),
        page_tasks(seen, &problems),
        subscription(seen),
        lead_access(seen, &problems),
        forms(seen),
        last_webhook(seen, now),
        last_lead(seen, now),
        app_mode(seen),
        backlog(seen),
    ]
}

fn check(id: CheckId, status: CheckStatus, evidence: impl Into<String>, fix: Option<&str>) -> Check {
    Check { id, status, evidence: evidence.into(), fix: fix.map(ToOwned::to_owned), page_ids: Vec::new() }
}

fn token(seen: &HealthObservation, now: Timestamp) -> Check {
    use CheckStatus::{Fail, Pass, Unknown};
    let kind = match seen.integration.token_kind {
        TokenKind::User => "A person's token",
        TokenKind::SystemUser => "A system user's token",
    };
    let standing = seen.integration.standing(now);
    let ends = standing.expires_at.map_or_else(|| "without end".to_owned(), |end| format!("good until {end}"));
    match (standing.reason, &seen.token) {
        (Some(reason), _) => check(CheckId::Token, Fail, reason.message(), Some(reason.fix())),
        (None, _) if seen.pages.iter().any(|page| page.lost.is_some()) => lost_pages(seen),
        (None, Err(why)) => check(
            CheckId::Token,
            Unknown,
            format!("{kind}, {ends} as last seen; Meta does not say more now: {why}."),
            None,
        ),
        (None, Ok(())) if standing.status == ConnectionStatus::ExpiringSoon => {
            let fix = "Reconnect in time: leads stop on that day.";
            check(CheckId::Token, Pass, format!("{kind}, {ends}; that is soon."), Some(fix))
        }
        (None, Ok(())) => check(CheckId::Token, Pass, format!("{kind}, {ends}."), None),
    }
}

fn lost_pages(seen: &HealthObservation) -> Check {
    let lost = || seen.pages.iter().filter_map(|page| Some((page, page.lost?)));
    let evidence: Vec<String> =
        lost().map(|(page, reason)| format!("{}: {}", page.observation.name, reason.message())).collect();
    let fix = lost().map(|(_, reason)| reason.fix()).next();
    let page_ids = lost().map(|(page, _)| page.observation.id.clone()).collect();
    Check { page_ids, ..check(CheckId::Token, CheckStatus::Fail, evidence.join(" "), fix) }
}

/// A check that fails if there are problems of its kind.
fn failed(id: CheckId, problems: &[IntegrationProblem], code: IntegrationProblemCode) -> Option<Check> {
    let problems: Vec<&IntegrationProblem> = problems.iter().filter(|problem| problem.code == code).collect();
    let evidence: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    let page_ids = problems.iter().filter_map(|problem| problem.page_id.clone()).collect();
    let fix = &problems.first()?.fix;
    Some(Check { page_ids, ..check(id, CheckStatus::Fail, evidence.join(" "), Some(fix)) })
}

/// A check of what could not be observed of some pages, or that passes.
fn unknown_or_pass<T>(
    id: CheckId,
    seen: &HealthObservation,
    observed: impl Fn(&PageHealth) -> &Observed<T>,
    pass: &str,
) -> Check {
    let unknown: Vec<(&PageHealth, &str)> =
        seen.pages.iter().filter_map(|page| Some((page, observed(page).as_ref().err()?.as_str()))).collect();
    let Some((_, why)) = unknown.first() else { return check(id, CheckStatus::Pass, pass, None) };
    let names: Vec<&str> = unknown.iter().map(|(page, _)| page.observation.name.as_str()).collect();
    let page_ids = unknown.iter().map(|(page, _)| page.observation.id.clone()).collect();
    let evidence = format!("Could not be found out for {}: {why}.", names.join(", "));
    Check { page_ids, ..check(id, CheckStatus::Unknown, evidence, None) }
}

fn scopes(problems: &[IntegrationProblem]) -> Check {
    let pass = || check(CheckId::Scopes, CheckStatus::Pass, "Every requested permission is granted.", None);
    failed(CheckId::Scopes, problems, IntegrationProblemCode::ScopeMissing).unwrap_or_else(pass)
}

fn page_tasks(seen: &HealthObservation, problems: &[IntegrationProblem]) -> Check {
    let pass = "The person who connected may do on every page what is needed.";
    failed(CheckId::PageTasks, problems, IntegrationProblemCode::TaskMissing)
        .unwrap_or_else(|| unknown_or_pass(CheckId::PageTasks, seen, |page| &page.observation.tasks, pass))
}

/// Also fails where the subscription lacks the field because the permission is missing: no lead is reported either way.
fn subscription(seen: &HealthObservation) -> Check {
    let problems: Vec<IntegrationProblem> =
        seen.pages.iter().filter_map(|page| not_subscribed(&page.observation)).collect();
    let pass = "Meta reports the new leads of every page.";
    failed(CheckId::Subscription, &problems, IntegrationProblemCode::PageNotSubscribed)
        .unwrap_or_else(|| unknown_or_pass(CheckId::Subscription, seen, |page| &page.observation.subscription, pass))
}

fn lead_access(seen: &HealthObservation, problems: &[IntegrationProblem]) -> Check {
    let pass = "Leads Access Manager lets this app read the leads of every page.";
    failed(CheckId::LeadAccess, problems, IntegrationProblemCode::LeadAccessDenied)
        .unwrap_or_else(|| unknown_or_pass(CheckId::LeadAccess, seen, |page| &page.observation.lead_access, pass))
}

fn forms(seen: &HealthObservation) -> Check {
    let wrong = |page: &PageHealth| {
        let forms = page.forms.as_ref().ok()?;
        let name = &page.observation.name;
        let (what, fix) = match forms.as_slice() {
            _ if forms.iter().any(|(_, open)| *open) => return None,
            [] => (
                format!("{name} has no lead form."),
                "Create a lead form on the page in Meta Ads Manager or Meta Business Suite.",
            ),
            archived => (
                format!("Every form of {name} is archived ({}).", names(archived)),
                "Make a form active again in Meta Business Suite, or use another one in the ads.",
            ),
        };
        Some((page.observation.id.clone(), what, fix))
    };
    let wrong: Vec<_> = seen.pages.iter().filter_map(wrong).collect();
    let Some((_, _, fix)) = wrong.first() else {
        return unknown_or_pass(
            CheckId::Forms,
            seen,
            |page| &page.forms,
            "Every page has a form that people can fill in.",
        );
    };
    let evidence: Vec<&str> = wrong.iter().map(|(_, what, _)| what.as_str()).collect();
    let page_ids = wrong.iter().map(|(id, _, _)| id.clone()).collect();
    Check { page_ids, ..check(CheckId::Forms, CheckStatus::Fail, evidence.join(" "), Some(fix)) }
}

fn names(forms: &[(String, bool)]) -> String {
    forms.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

fn latest(seen: &HealthObservation, of: impl Fn(&PageHealth) -> Option<Timestamp>) -> Option<Timestamp> {
    seen.pages.iter().filter_map(of).max()
}

fn ago(then: Timestamp, now: Timestamp) -> String {
    let hours = now.duration_since(then).as_hours();
    match hours {
        ..=0 => "less than an hour ago".to_owned(),
        1..=48 => format!("{hours} hours ago"),
        _ => format!("{} days ago", hours / 24),
    }
}

fn last_webhook(seen: &HealthObservation, now: Timestamp) -> Check {
    const QUIET: &str = "Leads came without Meta telling us of them: its webhook does not reach this system. In the Meta app's dashboard, under Webhooks, check callback address and the field leadgen of the object Page.";
    let (webhook, lead) = (latest(seen, |page| page.last_webhook_at), latest(seen, |page| page.last_lead_at));
    match (webhook, lead) {
        (Some(webhook), Some(lead)) if lead.duration_since(webhook) > SignedDuration::from_hours(24) => check(
            CheckId::LastWebhook,
            CheckStatus::Fail,
            format!("The last one came {}.", ago(webhook, now)),
            Some(QUIET),
        ),
        (Some(webhook), _) => {
            check(CheckId::LastWebhook, CheckStatus::Pass, format!("The last one came {}.", ago(webhook, now)), None)
        }
        (None, Some(_)) => check(CheckId::LastWebhook, CheckStatus::Fail, "None ever came.", Some(QUIET)),
        (None, None) => check(CheckId::LastWebhook, CheckStatus::Unknown, "None came yet, and no lead either.", None),
    }
}

fn last_lead(seen: &HealthObservation, now: Timestamp) -> Check {
    match latest(seen, |page| page.last_lead_at) {
        Some(lead) => {
            check(CheckId::LastLead, CheckStatus::Pass, format!("The last one came {}.", ago(lead, now)), None)
        }
        None => {
            let since = seen.pages.iter().map(|page| page.connected_at).min();
            let since = since.map_or_else(String::new, |since| format!(" since it was connected {}", ago(since, now)));
            let fix = "Send a test lead, or fill in a form yourself, to see whether it arrives.";
            check(CheckId::LastLead, CheckStatus::Unknown, format!("None came{since}."), Some(fix))
        }
    }
}

/// Meta has no call that tells. What it looks like is known: tests arrive, real leads do not.
fn app_mode(seen: &HealthObservation) -> Check {
    let (test, real) = (latest(seen, |page| page.last_test_lead_at), latest(seen, |page| page.last_lead_at));
    match (test, real) {
        (_, Some(_)) => check(CheckId::AppMode, CheckStatus::Pass, "Real leads arrive, so the Meta app is live.", None),
        (Some(_), None) => check(
            CheckId::AppMode,
            CheckStatus::Fail,
            "Test leads arrive and no real lead ever did. That is how a Meta app in development mode looks.",
            Some(
                "In the Meta app's dashboard, switch the app from Development to Live. If it is live, check the form that the ads use.",
            ),
        ),
        (None, None) => {
            check(CheckId::AppMode, CheckStatus::Unknown, "Neither test nor real leads came that would tell.", None)
        }
    }
}

fn backlog(seen: &HealthObservation) -> Check {
    use CheckStatus::{Fail, Pass, Unknown};
    if let Some(reason) = seen.parked.first() {
        let evidence = format!("{} leads of these pages are parked; of one the reason is {reason}.", seen.parked.len());
        let fix = "Each parked lead has its reason. Once that is repaired, replay them.";
        return check(CheckId::Backlog, Fail, evidence, Some(fix));
    }
    match &seen.queued {
        Err(why) => check(CheckId::Backlog, Unknown, format!("The queue could not be asked: {why}."), None),
        Ok(waiting) if *waiting > USUAL_QUEUE => {
            let fix = "The lead worker is behind; its log and alarms say why.";
            check(CheckId::Backlog, Fail, format!("{waiting} leads wait in the queue."), Some(fix))
        }
        Ok(waiting) => {
            check(CheckId::Backlog, Pass, format!("{waiting} leads wait in the queue, none is parked."), None)
        }
    }
}
