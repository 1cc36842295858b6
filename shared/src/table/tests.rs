//! The table against an in-process DynamoDB. Its definition is read from the template, so there is no second schema.

use std::path::Path;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use jiff::Timestamp;
use serde_json::json;

use super::shape::ItemKind;
use super::*;
use crate::ids::{FormId, IntegrationId, LeadgenId, OrgId, OrgScope, PageId, UserId};
use crate::jobs::LeadJob;
use crate::model::connection::problem::{Impact, IntegrationProblem, IntegrationProblemCode};
use crate::model::connection::{ConnectedBy, Connection, Integration};
use crate::model::failure::FailureCode;
use crate::model::lead::assignment::Assignment;
use crate::model::lead::form::{ConsentBox, Form, Question};
use crate::model::lead::{Answer, Attribution, Consent, FoundBy, Lead, Status};
use crate::model::org::{Permission, User};
use crate::model::webhook::LeadNotice;
use crate::table::lead_list::LeadFilter;
use crate::table::parked::{Hold, ParkedLead};

/// Creates an empty table as the template defines it.
pub(crate) async fn empty_table() -> Table {
    let database = dynoxide::Database::memory().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { dynoxide::server::serve_on(listener, database).await });

    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/template.yaml");
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&std::fs::read_to_string(template).unwrap()).unwrap();
    let properties = &template["Resources"]["Table"]["Properties"];
    let mut definition = json!({ "TableName": "table" });
    for name in ["BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"] {
        definition[name] = serde_json::to_value(&properties[name]).unwrap();
    }
    let created = reqwest::Client::new()
        .post(&endpoint)
        .header("x-amz-target", "DynamoDB_20120810.CreateTable")
        .header("content-type", "application/x-amz-json-1.0")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
        )
        .header("x-amz-date", "20260101T000000Z")
        .body(definition.to_string())
        .send()
        .await
        .unwrap();
    assert!(created.status().is_success(), "{}", created.text().await.unwrap());

    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::for_tests())
        .build();
    Table::new(Client::from_conf(config), "table".into())
}

