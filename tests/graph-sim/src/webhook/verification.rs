//! Verifies a callback before Meta sends webhooks to it.

use std::time::Duration;

use reqwest::Client;
use url::Url;

use crate::graph::error::GraphError;
use crate::world::ids;

/// Calls `callback_url` as Meta does when a subscription is created. The response must be 200 and exactly the
/// challenge, without quotes or a newline.
///
/// # Errors
/// Returns 2200 if the callback cannot be reached or responds with another status, 2201 if the text differs.
pub(crate) async fn verify(http: &Client, callback_url: &str, verify_token: &str) -> Result<(), GraphError> {
    let mut address = Url::parse(callback_url)
        .map_err(|_| GraphError::invalid("(#100) Param callback_url must be a valid absolute URL"))?;
    let challenge = ids::challenge_text();
    address
        .query_pairs_mut()
        .append_pair("hub.mode", "subscribe")
        .append_pair("hub.challenge", &challenge)
        .append_pair("hub.verify_token", verify_token);
    let answer = http.get(address).timeout(Duration::from_secs(10)).header("user-agent", "facebookplatform/1.0").send();
    let response = answer.await.map_err(|error| {
        tracing::debug!(%error, "callback verification failed");
        let cause = if error.is_timeout() { "Operation timed out" } else { "Could not connect" };
        GraphError::new(400, 2200, format!("(#2200) Callback verification failed with the following errors: {cause}"))
    })?;
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    if status.as_u16() != 200 {
        return Err(GraphError::new(
            400,
            2200,
            format!(
                "(#2200) Callback verification failed with the following errors: HTTP Status Code = {}; HTTP Message = {}",
                status.as_u16(),
                status.canonical_reason().unwrap_or_default(),
            ),
        ));
    }
    if text != challenge {
        let received: String = text.chars().take(100).collect();
        return Err(GraphError::new(
            400,
            2201,
            format!(
                "(#2201) response does not match challenge, expected value = '{challenge}', received = '{received}'"
            ),
        ));
    }
    Ok(())
}
