//! What Meta demands of an ad set.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::ad_writer::{Writer, adset, audience, blamed, campaign};
use crate::advertiser::with;

const FREE: &str = "LOWEST_COST_WITHOUT_CAP";

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let writer = Writer::start().await;
    let campaign_id = writer.make("campaigns", campaign()).await;
    for name in ["name", "campaign_id", "optimization_goal", "billing_event", "targeting"] {
        let answer = writer.write("adsets", adset(&campaign_id), json!({ name: null })).await;
        assert_eq!(answer.message(), format!("(#100) The parameter {name} is required"));
    }
    for (more, message) in [
        (json!({"bid_amount": "15.00"}), "(#100) Param bid_amount must be an integer"),
        (json!({"targeting": "everyone"}), "(#100) Param targeting must be an object"),
        (json!({"destination_type": "FORM"}), "(#100) Param destination_type must be one of {"),
        (json!({"start_time": "soon"}), "(#100) Param start_time must be a valid date/time"),
    ] {
        let answer = writer.write("adsets", adset(&campaign_id), more).await;
        assert!(answer.message().starts_with(message), "{}", answer.message());
    }
    let age = |min: i64, max: i64, advantage: i64| {
        let more = json!({"age_min": min, "age_max": max, "targeting_automation": {"advantage_audience": advantage}});
        json!({"targeting": with(audience(), more)})
    };
    for (more, subcode, path) in [
        (json!({"daily_budget": null}), None, "daily_budget"),
        (json!({"daily_budget": 99}), Some(1_885_272), "daily_budget"),
        (json!({"daily_budget": 500, "lifetime_budget": 500}), None, "daily_budget"),
        (json!({"bid_strategy": null}), Some(2_490_487), "bid_strategy"),
        (json!({"bid_strategy": "COST_CAP"}), Some(2_490_487), "bid_amount"),
        (json!({"bid_amount": 100}), None, "bid_amount"),
        (json!({"optimization_goal": "THRUPLAY"}), Some(2_490_408), "optimization_goal"),
        (json!({"optimization_goal": "LINK_CLICKS"}), Some(2_490_408), "optimization_goal"),
        (json!({"optimization_goal": "EVENT_RESPONSES"}), Some(3_858_327), "optimization_goal"),
        (json!({"billing_event": "LINK_CLICKS"}), None, "billing_event"),
        (json!({"promoted_object": null}), Some(1_815_430), "promoted_object"),
        (json!({"promoted_object": {"pixel_id": "1"}}), Some(1_815_430), "promoted_object"),
        (
            json!({"targeting": with(audience(), json!({"targeting_automation": {}}))}),
            Some(1_870_227),
            "targeting.targeting_automation.advantage_audience",
        ),
        (age(30, 65, 1), Some(1_870_188), "targeting.age_min"),
        (age(18, 50, 1), Some(1_870_189), "targeting.age_max"),
        (json!({"targeting": with(audience(), json!({"geo_locations": null}))}), None, "targeting.geo_locations"),
    ] {
        let answer = writer.write("adsets", adset(&campaign_id), more.clone()).await;
        assert_eq!(blamed(&answer), (subcode, path.to_owned()), "{more}");
    }
    assert_eq!(writer.write("adsets", adset(&campaign_id), age(30, 50, 0)).await.status, 200);
    let elsewhere = writer.write("adsets", adset("77"), json!({})).await;
    assert_eq!(elsewhere.error(), (400, 100, Some(33)));
}

#[tokio::test]
async fn instant_forms_are_for_leads() {
    let writer = Writer::start().await;
    let traffic = writer.make("campaigns", with(campaign(), json!({"objective": "OUTCOME_TRAFFIC"}))).await;
    let on_ad = writer.write("adsets", adset(&traffic), json!({})).await;
    assert_eq!(blamed(&on_ad), (Some(1_815_715), "destination_type".to_owned()));
    let goal = writer.write("adsets", adset(&traffic), json!({"destination_type": null})).await;
    assert_eq!(blamed(&goal), (Some(2_490_408), "optimization_goal".to_owned()));
    let clicks = json!({"destination_type": "WEBSITE", "optimization_goal": "LINK_CLICKS", "promoted_object": null});
    assert_eq!(writer.write("adsets", adset(&traffic), clicks).await.status, 200);
}

