//! The console without a browser: requests with cookies, for tests of what no browser would send.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use url::Url;

use crate::tenant::Tenant;
use crate::world::world;

/// A client of the console with its own cookies.
#[derive(Default)]
pub struct Guest {
    cookies: BTreeMap<String, String>,
}

/// A response of the console.
pub struct Page {
    /// The status.
    pub status: StatusCode,
    /// The target of a redirect or of a refresh to another site; empty without one.
    pub location: String,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body.
    pub text: String,
}

/// What stands before a CSRF token in a page.
const FORM_KEY: &str = "name=\"form_key\" value=\"";

impl Page {
    /// The value of the first hidden field with this name; empty without one.
    #[must_use]
    pub fn hidden_field(&self, name: &str) -> &str {
        let field = self.text.split_once(&format!("<input type=\"hidden\" name=\"{name}\" value=\""));
        field.and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default()
    }

    /// The body without its CSRF tokens, which are others in each response.
    #[must_use]
    pub fn text_without_tokens(&self) -> String {
        let mut parts = self.text.split(FORM_KEY);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + part.split_once('"').map_or("", |(_, rest)| rest))
    }
}

impl Guest {
    /// Returns a guest with a logged-in session.
    ///
    /// # Panics
    /// Panics if the login fails.
    pub async fn log_in(email: &str) -> Self {
        let mut guest = Self::default();
        let asked = guest.get("/login").await;
        let back = guest.log_in_at_issuer(&asked.location, email).await;
        let back = guest.get(back[url::Position::BeforePath..].as_ref()).await;
        assert_eq!(back.status, 303, "{}", back.text);
        guest
    }

    /// Submits the issuer's login page and returns the redirect target.
    ///
    /// # Panics
    /// Panics if the issuer does not redirect.
    pub async fn log_in_at_issuer(&self, page: &str, email: &str) -> Url {
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

    /// Requests a page.
    pub async fn get(&mut self, path: &str) -> Page {
        self.request(Method::GET, path, &[], &[]).await
    }

    /// Posts a form with this session's CSRF token.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let proof = self.csrf_token().await;
        let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("form_key", proof.as_str())]).collect();
        self.request(Method::POST, path, &fields, &[]).await
    }

    /// Returns this session's CSRF token, which every page with a form contains.
    ///
    /// # Panics
    /// Panics if the page has no CSRF token.
    pub async fn csrf_token(&mut self) -> String {
        let page = self.get("/leads").await;
        let (_, rest) = page.text.split_once(FORM_KEY).unwrap_or_else(|| panic!("no proof on {}", page.text));
        rest.split('"').next().unwrap().to_owned()
    }

    /// Sends an arbitrary request.
    ///
    /// # Panics
    /// Panics if there is no response.
    pub async fn request(
        &mut self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Page {
        let mut request = world().http.request(method, format!("{}{path}", world().endpoints.url));
        if !fields.is_empty() {
            request = request.form(fields);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// Posts a form that takes a file, with this session's CSRF token. `file` is the name and the content of the chosen
    /// file; without one, browsers send an empty one.
    ///
    /// # Panics
    /// Panics if there is no response.
    pub async fn post_file(&mut self, path: &str, fields: &[(&str, &str)], file: (&str, &str)) -> Page {
        let mut form = Form::new().text("form_key", self.csrf_token().await);
        for (name, value) in fields {
            form = form.text((*name).to_owned(), (*value).to_owned());
        }
        form = form.part("file", Part::text(file.1.to_owned()).file_name(file.0.to_owned()));
        self.send(world().http.post(format!("{}{path}", world().endpoints.url)).multipart(form)).await
    }

    async fn send(&mut self, mut request: RequestBuilder) -> Page {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
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
        world().responses.lock().unwrap().push(text.clone());
        Page { status, location, headers, text }
    }

    /// Returns another guest with the same cookies, as after a theft.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { cookies: self.cookies.clone() }
    }
}

/// An address of the console, with what it takes.
#[derive(Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path as in the source, such as `/leads/{id}`.
    pub path: String,
}

/// Returns all addresses of the console: the routes of `.route("/x", get(…).post(…))` in its source, below the prefix of
/// their `.nest`.
///
/// # Panics
/// Panics if the source cannot be read.
#[must_use]
pub fn routes() -> Vec<Route> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions/console/src");
    let read = |name: &str| fs::read_to_string(source.join(name));
    let router = read("router.rs").expect("the console's router");
    let nests = router.split(".nest(\"").skip(1).map(|nest| {
        let (prefix, rest) = nest.split_once("\", ").expect("a module");
        let module = rest.split("::").next().unwrap_or_default();
        let text = read(&format!("{module}.rs")).or_else(|_| read(&format!("{module}/mod.rs")));
        (prefix.to_owned(), text.expect("the source of a module"))
    });
    let mut found = Vec::new();
    for (prefix, text) in nests.chain([(String::new(), router.clone())]) {
        for route in text.split(".route(").skip(1) {
            // A long one stands on several lines. Behind the last one, the function ends.
            let route = route.split("\n}").next().unwrap_or_default();
            let (own, handlers) = route.split_once('"').and_then(|(_, rest)| rest.split_once('"')).expect("a path");
            let path = if own == "/" && !prefix.is_empty() { prefix.clone() } else { format!("{prefix}{own}") };
            let methods = [(Method::GET, " get("), (Method::POST, "post(")];
            let taken = methods.into_iter().filter(|(_, word)| handlers.contains(word));
            found.extend(taken.map(|(method, _)| Route { method, path: path.clone() }));
        }
    }
    found
}

impl Tenant {
    /// Creates a login in this org and returns its e-mail address.
    ///
    /// # Panics
    /// Panics if the login cannot be created.
    pub async fn create_login(&self, name: &str, role: &str) -> String {
        let email = format!("{}@{}.example", name.to_lowercase().replace(' ', "-"), self.org);
        let person = json!({ "email": email, "name": name, "org": self.org, "role": role });
        let request = world().http.post(format!("{}/_local/people", world().endpoints.url)).json(&person);
        assert!(request.send().await.unwrap().status().is_success(), "{email}");
        email
    }
}
