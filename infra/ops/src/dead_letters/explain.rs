//! What a message is about, from its body: the kind of work, the org and ids. Bodies of comments, messages and events have
//! personal values; none of these is shown.

use leadwire::ids::OrgId;
use leadwire::jobs::{
    AdsSyncJob, AnswerJob, AssigneeMailJob, AttachmentJob, CheckJob, ConversionJob, EngagementJob, ExportJob,
    LeadBatch, PublishJob, PublishWork, RetentionJob, SocialSyncJob, SweepJob, SweepKind, TryJob,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JobInWords {
    /// What is to be done.
    pub(super) what: String,
    /// The org, if the message says it.
    pub(super) org: Option<String>,
    /// Ids by which its worker's log lines are found.
    pub(super) ids: Vec<String>,
}

/// Reads a job, and says it in words. What is no job says only that.
fn job<J: DeserializeOwned>(body: &str, words: impl Fn(&J) -> (String, Option<&OrgId>, Vec<String>)) -> JobInWords {
    let Ok(job) = serde_json::from_str::<J>(body) else {
        let what = format!("not a message of this version ({} bytes)", body.len());
        return JobInWords { what, org: None, ids: Vec::new() };
    };
    let (what, org, ids) = words(&job);
    JobInWords { what, org: org.map(ToString::to_string), ids }
}

pub(super) fn leads(body: &str) -> JobInWords {
    job(body, |batch: &LeadBatch| {
        let ids: Vec<String> = batch.leads.iter().map(|lead| lead.notice.leadgen_id.to_string()).collect();
        let (page, found_by) = batch
            .leads
            .first()
            .map_or_else(Default::default, |lead| (lead.notice.page_id.to_string(), <&str>::from(lead.found_by)));
        let what = format!("import {} of page {page}, found by {found_by}: {}", many(&ids, "lead"), short(&ids));
        (what, batch.leads.first().and_then(|lead| lead.only_for.as_ref()), ids)
    })
}

pub(super) fn engagement(body: &str) -> JobInWords {
    job(body, |job: &EngagementJob| {
        let (object, field, account) = (&job.notice.object, &job.notice.field, &job.notice.entry_id);
        let what = format!("take a change of Meta's ({object}, {field}) of account {account} into the inbox");
        (what, None, vec![account.clone()])
    })
}

pub(super) fn answer(body: &str) -> JobInWords {
    job(body, |job: &AnswerJob| (format!("send answer {}", job.message), Some(&job.org), vec![job.message.to_string()]))
}

pub(super) fn attachment(body: &str) -> JobInWords {
    job(body, |job: &AttachmentJob| {
        let what = format!("keep file {} of message {}", job.position, job.message);
        (what, Some(&job.org), vec![job.message.to_string()])
    })
}

pub(super) fn search(body: &str) -> JobInWords {
    job(body, |job: &SweepJob| {
        let kind = match &job.kind {
            SweepKind::Regular { .. } => "the regular search, which the next one repeats".to_owned(),
            SweepKind::Everything => "a search of every form".to_owned(),
            SweepKind::CatchUp { since } => format!("a search of what was missed since {since}"),
            SweepKind::Run(run, page) => format!("run {run}, page {page}"),
        };
        let what = format!("search integration {} for leads: {kind}", job.integration_id);
        (what, Some(&job.org), vec![job.integration_id.to_string()])
    })
}

pub(super) fn social_sync(body: &str) -> JobInWords {
    job(body, |job: &SocialSyncJob| {
        let what = format!("compare comments and messages of integration {} with Meta", job.integration_id);
        (what, Some(&job.org), vec![job.integration_id.to_string()])
    })
}

pub(super) fn check(body: &str) -> JobInWords {
    job(body, |job: &CheckJob| {
        (format!("check integration {}", job.integration_id), Some(&job.org), vec![job.integration_id.to_string()])
    })
}

pub(super) fn ads_sync(body: &str) -> JobInWords {
    job(body, |job: &AdsSyncJob| {
        let account = &job.ad_account_id;
        let what = match &job.run {
            Some(run) => format!("sync ad account {account} (run {run})"),
            None => format!("delete the figures of ad account {account}, which was unlinked ({})", job.link),
        };
        (what, Some(&job.org), vec![account.to_string(), job.link.to_string()])
    })
}

pub(super) fn publish(body: &str) -> JobInWords {
    job(body, |job: &PublishJob| {
        let (what, id) = match &job.work {
            PublishWork::Post(id) => (format!("publish post {id} on page {}", job.page_id), id.to_string()),
            PublishWork::Campaign(id) => (format!("make campaign {id} of page {}", job.page_id), id.to_string()),
        };
        (what, Some(&job.org), vec![id])
    })
}

pub(super) fn conversions(body: &str) -> JobInWords {
    job(body, |job: &ConversionJob| {
        ("report the progress of leads to Meta".to_owned(), Some(&job.org), vec![job.org.to_string()])
    })
}

pub(super) fn delivery(body: &str) -> JobInWords {
    job(body, |job: &TryJob| {
        let what = format!("deliver event {} to endpoint {}", job.delivery, job.endpoint);
        (what, Some(&job.org), vec![job.delivery.to_string(), job.endpoint.to_string()])
    })
}

pub(super) fn export(body: &str) -> JobInWords {
    job(body, |job: &ExportJob| (format!("write export {}", job.export), Some(&job.org), vec![job.export.to_string()]))
}

pub(super) fn retention(body: &str) -> JobInWords {
    job(body, |job: &RetentionJob| {
        ("erase leads that the org keeps no longer".to_owned(), Some(&job.org), vec![job.org.to_string()])
    })
}

pub(super) fn assignee_mail(body: &str) -> JobInWords {
    job(body, |job: &AssigneeMailJob| match job {
        AssigneeMailJob::Arrived(lead) | AssigneeMailJob::Reassigned(lead) => {
            let what = format!("mail lead {} to user {}", lead.lead_id, lead.user_id);
            (what, Some(&lead.org), vec![lead.lead_id.to_string()])
        }
        AssigneeMailJob::Digest { org, user_id, .. } => {
            (format!("mail what is gathered to user {user_id}"), Some(org), vec![user_id.to_string()])
        }
        // Its tags and recipients are people.
        AssigneeMailJob::Feedback { .. } => {
            ("record that a mail bounced or was complained about".to_owned(), None, Vec::new())
        }
    })
}

/// An event in EventBridge's form. Of what it says, only ids are shown.
pub(super) fn event(body: &str) -> JobInWords {
    job(body, |event: &Value| {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(ToOwned::to_owned);
        let name = text(event.get("detail-type")).unwrap_or_else(|| "unknown".to_owned());
        let detail = event.get("detail").and_then(Value::as_object);
        let of_ids = |(field, _): &(&String, &Value)| *field == "id" || field.ends_with("_id");
        let ids = detail.into_iter().flatten().filter(of_ids);
        let ids: Vec<(String, String)> = ids.filter_map(|(field, id)| Some((field.clone(), text(Some(id))?))).collect();
        let words: Vec<String> = ids.iter().map(|(field, id)| format!("{field} {id}")).collect();
        let what = format!("deliver event {name}: {}", words.join(", "));
        (what, None, ids.into_iter().map(|(_, id)| id).collect())
    })
    .with_org(body)
}

impl JobInWords {
    /// Adds the org that an event names.
    fn with_org(self, body: &str) -> Self {
        let event: Option<Value> = serde_json::from_str(body).ok();
        let org = event.as_ref().and_then(|event| event.pointer("/detail/org")?.as_str());
        Self { org: org.map(ToOwned::to_owned), ..self }
    }
}

fn many(ids: &[String], what: &str) -> String {
    if ids.len() == 1 { format!("1 {what}") } else { format!("{} {what}s", ids.len()) }
}

fn short(ids: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if ids.len() > SHOWN { format!("{shown} and {} more", ids.len() - SHOWN) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::super::facts::QUEUES;
    use super::*;

    /// A message of each queue, the words that explain it, and the org.
    const SAMPLES: [(&str, &str, &str, Option<&str>); 21] = [
        (
            "lead-worker",
            r#"{"leads":[{"leadgen_id":"11","page_id":"7","received_at":"2026-01-01T00:00:00Z","found_by":"webhook","only_for":"a"}]}"#,
            "import 1 lead of page 7, found by webhook: 11",
            Some("a"),
        ),
        (
            "engagement-worker",
            r#"{"object":"page","entry_id":"7","field":"feed","value":"{\"message\":\"secret words\"}","received_at":"2026-01-01T00:00:00Z"}"#,
            "take a change of Meta's (page, feed) of account 7 into the inbox",
            None,
        ),
        ("answer-worker", r#"{"org":"a","message":"msg_1"}"#, "send answer msg_1", Some("a")),
        (
            "attachment-worker",
            r#"{"org":"a","message":"msg_1","position":2}"#,
            "keep file 2 of message msg_1",
            Some("a"),
        ),
        (
            "lead-sweep",
            r#"{"org":"a","integration_id":"int_1","kind":{"regular":{"planned_at":"2026-01-01T00:00:00Z"}}}"#,
            "search integration int_1 for leads: the regular search, which the next one repeats",
            Some("a"),
        ),
        (
            "lead-sweep",
            r#"{"org":"a","integration_id":"int_1","kind":{"run":["run_1","7"]}}"#,
            "search integration int_1 for leads: run run_1, page 7",
            Some("a"),
        ),
        (
            "social-sync",
            r#"{"org":"a","integration_id":"int_1","planned_at":"2026-01-01T00:00:00Z"}"#,
            "compare comments and messages of integration int_1 with Meta",
            Some("a"),
        ),
        ("expiry-notice", r#"{"org":"a","integration_id":"int_1"}"#, "check integration int_1", Some("a")),
        (
            "ads-sync",
            r#"{"org":"a","ad_account_id":"act_1","link":"ada_1","run":"run_1"}"#,
            "sync ad account act_1 (run run_1)",
            Some("a"),
        ),
        (
            "ads-sync",
            r#"{"org":"a","ad_account_id":"act_1","link":"ada_1","run":null}"#,
            "delete the figures of ad account act_1, which was unlinked (ada_1)",
            Some("a"),
        ),
        ("publish-worker", r#"{"org":"a","post":"post_1","page_id":"7"}"#, "publish post post_1 on page 7", Some("a")),
        (
            "publish-worker",
            r#"{"org":"a","campaign":"cmp_1","page_id":"7"}"#,
            "make campaign cmp_1 of page 7",
            Some("a"),
        ),
        ("conversion-worker", r#"{"org":"a"}"#, "report the progress of leads to Meta", Some("a")),
        (
            "delivery-worker",
            r#"{"org":"a","endpoint":"end_1","delivery":"evt_1"}"#,
            "deliver event evt_1 to endpoint end_1",
            Some("a"),
        ),
        (
            "delivery-events",
            r#"{"detail-type":"lead.created","time":"2026-01-01T00:00:00Z","detail":{"org":"a","id":"e1","lead_id":"meta-1","full_name":"secret words"}}"#,
            "deliver event lead.created: id e1, lead_id meta-1",
            Some("a"),
        ),
        (
            "event-destination",
            r#"{"detail-type":"message.received","detail":{"org":"a","id":"e2","text":"secret words"}}"#,
            "deliver event message.received: id e2",
            Some("a"),
        ),
        (
            "lead-notice",
            r#"{"kind":"arrived","org":"a","lead_id":"meta-1","user_id":"ann"}"#,
            "mail lead meta-1 to user ann",
            Some("a"),
        ),
        (
            "lead-notice",
            r#"{"kind":"digest","org":"a","user_id":"ann"}"#,
            "mail what is gathered to user ann",
            Some("a"),
        ),
        (
            "lead-notice",
            r#"{"kind":"feedback","detail":{"mail":{"tags":{"user":["secret words"]}}}}"#,
            "record that a mail bounced or was complained about",
            None,
        ),
        ("export-worker", r#"{"org":"a","export":"exp_1"}"#, "write export exp_1", Some("a")),
        (
            "lead-retention",
            r#"{"org":"a","planned_at":"2026-01-01T00:00:00Z"}"#,
            "erase leads that the org keeps no longer",
            Some("a"),
        ),
    ];

    #[test]
    fn every_kind_of_message_is_said_in_words_without_personal_values() {
        for facts in &QUEUES {
            assert!(SAMPLES.iter().any(|(queue, ..)| *queue == facts.name), "no sample of {}", facts.name);
        }
        for (queue, body, what, org) in SAMPLES {
            let facts = QUEUES.iter().find(|facts| facts.name == queue).unwrap();
            let words = (facts.explain)(body);
            assert_eq!((words.what.as_str(), words.org.as_deref()), (what, org), "{queue}");
            assert!(!words.ids.iter().any(|id| id.contains("secret")), "{queue}: {:?}", words.ids);
        }
    }

    #[test]
    fn what_is_no_message_says_so_and_shows_nothing_of_itself() {
        for facts in &QUEUES {
            let words = (facts.explain)("secret words");
            assert_eq!(words.what, "not a message of this version (12 bytes)", "{}", facts.name);
            assert!(words.ids.is_empty() && words.org.is_none());
        }
    }

    #[test]
    fn many_leads_are_shortened() {
        let ids: Vec<String> = (0..7).map(|id| id.to_string()).collect();
        assert_eq!((many(&ids, "lead"), short(&ids)), ("7 leads".to_owned(), "0, 1, 2, 3, 4 and 2 more".to_owned()));
    }
}
