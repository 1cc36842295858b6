//! What an error means for an answer: Meta's codes and subcodes of messages, comments and WhatsApp.

use std::time::Duration;

use super::GraphError;
use crate::phrase;

/// What an error means for the answer that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendFault {
    /// It may have been sent, or not.
    Unclear,
    /// It was not sent; Meta wants fewer messages for this long.
    Later(Duration),
    /// It was not sent, and never will be: why, and what to do.
    Refused(&'static str),
    /// As [`SendFault::Refused`], for a reason of Meta's own.
    RefusedByMeta,
}

impl GraphError {
    /// Returns what the error means for the answer that met it.
    #[must_use]
    pub fn send_fault(&self) -> SendFault {
        if let Some(fault) = self.detail().and_then(|detail| known_fault(detail.code, detail.subcode)) {
            return fault;
        }
        match self {
            Self::MessagingWindowClosed(_) => WINDOW_CLOSED,
            Self::TokenInvalid { .. } => {
                SendFault::Refused(phrase!("The connection has ended. Reconnect, then send the message again."))
            }
            Self::WrongTokenKind(_) | Self::NotPermitted(_) => {
                SendFault::Refused(phrase!("A permission is missing. Reconnect and keep every permission selected."))
            }
            Self::NotVisible(_) => SendFault::Refused(phrase!(
                "The message or comment you replied to was deleted or is no longer visible."
            )),
            Self::Refused(_) | Self::TooMuchData(_) => SendFault::RefusedByMeta,
            Self::Throttled { wait, .. } => SendFault::Later(wait.unwrap_or(Duration::from_mins(1))),
            Self::ProofRefused(_) => SendFault::Later(Duration::from_mins(1)),
            Self::Unavailable(_) | Self::InvalidResponse { .. } | Self::Transport(_) => SendFault::Unclear,
        }
    }
}

const WINDOW_CLOSED: SendFault = SendFault::Refused(phrase!(
    "The reply window is closed: too much time has passed since the person last wrote. They have to write again first."
));

/// The meaning of a code that stands in a failed status of WhatsApp, or in an error.
fn known_fault(code: i64, subcode: Option<i64>) -> Option<SendFault> {
    use SendFault::{Later, Refused, Unclear};
    Some(match (code, subcode) {
        (10, Some(2_018_278 | 2_534_022 | 2_018_065)) => WINDOW_CLOSED,
        (131_047, _) => Refused(phrase!(
            "More than 24 hours have passed since the person last wrote. Only an approved template is delivered."
        )),
        (10, Some(1_893_063)) => {
            Refused(phrase!("Meta has restricted this page from sending messages. Meta's support can say why."))
        }
        (10, Some(2_534_077)) => Refused(phrase!(
            "Instagram requires you to link this account again or to turn on two-factor authentication. Do that in the account's settings."
        )),
        (10 | 200, Some(2_018_028)) => {
            Refused(phrase!("Meta has not approved the app for messages to people who have no role in it."))
        }
        (2_534_029, _) | (_, Some(2_534_029 | 2_534_041)) => Refused(phrase!(
            "This Instagram account does not let apps send messages. Its owner must allow access to messages in the account's settings."
        )),
        (100, Some(2_534_013)) => {
            Refused(phrase!("The page no longer has an Instagram account. Link one, then reconnect."))
        }
        (9_000_001, _) | (_, Some(2_534_001)) => Refused(phrase!("This conversation was deleted or archived at Meta.")),
        (10_900, _) | (100, Some(2_534_025)) => {
            Refused(phrase!("This comment was already answered privately, or is too old for it."))
        }
        (551, _) | (10, Some(2_018_108)) => Refused(phrase!("This person cannot receive messages at the moment.")),
        (100, Some(2_018_001 | 2_534_014)) => Refused(phrase!("Meta does not know this person on this page.")),
        (131_026, _) => Refused(phrase!("WhatsApp cannot deliver to this person, and does not say why.")),
        (131_049 | 131_050 | 130_472, _) => {
            Refused(phrase!("WhatsApp holds this message back. Do not send it again soon."))
        }
        (_, Some(2_018_300 | 2_534_037)) => Refused(phrase!("Another app has this conversation at the moment.")),
        (100, Some(2_018_008 | 2_018_047 | 2_018_109 | 2_018_294)) | (131_052 | 131_053, _) => Refused(phrase!(
            "Meta could not take the file: it is not reachable, too large, or of a format that is not accepted."
        )),
        (132_000..=132_016, _) => Refused(phrase!("WhatsApp does not accept the template with these variables.")),
        (613 | 80_006 | 130_429 | 131_048 | 131_064 | 80_007, _) => Later(Duration::from_mins(1)),
        // One person gets one message in 6 seconds.
        (131_056, _) => Later(Duration::from_secs(6)),
        // "Received invalid JSON reply": the message may have been sent.
        (1, Some(1_357_046)) => Unclear,
        _ => return None,
    })
}

