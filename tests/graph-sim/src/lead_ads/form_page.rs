//! Renders the pages around a lead form.

use axum::response::Html;
use maud::{Markup, html};

use super::submitted::Submitted;
use crate::web_page;
use crate::world::World;
use crate::world::form::{Form, Question};

/// Lists the forms of every page.
pub(crate) fn index(world: &World) -> Html<String> {
    let content = html! {
        h1 { "Lead ads" }
        p.note { "Simulated. Open a form to become a lead." }
        @for page in world.pages.values() {
            @if world.forms_of_page(&page.id).next().is_some() {
                h2 { (page.name) }
                ul.plain {
                    @for form in world.forms_of_page(&page.id).filter(|form| form.takes_leads()) {
                        li { a href=(format!("/lead_ads/{}", form.id)) { (form.name) } " " span.note { (form.locale) } }
                    }
                }
            }
        }
    };
    web_page::page("en", "Lead ads (simulated)", &content)
}

/// Renders the form with earlier input and the problems found in it.
pub(crate) fn form(form: &Form, filled: &Submitted, problems: &[String]) -> Html<String> {
    let words = words(form);
    let content = html! {
        h1 { (form.headline) }
        p.note { "Simulated " span { (if filled.platform() == "ig" { "Instagram" } else { "Facebook" }) } " lead ad" }
        @if !problems.is_empty() {
            div.error role="alert" {
                p { (words.missing) }
                ul { @for problem in problems { li { (problem) } } }
            }
        }
        form method="post" {
            fieldset {
                legend { "Platform" }
                label { input type="radio" name="platform" value="fb" checked[filled.platform() == "fb"]; "Facebook" }
                label { input type="radio" name="platform" value="ig" checked[filled.platform() == "ig"]; "Instagram" }
            }
            @for question in &form.questions { (input(question, filled)) }
            @if !form.consents.is_empty() {
                fieldset {
                    legend { (words.consent) }
                    @for consent in &form.consents {
                        label {
                            input type="checkbox" name=(format!("c:{}", consent.key)) value="1"
                                checked[filled.ticked(&consent.key)] required[consent.required];
                            span { (consent.text) }
                        }
                    }
                }
            }
            p.note { a href=(form.privacy_policy_url) { (words.privacy) } }
            div.actions { button.main type="submit" { (words.send) } }
        }
    };
    web_page::page(language(form), &form.name, &content)
}

fn input(question: &Question, filled: &Submitted) -> Markup {
    let name = format!("q:{}", question.key);
    let values = filled.answer(&question.key);
    if question.options.is_empty() {
        let kind = match question.kind {
            "EMAIL" => "email",
            "PHONE" => "tel",
            _ => "text",
        };
        let value = values.first().map(String::as_str).unwrap_or_default();
        return html! { label.text { (question.label) input type=(kind) name=(name) value=(value) required; } };
    }
    html! {
        fieldset {
            legend { (question.label) }
            @for option in &question.options {
                label {
                    @if question.multiple {
                        input type="checkbox" name=(name) value=(option.key) checked[values.contains(&option.key)];
                    } @else {
                        input type="radio" name=(name) value=(option.key) checked[values.contains(&option.key)] required;
                    }
                    span { (option.value) }
                }
            }
        }
    }
}

/// Renders the page after submission. It carries the lead id for programs that submit the form.
pub(crate) fn thanks(form: &Form, leadgen_id: &str) -> Html<String> {
    let content = html! {
        h1 { (form.thank_you) }
        p.note data-leadgen-id=(leadgen_id) { "Simulated lead " (leadgen_id) }
        div.actions { a.button href=(format!("/lead_ads/{}", form.id)) { "+ 1" } }
    };
    web_page::page(language(form), &form.thank_you, &content)
}

/// Renders the page for an unknown form.
pub(crate) fn missing(form_id: &str) -> Html<String> {
    let content = html! {
        h1 { "There is no form " (form_id) }
        p { a href="/lead_ads" { "All forms" } }
    };
    web_page::page("en", "No such form", &content)
}

fn language(form: &Form) -> &str {
    form.locale.get(..2).unwrap_or("en")
}

/// Interface texts in the form's language.
struct Words {
    missing: &'static str,
    consent: &'static str,
    privacy: &'static str,
    send: &'static str,
}

fn words(form: &Form) -> Words {
    match language(form) {
        "de" => Words {
            missing: "Bitte ergänzen:",
            consent: "Einwilligung",
            privacy: "Datenschutzerklärung",
            send: "Absenden",
        },
        "es" => Words {
            missing: "Falta por completar:",
            consent: "Consentimiento",
            privacy: "Política de privacidad",
            send: "Enviar",
        },
        "fr" => Words {
            missing: "À compléter :",
            consent: "Consentement",
            privacy: "Politique de confidentialité",
            send: "Envoyer",
        },
        "ja" => Words {
            missing: "入力してください：", consent: "同意", privacy: "プライバシーポリシー", send: "送信"
        },
        _ => Words { missing: "Please complete:", consent: "Consent", privacy: "Privacy policy", send: "Submit" },
    }
}
