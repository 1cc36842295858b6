//! An org and a user who acts for it.

use std::collections::BTreeSet;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::description::Answer;
use crate::json::Json;
use crate::meta::with_query;
use crate::world::{World, wait_for, world};

/// An authenticated user acting for an org.
pub struct Tenant {
    /// The org's id.
    pub org: String,
    /// The user's token.
    pub token: String,
    world: &'static World,
}

impl Tenant {
    /// Returns the superadmin, acting for any org.
    ///
    /// # Panics
    /// Panics if there is no superadmin.
    #[must_use]
    pub fn as_superadmin(org: &str) -> Self {
        Self::as_user("", "superadmin", org)
    }

    /// Returns the user with this role in `home`, acting for `org`.
    ///
    /// # Panics
    /// Panics if there is no such user.
    #[must_use]
    pub fn as_user(home: &str, role: &str, org: &str) -> Self {
        let world = world();
        let token = world.endpoints.user(home, role).expect("such a person").id_token.clone();
        Self { org: org.to_owned(), token, world }
    }

    /// Creates the org, or changes its name and its plan.
    ///
    /// # Panics
    /// Panics if the API rejects the org.
    pub async fn put_org(&self, name: &str, features: &[&str]) {
        let plan = json!({ "name": "pro", "features": features });
        let body = json!({ "name": name, "plan": plan, "default_country": "US" });
        self.call_ok(Method::PUT, &format!("/api/orgs/{}", self.org), &body).await;
    }

    /// Creates or changes a user of the org's directory who manages leads.
    ///
    /// # Panics
    /// Panics if the API rejects the user.
    pub async fn put_user(&self, id: &str, name: &str, active: bool) {
        let email = format!("{id}@{}.example", self.org);
        let body = json!({ "name": name, "email": email, "active": active, "permissions": ["lead_management"] });
        self.call_ok(Method::PUT, &format!("/api/users/{id}"), &body).await;
    }

    /// Adds an admin to the org's directory and returns the admin's e-mail address.
    ///
    /// # Panics
    /// Panics if the API rejects the user.
    pub async fn add_admin(&self, id: &str) -> String {
        let email = admin_email(id, &self.org);
        let user = json!({ "name": id, "email": email, "role": "admin", "active": true });
        self.call_ok(Method::PUT, &format!("/api/users/{id}"), &user).await;
        email
    }

