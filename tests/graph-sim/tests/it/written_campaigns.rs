//! What Meta demands of a campaign.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::ad_writer::{Writer, adset, blamed, campaign};
use crate::advertiser::{ACCOUNT, plan, with};

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let writer = Writer::start().await;
    for (more, message) in [
        (json!({"name": null}), "(#100) The parameter name is required"),
        (json!({"objective": null}), "(#100) The parameter objective is required"),
        (json!({"special_ad_categories": null}), "(#100) The parameter special_ad_categories is required"),
        (json!({"special_ad_categories": "NONE"}), "(#100) Param special_ad_categories must be an array"),
        (json!({"status": "ARCHIVED"}), "(#100) Param status must be one of {ACTIVE, PAUSED}"),
        (json!({"daily_budget": "15.00"}), "(#100) Param daily_budget must be an integer"),
        (json!({"bid_strategy": "LOWEST_COST"}), "(#100) Param bid_strategy must be one of {"),
        (json!({"objective": "LEADS"}), "(#100) Param objective must be one of {"),
        (
            json!({"is_adset_budget_sharing_enabled": "no"}),
            "(#100) Param is_adset_budget_sharing_enabled must be a boolean",
        ),
    ] {
        let answer = writer.write("campaigns", campaign(), more.clone()).await;
        assert_eq!(answer.error(), (400, 100, None), "{more}");
        assert!(answer.message().starts_with(message), "{more}: {}", answer.message());
    }
    let housing = json!({"special_ad_categories": ["HOUSING"]});
    for (more, subcode, path) in [
        (json!({"is_adset_budget_sharing_enabled": null}), Some(4_834_011), "is_adset_budget_sharing_enabled"),
        (
            json!({"is_adset_budget_sharing_enabled": true, "daily_budget": 5000}),
            Some(4_834_002),
            "is_adset_budget_sharing_enabled",
        ),
        (json!({"daily_budget": 50}), Some(1_885_650), "daily_budget"),
        (json!({"daily_budget": 5000, "lifetime_budget": 5000}), None, "daily_budget"),
        (json!({"spend_cap": 100}), Some(2_446_307), "spend_cap"),
        (json!({"objective": "LEAD_GENERATION"}), None, "objective"),
        (json!({"special_ad_categories": ["CREDIT"]}), None, "special_ad_categories"),
        (json!({"special_ad_categories": ["NONE", "HOUSING"]}), None, "special_ad_categories"),
        (housing.clone(), None, "special_ad_category_country"),
        (
            with(housing.clone(), json!({"special_ad_category_country": ["Germany"]})),
            None,
            "special_ad_category_country",
        ),
    ] {
        let answer = writer.write("campaigns", campaign(), more.clone()).await;
        assert_eq!(blamed(&answer), (subcode, path.to_owned()), "{more}");
        assert_eq!(answer.message(), "Invalid parameter");
    }
    assert_eq!(writer.meta.sim_get("state").await["campaigns"], json!([]));
}

#[tokio::test]
async fn what_was_sent_is_read_back() {
    let writer = Writer::start().await;
    let more = json!({
        "special_ad_categories": ["HOUSING"], "special_ad_category_country": ["US", "NL"], "daily_budget": 5000,
        "is_adset_budget_sharing_enabled": null, "bid_strategy": "COST_CAP", "spend_cap": 20000, "status": null,
        "adlabels": [{"name": "req-k7f3"}],
    });
    let answer = writer.write("campaigns", campaign(), with(more, json!({"fields": "name,status,daily_budget"}))).await;
    let id = answer.json["id"].as_str().unwrap();
    assert_eq!(answer.json["status"], "ACTIVE", "as long as nobody says otherwise");
    assert_eq!(answer.json["daily_budget"], "5000");
    let fields = "special_ad_categories,special_ad_category_country,bid_strategy,spend_cap,buying_type,lifetime_budget,\
                  budget_remaining,adlabels{name},created_time,start_time,stop_time,configured_status";
    let read = writer.read(id, fields).await;
    assert_eq!(read["special_ad_categories"], json!(["HOUSING"]));
    assert_eq!(read["special_ad_category_country"], json!(["US", "NL"]));
    assert_eq!((&read["bid_strategy"], &read["spend_cap"]), (&json!("COST_CAP"), &json!("20000")));
    assert_eq!((&read["budget_remaining"], &read["lifetime_budget"]), (&json!("5000"), &Value::Null));
    assert_eq!(read["adlabels"][0]["name"], "req-k7f3");
    assert!(read["created_time"].as_str().unwrap().ends_with("+0000") && read["stop_time"].is_null());
}

