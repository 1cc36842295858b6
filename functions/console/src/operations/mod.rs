//! How the whole system runs, in one look, for superadmins. It needs no org.

mod parts;
mod words;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::http::Problem;
use leadwire::model::operations::alarms::AlarmBoard;
use leadwire::model::operations::headline::HeadlineTone;
use leadwire::model::operations::series::LookBack;
use leadwire::operations::OperationsView;
use leadwire::tr;
use maud::{Markup, html};
use serde::Deserialize;

use crate::components::{Tone, alert, badge, count, live_fragment, refresh_within, tabs, time, with_markup};
use crate::layout::{PageHead, Section, fragment_or_page, page};
use crate::session::Visitor;
use crate::state::Console;
use crate::zone::Zone;

const PATH: &str = "/operations";
/// CloudWatch's figures are by the minute, and each look at them is paid for.
const REFRESH_S: u32 = 120;

/// How far the page looks back.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    range: String,
}

impl Asked {
    fn look_back(&self) -> LookBack {
        match self.range.as_str() {
            "day" => LookBack::Day,
            "week" => LookBack::Week,
            _ => LookBack::Hour,
        }
    }
}

/// The address below the page, with what is looked back at.
fn path(below: &str, back: LookBack) -> String {
    let range = match back {
        LookBack::Hour => "",
        LookBack::Day => "?range=day",
        LookBack::Week => "?range=week",
    };
    format!("{PATH}{below}{range}")
}

/// What a page shows, and for whom.
struct Look<'a> {
    view: &'a OperationsView,
    back: LookBack,
    zone: &'a Zone,
    stack: &'a str,
}

pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
    zone: Zone,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let back = asked.look_back();
    let view = console.operations.view(&visitor.session.caller, back, leadwire::clock::now()).await?;
    let look = Look { view: &view, back, zone: &zone, stack: console.operations.stack() };
    let body = html! { (live_fragment(&path("/figures", back), &look.content())) (zone.note()) };
    let title = tr!("Operations");
    let ranges =
        [(LookBack::Hour, tr!("Last hour")), (LookBack::Day, tr!("24 hours")), (LookBack::Week, tr!("7 days"))];
    let head = PageHead::new(&title).about(html! { (tr!("How the whole system runs, over all orgs.")) }).tabs(tabs(
        &tr!("Time range"),
        &path("", back),
        ranges.map(|(back, name)| (path("", back), name)),
    ));
    Ok(page(&visitor, jar, Section::Operations, head, &body))
}

/// The figures alone, as they are now.
pub(crate) async fn figures(
    State(console): State<Console>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
    zone: Zone,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let back = asked.look_back();
    let view = console.operations.view(&visitor.session.caller, back, leadwire::clock::now()).await?;
    let look = Look { view: &view, back, zone: &zone, stack: console.operations.stack() };
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Operations, &tr!("Operations")), &look.content()))
}

