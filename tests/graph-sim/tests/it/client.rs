//! A small Graph client for the tests: logs in, signs its calls and parses responses.

use graph_sim::{Handle, Options, seed, signing};
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};
use url::Url;

/// All permissions that publishing on pages and Instagram asks for.
pub(crate) const PUBLISHING_SCOPES: &str = "pages_show_list,pages_read_engagement,pages_manage_metadata,\
                                            pages_manage_posts,instagram_basic,instagram_content_publish,ads_read";
/// All permissions that comments and messages need.
pub(crate) const INBOX_SCOPES: &str = "pages_show_list,pages_read_engagement,pages_read_user_content,\
                                       pages_manage_metadata,pages_manage_engagement,pages_messaging,instagram_basic,\
                                       instagram_manage_comments,instagram_manage_messages,business_management,\
                                       whatsapp_business_management,whatsapp_business_messaging";
/// All permissions that a lead integration asks for.
pub(crate) const ALL_SCOPES: &str = "pages_show_list,pages_read_engagement,pages_manage_metadata,pages_manage_ads,\
                                     pages_messaging,leads_retrieval,ads_management,business_management,email";
pub(crate) const REDIRECT: &str = "https://client.example/callback";
/// Dental's two forms.
pub(crate) const CHECK_UP: &str = "23984716520100001";
pub(crate) const IMPLANTS: &str = "23984716520100011";
/// The bakery's form with German keys.
pub(crate) const CATERING: &str = "23984716520100031";

/// A simulator and its client.
pub(crate) struct Meta {
    handle: Handle,
    http: Client,
}

