//! What an integration reports to Meta of its leads' progress: the dataset, the event of each status, how far leads are
//! followed, and what was not reported.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::conversions::{
    ConversionOutcome, ConversionOutcomes, ConversionsIn, ConversionsOut, Coverage, DatasetOut, TestEventIn,
};
use leadwire::error::ErrorCode;
use leadwire::http::path::Id;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::{DatasetId, IntegrationId};
use leadwire::language::translate;
use leadwire::model::conversion::ConversionState;
use leadwire::model::lead::Status;
use leadwire::tr;
use maud::{Markup, html};

use super::tabs::Tab;
use crate::actor::Admin;
use crate::acts::Showing;
use crate::components::{
    Tone, alert, badge, count, csrf_field, field_problem, is_wrong, percent, problem_alert, time, with_markup,
};
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::leads::{STATUSES, status_badge};
use crate::messages;
use crate::session::Visitor;
use crate::state::Console;

/// The choice of a dataset that is not in the list.
const OTHER: &str = "other";

/// A form that was refused: which of the two, what was typed, and why.
struct Rejected<'a> {
    is_test: bool,
    fields: &'a Fields,
    problem: &'a Problem,
}

pub(super) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Id(id): Id<IntegrationId>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    render(&console, &admin, &id, None, jar).await
}

async fn render(
    console: &Console,
    Admin { visitor, access }: &Admin,
    id: &IntegrationId,
    rejected: Option<Rejected<'_>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let stored = async {
        tokio::try_join!(
            console.rooms.connections.integration(access, id),
            console.rooms.conversions.get(access, id),
            console.rooms.conversions.outcomes(access, id),
        )
    };
    // Without the list, a dataset can still be named by its id, and reporting be turned off.
    let (stored, datasets) = tokio::join!(stored, console.rooms.conversions.datasets(access, id));
    let ((integration, now, outcomes), datasets) = (stored?, datasets.map_err(Problem::from));
    let form = Form {
        datasets: datasets.as_ref().map_or(&[][..], |list| &list.items),
        now: &now,
        rejected: rejected.as_ref().filter(|it| !it.is_test),
    };
    let path = Tab::Quality.path(id);
    let body = html! {
        p { (tr!("Meta shows your ads to people like those who became customers, once it learns what became of your leads. Each status that a lead reaches here is reported once, within minutes.")) }
        @if let Some(fault) = &now.fault {
            (alert(Tone::Warn, html! {
                p { b { (tr!("Reports are paused.")) " " } (translate(&fault.message)) }
                p.fix {
                    (with_markup(
                        &tr!("Leadwire tries again on {time} and reports the original times. Meta accepts them for seven days."),
                        &[("time", time(fault.paused_until))],
                    ))
                }
            }))
        }
        @if let Err(problem) = &datasets {
            (alert(Tone::Warn, html! { p { (tr!("The datasets cannot be listed now: {problem}", problem = messages::text(problem))) } }))
        }
        div.columns {
            div {
                (coverage(now.dataset_id.is_some(), &now.coverage))
                section { h2 { (tr!("What is reported")) } (form.show(visitor, &path)) }
            }
            aside {
                (what_became(&outcomes))
                @if now.dataset_id.is_some() { (test_form(visitor, &path, &now, rejected.as_ref().filter(|it| it.is_test))) }
            }
        }
    };
    Ok(Tab::Quality.page(visitor, jar, &integration, &body))
}

fn coverage(is_on: bool, coverage: &Coverage) -> Markup {
    let share = coverage.share.map(|share| (share * rust_decimal::Decimal::ONE_HUNDRED).round_dp(1).normalize());
    html! {
        section.card {
            h2 { (tr!("Coverage of the last {days} days", days = coverage.days)) }
            div.figures {
                div { span { (tr!("Leads reported")) } b { (count(coverage.leads)) } }
                div { span { (tr!("With a later status in time")) } b { (count(coverage.followed)) } }
                div { span { (tr!("a ratio" => "Share")) } b { @match share { Some(share) => (percent(&share.to_string())), None => "–" } } }
            }
            p {
                @if !is_on { (badge(Tone::Dim, &tr!("Off"))) " " (tr!("Nothing is reported at the moment.")) }
                @else if coverage.leads == 0 { (badge(Tone::Calm, &tr!("Waiting"))) " " (tr!("No lead has been reported yet. The next one is reported when it arrives.")) }
                @else if coverage.followed == 0 {
                    (badge(Tone::Warn, &tr!("No progress yet"))) " "
                    (tr!([coverage.leads] "{n} lead was reported to Meta, but no later status. Change the status of leads as your team works on them."
                        | "{n} leads were reported to Meta, but no later status. Change the status of leads as your team works on them."))
                } @else {
                    (badge(Tone::Good, &tr!("Reported"))) " "
                    (tr!([coverage.leads] "Of {n} lead, {followed} reached a later status within {days} days of its submission."
                        | "Of {n} leads, {followed} reached a later status within {days} days of their submission.",
                        followed = count(coverage.followed), days = coverage.days))
                }
            }
            p.quiet { (tr!("Meta counts a lead if a later status follows within {days} days. For your ads, choose a status that 1 to 40 of 100 leads reach: from that, Meta learns most.", days = coverage.days)) }
        }
    }
}

