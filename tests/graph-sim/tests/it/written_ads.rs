//! The whole chain from a campaign to an ad, as Meta's clients write it.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::ad_writer::{Writer, adset, blamed, campaign, story};
use crate::client::CHECK_UP;

#[tokio::test]
async fn a_chain_is_read_like_everything_else() {
    let writer = Writer::start().await;
    let [campaign_id, adset_id, creative_id, ad_id] = writer.chain().await;
    let fields =
        "name,status,effective_status,adset{name,campaign{name,objective}},creative{object_story_spec},campaign_id";
    let ad = writer.read(&ad_id, fields).await;
    assert_eq!(ad["name"], "Ad [k7f3]");
    assert_eq!((&ad["status"], &ad["effective_status"]), (&json!("PAUSED"), &json!("IN_PROCESS")));
    assert_eq!(
        ad["adset"]["campaign"],
        json!({"id": campaign_id, "name": "Leads [k7f3]", "objective": "OUTCOME_LEADS"})
    );
    assert_eq!(ad["campaign_id"], json!(campaign_id));
    let button = &ad["creative"]["object_story_spec"]["link_data"]["call_to_action"];
    assert_eq!(button["value"]["lead_gen_form_id"], CHECK_UP);
    assert_eq!(ad["creative"]["id"], json!(creative_id));
    let adset = writer.read(&adset_id, "daily_budget,promoted_object,targeting,destination_type,campaign_id").await;
    assert_eq!(adset["daily_budget"], "1500");
    assert_eq!(adset["promoted_object"], json!({"page_id": seed::DENTAL}));
    assert_eq!((&adset["destination_type"], &adset["campaign_id"]), (&json!("ON_AD"), &json!(campaign_id)));
    for (path, id) in [
        (format!("act_{}/campaigns", seed::AD_ACCOUNT), &campaign_id),
        (format!("{campaign_id}/adsets"), &adset_id),
        (format!("{campaign_id}/ads"), &ad_id),
        (format!("{adset_id}/ads"), &ad_id),
        (format!("act_{}/adcreatives", seed::AD_ACCOUNT), &creative_id),
        (format!("{ad_id}/adcreatives"), &creative_id),
    ] {
        let list = writer.meta.get(&format!("/{path}?fields=id"), &writer.token).await;
        assert_eq!(list.column("id").first(), Some(id), "{path}");
    }
    let by_name = r#"[{"field":"name","operator":"CONTAIN","value":"K7F3"}]"#;
    let found = format!("/act_{}/ads?fields=name&filtering={by_name}", seed::AD_ACCOUNT);
    assert_eq!(writer.meta.get(&found, &writer.token).await.column("id"), [ad_id.as_str()]);
    for id in [&campaign_id, &adset_id, &ad_id] {
        let insights =
            writer.meta.get(&format!("/{id}/insights?fields=spend&date_preset=maximum"), &writer.token).await;
        assert_eq!(insights.json["data"], json!([]), "what never ran has no rows");
    }
}

#[tokio::test]
async fn the_truth_has_what_was_written() {
    let writer = Writer::start().await;
    assert_eq!(writer.meta.sim_get("state").await["campaigns"], json!([]));
    let [campaign_id, adset_id, creative_id, ad_id] = writer.chain().await;
    let truth = writer.meta.sim_get("state").await["campaigns"].clone();
    assert_eq!(truth.as_array().unwrap().len(), 1);
    assert_eq!((&truth[0]["id"], &truth[0]["account_id"]), (&json!(campaign_id), &json!(seed::AD_ACCOUNT)));
    assert_eq!(truth[0]["special_ad_categories"], json!([]));
    let adset = &truth[0]["adsets"][0];
    assert_eq!((&adset["id"], &adset["daily_budget"]), (&json!(adset_id), &json!("1500")));
    let ad = &adset["ads"][0];
    assert_eq!((&ad["id"], &ad["creative"]["id"]), (&json!(ad_id), &json!(creative_id)));
    assert_eq!(ad["creative"]["object_story_spec"]["page_id"], seed::DENTAL);
    writer.meta.sim("reset", json!({})).await;
    let again = Writer { token: writer.meta.mara().await, meta: writer.meta }.chain().await;
    assert!(![campaign_id, adset_id, creative_id, ad_id].iter().any(|id| again.contains(id)), "ids never repeat");
}

