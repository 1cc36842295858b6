//! Pages that are silent for much longer than they ever are.

use jiff::Timestamp;

use super::LeadWriter;
use crate::error::WorkError;
use crate::ids::OrgScope;
use crate::model::connection::Integration;
use crate::model::event::Event;

/// Tells, once for each silence, of the integration's pages that have gone quiet, and answers how many those are.
///
/// # Errors
/// If the table cannot be read or written, or the bus does not take it: the next look tells it.
pub async fn report_quiet_pages(
    writer: &LeadWriter,
    scope: &OrgScope,
    integration: &Integration,
    now: Timestamp,
) -> Result<usize, WorkError> {
    let mut quiet = writer.table.pages_of(scope, &integration.id).await?;
    quiet.retain(|page| page.is_connected() && page.ended.is_none() && page.quiet_since.is_none());
    quiet.retain(|page| {
        let of_their_time = page.found.found_webhook + page.found.found_sweep + page.found.found_sync;
        // While it was left out it was not silent.
        page.rhythm.is_quiet(of_their_time, page.last_lead_at.max(Some(page.connected_at)), now)
    });
    for page in &quiet {
        tracing::warn!(org = %scope.org(), page = %page.page_id, last_lead_at = ?page.last_lead_at, usual_silence_s = page.rhythm.usual_silence_s, metric = "pages_quiet", "a page that had leads has gone quiet");
        // Told first: whoever stops in between tells it again, with the same id.
        writer.bus.publish(&[Event::connection_quiet(scope, integration, page)]).await?;
        writer.table.set_quiet(scope, page, now).await?;
    }
    Ok(quiet.len())
}
