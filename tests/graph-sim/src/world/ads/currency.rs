//! Money: whole numbers of the smallest unit internally, decimal text externally.

/// The currencies that an account can have.
const CODES: &[&str] = &[
    "AED", "ARS", "AUD", "BDT", "BGN", "BHD", "BOB", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CRC", "CZK", "DKK",
    "DZD", "EGP", "EUR", "GBP", "GTQ", "HKD", "HNL", "HUF", "IDR", "ILS", "INR", "ISK", "JOD", "JPY", "KES", "KRW",
    "LKR", "MAD", "MOP", "MXN", "MYR", "NGN", "NIO", "NOK", "NZD", "PEN", "PHP", "PKR", "PLN", "PYG", "QAR", "RON",
    "RSD", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "UYU", "VND", "ZAR",
];

/// The currencies that Meta counts in whole units. All others are counted in hundredths, whatever ISO 4217 says.
const WHOLE: &[&str] = &["CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"];

/// The smallest daily budgets, in the smallest unit. All others are 100. (As far as they are known; the rest are about a
/// dollar.)
const LEAST_DAILY: &[(&str, i64)] = &[
    ("AED", 367),
    ("BRL", 533),
    ("CLP", 950),
    ("COP", 4_100),
    ("CRC", 520),
    ("CZK", 2_300),
    ("DKK", 690),
    ("HKD", 780),
    ("HUF", 360),
    ("IDR", 16_000),
    ("INR", 8_500),
    ("ISK", 140),
    ("KRW", 1_400),
    ("MXN", 1_900),
    ("MYR", 412),
    ("NOK", 1_070),
    ("PHP", 5_700),
    ("PLN", 400),
    ("PYG", 7_800),
    ("SEK", 1_050),
    ("THB", 3_500),
    ("TRY", 4_644),
    ("VND", 25_000),
    ("ZAR", 1_850),
];

/// Decimal places of ratios.
const PLACES: u32 = 6;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Currency {
    pub(crate) code: &'static str,
    /// Smallest units per unit of the currency: 1 or 100.
    pub(crate) offset: i64,
}

impl Currency {
    pub(crate) fn find(code: &str) -> Option<Self> {
        let code = CODES.iter().find(|known| **known == code)?;
        Some(Self { code, offset: if WHOLE.contains(code) { 1 } else { 100 } })
    }

    /// The smallest daily budget of an ad set that pays for impressions, in the smallest unit.
    pub(crate) fn least_daily_budget(&self) -> i64 {
        LEAST_DAILY.iter().find(|(code, _)| *code == self.code).map_or(100, |(_, least)| *least)
    }

    /// An amount in the currency itself: `12.34`, or `1234` for a currency without smaller units.
    pub(crate) fn major(&self, minor: i64) -> String {
        if self.offset == 1 {
            return minor.to_string();
        }
        let sign = if minor < 0 { "-" } else { "" };
        let minor = minor.unsigned_abs();
        format!("{sign}{}.{:02}", minor / 100, minor % 100)
    }

    /// An amount per piece in the currency itself; `None` for zero pieces.
    pub(crate) fn per(&self, minor: i64, pieces: i64) -> Option<String> {
        ratio(minor, pieces.checked_mul(self.offset)?)
    }
}

/// A quotient as decimal text, rounded to six places, without trailing zeros. `None` if the denominator is not
/// positive.
pub(crate) fn ratio(numerator: i64, denominator: i64) -> Option<String> {
    if denominator <= 0 {
        return None;
    }
    let one = 10_i128.pow(PLACES);
    let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
    let scaled = (2 * numerator * one + denominator).div_euclid(2 * denominator);
    let text = format!("{}.{:06}", scaled / one, (scaled % one).abs());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Currency, ratio};

    #[test]
    fn some_currencies_have_no_cents_and_dinars_have_hundredths() {
        let major = |code: &str, minor| Currency::find(code).unwrap().major(minor);
        assert_eq!(major("USD", 1205), "12.05");
        assert_eq!(major("USD", -5), "-0.05");
        assert_eq!(major("JPY", 1205), "1205");
        assert_eq!(major("HUF", 7), "7");
        assert_eq!(major("BHD", 1205), "12.05");
        assert!(Currency::find("XXX").is_none());
    }

    #[test]
    fn ratios_are_rounded_to_six_places_and_short_where_they_can_be() {
        assert_eq!(ratio(1, 3).unwrap(), "0.333333");
        assert_eq!(ratio(2, 3).unwrap(), "0.666667");
        assert_eq!(ratio(10, 4).unwrap(), "2.5");
        assert_eq!(ratio(8, 4).unwrap(), "2");
        assert_eq!(ratio(0, 4).unwrap(), "0");
        assert!(ratio(1, 0).is_none());
        assert_eq!(Currency::find("EUR").unwrap().per(1234, 10).unwrap(), "1.234");
        assert_eq!(Currency::find("JPY").unwrap().per(1234, 10).unwrap(), "123.4");
    }
}
