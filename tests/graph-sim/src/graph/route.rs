//! Routes method and path to the endpoint.

use serde_json::Value;

use super::error::GraphError;
use super::fields::{self, Field};
use super::insights::{self, Reading, run};
use super::node::{self, Node};
use super::paging::EdgeQuery;
use super::request::{self, Request};
use super::session::{Call, Session};
use super::{
    ad_account, ads, app_subscriptions, business, content, conversions, datasets, debug_token, form, form_write, inbox,
    lead, lead_list, oauth, page, page_backed, permissions, subscribed_apps, system_user, test_leads, user,
};
use crate::world::ads::tree::Level;

/// Returns whether the endpoint reads its own credentials.
pub(crate) fn needs_no_token(request: &Request) -> bool {
    matches!(segments(request).as_slice(), ["oauth", ..] | ["debug_token"]) || request.is_upload()
}

/// Runs `/oauth/…`, `/debug_token` and uploads.
pub(crate) fn without_token(call: &mut Call<'_>) -> Result<Value, GraphError> {
    match segments(call.request).as_slice() {
        ["oauth", "access_token"] => oauth::access_token(call),
        ["oauth", "revoke"] => oauth::revoke(call),
        ["debug_token"] => debug_token::debug_token(call),
        [_, .., id] if call.request.is_upload() => content::upload::receive(call, id),
        _ => Err(GraphError::syntax(format!("Unknown path components: {}", call.request.plain_path()))),
    }
}

/// Runs every other endpoint.
pub(crate) fn with_token(call: &mut Call<'_>) -> Result<Value, GraphError> {
    call.world.advance_reviews();
    let request = call.request;
    let path = segments(request);
    let (first, rest) = match path.split_first() {
        Some((first, rest)) => (*first, rest),
        // Reading many ids at once was removed in v26. Batch requests replace it.
        None if request.param("ids").is_some() => {
            return Err(GraphError::invalid("(#100) The parameter ids is no longer supported; use a batch request"));
        }
        None => return Err(GraphError::invalid("(#100) Unsupported request to the root path")),
    };
    let node = resolve(call, first)?;
    if let Some(result) = ads::write::answer(call, &node, rest) {
        return result;
    }
    if let Some(answer) = content::write(call, &node, rest).or_else(|| inbox::write(call, &node, rest)) {
        return answer;
    }
    match (request.method.as_str(), &node, rest) {
        ("GET", _, []) => read_node(call, &node),
        ("GET", _, [edge]) if node.edges().contains(edge) => {
            let query = edge_query(call, &node, edge)?;
            read_edge(call, &node, edge, &query)
        }
        ("GET", _, [edge]) => Err(GraphError::nonexisting_field(edge, node.type_name())),
        ("DELETE", Node::Lead(id), []) => lead::delete(call, id),
        ("DELETE", Node::User(id) | Node::SystemUser(id), ["permissions"]) => permissions::delete(call, id, None),
        ("DELETE", Node::User(id) | Node::SystemUser(id), ["permissions", name]) => {
            permissions::delete(call, id, Some(name))
        }
        ("POST", Node::Page(id), ["page_backed_instagram_accounts"]) => page_backed::create(call, id),
        ("POST", Node::Page(id), ["subscribed_apps"]) => subscribed_apps::subscribe(call, id),
        ("DELETE", Node::Page(id), ["subscribed_apps"]) => subscribed_apps::unsubscribe(call, id),
        ("POST", Node::App, ["subscriptions"]) => app_subscriptions::subscribe(call),
        ("DELETE", Node::App, ["subscriptions"]) => app_subscriptions::unsubscribe(call),
        ("POST", Node::Page(id), ["leadgen_forms"]) => form_write::create(call, id),
        ("POST", Node::Form(id), []) => form_write::update(call, id),
        ("POST", Node::Form(id), ["test_leads"]) => test_leads::create(call, id),
        ("POST", Node::AdAccount(_) | Node::Campaign(_) | Node::AdSet(_) | Node::Ad(_), ["insights"]) => {
            check_ads(call, &node)?;
            let query = edge_query(call, &node, "insights")?;
            run::submit(call, &node, &query)
        }
        ("POST", Node::Dataset(id), ["events"]) => conversions::receive(call, id),
        ("DELETE", Node::Report(id), []) => run::delete(call, id),
        (_, _, [] | [_]) => Err(GraphError::not_visible(&request.method, first)),
        _ => Err(GraphError::syntax(format!("Unknown path components: /{}", rest.join("/")))),
    }
}

