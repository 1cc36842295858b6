//! Protocol features that ended for new apps.

use graph_sim::{Options, seed};
use serde_json::json;

use crate::client::{Meta, read};

#[tokio::test]
async fn a_new_app_cannot_use_what_ended_with_v27() {
    let meta = Meta::start_with(Options { require_proof: false, ..Options::default() }).await;
    let user = meta.mara().await;
    let account = format!("/act_{}", seed::AD_ACCOUNT);
    for (post, path, form) in [
        (true, "/me", ("method", "get")),
        (false, "/me", ("method", "get")),
        (false, "/me", ("fields", "id,name.as(title)")),
        (false, "/me", ("date_format", "U")),
        (false, "/me", ("callback", "show")),
        (false, "/", ("ids", "1,2")),
        (true, &format!("{account}/async_batch_requests"), ("name", "a")),
        (true, &format!("{account}/asyncadrequestsets"), ("name", "a")),
    ] {
        for version in ["", "/v25.0"] {
            let url = meta.url(&format!("{version}{path}"));
            let request = if post { meta.http().post(url) } else { meta.http().get(url) };
            let answer = read(request.query(&[form, ("access_token", &user)])).await;
            assert_eq!(answer.error(), (400, 100, None), "{path} {form:?}: {}", answer.text);
        }
    }
    // In a batch too.
    let rows = meta.batch(&user, &json!([{"relative_url": "me?fields=name.as(title)"}, {"relative_url": "me"}])).await;
    assert_eq!((&rows.json[0]["code"], &rows.json[1]["code"]), (&json!(400), &json!(200)));
}

#[tokio::test]
async fn an_older_app_still_can() {
    let meta = Meta::start_with(Options { require_proof: false, ..Options::default() }).await;
    meta.sim("app", json!({"new_app": false})).await;
    let user = meta.mara().await;
    let answer = meta.get("/me?fields=name.as(title)", &user).await;
    assert_eq!(answer.json["title"], "Mara Lindqvist");
    let form = [("method", "get"), ("access_token", user.as_str())];
    assert_eq!(read(meta.http().post(meta.url("/me")).form(&form)).await.json["id"], seed::MARA);
    meta.sim("reset", json!({})).await;
    let user = meta.mara().await;
    assert_eq!(meta.get("/me?fields=name.as(title)", &user).await.error(), (400, 100, None));
}
