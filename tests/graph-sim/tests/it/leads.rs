//! Reading leads, individually and in lists.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{ALL_SCOPES, CATERING, CHECK_UP, IMPLANTS, Meta, read};

#[tokio::test]
async fn a_lead_answers_the_default_fields_and_names_only_on_request() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let lead = meta.submit(json!({"form_id": IMPLANTS, "platform": "ig"})).await.remove(0);
    let plain = meta.get(&format!("/{lead}"), &page).await.json;
    let keys: Vec<&String> = plain.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["ad_id", "created_time", "field_data", "form_id", "id"]);
    let time = plain["created_time"].as_str().unwrap();
    assert!(time.len() == 24 && time.ends_with("+0000"), "{time}");
    let fields = "platform,is_organic,ad_name,adset_id,adset_name,campaign_id,campaign_name,custom_disclaimer_responses,partner_name,vehicle";
    let full = meta.get(&format!("/{lead}?fields={fields}"), &page).await.json;
    assert_eq!((&full["platform"], &full["is_organic"]), (&json!("ig"), &json!(false)));
    assert_eq!(full["campaign_name"], "Implant consultation – campaign");
    assert_eq!(full["custom_disclaimer_responses"][0], json!({"checkbox_key": "terms", "is_checked": "1"}));
    assert!(full.get("vehicle").is_none(), "known, and not there");
}

#[tokio::test]
async fn organic_leads_name_no_ad_and_neither_do_leads_without_ads_permission() {
    let meta = Meta::start().await;
    let fields = "is_organic,ad_id,adset_name,campaign_id";
    let page = meta.page(seed::DENTAL).await;
    let organic = meta.submit(json!({"form_id": CHECK_UP, "organic": true})).await.remove(0);
    let paid = meta.one_lead(CHECK_UP).await;
    assert_eq!(
        meta.get(&format!("/{organic}?fields={fields}"), &page).await.json,
        json!({"id": organic, "is_organic": true})
    );
    let blind = meta.login(seed::JONAS, "pages_show_list,leads_retrieval", "").await;
    let page = meta.page_of(&blind, seed::DENTAL).await;
    assert_eq!(
        meta.get(&format!("/{paid}?fields={fields}"), &page).await.json,
        json!({"id": paid, "is_organic": false})
    );
}

#[tokio::test]
async fn asking_for_the_submission_check_breaks_the_whole_call() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let lead = meta.one_lead(CHECK_UP).await;
    for path in [format!("/{lead}"), format!("/{CHECK_UP}/leads")] {
        let answer = meta.get(&format!("{path}?fields=id,post_submission_check_result"), &page).await;
        assert_eq!(answer.error(), (400, 3, None));
    }
}

#[tokio::test]
async fn leads_need_leads_retrieval() {
    let meta = Meta::start().await;
    let user = meta.login(seed::MARA, ALL_SCOPES, "&_deny_scopes=leads_retrieval").await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    let lead = meta.one_lead(CHECK_UP).await;
    for path in [format!("/{lead}"), format!("/{CHECK_UP}/leads")] {
        let answer = meta.get(&path, &page).await;
        assert_eq!(answer.error(), (403, 200, None));
        assert_eq!(answer.message(), "(#200) Requires leads_retrieval permission to manage the object");
    }
}

#[tokio::test]
async fn leads_access_manager_can_lock_the_app_out_and_the_page_says_why() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let lead = meta.one_lead(CHECK_UP).await;
    let access = format!("/{}?fields=has_lead_access.user_id({}).app_id({})", seed::DENTAL, seed::MARA, seed::APP_ID);
    assert_eq!(meta.get(&access, &page).await.json["has_lead_access"]["can_access_lead"], true);
    meta.sim("pages", json!({"page_id": seed::DENTAL, "lead_access": false})).await;
    assert_eq!(meta.get(&format!("/{lead}"), &page).await.error(), (403, 200, None));
    let refused = meta.get(&access, &page).await.json["has_lead_access"].clone();
    assert_eq!((&refused["can_access_lead"], &refused["enabled_lead_access_manager"]), (&json!(false), &json!(true)));
    assert!(refused["failure_reason"].is_string());
    meta.sim("pages", json!({"page_id": seed::DENTAL, "lead_access": true})).await;
    assert_eq!(meta.get(&format!("/{lead}"), &page).await.status, 200);
}

