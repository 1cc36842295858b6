//! The download of a form's leads.

use graph_sim::seed;
use serde_json::json;

use crate::client::{CATERING, Meta, read};

const ODD: &str = "Käthe \"KG\" Groß,\tAm Ring\n2";

async fn download(meta: &Meta, form_id: &str, encoding: &str) -> (String, Vec<u8>) {
    let url = meta.url(&format!("/_sim/forms/{form_id}/export.csv{encoding}"));
    let response = meta.http().get(url).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().expect("ASCII").to_owned();
    (kind, response.bytes().await.expect("a body").to_vec())
}

#[tokio::test]
async fn the_download_is_utf_16_with_tabs_and_quotes_what_needs_it() {
    let meta = Meta::start().await;
    let answers = json!({"vollständiger_name": ODD, "e-mail-adresse": "k@example.com", "telefonnummer": "+4915112345678",
                         "was_dürfen_wir_liefern?": ["torten", "brötchen"]});
    let id = meta.submit(json!({"form_id": CATERING, "platform": "ig", "answers": answers})).await.remove(0);
    let (kind, bytes) = download(&meta, CATERING, "").await;
    assert_eq!(kind, "text/csv; charset=utf-16le");
    assert_eq!(bytes[..4], [0xff, 0xfe, b'i', 0]);
    let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).unwrap();
    let (head, row) = text.trim_start_matches('\u{feff}').split_once("\r\n").unwrap();
    assert_eq!(
        head.split('\t').collect::<Vec<_>>(),
        [
            "id",
            "created_time",
            "ad_id",
            "ad_name",
            "adset_id",
            "adset_name",
            "campaign_id",
            "campaign_name",
            "form_id",
            "form_name",
            "is_organic",
            "platform",
            "vollständiger_name",
            "e-mail-adresse",
            "telefonnummer",
            "was_dürfen_wir_liefern?",
            "lead_status"
        ]
    );
    let cells: Vec<&str> = row.split('\t').collect();
    assert_eq!(cells[0], format!("l:{id}"));
    assert!(cells[1].len() == 25 && cells[1].ends_with("-05:00"), "{row}");
    assert!(cells[2].starts_with("ag:") && cells[4].starts_with("as:") && cells[6].starts_with("c:"), "{row}");
    assert_eq!(
        cells[7..12],
        ["Catering-Anfrage – campaign", &format!("f:{CATERING}"), "Catering-Anfrage", "false", "ig"]
    );
    // The naive split also splits at the tab inside the quoted name.
    assert_eq!(cells[12..14], ["\"Käthe \"\"KG\"\" Groß,", "Am Ring\n2\""]);
    assert_eq!(cells[14..], ["k@example.com", "p:+4915112345678", "torten, brötchen", "CREATED\r\n"]);
}

#[tokio::test]
async fn as_utf_8_it_has_commas() {
    let meta = Meta::start().await;
    let form = json!({"page_id": seed::DENTAL, "name": "Name, \"quoted\"", "questions": [
        {"label": "Full name", "type": "FULL_NAME"}, {"label": "Zip code", "type": "ZIP"}, {"label": "When?", "type": "CUSTOM"}]});
    let form_id = meta.sim("forms", form).await["id"].as_str().unwrap().to_owned();
    let answers = json!({"full_name": ODD, "zip_code": "01960", "when?": []});
    let id = meta.submit(json!({"form_id": form_id, "organic": true, "answers": answers})).await.remove(0);
    let (kind, bytes) = download(&meta, &form_id, "?encoding=utf-8").await;
    assert_eq!(kind, "text/csv; charset=utf-8");
    let text = String::from_utf8(bytes).unwrap();
    let (head, row) = text.strip_prefix('\u{feff}').unwrap().split_once("\r\n").unwrap();
    assert!(head.ends_with(",is_organic,platform,full_name,zip_code,when?,lead_status"), "{head}");
    let rest = row.strip_prefix(&format!("l:{id},")).unwrap().split_once(',').unwrap().1;
    let quoted = "\"Käthe \"\"KG\"\" Groß,\tAm Ring\n2\"";
    assert_eq!(rest, format!(",,,,,,f:{form_id},\"Name, \"\"quoted\"\"\",true,fb,{quoted},z:01960,,CREATED\r\n"));
    let wrong = read(meta.http().get(meta.url(&format!("/_sim/forms/{form_id}/export.csv?encoding=latin-1")))).await;
    assert!(wrong.status == 400 && wrong.text.contains("utf-16"));
    assert_eq!(read(meta.http().get(meta.url("/_sim/forms/1/export.csv"))).await.status, 400);
}

#[tokio::test]
async fn it_has_what_is_retained_newest_first_and_test_leads() {
    let meta = Meta::start().await;
    let mut expected = Vec::new();
    for days in [91, 89, 1] {
        expected.extend(meta.submit(json!({"form_id": CATERING, "age_s": days * 86_400})).await);
    }
    let page = meta.page(seed::BAKERY).await;
    let test = meta.post(&format!("/{CATERING}/test_leads"), &page, &[]).await.json["id"].as_str().unwrap().to_owned();
    let (_, bytes) = download(&meta, CATERING, "?encoding=utf-8").await;
    let text = String::from_utf8(bytes).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let ids: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(ids, [format!("l:{test}"), format!("l:{}", expected[2]), format!("l:{}", expected[1])]);
    assert_eq!(rows[0][10..13], ["true", "", "<test lead: dummy data for vollständiger_name>"]);
}