    /// Calls the API and returns status and body.
    ///
    /// # Panics
    /// Panics if there is no response.
    pub async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let headers = [("authorization", format!("Bearer {}", self.token)), ("orgid", self.org.clone())];
        self.call_with(method, path, body, &headers).await
    }

    /// Calls the API with arbitrary headers.
    ///
    /// # Panics
    /// Panics if there is no response.
    pub async fn call_with(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        headers: &[(&str, String)],
    ) -> (u16, Value) {
        let mut request = self.world.http.request(method.clone(), format!("{}{path}", self.world.endpoints.url));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        self.send(method.as_str(), path, request).await
    }

    /// Sends a request, and checks that the answer is one that the API's description knows.
    async fn send(&self, method: &str, path: &str, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.expect("the API answers");
        let (status, kind) = (answer.status().as_u16(), answer.headers().get(CONTENT_TYPE).cloned());
        let text = answer.text().await.expect("the API answers whole");
        let kind = kind.as_ref().map_or("", |kind| kind.to_str().expect("text"));
        let said = Answer { status, content_type: kind, body: &text };
        let problem = self.world.description().await.problem_with(method, path, &said);
        assert!(problem.is_none(), "{method} {path} is not as /openapi.json says: {}", problem.unwrap_or_default());
        self.world.responses.lock().expect("answers").push(text.clone());
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Calls the API and returns the body.
    ///
    /// # Panics
    /// Panics if the call does not succeed.
    pub async fn call_ok(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call(method.clone(), path, body).await;
        if !(200..300).contains(&status) {
            let errors = if status < 500 { String::new() } else { self.world.last_errors("api").await };
            panic!("{method} {path} for {}: {status} {answer}\n{errors}", self.org);
        }
        answer
    }

    /// Posts a file to the API and returns status and body.
    ///
    /// # Panics
    /// Panics if there is no response.
    pub async fn upload(&self, path: &str, file: &[u8]) -> (u16, Value) {
        self.upload_as(path, file, "application/octet-stream").await
    }

    /// Like [`Tenant::upload`], with a content type.
    ///
    /// # Panics
    /// Panics if there is no response.
    pub async fn upload_as(&self, path: &str, file: &[u8], kind: &str) -> (u16, Value) {
        let request = self.world.http.post(format!("{}{path}", self.world.endpoints.url)).header("content-type", kind);
        let request = request.header("authorization", format!("Bearer {}", self.token)).header("orgid", &self.org);
        self.send("POST", path, request.body(file.to_vec())).await
    }

    /// Gets a resource of the API.
    ///
    /// # Panics
    /// Panics if the call does not succeed.
    pub async fn get(&self, path: &str) -> Value {
        self.call_ok(Method::GET, path, &Value::Null).await
    }

    /// Gets the items of a list of the API.
    ///
    /// # Panics
    /// Panics if the call does not succeed.
    pub async fn items(&self, path: &str) -> Vec<Value> {
        self.get(path).await.list("items").to_vec()
    }

    /// Requests the URL of Meta's login dialog for a new connection. `more` adds fields to the request body.
    ///
    /// # Panics
    /// Panics if the API rejects the request.
    pub async fn request_auth_url(&self, more: Value) -> String {
        let mut body = json!({ "returnUrl": format!("{}/back?x=1", self.world.endpoints.url) });
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        let answer = self.call_ok(Method::POST, "/api/upstream/call/facebook-provider/get-auth-url", &body).await;
        answer.text("authUrl").to_owned()
    }

    /// Connects pages by walking through Meta's login dialog, and returns the outcome from the return URL.
    ///
    /// # Panics
    /// Panics if a step does not redirect.
    pub async fn connect(&self, user: &str, pages: &[&str], more: Value, answer: &[(&str, &str)]) -> Outcome {
        let pages = pages.join(",");
        let mut given = vec![("_sim", "allow"), ("_user", user)];
        if !pages.is_empty() {
            given.push(("_pages", &pages));
        }
        given.extend_from_slice(answer);
        let callback = self.world.follow_redirect(with_query(&self.request_auth_url(more).await, &given)).await;
        Outcome(self.world.follow_redirect(callback).await)
    }

    /// Compares the org's pages with Meta now.
    ///
    /// # Panics
    /// Panics if the schedule does not run.
    pub async fn sweep(&self) {
        let fired = self.world.call_dev_api(Method::POST, &format!("fire/lead-sweep?org={}", self.org)).await;
        assert_eq!(fired.number("result.messages"), 1, "{fired}");
    }

    /// Returns all leads of the org that match the filter.
    ///
    /// # Panics
    /// Panics if the list does not end.
    pub async fn leads(&self, filter: &str) -> Vec<Value> {
        self.all_items(&format!("/api/leads?limit=50&{filter}")).await
    }

    /// Returns the items of all pages of a list. `path` has a query, to which the cursor is added.
    ///
    /// # Panics
    /// Panics if the list does not end.
    pub async fn all_items(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        for _ in 0..100 {
            let page = self.get(&format!("{path}{cursor}")).await;
            items.extend(page.list("items").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
        panic!("the list does not end: {path}");
    }

    /// Waits until all these submissions are leads of the org, and returns all its leads.
    ///
    /// # Panics
    /// Panics on a timeout.
    pub async fn wait_for_leads(&self, ids: &[String]) -> Vec<Value> {
        let wanted: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        wait_for(&format!("{} leads of {}", wanted.len(), self.org), async || {
            let leads = self.leads("").await;
            let found: BTreeSet<&str> = leads.iter().filter_map(|lead| lead["leadgen_id"].as_str()).collect();
            wanted.is_subset(&found).then(|| leads.clone())
        })
        .await
    }

    /// Waits until a lead is parked and returns it.
    ///
    /// # Panics
    /// Panics on a timeout.
    pub async fn wait_for_parked(&self) -> Value {
        wait_for("a parked lead", async || self.items("/api/parked").await.first().cloned()).await
    }
}

impl World {
    /// Returns the redirect target of a URL. Reloads a page that says that it is not finished yet.
    ///
    /// # Panics
    /// Panics if the response is not a redirect.
    pub async fn follow_redirect(&self, address: Url) -> Url {
        let address = if address.path() == "/connect/begin" { self.agree(&address).await } else { address };
        let answer = wait_for("an end of the login", async || {
            let mut request = self.http.get(address.clone());
            if let Some(cookie) = self.cookie_of_login(&address) {
                request = request.header("cookie", cookie);
            }
            let answer = request.send().await.expect("an answer");
            (answer.status() != StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
        })
        .await;
        let (status, location) = (answer.status(), answer.headers().get("location").cloned());
        let body = answer.text().await.unwrap_or_default();
        let location = location.unwrap_or_else(|| panic!("{} leads nowhere: {status} {body}", address.path()));
        address.join(location.to_str().expect("text")).expect("an address")
    }

    /// Agrees on the page to which a link to a login leads. Returns where it goes on, and keeps the cookie for the way back.
    ///
    /// # Panics
    /// Panics if the page does not ask.
    pub async fn agree(&self, link: &Url) -> Url {
        let page = self.http.get(link.clone()).send().await.expect("a page");
        let cookie = page.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()).expect("a cookie");
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        let body = page.text().await.expect("a page");
        let proof = body.split("name=\"proof\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let proof = proof.unwrap_or_else(|| panic!("no question: {body}"));
        let agreed = self.http.post(link.clone()).header("cookie", &cookie).form(&[("proof", proof)]).send().await;
        let agreed = agreed.expect("an answer");
        let location = agreed.headers().get("location").and_then(|to| to.to_str().ok()).expect("a way to Meta");
        let state = state_of(link).expect("a state");
        self.logins.lock().expect("no panic").insert(state, cookie);
        Url::parse(location).expect("an address")
    }

    /// The cookie of the browser that agreed to the login whose state an address has.
    #[must_use]
    pub fn cookie_of_login(&self, address: &Url) -> Option<String> {
        self.logins.lock().expect("no panic").get(&state_of(address)?).cloned()
    }
}

fn state_of(address: &Url) -> Option<String> {
    address.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned())
}

/// The e-mail address that [`Tenant::add_admin`] gives an admin.
#[must_use]
pub fn admin_email(id: &str, org: &str) -> String {
    format!("{id}@{org}.example")
}

/// The return URL of a login.
pub struct Outcome(pub Url);

impl Outcome {
    /// Returns a parameter of the return URL; empty if it is absent.
    #[must_use]
    pub fn get(&self, name: &str) -> String {
        self.0.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}
