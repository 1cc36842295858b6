//! Outcomes: what ads cost beside what became of the leads they brought.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use jiff::tz::TimeZone;
use leadwire::ads::outcomes::{OutcomeQuery, OutcomeReport, parse_outcome_dimension};
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::ids::{AdAccountId, AdObjectId, ClientId};

use super::report::{send_csv, wants_csv};
use crate::access::{MetaAccess, OrgHeader};
use crate::input::Parameters;
use crate::schemas::{Day, Format, OutcomeGroupBy};
use crate::state::Api;

/// Get outcomes
///
/// Counts the leads that were submitted in these days by the status that they have now, beside what their ads cost in the
/// same days and what Meta counts. Leads of a linked ad account have their days in its time zone, as its spend has. An
/// unknown `campaign_id` or `adset_id` is `not_found`. Returns CSV with `format=csv` or with the header `accept: text/csv`.
#[utoipa::path(
    get, path = "/api/meta-ads/outcomes", tag = "ads", operation_id = "readOutcomes",
    params(
        ("group_by" = Option<OutcomeGroupBy>, Query, description = "`campaign` by default"),
        ("since" = Option<Day>, Query, description = "First day; by default 30 days up to `until`"), ("until" = Option<Day>, Query),
        ("account_id" = Option<AdAccountId>, Query, description = "Only leads of ads of this account"),
        ("client_id" = Option<ClientId>, Query, description = "Only leads of ads of this client"),
        ("campaign_id" = Option<AdObjectId>, Query, description = "Only leads of ads of this campaign"),
        ("adset_id" = Option<AdObjectId>, Query, description = "Only leads of ads of this ad set"),
        ("timezone" = Option<String>, Query, description = "IANA time zone of the days of other leads; `UTC` by default"),
        ("format" = Option<Format>, Query),
        OrgHeader
    ),
    responses((status = 200, content((OutcomeReport = "application/json"), (String = "text/csv"))))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(access): MetaAccess,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let known =
        ["group_by", "since", "until", "account_id", "client_id", "campaign_id", "adset_id", "timezone", "format"];
    parameters.check(&known)?;
    let by = parameters.get("group_by").map(parse_outcome_dimension).transpose()?.unwrap_or_default();
    let parse_zone = |name: &str| {
        let detail = "The IANA name of a time zone, such as Europe/Berlin.";
        TimeZone::get(name).map_err(|_| Problem::field("timezone", ErrorCode::TimezoneInvalid, detail))
    };
    let zone = parameters.get("timezone").map(parse_zone).transpose()?;
    let as_csv = wants_csv(&parameters, &headers)?;
    let (accounts, within) = (parameters.accounts()?, parameters.within()?);
    let query = OutcomeQuery { by, accounts, within, days: parameters.days()?, zone };
    if as_csv {
        return Ok(send_csv(api.rooms.ads.outcomes_csv(&access, &query).await?));
    }
    Ok(Json(api.rooms.ads.outcomes(&access, &query).await?).into_response())
}
