//! Reviews of ads, and lists that lag behind.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::ad_writer::{Writer, audience, campaign, story};
use crate::advertiser::with;

#[tokio::test]
async fn a_new_ad_is_processed_then_reviewed_then_ready() {
    let writer = Writer::start().await;
    let settings = writer.meta.sim("ads/oddities", json!({"in_process_ms": 60_000, "review_ms": 600_000})).await;
    assert_eq!(settings, json!({"list_lag_ms": 0, "in_process_ms": 60_000, "review_ms": 600_000}));
    let [_, adset_id, creative_id, ad_id] = writer.chain().await;
    let effective = async || writer.read(&ad_id, "effective_status").await["effective_status"].clone();
    let advance = async |seconds: i64| writer.meta.sim("clock", json!({"advance_s": seconds})).await;
    assert_eq!(effective().await, "IN_PROCESS", "although it is paused");
    advance(61).await;
    assert_eq!(effective().await, "PENDING_REVIEW");
    let pending = r#"effective_status=["PENDING_REVIEW"]"#;
    let list = format!("/act_{}/ads?{pending}&limit=500", seed::AD_ACCOUNT);
    assert!(writer.meta.get(&list, &writer.token).await.column("id").contains(&ad_id));
    advance(600).await;
    assert_eq!(effective().await, "PAUSED");
    // Edits of what people see, or of who sees it, are reviewed again; names are not.
    let name = json!({"name": "New"});
    writer.post(&format!("/{ad_id}"), name.clone(), json!({})).await;
    writer.post(&format!("/{adset_id}"), name, json!({})).await;
    assert_eq!(effective().await, "PAUSED");
    for (id, edit) in [
        (&ad_id, json!({"creative": {"creative_id": creative_id}})),
        (&adset_id, json!({"targeting": with(audience(), json!({"age_min": 21}))})),
        (&adset_id, json!({"optimization_goal": "QUALITY_LEAD"})),
    ] {
        assert_eq!(writer.post(&format!("/{id}"), edit.clone(), json!({})).await.status, 200);
        assert_eq!(effective().await, "IN_PROCESS", "{edit}");
        advance(700).await;
        assert_eq!(effective().await, "PAUSED");
    }
}

#[tokio::test]
async fn control_decides_what_the_reviewers_say() {
    let writer = Writer::start().await;
    let [campaign_id, adset_id, _, ad_id] = writer.chain().await;
    for id in [&campaign_id, &adset_id, &ad_id] {
        writer.post(&format!("/{id}"), json!({"status": "ACTIVE"}), json!({})).await;
    }
    let read = async || writer.read(&ad_id, "effective_status,ad_review_feedback").await;
    writer.meta.sim("reviews", json!({"ad_id": ad_id, "outcome": "disapproved"})).await;
    let refused = read().await;
    assert_eq!(refused["effective_status"], "DISAPPROVED");
    assert!(refused["ad_review_feedback"]["global"].is_object());
    let own = json!({"global": {"UNREALISTIC_OUTCOMES": "No."}});
    writer.meta.sim("reviews", json!({"ad_id": ad_id, "outcome": "disapproved", "feedback": own})).await;
    assert_eq!(read().await["ad_review_feedback"], own);
    let truth = writer.meta.sim_get("state").await["campaigns"][0]["adsets"][0]["ads"][0].clone();
    assert_eq!((&truth["effective_status"], &truth["ad_review_feedback"]), (&json!("DISAPPROVED"), &own));
    let story = json!({"creative": {"object_story_spec": story(&writer.picture().await)}});
    assert_eq!(writer.post(&format!("/{ad_id}"), story, json!({})).await.status, 200);
    assert_eq!(read().await["effective_status"], "IN_PROCESS", "a better ad is reviewed again");
    writer.meta.sim("reviews", json!({"ad_id": ad_id, "outcome": "approved"})).await;
    assert_eq!(read().await, json!({"id": ad_id, "effective_status": "ACTIVE"}));
    for (body, word) in [
        (json!({"ad_id": "77", "outcome": "approved"}), "77"),
        (json!({"ad_id": ad_id, "outcome": "maybe"}), "outcome"),
        (json!({"ad_id": ad_id, "outcome": "approved", "feedback": "x"}), "feedback"),
    ] {
        let request = writer.meta.http().post(writer.meta.url("/_sim/reviews")).json(&body);
        let answer = crate::client::read(request).await;
        assert_eq!(answer.status, 400);
        let text = answer.json["error"].as_str().unwrap_or_default();
        assert!(text.contains(word) || text.contains("unknown variant"), "{text}");
    }
}

#[tokio::test]
async fn lists_can_lag_behind_while_the_object_is_there() {
    let writer = Writer::start().await;
    writer.meta.sim("ads/oddities", json!({"list_lag_ms": 60_000})).await;
    let labelled = with(campaign(), json!({"adlabels": [{"name": "req-k7f3"}]}));
    let id = writer.make("campaigns", labelled).await;
    let label = writer.read(&id, "name,adlabels").await["adlabels"][0]["id"].as_str().unwrap().to_owned();
    let by_name = r#"filtering=[{"field":"name","operator":"CONTAIN","value":"k7f3"}]"#;
    let lists = [format!("campaigns?{by_name}"), format!("campaignsbylabels?ad_label_ids=[\"{label}\"]")];
    let found = async || {
        let mut found = Vec::new();
        for list in &lists {
            let answer = writer.meta.get(&format!("/act_{}/{list}", seed::AD_ACCOUNT), &writer.token).await;
            found.push(answer.json["data"].clone());
        }
        found
    };
    assert_eq!(found().await, [json!([]), json!([])]);
    writer.meta.sim("clock", json!({"advance_s": 61})).await;
    let expected: Value = json!([{ "id": id }]);
    assert_eq!(found().await, [expected.clone(), expected]);
}
