//! From the answers of a form to the standard fields of a lead.
//!
//! The form's own questions decide what an answer is; only where the form could not be read, the answer's name does.
//! Whatever is mapped or not, every answer stays in the lead as it was given.

use serde::{Deserialize, Serialize};

use super::identity::e164;
use super::lead::{Answer, Consent};

/// A form, as far as it is needed to read its answers. Cached in the table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// Shown to people.
    pub name: String,
    /// In the form's order.
    #[serde(default)]
    pub questions: Vec<Question>,
}

/// One question of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What the answer is called.
    pub key: String,
    /// What the person read.
    #[serde(default)]
    pub label: Option<String>,
    /// Meta's question type: `FULL_NAME`, `EMAIL`, `PHONE`, `CUSTOM`…
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

/// What a form's answers say of the person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// Full name, or first and last name joined.
    pub full_name: Option<String>,
    /// As typed, without surrounding space.
    pub email: Option<String>,
    /// E.164 if it could be read as a number, else as typed.
    pub phone: Option<String>,
}

/// One answer as Meta gives it: the question's key and the values.
pub type GivenAnswer = (String, Vec<String>);

/// Labels the answers by the form's questions, in the form's order; what the form does not know comes last.
#[must_use]
pub fn label(given: &[GivenAnswer], form: Option<&Form>) -> Vec<Answer> {
    let questions = form.map(|form| form.questions.as_slice()).unwrap_or_default();
    let position = |name: &str| questions.iter().position(|question| question.key == name);
    let mut answers: Vec<(usize, Answer)> = given
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

/// Finds the person in the answers. `country` is how a number without a country code is read.
#[must_use]
pub fn person(answers: &[Answer], form: Option<&Form>, country: Option<&str>) -> Person {
    let find = |field: Field| {
        answers
            .iter()
            .filter(|answer| field_of(&answer.name, form) == Some(field))
            .flat_map(|answer| &answer.values)
            .map(|value| value.trim())
            .find(|value| !value.is_empty())
    };
    let names: Vec<&str> = [find(Field::FirstName), find(Field::LastName)].into_iter().flatten().collect();
    Person {
        full_name: find(Field::FullName)
            .map(ToOwned::to_owned)
            .or_else(|| (!names.is_empty()).then(|| names.join(" "))),
        email: find(Field::Email).or_else(|| find(Field::WorkEmail)).map(ToOwned::to_owned),
        phone: find(Field::Phone)
            .or_else(|| find(Field::WorkPhone))
            .map(|typed| e164(typed, country).unwrap_or_else(|| typed.to_owned())),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    FullName,
    FirstName,
    LastName,
    Email,
    WorkEmail,
    Phone,
    WorkPhone,
}

fn field_of(name: &str, form: Option<&Form>) -> Option<Field> {
    let question = form.and_then(|form| form.questions.iter().find(|question| question.key == name));
    let kind = question.and_then(|question| question.kind.as_deref());
    match kind.unwrap_or(name).to_ascii_uppercase().as_str() {
        "FULL_NAME" => Some(Field::FullName),
        "FIRST_NAME" => Some(Field::FirstName),
        "LAST_NAME" => Some(Field::LastName),
        "EMAIL" => Some(Field::Email),
        "WORK_EMAIL" => Some(Field::WorkEmail),
        "PHONE" | "PHONE_NUMBER" => Some(Field::Phone),
        "WORK_PHONE_NUMBER" => Some(Field::WorkPhone),
        _ => None,
    }
}

/// Meta's `custom_disclaimer_responses`, whose `is_checked` is `"1"` or empty.
#[must_use]
pub fn consents(given: &[(String, String)]) -> Vec<Consent> {
    given.iter().map(|(key, is_checked)| Consent { key: key.clone(), checked: is_checked == "1" }).collect()
}

/// Whether these are the dummy answers of Meta's testing tools.
#[must_use]
pub fn is_test(given: &[GivenAnswer]) -> bool {
    let mut values = given.iter().flat_map(|(_, values)| values).map(|value| value.trim().to_ascii_lowercase());
    values.any(|value| {
        value.starts_with("<test lead: dummy data for") || value == "test@fb.com" || value == "test@meta.com"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &[&str])]) -> Vec<GivenAnswer> {
        pairs.iter().map(|(name, values)| ((*name).into(), values.iter().map(|v| (*v).into()).collect())).collect()
    }

    fn form(questions: &[(&str, &str, &str)]) -> Form {
        let question = |(key, label, kind): &(&str, &str, &str)| Question {
            key: (*key).into(),
            label: Some((*label).into()),
            kind: Some((*kind).into()),
        };
        Form { name: "F".into(), questions: questions.iter().map(question).collect() }
    }

    #[test]
    fn the_forms_questions_decide_what_an_answer_is() {
        let form = form(&[
            ("vollständiger_name", "Vollständiger Name", "FULL_NAME"),
            ("wohin", "Wohin?", "EMAIL"),
            ("email", "Warum E-Mail?", "CUSTOM"),
        ]);
        let answers = label(
            &given(&[("email", &["darum"]), ("wohin", &[" ann@example.com "]), ("vollständiger_name", &["Ann Ä"])]),
            Some(&form),
        );
        let person = person(&answers, Some(&form), None);
        assert_eq!((person.full_name.as_deref(), person.email.as_deref()), (Some("Ann Ä"), Some("ann@example.com")));
        assert_eq!(
            answers.iter().map(|a| a.label.as_str()).collect::<Vec<_>>(),
            ["Vollständiger Name", "Wohin?", "Warum E-Mail?"]
        );
    }

    #[test]
    fn without_the_form_the_standard_names_do() {
        let answers = label(
            &given(&[
                ("last_name", &["Lee"]),
                ("first_name", &["Ann"]),
                ("phone_number", &["212 555 0123"]),
                ("color", &["red", "blue"]),
            ]),
            None,
        );
        let person = person(&answers, None, Some("US"));
        assert_eq!((person.full_name.as_deref(), person.phone.as_deref()), (Some("Ann Lee"), Some("+12125550123")));
        assert_eq!(answers[3].values, ["red", "blue"]);
    }

    #[test]
    fn empty_answers_say_nothing_and_unreadable_numbers_stay() {
        let answers = label(
            &given(&[("email", &[]), ("work_email", &["", "w@example.com"]), ("phone_number", &["ask my wife"])]),
            None,
        );
        let person = person(&answers, None, Some("US"));
        assert_eq!(
            (person.email.as_deref(), person.phone.as_deref(), person.full_name),
            (Some("w@example.com"), Some("ask my wife"), None)
        );
    }

    #[test]
    fn metas_dummy_leads_are_recognised() {
        assert!(is_test(&given(&[("full_name", &["<test lead: dummy data for full_name>"])])));
        assert!(is_test(&given(&[("email", &["test@fb.com"])])));
        assert!(!is_test(&given(&[("email", &["contest@fb.com"]), ("q", &["test lead"])])));
    }

    #[test]
    fn only_the_string_1_is_a_consent() {
        let boxes = consents(&[("a".into(), "1".into()), ("b".into(), String::new()), ("c".into(), "true".into())]);
        assert_eq!(boxes.iter().map(|c| c.checked).collect::<Vec<_>>(), [true, false, false]);
    }
}
