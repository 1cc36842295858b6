//! Writing creatives.

use serde_json::{Map, Value};

use super::creative_rules as rules;
use super::creative_story as story;
use super::site::{self, Site, text_at};
use super::{Made, OPTIONS, Writes, is_dry, label};
use crate::graph::rejection::Refused;
use crate::graph::session::Call;
use crate::graph::write_params::{self, Given, Kind};
use crate::world::ads::ids::Object;
use crate::world::ads::status::Status;
use crate::world::app::Mode;

pub(super) const FIELDS: &[(&str, Kind)] = &[
    ("name", Kind::Text),
    ("object_story_spec", Kind::Object),
    ("object_story_id", Kind::Text),
    ("asset_feed_spec", Kind::Object),
    ("source_instagram_media_id", Kind::Text),
    ("instagram_user_id", Kind::Text),
    ("instagram_actor_id", Kind::Text),
    ("degrees_of_freedom_spec", Kind::Object),
    ("contextual_multi_ads", Kind::Object),
    ("url_tags", Kind::Text),
    ("image_hash", Kind::Text),
    ("image_url", Kind::Text),
    ("body", Kind::Text),
    ("title", Kind::Text),
    ("link_url", Kind::Text),
    ("product_set_id", Kind::Text),
    ("template_url", Kind::Text),
    ("authorization_category", Kind::OneOf(&["NONE", "POLITICAL", "POLITICAL_WITH_DIGITALLY_CREATED_MEDIA"])),
    ("adlabels", Kind::List),
    OPTIONS,
];
/// Fields that can change after creation.
const CHANGEABLE: &[(&str, Kind)] = &[
    ("name", Kind::Text),
    ("status", Kind::OneOf(&["ACTIVE", "IN_PROCESS", "WITH_ISSUES", "DELETED"])),
    ("adlabels", Kind::List),
    OPTIONS,
];
/// Parameters that are stored elsewhere or not at all.
const NOT_FIELDS: &[&str] = &["name", "adlabels", "execution_options"];
/// Any of these gives a creative its content.
const CONTENT: &[&str] = &["object_story_spec", "object_story_id", "asset_feed_spec", "source_instagram_media_id"];

pub(super) fn create(call: &mut Call<'_>, account_id: &str) -> Writes {
    let site = Site::find(call, account_id)?;
    let given = site.read(call, FIELDS)?;
    if given.contains_key("instagram_actor_id") {
        return Err(story::retired_instagram_field().into());
    }
    site.check_rights(call)?;
    let fields = check(call, &site, &given)?;
    let labels = label::read(&site, &given)?;
    if is_dry(&given) {
        return Ok(Made::Success);
    }
    let labels = label::resolve(call, &site, labels);
    Ok(Made::Id(insert(call, &site, &given, fields, labels)))
}

/// Checks a new creative and returns its fields as they are read back.
///
/// # Errors
/// Rejects one without content or with wrong content, and any in development mode.
pub(super) fn check(call: &Call<'_>, site: &Site, given: &Given) -> Result<Map<String, Value>, Refused> {
    let spec = |name: &str| given.get(name).and_then(Value::as_object);
    if !CONTENT.iter().chain(&["image_hash", "image_url"]).any(|name| given.contains_key(*name)) {
        return Err(rules::CREATIVE_FAILED.broken_by("object_story_spec"));
    }
    if let Some(features) = spec("degrees_of_freedom_spec").and_then(|it| it.get("creative_features_spec"))
        && features.get("standard_enhancements").is_some()
    {
        let path = "degrees_of_freedom_spec.creative_features_spec.standard_enhancements";
        return Err(rules::STANDARD_ENHANCEMENTS.broken_by(path));
    }
    let mut fields: Map<String, Value> = given
        .iter()
        .filter(|(name, _)| !NOT_FIELDS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(id) = given.get("instagram_user_id") {
        story::check_instagram(call, site, &site::text(id), "instagram_user_id")?;
    }
    story::check_image(site, &Value::Object(given.clone()), "")?;
    if let Some(spec) = spec("object_story_spec") {
        fields.insert("object_story_spec".to_owned(), Value::Object(story::check(call, site, spec)?));
    }
    if let Some(assets) = spec("asset_feed_spec") {
        let page_id = text_at(&Value::Object(given.clone()), "object_story_spec.page_id").unwrap_or_default();
        let assets = story::check_assets(call, site, assets, &page_id)?;
        fields.insert("asset_feed_spec".to_owned(), Value::Object(assets));
    }
    if call.world.app.mode == Mode::Development {
        return Err(rules::DEVELOPMENT_MODE.broken(&[], ""));
    }
    Ok(fields)
}

/// Adds a checked creative and returns its id.
pub(super) fn insert(
    call: &mut Call<'_>,
    site: &Site,
    given: &Given,
    fields: Map<String, Value>,
    labels: Vec<String>,
) -> String {
    let mut change = site.change(given);
    change.fields = fields;
    change.labels = labels;
    let record = site.record(call);
    let id = record.id.clone();
    change.name = change.name.or_else(|| Some(format!("Creative {id}")));
    call.world.write_ads(&site.account_id, |ads, _| ads.write_creative(record, change));
    id
}

/// Changes name, labels or status; nothing else of a creative can change.
pub(super) fn update(call: &mut Call<'_>, id: &str) -> Writes {
    let site = Site::find(call, id)?;
    let given = site.read(call, CHANGEABLE)?;
    let content = write_params::read(call.request, FIELDS, &site.ads.calendar.zone)?;
    let fixed = content.keys().find(|name| !NOT_FIELDS.contains(&name.as_str()));
    site.check_rights(call)?;
    if let Some(name) = fixed {
        return Err(super::rules::CANNOT_CHANGE.broken(&[name], name));
    }
    let labels = label::read(&site, &given)?;
    let Some(Object::Creative(index)) = site.object(id) else { return Ok(Made::Success) };
    if is_dry(&given) {
        return Ok(Made::Success);
    }
    let labels = given.contains_key("adlabels").then(|| label::resolve(call, &site, labels));
    call.world.write_ads(&site.account_id, |ads, at| {
        let object = Object::Creative(index);
        if given.get("status").is_some_and(|status| status == "DELETED") {
            ads.turn(object, Status::Deleted, at);
        }
        let change = ads.changes.at_object(object);
        change.updated_ms = Some(at.now_ms);
        if let Some(name) = given.get("name").and_then(Value::as_str) {
            change.name = Some(name.to_owned());
        }
        change.labels = labels.unwrap_or(std::mem::take(&mut change.labels));
    });
    Ok(Made::Success)
}
