//! Parses phone numbers as people type them into E.164.
//!
//! A number is never turned into another number. Where digits may be missing, or may not belong to the number, the text
//! stays as typed and does not identify a person. Otherwise libphonenumber's rules decide.

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

use crate::tr;

/// Returns the number in E.164, or `None` if the text is not exactly one valid number. Without a leading `+` it is read
/// as people in `country` dial it; without a known country, only numbers with a `+` are read.
#[must_use]
pub fn e164(typed: &str, country: Option<&str>) -> Option<String> {
    let typed = visible(typed);
    let number = dialled(&typed)?;
    let region = country.and_then(region);
    // "030 901820/21": a slash after a complete number begins another one.
    if number.rsplit_once('/').is_some_and(|(before, _)| valid(before, region).is_some()) {
        return None;
    }
    let read = valid(number, region)?;
    let with_plus = if number.starts_with(is_plus) { None } else { valid(&format!("+{number}"), None) };
    let with_plus = with_plus.filter(|other| *other != read && region_of(other) == region);
    let Some(other) = with_plus else { return Some(format(&read, PhoneNumberFormat::E164)) };
    // "4917612345678" in Germany is a mobile number without its plus, or one in the town with the area code 0491.
    // People there would type the 0. In countries where they would not, it stays ambiguous.
    let digits = |text: &str| PHONE_NUMBER_UTIL.normalize_digits_only(text).to_string();
    let is_national = digits(&format(&read, PhoneNumberFormat::National)) == digits(number);
    (!is_national).then(|| format(&other, PhoneNumberFormat::E164))
}

fn valid(number: &str, region: Option<Region>) -> Option<PhoneNumber> {
    let number = PHONE_NUMBER_UTIL.parse(number, region).ok()?;
    // E.164 has no extensions. Two people behind one switchboard must not be taken for one person.
    (number.extension.is_none() && PHONE_NUMBER_UTIL.is_valid_number(&number)).then_some(number)
}

fn region_of(number: &PhoneNumber) -> Option<Region> {
    PHONE_NUMBER_UTIL.get_region_for_number(number)
}

fn format(number: &PhoneNumber, format: PhoneNumberFormat) -> String {
    PHONE_NUMBER_UTIL.format(number, format).into_owned()
}

/// Finds the part of a text that is dialled. `None` if it is absent, or if its beginning or end is unclear: libphonenumber
/// would read letters as keys of a phone ("0176 12345 Max"), skip masked digits ("0176 1234***"), and read a
/// spreadsheet's decimal as a digit.
fn dialled(text: &str) -> Option<&str> {
    let begin = text.find(|c: char| is_plus(c) || c.is_numeric())?;
    let (label, number) = text.split_at(begin);
    // A letter in place of a digit: "O6 698 12345".
    if label.ends_with(char::is_alphanumeric) && !number.starts_with(is_plus) {
        return None;
    }
    let number = strip_remark(number).trim_end_matches(|c: char| !c.is_numeric() && !c.is_alphabetic() && c != '*');
    let number = integer_part(number)?;
    let has_one_plus = !number.trim_start_matches(is_plus).contains(is_plus);
    let is_dialled = |c: char| c.is_numeric() || c.is_whitespace() || is_plus(c) || is_punctuation(c);
    // Digits of every script count. Fractions and footnote marks are numeric too, but are not digits.
    let digits = PHONE_NUMBER_UTIL.normalize_digits_only(number).chars().count();
    let is_clear = has_one_plus
        && number.chars().all(is_dialled)
        && number.chars().filter(|c| c.is_numeric()).count() == digits
        && closes_what_it_opens(text);
    is_clear.then_some(number)
}

/// Removes a remark in brackets at the end: "+1 212 555 0123 (WhatsApp)".
fn strip_remark(number: &str) -> &str {
    let inside = number.trim_end().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    match inside {
        Some((before, remark)) if !remark.chars().any(char::is_numeric) => before,
        _ => number,
    }
}

/// Undoes what a spreadsheet adds to a number that it parsed as a decimal: "491761234567.0". After a plus, or with two
/// decimals, the zeros may be digits.
fn integer_part(number: &str) -> Option<&str> {
    let (integer, decimals) = match number.split_once(['.', ',']) {
        Some((integer, decimals)) if !decimals.is_empty() && decimals.bytes().all(|b| b == b'0') => (integer, decimals),
        _ => return Some(number),
    };
    let digits = integer.trim_start_matches(is_plus);
    match (digits.len() > 6 && digits.bytes().all(|b| b.is_ascii_digit()), digits == integer && decimals == "0") {
        (true, true) => Some(integer),
        (true, false) => None,
        (false, _) => Some(number),
    }
}

/// An unopened closing bracket belongs to a list item: "1) 0176 12345678".
fn closes_what_it_opens(text: &str) -> bool {
    let mut open = 0_usize;
    text.chars().all(|c| match c {
        '(' | '（' | '[' | '［' => {
            open += 1;
            true
        }
        ')' | '）' | ']' | '］' if open == 0 => false,
        ')' | '）' | ']' | '］' => {
            open -= 1;
            true
        }
        _ => true,
    })
}

