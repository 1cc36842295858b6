//! Forms created by a test, and forms in further languages.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{ALL_SCOPES, Meta, read};

#[tokio::test]
async fn a_new_form_has_meta_like_keys_and_takes_leads() {
    let meta = Meta::start().await;
    let form = json!({
        "page_id": seed::BAKERY, "name": "Hochzeitstorte", "locale": "de_DE",
        "questions": [
            {"label": "Vollständiger Name", "type": "FULL_NAME"},
            {"key": "email", "label": "E-Mail-Adresse", "type": "EMAIL"},
            {"label": "Postleitzahl", "type": "POST_CODE"},
            {"label": "Welche Füllung ist die richtige?", "type": "CUSTOM", "multiple": true, "options": [
                {"value": "Süße Sahne"}, {"key": "k2", "value": "Nougat"}, {"value": "Zitrone"}, {"value": "Mohn"}]},
        ],
        "consents": [{"key": "werbung", "text": "Ja, gern", "required": true}],
    });
    let id = meta.sim("forms", form).await["id"].as_str().unwrap().to_owned();
    let page = meta.page(seed::BAKERY).await;
    let listed = meta
        .get(&format!("/{}/leadgen_forms?fields=id,questions{{id,key,label,type,options}}", seed::BAKERY), &page)
        .await;
    assert_eq!(listed.column("id").last(), Some(&id));
    let questions = listed.json["data"].as_array().unwrap().last().unwrap()["questions"].clone();
    let keys: Vec<&str> = questions.as_array().unwrap().iter().map(|it| it["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["vollständiger_name", "email", "postleitzahl", "welche_füllung_ist_die_richtige?"]);
    assert_eq!(
        questions[3],
        json!({"id": format!("{id}4"), "key": "welche_füllung_ist_die_richtige?", "label": "Welche Füllung ist die richtige?",
               "type": "CUSTOM", "options": [{"key": "süße_sahne", "value": "Süße Sahne"}, {"key": "k2", "value": "Nougat"},
                                             {"key": "zitrone", "value": "Zitrone"}, {"key": "mohn", "value": "Mohn"}]})
    );
    let answers = json!({"welche_füllung_ist_die_richtige?": ["Süße Sahne", "k2", "mohn"]});
    let lead = meta.submit(json!({"form_id": id, "answers": answers})).await.remove(0);
    let lead = meta.get(&format!("/{lead}?fields=field_data,custom_disclaimer_responses,ad_name"), &page).await.json;
    assert_eq!(lead["field_data"][3]["values"], json!(["süße_sahne", "k2", "mohn"]));
    assert_eq!(lead["custom_disclaimer_responses"], json!([{"checkbox_key": "werbung", "is_checked": "1"}]));
    assert_eq!(lead["ad_name"], "Hochzeitstorte – ad 1");
}

#[tokio::test]
async fn every_type_of_question_is_known_and_answered() {
    let meta = Meta::start().await;
    let types = "FULL_NAME FIRST_NAME LAST_NAME EMAIL PHONE CUSTOM DATE_TIME STORE_LOOKUP ID_AR_DNI ID_CPF ID_CL_RUT \
                 ID_CO_CC ID_EC_CI ID_PE_DNI CITY STATE PROVINCE COUNTRY ZIP POST_CODE STREET_ADDRESS DOB GENDER \
                 MARITAL_STATUS RELATIONSHIP_STATUS MILITARY_STATUS JOB_TITLE COMPANY_NAME WORK_EMAIL WORK_PHONE_NUMBER WEBSITE";
    let questions: Value = types.split_whitespace().map(|kind| json!({"label": kind, "type": kind})).collect();
    let form = meta.sim("forms", json!({"page_id": seed::DENTAL, "name": "All", "questions": questions})).await;
    meta.submit(json!({"form_id": form["id"]})).await;
    let state = meta.sim_get("state").await;
    let data = state["leads"][0]["field_data"].as_array().unwrap();
    assert_eq!(data.len(), questions.as_array().unwrap().len());
    assert!(data.iter().all(|field| !field["values"][0].as_str().unwrap().is_empty()), "{data:?}");
}

#[tokio::test]
async fn mistakes_in_new_forms_are_told() {
    let meta = Meta::start().await;
    let name = json!({"label": "Name", "type": "FULL_NAME"});
    for (body, word) in [
        (json!({}), "form_id, or page_id and name"),
        (json!({"page_id": "1", "name": "A", "questions": [name]}), "no page 1"),
        (json!({"page_id": seed::DENTAL, "name": "A", "questions": []}), "questions"),
        (json!({"page_id": seed::DENTAL, "name": "A", "questions": [name, name]}), "twice"),
        (
            json!({"page_id": seed::DENTAL, "name": "A", "questions": [{"label": "X", "type": "SHOE_SIZE"}]}),
            "SHOE_SIZE",
        ),
        (json!({"page_id": seed::DENTAL, "name": "A", "locale": "german", "questions": [name]}), "locale"),
    ] {
        let answer = read(meta.http().post(meta.url("/_sim/forms")).json(&body)).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json["error"].as_str().unwrap().contains(word), "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn newcomers_have_forms_in_four_languages_on_request() {
    let meta = Meta::start().await;
    let plain = meta.sim("users", json!({})).await;
    assert_eq!(plain["pages"][0]["forms"].as_array().unwrap().len(), 1);
    let person = meta.sim("users", json!({"pages": 2, "languages": true})).await;
    let token = meta.login(person["id"].as_str().unwrap(), ALL_SCOPES, "").await;
    for page in person["pages"].as_array().unwrap() {
        let page_id = page["id"].as_str().unwrap();
        let token = meta.page_of(&token, page_id).await;
        let forms = meta.get(&format!("/{page_id}/leadgen_forms?fields=id,locale,questions"), &token).await;
        assert_eq!(forms.column("locale"), ["en_US", "de_DE", "fr_FR", "es_ES", "ja_JP"]);
        let ids: Vec<&str> =
            page["forms"].as_array().unwrap().iter().map(|form| form["id"].as_str().unwrap()).collect();
        assert_eq!(forms.column("id"), ids);
        let keys: Vec<&Value> =
            forms.json["data"].as_array().unwrap().iter().map(|form| &form["questions"][0]["key"]).collect();
        assert_eq!(keys, ["full_name", "vollständiger_name", "nom_complet", "nombre_completo", "名前"]);
        let lead = meta.one_lead(ids[4]).await;
        let data = meta.get(&format!("/{lead}"), &token).await.json["field_data"].clone();
        assert!(!data[0]["values"][0].as_str().unwrap().is_ascii());
        assert!(data[1]["values"][0].as_str().unwrap().ends_with("@example.com"));
        assert!(data[2]["values"][0].as_str().unwrap().starts_with("+8190"));
        let form = read(meta.http().get(meta.url(&format!("/lead_ads/{}", ids[4])))).await;
        assert!(form.text.contains("lang=\"ja\"") && form.text.contains("送信"));
    }
}
