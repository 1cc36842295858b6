//! Nodes: lookup by id, and reading by field.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::content::{self, Kind};
use super::error::GraphError;
use super::fields::Field;
use super::inbox;
use super::insights::run;
use super::paging::EdgeQuery;
use super::session::{Call, Session};
use super::{ad_account, ads, app, business, datasets, form, lead, page, route, specs, system_user, user};
use crate::world::World;

/// A node by kind and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    App,
    User(String),
    SystemUser(String),
    Page(String),
    Business(String),
    Form(String),
    Lead(String),
    Campaign(String),
    AdSet(String),
    /// An ad of an account, or of a lead form whose campaign belongs to no account any more. The latter only has leads.
    Ad(String),
    Creative(String),
    /// A label of an account's objects.
    AdLabel(String),
    /// An insights report.
    Report(String),
    /// Identified by its node id: `act_123`.
    AdAccount(String),
    /// A dataset, which paths call a pixel.
    Dataset(String),
    /// What pages and Instagram accounts publish, and these accounts.
    Content(Kind, String),
    /// Comments, conversations, the people in them, and WhatsApp accounts.
    Inbox(inbox::Kind, String),
}

impl Node {
    /// Finds the node of an id, regardless of who may see it.
    pub(crate) fn find(world: &World, id: &str) -> Option<Self> {
        let owned = || id.to_owned();
        if id == world.app.id {
            Some(Self::App)
        } else if world.lead(id).is_some() {
            Some(Self::Lead(owned()))
        } else if world.forms.contains_key(id) {
            Some(Self::Form(owned()))
        } else if world.pages.contains_key(id) {
            Some(Self::Page(owned()))
        } else if let Some(user) = world.user(id) {
            Some(if user.is_system() { Self::SystemUser(owned()) } else { Self::User(owned()) })
        } else if world.business(id).is_some() {
            Some(Self::Business(owned()))
        } else if let Some(node) = ads::find(world, id) {
            Some(node)
        } else if world.reports.get(id, world.clock.now_ms()).is_some() {
            Some(Self::Report(owned()))
        } else if world.ad(id).is_some() {
            Some(Self::Ad(owned()))
        } else if id.starts_with("act_") && world.ad_account(id).is_some() {
            Some(Self::AdAccount(owned()))
        } else if world.dataset(id).is_some() {
            Some(Self::Dataset(owned()))
        } else {
            let content = content::find(world, id).map(|kind| Self::Content(kind, owned()));
            content.or_else(|| inbox::find(world, id).map(|kind| Self::Inbox(kind, owned())))
        }
    }

    /// Returns the node that `/me` means in a session.
    pub(crate) fn me(world: &World, session: &Session) -> Option<Self> {
        match session {
            Session::App => None,
            Session::User { user_id, .. } => Self::find(world, user_id),
            Session::Page { page_id, .. } => Some(Self::Page(page_id.clone())),
        }
    }

