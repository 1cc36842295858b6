//! What a person answered and agreed to.

use leadwire::leads::LeadDetails;
use leadwire::model::lead::{Answer, Consent};
use leadwire::tr;
use maud::{Markup, html};

use crate::components::{time, with_markup};

/// The answers of a lead. Those that are only what is known of the person anyway are folded.
pub(super) fn lead_answers(answers: &[Answer], known: [&Option<String>; 3]) -> Markup {
    let is_known = |answer: &&Answer| match answer.values.as_slice() {
        [only] => known.into_iter().flatten().any(|text| text.trim().eq_ignore_ascii_case(only.trim())),
        _ => false,
    };
    let (same, others): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(is_known);
    html! {
        h2 { (tr!("Answers")) }
        @if answers.is_empty() { p.quiet { (tr!("No answers.")) } }
        (answer_rows(others))
        @if !same.is_empty() {
            details {
                summary { (tr!([same.len()] "{n} answer, same as above" | "{n} answers, same as above")) }
                (answer_rows(same))
            }
        }
    }
}

fn answer_rows<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Markup {
    html! {
        dl.rows {
            @for answer in answers {
                div { dt { (answer.label) } dd { @if answer.values.is_empty() { span.quiet { (tr!("No answer")) } } @else { span.text { (answer.values.join(", ")) } } } }
            }
        }
    }
}

fn answers(title: &str, answers: &[Answer]) -> Markup {
    html! {
        h2 { (title) }
        @if answers.is_empty() { p.quiet { (tr!("No answers.")) } }
        (answer_rows(answers))
    }
}

/// What the person agreed to or not, as the form said it; by its key in the form if that is not known.
pub(super) fn consents(consents: &[Consent]) -> Markup {
    html! {
        @if !consents.is_empty() {
            h3 { (tr!("Consents")) }
            ul.plain {
                @for consent in consents {
                    li { @if consent.checked { "☑ " } @else { "☐ " } span.text title=(consent.key) { (consent.text.as_deref().unwrap_or(&consent.key)) } }
                }
            }
        }
    }
}

pub(super) fn later_submissions(details: &LeadDetails) -> Markup {
    html! {
        @for submission in &details.submissions {
            section.card {
                p.quiet {
                    @let at = ("time", time(submission.created_time));
                    @match &submission.form_name {
                        Some(form) => (with_markup(&tr!("The same person submitted {form} on {time}."), &[("form", html! { (form) }), at])),
                        None => (with_markup(&tr!("The same person submitted another form on {time}."), &[at])),
                    }
                }
                (answers(&tr!("Answers in that form"), &submission.answers))
                (consents(&submission.consents))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consent_is_what_the_person_read_or_its_key() {
        let shown = |text: Option<&str>, checked| {
            let consent = Consent { key: "newsletter".to_owned(), text: text.map(ToOwned::to_owned), checked };
            consents(&[consent]).into_string()
        };
        let text = "☑ <span class=\"text\" title=\"newsletter\">Send me &lt;news&gt;.</span>";
        assert!(shown(Some("Send me <news>."), true).contains(text), "{}", shown(Some("Send me <news>."), true));
        let key = "☐ <span class=\"text\" title=\"newsletter\">newsletter</span>";
        assert!(shown(None, false).contains(key), "{}", shown(None, false));
        assert_eq!(consents(&[]).into_string(), "");
    }

    #[test]
    fn what_the_contact_says_already_is_folded() {
        let answer = |label: &str, value: &str| Answer {
            name: label.to_owned(),
            label: label.to_owned(),
            values: vec![value.to_owned()],
        };
        let answers = [answer("Email", "Ann@example.com "), answer("Size", "Large")];
        let shown = lead_answers(&answers, [&None, &Some("ann@example.com".to_owned()), &None]).into_string();
        let (open, folded) = shown.split_once("<details>").unwrap();
        assert!(open.contains("Large") && !open.contains("Email"), "{shown}");
        assert!(folded.contains("1 answer, same as above") && folded.contains("Ann@example.com"), "{shown}");
    }
}
