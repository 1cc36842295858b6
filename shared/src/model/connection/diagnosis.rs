//! The diagnosis of a connection: what was observed of its pages, and which problems follow. Connecting, the daily check
//! and the health report all use it, so that they agree.

use crate::ids::PageId;
use crate::language::fill;
use crate::model::connection::problem::{
    Impact, IntegrationProblem, IntegrationProblemCode, LEADS_WITHHELD, NOT_SUBSCRIBED, PAGE_WITHOUT_TOKEN,
    PERSON_LACKS_TASK, SCOPE_MISSING, SCOPE_MISSING_FOR_PAGE, SUBSCRIPTION_REFUSED, SYSTEM_USER_LACKS_TASK,
    describe_scope,
};
use crate::model::connection::state::TokenKind;
use crate::model::connection::{Connection, Integration};
use crate::{phrase, tr};

/// An observation, or why it could not be made.
pub type Observed<T> = Result<T, String>;

/// What was observed of one page.
#[derive(Debug, Clone)]
pub struct PageObservation {
    /// The page.
    pub id: PageId,
    /// Its name.
    pub name: String,
    /// The connected person's tasks on the page, in Meta's notation. Empty if Meta did not report them.
    pub tasks: Observed<Vec<String>>,
    /// The page's webhook subscription.
    pub subscription: Observed<Subscription>,
    /// Whether Leads Access Manager lets this app read its leads.
    pub lead_access: Observed<Result<(), LeadsDenied>>,
}

/// A page's webhook subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscription {
    /// The subscribed fields.
    Fields(Vec<String>),
    /// Meta refused to read or to change it, with its words.
    Refused(String),
}

/// Why Meta withholds a page's leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadsDenied {
    /// The reason, in Meta's words if it has any.
    pub reason: String,
    /// The remedy, in Meta's words if it has any.
    pub fix: String,
}

/// The permission without which there are no leads.
pub const LEAD_SCOPE: &str = "leads_retrieval";
/// The webhook field that reports leads.
pub const LEAD_FIELD: &str = "leadgen";
/// The task that a person needs on a page to read its leads.
pub const LEAD_TASK: &str = "ADVERTISE";
/// A person needs one of these tasks to subscribe a page.
pub const SUBSCRIBING_TASKS: [&str; 3] = ["CREATE_CONTENT", "MANAGE", "MODERATE"];
/// The remedy for denied lead access when Meta names none.
pub const LEAD_ACCESS_FIX: &str = phrase!(
    "Ask an administrator of the page to assign this app as a CRM in Meta Business settings, under Integrations, Leads access."
);

impl PageObservation {
    /// What is stored of a page. What only Meta knows is not observed.
    #[must_use]
    pub fn from_stored(page: &Connection) -> Self {
        Self {
            id: page.page_id.clone(),
            name: page.page_name.clone(),
            tasks: Ok(page.tasks.clone()),
            subscription: Err(tr!("Meta was not asked").into_owned()),
            lead_access: Err(tr!("Meta was not asked").into_owned()),
        }
    }
}

/// The problems of an integration and its connected pages, the worst first. What could not be observed is not a problem.
/// Only connecting finds pages that Meta lists without a token, so those problems are carried over. Their texts are in
/// English, because they are stored; [`IntegrationProblem::translate`] translates them.
#[must_use]
pub fn problems(integration: &Integration, pages: &[PageObservation]) -> Vec<IntegrationProblem> {
    let missing = integration.asked_scopes.iter().filter(|scope| !integration.scopes.contains(scope));
    let mut problems: Vec<IntegrationProblem> = missing.map(|scope| scope_missing(integration, scope)).collect();
    problems.extend(integration.pages_without_token().cloned());
    let may_read_leads = integration.scopes.iter().any(|scope| scope == LEAD_SCOPE);
    for page in pages {
        problems.extend(tasks_missing(integration, page));
        problems.extend(page_scope_missing(integration, page));
        // Without the permission, the subscription cannot exist either: report the cause only.
        problems.extend(not_subscribed(integration, page).filter(|_| may_read_leads));
        problems.extend(lead_access_denied(page));
    }
    problems.sort_by_key(|problem| problem.impact);
    problems
}

