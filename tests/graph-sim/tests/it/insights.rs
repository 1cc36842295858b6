//! Insights: rows on every level, and their sums.

use serde_json::Value;

use crate::advertiser::{ACCOUNT, FIELDS, account, action, cents, encoded, insights, plan, sum};

const ALL_STATUSES: &str = r#"["ACTIVE","PAUSED","CAMPAIGN_PAUSED","ADSET_PAUSED","ARCHIVED","DELETED","WITH_ISSUES",
    "DISAPPROVED","PENDING_REVIEW","IN_PROCESS","PENDING_BILLING_INFO","PREAPPROVED"]"#;

fn status_filter(entity: &str) -> String {
    let text = format!(r#"[{{"field":"{entity}.effective_status","operator":"IN","value":{ALL_STATUSES}}}]"#);
    format!("filtering={}", encoded(&text))
}

#[tokio::test]
async fn all_levels_add_up_to_the_same_and_to_the_truth() {
    let (meta, token) = account(plan(12, 2, 4, 20)).await;
    let range = "date_preset=maximum";
    let whole = insights(&meta, &token, &format!("fields={FIELDS}&{range}")).await;
    let expected = sum(&whole);
    assert_eq!(whole.len(), 1);
    for level in ["campaign", "adset", "ad"] {
        for increment in ["all_days", "1", "7", "monthly"] {
            let more =
                format!("fields={FIELDS}&{range}&level={level}&time_increment={increment}&{}", status_filter(level));
            let rows = insights(&meta, &token, &more).await;
            assert_eq!(sum(&rows), expected, "{level} {increment}");
            let reach: i64 = rows.iter().map(|row| row["reach"].as_str().unwrap().parse::<i64>().unwrap()).sum();
            assert!(reach > whole[0]["reach"].as_str().unwrap().parse().unwrap(), "people are counted once");
        }
    }
    let totals = meta.sim_get(&format!("ads/{ACCOUNT}/totals?by=day")).await;
    let total = &totals["total"];
    assert_eq!(total["impressions"], expected.numbers[0]);
    assert_eq!(total["clicks"], expected.numbers[1]);
    assert_eq!(cents(total["spend"].as_str().unwrap()), expected.numbers[2]);
    assert_eq!(total["reach"].to_string(), whole[0]["reach"].as_str().unwrap());
    assert_eq!(total["leads"], action(&whole[0], "lead"));
    assert_eq!(total["purchases"], action(&whole[0], "purchase"));
    assert_eq!(total["conversions"], action(&whole[0], "lead") + action(&whole[0], "omni_purchase"));
    let daily = insights(&meta, &token, &format!("fields={FIELDS}&{range}&time_increment=1")).await;
    let days = totals["rows"].as_array().unwrap();
    assert_eq!(daily.len(), days.len());
    for (row, day) in daily.iter().zip(days) {
        assert_eq!((&row["date_start"], &row["date_stop"]), (&day["day"], &day["day"]));
        assert_eq!(row["spend"], day["spend"]);
    }
    let by_campaign = meta.sim_get(&format!("ads/{ACCOUNT}/totals?by=campaign")).await;
    for campaign in by_campaign["rows"].as_array().unwrap() {
        let id = campaign["id"].as_str().unwrap();
        let own = meta.get(&format!("/{id}/insights?fields=campaign_name,spend,reach&{range}"), &token).await;
        let own = &own.json["data"][0];
        assert_eq!((&own["spend"], &own["campaign_name"]), (&campaign["spend"], &campaign["name"]));
        assert_eq!(own["reach"].as_str().unwrap(), campaign["reach"].to_string());
    }
}

#[tokio::test]
async fn one_lead_has_many_names_and_the_overlap_is_exact() {
    let (meta, token) = account(plan(12, 3, 4, 20)).await;
    let rows = insights(&meta, &token, "fields=campaign_id,actions,objective&date_preset=maximum&level=campaign").await;
    let mut both = 0;
    for row in &rows {
        let of = |name| action(row, name);
        assert_eq!(of("lead"), of("onsite_conversion.lead_grouped") + of("offsite_conversion.fb_pixel_lead"), "{row}");
        assert_eq!(of("leadgen_grouped"), of("onsite_conversion.lead_grouped"));
        assert_eq!(of("onsite_web_lead"), of("offsite_conversion.fb_pixel_lead"));
        for name in
            ["omni_purchase", "offsite_conversion.fb_pixel_purchase", "web_in_store_purchase", "onsite_web_purchase"]
        {
            assert_eq!(of(name), of("purchase"), "{name}");
        }
        assert!(of("offsite_conversion.fb_pixel_custom") <= of("offsite_conversion.fb_pixel_lead"));
        both += i64::from(of("leadgen_grouped") > 0 && of("offsite_conversion.fb_pixel_custom") > 0);
    }
    assert!(both > 2, "leads of both kinds in one row");
}

#[tokio::test]
async fn rows_leave_out_what_is_archived_or_deleted_unless_it_is_asked_for() {
    let (meta, token) = account(plan(20, 3, 5, 20)).await;
    let range = "date_preset=maximum";
    let whole = sum(&insights(&meta, &token, &format!("fields={FIELDS}&{range}")).await);
    for level in ["ad", "adset", "campaign"] {
        let query = format!("fields={FIELDS}&{range}&level={level}");
        let shown = insights(&meta, &token, &query).await;
        let all = insights(&meta, &token, &format!("{query}&{}", status_filter(level))).await;
        assert!(shown.len() < all.len(), "{level}");
        assert!(sum(&shown).numbers[2] < whole.numbers[2], "{level}");
        assert_eq!(sum(&all), whole, "{level}");
        let words = encoded(&format!(
            r#"[{{"field":"{level}.delivery_info","operator":"IN","value":["deleted","archived"]}}]"#
        ));
        let gone = insights(&meta, &token, &format!("{query}&filtering={words}")).await;
        assert_eq!(gone.len(), all.len() - shown.len(), "{level}");
        let id = gone[0][format!("{level}_id")].as_str().unwrap();
        let own = meta.get(&format!("/{id}/insights?fields={FIELDS}&{range}"), &token).await;
        assert_eq!(own.json["data"][0]["spend"], gone[0]["spend"], "the id itself always answers");
        let named = encoded(&format!(r#"[{{"field":"{level}.id","operator":"IN","value":["{id}"]}}]"#));
        assert!(
            insights(&meta, &token, &format!("{query}&filtering={named}")).await.is_empty(),
            "not through the account"
        );
    }
}

#[tokio::test]
async fn numbers_are_text_and_what_is_not_there_is_left_out() {
    let (meta, token) = account(plan(4, 2, 3, 20)).await;
    let fields = "account_currency,account_id,account_name,action_values,actions,ad_id,ad_name,adset_id,adset_name,buying_type,\
                  campaign_id,campaign_name,clicks,conversions,cost_per_action_type,cpc,cpm,cpp,created_time,ctr,date_start,\
                  date_stop,frequency,impressions,inline_link_clicks,inline_post_engagement,objective,optimization_goal,\
                  outbound_clicks,purchase_roas,quality_ranking,reach,results,cost_per_result,social_spend,spend,unique_actions,\
                  unique_clicks,unique_ctr,updated_time,video_p25_watched_actions,video_thruplay_watched_actions,wish_bid";
    let rows =
        insights(&meta, &token, &format!("fields={fields}&level=ad&time_increment=1&date_preset=last_14d")).await;
    assert!(rows.len() > 50);
    for row in &rows {
        for (name, value) in row.as_object().unwrap() {
            match value {
                Value::String(text) => assert!(!text.is_empty(), "{name}"),
                Value::Array(list) => assert!(!list.is_empty(), "{name}"),
                other => panic!("{name} is {other}"),
            }
        }
        assert!(row.get("wish_bid").is_none() && row.get("quality_ranking").is_none());
        assert_eq!(row["date_start"], row["date_stop"]);
        let number = |name: &str| row[name].as_str().unwrap().parse::<f64>().unwrap();
        assert!(number("reach") <= number("impressions"));
        assert!((number("ctr") - 100.0 * number("clicks") / number("impressions")).abs() < 1e-4);
        if number("clicks") > 0.0 {
            assert!((number("cpc") - number("spend") / number("clicks")).abs() < 1e-4);
        }
    }
    assert!(rows.iter().any(|row| row["results"][0]["values"][0]["value"].is_string()));
    let plain = meta.get(&format!("/act_{ACCOUNT}/insights?level=ad"), &token).await;
    let first = plain.json["data"][0].as_object().unwrap();
    assert_eq!(
        first.keys().map(String::as_str).collect::<Vec<_>>(),
        ["account_id", "ad_id", "adset_id", "campaign_id", "date_start", "date_stop", "impressions", "spend"]
    );
}
