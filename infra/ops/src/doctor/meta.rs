//! What Meta says of the app: whether it knows the stored secret, and where it reports to.

use anyhow::Result;
use leadwire::graph::GraphError;
use leadwire::graph::subscriptions::{AppSubscription, app_fields};
use leadwire::retry::Verdict;

use super::Finding;
use crate::account::StackAccount;
use crate::product::Product;

const AREA: &str = "meta";
/// Without these, no lead is reported.
const VITAL: (&str, &str) = ("page", "leadgen");

/// Asks Meta with the stored secret for the app's webhooks.
pub(super) async fn check_app(account: &StackAccount, product: &Product<'_>) -> Result<Vec<Finding>> {
    let url = account.stack.output("WebhookUrl")?;
    match product.meta().await?.graph.app_subscriptions().await {
        Ok(found) => {
            let known = Finding::ok(AREA, "Meta knows the stored app id and secret");
            let reported = app_fields().into_iter().map(|(object, fields)| examine(&found, object, &fields, url));
            Ok([known].into_iter().chain(reported).collect())
        }
        Err(error) => Ok(vec![explain(&error)]),
    }
}

/// What it means that Meta did not answer with the webhooks.
fn explain(error: &GraphError) -> Finding {
    if error.verdict() != Verdict::GiveUp && !matches!(error, GraphError::ProofRefused(_)) {
        return Finding::unknown(AREA, format!("Meta could not be asked: {error}"), "try again");
    }
    let fix = "infra/runbook.md, Signatures refused: store the secret of the app's dashboard";
    Finding::wrong(AREA, format!("Meta refuses the stored app id and secret: {error}"), fix)
}

fn examine(found: &[AppSubscription], object: &str, fields: &[&str], url: &str) -> Finding {
    let fix = "in the app's dashboard, Webhooks (DEPLOY.md, step 4)";
    let lacks = |what: String, is_vital: bool| {
        if is_vital { Finding::wrong(AREA, what, fix) } else { Finding::warn(AREA, what, fix) }
    };
    let is_vital = object == VITAL.0;
    let Some(own) = found.iter().find(|subscription| subscription.object == object) else {
        return lacks(format!("Meta reports nothing of {object}"), is_vital);
    };
    if !own.active {
        return lacks(format!("reports of {object} are switched off at Meta"), is_vital);
    }
    if own.callback_url != url {
        return lacks(format!("Meta reports of {object} to {}, not to {url}", own.callback_url), is_vital);
    }
    let missing = own.missing(fields);
    if !missing.is_empty() {
        let what = format!("of {object}, Meta does not report {}", missing.join(", "));
        return lacks(what, is_vital && missing.contains(&VITAL.1));
    }
    Finding::ok(AREA, format!("Meta reports of {object} here"))
}

#[cfg(test)]
mod tests {
    use leadwire::graph::error::Detail;
    use serde_json::{Value, json};

    use super::super::Grade;
    use super::*;

    fn grade(object: &str, change: &Value) -> (Grade, String) {
        let mut subscription = json!({ "object": "page", "callback_url": "https://here", "active": true,
            "fields": [{ "name": "leadgen" }, { "name": "feed" }] });
        subscription.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let found = [serde_json::from_value(subscription).unwrap()];
        let finding = examine(&found, object, &["leadgen", "feed"], "https://here");
        (finding.grade, finding.what)
    }

    #[test]
    fn only_a_refusal_speaks_against_the_secret() {
        let refused = [GraphError::ProofRefused(Detail::default()), GraphError::Refused(Detail::default())];
        assert_eq!(refused.map(|error| explain(&error).grade), [Grade::Wrong; 2]);
        let passing = [
            GraphError::Unavailable(Detail::default()),
            GraphError::Throttled { wait: None, detail: Detail::default() },
        ];
        assert_eq!(passing.map(|error| explain(&error).grade), [Grade::Unknown; 2]);
    }

    #[test]
    fn what_costs_leads_is_wrong_and_the_rest_a_warning() {
        assert_eq!(grade("page", &json!({})).0, Grade::Ok);
        assert_eq!(grade("page", &json!({ "active": false })).0, Grade::Wrong);
        let (elsewhere, what) = grade("page", &json!({ "callback_url": "https://there" }));
        assert_eq!(
            (elsewhere, what.as_str()),
            (Grade::Wrong, "Meta reports of page to https://there, not to https://here")
        );
        assert_eq!(grade("page", &json!({ "fields": [{ "name": "feed" }] })).0, Grade::Wrong);
        let (without_feed, what) = grade("page", &json!({ "fields": [{ "name": "leadgen" }] }));
        assert_eq!((without_feed, what.as_str()), (Grade::Warn, "of page, Meta does not report feed"));
        assert_eq!(grade("instagram", &json!({})).0, Grade::Warn);
    }
}
