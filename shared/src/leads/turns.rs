//! Makes the writers of one org commit one after the other when several have leads to commit. All of them move the same
//! rotation, so without this all but one would fail each time.

use std::time::Duration;

use jiff::SignedDuration;
use rand::RngExt;
use uuid::Uuid;

use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::model::lead::assignment::{Rotation, TurnLease};
use crate::model::lead::dedupe::WritePlan;
use crate::table::{Table, TableError};

/// A lease ends by itself after this. A writer that lives renews it with each chunk.
const LEASE: SignedDuration = SignedDuration::from_secs(2);
/// Times that a writer looks whether the lease is free, before the queue takes over.
const MAX_LOOKS: u32 = 250;
/// The milliseconds between two looks.
const LOOK_INTERVAL_MS: std::ops::Range<u64> = 60..120;

/// One writer's use of an org's rotation.
///
/// A writer with a single chunk commits at once if no other writer has the lease. One with several chunks, or one that
/// collided, waits for the lease first.
pub(super) struct Turns<'a> {
    table: &'a Table,
    scope: &'a OrgScope,
    holder: String,
    /// Whether the chunk that is written now is not the last one.
    pub(super) more_follow: bool,
    needed: bool,
    held: Option<TurnLease>,
}

impl<'a> Turns<'a> {
    pub(super) fn new(table: &'a Table, scope: &'a OrgScope) -> Self {
        let holder = Uuid::new_v4().simple().to_string();
        Self { table, scope, holder, more_follow: false, needed: false, held: None }
    }

    /// Waits for the lease, if it is needed.
    ///
    /// # Errors
    /// If other writers have it for too long.
    pub(super) async fn acquire(&mut self) -> Result<(), WorkError> {
        let is_held = self.held.as_ref().is_some_and(|lease| lease.until > crate::clock::now());
        if !self.needed || is_held {
            return Ok(());
        }
        for _ in 0..MAX_LOOKS {
            let seen = self.table.turn_lease(self.scope).await?;
            let now = crate::clock::now();
            if seen.as_ref().is_none_or(|lease| lease.until <= now || lease.holder == self.holder) {
                let lease = TurnLease { holder: self.holder.clone(), until: now + LEASE };
                if self.table.take_turn_lease(self.scope, seen.as_ref(), &lease).await? {
                    self.held = Some(lease);
                    return Ok(());
                }
            }
            let rest = rand::rng().random_range(LOOK_INTERVAL_MS);
            tokio::time::sleep(Duration::from_millis(rest)).await;
        }
        Err(TableError::Contended(MAX_LOOKS).into())
    }

    /// Returns whether a plan that moves this rotation may be committed. Otherwise the lease is needed, and the rotation
    /// must be read again under it.
    pub(super) fn may_commit(&mut self, rotation: &Rotation) -> bool {
        let of_another = |lease: &TurnLease| lease.holder != self.holder && lease.until > crate::clock::now();
        let is_taken = rotation.lease.as_ref().is_some_and(of_another);
        self.held = rotation.lease.clone().filter(|lease| lease.holder == self.holder);
        let waits = is_taken || (self.more_follow && self.held.is_none());
        if rotation.roster.is_empty() || !waits {
            return true;
        }
        self.needed = true;
        false
    }

    /// Records that another writer was faster: the next attempt needs the lease.
    pub(super) fn collided(&mut self) {
        self.needed = true;
    }

    /// Makes a plan that moves the rotation renew the lease, or give it back with the last chunk.
    pub(super) fn keep_or_release(&mut self, plan: &mut WritePlan) {
        if let Some(rotation) = &mut plan.rotation {
            let until = crate::clock::now() + LEASE;
            let renewed = TurnLease { holder: self.holder.clone(), until };
            self.held = (self.held.is_some() && self.more_follow).then_some(renewed);
            rotation.lease.clone_from(&self.held);
        }
    }

    /// Gives back a lease that is still held. If that fails, it ends by itself.
    pub(super) async fn release(&mut self) {
        if let Some(lease) = self.held.take()
            && let Err(error) = self.table.release_turn_lease(self.scope, &lease).await
        {
            tracing::warn!(%error, org = %self.scope.org(), "a lease of the rotation could not be given back");
        }
    }
}
