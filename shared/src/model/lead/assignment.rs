//! Who gets a lead. The rotation is the pool and the cursor in one value, so that nobody can read one without the other.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::UserId;

/// How the leads of an integration are handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Default)]
#[serde(tag = "strategy", rename_all = "snake_case")]
pub enum Assignment {
    /// To nobody; somebody picks them up by hand.
    #[default]
    Unassigned,
    /// All to one person.
    User {
        /// Who gets them.
        user_id: UserId,
    },
    /// In turn to every active user with lead management.
    RoundRobin,
}

/// Why a lead is assigned as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was this person's turn.
    Turn,
    /// The integration gives all its leads to this person.
    Chosen,
    /// The integration assigns no leads.
    StrategyUnassigned,
    /// Round robin, but no user of the org is active and permitted to manage leads.
    NobodyEligible,
    /// The chosen user is gone, inactive, or no longer permitted to manage leads.
    UserNotEligible,
    /// Somebody gave it by hand.
    Manual,
    /// Whoever brought it in did not want it assigned.
    NotAsked,
    /// It came in a file, and its form is of no connected page: there is no integration that would assign it.
    NoIntegration,
    /// Test leads are never assigned.
    TestLead,
}

/// How one lead was assigned: the strategy in force at that moment, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Assigned {
    /// `unassigned`, `user` or `round_robin`.
    pub strategy: Strategy,
    /// Why the lead has the assignee it has, or none.
    pub reason: Reason,
}

/// The name of an [`Assignment`] without its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// See [`Assignment::Unassigned`].
    Unassigned,
    /// See [`Assignment::User`].
    User,
    /// See [`Assignment::RoundRobin`].
    RoundRobin,
}

/// The org's users who may be assigned leads, in the order of their turns: the first is next.
///
/// One per org, not one per integration: a team that serves two integrations is one team, and its members' counts
/// differ by at most one over both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Goes up with every change; a writer names the version it read, and loses if that is no longer the newest.
    pub version: u64,
    /// Eligible users, next first.
    pub turns: Vec<UserId>,
}

impl Rotation {
    /// Whose turn it is. The person goes to the end of the line.
    pub fn take_turn(&mut self) -> Option<UserId> {
        let next = self.turns.first()?.clone();
        self.turns.rotate_left(1);
        Some(next)
    }

    /// Lets `user` in or out. A newcomer waits one round at most and catches nobody up; the others keep their order.
    /// Answers whether anything changed.
    pub fn set_eligible(&mut self, user: &UserId, eligible: bool) -> bool {
        match (self.turns.iter().position(|known| known == user), eligible) {
            (None, true) => self.turns.push(user.clone()),
            (Some(at), false) => drop(self.turns.remove(at)),
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn user(n: usize) -> UserId {
        UserId::parse(&format!("u{n}")).unwrap()
    }

    #[test]
    fn an_empty_pool_gives_nobody_the_turn() {
        assert_eq!(Rotation::default().take_turn(), None);
    }

    proptest! {
        #[test]
        fn counts_over_a_fixed_pool_differ_by_at_most_one(pool in 1..12usize, leads in 0..200usize) {
            let mut rotation = Rotation { version: 0, turns: (0..pool).map(user).collect() };
            let mut counts: BTreeMap<UserId, usize> = (0..pool).map(|n| (user(n), 0)).collect();
            for _ in 0..leads {
                *counts.entry(rotation.take_turn().unwrap()).or_default() += 1;
            }
            prop_assert!(counts.values().max().unwrap() - counts.values().min().unwrap() <= 1);
        }

        #[test]
        fn whoever_stays_keeps_their_order_while_others_come_and_go(
            changes in prop::collection::vec((0..8usize, any::<bool>(), 0..5usize), 0..60)
        ) {
            let mut rotation = Rotation::default();
            for (who, eligible, turns) in changes {
                let before = rotation.turns.clone();
                rotation.set_eligible(&user(who), eligible);
                let stayed = |turns: &[UserId]| turns.iter().filter(|u| **u != user(who)).cloned().collect::<Vec<_>>();
                prop_assert_eq!(stayed(&before), stayed(&rotation.turns));
                prop_assert_eq!(rotation.turns.contains(&user(who)), eligible);
                for _ in 0..turns { rotation.take_turn(); }
            }
        }
    }
}
