//! Whether the account and the deployed stack are as they should be.

mod deployed;
mod mails;
mod meta;
mod quotas;
mod secrets;
mod webhook;

use std::collections::BTreeMap;

use anyhow::Result;
use aws_calls::AwsRefusal;
use serde::Serialize;

use crate::Found;
use crate::account::StackAccount;
use crate::arguments::Size;
use crate::output::print_columns;
use crate::product::Product;

/// One line of the doctor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    area: &'static str,
    grade: Grade,
    what: String,
    /// What to do; empty if nothing.
    fix: String,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Grade {
    /// It was checked, and is as it should be.
    Ok,
    /// It could not be checked.
    Unknown,
    /// It works, and may be meant.
    Warn,
    /// It does not work, or data can be lost.
    Wrong,
}

impl Grade {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Wrong => "wrong",
        }
    }
}

impl Finding {
    fn ok(area: &'static str, what: impl Into<String>) -> Self {
        Self { area, grade: Grade::Ok, what: what.into(), fix: String::new() }
    }

    fn warn(area: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, grade: Grade::Warn, what: what.into(), fix: fix.into() }
    }

    fn wrong(area: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, grade: Grade::Wrong, what: what.into(), fix: fix.into() }
    }

    fn unknown(area: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { area, grade: Grade::Unknown, what: what.into(), fix: fix.into() }
    }

    /// Something that is right or wrong.
    fn check(area: &'static str, is_right: bool, right: &str, wrong: &str, fix: &str) -> Self {
        if is_right { Self::ok(area, right) } else { Self::wrong(area, wrong, fix) }
    }
}

/// Turns a check that failed into a finding: what cannot be asked is not known, and never counts as well.
fn settle(area: &'static str, checked: Result<Vec<Finding>>) -> Vec<Finding> {
    let error = match checked {
        Ok(findings) => return findings,
        Err(error) => error,
    };
    let (what, fix) = match AwsRefusal::find(&error) {
        Some(refusal) if refusal.is("AccessDenied") || refusal.is("not authorized") => {
            (format!("these credentials may not ask: {}", refusal.call), "use an administrator's credentials")
        }
        Some(refusal) => (format!("AWS does not answer {}: {}", refusal.call, refusal.status), "look in AWS's console"),
        None => (format!("could not be asked: {error:#}"), "try again"),
    };
    vec![Finding::unknown(area, what, fix)]
}

/// Examines the account and the stack.
pub(crate) async fn examine(account: &StackAccount, size: Size, as_json: bool) -> Result<Found> {
    let product = Product::open(account).await?;
    let mut findings = Vec::new();
    findings.extend(settle("quotas", quotas::check(account, size).await));
    findings.extend(settle("alarm mail", mails::check_alarm_mail(account).await));
    findings.extend(settle("mails", mails::check_ses(account).await));
    findings.extend(settle("secrets", secrets::check_keys(account).await));
    findings.extend(settle("tokens", secrets::check_tokens(&product).await));
    findings.extend(settle("meta", meta::check_app(account, &product).await));
    findings.extend(settle("webhook", webhook::check_webhook(account).await));
    findings.extend(settle("login", webhook::check_token_keys().await));
    findings.extend(settle("schedules", deployed::check_schedules(account).await));
    findings.extend(settle("event sources", deployed::check_event_sources(account).await));
    findings.extend(settle("table", deployed::check_tables(account).await));
    findings.extend(settle("logs", deployed::check_logs(account).await));
    findings.extend(settle("functions", deployed::check_functions(account).await));
    if as_json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        print(&findings);
    }
    let worst = findings.iter().map(|finding| finding.grade).max();
    Ok(if worst == Some(Grade::Wrong) { Found::Problem } else { Found::Fine })
}

fn print(findings: &[Finding]) {
    let row = |finding: &Finding| {
        let fix = if finding.fix.is_empty() { String::new() } else { format!("-> {}", finding.fix) };
        vec![finding.grade.name().to_owned(), finding.area.to_owned(), format!("{} {fix}", finding.what)]
    };
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.grade));
    print_columns(0, &sorted.into_iter().map(row).collect::<Vec<_>>());
    let mut counts: BTreeMap<Grade, usize> = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.grade).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(grade, number)| format!("{number} {}", grade.name())).collect();
    println!("\n{}", counts.join(", "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_asked_is_unknown_and_never_ok() {
        let refusal = |body: &str| AwsRefusal { call: "X".to_owned(), status: 400, body: body.to_owned() };
        for error in
            [refusal("UnknownService").into(), refusal("AccessDeniedException").into(), anyhow::anyhow!("down")]
        {
            let findings = settle("x", Err(error));
            assert_eq!(findings.len(), 1);
            assert!(findings.iter().all(|finding| finding.grade == Grade::Unknown && !finding.fix.is_empty()));
        }
        assert!(settle("x", Ok(Vec::new())).is_empty());
    }

    #[test]
    fn only_what_is_wrong_is_a_problem() {
        let order = [Grade::Ok, Grade::Unknown, Grade::Warn, Grade::Wrong];
        assert!(order.is_sorted());
    }
}
