//! A form and the names of its answers.
//!
//! The lead stores every answer as it was given, regardless of what [`crate::model::lead::mapping`] derives from it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::lead::standard_fields::plain;
use crate::model::lead::{Answer, Consent};

/// The parts of a form that are needed to interpret its answers. Cached in the table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The display name.
    pub name: String,
    /// Language and country in Meta's notation: `de_DE`.
    #[serde(default)]
    pub locale: Option<String>,
    /// The questions, in the form's order.
    #[serde(default)]
    pub questions: Vec<Question>,
    /// The consent boxes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<ConsentBox>,
}

/// One consent box of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentBox {
    /// The key that a lead's consents refer to.
    pub key: String,
    /// What the person agrees to, as shown to them.
    pub text: String,
}

/// One question of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Question {
    /// The key that answers refer to.
    pub key: String,
    /// The question as shown to the person.
    #[serde(default)]
    pub label: Option<String>,
    /// Meta's question type: `FULL_NAME`, `EMAIL`, `PHONE`, `CUSTOM`…
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// The choices of a multiple-choice question. Answers contain their keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<AnswerOption>,
}

/// One choice of a multiple-choice question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswerOption {
    /// The text that an answer contains for this choice.
    #[serde(default)]
    pub key: Option<String>,
    /// The choice as shown to the person.
    #[serde(default)]
    pub value: Option<String>,
}

/// One answer as Meta returns it: the question's key and the values.
pub type RawAnswer = (String, Vec<String>);

impl Form {
    /// The question with this key.
    #[must_use]
    pub fn question(&self, key: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.key == key)
    }

    /// Renames answers to their questions' keys, for files that use the labels shown to the person.
    #[must_use]
    pub fn by_key(&self, answers: &[RawAnswer]) -> Vec<RawAnswer> {
        let key_of = |name: &String| {
            let called_so = |question: &&Question| {
                let texts = question.label.iter().chain([&question.key]);
                texts.into_iter().any(|text| plain(text) == plain(name))
            };
            let mut matches = self.questions.iter().filter(called_so);
            match (self.question(name), matches.next(), matches.next()) {
                (None, Some(question), None) => question.key.clone(),
                _ => name.clone(),
            }
        };
        let mut used_keys: Vec<String> = answers.iter().map(|(name, _)| name.clone()).collect();
        answers
            .iter()
            .map(|(name, values)| {
                let key = key_of(name);
                let is_free = !used_keys.contains(&key);
                used_keys.push(key.clone());
                (if is_free { key } else { name.clone() }, values.clone())
            })
            .collect()
    }

    /// The country of the form's locale. Some of Meta's locales have none: its Latin American Spanish is `es_LA`, and
    /// `LA` is Laos.
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        const NO_COUNTRY: [&str; 7] = ["es_LA", "ar_AR", "en_PI", "en_UD", "eo_EO", "fb_LT", "la_VA"];
        let locale = self.locale.as_deref().filter(|locale| !NO_COUNTRY.contains(locale))?;
        locale.split_once(['_', '-']).map(|(_, country)| country)
    }
}

