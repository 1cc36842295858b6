//! Writing ads.

use serde_json::{Map, Value, json};

use super::creative_rules as rules;
use super::creative_story as story;
use super::site::{self, Site, text, text_at};
use super::{Made, OPTIONS, Writes, adset, creative, is_dry, label, status};
use crate::graph::error::GraphError;
use crate::graph::rejection::Refused;
use crate::graph::request::Request;
use crate::graph::session::Call;
use crate::graph::write_params::{self, Given, Kind};
use crate::world::ads::ids::Object;
use crate::world::ads::status::Status;
use crate::world::ads::tree::Level;
use crate::world::app::Mode;
use crate::world::form;

const LEVEL: Level = Level::Ad;
const FIELDS: &[(&str, Kind)] = &[
    ("name", Kind::Text),
    ("adset_id", Kind::Text),
    ("creative", Kind::Object),
    ("tracking_specs", Kind::List),
    ("conversion_domain", Kind::Text),
    ("bid_amount", Kind::Unsigned),
    ("priority", Kind::Unsigned),
    ("display_sequence", Kind::Unsigned),
    ("engagement_audience", Kind::Flag),
    ("ad_schedule_start_time", Kind::Time),
    ("ad_schedule_end_time", Kind::Time),
    ("status", Kind::OneOf(status::NAMES)),
    ("adlabels", Kind::List),
    OPTIONS,
];
/// Parameters that are stored elsewhere or not at all.
const NOT_FIELDS: &[&str] = &["name", "adset_id", "creative", "status", "adlabels", "execution_options"];

/// The creative of an ad: one that exists, or one to be made with the ad.
enum Shown {
    Known { index: u32, fields: Map<String, Value> },
    New { given: Given, fields: Map<String, Value> },
}

impl Shown {
    fn fields(&self) -> &Map<String, Value> {
        match self {
            Self::Known { fields, .. } | Self::New { fields, .. } => fields,
        }
    }
}

pub(super) fn create(call: &mut Call<'_>, account_id: &str) -> Writes {
    let site = Site::find(call, account_id)?;
    let given = site.read(call, FIELDS)?;
    write_params::require(&given, &["name", "adset_id", "creative"])?;
    let status = status::first(&given)?;
    site.check_rights(call)?;
    let adset_id = given.get("adset_id").map(text).unwrap_or_default();
    let found = site.ads.find_on(Level::AdSet, &adset_id);
    let adset = found.ok_or_else(|| GraphError::not_visible("post", &adset_id))?;
    if site.ads.status(Level::AdSet, adset) == Status::Deleted {
        return Err(super::rules::ADSET_DELETED.broken_by("adset_id"));
    }
    let shown = check(call, &site, adset, &given)?;
    let labels = label::read(&site, &given)?;
    if is_dry(&given) {
        return Ok(Made::Success);
    }
    let form_id = story::form_of(shown.fields());
    let creative = settle(call, &site, shown);
    let mut change = site.change(&given);
    change.fields = fields(&given);
    change.creative = creative;
    change.labels = label::resolve(call, &site, labels);
    let record = site.record(call);
    let id = record.id.clone();
    call.world.write_ads(&site.account_id, |ads, at| {
        let index = ads.write(LEVEL, adset, record, change);
        ads.turn(Object::Of(LEVEL, index), status, at);
        ads.submit_to_review(index, at.now_ms);
    });
    advertise(call, &site.account_id, &id, form_id.as_deref());
    Ok(Made::Id(id))
}

pub(super) fn update(call: &mut Call<'_>, id: &str) -> Writes {
    let site = Site::find(call, id)?;
    let mut given = site.read(call, FIELDS)?;
    given.remove("adset_id");
    let Some(index) = site.ads.find_on(LEVEL, id) else { return Ok(Made::Success) };
    site.check_rights(call)?;
    status::check_change(&site, Object::Of(LEVEL, index), &given)?;
    let adset = site.ads.tree.adset_of(index);
    let runs = given.contains_key("creative") || given.get("status").is_some_and(|status| status == "ACTIVE");
    if runs && adset::has_ended(call, &site, adset) {
        return Err(super::rules::ADSET_ENDED.broken(&[], ""));
    }
    let shown = if given.contains_key("creative") { Some(check(call, &site, adset, &given)?) } else { None };
    let labels = label::read(&site, &given)?;
    if is_dry(&given) {
        return Ok(Made::Success);
    }
    let form_id = shown.as_ref().and_then(|shown| story::form_of(shown.fields()));
    let creative = shown.and_then(|shown| settle(call, &site, shown));
    let labels = given.contains_key("adlabels").then(|| label::resolve(call, &site, labels));
    call.world.write_ads(&site.account_id, |ads, at| {
        status::apply(ads, Object::Of(LEVEL, index), &given, at);
        let change = ads.changes.at(LEVEL, index);
        change.fields.extend(fields(&given));
        change.labels = labels.unwrap_or(std::mem::take(&mut change.labels));
        if creative.is_some() {
            change.creative = creative;
            ads.submit_to_review(index, at.now_ms);
        }
    });
    if creative.is_some() {
        advertise(call, &site.account_id, id, form_id.as_deref());
    }
    Ok(Made::Success)
}

