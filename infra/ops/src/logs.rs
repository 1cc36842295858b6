//! What the functions have logged.

use std::collections::BTreeMap;

use anyhow::Result;
use aws_calls::AwsRefusal;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::account::StackAccount;

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

    /// Whether it has this word: a part of a longer id is another one.
    pub(crate) fn has(&self, word: &str) -> bool {
        let text = self.fields.to_string();
        let is_of_id = |letter: char| letter.is_alphanumeric();
        text.match_indices(word).any(|(at, _)| {
            let (before, after) = (text.get(..at), text.get(at + word.len()..));
            !before.is_some_and(|it| it.ends_with(is_of_id)) && !after.is_some_and(|it| it.starts_with(is_of_id))
        })
    }

    /// The id under which all parts log one piece of work.
    pub(crate) fn trace(&self) -> Option<&str> {
        self.fields.get("trace")?.as_str()
    }
}

/// A filter that finds lines with this word, wherever it is in the line.
fn pattern(word: &str) -> String {
    format!("\"{}\"", word.replace('"', ""))
}

impl StackAccount {
    /// Reads the lines of a function since a time that have one of these words, oldest first. A function without a log has
    /// none.
    pub(crate) async fn log_lines(&self, function: &str, words: &[&str], since: Timestamp) -> Result<Vec<LogLine>> {
        // By its time and its text: a line may have several of the words.
        let mut lines = BTreeMap::new();
        for word in words {
            self.find_lines(function, word, since, &mut lines).await?;
        }
        Ok(lines.into_values().collect())
    }

    async fn find_lines(
        &self,
        function: &str,
        word: &str,
        since: Timestamp,
        found: &mut BTreeMap<(Timestamp, String), LogLine>,
    ) -> Result<()> {
        let mut input = json!({
            "logGroupName": format!("/aws/lambda/{}-{function}", self.stack.name),
            "filterPattern": pattern(word), "startTime": since.as_millisecond(),
        });
        for _ in 0..MAX_REQUESTS {
            let answer = match self.aws.json("logs", "Logs_20140328.FilterLogEvents", &input).await {
                Err(error) if AwsRefusal::find(&error).is_some_and(|it| it.is("ResourceNotFoundException")) => break,
                other => other?,
            };
            let events = answer.get("events").and_then(Value::as_array).into_iter().flatten();
            let lines = events.filter_map(|event| LogLine::parse(function, event)).filter(|line| line.has(word));
            found.extend(lines.map(|line| ((line.at, line.fields.to_string()), line)));
            let next = answer.get("nextToken").filter(|next| next.is_string()).cloned();
            let (Some(next), true) = (next, found.len() < MAX_LINES) else { break };
            if let Some(input) = input.as_object_mut() {
                input.insert("nextToken".to_owned(), next);
            }
        }
        Ok(())
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
    fn an_id_is_no_part_of_a_longer_one() {
        let line = r#"{"message":"lead parked","leadgen_id":"9991","lead":"meta-77"}"#;
        let line = LogLine::parse("lead-worker", &json!({ "timestamp": 1000, "message": line })).unwrap();
        assert_eq!(["9991", "meta-77", "77"].map(|word| line.has(word)), [true; 3]);
        assert_eq!(["999", "991", "7"].map(|word| line.has(word)), [false; 3]);
    }

    #[test]
    fn a_pattern_is_a_word_in_quotes() {
        assert_eq!(pattern("a\"b"), "\"ab\"");
    }
}
