//! Switches on what was switched off by hand: schedules, event sources, functions.

use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};

use crate::account::StackAccount;
use crate::status::{Switch, event_sources, schedules, stopped_functions};
use crate::{Found, UnusableLine};

/// What is off.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Off {
    Schedule(String),
    EventSource(String),
    Function(String),
}

impl Off {
    fn name(&self) -> &str {
        match self {
            Self::Schedule(name) | Self::EventSource(name) | Self::Function(name) => name,
        }
    }

    async fn switch_on(&self, account: &StackAccount) -> Result<()> {
        match self {
            Self::Schedule(name) => enable_schedule(account, name).await?,
            Self::EventSource(name) => {
                let path = format!("/2015-03-31/event-source-mappings/{}", account.stack.resource(name)?);
                account.aws.rest("lambda", Method::PUT, &path, &json!({ "Enabled": true })).await?;
            }
            Self::Function(name) => {
                let path = format!("/2017-10-31/functions/{}/concurrency", account.function(name)?);
                account.aws.rest("lambda", Method::DELETE, &path, &Value::Null).await?;
                println!(
                    "With ReserveConcurrency=yes, give {name} its instances back: infra/runbook.md, Lambda throttles."
                );
            }
        }
        Ok(())
    }
}

/// Switches on what these names say, or everything that is off.
pub(crate) async fn run(account: &StackAccount, names: &[String], all: bool) -> Result<Found> {
    let is_off =
        |switches: Vec<Switch>| switches.into_iter().filter(|switch| !switch.is_on()).map(|switch| switch.name);
    let mut off: Vec<Off> = is_off(schedules(account).await?).map(Off::Schedule).collect();
    off.extend(is_off(event_sources(account).await?).map(Off::EventSource));
    off.extend(stopped_functions(account).await?.into_iter().map(Off::Function));
    let selected = select(off, names, all)?;
    if selected.is_empty() {
        println!("nothing is off");
    }
    let mut found = Found::Fine;
    for one in selected {
        match one.switch_on(account).await {
            Ok(()) => println!("{} is switched on", one.name()),
            // The others are none the worse for it.
            Err(error) => {
                println!("{} is not switched on: {error:#}", one.name());
                found = Found::Problem;
            }
        }
    }
    Ok(found)
}

/// Those of what is off that these names mean.
fn select(off: Vec<Off>, names: &[String], all: bool) -> Result<Vec<Off>, UnusableLine> {
    let known =
        if off.is_empty() { "nothing".into() } else { off.iter().map(Off::name).collect::<Vec<_>>().join(", ") };
    if let Some(unknown) = names.iter().find(|name| !off.iter().any(|one| one.name() == *name)) {
        return Err(UnusableLine(format!("{unknown} is not off; off is: {known}")));
    }
    if names.is_empty() && !all {
        return Err(UnusableLine(format!("name what is to be switched on, or --all; off is: {known}")));
    }
    Ok(off.into_iter().filter(|one| all || names.iter().any(|name| name == one.name())).collect())
}

/// An update replaces the whole schedule.
async fn enable_schedule(account: &StackAccount, logical_id: &str) -> Result<()> {
    let name = account.stack.resource(logical_id)?;
    let path = format!("/schedules/{}", name.rsplit(['/', '|']).next().unwrap_or(name));
    let found = account.aws.rest("scheduler", Method::GET, &path, &Value::Null).await;
    let mut schedule =
        found.with_context(|| format!("{logical_id} is deleted or unreadable: infra/runbook.md, Changed by hand"))?;
    if let Some(fields) = schedule.as_object_mut() {
        fields.retain(|field, value| {
            !value.is_null() && !["Arn", "CreationDate", "LastModificationDate", "Name"].contains(&field.as_str())
        });
        fields.insert("State".to_owned(), json!("ENABLED"));
    }
    account.aws.rest("scheduler", Method::PUT, &path, &schedule).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_and_off_is_switched_on() {
        let off = || vec![Off::Schedule("PlannerLeadSweep".to_owned()), Off::Function("webhook".to_owned())];
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(select(off(), &names(&["webhook"]), false).unwrap(), [Off::Function("webhook".to_owned())]);
        assert_eq!(select(off(), &[], true).unwrap(), off());
        let unknown = select(off(), &names(&["api"]), false).unwrap_err().to_string();
        assert!(unknown.contains("api is not off") && unknown.contains("PlannerLeadSweep, webhook"), "{unknown}");
        assert!(select(off(), &[], false).is_err(), "a function can be stopped on purpose");
        assert!(select(Vec::new(), &[], true).unwrap().is_empty());
    }
}
