//! Imports leads from a file by the same rules as all others: each is stored once, persons are recognised, and leads
//! are assigned on request.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::repeat_with;
use std::time::Duration;

use futures_util::stream::iter;
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

use super::forms::find_form;
use super::write::NewLead;
use super::{LeadWriter, Leads, Outcomes};
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, WorkError};
use crate::ids::{FormId, ImportId, LeadId, OrgScope};
use crate::meta_app::MetaApp;
use crate::model::caller::Caller;
use crate::model::connection::Connection;
use crate::model::lead::assignment::{Assigned, Assignment, Reason, Strategy};
use crate::model::lead::dedupe::{Snapshot, plan};
use crate::model::lead::file::{FileColumn, FileLeads, FileRow, NotLeads, RowError, rows};
use crate::model::lead::file_import::FileImport;
use crate::model::lead::form::{self, Form};
use crate::model::lead::identity::person_keys;
use crate::model::lead::mapping::{self, Mapping};
use crate::model::lead::standard_fields::{EMAIL, PHONE};
use crate::model::lead::{Attribution, FILE_SOURCE, FILE_TAG, FoundBy, Lead, Provenance, SOURCE, tag};
use crate::model::limit::OrgLimit;
use crate::table::TableError;
use crate::{tr, trace};

/// Lines processed together.
const CHUNK_ROWS: usize = 24;
/// Forms of one file that are looked up at Meta.
const MAX_FORMS: usize = 50;
/// Forms that are looked up at the same time.
const FORMS_AT_ONCE: usize = 8;
/// Problems listed in a report. Further ones are only counted.
const MAX_PROBLEMS: usize = 1000;
/// Maximum size of a file: Lambda's limit for one request, less the overhead of its encoding.
const MAX_FILE_BYTES: usize = 4_000_000;

/// How to import a file.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The import's id, if its sender chose one: of two imports with one id, the second is refused.
    pub id: Option<ImportId>,
    /// The file's name, for the list of imports.
    pub file_name: Option<String>,
    /// Whether its leads are assigned as configured in the integration of their form's page.
    pub assign: bool,
    /// Whether to store nothing.
    pub dry_run: bool,
    /// The fingerprint of the dry run that this import follows. If the lines would be read differently now, nothing is
    /// stored, and the report is that of another dry run.
    pub fingerprint: Option<String>,
    /// Lines before this one are skipped.
    pub from_line: u64,
    /// After this time, no further lines are started. The report says where to resume.
    pub timeout: Duration,
}

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportReport {
    /// Number of lines that are, or would be, leads or submissions. Failed lines are not included.
    pub rows: usize,
    /// Number of new leads.
    pub created: usize,
    /// Number of submissions that joined an existing lead of the same person.
    pub merged: usize,
    /// Number of submissions that were already stored.
    pub in_before: usize,
    /// Number of lines that are not leads.
    pub failed: usize,
    /// The problems of the failed lines; the first thousand.
    pub problems: Vec<RowProblem>,
    /// How the columns are read, in the order of the file.
    pub columns: Vec<FileColumn>,
    /// Values that are imported as they are and may be mistakes, such as a malformed e-mail address; the first thousand.
    pub warnings: Vec<RowProblem>,
    /// Whether nothing was stored.
    pub dry_run: bool,
    /// A hash of what decides how the lines are read, beside the file: the org's country, the forms, and their mappings.
    #[serde(skip)]
    pub fingerprint: String,
    /// The import, which can be undone. `null` for a dry run.
    pub import_id: Option<ImportId>,
    /// The first line that there was no time for: send the same file again with it as `from_line`. `null` if the file
    /// was processed to its end.
    pub next_line: Option<u64>,
}

/// A problem with a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowProblem {
    /// The line of the file on which the row begins, counted from 1. The header is the first.
    pub line: u64,
    /// The column concerned.
    pub column: Option<String>,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

/// What an import needs to know about a form.
struct KnownForm {
    page: Option<Connection>,
    form: Option<Form>,
    mapping: Option<Mapping>,
}