/// What a failed status of WhatsApp means, in words.
#[must_use]
pub fn words_of(code: i64) -> Option<&'static str> {
    match known_fault(code, None) {
        Some(SendFault::Refused(words)) => Some(words),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::of_report;
    use super::*;

    #[test]
    fn each_of_meta_s_reasons_says_what_to_do() {
        for (code, subcode, part) in [
            (10, Some(2_018_278), "write again first"),
            (10, Some(2_534_022), "write again first"),
            (10, Some(2_018_065), "write again first"),
            (131_047, None, "approved template"),
            (10_900, None, "already answered privately"),
            (100, Some(2_534_025), "already answered privately"),
            (10, Some(2_018_108), "cannot receive messages"),
            (551, Some(1_545_041), "cannot receive messages"),
            (10, Some(1_893_063), "restricted this page"),
            (10, Some(2_534_077), "two-factor"),
            (10, Some(2_018_028), "not approved the app"),
            (200, Some(2_018_028), "not approved the app"),
            (100, Some(2_018_001), "does not know this person"),
            (100, Some(2_534_014), "does not know this person"),
            (100, Some(2_534_013), "no longer has an Instagram account"),
            (200, Some(2_534_041), "allow access to messages"),
            (2_534_029, None, "allow access to messages"),
            (100, Some(2_018_300), "Another app"),
            (10, Some(2_534_037), "Another app"),
            (100, Some(2_018_008), "could not take the file"),
            (9_000_001, None, "deleted or archived"),
            (131_026, None, "does not say why"),
            (131_049, None, "Do not send it again soon"),
            (132_001, None, "template"),
            (10, None, "permission is missing"),
            (190, Some(460), "Reconnect"),
            (100, Some(33), "deleted"),
        ] {
            match of_report(code, subcode, "m").send_fault() {
                SendFault::Refused(words) => assert!(words.contains(part), "{code}/{subcode:?}: {words}"),
                other => panic!("{code}/{subcode:?}: {other:?}"),
            }
        }
        for (code, subcode) in [(100, Some(2_534_015)), (368, None), (131_062, None)] {
            assert_eq!(of_report(code, subcode, "m").send_fault(), SendFault::RefusedByMeta, "{code}");
        }
    }

    #[test]
    fn limits_wait_and_lost_answers_are_looked_for() {
        for (code, subcode) in [(613, Some(2_018_338)), (4, None), (80_006, None), (130_429, None), (131_056, None)] {
            assert!(matches!(of_report(code, subcode, "m").send_fault(), SendFault::Later(_)), "{code}");
        }
        for (code, subcode) in [(1, Some(1_357_046)), (1, Some(99)), (2, None)] {
            assert_eq!(of_report(code, subcode, "m").send_fault(), SendFault::Unclear, "{code}");
        }
    }
}
