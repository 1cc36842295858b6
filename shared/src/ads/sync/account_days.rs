//! The account's own days. They include everything that was ever in the account, and a reach that no sum can provide.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::client::Interrupt;
use super::context::SyncContext;
use crate::clock;
use crate::model::ads::account::LOOK_BACK_DAYS;
use crate::model::ads::insights::Day;
use crate::model::ads::sync::{Fields, ObjectType};
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::model::days::back;
use crate::model::days::days;

/// Days per query. The response has one row for each.
const DAYS_AT_ONCE: i32 = 366;

/// Reads the account's days that the sync covers, newest first.
pub(super) async fn read(context: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    loop {
        let today = context.sync.until.unwrap_or_else(|| context.account.today(clock::now()));
        let until = context.sync.progress.account_down_to.map_or(today, |day| back(day, 1));
        if until < context.sync.since {
            return Ok(());
        }
        let at_once = context.sync.progress.account_days_at_once.unwrap_or(DAYS_AT_ONCE);
        let mut since = context.sync.since.max(back(until, at_once - 1));
        let mut fields = Fields::All;
        // Reduce the query until it is not too large: fewer days, then fewer fields of a single day.
        loop {
            match read_range(context, since, until, fields).await {
                Err(Interrupt::TooMuch(_)) if since < until => {
                    let fewer = days(since, until) / 2;
                    context.sync.progress.account_days_at_once = Some(fewer);
                    since = back(until, fewer - 1);
                }
                Err(Interrupt::TooMuch(_)) => match fields.fewer() {
                    Some(fewer) => fields = fewer,
                    None => {
                        let evidence = format!("the account's {until}");
                        context.sync.log(ObjectType::AccountInsights).fail(SyncProblemCode::TooMuchData, evidence);
                        context.sync.progress.account_marks_incomplete = true;
                        break;
                    }
                },
                outcome => {
                    outcome?;
                    if fields != Fields::All {
                        context.sync.progress.account_marks_incomplete = true;
                        let evidence = format!("the account's {until}: only without some fields");
                        context.sync.log(ObjectType::AccountInsights).note(SyncProblemCode::TooMuchData, evidence);
                    }
                    break;
                }
            }
        }
        context.sync.progress.account_down_to = Some(since);
    }
}

async fn read_range(context: &mut SyncContext<'_>, since: Date, until: Date, fields: Fields) -> Result<(), Interrupt> {
    let id = context.account.ad_account_id.clone();
    let stored = context.table.account_days(context.scope, &context.account.id, since, until).await?;
    let stored: BTreeMap<Date, Day> = stored.into_iter().map(|day| (day.day, day)).collect();
    let query = (since, until, fields);
    let newest = back(context.sync.until.unwrap_or(until), LOOK_BACK_DAYS);
    let mut after: Option<String> = None;
    loop {
        let page = context
            .client
            .call(async |graph, token| graph.account_insights(&id, query, after.as_deref(), token).await)
            .await?;
        let (mut changed, mut read, mut restated) = (BTreeMap::new(), 0, 0);
        for row in page.rows {
            let row = row.and_then(|row| {
                let is_asked = (since..=until).contains(&row.day);
                if is_asked { Ok(row) } else { Err(format!("{} was not asked for", row.day)) }
            });
            let row = match row {
                Ok(row) => row,
                Err(evidence) => {
                    context.sync.log(ObjectType::AccountInsights).fail(SyncProblemCode::UnreadableRow, evidence);
                    context.sync.progress.account_marks_incomplete = true;
                    continue;
                }
            };
            read += 1;
            let (known, mut metrics) = (stored.get(&row.day), row.metrics);
            metrics.main.conversions = context.account.conversions.count(&metrics.actions);
            if let Some(known) = known {
                fields.keep(&mut metrics, &known.metrics);
            }
            if row.day >= newest {
                context.sync.progress.account_marks.insert(row.day, metrics.mark());
            }
            let confirmed = context.account.has_seen_whole(row.day);
            let counted = &context.account.conversions;
            if let Some(day) = Day::next(known, row.day, metrics, counted, confirmed, clock::now()) {
                restated += u64::from(confirmed && day.first_seen.is_some());
                changed.insert(row.day, day);
            }
        }
        let changed: Vec<Day> = changed.into_values().collect();
        context.table.put_account_days(context.scope, &context.account.id, &changed).await?;
        let log = context.sync.log(ObjectType::AccountInsights);
        log.read += read;
        log.changed += changed.len() as u64;
        log.unchanged += read - changed.len() as u64;
        log.restated += restated;
        match page.next {
            Some(next) if Some(&next) != after.as_ref() => after = Some(next),
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    #[test]
    fn both_ends_count() {
        let day: Date = "2026-02-27".parse().unwrap();
        assert_eq!(days(day, day), 1);
        assert_eq!(days(day, day.checked_add(3.days()).unwrap()), 4);
    }
}
