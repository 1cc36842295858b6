//! The health report of an integration: one check per cause that can block leads, each with its evidence and remedy.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::model::connection::Integration;
use crate::model::connection::arrivals::{app_mode, last_lead, last_webhook};
use crate::model::connection::check::{Check, CheckId, CheckStatus};
use crate::model::connection::diagnosis::{Observed, PageObservation, not_subscribed, problems};
use crate::model::connection::problem::{IntegrationProblem, IntegrationProblemCode};
use crate::model::connection::state::{ConnectionStatus, EndReason, TokenKind};
use crate::model::failure::FailureCode;
use crate::tr;

/// What was observed of an integration.
#[derive(Debug)]
pub struct HealthObservation {
    /// The integration, with the dates and permissions that Meta just reported.
    pub integration: Integration,
    /// Whether Meta just accepted a call with the token.
    pub token: Observed<()>,
    /// Its connected pages.
    pub pages: Vec<PageHealth>,
    /// Number of queued leads, of all orgs.
    pub queued: Observed<u64>,
    /// The reasons why leads of these pages are parked, one per lead.
    pub parked: Vec<FailureCode>,
    /// The WhatsApp numbers that it reaches, each with whether Meta reports its messages. `None` without the permission to
    /// see them.
    pub whatsapp: Option<Vec<(String, Observed<bool>)>>,
    /// The temporary failures behind which leads of these pages wait, one per lead.
    pub waiting: Vec<FailureCode>,
}

/// What was observed of one page.
#[derive(Debug)]
pub struct PageHealth {
    /// The observations that the diagnosis needs.
    pub observation: PageObservation,
    /// Why no leads arrive from this page, if only this page is lost.
    pub lost: Option<EndReason>,
    /// Its forms: the name, and whether people can fill the form in.
    pub forms: Observed<Vec<(String, bool)>>,
    /// When it was connected.
    pub connected_at: Timestamp,
    /// When a webhook last reported a lead.
    pub last_webhook_at: Option<Timestamp>,
    /// When a real lead last arrived, however it was found.
    pub last_lead_at: Option<Timestamp>,
    /// When a test lead last arrived.
    pub last_test_lead_at: Option<Timestamp>,
    /// Since when it has been known to be quieter than usual.
    pub quiet_since: Option<Timestamp>,
}

/// A queue of up to this many leads is normal.
const USUAL_QUEUE: u64 = 1000;

/// Returns the checks, in the order in which an engineer would search for the cause.
#[must_use]
pub fn report(seen: &HealthObservation, now: Timestamp) -> Vec<Check> {
    let observations: Vec<PageObservation> = seen.pages.iter().map(|page| page.observation.clone()).collect();
    let problems = problems(&seen.integration, &observations);
    let mut checks = vec![
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
    ];
    checks.extend(seen.whatsapp.as_deref().map(whatsapp));
    checks
}

pub(super) fn check(
    id: CheckId,
    status: CheckStatus,
    evidence: impl Into<String>,
    fix: Option<Cow<'static, str>>,
) -> Check {
    Check { id, status, evidence: evidence.into(), fix: fix.map(Cow::into_owned), page_ids: Vec::new() }
}

fn token(seen: &HealthObservation, now: Timestamp) -> Check {
    use CheckStatus::{Fail, Pass, Unknown};
    let state = seen.integration.state(now);
    let token = match (seen.integration.token_kind, state.expires_at) {
        (TokenKind::User, None) => tr!("A person's token, never expires").into_owned(),
        (TokenKind::User, Some(end)) => tr!("A person's token, valid until {end}", end = end),
        (TokenKind::SystemUser, None) => tr!("A system user's token, never expires").into_owned(),
        (TokenKind::SystemUser, Some(end)) => tr!("A system user's token, valid until {end}", end = end),
    };
    match (state.reason, &seen.token) {
        (Some(reason), _) => {
            check(CheckId::Token, Fail, reason.message(), Some(reason.fix_for(seen.integration.token_kind)))
        }
        (None, _) if seen.pages.iter().any(|page| page.lost.is_some()) => lost_pages(seen),
        (None, Err(why)) => check(
            CheckId::Token,
            Unknown,
            tr!(
                "{token} as of the last check. Meta does not report more at the moment: {why}.",
                token = token,
                why = why
            ),
            None,
        ),
        (None, Ok(())) if state.status == ConnectionStatus::ExpiringSoon => {
            let fix = match seen.integration.token_kind {
                TokenKind::User => tr!("Reconnect before then to keep leads coming."),
                TokenKind::SystemUser => tr!("Replace the system user's token before then to keep leads coming."),
            };
            check(CheckId::Token, Pass, tr!("{token}. It expires soon.", token = token), Some(fix))
        }
        (None, Ok(())) => check(CheckId::Token, Pass, format!("{token}."), None),
    }
}

