//! The keys of endpoints, of the events that they are sent, and of what those say.

use jiff::Timestamp;

use super::{IndexKey, Key, ListKey, instant, lead};
use crate::ids::{DeliveryId, EndpointId, OrgId, OrgScope};
use crate::model::delivery::EventSubject;

/// Parts of the index of what is to be delivered. One partition takes 1,000 writes a second, and each event is a write.
pub(in crate::table) const DUE_PARTS: u8 = 8;

/// The partition of an org's endpoints.
pub(in crate::table) fn endpoints_pk(scope: &OrgScope) -> String {
    format!("ORG#{}#ENDPOINTS", scope.org())
}

pub(in crate::table) fn endpoint(scope: &OrgScope, id: &EndpointId) -> Key {
    Key { pk: endpoints_pk(scope), sk: format!("ENDPOINT#{id}") }
}

pub(in crate::table) fn endpoint_notice(
    scope: &OrgScope,
    id: &EndpointId,
    since: Timestamp,
    notice: &str,
    to: &str,
) -> Key {
    Key { pk: format!("ORG#{}#ENDPOINT#{id}", scope.org()), sk: format!("NOTICE#{since}#{notice}#{to}") }
}

/// The key of a delivery: a partition of its own, because an endpoint may be sent more than one partition takes.
pub(in crate::table) fn delivery(scope: &OrgScope, endpoint: &EndpointId, id: &DeliveryId) -> Key {
    Key { pk: format!("ORG#{}#ENDPOINT#{endpoint}#DELIVERY#{id}", scope.org()), sk: "DELIVERY".to_owned() }
}

/// The deliveries of an endpoint, in the second index.
pub(in crate::table) fn deliveries_of_endpoint(scope: &OrgScope, endpoint: &EndpointId) -> String {
    format!("ORG#{}#ENDPOINT#{endpoint}#DELIVERIES", scope.org())
}

pub(in crate::table) fn delivery_list(
    scope: &OrgScope,
    endpoint: &EndpointId,
    at: Timestamp,
    id: &DeliveryId,
) -> ListKey {
    ListKey::new(deliveries_of_endpoint(scope, endpoint), format!("{}#{id}", instant(at)))
}

/// An index partition of the deliveries that are to be tried.
pub(in crate::table) fn deliveries_due(part: u8) -> String {
    format!("DELIVERIES_DUE#{part}")
}

pub(in crate::table) fn delivery_due(
    scope: &OrgScope,
    endpoint: &EndpointId,
    id: &DeliveryId,
    at: Timestamp,
) -> IndexKey {
    // The last character of an id is a digit of a hash.
    let part = id.as_str().bytes().last().unwrap_or_default() % DUE_PARTS;
    IndexKey { gsi1pk: deliveries_due(part), gsi1sk: format!("{}#{}#{endpoint}#{id}", instant(at), scope.org()) }
}

/// Parses the org, the endpoint and the delivery from a position among what is due.
pub(in crate::table) fn parse_delivery_due(gsi1sk: &str) -> Option<(OrgId, EndpointId, DeliveryId)> {
    let mut parts = gsi1sk.splitn(4, '#').skip(1);
    let (org, endpoint) = (OrgId::parse(parts.next()?).ok()?, EndpointId::parse(parts.next()?).ok()?);
    Some((org, endpoint, DeliveryId::parse(parts.next()?).ok()?))
}

/// The key of what an event says: with the person it is about, so that who erases one erases the other.
pub(in crate::table) fn event_body(scope: &OrgScope, about: &EventSubject, id: &DeliveryId) -> Key {
    let pk = match about {
        EventSubject::Lead(lead_id) => lead(scope, lead_id).pk,
        EventSubject::Contact(contact) => super::contact(scope, contact).pk,
        EventSubject::Org => format!("ORG#{}#EVENT#{id}", scope.org()),
    };
    Key { pk, sk: format!("{EVENT_PREFIX}{id}") }
}

/// The key of the mark that a person was erased, beside what events about them say.
pub(in crate::table) fn erasure_mark(scope: &OrgScope, about: &EventSubject) -> Key {
    Key { pk: event_body(scope, about, &DeliveryId::from_hash("")).pk, sk: "ERASED".to_owned() }
}

/// Sort key prefix of what events about a person say.
pub(in crate::table) const EVENT_PREFIX: &str = "EVENT#";
