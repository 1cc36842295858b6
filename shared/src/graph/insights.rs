//! Insights: what ads did, day by day, in the account's own days.
//!
//! Every scalar is text, what is nought is left out, and there is a row only where something was delivered. An edge shows
//! no deleted or archived objects' rows unless the filter names their status. A question can be asked plainly, or as a
//! report that Meta makes in its own time; either can turn out too large, and then has to be asked about less.

use std::time::Duration;

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::of_report;
use super::{Graph, GraphError, Metered, Page, read};
use crate::ids::{AdAccountId, AdObjectId};
use crate::model::ad_object::AdObjectKind;
use crate::model::insights::Metrics;
use crate::secret::AccessToken;

/// Meta computes an answer while one waits.
const PATIENCE: Duration = Duration::from_mins(1);
/// Rows to a response page. More does not help: Meta caps it.
const ROWS: &str = "500";
/// Every effective status an ad can have: those that are not named are left out of the rows.
const ALL_STATUSES: [&str; 12] = [
    "ACTIVE",
    "PAUSED",
    "DELETED",
    "PENDING_REVIEW",
    "DISAPPROVED",
    "PREAPPROVED",
    "PENDING_BILLING_INFO",
    "CAMPAIGN_PAUSED",
    "ARCHIVED",
    "ADSET_PAUSED",
    "IN_PROCESS",
    "WITH_ISSUES",
];
/// No number of an ad's day is larger: what is, is none.
const LARGEST: u64 = 1_000_000_000_000_000;

/// Which numbers. Meta can fail for a single field of a single ad's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fields {
    /// All that we know.
    All,
    /// Without the list of actions.
    WithoutActions,
    /// Without plays of videos.
    WithoutVideo,
    /// Without either.
    Core,
}

/// A question about ads' days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The first day.
    pub since: Date,
    /// The last.
    pub until: Date,
    /// Only about these objects.
    pub within: Option<(AdObjectKind, Vec<AdObjectId>)>,
    /// Which numbers.
    pub fields: Fields,
}

/// A row that says whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdRow {
    /// The ad.
    pub ad: (AdObjectId, String),
    /// Its ad set.
    pub adset: (AdObjectId, String),
    /// Its campaign.
    pub campaign: (AdObjectId, String),
    /// The day and its numbers; conversions are not counted yet.
    pub day: DayRow,
}

/// A day's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// In the account's zone.
    pub day: Date,
    /// Without conversions.
    pub metrics: Metrics,
}

/// One response page of rows; what is not a row says why.
#[derive(Debug)]
pub struct RowPage<T> {
    /// In Meta's order. A row may come twice.
    pub rows: Vec<Result<T, String>>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// How far a report is.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportState {
    /// Meta is making it. So many percent are done.
    Running(u8),
    /// Its rows can be read.
    Done,
    /// Meta forgot it. It has to be asked for anew.
    Skipped,
    /// Meta could not make it.
    Failed(GraphError),
}

fn columns(fields: Fields) -> String {
    let mut columns = "account_id,campaign_id,campaign_name,adset_id,adset_name,ad_id,ad_name,impressions,clicks,spend,reach,frequency"
        .to_owned();
    if matches!(fields, Fields::All | Fields::WithoutVideo) {
        columns.push_str(",actions");
    }
    if matches!(fields, Fields::All | Fields::WithoutActions) {
        columns.push_str(&VIDEO.map(|name| format!(",{name}")).concat());
    }
    columns
}

const VIDEO: [&str; 4] = [
    "video_p25_watched_actions",
    "video_p50_watched_actions",
    "video_p75_watched_actions",
    "video_p100_watched_actions",
];

fn range(since: Date, until: Date) -> String {
    json!({ "since": since, "until": until }).to_string()
}

impl Question {
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut filters = vec![json!({ "field": "ad.effective_status", "operator": "IN", "value": ALL_STATUSES })];
        if let Some((kind, ids)) = &self.within {
            let field = match kind {
                AdObjectKind::Campaign => "campaign.id",
                AdObjectKind::Adset => "adset.id",
                AdObjectKind::Ad => "ad.id",
            };
            filters.push(json!({ "field": field, "operator": "IN", "value": ids }));
        }
        vec![
            ("level", "ad".to_owned()),
            ("fields", columns(self.fields)),
            ("time_range", range(self.since, self.until)),
            ("time_increment", "1".to_owned()),
            ("filtering", Value::from(filters).to_string()),
        ]
    }
}

