//! The reader's language: the one that they chose here, else their account's in the org's directory, else their browser's.

use axum::extract::{Path, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use http::{HeaderMap, header};
use leadwire::http::{Problem, ProblemCode};
use leadwire::language::{self, Language, Locale};
use leadwire::tr;
use maud::{Markup, html};
use strum::VariantArray as _;

use crate::request::referer_path;

/// The name of the cookie with the chosen language.
const COOKIE: &str = "leadwire-language";

/// Handles a request in the reader's language, as far as the request alone tells it.
pub(crate) async fn speak(request: Request, next: Next) -> Response {
    let locale = locale(request.headers(), None);
    language::speak(locale, next.run(request)).await
}

/// Switches to the language of the reader's account, once it is known.
pub(crate) fn speak_as_account(headers: &HeaderMap, account: Option<&str>) {
    language::switch_to(locale(headers, account.and_then(Language::parse)));
}

fn locale(headers: &HeaderMap, account: Option<Language>) -> Locale {
    let chosen = CookieJar::from_headers(headers).get(COOKIE).and_then(|cookie| Language::parse(cookie.value()));
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Locale::negotiate(chosen.or(account), accepted)
}

/// Chooses a language for this browser, and returns to the page.
pub(crate) async fn choose(Path(tag): Path<String>, headers: HeaderMap, jar: CookieJar) -> Response {
    let Some(language) = Language::parse(&tag) else {
        return Problem::new(ProblemCode::NoSuchPage, tr!("There is nothing at this address.")).into_response();
    };
    let cookie = Cookie::build((COOKIE, language.tag())).path("/").http_only(true).same_site(SameSite::Lax);
    let jar = jar.add(cookie.max_age(time::Duration::days(365)));
    (jar, Redirect::to(referer_path(&headers).as_deref().unwrap_or("/"))).into_response()
}

/// The other languages, each in its own words.
pub(crate) fn switch() -> Markup {
    let current = language::language();
    html! {
        @for other in Language::VARIANTS.iter().filter(|other| **other != current) {
            a href={ "/language/" (other.tag()) } hreflang=(other.tag()) lang=(other.tag()) { (other.own_name()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_choice_outweighs_the_account_and_the_account_the_browser() {
        let headers = |cookie: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en-US,en;q=0.9"));
            headers.insert(header::COOKIE, HeaderValue::from_static(cookie));
            headers
        };
        let tag = |cookie, account| locale(&headers(cookie), account).to_string();
        assert_eq!(tag("", None), "en-US");
        assert_eq!(tag("", Some(Language::German)), "de");
        assert_eq!(tag("leadwire-language=en", Some(Language::German)), "en-US");
        assert_eq!(tag("leadwire-language=de", None), "de");
        assert_eq!(tag("leadwire-language=tlh", None), "en-US", "what is not spoken is no choice");
    }
}