fn is_plus(c: char) -> bool {
    matches!(c, '+' | '＋')
}

/// What libphonenumber accepts as punctuation inside a number, except the `x` of extensions.
fn is_punctuation(c: char) -> bool {
    let is_dash =
        matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー' | '－' | '~' | '\u{2053}' | '\u{223c}' | '～');
    is_dash || matches!(c, '(' | ')' | '（' | '）' | '[' | ']' | '［' | '］' | '.' | '/' | '／')
}

/// A country setting that would have no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountryError {
    /// The code of another country, from a list other than ISO 3166.
    OtherList(String, &'static str),
    /// Not two letters, or not a country with phone numbers.
    Unknown,
}

impl fmt::Display for CountryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherList(sent, meant) => {
                f.write_str(&tr!("{sent} is {meant} in ISO 3166; send {meant}.", sent = sent, meant = meant))
            }
            Self::Unknown => f.write_str(&tr!("The ISO 3166 code of a country, two letters such as US or DE.")),
        }
    }
}

/// Validates a country code, in either case.
///
/// # Errors
/// [`CountryError`] names the code that is meant, if that is known.
pub fn country(code: &str) -> Result<String, CountryError> {
    let code = code.trim().to_ascii_uppercase();
    match code.as_str() {
        "UK" => Err(CountryError::OtherList(code, "GB")),
        "EL" => Err(CountryError::OtherList(code, "GR")),
        _ if region(&code).is_some() => Ok(code),
        _ => Err(CountryError::Unknown),
    }
}

/// The region with this code.
fn region(code: &str) -> Option<Region> {
    let region = code.to_ascii_uppercase().parse::<Region>().ok()?;
    PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|_| region)
}

/// The number as a phone dials it; `None` if something else was typed. Of `+49 (0)30…`, the zero is not dialled.
#[must_use]
pub fn dialable(typed: &str) -> Option<String> {
    let is_plain = typed.chars().all(|c| c.is_ascii_digit() || "+ ()-./".contains(c));
    let international = typed.trim_start().starts_with('+').then(|| typed.replacen("(0)", "", 1));
    let typed = international.as_deref().unwrap_or(typed);
    let number: String = typed.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    (is_plain && (5..=15).contains(&digits.len()) && !digits.contains('+')).then_some(number)
}