impl Graph {
    /// A response page of ads' days.
    pub async fn ad_insights(
        &self,
        account: &AdAccountId,
        question: &Question,
        after: Option<&str>,
        token: &AccessToken,
    ) -> Metered<RowPage<AdRow>> {
        let request = self.http.get(self.url(&format!("{account}/insights"))).query(&question.parameters());
        self.rows(request, after, token, ad_row).await
    }

    /// A response page of the account's own days, which include all there ever was in it.
    pub async fn account_insights(
        &self,
        account: &AdAccountId,
        since: Date,
        until: Date,
        after: Option<&str>,
        token: &AccessToken,
    ) -> Metered<RowPage<DayRow>> {
        let fields = format!("account_id,impressions,clicks,spend,reach,frequency,actions,{}", VIDEO.join(","));
        let request = self.http.get(self.url(&format!("{account}/insights"))).query(&[
            ("level", "account"),
            ("fields", &fields),
            ("time_range", &range(since, until)),
            ("time_increment", "1"),
        ]);
        self.rows(request, after, token, day_row).await
    }

    /// The objects of one kind that were delivered in a question's days and objects. Lists of objects do not show all of
    /// them; their numbers do.
    pub async fn delivered(
        &self,
        account: &AdAccountId,
        question: &Question,
        kind: AdObjectKind,
        after: Option<&str>,
        token: &AccessToken,
    ) -> Metered<RowPage<AdObjectId>> {
        let (level, column) = match kind {
            AdObjectKind::Campaign => ("campaign", "campaign_id"),
            AdObjectKind::Adset => ("adset", "adset_id"),
            AdObjectKind::Ad => ("ad", "ad_id"),
        };
        let mut parameters = question.parameters();
        parameters.retain(|(name, _)| !matches!(*name, "level" | "fields" | "time_increment"));
        parameters.extend([("level", level.to_owned()), ("fields", column.to_owned())]);
        let request = self.http.get(self.url(&format!("{account}/insights"))).query(&parameters);
        self.rows(request, after, token, |row| id(row, column)).await
    }

    /// Asks for a report; answers its id.
    pub async fn ask_for_report(
        &self,
        account: &AdAccountId,
        question: &Question,
        token: &AccessToken,
    ) -> Metered<String> {
        #[derive(Deserialize)]
        struct Asked {
            report_run_id: Value,
        }
        let request = self.http.post(self.url(&format!("{account}/insights"))).form(&question.parameters());
        self.send_metered(self.authorised(request.timeout(PATIENCE), token)).await.read_as(|body| {
            // Documents print a number, servers send text.
            match read::<Asked>(body)?.report_run_id {
                Value::String(id) => Ok(id),
                Value::Number(id) => Ok(id.to_string()),
                _ => Err(GraphError::Garbage { status: 200 }),
            }
        })
    }

    /// How far a report is.
    pub async fn report(&self, id: &str, token: &AccessToken) -> Metered<ReportState> {
        let fields = "async_status,async_percent_completion,error_code,error_subcode,error_message";
        let request = self.http.get(self.url(id)).query(&[("fields", fields)]);
        self.send_metered(self.authorised(request, token)).await.read_as(|body| read(body).map(report_state))
    }

    /// A response page of a report that is done.
    pub async fn report_rows(&self, id: &str, after: Option<&str>, token: &AccessToken) -> Metered<RowPage<AdRow>> {
        self.rows(self.http.get(self.url(&format!("{id}/insights"))), after, token, ad_row).await
    }