/// The problem of a page that Meta lists without a token.
#[must_use]
pub fn page_without_token(kind: TokenKind, id: &PageId, name: &str) -> IntegrationProblem {
    let fix = match kind {
        TokenKind::User => {
            phrase!("Ask an administrator of the page to give you a role on it at Meta, then reconnect.")
        }
        TokenKind::SystemUser => phrase!(
            "Assign the page to the system user in Meta Business settings, then replace the system user's token here."
        ),
    };
    IntegrationProblem {
        code: IntegrationProblemCode::PageWithoutToken,
        impact: Impact::LeadsBlocked,
        page_id: Some(id.clone()),
        message: fill(PAGE_WITHOUT_TOKEN, &[("page", &name)]),
        fix: fix.to_owned(),
    }
}

fn scope_missing(integration: &Integration, scope: &str) -> IntegrationProblem {
    let (impact, right) = describe_scope(scope);
    let fix = match integration.token_kind {
        TokenKind::User => phrase!("Reconnect and keep every permission selected in Meta's dialog."),
        TokenKind::SystemUser => phrase!(
            "In Meta Business settings, generate a token with this permission for the system user. Then replace the token here."
        ),
    };
    IntegrationProblem {
        code: IntegrationProblemCode::ScopeMissing,
        impact,
        page_id: None,
        message: fill(SCOPE_MISSING, &[("right", &right), ("scope", &scope), ("impact", &impact.message())]),
        fix: fix.to_owned(),
    }
}

/// A permission without a list of pages covers all of them.
fn page_scope_missing(integration: &Integration, page: &PageObservation) -> Option<IntegrationProblem> {
    let granted = integration.granted_for.get(LEAD_SCOPE)?;
    let fix = match integration.token_kind {
        TokenKind::User => phrase!("Reconnect and select the page for every permission in Meta's dialog."),
        TokenKind::SystemUser => phrase!(
            "Assign the page to the system user in Meta Business settings, then replace the system user's token here."
        ),
    };
    let (impact, right) = describe_scope(LEAD_SCOPE);
    (!granted.iter().any(|id| id == page.id.as_str())).then(|| IntegrationProblem {
        code: IntegrationProblemCode::ScopeMissing,
        impact,
        page_id: Some(page.id.clone()),
        message: fill(
            SCOPE_MISSING_FOR_PAGE,
            &[("page", &page.name), ("right", &right), ("scope", &LEAD_SCOPE), ("impact", &impact.message())],
        ),
        fix: fix.to_owned(),
    })
}

fn tasks_missing(integration: &Integration, page: &PageObservation) -> Option<IntegrationProblem> {
    let tasks = page.tasks.as_ref().ok().filter(|tasks| !tasks.is_empty())?;
    let may = |task: &str| tasks.iter().any(|known| known == task);
    let may_subscribe = SUBSCRIBING_TASKS.into_iter().any(may);
    let missing = match (may(LEAD_TASK), may_subscribe) {
        (true, true) => return None,
        (false, true) => phrase!("ADVERTISE (to read leads)"),
        (true, false) => phrase!("CREATE_CONTENT, MODERATE or MANAGE (to receive new ones)"),
        (false, false) => {
            phrase!("ADVERTISE (to read leads) and CREATE_CONTENT, MODERATE or MANAGE (to receive new ones)")
        }
    };
    let (message, fix) = match integration.token_kind {
        TokenKind::User => (
            PERSON_LACKS_TASK,
            phrase!("Ask an administrator of the page to give that person full control of it at Meta."),
        ),
        TokenKind::SystemUser => (
            SYSTEM_USER_LACKS_TASK,
            phrase!("In Meta Business settings, give the system user full control of the page."),
        ),
    };
    Some(IntegrationProblem {
        code: IntegrationProblemCode::TaskMissing,
        impact: if may(LEAD_TASK) { Impact::LeadsAtRisk } else { Impact::LeadsBlocked },
        page_id: Some(page.id.clone()),
        message: fill(message, &[("page", &page.name), ("tasks", &missing)]),
        fix: fix.to_owned(),
    })
}

