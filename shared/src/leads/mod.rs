//! Leads: ingesting them, searching for missed ones, and everything that admins do with them.
//!
//! [`Ingest`] turns the ids in webhooks into leads of the CRM. [`Sweep`] finds the leads that webhooks missed.
//! [`Leads`] has the actions of the API and the console. Any of this may run twice, run in two workers at once, or stop
//! at any point: one transaction in `write` decides, and the next worker repeats the later steps that are not done yet.

mod bulk;
#[cfg(test)]
mod bulk_tests;
mod compare;
#[cfg(test)]
pub(crate) mod crash_tests;
mod details;
mod erase;
mod fetch;
mod find;
mod forms;
mod import;
mod ingest;
mod latency;
mod lists;
mod manage;
mod mapping;
#[cfg(test)]
mod measure_tests;
mod names;
mod parked;
mod quiet;
mod remap;
mod retention;
mod runs;
mod schedule;
mod search;
mod sweep;
#[cfg(test)]
mod sweep_tests;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
mod trace;
mod turns;
mod undo;
#[cfg(test)]
mod undo_tests;
mod views;
mod write;

pub use bulk::{BulkOutcome, BulkUndone};
pub use erase::{WholeLead, erase_lead, lead_of_persons};
pub use find::{whole_address, whole_number};
pub use forms::{FormList, FormOut, FormsRefused, TestLead};
pub use import::{ImportOptions, ImportReport, RowProblem};
pub use ingest::{Arrival, Ingest, Outcomes};
pub use latency::{LatencyDay, LatencyReport};
pub use lists::{LeadCount, LeadList, LeadLister};
pub use manage::{LeadDetails, LeadIn};
pub use mapping::{MappingIn, MappingOut, Preview, PreviewIn, QuestionOut, Rerun, RerunIn};
pub use parked::{
    Dismissed, MAX_RECEIVES, ParkedList, ParkedOut, ParkedSelection, ReplayCause, Replayed, parked, replay,
};
pub use quiet::report_quiet_pages;
pub use retention::Retention;
pub use runs::{BackfillIn, RunList, RunOut};
pub use schedule::start_sweeps;
pub use search::Search;
pub use sweep::{Sweep, cannot_search};
pub use trace::{Trace, read_trace};
pub use undo::{ImportList, ImportOut};
pub use write::LeadWriter;

use crate::bus::Bus;
use crate::jobs::{LeadBatch, SweepJob};
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;
use crate::tokens::Tokens;

/// The actions of admins and the CRM on leads.
#[derive(Debug, Clone)]
pub struct Leads {
    /// Stores the leads.
    pub table: Table,
    /// Publishes changes.
    pub bus: Bus,
    /// The Graph API with the integrations' tokens.
    pub tokens: Tokens,
    /// Receives the leads to ingest.
    pub queue: Queue<LeadBatch>,
    /// Receives the pages to search.
    pub searches: Queue<SweepJob>,
    /// Signs cursors.
    pub key: HmacKey,
}