#[tokio::test]
async fn a_budget_stands_on_one_level() {
    let writer = Writer::start().await;
    let own = json!({"daily_budget": 5000, "is_adset_budget_sharing_enabled": null, "bid_strategy": FREE});
    let campaign_id = writer.make("campaigns", with(campaign(), own.clone())).await;
    let twice = writer.write("adsets", adset(&campaign_id), json!({})).await;
    assert_eq!(blamed(&twice), (Some(1_885_621), "daily_budget".to_owned()));
    let other = json!({"daily_budget": null, "bid_strategy": "COST_CAP", "bid_amount": 100});
    let refused = writer.write("adsets", adset(&campaign_id), other).await;
    assert_eq!(blamed(&refused), (None, "bid_strategy".to_owned()));
    let none = json!({"daily_budget": null, "bid_strategy": null});
    let id = writer.write("adsets", adset(&campaign_id), none.clone()).await.json["id"].clone();
    assert_eq!(writer.read(id.as_str().unwrap(), "daily_budget,lifetime_budget").await["daily_budget"], "0");
    let refused = writer.post(&format!("/{}", id.as_str().unwrap()), json!({"daily_budget": 2000}), json!({})).await;
    assert_eq!(blamed(&refused).0, Some(1_885_621));
    // Without a strategy the campaign gets one that needs bids.
    let hidden = writer.make("campaigns", with(campaign(), with(own, json!({"bid_strategy": null})))).await;
    assert_eq!(writer.read(&hidden, "bid_strategy").await["bid_strategy"], "LOWEST_COST_WITH_BID_CAP");
    let refused = writer.write("adsets", adset(&hidden), none.clone()).await;
    assert_eq!(blamed(&refused), (Some(1_815_857), "bid_amount".to_owned()));
    assert_eq!(writer.write("adsets", adset(&hidden), with(none, json!({"bid_amount": 250}))).await.status, 200);
}

#[tokio::test]
async fn a_lifetime_needs_an_end() {
    let writer = Writer::start().await;
    let campaign_id = writer.make("campaigns", campaign()).await;
    let now = writer.meta.sim_get("clock").await["now"].as_i64().unwrap();
    let hour = 3600;
    let lifetime = |budget: i64, end: Value| json!({"daily_budget": null, "lifetime_budget": budget, "end_time": end});
    for (more, subcode, path) in [
        (lifetime(5000, Value::Null), None, "end_time"),
        (lifetime(5000, json!(now - hour)), Some(1_487_033), "end_time"),
        (lifetime(5000, json!(now + hour)), None, "end_time"),
        (lifetime(900, json!(now + 240 * hour - 60)), Some(1_885_272), "lifetime_budget"),
    ] {
        let answer = writer.write("adsets", adset(&campaign_id), more.clone()).await;
        assert_eq!(blamed(&answer), (subcode, path.to_owned()), "{more}");
    }
    let start = json!({"start_time": "2099-12-01T08:00:00+0100"});
    let end = lifetime(1000, json!("2099-12-11T08:00:00+0100"));
    let id = writer.write("adsets", adset(&campaign_id), with(end, start)).await.json["id"].clone();
    let read = writer.read(id.as_str().unwrap(), "lifetime_budget,start_time,end_time").await;
    assert_eq!((&read["lifetime_budget"], &read["end_time"]), (&json!("1000"), &json!("2099-12-11T07:00:00+0000")));
    assert_eq!(read["start_time"], "2099-12-01T07:00:00+0000");
}

#[tokio::test]
async fn the_eu_wants_to_know_who_pays() {
    let writer = Writer::start().await;
    let account = json!({"account": {"default_dsa_beneficiary": null, "default_dsa_payor": "Payor"}});
    writer.meta.sim(&format!("ads/{}/change", seed::AD_ACCOUNT), account).await;
    let read = writer.read(&format!("act_{}", seed::AD_ACCOUNT), "default_dsa_beneficiary,default_dsa_payor").await;
    assert_eq!((&read["default_dsa_beneficiary"], &read["default_dsa_payor"]), (&Value::Null, &json!("Payor")));
    let campaign_id = writer.make("campaigns", campaign()).await;
    let dutch = json!({"targeting": with(audience(), json!({"geo_locations": {"countries": ["US", "NL"]}}))});
    let refused = writer.write("adsets", adset(&campaign_id), dutch.clone()).await;
    assert_eq!(blamed(&refused), (Some(3_858_152), "dsa_beneficiary".to_owned()));
    let named = with(dutch.clone(), json!({"dsa_beneficiary": "Acme BV"}));
    let id = writer.write("adsets", adset(&campaign_id), named).await.json["id"].as_str().unwrap().to_owned();
    let read = writer.read(&id, "dsa_beneficiary,dsa_payor").await;
    assert_eq!((&read["dsa_beneficiary"], &read["dsa_payor"]), (&json!("Acme BV"), &json!("Payor")));
    let american = writer.make("adsets", adset(&campaign_id)).await;
    let moved = writer.post(&format!("/{american}"), dutch, json!({})).await;
    assert_eq!(blamed(&moved).0, Some(3_858_152));
}

