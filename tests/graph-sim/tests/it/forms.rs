//! Archived forms.

use graph_sim::seed;
use serde_json::json;

use crate::client::{CHECK_UP, IMPLANTS, Meta, read};

#[tokio::test]
async fn an_archived_form_shows_its_leads_and_takes_no_more() {
    let meta = Meta::start().await;
    let page = meta.page(seed::DENTAL).await;
    let lead = meta.one_lead(CHECK_UP).await;
    meta.sim("forms", json!({"form_id": CHECK_UP, "status": "ARCHIVED"})).await;
    let forms = meta.get(&format!("/{}/leadgen_forms?fields=id,name,status", seed::DENTAL), &page).await;
    assert_eq!(
        (forms.column("id"), forms.column("status")),
        (vec![CHECK_UP.to_owned(), IMPLANTS.to_owned()], vec!["ARCHIVED".to_owned(), "ACTIVE".to_owned()],)
    );
    assert_eq!(meta.get(&format!("/{CHECK_UP}"), &page).await.json["status"], "ARCHIVED");
    assert_eq!(meta.get(&format!("/{CHECK_UP}/leads"), &page).await.column("id"), [lead]);
    let form = meta.url(&format!("/lead_ads/{CHECK_UP}"));
    assert_eq!(read(meta.http().get(&form)).await.status, 404);
    let refused = read(meta.http().post(meta.url("/_sim/leads")).json(&json!({"form_id": CHECK_UP}))).await;
    assert_eq!(refused.status, 400);
    assert!(refused.json["error"].as_str().unwrap().contains("archived"));

    meta.sim("forms", json!({"form_id": CHECK_UP, "status": "ACTIVE"})).await;
    meta.one_lead(CHECK_UP).await;
    assert_eq!(read(meta.http().get(&form)).await.status, 200);
}
