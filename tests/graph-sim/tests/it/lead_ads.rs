//! The form pages a person fills in.

use graph_sim::seed;
use serde_json::json;

use crate::client::{CATERING, Meta, read};
use crate::receiver::Receiver;

#[tokio::test]
async fn the_index_lists_every_form_and_each_form_shows_its_questions() {
    let meta = Meta::start().await;
    let index = read(meta.http().get(meta.url("/lead_ads"))).await;
    assert!(index.text.contains("Bäckerei Sonnenhügel") && index.text.contains(&format!("/lead_ads/{CATERING}")));
    let form = read(meta.http().get(meta.url(&format!("/lead_ads/{CATERING}")))).await.text;
    for part in [
        "lang=\"de\"",
        "Vollständiger Name",
        "Süßes Gebäck",
        "type=\"checkbox\"",
        "Instagram",
        "Datenschutz",
        "Absenden",
    ] {
        assert!(form.contains(part), "{part}");
    }
    assert_eq!(read(meta.http().get(meta.url("/lead_ads/1"))).await.status, 404);
}

#[tokio::test]
async fn a_submitted_form_becomes_a_lead_with_exactly_these_answers_and_a_webhook() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::BAKERY], "leadgen").await;
    let form = [
        ("platform", "ig"),
        ("q:vollständiger_name", "Käthe Groß"),
        ("q:e-mail-adresse", "kaethe@example.com"),
        ("q:telefonnummer", "0151 2345678"),
        ("q:was_dürfen_wir_liefern?", "brötchen"),
        ("q:was_dürfen_wir_liefern?", "torten"),
        ("c:datenschutz", "1"),
    ];
    let thanks = read(meta.http().post(meta.url(&format!("/lead_ads/{CATERING}"))).form(&form)).await;
    assert_eq!(thanks.status, 200);
    let (_, id) = receiver.wait_for_leads(1).await[0].leads().remove(0);
    assert!(thanks.text.contains(&format!("data-leadgen-id=\"{id}\"")));
    let page = meta.page(seed::BAKERY).await;
    let lead = meta.get(&format!("/{id}?fields=platform,field_data,custom_disclaimer_responses"), &page).await.json;
    assert_eq!(lead["platform"], "ig");
    assert_eq!(lead["field_data"][2]["values"], json!(["0151 2345678"]));
    assert_eq!(lead["field_data"][3]["values"], json!(["brötchen", "torten"]));
    let consents =
        json!([{"checkbox_key": "datenschutz", "is_checked": "1"}, {"checkbox_key": "werbung", "is_checked": ""}]);
    assert_eq!(lead["custom_disclaimer_responses"], consents);
}

#[tokio::test]
async fn an_incomplete_form_comes_back_with_what_was_filled_in_and_makes_no_lead() {
    let meta = Meta::start().await;
    let form = [("platform", "ig"), ("q:vollständiger_name", "Käthe <b>"), ("q:e-mail-adresse", "nowhere")];
    let answer = read(meta.http().post(meta.url(&format!("/lead_ads/{CATERING}"))).form(&form)).await;
    assert_eq!(answer.status, 422);
    for part in ["role=\"alert\"", "Käthe &lt;b&gt;", "Telefonnummer", "Ich stimme der Verarbeitung meiner Daten zu."]
    {
        assert!(answer.text.contains(part), "{part}");
    }
    assert_eq!(meta.sim_get("state").await["leads"], json!([]));
}
