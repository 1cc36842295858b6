//! The console without a browser: requests with cookies, for what no browser would send.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::json;
use url::Url;

use crate::tenant::Tenant;
use crate::world::world;

/// Somebody who asks for pages.
#[derive(Default)]
pub struct Guest {
    cookies: BTreeMap<String, String>,
}

/// What they are answered.
pub struct Page {
    /// The status.
    pub status: StatusCode,
    /// Where it leads, if it does: by a redirect, or by leaving for another site.
    pub location: String,
    /// All headers.
    pub headers: reqwest::header::HeaderMap,
    /// The page.
    pub text: String,
}

impl Guest {
    /// Somebody who is logged in.
    ///
    /// # Panics
    /// If the login does not come about.
    pub async fn logged_in(email: &str) -> Self {
        let mut guest = Self::default();
        let asked = guest.get("/login").await;
        let back = guest.at_the_issuer(&asked.location, email).await;
        let back = guest.get(back[url::Position::BeforePath..].as_ref()).await;
        assert_eq!(back.status, 303, "{}", back.text);
        guest
    }

    /// Passes the issuer's login page and answers where it leads.
    ///
    /// # Panics
    /// If it leads nowhere.
    pub async fn at_the_issuer(&self, page: &str, email: &str) -> Url {
        let page = Url::parse(page).expect("the issuer's login page");
        let mut form: BTreeMap<String, String> = page.query_pairs().into_owned().collect();
        form.insert("username".to_owned(), email.to_owned());
        form.insert("password".to_owned(), world().endpoints.users[0].password.clone());
        let answer = world().http.post(page.join("/login").unwrap()).form(&form).send().await.unwrap();
        let status = answer.status();
        let back = answer.headers().get("location").and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let back = back.unwrap_or_else(|| panic!("the login page answers {status}"));
        Url::parse(&back).unwrap()
    }

    /// Asks for a page.
    pub async fn get(&mut self, path: &str) -> Page {
        self.ask(Method::GET, path, &[], &[]).await
    }

    /// Sends a form that was made for this very session.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let proof = self.proof().await;
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("form_key", proof.as_str())]).collect();
        self.ask(Method::POST, path, &fields, &[]).await
    }

    /// What proves that a form was made for this session, as any page of it has it.
    ///
    /// # Panics
    /// If no page has it.
    pub async fn proof(&mut self) -> String {
        let page = self.get("/leads").await;
        let at = page.text.find("name=\"form_key\" value=\"").unwrap_or_else(|| panic!("no proof on {}", page.text));
        page.text[at + 23..].split('"').next().unwrap().to_owned()
    }

    /// Asks in whatever way.
    ///
    /// # Panics
    /// If nobody answers.
    pub async fn ask(&mut self, method: Method, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Page {
        let mut request = world().http.request(method, format!("{}{path}", world().endpoints.url));
        if !fields.is_empty() {
            request = request.form(fields);
        }
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("the console answers");
        let (status, headers) = (answer.status(), answer.headers().clone());
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let leaves_for = said("refresh").and_then(|value| value.strip_prefix("0; url="));
        let location = said("location").or(leaves_for).unwrap_or_default().to_owned();
        let text = answer.text().await.expect("the console answers whole");
        world().answers.lock().unwrap().push(text.clone());
        Page { status, location, headers, text }
    }

    /// The same cookies in somebody else's hands.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { cookies: self.cookies.clone() }
    }
}

impl Tenant {
    /// Makes somebody of this org who can log in, and answers their address.
    ///
    /// # Panics
    /// If they cannot be made.
    pub async fn login(&self, name: &str, role: &str) -> String {
        let email = format!("{}@{}.example", name.to_lowercase().replace(' ', "-"), self.org);
        let person = json!({ "email": email, "name": name, "org": self.org, "role": role });
        let request = world().http.post(format!("{}/_local/people", world().endpoints.url)).json(&person);
        assert!(request.send().await.unwrap().status().is_success(), "{email}");
        email
    }
}
