//! Access in the console: other orgs, other roles, forms of other sessions, ended sessions.

use e2e::ad_accounts::{create_ad_accounts, link_ad_account};
use e2e::browser::{Browser, DESK};
use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture, create_campaign, schedule_post};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::world;
use reqwest::Method;
use serde_json::{Value, json};

/// An org with an admin's login, a page and a lead.
pub(crate) struct OrgWithLead {
    pub(crate) tenant: Tenant,
    /// The e-mail address of the admin.
    pub(crate) email: String,
    pub(crate) integration: String,
    pub(crate) lead: String,
}

pub(crate) async fn create_org_with_lead(org: &str) -> OrgWithLead {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new(org).users(&["ann"]).connect().await;
    let email = tenant.create_login("Ada Min", "admin").await;
    let ids = LeadFixture::new(&person.forms[0]).submit(1).await;
    let lead = tenant.wait_for_leads(&ids).await[0].text("id").to_owned();
    OrgWithLead { tenant, email, integration, lead }
}

/// With forms that are right but for the org. `foreign_ids.rs` tries every address.
#[tokio::test]
async fn nobody_reaches_another_org() {
    let OrgWithLead { tenant: owner, integration, lead, .. } = create_org_with_lead("console-owner").await;
    let stranger = OrgFixture::new("console-stranger").create().await;
    let mut guest = Guest::log_in(&stranger.create_login("Eve Stranger", "admin").await).await;
    let form = owner.items("/api/meta/forms").await[0].text("form_id").to_owned();
    let token = create_ad_accounts(&[("700600001", "EUR", "Europe/Berlin")]).await;
    link_ad_account(&owner, "700600001", "one", &token).await;
    let account = "/ads/accounts/act_700600001";
    let page = owner.items("/api/meta/connections").await[0].text("page_id").to_owned();
    let post = schedule_post(&owner, &page).await;
    let campaign = create_campaign(&owner, &integration, [&page, &form]).await;
    let endpoint = json!({ "url": "https://crm.example/events" });
    let endpoint = owner.call_ok(Method::POST, "/api/webhooks", &endpoint).await.text("id").to_owned();
    for path in [format!("/posts/new?copy={post}"), format!("/campaigns/new?copy={campaign}")] {
        let page = guest.get(&path).await;
        assert_eq!(page.status, 404, "{path}: {}", page.text);
    }
    for (path, fields) in [
        (format!("/webhooks/{endpoint}"), &[("url", "https://x.example/"), ("all", "yes")][..]),
        (format!("/webhooks/{endpoint}/rotate"), &[]),
        (format!("/webhooks/{endpoint}/test"), &[]),
        (format!("/webhooks/{endpoint}/deliveries/evt_1/resend"), &[]),
        (format!("/integrations/{integration}/delete"), &[]),
        (
            format!("/integrations/{integration}/settings"),
            &[("name", "Mine"), ("assignment", "unassigned"), ("inbox_assignment", "unassigned")],
        ),
        (format!("/integrations/{integration}/sync"), &[]),
        (format!("/integrations/{integration}/quality"), &[]),
        (format!("/integrations/{integration}/quality/test"), &[("test_event_code", "TEST1")]),
        (format!("/leads/{lead}/status"), &[("status", "lost")]),
        (format!("/leads/{lead}/notes"), &[("note", "Mine")]),
        (format!("/integrations/{integration}/reconnect"), &[]),
        (format!("/integrations/{integration}/pages"), &[("page", "1")]),
        (format!("/integrations/{integration}/token"), &[("token", "EAAx")]),
        (format!("/integrations/{integration}/backfill"), &[("days", "30")]),
        (format!("/leads/{lead}/assign"), &[("assigned_to", "unassigned")]),
        (format!("/forms/{form}"), &[("rules", "0")]),
        (format!("/forms/{form}/preview"), &[("rules", "0")]),
        (format!("/forms/{form}/rerun"), &[]),
        (format!("/forms/{form}/test-lead"), &[]),
        (account.to_owned(), &[("label", "Mine"), ("client_name", "Mine"), ("conversions", "lead")]),
        (format!("{account}/pause"), &[("paused", "yes")]),
        (format!("{account}/sync"), &[]),
        (format!("{account}/token"), &[("token", "EAAx")]),
        (format!("{account}/unlink"), &[]),
        (format!("/posts/{post}/move"), &[("at", "2027-01-01T09:00")]),
        (format!("/posts/{post}/publish"), &[]),
        (format!("/posts/{post}/cancel"), &[]),
    ] {
        let page = guest.post(&path, fields).await;
        assert_eq!(page.status, 404, "{path}: {}", page.text);
        assert!(page.text.contains("This org has no such"), "{path}: {}", page.text);
    }
    let kept = owner.get("/api/meta-ads/accounts/act_700600001").await;
    assert_ne!((&kept["state"], &kept["label"]), (&json!("paused"), &json!("Mine")));
    assert!(!guest.get("/leads").await.text.contains(&lead));
    let still = owner.get(&format!("/api/meta/integrations/{integration}")).await;
    assert_ne!(still["name"], "Mine");
    assert_eq!(owner.get(&format!("/api/leads/{lead}")).await["status"], "new");
    // Only superadmins select an org.
    assert_eq!(guest.post("/orgs", &[("org", "console-owner")]).await.status, 403);
    assert_eq!(guest.get("/orgs").await.status, 403);
}

