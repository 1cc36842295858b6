//! Batch requests: one `POST /` with up to 50 calls.

use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{Detail, GraphError, in_body};
use super::usage::Usage;
use super::{GraphClient, Metered, read};
use crate::secret::AccessToken;

/// Meta's limit on calls per batch.
pub const MAX_CALLS: usize = 50;
/// Requests made at once for more calls than that.
const CONCURRENCY: usize = 4;

/// One call of a batch request.
#[derive(Debug, Clone)]
pub struct Call {
    method: &'static str,
    path: String,
    body: Option<String>,
    token: Option<AccessToken>,
}

impl Call {
    /// Reads `path` with `query`.
    #[must_use]
    pub fn get(path: &str, query: &[(&str, &str)]) -> Self {
        Self { method: "GET", path: format!("{path}?{}", encoded(query)), body: None, token: None }
    }

    /// Posts `form` to `path`.
    #[must_use]
    pub fn post(path: &str, form: &[(&str, &str)]) -> Self {
        Self { method: "POST", path: path.to_owned(), body: Some(encoded(form)), token: None }
    }

    /// Deletes `path`.
    #[must_use]
    pub fn delete(path: &str) -> Self {
        Self { method: "DELETE", path: format!("{path}?"), body: None, token: None }
    }

    /// The same call without these fields at the end of its list of fields. `None` if they are not there.
    pub(super) fn without_fields(&self, fields: &str) -> Option<Self> {
        let fields: String = url::form_urlencoded::byte_serialize(fields.as_bytes()).collect();
        let path = self.path.strip_suffix(&fields)?.to_owned();
        Some(Self { path, ..self.clone() })
    }

    /// Makes this call with its own token instead of the batch's.
    #[must_use]
    pub fn with_token(mut self, token: AccessToken) -> Self {
        self.token = Some(token);
        self
    }
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[derive(Deserialize)]
struct Element {
    code: u16,
    headers: Option<Vec<Header>>,
    body: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    #[serde(default)]
    value: String,
}

impl GraphClient {
    /// Makes `calls` with `token`, 50 per request, and returns one outcome per call, in order.
    ///
    /// If a request fails as a whole, each of its calls gets its error. A call that Meta did not reach (`null`, code
    /// 960) gets an error of its own. Other calls are unaffected.
    pub async fn batch(&self, calls: &[Call], token: &AccessToken) -> Vec<Result<Value, GraphError>> {
        self.batch_metered(calls, token).await.into_iter().map(|answer| answer.outcome).collect()
    }

    /// Like [`GraphClient::batch`], with the usage that Meta reports beside each answer.
    pub(super) async fn batch_metered(&self, calls: &[Call], token: &AccessToken) -> Vec<Metered<Value>> {
        let requests: Vec<_> = calls.chunks(MAX_CALLS).map(|calls| self.metered_request(calls, token)).collect();
        stream::iter(requests).buffered(CONCURRENCY).collect::<Vec<_>>().await.into_iter().flatten().collect()
    }

    async fn metered_request(&self, calls: &[Call], token: &AccessToken) -> Vec<Metered<Value>> {
        match self.batch_request(calls, token).await {
            Ok(elements) => {
                let mut elements = elements.into_iter();
                let answers: Vec<_> = calls.iter().map(|_| metered(elements.next().unwrap_or_default())).collect();
                // One line for all of them.
                let fullest = answers.iter().map(|answer| &answer.usage).max_by(|a, b| a.percent.total_cmp(&b.percent));
                fullest.inspect(|usage| usage.report());
                answers
            }
            Err(error) => {
                let failed = || Metered { outcome: Err(error.clone()), usage: Usage::default() };
                calls.iter().map(|_| failed()).collect()
            }
        }
    }

    async fn batch_request(&self, calls: &[Call], token: &AccessToken) -> Result<Vec<Value>, GraphError> {
        let batch: Vec<Value> = calls.iter().map(|call| self.element(call)).collect();
        let request = self.authorised(self.http.post(self.url("")), token).form(&[
            ("batch", Value::from(batch).to_string().as_str()),
            ("access_token", token.expose()),
            ("include_headers", "true"),
        ]);
        read(self.send(request).await?)
    }

    fn element(&self, call: &Call) -> Value {
        let own = call.token.as_ref().map(|token| {
            encoded(&[("access_token", token.expose()), ("appsecret_proof", &self.app.secret.appsecret_proof(token))])
        });
        match (&call.body, own) {
            (None, None) => json!({ "method": call.method, "relative_url": call.path }),
            (None, Some(own)) => json!({ "method": call.method, "relative_url": format!("{}&{own}", call.path) }),
            (Some(body), None) => json!({ "method": call.method, "relative_url": call.path, "body": body }),
            (Some(body), Some(own)) => {
                json!({ "method": call.method, "relative_url": call.path, "body": format!("{body}&{own}") })
            }
        }
    }
}

/// Converts one element. Garbage in it does not affect the other calls.
fn metered(element: Value) -> Metered<Value> {
    let mut usage = Usage::default();
    let outcome = answer(element, &mut usage);
    Metered { outcome, usage }
}

fn answer(element: Value, usage: &mut Usage) -> Result<Value, GraphError> {
    if element.is_null() {
        let message = "the batch ran out of time before this call".to_owned();
        return Err(GraphError::Unavailable(Detail { code: 960, message, ..Detail::default() }));
    }
    let Element { code, headers, body } = read(element)?;
    let headers = headers.unwrap_or_default();
    *usage = Usage::from_headers(|name| {
        headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value.as_str())
    });
    let garbage = || GraphError::InvalidResponse { status: code };
    let body: Value = serde_json::from_str(&body.ok_or_else(garbage)?).map_err(|_| garbage())?;
    match in_body(&body, code, usage) {
        Some(error) => Err(error),
        None => Ok(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(json: Value) -> Result<Value, &'static str> {
        metered(json).outcome.map_err(|error| <&str>::from(error.code()))
    }

    #[test]
    fn each_element_has_its_own_fate() {
        assert_eq!(decoded(Value::Null), Err("unavailable"));
        assert_eq!(decoded(json!({"code": 200, "body": "{\"id\":\"1\"}"})), Ok(json!({"id": "1"})));
        assert_eq!(
            decoded(json!({"code": 400, "body": "{\"error\":{\"code\":100,\"error_subcode\":33}}"})),
            Err("not_visible")
        );
        assert_eq!(decoded(json!({"code": 400, "body": "{\"error\":{\"code\":960}}"})), Err("unavailable"));
        assert_eq!(decoded(json!({"code": 200, "body": "<html>"})), Err("garbage"));
        assert_eq!(decoded(json!({"code": 500, "headers": [{"name": "x"}]})), Err("garbage"));
        assert_eq!(decoded(json!({"code": 200, "headers": null, "body": "{}"})), Ok(json!({})));
        for odd in [json!({"code": 200, "body": null}), json!({"body": "{}"}), json!(7), json!([])] {
            assert_eq!(decoded(odd), Err("garbage"));
        }
    }
}
