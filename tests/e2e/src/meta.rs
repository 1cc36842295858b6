//! Meta's side: people, pages and forms of the simulated world, and webhooks signed by hand.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use crate::fixtures::LeadFixture;
use crate::json::Json;
use crate::world::{World, world};

/// Mara, who has pages of every kind: three with all permissions, one with advertising permission only, one without a
/// token, and two through a business portfolio.
pub const MARA_ID: &str = "10229483756102001";
/// Priya, who has sixty pages with one form each.
pub const PRIYA_ID: &str = "10223344556677003";

/// A person at Meta who is used by no other story. The permissions a person grants an app apply to all of their logins.
pub struct Person {
    /// The person's id.
    pub id: String,
    /// The ids of their pages.
    pub pages: Vec<String>,
    /// The id of the one form of each page.
    pub forms: Vec<String>,
}

impl Person {
    /// Grants everything that Meta's login dialog asks for, and returns the callback URL that Meta redirects to.
    ///
    /// # Panics
    /// Panics if Meta does not redirect.
    pub async fn consent(&self, auth_url: &str) -> Url {
        world().follow_redirect(with_query(auth_url, &[("_sim", "allow"), ("_user", &self.id)])).await
    }
}

impl World {
    /// Returns the simulator's state.
    ///
    /// # Panics
    /// Panics if the simulator rejects the call.
    pub async fn sim_state(&self) -> Value {
        self.call_sim(reqwest::Method::GET, "state", &Value::Null).await
    }

    /// Returns the secret of the Meta app, with which Meta signs.
    ///
    /// # Panics
    /// Panics if the simulator rejects the call.
    pub async fn app_secret(&self) -> String {
        self.sim_state().await.text("app.secret").to_owned()
    }

    /// Calls the simulator's control interface.
    ///
    /// # Panics
    /// Panics if the call does not succeed.
    pub async fn call_sim(&self, method: reqwest::Method, call: &str, input: &Value) -> Value {
        let request = self.http.request(method, format!("{}/_sim/{call}", self.endpoints.graph_sim));
        let request = if input.is_null() { request } else { request.json(input) };
        let answer = request.send().await.expect("the simulator answers");
        let (status, body) = (answer.status(), answer.text().await.expect("the simulator answers whole"));
        assert!(status.is_success(), "_sim/{call}: {status} {body}");
        serde_json::from_str(&body).unwrap_or(Value::Null)
    }

    /// Creates a person at Meta with this number of pages.
    ///
    /// # Panics
    /// Panics if the simulator rejects the call.
    pub async fn create_person(&self, pages: u64) -> Person {
        let user = self.call_sim(reqwest::Method::POST, "users", &json!({ "pages": pages })).await;
        let pages = user.list("pages").iter();
        Person {
            id: user.text("id").to_owned(),
            pages: pages.clone().map(|page| page.text("id").to_owned()).collect(),
            forms: pages.map(|page| page.text("forms.0.id").to_owned()).collect(),
        }
    }

    /// Creates a system user and returns it with its token. `parameters` are those of the simulator's call.
    ///
    /// # Panics
    /// Panics if the simulator rejects the call.
    pub async fn create_system_user(&self, parameters: Value) -> Value {
        self.call_sim(reqwest::Method::POST, "system_users", &parameters).await
    }

    /// Creates a form of a page with these questions and returns its id.
    ///
    /// # Panics
    /// Panics if the simulator rejects the call.
    pub async fn create_form(&self, page: &str, name: &str, locale: &str, questions: Value) -> String {
        let form = json!({ "page_id": page, "name": name, "locale": locale, "questions": questions });
        self.call_sim(reqwest::Method::POST, "forms", &form).await.text("id").to_owned()
    }

    /// Submits a lead of this person's first page. Meta sends its webhook but refuses the first read of it.
    ///
    /// # Panics
    /// Panics if the webhook rejects the notification.
    pub async fn submit_withheld_lead(&self, person: &Person) -> String {
        let (page, form) = (&person.pages[0], &person.forms[0]);
        let id = LeadFixture::new(form).undelivered().submit(1).await.remove(0);
        let refusal = json!({ "path": format!("/{id}"), "kind": "error", "code": 200, "status": 403, "times": 1 });
        self.call_sim(reqwest::Method::POST, "faults", &refusal).await;
        assert_eq!(self.deliver(&leadgen_body(page, &id, form)).await.0, 200);
        id
    }

    /// Posts a body to the webhook as Meta would, with a signature over exactly these bytes, and again if it was not taken.
    pub async fn deliver(&self, body: &[u8]) -> (u16, String) {
        let signed = format!("sha256={}", signature(&self.app_secret().await, body));
        let mut waits = [1, 3, 9].into_iter();
        loop {
            let answer = self.deliver_with("", body, &[("x-hub-signature-256", &signed)]).await;
            let Some(seconds) = waits.next().filter(|_| answer.0 >= 500) else { return answer };
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    }

    /// Posts a body to the webhook with arbitrary headers.
    ///
    /// # Panics
    /// Panics if there is no response.
    pub async fn deliver_with(&self, query: &str, body: &[u8], headers: &[(&str, &str)]) -> (u16, String) {
        let url = format!("{}/connect/webhook/facebook{query}", self.endpoints.url);
        let mut request = self.http.post(url).body(body.to_vec());
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("the webhook answers");
        (answer.status().as_u16(), answer.text().await.unwrap_or_default())
    }
}

/// Returns the HMAC-SHA256 in hex that Meta sends in `X-Hub-Signature-256`.
#[must_use]
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// Returns the webhook body of one lead.
#[must_use]
pub fn leadgen_body(page: &str, leadgen_id: &str, form: &str) -> Vec<u8> {
    let value = json!({ "leadgen_id": leadgen_id, "page_id": page, "form_id": form, "created_time": 1_767_225_600 });
    let entry = json!({ "id": page, "time": 1_767_225_600, "changes": [{ "field": "leadgen", "value": value }] });
    json!({ "object": "page", "entry": [entry] }).to_string().into_bytes()
}

/// Adds query parameters to a URL, such as a person's answer to that of the consent page.
///
/// # Panics
/// Panics if `url` is not a URL.
#[must_use]
pub fn with_query(url: &str, parameters: &[(&str, &str)]) -> Url {
    let mut url = Url::parse(url).expect("an address");
    url.query_pairs_mut().extend_pairs(parameters);
    url
}
