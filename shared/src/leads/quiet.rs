//! Pages that have been silent for much longer than usual.

use jiff::Timestamp;

use super::LeadWriter;
use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::model::connection::{Connection, Integration};
use crate::model::event::Event;
use crate::table::sweep_progress::SweptPage;

/// Reports those of the integration's pages that have gone quiet, once per silence, and returns how many these are.
///
/// # Errors
/// After an error, the next check reports the remaining pages.
pub async fn report_quiet_pages(
    writer: &LeadWriter,
    scope: &OrgScope,
    integration: &Integration,
    pages: &[SweptPage],
    now: Timestamp,
) -> Result<usize, WorkError> {
    let mut quiet: Vec<&Connection> = pages.iter().map(|page| &page.connection).collect();
    quiet.retain(|page| page.is_connected() && page.ended.is_none() && page.quiet_since.is_none());
    quiet.retain(|page| {
        let of_their_time = page.found.found_webhook + page.found.found_sweep + page.found.found_sync;
        // Silence counts from when the page was last connected: a page that is left out is not silent.
        page.rhythm.is_quiet(of_their_time, page.last_lead_at.max(Some(page.connected_at)), now)
    });
    for page in &quiet {
        tracing::warn!(org = %scope.org(), page = %page.page_id, last_lead_at = ?page.last_lead_at, usual_silence_s = page.rhythm.usual_silence_s, metric = "pages_quiet", "a page that had leads has gone quiet");
        // Published first: after a crash in between, it is published again, with the same id.
        writer.bus.publish(&[Event::connection_quiet(scope, integration, page)]).await?;
        writer.table.set_quiet(scope, page, now).await?;
    }
    Ok(quiet.len())
}
