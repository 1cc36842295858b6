//! Reports as nodes: requesting one, polling it, reading its rows.

use serde_json::{Value, json};

use super::Reading;
use crate::graph::ad_account;
use crate::graph::error::GraphError;
use crate::graph::node::Node;
use crate::graph::paging::EdgeQuery;
use crate::graph::session::Call;
use crate::report::{Failure, Report, Stage};
use crate::world::World;
use crate::world::ads::calendar::day_text;

/// `POST …/insights`: creates a report with the rows that the same query would return directly.
pub(crate) fn submit(call: &mut Call<'_>, node: &Node, query: &EdgeQuery) -> Result<Value, GraphError> {
    let rows = super::rows_of(call, node, query)?;
    let too_much = rows.check_fields().is_err() || rows.has_more_rows(rows.ads.thresholds.async_rows);
    let doomed = too_much.then_some(Failure::TOO_MUCH_DATA);
    let id = call.world.ids.report();
    let now = call.world.clock.now_ms();
    let account_id = rows.account_id.clone();
    call.world.reports.submit(id.clone(), &account_id, rows, doomed, now);
    Ok(json!({ "report_run_id": id }))
}

/// Checks that the caller may read the report.
///
/// # Errors
/// As for the report's account; 100/33 for an expired report.
pub(crate) fn check_readable(call: &Call<'_>, id: &str) -> Result<(), GraphError> {
    let report = report(call.world, id).ok_or_else(|| GraphError::not_visible(&call.request.method, id))?;
    ad_account::check_member(call, &report.account_id, id)
}

/// Returns the id of the report's account.
pub(crate) fn account_id(world: &World, id: &str) -> Option<String> {
    report(world, id).map(|report| report.account_id.clone())
}

/// Counts a poll, on which the report's progress may depend.
pub(crate) fn poll(call: &mut Call<'_>, id: &str) {
    let now = call.world.clock.now_ms();
    call.world.reports.poll(id, now);
}

/// `/{run}/insights`: returns the rows with the fields of the original query.
///
/// # Errors
/// Returns 2601/1815107 until the report is completed at 100 percent.
pub(crate) fn rows(call: &mut Call<'_>, id: &str, query: &EdgeQuery) -> Result<Reading, GraphError> {
    let base = format!("{}/v{}.0/{}", call.world.public_url, call.version, query.path);
    let report = call.world.reports.get_mut(id).ok_or_else(|| GraphError::not_visible("get", id))?;
    match report.stage() {
        Stage::Completed => {
            let spoiled = report.spoils();
            Ok(Reading { rows: report.rows.clone(), base, params: query.params.clone(), of_report: true, spoiled })
        }
        _ => Err(GraphError::report_not_ready()),
    }
}

/// `DELETE /{run}`: removes the report.
pub(crate) fn delete(call: &mut Call<'_>, id: &str) -> Result<Value, GraphError> {
    check_readable(call, id)?;
    call.world.reports.remove(id);
    Ok(json!({"success": true}))
}

fn report<'w>(world: &'w World, id: &str) -> Option<&'w Report> {
    world.reports.get(id, world.clock.now_ms())
}

/// Returns the value of a field. `None` if the report has no such field.
pub(crate) fn value(world: &World, id: &str, field: &str) -> Option<Value> {
    let report = report(world, id)?;
    let stage = report.stage();
    let (status, percent) = stage.told();
    let failure = match stage {
        Stage::Failed(failure) => Some(failure),
        _ => None,
    };
    let periods = &report.rows.query.periods;
    Some(match field {
        "account_id" => json!(report.account_id),
        "time_ref" => json!(report.submitted_ms.div_euclid(1000)),
        "time_completed" => json!(report.completed_ms?.div_euclid(1000)),
        "async_status" => json!(status),
        "async_percent_completion" => json!(percent),
        "is_running" => json!(matches!(stage, Stage::NotStarted | Stage::Started | Stage::Running | Stage::AllButDone)),
        "date_start" => json!(day_text(periods.iter().map(|it| it.since).min()?)),
        "date_stop" => json!(day_text(periods.iter().map(|it| it.until).max()?)),
        "is_bookmarked" => json!(false),
        "error_code" => json!(failure?.code),
        "error_subcode" => json!(failure?.subcode),
        "error_message" | "error_user_msg" => json!(failure?.message),
        "error_user_title" => json!(failure?.title),
        _ => return None,
    })
}
