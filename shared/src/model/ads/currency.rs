//! Money: how amounts are written, and how many minor units Meta uses for a currency.

use rust_decimal::{Decimal, RoundingStrategy};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// How a caller writes an amount, in the main unit of its currency.
pub enum Amount {}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^[0-9]{1,12}(\.[0-9]{1,4})?$"));
        RefOr::T(
            text.description(Some("An amount in the main unit of its currency.")).examples(["20.00"]).build().into(),
        )
    }
}

impl ToSchema for Amount {}

/// The currencies that Meta counts in whole units.
///
/// It counts all others in hundredths, including those that have no minor unit or three digits in ISO 4217 (BHD, JOD).
/// Some of the currencies listed here have hundredths in ISO 4217 (HUF, COP, IDR).
const ZERO_DECIMAL_CURRENCIES: [&str; 11] =
    ["CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"];

/// The number of decimal places that Meta uses for a currency.
#[must_use]
pub fn decimals(currency: &str) -> u32 {
    if ZERO_DECIMAL_CURRENCIES.contains(&currency) { 0 } else { 2 }
}

/// Converts minor units, in which Meta returns budgets and bids, to the currency's main unit.
#[must_use]
pub fn from_minor(units: i64, currency: &str) -> Decimal {
    Decimal::new(units, decimals(currency))
}

/// Formats an amount with the currency's decimal places: `12.30`, `1230`. Finer digits are retained, because rates have
/// them.
#[must_use]
pub fn format_amount(amount: Decimal, currency: &str) -> String {
    rescale(amount, currency).to_string()
}

/// An amount in exactly the currency's decimal places, rounded half away from zero.
#[must_use]
pub fn round(amount: Decimal, currency: &str) -> Decimal {
    let places = decimals(currency);
    let mut rounded = amount.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(places);
    rounded
}

/// An amount with at least the currency's decimal places.
#[must_use]
pub fn rescale(amount: Decimal, currency: &str) -> Decimal {
    let mut amount = amount.normalize();
    if amount.scale() < decimals(currency) {
        amount.rescale(decimals(currency));
    }
    amount
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_are_the_currency_s_own() {
        let check = |units: i64, currency: &str, text: &str| {
            assert_eq!(format_amount(from_minor(units, currency), currency), text, "{units} {currency}");
        };
        check(500_000, "USD", "5000.00");
        check(500_000, "JPY", "500000");
        check(500_000, "HUF", "500000");
        check(500_000, "BHD", "5000.00");
        check(5, "EUR", "0.05");
        check(0, "KRW", "0");
        check(-1230, "EUR", "-12.30");
    }

    #[test]
    fn what_is_finer_than_a_cent_is_not_cut() {
        assert_eq!(format_amount("1.2345".parse().unwrap(), "USD"), "1.2345");
        assert_eq!(format_amount("1.5".parse().unwrap(), "JPY"), "1.5");
        assert_eq!(format_amount("3".parse().unwrap(), "USD"), "3.00");
    }
}
