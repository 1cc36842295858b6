//! Importing leads from a file: checked first, then imported, with problems by line.

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::error::ErrorCode;
use leadwire::http::{ACT_TIMEOUT, Problem, ProblemCode};
use leadwire::ids::ImportId;
use leadwire::leads::{ImportOptions, ImportReport, RowProblem};
use leadwire::model::lead::file::{ColumnUse, FileColumn};
use leadwire::tr;
use maud::{Markup, html};

use super::{imports, page_file};
use crate::actor::Admin;
use crate::acts::Showing;
use crate::components::{Confirming, Tone, alert, count, csrf_field, problem_alert, with_markup};
use crate::flash::redirect_with;
use crate::form::{Fields, Upload};
use crate::layout::{Section, page};
use crate::session::Visitor;
use crate::state::Console;

const PATH: &str = "/leads/import";
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
    let sent = SentFile::new(fields, file, file_name);
    let page = Page { console: &console, admin: &admin, sent: Some(&sent), confirm: "" };
    let run =
        async { Ok::<_, Problem>(console.rooms.leads.import(&admin.access, &sent.bytes, sent.options()?).await?) };
    match run.await {
        Ok(report) => page.render(jar, Some(&report), None).await,
        Err(problem) if problem.code.is(ErrorCode::RequestReused) => {
            let told = tr!("This import has already started. Its result is in the list below.").into_owned();
            Ok(redirect_with(PATH, jar, Ok(told)).showing(Some(&problem)))
        }
        Err(problem) => Ok(page.render(jar, None, Some(&problem)).await?.showing(Some(&problem))),
    }
}

/// A file with how to import it: chosen just now, or kept by the page of its check.
struct SentFile {
    fields: Fields,
    bytes: Vec<u8>,
    name: Option<String>,
    /// As the page kept it.
    packed: Option<String>,
}

impl SentFile {
    fn new(fields: Fields, chosen: Vec<u8>, name: Option<String>) -> Self {
        match fields.get("packed").map(ToOwned::to_owned) {
            Some(packed) if chosen.is_empty() => Self {
                bytes: page_file::unpack(&packed).unwrap_or_default(),
                name: fields.get("file_name").map(ToOwned::to_owned),
                packed: Some(packed),
                fields,
            },
            _ => Self { fields, bytes: chosen, name, packed: None },
        }
    }

    fn options(&self) -> Result<ImportOptions, Problem> {
        if self.bytes.is_empty() {
            return Err(Problem::field("file", ProblemCode::FileMissing, tr!("Choose a file.")));
        }
        let line = || {
            Problem::field("from_line", ProblemCode::LineInvalid, tr!("Enter a whole number: the line to start from."))
        };
        Ok(ImportOptions {
            id: self.fields.get("import_id").and_then(|id| ImportId::parse(id).ok()),
            timeout: ACT_TIMEOUT,
            file_name: self.name.clone(),
            assign: self.is_assigned(),
            dry_run: self.is_check(),
            fingerprint: self.fields.get("fingerprint").map(ToOwned::to_owned),
            from_line: self.fields.get("from_line").unwrap_or("1").parse().map_err(|_| line())?,
        })
    }

    fn is_assigned(&self) -> bool {
        self.fields.is_ticked("assign")
    }

    fn is_check(&self) -> bool {
        self.fields.is_ticked("check")
    }

    /// The form that imports exactly what was checked, goes on with an import that stopped, or repeats what failed. `None`
    /// if nothing is left to import, or the file has to be chosen for it.
    fn next(&self, visitor: &Visitor, report: Option<&ImportReport>) -> Option<Markup> {
        let as_sent = self.fields.text("from_line");
        let (label, line) = match report {
            Some(report) if report.dry_run => {
                let has_rest = report.created + report.merged > 0 || report.next_line.is_some();
                has_rest.then(|| (tr!("Import this file"), as_sent))?
            }
            Some(report) => (tr!("Continue the import"), report.next_line?.to_string()),
            None => self.packed.is_some().then(|| (tr!("Try again"), as_sent))?,
        };
        let packed = self.packed.clone().or_else(|| page_file::pack(&self.bytes))?;
        let fingerprint = report.map_or_else(|| self.fields.text("fingerprint"), |report| report.fingerprint.clone());
        let fields = [
            ("packed", packed),
            ("file_name", self.name.clone().unwrap_or_default()),
            ("assign", if self.is_assigned() { "yes".to_owned() } else { String::new() }),
            ("from_line", line),
            ("fingerprint", fingerprint),
            ("import_id", ImportId::new().to_string()),
        ];
        Some(html! {
            form method="post" action=(PATH) enctype="multipart/form-data" {
                (csrf_field(visitor))
                @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                button.primary { (label) }
            }
        })
    }
}

