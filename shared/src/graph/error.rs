//! What can go wrong with a call to Meta, told apart by `(code, error_subcode)`, never by text: texts are translated
//! and change.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::usage::Usage;
use crate::model::connection::standing::EndReason;
use crate::retry::Verdict;

/// A call that Meta did not do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// The token is dead: somebody has to log in again.
    #[error("the token is dead: {reason:?} ({detail})")]
    TokenDead {
        /// Why.
        reason: EndReason,
        /// Meta's codes and words.
        detail: Detail,
    },
    /// The call needs a page's token and got another kind (190/2069032). Nothing is dead.
    #[error("the call needs a page token ({0})")]
    WrongTokenKind(Detail),
    /// A permission, a task or a feature is missing.
    #[error("not permitted ({0})")]
    NotPermitted(Detail),
    /// The object does not exist, or not for this token, or not yet: Meta does not say which (100/33).
    #[error("not found, or not visible ({0})")]
    NotVisible(Detail),
    /// The `appsecret_proof` is not made with the secret that Meta has: it was changed on one side and not yet, or not
    /// here yet, on the other.
    #[error("the proof is not made with the app's secret ({0})")]
    ProofRefused(Detail),
    /// Meta will not do this call however often it is made.
    #[error("refused ({0})")]
    Refused(Detail),
    /// A limit is reached. Calling before it is lifted extends it.
    #[error("throttled, wait {wait:?} ({detail})")]
    Throttled {
        /// What Meta's usage headers said; absent if they said nothing.
        wait: Option<Duration>,
        /// Meta's codes and words.
        detail: Detail,
    },
    /// The answer would be too large, or take too long: the same question about less may work.
    #[error("too much data ({0})")]
    TooMuchData(Detail),
    /// The messaging window is closed (10/2018278). No permission is missing.
    #[error("outside the messaging window ({0})")]
    MessagingWindowClosed(Detail),
    /// Meta had a fault, or ran out of time.
    #[error("unavailable ({0})")]
    Unavailable(Detail),
    /// The answer is not what the API promises.
    #[error("unreadable answer with status {status}")]
    Garbage {
        /// The HTTP status it came with.
        status: u16,
    },
    /// No answer came.
    #[error("no answer: {0}")]
    NoAnswer(&'static str),
}

/// Meta's own account of an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// `error.code`.
    pub code: i64,
    /// `error.error_subcode`.
    pub subcode: Option<i64>,
    /// `error.message`, shortened; in no particular language.
    pub message: String,
    /// `error.fbtrace_id`, which Meta's support asks for.
    pub fbtrace_id: Option<String>,
}

impl std::fmt::Display for Detail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(subcode) = self.subcode {
            write!(f, "/{subcode}")?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match &self.fbtrace_id {
            Some(trace) => write!(f, " [{trace}]"),
            None => Ok(()),
        }
    }
}

impl GraphError {
    /// What becomes of the work that met this error. Every variant is listed: a new one must decide its own fate.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Throttled { wait: Some(wait), .. } => Verdict::RetryAfter(*wait),
            Self::Throttled { wait: None, .. } => Verdict::RetryAfter(Duration::from_mins(5)),
            Self::NotVisible(_)
            | Self::ProofRefused(_)
            | Self::Unavailable(_)
            | Self::Garbage { .. }
            | Self::NoAnswer(_) => Verdict::Retry,
            Self::TokenDead { .. }
            | Self::WrongTokenKind(_)
            | Self::NotPermitted(_)
            | Self::Refused(_)
            | Self::TooMuchData(_)
            | Self::MessagingWindowClosed(_) => Verdict::GiveUp,
        }
    }

    /// Whether the same question about less may work. Meta says so with codes of its own, and with its code for anything
    /// unknown (1), whose text alone tells what it means.
    #[must_use]
    pub fn wants_less(&self) -> bool {
        match self {
            Self::TooMuchData(_) => true,
            Self::Unavailable(detail) => detail.code == 1,
            Self::NoAnswer(why) => *why == TIMED_OUT,
            _ => false,
        }
    }

    /// Whether the limit that was reached is the app's: then nobody may ask, not only about this object.
    #[must_use]
    pub fn is_limit_of_app(&self) -> bool {
        matches!(self, Self::Throttled { detail, .. } if matches!(detail.code, 4 | 341))
    }

    /// How long Meta wants to be left alone, if a limit is what was met.
    #[must_use]
    pub fn throttled_for(&self) -> Option<Duration> {
        match (self, self.verdict()) {
            (Self::Throttled { .. }, Verdict::RetryAfter(wait)) => Some(wait),
            _ => None,
        }
    }

    /// Why the token is dead, if it is. A wrong kind of token, a closed messaging window and a limit are no such thing.
    #[must_use]
    pub fn token_death(&self) -> Option<EndReason> {
        match self {
            Self::TokenDead { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    /// A stable word for it, for parked work and metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TokenDead { .. } => "token_dead",
            Self::WrongTokenKind(_) => "wrong_token_kind",
            Self::NotPermitted(_) => "not_permitted",
            Self::NotVisible(_) => "not_visible",
            Self::ProofRefused(_) => "proof_refused",
            Self::Refused(_) => "refused",
            Self::TooMuchData(_) => "too_much_data",
            Self::Throttled { .. } => "throttled",
            Self::MessagingWindowClosed(_) => "messaging_window_closed",
            Self::Unavailable(_) => "unavailable",
            Self::Garbage { .. } => "garbage",
            Self::NoAnswer(_) => "no_answer",
        }
    }

    /// Keeps the kind of failure and nothing else: the error of the HTTP library quotes the URL.
    pub(super) fn transport(error: reqwest::Error) -> Self {
        Self::NoAnswer(if error.is_timeout() {
            TIMED_OUT
        } else if error.is_connect() {
            "could not connect"
        } else {
            "connection broke"
        })
    }
}

