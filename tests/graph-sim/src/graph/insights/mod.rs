//! Insights: the delivery of an account, a campaign, an ad set or an ad, in rows.
//!
//! A query is parsed under the world lock ([`query`], [`period`], [`breakdown`]) and computed afterwards from a copy of
//! the data it needs ([`rows`], [`page`]). Adding up a large account takes time, and other requests must not wait for
//! it.

mod actions;
mod breakdown;
mod page;
mod period;
mod query;
mod row;
mod rows;
pub(crate) mod run;
mod size;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use self::rows::Rows;

use self::query::Query;
use super::ads::{self, Scope};
use super::error::GraphError;
use super::node::Node;
use super::paging::EdgeQuery;
use super::session::Call;
use super::specs;

/// A parsed insights query, ready to be computed.
pub(crate) struct Reading {
    rows: Rows,
    /// The URL of the edge. `params` are the parameters that paging URLs repeat.
    base: String,
    params: BTreeMap<String, String>,
    /// Whether it belongs to a report, whose size was already checked.
    of_report: bool,
    /// Whether rows are returned without required fields.
    spoiled: bool,
}

impl Reading {
    /// Computes one response page.
    pub(crate) fn answer(&self) -> Result<Value, GraphError> {
        if !self.of_report {
            self.rows.check_sync()?;
        }
        let mut answer = page::page(&self.rows, &self.base, &self.params)?;
        if self.spoiled {
            row::take_needed(&mut answer);
        }
        Ok(answer)
    }
}

/// Parses a query. The caller has checked the right to read the node.
pub(crate) fn prepare(call: &Call<'_>, node: &Node, query: &EdgeQuery) -> Result<Reading, GraphError> {
    let rows = rows_of(call, node, query)?;
    let base = format!("{}/v{}.0/{}", call.world.public_url, call.version, query.path);
    Ok(Reading { rows, base, params: query.params.clone(), of_report: false, spoiled: false })
}

/// Returns whether insights have a field.
pub(crate) fn is_field(name: &str) -> bool {
    specs::has_field("AdsInsights", name)
}

fn rows_of(call: &Call<'_>, node: &Node, query: &EdgeQuery) -> Result<Rows, GraphError> {
    let hidden = || GraphError::not_visible("get", node.id(call.world));
    let Scope { account_id, ads, at: scope } = ads::scope(call.world, node).ok_or_else(hidden)?;
    let account_name = call.world.ad_account(&account_id).map(|account| account.name.clone()).unwrap_or_default();
    let data_ms = ads.calendar.data_ms(&call.world.clock);
    let own = scope.map(|(level, _)| level);
    let query = Query::read(&ads, own, data_ms, query)?;
    Ok(Rows { account_id, account_name, ads, scope, data_ms, query })
}