/// Labels the answers with the form's questions, in the form's order. Answers without a question come last.
#[must_use]
pub fn label(raw_answers: &[RawAnswer], form: Option<&Form>) -> Vec<Answer> {
    let questions = form.map(|form| form.questions.as_slice()).unwrap_or_default();
    let position = |name: &str| questions.iter().position(|question| question.key == name);
    let mut answers: Vec<(usize, Answer)> = raw_answers
        .iter()
        .map(|(name, values)| {
            let at = position(name);
            let label = at.and_then(|at| questions.get(at)).and_then(|question| question.label.clone());
            let answer =
                Answer { name: name.clone(), label: label.unwrap_or_else(|| name.clone()), values: values.clone() };
            (at.unwrap_or(usize::MAX), answer)
        })
        .collect();
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Converts Meta's `custom_disclaimer_responses`, whose `is_checked` is `"1"` or empty. Their texts are the form's.
#[must_use]
pub fn consents(disclaimers: &[(String, String)], form: Option<&Form>) -> Vec<Consent> {
    let text = |key: &str| form?.consents.iter().find(|one| one.key == key).map(|one| one.text.clone());
    let consent = |(key, is_checked): &(String, String)| Consent {
        key: key.clone(),
        text: text(key),
        checked: is_checked == "1",
    };
    disclaimers.iter().map(consent).collect()
}

/// Whether these are the dummy answers of Meta's testing tools.
#[must_use]
pub fn is_test(answers: &[RawAnswer]) -> bool {
    let mut values = answers.iter().flat_map(|(_, values)| values).map(|value| value.trim().to_ascii_lowercase());
    values.any(|value| {
        value.starts_with("<test lead: dummy data for") || value == "test@fb.com" || value == "test@meta.com"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw_answers(pairs: &[(&str, &[&str])]) -> Vec<RawAnswer> {
        pairs.iter().map(|(name, values)| ((*name).into(), values.iter().map(|v| (*v).into()).collect())).collect()
    }

    #[test]
    fn answers_are_labelled_in_the_forms_order_and_what_it_does_not_know_comes_last() {
        let question = |key: &str, label: Option<&str>| Question {
            key: key.into(),
            label: label.map(Into::into),
            kind: None,
            options: Vec::new(),
        };
        let form =
            Form { questions: vec![question("name", Some("Ihr Name")), question("farbe", None)], ..Form::default() };
        let answers =
            label(&raw_answers(&[("new", &["?"]), ("farbe", &["rot", "blau"]), ("name", &["Ann"])]), Some(&form));
        let read: Vec<_> = answers.iter().map(|answer| (answer.name.as_str(), answer.label.as_str())).collect();
        assert_eq!(read, [("name", "Ihr Name"), ("farbe", "farbe"), ("new", "new")]);
        assert_eq!(answers[1].values, ["rot", "blau"]);
    }

    #[test]
    fn a_file_may_call_questions_by_what_the_person_read() {
        let question = |key: &str, label: &str| Question {
            key: key.into(),
            label: Some(label.into()),
            kind: None,
            options: Vec::new(),
        };
        let questions = vec![question("budget", "Qual seu orçamento?"), question("a", "Same"), question("b", "Same")];
        let form = Form { questions, ..Form::default() };
        let names = |names: &[&str]| -> Vec<String> {
            let answers: Vec<RawAnswer> = names.iter().map(|name| ((*name).into(), vec![])).collect();
            form.by_key(&answers).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&["Qual seu orc\u{327}amento?", "Same", "b", "other"]), ["budget", "Same", "b", "other"]);
        assert_eq!(names(&["qual_seu_orçamento?"]), ["budget"]);
        assert_eq!(names(&["budget", "Qual seu orçamento?"]), ["budget", "Qual seu orçamento?"]);
    }

    #[test]
    fn metas_dummy_leads_are_recognised() {
        assert!(is_test(&raw_answers(&[("full_name", &["<test lead: dummy data for full_name>"])])));
        assert!(is_test(&raw_answers(&[("email", &["test@fb.com"])])));
        assert!(!is_test(&raw_answers(&[("email", &["contest@fb.com"]), ("q", &["test lead"])])));
    }

    #[test]
    fn only_the_string_1_is_a_consent() {
        let responses = [("a".into(), "1".into()), ("b".into(), String::new()), ("c".into(), "true".into())];
        let boxes = consents(&responses, None);
        assert_eq!(boxes.iter().map(|c| c.checked).collect::<Vec<_>>(), [true, false, false]);
        // The text is the form's, as far as that is known.
        let known = vec![ConsentBox { key: "b".into(), text: "Send me news.".into() }];
        let form = Form { consents: known, ..Form::default() };
        let texts: Vec<Option<String>> = consents(&responses, Some(&form)).into_iter().map(|c| c.text).collect();
        assert_eq!(texts, [None, Some("Send me news.".to_owned()), None]);
    }

    #[test]
    fn a_locale_names_a_country() {
        let country =
            |locale: &str| Form { locale: Some(locale.into()), ..Form::default() }.country().map(ToOwned::to_owned);
        assert_eq!(
            (country("de_DE").as_deref(), country("en-GB").as_deref(), country("ja")),
            (Some("DE"), Some("GB"), None)
        );
    }
}