    /// Meta's name of the type, as used in its error messages and specifications.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::App => "Application",
            Self::User(_) => "User",
            Self::SystemUser(_) => "SystemUser",
            Self::Page(_) => "Page",
            Self::Business(_) => "Business",
            Self::Form(_) => "LeadgenForm",
            Self::Lead(_) => "Lead",
            Self::Campaign(_) => "Campaign",
            Self::AdSet(_) => "AdSet",
            Self::Ad(_) => "Ad",
            Self::Creative(_) => "AdCreative",
            Self::AdLabel(_) => "AdLabel",
            Self::Report(_) => "AdReportRun",
            Self::AdAccount(_) => "AdAccount",
            Self::Dataset(_) => "AdsPixel",
            Self::Content(kind, _) => kind.type_name(),
            Self::Inbox(kind, _) => kind.type_name(),
        }
    }

    /// The placeholder in normalised paths.
    pub(crate) fn placeholder(&self) -> &'static str {
        match self {
            Self::App => "{app}",
            Self::User(_) => "{user}",
            Self::SystemUser(_) => "{system_user}",
            Self::Page(_) => "{page}",
            Self::Business(_) => "{business}",
            Self::Form(_) => "{form}",
            Self::Lead(_) => "{lead}",
            Self::Campaign(_) => "{campaign}",
            Self::AdSet(_) => "{adset}",
            Self::Ad(_) => "{ad}",
            Self::Creative(_) => "{creative}",
            Self::AdLabel(_) => "{adlabel}",
            Self::Report(_) => "{run}",
            Self::AdAccount(_) => "{ad_account}",
            Self::Dataset(_) => "{dataset}",
            Self::Content(kind, _) => kind.placeholder(),
            Self::Inbox(kind, _) => kind.placeholder(),
        }
    }

    pub(crate) fn id<'a>(&'a self, world: &'a World) -> &'a str {
        match self {
            Self::App => &world.app.id,
            Self::User(id)
            | Self::SystemUser(id)
            | Self::Page(id)
            | Self::Business(id)
            | Self::Form(id)
            | Self::Lead(id)
            | Self::Campaign(id)
            | Self::AdSet(id)
            | Self::Ad(id)
            | Self::Creative(id)
            | Self::AdLabel(id)
            | Self::Report(id)
            | Self::AdAccount(id)
            | Self::Dataset(id)
            | Self::Content(_, id)
            | Self::Inbox(_, id) => id,
        }
    }

    /// Edges that can be read, by URL or inside `fields`.
    pub(crate) fn edges(&self) -> &'static [&'static str] {
        edges_of(self.type_name())
    }

    /// The fields returned by a read without `fields`.
    pub(crate) fn default_fields(&self) -> &'static [&'static str] {
        match self {
            Self::App => &["id", "name", "category", "link"],
            Self::Form(_) => &["id", "locale", "name", "status"],
            Self::Lead(_) => &["id", "created_time", "ad_id", "form_id", "field_data"],
            Self::AdAccount(_) => &["account_id", "id"],
            Self::Campaign(_) | Self::AdSet(_) | Self::Ad(_) | Self::Creative(_) | Self::Dataset(_) => &["id"],
            Self::Report(_) => &[
                "id",
                "account_id",
                "time_ref",
                "time_completed",
                "async_status",
                "async_percent_completion",
                "is_running",
                "date_start",
                "date_stop",
                "error_code",
                "error_subcode",
                "error_message",
                "error_user_title",
                "error_user_msg",
            ],
            Self::User(_) | Self::SystemUser(_) | Self::Page(_) | Self::Business(_) | Self::AdLabel(_) => {
                &["id", "name"]
            }
            Self::Content(kind, _) => kind.default_fields(),
            Self::Inbox(kind, _) => kind.default_fields(),
        }
    }
}

fn edges_of(node_type: &str) -> &'static [&'static str] {
    match node_type {
        "Application" => &["subscriptions"],
        "User" => &["accounts", "adaccounts", "permissions", "businesses", "business_users"],
        "SystemUser" => &[
            "accounts",
            "adaccounts",
            "assigned_ad_accounts",
            "assigned_pages",
            "permissions",
            "businesses",
            "business_users",
            "assigned_whatsapp_business_accounts",
        ],
        "Page" => &[
            "leadgen_forms",
            "page_backed_instagram_accounts",
            "subscribed_apps",
            "feed",
            "posts",
            "published_posts",
            "scheduled_posts",
            "photos",
            "videos",
            "video_reels",
            "stories",
            "conversations",
        ],
        "Business" => &[
            "owned_pages",
            "client_pages",
            "owned_ad_accounts",
            "client_ad_accounts",
            "system_users",
            "owned_whatsapp_business_accounts",
            "client_whatsapp_business_accounts",
            "adspixels",
            "owned_pixels",
            "client_pixels",
        ],
        "LeadgenForm" => &["leads", "test_leads"],
        "AdAccount" => &[
            "campaigns",
            "adsets",
            "ads",
            "adcreatives",
            "insights",
            "minimum_budgets",
            "assigned_users",
            "adlabels",
            "campaignsbylabels",
            "adsetsbylabels",
            "adsbylabels",
            "adcreativesbylabels",
            "adimages",
            "instagram_accounts",
            "adspixels",
        ],
        "Campaign" => &["adsets", "ads", "insights"],
        "AdSet" => &["ads", "insights"],
        "Ad" => &["leads", "adcreatives", "insights"],
        "AdReportRun" => &["insights"],
        _ => content::edges_of(node_type),
    }
}

/// Checks that nodes of this type have the fields.
///
/// # Errors
/// Returns 100 for the first unknown field.
pub(crate) fn check_fields(node_type: &str, wanted: &[Field]) -> Result<(), GraphError> {
    let known = |name: &str| edges_of(node_type).contains(&name) || specs::has_field(node_type, name);
    match wanted.iter().find(|field| !known(&field.name)) {
        Some(field) => Err(GraphError::nonexisting_field(&field.name, node_type)),
        None => Ok(()),
    }
}

