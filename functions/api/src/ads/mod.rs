//! Ads reporting over HTTP: accounts, readings, what was read, and what it adds up to.

pub(crate) mod accounts;
pub(crate) mod days;
pub(crate) mod linking;
pub(crate) mod objects;
pub(crate) mod report;
mod spreadsheet;
pub(crate) mod syncs;

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use jiff::Timestamp;
use jiff::civil::Date;
use shared::http::Problem;
use shared::ids::OrgScope;
use shared::model::ad_account::{AdAccount, HISTORY_MONTHS, back};
use shared::table::Table;

/// The parameters of an address, each known and given once.
pub(crate) struct Parameters(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let bad = || Problem::field("query", "query_invalid", "The parameters of the address cannot be read.");
        let Query(given) = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await.map_err(|_| bad())?;
        let mut parameters = BTreeMap::new();
        for (name, value) in given {
            let shown: String = name.chars().take(64).collect();
            if parameters.insert(name, value).is_some() {
                return Err(Problem::field(&shown, "parameter_repeated", "Give each parameter once."));
            }
        }
        Ok(Self(parameters))
    }
}

impl Parameters {
    /// Refuses what is not among `known`.
    fn check(&self, known: &[&str]) -> Result<(), Problem> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(unknown) => {
                let shown: String = unknown.chars().take(64).collect();
                let detail = format!("Known are {}.", known.join(", "));
                Err(Problem::field(&shown, "parameter_unknown", detail))
            }
        }
    }

    /// A parameter; one that is empty is as good as not given.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All but where a list goes on: what a cursor is good with.
    fn list(&self, name: &str) -> String {
        let others: Vec<String> = self
            .0
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "cursor" | "limit"))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("{name} {}", others.join("&"))
    }

    fn id<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, shared::ids::InvalidId>,
    ) -> Result<Option<T>, Problem> {
        let invalid = |error: shared::ids::InvalidId| Problem::field(name, "id_invalid", format!("{error}."));
        self.get(name).map(parse).transpose().map_err(invalid)
    }

    /// The accounts that `account_id` and `client_id` mean; all if neither is given.
    async fn accounts(&self, table: &Table, scope: &OrgScope) -> Result<Vec<AdAccount>, Problem> {
        let mut accounts = table.ad_accounts(scope).await?;
        if let Some(id) = self.get("account_id") {
            accounts.retain(|account| account.ad_account_id.as_str() == id);
            if accounts.is_empty() {
                return Err(Problem { field: Some("account_id".to_owned()), ..Problem::not_found("ad account") });
            }
        }
        if let Some(id) = self.get("client_id") {
            accounts.retain(|account| account.client.id.as_str() == id);
        }
        accounts.sort_by(|one, other| one.ad_account_id.cmp(&other.ad_account_id));
        Ok(accounts)
    }

    fn day(&self, name: &str) -> Result<Option<Date>, Problem> {
        let invalid = || Problem::field(name, "day_invalid", "A day such as 2026-01-31.");
        self.get(name).map(|text| text.parse().map_err(|_| invalid())).transpose()
    }

    /// `since` and `until`, both included; without them the last `usual` days.
    fn range(&self, accounts: &[AdAccount], usual: i32, now: Timestamp) -> Result<(Date, Date), Problem> {
        let today = accounts.iter().map(|account| account.today(now)).max();
        let today = today.unwrap_or_else(|| now.to_zoned(jiff::tz::TimeZone::UTC).date());
        // There is nothing later; and a day that is somewhere tomorrow is not tomorrow's everywhere.
        let until = self.day("until")?.unwrap_or(today).min(back(today, -1));
        let since = self.day("since")?.unwrap_or_else(|| back(until, usual - 1));
        if since > until {
            return Err(Problem::field("since", "range_empty", "A day that is not after until."));
        }
        if since < back(until, 31 * HISTORY_MONTHS) {
            let detail = format!("At most {HISTORY_MONTHS} months before until.");
            return Err(Problem::field("since", "range_too_long", detail));
        }
        Ok((since, until))
    }
}
