//! The questions of a new lead form.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::error::GraphError;
use super::rejection::Refused;
use crate::seed::sketch;
use crate::world::form::{Choice, Question};
use crate::world::standard_question;

/// The types in Meta's reference, with its spelling. `MARITAL_STATUS` is not among them.
const TYPES: &[&str] = &[
    "CUSTOM",
    "CITY",
    "COMPANY_NAME",
    "COUNTRY",
    "DOB",
    "EMAIL",
    "GENDER",
    "FIRST_NAME",
    "FULL_NAME",
    "JOB_TITLE",
    "LAST_NAME",
    "MARITIAL_STATUS",
    "PHONE",
    "PHONE_OTP",
    "WHATSAPP_NUMBER",
    "POST_CODE",
    "PROVINCE",
    "STATE",
    "STREET_ADDRESS",
    "ZIP",
    "WORK_EMAIL",
    "WORK_PHONE_NUMBER",
    "SLIDER",
    "STORE_LOOKUP",
    "DATE_TIME",
    "ID_AR_DNI",
    "ID_CPF",
    "ID_CL_RUT",
    "ID_CO_CC",
    "ID_EC_CI",
    "ID_PE_DNI",
];
/// Members of a question that are read back as they were sent.
const MEMBERS: &[&str] = &[
    "inline_context",
    "dependent_conditional_questions",
    "conditional_questions_group_id",
    "conditional_questions_choices",
];

/// Checks the questions. Returns them, and as they are read back.
///
/// # Errors
/// Returns 100 without any question, for an unknown type, for a question of one's own without a label, for options
/// without a value, and for a key that comes twice.
pub(super) fn read(form_id: &str, list: &[Value]) -> Result<(Vec<Question>, Value), Refused> {
    if list.is_empty() {
        return Err(wrong("questions must have at least one question"));
    }
    let mut keys = HashSet::new();
    let (mut questions, mut rendered) = (Vec::new(), Vec::new());
    for (at, sent) in list.iter().enumerate() {
        let question = question(form_id, at, sent)?;
        if !keys.insert(question.key.clone()) {
            return Err(wrong(&format!("questions[{at}][key] must be unique, {} comes twice", question.key)));
        }
        rendered.push(render(&question, sent));
        questions.push(question);
    }
    Ok((questions, Value::Array(rendered)))
}

fn wrong(what: &str) -> Refused {
    GraphError::invalid(format!("(#100) Param {what}")).into()
}

fn question(form_id: &str, at: usize, sent: &Value) -> Result<Question, Refused> {
    let text = |name: &str| sent.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let kind = text("type").filter(|kind| TYPES.contains(kind)).and_then(standard_question::named);
    let kind = kind.ok_or_else(|| wrong(&format!("questions[{at}][type] must be one of {{{}}}", TYPES.join(", "))))?;
    let is_own = matches!(kind, "CUSTOM" | "SLIDER" | "DATE_TIME" | "STORE_LOOKUP");
    let label = match text("label") {
        Some(label) => label.to_owned(),
        None if is_own => return Err(wrong(&format!("questions[{at}] must have a label"))),
        None => usual_label(kind),
    };
    let key = match text("key") {
        Some(key) => key.to_owned(),
        None if is_own => sketch::key_of(&label),
        None => usual_key(kind),
    };
    let options = sent.get("options").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let options = options
        .iter()
        .map(|option| {
            let text = |name: &str| option.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            let value = text("value").ok_or_else(|| wrong(&format!("questions[{at}][options] must have values")))?;
            let key = text("key").map_or_else(|| sketch::key_of(value), str::to_owned);
            Ok(Choice { key, value: value.to_owned() })
        })
        .collect::<Result<Vec<_>, Refused>>()?;
    Ok(Question { id: format!("{form_id}{}", at + 1), key, label, kind, options, multiple: false })
}

fn render(question: &Question, sent: &Value) -> Value {
    let mut members = Map::new();
    for name in MEMBERS {
        if let Some(value) = sent.get(*name) {
            members.insert((*name).to_owned(), value.clone());
        }
    }
    members.insert("id".to_owned(), json!(question.id));
    members.insert("key".to_owned(), json!(question.key));
    members.insert("label".to_owned(), json!(question.label));
    members.insert("type".to_owned(), json!(question.kind));
    if !question.options.is_empty() {
        let options = question.options.iter().map(|option| json!({"key": option.key, "value": option.value}));
        members.insert("options".to_owned(), options.collect());
    }
    Value::Object(members)
}

/// The key that Meta gives a question about a person.
fn usual_key(kind: &str) -> String {
    match kind {
        "PHONE" => "phone_number".to_owned(),
        "ZIP" => "zip_code".to_owned(),
        "DOB" => "date_of_birth".to_owned(),
        "MARITIAL_STATUS" => "marital_status".to_owned(),
        other => other.to_lowercase(),
    }
}

fn usual_label(kind: &str) -> String {
    let words = usual_key(kind).replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
