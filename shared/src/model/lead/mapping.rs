//! Maps the answers of a form to the fields of a lead.
//!
//! The form's own questions decide what an answer is. The answer's name decides only if the form, or the question's
//! type, could not be read. An org may override this for each form with a [`Mapping`]: a rule replaces what its field
//! would receive by default, and fields without a rule keep the default.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::UserId;
use crate::model::lead::Answer;
use crate::model::lead::form::Form;
use crate::model::lead::phone::{self, e164};
use crate::model::lead::standard_fields::{EMAIL, FULL_NAME, PHONE, of_answer_name, of_question_type};
use crate::tr;

/// Maximum number of rules in a mapping.
pub const MAX_RULES: usize = 100;
/// Maximum length of a name, a key or a value in a rule, in characters.
pub const MAX_CHARACTERS: usize = 500;

/// Maximum length of a field filled by a rule, in characters. The answers themselves are stored unabridged.
const MAX_FIELD_CHARS: usize = 1000;
/// Maximum size of all rules together, in bytes. A mapping is one table item and is read with every batch of leads.
const MAX_BYTES: usize = 64_000;

/// How an org maps the answers of one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mapping {
    /// Incremented by every change. Leads record the version that mapped them.
    pub version: u32,
    /// The rules, at most one for each field.
    pub rules: Vec<Rule>,
    /// ISO 3166 country code, used to parse this form's phone numbers that have no country code. If absent, the org's
    /// country is used, and then that of the form's locale.
    #[serde(default)]
    pub country: Option<String>,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
    /// The user who last changed it.
    pub changed_by: UserId,
}

/// The rule that fills one field of the lead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rule {
    /// `full_name`, `email`, `phone` or any other name. Other names become members of the lead's `fields`.
    pub field: String,
    /// The keys of the questions whose answers are taken, in this order. Without keys the field receives the `default`,
    /// if any.
    #[serde(default)]
    pub from: Vec<String>,
    /// The separator between several answers, and between several values of one answer; a space by default.
    #[serde(default)]
    pub join: Option<String>,
    /// The value of the field if none of the questions was answered.
    #[serde(default)]
    pub default: Option<String>,
    /// Replacements for single answer values. A value that is not listed stays as it is.
    #[serde(default)]
    pub choices: BTreeMap<String, String>,
}

/// A rejected rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {fix}")]
pub struct InvalidRule {
    /// The path of the member that is wrong: `rules[2].field`.
    pub field: String,
    /// What would be accepted.
    pub fix: String,
}

/// The fields derived from a form's answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mapped {
    /// The full name, or first and last name joined.
    pub full_name: Option<String>,
    /// As typed, without surrounding space.
    pub email: Option<String>,
    /// E.164 if it could be parsed as a number, otherwise as typed.
    pub phone: Option<String>,
    /// All other fields.
    pub fields: BTreeMap<String, String>,
    /// The keys of the answers that fill no field.
    pub unmapped: Vec<String>,
}

/// Maps answers to fields. `country` is the org's, for numbers without a country code if the mapping names no country.
#[must_use]
pub fn map(answers: &[Answer], form: Option<&Form>, mapping: Option<&Mapping>, country: Option<&str>) -> Mapped {
    let rules = mapping.map(|mapping| mapping.rules.as_slice()).unwrap_or_default();
    let ruled = |field: &str| rules.iter().any(|rule| rule.field == field);
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut unmapped = Vec::new();
    // Fill the default fields; the first answer that fills a field wins.
    for answer in answers {
        let by_rule = rules.iter().any(|rule| rule.from.contains(&answer.name));
        let field = field_of(&answer.name, form).filter(|field| !ruled(field));
        let target = field.filter(|field| !values.contains_key(*field));
        if let (Some(field), Some(value)) = (target, joined(answer, ", ", ToOwned::to_owned)) {
            values.insert(field.to_owned(), value);
        }
        if !by_rule && target.is_none() {
            unmapped.push(answer.name.clone());
        }
    }
    // Rules fill their own fields.
    for rule in rules {
        if let Some(value) = rule.value(answers) {
            values.insert(rule.field.clone(), value);
        }
    }
    // Derive what is still missing from the name's parts and from the work details.
    if !ruled(FULL_NAME) && !values.contains_key(FULL_NAME) {
        let parts: Vec<&str> =
            ["first_name", "last_name"].iter().filter_map(|part| Some(values.get(*part)?.as_str())).collect();
        if !parts.is_empty() {
            values.insert(FULL_NAME.to_owned(), parts.join(" "));
        }
    }
    for (field, stand_in) in [(EMAIL, "work_email"), (PHONE, "work_phone")] {
        if let (false, None, Some(value)) = (ruled(field), values.get(field), values.get(stand_in)) {
            values.insert(field.to_owned(), value.clone());
        }
    }
    let number = |typed: String| {
        match mapping.and_then(|mapping| mapping.country.as_deref()) {
            Some(own) => e164(&typed, Some(own)),
            None => e164(&typed, country).or_else(|| e164(&typed, form.and_then(Form::country))),
        }
        .unwrap_or(typed)
    };
    Mapped {
        full_name: values.remove(FULL_NAME),
        email: values.remove(EMAIL),
        phone: values.remove(PHONE).map(number),
        fields: values,
        unmapped,
    }
}

