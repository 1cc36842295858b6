//! Leads out of a file.

use http::StatusCode;

use super::{MetaAccess, Services};
use crate::http::Problem;
use crate::leads::{ImportReport, Importing, LeadWriter, import as import_leads};

/// What Lambda takes in one request, less what encoding adds to it.
const MAX_BYTES: usize = 4_000_000;

/// Takes in the leads of a file: Meta's export as it was downloaded, or any table with a header line that names e-mail,
/// phone or name. A line that is no lead costs itself only.
///
/// # Errors
/// If the file is too large or no such table, or something failed.
pub async fn import(
    services: &Services,
    access: &MetaAccess,
    file: &[u8],
    how: Importing,
) -> Result<ImportReport, Problem> {
    if file.len() > MAX_BYTES {
        let detail = "4 MB at most. Split the file, and repeat its first line in each part.";
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", detail));
    }
    let connector = &services.connector;
    let writer = LeadWriter { table: services.table.clone(), bus: connector.bus.clone() };
    let report = import_leads(&connector.meta, &writer, &access.scope, file, how, crate::clock::now()).await?;
    report.map_err(|refusal| Problem::new(StatusCode::BAD_REQUEST, "file_invalid", refusal.0))
}