const TIMED_OUT: &str = "timed out";

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    code: i64,
    error_subcode: Option<i64>,
    #[serde(default)]
    message: String,
    r#type: Option<String>,
    fbtrace_id: Option<String>,
}

/// The error in an answer, if there is one. A 200 may carry one too.
#[must_use]
pub fn in_body(body: &Value, status: u16, usage: &Usage) -> Option<GraphError> {
    let Some(Ok(error)) = body.get("error").map(Body::deserialize) else {
        return (!(200..300).contains(&status)).then_some(GraphError::Garbage { status });
    };
    let detail = Detail {
        code: error.code,
        subcode: error.error_subcode,
        message: without_tokens(&error.message),
        fbtrace_id: error.fbtrace_id,
    };
    // Code 100 is many things; of those, only a bad proof comes as this type without a subcode (33 is another).
    if detail.code == 100 && detail.subcode.is_none() && error.r#type.as_deref() == Some("GraphMethodException") {
        return Some(GraphError::ProofRefused(detail));
    }
    Some(classify(detail, status, usage))
}

/// Meta's words, shortened, without anything in them that could be a token: it quotes some that it does not like.
fn without_tokens(message: &str) -> String {
    const LONGEST_WORD: usize = 24;
    let is_plain = |c: char| c.is_ascii_alphanumeric();
    let mut clean = String::new();
    for part in message.split_inclusive(|c: char| !is_plain(c)) {
        let word = part.trim_end_matches(|c: char| !is_plain(c));
        if word.len() > LONGEST_WORD {
            clean.push('…');
            clean.push_str(part.get(word.len()..).unwrap_or_default());
        } else {
            clean.push_str(part);
        }
    }
    clean.chars().take(300).collect()
}

/// What a code means that did not come as an error, but in a report that failed.
pub(super) fn of_report(code: i64, subcode: Option<i64>, message: &str) -> GraphError {
    let detail = Detail { code, subcode, message: without_tokens(message), fbtrace_id: None };
    classify(detail, 200, &Usage::default())
}

fn classify(detail: Detail, status: u16, usage: &Usage) -> GraphError {
    match (detail.code, detail.subcode) {
        (190, Some(2_069_032)) => GraphError::WrongTokenKind(detail),
        // Meta's words name the person in some languages, and the reason says it all.
        (190 | 102, subcode) => {
            GraphError::TokenDead { reason: death(subcode), detail: Detail { message: String::new(), ..detail } }
        }
        (10, Some(2_018_278 | 2_534_022)) => GraphError::MessagingWindowClosed(detail),
        (3 | 10 | 200..=299, _) => GraphError::NotPermitted(detail),
        (100, Some(33)) | (803, _) => GraphError::NotVisible(detail),
        (100, Some(3_191_001)) => GraphError::NotPermitted(detail),
        (100, Some(1_487_534 | 1_504_018)) | (2, Some(1_504_038)) | (-3, Some(1_504_045)) => {
            GraphError::TooMuchData(detail)
        }
        (2, Some(1_504_041 | 1_504_042)) => GraphError::Refused(detail),
        (4 | 17 | 32 | 341 | 613 | 80_000..=80_014, _) => GraphError::Throttled { wait: usage.wait(), detail },
        // 2601: a report's rows that were read too early.
        (-1 | -2 | -3 | 1 | 2 | 960 | 2601, _) => GraphError::Unavailable(detail),
        _ if status >= 500 => GraphError::Unavailable(detail),
        _ => GraphError::Refused(detail),
    }
}