/// Parses an insights read, which is computed without the world lock. `None` for any other request.
pub(crate) fn insights(call: &mut Call<'_>) -> Result<Option<Reading>, GraphError> {
    let request = call.request;
    let &[first, "insights"] = segments(request).as_slice() else { return Ok(None) };
    if request.method != "GET" {
        return Ok(None);
    }
    let node = resolve(call, first)?;
    if !node.edges().contains(&"insights") {
        return Ok(None);
    }
    check_ads(call, &node)?;
    let query = edge_query(call, &node, "insights")?;
    let reading = match &node {
        Node::Report(id) => run::rows(call, id, &query),
        _ => insights::prepare(call, &node, &query),
    };
    reading.map(Some)
}

/// Returns the node a path begins with. `me` is the owner of the token.
fn resolve(call: &Call<'_>, segment: &str) -> Result<Node, GraphError> {
    if segment == "me" {
        return Node::me(call.world, &call.session).ok_or_else(|| {
            GraphError::syntax("An active access token must be used to query information about the current user.")
        });
    }
    match Node::find(call.world, segment) {
        Some(node) => Ok(node),
        None if request::is_id(segment) => Err(GraphError::not_visible(&call.request.method, segment)),
        None => Err(GraphError::unknown_alias(segment)),
    }
}

fn read_node(call: &mut Call<'_>, node: &Node) -> Result<Value, GraphError> {
    let wanted = requested_fields(call.request)?;
    let hidden = |call: &Call<'_>| GraphError::not_visible("get", node.id(call.world));
    match node {
        Node::App => match call.session {
            Session::App | Session::User { .. } => {}
            Session::Page { .. } => return Err(hidden(call)),
        },
        Node::User(id) => {
            if call.user_id().is_some_and(|user_id| user_id != id) {
                return Err(hidden(call));
            }
        }
        Node::SystemUser(id) => system_user::check_readable(call, id)?,
        Node::Page(id) => page::check_readable(call, id, wanted.as_deref())?,
        Node::Business(id) => business::check_readable(call, id)?,
        Node::Dataset(id) => datasets::check_usable(call, id)?,
        Node::Form(id) => form::check_readable(call, id)?,
        Node::Lead(id) => lead::check_readable(call, id, wanted.as_deref())?,
        Node::AdAccount(_)
        | Node::Campaign(_)
        | Node::AdSet(_)
        | Node::Ad(_)
        | Node::Creative(_)
        | Node::AdLabel(_) => {
            check_ads(call, node)?;
        }
        Node::Report(id) => {
            check_ads(call, node)?;
            run::poll(call, id);
        }
        Node::Content(kind, id) => content::check_readable(call, *kind, id)?,
        Node::Inbox(kind, id) => inbox::check_readable(call, *kind, id)?,
    }
    node::read(call, node, wanted.as_deref(), node.default_fields())
}

