//! The console's acts by their addresses, in the terms of the API, for the audit.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use leadwire::http::audit::audited;
use leadwire::model::audit::AuditFace;

use crate::state::Console;

/// Each address with the act that a form sent there requests. `None` for what changes nothing of an org.
const ACTS: [(&str, Option<&str>); 65] = [
    ("/logout", None),
    ("/unsubscribe/{token}", None),
    ("/orgs", Some("selectOrg")),
    ("/posts/new", Some("writePosts")),
    ("/posts/new/preview", None),
    ("/posts/new/accounts", Some("refreshAccounts")),
    ("/posts/new/media", Some("uploadMedia")),
    ("/posts/{id}/move", Some("movePost")),
    ("/posts/{id}/publish", Some("movePost")),
    ("/posts/{id}/cancel", Some("cancelPost")),
    ("/leads/import", Some("importLeads")),
    ("/leads/exports", Some("startExport")),
    ("/leads/exports/{id}/delete", Some("deleteExport")),
    ("/leads/{id}/erase", Some("erasePerson")),
    ("/leads/{id}/assign", Some("changeLead")),
    ("/leads/{id}/status", Some("changeLead")),
    ("/leads/{id}/notes", Some("changeLead")),
    ("/integrations/connect", Some("getAuthUrl")),
    ("/integrations/token", Some("createIntegration")),
    ("/integrations/disconnect", Some("disconnectOrg")),
    ("/integrations/{id}/reconnect", Some("reconnectIntegration")),
    ("/integrations/{id}/settings", Some("changeIntegration")),
    ("/integrations/{id}/pages", Some("chooseIntegrationPages")),
    ("/integrations/{id}/token", Some("replaceToken")),
    ("/integrations/{id}/sync", Some("syncIntegration")),
    ("/integrations/{id}/backfill", Some("backfillIntegration")),
    ("/integrations/{id}/delete", Some("deleteIntegration")),
    ("/integrations/{id}/quality", Some("changeConversions")),
    ("/integrations/{id}/quality/test", Some("sendTestEvent")),
    ("/webhooks", Some("createEndpoint")),
    ("/webhooks/{id}", Some("changeEndpoint")),
    ("/webhooks/{id}/test", Some("testEndpoint")),
    ("/webhooks/{id}/rotate", Some("rotateSecret")),
    ("/webhooks/{id}/delete", Some("deleteEndpoint")),
    ("/webhooks/{id}/deliveries/{delivery}/resend", Some("resendDelivery")),
    ("/inbox/people/{id}/name", Some("changeContact")),
    ("/inbox/people/{id}/lead", Some("changeContact")),
    ("/inbox/people/{id}/person", Some("changeContact")),
    ("/inbox/people/{id}/erase", Some("eraseContact")),
    ("/inbox/saved-replies", Some("createSavedReply")),
    ("/inbox/saved-replies/{id}", Some("changeSavedReply")),
    ("/inbox/saved-replies/{id}/delete", Some("deleteSavedReply")),
    ("/inbox/{id}/answer", Some("answer")),
    ("/inbox/{id}/assign", Some("changeConversation")),
    ("/inbox/{id}/status", Some("changeConversation")),
    ("/inbox/{id}/snooze", Some("changeConversation")),
    ("/inbox/{id}/unread", Some("changeConversation")),
    ("/delivery/replay", Some("replayParked")),
    ("/campaigns/new", Some("createCampaign")),
    ("/campaigns/new/preview", None),
    ("/campaigns/{id}/launch", Some("launchCampaign")),
    ("/campaigns/{id}/pause", Some("pauseCampaign")),
    ("/campaigns/{id}/archive", Some("archiveCampaign")),
    ("/forms/{id}", Some("changeMapping")),
    ("/forms/{id}/preview", None),
    ("/forms/{id}/rerun", Some("rerunMapping")),
    ("/forms/{id}/test-lead", Some("sendTestLead")),
    ("/forms/{id}/archive", Some("archiveLeadForm")),
    ("/ads/sync", Some("syncAds")),
    ("/ads/accounts/new", Some("linkAdAccount")),
    ("/ads/accounts/{id}", Some("changeAdAccount")),
    ("/ads/accounts/{id}/token", Some("changeAdAccount")),
    ("/ads/accounts/{id}/pause", Some("changeAdAccount")),
    ("/ads/accounts/{id}/sync", Some("syncAds")),
    ("/ads/accounts/{id}/unlink", Some("unlinkAdAccount")),
];

fn name(pattern: &str) -> Option<&'static str> {
    // A section's first page may be matched with a slash at its end.
    let pattern = pattern.trim_end_matches('/');
    ACTS.iter().find(|(known, _)| *known == pattern).and_then(|(_, name)| *name)
}

/// Records the acts of people in the audit.
pub(crate) async fn record(State(console): State<Console>, request: Request, next: Next) -> Response {
    let source = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone(),
        _ => None,
    };
    let name = |_: &str, pattern: &str| name(pattern).map(str::to_owned);
    audited((AuditFace::Console, source), &console.sessions, name, request, next).await
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The patterns after `post(` or before it in the routes of a file, below `prefix`.
    fn forms_in(file: &str, prefix: &str) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{}", path.display()));
        let routes = text.split(".route(\"").skip(1).filter_map(|rest| {
            let (pattern, rest) = rest.split_once('"')?;
            let handlers = rest.split(".route(").next()?.split("\n}").next()?.split(".nest(").next()?;
            handlers.contains("post(").then(|| format!("{prefix}{pattern}").trim_end_matches('/').to_owned())
        });
        routes.collect()
    }

    #[test]
    fn every_form_is_an_act_or_named_as_none() {
        let router = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/router.rs")).unwrap();
        let mut forms = forms_in("router.rs", "");
        for nest in router.split(".nest(\"").skip(1) {
            let (prefix, rest) = nest.split_once("\", ").unwrap();
            let module = rest.split("::").next().unwrap();
            let file = [format!("{module}/mod.rs"), format!("{module}.rs")]
                .into_iter()
                .find(|file| Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file).exists())
                .unwrap();
            forms.extend(forms_in(&file, prefix));
        }
        assert!(forms.len() > 50, "{}", forms.len());
        let unnamed: Vec<&String> = forms.iter().filter(|form| !ACTS.iter().any(|(known, _)| known == form)).collect();
        assert!(unnamed.is_empty(), "{unnamed:?}");
        let gone: Vec<&str> =
            ACTS.iter().map(|(known, _)| *known).filter(|known| !forms.iter().any(|form| form == known)).collect();
        assert!(gone.is_empty(), "{gone:?}");
    }
}
