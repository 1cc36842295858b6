//! The API's own description of itself, against which every answer that a story gets is checked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

/// What `/openapi.json` says.
pub struct Description {
    document: Value,
    /// The schemas by their place in the document, compiled when they are first needed.
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

impl Description {
    /// Takes the description as the API sends it.
    #[must_use]
    pub fn new(document: Value) -> Self {
        Self { document, validators: Mutex::default() }
    }

    /// Returns what is wrong with an answer. Says nothing of addresses and methods that are not described.
    ///
    /// # Panics
    /// Panics if a schema of the description is invalid.
    #[must_use]
    pub fn problem_with(&self, method: &str, path: &str, answer: &Answer<'_>) -> Option<String> {
        let (template, operation) = self.operation(method, path)?;
        let responses = &operation["responses"];
        let status = answer.status.to_string();
        let Some(response) = responses.get(&status) else {
            return Some(format!("{status} is not described: {}", answer.body));
        };
        let Some(contents) = response["content"].as_object().filter(|contents| !contents.is_empty()) else {
            return (!answer.body.is_empty()).then(|| format!("{status} has no body in the description"));
        };
        let kind = answer.content_type.split(';').next().unwrap_or_default();
        let Some(content) = contents.get(kind) else {
            return Some(format!("{status} as {kind} is not described: {}", answer.body));
        };
        if !kind.ends_with("json") || content["schema"].is_null() {
            return None;
        }
        let body: Value = match serde_json::from_str(answer.body) {
            Ok(body) => body,
            Err(error) => return Some(format!("{status} is no JSON: {error}")),
        };
        let validator = self.validator(&format!("{method} {template} {status} {kind}"), &content["schema"]);
        let wrong: Vec<String> =
            validator.iter_errors(&body).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        (!wrong.is_empty()).then(|| format!("{status} is not as described: {}: {body}", wrong.join("; ")))
    }

    fn operation(&self, method: &str, path: &str) -> Option<(&str, &Value)> {
        let path = path.split('?').next().unwrap_or_default();
        let paths = self.document["paths"].as_object().unwrap();
        let fits = |template: &str| {
            let (mut left, mut right) = (template.split('/'), path.split('/'));
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return true,
                    (Some(name), Some(given)) if name.starts_with('{') && !given.is_empty() || name == given => {}
                    _ => return false,
                }
            }
        };
        let of_method =
            |(template, item): (&'_ String, &'_ Value)| item.get(method.to_lowercase()).is_some() && fits(template);
        // A name that is written out goes before one that stands for any.
        let (template, item) = paths
            .iter()
            .filter(|(template, item)| of_method((template, item)))
            .min_by_key(|(template, _)| template.matches('{').count())?;
        Some((template, &item[method.to_lowercase()]))
    }

    fn validator(&self, place: &str, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let validator = validators.entry(place.to_owned()).or_insert_with(|| {
            let schema = json!({ "allOf": [schema], "components": self.document["components"] });
            Arc::new(jsonschema::draft202012::new(&schema).unwrap())
        });
        Arc::clone(validator)
    }
}

/// An answer of the API.
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The content type.
    pub content_type: &'a str,
    /// The body as text.
    pub body: &'a str,
}