pub(crate) fn scope(org: &str) -> OrgScope {
    OrgScope::new(OrgId::parse(org).unwrap())
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Table {
    /// A table that does not exist: every request fails.
    pub(crate) fn missing(&self) -> Self {
        Self { name: "missing".to_owned(), ..self.clone() }
    }

    /// Leaves of all items of a kind what no release can read.
    pub(crate) async fn damage(&self, kind: &str) {
        for mut item in self.everything().await {
            if item.get("type").and_then(|it| it.as_s().ok()).is_some_and(|it| it == kind) {
                item.retain(|name, _| ["pk", "sk", "type"].contains(&name.as_str()));
                self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await.unwrap();
            }
        }
    }

    /// Everything that is stored.
    pub(crate) async fn everything(&self) -> Vec<Item> {
        self.client.scan().table_name(&self.name).send().await.unwrap().items.unwrap()
    }
}

pub(crate) fn user(id: &str, active: bool) -> User {
    User {
        id: UserId::parse(id).unwrap(),
        name: id.to_uppercase(),
        email: format!("{id}@example.com"),
        role: None,
        active,
        permissions: vec![Permission::LeadManagement.name().into()],
        language: None,
        updated_at: at("2026-01-01T00:00:00Z"),
    }
}

pub(crate) fn integration(assignment: Assignment) -> Integration {
    Integration {
        id: IntegrationId::parse("int_1").unwrap(),
        name: "Ours".into(),
        assignment,
        credentials: vec!["stack/integration/int_1".into()],
        token_expires_at: Some(at("2026-03-01T00:00:00Z")),
        scopes: vec!["leads_retrieval".into()],
        problems: vec![IntegrationProblem {
            code: IntegrationProblemCode::ScopeMissing,
            impact: Impact::AdsReports,
            page_id: None,
            message: "m".into(),
            fix: "f".into(),
        }],
        ended: None,
        ..Integration::draft(
            OrgId::parse("a").unwrap(),
            ConnectedBy { user_id: UserId::parse("u").unwrap(), name: None },
            at("2026-01-01T00:00:00Z"),
        )
    }
}

pub(crate) fn connection(org: &str) -> Connection {
    Connection {
        org: OrgId::parse(org).unwrap(),
        integration_id: IntegrationId::parse("int_1").unwrap(),
        tasks: vec!["MANAGE".into()],
        credentials: "stack/integration/int_1".into(),
        subscribed_fields: vec!["leadgen".into()],
        ..crate::model::connection::tests::connection()
    }
}

pub(crate) fn lead(id: u64, email: Option<&str>) -> Lead {
    let leadgen_id = LeadgenId::parse(&id.to_string()).unwrap();
    let created_time = Timestamp::from_second(1_767_225_600 + i64::try_from(id).unwrap()).unwrap();
    let attribution = Attribution {
        platform: Some("fb".into()),
        form_id: Some(FormId::parse("3").unwrap()),
        form_name: Some("Form".into()),
        campaign_id: Some("c".into()),
        ..Attribution::default()
    };
    let id = crate::ids::LeadId::from_leadgen(&leadgen_id);
    Lead {
        full_name: Some(format!("Person {leadgen_id}")),
        leadgen_id: Some(leadgen_id),
        tags: vec!["Facebook Lead Ad".into()],
        page_id: Some(PageId::parse("7").unwrap()),
        page_name: Some("Page".into()),
        attribution,
        email: email.map(Into::into),
        fields: [("city".to_owned(), "Bonn".to_owned())].into(),
        answers: vec![Answer { name: "q".into(), label: "Q?".into(), values: vec!["a".into(), "b".into()] }],
        consents: vec![Consent { key: "k".into(), text: Some("I agree.".into()), checked: true }],
        ..Lead::new(id, FoundBy::Webhook, created_time, at("2026-01-01T00:00:00Z"))
    }
}

/// Every entity is stored through [`Row`] or `set_all`, so this holds for all of them.
#[tokio::test]
async fn an_entity_with_a_field_of_the_envelope_is_refused_and_not_overwritten() {
    let table = empty_table().await;
    let key = keys::app_pause();
    for name in ["pk", "sk", "gsi1pk", "gsi1sk", "type", "ttl"] {
        let entity = json!({ "name": "n", name: "the entity's own" });
        let refused = Row::new(&key, ItemKind::Pause, &entity).item().unwrap_err().to_string();
        assert!(refused.contains(name), "{refused}");
        assert!(table.change(&key).set_all(&entity, &[]).is_err(), "{name}");
    }
    assert!(Row::new(&key, ItemKind::Pause, &json!({ "name": "n" })).item().is_ok());
}

fn parked(id: u64) -> ParkedLead {
    let lead = lead(id, None);
    let (leadgen_id, page_id) = (lead.leadgen_id.unwrap(), lead.page_id.unwrap());
    let notice =
        LeadNotice { leadgen_id: leadgen_id.clone(), page_id: page_id.clone(), form_id: None, created_time: None };
    ParkedLead {
        leadgen_id,
        page_id,
        reason: FailureCode::NotPermitted,
        evidence: "200: no".into(),
        parked_at: at("2026-01-01T00:00:00Z"),
        job: LeadJob::new(notice, at("2026-01-01T00:00:00Z"), FoundBy::Webhook),
    }
}

#[tokio::test]
async fn what_is_stored_comes_back_as_it_was() {
    let table = empty_table().await;
    let a = scope("a");
    table
        .insert_integration(&a, &integration(Assignment::User { user_id: UserId::parse("u").unwrap() }), None)
        .await
        .unwrap();
    assert_eq!(
        table.integrations(&a).await.unwrap(),
        [integration(Assignment::User { user_id: UserId::parse("u").unwrap() })]
    );
    table.save_connection(&a, &connection("a")).await.unwrap();
    assert_eq!(table.connections(&a).await.unwrap(), [connection("a")]);
    assert_eq!(table.connections_of_page(&connection("a").page_id).await.unwrap(), [(a.clone(), connection("a"))]);
    table.hold(&a, Hold::Parked, &parked(1)).await.unwrap();
    table.hold(&a, Hold::Parked, &parked(1)).await.unwrap();
    assert_eq!(table.parked_from(&a, None, 9).await.unwrap().0, [parked(1)]);
    assert!(table.parked_from(&scope("b"), None, 9).await.unwrap().0.is_empty());
    table.release(&a, Hold::Parked, &parked(1)).await.unwrap();
    assert!(table.parked_from(&a, None, 9).await.unwrap().0.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_pushes_of_one_user_the_later_one_wins_in_both_places() {
    let table = empty_table().await;
    let a = scope("a");
    for _ in 0..10 {
        let (on, off) = (user("ann", true), user("ann", false));
        let (first, second) = tokio::join!(table.put_user(&a, &on), table.put_user(&a, &off));
        first.unwrap();
        second.unwrap();
        let stored = table.user(&a, &on.id).await.unwrap().unwrap();
        assert_eq!(table.rotation(&a).await.unwrap().roster.contains(&stored.id), stored.active);
    }
}

#[tokio::test]
async fn a_push_that_changes_nothing_writes_nothing() {
    let table = empty_table().await;
    let a = scope("a");
    table.put_user(&a, &user("ann", true)).await.unwrap();
    let version = table.rotation(&a).await.unwrap().version;
    table.put_user(&a, &User { updated_at: at("2026-02-02T00:00:00Z"), ..user("ann", true) }).await.unwrap();
    assert_eq!(table.rotation(&a).await.unwrap().version, version);
}

#[tokio::test]
async fn a_rotation_and_an_org_have_a_limit() {
    use crate::table::directory::{MAX_IN_TURN, PutUserOutcome};
    let (table, a) = (empty_table().await, scope("a"));
    let users = (0..MAX_IN_TURN).map(|id| user(&format!("u{id:04}"), true)).collect::<Vec<_>>();
    for user in &users {
        assert_eq!(table.put_user(&a, user).await.unwrap(), PutUserOutcome::Stored);
    }
    assert_eq!(table.put_user(&a, &user("more", true)).await.unwrap(), PutUserOutcome::RosterFull);
    assert_eq!(table.user(&a, &user("more", true).id).await.unwrap(), None, "nothing is changed");
    assert_eq!(table.put_user(&a, &user("more", false)).await.unwrap(), PutUserOutcome::Stored, "out of turn");
    assert_eq!(table.put_user(&a, &users[7]).await.unwrap(), PutUserOutcome::Stored, "one of them");
    assert_eq!(table.put_user(&a, &user("u0007", false)).await.unwrap(), PutUserOutcome::Stored);
    assert_eq!(table.put_user(&a, &user("more", true)).await.unwrap(), PutUserOutcome::Stored, "there is room now");
    assert_eq!(table.rotation(&a).await.unwrap().roster.len(), MAX_IN_TURN);
}

#[tokio::test]
async fn a_form_is_taken_as_it_was_read_for_a_day() {
    let table = empty_table().await;
    let (page, id) = (PageId::parse("7").unwrap(), FormId::parse("3").unwrap());
    let form = Form {
        name: "F".into(),
        locale: Some("de_DE".into()),
        questions: vec![Question {
            key: "k".into(),
            label: Some("K?".into()),
            kind: Some("EMAIL".into()),
            options: vec![],
        }],
        consents: vec![ConsentBox { key: "news".into(), text: "Send me news.".into() }],
    };
    table.put_form(&page, &id, &form, at("2026-01-01T00:00:00Z")).await.unwrap();
    let read = async |now: &str| table.form(&page, &id, at(now)).await.unwrap();
    assert_eq!(read("2026-01-01T23:59:00Z").await, Some(form.clone()));
    assert_eq!(read("2026-01-02T00:00:00Z").await, None);
    // A copy that cannot be read is read from Meta again, and keeps no lead out.
    table.put_form(&page, &id, &form, at("2026-01-01T00:00:00Z")).await.unwrap();
    table.change(&keys::form(&page, &id)).set("questions", &"damaged").unwrap().send().await.unwrap();
    assert_eq!(read("2026-01-01T23:59:00Z").await, None);
    let now = at("2026-01-01T23:59:00Z");
    assert!(table.forms_and_mappings(&scope("a"), &[(&page, &id)], now).await.unwrap().0.is_empty());
}

#[tokio::test]
async fn listing_goes_page_by_page_through_what_matches() {
    let table = empty_table().await;
    let a = scope("a");
    table.insert_integration(&a, &integration(Assignment::Unassigned), None).await.unwrap();
    table.save_connection(&a, &connection("a")).await.unwrap();
    let leads: Vec<Lead> = (1..=20)
        .map(|id| Lead { tags: vec![crate::model::lead::tag((id % 2 == 0).then_some("ig")).into()], ..lead(id, None) })
        .collect();
    let plan = crate::model::lead::dedupe::plan(
        &leads,
        &table.dedupe_snapshot(&a, &leads).await.unwrap(),
        &Assignment::Unassigned,
    );
    assert_eq!(
        table.commit(&a, &[&connection("a")], &plan, at("2026-01-01T00:00:00Z")).await.unwrap(),
        commit::CommitOutcome::Committed
    );

    let all = async |filter: LeadFilter, limit: usize| {
        let (mut found, mut position) = (Vec::new(), None);
        loop {
            let (page, next) = table.leads(&a, &filter, position, limit).await.unwrap();
            assert!(page.len() <= limit);
            found.extend(page.into_iter().map(|lead| lead.leadgen_id.unwrap().as_str().parse::<u64>().unwrap()));
            match next {
                Some(next) => position = Some(next),
                None => return found,
            }
        }
    };
    assert_eq!(all(LeadFilter::default(), 7).await, (1..=20).rev().collect::<Vec<_>>());
    assert_eq!(
        all(LeadFilter { tag: Some("Instagram Lead Ad".into()), ..LeadFilter::default() }, 3).await,
        (1..=10).rev().map(|n| n * 2).collect::<Vec<_>>()
    );
    let from = Some(Timestamp::from_second(1_767_225_600 + 5).unwrap());
    let to = Some(Timestamp::from_second(1_767_225_600 + 8).unwrap());
    assert_eq!(all(LeadFilter { from, to, ..LeadFilter::default() }, 100).await, [7, 6, 5]);
    assert_eq!(
        all(
            LeadFilter {
                assignee: Some(None),
                status: Some(Status::New),
                page: PageId::parse("7").ok(),
                ..LeadFilter::default()
            },
            100
        )
        .await
        .len(),
        20
    );
    assert!(all(LeadFilter { status: Some(Status::Lost), ..LeadFilter::default() }, 100).await.is_empty());
    assert!(table.leads(&scope("b"), &LeadFilter::default(), None, 10).await.unwrap().0.is_empty());
}
