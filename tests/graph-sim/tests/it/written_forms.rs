//! Lead forms made through the API.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::ad_writer::{blamed, form};
use crate::advertiser::with;
use crate::client::{ALL_SCOPES, Answer, CHECK_UP, Meta};

fn trial() -> Value {
    json!({
        "name": "Trial", "locale": "NL_NL", "follow_up_action_url": "https://x.example/thanks",
        "privacy_policy": {"url": "https://x.example/privacy", "link_text": "Privacy"},
        "questions": [
            {"type": "FULL_NAME"}, {"type": "EMAIL", "key": "mail"}, {"type": "PHONE"}, {"type": "MARITIAL_STATUS"},
            {"type": "CUSTOM", "label": "Hoe laat?", "options": [{"value": "Ochtend"}, {"value": "Avond", "key": "pm"}]},
        ],
    })
}

async fn make(meta: &Meta, page: &str, more: Value) -> Answer {
    let form = form(trial(), more);
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    meta.post(&format!("/{}/leadgen_forms", seed::DENTAL), page, &form).await
}

#[tokio::test]
async fn a_form_is_read_back_and_takes_leads() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let more = json!({
        "thank_you_page": {"title": "Dank!", "body": "Tot snel", "button_type": "VIEW_WEBSITE",
                           "website_url": "https://x.example", "button_text": "Site"},
        "context_card": {"title": "Kom langs", "style": "LIST_STYLE", "content": ["a", "b"], "cover_photo_id": "55"},
        "custom_disclaimer": {"title": "Voorwaarden", "body": {"text": "Lees dit"}, "checkboxes": [
            {"key": "news", "text": "Nieuws", "is_required": false}, {"key": "terms", "text": "Akkoord"}]},
        "tracking_parameters": {"utm": "x"}, "is_optimized_for_quality": true,
    });
    let id = make(&meta, &page, more).await.json["id"].as_str().unwrap().to_owned();
    let fields = "name,locale,status,questions,legal_content,thank_you_page,context_card,follow_up_action_url,\
                  privacy_policy_url,is_optimized_for_quality,tracking_parameters,leads_count,created_time,page_id";
    let read = meta.get(&format!("/{id}?fields={fields}"), &page).await.json;
    assert_eq!((&read["name"], &read["locale"], &read["status"]), (&json!("Trial"), &json!("nl_NL"), &json!("ACTIVE")));
    let keys: Vec<&str> =
        read["questions"].as_array().unwrap().iter().map(|question| question["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["full_name", "mail", "phone_number", "marital_status", "hoe_laat?"]);
    assert_eq!(read["questions"][3]["type"], "MARITIAL_STATUS");
    assert_eq!(
        read["questions"][4]["options"],
        json!([{"key": "ochtend", "value": "Ochtend"}, {"key": "pm", "value": "Avond"}])
    );
    assert_eq!(read["follow_up_action_url"], "https://x.example/thanks");
    assert_eq!(
        read["legal_content"]["privacy_policy"],
        json!({"url": "https://x.example/privacy", "link_text": "Privacy"})
    );
    let required: Vec<&Value> = read["legal_content"]["custom_disclaimer"]["checkboxes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|checkbox| &checkbox["is_required"])
        .collect();
    assert_eq!(required, [false, true]);
    assert_eq!(
        (&read["thank_you_page"]["title"], &read["thank_you_page"]["body"]),
        (&json!("Dank!"), &json!("Tot snel"))
    );
    assert_eq!(
        (&read["context_card"]["style"], &read["is_optimized_for_quality"]),
        (&json!("LIST_STYLE"), &json!(true))
    );
    assert_eq!(read["tracking_parameters"], json!([{"key": "utm", "value": "x"}]));
    let cover = meta.get(&format!("/{id}?fields=context_card{{cover_photo,title}}"), &page).await.json;
    assert_eq!(cover["context_card"]["cover_photo"], json!({"id": "55"}));
    let wrong = meta.get(&format!("/{id}?fields=context_card{{cover_photo_id}}"), &page).await;
    assert_eq!(
        wrong.message(),
        "(#100) Tried accessing nonexisting field (cover_photo_id) on node type (LeadGenContextCard)"
    );

    let listed = meta.get(&format!("/{}/leadgen_forms?limit=100", seed::DENTAL), &page).await;
    assert!(listed.column("id").contains(&id));
    let lead = meta.submit(json!({"form_id": id, "answers": {"hoe_laat?": "Avond"}})).await.remove(0);
    let lead = meta
        .get(&format!("/{lead}?fields=field_data,form_id,is_organic,ad_id,custom_disclaimer_responses"), &page)
        .await
        .json;
    assert_eq!((&lead["form_id"], &lead["is_organic"], &lead["ad_id"]), (&json!(id), &json!(true), &Value::Null));
    assert_eq!(lead["field_data"][4], json!({"name": "hoe_laat?", "values": ["pm"]}));
    assert!(lead["field_data"][2]["values"][0].as_str().unwrap().starts_with('+'));
    assert_eq!(lead["custom_disclaimer_responses"].as_array().unwrap().len(), 2);
    let page_of_form = meta.http().get(meta.url(&format!("/lead_ads/{id}"))).send().await.unwrap();
    assert_eq!(page_of_form.status(), 200);
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    for (more, missing) in [
        (json!({"follow_up_action_url": null}), "FollowUpActionURL"),
        (json!({"privacy_policy": null}), "PrivacyPolicyURL"),
    ] {
        let answer = make(&meta, &page, more).await;
        assert_eq!(blamed(&answer).0, Some(1_892_085));
        assert_eq!(answer.json["error"]["error_user_msg"], format!("Missing field(s): {missing}"));
    }
    let question = |question: Value| json!({"questions": [question]});
    let thanks = |page: Value| json!({"thank_you_page": page});
    for (more, message) in [
        (json!({"name": null}), "(#100) The parameter name is required"),
        (json!({"questions": null}), "(#100) The parameter questions is required"),
        (json!({"questions": []}), "(#100) Param questions must have at least one question"),
        (question(json!({"type": "MARITAL_STATUS"})), "(#100) Param questions[0][type] must be one of {"),
        (question(json!({"type": "CUSTOM"})), "(#100) Param questions[0] must have a label"),
        (
            json!({"questions": [{"type": "EMAIL"}, {"type": "PHONE", "key": "email"}]}),
            "(#100) Param questions[1][key] must be unique",
        ),
        (json!({"locale": "nl_NL"}), "(#100) Param locale must be one of {AR_AR"),
        (json!({"privacy_policy": {"url": "x.example"}}), "(#100) Param privacy_policy[url] must be a valid URL"),
        (
            json!({"privacy_policy": {"url": "https://x.example", "link_text": "x".repeat(71)}}),
            "(#100) Param privacy_policy[link_text] must be at most 70",
        ),
        (json!({"follow_up_action_url": "soon"}), "(#100) Param follow_up_action_url must be a valid URL"),
        (thanks(json!({"button_type": "NONE"})), "(#100) Param thank_you_page must have a title"),
        (thanks(json!({"title": "T"})), "(#100) Param thank_you_page must have a button_type"),
        (
            thanks(json!({"title": "T", "button_type": "GO"})),
            "(#100) Param thank_you_page[button_type] must be one of {",
        ),
        (
            thanks(json!({"title": "T", "button_type": "VIEW_WEBSITE"})),
            "(#100) Param thank_you_page must have a website_url",
        ),
        (
            json!({"context_card": {"title": "T", "content": "text"}}),
            "(#100) Param context_card[content] must be an array",
        ),
        (
            json!({"custom_disclaimer": {"title": "T", "body": {"text": "b"},
                   "checkboxes": [{"key": "a", "text": "1"}, {"key": "a", "text": "2"}]}}),
            "(#100) Param custom_disclaimer[checkboxes] has the key a twice",
        ),
    ] {
        let answer = make(&meta, &page, more.clone()).await;
        assert_eq!(answer.error(), (400, 100, None), "{more}");
        assert!(answer.message().starts_with(message), "{more}: {}", answer.message());
    }
    let phone =
        json!({"title": "T", "button_type": "CALL_BUSINESS", "country_code": "US", "business_phone_number": "12"});
    assert_eq!(make(&meta, &page, thanks(phone)).await.error(), (400, 192, None));
}

#[tokio::test]
async fn a_form_is_made_by_its_page_and_only_archived_later() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    assert_eq!(make(&meta, &user, json!({})).await.error(), (400, 190, Some(2_069_032)));
    let id = make(&meta, &page, json!({"fields": "name,status"})).await;
    assert_eq!(id.json["status"], "ACTIVE");
    let id = id.json["id"].as_str().unwrap().to_owned();
    let change = async |name: &str, value: &str| meta.post(&format!("/{id}"), &page, &[(name, value)]).await;
    assert_eq!(change("name", "Other").await.error(), (400, 100, None));
    assert_eq!(change("status", "DELETED").await.error(), (400, 100, None));
    assert_eq!(change("status", "ARCHIVED").await.json, json!({"success": true}));
    assert_eq!(meta.get(&format!("/{id}?fields=status"), &page).await.json["status"], "ARCHIVED");
    let refused = meta.http().post(meta.url("/_sim/leads")).json(&json!({"form_id": id})).send().await.unwrap();
    assert_eq!(refused.status(), 400, "it takes no leads");
    assert_eq!(change("status", "ACTIVE").await.json, json!({"success": true}));
    assert_eq!(meta.submit(json!({"form_id": id})).await.len(), 1);
    assert_eq!(
        meta.post(&format!("/{CHECK_UP}"), &user, &[("status", "ARCHIVED")]).await.error(),
        (400, 190, Some(2_069_032))
    );

    let scopes = ALL_SCOPES.replace("pages_manage_ads,", "");
    let other = meta.login(seed::JONAS, &scopes, "").await;
    let other = meta.page_of(&other, seed::DENTAL).await;
    let refused = make(&meta, &other, json!({})).await;
    assert_eq!(refused.message(), "(#200) Requires pages_manage_ads permission to manage the object");
    let broken = make(&meta, &other, json!({"follow_up_action_url": null})).await;
    assert_eq!(broken.json["error"]["error_user_title"], "Fehlende Felder", "for Jonas");
}

#[tokio::test]
async fn an_ad_brings_leads_to_a_written_form() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let page = meta.page_of(&token, seed::DENTAL).await;
    let form_id = make(&meta, &page, json!({})).await.json["id"].as_str().unwrap().to_owned();
    let writer = crate::ad_writer::Writer { meta, token };
    let [_, adset_id] = writer.pair().await;
    let mut story = crate::ad_writer::story(&writer.picture().await);
    story["link_data"]["call_to_action"]["value"]["lead_gen_form_id"] = json!(form_id);
    let ad = json!({"name": "Spring", "adset_id": adset_id, "creative": {"object_story_spec": story}});
    let ad_id = writer.make("ads", with(ad, json!({"status": "ACTIVE"}))).await;
    let lead = writer.meta.one_lead(&form_id).await;
    let read = writer.meta.get(&format!("/{lead}?fields=ad_id,ad_name,campaign_name,is_organic"), &page).await.json;
    assert_eq!((&read["ad_id"], &read["ad_name"]), (&json!(ad_id), &json!("Spring")));
    assert_eq!((&read["campaign_name"], &read["is_organic"]), (&json!("Leads [k7f3]"), &json!(false)));
}
