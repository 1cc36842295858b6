//! Datasets as nodes, and the edges that list them. Paths call them pixels.

use serde_json::{Value, json};

use super::error::GraphError;
use super::node::Node;
use super::paging::{self, EdgeQuery, Elements, Item};
use super::session::Call;
use super::{ad_account, business};
use crate::clock::graph_time;
use crate::world::World;
use crate::world::dataset::Dataset;

const DATASETS: Elements = Elements { node_type: Some("AdsPixel"), defaults: &["id"], max_limit: 100 };

/// `/act_X/adspixels`: the datasets that an ad account uses.
pub(crate) fn of_account(call: &mut Call<'_>, node_id: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    ad_account::check_readable(call, node_id)?;
    let account = node_id.strip_prefix("act_").unwrap_or(node_id).to_owned();
    list(call, query, |dataset| dataset.ad_accounts.contains(&account))
}

/// `owned_pixels` and `client_pixels` of a business, and `adspixels`, which are both. Those of a client's ad account are a
/// client's.
pub(crate) fn of_business(
    call: &mut Call<'_>,
    business_id: &str,
    edge: &str,
    query: &EdgeQuery,
) -> Result<Value, GraphError> {
    business::check_readable(call, business_id)?;
    let clients = call.world.business(business_id).map(|it| it.client_ad_accounts.clone()).unwrap_or_default();
    list(call, query, |dataset| {
        let is_owned = dataset.owner.as_deref() == Some(business_id);
        let is_client_s = !is_owned && clients.iter().any(|account| dataset.ad_accounts.contains(account));
        match edge {
            "owned_pixels" => is_owned,
            "client_pixels" => is_client_s,
            _ => is_owned || is_client_s,
        }
    })
}

fn list(call: &mut Call<'_>, query: &EdgeQuery, wanted: impl Fn(&Dataset) -> bool) -> Result<Value, GraphError> {
    let known = call.world.datasets.iter().filter(|dataset| wanted(dataset));
    let items = known.map(|dataset| (dataset.id.clone(), Item::Node(Node::Dataset(dataset.id.clone())))).collect();
    paging::page(call, query, items, &DATASETS)
}

/// Checks that the caller may read a dataset and send events to it: through the business that owns it, or through an ad
/// account that uses it.
///
/// # Errors
/// Returns 200 without a permission about ads, 100/33 for a dataset that the person does not reach.
pub(crate) fn check_usable(call: &Call<'_>, id: &str) -> Result<(), GraphError> {
    let person = call.person()?;
    if call.request.method == "GET" {
        ad_account::require_ads(call)?;
    } else {
        call.require_scope("ads_management")?;
    }
    let reaches = call.world.dataset(id).zip(call.world.user(&person)).is_some_and(|(dataset, user)| {
        let is_of_business = dataset.owner.as_ref().is_some_and(|owner| user.business_ids.contains(owner));
        is_of_business || user.ad_accounts.iter().any(|account| dataset.ad_accounts.contains(account))
    });
    if reaches { Ok(()) } else { Err(GraphError::not_visible(&call.request.method, id)) }
}

/// Returns the value of a field. `None` if the dataset has no such field.
pub(crate) fn value(world: &World, id: &str, field: &str) -> Option<Value> {
    let dataset = world.dataset(id)?;
    match field {
        "name" => Some(json!(dataset.name)),
        "is_crm" => Some(json!(dataset.is_crm)),
        "is_unavailable" => Some(json!(false)),
        "last_fired_time" => dataset.last_fired_ms.map(|at| json!(graph_time(at))),
        "owner_business" => {
            let business = world.business(dataset.owner.as_deref()?)?;
            Some(json!({"id": business.id, "name": business.name}))
        }
        _ => None,
    }
}
