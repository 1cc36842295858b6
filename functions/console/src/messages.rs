//! What problems say on pages. A problem's own detail fits the API and the console alike; what the console offers to
//! solve it, or says in other words, is here.

use std::borrow::Cow;

use leadwire::error::ErrorCode;
use leadwire::http::{Problem, ProblemCode};
use leadwire::tr;

/// A problem as a sentence on a page.
pub(crate) fn text(problem: &Problem) -> Cow<'_, str> {
    match (wording(problem.code), advice(problem.code)) {
        (Some(wording), _) => wording,
        (None, Some(advice)) => format!("{} {advice}", problem.detail).into(),
        (None, None) => problem.detail.as_str().into(),
    }
}

/// The console's own words, where the detail names things that pages do not show.
fn wording(code: ProblemCode) -> Option<Cow<'static, str>> {
    match code {
        ProblemCode::Act(ErrorCode::OrgRequired) => Some(tr!(
            "You are not in an org yet. Ask the person who manages your CRM's logins to add you to one. Then log in again."
        )),
        ProblemCode::Act(ErrorCode::OrgNotAllowed) => {
            Some(tr!("You are not in this org. Ask one of its admins to add you, or log in with another account."))
        }
        ProblemCode::Act(ErrorCode::RoleNotAllowed) => {
            Some(tr!("Only admins and moderators can do this. Ask one of them."))
        }
        ProblemCode::Act(ErrorCode::UserUnknown) => Some(tr!("Choose a person who is active in this org.")),
        ProblemCode::Act(ErrorCode::CursorInvalid) => {
            Some(tr!("This part of the list cannot be found. Go back to its beginning."))
        }
        ProblemCode::Act(ErrorCode::RequestReused) => {
            Some(tr!("You have already sent this form, and it worked. Send it again only if you want the same twice."))
        }
        ProblemCode::Act(ErrorCode::RangeEmpty) => Some(tr!("The last day must not be before the first.")),
        _ => None,
    }
}

/// The way out that the console offers.
fn advice(code: ProblemCode) -> Option<Cow<'static, str>> {
    match code {
        ProblemCode::Act(ErrorCode::AdAccountPaused) => Some(tr!("Resume it first.")),
        ProblemCode::Act(ErrorCode::NoAdAccounts) => Some(tr!("Link one, or resume a paused one.")),
        ProblemCode::Act(ErrorCode::AdAccountLinked) => {
            Some(tr!("To sync it with another token, change its settings."))
        }
        ProblemCode::Act(ErrorCode::MappingChanged) => Some(tr!("Saving again replaces that version.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use leadwire::http::code;

    use super::*;

    #[test]
    fn no_page_gives_the_advice_of_the_api() {
        for code in code::all() {
            let problem = Problem::new(code, "Detail.");
            let text = text(&problem);
            let api = ["GET ", "POST ", "PATCH ", "PUT ", "header", "next_cursor", "{\""];
            assert!(api.iter().all(|word| !text.contains(word)), "{code:?}: {text}");
        }
    }
}
