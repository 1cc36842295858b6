//! Insights: what an account, a campaign, an ad set or an ad delivered, in rows.
//!
//! A query is understood while the world is held ([`query`], [`period`], [`breakdown`]) and worked out afterwards, from a
//! copy of what it needs ([`rows`], [`page`]): adding up a large account takes its time, and nobody else should wait.

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

/// An insights query ready to be worked out.
pub(crate) struct Reading {
    rows: Rows,
    /// The address of the edge, and what the addresses of further pages repeat.
    base: String,
    params: BTreeMap<String, String>,
    /// It is a report's, whose size has been judged.
    of_report: bool,
    /// Rows come without what they need.
    spoiled: bool,
}

impl Reading {
    /// One response page.
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

/// Understands a query; the right to read the node has been checked.
pub(crate) fn prepare(call: &Call<'_>, node: &Node, query: &EdgeQuery) -> Result<Reading, GraphError> {
    let rows = rows_of(call, node, query)?;
    let base = format!("{}/v{}.0/{}", call.world.public_url, call.version, query.path);
    Ok(Reading { rows, base, params: query.params.clone(), of_report: false, spoiled: false })
}

/// Whether insights have a field.
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