/// The settings form: what is stored, or what was typed and refused.
struct Form<'a> {
    datasets: &'a [DatasetOut],
    now: &'a ConversionsOut,
    rejected: Option<&'a Rejected<'a>>,
}

impl Form<'_> {
    /// The text of a field: as typed if the form was refused, otherwise as stored.
    fn text(&self, name: &str, stored: impl FnOnce() -> String) -> String {
        self.rejected.map_or_else(stored, |rejected| rejected.fields.text(name))
    }

    fn show(&self, visitor: &Visitor, path: &str) -> Markup {
        let problem = self.rejected.map(|rejected| rejected.problem);
        let stored = self.now.dataset_id.as_ref();
        let is_listed = |id: &str| self.datasets.iter().any(|dataset| dataset.id.as_str() == id);
        let is_on = self.rejected.map_or(stored.is_some(), |rejected| rejected.fields.is_ticked("on"));
        let chosen = self.text("dataset_id", || match stored {
            Some(id) if is_listed(id.as_str()) => id.to_string(),
            Some(_) => OTHER.to_owned(),
            // The one that was made for this.
            None => {
                let crm = self.datasets.iter().find(|dataset| dataset.is_crm).or(self.datasets.first());
                crm.map_or_else(|| OTHER.to_owned(), |dataset| dataset.id.to_string())
            }
        });
        let other = self.text("dataset_other", || {
            stored.filter(|id| !is_listed(id.as_str())).map(ToString::to_string).unwrap_or_default()
        });
        let code = self.text("test_event_code", || self.now.test_event_code.clone().unwrap_or_default());
        html! {
            form.card method="post" action={ (path) "#refused" } {
                (csrf_field(visitor))
                // At a field, the problem stands below it.
                @if problem.is_some_and(|problem| !is_field(problem)) { (problem_alert(problem)) }
                @else if problem.is_some() { div #refused { (alert(Tone::Bad, html! { p { (tr!("Nothing was saved. Correct the marked field.")) } })) } }
                label.tick { input type="checkbox" name="on" value="yes" checked[is_on]; (tr!("Report the progress of leads to Meta")) }
                label {
                    (tr!("Dataset"))
                    select name="dataset_id" aria-invalid=[is_wrong(problem, "dataset_id")] aria-describedby=[is_wrong(problem, "dataset_id").map(|_| "dataset_id-mistake")] {
                        @for dataset in self.datasets {
                            option value=(dataset.id) selected[chosen == dataset.id.as_str()] {
                                @if dataset.is_crm { (tr!("{name} (for CRM events)", name = dataset.name)) } @else { (dataset.name) }
                                " · " (dataset.id)
                            }
                        }
                        option value=(OTHER) selected[chosen == OTHER] { (tr!("Another one, by its id")) }
                    }
                }
                (field_problem(problem, "dataset_id"))
                div.other {
                    label {
                        (tr!("Id of another dataset"))
                        input name="dataset_other" value=(other) inputmode="numeric" autocomplete="off" aria-invalid=[is_wrong(problem, "dataset_other")] aria-describedby=[is_wrong(problem, "dataset_other").map(|_| "dataset_other-mistake")];
                    }
                    (field_problem(problem, "dataset_other"))
                    p.quiet.hint { (tr!("Only for “Another one”. A dataset is made in Meta's Events Manager: Connect data, then CRM.")) }
                }
                fieldset {
                    legend { (tr!("The event of each status")) }
                    p.quiet { (tr!("Leave a name empty, and this status is not reported. Meta wants every stage, from the first one on.")) }
                    @for (status, value) in STATUSES {
                        @let name = format!("events.{value}");
                        label {
                            (status_badge(status))
                            input name=(name) value=(self.text(&name, || self.now.events.get(&status).cloned().unwrap_or_default())) maxlength="50"
                                placeholder=(tr!("Not reported")) autocomplete="off" aria-invalid=[is_wrong(problem, &name)] aria-describedby=[is_wrong(problem, &name).map(|_| format!("{name}-mistake"))];
                        }
                        (field_problem(problem, &name))
                    }
                }
                details open[!code.is_empty() || is_wrong(problem, "test_event_code").is_some()] {
                    summary { (tr!("Mark events as tests")) }
                    label {
                        (tr!("Test event code"))
                        input name="test_event_code" value=(code) autocomplete="off" aria-invalid=[is_wrong(problem, "test_event_code")] aria-describedby=[is_wrong(problem, "test_event_code").map(|_| "test_event_code-mistake")];
                    }
                    (field_problem(problem, "test_event_code"))
                    p.quiet { (tr!("For 24 hours, events are sent with this code and appear on Meta's Test Events page. They count like all others.")) }
                }
                button.primary { (tr!("Save")) }
            }
        }
    }
}

