//! Behind the scenes of a story: schedules, mails, events, secrets.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local::Aws;
use reqwest::Method;
use serde_json::{Value, json};

use crate::json::Json;
use crate::tenant::Tenant;
use crate::world::{World, wait_for, world};

impl World {
    /// Returns a client with the rights of the AWS account's owner.
    ///
    /// # Panics
    /// Panics if the HTTP client cannot be created.
    #[must_use]
    pub fn aws(&self) -> Aws {
        Aws::new(self.endpoints.aws_endpoint.clone(), self.endpoints.region.clone()).expect("a client of AWS")
    }

    /// Calls a `/_local` route and returns the response body.
    ///
    /// # Panics
    /// Panics if the call does not succeed.
    pub async fn call_dev_api(&self, method: Method, call: &str) -> Value {
        let answer = self.http.request(method, format!("{}/_local/{call}", self.endpoints.url)).send().await;
        let answer = answer.expect("an answer").error_for_status().expect("success");
        serde_json::from_str(&answer.text().await.expect("text")).expect("JSON")
    }

    /// Returns the last errors in a function's log: why a request of a story failed.
    pub async fn last_errors(&self, function: &str) -> String {
        let log = async {
            self.http.get(format!("{}/_local/logs/{function}", self.endpoints.url)).send().await?.text().await
        };
        let log = log.await.unwrap_or_else(|error| error.to_string());
        let errors: Vec<&str> = log.lines().filter(|line| line.contains(r#""level":"ERROR""#)).collect();
        errors[errors.len().saturating_sub(5)..].join("\n")
    }

    /// Returns the readable secrets of an integration: names and values.
    ///
    /// # Panics
    /// Panics if the secrets cannot be listed.
    pub async fn list_secrets(&self, integration: &str) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        for name in self.list_secret_names(integration).await {
            let named = json!({ "SecretId": name });
            if let Ok(value) = self.aws().json("secretsmanager", "secretsmanager.GetSecretValue", &named).await {
                let value = value["SecretString"].as_str().unwrap_or_default();
                found.push((name, serde_json::from_str(value).unwrap_or(Value::Null)));
            }
        }
        found
    }

    /// Returns the names of an integration's secrets, including deleted ones that can still be restored.
    ///
    /// # Panics
    /// Panics if the secrets cannot be listed.
    pub async fn list_secret_names(&self, integration: &str) -> Vec<String> {
        let (mut names, mut page) = (Vec::new(), json!({ "MaxResults": 100, "IncludePlannedDeletion": true }));
        loop {
            let answer = self.aws().json("secretsmanager", "secretsmanager.ListSecrets", &page).await.expect("a list");
            let listed =
                answer["SecretList"].as_array().into_iter().flatten().filter_map(|secret| secret["Name"].as_str());
            names.extend(listed.filter(|name| name.contains(integration)).map(ToOwned::to_owned));
            if !answer["NextToken"].is_string() {
                return names;
            }
            page["NextToken"] = answer["NextToken"].clone();
        }
    }

    /// Returns the items whose partition key starts with this prefix, in DynamoDB's format. An empty prefix returns the
    /// whole table.
    ///
    /// # Panics
    /// Panics if the table cannot be read.
    pub async fn scan_rows(&self, pk_prefix: &str) -> Vec<Value> {
        self.scan_table(&self.endpoints.table, pk_prefix).await
    }

    /// Like [`World::scan_rows`], of any table.
    ///
    /// # Panics
    /// Panics if the table cannot be read.
    pub async fn scan_table(&self, table: &str, pk_prefix: &str) -> Vec<Value> {
        let mut scan = json!({ "TableName": table });
        if !pk_prefix.is_empty() {
            scan["FilterExpression"] = json!("begins_with(pk, :prefix)");
            scan["ExpressionAttributeValues"] = json!({ ":prefix": { "S": pk_prefix } });
        }
        let mut rows = Vec::new();
        loop {
            // The stand-in for DynamoDB fails at times while functions write.
            let page = wait_for("a page of the table", async || {
                self.aws().json("dynamodb", "DynamoDB_20120810.Scan", &scan).await.ok()
            })
            .await;
            rows.extend(page["Items"].as_array().into_iter().flatten().cloned());
            if page["LastEvaluatedKey"].is_null() {
                return rows;
            }
            scan["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
        }
    }

    /// Returns all files in all buckets, as texts by their names.
    ///
    /// # Panics
    /// Panics if they cannot be read.
    pub async fn files(&self) -> Vec<(String, String)> {
        let aws = self.aws();
        let values = |xml: &str, tag: &str| -> Vec<String> {
            let start = format!("<{tag}>");
            xml.split(&start).skip(1).map(|rest| rest.split('<').next().unwrap_or_default().to_owned()).collect()
        };
        let mut files = Vec::new();
        for bucket in values(&aws.text("s3", "/").await.expect("buckets"), "Name") {
            let mut after = String::new();
            loop {
                let list = format!("/{bucket}?list-type=2&start-after={after}");
                let keys = values(&aws.text("s3", &list).await.expect("a list"), "Key");
                let Some(last) = keys.last() else { break };
                after.clone_from(last);
                for key in keys {
                    // What has been deleted meanwhile is nothing to look at.
                    if let Ok(text) = aws.text("s3", &format!("/{bucket}/{key}")).await {
                        files.push((key, text));
                    }
                }
            }
        }
        files
    }

    /// Returns a fresh id token of a login.
    ///
    /// # Panics
    /// Panics if the login does not exist.
    pub async fn token_of(&self, email: &str) -> String {
        let request = self.http.post(format!("{}/_local/token", self.endpoints.url)).json(&json!({ "email": email }));
        let answer = request.send().await.expect("an answer").error_for_status().expect("a login");
        answer.json::<Value>().await.expect("JSON")["id_token"].as_str().expect("a token").to_owned()
    }

    /// Changes a login at the issuer, by an operation of Cognito such as `AdminDisableUser`.
    ///
    /// # Panics
    /// Panics if the issuer rejects it.
    pub async fn change_login(&self, email: &str, operation: &str, more: Value) {
        let token = &self.endpoints.users[0].id_token;
        let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).expect("a token");
        let claims: Value = serde_json::from_slice(&claims).expect("claims");
        let pool = claims["iss"].as_str().and_then(|issuer| issuer.rsplit('/').next()).expect("an issuer");
        let mut input = json!({ "UserPoolId": pool, "Username": email });
        input.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        self.aws().json("cognito-idp", &target, &input).await.expect("the issuer changes a login");
    }

    /// Lets the time come at which the console asks the issuer about the sessions of a user.
    ///
    /// # Panics
    /// Panics if the user has no session.
    pub async fn make_sessions_due(&self, email: &str) {
        let table = &self.endpoints.sessions_table;
        let rows = self.scan_table(table, "").await;
        let own: Vec<_> = rows.iter().filter(|row| row["caller"]["M"]["email"]["S"] == email).collect();
        assert!(!own.is_empty(), "{email} has no session");
        for row in own {
            let update = json!({
                "TableName": table, "Key": { "pk": row["pk"], "sk": row["sk"] },
                "UpdateExpression": "SET check_at = :past",
                "ExpressionAttributeValues": { ":past": { "S": "2026-01-01T00:00:00Z" } },
            });
            self.aws().json("dynamodb", "DynamoDB_20120810.UpdateItem", &update).await.expect("a session changes");
        }
    }

    /// Kills, expires or changes tokens. `how` is the body of the simulator's `tokens` call.
    ///
    /// # Panics
    /// Panics if the simulator rejects the call.
    pub async fn change_tokens(&self, how: Value) {
        self.call_sim(Method::POST, "tokens", &how).await;
    }
}

impl Tenant {
    /// Checks the org's integrations, due or not.
    ///
    /// # Panics
    /// Panics if the schedule does not run.
    pub async fn check_integrations(&self) {
        let fired = world().call_dev_api(Method::POST, &format!("fire/expiry-notice?org={}", self.org)).await;
        assert!(fired["result"]["messages"].is_u64(), "{fired}");
    }