impl Leads {
    /// Imports the leads of a file: Meta's export as downloaded, or any table with a header line that names e-mail,
    /// phone or name. A failed line does not affect the others.
    ///
    /// # Errors
    /// Refuses a file that is too large or not such a table, and an id that an earlier import has. After any other error,
    /// the leads imported so far are stored; sending the file again does not store them twice.
    pub async fn import(
        &self,
        access: &MetaAccess,
        file: &[u8],
        options: ImportOptions,
    ) -> Result<ImportReport, ActError> {
        if file.len() > MAX_FILE_BYTES {
            let message = tr!("4 MB at most. Split the file, and repeat its first line in each part.");
            return Err(ActError::refuse(ErrorCode::FileTooLarge, message));
        }
        access.count(&self.table, OrgLimit::Imports).await?;
        let writer = LeadWriter { table: self.table.clone(), bus: self.bus.clone() };
        let now = crate::clock::now();
        let importing = Importing { meta: &self.tokens.meta, writer: &writer, scope: &access.scope, options: &options };
        let report = importing.run(file, &access.caller, now).await?;
        report.import_id.iter().for_each(|id| access.trail.about(id));
        Ok(report)
    }
}

/// An import of a file into an org.
pub(super) struct Importing<'a> {
    pub(super) meta: &'a MetaApp,
    pub(super) writer: &'a LeadWriter,
    pub(super) scope: &'a OrgScope,
    pub(super) options: &'a ImportOptions,
}

