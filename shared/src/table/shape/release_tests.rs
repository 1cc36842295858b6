//! Items that releases stored are found and read by this one, and what this one writes is what the newest files say.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};
use strum::IntoEnumIterator;

use super::found_tests::find;
use super::{ItemKind, SHAPE, ads_samples_tests, channel_samples_tests, inbox_samples_tests, lead_samples_tests};
use crate::stored_test_support::{Files, assert_recorded, keeps, never_filled, of_all_releases, pattern, record};
use crate::table::tests::empty_table;
use crate::table::{Item, Table};

/// Where a map has keys of data instead of fields, or is a variant with its value. A later release adds nothing there.
const NO_FIELDS: &[(ItemKind, &str)] = &[
    (ItemKind::Act, "/changes/*/after"),
    (ItemKind::AdAccount, "/seen_days/marks"),
    (ItemKind::AdAccount, "/token"),
    (ItemKind::AdDay, "/actions"),
    (ItemKind::AdObject, "/object/targeting"),
    (ItemKind::AdObject, "/object/targeting/geo_locations"),
    (ItemKind::AccountDay, "/actions"),
    (ItemKind::AdsSync, "/log"),
    (ItemKind::AdsSync, "/progress/account_marks"),
    (ItemKind::BulkChange, "/before"),
    (ItemKind::BulkChange, "/before/meta-1/field"),
    (ItemKind::BulkChange, "/to"),
    (ItemKind::Campaign, "/spec/budget"),
    (ItemKind::Campaign, "/spec/creative/image"),
    (ItemKind::CampaignDay, "/ads"),
    (ItemKind::Delivery, "/about"),
    (ItemKind::Dismissed, "/job"),
    (ItemKind::Export, "/columns/*"),
    (ItemKind::Integration, "/conversions/events"),
    (ItemKind::Integration, "/granted_for"),
    (ItemKind::Lead, "/fields"),
    (ItemKind::LeadView, "/filters"),
    (ItemKind::Login, "/claim/outcome"),
    (ItemKind::Mapping, "/rules/*/choices"),
    (ItemKind::Message, "/content/attachments/*/source"),
    (ItemKind::Message, "/reports"),
    (ItemKind::Message, "/sending/route"),
    (ItemKind::SweepProgress, "/forms"),
];

/// Fields that no sample fills, and why.
const NEVER_FILLED: [(ItemKind, &str, &str); 1] =
    [(ItemKind::SweepProgress, "/forms/4/c", "form 3 fills it; the keys of this map are ids")];

/// An attribute in DynamoDB's JSON.
fn to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(_) => json!({ "NULL": true }),
        AttributeValue::Ss(texts) => json!({ "SS": texts.iter().collect::<BTreeSet<_>>() }),
        AttributeValue::L(items) => json!({ "L": items.iter().map(to_json).collect::<Vec<_>>() }),
        AttributeValue::M(fields) => json!({ "M": item_to_json(fields) }),
        other => panic!("no item has this type: {other:?}"),
    }
}

pub(super) fn item_to_json(item: &Item) -> Value {
    let fields: BTreeMap<&String, Value> = item.iter().map(|(name, value)| (name, to_json(value))).collect();
    json!(fields)
}

fn from_json(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text(value)),
        "N" => AttributeValue::N(text(value)),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(true),
        "SS" => AttributeValue::Ss(value.as_array().unwrap().iter().map(text).collect()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(from_json).collect()),
        "M" => AttributeValue::M(item_from_json(value)),
        other => panic!("no item has this type: {other}"),
    }
}

pub(super) fn item_from_json(item: &Value) -> Item {
    item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), from_json(value))).collect()
}

/// An item as the JSON that it stands for.
pub(super) fn plain(item: &Item) -> Value {
    fn attribute(value: &AttributeValue) -> Value {
        match value {
            AttributeValue::N(number) => json!({ "number": number }),
            AttributeValue::Null(_) => Value::Null,
            AttributeValue::S(text) => json!(text),
            AttributeValue::Bool(flag) => json!(flag),
            AttributeValue::Ss(texts) => json!(texts.iter().collect::<BTreeSet<_>>()),
            AttributeValue::L(items) => items.iter().map(attribute).collect(),
            AttributeValue::M(fields) => plain(fields),
            other => panic!("no item has this type: {other:?}"),
        }
    }
    item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>().into()
}

