//! Submitting a form: creates the lead and queues its webhook.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use super::World;
use super::app::Mode;
use super::form::{Form, Question};
use super::invent::Person;
use super::lead::{Answer, ConsentAnswer, DeliveryState, Lead};
use crate::webhook::outbox::{Change, Manner, Place};

/// Who fills in the form, and how its webhook behaves.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    /// `fb` or `ig`.
    pub(crate) platform: String,
    pub(crate) partner_name: Option<String>,
    /// The given answers; the rest are invented.
    pub(crate) answers: Vec<Answer>,
    /// The given consents; `None` invents them.
    pub(crate) consents: Option<Vec<ConsentAnswer>>,
    /// Whether to invent missing answers. A person at the form page leaves them empty instead.
    pub(crate) invent: bool,
    pub(crate) organic: bool,
    pub(crate) readable_after_ms: i64,
    /// How long ago the form was submitted.
    pub(crate) age_ms: i64,
    pub(crate) manner: Manner,
    /// Real time until the webhook is queued.
    pub(crate) deliver_after: Duration,
    /// The running number of the person; a new person if `None`.
    pub(crate) person: Option<u64>,
    /// Index of the ad that the first lead comes from; further leads take the next ones.
    pub(crate) first_ad: usize,
}

impl Default for Submission {
    fn default() -> Self {
        Self {
            platform: "fb".to_owned(),
            partner_name: None,
            answers: Vec::new(),
            consents: None,
            invent: true,
            organic: false,
            readable_after_ms: 0,
            age_ms: 0,
            manner: Manner::Normal,
            deliver_after: Duration::ZERO,
            person: None,
            first_ad: 0,
        }
    }
}

impl World {
    /// Submits `form_id` `count` times and returns the ids in order of submission. `None` if the form does not exist.
    pub(crate) fn submit(&mut self, form_id: &str, count: usize, submission: &Submission) -> Option<Vec<String>> {
        let form = self.forms.get(form_id)?.clone();
        let created_ms = self.clock.now_ms() - submission.age_ms;
        let mut changes = Vec::new();
        let mut ids = Vec::new();
        for index in 0..count {
            let lead = self.lead_from(&form, submission, index, created_ms);
            changes.push(leadgen_change(&lead, self.numeric_webhook_ids));
            ids.push(lead.id.clone());
            self.insert_lead(lead);
        }
        self.queue_changes(changes, submission.manner, submission.deliver_after, self.app.mode == Mode::Live);
        Some(ids)
    }

    /// Submits a test lead: organic, with Meta's dummy values for missing answers. Its webhook is sent like any other.
    pub(crate) fn submit_test_lead(
        &mut self,
        form: &Form,
        answers: Vec<Answer>,
        consents: Vec<ConsentAnswer>,
    ) -> String {
        let answers = form
            .questions
            .iter()
            .map(|question| {
                answers.iter().find(|answer| answer.name == question.key).cloned().unwrap_or_else(|| dummy(question))
            })
            .collect();
        let now = self.clock.now_ms();
        let lead = Lead {
            id: self.ids.lead(),
            form_id: form.id.clone(),
            page_id: form.page_id.clone(),
            ad_id: None,
            platform: "fb".to_owned(),
            partner_name: None,
            created_ms: now,
            readable_from_ms: now,
            answers,
            consents,
            test: true,
            delivery: DeliveryState::Pending,
            attempts: 0,
            told: OnceLock::new(),
        };
        let id = lead.id.clone();
        let change = leadgen_change(&lead, self.numeric_webhook_ids);
        self.insert_lead(lead);
        self.queue_changes(vec![change], Manner::Normal, Duration::ZERO, true);
        id
    }

    fn lead_from(&mut self, form: &Form, submission: &Submission, index: usize, created_ms: i64) -> Lead {
        let person = Person::new(submission.person.unwrap_or_else(|| self.ids.person()), &form.locale);
        let invented = if submission.invent { person.answers(form) } else { empty_answers(form) };
        let answers = invented
            .into_iter()
            .map(|answer| submission.answers.iter().find(|given| given.name == answer.name).cloned().unwrap_or(answer))
            .collect();
        let ad = form.ads.get((submission.first_ad + index) % form.ads.len().max(1)).filter(|_| !submission.organic);
        Lead {
            id: self.ids.lead(),
            form_id: form.id.clone(),
            page_id: form.page_id.clone(),
            ad_id: ad.map(|ad| ad.id.clone()),
            platform: submission.platform.clone(),
            partner_name: submission.partner_name.clone(),
            created_ms,
            readable_from_ms: self.clock.now_ms() + submission.readable_after_ms,
            answers,
            consents: submission.consents.clone().unwrap_or_else(|| person.consents(form)),
            test: false,
            delivery: DeliveryState::Pending,
            attempts: 0,
            told: OnceLock::new(),
        }
    }

