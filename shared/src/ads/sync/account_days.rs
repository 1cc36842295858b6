//! The account's own days. They include everything that was ever in the account, and a reach that no sum can provide.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::calls::Interrupt;
use super::context::SyncContext;
use crate::clock;
use crate::model::ads::insights::Day;
use crate::model::ads::sync::{Fields, ObjectType};
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::model::days::back;
use crate::model::days::days;

/// Days per query. The response has one row for each.
const DAYS_AT_ONCE: i32 = 366;

/// Reads the account's days that the sync covers, newest first.
pub(super) async fn read(turn: &mut SyncContext<'_>) -> Result<(), Interrupt> {
    loop {
        let today = turn.sync.until.unwrap_or_else(|| turn.account.today(clock::now()));
        let until = turn.sync.progress.account_down_to.map_or(today, |day| back(day, 1));
        if until < turn.sync.since {
            return Ok(());
        }
        let at_once = turn.sync.progress.account_days_at_once.unwrap_or(DAYS_AT_ONCE);
        let mut since = turn.sync.since.max(back(until, at_once - 1));
        let mut fields = Fields::All;
        // Reduce the query until it is not too large: fewer days, then fewer fields of a single day.
        loop {
            match range(turn, since, until, fields).await {
                Err(Interrupt::TooMuch(_)) if since < until => {
                    let fewer = days(since, until) / 2;
                    turn.sync.progress.account_days_at_once = Some(fewer);
                    since = back(until, fewer - 1);
                }
                Err(Interrupt::TooMuch(_)) => match fields.fewer() {
                    Some(fewer) => fields = fewer,
                    None => {
                        let evidence = format!("the account's {until}");
                        turn.sync.log(ObjectType::AccountInsights).fail(SyncProblemCode::TooMuchData, evidence);
                        break;
                    }
                },
                outcome => {
                    outcome?;
                    if fields != Fields::All {
                        let evidence = format!("the account's {until}: only without some fields");
                        turn.sync.log(ObjectType::AccountInsights).note(SyncProblemCode::TooMuchData, evidence);
                    }
                    break;
                }
            }
        }
        turn.sync.progress.account_down_to = Some(since);
    }
}

async fn range(turn: &mut SyncContext<'_>, since: Date, until: Date, fields: Fields) -> Result<(), Interrupt> {
    let id = turn.account.ad_account_id.clone();
    let stored = turn.table.account_days(turn.scope, &turn.account.id, since, until).await?;
    let stored: BTreeMap<Date, Day> = stored.into_iter().map(|day| (day.day, day)).collect();
    let asked = (since, until, fields);
    let mut after: Option<String> = None;
    loop {
        let page = turn
            .calls
            .make(async |graph, token| graph.account_insights(&id, asked, after.as_deref(), token).await)
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
                    turn.sync.log(ObjectType::AccountInsights).fail(SyncProblemCode::UnreadableRow, evidence);
                    continue;
                }
            };
            read += 1;
            let (known, mut metrics) = (stored.get(&row.day), row.metrics);
            metrics.main.conversions = turn.account.conversions.count(&metrics.actions);
            if let Some(known) = known {
                fields.keep(&mut metrics, &known.metrics);
            }
            let confirmed = turn.account.has_seen_whole(row.day);
            let counted = &turn.account.conversions;
            if let Some(day) = Day::next(known, row.day, metrics, counted, confirmed, clock::now()) {
                restated += u64::from(confirmed && day.first_seen.is_some());
                changed.insert(row.day, day);
            }
        }
        let changed: Vec<Day> = changed.into_values().collect();
        turn.table.put_account_days(turn.scope, &turn.account.id, &changed).await?;
        let log = turn.sync.log(ObjectType::AccountInsights);
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
