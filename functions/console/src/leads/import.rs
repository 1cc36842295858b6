//! Importing leads from a file: checked first, then imported, with problems by line.

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::http::{ACT_TIMEOUT, Problem, ProblemCode};
use leadwire::leads::{ImportOptions, ImportReport, RowProblem};
use leadwire::model::lead::file::{ColumnUse, FileColumn};
use leadwire::tr;
use maud::{Markup, html};

use super::imports;
use crate::actor::Admin;
use crate::acts::Showing;
use crate::components::{Confirming, alert, count, csrf_field, problem_alert, with_markup};
use crate::form::{Fields, Upload};
use crate::layout::{Section, page};
use crate::state::Console;

/// Maximum size of a file.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Maximum number of problems shown. The others are counted.
const MAX_SHOWN: usize = 200;

pub(super) async fn form(
    State(console): State<Console>,
    admin: Admin,
    Query(Confirming { confirm }): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    Page { console: &console, admin: &admin, sent: None, confirm: &confirm }.render(jar, None, None).await
}

pub(super) async fn import(
    State(console): State<Console>,
    admin: Admin,
    jar: PrivateCookieJar,
    Upload { fields, file, file_name }: Upload,
) -> Result<Response, Problem> {
    let run = async {
        if file.is_empty() {
            return Err(Problem::field("file", ProblemCode::FileMissing, tr!("Choose a file.")));
        }
        let line = || {
            Problem::field("from_line", ProblemCode::LineInvalid, tr!("Enter a whole number: the line to start from."))
        };
        let options = ImportOptions {
            timeout: ACT_TIMEOUT,
            file_name,
            assign: fields.is_ticked("assign"),
            dry_run: fields.is_ticked("check"),
            from_line: fields.get("from_line").unwrap_or("1").parse().map_err(|_| line())?,
        };
        Ok(console.leads.import(&admin.access, &file, options).await?)
    };
    let page = Page { console: &console, admin: &admin, sent: Some(&fields), confirm: "" };
    match run.await {
        Ok(report) => page.render(jar, Some(&report), None).await,
        Err(problem) => Ok(page.render(jar, None, Some(&problem)).await?.showing(Some(&problem))),
    }
}

/// The page of imports, for one visit.
struct Page<'a> {
    console: &'a Console,
    admin: &'a Admin,
    /// What was submitted.
    sent: Option<&'a Fields>,
    /// The dialog to show as open.
    confirm: &'a str,
}

impl Page<'_> {
    async fn render(
        &self,
        jar: PrivateCookieJar,
        report: Option<&ImportReport>,
        problem: Option<&Problem>,
    ) -> Result<Response, Problem> {
        let Admin { visitor, access } = self.admin;
        let imports = self.console.leads.imports(access).await?.items;
        let users = self.console.directory.users(&access.scope).await?;
        let is_ticked = self.sent.is_some_and(|fields| fields.is_ticked("assign"));
        // The line to continue from. After a rejection, the line that was submitted.
        let next = match report {
            Some(report) => report.next_line.filter(|_| !report.dry_run).map(|line| line.to_string()),
            None => self.sent.and_then(|fields| fields.get("from_line")).map(ToOwned::to_owned),
        };
        let body = html! {
            @if let Some(report) = report { (result(report)) }
            form.card.narrow method="post" action="/leads/import" enctype="multipart/form-data" {
                (csrf_field(visitor))
                (problem_alert(problem))
                p { (tr!("Meta's own export (CSV or TSV) works as it is. Any other table needs a header line, and a column with names, e-mail addresses or phone numbers.")) }
                label { (tr!("File (4 MB at most)")) input type="file" name="file" accept=".csv,.tsv,.txt,.xls,text/csv" required data-most=(MAX_BYTES); }
                label.tick { input type="checkbox" name="assign" value="yes" checked[is_ticked]; (tr!("Assign the leads as configured for their pages")) }
                @if let Some(line) = next { label { (tr!("Continue from line")) input name="from_line" inputmode="numeric" value=(line); } }
                p.quiet { (tr!("Leads that are already in Leadwire are recognised and not imported twice.")) }
                div.acts { button.primary name="check" value="yes" { (tr!("Check the file")) } button { (tr!("Import")) } }
            }
            (imports::table(visitor, &imports, &users, self.confirm))
        };
        Ok(page(visitor, jar, Section::Leads, &tr!("Import leads"), &body))
    }
}