impl Importing<'_> {
    /// Imports a file, and records what it brought.
    pub(super) async fn run(&self, file: &[u8], by: &Caller, now: Timestamp) -> Result<ImportReport, ActError> {
        let Self { writer, scope, options, .. } = self;
        let country = writer.table.org(scope).await?.and_then(|org| org.default_country);
        let read = || {
            rows(file, country.as_deref(), now).map_err(|NotLeads(why)| ActError::refuse(ErrorCode::FileInvalid, why))
        };
        // The forms of all lines, before anything is stored: how they are read may not change on the way.
        let named = read()?.rows.flatten().filter_map(|row| row.attribution.form_id).collect();
        let forms = self.read_forms(named, now).await?;
        let fingerprint = fingerprint(country.as_deref(), &forms);
        let is_as_checked = options.fingerprint.as_ref().is_none_or(|checked| *checked == fingerprint);
        let FileLeads { columns, rows } = read()?;
        let dry_run = options.dry_run || !is_as_checked;
        let mut report = ImportReport { columns, dry_run, fingerprint, ..ImportReport::default() };
        if dry_run {
            self.import_rows(rows, &forms, country.as_deref(), &mut report, now).await?;
            return Ok(report);
        }
        let id = options.id.clone().unwrap_or_default();
        let import = FileImport::new(id, options.file_name.clone(), by, now);
        if !writer.table.insert_import(scope, &import).await? {
            return Err(ActError::refuse(ErrorCode::RequestReused, tr!("This import has already started.")));
        }
        report.import_id = Some(import.id.clone());
        let outcome = self.import_rows(rows, &forms, country.as_deref(), &mut report, now).await;
        // What was stored before an error can be undone, too.
        let ImportReport { created, merged, in_before, failed, .. } = report;
        let ended_at = Some(crate::clock::now());
        let ended = FileImport { ended_at, created, merged, in_before, failed, ..import };
        writer.table.end_import(scope, &ended).await?;
        outcome.map(|()| report)
    }

    async fn import_rows(
        &self,
        rows: impl Iterator<Item = Result<FileRow, RowError>>,
        forms: &BTreeMap<FormId, KnownForm>,
        country: Option<&str>,
        report: &mut ImportReport,
        now: Timestamp,
    ) -> Result<(), ActError> {
        let mut rows = rows.skip_while(|row| line_of(row) < self.options.from_line).peekable();
        let mut planned = Snapshot::default();
        while let Some(next) = rows.peek() {
            // Checked between chunks, so that no line is reported twice when the rest of the file is sent.
            if crate::clock::now().duration_since(now).unsigned_abs() > self.options.timeout {
                report.next_line = Some(line_of(next));
                break;
            }
            let (valid, invalid): (Vec<_>, Vec<_>) = rows.by_ref().take(CHUNK_ROWS).partition(Result::is_ok);
            invalid.into_iter().filter_map(Result::err).for_each(|error| report.fail(error));
            let valid: Vec<FileRow> = valid.into_iter().flatten().collect();
            let page_of = |row: &FileRow| forms.get(row.attribution.form_id.as_ref()?)?.page.as_ref();
            // In file order: of two lines about one person, the first becomes the lead.
            for rows in valid.chunk_by(|one, next| same_page(page_of(one), page_of(next))) {
                let Some(first) = rows.first() else { continue };
                let known = |row: &FileRow| forms.get(row.attribution.form_id.as_ref()?);
                let leads = rows.iter().map(|row| lead_of(row, known(row), country, self.options.assign, now));
                let import_id = report.import_id.clone();
                let of_import = |lead: Lead| Lead {
                    provenance: Provenance { import_id: import_id.clone(), ..lead.provenance },
                    ..lead
                };
                let leads: Vec<Lead> = leads.map(of_import).collect();
                rows.iter().zip(&leads).for_each(|(row, lead)| report.warn(row.line, lead));
                let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
                self.write_rows(page_of(first), &lines, &leads, &mut planned, report, now).await?;
            }
        }
        let ImportReport { rows, created, merged, failed, dry_run, .. } = report;
        tracing::info!(org = %self.scope.org(), rows, created, merged, failed, dry_run, "a file of leads was processed");
        Ok(())
    }

    /// Looks up forms: their pages and their mappings. Lines of a form without a connected page are mapped by column name.
    async fn read_forms(&self, ids: BTreeSet<FormId>, now: Timestamp) -> Result<BTreeMap<FormId, KnownForm>, ActError> {
        let Self { meta, writer, scope, .. } = self;
        let ids: Vec<FormId> = ids.into_iter().collect();
        let mut mappings: BTreeMap<FormId, Mapping> = writer.table.mappings(scope, &ids).await?.into_iter().collect();
        // The other half of the time is for the lines.
        let deadline = Instant::now() + self.options.timeout / 2;
        let find = async |id: &FormId| match timeout_at(deadline, find_form(meta, &writer.table, scope, id, now)).await
        {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::warn!(%error, form = %id, "a form could not be read; its lines are mapped by column name");
                Ok(None)
            }
            // What was read is kept, so that the next request gets further.
            Err(_) => Err(ActError::refuse(
                ErrorCode::MetaUnavailable,
                tr!("Meta did not describe the forms of this file in time. Nothing was imported. Send the file again."),
            )),
        };
        // Each lookup may call Meta. A file with very many forms is not an export of Meta's.
        let found = iter(ids.iter().take(MAX_FORMS)).map(find).buffered(FORMS_AT_ONCE);
        let found: Vec<_> = found.try_collect().await?;
        let found = found.into_iter().chain(repeat_with(|| None));
        let known = ids.iter().zip(found).map(|(id, found)| {
            let (page, form) = found.unzip();
            (id.clone(), KnownForm { page, form, mapping: mappings.remove(id) })
        });
        Ok(known.collect())
    }

    /// Counts the outcomes of leads and, unless this is a dry run, stores them. A dry run records in `planned` what would
    /// be stored.
    async fn write_rows(
        &self,
        page: Option<&Connection>,
        lines: &[u64],
        leads: &[Lead],
        planned: &mut Snapshot,
        report: &mut ImportReport,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let mut known = self.writer.table.dedupe_snapshot(self.scope, leads).await?;
        known.stored.extend(planned.stored.iter().cloned());
        for (person, lead) in &planned.persons {
            known.persons.entry(person.clone()).or_insert_with(|| lead.clone());
        }
        // Plan, to tell new leads from those that join one.
        let plan = plan(leads, &known, &Assignment::Unassigned);
        let created: BTreeSet<&LeadId> = plan.creates.iter().map(|lead| &lead.id).collect();
        let merged: BTreeSet<&LeadId> = plan.merges.iter().map(|submission| &submission.id).collect();
        if report.dry_run {
            planned.stored.extend(created.iter().chain(&merged).map(|id| (*id).clone()));
            planned.persons.extend(plan.claims.iter().cloned());
        }
        if let (Some(import), Some(first)) = (&report.import_id, lines.first()) {
            let new: BTreeSet<LeadId> = created.iter().chain(&merged).map(|id| (*id).clone()).collect();
            if !new.is_empty() {
                self.writer.table.insert_import_part(self.scope, import, *first, new, now).await?;
            }
        }
        let new: Vec<NewLead<'_>> = leads.iter().map(|lead| NewLead { lead, connection: page }).collect();
        let mut outcomes =
            if report.dry_run { Outcomes::new() } else { self.writer.write(self.scope, &new, now).await };
        for (line, lead) in lines.iter().zip(leads) {
            let outcome = match outcomes.remove(&lead.id).unwrap_or(Ok(())) {
                // The page was disconnected meanwhile. The leads of the file still belong to the org.
                Err(WorkError::Disconnected) => {
                    let mut retried = self.writer.write(self.scope, &[NewLead { lead, connection: None }], now).await;
                    retried.remove(&lead.id).unwrap_or(Ok(()))
                }
                outcome => outcome,
            };
            match outcome {
                Ok(()) => {
                    report.rows += 1;
                    report.created += usize::from(created.contains(&lead.id));
                    report.merged += usize::from(merged.contains(&lead.id));
                }
                Err(WorkError::Table(TableError::ItemRejected(_))) => {
                    let message = tr!("The line is too large for a lead: 400 KB at most.").into_owned();
                    report.fail(RowError { line: *line, column: None, message });
                }
                Err(error) => return Err(error),
            }
        }
        report.in_before = report.rows - report.created - report.merged;
        Ok(())
    }
}

