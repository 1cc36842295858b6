//! The audit: who did what in an org, when and from where. Nothing in it is personal but who acted.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::ids::{AuditId, UserId};
use crate::model::caller::{Caller, Role};

/// A longer value is left out of a record: it must stay small.
const MAX_VALUE_CHARS: usize = 500;
/// Fields that say nothing: they change with every other one, or are the subject.
const SAYING_NOTHING: [&str; 3] = ["updated_at", "version", "id"];

/// One act of a person or a program that was to change something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditRecord {
    /// Its id. Later acts have higher ids.
    pub id: AuditId,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who acted: a user, or a program's client.
    pub user_id: UserId,
    /// The user's name, if their login has one.
    pub user_name: Option<String>,
    /// In which role.
    pub role: Role,
    /// Whether a program acted, instead of a person who logged in.
    pub is_program: bool,
    /// Through what.
    pub face: AuditFace,
    /// The network address from which the request came.
    pub source: Option<String>,
    /// What was requested: the `operationId` of the API, also for what the console does.
    pub act: String,
    /// The ids of what it was about.
    pub subjects: Vec<String>,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// The code of the problem, if it was refused or failed.
    pub code: Option<String>,
    /// What changed.
    pub changes: Vec<FieldChange>,
}

/// Through what someone acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditFace {
    /// The API.
    Api,
    /// The console.
    Console,
}

/// What came of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// It was refused, and changed nothing.
    Refused,
    /// A service failed. A part of it may be done.
    Failed,
    /// The function died before it could record that. The act may be done.
    Unknown,
}

/// A field that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// Its name in the API.
    pub field: String,
    /// Its value before; `null` if there was no value, or it is personal, secret or long.
    #[schema(value_type = Object)]
    pub before: Option<Value>,
    /// Its value since; `null` likewise.
    #[schema(value_type = Object)]
    pub after: Option<Value>,
}

/// What an act changes, as far as it has come. Clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct ChangeLog(Arc<Mutex<Vec<FieldChange>>>);

impl ChangeLog {
    /// Notes the fields in which two states of something differ. Of the fields in `shown` it notes the values too; they
    /// must be neither personal nor secret.
    pub fn compare<T: Serialize>(&self, before: Option<&T>, after: &T, shown: &[&str]) {
        let fields = |state: Option<&T>| match state.map(serde_json::to_value) {
            Some(Ok(Value::Object(fields))) => fields,
            _ => serde_json::Map::new(),
        };
        let (before, after) = (fields(before), fields(Some(after)));
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort();
        names.dedup();
        for name in names.into_iter().filter(|name| !SAYING_NOTHING.contains(&name.as_str())) {
            let value = |fields: &serde_json::Map<String, Value>| fields.get(name).filter(|it| !it.is_null()).cloned();
            let (before, after) = (value(&before), value(&after));
            if before == after {
                continue;
            }
            let is_shown = shown.contains(&name.as_str());
            let show = |value: Option<Value>| {
                value.filter(|value| is_shown && value.to_string().chars().count() <= MAX_VALUE_CHARS)
            };
            self.add(FieldChange { field: name.clone(), before: show(before), after: show(after) });
        }
    }

    /// Notes that a field changed whose values are not compared here.
    pub fn note(&self, field: &str) {
        self.add(FieldChange { field: field.to_owned(), before: None, after: None });
    }

    /// What was noted.
    #[must_use]
    pub fn changes(&self) -> Vec<FieldChange> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, change: FieldChange) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(change);
    }
}

impl AuditRecord {
    /// The record of an act that begins.
    #[must_use]
    pub fn begin(caller: &Caller, act: &str, (face, source): (AuditFace, Option<String>), at: Timestamp) -> Self {
        Self {
            id: AuditId::new(),
            at,
            user_id: caller.user.clone(),
            user_name: caller.name.clone(),
            role: caller.role,
            is_program: caller.is_program,
            face,
            source,
            act: act.to_owned(),
            subjects: Vec::new(),
            outcome: AuditOutcome::Unknown,
            code: None,
            changes: Vec::new(),
        }
    }
}

/// The ids in a path, by the pattern that it matched. Whatever cannot be an id is left out.
#[must_use]
pub fn subjects_of(pattern: &str, path: &str) -> Vec<String> {
    let is_id = |text: &str| {
        (1..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:|".contains(&byte))
    };
    let parts = pattern.split('/').zip(path.split('/'));
    let ids = parts.filter(|(pattern, part)| pattern.starts_with('{') && is_id(part));
    ids.map(|(_, part)| part.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_recorded_only_if_it_is_named_and_short() {
        let log = ChangeLog::default();
        let before = json!({ "status": "new", "email": "a@b.c", "same": 1, "events": ["x"], "updated_at": 1 });
        let after = json!({ "status": "won", "email": "d@e.f", "same": 1, "note": "n", "events": ["y".repeat(600)], "updated_at": 2 });
        log.clone().compare(Some(&before), &after, &["status", "events"]);
        log.note("token");
        let changes = log.changes();
        let seen: Vec<(&str, Option<&Value>, Option<&Value>)> =
            changes.iter().map(|it| (it.field.as_str(), it.before.as_ref(), it.after.as_ref())).collect();
        let (new, won, x) = (json!("new"), json!("won"), json!(["x"]));
        let expected = [
            ("email", None, None),
            ("events", Some(&x), None),
            ("note", None, None),
            ("status", Some(&new), Some(&won)),
            ("token", None, None),
        ];
        assert_eq!(seen, expected);
        let created = ChangeLog::default();
        created.compare(None, &json!({ "active": true }), &["active"]);
        assert_eq!(created.changes()[0].after, Some(json!(true)));
    }

    #[test]
    fn only_ids_are_subjects() {
        assert_eq!(subjects_of("/api/leads/{id}", "/api/leads/meta-1"), ["meta-1"]);
        assert_eq!(subjects_of("/a/{id}/b/{other}", "/a/int_1/b/7"), ["int_1", "7"]);
        assert!(subjects_of("/api/users/{id}", "/api/users/ann@example.com").is_empty());
        assert!(subjects_of("/api/users/{id}", "/api/users/Ann%20Lee").is_empty());
        assert!(subjects_of("/api/leads", "/api/leads").is_empty());
    }
}
