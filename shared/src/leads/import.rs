//! Leads out of a file, by the same rules as all others: once each, recognised, assigned if that is wanted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{LeadWriter, find_form};
use crate::error::WorkError;
use crate::ids::{FormId, LeadId, OrgScope};
use crate::meta_app::MetaApp;
use crate::model::connection::Connection;
use crate::model::lead::assignment::{Assigned, Assignment, Reason, Strategy};
use crate::model::lead::dedupe::{Known, plan};
use crate::model::lead::file::{NotLeads, Row, RowError, rows};
use crate::model::lead::form::{self, Form};
use crate::model::lead::mapping::{self, Mapping};
use crate::model::lead::{FILE_SOURCE, FILE_TAG, FoundBy, Lead, Provenance, SOURCE, Status, tag};
use crate::table::TableError;

/// Lines worked on together.
const TOGETHER: usize = 24;
/// Forms of one file that are asked of Meta.
const MAX_FORMS: usize = 50;
/// Problems that are listed; the others are counted.
const MAX_TOLD: usize = 1000;
/// After this, no more lines are begun: whoever sent the file waits for an answer.
const MAX_DURATION: SignedDuration = SignedDuration::from_secs(18);

/// What is to be done with a file.
#[derive(Debug, Clone, Copy)]
pub struct Importing {
    /// Whether its leads are assigned as the integration of their form's page says.
    pub assign: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// Lines before this one are left out.
    pub from_line: u64,
}

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportReport {
    /// Lines that are, or would be, leads or submissions; those that failed not included.
    pub rows: usize,
    /// New leads.
    pub created: usize,
    /// Submissions that joined a lead: the same person was one already.
    pub merged: usize,
    /// Submissions that had come in before.
    pub in_before: usize,
    /// Lines that are no leads.
    pub failed: usize,
    /// What is wrong with them; the first thousand.
    pub problems: Vec<RowProblem>,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// There was no time for the lines from this one on: send the same file again with it as `from_line`. `null` if the
    /// file was read to its end.
    pub next_line: Option<u64>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RowProblem {
    /// On which line of the file it begins, from 1; the header's is the first.
    pub line: u64,
    /// The column it is about.
    pub column: Option<String>,
    /// What is wrong, and what would be taken.
    pub message: String,
}

/// What an import has to know of a form.
struct KnownForm {
    page: Option<Connection>,
    form: Option<Form>,
    mapping: Option<Mapping>,
}

/// Brings in the leads of a file. A line that fails costs itself only.
///
/// # Errors
/// `Ok(Err)` if the file is no table of leads; an outer error if the table or the bus fails. What is in by then is in once
/// when the file is sent again.
pub async fn import(
    meta: &MetaApp,
    writer: &LeadWriter,
    scope: &OrgScope,
    file: &[u8],
    how: Importing,
    now: Timestamp,
) -> Result<Result<ImportReport, NotLeads>, WorkError> {
    let country = writer.table.org(scope).await?.and_then(|org| org.default_country);
    let mut rows = match rows(file, country.as_deref(), now) {
        Ok(rows) => rows.skip_while(|row| line_of(row) < how.from_line).peekable(),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut forms: BTreeMap<FormId, KnownForm> = BTreeMap::new();
    let mut report = ImportReport { dry_run: how.dry_run, ..ImportReport::default() };
    let mut planned = Known::default();
    while let Some(next) = rows.peek() {
        // Between handfuls, so that no line is told of twice when the rest of the file is sent.
        if crate::clock::now().duration_since(now) > MAX_DURATION {
            report.next_line = Some(line_of(next));
            break;
        }
        let (good, bad): (Vec<_>, Vec<_>) = rows.by_ref().take(TOGETHER).partition(Result::is_ok);
        bad.into_iter().filter_map(Result::err).for_each(|error| report.fail(error));
        let good: Vec<Row> = good.into_iter().flatten().collect();
        learn(meta, writer, scope, &good, &mut forms, now).await?;
        let page_of = |row: &Row| forms.get(row.form_id.as_ref()?)?.page.as_ref();
        // In the file's order: of two lines of one person, the first becomes the lead.
        for rows in good.chunk_by(|one, next| same_page(page_of(one), page_of(next))) {
            let Some(first) = rows.first() else { continue };
            let known = |row: &Row| forms.get(row.form_id.as_ref()?);
            let leads = rows.iter().map(|row| lead(row, known(row), country.as_deref(), how, now)).collect();
            let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
            take(writer, scope, page_of(first), &lines, leads, &mut planned, &mut report, now).await?;
        }
    }
    tracing::info!(org = %scope.org(), rows = report.rows, created = report.created, merged = report.merged, failed = report.failed, dry_run = how.dry_run, "a file of leads was read");
    Ok(Ok(report))
}

fn line_of(row: &Result<Row, RowError>) -> u64 {
    row.as_ref().map_or_else(|error| error.line, |row| row.line)
}

fn same_page(one: Option<&Connection>, other: Option<&Connection>) -> bool {
    let place = |page: Option<&Connection>| page.map(|page| (page.integration_id.clone(), page.page_id.clone()));
    place(one) == place(other)
}

impl ImportReport {
    fn fail(&mut self, error: RowError) {
        self.failed += 1;
        if self.problems.len() < MAX_TOLD {
            self.problems.push(RowProblem { line: error.line, column: error.column, message: error.message });
        }
    }
}

/// Finds out what is known of the forms of these lines: whose page's they are, and how their answers are read. A form of
/// no connected page is read by the names of its columns.
async fn learn(
    meta: &MetaApp,
    writer: &LeadWriter,
    scope: &OrgScope,
    rows: &[Row],
    forms: &mut BTreeMap<FormId, KnownForm>,
    now: Timestamp,
) -> Result<(), WorkError> {
    let new: BTreeSet<FormId> =
        rows.iter().filter_map(|row| row.form_id.clone()).filter(|form| !forms.contains_key(form)).collect();
    let new: Vec<FormId> = new.into_iter().collect();
    let mut mappings: BTreeMap<FormId, Mapping> = writer.table.mappings(scope, &new).await?.into_iter().collect();
    for id in new {
        // Each one is asked of Meta; a file of very many forms is no export of Meta's.
        let found = if forms.len() < MAX_FORMS {
            find_form(meta, &writer.table, scope, &id, now).await.unwrap_or_else(|error| {
                tracing::warn!(%error, form = %id, "a form could not be read; its lines are read by the names of their columns");
                None
            })
        } else {
            None
        };
        let (page, form) = found.unzip();
        let mapping = mappings.remove(&id);
        forms.insert(id, KnownForm { page, form, mapping });
    }
    Ok(())
}

fn lead(row: &Row, known: Option<&KnownForm>, country: Option<&str>, how: Importing, now: Timestamp) -> Lead {
    let form = known.and_then(|known| known.form.as_ref());
    let mapping = known.and_then(|known| known.mapping.as_ref());
    let page = known.and_then(|known| known.page.as_ref());
    let given = form.map_or_else(|| row.answers.clone(), |form| form.by_key(&row.answers));
    let answers = form::label(&given, form);
    let mapped = mapping::map(&answers, form, mapping, country);
    let reason = match page {
        _ if !how.assign => Reason::NotAsked,
        None => Reason::NoIntegration,
        Some(_) => Reason::StrategyUnassigned,
    };
    Lead {
        id: row.id.clone(),
        leadgen_id: row.leadgen_id.clone(),
        source: if row.is_of_meta { SOURCE } else { FILE_SOURCE }.to_owned(),
        tags: vec![if row.is_of_meta { tag(row.platform.as_deref()) } else { FILE_TAG }.to_owned()],
        platform: row.platform.clone(),
        page_id: page.map(|page| page.page_id.clone()),
        page_name: page.map(|page| page.page_name.clone()),
        form_id: row.form_id.clone(),
        form_name: row.form_name.clone().or_else(|| form.map(|form| form.name.clone())),
        campaign_id: row.campaign_id.clone(),
        campaign_name: row.campaign_name.clone(),
        adset_id: row.adset_id.clone(),
        adset_name: row.adset_name.clone(),
        ad_id: row.ad_id.clone(),
        ad_name: row.ad_name.clone(),
        created_time: row.created_time.unwrap_or(now),
        received_at: now,
        found_by: FoundBy::Import,
        status: Status::New,
        assigned_to: None,
        assignment: Assigned { strategy: Strategy::Unassigned, reason },
        full_name: mapped.full_name,
        email: mapped.email,
        phone: mapped.phone,
        fields: mapped.fields,
        test: form::is_test(&row.answers),
        answers,
        consents: Vec::new(),
        submissions_count: 0,
        passage: Provenance { mapping: mapping.map(|mapping| mapping.version), ..Provenance::default() },
    }
}

/// Counts what becomes of leads and, unless this is a dry run, writes them. A dry run remembers what would be there.
#[expect(clippy::too_many_arguments, reason = "what to take, for whom, and what came of it")]
async fn take(
    writer: &LeadWriter,
    scope: &OrgScope,
    page: Option<&Connection>,
    lines: &[u64],
    leads: Vec<Lead>,
    planned: &mut Known,
    report: &mut ImportReport,
    now: Timestamp,
) -> Result<(), WorkError> {
    let mut known = writer.table.known(scope, &leads, &Assignment::Unassigned).await?;
    known.stored.extend(planned.stored.iter().cloned());
    for (person, lead) in &planned.persons {
        known.persons.entry(person.clone()).or_insert_with(|| lead.clone());
    }
    let plan = plan(&leads, &known, &Assignment::Unassigned);
    let created: BTreeSet<&LeadId> = plan.creates.iter().map(|lead| &lead.id).collect();
    let merged: BTreeSet<&LeadId> = plan.merges.iter().map(|submission| &submission.id).collect();
    if report.dry_run {
        planned.stored.extend(created.iter().chain(&merged).map(|id| (*id).clone()));
        planned.persons.extend(plan.claims.iter().cloned());
    }
    let outcomes = if report.dry_run {
        leads.iter().map(|_| Ok(())).collect()
    } else {
        writer.write(scope, page, leads.iter().cloned().map(Ok).collect(), now).await
    };
    for ((line, lead), outcome) in lines.iter().zip(&leads).zip(outcomes) {
        let outcome = match outcome {
            // The page was disconnected meanwhile; the file's leads are the org's all the same.
            Err(WorkError::Disconnected) => {
                writer.write(scope, None, vec![Ok(lead.clone())], now).await.into_iter().next().unwrap_or(Ok(()))
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
                let message = "The line is too large for a lead: 400 KB at most.".to_owned();
                report.fail(RowError { line: *line, column: None, message });
            }
            Err(error) => return Err(error),
        }
    }
    report.in_before = report.rows - report.created - report.merged;
    Ok(())
}
