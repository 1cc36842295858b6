//! Countries as people type them: names or two-letter codes.

use std::borrow::Cow;

use leadwire::language::translate;
use leadwire::phrase;
use maud::{Markup, html};

/// The countries that are known by name. Others are typed as codes.
const NAMES: [(&str, &str); 62] = [
    ("AE", phrase!("United Arab Emirates")),
    ("AR", phrase!("Argentina")),
    ("AT", phrase!("Austria")),
    ("AU", phrase!("Australia")),
    ("BE", phrase!("Belgium")),
    ("BG", phrase!("Bulgaria")),
    ("BR", phrase!("Brazil")),
    ("CA", phrase!("Canada")),
    ("CH", phrase!("Switzerland")),
    ("CL", phrase!("Chile")),
    ("CO", phrase!("Colombia")),
    ("CY", phrase!("Cyprus")),
    ("CZ", phrase!("Czechia")),
    ("DE", phrase!("Germany")),
    ("DK", phrase!("Denmark")),
    ("EE", phrase!("Estonia")),
    ("EG", phrase!("Egypt")),
    ("ES", phrase!("Spain")),
    ("FI", phrase!("Finland")),
    ("FR", phrase!("France")),
    ("GB", phrase!("United Kingdom")),
    ("GR", phrase!("Greece")),
    ("HK", phrase!("Hong Kong")),
    ("HR", phrase!("Croatia")),
    ("HU", phrase!("Hungary")),
    ("ID", phrase!("Indonesia")),
    ("IE", phrase!("Ireland")),
    ("IL", phrase!("Israel")),
    ("IN", phrase!("India")),
    ("IS", phrase!("Iceland")),
    ("IT", phrase!("Italy")),
    ("JP", phrase!("Japan")),
    ("KE", phrase!("Kenya")),
    ("KR", phrase!("South Korea")),
    ("LT", phrase!("Lithuania")),
    ("LU", phrase!("Luxembourg")),
    ("LV", phrase!("Latvia")),
    ("MA", phrase!("Morocco")),
    ("MT", phrase!("Malta")),
    ("MX", phrase!("Mexico")),
    ("MY", phrase!("Malaysia")),
    ("NG", phrase!("Nigeria")),
    ("NL", phrase!("Netherlands")),
    ("NO", phrase!("Norway")),
    ("NZ", phrase!("New Zealand")),
    ("PE", phrase!("Peru")),
    ("PH", phrase!("Philippines")),
    ("PL", phrase!("Poland")),
    ("PT", phrase!("Portugal")),
    ("RO", phrase!("Romania")),
    ("SA", phrase!("Saudi Arabia")),
    ("SE", phrase!("Sweden")),
    ("SG", phrase!("Singapore")),
    ("SI", phrase!("Slovenia")),
    ("SK", phrase!("Slovakia")),
    ("TH", phrase!("Thailand")),
    ("TR", phrase!("Turkey")),
    ("TW", phrase!("Taiwan")),
    ("UA", phrase!("Ukraine")),
    ("US", phrase!("United States")),
    ("VN", phrase!("Vietnam")),
    ("ZA", phrase!("South Africa")),
];

/// The id of the list from which browsers suggest names.
pub(crate) const LIST: &str = "countries";

/// The names that browsers suggest in a field whose `list` is [`LIST`].
pub(crate) fn datalist() -> Markup {
    html! { datalist id=(LIST) { @for (_, name) in NAMES { option value=(translate(name)) {} } } }
}

/// Reads one name or code. What is neither stays as it is, to be rejected where it is stored.
pub(crate) fn code(text: &str) -> String {
    parse(text).ok().and_then(|codes| codes.first().cloned()).unwrap_or_else(|| text.to_owned())
}

/// Reads a list of names, in English or the reader's language, and codes, separated by commas, semicolons or lines; codes also by spaces.
///
/// # Errors
/// The first part that is neither.
pub(crate) fn parse(text: &str) -> Result<Vec<String>, String> {
    let mut codes = Vec::new();
    for part in text.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        let lower = part.to_lowercase();
        let is_meant = |name: &str| name.to_lowercase() == lower || translate(name).to_lowercase() == lower;
        match NAMES.iter().find(|(_, name)| is_meant(name)) {
            Some((code, _)) => codes.push((*code).to_owned()),
            None if part.split_whitespace().all(is_code) => {
                codes.extend(part.split_whitespace().map(str::to_uppercase));
            }
            None => return Err(part.to_owned()),
        }
    }
    Ok(codes)
}

fn is_code(word: &str) -> bool {
    word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// The names of countries, for reading.
pub(crate) fn names(codes: &[String]) -> String {
    codes.iter().map(|code| name(code)).collect::<Vec<_>>().join(", ")
}

/// The name of a country, or its code if it is not known by name.
pub(crate) fn name(code: &str) -> Cow<'_, str> {
    NAMES.iter().find(|(known, _)| *known == code).map_or(Cow::Borrowed(code), |(_, name)| translate(name))
}

#[cfg(test)]
mod tests {
    use leadwire::language::{Language, Locale, speak_now};

    use super::*;

    #[test]
    fn a_reader_types_names_of_their_language_and_english_ones() {
        speak_now(Locale::usual(Language::German), || {
            assert_eq!(parse("niederlande, österreich; Switzerland").unwrap(), ["NL", "AT", "CH"]);
            assert_eq!(names(&["DE".to_owned(), "FR".to_owned()]), "Deutschland, Frankreich");
            assert!(datalist().into_string().contains("value=\"Vereinigte Staaten\""));
        });
    }

    #[test]
    fn countries_are_typed_by_name_or_code() {
        assert_eq!(parse("netherlands, BE; United States\nde fr").unwrap(), ["NL", "BE", "US", "DE", "FR"]);
        assert_eq!(parse(" ,; ").unwrap(), Vec::<String>::new());
        assert_eq!(parse("NL, Nowhere land").unwrap_err(), "Nowhere land");
        assert_eq!([code("germany"), code("fr"), code("Narnia")], ["DE", "FR", "Narnia"]);
        assert_eq!(names(&["NL".to_owned(), "ZW".to_owned()]), "Netherlands, ZW");
        assert!(NAMES.is_sorted_by_key(|(code, _)| code) && NAMES.iter().all(|(code, _)| is_code(code)));
    }
}