    async fn rows<T>(
        &self,
        request: reqwest::RequestBuilder,
        after: Option<&str>,
        token: &AccessToken,
        row: impl Fn(&Value) -> Result<T, String>,
    ) -> Metered<RowPage<T>> {
        let request = request.query(&[("limit", ROWS)]).timeout(PATIENCE);
        let request = if let Some(after) = after { request.query(&[("after", after)]) } else { request };
        self.send_metered(self.authorised(request, token)).await.read_as(|body| {
            let page: Page<Value> = read(body)?;
            Ok(RowPage { next: page.next(), rows: page.data.iter().map(row).collect() })
        })
    }
}

#[derive(Deserialize)]
struct ReportRun {
    #[serde(default)]
    async_status: String,
    #[serde(default)]
    async_percent_completion: u8,
    error_code: Option<i64>,
    error_subcode: Option<i64>,
    error_message: Option<String>,
}

fn report_state(run: ReportRun) -> ReportState {
    match run.async_status.as_str() {
        // One hundred percent can come before the status, and the status before one hundred percent.
        "Job Completed" if run.async_percent_completion >= 100 => ReportState::Done,
        "Job Skipped" => ReportState::Skipped,
        "Job Failed" => {
            let message = run.error_message.unwrap_or_default();
            ReportState::Failed(of_report(run.error_code.unwrap_or(1), run.error_subcode, &message))
        }
        _ => ReportState::Running(run.async_percent_completion.min(99)),
    }
}

fn id(row: &Value, name: &str) -> Result<AdObjectId, String> {
    serde_json::from_value(row.get(name).cloned().unwrap_or_default()).map_err(|error| format!("{name}: {error}"))
}

fn ad_row(row: &Value) -> Result<AdRow, String> {
    let name = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ad = id(row, "ad_id")?;
    let of_ad = |error: String| format!("ad {ad}: {error}");
    Ok(AdRow {
        adset: (id(row, "adset_id").map_err(of_ad)?, name("adset_name")),
        campaign: (id(row, "campaign_id").map_err(of_ad)?, name("campaign_name")),
        day: day_row(row).map_err(of_ad)?,
        ad: (ad.clone(), name("ad_name")),
    })
}

fn day_row(row: &Value) -> Result<DayRow, String> {
    let day = |name: &str| row.get(name).and_then(Value::as_str).and_then(|text| text.parse::<Date>().ok());
    let (Some(start), Some(stop)) = (day("date_start"), day("date_stop")) else {
        return Err("it names no day".to_owned());
    };
    if start != stop {
        return Err(format!("it is of {start} to {stop}, and not of a day"));
    }
    metrics(row).map(|metrics| DayRow { day: start, metrics }).map_err(|error| format!("{start}, {error}"))
}

fn metrics(row: &Value) -> Result<Metrics, String> {
    let whole = |name: &str| number(row, name)?.map(|number| whole(number, name)).transpose();
    let mut actions = std::collections::BTreeMap::new();
    for action in row.get("actions").and_then(Value::as_array).into_iter().flatten() {
        let kind = action.get("action_type").and_then(Value::as_str);
        if let (Some(kind), Some(value)) = (kind, number(action, "value")?) {
            actions.insert(kind.to_owned(), value);
        }
    }
    let mut video_views = [0; 4];
    for (views, name) in video_views.iter_mut().zip(VIDEO) {
        for action in row.get(name).and_then(Value::as_array).into_iter().flatten() {
            *views += number(action, "value")?.map(|number| self::whole(number, name)).transpose()?.unwrap_or_default();
        }
    }
    Ok(Metrics {
        impressions: whole("impressions")?.unwrap_or_default(),
        clicks: whole("clicks")?.unwrap_or_default(),
        spend: number(row, "spend")?.unwrap_or_default(),
        reach: whole("reach")?,
        frequency: number(row, "frequency")?,
        conversions: 0,
        video_views,
        actions,
    })
}

/// A number as text, or as a number; nothing where there is nothing.
fn number(of: &Value, name: &str) -> Result<Option<Decimal>, String> {
    let text = match of.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(format!("{name} is not a number")),
    };
    let number = text.parse::<Decimal>().ok().filter(|number| number.abs() < Decimal::from(LARGEST));
    let number = number.ok_or_else(|| format!("{name} is {}", text.chars().take(40).collect::<String>()))?;
    Ok(Some(number.normalize()))
}