    /// Returns the integration as the API shows it.
    ///
    /// # Panics
    /// Panics if the integration does not exist.
    pub async fn integration(&self, id: &str) -> Value {
        self.get(&format!("/api/meta/integrations/{id}")).await
    }

    /// Polls the integration until `wanted` returns true for it.
    ///
    /// # Panics
    /// Panics on a timeout.
    pub async fn wait_for_integration(&self, id: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, async || {
            let seen = self.integration(id).await;
            wanted(&seen).then_some(seen)
        })
        .await
    }

    /// Returns the org's events of one kind, oldest first. Delivery is at least once; repeats carry the same id and are
    /// dropped.
    pub async fn events(&self, kind: &str) -> Vec<Value> {
        let events = world().call_dev_api(Method::GET, "events").await;
        let of_org = |event: &&Value| event["detail-type"] == kind && event["detail"]["org"] == self.org;
        let mut heard = BTreeSet::new();
        let events = events.as_array().into_iter().flatten().filter(of_org).map(|event| event["detail"].clone());
        events.filter(|event| heard.insert(event["id"].to_string())).collect()
    }
}

/// Returns the mails to one address, oldest first.
pub async fn mails_to(address: &str) -> Vec<Value> {
    let mails = world().call_dev_api(Method::GET, "mail").await;
    let is_to = |mail: &&Value| mail["to"].to_string().contains(address);
    mails.as_array().into_iter().flatten().filter(is_to).cloned().collect()
}

/// Waits for `count` mails to an address and returns all of them.
///
/// # Panics
/// Panics on a timeout.
pub async fn wait_for_mails(address: &str, count: usize) -> Vec<Value> {
    wait_for(&format!("{count} mails to {address}"), async || {
        let mails = mails_to(address).await;
        (mails.len() >= count).then_some(mails)
    })
    .await
}

/// Tells of a mail to a user that can never be delivered, as SES does. Only AWS itself may say that on the bus: this is what
/// the rule makes of it.
///
/// # Panics
/// Panics if SQS refuses it.
pub async fn report_bounce(org: &str, user: &str) {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let tags =
        json!({ "ses:configuration-set": ["leadwire-lead-notice"], "org": [encode(org)], "user": [encode(user)] });
    let recipient = json!({ "emailAddress": format!("{user}@{org}.example") });
    let bounce = json!({ "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [recipient] });
    let detail = json!({ "eventType": "Bounce", "mail": { "messageId": "m", "tags": tags }, "bounce": bounce });
    let body = json!({ "kind": "feedback", "detail": detail }).to_string();
    queue("SendMessage", "lead-notice", json!({ "MessageBody": body })).await;
}

/// Calls SQS about a queue of the stack.
///
/// # Panics
/// Panics if SQS refuses it.
pub async fn queue(operation: &str, name: &str, more: Value) -> Value {
    let aws = world().aws();
    let named = json!({ "QueueName": format!("leadwire-{name}") });
    let url = aws.json("sqs", "AmazonSQS.GetQueueUrl", &named).await.unwrap().text("QueueUrl").to_owned();
    let mut input = json!({ "QueueUrl": url });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    aws.json("sqs", &format!("AmazonSQS.{operation}"), &input).await.unwrap()
}