fn fields(given: &Given) -> Map<String, Value> {
    let kept = given.iter().filter(|(name, _)| !NOT_FIELDS.contains(&name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Checks the creative, and that it fits the ad set.
fn check(call: &Call<'_>, site: &Site, adset: u32, given: &Given) -> Result<Shown, Refused> {
    let shown = find_creative(call, site, given)?;
    if call.world.app.mode == Mode::Development {
        return Err(rules::DEVELOPMENT_MODE.broken(&[], ""));
    }
    if adset::has_ended(call, site, adset) {
        return Err(super::rules::ADSET_ENDED.broken_by("adset_id"));
    }
    let aim = adset::aim(call, site, adset);
    let page_id = text_at(&json!(shown.fields()), "object_story_spec.page_id");
    if aim.needs_form() {
        let promoted =
            aim.page_id().ok_or_else(|| super::rules::PROMOTED_OBJECT_MISSING_FOR_AD.broken_by("adset_id"))?;
        if story::form_of(shown.fields()).is_none() {
            return Err(rules::FORM_MISSING.broken_by("creative"));
        }
        if page_id.is_some_and(|page_id| page_id != promoted) {
            return Err(rules::PAGE_MISMATCH.broken_by("creative"));
        }
    }
    let assets = shown.fields().get("asset_feed_spec");
    let is_dynamic = assets.is_some_and(|assets| assets.get("optimization_type").is_none_or(|kind| kind == "REGULAR"));
    let allowed = site::current(call, &site.ads.id(Level::AdSet, adset), "is_dynamic_creative") == Some(json!(true));
    if is_dynamic && !allowed { Err(rules::DYNAMIC_CREATIVE.broken_by("creative")) } else { Ok(shown) }
}

/// Returns the creative that `{"creative_id"}` names or a specification describes.
fn find_creative(call: &Call<'_>, site: &Site, given: &Given) -> Result<Shown, Refused> {
    let spec = given.get("creative").cloned().unwrap_or_default();
    if let Some(id) = text_at(&spec, "creative_id").or_else(|| text_at(&spec, "id")) {
        return match site.object(&id) {
            Some(Object::Creative(index)) if !site.ads.is_deleted_creative(index) => {
                let part = |name: &str| Some((name.to_owned(), site::current(call, &id, name)?));
                let fields = ["object_story_spec", "asset_feed_spec"].iter().filter_map(|name| part(name)).collect();
                Ok(Shown::Known { index, fields })
            }
            _ => Err(rules::CREATIVE_UNKNOWN.broken(&["creative"], &id)),
        };
    }
    let mut request = Request::new("POST", "/");
    request.add_json(spec);
    let given = write_params::read(&request, creative::FIELDS, &site.ads.calendar.zone)?;
    if given.contains_key("instagram_actor_id") {
        return Err(story::retired_instagram_field().into());
    }
    let fields = creative::check(call, site, &given)?;
    Ok(Shown::New { given, fields })
}

/// Returns the number of the ad's creative, which may have to be made first.
fn settle(call: &mut Call<'_>, site: &Site, shown: Shown) -> Option<u32> {
    match shown {
        Shown::Known { index, .. } => Some(index),
        Shown::New { given, fields } => {
            let id = creative::insert(call, site, &given, fields, Vec::new());
            match call.world.ads_object(&id)?.1 {
                Object::Creative(index) => Some(index),
                Object::Of(..) => None,
            }
        }
    }
}

/// Makes leads of a form come from an ad that shows it.
fn advertise(call: &mut Call<'_>, account_id: &str, ad_id: &str, form_id: Option<&str>) {
    for form in call.world.forms.values_mut() {
        form.ads.retain(|ad| ad.id != ad_id || Some(form.id.as_str()) == form_id);
    }
    let Some(account) = call.world.ad_account(account_id) else { return };
    let ads = &account.ads;
    let Some(ad) = ads.find_on(LEVEL, ad_id) else { return };
    let adset = ads.tree.adset_of(ad);
    let campaign = ads.tree.campaign_of(adset);
    let shown = form::Ad {
        id: ad_id.to_owned(),
        name: ads.name(LEVEL, ad),
        adset_id: ads.id(Level::AdSet, adset),
        adset_name: ads.name(Level::AdSet, adset),
        campaign_id: ads.id(Level::Campaign, campaign),
        campaign_name: ads.name(Level::Campaign, campaign),
    };
    if let Some(form) = form_id.and_then(|id| call.world.forms.get_mut(id))
        && form.ad(ad_id).is_none()
    {
        form.ads.push(shown);
    }
}
