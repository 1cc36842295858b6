//! Insights: ad performance per day, in the account's own time zone.
//!
//! Every scalar is text, zeros are omitted, and a row exists only where something was delivered. An edge omits the rows
//! of deleted and archived objects unless the filter names their status.
//!
//! A query can be sent directly, or as a report that Meta computes asynchronously. Either may turn out too large, and
//! must then be repeated for less data.

use std::time::Duration;

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::of_report;
use super::insight_rows::{AdRow, DayRow, NUMBERS, VIDEO, ad_row, day_row, id};
use super::{GraphClient, GraphError, GraphPage, Metered, read};
use crate::ids::{AdAccountId, AdObjectId};
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::sync::{Fields, InsightsQuery};
use crate::secret::AccessToken;

/// The timeout of a query: Meta computes the response while the caller waits.
const INSIGHTS_TIMEOUT: Duration = Duration::from_mins(1);
/// Objects that a query may name. Their ids are part of its address, which must not become too long.
pub const MAX_IDS_PER_QUERY: usize = 50;
/// Rows per response page. Meta caps it, so more does not help.
const ROWS_PER_PAGE: &str = "500";
/// Every effective status of an ad. The rows of a status that is not named are omitted.
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
/// One response page of rows.
#[derive(Debug)]
pub struct RowPage<T> {
    /// In Meta's order, possibly with duplicates. An unreadable row is `Err` with the reason.
    pub rows: Vec<Result<T, String>>,
    /// The cursor of the next page, `None` on the last.
    pub next: Option<String>,
}

/// The progress of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportState {
    /// Meta is computing it; the value is the percentage done.
    Running(u8),
    /// Its rows can be read.
    Done,
    /// Meta dropped it. It must be requested again.
    Skipped,
    /// Meta could not compute it.
    Failed(GraphError),
}

fn columns(base: &str, fields: Fields) -> String {
    let mut columns = format!("{base},{NUMBERS}");
    if matches!(fields, Fields::All | Fields::WithoutVideo) {
        columns.push_str(",actions");
    }
    if matches!(fields, Fields::All | Fields::WithoutActions) {
        columns.push_str(&VIDEO.map(|name| format!(",{name}")).concat());
    }
    columns
}

const AD_COLUMNS: &str = "account_id,campaign_id,campaign_name,adset_id,adset_name,ad_id,ad_name";

fn range(since: Date, until: Date) -> String {
    json!({ "since": since, "until": until }).to_string()
}

fn parameters(question: &InsightsQuery) -> Vec<(&'static str, String)> {
    let mut filters = vec![json!({ "field": "ad.effective_status", "operator": "IN", "value": ALL_STATUSES })];
    if let Some((kind, ids)) = &question.within {
        let field = match kind {
            AdObjectKind::Campaign => "campaign.id",
            AdObjectKind::Adset => "adset.id",
            AdObjectKind::Ad => "ad.id",
        };
        filters.push(json!({ "field": field, "operator": "IN", "value": ids }));
    }
    vec![
        ("level", "ad".to_owned()),
        ("fields", columns(AD_COLUMNS, question.fields)),
        ("time_range", range(question.since, question.until)),
        ("time_increment", "1".to_owned()),
        ("filtering", Value::from(filters).to_string()),
    ]
}

impl GraphClient {
    /// Reads a response page of the daily rows of an account's ads.
    pub async fn ad_insights(
        &self,
        account: &AdAccountId,
        question: &InsightsQuery,
        after: Option<&str>,
        token: &AccessToken,
    ) -> Metered<RowPage<AdRow>> {
        let request = self.http.get(self.url(&format!("{account}/insights"))).query(&parameters(question));
        self.rows(request, after, token, ad_row).await
    }

    /// Reads a response page of the account's own daily rows. They include everything that was ever in the account.
    pub async fn account_insights(
        &self,
        account: &AdAccountId,
        (since, until, fields): (Date, Date, Fields),
        after: Option<&str>,
        token: &AccessToken,
    ) -> Metered<RowPage<DayRow>> {
        let fields = columns("account_id", fields);
        let request = self.http.get(self.url(&format!("{account}/insights"))).query(&[
            ("level", "account"),
            ("fields", &fields),
            ("time_range", &range(since, until)),
            ("time_increment", "1"),
        ]);
        self.rows(request, after, token, day_row).await
    }

