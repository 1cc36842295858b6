//! Meta's Graph API. Every fact about it lives below this module: paths, fields, error codes and headers.
//!
//! A token is an argument of each call, never state of the client. It travels in a header or a body, so no URL, log
//! line or `paging.next` ever contains one. Every call carries an `appsecret_proof`.
//!
//! This module knows nothing of orgs, of the table or of when to retry. It reports what failed ([`GraphError`]).

pub mod access;
pub mod ad_accounts;
pub mod ad_objects;
pub mod batch;
pub mod businesses;
pub mod campaign_refusal;
pub mod campaigns;
pub mod conversions;
pub mod error;
pub mod inbox;
pub mod inbox_lists;
pub mod insight_rows;
pub mod insights;
pub mod instagram;
pub mod lead_forms;
pub mod lead_lists;
pub mod leads;
pub mod mentions;
pub mod oauth;
pub mod page_posts;
pub mod pages;
pub mod profiles;
pub mod publish_fault;
pub mod send_fault;
pub mod sends;
pub mod signed_request;
pub mod subscriptions;
pub mod usage;
pub mod whatsapp;

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

pub use error::GraphError;

use crate::secret::{AccessToken, App};
use usage::Usage;

/// What Meta answers about an object of which only the ID matters.
#[derive(Deserialize)]
struct OnlyId {
    id: String,
}

/// A Graph API client for one app. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct GraphClient {
    http: reqwest::Client,
    root: Url,
    version: String,
    app: App,
}