#[tokio::test]
async fn each_role_sees_its_own() {
    let OrgWithLead { tenant, integration, lead, .. } = create_org_with_lead("console-roles").await;
    tenant.put_user("sal", "Sal", true).await;
    let mut sal = Guest::log_in(&tenant.create_login("Sal", "sales").await).await;
    assert_eq!(sal.get("/").await.location, "/leads");
    let leads = sal.get("/leads").await;
    assert!(leads.text.contains(&lead) && !leads.text.contains("/integrations"), "{}", leads.text);
    let page = sal.get(&format!("/leads/{lead}")).await;
    assert!(page.text.contains("History") && !page.text.contains("Reassign</button>"), "{}", page.text);
    for path in [
        "/integrations",
        &format!("/integrations/{integration}"),
        &format!("/integrations/{integration}/settings"),
        "/forms",
        "/delivery",
        "/ads",
        "/ads/log",
        "/leads/import",
        "/orgs",
    ] {
        assert_eq!(sal.get(path).await.status, 403, "{path}");
    }
    for (path, fields) in [
        (format!("/leads/{lead}/assign"), [("assigned_to", "ann")]),
        (format!("/leads/{lead}/status"), [("status", "lost")]),
        (format!("/integrations/{integration}/delete"), [("x", "y")]),
        ("/delivery/replay".to_owned(), [("x", "y")]),
    ] {
        assert_eq!(sal.post(&path, &fields).await.status, 403, "{path}");
    }
    assert_eq!(tenant.get(&format!("/api/leads/{lead}")).await["status"], "new");
    // A user who leaves loses access, and a user without the permission never had it.
    tenant.put_user("sal", "Sal", false).await;
    assert_eq!(sal.get("/leads").await.status, 403);
    let mut nobody = Guest::log_in(&tenant.create_login("No Body", "sales").await).await;
    assert_eq!(nobody.get("/leads").await.status, 403);

    let mut moderator = Guest::log_in("moderator@demo.example").await;
    assert_eq!(moderator.get("/integrations").await.status, 200);
    let mut basic = Guest::log_in("admin@basic.example").await;
    let page = basic.get("/integrations").await;
    assert_eq!(page.status, 402);
    assert!(page.text.contains("Upgrade to connect Meta") && page.text.contains("Basic Guides"), "{}", page.text);

    let mut root = Guest::log_in("superadmin@leadwire.example").await;
    assert_eq!(root.get("/").await.location, "/orgs");
    assert_eq!(root.get("/leads").await.location, "/orgs?back=%2Fleads");
    assert!(root.get("/orgs").await.text.contains("console-roles"));
    let proof = root.get("/orgs").await.text;
    let proof = proof.split("name=\"form_key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let select = [("org", "console-roles"), ("form_key", proof.as_str())];
    assert_eq!(root.request(Method::POST, "/orgs", &select, &[]).await.status, 303);
    assert!(root.get("/leads").await.text.contains(&lead));
    assert_eq!(root.post("/orgs", &[("org", "no-such-org")]).await.status, 400);
}

#[tokio::test]
async fn a_form_acts_only_for_the_session_it_was_made_for() {
    let OrgWithLead { tenant, email, integration, .. } = create_org_with_lead("console-forgery").await;
    let mut victim = Guest::log_in(&email).await;
    let thief = Guest::log_in(&tenant.create_login("Ted Thief", "admin").await).await.csrf_token().await;
    let path = format!("/integrations/{integration}/delete");
    for stolen in
        [vec![("a", "b")], vec![("form_key", "")], vec![("form_key", "00ff")], vec![("form_key", thief.as_str())]]
    {
        let page = victim.request(Method::POST, &path, &stolen, &[]).await;
        assert_eq!(page.status, 403, "{stolen:?}");
        assert!(page.text.contains("does not belong to your session"), "{}", page.text);
    }
    // A request with another content type or without a form is rejected as well.
    let page = victim.request(Method::POST, &path, &[("form_key", "x")], &[("content-type", "text/plain")]).await;
    assert!(page.status.is_client_error());
    assert_eq!(victim.get(&path).await.location, format!("/integrations/{integration}"), "asking does nothing");
    assert_eq!(tenant.get(&format!("/api/meta/integrations/{integration}")).await["id"], integration);
    assert_eq!(victim.post(&path, &[]).await.status, 303);
    assert_eq!(tenant.call(Method::GET, &format!("/api/meta/integrations/{integration}"), &Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_session_ends_when_it_is_ended_and_what_was_sent_after_is_not_done() {
    let OrgWithLead { tenant, email, integration, lead } = create_org_with_lead("console-session").await;
    let mut guest = Guest::log_in(&email).await;
    // The link in mails about a connection.
    assert_eq!(guest.get(&format!("/?reconnect={integration}")).await.location, format!("/integrations/{integration}"));
    let (mut copy, proof) = (guest.copy(), guest.csrf_token().await);
    assert_eq!(guest.post("/logout", &[]).await.status, 200);
    // Every copy of the cookie is worthless now.
    let page = copy.get("/leads?status=new").await;
    assert_eq!((page.status.as_u16(), page.location.as_str()), (303, "/login?back=%2Fleads%3Fstatus%3Dnew"));
    // A GET of a URL that only accepts forms redirects to the page with the form.
    let acts = Guest::log_in(&email).await.get(&format!("/leads/{lead}/status?x=y")).await;
    assert_eq!(acts.location, format!("/leads/{lead}?x=y"));
    let referer = format!("{}/leads/{lead}", world().endpoints.url);
    let sent = [("status", "lost"), ("form_key", proof.as_str())];
    let page = copy.request(Method::POST, &format!("/leads/{lead}/status"), &sent, &[("referer", &referer)]).await;
    assert_eq!(
        (page.status.as_u16(), page.location.as_str()),
        (303, format!("/login?back=%2Fleads%2F{lead}").as_str())
    );
    assert_eq!(tenant.get(&format!("/api/leads/{lead}")).await["status"], "new");
    // After logging in again, the user is back at the page and learns that nothing was changed.
    let asked = copy.get(&page.location).await;
    let back = copy.log_in_at_issuer(&asked.location, &email).await;
    let back = copy.get(&back[url::Position::BeforePath..]).await;
    assert_eq!(back.location, format!("/leads/{lead}"));
    let page = copy.get(&back.location).await;
    assert!(page.text.contains("Your session had ended, so nothing was changed."), "{}", page.text);
    assert!(!copy.get(&back.location).await.text.contains("Your session had ended"), "told once");
    // A request for a fragment gets a fragment as response.
    let part = Guest::default().request(Method::GET, "/forms/list", &[], &[("x-part", "1")]).await;
    assert_eq!(part.status, 401);
    assert!(part.text.contains("Your session has ended"), "{}", part.text);
}

#[tokio::test]
async fn a_connection_is_finished_by_the_browser_that_began_it() {
    let tenant = OrgFixture::new("console-mailed").create().await;
    let person = world().create_person(1).await;
    let mut guest = Guest::log_in(&tenant.create_login("Mal Lory", "admin").await).await;
    // The login link is mailed to a person who has the pages; their browser did not begin the login.
    let begun = guest.post("/integrations/connect", &[]).await;
    let callback = person.consent(&begun.location).await;
    let back = Guest::default().get(&callback[url::Position::BeforePath..]).await;
    assert!(back.location.contains("code=other_browser"), "{}", back.location);
    assert!(tenant.items("/api/meta/integrations").await.is_empty());
    let begun = guest.post("/integrations/connect", &[]).await;
    let callback = person.consent(&begun.location).await;
    let back = guest.get(&callback[url::Position::BeforePath..]).await;
    assert!(back.location.contains("status=connected"), "{}", back.location);
}

#[tokio::test]
async fn logins_are_finished_where_they_were_begun() {
    let tenant = OrgFixture::new("console-login").create().await;
    let email = tenant.create_login("Lou Login", "admin").await;
    let mut victim = Guest::default();
    let begun = victim.get("/login?back=//evil.example/x").await;
    let back = victim.log_in_at_issuer(&begun.location, &email).await;
    let back = &back[url::Position::BeforePath..];
    // Another browser is rejected, and a changed state matches no login.
    let mut other = Guest::default();
    let page = other.get(back).await;
    assert_eq!(page.status, 401, "{}", page.text);
    assert!(page.text.contains("was not started in this browser"), "{}", page.text);
    let page = victim.get(&back.replace("state=", "state=x")).await;
    assert_eq!(page.status, 401);
    let page = victim.get("/login/callback?code=made-up").await;
    assert_eq!(page.status, 401);
    let done = victim.get(back).await;
    assert_eq!((done.status.as_u16(), done.location.as_str()), (303, "/"), "not to evil.example");
    // A login completes only once.
    assert_eq!(victim.get(back).await.status, 401);
    let cookie = done.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let session = cookie.into_iter().find(|cookie| cookie.starts_with("leadwire=")).unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(session.contains(attribute), "{session}");
    }
    // The table stores nothing that could open the session.
    let rows = world().scan_table(&world().endpoints.sessions_table, "").await;
    let value = session.split(['=', ';']).nth(1).unwrap();
    assert!(!rows.is_empty() && rows.iter().all(|row| !row.to_string().contains(value)));
}

#[tokio::test]
async fn a_session_ends_with_the_login_the_role_and_the_person() {
    let tenant = OrgFixture::new("console-leavers").create().await;
    let world = world();
    // The login is disabled.
    let email = tenant.create_login("Lea Leaver", "admin").await;
    let mut leaver = Guest::log_in(&email).await;
    world.make_sessions_due(&email).await;
    assert_eq!(leaver.get("/integrations").await.status, 200, "the login stands");
    world.change_login(&email, "AdminDisableUser", json!({})).await;
    world.make_sessions_due(&email).await;
    let sent_away = leaver.get("/integrations").await;
    assert!(sent_away.location.starts_with("/login"), "{}", sent_away.text);
    world.change_login(&email, "AdminEnableUser", json!({})).await;
    assert!(leaver.get("/integrations").await.location.starts_with("/login"), "what is over stays over");
    // Someone is signed out everywhere.
    let mut leaver = Guest::log_in(&email).await;
    world.change_login(&email, "AdminUserGlobalSignOut", json!({})).await;
    world.make_sessions_due(&email).await;
    assert!(leaver.get("/integrations").await.location.starts_with("/login"));
    // The role is lost.
    let email = tenant.create_login("Rolf Role", "admin").await;
    let mut mover = Guest::log_in(&email).await;
    let proof = mover.csrf_token().await;
    let role = json!({ "UserAttributes": [{ "Name": "custom:role", "Value": "sales" }] });
    world.change_login(&email, "AdminUpdateUserAttributes", role).await;
    world.make_sessions_due(&email).await;
    assert_eq!(mover.get("/integrations").await.status, 403);
    let act = mover.request(Method::POST, "/ads/sync", &[("form_key", &proof)], &[]).await;
    assert_eq!(act.status, 403);
    // The CRM says that the person has left: at once, in the console and in the API, whatever the role.
    let email = tenant.create_login("Paul Parted", "admin").await;
    let mut parted = Guest::log_in(&email).await;
    assert_eq!(parted.get("/integrations").await.status, 200);
    let headers =
        [("authorization", format!("Bearer {}", world.token_of(&email).await)), ("orgid", tenant.org.clone())];
    let (status, _) = tenant.call_with(Method::GET, "/api/leads", &Value::Null, &headers).await;
    assert_eq!(status, 200);
    let user = json!({ "name": "Paul Parted", "email": email, "active": false });
    tenant.call_ok(Method::PUT, "/api/users/crm-17", &user).await;
    assert_eq!(parted.get("/integrations").await.status, 403);
    let (status, refused) = tenant.call_with(Method::GET, "/api/leads", &Value::Null, &headers).await;
    assert_eq!((status, refused.text("code")), (403, "user_inactive"), "{refused}");
    let mut again = Guest::default();
    let begun = again.get("/login").await;
    let back = again.log_in_at_issuer(&begun.location, &email).await;
    assert_eq!(again.get(&back[url::Position::BeforePath..]).await.status, 403);
}

#[tokio::test]
async fn whoever_presses_a_button_after_the_session_has_ended_comes_to_the_login_page() {
    let OrgWithLead { tenant, email, lead, .. } = create_org_with_lead("console-ended").await;
    let browser = Browser::open(DESK).await;
    browser.open_page(&format!("/leads/{lead}")).await;
    browser.log_in(&email).await;
    browser.wait_for_text("History").await;
    browser.client.delete_all_cookies().await.unwrap();
    browser.choose("select[name=status]", "Lost").await;
    browser.press("Change status").await;
    browser.log_in(&email).await;
    browser.wait_for_text("Your session had ended, so nothing was changed.").await;
    browser.wait_for_text("History").await;
    assert_eq!(tenant.get(&format!("/api/leads/{lead}")).await["status"], "new");
    // Search forms behave the same.
    browser.open_page("/leads").await;
    browser.client.delete_all_cookies().await.unwrap();
    browser.press("Filters").await;
    browser.choose("select[name=status]", "Lost").await;
    browser.press("Filter").await;
    browser.log_in(&email).await;
    browser.wait_for_text("No leads match").await;
    browser.close().await;
}

#[tokio::test]
async fn a_page_of_one_org_does_not_act_on_the_one_selected_since() {
    let first = create_org_with_lead("console-tab-one").await.tenant;
    let second = create_org_with_lead("console-tab-two").await.tenant;
    let mut root = Guest::log_in("superadmin@leadwire.example").await;
    let proof =
        |page: String| page.split("name=\"form_key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fresh = proof(root.get("/orgs").await.text);
    let select =
        |org: &'static str, proof: String| [("org", org), ("form_key", Box::leak(proof.into_boxed_str()) as &str)];
    assert_eq!(root.request(Method::POST, "/orgs", &select("console-tab-one", fresh), &[]).await.status, 303);
    let of_first = proof(root.get("/integrations").await.text);
    assert_eq!(
        root.request(Method::POST, "/orgs", &select("console-tab-two", of_first.clone()), &[]).await.status,
        303
    );
    let page = root.request(Method::POST, "/integrations/disconnect", &[("form_key", of_first.as_str())], &[]).await;
    assert_eq!(page.status, 403, "{}", page.text);
    for org in [&first, &second] {
        assert_eq!(org.items("/api/meta/integrations").await.len(), 1);
    }
}
