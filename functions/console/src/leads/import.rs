//! Leads out of a file: checked first, then brought in, with what is wrong by line.

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use maud::{Markup, html};
use shared::http::Problem;
use shared::intake::{ImportReport, Importing};

use crate::elements::{alert, count, proof, refused};
use crate::fields::Upload;
use crate::frame::{Section, page};
use crate::router::Console;
use crate::visitor::{Admin, Visitor};

/// Problems that are shown; the others are counted.
const MOST_SHOWN: usize = 200;

pub(super) async fn form(Admin { visitor, .. }: Admin, jar: PrivateCookieJar) -> Response {
    shown(&visitor, jar, None, None)
}

pub(super) async fn import(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    jar: PrivateCookieJar,
    Upload { fields, file }: Upload,
) -> Result<Response, Problem> {
    let run = async {
        if file.is_empty() {
            return Err(Problem::field("file", "file_missing", "Choose a file."));
        }
        let line = || Problem::field("from_line", "line_invalid", "A whole number: the line to begin with.");
        let how = Importing {
            assign: fields.is_ticked("assign"),
            dry_run: fields.is_ticked("check"),
            from_line: fields.get("from_line").unwrap_or("1").parse().map_err(|_| line())?,
        };
        shared::admin::import::import(&console.services, &access, &file, how).await
    };
    match run.await {
        Ok(report) => Ok(shown(&visitor, jar, Some(&report), None)),
        Err(problem) if problem.status < 500 => Ok(shown(&visitor, jar, None, Some(&problem))),
        Err(problem) => Err(problem),
    }
}

fn shown(
    visitor: &Visitor,
    jar: PrivateCookieJar,
    report: Option<&ImportReport>,
    problem: Option<&Problem>,
) -> Response {
    let next = report.filter(|report| !report.dry_run).and_then(|report| report.next_line);
    let body = html! {
        @if let Some(report) = report { (result(report)) }
        form.card.narrow method="post" action="/leads/import" enctype="multipart/form-data" {
            (proof(visitor))
            (refused(problem))
            p { "Meta's own export is recognised as it is (CSV or TSV). Any other table needs a header, and a column with names, e-mail "
                "addresses or phone numbers." }
            label { "File, 4 MB at most" input type="file" name="file" accept=".csv,.tsv,.txt,.xls,text/csv" required; }
            label.tick { input type="checkbox" name="assign" value="yes"; "Assign the leads as their pages' integrations do" }
            @if let Some(line) = next { label { "Go on from line" input name="from_line" inputmode="numeric" value=(line); } }
            p.quiet { "Leads that are here are recognised, and brought in once." }
            div.acts { button.primary name="check" value="yes" { "Check the file" } button { "Import" } }
        }
    };
    page(visitor, jar, Section::Leads, "Import leads", &body)
}

fn result(report: &ImportReport) -> Markup {
    let (kind, title) = match (report.dry_run, report.failed) {
        (true, 0) => ("good", "The file is in order. Nothing was written yet."),
        (true, _) => ("warn", "Some lines would be left out. Nothing was written yet."),
        (false, 0) => ("good", "Imported."),
        (false, _) => ("warn", "Imported, but for some lines."),
    };
    let would = if report.dry_run { "would be " } else { "" };
    html! {
        (alert(kind, html! {
            p { b { (title) } }
            ul {
                li { (count(report.created)) " " (would) "new leads" }
                li { (count(report.merged)) " " (would) "added to people who are leads already" }
                li { (count(report.in_before)) " were here before" }
                @if report.failed > 0 { li { (count(report.failed)) " lines cannot be read as leads" } }
            }
            @if let Some(line) = report.next_line { p { "There was no time for the lines from " (count(line)) " on: send the same file again, from that line." } }
        }))
        @if !report.problems.is_empty() {
            section {
                h2 { "Lines with problems" }
                div.card.flush {
                    table {
                        thead { tr { th.number { "Line" } th { "Column" } th { "Problem" } } }
                        tbody {
                            @for problem in report.problems.iter().take(MOST_SHOWN) {
                                tr {
                                    td.number data-label="Line" { (problem.line) }
                                    td data-label="Column" { (problem.column.as_deref().unwrap_or("–")) }
                                    td data-label="Problem" { (problem.message) }
                                }
                            }
                        }
                    }
                }
                @if report.failed > MOST_SHOWN { p.quiet { "And " (count(report.failed - MOST_SHOWN)) " more." } }
            }
        }
    }
}
