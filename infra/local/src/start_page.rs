//! The page a person sees first: what runs here, how to connect, and the newest leads.
//!
//! It stands at `/_local/`, and at `/` as long as the template has no route there.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::endpoints::Endpoints;

const STYLE: &str = include_str!("start_page.css");
const SCRIPT: &str = include_str!("start_page.js");

pub(crate) fn routes(endpoints: &Endpoints, has_home: bool) -> Router {
    let page = page(endpoints).into_string();
    let show = move || {
        let page = page.clone();
        async move { Html(page) }
    };
    let router = Router::new().route("/_local/", get(show.clone()));
    if has_home { router } else { router.route("/", get(show)) }
}

fn page(endpoints: &Endpoints) -> Markup {
    let simulator = &endpoints.graph_sim;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Leadwire on this machine" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Leadwire on this machine" }
                    p {
                        "This is the deployed system: its template, its functions, its roles. AWS is played by MiniStack, "
                        "Meta by a simulator. Nothing leaves this machine."
                    }
                    h2 { "1. Connect" }
                    p { "Opens the consent page of the simulated Meta as the admin of the demo org, and comes back here." }
                    p { button id="connect" type="button" { "Connect Facebook" } " " span id="outcome" role="status" {} }
                    h2 { "2. Send a lead" }
                    p { "Open a lead form of " a href={ (simulator) "/lead_ads" } { "the simulated Meta" } ", fill it in and send it." }
                    h2 { "3. See it in the CRM" }
                    div class="scroll" {
                        table {
                            thead { tr { @for column in ["Received", "Name", "E-mail", "Phone", "Tag", "Page", "Form", "Assigned to"] { th scope="col" { (column) } } } }
                            tbody id="leads" { tr { td colspan="8" { "No leads yet" } } }
                        }
                    }
                    h2 { "Who can log in" }
                    div class="scroll" {
                        table {
                            thead { tr { th scope="col" { "E-mail" } th scope="col" { "Org" } th scope="col" { "Role" } } }
                            tbody {
                                @for user in &endpoints.users {
                                    tr { td { (user.email) } td { (user.org) } td { (user.role) } }
                                }
                            }
                        }
                    }
                    p {
                        "Everybody's password is " code { (endpoints.users.first().map_or("", |user| &user.password)) } ". "
                        "Behind the scenes: " a href="/_local/events" { "events" } ", " a href="/_local/mail" { "mails" } "."
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}
