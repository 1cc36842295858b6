//! The acts that are recorded of the console's routes. A route whose method can change something has an entry, or is
//! refused.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use leadwire::audit::{ActRule, Trail};
use leadwire::http::Problem;
use leadwire::http::audit::{AuditedFace, RouteAct, ShownProblem, act, trail_of};
use leadwire::model::audit::{AuditAct as A, AuditFace};

use crate::state::Console;

const fn form(path: &'static str, of: A) -> RouteAct {
    act("POST", path, of)
}

/// A form that shows something and changes nothing.
const fn preview(path: &'static str) -> RouteAct {
    ("POST", path, ActRule::Nothing)
}

/// A form with which a person keeps something for themselves alone.
const fn own(path: &'static str) -> RouteAct {
    ("POST", path, ActRule::Nothing)
}

pub(crate) const ACTS: &[RouteAct] = &[
    act("GET", "/login/callback", A::Login),
    form("/logout", A::Logout),
    // It proves a person, who needs no org and no login for it.
    preview("/unsubscribe/{token}"),
    form("/orgs", A::OrgSelect),
    form("/account/mails", A::UserChange),
    own("/home/steps"),
    own("/account/steps"),
    form("/integrations/connect", A::IntegrationConnect),
    form("/integrations/token", A::IntegrationCreate),
    form("/integrations/disconnect", A::IntegrationDisconnect),
    form("/integrations/{id}/reconnect", A::IntegrationReconnect),
    form("/integrations/{id}/settings", A::IntegrationChange),
    form("/integrations/{id}/pages", A::IntegrationPages),
    form("/integrations/{id}/token", A::IntegrationToken),
    form("/integrations/{id}/sync", A::IntegrationSync),
    form("/integrations/{id}/backfill", A::IntegrationBackfill),
    form("/integrations/{id}/delete", A::IntegrationDelete),
    form("/integrations/{id}/quality", A::ConversionsChange),
    form("/integrations/{id}/quality/test", A::ConversionsTest),
    form("/leads/import", A::LeadImport),
    form("/leads/imports/{id}/undo", A::LeadImportUndo),
    form("/leads/exports", A::ExportCreate),
    form("/leads/exports/selected", A::ExportCreate),
    form("/leads/exports/{id}/delete", A::ExportDelete),
    form("/leads/{id}/erase", A::PersonErase),
    form("/leads/{id}/assign", A::LeadChange),
    form("/leads/{id}/status", A::LeadChange),
    form("/leads/{id}/notes", A::LeadChange),
    form("/inbox/people/{id}/name", A::ContactChange),
    form("/inbox/people/{id}/lead", A::ContactChange),
    form("/inbox/people/{id}/person", A::ContactChange),
    form("/inbox/people/{id}/erase", A::ContactErase),
    form("/inbox/saved-replies", A::SavedReplyCreate),
    form("/inbox/saved-replies/{id}", A::SavedReplyChange),
    form("/inbox/saved-replies/{id}/delete", A::SavedReplyDelete),
    form("/inbox/bulk", A::ConversationChange),
    form("/inbox/{id}/answer", A::ConversationAnswer),
    form("/inbox/{id}/assign", A::ConversationChange),
    form("/inbox/{id}/status", A::ConversationChange),
    form("/inbox/{id}/snooze", A::ConversationChange),
    form("/inbox/{id}/unread", A::ConversationChange),
    form("/forms/{id}", A::MappingChange),
    preview("/forms/{id}/preview"),
    form("/forms/{id}/rerun", A::MappingRerun),
    form("/forms/{id}/test-lead", A::FormTest),
    form("/forms/{id}/archive", A::FormArchive),
    form("/webhooks", A::EndpointCreate),
    form("/webhooks/{id}", A::EndpointChange),
    form("/webhooks/{id}/test", A::EndpointTest),
    form("/webhooks/{id}/rotate", A::EndpointRotate),
    form("/webhooks/{id}/delete", A::EndpointDelete),
    form("/webhooks/{id}/deliveries/{delivery}/resend", A::DeliveryResend),
    form("/leads/bulk", A::LeadChange),
    form("/leads/bulk/{id}/undo", A::LeadChange),
    own("/leads/views"),
    own("/leads/views/delete"),
    form("/delivery/replay", A::LeadReplay),
    form("/delivery/dismiss", A::LeadDismiss),
    form("/posts/new", A::PostCreate),
    preview("/posts/new/preview"),
    form("/posts/new/accounts", A::AccountRefresh),
    form("/posts/new/media", A::MediaCreate),
    form("/posts/{id}/move", A::PostMove),
    form("/posts/{id}/publish", A::PostMove),
    form("/posts/{id}/cancel", A::PostCancel),
    form("/ads/sync", A::AdsSync),
    form("/ads/accounts/new", A::AdAccountLink),
    form("/ads/accounts/{id}", A::AdAccountChange),
    form("/ads/accounts/{id}/token", A::AdAccountChange),
    form("/ads/accounts/{id}/pause", A::AdAccountChange),
    form("/ads/accounts/{id}/sync", A::AdsSync),
    form("/ads/accounts/{id}/unlink", A::AdAccountUnlink),
    // A step of the wizard. Its last one creates a campaign, and another one a lead form.
    ("POST", "/campaigns/new", ActRule::Choice),
    preview("/campaigns/new/preview"),
    form("/campaigns/{id}/launch", A::CampaignLaunch),
    form("/campaigns/{id}/pause", A::CampaignPause),
    form("/campaigns/{id}/archive", A::CampaignArchive),
];