pub(super) fn not_subscribed(integration: &Integration, page: &PageObservation) -> Option<IntegrationProblem> {
    let kind = integration.token_kind;
    let (refusal, fix) = match (page.subscription.as_ref().ok()?, kind) {
        (Subscription::Fields(fields), _) if fields.iter().any(|field| field == LEAD_FIELD) => return None,
        (_, TokenKind::User) if !integration.scopes.iter().any(|scope| scope == LEAD_SCOPE) => {
            (None, phrase!("Reconnect and keep every permission selected in Meta's dialog."))
        }
        (Subscription::Fields(_), TokenKind::User) => (
            None,
            phrase!(
                "The daily check repairs this. If the problem is back after a day, reconnect as a person who has full control of the page, and grant leads_retrieval and pages_manage_metadata."
            ),
        ),
        (Subscription::Refused(why), TokenKind::User) => (
            Some(why),
            phrase!(
                "Reconnect as a person who may create content, moderate or manage the page, and grant pages_manage_metadata."
            ),
        ),
        (_, TokenKind::SystemUser) => (
            None,
            phrase!(
                "Give the system user full control of the page, and generate a token for it with leads_retrieval and pages_manage_metadata. Then replace the token here."
            ),
        ),
    };
    let message = match refusal {
        Some(why) => fill(SUBSCRIPTION_REFUSED, &[("page", &page.name), ("why", why)]),
        None => fill(NOT_SUBSCRIBED, &[("page", &page.name)]),
    };
    Some(IntegrationProblem {
        code: IntegrationProblemCode::PageNotSubscribed,
        impact: Impact::LeadsAtRisk,
        page_id: Some(page.id.clone()),
        message,
        fix: fix.to_owned(),
    })
}

