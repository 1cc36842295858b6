//! Signed calls to AWS, or to the MiniStack in its place, for the programs beside the product.
//!
//! One SDK client per service would add minutes of compilation for a few dozen calls. This crate uses nothing of the
//! product.

mod credentials;
mod hosts;
mod stack;
mod xml;

use std::fmt;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::{Value, json};

use self::credentials::CachedCredentials;
pub use self::credentials::ROOT_KEY;
pub use self::stack::{Resource, Stack};
pub use self::xml::{members, text};

/// AWS, called with some credentials.
#[derive(Clone)]
pub struct Aws {
    /// The region of every resource.
    pub region: String,
    /// The base URL of all services; `None` if each has AWS's own.
    endpoint: Option<String>,
    credentials: CachedCredentials,
    http: reqwest::Client,
}

/// What AWS answered instead of what was asked for.
#[derive(Debug)]
pub struct AwsRefusal {
    /// What was called, such as `AmazonSQS.ReceiveMessage`.
    pub call: String,
    /// The status of the HTTP response, 300 or above.
    pub status: u16,
    /// Its body, which names the error.
    pub body: String,
}

impl AwsRefusal {
    /// Whether the body names this error, such as `ResourceNotFoundException`.
    #[must_use]
    pub fn is(&self, error: &str) -> bool {
        self.body.contains(error)
    }

    /// The refusal in an error of [`Aws`], if it is one. Otherwise AWS could not be reached.
    #[must_use]
    pub fn find(error: &anyhow::Error) -> Option<&Self> {
        error.downcast_ref()
    }
}

impl fmt::Display for AwsRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.call, self.status, self.body)
    }
}

impl std::error::Error for AwsRefusal {}

impl Aws {
    /// Creates a client for the local AWS at `endpoint`, with its root key.
    pub fn new(endpoint: String, region: String) -> Result<Self> {
        Self::connect(CachedCredentials::root(), region, Some(endpoint))
    }

    /// Creates a client for an account. With an `endpoint`, all services are there.
    pub fn of_account(
        credentials: SharedCredentialsProvider,
        region: String,
        endpoint: Option<String>,
    ) -> Result<Self> {
        Self::connect(CachedCredentials::new(credentials), region, endpoint)
    }

    fn connect(credentials: CachedCredentials, region: String, endpoint: Option<String>) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(120));
        // What is on this machine is behind no proxy.
        let http = if endpoint.is_some() { http.no_proxy() } else { http };
        let endpoint = endpoint.map(|endpoint| endpoint.trim_end_matches('/').to_owned());
        Ok(Self { region, endpoint, credentials, http: http.build()? })
    }

    /// The base URL of all services; empty if each has AWS's own.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.endpoint.as_deref().unwrap_or_default()
    }

    /// Calls an operation of a JSON service, such as `AmazonSQS.ReceiveMessage`.
    ///
    /// # Errors
    /// [`AwsRefusal`] for any status of 300 or above.
    pub async fn json(&self, service: &str, operation: &str, input: &Value) -> Result<Value> {
        let version = hosts::json_version(service);
        let request = http::Request::post(format!("{}/", self.base(service)))
            .header("content-type", format!("application/x-amz-json-{version}"))
            .header("x-amz-target", operation)
            .body(serde_json::to_vec(input)?)?;
        let body = self.send(service, operation, request).await?;
        Ok(if body.is_empty() { Value::Null } else { serde_json::from_str(&body)? })
    }

    /// Reads a whole log group, oldest line first.
    ///
    /// # Errors
    /// As [`Aws::log_events`].
    pub async fn log_lines(&self, group: &str) -> Result<Vec<String>> {
        Ok(self.log_events(group, 0).await?.into_iter().map(|(_, line)| line).collect())
    }

    /// Reads a log group from a time on, in milliseconds since 1970: the time and the line of each event, oldest first.
    /// One answer of MiniStack ends after 10,000 events and does not say how it goes on.
    ///
    /// # Errors
    /// If the group cannot be read, or one millisecond fills an answer.
    pub async fn log_events(&self, group: &str, since: i64) -> Result<Vec<(i64, String)>> {
        const MOST_AT_ONCE: usize = 10_000;
        let (mut lines, mut since, mut known_since) = (Vec::new(), since.max(0), 0);
        loop {
            let input = json!({ "logGroupName": group, "startTime": since, "limit": MOST_AT_ONCE });
            let answer = self.json("logs", "Logs_20140328.FilterLogEvents", &input).await?;
            let events = answer.get("events").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let time = |event: &Value| event.get("timestamp").and_then(Value::as_i64).unwrap_or_default();
            let message = |event: &Value| event.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
            lines.extend(events.iter().skip(known_since).map(|event| (time(event), message(event))));
            let last = events.last().map_or(since, time);
            if events.len() < MOST_AT_ONCE {
                return Ok(lines);
            }
            if last == since {
                anyhow::bail!("{group} has more than {MOST_AT_ONCE} lines of one millisecond");
            }
            (since, known_since) = (last, events.iter().rev().take_while(|event| time(event) == last).count());
        }
    }

    /// Calls a REST service. `path` may have a query.
    ///
    /// # Errors
    /// [`AwsRefusal`] for any status of 300 or above.
    pub async fn rest(&self, service: &str, method: http::Method, path: &str, input: &Value) -> Result<Value> {
        let request = http::Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base(service)))
            .header("content-type", "application/json")
            .body(if input.is_null() { Vec::new() } else { serde_json::to_vec(input)? })?;
        let body = self.send(service, &format!("{method} {path}"), request).await?;
        Ok(serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// Reads what a REST service has at a path.
    ///
    /// # Errors
    /// [`AwsRefusal`] for any status of 300 or above.
    pub async fn text(&self, service: &str, path: &str) -> Result<String> {
        let request = http::Request::get(format!("{}{path}", self.base(service))).body(Vec::new())?;
        self.send(service, path, request).await
    }

    /// Calls an operation of a query service, such as IAM or CloudFormation, which takes a form and returns XML.
    ///
    /// # Errors
    /// [`AwsRefusal`] for any status of 300 or above.
    pub async fn query(&self, service: &str, parameters: &[(&str, &str)]) -> Result<String> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let request = http::Request::post(format!("{}/", self.base(service)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.into_bytes())?;
        let action = parameters.iter().find(|(name, _)| *name == "Action").map_or(service, |(_, action)| action);
        self.send(service, action, request).await
    }

    fn base(&self, service: &str) -> String {
        self.endpoint.clone().unwrap_or_else(|| hosts::base_url(service, &self.region))
    }

    async fn send(&self, service: &str, call: &str, mut request: http::Request<Vec<u8>>) -> Result<String> {
        let identity = self.credentials.current().await?.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(hosts::signing_name(service))
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
        let (method, uri) = (request.method().as_str(), request.uri().to_string());
        let signable = SignableRequest::new(method, uri, headers, SignableBody::Bytes(request.body()))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        let answer = self.http.execute(request.try_into()?).await.map_err(|error| {
            let at = self.base(service);
            if error.is_connect() {
                anyhow!("nothing answers at {at}, where {service} should be")
            } else {
                error.into()
            }
        })?;
        let status = answer.status().as_u16();
        let body = answer.text().await.context("an answer of AWS broke off")?;
        if status >= 300 {
            return Err(AwsRefusal { call: call.to_owned(), status, body }.into());
        }
        Ok(body)
    }
}
