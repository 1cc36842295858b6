//! WhatsApp accounts of businesses: their numbers, the subscription to their messages, and templates.

use serde::Deserialize;

use super::{GraphClient, GraphError, OnlyId};
use crate::secret::AccessToken;

/// A number of a WhatsApp account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatsappNumber {
    /// Meta's id of it.
    pub id: String,
    /// The number, as Meta shows it.
    pub display: String,
    /// The WhatsApp account that it belongs to.
    pub waba: String,
}

/// A template of a WhatsApp account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WhatsappTemplate {
    /// Its name.
    pub name: String,
    /// Its language, such as `en_US`.
    pub language: String,
    /// `APPROVED`, or why it cannot be sent.
    pub status: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    #[serde(default)]
    pub category: String,
    /// Its parts; the body has the text with its variables.
    #[serde(default)]
    pub components: Vec<TemplateComponent>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TemplateComponent {
    /// `HEADER`, `BODY`, `FOOTER` or `BUTTONS`.
    pub r#type: String,
    /// Its text, with variables as `{{1}}`.
    #[serde(default)]
    pub text: Option<String>,
}

#[derive(Deserialize)]
struct Number {
    id: String,
    #[serde(default)]
    display_phone_number: String,
}

impl GraphClient {
    /// Lists the numbers of all WhatsApp accounts that a person's businesses own or manage for clients. An edge that Meta
    /// refuses counts as empty.
    pub async fn whatsapp_numbers(&self, token: &AccessToken) -> Result<Vec<WhatsappNumber>, GraphError> {
        const EDGES: [&str; 2] = ["owned_whatsapp_business_accounts", "client_whatsapp_business_accounts"];
        let businesses: Vec<OnlyId> = self.get_all("me/businesses", &[("fields", "id")], token).await?;
        let mut accounts: Vec<OnlyId> = Vec::new();
        for business in &businesses {
            for edge in EDGES {
                match self.get_all::<OnlyId>(&format!("{}/{edge}", business.id), &[("fields", "id")], token).await {
                    Ok(found) => accounts.extend(found),
                    Err(error @ (GraphError::TokenInvalid { .. } | GraphError::Throttled { .. })) => return Err(error),
                    Err(error) => tracing::info!(%error, business = business.id, edge, "an edge was not read"),
                }
            }
        }
        accounts.sort_by(|one, other| one.id.cmp(&other.id));
        accounts.dedup_by(|one, other| one.id == other.id);
        let mut numbers = Vec::new();
        for account in accounts {
            let edge = format!("{}/phone_numbers", account.id);
            let found: Vec<Number> = self.get_all(&edge, &[("fields", "id,display_phone_number")], token).await?;
            numbers.extend(found.into_iter().map(|number| WhatsappNumber {
                id: number.id,
                display: number.display_phone_number,
                waba: account.id.clone(),
            }));
        }
        Ok(numbers)
    }

    /// Lists the templates of a WhatsApp account.
    pub async fn whatsapp_templates(
        &self,
        waba: &str,
        token: &AccessToken,
    ) -> Result<Vec<WhatsappTemplate>, GraphError> {
        let query = [("fields", "name,language,status,category,components"), ("limit", "100")];
        self.get_all(&format!("{waba}/message_templates"), &query, token).await
    }
}