/// An item without what the envelope owns.
fn body(item: &Item) -> Value {
    let mut body = item.clone();
    body.retain(|name, _| !["pk", "sk", "type", "ttl", SHAPE].contains(&name.as_str()) && !name.starts_with("gsi"));
    plain(&body)
}

/// What tells items of one kind apart that are written differently: the places that have a value.
fn structure(item: &Item) -> BTreeSet<String> {
    fn visit(value: &Value, place: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Null => {}
            Value::Object(fields) => {
                found.insert(format!("{place}/"));
                fields.iter().for_each(|(name, value)| visit(value, &format!("{place}/{name}"), found));
            }
            Value::Array(items) => items.iter().for_each(|value| visit(value, &format!("{place}/*"), found)),
            _ => drop(found.insert(place.to_owned())),
        }
    }
    let mut found = BTreeSet::new();
    visit(&plain(item), "", &mut found);
    found
}

/// Everything that this release stores, from the samples: of each kind, one item of each structure.
async fn write_samples() -> Files {
    let table = empty_table().await;
    super::org_samples_tests::write(&table).await;
    lead_samples_tests::write(&table).await;
    ads_samples_tests::write(&table).await;
    channel_samples_tests::write(&table).await;
    inbox_samples_tests::write(&table).await;
    let mut items = table.everything().await;
    items.sort_by_key(|item| ["pk", "sk"].map(|name| item[name].as_s().unwrap().clone()));
    let mut seen: BTreeSet<(ItemKind, BTreeSet<String>)> = BTreeSet::new();
    let mut files: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for mut item in items {
        let kind = ItemKind::from_item(&item).unwrap_or_else(|| panic!("an item without a kind: {item:?}"));
        if kind == ItemKind::ConversionDay {
            // The only time of the clock.
            item.insert("ttl".to_owned(), AttributeValue::N("1775952000".to_owned()));
        }
        if seen.insert((kind, structure(&item))) {
            files.entry(<&str>::from(kind).to_owned()).or_default().push(item_to_json(&item));
        }
    }
    files.into_iter().map(|(name, items)| (name, items.into())).collect()
}

async fn put(table: &Table, item: &Item) {
    table.client.put_item().table_name(&table.name).set_item(Some(item.clone())).send().await.unwrap();
}

/// The items of a release, with their kinds.
fn items_of(files: &Files) -> Vec<(ItemKind, Item)> {
    let items = files.values().flat_map(|items| items.as_array().unwrap()).map(item_from_json);
    items.map(|item| (ItemKind::from_item(&item).unwrap(), item)).collect()
}

#[tokio::test]
#[ignore = "it writes what a release stores: see “Stored shapes” in shared/ARCHITECTURE.md"]
async fn every_kind_of_item_is_recorded() {
    record("items", &write_samples().await);
}

#[tokio::test]
async fn items_are_written_as_the_newest_files_say() {
    assert_recorded("items", &write_samples().await);
}

#[tokio::test]
async fn every_kind_of_item_has_samples_that_fill_every_field() {
    let files = write_samples().await;
    let kinds: BTreeSet<String> = ItemKind::iter().map(|kind| <&str>::from(kind).to_owned()).collect();
    assert_eq!(files.keys().cloned().collect::<BTreeSet<_>>(), kinds, "left has samples, right exists");
    let table = empty_table().await;
    let items = items_of(&files);
    for (_, item) in &items {
        put(&table, item).await;
    }
    let mut bodies: BTreeMap<ItemKind, Vec<Value>> = BTreeMap::new();
    for (kind, item) in &items {
        bodies.entry(*kind).or_default().push(plain(&find(&table, *kind, item).await.unwrap()));
    }
    for (kind, bodies) in &bodies {
        let known = |place: &String| NEVER_FILLED.iter().any(|(of, known, _)| of == kind && known == place);
        let empty: Vec<String> = never_filled(bodies).into_iter().filter(|place| !known(place)).collect();
        assert!(empty.is_empty(), "no sample of {kind:?} fills these: {empty:?}");
    }
}

