//! Decides when two submissions are from the same person.
//!
//! The rules, in this order:
//! 1. The same e-mail address. Case, surrounding space and equivalent Unicode spellings are ignored, and the domain is
//!    compared in its ASCII form. Dots and plus signs count, because only the mail provider knows what they mean.
//! 2. The same phone number in E.164. A number that cannot be parsed identifies no one.
//!
//! If the e-mail belongs to one lead and the phone to another, the e-mail decides. Test leads identify no one, because
//! they all carry the same dummy answers.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::model::lead::PersonKeyKind;
use crate::model::lead::phone::{e164, visible};

/// A detail that identifies a person inside an org. It is hashed, so that keys and logs contain no address or number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonKey {
    /// Which detail was hashed.
    pub kind: PersonKeyKind,
    /// The SHA-256 of the detail, in lower-case hex.
    pub hash: String,
}

impl PersonKey {
    fn new(kind: PersonKeyKind, text: &str) -> Self {
        Self { kind, hash: hex::encode(Sha256::digest(text.as_bytes())) }
    }
}

/// The keys that identify the person with these details, strongest first.
#[must_use]
pub fn person_keys(email: Option<&str>, phone: Option<&str>) -> Vec<PersonKey> {
    let email = email.and_then(normalised_email).map(|email| PersonKey::new(PersonKeyKind::Email, &email));
    let phone = phone.filter(|phone| e164(phone, None).as_deref() == Some(*phone));
    let phone = phone.map(|phone| PersonKey::new(PersonKeyKind::Phone, phone));
    email.into_iter().chain(phone).collect()
}

/// Normalises an e-mail address for comparison; `None` if it is not an address.
#[must_use]
pub fn normalised_email(typed: &str) -> Option<String> {
    let composed: String = visible(typed).nfkc().collect();
    let lower: String = composed.trim().to_lowercase().nfkc().collect();
    let (local, domain) = lower.rsplit_once('@')?;
    let domain = idna::domain_to_ascii(domain).ok()?;
    let plausible = !local.is_empty() && !domain.is_empty() && !lower.contains(char::is_whitespace);
    plausible.then(|| format!("{local}@{domain}"))
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
        fn any_text_is_survived(email in ".{0,40}") {
            let _ = normalised_email(&email);
        }
    }

    #[test]
    fn only_a_number_that_could_be_read_identifies() {
        for nobody in ["2125550123", "+1", "+000", "+49", "+1 (212) 555-0123 ext. 12", "+12125550123;ext=12"] {
            assert!(person_keys(None, Some(nobody)).is_empty(), "{nobody}");
        }
        assert_eq!(person_keys(Some("a@b.c"), Some("+12125550123")).len(), 2);
    }
}
