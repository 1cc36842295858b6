//! Real shapes of what arrives from outside, from Meta's documentation and from captures, with invented ids and people; and
//! mutations of them, for property tests. `PROPTEST_CASES` sets the number of cases of each test.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "this is a part of tests")]

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// Deliveries of webhooks, of every object and kind.
#[must_use]
pub fn webhooks() -> Vec<Value> {
    shapes(include_str!("../shapes/webhooks.json"))
}

/// Leads, as the Graph API returns them.
#[must_use]
pub fn leads() -> Vec<Value> {
    shapes(include_str!("../shapes/leads.json"))
}

/// Rows of insights.
#[must_use]
pub fn insights() -> Vec<Value> {
    shapes(include_str!("../shapes/insights.json"))
}

/// Errors of the Graph API, as bodies.
#[must_use]
pub fn graph_errors() -> Vec<Value> {
    shapes(include_str!("../shapes/graph_errors.json"))
}

/// The content of signed requests.
#[must_use]
pub fn signed_requests() -> Vec<Value> {
    shapes(include_str!("../shapes/signed_requests.json"))
}

/// Files with leads, each as text.
#[must_use]
pub fn lead_files() -> Vec<Value> {
    shapes(include_str!("../shapes/lead_files.json"))
}

fn shapes(text: &str) -> Vec<Value> {
    let Ok(Value::Array(shapes)) = serde_json::from_str(text) else { panic!("a list of shapes") };
    shapes
}

/// Values where another was expected.
fn odd_value() -> impl Strategy<Value = Value> {
    let odd = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("0"),
        json!("١٢٣"),
        json!("../me"),
        json!("a\u{0}b\u{202e}"),
        json!("x".repeat(5_000)),
        json!([]),
        json!({}),
        json!([[[[]]]]),
    ];
    prop_oneof![select(odd.to_vec()), any::<String>().prop_map(Value::from), any::<i64>().prop_map(Value::from)]
}

#[derive(Debug, Clone)]
enum Mutation {
    /// Something else stands there.
    Replace(Value),
    /// It is not there.
    Remove,
    /// It is there twice, or under another name too.
    Repeat(String),
    /// It is inside of something.
    Wrap,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        odd_value().prop_map(Mutation::Replace),
        Just(Mutation::Remove),
        "[a-z_]{1,8}".prop_map(Mutation::Repeat),
        Just(Mutation::Wrap),
    ]
}

/// One of the shapes, changed in up to five places.
pub fn mutated(shapes: Vec<Value>) -> impl Strategy<Value = Value> {
    let mutations = prop::collection::vec((any::<Index>(), mutation()), 0..6);
    (select(shapes), mutations).prop_map(|(mut shape, mutations)| {
        for (place, mutation) in mutations {
            let place = place.index(count(&shape));
            mutate(&mut shape, &mut (place + 1), &mutation);
        }
        shape
    })
}

/// The same as bytes, of which some are changed, lost or added too.
pub fn mutated_bytes(shapes: Vec<Value>) -> impl Strategy<Value = Vec<u8>> {
    let text = mutated(shapes).prop_map(|shape| match shape {
        Value::String(text) => text.into_bytes(),
        other => other.to_string().into_bytes(),
    });
    let damages = prop::collection::vec((any::<Index>(), any::<u8>(), 0..3_u8), 0..4);
    (text, damages).prop_map(|(mut bytes, damages)| {
        for (place, byte, kind) in damages {
            if bytes.is_empty() {
                break;
            }
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => bytes.truncate(place),
            }
        }
        bytes
    })
}

/// Counts a value and all that it contains.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

/// Changes the `left`-th of a value and all that it contains. Returns whether it was in here and is to go.
fn mutate(value: &mut Value, left: &mut usize, mutation: &Mutation) -> bool {
    *left -= 1;
    if *left == 0 {
        match mutation {
            Mutation::Replace(other) => *value = other.clone(),
            Mutation::Wrap => *value = json!([value.take()]),
            Mutation::Remove | Mutation::Repeat(_) => return true,
        }
        return false;
    }
    match value {
        Value::Array(items) => {
            for place in 0..items.len() {
                if mutate(&mut items[place], left, mutation) {
                    match mutation {
                        Mutation::Repeat(_) => items.insert(place, items[place].clone()),
                        _ => drop(items.remove(place)),
                    }
                }
                if *left == 0 {
                    return false;
                }
            }
        }
        Value::Object(members) => {
            let names: Vec<String> = members.keys().cloned().collect();
            for name in names {
                if mutate(&mut members[&name], left, mutation) {
                    repeat_or_remove(members, &name, mutation);
                }
                if *left == 0 {
                    return false;
                }
            }
        }
        _ => {}
    }
    false
}

fn repeat_or_remove(members: &mut Map<String, Value>, name: &str, mutation: &Mutation) {
    match mutation {
        Mutation::Repeat(other) => {
            let value = members[name].clone();
            members.insert(other.clone(), value);
        }
        _ => drop(members.remove(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_can_be_reached_and_only_one_is_changed() {
        let shape = json!({ "a": [1, { "b": 2 }], "c": 3 });
        assert_eq!(count(&shape), 6);
        let changed = |place: usize, mutation: &Mutation| {
            let mut shape = shape.clone();
            mutate(&mut shape, &mut (place + 1), mutation);
            shape
        };
        assert_eq!(changed(0, &Mutation::Replace(json!(7))), json!(7));
        assert_eq!(changed(2, &Mutation::Remove), json!({ "a": [{ "b": 2 }], "c": 3 }));
        assert_eq!(changed(2, &Mutation::Repeat("x".into())), json!({ "a": [1, 1, { "b": 2 }], "c": 3 }));
        assert_eq!(changed(4, &Mutation::Wrap), json!({ "a": [1, { "b": [2] }], "c": 3 }));
        assert_eq!(changed(5, &Mutation::Repeat("x".into())), json!({ "a": [1, { "b": 2 }], "c": 3, "x": 3 }));
    }

    #[test]
    fn every_file_has_shapes() {
        for shapes in [webhooks(), leads(), insights(), graph_errors(), signed_requests(), lead_files()] {
            assert!(!shapes.is_empty());
        }
    }
}
