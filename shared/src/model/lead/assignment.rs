//! Decides who is assigned a lead.
//!
//! The pool and the cursor of the rotation are one value, so neither can be read without the other.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use utoipa::ToSchema;

use crate::ids::UserId;

/// How an integration assigns its leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Default)]
#[serde(tag = "strategy", rename_all = "snake_case")]
pub enum Assignment {
    /// To no one; users pick leads themselves.
    #[default]
    Unassigned,
    /// All leads to one user.
    User {
        /// The user.
        user_id: UserId,
    },
    /// To each active user who may manage leads, in turn.
    RoundRobin,
}

/// Why a lead has its assignee, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// It was this user's turn.
    Turn,
    /// The integration assigns all its leads to this user.
    Chosen,
    /// The integration assigns no leads.
    StrategyUnassigned,
    /// Round robin, but no user of the org is active and permitted to manage leads.
    NobodyEligible,
    /// The chosen user was deleted, is inactive, or is no longer permitted to manage leads.
    UserNotEligible,
    /// A user assigned it manually.
    Manual,
    /// The import or search that found it was requested without assignment.
    NotAsked,
    /// It was imported from a file and its form belongs to no connected page, so no integration assigns it.
    NoIntegration,
    /// Test leads are never assigned.
    TestLead,
}

/// How a lead was assigned: the strategy in force at the time, and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Assigned {
    /// The strategy: `unassigned`, `user` or `round_robin`.
    pub strategy: Strategy,
    /// Why the lead has its assignee, or none.
    pub reason: Reason,
}

/// The name of an [`Assignment`], without its user.
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

/// The org's users who may be assigned leads, in the order of their turns.
///
/// There is one rotation per org, not one per integration. A team that serves two integrations is one team, and its
/// members' counts differ by at most one over both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Incremented by every change. A write names the version it read and fails if that is no longer the newest.
    pub version: u64,
    /// Eligible users; the first one is next.
    pub turns: Vec<UserId>,
}

impl Rotation {
    /// Returns the user whose turn it is and moves them to the end.
    pub fn next_assignee(&mut self) -> Option<UserId> {
        let next = self.turns.first()?.clone();
        self.turns.rotate_left(1);
        Some(next)
    }

    /// Adds or removes `user`, and returns whether anything changed. The others keep their order.
    ///
    /// A new user waits at most one round and does not catch up on earlier turns.
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
        assert_eq!(Rotation::default().next_assignee(), None);
    }

    proptest! {
        #[test]
        fn counts_over_a_fixed_pool_differ_by_at_most_one(pool in 1..12usize, leads in 0..200usize) {
            let mut rotation = Rotation { version: 0, turns: (0..pool).map(user).collect() };
            let mut counts: BTreeMap<UserId, usize> = (0..pool).map(|n| (user(n), 0)).collect();
            for _ in 0..leads {
                *counts.entry(rotation.next_assignee().unwrap()).or_default() += 1;
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
                for _ in 0..turns { rotation.next_assignee(); }
            }
        }
    }
}
