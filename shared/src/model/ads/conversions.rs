//! Conversions: a single count derived from overlapping action types.
//!
//! Meta counts one event under several names. A lead of an instant form appears in `lead`, in
//! `onsite_conversion.lead_grouped` and in `leadgen_grouped`; a purchase on a website appears in `omni_purchase`,
//! `purchase` and `offsite_conversion.fb_pixel_purchase`.
//!
//! The names are therefore grouped into kinds. Within a kind, only the widest name that Meta returned counts. If Meta
//! returned only narrower names, those for different events (on Meta, on a website, in an app, in a shop) are added; of
//! those for the same events, the largest counts.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::tr;

/// A kind of conversion.
#[derive(Debug, Clone, Copy)]
struct Kind {
    /// The kind's name in settings.
    name: &'static str,
    /// Names that count all events of the kind, the widest first.
    whole: &'static [&'static str],
    /// Names that each count a part of the events. Different lists count different events; the names in one list count
    /// the same events.
    parts: &'static [&'static [&'static str]],
}

/// All kinds. [`DEFAULT`] names those that count by default.
const KINDS: &[Kind] = &[
    Kind {
        name: "lead",
        whole: &["lead"],
        parts: &[
            &["onsite_conversion.lead_grouped", "leadgen_grouped", "onsite_conversion.lead", "leadgen.other"],
            &["offsite_conversion.fb_pixel_lead", "onsite_web_lead"],
            &["offline_conversion.lead"],
        ],
    },
    Kind {
        name: "purchase",
        whole: &["omni_purchase", "purchase"],
        parts: &[
            &["offsite_conversion.fb_pixel_purchase", "onsite_web_purchase", "web_in_store_purchase"],
            &["onsite_conversion.purchase"],
            &["app_custom_event.fb_mobile_purchase"],
            &["offline_conversion.purchase"],
        ],
    },
    Kind {
        name: "complete_registration",
        whole: &["omni_complete_registration", "complete_registration"],
        parts: &[
            &["offsite_conversion.fb_pixel_complete_registration"],
            &["app_custom_event.fb_mobile_complete_registration"],
        ],
    },
    Kind {
        name: "submit_application",
        whole: &["submit_application_total", "submit_application"],
        parts: &[
            &["submit_application_website", "offsite_conversion.fb_pixel_submit_application"],
            &["submit_application_mobile_app"],
        ],
    },
    Kind {
        name: "schedule",
        whole: &["schedule_total", "schedule"],
        parts: &[&["schedule_website", "offsite_conversion.fb_pixel_schedule"], &["schedule_mobile_app"]],
    },
    Kind {
        name: "contact",
        whole: &["contact_total", "contact"],
        parts: &[&["contact_website", "offsite_conversion.fb_pixel_contact"], &["contact_mobile_app"]],
    },
    Kind {
        name: "subscribe",
        whole: &["subscribe_total", "subscribe"],
        parts: &[&["subscribe_website", "offsite_conversion.fb_pixel_subscribe"], &["subscribe_mobile_app"]],
    },
    Kind {
        name: "start_trial",
        whole: &["start_trial_total", "start_trial"],
        parts: &[&["start_trial_website", "offsite_conversion.fb_pixel_start_trial"], &["start_trial_mobile_app"]],
    },
    Kind { name: "app_install", whole: &["omni_app_install"], parts: &[&["mobile_app_install", "app_install"]] },
    Kind {
        name: "messaging_conversation",
        whole: &["onsite_conversion.messaging_conversation_started_7d"],
        parts: &[],
    },
];

/// The kinds that count by default: leads, purchases and other kinds of sign-up.
pub const DEFAULT: [&str; 7] =
    ["lead", "purchase", "complete_registration", "submit_application", "schedule", "subscribe", "start_trial"];

/// What an account counts as conversions: Leadwire's own kinds ([`kinds`]) or single action types of Meta's, such as
/// `offsite_conversion.custom.123`. Each event counts once, and the counts of the names are added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Counted(Vec<String>);

impl Default for Counted {
    fn default() -> Self {
        Self(DEFAULT.map(str::to_owned).to_vec())
    }
}

/// Why a list of conversions is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CountedError {
    /// The list is empty.
    Empty,
    /// The list is too long to be intentional.
    TooMany,
    /// The name cannot be an action type.
    Unknown(String),
    /// One event would count twice.
    Overlap(String, String),
}

impl std::error::Error for CountedError {}

impl fmt::Display for CountedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = kinds().join(", ");
        let quoted = |name: &String| format!("{name:?}");
        f.write_str(&match self {
            Self::Empty => {
                tr!("name at least one kind of conversion ({kinds}) or one action type of Meta's", kinds = kinds)
            }
            Self::TooMany => tr!("at most 20 can be named").into_owned(),
            Self::Unknown(name) => tr!(
                "{name} is neither a kind of conversion ({kinds}) nor an action type of Meta's",
                name = quoted(name),
                kinds = kinds
            ),
            Self::Overlap(name, other) => tr!(
                "{name} counts events that {other} counts already; name one of them",
                name = quoted(name),
                other = quoted(other)
            ),
        })
    }
}

/// The names of the kinds.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// The kind that contains an action type.
fn kind_of(action_type: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .find(|kind| kind.whole.contains(&action_type) || kind.parts.iter().any(|names| names.contains(&action_type)))
}