/// A response of Graph.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    /// The id in the answer of a creation.
    pub(crate) fn id(&self) -> String {
        self.json["id"].as_str().unwrap_or_else(|| panic!("expected an id, got {}", self.text)).to_owned()
    }

    /// Status, code and subcode of an error.
    pub(crate) fn error(&self) -> (u16, i64, Option<i64>) {
        let error = &self.json["error"];
        let code = error["code"].as_i64().unwrap_or_else(|| panic!("expected an error, got {}", self.text));
        (self.status, code, error["error_subcode"].as_i64())
    }

    pub(crate) fn message(&self) -> &str {
        self.json["error"]["message"].as_str().unwrap_or_default()
    }

    /// Member `name` of each element of `data`.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let data = self.json["data"].as_array().unwrap_or_else(|| panic!("expected data, got {}", self.text));
        data.iter().map(|row| row[name].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Meta {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let handle = graph_sim::start(options).await.expect("the simulator starts");
        let http = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().expect("a client");
        Self { handle, http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.handle.url())
    }

    pub(crate) fn http(&self) -> &Client {
        &self.http
    }

    /// Passes the dialog as a program and returns the address it redirects to.
    pub(crate) async fn dialog(&self, parameters: &str) -> Url {
        let address = self.url(&format!(
            "/v26.0/dialog/oauth?client_id={}&redirect_uri={REDIRECT}&state=s%2F1&{parameters}",
            seed::APP_ID
        ));
        let response = self.http.get(address).send().await.expect("the dialog answers");
        assert_eq!(response.status(), 302, "{parameters}");
        let location = response.headers().get(LOCATION).expect("a location").to_str().expect("ASCII");
        location.parse().expect("an address")
    }

    /// Logs a user in and returns a short-lived user token.
    pub(crate) async fn login(&self, user_id: &str, scopes: &str, more: &str) -> String {
        let back = self.dialog(&format!("_sim=allow&_user={user_id}&scope={scopes}{more}")).await;
        let answer = self.exchange(&query(&back, "code").expect("a code"), REDIRECT).await;
        answer.json["access_token"].as_str().expect("a token").to_owned()
    }

    /// A long-lived user token of Mara with every permission.
    pub(crate) async fn mara(&self) -> String {
        let short = self.login(seed::MARA, ALL_SCOPES, "").await;
        self.prolong(&short).await.json["access_token"].as_str().expect("a token").to_owned()
    }

    /// Mara's page token for one page.
    pub(crate) async fn page(&self, page_id: &str) -> String {
        let user = self.mara().await;
        self.page_of(&user, page_id).await
    }

    /// The token of one of Mara's pages, for publishing there.
    pub(crate) async fn publisher(&self, page_id: &str) -> String {
        let user = self.login(seed::MARA, PUBLISHING_SCOPES, "").await;
        let user = self.prolong(&user).await.json["access_token"].as_str().expect("a token").to_owned();
        self.page_of(&user, page_id).await
    }

    /// Mara's token for comments, messages and WhatsApp.
    pub(crate) async fn agent(&self) -> String {
        let user = self.login(seed::MARA, INBOX_SCOPES, "").await;
        self.prolong(&user).await.json["access_token"].as_str().expect("a token").to_owned()
    }

    /// The page's Instagram account.
    pub(crate) async fn instagram_of(&self, page_id: &str, token: &str) -> String {
        let answer = self.get(&format!("/{page_id}?fields=instagram_business_account"), token).await;
        answer.json["instagram_business_account"]["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
    }

    /// The part `name` of the true state.
    pub(crate) async fn truth(&self, name: &str) -> Vec<Value> {
        let state = self.sim_get("state").await;
        state[name].as_array().unwrap_or_else(|| panic!("{name}: {}", state[name])).clone()
    }

    /// Moves the clock.
    pub(crate) async fn advance(&self, seconds: i64) {
        self.sim("clock", json!({"advance_s": seconds})).await;
    }

    pub(crate) async fn page_of(&self, user_token: &str, page_id: &str) -> String {
        let answer = self.get(&format!("/{page_id}?fields=access_token"), user_token).await;
        answer.json["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
    }

    pub(crate) async fn exchange(&self, code: &str, redirect_uri: &str) -> Answer {
        self.oauth(&[("code", code), ("redirect_uri", redirect_uri)]).await
    }

    pub(crate) async fn prolong(&self, token: &str) -> Answer {
        self.oauth(&[("grant_type", "fb_exchange_token"), ("fb_exchange_token", token)]).await
    }

    /// Calls `/oauth/access_token` with the app's credentials.
    pub(crate) async fn oauth(&self, parameters: &[(&str, &str)]) -> Answer {
        let client = [("client_id", seed::APP_ID), ("client_secret", seed::APP_SECRET)];
        let request = self.http.get(self.url("/v26.0/oauth/access_token")).query(&client).query(parameters);
        read(request).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, token, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, form: &[(&str, &str)]) -> Answer {
        self.call(Method::POST, path, token, form).await
    }

    pub(crate) async fn delete(&self, path: &str, token: &str) -> Answer {
        self.call(Method::DELETE, path, token, &[]).await
    }

    /// Posts a form with files.
    pub(crate) async fn post_files(
        &self,
        path: &str,
        token: &str,
        form: &[(&str, &str)],
        files: &[(&str, &str, &[u8])],
    ) -> Answer {
        let proof = signing::appsecret_proof(seed::APP_SECRET, token);
        let own = [("access_token", token), ("appsecret_proof", &proof)];
        let mut body = Vec::new();
        for (name, value) in own.iter().chain(form) {
            let head = format!("--BOUNDARY\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(head.as_bytes());
        }
        for (name, content_type, bytes) in files {
            let head = format!(
                "--BOUNDARY\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"file\"\r\n\
                 Content-Type: {content_type}\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--BOUNDARY--\r\n");
        let request = self.http.post(self.url(&format!("/v26.0{path}")));
        read(request.header("content-type", "multipart/form-data; boundary=BOUNDARY").body(body)).await
    }

    async fn call(&self, method: Method, path: &str, token: &str, form: &[(&str, &str)]) -> Answer {
        let proof = signing::appsecret_proof(seed::APP_SECRET, token);
        let own = [("access_token", token), ("appsecret_proof", &proof)];
        let address = self.url(&format!("/v26.0{path}"));
        let request = self.http.request(method.clone(), address);
        if method == Method::POST {
            let form: Vec<_> = own.iter().chain(form).collect();
            read(request.form(&form)).await
        } else {
            read(request.query(&own)).await
        }
    }

    /// Sends a batch whose requests share `token`.
    pub(crate) async fn batch(&self, token: &str, elements: &Value) -> Answer {
        self.post("/", token, &[("batch", &elements.to_string())]).await
    }

    /// Makes a control call.
    pub(crate) async fn sim(&self, path: &str, body: Value) -> Value {
        let response =
            self.http.post(self.url(&format!("/_sim/{path}"))).json(&body).send().await.expect("control answers");
        let status = response.status();
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    }

    /// Posts a JSON body with a Bearer token, as WhatsApp's clients do.
    pub(crate) async fn post_json(&self, path: &str, token: &str, body: &Value) -> Answer {
        let proof = signing::appsecret_proof(seed::APP_SECRET, token);
        let request = self.http.post(self.url(&format!("/v26.0{path}"))).query(&[("appsecret_proof", &proof)]);
        read(request.bearer_auth(token).json(body)).await
    }

    /// Makes a reading control call.
    pub(crate) async fn sim_get(&self, path: &str) -> Value {
        let response = self.http.get(self.url(&format!("/_sim/{path}"))).send().await.expect("control answers");
        response.json().await.expect("JSON")
    }

    /// Submits a form and returns the lead ids.
    pub(crate) async fn submit(&self, body: Value) -> Vec<String> {
        let answer = self.sim("leads", body).await;
        serde_json::from_value(answer["ids"].clone()).expect("ids")
    }

    /// Submits one lead with default settings and returns its id.
    pub(crate) async fn one_lead(&self, form_id: &str) -> String {
        self.submit(json!({"form_id": form_id})).await.pop().expect("a lead")
    }
}

/// The app access token.
pub(crate) fn app_token() -> String {
    format!("{}|{}", seed::APP_ID, seed::APP_SECRET)
}

/// A query parameter of a URL.
pub(crate) fn query(address: &Url, name: &str) -> Option<String> {
    address.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Sends a request and reads the response.
pub(crate) async fn read(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await.expect("a body");
    let json = serde_json::from_str(&text).unwrap_or_default();
    Answer { status, headers, text, json }
}
