//! Imports: what was checked and nothing else, once; and undone: completely, after use, by two at once, and by workers
//! that die.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::crash_tests::dies_at;
use super::import::{ImportOptions, ImportReport, Importing};
use super::test_support::{FakeServices, ingest};
use super::undo::Undoing;
use super::{Ingest, LeadLister};
use crate::error::{ActError, ErrorCode};
use crate::ids::{FormId, ImportId, UserId};
use crate::model::caller::{Caller, Role};
use crate::model::conversion::{Conversion, UnsentReason};
use crate::model::lead::assignment::Assignment;
use crate::model::lead::file_import::ImportUndo;
use crate::model::lead::mapping::{Mapping, Rule};
use crate::model::lead::query::LeadQuery;
use crate::model::lead::{Lead, Status};
use crate::secret::HmacKey;
use crate::table::lead::LeadChange;
use crate::table::tests::{at, connection, scope};

/// A person who is a lead before the import.
const KNOWN: &str = "full_name,email\nKnown,known@example.com\n";
/// The known person with a number, a new one twice, and another new one.
const FILE: &str = "full_name,email,phone\nKnown,known@example.com,+4915112345678\nAnn,ann@example.com,\nAnn,ann@example.com,+4915112345679\nBo,bo@example.com,\n";
const NOW: &str = "2026-01-01T00:00:00Z";

struct ImportFixture {
    ingest: Ingest,
    services: FakeServices,
}

async fn fixture() -> ImportFixture {
    let (ingest, services) = ingest(Assignment::Unassigned).await;
    let org = ImportFixture { ingest, services };
    org.import(KNOWN).await;
    org
}

fn by() -> UserId {
    UserId::parse("ann").unwrap()
}

fn options() -> ImportOptions {
    ImportOptions {
        id: None,
        file_name: None,
        assign: false,
        dry_run: false,
        fingerprint: None,
        from_line: 0,
        timeout: Duration::from_secs(60),
    }
}

impl ImportFixture {
    async fn import(&self, file: &str) -> ImportReport {
        self.import_as(file, options()).await.unwrap()
    }

    async fn import_as(&self, file: &str, options: ImportOptions) -> Result<ImportReport, ActError> {
        let Ingest { meta, writer, .. } = &self.ingest;
        let importing = Importing { meta, writer, scope: &scope("a"), options: &options };
        let (name, role) = (Some("Ann".to_owned()), Role::Admin);
        let caller = Caller { user: by(), name, email: None, role, orgs: Vec::new(), is_program: false };
        importing.run(file.as_bytes(), &caller, crate::clock::now()).await
    }

    async fn undo(&self, report: &ImportReport) -> ImportUndo {
        let (id, scope) = (report.import_id.as_ref().unwrap(), scope("a"));
        self.undo_until(id, &scope, Instant::now() + Duration::from_secs(60)).await
    }

    async fn undo_until(&self, id: &ImportId, scope: &crate::ids::OrgScope, until: Instant) -> ImportUndo {
        let (table, bus) = (&self.ingest.writer.table, &self.ingest.writer.bus);
        let import = table.import(scope, id).await.unwrap().unwrap();
        Undoing { table, bus, scope, import: id }.undo(&import, &by(), until, at(NOW)).await.unwrap()
    }

    /// All that is stored, except for the imports themselves and marks of publications, which expire.
    async fn stored(&self) -> BTreeSet<String> {
        let items = self.ingest.writer.table.everything().await;
        let json = |item| serde_dynamo::from_item::<_, serde_json::Value>(item).unwrap().to_string();
        let texts = items.into_iter().map(json);
        texts
            .filter(|text| !["#IMPORT", "#PUBLICATION#"].iter().any(|kind| text.contains(&format!("ORG#a{kind}"))))
            .collect()
    }

    async fn leads(&self) -> Vec<Lead> {
        let lister = LeadLister { table: &self.ingest.writer.table, key: &HmacKey::new("k".into()) };
        let mut leads = lister.list(&scope("a"), &LeadQuery::default(), None, 100).await.unwrap().items;
        leads.sort_by(|one, other| one.full_name.cmp(&other.full_name));
        leads
    }

    async fn names(&self) -> Vec<String> {
        self.leads().await.into_iter().filter_map(|lead| lead.full_name).collect()
    }

    fn published(&self) -> Vec<String> {
        self.services.recorded().ids.clone()
    }
}

