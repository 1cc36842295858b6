//! Writing campaigns, ad sets, creatives, ads, images and labels.
//!
//! A write is checked in Meta's order: first the types of its parameters, then the rights of the token, then Meta's
//! rules. With `execution_options=["validate_only"]` it ends there.

mod ad;
mod adset;
mod adset_bid;
mod adset_goal;
mod budget;
mod campaign;
mod creative;
mod creative_rules;
mod creative_story;
mod image;
mod label;
mod rules;
mod site;
mod status;
mod targeting;

pub(super) use image::url as image_url;

use serde_json::{Value, json};

use crate::graph::error::GraphError;
use crate::graph::node::{self, Node};
use crate::graph::rejection::Refused;
use crate::graph::route;
use crate::graph::session::Call;
use crate::graph::write_params::Kind;

/// `execution_options` of every write. Meta allows the last for ads only.
const OPTIONS: (&str, Kind) =
    ("execution_options", Kind::SomeOf(&["validate_only", "include_recommendations", "synchronous_ad_review"]));

/// The result of a write.
enum Made {
    /// A new object.
    Id(String),
    /// A change, a deletion, or a write that was only to be checked.
    Success,
    Value(Value),
}

/// Answers a write. `None` if the request is none of these.
pub(crate) fn answer(call: &mut Call<'_>, node: &Node, edge: &[&str]) -> Option<Result<Value, GraphError>> {
    let result = match (call.request.method.as_str(), node, edge) {
        ("POST", Node::AdAccount(id), ["campaigns"]) => campaign::create(call, id),
        ("POST", Node::AdAccount(id), ["adsets"]) => adset::create(call, id),
        ("POST", Node::AdAccount(id), ["adcreatives"]) => creative::create(call, id),
        ("POST", Node::AdAccount(id), ["ads"]) => ad::create(call, id),
        ("POST", Node::AdAccount(id), ["adimages"]) => image::create(call, id),
        ("DELETE", Node::AdAccount(id), ["adimages"]) => image::delete(call, id),
        ("POST", Node::AdAccount(id), ["adlabels"]) => label::create(call, id),
        ("POST", Node::Campaign(id), []) => campaign::update(call, id),
        ("POST", Node::AdSet(id), []) => adset::update(call, id),
        ("POST", Node::Ad(id), []) => ad::update(call, id),
        ("POST", Node::Creative(id), []) => creative::update(call, id),
        ("POST", Node::AdLabel(id), []) => label::rename(call, id),
        ("DELETE", Node::AdLabel(id), []) => label::delete(call, id),
        ("DELETE", Node::Campaign(id) | Node::AdSet(id) | Node::Ad(id) | Node::Creative(id), []) => {
            status::delete(call, id)
        }
        ("POST", Node::Campaign(id) | Node::AdSet(id) | Node::Ad(id) | Node::Creative(id), ["adlabels"]) => {
            label::attach(call, id)
        }
        _ => return None,
    };
    let language = call.world.language_of(call.user_id().unwrap_or_default());
    Some(result.map_err(|refused| refused.error(language)).and_then(|made| match made {
        Made::Id(id) => read_back(call, &id),
        Made::Success => Ok(json!({"success": true})),
        Made::Value(value) => Ok(value),
    }))
}

/// Returns the id of a new object, or the fields that the write asked for.
fn read_back(call: &mut Call<'_>, id: &str) -> Result<Value, GraphError> {
    match (route::requested_fields(call.request)?, Node::find(call.world, id)) {
        (Some(fields), Some(node)) => node::read(call, &node, Some(&fields), &[]),
        _ => Ok(json!({ "id": id })),
    }
}

/// Returns whether a write is only to be checked.
fn is_dry(given: &serde_json::Map<String, Value>) -> bool {
    let options = given.get("execution_options").and_then(Value::as_array);
    options.is_some_and(|options| options.iter().any(|option| option == "validate_only"))
}

type Writes = Result<Made, Refused>;