pub(crate) fn audited(console: &Console) -> AuditedFace {
    AuditedFace { log: console.rooms.audit.clone(), face: AuditFace::Console, acts: ACTS, source }
}

fn source(parts: &Parts) -> Option<String> {
    match parts.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.clone(),
        _ => None,
    }
}

/// The trail of a request, for acts of those who have no access before.
pub(crate) struct RequestTrail(pub(crate) Trail);

impl<S: Send + Sync> FromRequestParts<S> for RequestTrail {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(trail_of(parts)))
    }
}

/// Pages that show why an act was refused, although their status does not say so.
pub(crate) trait Showing {
    /// Says so in the act's record, if there is a problem.
    fn showing(self, problem: Option<&Problem>) -> Self;
}

impl Showing for Response {
    fn showing(mut self, problem: Option<&Problem>) -> Self {
        if let Some(problem) = problem {
            self.extensions_mut().insert(ShownProblem(problem.code));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The routes with `post` below a line such as `.route("/x", get(…).post(…))`, in the order of their file.
    fn posts_in(file: &Path, prefix: &str) -> Vec<String> {
        let text = fs::read_to_string(file).unwrap();
        let routes = text.split("#[cfg(test)]").next().unwrap().split(".route(").skip(1);
        let is_post = |route: &&str| {
            let end = route.find(".route(").or_else(|| route.find('\n')).unwrap_or(route.len());
            route[..end].contains("post(")
        };
        let path = |route: &str| {
            let own = route.split('"').nth(1).unwrap();
            if own == "/" && !prefix.is_empty() { prefix.to_owned() } else { format!("{prefix}{own}") }
        };
        routes.filter(is_post).map(path).collect()
    }

    #[test]
    fn every_route_that_can_change_something_has_an_act() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let router = fs::read_to_string(source.join("router.rs")).unwrap();
        let mut routes = posts_in(&source.join("router.rs"), "");
        let nests: Vec<(&str, &str)> = router
            .split(".nest(\"")
            .skip(1)
            .map(|nest| {
                let (prefix, rest) = nest.split_once("\", ").unwrap();
                (prefix, rest.split("::").next().unwrap())
            })
            .collect();
        assert!(nests.len() >= 9, "{nests:?}");
        for (prefix, module) in nests {
            let file = [format!("{module}.rs"), format!("{module}/mod.rs")].map(|name| source.join(name));
            let file = file.iter().find(|file| file.exists()).unwrap();
            let found = posts_in(file, prefix);
            assert!(!found.is_empty(), "{module}");
            routes.extend(found);
        }
        let acts: BTreeSet<&str> =
            ACTS.iter().filter(|(method, ..)| *method == "POST").map(|(_, path, _)| *path).collect();
        let routes: BTreeSet<&str> = routes.iter().map(String::as_str).collect();
        assert_eq!(routes, acts, "each route that takes a form has one entry, and each entry a route");
        assert_eq!(ACTS.len(), acts.len() + 1, "an entry is there twice");
    }

    /// Only `post` takes forms: the test above would not see another method.
    #[test]
    fn no_route_takes_another_method() {
        let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(path) = open.pop() {
            if path.is_dir() {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for line in code.lines().filter(|line| line.contains(".route(")) {
                for method in [" put(", ".put(", " patch(", ".patch(", " delete(", ".delete(", " any(", "MethodFilter"]
                {
                    assert!(!line.contains(method), "{}: {line}", path.display());
                }
            }
        }
    }
}