#[tokio::test]
async fn special_categories_limit_the_audience() {
    let writer = Writer::start().await;
    let housing = json!({"special_ad_categories": ["HOUSING"], "special_ad_category_country": ["US"]});
    let campaign_id = writer.make("campaigns", with(campaign(), housing)).await;
    let narrow = json!({"targeting": with(audience(), json!({"age_min": 25}))});
    let refused = writer.write("adsets", adset(&campaign_id), narrow).await;
    assert_eq!(blamed(&refused), (None, "targeting.age_min".to_owned()));
    let id = writer.make("adsets", adset(&campaign_id)).await;
    assert_eq!(writer.read(&id, "special_ad_categories").await["special_ad_categories"], json!(["HOUSING"]));
}

#[tokio::test]
async fn a_page_must_have_accepted_the_terms() {
    let writer = Writer::start().await;
    let campaign_id = writer.make("campaigns", campaign()).await;
    writer.meta.sim("pages", json!({"page_id": seed::DENTAL, "lead_terms": false})).await;
    let refused = writer.write("adsets", adset(&campaign_id), json!({})).await;
    assert_eq!(blamed(&refused), (Some(1_815_089), "promoted_object.page_id".to_owned()));
    assert!(refused.json["error"]["error_user_msg"].as_str().unwrap().contains(seed::DENTAL));
    let page = writer.meta.page(seed::DENTAL).await;
    let fields = "leadgen_tos_accepted,leadgen_tos_acceptance_time,leadgen_tos_accepting_user";
    let read = async || writer.meta.get(&format!("/{}?fields={fields}", seed::DENTAL), &page).await.json;
    assert_eq!(read().await, json!({"id": seed::DENTAL, "leadgen_tos_accepted": false}));
    writer.meta.sim("pages", json!({"page_id": seed::DENTAL, "lead_terms": true})).await;
    let accepted = read().await;
    assert_eq!(
        (&accepted["leadgen_tos_accepted"], &accepted["leadgen_tos_accepting_user"]["id"]),
        (&json!(true), &json!(seed::MARA))
    );
    assert!(accepted["leadgen_tos_acceptance_time"].is_string());
    assert_eq!(writer.write("adsets", adset(&campaign_id), json!({})).await.status, 200);
}

#[tokio::test]
async fn some_things_never_change_and_budgets_not_too_often() {
    let writer = Writer::start().await;
    let [_, adset_id] = writer.pair().await;
    let path = format!("/{adset_id}");
    for (more, subcode) in [
        (json!({"promoted_object": {"page_id": seed::BAKERY}}), 3_260_011),
        (json!({"destination_type": "MESSENGER"}), 1_815_198),
        (json!({"attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 7}]}), 1_504_040),
    ] {
        assert_eq!(blamed(&writer.post(&path, more, json!({})).await).0, Some(subcode));
    }
    let same =
        json!({"promoted_object": {"page_id": seed::DENTAL.parse::<u64>().unwrap()}, "destination_type": "ON_AD"});
    assert_eq!(writer.post(&path, same, json!({})).await.json, json!({"success": true}));
    let low = writer.post(&path, json!({"daily_budget": 5}), json!({})).await;
    assert_eq!(blamed(&low).0, Some(1_885_272));
    for budget in 2001..2005 {
        assert_eq!(writer.post(&path, json!({"daily_budget": budget}), json!({})).await.status, 200);
    }
    let fifth = writer.post(&path, json!({"daily_budget": 2005}), json!({})).await;
    assert_eq!(fifth.error(), (400, 613, Some(1_487_632)));
    writer.meta.sim("clock", json!({"advance_s": 3601})).await;
    assert_eq!(writer.post(&path, json!({"daily_budget": 2005}), json!({})).await.status, 200);
    assert_eq!(writer.read(&adset_id, "daily_budget").await["daily_budget"], "2005");
}