fn whole(number: Decimal, name: &str) -> Result<u64, String> {
    number.to_u64().filter(|_| number.is_integer()).ok_or_else(|| format!("{name} is {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(more: &Value) -> Value {
        let mut row = json!({"ad_id": "1", "adset_id": "2", "campaign_id": "3", "date_start": "2026-01-01", "date_stop": "2026-01-01"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    }

    #[test]
    fn what_is_left_out_is_nought_and_reach_unknown() {
        let metrics = ad_row(&row(&json!({"spend": "1.50", "impressions": "12", "clicks": null, "frequency": ""})))
            .unwrap()
            .day
            .metrics;
        assert_eq!((metrics.impressions, metrics.clicks, metrics.spend.to_string().as_str()), (12, 0, "1.5"));
        assert_eq!((metrics.reach, metrics.frequency), (None, None));
    }

    #[test]
    fn actions_and_videos_are_read() {
        let metrics = ad_row(&row(&json!({
            "actions": [{"action_type": "lead", "value": "3", "7d_click": "2"}, {"action_type": "like"}, 7],
            "video_p50_watched_actions": [{"action_type": "video_view", "value": "40"}],
        })))
        .unwrap()
        .day
        .metrics;
        assert_eq!(metrics.actions.into_iter().collect::<Vec<_>>(), [("lead".to_owned(), Decimal::from(3))]);
        assert_eq!(metrics.video_views, [0, 40, 0, 0]);
    }

    #[test]
    fn what_is_no_number_sinks_its_row_and_says_which() {
        for (odd, said) in [
            (json!({"spend": "1e400"}), "ad 1: 2026-01-01, spend is 1e400"),
            (json!({"impressions": "-5"}), "ad 1: 2026-01-01, impressions is -5"),
            (json!({"clicks": "1.5"}), "ad 1: 2026-01-01, clicks is 1.5"),
            (json!({"impressions": "99999999999999999999"}), "ad 1: 2026-01-01, impressions is 99999999999999999999"),
            (json!({"reach": "NaN"}), "ad 1: 2026-01-01, reach is NaN"),
            (json!({"spend": {}}), "ad 1: 2026-01-01, spend is not a number"),
            (json!({"date_stop": "2026-01-02"}), "ad 1: it is of 2026-01-01 to 2026-01-02, and not of a day"),
            (json!({"date_start": "today"}), "ad 1: it names no day"),
            (json!({"actions": [{"action_type": "lead", "value": "x"}]}), "ad 1: 2026-01-01, value is x"),
        ] {
            assert_eq!(ad_row(&row(&odd)).unwrap_err(), said);
        }
        assert!(ad_row(&json!({"date_start": "2026-01-01"})).is_err());
        let refund = ad_row(&row(&json!({"spend": "-0.50"}))).unwrap();
        assert_eq!(refund.day.metrics.spend.to_string(), "-0.5", "money can be given back");
        let plain = ad_row(&row(&json!({"impressions": 12, "spend": 0.5}))).unwrap();
        assert_eq!((plain.day.metrics.impressions, plain.day.metrics.spend.to_string().as_str()), (12, "0.5"));
    }

    #[test]
    fn a_report_is_done_only_when_both_say_so() {
        let state = |body: Value| report_state(read(body).unwrap());
        let of =
            |status: &str, percent: u8| state(json!({"async_status": status, "async_percent_completion": percent}));
        assert_eq!(of("Job Not Started", 0), ReportState::Running(0));
        assert_eq!(of("Job Running", 100), ReportState::Running(99));
        assert_eq!(of("Job Completed", 99), ReportState::Running(99));
        assert_eq!(of("Job Completed", 100), ReportState::Done);
        assert_eq!(of("Job Skipped", 0), ReportState::Skipped);
        let failed = state(json!({"async_status": "Job Failed", "error_code": -3, "error_subcode": 1_504_045}));
        assert!(matches!(failed, ReportState::Failed(error) if error.wants_less()));
        assert!(matches!(of("Job Failed", 0), ReportState::Failed(error) if error.wants_less()), "it does not say why");
    }
}