#[tokio::test]
async fn a_dry_run_creates_nothing_and_finds_the_same() {
    let writer = Writer::start().await;
    let dry = json!({"execution_options": ["validate_only"]});
    let answer = writer.write("campaigns", campaign(), dry.clone()).await;
    assert_eq!(answer.json, json!({"success": true}));
    let wrong = with(dry.clone(), json!({"is_adset_budget_sharing_enabled": null}));
    let answer = writer.write("campaigns", campaign(), wrong).await;
    assert_eq!(blamed(&answer).0, Some(4_834_011));
    assert_eq!(writer.meta.sim_get("state").await["campaigns"], json!([]));
    let [campaign_id, adset_id] = writer.pair().await;
    for id in [&campaign_id, &adset_id] {
        let answer = writer.post(&format!("/{id}"), json!({"name": "New", "status": "ACTIVE"}), dry.clone()).await;
        assert_eq!(answer.json, json!({"success": true}));
        let read = writer.read(id, "name,status").await;
        assert!(read["name"] != "New" && read["status"] == "PAUSED", "{read}");
    }
    let answer = writer.write("adsets", adset(&campaign_id), dry).await;
    assert_eq!(answer.json, json!({"success": true}));
    assert_eq!(writer.meta.sim_get("state").await["campaigns"][0]["adsets"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn minimums_follow_the_currency() {
    let writer = Writer::start().await;
    for (currency, least) in [("EUR", 100), ("KRW", 1400), ("TRY", 4644)] {
        writer.meta.sim("ads", with(plan(1, 1, 1, 1), json!({"currency": currency}))).await;
        let account = writer.meta.get(&format!("/act_{ACCOUNT}?fields=min_daily_budget"), &writer.token).await.json;
        assert_eq!(account["min_daily_budget"], least);
        let minimum = writer.meta.get(&format!("/act_{ACCOUNT}/minimum_budgets"), &writer.token).await.json;
        assert_eq!(minimum["data"][0]["min_daily_budget_imp"], least);
        let path = format!("/act_{ACCOUNT}/campaigns");
        let with_budget = |amount: i64| json!({"daily_budget": amount, "bid_strategy": "LOWEST_COST_WITHOUT_CAP"});
        let low = writer.post(&path, campaign(), with_budget(least - 1)).await;
        assert_eq!(blamed(&low), (Some(1_885_650), "daily_budget".to_owned()), "{currency}");
        assert!(low.json["error"]["error_user_msg"].as_str().unwrap().contains(currency));
        assert_eq!(writer.post(&path, campaign(), with_budget(least)).await.status, 200);
        let capped = with(with_budget(least), json!({"bid_strategy": "COST_CAP"}));
        assert_eq!(blamed(&writer.post(&path, campaign(), capped).await).0, Some(1_885_650), "a bid needs more");
    }
}

#[tokio::test]
async fn a_campaign_changes_what_may_change() {
    let writer = Writer::start().await;
    let [campaign_id, adset_id] = writer.pair().await;
    let path = format!("/{campaign_id}");
    for fixed in [json!({"objective": "OUTCOME_TRAFFIC"}), json!({"buying_type": "RESERVED"})] {
        assert_eq!(blamed(&writer.post(&path, fixed, json!({})).await).0, None);
    }
    let same = json!({"objective": "OUTCOME_LEADS", "name": "Other"});
    assert_eq!(writer.post(&path, same, json!({})).await.json, json!({"success": true}));
    assert_eq!(writer.read(&campaign_id, "name").await["name"], "Other");
    let budget = json!({"daily_budget": 5000});
    let refused = writer.post(&path, budget.clone(), json!({})).await;
    assert_eq!(blamed(&refused), (Some(1_885_621), "daily_budget".to_owned()), "the ad set has one");
    let own = writer.write("campaigns", campaign(), with(budget, json!({"bid_strategy": "COST_CAP"}))).await;
    let own = own.json["id"].as_str().unwrap();
    let bid = json!({"daily_budget": null, "bid_strategy": null, "bid_amount": 300});
    let first = writer.write("adsets", adset(own), bid.clone()).await.json["id"].clone();
    let second = writer.write("adsets", adset(own), bid).await.json["id"].clone();
    let to_adsets = async |budgets: Value| {
        let answer = writer.post(&format!("/{own}"), json!({ "adset_budgets": budgets }), json!({})).await;
        assert_eq!(answer.json, json!({"success": true}), "even if it does nothing");
        writer.read(own, "daily_budget").await["daily_budget"].clone()
    };
    assert_eq!(to_adsets(json!([{"adset_id": first, "daily_budget": 2000}])).await, "5000", "an incomplete list");
    let both = json!([{"adset_id": first, "daily_budget": 2000}, {"adset_id": second, "daily_budget": 3000}]);
    assert_eq!(to_adsets(both).await, Value::Null);
    assert_eq!(writer.read(second.as_str().unwrap(), "daily_budget").await["daily_budget"], "3000");
    assert_eq!(writer.read(&adset_id, "daily_budget").await["daily_budget"], "1500");
}

#[tokio::test]
async fn generated_campaigns_can_be_changed_too() {
    let writer = Writer::start().await;
    let list = format!("/act_{}/campaigns?fields=id,name", seed::AD_ACCOUNT);
    let id = writer.meta.get(&list, &writer.token).await.column("id").remove(0);
    let change = json!({"name": "Renamed", "status": "PAUSED", "adlabels": [{"name": "mine"}]});
    assert_eq!(writer.post(&format!("/{id}"), change, json!({})).await.json, json!({"success": true}));
    let read = writer.read(&id, "name,status,effective_status,adlabels").await;
    assert_eq!((&read["name"], &read["effective_status"]), (&json!("Renamed"), &json!("PAUSED")));
    assert_eq!(read["adlabels"][0]["name"], "mine");
    let adset_id = writer.make("adsets", with(adset(&id), json!({"status": "ACTIVE"}))).await;
    assert_eq!(writer.read(&adset_id, "effective_status").await["effective_status"], "CAMPAIGN_PAUSED");
    let truth = writer.meta.sim_get("state").await["campaigns"].clone();
    assert_eq!((&truth[0]["id"], &truth[0]["adsets"][0]["id"]), (&json!(id), &json!(adset_id)));
}