/// Whether a problem stands at one of the form's fields.
fn is_field(problem: &Problem) -> bool {
    let field = problem.field.as_deref().unwrap_or_default();
    ["dataset_id", "dataset_other", "test_event_code"].contains(&field)
        || STATUSES.iter().any(|(_, value)| field.strip_prefix("events.") == Some(value))
}

fn what_became(found: &ConversionOutcomes) -> Markup {
    let label = |outcome: &ConversionOutcome| match outcome.state {
        ConversionState::Sent => badge(Tone::Good, &tr!("Reported")),
        ConversionState::Pending => badge(Tone::Calm, &tr!("To be reported")),
        ConversionState::NotSent => badge(Tone::Dim, &tr!("Not reported")),
    };
    html! {
        section.card {
            h2 { (tr!("What happened to the reports")) }
            @if found.leads == 0 { p.quiet { (tr!("This integration's pages have no leads yet.")) } }
            @else {
                p.quiet {
                    (tr!([found.leads] "{n} lead of this integration's pages, with each status that it reached."
                        | "The newest {n} leads of this integration's pages, with each status that they reached."))
                }
                ul.runs {
                    @for outcome in &found.outcomes {
                        li {
                            (label(outcome)) " " b { (count(outcome.count)) }
                            @if let Some(reason) = &outcome.reason_message { p { (reason) } }
                            p.quiet {
                                @for (index, lead) in outcome.lead_ids.iter().enumerate() {
                                    @if index > 0 { ", " }
                                    a href={ "/leads/" (lead) } { (tr!("Lead {number}", number = index + 1)) }
                                }
                            }
                        }
                    }
                    @if found.leads_without_report > 0 {
                        li { (badge(Tone::Dim, &tr!("Nothing to report"))) " " b { (count(found.leads_without_report)) } p { (tr!("These leads arrived before you selected a dataset, and still have their first status.")) } }
                    }
                }
            }
        }
    }
}

