use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Renders each change on one line: `lead <id> of <page>`, `<object>/<field> of <entry>`, or `skipped <why>`.
fn summary(body: &Value) -> Vec<String> {
    parse(body.to_string().as_bytes()).unwrap().changes.iter().map(line).collect()
}

fn line(change: &Change) -> String {
    match change {
        Change::Lead(lead) => format!("lead {} of {}", lead.leadgen_id, lead.page_id),
        Change::Engagement(e) => format!("{}/{} of {}", e.object, e.field, e.entry_id),
        Change::Skipped(why) => format!("skipped {why:?}"),
    }
}

fn lead(id: u64) -> Value {
    json!({"field": "leadgen", "value": {"leadgen_id": id, "page_id": "7", "form_id": 3, "created_time": 1}})
}

#[test]
fn every_change_of_every_entry_is_found() {
    let body = json!({"object": "page", "entry": [
        {"id": "7", "time": 1, "changes": [{"field": "feed", "value": {"item": "status"}}, lead(1), lead(2)]},
        {"id": 7, "changes": [lead(3)], "messaging": [{"message": {"mid": "m"}}], "standby": [{}]},
        {"id": "8", "messaging": [{}, {}]},
        {"id": "9", "changed_fields": ["feed", "leadgen"]},
        {"id": "9", "changes": [{"field": "ratings", "value": {}}, {"field": "leadgen", "value": {"page_id": 1}}, {"value": 1}, 5]},
        "nonsense",
        {"id": "10"},
    ]});
    let expect = [
        "page/feed of 7",
        "lead 1 of 7",
        "lead 2 of 7",
        "lead 3 of 7",
        "page/messaging of 7",
        "page/standby of 7",
        "page/messaging of 8",
        "page/messaging of 8",
        "skipped ValuesNotIncluded",
        "skipped ValuesNotIncluded",
        "skipped NotOurs",
        "skipped Unreadable",
        "skipped Unreadable",
        "skipped Unreadable",
        "skipped Unreadable",
    ];
    assert_eq!(summary(&body), expect);
}