    /// Lists the objects of one kind that were delivered within a question's days and objects. Object lists omit some
    /// of them; insights do not.
    pub async fn delivered(
        &self,
        account: &AdAccountId,
        question: &InsightsQuery,
        kind: AdObjectKind,
        after: Option<&str>,
        token: &AccessToken,
    ) -> Metered<RowPage<AdObjectId>> {
        let (level, column) = match kind {
            AdObjectKind::Campaign => ("campaign", "campaign_id"),
            AdObjectKind::Adset => ("adset", "adset_id"),
            AdObjectKind::Ad => ("ad", "ad_id"),
        };
        let mut parameters = self::parameters(question);
        parameters.retain(|(name, _)| !matches!(*name, "level" | "fields" | "time_increment"));
        parameters.extend([("level", level.to_owned()), ("fields", column.to_owned())]);
        let request = self.http.get(self.url(&format!("{account}/insights"))).query(&parameters);
        self.rows(request, after, token, |row| id(row, column)).await
    }

    /// Requests a report and returns its id.
    pub async fn ask_for_report(
        &self,
        account: &AdAccountId,
        question: &InsightsQuery,
        token: &AccessToken,
    ) -> Metered<String> {
        #[derive(Deserialize)]
        struct RequestedReport {
            report_run_id: Value,
        }
        let request = self.http.post(self.url(&format!("{account}/insights"))).form(&parameters(question));
        self.send_metered(self.authorised(request.timeout(INSIGHTS_TIMEOUT), token)).await.read_as(|body| {
            // Documented as a number, but sent as text.
            match read::<RequestedReport>(body)?.report_run_id {
                Value::String(id) => Ok(id),
                Value::Number(id) => Ok(id.to_string()),
                _ => Err(GraphError::InvalidResponse { status: 200 }),
            }
        })
    }

    /// Reads the progress of a report.
    pub async fn report(&self, id: &str, token: &AccessToken) -> Metered<ReportState> {
        let fields = "async_status,async_percent_completion,error_code,error_subcode,error_message";
        let request = self.http.get(self.url(id)).query(&[("fields", fields)]);
        self.send_metered(self.authorised(request, token)).await.read_as(|body| read(body).map(report_state))
    }

    /// Reads a response page of a finished report.
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
        let request = request.query(&[("limit", ROWS_PER_PAGE)]).timeout(INSIGHTS_TIMEOUT);
        let request = if let Some(after) = after { request.query(&[("after", after)]) } else { request };
        self.send_metered(self.authorised(request, token)).await.read_as(|body| {
            let page: GraphPage<Value> = read(body)?;
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
        // 100 percent can arrive before the status, and the status before 100 percent.
        "Job Completed" if run.async_percent_completion >= 100 => ReportState::Done,
        "Job Skipped" => ReportState::Skipped,
        "Job Failed" => {
            let message = run.error_message.unwrap_or_default();
            ReportState::Failed(of_report(run.error_code.unwrap_or(1), run.error_subcode, &message))
        }
        _ => ReportState::Running(run.async_percent_completion.min(99)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_all_ids_of_a_query_is_not_too_long() {
        let ids = (0..MAX_IDS_PER_QUERY).map(|id| AdObjectId::parse(&format!("120210000000000{id:03}")).unwrap());
        let day = Date::constant(2026, 1, 1);
        let within = Some((AdObjectKind::Campaign, ids.collect()));
        let question = InsightsQuery { since: day, until: day, within, fields: Fields::All };
        let request = reqwest::Client::new().get("https://graph.facebook.com/v26.0/act_1/insights");
        let address = request.query(&parameters(&question)).build().unwrap().url().to_string();
        assert!(address.contains("120210000000000049") && address.len() < 3000, "{}: {address}", address.len());
    }

    #[test]
    fn a_report_is_done_only_when_both_say_so() {
        let state = |body: Value| report_state(read(body).unwrap());
        let parse_state =
            |status: &str, percent: u8| state(json!({"async_status": status, "async_percent_completion": percent}));
        assert_eq!(parse_state("Job Not Started", 0), ReportState::Running(0));
        assert_eq!(parse_state("Job Running", 100), ReportState::Running(99));
        assert_eq!(parse_state("Job Completed", 99), ReportState::Running(99));
        assert_eq!(parse_state("Job Completed", 100), ReportState::Done);
        assert_eq!(parse_state("Job Skipped", 0), ReportState::Skipped);
        let failed = state(json!({"async_status": "Job Failed", "error_code": -3, "error_subcode": 1_504_045}));
        assert!(matches!(failed, ReportState::Failed(error) if error.is_too_large()));
        assert!(
            matches!(parse_state("Job Failed", 0), ReportState::Failed(error) if error.is_too_large()),
            "it does not say why"
        );
    }
}
