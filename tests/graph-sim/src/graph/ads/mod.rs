//! Campaigns, ad sets, ads and creatives as nodes, and the edges that list them.

pub(super) mod condition;
pub(super) mod library;
pub(super) mod listing;
pub(super) mod visibility;

mod ad;
mod adset;
mod budget;
mod campaign;
mod creative;
mod creative_story;
mod targeting;
pub(super) mod truth;
mod weight;
pub(super) mod write;
mod written;

use std::sync::Arc;

use serde_json::{Value, json};

use super::ad_account;
use super::error::GraphError;
use super::fields::Field;
use super::node::Node;
use super::session::Call;
use crate::clock::graph_time;
use crate::world::World;
use crate::world::ad_account::AdAccount;
use crate::world::ads::Ads;
use crate::world::ads::ids::{self, Object};
use crate::world::ads::status::{Effective, Status};
use crate::world::ads::tree::{FIRST_WRITTEN, Level};
use crate::world::ads::written::Label;

/// An object in its account.
pub(super) struct Place<'w> {
    pub(super) account_id: &'w str,
    pub(super) ads: &'w Ads,
    pub(super) index: u32,
    pub(super) now_ms: i64,
}

impl Place<'_> {
    /// Returns a field that campaigns, ad sets and ads share.
    fn common(&self, level: Level, field: &str) -> Option<Value> {
        let (ads, index) = (self.ads, self.index);
        Some(match field {
            "account_id" => json!(self.account_id),
            "name" => json!(ads.name(level, index)),
            "status" | "configured_status" => json!(ads.status(level, index).name()),
            "effective_status" => json!(ads.effective(level, index).name()),
            "created_time" => json!(graph_time(ads.created_ms(level, index))),
            "updated_time" => json!(graph_time(ads.updated_ms(level, index))),
            "issues_info" if ads.effective(level, index) == Effective::WithIssues => issues(level),
            "adlabels" => return written::labels(ads, Object::Of(level, index)),
            "special_ad_categories" => json!([]),
            _ => return None,
        })
    }

    /// Returns the place of another object of the account.
    fn at(&self, index: u32) -> Self {
        Self { index, ..*self }
    }

    fn id_of(&self, level: Level, index: u32) -> Value {
        json!(self.ads.id(level, index))
    }

    /// Returns whether the object's own status is active, regardless of the objects above it.
    fn is_on(&self, level: Level) -> bool {
        self.ads.status(level, self.index) == Status::Active
    }
}

fn issues(level: Level) -> Value {
    let name = match level {
        Level::Campaign => "CAMPAIGN",
        Level::AdSet => "AD_SET",
        Level::Ad => "AD",
    };
    json!([{
        "level": name, "error_code": 1_815_869, "error_type": "HARD_ERROR", "mid": "3b52f9a4d7e2",
        "error_summary": "The post cannot be shown",
        "error_message": "The post associated with your ad is not available. It may have been deleted, or you may not \
                          have permission to view it.",
    }])
}

/// Returns the node of an id. `None` if the id belongs to none of these objects.
pub(super) fn find(world: &World, id: &str) -> Option<Node> {
    if label(world, id).is_some() {
        return Some(Node::AdLabel(id.to_owned()));
    }
    let (_, object) = world.ads_object(id)?;
    let id = id.to_owned();
    Some(match object {
        Object::Of(Level::Campaign, _) => Node::Campaign(id),
        Object::Of(Level::AdSet, _) => Node::AdSet(id),
        Object::Of(Level::Ad, _) => Node::Ad(id),
        Object::Creative(_) => Node::Creative(id),
    })
}

/// Returns a label and its account.
fn label<'w>(world: &'w World, id: &str) -> Option<(&'w AdAccount, &'w Label)> {
    if !ids::is_written(id) {
        return None;
    }
    world.ad_accounts.iter().find_map(|account| Some((account, account.ads.written.label(id)?)))
}

