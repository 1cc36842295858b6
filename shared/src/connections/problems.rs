//! What keeps an integration from doing all it should, found out when it is connected and at every look after that.

use crate::graph::access::LeadAccess;
use crate::graph::pages::Page;
use crate::graph::subscriptions::SUBSCRIBING_TASKS;
use crate::graph::{Graph, GraphError};
use crate::ids::PageId;
use crate::model::connection::standing::TokenKind;
use crate::model::connection::{Connection, Integration, IntegrationProblem, IntegrationProblemCode};
use crate::secret::AccessToken;
use crate::vault::Credentials;

/// What a person has to be allowed on a page to read its leads.
pub const LEAD_TASK: &str = "ADVERTISE";
/// The permission without which there are no leads.
pub const LEAD_SCOPE: &str = "leads_retrieval";

/// The permissions that were asked for and not granted.
#[must_use]
pub fn missing_scopes(asked: &[String], granted: &[String]) -> Vec<IntegrationProblem> {
    let missing = asked.iter().filter(|scope| !granted.contains(scope));
    let problem = |scope: &String| IntegrationProblem {
        code: IntegrationProblemCode::ScopeMissing,
        page_id: None,
        message: format!("Meta did not grant {scope}."),
        fix: "Reconnect and leave every permission ticked in Meta's dialog.".to_owned(),
    };
    missing.map(problem).collect()
}

/// A page that came without a token.
pub(super) fn page_without_token(page: &Page) -> IntegrationProblem {
    IntegrationProblem {
        code: IntegrationProblemCode::PageWithoutToken,
        page_id: Some(page.id.clone()),
        message: format!("Meta gave no access to the page {}, so it is not connected.", page.name),
        fix: "Ask an administrator of the page to give you a role on it at Meta, then reconnect.".to_owned(),
    }
}

/// What the person may not do on a page and would have to. Nothing if Meta did not say what they may.
#[must_use]
pub fn missing_tasks(tasks: &[String]) -> Vec<&'static str> {
    let may = |task: &&str| tasks.iter().any(|known| known == task);
    if tasks.is_empty() {
        return Vec::new();
    }
    let mut missing = Vec::new();
    if !may(&LEAD_TASK) {
        missing.push("ADVERTISE (to read leads)");
    }
    if !SUBSCRIBING_TASKS.iter().any(may) {
        missing.push("CREATE_CONTENT, MODERATE or MANAGE (to be told of new ones)");
    }
    missing
}

/// What is missing on pages by what is known of them: tasks of the person, and pages for which the permission to read
/// leads was not granted. A permission without a list of pages is granted for all of them.
#[must_use]
pub fn of_pages(integration: &Integration, pages: &[Connection]) -> Vec<IntegrationProblem> {
    let granted_for = integration.granted_for.get(LEAD_SCOPE);
    let mut found = Vec::new();
    for page in pages {
        let missing = missing_tasks(&page.tasks);
        if !missing.is_empty() {
            found.push(IntegrationProblem {
                code: IntegrationProblemCode::TaskMissing,
                page_id: Some(page.page_id.clone()),
                message: format!(
                    "The person who connected may not do everything on the page {}: {} is missing.",
                    page.page_name,
                    missing.join(" and ")
                ),
                fix: "An administrator of the page gives that person full control of it at Meta.".to_owned(),
            });
        }
        if granted_for.is_some_and(|pages| !pages.iter().any(|id| id == page.page_id.as_str())) {
            found.push(IntegrationProblem {
                code: IntegrationProblemCode::ScopeMissing,
                page_id: Some(page.page_id.clone()),
                message: format!("Meta did not grant {LEAD_SCOPE} for the page {}.", page.page_name),
                fix: "Reconnect and tick the page for every permission in Meta's dialog.".to_owned(),
            });
        }
    }
    found
}

