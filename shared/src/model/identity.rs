//! When two submissions are the same person's.
//!
//! The rules, in this order:
//! 1. the same e-mail address, compared without case, surrounding space and the ways Unicode has of writing the same
//!    text, its domain as the network has it; dots and plus signs count, because only the mail provider knows what they
//!    mean;
//! 2. the same phone number in E.164; a number that cannot be read as one identifies nobody.
//!
//! If the e-mail belongs to one lead and the phone to another, the e-mail decides. Test leads identify nobody: their
//! dummy answers are the same for everyone.

use phonenumber::Mode;
use phonenumber::country::Id as Country;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::lead::PersonKeyKind;

/// One thing that identifies a person inside an org: a hash, so that keys and logs hold no address and no number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonKey {
    /// What was hashed.
    pub kind: PersonKeyKind,
    /// Lower-case hex of its SHA-256.
    pub hash: String,
}

impl PersonKey {
    fn new(kind: PersonKeyKind, text: &str) -> Self {
        Self { kind, hash: hex::encode(Sha256::digest(text.as_bytes())) }
    }
}

/// What identifies the person who typed these details, strongest first.
#[must_use]
pub fn person_keys(email: Option<&str>, phone: Option<&str>) -> Vec<PersonKey> {
    let email = email.and_then(normalised_email).map(|email| PersonKey::new(PersonKeyKind::Email, &email));
    let phone = phone.filter(|phone| e164(phone, None).as_deref() == Some(*phone));
    let phone = phone.map(|phone| PersonKey::new(PersonKeyKind::Phone, phone));
    email.into_iter().chain(phone).collect()
}

/// The address in the form in which two of them are compared; `None` if it is no address.
#[must_use]
pub fn normalised_email(typed: &str) -> Option<String> {
    // Copied addresses bring along characters that nobody sees.
    let unseen = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}');
    let composed: String = typed.nfkc().filter(|c| !unseen(*c)).collect();
    let lower: String = composed.trim().to_lowercase().nfkc().collect();
    let (local, domain) = lower.rsplit_once('@')?;
    let domain = idna::domain_to_ascii(domain).ok()?;
    let plausible = !local.is_empty() && !domain.is_empty() && !lower.contains(char::is_whitespace);
    plausible.then(|| format!("{local}@{domain}"))
}

/// The number in E.164, or `None` if it is none. Without a leading `+` it is read as people of `country` dial it.
#[must_use]
pub fn e164(typed: &str, country: Option<&str>) -> Option<String> {
    let country = country.and_then(|code| code.to_uppercase().parse::<Country>().ok());
    let number = phonenumber::parse(country, typed.trim()).ok()?;
    // E.164 has no extensions: of two people behind one switchboard, neither is the other.
    let direct = number.extension().is_none();
    (direct && phonenumber::is_valid(&number)).then(|| number.format().mode(Mode::E164).to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_compared_without_case_and_space_and_nothing_else() {
        let check = |a: &str, b: &str, same: bool| {
            assert_eq!(person_keys(Some(a), None) == person_keys(Some(b), None), same, "{a} {b}");
        };
        check("Ann@Example.com", " ann@example.COM\n", true);
        check("ÄNN@example.com", "änn@example.com", true);
        check("a\u{308}nn@example.com", "änn@example.com", true);
        check("ann＠example.com", "ann@example.com", true);
        check("\u{feff}ann@exam\u{200b}ple.com", "ann@example.com", true);
        check("ann@müller.example", "ann@XN--mller-kva.example", true);
        check("a.nn@example.com", "ann@example.com", false);
        check("ann+x@example.com", "ann@example.com", false);
        for none in ["", "ann", "@example.com", "ann@", "ann at example.com", "a nn@example.com"] {
            assert!(person_keys(Some(none), None).is_empty(), "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_compared_is_compared_the_same_however_it_is_typed(email in "[a-zA-Z0-9.+äß]{1,12}@[a-zA-Z0-9ü]{1,8}\\.[a-z]{2,3}", space in "[ \t\n]{0,3}") {
            let once = normalised_email(&email);
            prop_assert!(once.is_some());
            let again = once.as_deref().and_then(normalised_email);
            prop_assert_eq!(&again, &once);
            prop_assert_eq!(&normalised_email(&format!("{space}{email}{space}")), &once);
            prop_assert_eq!(&normalised_email(&email.nfd().collect::<String>()), &once);
        }

        #[test]
        fn any_text_is_survived(email in ".{0,40}", phone in ".{0,40}", country in prop::option::of(".{0,3}")) {
            let _ = normalised_email(&email);
            if let Some(number) = e164(&phone, country.as_deref()) {
                prop_assert_eq!(e164(&number, None), Some(number.clone()), "E.164 is read as itself");
                prop_assert!(number.starts_with('+') && number.len() <= 16);
            }
        }

        #[test]
        fn a_number_is_the_same_with_and_without_its_country(area in 201..990u32, rest in 2_000_000..9_999_999u32) {
            let national = format!("({area}) {rest}");
            if let Some(number) = e164(&national, Some("US")) {
                prop_assert_eq!(e164(&format!("+1 {area}-{rest}"), Some("DE")), Some(number));
            }
        }
    }

    #[test]
    fn a_number_is_read_as_its_country_dials_it() {
        let check = |typed, country, expect: Option<&str>| {
            assert_eq!(e164(typed, country).as_deref(), expect, "{typed} {country:?}");
        };
        check("+1 (212) 555-0123", None, Some("+12125550123"));
        check("(212) 555-0123", Some("us"), Some("+12125550123"));
        check("030 901820", Some("DE"), Some("+4930901820"));
        check("06 698 12345", Some("IT"), Some("+390669812345"));
        check("030 901820", None, None);
        check("call me", Some("US"), None);
        check("12", Some("US"), None);
        check("+1 212 555 0123", Some("nowhere"), Some("+12125550123"));
    }

    #[test]
    fn only_a_number_that_could_be_read_identifies() {
        for nobody in ["2125550123", "+1", "+000", "+49", "+1 (212) 555-0123 ext. 12", "+12125550123;ext=12"] {
            assert!(person_keys(None, Some(nobody)).is_empty(), "{nobody}");
        }
        assert_eq!(person_keys(Some("a@b.c"), Some("+12125550123")).len(), 2);
    }
}
