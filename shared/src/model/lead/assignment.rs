//! Decides who is assigned a lead.

use jiff::Timestamp;
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
#[cfg_attr(test, derive(strum::EnumIter))]
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
#[cfg_attr(test, derive(strum::EnumIter))]
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Incremented by every change. A write names the version it read and fails if that is no longer the newest.
    pub version: u64,
    /// Eligible users, in a ring.
    pub roster: Vec<UserId>,
    /// The position in the roster of the user whose turn it is.
    pub next: usize,
    /// The writer that commits now, if several have leads to commit.
    pub lease: Option<TurnLease>,
}

/// A writer's exclusive use of the rotation, so that others wait instead of colliding with it. Only advice: what keeps
/// the turns right is the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnLease {
    /// A random name of the writer.
    pub holder: String,
    /// When it ends by itself, because a writer can die.
    pub until: Timestamp,
}

impl Rotation {
    /// Returns the user whose turn it is and moves on to the next.
    pub fn next_assignee(&mut self) -> Option<UserId> {
        let next = self.roster.get(self.next)?.clone();
        self.next = (self.next + 1) % self.roster.len();
        Some(next)
    }

    /// Adds or removes `user`, and returns whether anything changed. The others keep their order.
    ///
    /// A new user waits one round and does not catch up on earlier turns.
    pub fn set_eligible(&mut self, user: &UserId, eligible: bool) -> bool {
        match (self.roster.iter().position(|known| known == user), eligible) {
            (None, true) if self.roster.is_empty() => self.roster.push(user.clone()),
            (None, true) => {
                self.roster.insert(self.next, user.clone());
                self.next += 1;
                self.next %= self.roster.len();
            }
            (Some(at), false) => {
                self.roster.remove(at);
                self.next -= usize::from(at < self.next);
                self.next %= self.roster.len().max(1);
            }
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
            let mut rotation = Rotation { roster: (0..pool).map(user).collect(), ..Rotation::default() };
            let mut counts: BTreeMap<UserId, usize> = (0..pool).map(|n| (user(n), 0)).collect();
            for _ in 0..leads {
                *counts.entry(rotation.next_assignee().unwrap()).or_default() += 1;
            }
            prop_assert!(counts.values().max().unwrap() - counts.values().min().unwrap() <= 1);
        }

        #[test]
        fn whoever_stays_keeps_their_turn_while_others_come_and_go(
            changes in prop::collection::vec((0..8usize, any::<bool>(), 0..5usize), 0..60)
        ) {
            // The turns from the next one on.
            let turns = |rotation: &Rotation| {
                let mut turns = rotation.roster.clone();
                turns.rotate_left(rotation.next);
                turns
            };
            let mut rotation = Rotation::default();
            for (who, eligible, taken) in changes {
                let before = turns(&rotation);
                rotation.set_eligible(&user(who), eligible);
                let stayed = |turns: &[UserId]| turns.iter().filter(|u| **u != user(who)).cloned().collect::<Vec<_>>();
                prop_assert_eq!(stayed(&before), stayed(&turns(&rotation)));
                prop_assert_eq!(rotation.roster.contains(&user(who)), eligible);
                if eligible && !before.contains(&user(who)) {
                    prop_assert_eq!(turns(&rotation).pop(), Some(user(who)), "a new user waits one round");
                }
                for _ in 0..taken { rotation.next_assignee(); }
            }
        }
    }
}