fn test_form(visitor: &Visitor, path: &str, now: &ConversionsOut, rejected: Option<&Rejected<'_>>) -> Markup {
    let problem = rejected.map(|rejected| rejected.problem);
    let code = rejected.map_or_else(
        || now.test_event_code.clone().unwrap_or_default(),
        |rejected| rejected.fields.text("test_event_code"),
    );
    html! {
        section.card {
            h2 #test { (tr!("Try it")) }
            p.quiet { (tr!("Sends one event that belongs to no lead. Meta's Test Events page shows it within seconds.")) }
            form method="post" action={ (path) "/test#test" } {
                (csrf_field(visitor))
                label {
                    (tr!("Code of the Test Events page"))
                    input name="test_event_code" value=(code) autocomplete="off" required aria-invalid=[problem.map(|_| "true")] aria-describedby=[problem.map(|_| "test-mistake")];
                }
                @if let Some(problem) = problem { p.wrong #test-mistake { (messages::text(problem)) } }
                button { (tr!("Send a test event")) }
            }
        }
    }
}

/// What a form asks for.
fn input(fields: &Fields) -> Result<ConversionsIn, Problem> {
    let name = |value: &str| format!("events.{value}");
    let chosen = STATUSES.iter().filter_map(|(status, value)| Some((*status, fields.get(&name(value))?.to_owned())));
    let events: BTreeMap<Status, String> = chosen.collect();
    if !fields.is_ticked("on") {
        return Ok(ConversionsIn { dataset_id: None, events: None, test_event_code: None });
    }
    let field = if fields.get("dataset_id") == Some(OTHER) { "dataset_other" } else { "dataset_id" };
    let dataset_id = DatasetId::parse(fields.get(field).unwrap_or_default()).map_err(|_| {
        let detail = tr!("Choose a dataset, or enter the digits of its id as the Events Manager shows them.");
        Problem::field(field, ProblemCode::FieldInvalid, detail)
    })?;
    if events.is_empty() {
        let detail = tr!("Name at least one event. To report nothing, turn reporting off.");
        return Err(Problem::field("events.new", ProblemCode::FieldInvalid, detail));
    }
    let test_event_code = fields.get("test_event_code").map(ToOwned::to_owned);
    Ok(ConversionsIn { dataset_id: Some(dataset_id), events: Some(events), test_event_code })
}

pub(super) async fn save(
    Id(id): Id<IntegrationId>,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Result<Response, Problem> {
    let change =
        async { Ok::<_, Problem>(console.rooms.conversions.change(&admin.access, &id, input(&fields)?).await?) };
    match change.await {
        Ok(now) => {
            let text = if now.dataset_id.is_some() {
                tr!("Saved. The progress of leads is reported.")
            } else {
                tr!("Saved. Nothing is reported.")
            };
            Ok(redirect_with(&Tab::Quality.path(&id), jar, Ok(text.into_owned())))
        }
        Err(problem) if problem.status == 404 => Err(problem),
        Err(mut problem) => {
            // The room knows one field for both.
            if problem.code.is(ErrorCode::DatasetUnknown) && fields.get("dataset_id") == Some(OTHER) {
                problem.field = Some("dataset_other".into());
            }
            let rejected = Rejected { is_test: false, fields: &fields, problem: &problem };
            Ok(render(&console, &admin, &id, Some(rejected), jar).await?.showing(Some(&problem)))
        }
    }
}

pub(super) async fn test(
    Id(id): Id<IntegrationId>,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Result<Response, Problem> {
    let input = TestEventIn { test_event_code: fields.text("test_event_code") };
    match console.rooms.conversions.send_test_event(&admin.access, &id, input).await.map_err(Problem::from) {
        Ok(sent) => {
            let text = tr!(
                "Meta accepted the event “{name}”. Its Test Events page shows it within seconds.",
                name = sent.event_name
            );
            Ok(redirect_with(&Tab::Quality.path(&id), jar, Ok(text)))
        }
        Err(problem) if problem.status == 404 => Err(problem),
        Err(problem) => {
            let rejected = Rejected { is_test: true, fields: &fields, problem: &problem };
            Ok(render(&console, &admin, &id, Some(rejected), jar).await?.showing(Some(&problem)))
        }
    }
}

#[cfg(test)]
mod tests {
    use leadwire::model::conversion::default_events;

    use super::*;

    fn typed(changed: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::new(vec![("on".into(), "yes".into()), ("dataset_id".into(), "77".into())]);
        for (status, event) in default_events() {
            fields.set(&format!("events.{status}"), &event);
        }
        changed.iter().for_each(|(name, value)| fields.set(name, value));
        fields
    }

    #[test]
    fn the_form_is_what_it_says() {
        let wanted = input(&typed(&[])).unwrap();
        assert_eq!(wanted.dataset_id.unwrap().as_str(), "77");
        assert_eq!(wanted.events, Some(default_events()), "each status has a name of its own in the form");
        let wanted = input(&typed(&[("events.lost", " "), ("dataset_id", OTHER), ("dataset_other", "78")])).unwrap();
        assert_eq!(wanted.dataset_id.unwrap().as_str(), "78");
        assert!(!wanted.events.unwrap().contains_key(&Status::Lost), "an empty name is not reported");
        assert_eq!(input(&typed(&[("on", "")])).unwrap().dataset_id, None);
    }

    #[test]
    fn a_mistake_is_named_by_its_field() {
        let field = |changed: &[(&str, &str)]| {
            let problem = input(&typed(changed)).unwrap_err();
            assert!(is_field(&problem), "{problem:?}");
            problem.field.unwrap()
        };
        assert_eq!(field(&[("dataset_id", OTHER), ("dataset_other", "my dataset")]), "dataset_other");
        assert_eq!(field(&[("dataset_id", "")]), "dataset_id");
        let none = STATUSES.map(|(_, value)| format!("events.{value}"));
        let none: Vec<(&str, &str)> = none.iter().map(|name| (name.as_str(), "")).collect();
        assert_eq!(field(&none), "events.new");
    }
}
