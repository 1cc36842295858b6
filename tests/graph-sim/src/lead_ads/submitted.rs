//! The submitted contents of a form page.

use std::collections::BTreeMap;

use crate::world::form::Form;
use crate::world::lead::{Answer, ConsentAnswer};

/// Values by input name; inputs are named `q:<question key>`, `c:<checkbox key>` and `platform`.
#[derive(Debug, Default)]
pub(crate) struct Submitted {
    values: BTreeMap<String, Vec<String>>,
}

impl Submitted {
    pub(crate) fn read(body: &str) -> Self {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(body.as_bytes()) {
            let value = value.trim();
            if !value.is_empty() {
                values.entry(name.into_owned()).or_default().push(value.to_owned());
            }
        }
        Self { values }
    }

    /// `fb` or `ig`.
    pub(crate) fn platform(&self) -> &str {
        if self.has("platform", "ig") { "ig" } else { "fb" }
    }

    pub(crate) fn answer(&self, key: &str) -> &[String] {
        self.values.get(&format!("q:{key}")).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn ticked(&self, key: &str) -> bool {
        self.values.contains_key(&format!("c:{key}"))
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.values.get(name).is_some_and(|values| values.iter().any(|known| known == value))
    }

    /// Returns the problems that prevent acceptance, as texts for the person.
    pub(crate) fn problems(&self, form: &Form) -> Vec<String> {
        let mut problems = Vec::new();
        for question in &form.questions {
            let values = self.answer(&question.key);
            let offered = |value: &String| question.options.iter().any(|option| option.key == *value);
            let sound = |value: &String| match (question.options.is_empty(), question.kind) {
                (false, _) => offered(value),
                (true, "EMAIL") => value.contains('@'),
                (true, _) => true,
            };
            if values.is_empty() {
                problems.push(question.label.clone());
            } else if !values.iter().all(sound) {
                problems.push(format!("{}: {}", question.label, values.join(", ")));
            }
        }
        let unticked = form.consents.iter().filter(|consent| consent.required && !self.ticked(&consent.key));
        problems.extend(unticked.map(|consent| consent.text.clone()));
        problems
    }

    pub(crate) fn answers(&self, form: &Form) -> Vec<Answer> {
        form.questions
            .iter()
            .map(|question| Answer { name: question.key.clone(), values: self.answer(&question.key).to_vec() })
            .collect()
    }

    pub(crate) fn consents(&self, form: &Form) -> Vec<ConsentAnswer> {
        form.consents
            .iter()
            .map(|consent| ConsentAnswer { key: consent.key.clone(), checked: self.ticked(&consent.key) })
            .collect()
    }
}
