//! CloudWatch: reads the metrics and the alarms of a deployment.
//!
//! Through its JSON protocol, which AWS documents beside two others, and not through the SDK. The SDK speaks CBOR to it,
//! of which the local AWS cannot tell the action: a role that lacks a permission would be noticed in an account only. Five
//! crates less come with this, one of them under a licence of its own.
//!
//! Reading metrics costs 0.01 USD for a thousand of them, whether they have values or not.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_sqs::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_types::SdkConfig;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::aws::AwsError;
use crate::model::operations::alarms::{AlarmRecord, AlarmState};
use crate::model::operations::measure::MetricQuery;
use crate::model::operations::series::{MetricSeries, MetricWindow};
use crate::retry::Verdict;

/// CloudWatch's limit of metrics in one request.
const MAX_METRICS: usize = 500;
/// CloudWatch's limit of alarms in one response.
const MAX_ALARMS: usize = 100;
/// One request.
const TIMEOUT: Duration = Duration::from_secs(2);
/// All requests of a read. A reader waits for the page.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Requests until a read is given up whose failure may pass.
const MAX_TRIES: u32 = 2;
/// Responses of one read: of metrics, each has up to 100,800 values.
const MAX_PAGES: usize = 20;

/// A client of CloudWatch. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CloudWatch {
    region: String,
    endpoint: String,
    credentials: Option<SharedCredentialsProvider>,
    /// Created at the first read: most containers of a function never read.
    http: Arc<OnceCell<reqwest::Client>>,
}

