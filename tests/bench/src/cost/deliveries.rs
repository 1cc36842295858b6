//! Events that are sent to endpoints.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use leadwire::deliveries::{Deliverer, Deliveries, EndpointIn};
use leadwire::directory::{Access, MetaAccess};
use leadwire::ids::{OrgId, UserId};
use leadwire::jobs::DeliveryJob;
use leadwire::model::caller::{Caller, Role};
use leadwire::model::org::{Org, Plan};
use leadwire::model::web_address::EndpointAddresses;
use leadwire::receiver::Receiver;
use leadwire::secret::HmacKey;
use serde_json::json;

use super::aws::Aws;
use super::prices::CostFile;
use super::{Flow, count};

const EVENTS: usize = 200;
/// How long a receiver takes.
const ANSWER_TIME: Duration = Duration::from_millis(100);

/// Leads of 2 kB, one event and one delivery an invocation, to this number of endpoints.
pub(super) async fn typical(costs: &CostFile, endpoints: usize) -> anyhow::Result<Flow> {
    let aws = Aws::start(costs.milliseconds).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let answer = async || {
        tokio::time::sleep(ANSWER_TIME).await;
        StatusCode::NO_CONTENT
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let (queue, key) = (aws.queue::<DeliveryJob>(), HmacKey::new("key".to_owned()));
    let receiver = Receiver::new(EndpointAddresses::OrThisMachine)?;
    let deliveries = Deliveries {
        table: aws.table(),
        queue: queue.clone(),
        receiver: receiver.clone(),
        root_key: key.clone(),
        key: key.clone(),
    };
    let console = "https://leads.example.com".parse()?;
    let deliverer = Deliverer { table: aws.table(), queue, receiver, root_key: key, mailer: None, console };
    let access = access()?;
    for _ in 0..endpoints {
        let input = EndpointIn { url: url.clone(), description: String::new(), events: None, active: true };
        deliveries.add_endpoint(&access, input).await?;
    }
    let _ = aws.take_usage();
    let time_left = Duration::from_secs(60);
    for number in 0..EVENTS {
        let event = event(number)?;
        for outcome in aws.invoke(deliverer.work(&[&event], time_left, &leadwire::clock::now)).await {
            outcome?;
        }
    }
    // What was sent to the queue, without a queue.
    let due = aws.table().deliveries_due(None).await?;
    anyhow::ensure!(due.len() == EVENTS * endpoints, "{} deliveries", due.len());
    for due in due {
        let job = DeliveryJob::Try(due.job);
        for outcome in aws.invoke(deliverer.work(&[&job], time_left, &leadwire::clock::now)).await {
            outcome?;
        }
    }
    let events = count(EVENTS as u64);
    let messages = events * count(1 + endpoints as u64);
    // EventBridge sends the event's message; each message is received and deleted by itself.
    let requests = events + messages * 2.0;
    let beside = vec![("SQS sent by EventBridge, receipts, deletions", requests * costs.prices.sqs_request)];
    let usage = aws.take_usage();
    let memory_mb = costs.memory_mb.delivery_worker;
    let name = if endpoints == 0 { "events without an endpoint" } else { "events to one endpoint" };
    Ok(Flow { name, unit: "events", number: events, usage, memory_mb, beside })
}

fn access() -> anyhow::Result<MetaAccess> {
    let (org, user) = (OrgId::parse("bench")?, UserId::parse("u")?);
    let caller =
        Caller { user, name: None, email: None, role: Role::Admin, orgs: vec![org.clone()], is_program: false };
    let plan = Plan { name: "pro".to_owned(), features: vec!["meta".to_owned()] };
    let updated_at = leadwire::clock::now();
    let org = Org {
        id: org,
        name: "B".to_owned(),
        plan,
        default_country: None,
        daily_spend_limit: None,
        keep_leads_days: None,
        updated_at,
    };
    Ok(MetaAccess::check(Access::new(caller, Some("bench"))?, Some(&org))?)
}

fn event(number: usize) -> anyhow::Result<DeliveryJob> {
    let lead = json!({ "id": format!("meta-{number}"), "answers": "x".repeat(1_800) });
    let detail = json!({ "id": format!("lead.created:bench:meta-{number}"), "org": "bench", "lead": lead });
    let event = json!({ "detail-type": "lead.created", "time": leadwire::clock::now(), "detail": detail });
    Ok(serde_json::from_value(event)?)
}
