//! Every event matches its schema.

use serde_json::json;
use strum::IntoEnumIterator;
use utoipa::OpenApi;

use super::*;
use crate::ids::{ImportId, PageId, UserId};
use crate::model::campaigns::tests::campaign;
use crate::model::connection::Integration;
use crate::model::connection::diagnosis::{self, LEAD_SCOPE};
use crate::model::connection::lead_state::Stop;
use crate::model::connection::state::{EndReason, TokenKind};
use crate::model::connection::tests::{connection, integration};
use crate::model::inbox::Channel;
use crate::model::inbox::tests::{contact, conversation, received, signal};
use crate::model::lead::assignment::Assignment;
use crate::model::lead::dedupe::plan;
use crate::model::lead::file_import::ImportRemoval;
use crate::model::publishing::failure::{PostFailure, PostFailureCode};
use crate::model::publishing::tests::post;
use crate::model::publishing::{Post, PostStatus};
use crate::table::tests::{at, lead, scope};

#[derive(OpenApi)]
#[openapi(components(schemas(
    LeadCreated,
    LeadUpdated,
    LeadRemoved,
    LeadAssigned,
    ConnectionConnected,
    ConnectionExpiring,
    ConnectionExpired,
    ConnectionPageLost,
    ConnectionQuiet,
    ConnectionDisconnected,
    PostPublished,
    PostFailed,
    CampaignChanged,
    MessageReceived,
    ConversationChanged,
    EngagementRecorded
)))]
struct Description;

#[test]
fn every_kind_of_event_is_what_its_schema_says() {
    let (a, integration, page) = (scope("a"), integration(), connection());
    let user = |name: &str| UserId::parse(name).unwrap();
    let leads = [lead(1, Some("a@example.com")), lead(2, Some("a@example.com"))];
    let plan = plan(&leads, &Default::default(), &Assignment::Unassigned);
    let (created, merged) = (&plan.creates[0], &plan.merges[0]);
    let now = at("2026-01-01T00:00:00Z");
    let stop = |reason| Stop::from_end(reason, TokenKind::User);
    let asked_scopes = vec![LEAD_SCOPE.to_owned()];
    let problems = diagnosis::problems(&Integration { asked_scopes, ..integration.clone() }, &[]);
    let blocked = Integration { problems, ..integration.clone() };
    let pages = [PageId::parse("7").unwrap()];
    let failure = PostFailure::new(PostFailureCode::MediaUnreachable, "Picture 2 of 3");
    let (removal, import) = (ImportRemoval::new(&created.id, None, None, now), ImportId::new());
    let events = [
        Event::lead_created(&a, created),
        Event::lead_updated(&a, merged),
        Event::lead_remapped(&a, created, Some(2), now),
        Event::lead_assigned(&a, &created.id, None, Some(&user("ann")), &user("bob"), now),
        Event::lead_removed(&a, &removal, &import),
        Event::submission_removed(&a, &created.id, &removal, &import),
        Event::connection_connected(&a, &integration, &pages),
        Event::connection_expiring(&a, &integration, "7d"),
        Event::lead_changed(&a, created, &user("bob"), now),
        Event::connection_expired(&a, &integration, stop(EndReason::PasswordChanged), "ended"),
        Event::connection_expired(&a, &blocked, blocked.lead_state([&page], now).stop.unwrap(), "blocked"),
        Event::connection_page_lost(&a, &integration, &page, stop(EndReason::PageRoleLost), "1"),
        Event::connection_quiet(&a, &integration, &page),
        Event::connection_disconnected(&a, &integration),
        Event::campaign_changed(&campaign()),
        Event::message_received(&a, &received(), "7").unwrap(),
        Event::conversation_changed(&conversation(), now),
        Event::engagement_recorded(&a, &contact(), Channel::FacebookComment, &signal()),
        Event::of_post(&Post { status: PostStatus::Published, ..post() }).unwrap(),
        Event::of_post(&Post { status: PostStatus::Failed, failure: Some(failure), ..post() }).unwrap(),
    ];
    assert!(Event::of_post(&post()).is_none(), "a post without an outcome is no event");
    let components = serde_json::to_value(Description::openapi()).unwrap()["components"].clone();
    let schema = |kind: EventKind| {
        let schema = format!("{kind:?}");
        let root = json!({ "$ref": format!("#/components/schemas/{schema}"), "components": components });
        jsonschema::draft202012::new(&root).unwrap()
    };
    for event in &events {
        let wrong: Vec<String> = schema(event.kind).iter_errors(&event.detail).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{:?}: {wrong:?}", event.kind);
        let mut broken = event.detail.clone();
        broken.as_object_mut().unwrap().remove("org");
        assert!(!schema(event.kind).is_valid(&broken), "{:?}: a schema that takes anything says nothing", event.kind);
    }
    for kind in EventKind::iter() {
        assert!(events.iter().any(|event| event.kind == kind), "{kind:?} is tried");
    }
    let ids: std::collections::BTreeSet<_> = events.iter().map(|event| event.detail["id"].to_string()).collect();
    assert_eq!(ids.len(), events.len());
}
