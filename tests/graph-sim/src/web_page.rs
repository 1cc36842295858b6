//! The layout of the simulator's own web pages: one style sheet, readable on a phone, no script.

use axum::response::Html;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --accent: #0866ff; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.35rem; margin: .5rem 0; }
h2 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
.note { opacity: .75; font-size: .9rem; }
fieldset { border: 1px solid var(--line); border-radius: .6rem; margin: 1rem 0; padding: .5rem 1rem; }
legend { font-weight: 600; padding: 0 .3rem; }
label { display: flex; gap: .6rem; align-items: baseline; padding: .3rem 0; }
label.text { display: block; font-weight: 600; }
label small { opacity: .75; }
input[type=text], input[type=email], input[type=tel] { display: block; width: 100%; font: inherit; font-weight: 400;
  padding: .55rem; border: 1px solid var(--line); border-radius: .4rem; }
.actions { display: flex; gap: .75rem; margin: 1rem 0; }
button, a.button { font: inherit; font-weight: 600; padding: .6rem 1.2rem; border-radius: .4rem; border: 1px solid var(--line);
  cursor: pointer; text-decoration: none; color: inherit; background: transparent; }
button.main { background: var(--accent); border-color: var(--accent); color: #fff; }
ul.plain { list-style: none; padding: 0; }
ul.plain li { border-bottom: 1px solid var(--line); padding: .5rem 0; }
.error { border-left: 4px solid #d33; padding: .25rem .75rem; }
";

/// Renders a complete page.
pub(crate) fn page(language: &str, title: &str, content: &Markup) -> Html<String> {
    Html(
        html! {
            (DOCTYPE)
            html lang=(language) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body { main { (content) } }
            }
        }
        .into_string(),
    )
}