impl GraphClient {
    /// Creates a client for the API at `root` that speaks `version` (`v26.0`).
    ///
    /// # Errors
    /// Fails if the machine's TLS setup is unusable.
    pub fn new(root: Url, version: String, app: App) -> Result<Self, GraphError> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(15))
            // Lambda freezes the process between events, and a connection that died meanwhile would fail a call.
            .pool_idle_timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(GraphError::transport)?;
        Ok(Self { http, root, version, app })
    }

    /// Returns this client with the app's current credentials, because the app secret may have changed.
    #[must_use]
    pub fn with_app(&self, app: App) -> Self {
        Self { app, ..self.clone() }
    }

    /// Returns the app this client acts for.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Where the Graph API is.
    #[must_use]
    pub fn origin(&self) -> url::Origin {
        self.root.origin()
    }

    /// Returns the token with which the app acts for itself.
    fn app_token(&self) -> AccessToken {
        AccessToken::new(format!("{}|{}", self.app.id, self.app.secret.expose()))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{}/{path}", self.root.as_str().trim_end_matches('/'), self.version)
    }

    fn authorised(&self, request: RequestBuilder, token: &AccessToken) -> RequestBuilder {
        request.bearer_auth(token.expose()).query(&[("appsecret_proof", self.app.secret.appsecret_proof(token))])
    }

    /// Reads the node or edge at `path`.
    async fn get(&self, path: &str, query: &[(&str, &str)], token: &AccessToken) -> Result<Value, GraphError> {
        self.send(self.authorised(self.http.get(self.url(path)).query(query), token)).await
    }

    /// Posts `form` to `path`. Meta may download media before it answers, so that this takes longer than other calls.
    ///
    /// # Errors
    /// After [`GraphError::Transport`], [`GraphError::Unavailable`] and [`GraphError::InvalidResponse`], Meta may have
    /// done what was asked.
    async fn post(&self, path: &str, form: &[(&str, &str)], token: &AccessToken) -> Result<Value, GraphError> {
        const TIMEOUT: Duration = Duration::from_secs(45);
        let request = self.http.post(self.url(path)).form(form).timeout(TIMEOUT);
        self.send(self.authorised(request, token)).await
    }

    /// Posts JSON to `path`, as WhatsApp's Cloud API wants it.
    ///
    /// # Errors
    /// As [`GraphClient::post`].
    async fn post_json(&self, path: &str, body: &Value, token: &AccessToken) -> Result<Value, GraphError> {
        const TIMEOUT: Duration = Duration::from_secs(30);
        let request = self.http.post(self.url(path)).json(body).timeout(TIMEOUT);
        self.send(self.authorised(request, token)).await
    }

    /// Posts a file as `source`, with `form`, to `path`.
    ///
    /// # Errors
    /// As [`GraphClient::post`].
    async fn post_file(
        &self,
        path: &str,
        form: &[(&'static str, &'static str)],
        bytes: Vec<u8>,
        content_type: &str,
        token: &AccessToken,
    ) -> Result<Value, GraphError> {
        const TIMEOUT: Duration = Duration::from_secs(45);
        let file = Part::bytes(bytes).file_name("file").mime_str(content_type).map_err(GraphError::transport)?;
        let body = form.iter().fold(Form::new(), |body, (name, value)| body.text(*name, *value)).part("source", file);
        let request = self.http.post(self.url(path)).multipart(body).timeout(TIMEOUT);
        self.send(self.authorised(request, token)).await
    }

    /// Reads all response pages of an edge.
    async fn get_all<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        token: &AccessToken,
    ) -> Result<Vec<T>, GraphError> {
        let first = read(self.get(path, query, token).await?)?;
        self.get_rest(path, query, token, first).await
    }

    /// Reads the response pages after `first`. Only an absent `paging.next` ends an edge: earlier pages may be short or
    /// empty, and the last page has a cursor too.
    async fn get_rest<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        token: &AccessToken,
        first: GraphPage<T>,
    ) -> Result<Vec<T>, GraphError> {
        const MAX_PAGES: usize = 200;
        let (mut next, mut items) = (first.next(), first.data);
        for _ in 1..MAX_PAGES {
            let Some(after) = next else { return Ok(items) };
            let mut query = query.to_vec();
            query.push(("after", &after));
            let page: GraphPage<T> = read(self.get(path, &query, token).await?)?;
            next = page.next().filter(|next| *next != after);
            items.extend(page.data);
        }
        tracing::warn!(path, MAX_PAGES, "an edge has more response pages than are read");
        Ok(items)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Value, GraphError> {
        self.send_metered(request).await.outcome
    }

    async fn send_metered(&self, request: RequestBuilder) -> Metered<Value> {
        match request.send().await {
            Ok(response) => self.answer(response).await,
            Err(error) => Metered { outcome: Err(GraphError::transport(error)), usage: Usage::default() },
        }
    }

    async fn answer(&self, response: Response) -> Metered<Value> {
        let status = response.status().as_u16();
        // The query may hold tokens.
        let path = response.url().path().to_owned();
        let usage = Usage::from_headers(|name| response.headers().get(name).and_then(|value| value.to_str().ok()));
        usage.report();
        let read = async {
            let bytes = response.bytes().await.map_err(GraphError::transport)?;
            let body: Value = serde_json::from_slice(&bytes).map_err(|_| GraphError::InvalidResponse { status })?;
            match error::in_body(&body, status, &usage) {
                Some(error) => Err(error),
                None => Ok(body),
            }
        };
        let outcome = read.await;
        tracing::debug!(path, status, error = ?outcome.as_ref().err().map(ToString::to_string), "Meta answered");
        Metered { outcome, usage }
    }
}

/// A response, and the limit usage that Meta's headers report beside it, on success too.
#[derive(Debug)]
pub struct Metered<T> {
    /// The response, or the error.
    pub outcome: Result<T, GraphError>,
    /// How much of the limits is used.
    pub usage: Usage,
}

impl<T> Metered<T> {
    fn read_as<U>(self, read: impl FnOnce(T) -> Result<U, GraphError>) -> Metered<U> {
        Metered { outcome: self.outcome.and_then(read), usage: self.usage }
    }
}

#[derive(serde::Deserialize)]
struct GraphPage<T> {
    data: Vec<T>,
    paging: Option<Paging>,
}

impl<T> GraphPage<T> {
    /// Returns the cursor of the next response page, `None` on the last.
    fn next(&self) -> Option<String> {
        let paging = self.paging.as_ref()?;
        paging.next.as_ref().and(paging.cursors.as_ref())?.after.clone()
    }
}

#[derive(serde::Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    next: Option<String>,
}

#[derive(serde::Deserialize)]
struct Cursors {
    after: Option<String>,
}

/// Deserializes a response. A body of the wrong shape is an error: on bad days Meta returns 200 with garbage.
fn read<T: DeserializeOwned>(body: Value) -> Result<T, GraphError> {
    serde_json::from_value(body).map_err(|_| GraphError::InvalidResponse { status: 200 })
}
