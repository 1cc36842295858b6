//! Who may write ads, and in which language Meta says no.

use graph_sim::seed;
use serde_json::json;

use crate::ad_writer::{Writer, adset, blamed, campaign, story};
use crate::advertiser::with;
use crate::client::{ALL_SCOPES, CHECK_UP, Meta};

async fn writer_with(scopes: &str) -> Writer {
    let meta = Meta::start().await;
    let token = meta.login(seed::MARA, scopes, "").await;
    Writer { meta, token }
}

#[tokio::test]
async fn fields_are_checked_before_permissions() {
    let writer = writer_with("pages_show_list,pages_manage_ads,ads_read").await;
    let missing = writer.write("campaigns", campaign(), json!({"name": null})).await;
    assert_eq!(missing.message(), "(#100) The parameter name is required");
    assert_eq!(writer.write("campaigns", campaign(), json!({})).await.error(), (403, 294, None));
    let dry = json!({"execution_options": ["validate_only"]});
    assert_eq!(writer.write("campaigns", campaign(), dry).await.error(), (403, 294, None));
    let broken = json!({"is_adset_budget_sharing_enabled": null});
    assert_eq!(writer.write("campaigns", campaign(), broken).await.error(), (403, 294, None), "rules come last");
    let nothing = writer_with("pages_show_list,pages_manage_ads").await;
    assert_eq!(nothing.write("campaigns", campaign(), json!({})).await.error(), (403, 200, None));
}

#[tokio::test]
async fn accounts_are_assigned_with_a_task() {
    let writer = Writer::start().await;
    let [campaign_id, ..] = writer.chain().await;
    let change = format!("ads/{}/change", seed::AD_ACCOUNT);
    writer.meta.sim(&change, json!({"account": {"analysts": [seed::MARA]}})).await;
    assert_eq!(writer.write("campaigns", campaign(), json!({})).await.error(), (403, 200, Some(1_815_694)));
    let pause = writer.post(&format!("/{campaign_id}"), json!({"status": "PAUSED"}), json!({})).await;
    assert_eq!(pause.error(), (403, 200, Some(1_815_694)));
    let account = writer.read(&format!("act_{}", seed::AD_ACCOUNT), "user_tasks").await;
    assert_eq!(account["user_tasks"], json!(["ANALYZE"]));
    let reading = writer.meta.get(&format!("/{campaign_id}?fields=name"), &writer.token).await;
    assert_eq!(reading.status, 200);
    writer.meta.sim(&change, json!({"account": {"analysts": []}, "revoke": seed::MARA})).await;
    assert_eq!(writer.write("campaigns", campaign(), json!({})).await.error(), (400, 100, Some(33)));
    assert_eq!(writer.meta.delete(&format!("/{campaign_id}"), &writer.token).await.error(), (400, 100, Some(33)));
    writer.meta.sim(&change, json!({"grant": seed::MARA, "account": {"status": 2}})).await;
    assert_eq!(writer.write("campaigns", campaign(), json!({})).await.error(), (400, 100, Some(1_404_163)));
}

#[tokio::test]
async fn pages_are_advertised_by_those_who_may() {
    let writer = Writer::start().await;
    let campaign_id = writer.make("campaigns", campaign()).await;
    let promote = |page: &str| json!({"promoted_object": {"page_id": page}});
    let theatre = writer.write("adsets", adset(&campaign_id), promote(seed::THEATRE)).await;
    assert_eq!(theatre.error(), (403, 200, None), "she only analyses it");
    let atelier = writer.write("adsets", adset(&campaign_id), promote(seed::ATELIER)).await;
    assert_eq!(atelier.error(), (400, 100, Some(33)), "she does not see it");
    let rentals = writer.write("adsets", adset(&campaign_id), promote(seed::RENTALS)).await;
    assert_eq!(rentals.status, 200, "she may advertise it");
    let mut story = story(&writer.picture().await);
    story["page_id"] = json!(seed::THEATRE);
    let creative = writer.write("adcreatives", json!({"object_story_spec": story}), json!({})).await;
    assert_eq!(creative.error(), (403, 200, None));

    let without = writer_with("pages_show_list,pages_read_engagement,ads_management").await;
    let hash = without.picture().await;
    let creative = json!({"object_story_spec": crate::ad_writer::story(&hash)});
    let refused = without.write("adcreatives", creative, json!({})).await;
    assert_eq!(
        (refused.error(), refused.message()),
        ((403, 200, None), "(#200) Requires pages_manage_ads permission to manage the object")
    );
}