#[tokio::test]
async fn json_bodies_and_batches_write_too() {
    let writer = Writer::start().await;
    let address = writer.meta.url(&format!("/v26.0/act_{}/campaigns", seed::AD_ACCOUNT));
    let proof = graph_sim::signing::appsecret_proof(seed::APP_SECRET, &writer.token);
    let mut body = campaign();
    body["access_token"] = json!(writer.token);
    body["appsecret_proof"] = json!(proof);
    let answer = crate::client::read(writer.meta.http().post(address).json(&body)).await;
    let campaign_id = answer.json["id"].as_str().unwrap();
    let encoded = |base: Value| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(crate::ad_writer::form(base, json!({})));
        form.finish()
    };
    let path = format!("act_{}/adsets", seed::AD_ACCOUNT);
    let batch = json!([{"method": "POST", "relative_url": path, "body": encoded(adset(campaign_id))}]);
    let answer = writer.meta.batch(&writer.token, &batch).await;
    let made: Value = serde_json::from_str(answer.json[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(writer.read(made["id"].as_str().unwrap(), "campaign_id").await["campaign_id"], campaign_id);
    let calls = writer.meta.sim_get("stats").await;
    assert_eq!(calls["calls"]["POST /{ad_account}/campaigns"], 1);
    assert_eq!(calls["sub_requests"]["POST /{ad_account}/adsets"], 1);
}

#[tokio::test]
async fn an_ad_needs_the_form_that_its_ad_set_promises() {
    let writer = Writer::start().await;
    let [_, adset_id] = writer.pair().await;
    let hash = writer.picture().await;
    let ad = |creative: Value| json!({"name": "A", "adset_id": adset_id, "creative": creative, "status": "PAUSED"});
    let mut lost = story(&hash);
    lost["link_data"]["call_to_action"] = json!({"type": "SIGN_UP", "lead_gen_form_id": CHECK_UP});
    let creative_id = writer.make("adcreatives", json!({"object_story_spec": lost})).await;
    let read = writer.read(&creative_id, "object_story_spec").await;
    assert!(!read.to_string().contains(CHECK_UP), "swallowed: {read}");
    let refused = writer.write("ads", ad(json!({"creative_id": creative_id})), json!({})).await;
    assert_eq!(blamed(&refused), (Some(3_390_001), "creative".to_owned()));
    let unknown = writer.write("ads", ad(json!({"creative_id": "77"})), json!({})).await;
    assert_eq!(blamed(&unknown), (None, "creative".to_owned()));
    let assets = json!({"call_to_actions": [{"type": "SIGN_UP", "value": {"lead_gen_form_id": CHECK_UP}}]});
    let dynamic = json!({"object_story_spec": lost, "asset_feed_spec": assets});
    let refused = writer.write("ads", ad(dynamic.clone()), json!({})).await;
    assert_eq!(blamed(&refused), (Some(1_885_998), "creative".to_owned()));
    let [campaign_id, _] = writer.pair().await;
    let dynamic_adset = writer.write("adsets", adset(&campaign_id), json!({"is_dynamic_creative": true})).await;
    let dynamic_adset = dynamic_adset.json["id"].as_str().unwrap();
    let made = writer.write("ads", ad(dynamic), json!({"adset_id": dynamic_adset})).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let inline = writer.write("ads", ad(json!({"object_story_spec": story(&hash)})), json!({})).await;
    let creative = writer.read(inline.json["id"].as_str().unwrap(), "creative{object_story_spec}").await;
    assert!(creative.to_string().contains(CHECK_UP));
}

#[tokio::test]
async fn a_page_must_be_the_promoted_one() {
    let writer = Writer::start().await;
    let [_, adset_id] = writer.pair().await;
    let story = json!({"page_id": seed::BAKERY, "link_data": {
        "link": "https://fb.me/", "message": "Brot",
        "call_to_action": {"type": "LEARN_MORE", "value": {"lead_gen_form_id": crate::client::CATERING}},
    }});
    let creative_id = writer.make("adcreatives", json!({"object_story_spec": story})).await;
    let ad = json!({"name": "A", "adset_id": adset_id, "creative": {"creative_id": creative_id}});
    let refused = writer.write("ads", ad, json!({})).await;
    assert_eq!(blamed(&refused), (Some(1_885_029), "creative".to_owned()));
}

#[tokio::test]
async fn leads_of_a_form_name_the_ad_that_shows_it() {
    let writer = Writer::start().await;
    let [campaign_id, adset_id, _, ad_id] = writer.chain().await;
    writer.meta.submit(json!({"form_id": CHECK_UP, "count": 4})).await;
    let truth = writer.meta.sim_get("state").await;
    let lead = truth["leads"].as_array().unwrap().iter().find(|lead| lead["ad_id"] == json!(ad_id)).unwrap().clone();
    assert_eq!((&lead["adset_id"], &lead["campaign_id"]), (&json!(adset_id), &json!(campaign_id)));
    assert_eq!(lead["campaign_name"], "Leads [k7f3]");
    let page = writer.meta.page(seed::DENTAL).await;
    let leads = writer.meta.get(&format!("/{ad_id}/leads"), &page).await;
    assert_eq!(leads.column("id"), [lead["id"].as_str().unwrap()]);
}

#[tokio::test]
async fn statuses_flow_down_and_deleted_objects_keep_their_names() {
    let writer = Writer::start().await;
    let [campaign_id, adset_id, _, ad_id] = writer.chain().await;
    writer.meta.sim("reviews", json!({"ad_id": ad_id, "outcome": "approved"})).await;
    let effective = async |id: &str| writer.read(id, "effective_status").await["effective_status"].clone();
    assert_eq!(effective(&ad_id).await, "PAUSED");
    for (id, expected) in [(&ad_id, "CAMPAIGN_PAUSED"), (&campaign_id, "ADSET_PAUSED"), (&adset_id, "ACTIVE")] {
        let answer = writer.post(&format!("/{id}"), json!({"status": "ACTIVE"}), json!({})).await;
        assert_eq!(answer.json, json!({"success": true}));
        assert_eq!(effective(&ad_id).await, expected);
    }
    let deleted = writer.meta.delete(&format!("/{campaign_id}"), &writer.token).await;
    assert_eq!(deleted.json, json!({"success": true}));
    assert_eq!((effective(&campaign_id).await, effective(&ad_id).await), (json!("DELETED"), json!("DELETED")));
    let refused = writer.post(&format!("/{campaign_id}"), json!({"status": "ACTIVE"}), json!({})).await;
    assert_eq!(blamed(&refused), (Some(1_487_566), "status".to_owned()));
    let renamed = writer.post(&format!("/{campaign_id}"), json!({"name": "Old"}), json!({})).await;
    assert_eq!(renamed.status, 200);
    let list = format!("/act_{}/campaigns?fields=name", seed::AD_ACCOUNT);
    assert!(!writer.meta.get(&list, &writer.token).await.column("id").contains(&campaign_id));
    assert_eq!(writer.read(&campaign_id, "name").await["name"], "Old");
}

#[tokio::test]
async fn archived_deleted_and_ended_objects_take_nothing_new() {
    let writer = Writer::start().await;
    let [campaign_id, adset_id, creative_id, ad_id] = writer.chain().await;
    let change = async |id: &str, change: Value| writer.post(&format!("/{id}"), change, json!({})).await;
    assert_eq!(change(&ad_id, json!({"status": "ARCHIVED"})).await.status, 200);
    let back = change(&ad_id, json!({"status": "ACTIVE"})).await;
    assert_eq!(blamed(&back), (Some(1_885_088), "status".to_owned()));
    assert_eq!(change(&ad_id, json!({"name": "Old"})).await.status, 200);
    assert_eq!(change(&ad_id, json!({"status": "DELETED"})).await.status, 200);
    assert_eq!(blamed(&change(&ad_id, json!({"status": "PAUSED"})).await), (None, "status".to_owned()));

    let now = writer.meta.sim_get("clock").await["now"].as_i64().unwrap();
    assert_eq!(change(&adset_id, json!({"end_time": now + 90_000})).await.status, 200);
    let ad = json!({"name": "A", "adset_id": adset_id, "creative": {"creative_id": creative_id}, "status": "PAUSED"});
    let running = writer.make("ads", ad.clone()).await;
    writer.meta.sim("clock", json!({"advance_s": 90_001})).await;
    let ended = writer.write("ads", ad.clone(), json!({})).await;
    assert_eq!(blamed(&ended), (Some(1_487_007), "adset_id".to_owned()));
    assert_eq!(blamed(&change(&running, json!({"status": "ACTIVE"})).await).0, Some(1_487_007));
    assert_eq!(change(&running, json!({"status": "PAUSED"})).await.status, 200);

    assert_eq!(change(&adset_id, json!({"status": "DELETED"})).await.status, 200);
    assert_eq!(blamed(&change(&adset_id, json!({"daily_budget": 2000})).await).0, Some(1_487_056));
    assert_eq!(blamed(&writer.write("ads", ad, json!({})).await), (Some(1_487_056), "adset_id".to_owned()));
    assert_eq!(change(&campaign_id, json!({"status": "DELETED"})).await.status, 200);
    let late = writer.write("adsets", adset(&campaign_id), json!({})).await;
    assert_eq!(blamed(&late), (Some(1_487_566), "campaign_id".to_owned()));
}

#[tokio::test]
async fn reports_about_what_never_ran_are_empty() {
    let writer = Writer::start().await;
    let [campaign_id, ..] = writer.chain().await;
    let fields = json!({"fields": "spend", "level": "ad", "date_preset": "last_7d"});
    let run = writer.post(&format!("/{campaign_id}/insights"), fields, json!({})).await.json["report_run_id"].clone();
    let run = run.as_str().unwrap();
    for _ in 0..100 {
        let poll = writer.read(run, "async_status,async_percent_completion").await;
        if poll["async_status"] == "Job Completed" && poll["async_percent_completion"] == 100 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let rows = writer.meta.get(&format!("/{run}/insights"), &writer.token).await;
    assert_eq!(rows.json["data"], json!([]), "{}", rows.text);
}

#[tokio::test]
async fn the_control_interface_changes_written_objects_too() {
    let writer = Writer::start().await;
    let [campaign_id, adset_id, ..] = writer.chain().await;
    let body = json!({
        "rename": {&campaign_id: "By hand"}, "status": "ACTIVE", "ids": [&adset_id], "budget": {&adset_id: 4200},
    });
    writer.meta.sim(&format!("ads/{}/change", seed::AD_ACCOUNT), body).await;
    assert_eq!(writer.read(&campaign_id, "name").await["name"], "By hand");
    let adset = writer.read(&adset_id, "status,effective_status,daily_budget").await;
    assert_eq!((&adset["effective_status"], &adset["daily_budget"]), (&json!("CAMPAIGN_PAUSED"), &json!("4200")));
    let totals = writer.meta.sim_get(&format!("ads/{}/totals?by=campaign", seed::AD_ACCOUNT)).await;
    assert!(!totals.to_string().contains(&campaign_id));
}
