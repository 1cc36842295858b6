//! The developer's page at `/_local/`: the logins, the simulated Meta, and links to the developer routes. The origin's
//! root `/` belongs to the console.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::endpoints::Endpoints;

const STYLE: &str = include_str!("logins.css");

pub(crate) fn routes(endpoints: &Endpoints) -> Router {
    let page = page(endpoints).into_string();
    let show = move || {
        let page = page.clone();
        async move { Html(page) }
    };
    Router::new().route("/_local/", get(show))
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
                    p { "Begin at " a href="/" { "the console" } ". To send a lead, open a lead form of " a href={ (simulator) "/lead_ads" } { "the simulated Meta" } ", fill it in and send it." }
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
                        "All of them have the password " code { (endpoints.users.first().map_or("", |user| &user.password)) } ". "
                        "Behind the scenes: " a href="/_local/events" { "events" } ", " a href="/_local/mail" { "mails" } "."
                    }
                }
            }
        }
    }
}
