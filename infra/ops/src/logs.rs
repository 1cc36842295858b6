//! What the functions have logged.

use anyhow::Result;
use aws_calls::Refusal;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::account::Account;

/// Lines that are read of one log group.
const MAX_LINES: usize = 500;
/// Requests for one log group: one can answer nothing and still go on.
const MAX_REQUESTS: usize = 50;

/// A line of a function's log.
#[derive(Debug, Clone)]
pub(crate) struct LogLine {
    pub(crate) at: Timestamp,
    /// The function, without the stack's name.
    pub(crate) function: String,
    fields: Value,
}

impl LogLine {
    fn parse(function: &str, event: &Value) -> Option<Self> {
        let at = Timestamp::from_millisecond(event.get("timestamp")?.as_i64()?).ok()?;
        let fields = serde_json::from_str(event.get("message")?.as_str()?.trim()).ok()?;
        Some(Self { at, function: function.to_owned(), fields })
    }

    /// What it says, in one line: level, message and the fields that explain it. Logs have no personal values.
    pub(crate) fn in_words(&self) -> String {
        const EXPLAINING: [&str; 7] = ["code", "error", "reason", "metric", "org", "page", "receive_count"];
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let field = |name: &str| self.fields.get(name).map(text);
        let explaining = EXPLAINING.iter().filter_map(|name| Some(format!("{name}={}", field(name)?)));
        let explaining: Vec<String> = explaining.collect();
        let (level, message) = (field("level").unwrap_or_default(), field("message").unwrap_or_default());
        let words = format!("{level} {message} {}", explaining.join(" "));
        words.trim().to_owned()
    }

    /// Whether it says that something is wrong.
    pub(crate) fn is_complaint(&self) -> bool {
        self.fields.get("level").and_then(Value::as_str).is_some_and(|level| ["WARN", "ERROR"].contains(&level))
    }

    /// The id under which all parts log one piece of work.
    pub(crate) fn trace(&self) -> Option<&str> {
        self.fields.get("trace")?.as_str()
    }
}

/// A filter that finds lines with one of these words, wherever they are in the line.
fn pattern(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.replace('"', ""))).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        many => many.iter().map(|word| format!("?{word}")).collect::<Vec<_>>().join(" "),
    }
}

impl Account {
    /// Reads the lines of a function since a time that have one of these words, oldest first. A function without a log has
    /// none.
    pub(crate) async fn log_lines(&self, function: &str, words: &[&str], since: Timestamp) -> Result<Vec<LogLine>> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let mut input = json!({
            "logGroupName": format!("/aws/lambda/{}-{function}", self.stack.name),
            "filterPattern": pattern(words), "startTime": since.as_millisecond(),
        });
        let mut lines = Vec::new();
        for _ in 0..MAX_REQUESTS {
            let answer = match self.aws.json("logs", "Logs_20140328.FilterLogEvents", &input).await {
                Err(error) if Refusal::find(&error).is_some_and(|it| it.is("ResourceNotFoundException")) => break,
                other => other?,
            };
            let events = answer.get("events").and_then(Value::as_array).into_iter().flatten();
            lines.extend(events.filter_map(|event| LogLine::parse(function, event)));
            let next = answer.get("nextToken").filter(|next| next.is_string()).cloned();
            let (Some(next), true) = (next, lines.len() < MAX_LINES) else { break };
            if let Some(input) = input.as_object_mut() {
                input.insert("nextToken".to_owned(), next);
            }
        }
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_explains_it() {
        let line = r#"{"level":"ERROR","message":"lead parked","code":"not_permitted","org":"a","leadgen_id":"7","trace":"t1"}"#;
        let line = LogLine::parse("lead-worker", &json!({ "timestamp": 1000, "message": line })).unwrap();
        assert_eq!(line.in_words(), "ERROR lead parked code=not_permitted org=a");
        assert_eq!((line.trace(), line.is_complaint()), (Some("t1"), true));
        assert!(LogLine::parse("x", &json!({ "timestamp": 1, "message": "START RequestId" })).is_none());
    }

    #[test]
    fn a_pattern_finds_any_of_its_words() {
        assert_eq!(pattern(&["a"]), "\"a\"");
        assert_eq!(pattern(&["a", "b\""]), "?\"a\" ?\"b\"");
    }
}
