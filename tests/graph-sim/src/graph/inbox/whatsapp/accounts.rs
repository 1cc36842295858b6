//! WhatsApp accounts and their edges: numbers, templates, installed apps.

use serde_json::{Value, json};

use super::super::super::error::GraphError;
use super::super::super::node::Node;
use super::super::super::paging::{self, EdgeQuery, Elements, Item};
use super::super::super::request::list as list_param;
use super::super::super::session::{Call, Session};
use super::super::{Kind, rights};
use crate::graph::business;
use crate::world::World;

const ACCOUNTS: Elements =
    Elements { node_type: Some("WhatsAppBusinessAccount"), defaults: &["id", "name"], max_limit: 100 };
const NUMBERS: Elements = Elements {
    node_type: Some("WhatsAppBusinessPhoneNumber"),
    defaults: &["id", "display_phone_number", "verified_name", "quality_rating", "code_verification_status"],
    max_limit: 100,
};
const TEMPLATES: Elements = Elements { node_type: Some("WhatsAppBusinessHSM"), defaults: &[], max_limit: 250 };
const APPS: Elements = Elements { node_type: None, defaults: &[], max_limit: 100 };
/// The members of a template that are shown without `fields`.
const TEMPLATE_FIELDS: &[&str] = &["id", "name", "language", "category", "status", "components", "parameter_format"];

/// The accounts that a business owns, or that are shared with it.
pub(in crate::graph::inbox) fn of_business(
    call: &mut Call<'_>,
    business_id: &str,
    edge: &str,
    query: &EdgeQuery,
) -> Result<Value, GraphError> {
    business::check_readable(call, business_id)?;
    call.require_scope("whatsapp_business_management")?;
    let owned = edge.starts_with("owned");
    let accounts = call.world.inbox.wabas.values().filter(|waba| {
        if owned { waba.business_id == business_id } else { waba.client_of.as_deref() == Some(business_id) }
    });
    let items = accounts.map(|waba| item(&waba.id)).collect();
    paging::page(call, query, items, &ACCOUNTS)
}

/// The accounts of the businesses of a system user.
pub(in crate::graph::inbox) fn of_user(
    call: &mut Call<'_>,
    user_id: &str,
    query: &EdgeQuery,
) -> Result<Value, GraphError> {
    call.require_scope("whatsapp_business_management")?;
    let businesses = call.world.user(user_id).map(|user| user.business_ids.clone()).unwrap_or_default();
    let accounts = call.world.inbox.wabas.values();
    let items = accounts.filter(|waba| businesses.contains(&waba.business_id)).map(|waba| item(&waba.id)).collect();
    paging::page(call, query, items, &ACCOUNTS)
}

fn item(id: &str) -> (String, Item) {
    (id.to_owned(), Item::Node(Node::Inbox(Kind::Waba, id.to_owned())))
}

/// Returns the value of a field of an account.
pub(in crate::graph::inbox) fn value(world: &World, id: &str, field: &str) -> Option<Value> {
    let waba = world.inbox.wabas.get(id)?;
    Some(match field {
        "name" => json!(waba.name),
        "timezone_id" => json!("1"),
        "message_template_namespace" => json!(format!("ba30dd89_2ebd_41e4_b805_{id}")),
        "currency" => json!("EUR"),
        "country" => json!("NL"),
        "status" => json!("ACTIVE"),
        "account_review_status" => json!("APPROVED"),
        "business_verification_status" => json!("verified"),
        "ownership_type" => json!("CLIENT_OWNED"),
        "owner_business_info" => {
            json!({"id": waba.business_id, "name": world.business(&waba.business_id).map(|it| it.name.as_str())})
        }
        _ => return None,
    })
}

/// Returns the value of a field of a number.
pub(in crate::graph::inbox) fn number_value(world: &World, id: &str, field: &str) -> Option<Value> {
    let number = world.inbox.numbers.get(id)?;
    Some(match field {
        "display_phone_number" => json!(number.display()),
        "verified_name" => json!(number.verified_name),
        "quality_rating" => json!("GREEN"),
        "status" => json!("CONNECTED"),
        "code_verification_status" => json!("VERIFIED"),
        "name_status" => json!("APPROVED"),
        "platform_type" => json!("CLOUD_API"),
        "throughput" => json!({"level": "STANDARD"}),
        "messaging_limit_tier" => json!("TIER_1K"),
        "is_official_business_account" => json!(false),
        _ => return None,
    })
}

/// Reads an edge of an account.
pub(in crate::graph::inbox) fn read_edge(
    call: &mut Call<'_>,
    waba_id: &str,
    edge: &str,
    query: &EdgeQuery,
) -> Result<Value, GraphError> {
    match edge {
        "phone_numbers" => {
            let numbers = call.world.inbox.numbers.values().filter(|number| number.waba_id == waba_id);
            let node = |id: &str| Item::Node(Node::Inbox(Kind::PhoneNumber, id.to_owned()));
            let items = numbers.map(|number| (number.id.clone(), node(&number.id))).collect();
            paging::page(call, query, items, &NUMBERS)
        }
        "message_templates" => templates(call, waba_id, query),
        "subscribed_apps" => {
            let app = &call.world.app;
            let data = json!({"whatsapp_business_api_data": {
                "id": app.id, "name": app.name, "link": format!("https://www.facebook.com/games/?app_id={}", app.id),
            }});
            let subscribed = call.world.inbox.wabas.get(waba_id).is_some_and(|waba| waba.subscribed);
            let items = subscribed.then(|| (app.id.clone(), Item::Value(data))).into_iter().collect();
            paging::page(call, query, items, &APPS)
        }
        _ => Err(GraphError::nonexisting_field(edge, "WhatsAppBusinessAccount")),
    }
}

fn templates(call: &mut Call<'_>, waba_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let wanted = |name: &str| {
        let values = query.param(name).map(list_param);
        move |value: &str| values.as_ref().is_none_or(|values| values.iter().any(|it| it.eq_ignore_ascii_case(value)))
    };
    let (name, status, language, category) = (wanted("name"), wanted("status"), wanted("language"), wanted("category"));
    let all = call.world.inbox.wabas.get(waba_id).map(|waba| waba.templates.clone()).unwrap_or_default();
    let items = all
        .iter()
        .filter(|it| name(&it.name) && status(&it.status) && language(&it.language) && category(&it.category))
        .map(|it| {
            let mut value = json!({
                "id": it.id, "name": it.name, "language": it.language, "category": it.category, "status": it.status,
                "components": it.components(), "parameter_format": "POSITIONAL",
                "quality_score": {"score": "UNKNOWN"},
                "rejected_reason": if it.status == "REJECTED" { "INVALID_FORMAT" } else { "NONE" },
            });
            if let Some(members) = value.as_object_mut().filter(|_| query.fields.is_none()) {
                members.retain(|name, _| TEMPLATE_FIELDS.contains(&name.as_str()));
            }
            (it.id.clone(), Item::Value(value))
        })
        .collect();
    paging::page(call, query, items, &TEMPLATES)
}

/// Installs the app on an account, or removes it.
pub(in crate::graph::inbox) fn subscribe(
    call: &mut Call<'_>,
    waba_id: &str,
    installed: bool,
) -> Result<Value, GraphError> {
    if !matches!(call.session, Session::App) || installed {
        rights::whatsapp(call, waba_id, waba_id, "whatsapp_business_management")?;
    }
    if let Some(waba) = call.world.inbox.wabas.get_mut(waba_id) {
        waba.subscribed = installed;
    }
    Ok(json!({"success": true}))
}
