//! Stopping the mails about leads, without a login: the link in a mail proves whose they are.

use axum::extract::{Path, State};
use leadwire::http::{Problem, ProblemCode};
use leadwire::notices::Unsubscribe;
use leadwire::tr;
use maud::{Markup, html};

use crate::layout::bare_page;
use crate::state::Console;

fn verify(console: &Console, token: &str) -> Result<Unsubscribe, Problem> {
    let unknown =
        || Problem::new(ProblemCode::NoSuchPage, tr!("This link is not complete. Copy all of it from the mail."));
    Unsubscribe::verify(&console.key, token).ok_or_else(unknown)
}

/// Asks first: programs that check mails for harmful links open all of them.
pub(crate) async fn ask(State(console): State<Console>, Path(token): Path<String>) -> Result<Markup, Problem> {
    verify(&console, &token)?;
    let body = html! {
        p { (tr!("You get a mail when a lead is assigned to you. If you stop these mails, your leads stay assigned to you.")) }
        form method="post" { button.primary { (tr!("Stop these mails")) } }
    };
    Ok(bare_page(&tr!("Stop mails about leads"), &body))
}

/// Stops the mails. Mail programs call this by themselves, as RFC 8058 says; the token stands for the proof that other
/// forms have.
pub(crate) async fn stop(State(console): State<Console>, Path(token): Path<String>) -> Result<Markup, Problem> {
    console.mail_switch.stop(&verify(&console, &token)?).await?;
    let body =
        html! { p { (tr!("You get no more mails about leads. An admin of your CRM can switch them on again.")) } };
    Ok(bare_page(&tr!("Mails stopped"), &body))
}