#[test]
fn a_lead_needs_only_its_own_id() {
    let read = |entry: &str, value: Value| read_lead(entry, &value.to_string());
    let notice = |form: Option<&str>, time| LeadNotice {
        leadgen_id: LeadgenId::parse("18446744073709551616").unwrap(),
        page_id: PageId::parse("7").unwrap(),
        form_id: form.map(|form| FormId::parse(form).unwrap()),
        created_time: time,
    };
    let id = "18446744073709551616";
    for (value, expect) in [
        (json!({"leadgen_id": id, "page_id": "7", "form_id": "3", "created_time": 1}), notice(Some("3"), Some(1))),
        (json!({"leadgen_id": id, "page_id": 7, "form_id": 3, "created_time": "1"}), notice(Some("3"), Some(1))),
        (json!({"leadgen_id": id}), notice(None, None)),
        (json!({"leadgen_id": id, "page_id": null, "form_id": {}, "created_time": []}), notice(None, None)),
    ] {
        assert_eq!(read("7", value.clone()), Some(expect), "{value}");
    }
    // Numbers keep all their digits.
    assert_eq!(read_lead("7", &format!(r#"{{"leadgen_id":{id}}}"#)), Some(notice(None, None)));
    for value in
        [json!({}), json!({"leadgen_id": null}), json!({"leadgen_id": -1}), json!({"leadgen_id": [1]}), json!(1)]
    {
        assert_eq!(read("7", value.clone()), None, "{value}");
    }
    assert_eq!(read("not a page", json!({"leadgen_id": id})), None);
}

#[test]
fn other_objects_go_where_they_belong() {
    let check = |body: Value, expect: &[&str]| assert_eq!(summary(&body), expect);
    check(
        json!({"object": "instagram", "entry": [{"id": "1", "field": "comments", "value": {"id": "c"}}]}),
        &["instagram/comments of 1"],
    );
    check(
        json!({"object": "whatsapp_business_account", "entry": [{"id": "w", "changes": [{"field": "messages", "value": {}}]}]}),
        &["whatsapp_business_account/messages of w"],
    );
    for field in ["smb_message_echoes", "user_id_update"] {
        check(
            json!({"object": "whatsapp_business_account", "entry": [{"id": "w", "changes": [{"field": field, "value": {}}]}]}),
            &[&format!("whatsapp_business_account/{field} of w")],
        );
    }
    for field in ["message_edit", "message_reactions", "messaging_postbacks", "messaging_referral", "messaging_seen"] {
        check(
            json!({"object": "instagram", "entry": [{"id": "1", "field": field, "value": {}}]}),
            &[&format!("instagram/{field} of 1")],
        );
    }
    check(
        json!({"object": "whatsapp_business_account", "entry": [{"id": "w", "changes": [{"field": "user_preferences", "value": {}}]}]}),
        &["skipped NotOurs"],
    );
    check(
        json!({"object": "user", "entry": [{"id": "1", "changes": [{"field": "feed", "value": {}}]}]}),
        &["skipped NotOurs"],
    );
    check(json!({"object": "instagram", "entry": [{"id": "1", "changes": [lead(1)]}]}), &["skipped NotOurs"]);
    check(json!({"object": "page"}), &[]);
}

#[test]
fn the_dashboards_test_is_recognised() {
    let test = json!({"field": "leadgen", "value": {"leadgen_id": "444444444444", "page_id": "444444444444"}});
    assert_eq!(
        summary(
            &json!({"object": "page", "entry": [{"id": "0", "changes": [test.clone(), lead(5)]}, {"id": "7", "changes": [test]}]})
        ),
        ["skipped DashboardTest"; 3]
    );
}

#[test]
fn what_is_no_delivery_is_refused() {
    for body in
        ["", "hello", "[]", "5", "{}", r#"{"object":1}"#, r#"{"object":"page","entry":{}}"#, "{\"object\":\"page\""]
    {
        assert!(parse(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn depth_where_nobody_looks_is_no_obstacle() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let body = format!(
        r#"{{"object":"page","x":{deep},"entry":[{{"id":"7","y":{deep},"changes":[{{"field":"feed","value":{deep}}},{}]}}]}}"#,
        lead(1)
    );
    assert_eq!(
        parse(body.as_bytes()).unwrap().changes.iter().map(line).collect::<Vec<_>>(),
        ["page/feed of 7", "lead 1 of 7"]
    );
}

#[test]
fn values_travel_as_ascii_and_mean_the_same() {
    let value = json!({"message": "äö ❤ 𝄞 \u{fffe}\u{7f}\u{0}/\"\\"});
    let escaped = escaped_to_ascii(&value.to_string());
    assert!(escaped.bytes().all(|b| (0x20..0x7f).contains(&b)));
    assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), value);
}

proptest! {
    #[test]
    fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&body);
    }

    #[test]
    fn any_json_is_survived(text in r#"[\{\}\[\]":,a-z0-9\\u]{0,80}"#) {
        let _ = parse(format!(r#"{{"object":"page","entry":[{text}]}}"#).as_bytes());
        let _ = parse(format!(r#"{{"object":"page","entry":[{{"id":"1","changes":[{text}]}}]}}"#).as_bytes());
    }

    #[test]
    fn any_valid_body_gives_each_change_once(entries in prop::collection::vec((0..4u64, prop::collection::vec(0..4u8, 0..6)), 0..12)) {
        let mut next = 1000;
        let mut sent = Vec::new();
        let entry: Vec<Value> = entries.iter().map(|(page, kinds)| {
            let changes: Vec<Value> = kinds.iter().map(|kind| {
                next += 1;
                sent.push(next);
                match kind {
                    0 => lead(next),
                    1 => json!({"field": "feed", "value": {"n": next}}),
                    2 => json!({"field": "mention", "value": {"n": next}}),
                    _ => json!({"field": "leadgen", "value": {"leadgen_id": next.to_string(), "page_id": 7, "surprise": [1, {"a": "b"}]}}),
                }
            }).collect();
            json!({"id": (page + 1).to_string(), "time": 1, "changes": changes})
        }).collect();
        let found: Vec<u64> = parse(json!({"object": "page", "entry": entry}).to_string().as_bytes()).unwrap().changes.iter().map(|change| match change {
            Change::Lead(lead) => lead.leadgen_id.as_str().parse().unwrap(),
            Change::Engagement(e) => serde_json::from_str::<Value>(&e.value).unwrap()["n"].as_u64().unwrap(),
            Change::Skipped(why) => panic!("{why:?}"),
        }).collect();
        prop_assert_eq!(found, sent);
    }
}
