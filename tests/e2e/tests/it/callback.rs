//! The OAuth callback: what Meta sends back, or pretends to.

use e2e::fixtures::OrgFixture;
use e2e::meta::with_query;
use e2e::tenant::{Outcome, Tenant};
use e2e::world::world;
use serde_json::Value;
use url::Url;

/// Visits a URL in the browser that agreed to its login.
async fn visit(url: Url) -> (u16, String, Option<String>) {
    let mut request = world().http.get(url.clone());
    if let Some(cookie) = world().cookie_of_login(&url) {
        request = request.header("cookie", cookie);
    }
    let answer = request.send().await.unwrap();
    let location = answer.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
    (answer.status().as_u16(), answer.text().await.unwrap(), location)
}

fn callback(query: &[(&str, &str)]) -> Url {
    with_query(&format!("{}/connect/oauth2callback/facebook", world().endpoints.url), query)
}

/// The state of a login to which a person agreed.
async fn state_of_login(tenant: &Tenant) -> String {
    let dialog = world().agree(&Url::parse(&tenant.request_auth_url(Value::Null).await).unwrap()).await;
    Outcome(dialog).get("state")
}

/// Visits a URL with these request headers. Returns status and redirect target.
async fn visit_as(url: Url, headers: &[(&str, &str)]) -> (u16, Option<Url>) {
    let mut request = world().http.get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let location = answer.headers().get("location").map(|to| Url::parse(to.to_str().unwrap()).unwrap());
    (answer.status().as_u16(), location)
}

#[tokio::test]
async fn a_login_can_be_finished_once() {
    let tenant = OrgFixture::new("callback-once").create().await;
    let person = world().create_person(1).await;
    let back = person.consent(&tenant.request_auth_url(Value::Null).await).await;
    let cookie = world().cookie_of_login(&back).unwrap();
    let theirs = [("cookie", cookie.as_str())];
    let (first, second) = tokio::join!(visit_as(back.clone(), &theirs), visit_as(back.clone(), &theirs));
    assert_eq!((first.0, second.0), (302, 302), "the second of one browser gets the first one's outcome");
    assert_eq!(first.1, second.1);
    assert_eq!(Outcome(first.1.clone().unwrap()).get("status"), "connected");
    assert_eq!(visit_as(back.clone(), &theirs).await.1, first.1);
    assert_eq!(visit_as(back.clone(), &[]).await.0, 400);
    let other = format!("leadwire-connecting={}", "x".repeat(32));
    assert_eq!(visit_as(back, &[("cookie", &other)]).await.0, 400);
    assert_eq!(tenant.items("/api/meta/integrations").await.len(), 1);
}

#[tokio::test]
async fn whoever_follows_a_stranger_s_link_sees_which_org_asks_or_connects_nothing() {
    let attacker = OrgFixture::new("callback-stranger").create().await;
    let victim = world().create_person(2).await;
    let link = Url::parse(&attacker.request_auth_url(Value::Null).await).unwrap();
    let page = world().http.get(link.clone()).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let body = page.text().await.unwrap();
    assert!(body.contains("callback-stranger") && body.contains("the leads of your forms"), "{body}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    // No form of another site, and no proof of another browser, agrees in a person's name.
    for (cookie, proof) in [("", "x"), ("leadwire-connecting=yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", "x")] {
        let agreed = world().http.post(link.clone()).header("cookie", cookie).form(&[("proof", proof)]).send().await;
        assert_eq!(agreed.unwrap().status(), 400);
    }
    // The attacker agrees, and sends the victim on to Meta. The victim's browser is another one.
    let dialog = world().agree(&link).await;
    let query = [("_sim", "allow"), ("_user", victim.id.as_str())];
    let back = world().follow_redirect(with_query(dialog.as_str(), &query)).await;
    let (status, onward) = visit_as(back.clone(), &[]).await;
    let outcome = Outcome(onward.unwrap());
    assert_eq!((status, outcome.get("status"), outcome.get("code")), (302, "error".into(), "other_browser".into()));
    assert!(attacker.items("/api/meta/integrations").await.is_empty());
    // Once agreed to in one browser, it is offered to no other.
    assert_eq!(visit_as(link, &[]).await.0, 400);
}

#[tokio::test]
async fn a_browser_that_fetches_ahead_leaves_the_login_to_the_person() {
    let tenant = OrgFixture::new("callback-ahead").create().await;
    let person = world().create_person(1).await;
    for (at, ahead) in [
        [("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch")],
        [("sec-purpose", "prefetch"), ("accept", "*/*")],
        [("x-moz", "prefetch"), ("accept", "*/*")],
    ]
    .iter()
    .enumerate()
    {
        let back = person.consent(&tenant.request_auth_url(Value::Null).await).await;
        assert_eq!(visit_as(back.clone(), ahead).await, (204, None));
        let (status, _, onward) = visit(back).await;
        let outcome = Outcome(Url::parse(&onward.unwrap()).unwrap());
        assert_eq!((status, outcome.get("status")), (302, "connected".to_owned()));
        assert_eq!(tenant.items("/api/meta/integrations").await.len(), at + 1);
    }
}

#[tokio::test]
async fn a_state_that_is_not_ours_leads_nowhere() {
    let tenant = OrgFixture::new("callback-forged").create().await;
    let state = state_of_login(&tenant).await;
    let (said, signature) = state.split_once('.').unwrap();
    let forged = format!("{}.{signature}", said.chars().rev().collect::<String>());
    for bad in ["", "x", "a.b", said, &forged, &format!("{state}A")] {
        let (status, body, location) = visit(callback(&[("state", bad), ("code", "c")])).await;
        assert_eq!((status, location), (400, None), "{bad}");
        assert!(body.contains("already completed. Start again"), "{body}");
    }
    assert_eq!(visit(callback(&[])).await.0, 400);
    assert_eq!(
        visit(callback(&[("state", &state), ("state", "twice"), ("code", "no-such-code")])).await.0,
        302,
        "the first counts"
    );
}

#[tokio::test]
async fn a_code_that_meta_does_not_take_is_explained_at_the_return_address() {
    let tenant = OrgFixture::new("callback-code").create().await;
    for (query, code) in [
        (vec![("code", "no-such-code")], "code_refused"),
        (vec![("code", "")], "login_failed"),
        (vec![], "login_failed"),
        (vec![("error", "server_error"), ("error_description", "<script>alert(1)</script>")], "login_failed"),
    ] {
        let state = state_of_login(&tenant).await;
        let mut query = query;
        query.push(("state", &state));
        let (status, body, location) = visit(callback(&query)).await;
        let outcome = Outcome(Url::parse(&location.unwrap()).unwrap());
        assert_eq!((status, outcome.get("status"), outcome.get("code")), (302, "error".into(), code.into()), "{body}");
        assert!(!outcome.0.as_str().contains("script"));
    }
    assert!(tenant.items("/api/meta/integrations").await.is_empty());
}

#[tokio::test]
async fn a_code_used_by_another_login_is_not_taken() {
    let tenant = OrgFixture::new("callback-twice").create().await;
    let person = world().create_person(1).await;
    let back = person.consent(&tenant.request_auth_url(Value::Null).await).await;
    let code = Outcome(back.clone()).get("code");
    assert_eq!(visit(back).await.0, 302);
    let state = state_of_login(&tenant).await;
    let (_, _, location) = visit(callback(&[("state", &state), ("code", &code)])).await;
    assert_eq!(Outcome(Url::parse(&location.unwrap()).unwrap()).get("code"), "code_refused");
}
