//! The health report of an integration: one check per cause that can keep leads out, each with what was seen and what
//! to do. "Unknown" is an answer: nothing was seen that would tell.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::ids::PageId;
use crate::model::connection::standing::{ConnectionStatus, EndReason, Standing, TokenKind};
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

/// What was seen of one thing: it, or why it could not be seen.
pub type Sight<T> = Result<T, String>;

/// What was seen of an integration.
#[derive(Debug)]
pub struct Seen {
    /// By what is stored and what Meta said just now.
    pub standing: Standing,
    /// What Meta said of the token just now; `Err` if it said nothing.
    pub token: Sight<()>,
    /// What it is.
    pub token_kind: TokenKind,
    /// Asked for and not granted.
    pub missing_scopes: Vec<String>,
    /// Its connected pages.
    pub pages: Vec<PageSeen>,
    /// Leads that wait in the queue, of all orgs.
    pub queued: Sight<u64>,
    /// Leads of these pages that are parked, with the reason of each.
    pub parked: Vec<FailureCode>,
}

/// What was seen of one page.
#[derive(Debug)]
pub struct PageSeen {
    /// The page.
    pub id: PageId,
    /// Its name.
    pub name: String,
    /// Why this page alone brings no leads, if it does not.
    pub lost: Option<EndReason>,
    /// Tasks that the person lacks on it.
    pub missing_tasks: Sight<Vec<&'static str>>,
    /// Webhook fields that are subscribed.
    pub subscribed: Sight<Vec<String>>,
    /// Whether Leads Access Manager lets us have its leads; `Err` with Meta's words if it cannot be known.
    pub lead_access: Sight<Result<(), LeadsDenied>>,
    /// Its forms: name, and whether people can fill it in.
    pub forms: Sight<Vec<(String, bool)>>,
    /// Since when it is connected.
    pub connected_at: Timestamp,
    /// When a webhook last brought a lead.
    pub last_webhook_at: Option<Timestamp>,
    /// When a real lead last came, in whatever way.
    pub last_lead_at: Option<Timestamp>,
    /// When a test lead last came.
    pub last_test_lead_at: Option<Timestamp>,
}

/// Why Meta keeps a page's leads from us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadsDenied {
    /// In Meta's words.
    pub reason: String,
    /// In Meta's words, or ours if it has none.
    pub fix: String,
}

/// The webhook field that brings leads.
pub const LEAD_FIELD: &str = "leadgen";
/// Leads in the queue that are no sign of trouble yet.
const USUAL_QUEUE: u64 = 1000;