#[tokio::test]
async fn an_undone_import_leaves_nothing_and_can_be_repeated() {
    let org = fixture().await;
    let (before, told) = (org.stored().await, org.published().len());
    let report = org.import(FILE).await;
    assert_eq!((report.created, report.merged, report.failed), (2, 2, 0));
    assert_eq!(org.names().await, ["Ann", "Bo", "Known"]);
    let undo = org.undo(&report).await;
    assert_eq!((undo.removed, undo.kept, undo.ended_at), (4, 0, Some(at(NOW))));
    assert_eq!(org.stored().await, before);
    let events = org.published().split_off(told);
    let removed = events.iter().filter(|id| id.starts_with("lead.removed:")).count();
    let reduced = events.iter().filter(|id| id.starts_with("lead.updated:") && id.contains(":removed:")).count();
    assert_eq!((removed, reduced), (2, 2), "{events:?}");

    // The same file brings them again, and the CRM does not take that for a repeat.
    let again = org.import(FILE).await;
    assert_eq!((again.created, again.merged), (2, 2));
    let published = org.published();
    assert_eq!(published.iter().collect::<BTreeSet<_>>().len(), published.len(), "{published:?}");
    // The number was only in the import: its owner is not known by it any more.
    let _ = org.undo(&again).await;
    let other = org.import("full_name,phone\nCem,+4915112345678\n").await;
    assert_eq!((other.created, other.merged), (1, 0));
}

/// Each of two submissions is what the other would leave behind: the last of them has to take their person along.
#[tokio::test]
async fn a_person_of_several_submissions_is_forgotten_with_the_last_of_them() {
    let org = fixture().await;
    let before = org.stored().await;
    let file = "full_name,email,phone,city\nAnn,ann@example.com,+4915112345679,\nAnn,ann2@example.com,+4915112345679,Ulm\nAnn,ann2@example.com,+4915112345679,Bonn\nAnn,ann2@example.com,+4915112345679,Kiel\n";
    let report = org.import(file).await;
    assert_eq!((report.created, report.merged), (1, 3));
    let undo = org.undo(&report).await;
    assert_eq!((undo.removed, undo.kept), (4, 0));
    assert_eq!(org.stored().await, before);
    assert_eq!(org.import("full_name,email\nAnn,ann2@example.com\n").await.created, 1);
}

#[tokio::test]
async fn what_is_read_otherwise_than_it_was_checked_is_not_imported() {
    const OF_A_FORM: &str = "id,form_id,email,city\nl:501,f:3,one@example.com,Ulm\n";
    let org = fixture().await;
    let check = ImportOptions { dry_run: true, ..options() };
    let checked = org.import_as(OF_A_FORM, check.clone()).await.unwrap();
    let same = org.import_as(OF_A_FORM, check).await.unwrap();
    assert_eq!((checked.created, &checked.fingerprint), (1, &same.fingerprint));
    // An admin maps the form in between.
    let rule = Rule { field: "town".into(), from: vec!["city".into()], ..Rule::default() };
    let mapping = Mapping { version: 1, rules: vec![rule], country: None, changed_at: at(NOW), changed_by: by() };
    let form = FormId::parse("3").unwrap();
    assert!(org.ingest.writer.table.put_mapping(&scope("a"), &form, &mapping).await.unwrap());
    let as_checked =
        |report: &ImportReport| ImportOptions { fingerprint: Some(report.fingerprint.clone()), ..options() };
    let again = org.import_as(OF_A_FORM, as_checked(&checked)).await.unwrap();
    assert_eq!((again.dry_run, again.created, again.import_id.clone()), (true, 1, None));
    assert_eq!(org.names().await, ["Known"], "nothing is stored");
    let done = org.import_as(OF_A_FORM, as_checked(&again)).await.unwrap();
    assert_eq!((done.dry_run, done.created), (false, 1));
    let leads = org.leads().await;
    assert_eq!(leads.iter().find_map(|lead| lead.fields.get("town")).map(String::as_str), Some("Ulm"));
}

#[tokio::test]
async fn an_import_that_is_sent_twice_is_one() {
    let org = fixture().await;
    let once = ImportOptions { id: Some(ImportId::new()), ..options() };
    let (one, other) = tokio::join!(org.import_as(FILE, once.clone()), org.import_as(FILE, once));
    let refused = |outcome: &Result<ImportReport, ActError>| {
        outcome.as_ref().is_err_and(|error| error.code() == ErrorCode::RequestReused)
    };
    assert!(refused(&one) != refused(&other), "{one:?} {other:?}");
    let report = one.or(other).unwrap();
    assert_eq!((report.created, report.merged), (2, 2));
    assert_eq!(org.ingest.writer.table.imports(&scope("a")).await.unwrap().len(), 2, "with the one before");
}

