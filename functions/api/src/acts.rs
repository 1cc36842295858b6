//! The acts that are recorded of the API's routes. A route whose method can change something has an entry, or is refused.

use http::request::Parts;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use leadwire::audit::ActRule;
use leadwire::http::audit::{AuditedFace, RouteAct, act};
use leadwire::model::audit::{AuditAct as A, AuditFace};

use crate::state::Api;

/// Calls that ask Meta something, by a method that could change something.
const fn asks(path: &'static str) -> RouteAct {
    ("POST", path, ActRule::Nothing)
}

pub(crate) const ACTS: &[RouteAct] = &[
    act("POST", "/api/upstream/call/facebook-provider/get-auth-url", A::IntegrationConnect),
    act("POST", "/api/meta/integrations/{id}/reconnect", A::IntegrationReconnect),
    act("POST", "/api/meta/integrations", A::IntegrationCreate),
    act("PATCH", "/api/meta/integrations/{id}", A::IntegrationChange),
    act("DELETE", "/api/meta/integrations/{id}", A::IntegrationDelete),
    act("PUT", "/api/meta/integrations/{id}/pages", A::IntegrationPages),
    act("PUT", "/api/meta/integrations/{id}/token", A::IntegrationToken),
    act("POST", "/api/meta/disconnect", A::IntegrationDisconnect),
    act("PUT", "/api/meta/integrations/{id}/conversions", A::ConversionsChange),
    act("POST", "/api/meta/integrations/{id}/conversions/test", A::ConversionsTest),
    act("POST", "/api/meta/integrations/{id}/sync", A::IntegrationSync),
    act("POST", "/api/meta/integrations/{id}/backfill", A::IntegrationBackfill),
    asks("/api/upstream/call/facebook-provider/list-businesses"),
    asks("/api/upstream/call/facebook-provider/list-ad-accounts"),
    asks("/api/upstream/call/facebook-provider/list-pages"),
    act("PUT", "/api/meta/forms/{id}/mapping", A::MappingChange),
    asks("/api/meta/forms/{id}/mapping/preview"),
    act("POST", "/api/meta/forms/{id}/mapping/rerun", A::MappingRerun),
    act("POST", "/api/meta/forms/{id}/test-lead", A::FormTest),
    act("PATCH", "/api/leads/{id}", A::LeadChange),
    act("POST", "/api/leads/import", A::LeadImport),
    act("POST", "/api/leads/imports/{id}/undo", A::LeadImportUndo),
    act("POST", "/api/leads/exports", A::ExportCreate),
    act("DELETE", "/api/leads/exports/{id}", A::ExportDelete),
    act("POST", "/api/parked/replay", A::LeadReplay),
    act("POST", "/api/parked/dismiss", A::LeadDismiss),
    act("DELETE", "/api/people", A::PersonErase),
    act("POST", "/api/meta-ads/accounts", A::AdAccountLink),
    act("PATCH", "/api/meta-ads/accounts/{id}", A::AdAccountChange),
    act("DELETE", "/api/meta-ads/accounts/{id}", A::AdAccountUnlink),
    act("POST", "/api/meta-ads/sync", A::AdsSync),
    act("POST", "/api/upstream/call/facebook-provider/post-to-page", A::PostCreate),
    act("POST", "/api/upstream/call/facebook-provider/post-to-instagram", A::PostCreate),
    act("POST", "/api/posts", A::PostCreate),
    act("PATCH", "/api/posts/{id}", A::PostMove),
    act("DELETE", "/api/posts/{id}", A::PostCancel),
    act("POST", "/api/media", A::MediaCreate),
    act("POST", "/api/upstream/call/facebook-provider/create-campaign", A::CampaignCreate),
    act("POST", "/api/upstream/call/facebook-provider/launch-campaign", A::CampaignLaunch),
    act("POST", "/api/upstream/call/facebook-provider/pause-campaign", A::CampaignPause),
    act("DELETE", "/api/campaigns/{id}", A::CampaignArchive),
    act("POST", "/api/upstream/call/facebook-provider/create-lead-form", A::FormCreate),
    act("POST", "/api/upstream/call/facebook-provider/archive-lead-form", A::FormArchive),
    act("PATCH", "/api/conversations/{id}", A::ConversationChange),
    act("POST", "/api/conversations/{id}/messages", A::ConversationAnswer),
    act("PATCH", "/api/contacts/{id}", A::ContactChange),
    act("DELETE", "/api/contacts/{id}", A::ContactErase),
    act("POST", "/api/saved-replies", A::SavedReplyCreate),
    act("PUT", "/api/saved-replies/{id}", A::SavedReplyChange),
    act("DELETE", "/api/saved-replies/{id}", A::SavedReplyDelete),
    act("POST", "/api/webhooks", A::EndpointCreate),
    act("PATCH", "/api/webhooks/{id}", A::EndpointChange),
    act("DELETE", "/api/webhooks/{id}", A::EndpointDelete),
    act("POST", "/api/webhooks/{id}/rotate", A::EndpointRotate),
    act("POST", "/api/webhooks/{id}/test", A::EndpointTest),
    act("POST", "/api/webhooks/{id}/deliveries/{delivery}/resend", A::DeliveryResend),
    act("PUT", "/api/orgs/{id}", A::OrgChange),
    act("PUT", "/api/users/{id}", A::UserChange),
];

pub(crate) fn audited(api: &Api) -> AuditedFace {
    AuditedFace { log: api.rooms.audit.clone(), face: AuditFace::Api, acts: ACTS, source }
}

fn source(parts: &Parts) -> Option<String> {
    match parts.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.clone(),
        _ => None,
    }
}
