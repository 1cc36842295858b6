//! Renders the dialog's pages.

use axum::response::Html;
use maud::{Markup, html};

use super::question::Question;
use crate::web_page;
use crate::world::World;
use crate::world::person::User;
use crate::world::scope;

/// Renders the choice of person if there are several, then the choice of permissions.
pub(crate) fn page(world: &World, question: &Question) -> Html<String> {
    let content = match world.user(&question.user_id) {
        Some(user) if question.user_is_chosen || world.people().count() == 1 => consent(world, question, user),
        _ => people(world, question),
    };
    web_page::page("en", "Log in with Facebook (simulated)", &content)
}

/// Renders a problem for the person.
pub(crate) fn problem(text: &str) -> Html<String> {
    let content = html! {
        h1 { "Something is wrong with this login" }
        p.error role="alert" { (text) }
    };
    web_page::page("en", "Login error (simulated)", &content)
}

fn people(world: &World, question: &Question) -> Markup {
    html! {
        h1 { "Log in with Facebook" }
        p.note { "Simulated. Choose who you are." }
        @for user in world.people() {
            form method="get" {
                @for (name, value) in question.client_params() {
                    input type="hidden" name=(name) value=(value);
                }
                input type="hidden" name="_user" value=(user.id);
                div.actions {
                    button.main type="submit" { "Continue as " (user.name) }
                    span.note { (user.pages().count()) " pages" }
                }
            }
        }
    }
}

fn consent(world: &World, question: &Question, user: &User) -> Markup {
    html! {
        h1 { (world.app.name) " would like to connect" }
        p.note { "Simulated. You are " (user.name) "." }
        form method="post" {
            @for (name, value) in question.client_params() {
                input type="hidden" name=(name) value=(value);
            }
            input type="hidden" name="_user" value=(user.id);
            fieldset {
                legend { "Pages" }
                label { input type="radio" name="_which_pages" value="all"; "All pages, also future ones" }
                label { input type="radio" name="_which_pages" value="chosen" checked; "Only the pages ticked here" }
                @for page in user.pages().filter_map(|id| world.pages.get(id)) {
                    label {
                        input type="checkbox" name="_page" value=(page.id) checked;
                        span {
                            (page.name)
                            @if let Some(owner) = page.portfolio.as_deref().and_then(|id| world.business(id)) {
                                " " small { "through " (owner.name) }
                            }
                        }
                    }
                }
            }
            fieldset {
                legend { "Permissions" }
                @if question.all_or_nothing {
                    p.note { "This app needs all of them." }
                }
                @for name in question.scopes.iter().filter(|name| *name != "public_profile") {
                    label {
                        input type="checkbox" name="_scope" value=(name) checked;
                        span { (scope::description(name)) " " small { (name) } }
                    }
                }
            }
            div.actions {
                button.main type="submit" name="_decision" value="allow" { "Allow" }
                button type="submit" name="_decision" value="deny" { "Cancel" }
            }
        }
    }
}
