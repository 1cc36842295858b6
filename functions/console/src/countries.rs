//! Countries as people type them: names or two-letter codes.

use maud::{Markup, html};

/// The countries that are known by name. Others are typed as codes.
const NAMES: [(&str, &str); 62] = [
    ("AE", "United Arab Emirates"),
    ("AR", "Argentina"),
    ("AT", "Austria"),
    ("AU", "Australia"),
    ("BE", "Belgium"),
    ("BG", "Bulgaria"),
    ("BR", "Brazil"),
    ("CA", "Canada"),
    ("CH", "Switzerland"),
    ("CL", "Chile"),
    ("CO", "Colombia"),
    ("CY", "Cyprus"),
    ("CZ", "Czechia"),
    ("DE", "Germany"),
    ("DK", "Denmark"),
    ("EE", "Estonia"),
    ("EG", "Egypt"),
    ("ES", "Spain"),
    ("FI", "Finland"),
    ("FR", "France"),
    ("GB", "United Kingdom"),
    ("GR", "Greece"),
    ("HK", "Hong Kong"),
    ("HR", "Croatia"),
    ("HU", "Hungary"),
    ("ID", "Indonesia"),
    ("IE", "Ireland"),
    ("IL", "Israel"),
    ("IN", "India"),
    ("IS", "Iceland"),
    ("IT", "Italy"),
    ("JP", "Japan"),
    ("KE", "Kenya"),
    ("KR", "South Korea"),
    ("LT", "Lithuania"),
    ("LU", "Luxembourg"),
    ("LV", "Latvia"),
    ("MA", "Morocco"),
    ("MT", "Malta"),
    ("MX", "Mexico"),
    ("MY", "Malaysia"),
    ("NG", "Nigeria"),
    ("NL", "Netherlands"),
    ("NO", "Norway"),
    ("NZ", "New Zealand"),
    ("PE", "Peru"),
    ("PH", "Philippines"),
    ("PL", "Poland"),
    ("PT", "Portugal"),
    ("RO", "Romania"),
    ("SA", "Saudi Arabia"),
    ("SE", "Sweden"),
    ("SG", "Singapore"),
    ("SI", "Slovenia"),
    ("SK", "Slovakia"),
    ("TH", "Thailand"),
    ("TR", "Turkey"),
    ("TW", "Taiwan"),
    ("UA", "Ukraine"),
    ("US", "United States"),
    ("VN", "Vietnam"),
    ("ZA", "South Africa"),
];

/// The id of the list from which browsers suggest names.
pub(crate) const LIST: &str = "countries";

/// The names that browsers suggest in a field whose `list` is [`LIST`].
pub(crate) fn datalist() -> Markup {
    html! { datalist id=(LIST) { @for (_, name) in NAMES { option value=(name) {} } } }
}

/// Reads one name or code. What is neither stays as it is, to be rejected where it is stored.
pub(crate) fn code(text: &str) -> String {
    parse(text).ok().and_then(|codes| codes.first().cloned()).unwrap_or_else(|| text.to_owned())
}

/// Reads a list of names and codes, separated by commas, semicolons or lines; codes also by spaces.
///
/// # Errors
/// The first part that is neither.
pub(crate) fn parse(text: &str) -> Result<Vec<String>, String> {
    let mut codes = Vec::new();
    for part in text.split([',', ';', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        match NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(part)) {
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
pub(crate) fn name(code: &str) -> &str {
    NAMES.iter().find(|(known, _)| *known == code).map_or(code, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

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
