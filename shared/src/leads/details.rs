//! What the CRM writes about a lead: a note, what it is worth, and why it was lost.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::manage::LeadIn;
use crate::error::{ActError, ErrorCode};
use crate::table::lead::LeadChange;
use crate::tr;

const MAX_NOTE: usize = 5000;
const MAX_LOST_REASON: usize = 500;
/// A million millions. More is a mistake, and no currency needs it.
const MAX_VALUE: i64 = 1_000_000_000_000;

/// Checks the details of a request and puts them into a change.
///
/// # Errors
/// Refuses a value without a currency, and names the field that is wrong.
pub(super) fn check_details(input: &LeadIn) -> Result<LeadChange, ActError> {
    Ok(LeadChange {
        note: check_text("note", input.note.as_ref(), MAX_NOTE)?,
        lost_reason: check_text("lost_reason", input.lost_reason.as_ref(), MAX_LOST_REASON)?,
        value: check_value(input)?,
        ..LeadChange::default()
    })
}

/// The names of the fields that a change sets.
pub(super) fn detail_names(change: &LeadChange) -> String {
    let set = [
        (change.note.is_some(), "note"),
        (change.value.is_some(), "value"),
        (change.lost_reason.is_some(), "lost_reason"),
    ];
    set.into_iter().filter_map(|(is_set, name)| is_set.then_some(name)).collect::<Vec<_>>().join(", ")
}

/// An empty text is as good as none.
fn check_text(
    field: &'static str,
    text: Option<&Option<String>>,
    max: usize,
) -> Result<Option<Option<String>>, ActError> {
    let text = text.map(|text| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned));
    if text.iter().flatten().any(|text| text.chars().count() > max) {
        return Err(ActError::invalid(field, ErrorCode::LengthInvalid, tr!("At most {max} characters.", max = max)));
    }
    Ok(text)
}

fn check_value(input: &LeadIn) -> Result<Option<Option<(Decimal, String)>>, ActError> {
    let invalid_currency =
        |message: Cow<'static, str>| ActError::invalid("currency", ErrorCode::CurrencyInvalid, message);
    let currency = input.currency.as_ref().and_then(Option::as_ref);
    match input.value {
        None if currency.is_some() => Err(invalid_currency(tr!("Only together with a value."))),
        None => Ok(None),
        Some(None) if currency.is_some() => Err(invalid_currency(tr!("Only together with a value."))),
        Some(None) => Ok(Some(None)),
        Some(Some(value)) => {
            if value.is_sign_negative() && !value.is_zero() || value > Decimal::from(MAX_VALUE) || value.scale() > 4 {
                let message = tr!("An amount from 0 to 1,000,000,000,000, with at most four decimal places.");
                return Err(ActError::invalid("value", ErrorCode::ValueInvalid, message));
            }
            let code = currency.filter(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()));
            let code =
                code.ok_or_else(|| invalid_currency(tr!("The ISO 4217 code of the value's currency, such as EUR.")))?;
            Ok(Some(Some((value, code.clone()))))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(input: Value) -> Result<LeadChange, Option<String>> {
        let input: LeadIn = serde_json::from_value(input).unwrap();
        check_details(&input).map_err(|error| match error {
            ActError::Refused(refusal) => refusal.field.map(Into::into),
            _ => None,
        })
    }

    #[test]
    fn a_mistake_is_named_by_its_field() {
        let field = |input| check(input).unwrap_err().unwrap();
        assert_eq!(field(json!({ "note": "x".repeat(5001) })), "note");
        assert_eq!(field(json!({ "lost_reason": "x".repeat(501) })), "lost_reason");
        for value in [json!("-1"), json!("1000000000001"), json!("0.00001"), json!(-0.5)] {
            assert_eq!(field(json!({ "value": value, "currency": "EUR" })), "value");
        }
        for currency in [json!("eur"), json!("EURO"), json!("€"), Value::Null] {
            assert_eq!(field(json!({ "value": "1", "currency": currency })), "currency");
        }
        assert_eq!(field(json!({ "value": "1" })), "currency");
        assert_eq!(field(json!({ "currency": "EUR" })), "currency");
        assert_eq!(field(json!({ "value": null, "currency": "EUR" })), "currency");
    }

    #[test]
    fn details_are_set_one_by_one_and_taken_away_with_null() {
        assert_eq!(check(json!({})).unwrap(), LeadChange::default());
        let change = check(json!({ "note": " Call on Monday ", "value": 12.5, "currency": "EUR" })).unwrap();
        assert_eq!(change.note, Some(Some("Call on Monday".into())));
        assert_eq!(change.value, Some(Some(("12.5".parse().unwrap(), "EUR".into()))));
        assert_eq!((change.lost_reason.clone(), detail_names(&change)), (None, "note, value".into()));
        let change = check(json!({ "note": null, "lost_reason": " ", "value": null })).unwrap();
        assert_eq!((change.note, change.lost_reason, change.value), (Some(None), Some(None), Some(None)));
    }
}