fn line_of(row: &Result<FileRow, RowError>) -> u64 {
    row.as_ref().map_or_else(|error| error.line, |row| row.line)
}

fn same_page(one: Option<&Connection>, other: Option<&Connection>) -> bool {
    let key = |page: Option<&Connection>| page.map(|page| (page.integration_id.clone(), page.page_id.clone()));
    key(one) == key(other)
}

impl ImportReport {
    fn fail(&mut self, error: RowError) {
        self.failed += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(RowProblem { line: error.line, column: error.column, message: error.message });
        }
    }

    /// Warns of values that are probably mistakes.
    fn warn(&mut self, line: u64, lead: &Lead) {
        let is_odd = |email: &str| {
            let has_dot = email.rsplit_once('@').is_some_and(|(_, domain)| domain.trim_matches('.').contains('.'));
            !has_dot || person_keys(Some(email), None).is_empty()
        };
        let email = lead.email.as_deref().filter(|email| is_odd(email)).map(|_| {
            (EMAIL, tr!("This does not look like an e-mail address. It is stored as it is, and no mail will arrive."))
        });
        let is_odd = |phone: &&str| person_keys(None, Some(phone)).is_empty();
        let phone = lead.phone.as_deref().filter(is_odd).map(|_| {
            (PHONE, tr!("This does not look like a phone number, or its country is missing. It is stored as it is."))
        });
        for (field, message) in email.into_iter().chain(phone) {
            if self.warnings.len() < MAX_PROBLEMS {
                let column = Some(field.to_owned());
                self.warnings.push(RowProblem { line, column, message: message.into_owned() });
            }
        }
    }
}

/// A hash of what decides how lines are read, beside the file.
#[expect(clippy::expect_used, reason = "plain data")]
fn fingerprint(country: Option<&str>, forms: &BTreeMap<FormId, KnownForm>) -> String {
    let version = |known: &KnownForm| known.mapping.as_ref().map(|mapping| mapping.version);
    let page = |known: &KnownForm| known.page.as_ref().map(|page| page.page_id.clone());
    let forms: Vec<_> = forms.iter().map(|(id, known)| (id, page(known), &known.form, version(known))).collect();
    hex::encode(Sha256::digest(serde_json::to_vec(&(country, forms)).expect("plain data")))
}

fn lead_of(row: &FileRow, known: Option<&KnownForm>, country: Option<&str>, assign: bool, now: Timestamp) -> Lead {
    let form = known.and_then(|known| known.form.as_ref());
    let mapping = known.and_then(|known| known.mapping.as_ref());
    let page = known.and_then(|known| known.page.as_ref());
    let raw_answers = form.map_or_else(|| row.answers.clone(), |form| form.by_key(&row.answers));
    let answers = form::label(&raw_answers, form);
    let mapped = mapping::map(&answers, form, mapping, country);
    let reason = match page {
        _ if !assign => Reason::NotAsked,
        None => Reason::NoIntegration,
        Some(_) => Reason::StrategyUnassigned,
    };
    let form_name = || form.map(|form| form.name.clone());
    let attribution =
        Attribution { form_name: row.attribution.form_name.clone().or_else(form_name), ..row.attribution.clone() };
    Lead {
        leadgen_id: row.leadgen_id.clone(),
        source: if row.is_of_meta { SOURCE } else { FILE_SOURCE }.to_owned(),
        tags: vec![if row.is_of_meta { tag(attribution.platform.as_deref()) } else { FILE_TAG }.to_owned()],
        page_id: page.map(|page| page.page_id.clone()),
        page_name: page.map(|page| page.page_name.clone()),
        attribution,
        assignment: Assigned { strategy: Strategy::Unassigned, reason },
        test: form::is_test(&row.answers),
        answers,
        provenance: Provenance {
            mapping: mapping.map(|mapping| mapping.version),
            trace_id: trace::current(),
            ..Provenance::default()
        },
        ..Lead::new(row.id.clone(), FoundBy::Import, row.created_time.unwrap_or(now), now).with(mapped)
    }
}
