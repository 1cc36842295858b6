//! Whether mails arrive: alarms at the operator, and those of the product at people.

use anyhow::Result;
use aws_calls::{AwsRefusal, members};
use http::Method;
use serde_json::Value;

use super::Finding;
use crate::account::StackAccount;

/// Whether anyone gets the alarms.
pub(super) async fn check_alarm_mail(account: &StackAccount) -> Result<Vec<Finding>> {
    let topic = account.stack.resource("AlarmTopic")?;
    let query = [("Action", "ListSubscriptionsByTopic"), ("Version", "2010-03-31"), ("TopicArn", topic)];
    let subscriptions = members(&account.aws.query("sns", &query).await?, "Subscriptions")?;
    let is_pending = |arn: &str| ["PendingConfirmation", "Pending confirmation"].contains(&arn);
    let arns: Vec<&str> = subscriptions.iter().filter_map(|it| it.get("SubscriptionArn").map(String::as_str)).collect();
    Ok(vec![match (arns.is_empty(), arns.iter().all(|arn| is_pending(arn))) {
        (true, _) => Finding::warn(
            "alarm mail",
            "no one gets the alarms",
            "sam deploy … AlarmEmail=<address> (DEPLOY.md, Deploy)",
        ),
        (_, true) => Finding::wrong(
            "alarm mail",
            "the subscription to the alarms is not confirmed: no alarm arrives",
            "open the mail “AWS Notification - Subscription Confirmation” and confirm it",
        ),
        _ => Finding::ok("alarm mail", "the subscription to the alarms is confirmed"),
    }])
}

/// Whether SES sends to everyone, for the sender that is deployed.
pub(super) async fn check_ses(account: &StackAccount) -> Result<Vec<Finding>> {
    let configuration = account.function_configuration(account.function("lead-notice")?).await?;
    let sender = configuration.pointer("/Environment/Variables/SENDER_ADDRESS").and_then(Value::as_str);
    let Some(sender) = sender.filter(|sender| !sender.is_empty()) else {
        let what = "no sender is deployed: no mail is sent to admins and assignees";
        return Ok(vec![Finding::warn("mails", what, "sam deploy … SenderAddress=<address> (DEPLOY.md, step 8)")]);
    };
    let answer = account.aws.rest("email", Method::GET, "/v2/email/account", &Value::Null).await?;
    let flag = |name: &str| answer.get(name).and_then(Value::as_bool);
    let production = match flag("ProductionAccessEnabled") {
        Some(true) => Finding::ok("mails", "SES sends to everyone"),
        Some(false) => Finding::wrong(
            "mails",
            "SES is in the sandbox: mails go to confirmed addresses only",
            "request production access in SES (DEPLOY.md, step 8)",
        ),
        None => {
            Finding::unknown("mails", "SES does not say whether it is in the sandbox", "look in SES, Account dashboard")
        }
    };
    let enabled = match flag("SendingEnabled") {
        Some(true) => Finding::ok("mails", "SES sends"),
        Some(false) => Finding::wrong("mails", "AWS has paused SES's sending", "answer AWS's review in Support"),
        None => Finding::unknown("mails", "SES does not say whether it sends", "look in SES, Account dashboard"),
    };
    Ok(vec![production, enabled, check_sender(account, sender).await?])
}

/// Whether the sender, or its domain, is confirmed.
async fn check_sender(account: &StackAccount, sender: &str) -> Result<Finding> {
    let domain = sender.rsplit('@').next().unwrap_or_default();
    for identity in [sender, domain] {
        let path = format!("/v2/email/identities/{}", identity.replace('@', "%40"));
        match account.aws.rest("email", Method::GET, &path, &Value::Null).await {
            Ok(answer) if answer.get("VerifiedForSendingStatus").and_then(Value::as_bool) == Some(true) => {
                return Ok(Finding::ok("mails", "the sender is confirmed"));
            }
            Ok(_) => {}
            Err(error) if AwsRefusal::find(&error).is_some_and(|it| it.status == 404) => {}
            Err(error) => return Err(error),
        }
    }
    let fix = "confirm the address, or enter the domain's DKIM records (DEPLOY.md, step 8)";
    Ok(Finding::wrong("mails", "SES has not confirmed the sender: no mail is sent", fix))
}
