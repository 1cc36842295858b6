//! A backup: the items of an org are exported, deleted and put back as they were, and everything goes on.

use std::collections::BTreeMap;

use e2e::ad_accounts::{create_ad_accounts, link_ad_account, wait_until_ready};
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture, schedule_post};
use e2e::json::Json;
use e2e::meta::leadgen_body;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};

const ORG: &str = "restore";
const AD_ACCOUNT: &str = "700900001";
/// What a schedule that runs for all orgs may change at any time.
const VOLATILE: [&str; 4] = ["checked_at", "last_sync_at", "evidence", "as_of"];

/// An org in which everything was used.
struct UsedOrg {
    connected: ConnectedOrg,
    /// The submissions that became leads, in the order in which they came.
    leads: Vec<String>,
    /// The post that is to be published later.
    post: String,
}

impl UsedOrg {
    fn tenant(&self) -> &Tenant {
        &self.connected.tenant
    }

    fn page(&self) -> &str {
        &self.connected.person.pages[0]
    }

    fn form(&self) -> &str {
        &self.connected.person.forms[0]
    }
}

async fn write_message(page: &str, text: &str) {
    let body = json!({ "channel": "messenger", "page_id": page, "person": "Rosa Restored", "text": text });
    world().call_sim(Method::POST, "messages", &body).await;
}

fn details() -> Value {
    json!({ "full_name": "Rosa Restored", "email": "rosa@restored.example", "phone_number": "+4915112340000" })
}

/// Creates an org with leads, a parked one, a person with two forms, a conversation, a post and ads.
async fn use_org() -> UsedOrg {
    let connected = OrgFixture::new(ORG).users(&["ann", "bob", "cyd"]).round_robin().connect().await;
    let (tenant, person) = (&connected.tenant, &connected.person);
    let (page, form) = (&person.pages[0], &person.forms[0]);
    let mut leads = LeadFixture::new(form).answers(&details()).submit(1).await;
    tenant.wait_for_leads(&leads).await;
    leads.extend(LeadFixture::new(form).submit(3).await);
    tenant.wait_for_leads(&leads).await;
    LeadFixture::new(form).answers(&details()).submit(1).await;
    let first = format!("/api/leads/meta-{}", leads[0]);
    wait_for("the second form of the person", async || {
        (tenant.get(&first).await["submissions_count"] == 1).then_some(())
    })
    .await;
    tenant.call_ok(Method::PATCH, &first, &json!({ "status": "qualified", "note": "Call in May" })).await;
    world().submit_withheld_lead(person).await;
    tenant.wait_for_parked().await;
    write_message(page, "Is there parking?").await;
    wait_for("the conversation", async || tenant.items("/api/conversations").await.pop()).await;
    let post = schedule_post(tenant, page).await;
    let token = create_ad_accounts(&[(AD_ACCOUNT, "EUR", "Europe/Berlin")]).await;
    link_ad_account(tenant, AD_ACCOUNT, "outdoor", &token).await;
    wait_until_ready(tenant, AD_ACCOUNT).await;
    // Of an event that does not happen here, so that nothing is sent.
    let endpoint = json!({ "url": "https://crm.example/events", "events": ["connection.expired"] });
    tenant.call_ok(Method::POST, "/api/webhooks", &endpoint).await;
    let used = UsedOrg { leads, post, connected };
    wait_until_quiet(&used).await;
    used
}

/// Waits until nothing is on its way any more: what is exported is as it stays.
async fn wait_until_quiet(used: &UsedOrg) {
    let mut before = Vec::new();
    wait_for("the org to be quiet", async || {
        let now = export(used).await;
        let is_same = now == before;
        before = now;
        if !is_same {
            tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        }
        is_same.then_some(())
    })
    .await;
}

/// Everything that the API says of the org, by its address.
async fn read_all(used: &UsedOrg) -> BTreeMap<String, (u16, Value)> {
    let lead = format!("/api/leads/meta-{}", used.leads[0]);
    let (page, form, integration) = (used.page(), used.form(), &used.connected.integration);
    let mut addresses: Vec<String> = [
        "/api/users",
        "/api/audit",
        "/api/leads?limit=50",
        "/api/leads?status=qualified",
        "/api/leads?assigned_to=ann",
        "/api/leads?q=restored",
        "/api/leads?q=rosa@restored.example",
        "/api/leads/latency",
        "/api/parked",
        "/api/meta/integrations",
        "/api/meta/connections",
        "/api/meta/forms",
        "/api/conversations",
        "/api/contacts",
        "/api/posts",
        "/api/webhooks",
        "/api/meta-ads/accounts",
        "/api/meta-ads/campaigns",
        "/api/meta-ads/report?group_by=campaign,day",
        "/api/meta-ads/report?group_by=account",
    ]
    .map(str::to_owned)
    .into();
    addresses.extend([
        lead.clone(),
        format!("{lead}/trace"),
        format!("/api/leads?page_id={page}"),
        format!("/api/leads?form_id={form}"),
        format!("/api/meta/forms/{form}/mapping"),
        format!("/api/meta/integrations/{integration}"),
        format!("/api/meta/integrations/{integration}/pages"),
        format!("/api/meta/integrations/{integration}/health"),
        format!("/api/posts/{}", used.post),
    ]);
    for conversation in used.tenant().call(Method::GET, "/api/conversations", &Value::Null).await.1["items"]
        .as_array()
        .into_iter()
        .flatten()
    {
        addresses.push(format!("/api/conversations/{}/messages", conversation.text("id")));
    }
    let mut answers = BTreeMap::new();
    for address in addresses {
        let (status, mut body) = used.tenant().call(Method::GET, &address, &Value::Null).await;
        leave_out_volatile(&mut body);
        answers.insert(address, (status, body));
    }
    answers
}

