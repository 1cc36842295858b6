//! WhatsApp's message templates.

use serde_json::{Value, json};

/// A template.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) language: String,
    /// `UTILITY`, `MARKETING` or `AUTHENTICATION`.
    pub(crate) category: String,
    /// `APPROVED`, `PENDING`, `REJECTED`, `PAUSED` or `DISABLED`.
    pub(crate) status: String,
    /// With `{{1}}` for the first parameter.
    pub(crate) body: String,
    pub(crate) header: Option<String>,
    pub(crate) footer: Option<String>,
    /// The texts of its quick replies.
    pub(crate) buttons: Vec<String>,
}

impl Template {
    /// The number of parameters in a text.
    pub(crate) fn parameters(text: &str) -> usize {
        (1..).take_while(|number| text.contains(&format!("{{{{{number}}}}}"))).count()
    }

    /// The body with its parameters.
    pub(crate) fn fill(&self, values: &[String]) -> String {
        let numbered = (1..).zip(values);
        numbered.fold(self.body.clone(), |text, (number, value)| text.replace(&format!("{{{{{number}}}}}"), value))
    }

    /// `components` as the API shows them.
    pub(crate) fn components(&self) -> Vec<Value> {
        let mut components = Vec::new();
        if let Some(header) = &self.header {
            components.push(json!({"type": "HEADER", "format": "TEXT", "text": header}));
        }
        let mut body = json!({"type": "BODY", "text": self.body});
        let count = Self::parameters(&self.body);
        if let Some(members) = body.as_object_mut().filter(|_| count > 0) {
            let samples: Vec<String> = (1..=count).map(|number| format!("sample {number}")).collect();
            members.insert("example".to_owned(), json!({"body_text": [samples]}));
        }
        components.push(body);
        if let Some(footer) = &self.footer {
            components.push(json!({"type": "FOOTER", "text": footer}));
        }
        if !self.buttons.is_empty() {
            let buttons: Vec<Value> =
                self.buttons.iter().map(|text| json!({"type": "QUICK_REPLY", "text": text})).collect();
            components.push(json!({"type": "BUTTONS", "buttons": buttons}));
        }
        components
    }
}

/// The templates of a new account.
pub(crate) fn usual(first_id: u64) -> Vec<Template> {
    // Name, language, category, status, body, and buttons separated by `|`.
    let list = [
        ["lead_follow_up", "en_US", "UTILITY", "APPROVED", "Hello {{1}}, thank you for your request about {{2}}.", ""],
        ["lead_follow_up", "de", "UTILITY", "APPROVED", "Hallo {{1}}, danke für deine Anfrage zu {{2}}.", ""],
        ["hello_world", "en_US", "UTILITY", "APPROVED", "Welcome and congratulations!", ""],
        ["appointment", "en_US", "UTILITY", "APPROVED", "Does {{1}} suit you?", "Yes|No"],
        ["spring_offer", "en_US", "MARKETING", "PENDING", "Spring is here, {{1}}: 20 % off until Sunday.", ""],
        ["old_offer", "en_US", "MARKETING", "PAUSED", "Only today: {{1}}.", "Stop"],
    ];
    list.into_iter()
        .zip(first_id..)
        .map(|([name, language, category, status, body, buttons], id)| Template {
            id: id.to_string(),
            name: name.to_owned(),
            language: language.to_owned(),
            category: category.to_owned(),
            status: status.to_owned(),
            body: body.to_owned(),
            header: (name == "hello_world").then(|| "Hello World".to_owned()),
            footer: None,
            buttons: buttons.split('|').filter(|text| !text.is_empty()).map(str::to_owned).collect(),
        })
        .collect()
}
