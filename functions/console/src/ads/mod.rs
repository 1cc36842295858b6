//! Ads: their cost and results, the linked accounts, and the sync log.

mod accounts;
mod columns;
mod days;
mod linking;
mod log;
mod outcomes;
mod overview;
mod report;
mod within;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

pub(crate) use outcomes::row_name;
pub(crate) use overview::account_problems;

use axum::Router;
use axum::routing::{get, post};
use leadwire::ads::AccountFilter;
use leadwire::ads::accounts::AdAccountOut;
use leadwire::http::{Problem, fields};
use leadwire::ids::{AdAccountId, ClientId};
use leadwire::model::ads::account::AdAccountState;
use leadwire::tr;
use maud::{Markup, html};
use rust_decimal::Decimal;

use self::days::ShownDays;
use crate::components::{self, Tone, badge, time, with_markup};
use crate::layout::PageHead;
use crate::request::ListQuery;
use crate::state::Console;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(overview::show))
        .route("/report", get(report::show))
        .route("/report.csv", get(report::csv))
        .route("/outcomes", get(outcomes::show))
        .route("/outcomes.csv", get(outcomes::csv))
        .route("/log", get(log::show))
        .route("/sync", post(accounts::sync_all))
        .route("/accounts/new", get(linking::form).post(linking::link))
        .route("/accounts/available", get(linking::available))
        .route("/accounts/{id}", get(accounts::show).post(accounts::change))
        .route("/accounts/{id}/state", get(accounts::state))
        .route("/accounts/{id}/token", post(accounts::replace_token))
        .route("/accounts/{id}/pause", post(accounts::pause))
        .route("/accounts/{id}/sync", post(accounts::sync))
        .route("/accounts/{id}/unlink", post(accounts::unlink))
}

/// The selection of accounts and days.
impl ListQuery {
    fn accounts(&self) -> Result<AccountFilter, Problem> {
        let account_id = self.get("account_id").map(|text| fields::id("account_id", text, AdAccountId::parse));
        let client_id = self.get("client_id").map(|text| fields::id("client_id", text, ClientId::parse));
        Ok(AccountFilter { account_id: account_id.transpose()?, client_id: client_id.transpose()? })
    }

    /// The form that selects accounts and days.
    fn chooser(&self, action: &str, accounts: &[AdAccountOut], more: &Markup, shown: Option<ShownDays>) -> Markup {
        let is = |name: &str, value: &str| self.get(name) == Some(value);
        let clients: BTreeMap<&str, &str> =
            accounts.iter().map(|account| (account.client.id.as_str(), account.client.name.as_str())).collect();
        html! {
            form.filters.bar method="get" action=(action) role="search" aria-label=(tr!("Filter ads")) {
                (self.column_fields())
                (self.within_fields())
                (more)
                label { (tr!("Client")) select name="client_id" {
                    option value="" { (tr!("All")) }
                    @if let Some(id) = self.get("client_id").filter(|id| !clients.contains_key(id)) { option value=(id) selected { (id) } }
                    @for (id, name) in &clients { option value=(id) selected[is("client_id", id)] { (name) } }
                } }
                label { (tr!("Account")) select name="account_id" {
                    option value="" { (tr!("All")) }
                    @for account in accounts { option value=(account.id) selected[is("account_id", account.id.as_str())] { (account.label) } }
                } }
                (self.day_fields(shown))
                div.acts { button { (tr!("Filter")) } }
            }
        }
    }
}

impl ListQuery {
    /// Whether a list is sorted upwards: as its address says, else with the cheapest first.
    fn is_upwards(&self) -> bool {
        match self.get("dir") {
            Some(direction) => direction == "asc",
            None => self.get("sort").is_some_and(|column| column.starts_with("cost")),
        }
    }
}

/// What rows are sorted by.
struct Number {
    /// Of an amount.
    currency: Option<String>,
    value: Option<Decimal>,
}

impl Number {
    /// Amounts in different currencies cannot be compared: those of each stand together. Rows without a number come
    /// after all others, in either direction.
    fn compare(&self, other: &Self, upwards: bool) -> Ordering {
        let group = |number: &Self| (number.value.is_none(), number.currency.is_none(), number.currency.clone());
        let by_value = if upwards { self.value.cmp(&other.value) } else { other.value.cmp(&self.value) };
        group(self).cmp(&group(other)).then(by_value)
    }
}

/// Labels for what is counted and for its unit cost.
#[derive(Clone, Copy)]
enum ConversionLabels {
    Leads,
    Conversions,
}