/// Metrics or alarms that could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CloudWatchError {
    /// There was no response in time.
    #[error("CloudWatch did not answer in time")]
    TimedOut,
    /// There was no connection, or it broke.
    #[error("CloudWatch could not be reached: {0}")]
    Unreachable(#[source] AwsError),
    /// It failed, or wants fewer requests.
    #[error("CloudWatch failed: {0}")]
    Failed(String),
    /// It rejects the request, such as one that the role does not allow.
    #[error("CloudWatch refuses the request: {0}")]
    Refused(String),
    /// The response is not what it should be.
    #[error("the response of CloudWatch cannot be read: {0}")]
    Unreadable(String),
    /// The request cannot be signed.
    #[error("a request to CloudWatch cannot be signed: {0}")]
    Unsigned(#[source] AwsError),
}

impl CloudWatchError {
    /// What becomes of the read: another try may help against what passes by itself.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::TimedOut | Self::Unreachable(_) | Self::Failed(_) => Verdict::Retry,
            Self::Refused(_) | Self::Unreadable(_) | Self::Unsigned(_) => Verdict::GiveUp,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricPage {
    #[serde(default)]
    metric_data_results: Vec<MetricResult>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricResult {
    id: String,
    #[serde(default)]
    status_code: String,
    /// Seconds since 1970.
    #[serde(default)]
    timestamps: Vec<f64>,
    #[serde(default)]
    values: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AlarmPage {
    #[serde(default)]
    metric_alarms: Vec<AlarmResult>,
    #[serde(default)]
    composite_alarms: Vec<AlarmResult>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AlarmResult {
    alarm_name: String,
    alarm_description: Option<String>,
    state_value: String,
    /// When the state last became another one, in seconds since 1970.
    state_transitioned_timestamp: Option<f64>,
    /// The same, or when only its reason became another one.
    state_updated_timestamp: Option<f64>,
}

impl CloudWatch {
    /// A client with this configuration's region, credentials and address.
    #[must_use]
    pub fn new(aws: &SdkConfig) -> Self {
        let region = aws.region().map(ToString::to_string).unwrap_or_default();
        // The only partition with regions of its own that Lambda has and whose names end otherwise.
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let usual = format!("https://monitoring.{region}.{suffix}");
        let endpoint = aws.endpoint_url().map_or(usual, |url| url.trim_end_matches('/').to_owned());
        Self { region, endpoint, credentials: aws.credentials_provider(), http: Arc::default() }
    }

    /// Reads metrics. The answers are in the order of the questions; of what was not measured, an answer has no values.
    ///
    /// # Errors
    /// If not all of it could be read within four seconds: a part of a sum is not told from a small sum.
    pub async fn metrics(
        &self,
        questions: &[MetricQuery],
        window: MetricWindow,
    ) -> Result<Vec<MetricSeries>, CloudWatchError> {
        in_time(async {
            let mut answers = Vec::with_capacity(questions.len());
            for questions in questions.chunks(MAX_METRICS) {
                answers.extend(self.metrics_of_one_request(questions, window).await?);
            }
            Ok(answers)
        })
        .await
    }

    async fn metrics_of_one_request(
        &self,
        questions: &[MetricQuery],
        window: MetricWindow,
    ) -> Result<Vec<MetricSeries>, CloudWatchError> {
        let mut answers = vec![MetricSeries::default(); questions.len()];
        let mut input = json!({
            "StartTime": window.start.as_second(),
            "EndTime": window.end.as_second(),
            "MetricDataQueries": questions.iter().enumerate().map(|(index, it)| question(index, it)).collect::<Value>(),
        });
        for _ in 0..MAX_PAGES {
            let page: MetricPage = self.call("GetMetricData", &input).await?;
            for result in page.metric_data_results {
                if ["InternalError", "Forbidden"].contains(&result.status_code.as_str()) {
                    return Err(CloudWatchError::Failed(format!("{} of a metric", result.status_code)));
                }
                let index = result.id.strip_prefix('m').and_then(|index| index.parse::<usize>().ok());
                let answer = index.and_then(|index| answers.get_mut(index));
                let unknown = || CloudWatchError::Unreadable(format!("no metric was called {}", result.id));
                let points = result.timestamps.iter().zip(&result.values);
                answer.ok_or_else(unknown)?.0.extend(points.filter_map(|(at, value)| Some((instant(*at)?, *value))));
            }
            let Some(next) = page.next_token else { return Ok(answers) };
            set(&mut input, "NextToken", next);
        }
        Err(CloudWatchError::Unreadable("it does not end".to_owned()))
    }

    /// Reads all alarms whose names begin like this, those that unite others too.
    ///
    /// # Errors
    /// If not all of them could be read within four seconds.
    pub async fn alarms(&self, prefix: &str) -> Result<Vec<AlarmRecord>, CloudWatchError> {
        in_time(async {
            let mut alarms = Vec::new();
            let mut input = json!({
                "AlarmNamePrefix": prefix,
                "AlarmTypes": ["CompositeAlarm", "MetricAlarm"],
                "MaxRecords": MAX_ALARMS,
            });
            for _ in 0..MAX_PAGES {
                let page: AlarmPage = self.call("DescribeAlarms", &input).await?;
                alarms.extend(page.composite_alarms.into_iter().map(|alarm| record(alarm, true)));
                alarms.extend(page.metric_alarms.into_iter().map(|alarm| record(alarm, false)));
                let Some(next) = page.next_token else { return Ok(alarms) };
                set(&mut input, "NextToken", next);
            }
            Err(CloudWatchError::Unreadable("it does not end".to_owned()))
        })
        .await
    }

    /// Calls an operation, again if its failure may pass.
    async fn call<T: DeserializeOwned>(&self, operation: &str, input: &Value) -> Result<T, CloudWatchError> {
        let mut tries = 1;
        loop {
            match self.call_once(operation, input).await {
                Ok(text) => {
                    return serde_json::from_str(&text).map_err(|error| CloudWatchError::Unreadable(error.to_string()));
                }
                Err(error) if error.verdict() == Verdict::GiveUp || tries == MAX_TRIES => return Err(error),
                Err(_) => tries += 1,
            }
        }
    }

    async fn call_once(&self, operation: &str, input: &Value) -> Result<String, CloudWatchError> {
        let request = self.sign(operation, input.to_string()).await?;
        let http = self.http.get_or_try_init(async || client()).await.map_err(failure)?;
        let answer = http.execute(request.try_into().map_err(failure)?).await.map_err(failure)?;
        let status = answer.status();
        let text = answer.text().await.map_err(failure)?;
        let said = || format!("{status} {}", text.chars().take(300).collect::<String>());
        if status.is_success() {
            Ok(text)
        // Throttled requests have a status of the client's faults.
        } else if status.is_client_error() && !text.contains("Throttl") {
            Err(CloudWatchError::Refused(said()))
        } else {
            Err(CloudWatchError::Failed(said()))
        }
    }

    /// A request with its signature.
    async fn sign(&self, operation: &str, body: String) -> Result<http::Request<String>, CloudWatchError> {
        fn unsigned(error: impl std::error::Error + Send + Sync + 'static) -> CloudWatchError {
            CloudWatchError::Unsigned(AwsError::new(error))
        }
        let missing = || CloudWatchError::Refused("there are no credentials".to_owned());
        let provider = self.credentials.as_ref().ok_or_else(missing)?;
        let credentials = provider.provide_credentials().await.map_err(unsigned)?;
        let mut request = http::Request::post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("GraniteServiceVersion20100801.{operation}"))
            .body(body)
            .map_err(unsigned)?;
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("monitoring")
            .time(SystemTime::from(crate::clock::now()))
            .settings(SigningSettings::default())
            .build()
            .map_err(unsigned)?
            .into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
        let signable = SignableRequest::new("POST", uri, headers, SignableBody::Bytes(request.body().as_bytes()));
        let (instructions, _) = sign(signable.map_err(unsigned)?, &params).map_err(unsigned)?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_millis(800))
        .timeout(TIMEOUT)
        // Lambda freezes the process between requests, and a connection may die meanwhile.
        .pool_idle_timeout(Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

async fn in_time<T>(read: impl Future<Output = Result<T, CloudWatchError>>) -> Result<T, CloudWatchError> {
    tokio::time::timeout(WHOLE_TIMEOUT, read).await.unwrap_or(Err(CloudWatchError::TimedOut))
}

fn failure(error: reqwest::Error) -> CloudWatchError {
    if error.is_timeout() { CloudWatchError::TimedOut } else { CloudWatchError::Unreachable(AwsError::new(error)) }
}

/// A question in CloudWatch's words. Its id begins with a letter, and has its position.
fn question(index: usize, question: &MetricQuery) -> Value {
    let dimensions: Value =
        question.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    json!({
        "Id": format!("m{index}"),
        "MetricStat": {
            "Metric": { "Namespace": question.namespace, "MetricName": question.name, "Dimensions": dimensions },
            "Period": question.period.as_secs(),
            "Stat": question.statistic,
        },
    })
}

fn set(input: &mut Value, name: &str, value: String) {
    if let Some(members) = input.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

fn record(alarm: AlarmResult, is_composite: bool) -> AlarmRecord {
    let state = match alarm.state_value.as_str() {
        "ALARM" => AlarmState::On,
        "OK" => AlarmState::Off,
        _ => AlarmState::WithoutData,
    };
    AlarmRecord {
        name: alarm.alarm_name,
        description: alarm.alarm_description.unwrap_or_default(),
        state,
        since: alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp).and_then(instant),
        is_composite,
    }
}

/// An instant in seconds since 1970.
fn instant(seconds: f64) -> Option<Timestamp> {
    let since_1970 = jiff::SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(since_1970).ok()
}

#[cfg(test)]
#[path = "cloudwatch_tests.rs"]
mod tests;
