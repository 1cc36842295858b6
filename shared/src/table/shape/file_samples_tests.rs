//! Samples of searches, of exports and of imports.

use std::collections::BTreeSet;

use super::lead_samples_tests::{form_id, lead_id, leadgen_id, text};
use super::org_samples_tests::{demo, integration_id, now, page, user_id};
use crate::ids::{ExportId, ImportId, PageId, RunId};
use crate::model::failure::FailureCode;
use crate::model::lead::dedupe::WritePlan;
use crate::model::lead::export::{ExportColumn, ExportProgress, LeadExport};
use crate::model::lead::file_import::{FileImport, ImportUndo};
use crate::model::lead::query::{Assignee, LeadOrder, LeadQuery};
use crate::model::lead::run::{Run, RunProblem};
use crate::model::lead::{FoundBy, Lead, Status, Submission};
use crate::table::Table;
use crate::table::commit::CommitOutcome;
use crate::table::lead::StoredLead;

pub(super) async fn write(table: &Table) {
    write_runs(table).await;
    write_exports(table).await;
    write_imports(table).await;
}

async fn write_runs(table: &Table) {
    let pages: BTreeSet<PageId> = [page(), PageId::parse("8").unwrap()].into();
    let run = |id: &str, kind| Run {
        id: RunId::parse(id).unwrap(),
        integration_id: integration_id(),
        kind,
        since: now(),
        assign: true,
        asked_by: user_id("ann"),
        asked_at: now(),
        pages: pages.clone(),
        pages_done: BTreeSet::new(),
        found: 0,
        settled: 0,
        problems: Vec::new(),
    };
    table.insert_run(&demo(), &run("run_1", FoundBy::Backfill)).await.unwrap();
    table.insert_run(&demo(), &run("run_2", FoundBy::Sync)).await.unwrap();
    let problem = RunProblem { page_id: page(), code: FailureCode::NotPermitted, message: "Why".to_owned() };
    table.set_searched(&demo(), &RunId::parse("run_1").unwrap(), &page(), 3, Some(problem)).await.unwrap();
    table.count_settled(&demo(), &RunId::parse("run_1").unwrap(), 1).await.unwrap();
}

async fn write_exports(table: &Table) {
    let query = LeadQuery {
        text: text("lopez"),
        source: text("Meta"),
        tag: text("Facebook Lead Ad"),
        page_id: Some(page()),
        form_id: Some(form_id()),
        campaign_id: text("31"),
        assigned_to: Some(Assignee::User(user_id("ann"))),
        status: Some(Status::New),
        from: Some(now()),
        to: Some(now()),
        order: LeadOrder::OldestFirst,
    };
    let columns = vec![
        ExportColumn::Field("city".to_owned()),
        ExportColumn::Answer("q".to_owned(), "Which?".to_owned()),
        ExportColumn::Consent("terms".to_owned()),
    ];
    let progress = ExportProgress {
        version: 2,
        leads: 100,
        cursor: text("position.signature"),
        is_read: true,
        columns,
        parts: vec![(1, "etag".to_owned())],
        remainder: Some(2),
        changed_at: Some(now()),
    };
    let export = LeadExport::new(LeadQuery::default(), user_id("ann"), now());
    let begun = LeadExport { id: ExportId::parse("exp_1").unwrap(), ..export.clone() };
    table.insert_export(&demo(), &begun).await.unwrap();
    let filled = LeadExport {
        id: ExportId::parse("exp_2").unwrap(),
        query,
        upload: text("upload"),
        numbers: 2,
        progress,
        bytes: Some(5000),
        ..export
    };
    table.insert_export(&demo(), &filled).await.unwrap();
}

async fn write_imports(table: &Table) {
    let id = ImportId::parse("imp_1").unwrap();
    let undo = ImportUndo { asked_by: user_id("bob"), asked_at: now(), ended_at: Some(now()), removed: 1, kept: 1 };
    let import = FileImport {
        id: id.clone(),
        file_name: text("leads.csv"),
        asked_by: user_id("ann"),
        asked_by_name: text("Ann"),
        asked_at: now(),
        ended_at: Some(now()),
        created: 2,
        merged: 1,
        in_before: 3,
        failed: 4,
        undo: Some(undo),
    };
    assert!(table.insert_import(&demo(), &import).await.unwrap());
    let bare = FileImport { id: ImportId::parse("imp_2").unwrap(), ended_at: None, undo: None, ..import };
    let bare = FileImport { file_name: None, asked_by_name: None, ..bare };
    assert!(table.insert_import(&demo(), &bare).await.unwrap());
    table.insert_import_part(&demo(), &id, 2, [lead_id(1), lead_id(2)].into(), now()).await.unwrap();
    let imported = |id: u64| {
        let created_time = now() + jiff::SignedDuration::from_secs(1);
        Lead { leadgen_id: Some(leadgen_id(id)), ..Lead::new(lead_id(id), FoundBy::Import, created_time, now()) }
    };
    let plan = WritePlan { creates: vec![imported(11)], ..WritePlan::default() };
    assert_eq!(table.commit(&demo(), &[], &plan, now()).await.unwrap(), CommitOutcome::Committed);
    let removal = table.remove_imported_lead(&demo(), &id, &imported(11), now()).await.unwrap();
    table.settle_removal(&demo(), &id, &removal.unwrap()).await.unwrap();
    write_removed_submission(table, &id).await;
}

/// A later submission that is undone: what is told of it names its lead.
async fn write_removed_submission(table: &Table, import: &ImportId) {
    let submission = table.find_lead(&demo(), &lead_id(3)).await.unwrap().unwrap();
    let StoredLead::Submission(submission) = submission else { panic!("a submission") };
    let copy = Submission { id: lead_id(12), leadgen_id: Some(leadgen_id(12)), ..*submission };
    let plan = WritePlan { merges: vec![copy.clone()], ..WritePlan::default() };
    assert_eq!(table.commit(&demo(), &[], &plan, now()).await.unwrap(), CommitOutcome::Committed);
    let lead = table.find_lead(&demo(), &copy.lead_id).await.unwrap();
    let Some(StoredLead::Lead(lead)) = lead else { panic!("a lead") };
    let count = lead.submissions_count;
    let removed = table.remove_imported_submission(&demo(), import, &copy, count, Vec::new(), now()).await.unwrap();
    assert!(removed.is_some());
}