/// The checks, in the order in which somebody looking for the fault would make them.
#[must_use]
pub fn report(seen: &Seen, now: Timestamp) -> Vec<Check> {
    vec![
        token(seen),
        scopes(seen),
        page_tasks(seen),
        subscription(seen),
        lead_access(seen),
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

fn token(seen: &Seen) -> Check {
    use CheckStatus::{Fail, Pass, Unknown};
    let kind = match seen.token_kind {
        TokenKind::User => "A person's token",
        TokenKind::SystemUser => "A system user's token",
    };
    let ends = seen.standing.expires_at.map_or_else(|| "without end".to_owned(), |end| format!("good until {end}"));
    match (seen.standing.reason, &seen.token) {
        (Some(reason), _) => check(CheckId::Token, Fail, reason.message(), Some(reason.fix())),
        (None, _) if seen.pages.iter().any(|page| page.lost.is_some()) => lost_pages(seen),
        (None, Err(why)) => check(
            CheckId::Token,
            Unknown,
            format!("{kind}, {ends} as last seen; Meta does not say more now: {why}."),
            None,
        ),
        (None, Ok(())) if seen.standing.status == ConnectionStatus::ExpiringSoon => {
            let fix = "Reconnect in time: leads stop on that day.";
            check(CheckId::Token, Pass, format!("{kind}, {ends}; that is soon."), Some(fix))
        }
        (None, Ok(())) => check(CheckId::Token, Pass, format!("{kind}, {ends}."), None),
    }
}

fn lost_pages(seen: &Seen) -> Check {
    let lost = || seen.pages.iter().filter_map(|page| Some((page, page.lost?)));
    let evidence: Vec<String> = lost().map(|(page, reason)| format!("{}: {}", page.name, reason.message())).collect();
    let fix = lost().map(|(_, reason)| reason.fix()).next();
    let page_ids = lost().map(|(page, _)| page.id.clone()).collect();
    Check { page_ids, ..check(CheckId::Token, CheckStatus::Fail, evidence.join(" "), fix) }
}

fn scopes(seen: &Seen) -> Check {
    if seen.missing_scopes.is_empty() {
        return check(CheckId::Scopes, CheckStatus::Pass, "Everything that was asked for is granted.", None);
    }
    let fix = "Reconnect and leave every permission ticked in Meta's dialog.";
    let evidence = format!("Not granted: {}.", seen.missing_scopes.join(", "));
    check(CheckId::Scopes, CheckStatus::Fail, evidence, Some(fix))
}

/// What each page says, as one check: the pages that fail, else those of which nothing is known, else all is well.
fn of_pages<T>(
    id: CheckId,
    seen: &Seen,
    look: impl Fn(&PageSeen) -> &Sight<T>,
    wrong: impl Fn(&PageSeen, &T) -> Option<(String, String)>,
    well: &str,
) -> Check {
    let (mut failing, mut unknown) = (Vec::new(), Vec::new());
    for page in &seen.pages {
        match look(page) {
            Ok(found) => failing.extend(wrong(page, found).map(|wrong| (page, wrong))),
            Err(why) => unknown.push((page, why)),
        }
    }
    if let Some((_, (_, fix))) = failing.first() {
        let evidence: Vec<String> = failing.iter().map(|(page, (what, _))| format!("{}: {what}", page.name)).collect();
        let page_ids = failing.iter().map(|(page, _)| page.id.clone()).collect();
        return Check {
            page_ids,
            ..check(id, CheckStatus::Fail, format!("{}.", evidence.join("; ")), Some(fix.as_str()))
        };
    }
    if let Some((_, why)) = unknown.first() {
        let names: Vec<&str> = unknown.iter().map(|(page, _)| page.name.as_str()).collect();
        let page_ids = unknown.iter().map(|(page, _)| page.id.clone()).collect();
        let evidence = format!("Could not be found out for {}: {why}.", names.join(", "));
        return Check { page_ids, ..check(id, CheckStatus::Unknown, evidence, None) };
    }
    check(id, CheckStatus::Pass, well, None)
}

fn page_tasks(seen: &Seen) -> Check {
    of_pages(
        CheckId::PageTasks,
        seen,
        |page| &page.missing_tasks,
        |_, missing| {
            let fix = "An administrator of the page gives the person who connected full control of it at Meta.";
            (!missing.is_empty()).then(|| (format!("{} is missing", missing.join(" and ")), fix.to_owned()))
        },
        "The person who connected may do on every page what is needed.",
    )
}

fn subscription(seen: &Seen) -> Check {
    of_pages(
        CheckId::Subscription,
        seen,
        |page| &page.subscribed,
        |_, fields| {
            let fix = "It is repaired at the next look, within a day. If it is missing again then, reconnect with somebody who has full control of the page, and grant leads_retrieval and pages_manage_metadata.";
            (!fields.iter().any(|field| field == LEAD_FIELD))
                .then(|| ("Meta does not tell us of its new leads".to_owned(), fix.to_owned()))
        },
        "Meta tells us of the new leads of every page.",
    )
}

fn lead_access(seen: &Seen) -> Check {
    of_pages(
        CheckId::LeadAccess,
        seen,
        |page| &page.lead_access,
        |_, access| {
            let denied = access.as_ref().err()?;
            Some((
                format!("Leads Access Manager keeps its leads from this app ({})", denied.reason),
                denied.fix.clone(),
            ))
        },
        "Leads Access Manager lets this app have the leads of every page.",
    )
}

fn forms(seen: &Seen) -> Check {
    of_pages(
        CheckId::Forms,
        seen,
        |page| &page.forms,
        |_, forms| match forms.iter().find(|(_, open)| *open) {
            Some(_) => None,
            None if forms.is_empty() => Some((
                "has no lead form".to_owned(),
                "Create a lead form on the page in Meta Ads Manager or Meta Business Suite.".to_owned(),
            )),
            None => Some((
                format!("every form is archived ({})", names(forms)),
                "Make a form active again in Meta Business Suite, or use another one in the ads.".to_owned(),
            )),
        },
        "Every page has a form that people can fill in.",
    )
}

fn names(forms: &[(String, bool)]) -> String {
    forms.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

fn latest(seen: &Seen, of: impl Fn(&PageSeen) -> Option<Timestamp>) -> Option<Timestamp> {
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

fn last_webhook(seen: &Seen, now: Timestamp) -> Check {
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

fn last_lead(seen: &Seen, now: Timestamp) -> Check {
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
fn app_mode(seen: &Seen) -> Check {
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

fn backlog(seen: &Seen) -> Check {
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
