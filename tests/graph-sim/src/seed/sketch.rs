//! A builder for lead forms: first the questions in order, then ids and ads.

use serde_json::Map;

use crate::world::World;
use crate::world::form::{Ad, Choice, Consent, Form, Question};

/// Form ids count up from here in order of creation. They are above 2^53, like many of Meta's.
const FIRST_FORM: u64 = 23_984_716_520_100_001;
/// Ids of campaigns, ad sets and ads count up from here. They have eighteen digits, like Meta's.
const FIRST_CAMPAIGN: u64 = 120_210_987_654_320_000;

/// The key that Meta derives from a text: lower case, `_` for spaces, accents kept.
pub(crate) fn key_of(text: &str) -> String {
    text.to_lowercase().replace(' ', "_")
}

/// A form under construction.
pub(crate) struct Sketch {
    name: String,
    locale: String,
    questions: Vec<Question>,
    consents: Vec<Consent>,
}

impl Sketch {
    pub(crate) fn new(name: &str, locale: &str) -> Self {
        Self { name: name.to_owned(), locale: locale.to_owned(), questions: Vec::new(), consents: Vec::new() }
    }

    pub(super) fn full_name(self) -> Self {
        let label = match self.locale.as_str() {
            "de_DE" => "Vollständiger Name",
            _ => "Full name",
        };
        self.question("full_name", label, "FULL_NAME")
    }

    pub(super) fn name_parts(self) -> Self {
        let (first, last) = match self.locale.as_str() {
            "es_ES" => ("Nombre", "Apellidos"),
            _ => ("First name", "Last name"),
        };
        self.question("first_name", first, "FIRST_NAME").question("last_name", last, "LAST_NAME")
    }

    pub(super) fn email(self) -> Self {
        let label = match self.locale.as_str() {
            "de_DE" => "E-Mail-Adresse",
            "es_ES" => "Correo electrónico",
            _ => "Email",
        };
        self.question("email", label, "EMAIL")
    }

    pub(super) fn phone(self) -> Self {
        let label = if self.locale == "de_DE" { "Telefonnummer" } else { "Phone number" };
        self.question("phone_number", label, "PHONE")
    }

    pub(super) fn text(self, key: &str, label: &str) -> Self {
        self.question(key, label, "CUSTOM")
    }

    pub(super) fn choice(self, key: &str, label: &str, options: &[&str]) -> Self {
        self.with_options(key, label, options, false)
    }

    pub(super) fn many(self, key: &str, label: &str, options: &[&str]) -> Self {
        self.with_options(key, label, options, true)
    }

    pub(crate) fn question(mut self, key: &str, label: &str, kind: &'static str) -> Self {
        self.questions.push(Question {
            id: String::new(),
            key: key.to_owned(),
            label: label.to_owned(),
            kind,
            options: Vec::new(),
            multiple: false,
        });
        self
    }

    /// Sets the options of the last question.
    pub(crate) fn options(mut self, options: Vec<Choice>, multiple: bool) -> Self {
        if let Some(question) = self.questions.last_mut() {
            question.multiple = multiple;
            question.options = options;
        }
        self
    }

    fn with_options(self, key: &str, label: &str, options: &[&str], multiple: bool) -> Self {
        let options = options.iter().map(|text| Choice { key: key_of(text), value: (*text).to_owned() });
        self.question(key, label, "CUSTOM").options(options.collect(), multiple)
    }

    pub(crate) fn consent(mut self, key: &str, text: &str, required: bool) -> Self {
        self.consents.push(Consent { key: key.to_owned(), text: text.to_owned(), required });
        self
    }

    /// Adds the form to a page and returns its id.
    pub(crate) fn publish(self, world: &mut World, page_id: &str, created_ms: i64) -> String {
        let number = u64::try_from(world.forms.len()).unwrap_or_default();
        let form = self.into_form(page_id, number, created_ms);
        let id = form.id.clone();
        world.advertise_form(&form);
        world.forms.insert(id.clone(), form);
        id
    }

    /// Builds the form. Its ids follow from the running number.
    fn into_form(self, page_id: &str, number: u64, created_ms: i64) -> Form {
        let id = FIRST_FORM + number * 10;
        let mut questions = self.questions;
        for (position, question) in (1_u64..).zip(questions.iter_mut()) {
            question.id = (id * 10 + position).to_string();
        }
        let campaign = FIRST_CAMPAIGN + number * 100;
        let ads = (1_u64..=3)
            .map(|ad| {
                let adset = ad.div_ceil(2);
                Ad {
                    id: (campaign + 20 + ad).to_string(),
                    name: format!("{} – ad {ad}", self.name),
                    adset_id: (campaign + 10 + adset).to_string(),
                    adset_name: format!("{} – audience {adset}", self.name),
                    campaign_id: campaign.to_string(),
                    campaign_name: format!("{} – campaign", self.name),
                }
            })
            .collect();
        let thank_you = match self.locale.as_str() {
            "de_DE" => "Vielen Dank! Wir melden uns.",
            "es_ES" => "¡Gracias! Te escribiremos pronto.",
            "fr_FR" => "Merci ! Nous vous recontacterons bientôt.",
            "ja_JP" => "ありがとうございます。追ってご連絡いたします。",
            _ => "Thank you! We will be in touch.",
        };
        Form {
            id: id.to_string(),
            page_id: page_id.to_owned(),
            headline: self.name.clone(),
            name: self.name,
            locale: self.locale,
            status: "ACTIVE",
            questions,
            consents: self.consents,
            privacy_policy_url: "https://www.example.com/privacy".to_owned(),
            thank_you: thank_you.to_owned(),
            created_ms,
            ads,
            written: Map::new(),
        }
    }
}
