//! Tests of the mapping from answers to fields.

use jiff::Timestamp;
use proptest::prelude::*;

use crate::ids::UserId;
use crate::model::lead::form::{Form, Question, RawAnswer, label};
use crate::model::lead::mapping::*;
use crate::model::lead::standard_fields::{EMAIL, FULL_NAME, PHONE};

fn raw_answers(pairs: &[(&str, &[&str])]) -> Vec<RawAnswer> {
    pairs.iter().map(|(name, values)| ((*name).into(), values.iter().map(|v| (*v).into()).collect())).collect()
}

fn question(key: &str, kind: &str) -> Question {
    Question { key: key.into(), label: None, kind: Some(kind.into()), options: Vec::new() }
}

fn form(questions: &[(&str, &str)]) -> Form {
    Form { questions: questions.iter().map(|(key, kind)| question(key, kind)).collect(), ..Form::default() }
}

fn own(rules: Vec<Rule>) -> Mapping {
    let changed_by = UserId::parse("u").unwrap();
    Mapping { version: 1, rules, country: None, changed_at: Timestamp::UNIX_EPOCH, changed_by }
}

fn rule(field: &str, from: &[&str]) -> Rule {
    Rule { field: field.into(), from: from.iter().map(|key| (*key).into()).collect(), ..Rule::default() }
}

#[test]
fn the_forms_questions_decide_what_an_answer_is() {
    let form = form(&[("vollständiger_name", "FULL_NAME"), ("wohin", "EMAIL"), ("email", "CUSTOM"), ("stadt", "CITY")]);
    let raw_answers = raw_answers(&[
        ("email", &["darum"]),
        ("wohin", &[" ann@example.com "]),
        ("vollständiger_name", &["Ann Ä"]),
        ("stadt", &["Köln"]),
    ]);
    let read = map(&label(&raw_answers, Some(&form)), Some(&form), None, None);
    assert_eq!((read.full_name.as_deref(), read.email.as_deref()), (Some("Ann Ä"), Some("ann@example.com")));
    assert_eq!((read.fields["city"].as_str(), read.unmapped), ("Köln", vec!["email".to_owned()]));
}

#[test]
fn without_the_form_the_standard_names_do_in_metas_languages() {
    let raw_answers = raw_answers(&[
        ("apellidos", &["Lee"]),
        ("Vorname", &["Ann"]),
        ("número_de_teléfono", &["212 555 0123"]),
        ("color", &["red", "blue"]),
    ]);
    let read = map(&label(&raw_answers, None), None, None, Some("US"));
    assert_eq!((read.full_name.as_deref(), read.phone.as_deref()), (Some("Ann Lee"), Some("+12125550123")));
    assert_eq!((read.fields["last_name"].as_str(), read.unmapped), ("Lee", vec!["color".to_owned()]));
}

#[test]
fn empty_answers_say_nothing_and_unreadable_numbers_stay() {
    let raw_answers =
        raw_answers(&[("email", &[]), ("work_email", &["", "w@example.com"]), ("phone_number", &["ask my wife"])]);
    let read = map(&label(&raw_answers, None), None, None, Some("US"));
    assert_eq!(
        (read.email.as_deref(), read.phone.as_deref(), read.full_name),
        (Some("w@example.com"), Some("ask my wife"), None)
    );
}

#[test]
fn a_rule_joins_chooses_stands_in_and_replaces_what_its_field_would_get() {
    let form = form(&[("name", "FULL_NAME"), ("titel", "CUSTOM"), ("budget", "CUSTOM"), ("leer", "CUSTOM")]);
    let answers = label(
        &raw_answers(&[("name", &["Ann"]), ("titel", &["dr"]), ("budget", &["a", "b"]), ("leer", &[" "])]),
        Some(&form),
    );
    let rules = vec![
        Rule { choices: [("dr".to_owned(), "Dr.".to_owned())].into(), ..rule("full_name", &["titel", "name"]) },
        Rule { join: Some(" / ".into()), ..rule("budget", &["budget", "leer"]) },
        Rule { default: Some("web".into()), ..rule("origin", &["leer"]) },
        rule("empty", &["leer"]),
    ];
    let read = map(&answers, Some(&form), Some(&own(rules)), None);
    assert_eq!(read.full_name.as_deref(), Some("Dr. Ann"));
    assert_eq!(
        read.fields,
        [("budget".to_owned(), "a / b".to_owned()), ("origin".to_owned(), "web".to_owned())].into()
    );
    assert!(read.unmapped.is_empty(), "{:?}", read.unmapped);
    let first = rule("first_name", &["titel"]);
    let mapped = map(&answers[1..], Some(&form), Some(&own(vec![first])), None);
    assert_eq!(mapped.full_name.as_deref(), Some("dr"), "a ruled first name is part of the full name");
    let silenced = map(&answers, Some(&form), Some(&own(vec![rule("full_name", &[])])), None);
    assert_eq!(silenced.full_name, None);
}