#[tokio::test]
async fn what_was_used_since_is_kept() {
    let org = fixture().await;
    let report = org
        .import("full_name,email\nAnn,ann@example.com\nBo,bo@example.com\nCem,cem@example.com\nDee,dee@example.com\n")
        .await;
    let table = &org.ingest.writer.table;
    let leads = org.leads().await;
    let [ann, bo, cem, ..] = leads.as_slice() else { panic!() };
    let change = async |lead: &Lead, change: LeadChange| {
        let report = |lead: &Lead, status| Conversion::of_change(lead, status, Err(UnsentReason::NotFromMeta), at(NOW));
        table.change_lead(&scope("a"), &lead.id, &change, report).await.unwrap().unwrap();
    };
    change(ann, LeadChange { status: Some(Status::Contacted), ..LeadChange::default() }).await;
    change(bo, LeadChange { note: Some(Some("Called.".into())), ..LeadChange::default() }).await;
    let later = org.import("full_name,email,city\nCem,cem@example.com,Ulm\n").await;
    assert_eq!(later.merged, 1, "{}", cem.id);
    let undo = org.undo(&report).await;
    assert_eq!((undo.removed, undo.kept), (1, 3));
    assert_eq!(org.names().await, ["Ann", "Bo", "Cem", "Known"]);
    // Undone is undone: it is not tried again when what kept a lead is gone.
    let undo = org.undo(&later).await;
    assert_eq!((undo.removed, undo.kept), (1, 0));
    assert_eq!(org.leads().await.iter().find(|lead| lead.id == cem.id).unwrap().submissions_count, 0);
}

#[tokio::test]
async fn a_page_counts_what_is_left_and_never_less_than_nothing() {
    const OF_THE_PAGE: &str = "id,form_id,email\nl:501,f:3,one@example.com\nl:502,f:3,two@example.com\n";
    let org = fixture().await;
    let table = &org.ingest.writer.table;
    let page = async || table.connections(&scope("a")).await.unwrap().remove(0);
    let report = org.import(OF_THE_PAGE).await;
    assert_eq!((page().await.leads_count, page().await.found.found_import), (2, 2));
    org.undo(&report).await;
    assert_eq!((page().await.leads_count, page().await.found.found_import), (0, 0));
    // The page was disconnected and connected again, and counts from zero.
    let report = org.import(OF_THE_PAGE).await;
    let counted = page().await;
    table.delete_connection(&scope("a"), &counted).await.unwrap();
    table.save_connection(&scope("a"), &connection("a")).await.unwrap();
    let undo = org.undo(&report).await;
    assert_eq!((undo.removed, undo.kept, page().await.leads_count), (2, 0, 0));
}

#[tokio::test]
async fn two_who_undo_at_once_remove_everything_once() {
    let org = fixture().await;
    let before = org.stored().await;
    let report = org.import(FILE).await;
    let (one, other) = tokio::join!(org.undo(&report), org.undo(&report));
    assert_eq!((one.kept, other.kept), (0, 0));
    assert_eq!(one.removed.max(other.removed), 4);
    assert_eq!(org.stored().await, before);
}

#[tokio::test]
async fn what_there_is_no_time_for_is_left_to_the_next_call() {
    let org = fixture().await;
    let before = org.stored().await;
    let report = org.import(FILE).await;
    let (id, scope) = (report.import_id.clone().unwrap(), scope("a"));
    let undo = org.undo_until(&id, &scope, Instant::now()).await;
    assert_eq!((undo.removed, undo.ended_at), (0, None));
    let undo = org.undo(&report).await;
    assert_eq!((undo.removed, undo.ended_at), (4, Some(at(NOW))));
    assert_eq!(org.stored().await, before);
}

#[tokio::test]
async fn what_a_dead_worker_left_is_undone_and_told_by_the_next() {
    for point in (0..60).step_by(3) {
        let org = fixture().await;
        let before = org.stored().await;
        let report = org.import(FILE).await;
        let _ = dies_at(point, org.undo(&report)).await;
        let undo = org.undo(&report).await;
        assert_eq!((undo.removed, undo.kept), (4, 0), "{point}");
        assert_eq!(org.stored().await, before, "{point}");
        let told: BTreeSet<String> = org.published().into_iter().filter(|id| id.contains("removed:")).collect();
        assert_eq!(told.len(), 4, "{point}: {told:?}");
    }
}

#[tokio::test]
async fn a_dead_import_can_be_undone() {
    for point in (0..40).step_by(3) {
        let org = fixture().await;
        let before = org.stored().await;
        let _ = dies_at(point, org.import(FILE)).await;
        for import in org.ingest.writer.table.imports(&scope("a")).await.unwrap().into_iter().skip(1) {
            org.undo_until(&import.id, &scope("a"), Instant::now() + Duration::from_secs(60)).await;
        }
        assert_eq!(org.stored().await, before, "{point}");
    }
}

/// Mapped by the names of its columns, a lead would be written wrong.
#[tokio::test]
async fn a_file_whose_forms_cannot_be_read_in_time_is_refused_as_a_whole() {
    let org = fixture().await;
    let before = org.stored().await;
    let file = "full_name,email,form_id\nAnn,ann@example.com,f:81\n";
    for dry_run in [true, false] {
        let hurried = ImportOptions { timeout: Duration::ZERO, dry_run, ..options() };
        let refused = org.import_as(file, hurried).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::MetaUnavailable, "{refused}");
        assert!(refused.to_string().contains("Send the file again"), "{refused}");
    }
    assert_eq!(org.stored().await, before);
    assert_eq!(org.import(file).await.created, 1);
}
