//! Reports: days summed by client, account, campaign, ad set, ad and day.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use leadwire::ads::CsvFile;
use leadwire::ads::report::{self, ReportOut, ReportQuery};
use leadwire::http::{Problem, ProblemCode, fields};
use leadwire::ids::{AdAccountId, AdObjectId, ClientId};

use crate::access::{MetaAccess, OrgHeader};
use crate::input::Parameters;
use crate::schemas::{Cursor, Day, Format, GroupBy, ReportLimit};
use crate::state::Api;

/// Get a report
///
/// Grouped by client, account or day, it adds up Meta's own figures for the accounts. Grouped by campaign, ad set or
/// ad, or limited to a campaign or an ad set, it adds up the figures of the ads, including deleted ones. An unknown
/// `campaign_id` or `adset_id` is `not_found`. Returns CSV with `format=csv` or with the header
/// `accept: text/csv`.
#[utoipa::path(
    get, path = "/api/meta-ads/report", tag = "ads", operation_id = "readReport",
    params(
        ("group_by" = Option<GroupBy>, Query, description = "`account` by default"),
        ("since" = Option<Day>, Query, description = "First day; by default 30 days up to `until`"), ("until" = Option<Day>, Query),
        ("account_id" = Option<AdAccountId>, Query), ("client_id" = Option<ClientId>, Query),
        ("campaign_id" = Option<AdObjectId>, Query, description = "Only what lies in this campaign"),
        ("adset_id" = Option<AdObjectId>, Query, description = "Only what lies in this ad set"),
        ("format" = Option<Format>, Query),
        ("cursor" = Option<Cursor>, Query), ("limit" = Option<ReportLimit>, Query),
        OrgHeader
    ),
    responses(
        (status = 200, content((ReportOut = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let known = [
        "group_by",
        "since",
        "until",
        "account_id",
        "client_id",
        "campaign_id",
        "adset_id",
        "format",
        "cursor",
        "limit",
    ];
    parameters.check(&known)?;
    let by = report::parse_dimensions(parameters.get("group_by").unwrap_or("account"))?;
    let as_csv = wants_csv(&parameters, &headers)?;
    let limit = fields::limit(parameters.get("limit"), report::MAX_ROWS, report::MAX_ROWS)?;
    let (accounts, within) = (parameters.accounts()?, parameters.within()?);
    let query = ReportQuery { by, accounts, within, days: parameters.days()? };
    let after = parameters.get("cursor");
    if !as_csv {
        return Ok(Json(api.rooms.ads.report(&access, &query, after, limit).await?).into_response());
    }
    Ok(send_csv(api.rooms.ads.report_csv(&access, &query, after).await?))
}

/// Whether a report is requested as a file.
pub(super) fn wants_csv(parameters: &Parameters, headers: &HeaderMap) -> Result<bool, Problem> {
    match parameters.get("format") {
        Some("csv") => Ok(true),
        Some("json") => Ok(false),
        Some(_) => Err(Problem::field("format", ProblemCode::FormatInvalid, "json or csv.")),
        None => Ok(headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|accept| accept.starts_with("text/csv"))),
    }
}

pub(super) fn send_csv(file: CsvFile) -> Response {
    let disposition = format!("attachment; filename=\"{}\"", file.file_name);
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, file.bytes).into_response()
}
