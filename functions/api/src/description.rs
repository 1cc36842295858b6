//! The OpenAPI description: what the routes say of themselves, and what is true of all of them.

use std::collections::{BTreeMap, BTreeSet};

use leadwire::http::{Problem, ProblemCode};
use leadwire::model::event::{self, EventKind};
use leadwire::model::lead::query::LeadOrder;
use serde::Serialize;
use serde_json::{Value, json};
use strum::IntoEnumIterator;
use utoipa::openapi::path::{HttpMethod, OperationBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, OpenApi as Description, PathItem, PathsBuilder, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema};

use crate::failures;
use crate::schemas::{
    Act, Cursor, Day, EffectiveStatuses, Format, GroupBy, Limit, Moment, OutcomeGroupBy, ReportLimit, RequestId,
    Source, Tag, UserLimit,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Leadwire",
        description = "Connects a CRM to Meta. Every call under /api needs a Bearer token of a program, or of a login with the role \
            admin, moderator or superadmin, and, except for PUT /api/orgs/{id}, the header orgid. Errors are RFC 9457 problems with a \
            stable code. What the gateway before it refuses has a message only: a token (401), more requests than it lets through (429)."
    ),
    components(schemas(
        event::LeadCreated, event::LeadUpdated, event::LeadRemoved, event::LeadAssigned, event::ConnectionConnected,
        event::ConnectionExpiring, event::ConnectionExpired, event::ConnectionPageLost, event::ConnectionQuiet,
        event::ConnectionDisconnected, event::PostPublished, event::PostFailed, event::CampaignChanged,
        event::MessageReceived, event::ConversationChanged, event::EngagementRecorded,
        // What operations that fail answer.
        Problem, GatewayProblem,
        // What parameters are.
        Act, Cursor, Day, EffectiveStatuses, Format, GroupBy, LeadOrder, Limit, Moment, OutcomeGroupBy, ReportLimit, RequestId, Source, Tag,
        UserLimit,
    )),
    modifiers(&Bearer, &Events),
    security(("bearer" = []))
)]
pub(crate) struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Description) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "The id token of a person's login, or the access token of a program by OAuth 2.0 client credentials: with \
                the scope leadwire/all-orgs it acts as a superadmin, with leadwire-orgs/{org} as an admin of that org. The \
                stack's outputs name the token address; its parameters may name other scopes.",
            ))
            .build();
        document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// Describes the events on the bus as OpenAPI webhooks.
struct Events;

impl Modify for Events {
    fn modify(&self, document: &mut Description) {
        let webhook = |kind: EventKind| {
            let (name, schema, summary) = (kind.name(), format!("{kind:?}"), kind.summary());
            let body = RequestBodyBuilder::new()
                .content("application/json", Content::new(Some(Ref::from_schema_name(schema))))
                .description(Some(
                    "The detail of an EventBridge event with the source leadwire and this detail-type. An endpoint of \
                    /api/webhooks gets it as `data`, beside `type` and `timestamp`, signed by the Standard Webhooks scheme.",
                ));
            let operation =
                OperationBuilder::new().summary(Some(summary)).tag("events").request_body(Some(body.build()));
            let response = ResponseBuilder::new()
                .description("No response is expected. Events are published at least once; a repeat has the same id.");
            let item = PathItem::new(HttpMethod::Post, operation.response("default", response).build());
            (name.to_owned(), item)
        };
        let events =
            EventKind::iter().map(webhook).fold(PathsBuilder::new(), |paths, (name, item)| paths.path(name, item));
        document.webhooks = Some(events.build());
    }
}

/// The statuses with which the gateway answers itself.
const GATEWAY: [u16; 5] = [401, 403, 404, 429, 503];

/// What the gateway answers itself.
#[derive(Serialize, ToSchema)]
struct GatewayProblem {
    /// What is wrong, in a few words.
    message: String,
}

/// Adds to each operation how it can fail, and that an empty parameter counts as absent. A body that may be missing may
/// not be `null`.
///
/// # Panics
/// Panics if `description` is not one.
#[expect(clippy::expect_used, clippy::indexing_slicing, reason = "plain data, which a test makes too")]
pub(crate) fn complete(description: &Description) -> Value {
    let mut json = serde_json::to_value(description).expect("a description is plain data");
    let paths = json["paths"].as_object_mut().expect("there are paths");
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(|methods| methods.values_mut()) {
        let failures: Vec<_> = responses(&failures::codes(operation)).collect();
        operation["responses"].as_object_mut().expect("there are responses").extend(failures);
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
            let schema = parameter["schema"].take();
            parameter["schema"] = json!({ "anyOf": [schema, { "type": "string", "maxLength": 0 }] });
            parameter["allowEmptyValue"] = true.into();
        }
        let body = operation.pointer_mut("/requestBody/content/application~1json/schema");
        let Some(body) = body.filter(|schema| schema["oneOf"].is_array()) else { continue };
        let content = body["oneOf"].as_array().and_then(|of| of.iter().find(|schema| schema["type"] != "null"));
        *body = content.cloned().unwrap_or_default();
        operation["requestBody"]["required"] = false.into();
    }
    for kind in EventKind::iter() {
        let schema = &mut json["components"]["schemas"][format!("{kind:?}")];
        *schema = json!({ "allOf": [schema.take(), { "$ref": "#/components/schemas/Traced" }] });
    }
    json["components"]["schemas"]["Traced"] = json!({
        "type": "object",
        "required": ["trace_id"],
        "properties": { "trace_id": {
            "type": "string",
            "description": "The id of what the event follows from, such as a delivery of Meta's. The operator's logs have it too.",
        } },
    });
    // It is read by its one key, and refuses others.
    let variants = json["components"]["schemas"]["TargetIn"]["oneOf"].as_array_mut();
    variants.into_iter().flatten().for_each(|variant| variant["additionalProperties"] = false.into());
    json
}

/// Returns the responses with these codes by their status. The gateway has some of its own.
#[expect(clippy::indexing_slicing, reason = "what is not there yet is added to an object")]
fn responses(codes: &[ProblemCode]) -> impl Iterator<Item = (String, Value)> {
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = GATEWAY.map(|own| (own, BTreeSet::new())).into();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().insert(code.name());
    }
    by_status.into_iter().map(|(status, codes)| {
        let mut content = json!({});
        if !codes.is_empty() {
            let schema = json!({
                "allOf": [{ "$ref": "#/components/schemas/Problem" }],
                "properties": { "status": { "const": status }, "code": { "enum": codes } },
            });
            content["application/problem+json"] = json!({ "schema": schema });
        }
        if GATEWAY.contains(&status) {
            content["application/json"] = json!({ "schema": { "$ref": "#/components/schemas/GatewayProblem" } });
        }
        let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let mut response = json!({ "description": reason, "content": content });
        if status == 429 {
            let seconds = json!({ "description": "Seconds", "schema": { "type": "integer" } });
            response["headers"] = json!({ "Retry-After": seconds });
        }
        (status.to_string(), response)
    })
}
