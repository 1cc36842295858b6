//! When each schedule called last.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::Row;
use super::shape::ItemKind;
use super::{Consistency, Table, TableError, keys};

/// The last call of a schedule.
#[derive(Serialize, Deserialize)]
pub(super) struct ScheduleCall {
    pub(super) at: Timestamp,
}

impl Table {
    /// Records that a schedule has called.
    pub async fn record_schedule_call(&self, schedule: &str, now: Timestamp) -> Result<(), TableError> {
        self.put(Row::new(&keys::schedule_call(schedule), ItemKind::ScheduleCall, &ScheduleCall { at: now })).await
    }

    /// When each of these schedules called last. Those that never did are omitted.
    pub async fn schedule_calls<'s>(&self, schedules: &[&'s str]) -> Result<BTreeMap<&'s str, Timestamp>, TableError> {
        let keys: Vec<_> = schedules.iter().map(|schedule| keys::schedule_call(schedule)).collect();
        let mut found = self.batch_get_as(&keys, Consistency::Eventual).await?;
        let calls = schedules.iter().zip(&keys).filter_map(|(schedule, key)| Some((*schedule, found.remove(key)?)));
        calls.map(|(schedule, item)| Ok((schedule, super::entity::<ScheduleCall>(item)?.at))).collect()
    }
}
