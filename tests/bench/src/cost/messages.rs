//! Messages that webhooks report.

use axum::http::Method;
use leadwire::inbox::Engagement;
use leadwire::jobs::EngagementJob;
use leadwire::model::webhook::EngagementNotice;
use leadwire::trace::TraceId;
use serde_json::{Value, json};

use super::aws::Aws;
use super::leads::beside;
use super::prices::CostFile;
use super::tenant::Tenant;
use super::{Flow, count};

const PEOPLE: usize = 20;
/// Messages of a person in one conversation.
const MESSAGES_EACH: usize = 10;

/// One message a body, of people who write several. Their names are read from Meta once.
pub(super) async fn typical(costs: &CostFile) -> anyhow::Result<Flow> {
    let aws = Aws::start(costs.milliseconds).await?;
    let tenant = Tenant::connect(&aws, 0, 20, 1, 1).await?;
    let Some((connection, _)) = tenant.pages.first() else { anyhow::bail!("no page") };
    let engagement = Engagement {
        meta: aws.meta().await?,
        table: aws.table(),
        bus: aws.bus(),
        attachments: aws.queue(),
        files: aws.files(),
    };
    let queue = aws.queue::<EngagementJob>();
    let page = connection.page_id.as_str();
    let _ = aws.take_usage();
    for number in 0..MESSAGES_EACH {
        for person in 0..PEOPLE {
            let written = json!({ "channel": "messenger", "page_id": page, "person": format!("Ada Example {person}"),
                "text": "Hello, do you have this in size 42, and until when are you open on Saturday?", "deliver": "drop" });
            let written = aws.call_sim(Method::POST, "messages", &written).await?;
            let job = job(page, &written, number)?;
            queue.send(std::slice::from_ref(&job)).await?;
            for outcome in aws.invoke(engagement.take(&[(&job, 1, &TraceId::fresh())], leadwire::clock::now())).await {
                outcome?;
            }
        }
    }
    let messages = count((PEOPLE * MESSAGES_EACH) as u64);
    let mut usage = aws.take_usage();
    usage.of_services.secret_calls = 0;
    let mut beside = beside(costs, messages, messages * 10.0);
    let secrets = messages / count(MESSAGES_EACH as u64) * costs.assumptions.secret_calls_per_lead;
    beside.push(("Secrets Manager", secrets * costs.prices.secret_call));
    let memory_mb = costs.memory_mb.engagement_worker;
    Ok(Flow {
        name: "messages: one a body, ten of a person",
        unit: "messages",
        number: messages,
        usage,
        memory_mb,
        beside,
    })
}

/// What the webhook says of a message.
fn job(page: &str, written: &Value, number: usize) -> anyhow::Result<EngagementJob> {
    let now = leadwire::clock::now();
    let value = json!({
        "sender": { "id": written.pointer("/person/id") }, "recipient": { "id": page }, "timestamp": now.as_millisecond(),
        "message": { "mid": written.get("mid"), "text": format!("Hello {number}, do you have this in size 42?") },
    });
    let notice = EngagementNotice {
        object: "page".to_owned(),
        entry_id: page.to_owned(),
        field: "messaging".to_owned(),
        value: value.to_string(),
    };
    Ok(EngagementJob { notice, received_at: now })
}
