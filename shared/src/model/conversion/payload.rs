//! A conversion event in the form that Meta specifies for CRMs.

use jiff::Timestamp;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Conversion;
use crate::model::lead::Lead;
use crate::model::lead::identity::normalised_email;
use crate::model::lead::phone::{e164, visible};

/// The product that Meta is told the events come from.
const CRM_NAME: &str = "Leadwire";
/// The lead of test events: the smallest number that has the form of a lead's id.
const TEST_LEAD_ID: u64 = 100_000_000_000_000;

/// One event of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConversionEvent {
    event_name: String,
    event_time: i64,
    action_source: &'static str,
    event_id: String,
    user_data: UserData,
    custom_data: CustomData,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct UserData {
    /// A number, never hashed: by this alone Meta matches the lead.
    lead_id: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    em: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ph: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct CustomData {
    event_source: &'static str,
    lead_event_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

/// Meta's id of a lead as the number that Meta expects. 64 bits hold it digit for digit.
#[must_use]
pub fn meta_lead_id(lead: &Lead) -> Option<u64> {
    lead.leadgen_id.as_ref()?.as_str().parse().ok()
}

impl ConversionEvent {
    /// The event of a stage. `None` if the lead has no id of Meta's.
    #[must_use]
    pub fn new(conversion: &Conversion, lead: &Lead, event_name: &str) -> Option<Self> {
        let value = lead.value.and_then(|value| value.to_f64()).filter(|_| lead.currency.is_some());
        Some(Self {
            event_name: event_name.to_owned(),
            event_time: conversion.reached_at.as_second(),
            action_source: "system_generated",
            event_id: conversion.event_id(),
            user_data: UserData {
                lead_id: meta_lead_id(lead)?,
                em: lead.email.as_deref().and_then(hash_email).into_iter().collect(),
                ph: lead.phone.as_deref().and_then(hash_phone).into_iter().collect(),
            },
            custom_data: CustomData {
                event_source: "crm",
                lead_event_source: CRM_NAME,
                value,
                currency: value.and(lead.currency.clone()),
            },
        })
    }

    /// An event that shows whether a dataset receives anything. It is of no lead.
    #[must_use]
    pub fn test(id: &str, now: Timestamp) -> Self {
        Self {
            event_name: "Leadwire Test".to_owned(),
            event_time: now.as_second(),
            action_source: "system_generated",
            event_id: format!("test:{id}"),
            user_data: UserData { lead_id: TEST_LEAD_ID, em: Vec::new(), ph: Vec::new() },
            custom_data: CustomData { event_source: "crm", lead_event_source: CRM_NAME, value: None, currency: None },
        }
    }

    /// The name of the event.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.event_name
    }

    /// The id of the event.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.event_id
    }
}

/// Meta hashes an address trimmed and in lower case, and nothing else is done to it.
fn hash_email(typed: &str) -> Option<String> {
    normalised_email(typed)?;
    Some(sha256(visible(typed).trim().to_lowercase()))
}

/// Meta hashes a number's digits, with the country code and without a plus. One that has no country identifies no one. One
/// that is in no numbering plan is hashed as it was typed.
fn hash_phone(typed: &str) -> Option<String> {
    let typed = visible(typed);
    let number = e164(&typed, None).unwrap_or_else(|| typed.trim().to_owned());
    let rest = number.strip_prefix('+')?;
    let is_plain = rest.chars().all(|c| c.is_ascii_digit() || " ()-./".contains(c));
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let is_complete = is_plain && (8..=15).contains(&digits.len()) && !digits.starts_with('0');
    is_complete.then(|| sha256(digits))
}

fn sha256(text: String) -> String {
    hex::encode(Sha256::digest(text.into_bytes()))
}