#[test]
fn a_number_is_read_as_the_mapping_says_else_as_the_org_else_as_the_form() {
    let form = Form { locale: Some("de_DE".into()), ..form(&[("tel", "PHONE")]) };
    let read = |own_country: Option<&str>, org: Option<&str>, typed: &str| {
        let mapping = own_country.map(|country| Mapping { country: Some(country.into()), ..own(vec![]) });
        map(&label(&raw_answers(&[("tel", &[typed])]), Some(&form)), Some(&form), mapping.as_ref(), org).phone.unwrap()
    };
    assert_eq!(read(None, None, "030 901820"), "+4930901820");
    assert_eq!(read(None, Some("US"), "(212) 555-0123"), "+12125550123");
    assert_eq!(read(Some("US"), Some("DE"), "(212) 555-0123"), "+12125550123");
    assert_eq!(read(Some("US"), Some("DE"), "030 901820"), "030 901820", "who says US means it");
    assert_eq!(read(None, None, "+1 212 555 0123"), "+12125550123");
}

#[test]
fn what_can_be_no_rule_is_told_by_its_place() {
    let form = form(&[("name", "FULL_NAME"), ("q", "CUSTOM")]);
    let wrong_field = |rules: Vec<Rule>| check(&rules, None, &form).unwrap_err().field;
    assert_eq!(wrong_field(vec![rule("ok", &["q"]), rule("Not OK", &[])]), "rules[1].field");
    assert_eq!(wrong_field(vec![rule("a", &["q"]), rule("a", &["name"])]), "rules[1].field");
    assert_eq!(wrong_field(vec![rule("a", &["q", "gone"])]), "rules[0].from[1]");
    assert_eq!(wrong_field(vec![rule("a", &["q", "q"])]), "rules[0].from[1]");
    assert_eq!(wrong_field(vec![Rule { default: Some("x".repeat(501)), ..rule("a", &[]) }]), "rules[0]");
    assert_eq!(
        wrong_field(vec![Rule { default: Some("none@example.com".into()), ..rule("email", &["q"]) }]),
        "rules[0].default"
    );
    assert_eq!(wrong_field(vec![Rule::default(); 101]), "rules");
    let much = |n: usize| Rule {
        choices: (0..100).map(|c| (format!("{c}{}", "k".repeat(300)), String::new())).collect(),
        ..rule(&format!("f{n}"), &["q"])
    };
    assert_eq!(wrong_field((0..3).map(much).collect()), "rules");
    assert_eq!(check(&[], Some("Germany"), &form).unwrap_err().field, "country");
    assert_eq!(check(&[rule("a", &["q"])], Some("de"), &form), Ok(()));
}

fn any_answers() -> impl Strategy<Value = Vec<RawAnswer>> {
    let name = prop::sample::select(vec!["email", "full_name", "first_name", "phone_number", "stadt", "q1", "q2", ""]);
    let values = prop::collection::vec("[ -~äé]{0,12}", 0..4);
    prop::collection::btree_map(name.prop_map(ToOwned::to_owned), values, 0..8)
        .prop_map(|answers| answers.into_iter().collect())
}

proptest! {
    #[test]
    fn nothing_that_was_answered_is_lost(raw_answers in any_answers(), with_form in any::<bool>()) {
        let form = form(&[("email", "EMAIL"), ("q1", "CUSTOM"), ("stadt", "CITY")]);
        let form = with_form.then_some(&form);
        let answers = label(&raw_answers, form);
        let read = map(&answers, form, None, Some("US"));
        for (name, values) in &raw_answers {
            prop_assert!(answers.iter().any(|answer| answer.name == *name && answer.values == *values));
            let field = field_of(name, form);
            prop_assert!(read.unmapped.contains(name) || field.is_some());
            let is_answered = values.iter().any(|value| !value.trim().is_empty());
            let is_mapped = |field: &str| match field {
                FULL_NAME => read.full_name.is_some(),
                EMAIL => read.email.is_some(),
                PHONE => read.phone.is_some(),
                other => read.fields.contains_key(other),
            };
            prop_assert!(field.is_none_or(|field| !is_answered || is_mapped(field)));
        }
    }

    #[test]
    fn a_custom_question_never_says_who_somebody_is(raw_answers in any_answers(), value in "[ -~]{1,20}") {
        let form = form(&[("email", "CUSTOM"), ("full_name", "CUSTOM"), ("phone_number", "CUSTOM"), ("first_name", "CUSTOM")]);
        let raw_answers: Vec<RawAnswer> = raw_answers.into_iter().map(|(name, _)| (name, vec![value.clone()])).collect();
        let read = map(&label(&raw_answers, Some(&form)), Some(&form), None, Some("US"));
        prop_assert_eq!((read.full_name, read.email, read.phone), (None, None, None));
    }

    #[test]
    fn a_rule_depends_on_its_questions_only(raw_answers in any_answers(), other in any_answers()) {
        let form = form(&[("q1", "CUSTOM"), ("q2", "CUSTOM")]);
        let mapping = own(vec![rule("mine", &["q1", "q2"])]);
        let of_rule = |name: &str| name == "q1" || name == "q2";
        let mixed: Vec<RawAnswer> = raw_answers.iter().filter(|(name, _)| of_rule(name))
            .chain(other.iter().filter(|(name, _)| !of_rule(name))).cloned().collect();
        let read = |raw_answers: &[RawAnswer]| map(&label(raw_answers, Some(&form)), Some(&form), Some(&mapping), None);
        prop_assert_eq!(read(&raw_answers).fields.get("mine").cloned(), read(&mixed).fields.get("mine").cloned());
    }
}
