//! Failures of calls to Meta, classified by `(code, error_subcode)`, never by text: texts are translated and change.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::usage::Usage;
use crate::model::connection::state::EndReason;
use crate::model::failure::FailureCode;
use crate::retry::Verdict;

/// A failed call to Meta.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// The token is invalid. A new login is required.
    #[error("the token is dead: {reason:?} ({detail})")]
    TokenInvalid {
        /// Why it is invalid.
        reason: EndReason,
        /// Meta's codes and words.
        detail: Detail,
    },
    /// The call needs a page token and got another kind (190/2069032). No token is invalid.
    #[error("the call needs a page token ({0})")]
    WrongTokenKind(Detail),
    /// A permission, a task or a feature is missing.
    #[error("not permitted ({0})")]
    NotPermitted(Detail),
    /// The object does not exist, does not exist yet, or is hidden from this token. Meta does not say which (100/33).
    #[error("not found, or not visible ({0})")]
    NotVisible(Detail),
    /// The `appsecret_proof` does not match Meta's app secret: the secret was changed on one side, and the change has
    /// not yet reached the other.
    #[error("the proof is not made with the app's secret ({0})")]
    ProofRefused(Detail),
    /// Meta permanently refuses this call; a retry cannot help.
    #[error("refused ({0})")]
    Refused(Detail),
    /// A limit is reached. Calling before it is lifted extends it.
    #[error("throttled, wait {wait:?} ({detail})")]
    Throttled {
        /// How long to wait according to Meta's usage headers; `None` if they did not say.
        wait: Option<Duration>,
        /// Meta's codes and words.
        detail: Detail,
    },
    /// The response would be too large or take too long. The same query for less data may work.
    #[error("too much data ({0})")]
    TooMuchData(Detail),
    /// The messaging window is closed (10/2018278). No permission is missing.
    #[error("outside the messaging window ({0})")]
    MessagingWindowClosed(Detail),
    /// Meta had a fault or timed out.
    #[error("unavailable ({0})")]
    Unavailable(Detail),
    /// The response is not what the API promises.
    #[error("unreadable answer with status {status}")]
    InvalidResponse {
        /// The HTTP status of the response.
        status: u16,
    },
    /// No response arrived.
    #[error("no answer: {0}")]
    Transport(&'static str),
}