#[tokio::test]
async fn a_lead_may_become_readable_later_and_is_gone_after_ninety_days() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let lead = meta.submit(json!({"form_id": CHECK_UP, "readable_after_ms": 3_600_000})).await.remove(0);
    assert_eq!(meta.get(&format!("/{lead}"), &page).await.error(), (400, 100, Some(33)));
    assert!(meta.get(&format!("/{CHECK_UP}/leads"), &page).await.column("id").is_empty());
    meta.sim("clock", json!({"advance_s": 3601})).await;
    assert_eq!(meta.get(&format!("/{lead}"), &page).await.status, 200);
    meta.sim("clock", json!({"advance_s": 89 * 86_400})).await;
    assert_eq!(meta.get(&format!("/{lead}"), &meta.page(seed::DENTAL).await).await.status, 200);
    meta.sim("clock", json!({"advance_s": 86_400})).await;
    assert_eq!(meta.get(&format!("/{lead}"), &meta.page(seed::DENTAL).await).await.error(), (400, 100, Some(33)));
}

#[tokio::test]
async fn lists_are_newest_first_paged_and_filtered_by_time() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let mut expected = Vec::new();
    for age_s in [50, 40, 30, 20, 10] {
        expected.extend(meta.submit(json!({"form_id": CHECK_UP, "age_s": age_s})).await);
    }
    expected.reverse();
    let mut found = Vec::new();
    let mut answer = meta.get(&format!("/{CHECK_UP}/leads?fields=id&limit=2"), &page).await;
    loop {
        found.extend(answer.column("id"));
        match answer.json["paging"]["next"].as_str() {
            Some(next) => answer = read(meta.http().get(next)).await,
            None => break,
        }
    }
    assert_eq!(found, expected);

    let now = meta.sim_get("clock").await["now"].as_i64().unwrap();
    let filtered = async |operator: &str, value: Value| {
        let filtering = json!([{"field": "time_created", "operator": operator, "value": value}]).to_string();
        let encoded: String = url::form_urlencoded::byte_serialize(filtering.as_bytes()).collect();
        meta.get(&format!("/{CHECK_UP}/leads?filtering={encoded}"), &page).await
    };
    assert_eq!(filtered("GREATER_THAN", json!(now - 35)).await.column("id"), expected[..3]);
    assert_eq!(filtered("LESS_THAN", json!((now - 35).to_string())).await.column("id"), expected[3..]);
    assert_eq!(filtered("IN", json!(now)).await.error(), (400, 100, None));
}

#[tokio::test]
async fn an_ad_lists_its_own_leads() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    meta.submit(json!({"form_id": CHECK_UP, "count": 5})).await;
    let ad = meta.get(&format!("/{CHECK_UP}/leads"), &page).await.column("ad_id").remove(0);
    for token in [&page, &user] {
        assert_eq!(
            meta.get(&format!("/{ad}/leads?fields=ad_id"), token).await.column("ad_id"),
            [ad.clone(), ad.clone()]
        );
    }
}

#[tokio::test]
async fn answers_are_invented_unless_given_and_given_ones_are_checked() {
    let meta = Meta::start().await;
    let page = meta.page(seed::BAKERY).await;
    let form = json!({"form_id": CATERING, "count": 50});
    meta.submit(form).await;
    let answer = meta.get(&format!("/{CATERING}/leads?limit=50"), &page).await;
    let leads = answer.json["data"].as_array().unwrap();
    for key in ["vollständiger_name", "e-mail-adresse", "telefonnummer"] {
        let mut values: Vec<&str> = leads.iter().map(|lead| value(lead, key)[0].as_str().unwrap()).collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 50, "{key} distinct");
    }
    assert!(leads.iter().any(|lead| value(lead, "was_dürfen_wir_liefern?").as_array().unwrap().len() > 1));

    for answers in [
        json!({"e-mail-adresse": "ä@example.com", "was_dürfen_wir_liefern?": ["Brötchen", "torten"]}),
        json!([{"name": "e-mail-adresse", "values": ["ä@example.com"]}, {"name": "was_dürfen_wir_liefern?", "values": ["brötchen", "torten"]}]),
    ] {
        let id = meta.submit(json!({"form_id": CATERING, "answers": answers})).await.remove(0);
        let lead = meta.get(&format!("/{id}"), &page).await.json;
        assert_eq!(*value(&lead, "e-mail-adresse"), json!(["ä@example.com"]));
        assert_eq!(*value(&lead, "was_dürfen_wir_liefern?"), json!(["brötchen", "torten"]));
    }
}

fn value<'a>(lead: &'a Value, key: &str) -> &'a Value {
    let data = lead["field_data"].as_array().expect("field_data");
    &data.iter().find(|field| field["name"] == key).expect("the answer")["values"]
}
