//! The page on which a person agrees to a connection before Meta's login.

use lambda_http::http::StatusCode;
use lambda_http::http::header::{self, HeaderValue};
use lambda_http::{Body, Request, Response};
use leadwire::connections::{Connector, Dialog, Invitation};
use leadwire::http::bare_page;
use leadwire::http::cookies::login_cookie;
use maud::html;
use url::{Url, form_urlencoded};

use super::{browser_secret, page_for};

/// Its path, on the deployment's public origin.
pub(crate) const PATH: &str = leadwire::connections::INVITATION_PATH;
/// The parameters of Meta's dialog that are ours. Others in the link, such as `auth_type`, are passed on.
const OURS: [&str; 8] = [
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "response_type",
    "config_id",
    "override_default_response_type",
    "nonce",
];
const BUTTON: &str = "display:inline-block;border:0;background:#1b4fd1;color:#fff;padding:.7em 1.3em;border-radius:.4em;font:inherit;font-weight:600";

/// Asks the person.
pub(crate) async fn ask(connector: &Connector, dialog: &Dialog, origin: &Url, request: &Request) -> Response<Body> {
    let known = browser_secret(origin, request);
    let secret = known.clone().unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
    let query = request.uri().query().unwrap_or_default();
    let state = parameter(query, "state").unwrap_or_default();
    let invitation = match connector.invitation(&state, &secret, leadwire::clock::now()).await {
        Ok(invitation) => invitation,
        Err(error) => return page_for(&error),
    };
    let mut response = page(&invitation, query, origin);
    let headers = response.headers_mut();
    // Browsers check where a form leads in the end.
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self' {}; frame-ancestors 'none'",
        dialog.root.origin().ascii_serialization()
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let name = login_cookie(origin);
    let secure = if name.starts_with("__Host-") { "; Secure" } else { "" };
    let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age=600{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Sends a person who agreed to Meta's dialog.
pub(crate) async fn agree(connector: &Connector, dialog: &Dialog, origin: &Url, request: &Request) -> Response<Body> {
    let query = request.uri().query().unwrap_or_default();
    let state = parameter(query, "state").unwrap_or_default();
    let body = match request.body() {
        Body::Text(text) => text.clone(),
        Body::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    let secret = browser_secret(origin, request).unwrap_or_default();
    let proof = parameter(&body, "proof").unwrap_or_default();
    match connector.agree(dialog, &state, (&secret, &proof), leadwire::clock::now()).await {
        Err(error) => page_for(&error),
        Ok(mut address) => {
            let others = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !OURS.contains(&&**name));
            address.query_pairs_mut().extend_pairs(others);
            let mut response = Response::new(Body::Empty);
            *response.status_mut() = StatusCode::SEE_OTHER;
            if let Ok(location) = HeaderValue::from_str(address.as_str()) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
    }
}

fn parameter(pairs: &str, wanted: &str) -> Option<String> {
    let found = form_urlencoded::parse(pairs.as_bytes()).find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.into_owned())
}

/// What an org gets, in the words of people.
fn gains(scopes: &[String]) -> Vec<&'static str> {
    const GAINS: [(&[&str], &str); 5] = [
        (&["leads_retrieval"], "the leads of your forms, as they come"),
        (
            &["pages_messaging", "instagram_manage_messages", "whatsapp_business_messaging"],
            "messages to you, to read and answer them",
        ),
        (
            &["pages_manage_engagement", "pages_read_user_content", "instagram_manage_comments"],
            "comments on your pages, to read and answer them",
        ),
        (&["pages_manage_posts", "instagram_content_publish"], "the right to publish posts on your pages"),
        (&["ads_read", "ads_management"], "the numbers of your ads, and the right to manage campaigns"),
    ];
    let has = |wanted: &[&str]| wanted.iter().any(|scope| scopes.iter().any(|known| known == scope));
    GAINS.iter().filter(|(scopes, _)| has(scopes)).map(|(_, words)| *words).collect()
}

fn page(invitation: &Invitation, query: &str, origin: &Url) -> Response<Body> {
    let Invitation { org_name, asked_by, reconnects, scopes, proof } = invitation;
    let content = html! {
        p {
            @match asked_by { Some(name) => b { (name) }, None => "A program" }
            @if *reconnects { " asks you to renew the connection of your pages with " } @else { " asks you to connect your pages with " }
            b { (org_name) } ", on " (origin.host_str().unwrap_or_default()) ". It will get:"
        }
        ul { @for gain in gains(scopes) { li { (gain) } } }
        p { "You choose the pages in the next step, on Facebook." }
        form method="post" action={ (PATH) "?" (query) } {
            input type="hidden" name="proof" value=(proof);
            button style=(BUTTON) { "Continue to Facebook" }
        }
        p style="color:#606770" { "If you do not know " (org_name) ", close this page. Nothing is connected then." }
    };
    bare_page(StatusCode::OK, &format!("Connect your Facebook pages to {org_name}?"), &content).map(Body::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_the_org_and_what_it_gets_as_text() {
        let invitation = Invitation {
            org_name: "<b>Evil</b> & Co".into(),
            asked_by: Some("Eve".into()),
            reconnects: false,
            scopes: vec!["leads_retrieval".into(), "pages_show_list".into()],
            proof: "p".into(),
        };
        let origin = "https://leads.example.com".parse().unwrap();
        let Body::Text(page) = page(&invitation, "state=a.b&_x=\"><script>", &origin).into_body() else { panic!() };
        assert!(page.contains("&lt;b&gt;Evil&lt;/b&gt; &amp; Co") && !page.contains("<script"));
        assert!(page.contains("the leads of your forms") && !page.contains("messages to you"));
    }
}