#[tokio::test]
async fn what_any_release_stored_is_found_and_read_and_kept_when_it_is_written_again() {
    let mut changed = Vec::new();
    for (release, files) in of_all_releases("items") {
        let table = empty_table().await;
        let items = items_of(&files);
        for (_, item) in &items {
            put(&table, item).await;
        }
        for (kind, item) in &items {
            let found = find(&table, *kind, item).await;
            let found = found.unwrap_or_else(|| panic!("{kind:?} of {release} is not found: {item:?}"));
            let mut upgraded = item.clone();
            super::SHAPES.upgrade(&mut upgraded);
            let (now, before) = (plain(&found), body(&upgraded));
            if !keeps(&now, &before) {
                changed.push(format!("{kind:?} of {release} is not kept\nwas: {before:#}\nis: {now:#}"));
            }
            for (of, name) in COMPARED.iter().filter(|(of, _)| of == kind) {
                let value = |of: &Value| of.get(name).filter(|value| !value.is_null()).cloned();
                assert_eq!(value(&now), value(&before), "{of:?} {name} is compared with what is stored");
            }
        }
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

/// Attributes that are no plain value, and that writers compare with what they have read. A field that they get later would
/// make each comparison with an older item fail.
const COMPARED: [(ItemKind, &str); 8] = [
    (ItemKind::AdAccount, "conversions"),
    (ItemKind::AdAccount, "token"),
    (ItemKind::Endpoint, "disabled"),
    (ItemKind::Endpoint, "health"),
    (ItemKind::Integration, "conversion_fault"),
    (ItemKind::Integration, "ended"),
    (ItemKind::Lead, "assignment"),
    (ItemKind::Rotation, "lease"),
];

/// All maps in an item: where fields can be.
fn maps(item: &Value) -> Vec<String> {
    fn visit(value: &Value, place: &str, found: &mut Vec<String>) {
        let (kind, inner) = value.as_object().unwrap().iter().next().unwrap();
        match (kind.as_str(), inner) {
            ("M", Value::Object(fields)) => {
                found.push(format!("{place}/M"));
                fields.iter().for_each(|(name, value)| visit(value, &format!("{place}/M/{name}"), found));
            }
            ("L", Value::Array(items)) => {
                items.iter().enumerate().for_each(|(at, value)| visit(value, &format!("{place}/L/{at}"), found));
            }
            _ => {}
        }
    }
    let mut found = vec![String::new()];
    item.as_object().unwrap().iter().for_each(|(name, value)| visit(value, &format!("/{name}"), &mut found));
    found
}

#[tokio::test]
async fn a_field_of_a_later_release_anywhere_in_an_item_keeps_nothing_from_being_read() {
    let (_, files) = of_all_releases("items").pop().unwrap();
    let table = empty_table().await;
    let items = items_of(&files);
    for (_, item) in &items {
        put(&table, item).await;
    }
    let mut refused = BTreeSet::new();
    for (kind, item) in &items {
        let known = plain(&find(&table, *kind, item).await.unwrap());
        let item_json = item_to_json(item);
        for place in maps(&item_json) {
            let at = pattern(&place.replace("/M", "").replace("/L", ""));
            if NO_FIELDS.contains(&(*kind, at.as_str())) {
                continue;
            }
            let mut later = item_json.clone();
            let fields = later.pointer_mut(&place).and_then(Value::as_object_mut).unwrap();
            fields.insert("of_a_later_release".to_owned(), json!({ "M": { "x": { "L": [{ "N": "1" }] } } }));
            put(&table, &item_from_json(&later)).await;
            if find(&table, *kind, item).await.map(|found| plain(&found)) != Some(known.clone()) {
                refused.insert((*kind, at));
            }
        }
        put(&table, item).await;
    }
    assert!(refused.is_empty(), "these refuse a field that they do not know: {refused:#?}");
}
