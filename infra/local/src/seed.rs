//! Fills a fresh system through its HTTP API, as the CRM, an admin and Meta would. Nothing here bypasses the API.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::endpoints::Endpoints;
use crate::simulator::{Simulator, SimulatorState};
use crate::user_pool::{SEED_ORGS, SEED_USERS};

/// The time limit for a lead from form submission to the CRM.
const LEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// A client of the HTTP API that authenticates as the seeded users.
pub(crate) struct ApiClient<'a> {
    endpoints: &'a Endpoints,
    http: reqwest::Client,
}

impl<'a> ApiClient<'a> {
    pub(crate) fn new(endpoints: &'a Endpoints) -> Result<Self> {
        let redirect = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(redirect).timeout(Duration::from_secs(60)).build()?;
        Ok(Self { endpoints, http })
    }

    /// Creates the orgs with their plans, and the users of their directories.
    pub(crate) async fn create_directory(&self) -> Result<()> {
        for org in &SEED_ORGS {
            let body = json!({
                "name": org.name,
                "plan": { "name": org.plan, "features": org.features },
                "default_country": "US",
            });
            self.call(("", "superadmin"), org.id, Method::PUT, &format!("/api/orgs/{}", org.id), Some(&body)).await?;
        }
        for user in SEED_USERS.iter().filter(|user| !user.org.is_empty()) {
            let seller = user.seller.as_ref();
            let permissions: &[&str] = if seller.is_some() { &["lead_management"] } else { &[] };
            let body = json!({
                "name": user.name, "email": user.email, "role": user.role,
                "active": seller.is_none_or(|seller| seller.active), "permissions": permissions,
            });
            let id = seller.map_or(user.role, |seller| seller.id);
            let path = format!("/api/users/{id}");
            self.call((user.org, "admin"), user.org, Method::PUT, &path, Some(&body)).await?;
        }
        Ok(())
    }

    /// Connects the demo org: requests the consent page, agrees there, and follows the redirect back.
    pub(crate) async fn connect_demo_org(&self) -> Result<()> {
        let request = json!({
            "returnUrl": self.endpoints.url,
            "name": "Demo integration",
            "assignment": { "strategy": "round_robin" },
        });
        let path = "/api/upstream/call/facebook-provider/get-auth-url";
        let answer = self.call(("demo", "admin"), "demo", Method::POST, path, Some(&request)).await?;
        let consent = answer.get("authUrl").and_then(Value::as_str).context("the answer has no authUrl")?;
        let mut consent = Url::parse(consent).context("authUrl is not an address")?;
        consent.query_pairs_mut().append_pair("_sim", "allow");
        // As a browser does: the page names the org, and its cookie comes back with Meta's redirect.
        let page = self.http.get(consent.clone()).send().await?;
        let cookie = page.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).context("the page sets no cookie")?.to_owned();
        let page = page.text().await?;
        let proof = page.split("name=\"proof\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let proof = [("proof", proof.context("the page does not ask")?)];
        let agreement = self.http.post(consent.clone()).header("cookie", &cookie).form(&proof);
        let dialog = redirect_of(&consent, agreement).await.context("the page that names the org")?;
        let callback = redirect_of(&dialog, self.http.get(dialog.clone())).await.context("the consent page")?;
        let back = self.http.get(callback.clone()).header("cookie", &cookie);
        let outcome = redirect_of(&callback, back).await.context("the way back from Meta")?;
        if !outcome.query_pairs().any(|(name, value)| name == "status" && value == "connected") {
            bail!("the integration was not connected: {outcome}");
        }
        Ok(())
    }

    /// Submits a lead through the first form whose page notifies the app. Returns the lead as the CRM shows it, and the
    /// time it took.
    pub(crate) async fn submit_demo_lead(&self, simulator: &Simulator) -> Result<(Value, Duration)> {
        let state = simulator.state().await?;
        let form = first_form(&state).context("the simulated Meta tells us about no page with a form")?;
        let begun = Instant::now();
        let id = simulator.submit_lead(form).await?;
        while begun.elapsed() < LEAD_TIMEOUT {
            let leads = self.call(("demo", "admin"), "demo", Method::GET, "/api/leads?limit=20", None).await?;
            let leads = leads.get("items").and_then(Value::as_array).into_iter().flatten();
            for lead in leads {
                if lead.get("leadgen_id").and_then(Value::as_str) == Some(&id) {
                    return Ok((lead.clone(), begun.elapsed()));
                }
            }
            sleep(Duration::from_millis(100)).await;
        }
        bail!("lead {id} did not reach the CRM within {} s", LEAD_TIMEOUT.as_secs())
    }

    async fn call(
        &self,
        (org, role): (&str, &str),
        orgid: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let user = self.endpoints.user(org, role).with_context(|| format!("nobody is {role} of {org}"))?;
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.endpoints.url));
        request = request.bearer_auth(&user.id_token).header("orgid", orgid);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, body) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("{method} {path} as {role}: {status} {body}");
        }
        Ok(serde_json::from_str(&body).unwrap_or(Value::Null))
    }
}

/// Where a request to `address` is redirected.
async fn redirect_of(address: &Url, request: reqwest::RequestBuilder) -> Result<Url> {
    let answer = request.send().await?;
    let status = answer.status();
    let location = answer.headers().get("location").and_then(|location| location.to_str().ok()).map(ToOwned::to_owned);
    match location {
        Some(location) if status.is_redirection() => Ok(address.join(&location)?),
        _ => {
            let page = format!("{}{}", address.origin().ascii_serialization(), address.path());
            bail!("{page} does not redirect: {status} {}", excerpt(status, &answer.text().await?))
        }
    }
}

fn first_form(state: &SimulatorState) -> Option<&str> {
    let subscribed = state.pages.iter().filter(|page| page.subscribed_fields.iter().any(|field| field == "leadgen"));
    subscribed.flat_map(|page| &page.forms).map(|form| form.id.as_str()).next()
}

/// Returns enough of an error page for a message.
fn excerpt(status: StatusCode, body: &str) -> String {
    if status.is_success() { String::new() } else { body.chars().take(500).collect() }
}
