//! Lead forms: questions, consents and the ads that show them.

use serde_json::{Map, Value, json};

/// A lead form (`LeadgenForm`).
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) id: String,
    pub(crate) page_id: String,
    pub(crate) name: String,
    /// Such as `de_DE`.
    pub(crate) locale: String,
    /// `ACTIVE`, `ARCHIVED`, `DELETED` or `DRAFT`.
    pub(crate) status: &'static str,
    pub(crate) headline: String,
    pub(crate) questions: Vec<Question>,
    pub(crate) consents: Vec<Consent>,
    pub(crate) privacy_policy_url: String,
    pub(crate) thank_you: String,
    pub(crate) created_ms: i64,
    pub(crate) ads: Vec<Ad>,
    /// Fields of a form made through the API that are read back as they were sent.
    pub(crate) written: Map<String, Value>,
}

/// One question (`LeadGenQuestion`).
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) id: String,
    /// The name of the answer in `field_data`.
    pub(crate) key: String,
    pub(crate) label: String,
    /// Meta's question type, such as `EMAIL` or `CUSTOM`.
    pub(crate) kind: &'static str,
    pub(crate) options: Vec<Choice>,
    /// Whether more than one option may be chosen; the answer then has several values.
    pub(crate) multiple: bool,
}

/// An option of a choice question; answers carry its key.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A checkbox of the custom disclaimer. Its answer is reported outside `field_data`.
#[derive(Debug, Clone)]
pub(crate) struct Consent {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) required: bool,
}

impl Consent {
    /// Renders a `LeadGenLegalContentCheckbox`.
    pub(crate) fn checkbox(&self) -> Value {
        json!({
            "id": self.key, "key": self.key, "is_required": self.required, "is_checked_by_default": false,
            "text": self.text,
        })
    }
}

/// An ad with its ad set and campaign, as named by a paid lead. Meta's older names for them are adgroup, campaign and
/// campaign group, so `adgroup_id` in a webhook is this ad's id.
#[derive(Debug, Clone)]
pub(crate) struct Ad {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) adset_id: String,
    pub(crate) adset_name: String,
    pub(crate) campaign_id: String,
    pub(crate) campaign_name: String,
}

impl Form {
    /// Whether the form takes leads. An archived form takes none but still shows its old ones.
    pub(crate) fn takes_leads(&self) -> bool {
        self.status == "ACTIVE"
    }

    pub(crate) fn question(&self, key: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.key == key)
    }

    /// The key of the question for an e-mail address.
    pub(crate) fn email_key(&self) -> Option<&str> {
        self.questions.iter().find(|question| question.kind == "EMAIL").map(|question| question.key.as_str())
    }

    pub(crate) fn ad(&self, ad_id: &str) -> Option<&Ad> {
        self.ads.iter().find(|ad| ad.id == ad_id)
    }
}