    /// Queues the leadgen changes of one submission. `heard` says whether the app's mode lets it receive them.
    fn queue_changes(&mut self, changes: Vec<Change>, manner: Manner, after: Duration, heard: bool) {
        let now = self.clock.now_ms();
        let Some(page_id) = changes.first().map(|change| change.entry_id.clone()) else { return };
        let fate = if manner == Manner::Drop {
            DeliveryState::Dropped
        } else if !heard {
            DeliveryState::Development
        } else if self.is_subscribed("page", &page_id, "leadgen") {
            DeliveryState::Pending
        } else {
            DeliveryState::Unsubscribed
        };
        for id in changes.iter().filter_map(|change| change.leadgen_id.as_deref()) {
            if let Some(lead) = self.lead_mut(id) {
                lead.delivery = fate;
            }
        }
        if fate == DeliveryState::Pending && after.is_zero() {
            self.outbox.queue(changes, manner, now);
        } else if fate == DeliveryState::Pending {
            self.outbox.hold(changes, manner, after);
        }
    }
}

/// The webhook change of a lead. Organic and test leads name no ad.
fn leadgen_change(lead: &Lead, numeric: bool) -> Change {
    let id =
        |text: &str| if numeric { text.parse::<u64>().map_or_else(|_| json!(text), |n| json!(n)) } else { json!(text) };
    let mut value = json!({
        "leadgen_id": id(&lead.id),
        "page_id": id(&lead.page_id),
        "form_id": id(&lead.form_id),
        "created_time": lead.created_ms.div_euclid(1000),
    });
    if let (Some(fields), Some(ad_id)) = (value.as_object_mut(), &lead.ad_id) {
        fields.insert("ad_id".to_owned(), id(ad_id));
        fields.insert("adgroup_id".to_owned(), id(ad_id));
    }
    Change {
        object: "page".to_owned(),
        entry_id: lead.page_id.clone(),
        body: json!({"field": "leadgen", "value": value}),
        place: Place::Changes,
        leadgen_id: Some(lead.id.clone()),
    }
}

fn empty_answers(form: &Form) -> Vec<Answer> {
    form.questions.iter().map(|question| Answer { name: question.key.clone(), values: Vec::new() }).collect()
}

/// Meta's dummy answer in a test lead.
fn dummy(question: &Question) -> Answer {
    let value = match (question.kind, question.options.first()) {
        (_, Some(option)) => option.key.clone(),
        ("EMAIL" | "WORK_EMAIL", None) => "test@meta.com".to_owned(),
        _ => format!("<test lead: dummy data for {}>", question.key),
    };
    Answer { name: question.key.clone(), values: vec![value] }
}

/// Parses answers of the form `{name: value | [values]}` or `[{"name", "values"}]`.
///
/// # Errors
/// A sentence naming the problem: an unknown question, an option that the form does not offer, or a value that is not
/// text.
pub(crate) fn read_answers(form: &Form, given: &Value) -> Result<Vec<Answer>, String> {
    let pairs: Vec<(String, Value)> = match given {
        Value::Null => Vec::new(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        Value::Array(list) => list
            .iter()
            .map(|element| match (element.get("name").and_then(Value::as_str), element.get("values")) {
                (Some(name), Some(values)) => Ok((name.to_owned(), values.clone())),
                _ => Err(format!("answers: {element} is not {{\"name\", \"values\"}}")),
            })
            .collect::<Result<_, _>>()?,
        other => return Err(format!("answers: expected an object or a list, got {other}")),
    };
    pairs.into_iter().map(|(name, value)| read_answer(form, name, value)).collect()
}

fn read_answer(form: &Form, name: String, value: Value) -> Result<Answer, String> {
    let question = form.question(&name).ok_or_else(|| {
        let known: Vec<_> = form.questions.iter().map(|question| question.key.as_str()).collect();
        format!("answers: form {} has no question \"{name}\"; it has: {}", form.id, known.join(", "))
    })?;
    let values = match value {
        Value::Array(list) => list,
        Value::Null => Vec::new(),
        single => vec![single],
    };
    let values = values
        .into_iter()
        .map(|value| match value {
            Value::String(text) => choice_key(question, text),
            Value::Number(number) => choice_key(question, number.to_string()),
            Value::Bool(flag) => choice_key(question, flag.to_string()),
            other => Err(format!("answers: \"{name}\" must be text or a list of texts, got {other}")),
        })
        .collect::<Result<_, _>>()?;
    Ok(Answer { name, values })
}

/// The stored value of an answer. A choice is stored as the option's key; the option's text is accepted too.
fn choice_key(question: &Question, text: String) -> Result<String, String> {
    if question.options.is_empty() {
        return Ok(text);
    }
    let option = question.options.iter().find(|option| option.key == text || option.value == text);
    option.map(|option| option.key.clone()).ok_or_else(|| {
        let keys: Vec<_> = question.options.iter().map(|option| option.key.as_str()).collect();
        format!("answers: \"{}\" offers no \"{text}\"; it offers: {}", question.key, keys.join(", "))
    })
}