/// Reads an edge, by its own URL or inside `fields`.
pub(crate) fn read_edge(call: &mut Call<'_>, node: &Node, edge: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    match (node, edge) {
        (Node::App, "subscriptions") => app_subscriptions::list(call),
        (Node::User(id) | Node::SystemUser(id), "accounts") | (Node::SystemUser(id), "assigned_pages") => {
            user::accounts(call, id, query)
        }
        (Node::User(id) | Node::SystemUser(id), "adaccounts") | (Node::SystemUser(id), "assigned_ad_accounts") => {
            ad_account::of_user(call, id, query)
        }
        (Node::User(id) | Node::SystemUser(id), "permissions") => permissions::list(call, id),
        (Node::User(id) | Node::SystemUser(id), "businesses") => user::businesses(call, id, query),
        (Node::User(id) | Node::SystemUser(id), "business_users") => user::business_users(call, id, query),
        (Node::Business(id), "owned_pages" | "client_pages") => business::pages(call, id, edge, query),
        (Node::Business(id), "owned_ad_accounts" | "client_ad_accounts") => {
            ad_account::of_business(call, id, edge, query)
        }
        (Node::Business(id), "owned_whatsapp_business_accounts" | "client_whatsapp_business_accounts") => {
            inbox::accounts_of_business(call, id, edge, query)
        }
        (Node::Business(id), "adspixels" | "owned_pixels" | "client_pixels") => {
            datasets::of_business(call, id, edge, query)
        }
        (Node::AdAccount(id), "adspixels") => datasets::of_account(call, id, query),
        (Node::SystemUser(id), "assigned_whatsapp_business_accounts") => inbox::accounts_of_user(call, id, query),
        (Node::Business(id), "system_users") => system_user::list(call, id, query),
        (Node::Page(id), "leadgen_forms") => form::list(call, id, query),
        (Node::Page(id), "page_backed_instagram_accounts") => page_backed::list(call, id, query),
        (Node::Page(id), "subscribed_apps") => subscribed_apps::list(call, id, query),
        (Node::Page(id), "conversations") => inbox::conversations(call, id, query),
        (Node::Page(id), _) => content::list(call, id, edge, query),
        (Node::Content(kind, id), _) => content::read_edge(call, *kind, id, edge, query),
        (Node::Inbox(kind, id), _) => inbox::read_edge(call, *kind, id, edge, query),
        (Node::Form(id), "leads") => lead_list::of_form(call, id, query),
        (Node::Form(id), "test_leads") => test_leads::list(call, id, query),
        (Node::Ad(id), "leads") => lead_list::of_ad(call, id, query),
        (Node::AdAccount(id), "assigned_users") => ad_account::assigned_users(call, id, query),
        (Node::AdAccount(id), "minimum_budgets") => ad_account::minimum_budgets(call, id, query),
        (Node::AdAccount(_) | Node::Campaign(_) | Node::AdSet(_) | Node::Ad(_), _) => {
            read_ads_edge(call, node, edge, query)
        }
        _ => Err(GraphError::nonexisting_field(edge, node.type_name())),
    }
}

/// Reads edges of ad accounts and of the objects in them.
fn read_ads_edge(call: &mut Call<'_>, node: &Node, edge: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    check_ads(call, node)?;
    match (edge, node) {
        ("campaigns", _) => ads::listing::read(call, node, Level::Campaign, query),
        ("adsets", _) => ads::listing::read(call, node, Level::AdSet, query),
        ("ads", _) => ads::listing::read(call, node, Level::Ad, query),
        ("adcreatives", _) => ads::listing::creatives(call, node, query),
        ("insights", Node::Report(id)) => run::rows(call, id, query)?.answer(),
        ("insights", _) => insights::prepare(call, node, query)?.answer(),
        (_, Node::AdAccount(_)) => ads::library::read(call, node, edge, query),
        _ => Err(GraphError::nonexisting_field(edge, node.type_name())),
    }
}

/// Checks that the caller may read an ad account or an object in it.
///
/// # Errors
/// Returns 200 or 100/33, as for the ad account.
fn check_ads(call: &Call<'_>, node: &Node) -> Result<(), GraphError> {
    match node {
        Node::AdAccount(id) => ad_account::check_readable(call, id),
        Node::Campaign(id) | Node::AdSet(id) | Node::Ad(id) | Node::Creative(id) | Node::AdLabel(id) => {
            ads::check_readable(call, id)
        }
        Node::Report(id) => run::check_readable(call, id),
        _ => Ok(()),
    }
}

fn edge_query(call: &Call<'_>, node: &Node, edge: &str) -> Result<EdgeQuery, GraphError> {
    let mut params = call.request.params.clone();
    if !call.request.token_in_query {
        params.remove("access_token");
    }
    let path = format!("{}/{edge}", node.id(call.world));
    Ok(EdgeQuery { path, fields: requested_fields(call.request)?, params })
}

/// Parses `fields`: comma-separated names, or a JSON list of names as Meta's SDK sends them.
pub(crate) fn requested_fields(request: &Request) -> Result<Option<Vec<Field>>, GraphError> {
    let Some(text) = request.param("fields").filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    match request::json::<Vec<String>>(text) {
        Some(names) => fields::parse(&names.join(",")).map(Some),
        None => fields::parse(text).map(Some),
    }
}

fn segments(request: &Request) -> Vec<&str> {
    request.path.iter().map(String::as_str).collect()
}
