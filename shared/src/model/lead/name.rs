//! How leads are found by name.
//!
//! A name is searched by how it begins, with the first name or with the last name in front. Case, accents and what is
//! neither letter nor digit are ignored: `muller` finds `Müller`, and `o brien` finds `O'Brien`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The longest searched name, in bytes. Of a longer one, the rest is ignored.
const MAX_BYTES: usize = 200;

/// The two orders in which a name is searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchNames {
    /// As it is written: `maria del carmen lopez garcia`.
    pub given_first: Option<String>,
    /// With the last name in front; absent if that is the same.
    pub last_first: Option<String>,
}

impl SearchNames {
    /// The searched names of a lead. Without a last name of its own, the last word of the full name counts as that.
    #[must_use]
    pub fn new(full_name: Option<&str>, last_name: Option<&str>) -> Self {
        let Some(name) = full_name.and_then(normalised_name) else { return Self::default() };
        let last_word = || full_name?.split_whitespace().next_back().and_then(normalised_name);
        let last_name = last_name.and_then(normalised_name).or_else(last_word);
        let given = last_name.as_ref().and_then(|last| name.strip_suffix(last.as_str())?.strip_suffix(' '));
        let split = match (given, &last_name) {
            (Some(given), Some(last)) => Some((given, last.as_str())),
            _ => name.rsplit_once(' '),
        };
        let last_first = split.map(|(given, last)| format!("{last} {given}"));
        Self { given_first: Some(name), last_first }
    }
}

/// What of a name, or of its beginning, is compared; `None` if that is nothing.
#[must_use]
pub fn normalised_name(typed: &str) -> Option<String> {
    // Decomposed, an accent is a character of its own. Upper case first, because `ß` has a capital form of two letters.
    let decomposed = typed.nfkd().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let mut name = String::new();
    for character in decomposed.nfkd().filter(|character| !is_combining_mark(*character)) {
        let wanted = if character.is_alphanumeric() { character } else { ' ' };
        let is_space_too_many = wanted == ' ' && (name.is_empty() || name.ends_with(' '));
        if name.len() + wanted.len_utf8() > MAX_BYTES {
            break;
        }
        if !is_space_too_many {
            name.push(wanted);
        }
    }
    name.truncate(name.trim_end().len());
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_compared_without_case_accents_and_signs() {
        let check =
            |typed: &str, expect: &str| assert_eq!(normalised_name(typed).unwrap_or_default(), expect, "{typed}");
        check(" Müller-Lüdenscheidt,  Ann ", "muller ludenscheidt ann");
        check("MU\u{308}LLER", "muller");
        check("Weiß", "weiss");
        check("O’Brien", "o brien");
        check("Łukasz", "łukasz");
        check("Екатерина Иванова", "екатерина иванова");
        check("山田 太郎", "山田 太郎");
        check("#1\u{0}", "1");
        check(" -#- ", "");
    }

    #[test]
    fn a_name_is_searched_with_the_last_name_in_front_too() {
        let check = |full: &str, last: Option<&str>, expect: [&str; 2]| {
            let names = SearchNames::new(Some(full), last);
            assert_eq!([names.given_first, names.last_first].map(Option::unwrap_or_default), expect, "{full}");
        };
        check("Ann Lee", None, ["ann lee", "lee ann"]);
        check("Ann O'Roe-Lee", None, ["ann o roe lee", "o roe lee ann"]);
        check("Ann", None, ["ann", ""]);
        check("", Some("Lee"), ["", ""]);
        check("María López García", Some("López García"), ["maria lopez garcia", "lopez garcia maria"]);
        check("María López García", Some("Other"), ["maria lopez garcia", "garcia maria lopez"]);
        check("Lee", Some("Lee"), ["lee", ""]);
        check("Annlee", Some("lee"), ["annlee", ""]);
    }

    proptest! {
        #[test]
        fn the_beginning_of_a_name_is_the_beginning_of_what_is_compared(name in "\\PC{0,60}", length in 0_usize..60) {
            let beginning: String = name.chars().take(length).collect();
            let (whole, part) = (normalised_name(&name), normalised_name(&beginning));
            prop_assert!(whole.iter().all(|name| name.len() <= MAX_BYTES && !name.contains('#')));
            prop_assert_eq!(whole.as_deref().and_then(normalised_name), whole.clone());
            if beginning.ends_with(|character: char| character.is_ascii_alphabetic()) && name.is_ascii() {
                prop_assert!(whole.unwrap_or_default().starts_with(&part.unwrap_or_default()));
            }
        }
    }
}
