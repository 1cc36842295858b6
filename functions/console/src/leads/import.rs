//! Importing leads from a file: checked first, then imported, with problems by line.

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::http::{ACT_TIMEOUT, Problem, ProblemCode};
use leadwire::leads::{ImportOptions, ImportReport, RowProblem};
use leadwire::model::lead::file::{ColumnUse, FileColumn};
use maud::{Markup, html};

use crate::acts::Showing;
use crate::components::{alert, count, csrf_field, plural, problem_alert};
use crate::form::{Fields, Upload};
use crate::layout::{Section, page};
use crate::session::{Admin, Visitor};
use crate::state::Console;

/// Maximum size of a file.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Maximum number of problems shown. The others are counted.
const MAX_SHOWN: usize = 200;

pub(super) async fn form(Admin { visitor, .. }: Admin, jar: PrivateCookieJar) -> Response {
    render(&visitor, jar, None, None, None)
}

pub(super) async fn import(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    jar: PrivateCookieJar,
    Upload { fields, file }: Upload,
) -> Result<Response, Problem> {
    let run = async {
        if file.is_empty() {
            return Err(Problem::field("file", ProblemCode::FileMissing, "Choose a file."));
        }
        let line =
            || Problem::field("from_line", ProblemCode::LineInvalid, "Enter a whole number: the line to start from.");
        let options = ImportOptions {
            timeout: ACT_TIMEOUT,

            assign: fields.is_ticked("assign"),
            dry_run: fields.is_ticked("check"),
            from_line: fields.get("from_line").unwrap_or("1").parse().map_err(|_| line())?,
        };
        Ok(console.leads.import(&access, &file, options).await?)
    };
    match run.await {
        Ok(report) => Ok(render(&visitor, jar, Some(&fields), Some(&report), None)),
        Err(problem) => Ok(render(&visitor, jar, Some(&fields), None, Some(&problem)).showing(Some(&problem))),
    }
}

fn render(
    visitor: &Visitor,
    jar: PrivateCookieJar,
    sent: Option<&Fields>,
    report: Option<&ImportReport>,
    problem: Option<&Problem>,
) -> Response {
    let is_ticked = sent.is_some_and(|fields| fields.is_ticked("assign"));
    // The line to continue from. After a rejection, the line that was submitted.
    let next = match report {
        Some(report) => report.next_line.filter(|_| !report.dry_run).map(|line| line.to_string()),
        None => sent.and_then(|fields| fields.get("from_line")).map(ToOwned::to_owned),
    };
    let body = html! {
        @if let Some(report) = report { (result(report)) }
        form.card.narrow method="post" action="/leads/import" enctype="multipart/form-data" {
            (csrf_field(visitor))
            (problem_alert(problem))
            p { "Meta's own export (CSV or TSV) works as it is. Any other table needs a header line, and a column with names, e-mail "
                "addresses or phone numbers." }
            label { "File (4 MB at most)" input type="file" name="file" accept=".csv,.tsv,.txt,.xls,text/csv" required data-most=(MAX_BYTES); }
            label.tick { input type="checkbox" name="assign" value="yes" checked[is_ticked]; "Assign the leads as configured for their pages" }
            @if let Some(line) = next { label { "Continue from line" input name="from_line" inputmode="numeric" value=(line); } }
            p.quiet { "Leads that are already here are recognised and not imported twice." }
            div.acts { button.primary name="check" value="yes" { "Check the file" } button { "Import" } }
        }
    };
    page(visitor, jar, Section::Leads, "Import leads", &body)
}

fn result(report: &ImportReport) -> Markup {
    let (kind, title) = match (report.dry_run, report.failed) {
        (true, 0) => ("good", "The file is fine. Nothing has been imported yet."),
        (true, _) => ("warn", "Some lines would be skipped. Nothing has been imported yet."),
        (false, 0) => ("good", "Imported."),
        (false, _) => ("warn", "Imported, except for some lines."),
    };
    html! {
        (alert(kind, html! {
            p { b { (title) } }
            ul {
                li { (plural(report.created, "new lead")) @if report.dry_run { " to import" } }
                li { (plural(report.merged, "form")) " from people who are already leads" }
                li { (plural(report.in_before, "lead")) " already here" }
                @if report.failed > 0 { li { (plural(report.failed, "line")) " skipped" } }
            }
            @if report.created + report.merged > 0 && !report.dry_run { p { a href="/leads" { "View the leads" } } }
            @if let Some(line) = report.next_line { p { "The import stopped before line " (count(line)) ". Upload the same file again to continue from there." } }
        }))
        @if report.dry_run { section { h2 { "How the file is read" } (columns(&report.columns)) } }
        (problems("Lines that are skipped", &report.problems))
        (problems("Lines to look at", &report.warnings))
    }
}

/// Which column fills which field, with the first values of each.
fn columns(columns: &[FileColumn]) -> Markup {
    html! {
        div.card.flush {
            table {
                thead { tr { th { "Column" } th { "Becomes" } th { "First values" } } }
                tbody {
                    @for column in columns {
                        tr {
                            td data-label="Column" { b { (column.name) } }
                            td data-label="Becomes" {
                                @match (column.reads_as, column.field.as_deref()) {
                                    (ColumnUse::Origin, _) => "Where and when the lead was submitted",
                                    (ColumnUse::Field, Some(field)) => { "Field " code { (field) } },
                                    (ColumnUse::Field | ColumnUse::Answer, _) => span.quiet { "An answer; no field" },
                                    (ColumnUse::Nothing, _) => span.quiet { "Not imported" },
                                }
                            }
                            td data-label="First values" { (column.samples.join(" · ")) }
                        }
                    }
                }
            }
        }
        p.quiet { "Leads of a form that has a mapping of its own are mapped by that." }
    }
}

fn problems(title: &str, problems: &[RowProblem]) -> Markup {
    html! {
        @if !problems.is_empty() {
            section {
                h2 { (title) }
                div.card.flush {
                    table {
                        thead { tr { th.number { "Line" } th { "Column" } th { "Problem" } } }
                        tbody {
                            @for problem in problems.iter().take(MAX_SHOWN) {
                                tr {
                                    td.number data-label="Line" { (problem.line) }
                                    td data-label="Column" { (problem.column.as_deref().unwrap_or("–")) }
                                    td data-label="Problem" { (problem.message) }
                                }
                            }
                        }
                    }
                }
                @if problems.len() > MAX_SHOWN { p.quiet { "And " (count(problems.len() - MAX_SHOWN)) " more." } }
            }
        }
    }
}