/// Meta's description of an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// `error.code`.
    pub code: i64,
    /// `error.error_subcode`.
    pub subcode: Option<i64>,
    /// `error.message`, shortened. Its language varies.
    pub message: String,
    /// `error.error_user_msg`, shortened: the text for people, in the language of the token's owner.
    pub user_message: Option<Box<str>>,
    /// The parameters that Meta blames (`error.error_data.blame_field_specs`), such as `targeting.age_max`.
    pub blamed: Box<[String]>,
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
    /// Returns whether to retry the work that hit this error. Every variant is listed, so that a new one needs a
    /// decision.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Throttled { wait: Some(wait), .. } => Verdict::RetryAfter(*wait),
            Self::Throttled { wait: None, .. } => Verdict::RetryAfter(Duration::from_mins(5)),
            Self::NotVisible(_)
            | Self::ProofRefused(_)
            | Self::Unavailable(_)
            | Self::InvalidResponse { .. }
            | Self::Transport(_) => Verdict::Retry,
            Self::TokenInvalid { .. }
            | Self::WrongTokenKind(_)
            | Self::NotPermitted(_)
            | Self::Refused(_)
            | Self::TooMuchData(_)
            | Self::MessagingWindowClosed(_) => Verdict::GiveUp,
        }
    }

    /// Whether Meta gives this to no one who asks as we do, now or later, or the object is gone.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        self.verdict() == Verdict::GiveUp || matches!(self, Self::NotVisible(_))
    }

    /// Whether the same query for less data may work. Meta has dedicated codes for this, but also uses its code for
    /// unknown errors (1), where only the text differs.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        match self {
            Self::TooMuchData(_) => true,
            Self::Unavailable(detail) => detail.code == 1,
            Self::Transport(why) => *why == TIMED_OUT,
            _ => false,
        }
    }

    /// Whether the limit belongs to the app. If so, all calls must pause, not only those about this object.
    #[must_use]
    pub fn is_limit_of_app(&self) -> bool {
        matches!(self, Self::Throttled { detail, .. } if matches!(detail.code, 4 | 341))
    }

    /// Returns how long to pause if this is a throttling error.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match (self, self.verdict()) {
            (Self::Throttled { .. }, Verdict::RetryAfter(wait)) => Some(wait),
            _ => None,
        }
    }

    /// Returns why the token is invalid, or `None` if it is not. A token of the wrong kind, a closed messaging window
    /// and a limit do not make it invalid.
    #[must_use]
    pub fn token_death(&self) -> Option<EndReason> {
        match self {
            Self::TokenInvalid { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    /// Meta's description of the error, if Meta gave one.
    #[must_use]
    pub fn detail(&self) -> Option<&Detail> {
        match self {
            Self::TokenInvalid { detail, .. }
            | Self::WrongTokenKind(detail)
            | Self::NotPermitted(detail)
            | Self::NotVisible(detail)
            | Self::ProofRefused(detail)
            | Self::Refused(detail)
            | Self::Throttled { detail, .. }
            | Self::TooMuchData(detail)
            | Self::MessagingWindowClosed(detail)
            | Self::Unavailable(detail) => Some(detail),
            Self::InvalidResponse { .. } | Self::Transport(_) => None,
        }
    }

    /// Returns a stable code, for parked work and metrics.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::TokenInvalid { .. } => FailureCode::TokenDead,
            Self::WrongTokenKind(_) => FailureCode::WrongTokenKind,
            Self::NotPermitted(_) => FailureCode::NotPermitted,
            Self::NotVisible(_) => FailureCode::NotVisible,
            Self::ProofRefused(_) => FailureCode::ProofRefused,
            Self::Refused(_) => FailureCode::Refused,
            Self::TooMuchData(_) => FailureCode::TooMuchData,
            Self::Throttled { .. } => FailureCode::Throttled,
            Self::MessagingWindowClosed(_) => FailureCode::MessagingWindowClosed,
            Self::Unavailable(_) => FailureCode::Unavailable,
            Self::InvalidResponse { .. } => FailureCode::Garbage,
            Self::Transport(_) => FailureCode::NoAnswer,
        }
    }

    /// Stores only the kind of failure: the HTTP library's error quotes the URL.
    pub(crate) fn transport(error: reqwest::Error) -> Self {
        Self::Transport(if error.is_timeout() {
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
    error_user_msg: Option<String>,
    error_data: Option<Value>,
    r#type: Option<String>,
    fbtrace_id: Option<String>,
}

/// Returns the error in a response body, if any. A 200 may carry one too.
#[must_use]
pub fn in_body(body: &Value, status: u16, usage: &Usage) -> Option<GraphError> {
    let Some(Ok(error)) = body.get("error").map(Body::deserialize) else {
        return (!(200..300).contains(&status)).then_some(GraphError::InvalidResponse { status });
    };
    let detail = Detail {
        code: error.code,
        subcode: error.error_subcode,
        message: without_tokens(&error.message),
        user_message: error.error_user_msg.as_deref().map(|text| without_tokens(text).into()),
        blamed: error.error_data.as_ref().map(blamed).unwrap_or_default(),
        fbtrace_id: error.fbtrace_id,
    };
    // Code 100 has many meanings. Only a bad proof has this type and no subcode (33 is another error).
    if detail.code == 100 && detail.subcode.is_none() && error.r#type.as_deref() == Some("GraphMethodException") {
        return Some(GraphError::ProofRefused(detail));
    }
    Some(classify(detail, status, usage))
}

/// The parameters that Meta blames. The data are an object, or the text of one.
fn blamed(data: &Value) -> Box<[String]> {
    let parsed: Option<Value> = data.as_str().and_then(|text| serde_json::from_str(text).ok());
    let paths = parsed.as_ref().unwrap_or(data).get("blame_field_specs").and_then(Value::as_array);
    let path = |path: &Value| match path {
        Value::Array(parts) => Some(parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(".")),
        Value::String(name) => Some(name.clone()),
        _ => None,
    };
    paths.into_iter().flatten().filter_map(path).take(10).collect()
}

/// Shortens Meta's message and removes anything that could be a token: Meta quotes tokens that it rejects.
fn without_tokens(message: &str) -> String {
    const MAX_WORD: usize = 24;
    /// What follows one of these is a secret, however short.
    const NAMES: [&str; 6] = ["access_token", "token", "secret", "code", "appsecret_proof", "password"];
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-|.%+/@".contains(c);
    let mut clean = String::new();
    let mut is_secret = false;
    for part in message.split_inclusive(|c: char| !is_plain(c)) {
        let word = part.trim_end_matches(|c: char| !is_plain(c));
        let digits = word.chars().filter(char::is_ascii_digit).count();
        let is_number = digits >= 9 && word.starts_with('+');
        let is_address = word.contains('@') && word.len() > 3;
        // A permission or an address of documentation, which no token looks like.
        let is_name = word.chars().all(|c| c.is_ascii_lowercase() || "_-./".contains(c));
        let is_long = word.len() > MAX_WORD && !is_name || word.contains('|');
        let rest = part.get(word.len()..).unwrap_or_default();
        if is_secret && !word.is_empty() || is_long || is_number || is_address {
            clean.push('…');
            clean.push_str(rest);
        } else {
            clean.push_str(part);
        }
        is_secret = rest.starts_with('=') && NAMES.iter().any(|name| word.ends_with(name));
    }
    clean.chars().take(300).collect()
}

/// Classifies a code that arrives in a failed report instead of an error body.
pub(super) fn of_report(code: i64, subcode: Option<i64>, message: &str) -> GraphError {
    let detail = Detail { code, subcode, message: without_tokens(message), ..Detail::default() };
    classify(detail, 200, &Usage::default())
}

fn classify(detail: Detail, status: u16, usage: &Usage) -> GraphError {
    match (detail.code, detail.subcode) {
        (190, Some(2_069_032)) => GraphError::WrongTokenKind(detail),
        // In some languages Meta's message names the person, so it is dropped. The reason is enough.
        // WhatsApp says 0.
        (190 | 102 | 0, subcode) if detail.code != 0 || status == 401 => {
            let detail = Detail { message: String::new(), user_message: None, ..detail };
            GraphError::TokenInvalid { reason: death(subcode), detail }
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
        // 2601: a report's rows were read too early.
        (-1 | -2 | -3 | 1 | 2 | 960 | 2601, _) => GraphError::Unavailable(detail),
        _ if status >= 500 => GraphError::Unavailable(detail),
        _ => GraphError::Refused(detail),
    }
}

/// Maps the subcode of 190 and 102 to the reason why a token is invalid.
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
#[path = "error_tests.rs"]
mod tests;