/// Reads a node. The caller has checked the rights on it. `id` is always returned.
pub(crate) fn read(
    call: &mut Call<'_>,
    node: &Node,
    wanted: Option<&[Field]>,
    defaults: &[&str],
) -> Result<Value, GraphError> {
    let fallback: Vec<Field>;
    let wanted = match wanted {
        Some(fields) => fields,
        None => {
            fallback = defaults.iter().map(|name| Field::plain(name)).collect();
            &fallback
        }
    };
    check_fields(node.type_name(), wanted)?;
    let mut answer = Map::new();
    for field in wanted {
        let value = if node.edges().contains(&field.name.as_str()) {
            Some(route::read_edge(call, node, &field.name, &inner_query(call, node, field))?)
        } else if let Some(related) = related(call, node, &field.name) {
            Some(read(call, &related, field.inner.as_deref(), &["id"])?)
        } else {
            value(call, node, field)?.map(|value| only(value, field.inner.as_deref()))
        };
        if let Some(value) = value {
            answer.insert(field.alias.clone().unwrap_or_else(|| field.name.clone()), value);
        }
    }
    answer.insert("id".to_owned(), json!(node.id(call.world)));
    Ok(Value::Object(answer))
}

/// Returns the node that a field shows.
fn related(call: &Call<'_>, node: &Node, field: &str) -> Option<Node> {
    let ads = ads::related(call.world, node, field);
    ads.or_else(|| content::related(call, node, field)).or_else(|| inbox::related(call, node, field))
}

fn value(call: &mut Call<'_>, node: &Node, field: &Field) -> Result<Option<Value>, GraphError> {
    match node {
        Node::App => Ok(app::value(call.world, &field.name)),
        Node::User(id) => Ok(user::value(call, id, &field.name)),
        Node::SystemUser(id) => Ok(system_user::value(call.world, id, &field.name)),
        Node::Page(id) => page::value(call, id, field),
        Node::Business(id) => Ok(business::value(call.world, id, &field.name)),
        Node::Form(id) => {
            form::check_members(field)?;
            Ok(form::value(call.world, id, &field.name))
        }
        Node::Lead(id) => lead::value(call, id, &field.name),
        Node::Campaign(id) | Node::AdSet(id) | Node::Ad(id) | Node::Creative(id) => Ok(ads::value(call, id, field)),
        Node::AdLabel(id) => Ok(ads::label_value(call.world, id, &field.name)),
        Node::Report(id) => Ok(run::value(call.world, id, &field.name)),
        Node::AdAccount(id) => ad_account::value(call, id, &field.name),
        Node::Dataset(id) => Ok(datasets::value(call.world, id, &field.name)),
        Node::Content(Kind::Account, id) if field.name.starts_with("mentioned_") => inbox::mention(call, id, field),
        Node::Content(kind, id) => Ok(content::value(call, *kind, id, &field.name)),
        Node::Inbox(kind, id) => inbox::value(call, *kind, id, &field.name),
    }
}

/// Returns the query of an edge inside `fields`.
fn inner_query(call: &Call<'_>, node: &Node, field: &Field) -> EdgeQuery {
    let mut params: BTreeMap<String, String> = field.arguments.iter().cloned().collect();
    if field.inner.is_some() {
        params.insert("fields".to_owned(), field.inner_text.clone());
    }
    if call.request.token_in_query
        && let Some(token) = call.request.param("access_token")
    {
        params.insert("access_token".to_owned(), token.to_owned());
    }
    EdgeQuery { path: format!("{}/{}", node.id(call.world), field.name), fields: field.inner.clone(), params }
}

/// Retains the requested members of an object, or of each object in a list or in its `data`. `id` is always retained.
pub(crate) fn only(value: Value, wanted: Option<&[Field]>) -> Value {
    let Some(wanted) = wanted else { return value };
    match value {
        Value::Array(list) => list.into_iter().map(|element| only(element, Some(wanted))).collect(),
        Value::Object(mut members) if members.len() == 1 && members.contains_key("data") => {
            let list = members.remove("data").map(|list| only(list, Some(wanted)));
            json!({ "data": list })
        }
        Value::Object(members) => members
            .into_iter()
            .filter_map(|(name, value)| match wanted.iter().find(|field| field.name == name) {
                Some(field) => Some((field.alias.clone().unwrap_or(name), only(value, field.inner.as_deref()))),
                None => (name == "id").then_some((name, value)),
            })
            .collect(),
        scalar => scalar,
    }
}