impl Counted {
    /// Parses an account's list of conversions.
    ///
    /// # Errors
    /// If the list is empty or too long, contains a name that cannot be an action type, or would count an event twice.
    pub fn parse(names: Vec<String>) -> Result<Self, CountedError> {
        const MAX: usize = 20;
        if names.is_empty() {
            return Err(CountedError::Empty);
        }
        if names.len() > MAX {
            return Err(CountedError::TooMany);
        }
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for name in &names {
            let plausible = (1..=100).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
                && (kind(name).is_some() || name.contains(['_', '.']));
            if !plausible {
                return Err(CountedError::Unknown(name.clone()));
            }
            let group = kind(name).or_else(|| kind_of(name)).map_or(name.as_str(), |kind| kind.name);
            if let Some(before) = seen.insert(group, name) {
                return Err(CountedError::Overlap(name.clone(), before.to_owned()));
            }
        }
        Ok(Self(names))
    }

    /// The names as given.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Counts the conversions among `actions`, which maps action types to their counts. Attribution models produce
    /// fractions; only the sum is rounded.
    #[must_use]
    pub fn count(&self, actions: &BTreeMap<String, Decimal>) -> u64 {
        let count_of = |name: &str| actions.get(name).copied();
        let one = |name: &String| match kind(name) {
            None => count_of(name).unwrap_or_default(),
            Some(kind) => kind.whole.iter().find_map(|name| count_of(name)).unwrap_or_else(|| {
                let part = |names: &&[&str]| names.iter().filter_map(|name| count_of(name)).max().unwrap_or_default();
                kind.parts.iter().map(part).sum()
            }),
        };
        let sum: Decimal = self.0.iter().map(one).sum();
        sum.round_dp_with_strategy(0, rust_decimal::RoundingStrategy::MidpointAwayFromZero).to_u64().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(counted: &[&str], actions: &[(&str, &str)]) -> u64 {
        let counted = Counted::parse(counted.iter().map(|&name| name.to_owned()).collect()).unwrap();
        counted.count(&actions.iter().map(|(name, n)| ((*name).to_owned(), n.parse().unwrap())).collect())
    }

    /// One event under several names counts once, whichever of the names Meta returns.
    #[test]
    fn overlapping_names_count_once() {
        let default = DEFAULT;
        let check = |actions: &[(&str, &str)], conversions: u64| {
            assert_eq!(count(&default, actions), conversions, "{actions:?}");
        };
        check(&[], 0);
        check(&[("link_click", "42"), ("landing_page_view", "38"), ("lead", "5")], 5);
        check(&[("lead", "5"), ("onsite_conversion.lead_grouped", "5"), ("leadgen_grouped", "5")], 5);
        check(&[("lead", "8"), ("leadgen_grouped", "5"), ("offsite_conversion.fb_pixel_lead", "3")], 8);
        check(&[("leadgen_grouped", "5"), ("offsite_conversion.fb_pixel_lead", "3")], 8);
        check(&[("leadgen_grouped", "5"), ("onsite_conversion.lead_grouped", "5")], 5);
        check(&[("omni_purchase", "4"), ("purchase", "3"), ("offsite_conversion.fb_pixel_purchase", "3")], 4);
        check(&[("purchase", "3"), ("onsite_web_purchase", "3"), ("web_in_store_purchase", "3")], 3);
        check(&[("offsite_conversion.fb_pixel_purchase", "3"), ("app_custom_event.fb_mobile_purchase", "2")], 5);
        check(&[("lead", "2"), ("omni_purchase", "3")], 5);
        check(&[("offsite_conversion.fb_pixel_custom", "7"), ("offsite_conversion.custom.123", "7")], 0);
        check(&[("lead", "1.4"), ("purchase", "1.4")], 3);
        check(&[("lead", "-3")], 0);
    }

    #[test]
    fn an_account_says_what_counts() {
        let actions = [("lead", "5"), ("omni_purchase", "2"), ("offsite_conversion.custom.9", "4")];
        assert_eq!(count(&["purchase"], &actions), 2);
        assert_eq!(count(&["offsite_conversion.custom.9"], &actions), 4);
        assert_eq!(count(&["lead", "offsite_conversion.custom.9"], &actions), 9);
        assert_eq!(count(&["leadgen_grouped"], &actions), 0);
    }

    #[test]
    fn a_list_that_cannot_be_meant_is_refused() {
        let refused = |names: &[&str]| Counted::parse(names.iter().map(|&name| name.to_owned()).collect()).unwrap_err();
        assert_eq!(refused(&[]), CountedError::Empty);
        assert_eq!(refused(&["lead"; 21]), CountedError::TooMany);
        assert!(matches!(refused(&["Leads!"]), CountedError::Unknown(_)));
        assert!(matches!(refused(&["leeds"]), CountedError::Unknown(_)));
        assert!(matches!(refused(&["lead", "leadgen_grouped"]), CountedError::Overlap(..)));
        assert!(matches!(refused(&["purchase", "purchase"]), CountedError::Overlap(..)));
    }

    /// No action type belongs to two kinds, or to two parts of one kind, where it would count twice.
    #[test]
    fn each_action_type_has_one_place() {
        let mut seen = std::collections::BTreeSet::new();
        for kind in KINDS {
            for name in kind.whole.iter().chain(kind.parts.iter().copied().flatten()) {
                assert!(seen.insert(*name), "{name}");
            }
        }
        assert!(DEFAULT.iter().all(|name| kind(name).is_some()));
    }
}