impl Look<'_> {
    fn content(&self) -> Markup {
        let OperationsView { alarms, moment, flow, .. } = self.view;
        html! {
            (self.headline())
            @if moment.is_none() || flow.is_none() {
                (alert(Tone::Warn, html! { p { (tr!("CloudWatch's figures cannot be read at the moment, and are missing here. That says nothing about the leads.")) } }))
            }
            section { h2 { (tr!("Alarms")) } (self.alarms(alarms.as_ref())) }
            @if let Some(flow) = flow { (self.leads(flow)) }
            @if moment.is_some() || flow.is_some() { section { h2 { (tr!("Queues")) } (parts::queues(moment.as_ref(), flow.as_ref())) } }
            div.halves {
                @if let Some(moment) = moment {
                    section { h2 { (tr!("Integrations")) } (parts::gauge(moment.integrations.as_ref(), words::integration_state)) }
                    section { h2 { (tr!("Ad accounts")) } (parts::gauge(moment.ad_accounts.as_ref(), words::freshness)) }
                }
                @if let Some(flow) = flow {
                    section { h2 { (tr!("Parked leads")) } (parts::parked(flow.parked.as_deref())) }
                    section { h2 { (tr!("Outgoing")) } (parts::outgoing(&flow.ended)) }
                    section { h2 { "Meta" } (parts::meta(flow)) }
                    section { h2 { (tr!("Functions")) } (parts::functions(&flow.functions)) }
                    section { h2 { (tr!("Cost")) } (self.cost(flow)) }
                }
            }
            p.quiet { (with_markup(&tr!("As of {time}."), &[("time", time(self.view.read_at))])) }
            (refresh_within(REFRESH_S, REFRESH_S))
        }
    }

    fn headline(&self) -> Markup {
        let tone = match self.view.tone {
            HeadlineTone::Good => Tone::Good,
            HeadlineTone::Neutral => Tone::Calm,
            HeadlineTone::Warning => Tone::Warn,
            HeadlineTone::Bad => Tone::Bad,
        };
        let (sentence, more) = words::headline(self.view.headline);
        let on = self.view.alarms.as_ref().map(|board| board.on.len());
        alert(
            tone,
            html! {
                p {
                    b { (sentence) } " " (more) " "
                    @match on {
                        None => (tr!("Whether an alarm is on is not known.")),
                        Some(0) => "",
                        Some(on) => (tr!([on] "{n} alarm is on." | "{n} alarms are on.")),
                    }
                }
            },
        )
    }

    fn alarms(&self, board: Option<&AlarmBoard>) -> Markup {
        let Some(board) = board else {
            return alert(
                Tone::Warn,
                html! { p { (tr!("The alarms cannot be read at the moment. They send their mails all the same.")) } },
            );
        };
        html! {
            @if board.watched == 0 {
                (alert(Tone::Warn, html! { p { (tr!("This deployment has no alarms.")) } }))
            } @else if board.on.is_empty() {
                p {
                    (badge(if board.without_data == board.watched { Tone::Dim } else { Tone::Good }, &tr!("No alarm is on")))
                    " " (self.watched(board))
                }
            } @else {
                div.card.flush {
                    table {
                        thead { tr { th { (tr!("Alarm")) } th { (tr!("On since")) } th { (tr!("Meaning")) } th { (tr!("Entry in the runbook")) } } }
                        tbody {
                            @for alarm in &board.on {
                                @let (meaning, heading) = alarm.meaning();
                                tr {
                                    td data-label=(tr!("Alarm")) { (badge(Tone::Bad, alarm.own_name(self.stack).unwrap_or(&alarm.name))) }
                                    td data-label=(tr!("On since")) { @match alarm.since { Some(since) => (time(since)), None => "–" } }
                                    // Descriptions are those of the template.
                                    td data-label=(tr!("Meaning")) lang="en" { (meaning) }
                                    td data-label=(tr!("Entry in the runbook")) lang="en" { b { (heading.unwrap_or("–")) } }
                                }
                            }
                        }
                    }
                }
                p.quiet { (self.watched(board)) }
            }
        }
    }

    fn watched(&self, board: &AlarmBoard) -> Markup {
        html! {
            (tr!([board.watched] "{n} alarm watches the system." | "{n} alarms watch the system."))
            @if board.without_data > 0 { " " (tr!("Without data: {count}.", count = count(board.without_data))) }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use leadwire::model::operations::alarms::{AlarmRecord, AlarmState};
    use leadwire::model::operations::figures::{FlowFigures, SystemMoment};
    use leadwire::model::operations::headline::FlowHeadline;
    use leadwire::model::operations::measure::{Measure, MetricAnswers};
    use leadwire::model::operations::series::MetricSeries;

    use super::*;

    const NOW: &str = "2026-11-30T03:07:42Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    /// What the page shows of these values, each a few minutes old, and of alarms.
    fn shown(back: LookBack, values: &[(Measure, f64)], alarms: Option<AlarmBoard>) -> String {
        let at = "2026-11-30T03:05:00Z".parse().unwrap();
        let series = values.iter().map(|(_, value)| MetricSeries(vec![(at, *value)])).collect();
        let answers = MetricAnswers::new(values.iter().map(|(measure, _)| *measure).collect(), series);
        let moment = SystemMoment::new(&answers, now());
        let headline = FlowHeadline::new(&moment);
        let view = OperationsView {
            read_at: now(),
            headline,
            tone: headline.tone(alarms.as_ref().map(|board| board.on.len())),
            alarms,
            moment: Some(moment),
            flow: Some(FlowFigures::new(&answers, back.window(now()))),
        };
        of_view(&view, back)
    }

    fn of_view(view: &OperationsView, back: LookBack) -> String {
        let zone = Zone::parse("Europe/Berlin");
        Look { view, back, zone: &zone, stack: "acme" }.content().into_string()
    }

    fn working() -> Vec<(Measure, f64)> {
        use leadwire::model::failure::FailureCode;
        use leadwire::model::lead::FoundBy;
        vec![
            (Measure::FunctionRuns("planner"), 5.0),
            (Measure::LeadsStored(FoundBy::Webhook), 1234.0),
            (Measure::LeadsStored(FoundBy::Sweep), 12.0),
            (Measure::LeadSeconds("p50"), 1.84),
            (Measure::LeadSeconds("p95"), 9.46),
            (Measure::LeadsParked(FailureCode::TokenDead), 3.0),
            (Measure::MetaUsage, 87.0),
            (Measure::MetaBlocks("page"), 2.0),
            (Measure::OldestMessage("lead-worker"), 4.0),
            (Measure::DeadLetters("ads-sync"), 7.0),
            (Measure::Integrations("ok"), 41.0),
            (Measure::Integrations("error"), 2.0),
            (Measure::AdAccounts("stale"), 5.0),
            (Measure::Ended("posts", "published"), 30.0),
            (Measure::Ended("posts", "failed"), 10.0),
            (Measure::FunctionErrors("api"), 6.0),
            (Measure::FunctionErrors("webhook"), 0.0),
        ]
    }

    fn board(on: Vec<AlarmRecord>) -> Option<AlarmBoard> {
        Some(AlarmBoard { on, watched: 80, without_data: 3 })
    }

    #[test]
    fn everything_that_is_known_is_shown() {
        let page = shown(LookBack::Hour, &working(), board(Vec::new()));
        for text in [
            "alert good",
            "Leads flow: 1,246 in the last hour.",
            "No alarm is on",
            "80 alarms watch the system. Without data: 3.",
            "<b>1,246</b>",
            "<b>1.8 s</b>",
            "<b>9.5 s</b>",
            "<b>1%</b>",
            "<b>87%</b>",
            "Leads per minute",
            "1,246 (Webhook 1,234, Sweep 12)",
            "30 Nov, 04:05",
            "The connection has ended",
            "<code>token_dead</code>",
            "Published 30 · Failed 10",
            "75%",
            "<code>api</code>",
            "<b>41</b>",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains("<code>webhook</code>"), "it has no errors: {page}");
    }

    #[test]
    fn an_alarm_that_is_on_says_what_to_do_and_nothing_is_green() {
        let alarm = AlarmRecord {
            name: "acme-QueueAgeAlarm-1ABC".to_owned(),
            description: "Leads wait. Runbook: Queue age.".to_owned(),
            state: AlarmState::On,
            since: Some("2026-11-30T02:30:00Z".parse().unwrap()),
            is_composite: false,
        };
        let page = shown(LookBack::Hour, &working(), board(vec![alarm]));
        assert!(page.contains(">QueueAgeAlarm</span>") && page.contains(">Leads wait.<"), "{page}");
        assert!(page.contains("datetime=\"2026-11-30T02:30:00Z\"") && page.contains("<b>Queue age</b>"), "{page}");
        assert!(page.contains("alert warn") && page.contains("1 alarm is on."), "{page}");
        assert!(!page.contains("alert good") && !page.contains("badge good"), "{page}");
    }

    #[test]
    fn silence_is_neither_green_nor_zero() {
        let page = shown(LookBack::Hour, &[], board(Vec::new()));
        assert!(page.contains("alert calm") && page.contains("Whether leads flow is not known."), "{page}");
        assert!(!page.contains("alert good") && !page.contains("<b>0</b>") && !page.contains("<b>0%</b>"), "{page}");
        let quiet = shown(LookBack::Hour, &[(Measure::FunctionRuns("planner"), 5.0)], board(Vec::new()));
        assert!(quiet.contains("alert calm") && quiet.contains("No lead in the last hour."), "{quiet}");
        assert!(!quiet.contains("alert good") && quiet.contains("<b>0</b>"), "{quiet}");
        let without_data = Some(AlarmBoard { on: Vec::new(), watched: 3, without_data: 3 });
        assert!(!shown(LookBack::Hour, &[], without_data).contains("badge good"));
        let none = Some(AlarmBoard { on: Vec::new(), watched: 0, without_data: 0 });
        assert!(shown(LookBack::Hour, &[], none).contains("This deployment has no alarms."));
    }

    #[test]
    fn what_could_not_be_read_is_said() {
        let page = shown(LookBack::Hour, &working(), None);
        assert!(page.contains("The alarms cannot be read at the moment."), "{page}");
        assert!(page.contains("alert calm") && page.contains("Whether an alarm is on is not known."), "{page}");
        let nothing = OperationsView {
            read_at: now(),
            headline: FlowHeadline::Unknown,
            tone: HeadlineTone::Neutral,
            alarms: None,
            moment: None,
            flow: None,
        };
        let page = of_view(&nothing, LookBack::Week);
        assert!(page.contains("CloudWatch's figures cannot be read at the moment"), "{page}");
        assert!(page.contains("data-again-in"), "it is tried again: {page}");
        assert!(!page.contains("class=\"figures\"") && !page.contains("badge good"), "{page}");
    }

    #[test]
    fn a_day_has_its_cost_and_says_what_is_not_in_it() {
        use leadwire::model::operations::measure::BilledTable;
        let mut values = working();
        values.push((Measure::WriteUnits(BilledTable::Main), 2e6));
        let page = shown(LookBack::Day, &values, board(Vec::new()));
        assert!(page.contains("<b>1.25\u{a0}USD</b>") && page.contains("Leads per half hour"), "{page}");
        let page = shown(LookBack::Day, &working(), board(Vec::new()));
        assert!(page.contains("not known") && !page.contains("USD"), "{page}");
        assert!(shown(LookBack::Week, &working(), None).contains("href=\"/operations?range=day\""));
    }

    #[test]
    fn an_address_that_is_not_known_looks_back_an_hour() {
        let asked = |range: &str| Asked { range: range.to_owned() }.look_back();
        assert_eq!(
            ["", "day", "week", "year"].map(asked),
            [LookBack::Hour, LookBack::Day, LookBack::Week, LookBack::Hour]
        );
        assert_eq!(path("/figures", LookBack::Week), "/operations/figures?range=week");
    }
}
