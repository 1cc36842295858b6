//! The end of an org.

use anyhow::Result;
use leadwire::clock;
use leadwire::model::audit::AuditAct;
use leadwire::orgs::Orgs;
use leadwire::table::org_items::ReadPace;

use crate::account::StackAccount;
use crate::acts::end;
use crate::output::print_columns;
use crate::product::Product;
use crate::{Found, UnusableLine};

/// Removes an org, if the command line names it twice.
pub(super) async fn remove(account: &StackAccount, id: &str, confirmed: Option<&str>, units: u32) -> Result<Found> {
    if confirmed != Some(id) {
        let advice = format!("export it first (cargo ops org export {id} --to {id}.jsonl), then add --yes {id}");
        return Err(UnusableLine(format!(
            "org {id} would be deleted with all its leads, and cannot be brought back: {advice}"
        ))
        .into());
    }
    let product = Product::open(account).await?;
    // Not `org`: an interrupted removal may have deleted the org's own item already.
    let scope = product.scope(id)?;
    let (meta, bus, exports, syncs) =
        (product.meta().await?, product.bus()?, product.exports().await?, product.syncs()?);
    let orgs = Orgs { table: &product.table, meta: &meta, bus: &bus, exports: &exports, syncs: &syncs };
    let access = product.begin(&scope, AuditAct::OrgRemove).await?;
    let receipt = end(&access.trail, orgs.remove(&access, &ReadPace::new(units), clock::now()).await).await?;
    println!("removed: org {id}");
    println!("integrations ended, with their tokens and subscriptions: {}", receipt.integrations);
    println!("ad accounts unlinked; ads-sync deletes their figures: {}", receipt.ad_accounts);
    println!("files deleted: {}", receipt.files);
    println!("items deleted: {}", receipt.items.values().sum::<usize>());
    let rows: Vec<Vec<String>> =
        receipt.items.iter().map(|(kind, number)| vec![kind.clone(), number.to_string()]).collect();
    print_columns(2, &rows);
    println!("records of acts and erasures kept until they expire: {}", receipt.records_kept);
    println!("The CRM must not push the org again: that would create it again. Backups have it for 35 days.");
    Ok(Found::Fine)
}