fn result(report: &ImportReport) -> Markup {
    let (kind, title) = match (report.dry_run, report.failed) {
        (true, 0) => ("good", tr!("The file is fine. Nothing has been imported yet.")),
        (true, _) => ("warn", tr!("Some lines would be skipped. Nothing has been imported yet.")),
        (false, 0) => ("good", tr!("Imported.")),
        (false, _) => ("warn", tr!("Imported, except for some lines.")),
    };
    html! {
        (alert(kind, html! {
            p { b { (title) } }
            ul {
                li {
                    @if report.dry_run { (tr!([report.created] "{n} new lead to import" | "{n} new leads to import")) }
                    @else { (tr!([report.created] "{n} new lead" | "{n} new leads")) }
                }
                li { (tr!([report.merged] "{n} form from a person who is already a lead" | "{n} forms from people who are already leads")) }
                li { (tr!([report.in_before] "{n} lead already in Leadwire" | "{n} leads already in Leadwire")) }
                @if report.failed > 0 { li { (tr!([report.failed] "{n} line skipped" | "{n} lines skipped")) } }
            }
            @if report.created + report.merged > 0 && !report.dry_run { p { a href="/leads" { (tr!("View the leads")) } " · " a href="#imports" { (tr!("Undo this import")) } } }
            @if let Some(line) = report.next_line { p { (tr!("The import stopped before line {line}. Upload the same file again to continue from there.", line = count(line))) } }
        }))
        @if report.dry_run { section { h2 { (tr!("How the file is read")) } (columns(&report.columns)) } }
        (problems(&tr!("Lines that are skipped"), &report.problems))
        (problems(&tr!("Lines to check"), &report.warnings))
    }
}

/// Which column fills which field, with the first values of each.
fn columns(columns: &[FileColumn]) -> Markup {
    html! {
        div.card.flush {
            table {
                thead { tr { th { (tr!("Column")) } th { (tr!("Becomes")) } th { (tr!("First values")) } } }
                tbody {
                    @for column in columns {
                        tr {
                            td data-label=(tr!("Column")) { b { (column.name) } }
                            td data-label=(tr!("Becomes")) {
                                @match (column.reads_as, column.field.as_deref()) {
                                    (ColumnUse::Origin, _) => (tr!("Where and when the lead was submitted")),
                                    (ColumnUse::Field, Some(field)) => (with_markup(&tr!("Field {field}"), &[("field", html! { code { (field) } })])),
                                    (ColumnUse::Field | ColumnUse::Answer, _) => span.quiet { (tr!("An answer; no field")) },
                                    (ColumnUse::Nothing, _) => span.quiet { (tr!("Not imported")) },
                                }
                            }
                            td data-label=(tr!("First values")) { (column.samples.join(" · ")) }
                        }
                    }
                }
            }
        }
        p.quiet { (tr!("Leads from a form with its own mapping use that mapping.")) }
    }
}

fn problems(title: &str, problems: &[RowProblem]) -> Markup {
    html! {
        @if !problems.is_empty() {
            section {
                h2 { (title) }
                div.card.flush {
                    table {
                        thead { tr { th.number { (tr!("Line")) } th { (tr!("Column")) } th { (tr!("Problem")) } } }
                        tbody {
                            @for problem in problems.iter().take(MAX_SHOWN) {
                                tr {
                                    td.number data-label=(tr!("Line")) { (problem.line) }
                                    td data-label=(tr!("Column")) { (problem.column.as_deref().unwrap_or("–")) }
                                    td data-label=(tr!("Problem")) { (problem.message) }
                                }
                            }
                        }
                    }
                }
                @if problems.len() > MAX_SHOWN { p.quiet { (tr!("And {count} more.", count = count(problems.len() - MAX_SHOWN))) } }
            }
        }
    }
}
