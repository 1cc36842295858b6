//! `POST /_sim/forms`: changes that page owners make to their forms.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::seed::sketch::{self, Sketch};
use crate::server::Sim;
use crate::world::form::Choice;
use crate::world::standard_question;

/// Meta allows fewer; the id scheme has room for this many.
const MAX_QUESTIONS: usize = 50;

/// Refers to an existing form with `form_id`, to a new one without.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    form_id: Option<String>,
    status: Option<String>,
    page_id: Option<String>,
    name: Option<String>,
    locale: Option<String>,
    questions: Option<Vec<QuestionInput>>,
    consents: Option<Vec<ConsentInput>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuestionInput {
    /// Derived from the label if absent.
    key: Option<String>,
    label: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    options: Vec<OptionInput>,
    /// Checkboxes instead of a single choice, on the form's page and for invented people.
    #[serde(default)]
    multiple: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionInput {
    /// Derived from the value if absent.
    key: Option<String>,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsentInput {
    key: String,
    text: String,
    #[serde(default)]
    required: bool,
}

/// Archives or reactivates a form, or creates one and returns its id. An archived form takes no new leads and still
/// shows its old ones.
pub(crate) async fn change(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let Some(form_id) = &input.form_id else { return create(&sim, input) };
    if input.page_id.is_some() || input.name.is_some() || input.locale.is_some() {
        return Err(Mistake::new("form_id: of a form that is there only the status changes"));
    }
    if input.questions.is_some() || input.consents.is_some() {
        return Err(Mistake::new("form_id: the questions of a form never change"));
    }
    let status = match input.status.as_deref() {
        Some("ACTIVE") => "ACTIVE",
        Some("ARCHIVED") => "ARCHIVED",
        other => {
            let got = other.unwrap_or("nothing");
            return Err(Mistake::new(format!("status: must be ACTIVE or ARCHIVED, got \"{got}\"")));
        }
    };
    let mut world = sim.world();
    let form = world.forms.get_mut(form_id);
    let form = form.ok_or_else(|| Mistake::new(format!("form_id: there is no form {form_id}")))?;
    form.status = status;
    Ok(Json(json!({"success": true})))
}

fn create(sim: &Sim, input: Input) -> Result<Json<Value>, Mistake> {
    let (Some(page_id), Some(name)) = (input.page_id, input.name.filter(|name| !name.is_empty())) else {
        return Err(Mistake::new("form_id, or page_id and name of a new form, is required"));
    };
    if input.status.is_some() {
        return Err(Mistake::new("status: a new form is ACTIVE"));
    }
    let locale = input.locale.unwrap_or_else(|| "en_US".to_owned());
    if !is_locale(&locale) {
        return Err(Mistake::new(format!("locale: must look like de_DE, got \"{locale}\"")));
    }
    let sketch = questions(Sketch::new(&name, &locale), input.questions.unwrap_or_default())?;
    let sketch = consents(sketch, input.consents.unwrap_or_default())?;
    let mut world = sim.world();
    if !world.pages.contains_key(&page_id) {
        return Err(Mistake::new(format!("page_id: there is no page {page_id}")));
    }
    let now = world.clock.now_ms();
    let id = sketch.publish(&mut world, &page_id, now);
    Ok(Json(json!({ "id": id })))
}

fn is_locale(text: &str) -> bool {
    let letters = |part: &str, fits: fn(&char) -> bool| part.chars().all(|letter| fits(&letter));
    text.split_once('_').is_some_and(|(language, region)| {
        (2..=3).contains(&language.len())
            && region.len() == 2
            && letters(language, char::is_ascii_lowercase)
            && letters(region, char::is_ascii_uppercase)
    })
}

fn questions(mut sketch: Sketch, list: Vec<QuestionInput>) -> Result<Sketch, Mistake> {
    if list.is_empty() || list.len() > MAX_QUESTIONS {
        let count = list.len();
        return Err(Mistake::new(format!("questions: there must be between 1 and {MAX_QUESTIONS}, got {count}")));
    }
    let mut keys = HashSet::new();
    for question in list {
        let kind = standard_question::named(&question.kind).ok_or_else(|| {
            let known = standard_question::names();
            Mistake::new(format!("questions: there is no type \"{}\"; there are: {known}", question.kind))
        })?;
        let key = question.key.unwrap_or_else(|| sketch::key_of(&question.label));
        if key.is_empty() || !keys.insert(key.clone()) {
            return Err(Mistake::new(format!("questions: the key \"{key}\" is empty or comes twice")));
        }
        sketch = sketch.question(&key, &question.label, kind);
        sketch = sketch.options(question.options.into_iter().map(choice).collect(), question.multiple);
    }
    Ok(sketch)
}

fn choice(option: OptionInput) -> Choice {
    Choice { key: option.key.unwrap_or_else(|| sketch::key_of(&option.value)), value: option.value }
}

fn consents(mut sketch: Sketch, list: Vec<ConsentInput>) -> Result<Sketch, Mistake> {
    let mut keys = HashSet::new();
    for consent in list {
        if consent.key.is_empty() || !keys.insert(consent.key.clone()) {
            return Err(Mistake::new(format!("consents: the key \"{}\" is empty or comes twice", consent.key)));
        }
        sketch = sketch.consent(&consent.key, &consent.text, consent.required);
    }
    Ok(sketch)
}
