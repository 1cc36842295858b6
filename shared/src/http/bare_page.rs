//! Pages for people who have no login here: a few words. The headers that guard them are those of every answer
//! (`headers::protect`).

use http::{HeaderValue, Response, StatusCode, header};
use maud::{DOCTYPE, Markup, html};

/// A page of a title and what follows it. A caller with a form replaces its `Content-Security-Policy`.
#[must_use]
pub fn bare_page(status: StatusCode, title: &str, content: &Markup) -> Response<String> {
    let page = html! {
        (DOCTYPE)
        html lang=(crate::language::language().tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
            }
            body style="font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:10vh auto;padding:0 1rem;color:#1c1e21" {
                main {
                    h1 style="font-size:1.5rem" { (title) }
                    (content)
                }
            }
        }
    };
    let mut response = Response::new(page.into_string());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_and_its_words_are_text() {
        let page = bare_page(StatusCode::OK, "<b>Evil</b>", &html! { p { ("<script>") } });
        assert!(page.body().contains("<h1 style=\"font-size:1.5rem\">&lt;b&gt;Evil&lt;/b&gt;</h1>"));
        assert!(!page.body().contains("<script>"));
    }
}
