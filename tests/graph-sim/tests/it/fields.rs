//! Fields, expansion, paths, versions and headers.

use graph_sim::seed;
use serde_json::json;

use crate::client::{CHECK_UP, IMPLANTS, Meta, read};

#[tokio::test]
async fn an_unknown_field_or_edge_is_refused_by_name_and_type() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    for (path, token, field, kind) in [
        ("/me?fields=id,owned_pages".to_owned(), &user, "owned_pages", "User"),
        ("/me/accounts?fields=id,telepathy".to_owned(), &user, "telepathy", "Page"),
        (format!("/{CHECK_UP}?fields=id,fields"), &page, "fields", "LeadgenForm"),
        (format!("/{CHECK_UP}/leads?fields=id,email"), &page, "email", "Lead"),
        (format!("/{}/owned_pages", seed::DENTAL), &page, "owned_pages", "Page"),
    ] {
        let answer = meta.get(&path, token).await;
        assert_eq!(answer.error(), (400, 100, None), "{path}");
        assert_eq!(
            answer.message(),
            format!("(#100) Tried accessing nonexisting field ({field}) on node type ({kind})")
        );
        assert_eq!(answer.json["error"]["type"], "OAuthException");
        assert!(answer.json["error"]["fbtrace_id"].is_string());
    }
}

#[tokio::test]
async fn edges_expand_inside_fields_with_limits_and_aliases() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    meta.sim("app", json!({"new_app": false})).await;
    let answer = meta.get("/me?fields=name,leadgen_forms.limit(1).as(forms){name,questions{key,type}}", &page).await;
    assert_eq!(answer.json["name"], "Harbour Lane Dental");
    let forms = &answer.json["forms"];
    assert_eq!(forms["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        forms["data"][0]["questions"][1],
        json!({"id": forms["data"][0]["questions"][1]["id"], "key": "email", "type": "EMAIL"})
    );
    let next = read(meta.http().get(forms["paging"]["next"].as_str().unwrap())).await;
    assert_eq!(next.error(), (400, 100, None), "the address has the token, the proof has to be added");
    assert_eq!(meta.get("/me?fields=name{", &page).await.error(), (400, 2500, None));
}

#[tokio::test]
async fn a_form_shows_questions_consents_and_counts() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let answer = meta.get(&format!("/{}/leadgen_forms", seed::DENTAL), &page).await;
    assert_eq!(
        answer.json["data"][0],
        json!({"id": CHECK_UP, "name": "Free check-up", "locale": "en_US", "status": "ACTIVE"})
    );
    meta.submit(json!({"form_id": IMPLANTS, "count": 3})).await;
    meta.submit(json!({"form_id": IMPLANTS, "organic": true})).await;
    meta.submit(json!({"form_id": IMPLANTS, "age_s": 91 * 86_400})).await;
    let fields =
        "questions,locale,leads_count,organic_leads_count,expired_leads_count,created_time,page_id,legal_content";
    let form = meta.get(&format!("/{IMPLANTS}?fields={fields}"), &page).await.json;
    assert_eq!(
        (&form["leads_count"], &form["organic_leads_count"], &form["expired_leads_count"]),
        (&json!(5), &json!(1), &json!(1))
    );
    assert_eq!(form["questions"][4]["options"][1], json!({"key": "crowns_&_bridges", "value": "Crowns & bridges"}));
    assert_eq!(form["legal_content"]["custom_disclaimer"]["checkboxes"][0]["key"], "terms");
    assert_eq!(form["page_id"], seed::DENTAL);
}

#[tokio::test]
async fn ids_that_are_not_there_and_aliases_that_are_not_known_differ() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let missing = meta.get("/123456789012345", &user).await;
    assert_eq!(missing.error(), (400, 100, Some(33)));
    assert_eq!(missing.json["error"]["type"], "GraphMethodException");
    assert_eq!(meta.get("/no_such_thing", &user).await.error(), (404, 803, None));
    assert_eq!(meta.get("/?ids=1,2", &user).await.error(), (400, 100, None), "gone since v26");
}

#[tokio::test]
async fn every_answer_names_the_version_that_gave_it() {
    let meta = Meta::start().await;
    let token = meta.mara().await;
    let proof = graph_sim::signing::appsecret_proof(seed::APP_SECRET, &token);
    let ask = async |path: &str| {
        let request = meta.http().get(meta.url(path)).query(&[("access_token", &token), ("appsecret_proof", &proof)]);
        read(request).await
    };
    for path in ["/me", "/v26.0/me"] {
        let answer = ask(path).await;
        assert_eq!(answer.headers["facebook-api-version"], "v26.0", "{path}");
        assert!(answer.headers.contains_key("x-fb-trace-id"));
    }
    assert_eq!(ask("/v3.1/me").await.status, 404, "v3.1 never was a version of this form: an alias");
    // The oldest supported version depends on the date.
    let answering = ask("/v19.0/me").await.headers["facebook-api-version"].to_str().unwrap().to_owned();
    assert!(("v21.0"..="v26.0").contains(&answering.as_str()), "{answering}");
    assert_eq!(ask("/v27.0/me").await.headers["facebook-api-version"], "v27.0");
    assert_eq!(ask("/v99.0/me").await.headers["facebook-api-version"], "v26.0", "not there yet: the app's default");
}

#[tokio::test]
async fn usage_headers_appear_once_there_is_traffic() {
    let meta = Meta::start().await;
    let user = meta.mara().await;
    let page = meta.page_of(&user, seed::DENTAL).await;
    let lead = meta.one_lead(CHECK_UP).await;
    let first = meta.get(&format!("/{lead}"), &page).await;
    assert!(!first.headers.contains_key("x-business-use-case-usage"));
    for _ in 0..3 {
        meta.get(&format!("/{lead}"), &page).await;
        meta.get("/me", &page).await;
        meta.get("/me", &user).await;
    }
    let usage = |answer: &crate::client::Answer, name: &str| -> serde_json::Value {
        serde_json::from_str(answer.headers[name].to_str().unwrap()).unwrap()
    };
    let leads = usage(&meta.get(&format!("/{lead}"), &page).await, "x-business-use-case-usage");
    assert_eq!(leads[seed::DENTAL][0]["type"], "leadgen");
    assert!(leads[seed::DENTAL][0]["call_count"].is_u64());
    let pages = usage(&meta.get("/me", &page).await, "x-business-use-case-usage");
    assert_eq!(pages[seed::DENTAL][0]["type"], "pages");
    assert!(usage(&meta.get("/me", &user).await, "x-app-usage")["call_count"].is_u64());
}
