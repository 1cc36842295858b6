//! What an account keeps beside its campaigns: labels, objects by label, images, and Instagram accounts.

use serde_json::{Value, json};

use super::listing;
use super::write::image_url;
use crate::clock::graph_time;
use crate::graph::error::GraphError;
use crate::graph::node::Node;
use crate::graph::paging::{self, EdgeQuery, Elements, Item};
use crate::graph::request;
use crate::graph::session::Call;
use crate::world::ad_account::AdAccount;
use crate::world::ads::ids::Object;
use crate::world::ads::tree::Level;

const LABELS: Elements = Elements { node_type: Some("AdLabel"), defaults: &["id", "name"], max_limit: 500 };
const IMAGES: Elements = Elements { node_type: Some("AdImage"), defaults: &[], max_limit: 500 };
pub(crate) const INSTAGRAM: Elements = Elements { node_type: Some("ShadowIGUser"), defaults: &["id"], max_limit: 100 };

/// Reads such an edge. The caller has checked the right to read the account.
pub(crate) fn read(call: &mut Call<'_>, node: &Node, edge: &str, query: &EdgeQuery) -> Result<Value, GraphError> {
    let missing = || GraphError::nonexisting_field(edge, node.type_name());
    let account = call.world.ad_account(node.id(call.world)).ok_or_else(missing)?;
    let (items, elements): (Vec<(String, Item)>, _) = match edge {
        "adlabels" => {
            let labels = account.ads.written.labels.iter().rev();
            (labels.map(|label| (label.id.clone(), Item::Node(Node::AdLabel(label.id.clone())))).collect(), LABELS)
        }
        "campaignsbylabels" => by_labels(call, account, query, "Campaign", |object| level(object, Level::Campaign))?,
        "adsetsbylabels" => by_labels(call, account, query, "AdSet", |object| level(object, Level::AdSet))?,
        "adsbylabels" => by_labels(call, account, query, "Ad", |object| level(object, Level::Ad))?,
        "adcreativesbylabels" => {
            by_labels(call, account, query, "AdCreative", |object| matches!(object, Object::Creative(_)))?
        }
        "adimages" => (images(account, query), IMAGES),
        "instagram_accounts" => {
            let accounts = call.world.instagram_accounts(account);
            (accounts.into_iter().map(|id| (id.clone(), instagram_account(call, id))).collect(), INSTAGRAM)
        }
        _ => return Err(missing()),
    };
    paging::page(call, query, items, &elements)
}

fn level(object: Object, wanted: Level) -> bool {
    matches!(object, Object::Of(level, _) if level == wanted)
}

/// Returns the objects with all or any of the labels in `ad_label_ids`, newest first, without archived or deleted ones.
fn by_labels(
    call: &Call<'_>,
    account: &AdAccount,
    query: &EdgeQuery,
    node_type: &'static str,
    fits: impl Fn(Object) -> bool,
) -> Result<(Vec<(String, Item)>, Elements), GraphError> {
    let missing = || GraphError::invalid("(#100) The parameter ad_label_ids is required");
    let wanted = request::list(query.param("ad_label_ids").ok_or_else(missing)?);
    let all = match query.param("operator") {
        None | Some("ANY") => false,
        Some("ALL") => true,
        Some(_) => return Err(GraphError::invalid("(#100) Param operator must be one of {ALL, ANY}")),
    };
    let (ads, now_ms) = (&account.ads, call.world.clock.now_ms());
    let is_visible = |object: Object| match object {
        Object::Of(level, index) => super::visibility::Visibility::default().shows(ads.effective(level, index)),
        Object::Creative(index) => !ads.is_deleted_creative(index),
    };
    let mut found: Vec<(i64, String, Node)> = ads
        .changes
        .labelled()
        .filter(|(object, labels)| {
            let has = |id: &String| labels.contains(id) && ads.written.label(id).is_some();
            fits(*object)
                && if all { wanted.iter().all(has) } else { wanted.iter().any(has) }
                && is_visible(*object)
                && listing::is_listed(ads, *object, now_ms)
        })
        .map(|(object, _)| match object {
            Object::Of(level, index) => {
                let id = ads.id(level, index);
                let node = match level {
                    Level::Campaign => Node::Campaign(id.clone()),
                    Level::AdSet => Node::AdSet(id.clone()),
                    Level::Ad => Node::Ad(id.clone()),
                };
                (ads.created_ms(level, index), id, node)
            }
            Object::Creative(index) => {
                let id = ads.creative_id(index);
                (0, id.clone(), Node::Creative(id))
            }
        })
        .collect();
    found.sort_by(|left, right| (right.0, &right.1).cmp(&(left.0, &left.1)));
    let items = found.into_iter().map(|(_, id, node)| (id, Item::Node(node))).collect();
    Ok((items, listing::elements(node_type)))
}

fn images(account: &AdAccount, query: &EdgeQuery) -> Vec<(String, Item)> {
    let hashes = query.param("hashes").map(request::list);
    let images = account.ads.written.images.iter();
    images
        .filter(|(hash, _)| hashes.as_ref().is_none_or(|hashes| hashes.contains(hash)))
        .map(|(hash, image)| {
            let id = format!("{}:{hash}", account.id);
            let value = if query.fields.is_none() {
                json!({"id": id, "hash": hash})
            } else {
                let url = image_url(&account.id, hash);
                json!({
                    "id": id, "hash": hash, "account_id": account.id, "name": image.name, "status": "ACTIVE",
                    "url": url, "permalink_url": url, "width": image.width, "height": image.height,
                    "original_width": image.width, "original_height": image.height,
                    "created_time": graph_time(image.created_ms), "updated_time": graph_time(image.created_ms),
                })
            };
            (hash.clone(), Item::Value(value))
        })
        .collect()
}

/// Returns an Instagram account of a list. An assigned one may be unknown here, and has only an id and a name then.
pub(crate) fn instagram_account(call: &Call<'_>, id: String) -> Item {
    match Node::find(call.world, &id) {
        Some(node) => Item::Node(node),
        None => Item::Value(json!({"id": id, "username": format!("account_{id}")})),
    }
}
