//! Calls to the local AWS, signed with its root key.
//!
//! One SDK client per service would double the compile time for a dozen calls.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::{Value, json};

/// MiniStack's root key, which may do anything. The functions never see it: they receive credentials of their roles.
pub(crate) const ROOT_KEY: &str = "test";

/// The local AWS, called as its administrator.
#[derive(Clone)]
pub struct Aws {
    /// The base URL.
    pub endpoint: String,
    /// The region of every resource.
    pub region: String,
    http: reqwest::Client,
}

impl Aws {
    /// Creates a client for the local AWS at `endpoint`.
    pub fn new(endpoint: String, region: String) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(120)).build()?;
        Ok(Self { endpoint, region, http })
    }

    /// Calls an operation of a JSON service, such as `AmazonSQS.ReceiveMessage`.
    ///
    /// # Errors
    /// Any status of 300 or above is an error that includes the response body.
    pub async fn json(&self, service: &str, operation: &str, input: &Value) -> Result<Value> {
        let request = http::Request::post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", operation)
            .body(serde_json::to_vec(input)?)?;
        let (status, body) = self.send(service, request).await?;
        if status >= 300 {
            bail!("{operation}: {status} {body}");
        }
        Ok(if body.is_empty() { Value::Null } else { serde_json::from_str(&body)? })
    }

    /// Reads a whole log group, oldest line first.
    ///
    /// # Errors
    /// As [`Aws::log_events`].
    pub async fn log_lines(&self, group: &str) -> Result<Vec<String>> {
        Ok(self.log_events(group, 0).await?.into_iter().map(|(.., line)| line).collect())
    }

    /// Reads a log group from a time on, in milliseconds since 1970: the id of each event, its time and its line, oldest
    /// first. One answer of MiniStack ends after 10,000 events and does not say how it goes on.
    ///
    /// # Errors
    /// If the group cannot be read, or one millisecond fills an answer.
    pub(crate) async fn log_events(&self, group: &str, since: i64) -> Result<Vec<(String, i64, String)>> {
        const MOST_AT_ONCE: usize = 10_000;
        let (mut lines, mut since, mut known_since) = (Vec::new(), since.max(0), 0);
        loop {
            let input = json!({ "logGroupName": group, "startTime": since, "limit": MOST_AT_ONCE });
            let answer = self.json("logs", "Logs_20140328.FilterLogEvents", &input).await?;
            let events = answer.get("events").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let time = |event: &Value| event.get("timestamp").and_then(Value::as_i64).unwrap_or_default();
            let text = |event: &Value, key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let event = |event| (text(event, "eventId"), time(event), text(event, "message"));
            lines.extend(events.iter().skip(known_since).map(event));
            let last = events.last().map_or(since, time);
            if events.len() < MOST_AT_ONCE {
                return Ok(lines);
            }
            if last == since {
                bail!("{group} has more than {MOST_AT_ONCE} lines of one millisecond");
            }
            (since, known_since) = (last, events.iter().rev().take_while(|event| time(event) == last).count());
        }
    }

    /// Calls a REST service.
    ///
    /// # Errors
    /// Any status of 300 or above is an error that includes the response body.
    pub async fn rest(&self, service: &str, method: http::Method, path: &str, input: &Value) -> Result<Value> {
        let request = http::Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.endpoint))
            .header("content-type", "application/json")
            .body(if input.is_null() { Vec::new() } else { serde_json::to_vec(input)? })?;
        let (status, body) = self.send(service, request).await?;
        if status >= 300 {
            bail!("{method} {path}: {status} {body}");
        }
        Ok(serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// Reads what a REST service has at a path.
    ///
    /// # Errors
    /// Any status of 300 or above is an error that includes the response body.
    pub async fn text(&self, service: &str, path: &str) -> Result<String> {
        let request = http::Request::get(format!("{}{path}", self.endpoint)).body(Vec::new())?;
        let (status, body) = self.send(service, request).await?;
        if status >= 300 {
            bail!("{path}: {status} {body}");
        }
        Ok(body)
    }

    /// Calls an operation of a query service, such as IAM or CloudFormation, which takes a form and returns XML.
    ///
    /// # Errors
    /// Any status of 300 or above is an error that includes the response body.
    pub async fn query(&self, service: &str, parameters: &[(&str, &str)]) -> Result<String> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let request = http::Request::post(&self.endpoint)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.into_bytes())?;
        let (status, body) = self.send(service, request).await?;
        if status >= 300 {
            bail!("{service}: {status} {body}");
        }
        Ok(body)
    }

    async fn send(&self, service: &str, mut request: http::Request<Vec<u8>>) -> Result<(u16, String)> {
        let identity = Credentials::new(ROOT_KEY, ROOT_KEY, None, None, "local").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
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
            if error.is_connect() { anyhow!("MiniStack does not answer at {}", self.endpoint) } else { error.into() }
        })?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await.context("an answer of MiniStack broke off")?))
    }
}