/// Why a token is dead, by the subcode of 190 and 102.
fn death(subcode: Option<i64>) -> EndReason {
    match subcode {
        Some(458) => EndReason::AppRemoved,
        Some(459 | 464) => EndReason::Checkpoint,
        Some(460) => EndReason::PasswordChanged,
        Some(463) => EndReason::TokenExpired,
        Some(483) => EndReason::ConsentBlocked,
        Some(492) => EndReason::PageRoleLost,
        Some(493) => EndReason::DataAccessEnded,
        _ => EndReason::TokenInvalid,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_and_subcodes_decide() {
        let check = |code: i64, subcode: Option<i64>, status: u16, name: &str, verdict: Verdict| {
            let body = json!({"error": {"message": "irgendwas", "type": "OAuthException", "code": code, "error_subcode": subcode}});
            let error = in_body(&body, status, &Usage::default()).unwrap();
            assert_eq!((error.code(), error.verdict()), (name, verdict), "{code}/{subcode:?} {status}");
        };
        let pause = Verdict::RetryAfter(Duration::from_secs(300));
        check(190, None, 400, "token_dead", Verdict::GiveUp);
        check(190, Some(463), 400, "token_dead", Verdict::GiveUp);
        check(102, Some(1), 401, "token_dead", Verdict::GiveUp);
        check(190, Some(2_069_032), 400, "wrong_token_kind", Verdict::GiveUp);
        check(10, None, 403, "not_permitted", Verdict::GiveUp);
        check(200, None, 403, "not_permitted", Verdict::GiveUp);
        check(278, None, 403, "not_permitted", Verdict::GiveUp);
        check(10, Some(2_018_278), 400, "messaging_window_closed", Verdict::GiveUp);
        check(100, Some(33), 400, "not_visible", Verdict::Retry);
        check(100, None, 400, "refused", Verdict::GiveUp);
        check(4, None, 403, "throttled", pause);
        check(32, None, 400, "throttled", pause);
        check(80_005, None, 400, "throttled", pause);
        check(1, None, 500, "unavailable", Verdict::Retry);
        check(2, None, 200, "unavailable", Verdict::Retry);
        check(960, None, 400, "unavailable", Verdict::Retry);
        check(2601, Some(1_815_107), 400, "unavailable", Verdict::Retry);
        check(100, Some(1_487_534), 400, "too_much_data", Verdict::GiveUp);
        check(2, Some(1_504_038), 500, "too_much_data", Verdict::GiveUp);
        check(-3, Some(1_504_045), 400, "too_much_data", Verdict::GiveUp);
        check(2, Some(1_504_044), 500, "unavailable", Verdict::Retry);
        check(2, Some(1_504_042), 500, "refused", Verdict::GiveUp);
        check(100, Some(3_191_001), 400, "not_permitted", Verdict::GiveUp);
        check(80_000, Some(2_446_079), 400, "throttled", pause);
        check(17, Some(2_446_079), 400, "throttled", pause);
        check(123_456, None, 500, "unavailable", Verdict::Retry);
        check(123_456, None, 400, "refused", Verdict::GiveUp);
    }

    #[test]
    fn a_token_that_meta_quotes_is_left_out() {
        let token = "EAAB".repeat(30);
        let said = without_tokens(&format!("Malformed access token {token}, of user 10229483756102001."));
        assert_eq!(said, "Malformed access token …, of user 10229483756102001.");
        assert_eq!(without_tokens(&token), "…");
        let dead = json!({"error": {"message": "of user 10229483756102001", "code": 190, "error_subcode": 460}});
        let dead = in_body(&dead, 400, &Usage::default()).unwrap().to_string();
        assert_eq!(dead, "the token is dead: PasswordChanged (190/460)");
        assert_eq!(without_tokens(&"ä ".repeat(400)).chars().count(), 300);
    }

    #[test]
    fn a_proof_of_another_secret_may_heal() {
        let body =
            json!({"error": {"message": "Invalid appsecret_proof", "type": "GraphMethodException", "code": 100}});
        assert_eq!(in_body(&body, 400, &Usage::default()).unwrap().verdict(), Verdict::Retry);
        let body = json!({"error": {"type": "GraphMethodException", "code": 100, "error_subcode": 33}});
        assert_eq!(in_body(&body, 400, &Usage::default()).unwrap().code(), "not_visible");
    }

    #[test]
    fn an_error_without_an_envelope_is_one_too() {
        assert_eq!(
            in_body(&json!("Service Unavailable"), 503, &Usage::default()),
            Some(GraphError::Garbage { status: 503 })
        );
        assert_eq!(in_body(&json!({"data": []}), 200, &Usage::default()), None);
        assert_eq!(in_body(&json!([{"code": 200, "body": "{}"}]), 200, &Usage::default()), None, "a batch of one");
    }

    #[test]
    fn the_reason_of_a_token_s_death_is_kept() {
        let reason =
            |subcode| match classify(Detail { code: 190, subcode, ..Detail::default() }, 400, &Usage::default()) {
                GraphError::TokenDead { reason, .. } => reason,
                other => panic!("{other}"),
            };
        assert_eq!(reason(Some(460)), EndReason::PasswordChanged);
        assert_eq!(reason(Some(492)), EndReason::PageRoleLost);
        assert_eq!(reason(Some(467)), EndReason::TokenInvalid);
    }
}
