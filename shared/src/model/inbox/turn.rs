//! Who gets the next conversation.

use serde::{Deserialize, Serialize};

use crate::ids::UserId;
use crate::model::lead::assignment::Assignment;
use crate::model::org::{Permission, User};

/// Who of the members had the last turn. It knows nothing of the rotation of leads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxTurn {
    /// Increases with each turn, so that of two writers one learns that it is late.
    pub revision: u64,
    /// Who had the last turn.
    pub last: Option<UserId>,
}

impl InboxTurn {
    /// Chooses the member for a conversation: the one after the last, in the order of their ids, of those who may use the
    /// inbox. `None` if the assignment chooses no one, or someone who may not use it.
    pub fn choose(&mut self, assignment: &Assignment, users: &[User]) -> Option<UserId> {
        let mut members: Vec<&UserId> =
            users.iter().filter(|user| user.may(Permission::Inbox)).map(|user| &user.id).collect();
        match assignment {
            Assignment::Unassigned => None,
            Assignment::User { user_id } => members.contains(&user_id).then(|| user_id.clone()),
            Assignment::RoundRobin => {
                members.sort();
                let after = members.iter().find(|member| self.last.as_ref().is_none_or(|last| **member > last));
                self.last = after.or(members.first()).map(|member| (*member).clone());
                self.last.clone()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;

    fn user(id: &str, permission: Permission) -> User {
        User {
            id: UserId::parse(id).unwrap(),
            name: id.to_owned(),
            email: format!("{id}@x.example"),
            role: None,
            active: true,
            permissions: vec![permission.name().to_owned()],
            language: None,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn conversations_go_round_all_who_may_use_the_inbox() {
        let users = [
            user("zoe", Permission::Inbox),
            user("ann", Permission::Inbox),
            user("max", Permission::LeadManagement),
            user("bob", Permission::Inbox),
        ];
        let mut turn = InboxTurn::default();
        let mut counts: BTreeMap<UserId, usize> = BTreeMap::new();
        for _ in 0..100 {
            *counts.entry(turn.choose(&Assignment::RoundRobin, &users).unwrap()).or_default() += 1;
        }
        assert_eq!(counts.values().copied().collect::<Vec<_>>(), [34, 33, 33]);
        // The last one has gone: the turn goes on behind them.
        turn.last = Some(UserId::parse("bob").unwrap());
        let left = [user("zoe", Permission::Inbox), user("ann", Permission::Inbox)];
        assert_eq!(turn.choose(&Assignment::RoundRobin, &left).unwrap().as_str(), "zoe");
        assert_eq!(turn.choose(&Assignment::RoundRobin, &[]), None);
        let max = Assignment::User { user_id: UserId::parse("max").unwrap() };
        assert_eq!(turn.choose(&max, &users), None, "who may not use the inbox gets nothing");
    }
}