impl ConversionLabels {
    fn plural(self) -> Cow<'static, str> {
        match self {
            Self::Leads => tr!("Leads"),
            Self::Conversions => tr!("Conversions"),
        }
    }

    fn cost(self) -> Cow<'static, str> {
        match self {
            Self::Leads => tr!("Cost per lead"),
            Self::Conversions => tr!("Cost per conversion"),
        }
    }
}

impl ListQuery {
    /// The selected ones of all accounts.
    fn selected<'a>(&self, accounts: &'a [AdAccountOut]) -> impl Iterator<Item = &'a AdAccountOut> + use<'a, '_> {
        accounts.iter().filter(|account| {
            self.get("account_id").is_none_or(|id| id == account.id.as_str())
                && self.get("client_id").is_none_or(|id| id == account.client.id.as_str())
        })
    }

    /// Labels conversions as leads if the selected accounts count nothing else.
    fn conversion_labels(&self, accounts: &[AdAccountOut]) -> ConversionLabels {
        if self.selected(accounts).all(|account| account.conversions.names() == [LEADS_ONLY]) {
            ConversionLabels::Leads
        } else {
            ConversionLabels::Conversions
        }
    }
}

/// The kind of conversion that a lead is.
const LEADS_ONLY: &str = "lead";

/// The head of the ads pages.
fn head<'a>(title: &'a str, here: &str) -> PageHead<'a> {
    let pages = [
        ("/ads", tr!("Overview")),
        ("/ads/report", tr!("Reports")),
        ("/ads/outcomes", tr!("Results")),
        ("/ads/log", tr!("Sync log")),
    ];
    let name = pages.iter().find(|(path, _)| *path == here).map(|(_, name)| name.clone()).unwrap_or_default();
    let head = PageHead::new(title).tabs(components::tabs(title, here, pages));
    if here == "/ads" { head } else { head.of_part(&name) }
}

/// The state of an account.
fn state_of(account: &AdAccountOut) -> Markup {
    html! {
        @match account.state {
            AdAccountState::Configuring => (badge(Tone::Calm, &tr!("Configuration in progress"))),
            AdAccountState::Importing => (badge(Tone::Calm, &tr!("Import in progress"))),
            AdAccountState::Ready => (badge(Tone::Good, &tr!("Ready"))),
            AdAccountState::Paused => (badge(Tone::Dim, &tr!("Paused"))),
            AdAccountState::Error => (badge(Tone::Bad, &tr!("Error"))),
        }
        @if let Some(until) = account.waiting_until { div.quiet { (with_markup(&tr!("Limited by Meta until {time}"), &[("time", time(until))])) } }
    }
}

/// An account's status at Meta, in words.
fn status_at_meta(word: &'static str) -> Cow<'static, str> {
    match word {
        "active" => tr!("active"),
        "disabled" => tr!("disabled"),
        "unsettled" => tr!("unsettled"),
        "pending_risk_review" => tr!("risk review pending"),
        "pending_settlement" => tr!("settlement pending"),
        "in_grace_period" => tr!("in grace period"),
        "pending_closure" => tr!("closure pending"),
        "closed" => tr!("closed"),
        "unknown" => tr!("unknown"),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cheapest_of_each_currency_comes_first_and_what_has_no_number_last() {
        let rows =
            [("JPY", Some(900)), ("USD", Some(7)), ("", None), ("EUR", None), ("USD", Some(3)), ("JPY", Some(100))];
        let sorted = |upwards: bool| {
            let mut rows = rows.map(|(currency, value)| Number {
                currency: (!currency.is_empty()).then(|| currency.to_owned()),
                value: value.map(Decimal::from),
            });
            rows.sort_by(|one, other| one.compare(other, upwards));
            rows.map(|row| (row.currency.unwrap_or_default(), row.value.map(|value| value.to_string())))
                .map(|(currency, value)| format!("{currency} {}", value.unwrap_or_default()))
        };
        assert_eq!(sorted(true), ["JPY 100", "JPY 900", "USD 3", "USD 7", "EUR ", " "]);
        assert_eq!(sorted(false), ["JPY 900", "JPY 100", "USD 7", "USD 3", "EUR ", " "]);
    }

    #[test]
    fn costs_are_sorted_from_the_cheapest_unless_the_address_says_otherwise() {
        let upwards = |parameters: &[(&str, &str)]| ListQuery::new(parameters.iter().copied()).is_upwards();
        assert!(upwards(&[("sort", "cost_per_won")]) && upwards(&[("sort", "leads"), ("dir", "asc")]));
        assert!(!upwards(&[("sort", "cost_per_won"), ("dir", "desc")]) && !upwards(&[("sort", "leads")]));
    }
}
