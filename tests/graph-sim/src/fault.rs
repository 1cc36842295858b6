//! Faults injected by a test: errors, throttling, timeouts and garbage on chosen paths.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// The kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// A Graph error with the given code.
    Error,
    /// No response while the connection is held, then an empty 504. In a batch the element is `null`.
    Timeout,
    /// A rate limit error, with the usage headers at 100.
    Throttle,
    /// HTTP 200 with a body that is not a valid response.
    Garbage,
    /// The connection is closed without a response. In a batch the element is `null`.
    Close,
    /// The usual response, but late.
    Slow,
}

/// A fault rule.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) id: u64,
    /// A prefix, a glob with `*`, or `=` followed by an exact path. Never includes the API version.
    pub(crate) path: String,
    /// In upper case; `None` matches any method.
    pub(crate) method: Option<String>,
    pub(crate) kind: FaultKind,
    /// Whether the call takes effect before its response is replaced.
    pub(crate) after: bool,
    pub(crate) code: Option<i64>,
    pub(crate) subcode: Option<i64>,
    pub(crate) status: Option<u16>,
    pub(crate) message: Option<String>,
    /// How long a timeout or a slow response holds the connection.
    pub(crate) hold_ms: u64,
    /// Matching calls that are left alone first.
    pub(crate) skip: u64,
    /// Remaining hits; `None` means until deleted.
    pub(crate) times: Option<u64>,
    /// The probability that a matching call is hit.
    pub(crate) probability: f64,
    pub(crate) random: StdRng,
    pub(crate) hits: u64,
}

/// The fault that applies to one call.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) kind: FaultKind,
    /// Whether the call takes effect first.
    pub(crate) after: bool,
    pub(crate) code: Option<i64>,
    pub(crate) subcode: Option<i64>,
    pub(crate) status: Option<u16>,
    pub(crate) message: Option<String>,
    pub(crate) hold_ms: u64,
    /// Index of this hit among the rule's hits, from 0.
    pub(crate) hit: u64,
}

impl Hit {
    /// Waits as long as the rule says.
    pub(crate) async fn hold(&self) {
        tokio::time::sleep(Duration::from_millis(self.hold_ms)).await;
    }
}

/// The rules in force, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Fault>,
    last_id: u64,
}

impl Faults {
    /// Adds a rule and returns its id.
    pub(crate) fn add(&mut self, mut fault: Fault) -> u64 {
        self.last_id += 1;
        fault.id = self.last_id;
        self.rules.push(fault);
        self.last_id
    }

    /// Removes the rule `id`, or every rule if `None`. Returns how many were removed.
    pub(crate) fn remove(&mut self, id: Option<u64>) -> usize {
        let before = self.rules.len();
        self.rules.retain(|rule| id.is_some_and(|id| rule.id != id));
        before - self.rules.len()
    }

    /// Returns the hit of the first rule that matches this call and passes its probability. `paths` are spellings of
    /// one path: the real one and its normalised form, such as `/123/leads` and `/{form}/leads`.
    pub(crate) fn strike(&mut self, method: &str, paths: [&str; 2]) -> Option<Hit> {
        for rule in &mut self.rules {
            let matches = paths.iter().any(|path| path_matches(&rule.path, path));
            if !matches || rule.times == Some(0) || rule.method.as_deref().is_some_and(|wanted| wanted != method) {
                continue;
            }
            if rule.probability < 1.0 && !rule.random.random_bool(rule.probability) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.times = rule.times.map(|left| left - 1);
            rule.hits += 1;
            return Some(Hit {
                kind: rule.kind,
                after: rule.after,
                code: rule.code,
                subcode: rule.subcode,
                status: rule.status,
                message: rule.message.clone(),
                hold_ms: rule.hold_ms,
                hit: rule.hits - 1,
            });
        }
        None
    }

    /// Lists the rules for the control interface.
    pub(crate) fn list(&self) -> Value {
        self.rules
            .iter()
            .map(|rule| json!({"id": rule.id, "path": rule.path, "method": rule.method, "times_left": rule.times, "hits": rule.hits}))
            .collect()
    }
}

/// The random number generator of a rule. The same seed hits the same calls.
pub(crate) fn random(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn path_matches(pattern: &str, path: &str) -> bool {
    if let Some(exact) = pattern.strip_prefix('=') {
        return exact == path;
    }
    if !pattern.contains('*') {
        return path.starts_with(pattern);
    }
    glob_matches(pattern, path)
}

/// `*` matches any text, including slashes.
fn glob_matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| rest.get(at..).is_some_and(|rest| glob_matches(tail, rest)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::path_matches;

    #[test]
    fn a_pattern_is_a_prefix_a_glob_or_exact() {
        for (pattern, path, expected) in [
            ("/", "/me/accounts", true),
            ("/me", "/me/accounts", true),
            ("=/me", "/me/accounts", false),
            ("=/", "/", true),
            ("*", "/", true),
            ("/*/leads", "/123/leads", true),
            ("/*/leads", "/123/leadgen_forms", false),
            ("/12*", "/123/leads", true),
            ("/{lead}", "/{lead}", true),
        ] {
            assert_eq!(path_matches(pattern, path), expected, "{pattern} on {path}");
        }
    }
}