/// The field that an answer fills by default.
#[must_use]
pub fn field_of(name: &str, form: Option<&Form>) -> Option<&'static str> {
    match form.and_then(|form| form.question(name)).and_then(|question| question.kind.as_deref()) {
        Some(kind) => of_question_type(kind),
        None => of_answer_name(name),
    }
}

impl Rule {
    fn value(&self, answers: &[Answer]) -> Option<String> {
        let between = self.join.as_deref().unwrap_or(" ");
        let chosen = |value: &str| self.choices.get(value).map_or(value, String::as_str).to_owned();
        let find_answer = |key: &String| answers.iter().find(|answer| answer.name == *key);
        let parts: Vec<String> =
            self.from.iter().filter_map(find_answer).filter_map(|answer| joined(answer, between, chosen)).collect();
        let joined = if parts.is_empty() { self.default.clone() } else { Some(parts.join(between)) };
        joined.map(|value| value.chars().take(MAX_FIELD_CHARS).collect())
    }
}

/// The non-empty values of an answer, each changed by `change` and joined; `None` if all are empty.
fn joined(answer: &Answer, between: &str, change: impl Fn(&str) -> String) -> Option<String> {
    let values = answer.values.iter().map(|value| value.trim()).filter(|value| !value.is_empty());
    let values: Vec<String> = values.map(change).collect();
    (!values.is_empty()).then(|| values.join(between))
}

/// Checks the rules proposed for a form.
///
/// # Errors
/// [`InvalidRule`] for the first invalid rule.
pub fn check(rules: &[Rule], country: Option<&str>, form: &Form) -> Result<(), InvalidRule> {
    if rules.len() > MAX_RULES {
        return wrong("rules", tr!("At most {max} rules.", max = MAX_RULES));
    }
    if let Some(Err(error)) = country.map(phone::country) {
        return wrong("country", error.to_string());
    }
    for (at, rule) in rules.iter().enumerate() {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !(1..=64).contains(&rule.field.len()) || !rule.field.chars().all(is_name) {
            return wrong(format!("rules[{at}].field"), tr!("1 to 64 characters from a-z, 0-9 and _."));
        }
        if rules.iter().take(at).any(|other| other.field == rule.field) {
            return wrong(
                format!("rules[{at}].field"),
                tr!("Another rule already fills this field. Use one rule with several questions instead."),
            );
        }
        for (position, key) in rule.from.iter().enumerate() {
            if form.question(key).is_none() {
                let known: Vec<&str> = form.questions.iter().map(|question| question.key.as_str()).collect();
                return wrong(
                    format!("rules[{at}].from[{position}]"),
                    tr!("One of the form's questions: {questions}.", questions = known.join(", ")),
                );
            }
            if rule.from.iter().take(position).any(|other| other == key) {
                return wrong(format!("rules[{at}].from[{position}]"), tr!("Each question once."));
            }
        }
        // Reject a value shared by all leads: it would merge all people into one lead.
        if [EMAIL, PHONE].contains(&rule.field.as_str()) && (rule.default.is_some() || !rule.choices.is_empty()) {
            let fix = tr!("This field identifies a person, so it can have no default and no choices.");
            return wrong(format!("rules[{at}].default"), fix);
        }
        let texts = rule.join.iter().chain(&rule.default).chain(rule.choices.keys()).chain(rule.choices.values());
        if texts.into_iter().any(|text| text.chars().count() > MAX_CHARACTERS) {
            return wrong(format!("rules[{at}]"), tr!("Texts of at most {max} characters.", max = MAX_CHARACTERS));
        }
        if rule.choices.len() > MAX_RULES {
            return wrong(format!("rules[{at}].choices"), tr!("At most {max} choices.", max = MAX_RULES));
        }
    }
    if serde_json::to_string(rules).is_ok_and(|json| json.len() > MAX_BYTES) {
        return wrong("rules", tr!("All rules together may have 64 KB at most."));
    }
    Ok(())
}

fn wrong(field: impl Into<String>, fix: impl Into<String>) -> Result<(), InvalidRule> {
    Err(InvalidRule { field: field.into(), fix: fix.into() })
}