fn lost_pages(seen: &HealthObservation) -> Check {
    let lost = || seen.pages.iter().filter_map(|page| Some((page, page.lost?)));
    let evidence: Vec<String> =
        lost().map(|(page, reason)| format!("{}: {}", page.observation.name, reason.message())).collect();
    let fix = lost().map(|(_, reason)| reason.fix_for(seen.integration.token_kind)).next();
    let page_ids = lost().map(|(page, _)| page.observation.id.clone()).collect();
    Check { page_ids, ..check(CheckId::Token, CheckStatus::Fail, evidence.join(" "), fix) }
}

/// A failed check with all problems of this kind; `None` without such problems.
fn failed(id: CheckId, problems: &[IntegrationProblem], code: IntegrationProblemCode) -> Option<Check> {
    let problems = problems.iter().filter(|problem| problem.code == code);
    let problems: Vec<IntegrationProblem> = problems.map(IntegrationProblem::translate).collect();
    let evidence: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    let page_ids = problems.iter().filter_map(|problem| problem.page_id.clone()).collect();
    let fix = problems.first()?.fix.clone();
    Some(Check { page_ids, ..check(id, CheckStatus::Fail, evidence.join(" "), Some(fix.into())) })
}

/// A check that passes, or is unknown if some pages could not be observed.
fn unknown_or_pass<T>(
    id: CheckId,
    seen: &HealthObservation,
    observed: impl Fn(&PageHealth) -> &Observed<T>,
    pass: Cow<'static, str>,
) -> Check {
    let unknown: Vec<(&PageHealth, &str)> =
        seen.pages.iter().filter_map(|page| Some((page, observed(page).as_ref().err()?.as_str()))).collect();
    let Some((_, why)) = unknown.first() else { return check(id, CheckStatus::Pass, pass, None) };
    let names: Vec<&str> = unknown.iter().map(|(page, _)| page.observation.name.as_str()).collect();
    let page_ids = unknown.iter().map(|(page, _)| page.observation.id.clone()).collect();
    let evidence = tr!("Could not be determined for {names}: {why}.", names = names.join(", "), why = why);
    Check { page_ids, ..check(id, CheckStatus::Unknown, evidence, None) }
}

fn scopes(problems: &[IntegrationProblem]) -> Check {
    let pass = || check(CheckId::Scopes, CheckStatus::Pass, tr!("Every requested permission is granted."), None);
    failed(CheckId::Scopes, problems, IntegrationProblemCode::ScopeMissing).unwrap_or_else(pass)
}

fn page_tasks(seen: &HealthObservation, problems: &[IntegrationProblem]) -> Check {
    let pass = match seen.integration.token_kind {
        TokenKind::User => tr!("The person who connected has the required tasks on every page."),
        TokenKind::SystemUser => tr!("The system user has the required tasks on every page."),
    };
    failed(CheckId::PageTasks, problems, IntegrationProblemCode::TaskMissing)
        .unwrap_or_else(|| unknown_or_pass(CheckId::PageTasks, seen, |page| &page.observation.tasks, pass))
}

/// Also fails if the field is missing because the permission is: no lead is reported either way.
fn subscription(seen: &HealthObservation) -> Check {
    let problems: Vec<IntegrationProblem> =
        seen.pages.iter().filter_map(|page| not_subscribed(&seen.integration, &page.observation)).collect();
    let pass = tr!("Meta reports the new leads of every page.");
    failed(CheckId::Subscription, &problems, IntegrationProblemCode::PageNotSubscribed)
        .unwrap_or_else(|| unknown_or_pass(CheckId::Subscription, seen, |page| &page.observation.subscription, pass))
}

fn lead_access(seen: &HealthObservation, problems: &[IntegrationProblem]) -> Check {
    let pass = tr!("Leads Access Manager lets this app read the leads of every page.");
    failed(CheckId::LeadAccess, problems, IntegrationProblemCode::LeadAccessDenied)
        .unwrap_or_else(|| unknown_or_pass(CheckId::LeadAccess, seen, |page| &page.observation.lead_access, pass))
}