/// Removes invisible characters and replaces whitespace with plain spaces. Copied text often contains them, and they
/// never distinguish two people.
#[must_use]
pub fn visible(text: &str) -> String {
    let is_invisible = |c: char| {
        matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
    };
    let space = |c: char| if c.is_whitespace() { ' ' } else { c };
    text.chars().filter(|c| !is_invisible(*c)).map(space).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Google's own example numbers: region, type, national form, international form, E.164.
    fn examples() -> impl Iterator<Item = [&'static str; 5]> {
        let lines = include_str!("phone_examples.tsv").lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.split('\t').collect::<Vec<_>>().try_into().unwrap())
    }

    fn check(typed: &str, country: Option<&str>, expect: Option<&str>) {
        assert_eq!(e164(typed, country).as_deref(), expect, "{typed:?} in {country:?}");
    }

    #[test]
    fn a_phone_dials_digits_and_nothing_else() {
        assert_eq!(dialable("+49 (0)30 / 90-18.20").as_deref(), Some("+4930901820"));
        assert_eq!(dialable("(0)30 901820").as_deref(), Some("030901820"));
        for typed in ["call me", "javascript:alert(1)", "1234", "+49 1 +2 3456", "123456789012345678"] {
            assert_eq!(dialable(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_number_with_its_country_code_is_the_same_whatever_country_it_is_read_in() {
        let regions: BTreeSet<&str> = examples().map(|[region, ..]| region).collect();
        assert!(regions.len() > 240, "{}", regions.len());
        for [_, _, _, international, e164] in examples() {
            for country in regions.iter().copied().map(Some).chain([None, Some("ZZ")]) {
                check(e164, country, Some(e164));
            }
            check(international, Some("US"), Some(e164));
            check(international, Some("IT"), Some(e164));
        }
    }

    #[test]
    fn every_country_s_example_numbers_are_read_as_people_there_type_them() {
        for [region, _, national, international, e164] in examples() {
            let here = Some(region);
            let digits: String = national.chars().filter(char::is_ascii_digit).collect();
            // The same number without its plus, unless the country reads that as one of its own numbers.
            let bare = super::e164(e164.trim_start_matches('+'), here);
            assert!(bare.as_deref().is_none_or(|bare| bare == e164), "{e164} became {bare:?}");
            let spaced = |by: &str| national.replace([' ', '-'], by);
            for typed in [national, &digits, &spaced("."), &spaced("\u{a0}"), &spaced("–"), &spaced("\u{202f}")] {
                check(typed, here, Some(e164));
            }
            for typed in [
                format!("Tel.: {national}"),
                format!("tel:{international}"),
                format!("  {national} (mobile)"),
                format!("\u{202d}{e164}\u{202c}"),
                format!("({international})"),
                e164.replace('+', "＋"),
                e164.chars()
                    .map(|c| if c == '+' { c } else { char::from_u32(u32::from(c) + 0x630).unwrap() })
                    .collect(),
                national.chars().map(|c| c.to_digit(10).map_or(c, |d| char::from_u32(0x06f0 + d).unwrap())).collect(),
                national.chars().map(|c| c.to_digit(10).map_or(c, |d| char::from_u32(0xff10 + d).unwrap())).collect(),
            ] {
                check(&typed, here, Some(e164));
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived_and_e164_is_read_as_itself(typed in ".{0,40}", country in prop::option::of(".{0,3}")) {
            if let Some(number) = e164(&typed, country.as_deref()) {
                prop_assert_eq!(e164(&number, None), Some(number.clone()));
                prop_assert!(number.starts_with('+') && number.len() <= 16);
            }
        }

        /// The result ends in the typed digits: nothing at the end is dropped, added or changed.
        #[test]
        fn no_number_is_changed_into_another(
            which in 0_usize..1100,
            at in 0_usize..24,
            noise in prop::sample::select(vec!["", " ", "*", "x", "ext 1", "/", "?", "e", "E+", ",", ".0", "O", "1", "#", "\u{200b}", "½", ")", "+"]),
            country in prop::sample::select(vec!["US", "DE", "IT", "AT", "GB", "IN"]),
        ) {
            let [_, _, _, _, number] = examples().nth(which).unwrap();
            let at = at.min(number.len());
            let typed = format!("{}{noise}{}", &number[..at], &number[at..]);
            if let Some(read) = e164(&typed, Some(country)) {
                let digits = PHONE_NUMBER_UTIL.normalize_digits_only(&typed);
                let last = |digits: &str| digits.chars().rev().take(4).collect::<String>();
                prop_assert!(last(&read) == last(&digits), "{typed} became {read}");
            }
        }
    }

    #[test]
    fn a_number_is_read_as_its_country_dials_it() {
        check("+1 (212) 555-0123", None, Some("+12125550123"));
        check("(212) 555-0123", Some("us"), Some("+12125550123"));
        check("030 901820", Some("DE"), Some("+4930901820"));
        check("06 698 12345", Some("IT"), Some("+390669812345"));
        check("030 901820", None, None);
        check("030 901820", Some("nowhere"), None);
        check("12", Some("US"), None);
        check("+44 (0)20 7946 0958", Some("US"), Some("+442079460958"));
        check("+49 (0) 176 12345678", None, Some("+4917612345678"));
        check("+61 0412 345 678", Some("DE"), Some("+61412345678"));
        check("0049 176 12345678", Some("DE"), Some("+4917612345678"));
        check("011 49 176 12345678", Some("US"), Some("+4917612345678"));
    }

    #[test]
    fn a_local_number_may_begin_with_the_digits_of_its_own_country_code() {
        for (typed, country, expect) in [
            ("91987 65432", "IN", "+919198765432"),
            ("391 123 4567", "IT", "+393911234567"),
            ("47 12 34 56", "NO", "+4747123456"),
            ("45 12 34 56", "DK", "+4545123456"),
            ("48 123 45 67", "PL", "+48481234567"),
            ("6512 3456", "SG", "+6565123456"),
            ("(55) 99123-4567", "BR", "+5555991234567"),
            ("2348031234567", "NG", "+2348031234567"),
            ("4917612345678", "DE", "+4917612345678"),
            ("0491 7612345", "DE", "+494917612345"),
        ] {
            check(typed, Some(country), Some(expect));
        }
    }

    #[test]
    fn what_is_not_exactly_one_number_is_none() {
        for typed in [
            "call me",
            "017612345 Max",
            "0176 12345678 ext. 12",
            "0176 1234 abc",
            "O6 698 12345",
            "017612345***",
            "017612345??",
            "0176 12345678 / 0176 87654321",
            "030 901820/21",
            "030 901820, 030 901821",
            "+49 30 901820 +49 30 901821",
            "1) 030 901820",
            "4.91761E+11",
            "4,91761E+11",
            "4.91761e11",
            "491761234567.00",
            "+491761234567.0",
            "+43123456789,0",
            "01761234567½",
            "",
        ] {
            check(typed, Some("DE"), None);
        }
        check("491761234567.0", Some("DE"), Some("+491761234567"));
        check("+1 (212) 555-0123 ext. 12", None, None);
        check("+12125550123;ext=12", None, None);
    }

    #[test]
    fn a_country_is_a_code_that_has_an_effect() {
        assert_eq!(country("de"), Ok("DE".to_owned()));
        assert!(country("UK").unwrap_err().to_string().contains("GB"));
        assert!(country("el").unwrap_err().to_string().contains("GR"));
        for code in ["ZZ", "XX", "USA", "U", "", "AQ", "001"] {
            assert_eq!(country(code), Err(CountryError::Unknown), "{code}");
        }
        for [region, ..] in examples() {
            assert_eq!(country(region), Ok(region.to_owned()));
        }
    }
}