fn leave_out_volatile(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !VOLATILE.contains(&name.as_str()));
            fields.values_mut().for_each(leave_out_volatile);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_volatile),
        _ => {}
    }
}

/// Exports the org's items: those in its own partitions, and those of its pages.
async fn export(used: &UsedOrg) -> Vec<Value> {
    let (own, of_org) = (format!("ORG#{ORG}"), format!("ORG#{ORG}#"));
    let pages: Vec<String> = used.connected.person.pages.iter().map(|page| format!("PAGE#{page}")).collect();
    let mut items = world().scan_rows("").await;
    items.retain(|item| {
        let (pk, sk) = (item.text("pk.S").to_owned(), item.text("sk.S").to_owned());
        pk == own || pk.starts_with(&of_org) || format!("{sk}#").contains(&of_org) || pages.contains(&pk)
    });
    items.sort_by_key(|item| (item.text("pk.S").to_owned(), item.text("sk.S").to_owned()));
    items
}

/// Puts or deletes items, as many at once as DynamoDB takes.
async fn write(items: &[Value], request: impl Fn(&Value) -> Value) {
    let table = &world().endpoints.table;
    for items in items.chunks(25) {
        let requests: Vec<Value> = items.iter().map(&request).collect();
        let input = json!({ "RequestItems": { table: requests } });
        // The stand-in for DynamoDB fails at times while functions write.
        wait_for("a batch of writes", async || {
            let done = world().aws().json("dynamodb", "DynamoDB_20120810.BatchWriteItem", &input).await.ok()?;
            done["UnprocessedItems"].as_object().is_none_or(serde_json::Map::is_empty).then_some(())
        })
        .await;
    }
}

async fn leads_of_each(tenant: &Tenant) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for lead in tenant.leads("").await {
        *counts.entry(lead["assigned_to"].as_str().unwrap_or("no one").to_owned()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn an_org_whose_items_are_put_back_goes_on_as_if_nothing_had_been() {
    let used = use_org().await;
    let tenant = used.tenant();
    let before = read_all(&used).await;
    let wrong: Vec<_> = before.iter().filter(|(_, (status, _))| *status != 200).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let items = export(&used).await;
    assert!(items.len() > 60, "{} items", items.len());

    // All of it is lost.
    let key = |item: &Value| json!({ "pk": item["pk"], "sk": item["sk"] });
    write(&items, |item| json!({ "DeleteRequest": { "Key": key(item) } })).await;
    assert_eq!(tenant.leads("").await, Vec::<Value>::new());
    assert_eq!(tenant.call(Method::GET, &format!("/api/leads/meta-{}", used.leads[0]), &Value::Null).await.0, 404);
    let (status, problem) = tenant.call(Method::GET, "/api/meta/integrations", &Value::Null).await;
    assert_eq!((status, problem.text("code")), (402, "meta_not_in_plan"), "an org that is not known has no plan");

    // It is put back, and everything is as it was.
    write(&items, |item| json!({ "PutRequest": { "Item": item } })).await;
    let after = read_all(&used).await;
    for (address, answer) in &before {
        assert_eq!(after.get(address), Some(answer), "{address}");
    }
    assert_eq!(after.len(), before.len());

    goes_on(&used).await;
}

/// What happens next builds on what was put back.
async fn goes_on(used: &UsedOrg) {
    let (tenant, page, form) = (used.tenant(), used.page(), used.form());
    // What is known is not stored again: the same notice, and another form of a known person.
    assert_eq!(world().deliver(&leadgen_body(page, &used.leads[1], form)).await.0, 200);
    LeadFixture::new(form).answers(&details()).submit(1).await;
    let first = format!("/api/leads/meta-{}", used.leads[0]);
    wait_for("the third form of the person", async || {
        (tenant.get(&first).await["submissions_count"] == 2).then_some(())
    })
    .await;
    // The parked lead comes in, and the turns go on where they were: six leads, two for each.
    tenant.call_ok(Method::POST, "/api/parked/replay", &json!({})).await;
    let new = LeadFixture::new(form).submit(1).await;
    tenant.wait_for_leads(&new).await;
    let counts = wait_for("six leads", async || {
        let counts = leads_of_each(tenant).await;
        (counts.values().sum::<usize>() == 6).then_some(counts)
    })
    .await;
    let two_each: BTreeMap<String, usize> = ["ann", "bob", "cyd"].map(|user| (user.to_owned(), 2)).into();
    assert_eq!(counts, two_each);
    assert_eq!(tenant.items("/api/parked").await, Vec::<Value>::new());
    // The person writes again, and is the same one in the same conversation.
    write_message(page, "And until when are you open?").await;
    let conversation = tenant.items("/api/conversations").await.remove(0);
    let messages = format!("/api/conversations/{}/messages", conversation.text("id"));
    wait_for("the second message", async || (tenant.items(&messages).await.len() == 2).then_some(())).await;
    assert_eq!(tenant.items("/api/conversations").await.len(), 1);
    // The post waits for its time, and can be cancelled.
    let cancelled = tenant.call_ok(Method::DELETE, &format!("/api/posts/{}", used.post), &Value::Null).await;
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
    // The ad account goes on with its next sync.
    let before = tenant.get(&format!("/api/meta-ads/accounts/act_{AD_ACCOUNT}")).await;
    tenant.call_ok(Method::POST, "/api/meta-ads/sync", &json!({ "account_id": format!("act_{AD_ACCOUNT}") })).await;
    wait_for("another sync", async || {
        let now = tenant.get(&format!("/api/meta-ads/accounts/act_{AD_ACCOUNT}")).await;
        assert_ne!(now["state"], "error", "{now}");
        (now["last_sync_at"] != before["last_sync_at"]).then_some(())
    })
    .await;
}
