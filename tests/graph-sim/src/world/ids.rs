//! Ids, codes and token texts that never repeat.

use jiff::Timestamp;
use rand::RngExt;
use rand::distr::Alphanumeric;

use super::ads::ids::FIRST_WRITTEN;

/// Source of the ids of leads, reports, published content, comments, people, and of forms and ads written through the API, and of the
/// running numbers of invented people.
///
/// All of them start from the wall clock. A restarted simulator therefore never repeats an id that a client with a
/// persistent store already has and would rightly treat as a duplicate.
#[derive(Debug)]
pub(crate) struct Ids {
    next_lead: u64,
    next_report: u64,
    next_person: u64,
    next_written_form: u64,
    next_written_ad: u64,
    next_content: u64,
    next_instagram: u64,
    next_scoped: u64,
    next_comment: u64,
}

impl Ids {
    pub(crate) fn new() -> Self {
        let started_ms = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        // Above 2^53 on purpose: a client that parses ids as floating-point numbers corrupts them.
        Self {
            next_lead: 20_000_000_000_000_001 + started_ms * 1000,
            next_report: 6_000_000_000_000_000 + started_ms * 100,
            next_person: started_ms / 100,
            next_written_form: 24_000_000_000_000_001 + started_ms * 1000,
            next_written_ad: FIRST_WRITTEN + started_ms * 100,
            next_content: 122_000_000_000_000_000 + started_ms * 1000,
            next_instagram: 17_900_000_000_000_000 + (started_ms % 100_000_000_000) * 100,
            next_scoped: 7_000_000_000_000_000 + started_ms * 100,
            next_comment: 1_000_000_000_000_000 + started_ms * 100,
        }
    }

    pub(crate) fn lead(&mut self) -> String {
        self.next_lead += 2;
        self.next_lead.to_string()
    }

    /// The id of an insights report.
    pub(crate) fn report(&mut self) -> String {
        self.next_report += 1;
        self.next_report.to_string()
    }

    /// The id of a lead form written through the API.
    pub(crate) fn written_form(&mut self) -> String {
        self.next_written_form += 10;
        self.next_written_form.to_string()
    }

    /// The id of a campaign, ad set, ad, creative or label written through the API.
    pub(crate) fn written_ad(&mut self) -> String {
        self.next_written_ad += 10;
        self.next_written_ad.to_string()
    }

    /// The number of a post, photo or video.
    pub(crate) fn content(&mut self) -> String {
        self.next_content += 3;
        self.next_content.to_string()
    }

    /// The id under which one account knows a person, or of a file in a message.
    pub(crate) fn scoped(&mut self) -> String {
        self.next_scoped += 7;
        self.next_scoped.to_string()
    }

    /// The number of a comment on a page's post.
    pub(crate) fn comment(&mut self) -> String {
        self.next_comment += 3;
        self.next_comment.to_string()
    }

    /// The id of an Instagram container, medium or comment.
    pub(crate) fn instagram(&mut self) -> String {
        self.next_instagram += 1;
        self.next_instagram.to_string()
    }

    pub(crate) fn person(&mut self) -> u64 {
        self.next_person += 1;
        self.next_person
    }
}

/// An access token in Meta's format: `EAA` and a long alphanumeric tail.
pub(crate) fn token_text() -> String {
    format!("EAA{}", random_text(157))
}

/// A login code.
pub(crate) fn code_text() -> String {
    format!("AQ{}", random_text(120))
}

/// The text of `fbtrace_id` and of the debug headers.
pub(crate) fn trace_text() -> String {
    format!("A{}", random_text(22))
}

/// The id of a message of a channel.
pub(crate) fn message_text(channel: &str) -> String {
    match channel {
        "whatsapp" => format!("wamid.HBgM{}", random_text(40)),
        "instagram" => format!("aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlE{}", random_text(70)),
        _ => format!("m_{}", random_text(60)),
    }
}

/// The id of a conversation of a channel.
pub(crate) fn thread_text(channel: &str) -> String {
    match channel {
        "instagram" => format!("aWdfZAG06MTpJR01lc3NhZA2VUaHJlYWQ6{}", random_text(40)),
        _ => format!("t_{}", rand::rng().random_range(1_000_000_000_000_000_u64..9_000_000_000_000_000)),
    }
}

/// The `hub.challenge` Meta sends: decimal digits.
pub(crate) fn challenge_text() -> String {
    rand::rng().random_range(1_000_000_000_u32..=u32::MAX).to_string()
}

fn random_text(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect()
}
