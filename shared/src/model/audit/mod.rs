//! What was done in an org: by whom, from where, when, and what it changed.
//!
//! A record has no personal value of a lead or a contact. What may be recorded of a field is decided by its type
//! ([`Recordable`]): a text cannot be passed by mistake. Of a field with such a value only the name is kept.

mod act;
mod value;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use self::act::AuditAct;
pub use self::value::{Recordable, Word};
use crate::ids::{AuditId, UserId};
use crate::model::caller::{Caller, Role};

/// How long a record is kept.
pub const AUDIT_TTL: SignedDuration = SignedDuration::from_hours(24 * 400);

/// One act of a caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditRecord {
    /// Its id.
    pub id: AuditId,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Who did it.
    pub who: AuditActor,
    /// Through what it was done.
    pub face: AuditFace,
    /// The IP address that the request came from, as the gateway saw it.
    pub source: Option<String>,
    /// What was done, such as `lead.change`.
    pub act: String,
    /// The ids of what it was done to or what it made.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// The code of the problem, if it was refused or failed.
    #[serde(default)]
    pub code: Option<String>,
    /// The fields that it changed.
    #[serde(default)]
    pub changes: Vec<AuditChange>,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditActor {
    /// The subject of the token.
    pub id: UserId,
    /// Their id in the org's directory, if it has them.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// The name in the token, for people.
    #[serde(default)]
    pub name: Option<String>,
    /// The role at that time.
    pub role: Role,
    /// Whether it is a program with credentials of its own.
    #[serde(default)]
    pub program: bool,
}

/// Through what an act is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum AuditFace {
    /// The HTTP API.
    Api,
    /// The console.
    Console,
    /// The operator's program, with credentials of the AWS account.
    Operator,
}

/// What came of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// Not recorded: the process ended in between. All of it, some of it or nothing was done.
    Unknown,
    /// It was done.
    Done,
    /// It was refused, and nothing was changed.
    Refused,
    /// It failed. What `changes` names was changed; more may have been.
    Failed,
}

/// A changed field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditChange {
    /// Its name in the API.
    pub field: String,
    /// Its value before; absent if there was none, and if it may not be kept.
    #[serde(default)]
    pub before: Option<Value>,
    /// Its value afterwards, likewise.
    #[serde(default)]
    pub after: Option<Value>,
    /// Whether the values are left out because they can be personal or secret.
    #[serde(default)]
    pub withheld: bool,
}

impl AuditActor {
    /// Who a caller is. A name that is an e-mail address is left out.
    #[must_use]
    pub fn new(caller: &Caller) -> Self {
        let name = caller.name.clone().filter(|name| !name.contains('@'));
        Self { id: caller.user.clone(), user_id: None, name, role: caller.role, program: caller.is_program }
    }
}

impl AuditChange {
    /// The change of a field, unless its value stayed the same.
    pub fn new<T: Recordable + PartialEq>(field: &str, before: &T, after: &T) -> Option<Self> {
        let value = |of: &T| Some(value::shorten(of.value())).filter(|value| !value.is_null());
        let change = || Self { field: field.to_owned(), before: value(before), after: value(after), withheld: false };
        (before != after).then(change)
    }

    /// The change of a field whose values may not be kept.
    #[must_use]
    pub fn withheld(field: &str) -> Self {
        Self { field: field.to_owned(), before: None, after: None, withheld: true }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::lead::Status;

    #[test]
    fn only_what_differs_is_a_change() {
        assert_eq!(AuditChange::new("status", &Status::New, &Status::New), None);
        let change = AuditChange::new("status", &Status::New, &Status::Lost).unwrap();
        let expected = json!({ "field": "status", "before": "new", "after": "lost", "withheld": false });
        assert_eq!(serde_json::to_value(change).unwrap(), expected);
        let user = UserId::parse("ann").ok();
        let change = AuditChange::new("assigned_to", &None, &user).unwrap();
        assert_eq!((change.before, change.after), (None, Some(json!("ann"))));
    }

    #[test]
    fn long_values_are_cut() {
        let many: Vec<u32> = (0..1000).collect();
        let change = AuditChange::new("page_ids", &Vec::new(), &many).unwrap();
        let after = change.after.unwrap();
        assert_eq!(after.as_array().unwrap().len(), 51);
        assert_eq!(after[50], "950 more");
        let change = AuditChange::new("plan", &Word("a"), &Word(&"x".repeat(10_000))).unwrap();
        assert_eq!(change.after.unwrap().as_str().unwrap().chars().count(), 201);
    }

    #[test]
    fn a_name_that_is_an_address_is_not_kept() {
        let user = UserId::parse("u").unwrap();
        let caller = Caller {
            user,
            name: Some("ann@demo.example".to_owned()),
            email: None,
            role: Role::Admin,
            orgs: Vec::new(),
            is_program: false,
        };
        assert_eq!(AuditActor::new(&caller).name, None);
        let named = Caller { name: Some("Ann".to_owned()), ..caller };
        assert_eq!(AuditActor::new(&named).name.as_deref(), Some("Ann"));
    }
}