#[tokio::test]
async fn texts_are_in_the_language_of_the_tokens_owner() {
    let writer = Writer::start().await;
    let wrong = json!({"is_adset_budget_sharing_enabled": null});
    let title = async |token: &str, account: &str| {
        let form = crate::ad_writer::form(campaign(), wrong.clone());
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = writer.meta.post(&format!("/act_{account}/campaigns"), token, &form).await;
        assert_eq!(blamed(&answer).0, Some(4_834_011));
        assert_eq!(answer.json["error"]["is_transient"], false);
        answer.json["error"]["error_user_title"].as_str().unwrap().to_owned()
    };
    let jonas = writer.meta.login(seed::JONAS, ALL_SCOPES, "").await;
    let account = json!({
        "account_id": "77", "currency": "EUR", "timezone": "Europe/Berlin", "campaigns": 1, "adsets_per_campaign": 1,
        "ads_per_adset": 1, "days": 1, "seed": 1,
    });
    writer.meta.sim("ads", account).await;
    assert!(title(&jonas, "77").await.starts_with("Wahr oder Falsch"));
    assert!(title(&writer.token, "77").await.starts_with("Must specify True or False"));
    writer.meta.sim("ads/oddities", json!({"languages": {seed::JONAS: "en", seed::MARA: "de"}})).await;
    assert!(title(&jonas, "77").await.starts_with("Must specify"));
    assert!(title(&writer.token, "77").await.starts_with("Wahr"));
}

#[tokio::test]
async fn faults_reach_every_write() {
    let writer = Writer::start().await;
    let [campaign_id, adset_id, creative_id, ad_id] = writer.chain().await;
    let page = writer.meta.page(seed::DENTAL).await;
    for (path, address, token) in [
        ("/{ad_account}/campaigns", format!("/act_{}/campaigns", seed::AD_ACCOUNT), &writer.token),
        ("/{ad_account}/adimages", format!("/act_{}/adimages", seed::AD_ACCOUNT), &writer.token),
        ("/{campaign}", format!("/{campaign_id}"), &writer.token),
        ("/{adset}", format!("/{adset_id}"), &writer.token),
        ("/{creative}", format!("/{creative_id}"), &writer.token),
        ("/{ad}", format!("/{ad_id}"), &writer.token),
        ("/{page}/leadgen_forms", format!("/{}/leadgen_forms", seed::DENTAL), &page),
        ("/{form}", format!("/{CHECK_UP}"), &page),
    ] {
        writer
            .meta
            .sim(
                "faults",
                json!({"path": format!("={path}"), "kind": "error", "code": 2, "method": "POST", "times": 1}),
            )
            .await;
        let answer = writer.meta.post(&address, token, &[("status", "PAUSED")]).await;
        assert_eq!(answer.error(), (500, 2, None), "{path}");
    }
}

#[tokio::test]
async fn system_users_write_ads_too() {
    let meta = Meta::start().await;
    let hired = meta.sim("system_users", json!({})).await;
    let token = hired["token"].as_str().unwrap().to_owned();
    let account = hired["ad_accounts"][0].as_str().unwrap().trim_start_matches("act_").to_owned();
    let page = hired["pages"][0]["id"].as_str().or_else(|| hired["pages"][0].as_str()).unwrap().to_owned();
    let writer = Writer { meta, token };
    let made = writer.post(&format!("/act_{account}/campaigns"), campaign(), json!({})).await;
    let campaign_id = made.json["id"].as_str().unwrap_or_else(|| panic!("{}", made.text));
    let own = with(adset(campaign_id), json!({"promoted_object": {"page_id": page}}));
    let made = writer.post(&format!("/act_{account}/adsets"), own, json!({})).await;
    assert_eq!(made.status, 200, "{}", made.text);
}