/// Returns the value of a label's field.
pub(super) fn label_value(world: &World, id: &str, field: &str) -> Option<Value> {
    let (account, label) = label(world, id)?;
    match field {
        "account" => Some(json!({"id": account.node_id(), "account_id": account.id})),
        _ => written::label(label).get(field).cloned(),
    }
}

/// Checks that the caller may read the object.
///
/// # Errors
/// As for the object's account; 100/33 for an object that belongs to no account.
pub(super) fn check_readable(call: &Call<'_>, id: &str) -> Result<(), GraphError> {
    let labelled = label(call.world, id).map(|(account, _)| account);
    let account = labelled.or_else(|| call.world.ads_object(id).map(|(account, _)| account));
    let account = account.ok_or_else(|| GraphError::not_visible("get", id))?;
    ad_account::check_member(call, &account.id, id)
}

/// Returns the value of a field. `None` if the object has no such field.
pub(super) fn value(call: &Call<'_>, id: &str, field: &Field) -> Option<Value> {
    let (account, object) = call.world.ads_object(id)?;
    let now_ms = call.world.clock.now_ms();
    let at = |index| Place { account_id: &account.id, ads: &account.ads, index, now_ms };
    match object {
        Object::Of(level, index) => of_level(&at(index), level, &field.name),
        Object::Creative(index) if index >= FIRST_WRITTEN => written::creative(&at(index), field, call.request),
        Object::Creative(index) => creative::value(&at(index), field, call.request),
    }
}

/// Returns the value of a field of a campaign, ad set or ad. What the API set takes precedence over what is generated.
fn of_level(place: &Place<'_>, level: Level, field: &str) -> Option<Value> {
    let set = place.ads.changes.of(level, place.index).and_then(|change| change.fields.get(field));
    if let Some(set) = set {
        return (!set.is_null()).then(|| set.clone());
    }
    if place.index >= FIRST_WRITTEN {
        return written::value(place, level, field);
    }
    match level {
        Level::Campaign => campaign::value(place, field),
        Level::AdSet => adset::value(place, field),
        Level::Ad => ad::value(place, field),
    }
}

/// Returns the node a field refers to: an ad's ad set, campaign and creative, and an ad set's campaign.
pub(super) fn related(world: &World, node: &Node, field: &str) -> Option<Node> {
    let (Node::Ad(id) | Node::AdSet(id)) = node else { return None };
    let (account, object) = world.ads_object(id)?;
    let (ads, tree) = (&account.ads, &account.ads.tree);
    match (object, field) {
        (Object::Of(Level::Ad, ad), "creative") => Some(Node::Creative(ads.creative_id(ads.creative_of(ad)))),
        (Object::Of(Level::Ad, ad), "adset") => Some(Node::AdSet(ads.id(Level::AdSet, tree.adset_of(ad)))),
        (Object::Of(Level::Ad, ad), "campaign") => {
            Some(Node::Campaign(ads.id(Level::Campaign, tree.above(ad, Level::Campaign))))
        }
        (Object::Of(Level::AdSet, adset), "campaign") => {
            Some(Node::Campaign(ads.id(Level::Campaign, tree.campaign_of(adset))))
        }
        _ => None,
    }
}

/// An account's ads and an object's position in them. `at` is `None` for the whole account.
pub(super) struct Scope {
    pub(super) account_id: String,
    pub(super) ads: Arc<Ads>,
    pub(super) at: Option<(Level, u32)>,
}

/// Returns the scope of a node that has campaigns, ads or insights below it.
pub(super) fn scope(world: &World, node: &Node) -> Option<Scope> {
    let (account, at) = match node {
        Node::AdAccount(id) => (world.ad_account(id)?, None),
        Node::Campaign(id) | Node::AdSet(id) | Node::Ad(id) => match world.ads_object(id)? {
            (account, Object::Of(level, index)) => (account, Some((level, index))),
            (_, Object::Creative(_)) => return None,
        },
        _ => return None,
    };
    Some(Scope { account_id: account.id.clone(), ads: Arc::clone(&account.ads), at })
}