/// A page that does not tell us of its leads.
#[must_use]
pub fn not_subscribed(page: &Connection, error: &GraphError) -> IntegrationProblem {
    IntegrationProblem {
        code: IntegrationProblemCode::PageNotSubscribed,
        page_id: Some(page.page_id.clone()),
        message: format!("The page {} does not tell us of new leads: {error}.", page.page_name),
        fix: "Reconnect with somebody who may create content, moderate or manage the page, and grant pages_manage_metadata.".to_owned(),
    }
}

/// A page whose leads Meta keeps from us.
#[must_use]
pub fn lead_access_denied(page: &Connection, access: &LeadAccess) -> IntegrationProblem {
    let said = access.failure_reason.as_deref().unwrap_or("Meta gives no reason");
    let fix = access.failure_resolution.clone().unwrap_or_else(|| LEAD_ACCESS_FIX.to_owned());
    IntegrationProblem {
        code: IntegrationProblemCode::LeadAccessDenied,
        page_id: Some(page.page_id.clone()),
        message: format!("Leads Access Manager keeps the leads of the page {} from this app: {said}.", page.page_name),
        fix,
    }
}

/// What to do about it when Meta does not say.
pub const LEAD_ACCESS_FIX: &str =
    "In Meta Business settings, under Integrations, Leads access, the page's administrator assigns this app as a CRM.";

/// Asks Meta whether it gives us the leads of these pages, where it answers that. What cannot be found out is no problem.
pub async fn of_lead_access(
    graph: &Graph,
    integration: &Integration,
    credentials: &Credentials,
    pages: &[Connection],
) -> Vec<IntegrationProblem> {
    if integration.token_kind != TokenKind::User || !integration.scopes.iter().any(|scope| scope == LEAD_SCOPE) {
        return Vec::new();
    }
    let with_tokens: Vec<(&Connection, &AccessToken)> =
        pages.iter().filter_map(|page| Some((page, credentials.pages.get(&page.page_id)?))).collect();
    let asked: Vec<(&PageId, &AccessToken)> = with_tokens.iter().map(|(page, token)| (&page.page_id, *token)).collect();
    let answers = graph.lead_access(&credentials.me.id, &asked).await;
    let denied = with_tokens.iter().zip(answers).filter_map(|((page, _), answer)| match answer {
        Ok(access) if !access.can_access_lead => Some(lead_access_denied(page, &access)),
        Ok(_) => None,
        Err(error) => {
            tracing::info!(%error, page = %page.page_id, "Meta does not say whether it gives us this page's leads");
            None
        }
    });
    denied.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_and_silence_is_no_refusal() {
        let missing = |tasks: &[&str]| missing_tasks(&tasks.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>()).len();
        assert_eq!(missing(&[]), 0);
        assert_eq!(missing(&["ADVERTISE", "MODERATE"]), 0);
        assert_eq!(missing(&["ADVERTISE", "ANALYZE"]), 1);
        assert_eq!(missing(&["MANAGE"]), 1);
        assert_eq!(missing(&["ANALYZE"]), 2);
        let text = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let scopes = missing_scopes(&text(&["a", "b"]), &text(&["b", "c"]));
        assert_eq!(scopes.len(), 1);
        assert!(scopes[0].message.contains(" a."));
    }

    #[test]
    fn a_permission_for_some_pages_is_missing_for_the_others() {
        use crate::model::connection::tests::{connection, integration};
        let codes = |granted_for: &[(&str, &[&str])]| {
            let text = |pages: &[&str]| pages.iter().map(|page| (*page).to_owned()).collect();
            let granted_for = granted_for.iter().map(|(scope, pages)| ((*scope).to_owned(), text(pages))).collect();
            of_pages(&Integration { granted_for, ..integration() }, &[connection()]).len()
        };
        assert_eq!(codes(&[]), 0);
        assert_eq!(codes(&[("leads_retrieval", &["7", "8"])]), 0);
        assert_eq!(codes(&[("leads_retrieval", &["8"])]), 1);
        assert_eq!(codes(&[("pages_show_list", &["8"])]), 0);
    }
}
