//! A connected org of a flow, with pages, forms and leads at the simulated Meta.

use axum::http::Method;
use e2e::json::Json;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use leadwire::ids::{IntegrationId, LeadgenId, OrgId, OrgScope, PageId, UserId};
use leadwire::jobs::LeadJob;
use leadwire::leads::{Arrival, Ingest, LeadWriter};
use leadwire::model::connection::{ConnectedBy, Connection, Integration};
use leadwire::model::lead::FoundBy;
use leadwire::model::lead::assignment::Assignment;
use leadwire::model::org::{Org, Plan, User};
use leadwire::model::webhook::LeadNotice;
use leadwire::trace::TraceId;
use serde_json::{Value, json};

use super::aws::Aws;

/// An org with one integration.
pub(super) struct Tenant {
    pub(super) scope: OrgScope,
    pub(super) integration: Integration,
    /// Each page with its forms.
    pub(super) pages: Vec<(Connection, Vec<String>)>,
}

impl Tenant {
    /// Creates an org of `users` in a round robin, with `pages` of `forms` each. Its ids are as long as UUIDs.
    pub(super) async fn connect(
        aws: &Aws,
        number: usize,
        users: usize,
        pages: usize,
        forms: usize,
    ) -> anyhow::Result<Self> {
        let table = aws.table();
        let org = OrgId::parse(&format!("5f0c6a3e-90c1-4d57-a3bb-{number:012}"))?;
        let (scope, now) = (crate::scope(org.clone())?, leadwire::clock::now());
        let plan = Plan { name: "pro".to_owned(), features: vec!["meta".to_owned()] };
        let named = Org {
            id: org.clone(),
            name: "Nordwind".to_owned(),
            plan,
            default_country: Some("DE".to_owned()),
            daily_spend_limit: None,
            keep_leads_days: None,
            updated_at: now,
        };
        table.put_org(&scope, &named).await?;
        for user in 0..users {
            let user = User {
                id: UserId::parse(&format!("7d1b6a3e-90c1-4d57-a3bb-{user:012}"))?,
                name: "Ann Example".to_owned(),
                email: "ann@example.com".to_owned(),
                role: None,
                active: true,
                permissions: vec!["lead_management".to_owned()],
                language: None,
                updated_at: now,
            };
            table.put_user(&scope, &user).await?;
        }
        // The pages and their tokens.
        let account = aws.call_sim(Method::POST, "system_users", &json!({ "pages": pages })).await?;
        let token = account.text("token");
        let secret = format!("stack/integration/{org}.0");
        let mut tokens = serde_json::Map::new();
        let by = ConnectedBy { user_id: UserId::parse("admin")?, name: Some("Una Admin".to_owned()) };
        let mut integration = Integration::draft(org.clone(), by, now);
        integration.id = IntegrationId::parse(&format!("int_{number}"))?;
        (integration.ended, integration.credentials) = (None, vec![secret.clone()]);
        integration.assignment = Assignment::RoundRobin;
        table.insert_integration(&scope, &integration, Some(now)).await?;
        let mut connected = Vec::new();
        for page in account.list("pages") {
            let id = page.text("id");
            tokens.insert(id.to_owned(), page_token(aws, id, token).await?.into());
            let connected_at = now - jiff::SignedDuration::from_hours(24 * 30);
            let connection = Connection {
                page_name: "Nordwind Fahrräder Hamburg".to_owned(),
                tasks: ["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MANAGE", "MESSAGING", "MODERATE"]
                    .map(str::to_owned)
                    .into(),
                credentials: secret.clone(),
                subscribed_fields: vec!["leadgen".to_owned()],
                ..Connection::new(org.clone(), integration.id.clone(), PageId::parse(id)?, connected_at)
            };
            table.save_connection(&scope, &connection).await?;
            let mut forms_of_page = Vec::new();
            for form in 0..forms {
                let form = create_form(aws, id, form).await?;
                forms_of_page.push(form);
            }
            connected.push((connection, forms_of_page));
        }
        aws.put_secret(&secret, &json!({ "pages": tokens, "user_token": token, "me": { "id": "1", "name": "Una" } }));
        Ok(Self { scope, integration, pages: connected })
    }

    /// Submits leads through a form, of which Meta tells no one, and returns what a webhook would say of them.
    pub(super) async fn submit(
        &self,
        aws: &Aws,
        page: usize,
        form: usize,
        count: usize,
    ) -> anyhow::Result<Vec<LeadNotice>> {
        let Some((connection, forms)) = self.pages.get(page) else { anyhow::bail!("no page {page}") };
        let form = forms.get(form).cloned().unwrap_or_default();
        let submitted = json!({ "form_id": form, "count": count, "deliver": "drop" });
        let answer = aws.call_sim(Method::POST, "leads", &submitted).await?;
        answer
            .list("ids")
            .iter()
            .filter_map(Value::as_str)
            .map(|id| {
                Ok(LeadNotice {
                    leadgen_id: LeadgenId::parse(id)?,
                    page_id: connection.page_id.clone(),
                    form_id: Some(leadwire::ids::FormId::parse(&form)?),
                    created_time: Some(leadwire::clock::now().as_second()),
                })
            })
            .collect()
    }
}

/// Returns the product's lead worker.
pub(super) async fn lead_worker(aws: &Aws) -> anyhow::Result<Ingest> {
    let writer = LeadWriter { table: aws.table(), bus: aws.bus() };
    Ok(Ingest { meta: aws.meta().await?, writer, checks: aws.queue() })
}

/// The job of a lead that a webhook reported.
pub(super) fn job(notice: LeadNotice, now: Timestamp) -> LeadJob {
    LeadJob::new(notice, now, FoundBy::Webhook)
}

/// The first delivery of a job.
pub(super) fn arrival(job: LeadJob) -> Arrival {
    Arrival { job, receive_count: 1, trace: TraceId::fresh() }
}

async fn create_form(aws: &Aws, page: &str, number: usize) -> anyhow::Result<String> {
    let questions = json!([
        { "label": "Full name", "type": "FULL_NAME" },
        { "label": "E-mail", "type": "EMAIL" },
        { "label": "Phone number", "type": "PHONE" },
        { "label": "City", "type": "CITY" },
        { "label": "When do you want to start?", "type": "CUSTOM",
          "options": [{ "value": "At once" }, { "value": "In three months" }] },
    ]);
    let form = json!({ "page_id": page, "name": format!("Spring campaign {number}"), "questions": questions });
    Ok(aws.call_sim(Method::POST, "forms", &form).await?.text("id").to_owned())
}

async fn page_token(aws: &Aws, page: &str, token: &str) -> anyhow::Result<String> {
    let mut proof = Hmac::<sha2::Sha256>::new_from_slice(graph_sim::seed::APP_SECRET.as_bytes())?;
    proof.update(token.as_bytes());
    let query = [
        ("fields", "access_token"),
        ("access_token", token),
        ("appsecret_proof", &hex::encode(proof.finalize().into_bytes())),
    ];
    let url = format!("{}/v26.0/{page}", aws.sim());
    let answer: Value = reqwest::Client::new().get(url).query(&query).send().await?.json().await?;
    Ok(answer.text("access_token").to_owned())
}