fn forms(seen: &HealthObservation) -> Check {
    let wrong = |page: &PageHealth| {
        let forms = page.forms.as_ref().ok()?;
        let name = &page.observation.name;
        let (finding, fix) = match forms.as_slice() {
            _ if forms.iter().any(|(_, open)| *open) => return None,
            [] => (
                tr!("{page} has no lead form.", page = name),
                tr!("Create a lead form on the page in Meta Ads Manager or Meta Business Suite."),
            ),
            archived => (
                tr!("Every form of {page} is archived ({forms}).", page = name, forms = names(archived)),
                tr!("Make a form active again in Meta Business Suite, or use another one in the ads."),
            ),
        };
        Some((page.observation.id.clone(), finding, fix))
    };
    let wrong: Vec<_> = seen.pages.iter().filter_map(wrong).collect();
    let Some((_, _, fix)) = wrong.first() else {
        let pass = tr!("Every page has a form that people can fill in.");
        return unknown_or_pass(CheckId::Forms, seen, |page| &page.forms, pass);
    };
    let evidence: Vec<&str> = wrong.iter().map(|(_, finding, _)| finding.as_str()).collect();
    let page_ids = wrong.iter().map(|(id, _, _)| id.clone()).collect();
    Check { page_ids, ..check(CheckId::Forms, CheckStatus::Fail, evidence.join(" "), Some(fix.clone())) }
}

fn names(forms: &[(String, bool)]) -> String {
    forms.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

fn backlog(seen: &HealthObservation) -> Check {
    use CheckStatus::{Fail, Pass, Unknown};
    if let Some(reason) = seen.parked.first() {
        let evidence = tr!(
            [seen.parked.len()] "{n} lead of these pages could not be imported: {reason}."
                | "{n} leads of these pages could not be imported, one of them for this reason: {reason}.",
            reason = reason.message()
        );
        let fix = tr!("Open Delivery: it says why each lead is parked. Fix the cause, then choose “Try again” there.");
        return check(CheckId::Backlog, Fail, evidence, Some(fix));
    }
    if let Some(reason) = seen.waiting.first() {
        let evidence = tr!(
            [seen.waiting.len()] "{n} lead of these pages waits for a temporary failure to pass: {reason}."
                | "{n} leads of these pages wait for a temporary failure to pass: {reason}.",
            reason = reason.message()
        );
        let fix = tr!("Nothing to do: they are imported as soon as Meta can be read for their page again.");
        return check(CheckId::Backlog, Fail, evidence, Some(fix));
    }
    match &seen.queued {
        Err(why) => check(CheckId::Backlog, Unknown, tr!("The queue could not be read: {why}.", why = why), None),
        Ok(queued) if *queued > USUAL_QUEUE => {
            let fix = tr!("Lead processing is behind. Its log and alarms show why.");
            // All orgs share the queue: how much is in it is no one org's business.
            check(CheckId::Backlog, Fail, tr!("Leads take longer than usual at the moment."), Some(fix))
        }
        Ok(_) => check(CheckId::Backlog, Pass, tr!("Leads are imported without delay, and none is parked."), None),
    }
}

fn whatsapp(numbers: &[(String, Observed<bool>)]) -> Check {
    let names = |wanted: fn(&Observed<bool>) -> bool| {
        let named = numbers.iter().filter(|(_, reported)| wanted(reported)).map(|(name, _)| name.as_str());
        named.collect::<Vec<_>>().join(", ")
    };
    let silent = names(|reported| matches!(reported, Ok(false)));
    if !silent.is_empty() {
        let fix = tr!(
            "Sync the integration to subscribe the account again. If this check still fails, the person who connected needs full control of the WhatsApp account in Meta Business Suite."
        );
        let evidence = tr!("Meta does not report the messages to {names}.", names = silent);
        return check(CheckId::Whatsapp, CheckStatus::Fail, evidence, Some(fix));
    }
    let (status, evidence) = match numbers.iter().find_map(|(_, reported)| reported.as_ref().err()) {
        Some(why) => {
            let names = names(Result::is_err);
            (CheckStatus::Unknown, tr!("Could not be determined for {names}: {why}.", names = names, why = why))
        }
        None if numbers.is_empty() => {
            (CheckStatus::Pass, tr!("The person who connected has no WhatsApp account.").into_owned())
        }
        None => (CheckStatus::Pass, tr!("Meta reports the messages to {names}.", names = names(Result::is_ok))),
    };
    check(CheckId::Whatsapp, status, evidence, None)
}