fn lead_access_denied(page: &PageObservation) -> Option<IntegrationProblem> {
    let denied = page.lead_access.as_ref().ok()?.as_ref().err()?;
    Some(IntegrationProblem {
        code: IntegrationProblemCode::LeadAccessDenied,
        impact: Impact::LeadsBlocked,
        page_id: Some(page.id.clone()),
        message: fill(LEADS_WITHHELD, &[("page", &page.name), ("reason", &denied.reason)]),
        fix: denied.fix.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Language, Locale, speak_now};
    use crate::model::connection::tests::{connection, integration};

    fn page() -> PageObservation {
        PageObservation {
            tasks: Ok(vec!["ADVERTISE".into(), "MODERATE".into()]),
            subscription: Ok(Subscription::Fields(vec!["leadgen".into()])),
            lead_access: Ok(Ok(())),
            ..PageObservation::from_stored(&connection())
        }
    }

    fn codes(integration: &Integration, page: PageObservation) -> Vec<IntegrationProblemCode> {
        problems(integration, &[page]).into_iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn each_cause_is_one_problem_and_silence_is_none() {
        use IntegrationProblemCode::{LeadAccessDenied, PageNotSubscribed, TaskMissing};
        let granted = Integration { scopes: vec![LEAD_SCOPE.into()], ..integration() };
        let text = |words: &[&str]| Ok(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let denied = LeadsDenied { reason: "no".into(), fix: "do".into() };
        for (observation, expect) in [
            (page(), vec![]),
            (PageObservation::from_stored(&connection()), vec![]),
            (PageObservation { tasks: text(&[]), ..page() }, vec![]),
            (PageObservation { tasks: text(&["ADVERTISE", "ANALYZE"]), ..page() }, vec![TaskMissing]),
            (PageObservation { tasks: text(&["MANAGE"]), ..page() }, vec![TaskMissing]),
            (PageObservation { tasks: text(&["ANALYZE"]), ..page() }, vec![TaskMissing]),
            (
                PageObservation { subscription: Ok(Subscription::Fields(vec!["feed".into()])), ..page() },
                vec![PageNotSubscribed],
            ),
            (
                PageObservation { subscription: Ok(Subscription::Refused("no".into())), ..page() },
                vec![PageNotSubscribed],
            ),
            (PageObservation { subscription: Err("no answer".into()), ..page() }, vec![]),
            (PageObservation { lead_access: Ok(Err(denied)), ..page() }, vec![LeadAccessDenied]),
        ] {
            let context = format!("{observation:?}");
            assert_eq!(codes(&granted, observation), expect, "{context}");
        }
    }

    #[test]
    fn a_missing_permission_is_the_problem_and_not_what_it_does_not_allow() {
        let scopes = |requested: &[&str], granted: &[&str]| {
            let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
            Integration { asked_scopes: text(requested), scopes: text(granted), ..integration() }
        };
        let unsubscribed = || PageObservation { subscription: Ok(Subscription::Fields(vec![])), ..page() };
        let problems = problems(&scopes(&["ads_read", "a", LEAD_SCOPE], &["a", "c"]), &[unsubscribed()]);
        let found: Vec<Impact> = problems.iter().map(|problem| problem.impact).collect();
        assert_eq!(found, [Impact::LeadsBlocked, Impact::AdsReports], "the worst first");
        assert!(problems[0].message.contains(LEAD_SCOPE));
    }

    #[test]
    fn the_fix_is_one_that_a_system_user_can_follow() {
        let denied = |kind| Integration {
            token_kind: kind,
            asked_scopes: vec![LEAD_SCOPE.to_owned(), "ads_read".to_owned()],
            granted_for: [(LEAD_SCOPE.to_owned(), vec![])].into(),
            ..integration()
        };
        let observation = PageObservation {
            tasks: Ok(vec!["ANALYZE".into()]),
            subscription: Ok(Subscription::Refused("no".into())),
            ..page()
        };
        let reconnects = |kind| {
            let integration = denied(kind);
            let mut found = problems(&integration, std::slice::from_ref(&observation));
            found.extend(not_subscribed(&integration, &observation));
            found.push(page_without_token(kind, &observation.id, "Page"));
            assert!(found.len() >= 5, "{found:?}");
            found.iter().filter(|problem| problem.fix.to_lowercase().contains("reconnect")).count()
        };
        assert!(reconnects(TokenKind::User) >= 4);
        assert_eq!(reconnects(TokenKind::SystemUser), 0);
    }

    #[test]
    fn a_problem_is_told_in_the_readers_language() {
        let observation = |subscription| PageObservation {
            tasks: Ok(vec!["ANALYZE".into()]),
            subscription: Ok(subscription),
            lead_access: Ok(Err(LeadsDenied { reason: "no".into(), fix: LEAD_ACCESS_FIX.into() })),
            ..page()
        };
        let pages =
            [observation(Subscription::Fields(Vec::new())), observation(Subscription::Refused("no {page}".into()))];
        for kind in [TokenKind::User, TokenKind::SystemUser] {
            let integration = Integration {
                token_kind: kind,
                asked_scopes: vec!["ads_read".into()],
                scopes: vec![LEAD_SCOPE.into()],
                granted_for: [(LEAD_SCOPE.to_owned(), Vec::new())].into(),
                ..integration()
            };
            let mut found = problems(&integration, &pages);
            found.push(page_without_token(kind, &page().id, "Page: 1"));
            for problem in found {
                assert_eq!(problem.translate(), problem);
                let german = speak_now(Locale::usual(Language::German), || problem.translate());
                assert!(german.message != problem.message && german.fix != problem.fix, "{german:?}");
            }
        }
    }

    #[test]
    fn a_permission_for_some_pages_is_missing_for_the_others() {
        let count = |granted_for: &[(&str, &[&str])]| {
            let text = |pages: &[&str]| pages.iter().map(|page| (*page).to_owned()).collect();
            let granted_for = granted_for.iter().map(|(scope, pages)| ((*scope).to_owned(), text(pages))).collect();
            problems(&Integration { granted_for, ..integration() }, &[page()]).len()
        };
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[("leads_retrieval", &["7", "8"])]), 0);
        assert_eq!(count(&[("leads_retrieval", &["8"])]), 1);
        assert_eq!(count(&[("pages_show_list", &["8"])]), 0);
    }
}