/// The page of imports, for one visit.
struct Page<'a> {
    console: &'a Console,
    admin: &'a Admin,
    /// What was submitted.
    sent: Option<&'a SentFile>,
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
        let (imports, users) = tokio::try_join!(
            self.console.rooms.leads.imports(access),
            self.console.rooms.directory.users(&access.scope)
        )?;
        let next = self.sent.and_then(|sent| sent.next(visitor, report));
        // The line from which on a file is imported that has to be chosen again.
        let line = match report {
            _ if next.is_some() => None,
            Some(report) => report.next_line.filter(|_| !report.dry_run).map(|line| line.to_string()),
            None => self.sent.and_then(|sent| sent.fields.get("from_line")).map(ToOwned::to_owned),
        };
        let body = html! {
            @if let (Some(sent), Some(report)) = (self.sent, report) { (result(sent, report, next.as_ref())) }
            @else if let Some(next) = &next { div.card.narrow { (problem_alert(problem)) (next) } }
            form.card.narrow method="post" action=(PATH) enctype="multipart/form-data" {
                (csrf_field(visitor))
                @if next.is_some() { h2 { (tr!("Choose another file")) } } @else { (problem_alert(problem)) }
                p { (tr!("Meta's own export (CSV or TSV) works as it is. Any other table needs a header line, and a column with names, e-mail addresses or phone numbers.")) }
                label { (tr!("File (4 MB at most)")) input type="file" name="file" accept=".csv,.tsv,.txt,.xls,text/csv" required data-most=(MAX_BYTES); }
                label.tick { input type="checkbox" name="assign" value="yes" checked[self.sent.is_some_and(SentFile::is_assigned)]; (tr!("Assign the leads as configured for their pages")) }
                @if let Some(line) = line { label { (tr!("Continue from line")) input name="from_line" inputmode="numeric" value=(line); } }
                p.quiet { (tr!("Leadwire recognises leads that it already has, and does not import them twice.")) }
                div.acts { button.primary name="check" value="yes" { (tr!("Check the file")) } button { (tr!("Import")) } }
            }
            (imports::table(visitor, &imports.items, &users, self.confirm))
        };
        Ok(page(visitor, jar, Section::Leads, &tr!("Import leads"), &body))
    }
}

/// What was done with a file or would be, with the way to go on.
fn result(sent: &SentFile, report: &ImportReport, next: Option<&Markup>) -> Markup {
    let (tone, title) = match (report.dry_run, report.failed) {
        (true, 0) => (Tone::Good, tr!("The file is fine. Nothing has been imported yet.")),
        (true, _) => (Tone::Warn, tr!("Some lines would be skipped. Nothing has been imported yet.")),
        (false, 0) => (Tone::Good, tr!("Imported.")),
        (false, _) => (Tone::Warn, tr!("Imported, except for some lines.")),
    };
    html! {
        @if report.dry_run && !sent.is_check() {
            (alert(Tone::Warn, html! { p { (tr!("Nothing was imported: since the check, a form in this file, its mapping or your default country has changed. Look at the new check, then import.")) } }))
        }
        (alert(tone, html! {
            p { b { (title) } }
            ul {
                li {
                    @if report.dry_run { (tr!([report.created] "{n} new lead to import" | "{n} new leads to import")) }
                    @else { (tr!([report.created] "{n} new lead" | "{n} new leads")) }
                }
                li { (tr!([report.merged] "{n} form from a person who is already a lead" | "{n} forms from people who are already leads")) }
                li { (tr!([report.in_before] "{n} lead already in Leadwire" | "{n} leads already in Leadwire")) }
                @if report.failed > 0 { li { (tr!([report.failed] "{n} line skipped" | "{n} lines skipped")) } }
                @if report.dry_run {
                    li { @if sent.is_assigned() { (tr!("New leads will be assigned as configured for their pages")) } @else { (tr!("New leads will stay unassigned")) } }
                }
            }
            @if report.created + report.merged > 0 && !report.dry_run { p { a href="/leads" { (tr!("View the leads")) } " · " a href="#imports" { (tr!("Undo this import")) } } }
            @if let Some(line) = report.next_line.map(count) {
                p {
                    @if report.dry_run { (tr!("The check stopped before line {line}. Later lines are checked when they are imported.", line = line)) }
                    @else if next.is_some() { (tr!("The import stopped before line {line}.", line = line)) }
                    @else { (tr!("The import stopped before line {line}. Upload the same file again to continue from there.", line = line)) }
                }
            }
            @if let Some(next) = next { (next) }
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
