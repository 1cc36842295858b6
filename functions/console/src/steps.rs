//! The steps on the way to the first lead, which Home lists until all are done, or until the person hides them.

use std::borrow::Cow;

use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use leadwire::connections::{ConnectionOut, IntegrationOut};
use leadwire::directory::UserOut;
use leadwire::ids::{OrgId, UserId};
use leadwire::model::lead::assignment::Assignment;
use leadwire::tr;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use crate::components::csrf_field;
use crate::flash::{self, Flash};
use crate::form::{AdminForm, Fields};
use crate::session::Visitor;

/// The cookie with the steps that are hidden in this browser.
const COOKIE: &str = "leadwire-steps";

/// A step on the way to the first lead.
pub(crate) struct NextStep {
    name: &'static str,
    is_done: bool,
    title: Cow<'static, str>,
    text: Cow<'static, str>,
    /// The page on which it is done, and what the way there is called.
    act: Option<(String, Cow<'static, str>)>,
}

/// The steps that a person has hidden. One that was done then, and is not any more, shows them all again.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct HiddenSteps {
    org: OrgId,
    user: UserId,
    open: Vec<String>,
}

pub(crate) fn checklist(
    integrations: &[IntegrationOut],
    connections: &[ConnectionOut],
    users: &[UserOut],
) -> Vec<NextStep> {
    let step = |name, is_done, title, text, act| NextStep { name, is_done, title, text, act };
    let of_first = |tab: &str, label| Some((format!("/integrations/{}{tab}", integrations.first()?.id), label));
    let team = |label| Some(("/settings".to_owned(), label));
    let is_assigned = integrations.iter().any(|integration| integration.assignment != Assignment::Unassigned);
    let takers = users.iter().filter(|out| out.user.takes_leads()).count();
    vec![
        step(
            "connect",
            !integrations.is_empty(),
            tr!("Connect Facebook"),
            tr!("Log in at Facebook and select your pages."),
            // The page begins with the button for it.
            None,
        ),
        step(
            "pages",
            !connections.is_empty(),
            tr!("Choose pages"),
            tr!("Leads are imported from the pages that you select."),
            of_first("/pages", tr!("Choose pages")),
        ),
        step(
            "team",
            takers > 0,
            tr!("Add your team"),
            tr!("No one in your team can manage leads yet. Give people this permission in your CRM."),
            team(tr!("See your team")),
        ),
        step(
            "assignment",
            is_assigned,
            tr!("Decide who gets new leads"),
            tr!("New leads stay unassigned."),
            of_first("/settings", tr!("Choose who gets them")),
        ),
        step(
            "alerts",
            users.iter().any(UserOut::is_alerted),
            tr!("Choose who gets alerts"),
            // Once there is a connection, an alert above says so.
            match integrations.is_empty() {
                true => tr!("No one is mailed when a connection ends. Add a user with the role admin in the CRM."),
                false => Cow::Borrowed(""),
            },
            team(tr!("Choose recipients")),
        ),
        step(
            "lead",
            connections.iter().any(|page| page.leads_count > 0),
            tr!("See a lead arrive"),
            tr!("Fill in one of your forms. A test lead shows that it works, but does not count."),
            (!connections.is_empty()).then(|| ("/forms".to_owned(), tr!("Send a test lead"))),
        ),
    ]
}

/// The steps, unless all are done or the person has hidden those that are not.
pub(crate) fn next_steps(visitor: &Visitor, jar: &PrivateCookieJar, steps: &[NextStep]) -> Markup {
    let open: Vec<&str> = steps.iter().filter(|step| !step.is_done).map(|step| step.name).collect();
    let is_next = |step: &NextStep| open.first() == Some(&step.name);
    let last = steps.iter().find(|step| is_next(step)).filter(|_| open.len() == 1);
    let act = |step: &NextStep| {
        html! { @if let Some((path, label)) = &step.act { a class=[is_next(step).then_some("button primary")] href=(path) { (label) } } }
    };
    let heading = tr!("Setup: {done} of {all} steps done", done = steps.len() - open.len(), all = steps.len());
    let list = html! {
        ol {
            @for step in steps {
                li class=[step.is_done.then_some("done")] {
                    b { (step.title) @if step.is_done { span.hidden { " " (tr!("(done)")) } } }
                    @if !step.is_done { " " span { (step.text) " " @if last.is_none() { (act(step)) } } }
                }
            }
        }
    };
    let is_hidden = HiddenSteps::find(visitor, jar).is_some_and(|hidden| hidden.has_all(&open));
    html! {
        @if !open.is_empty() && !is_hidden {
            section.card.steps {
                div.row {
                    h2 {
                        @match last {
                            Some(last) => (tr!("1 step left: {step}", step = last.title)),
                            None => (heading),
                        }
                    }
                    div.acts {
                        @if let Some(last) = last { (act(last)) }
                        form method="post" action="/home/steps" {
                            (csrf_field(visitor))
                            @for name in &open { input type="hidden" name="open" value=(name); }
                            button.plain { (tr!("Hide")) }
                        }
                    }
                }
                @if last.is_some() {
                    details { summary { (heading) } (list) }
                } @else { (list) }
            }
        }
    }
}

/// The way back, for those who have hidden the steps.
pub(crate) fn way_back(visitor: &Visitor, jar: &PrivateCookieJar) -> Markup {
    html! {
        @if HiddenSteps::find(visitor, jar).is_some() {
            section.card {
                h2 { (tr!("Setup")) }
                form method="post" action="/account/steps" {
                    (csrf_field(visitor))
                    p { (tr!("You have hidden the setup steps on Home.")) }
                    button { (tr!("Show them again")) }
                }
            }
        }
    }
}

impl HiddenSteps {
    fn new(visitor: &Visitor, fields: &Fields) -> Option<Self> {
        const MAX_STEPS: usize = 20;
        let open = fields.all("open").take(MAX_STEPS).map(|name| name.chars().take(20).collect());
        let org = visitor.session.acts_for()?.clone();
        Some(Self { org, user: visitor.session.caller.user.clone(), open: open.collect() })
    }

    /// What this visitor has hidden. Of another person or org, the cookie says nothing.
    fn find(visitor: &Visitor, jar: &PrivateCookieJar) -> Option<Self> {
        let hidden: Self = serde_json::from_str(jar.get(COOKIE)?.value()).ok()?;
        let is_theirs = hidden.user == visitor.session.caller.user && visitor.session.acts_for() == Some(&hidden.org);
        is_theirs.then_some(hidden)
    }

    fn has_all(&self, open: &[&str]) -> bool {
        open.iter().all(|name| self.open.iter().any(|hidden| hidden == name))
    }
}

fn cookie(value: String, jar: &PrivateCookieJar) -> Cookie<'static> {
    let cookie = Cookie::build((COOKIE, value)).path("/").http_only(true).same_site(SameSite::Lax);
    cookie.secure(flash::is_secure(jar)).max_age(time::Duration::days(365)).build()
}

/// Hides the steps from this person, in this browser.
#[expect(clippy::expect_used, reason = "ids and names can be serialised")]
pub(crate) async fn hide(form: AdminForm) -> Response {
    let AdminForm { actor, mut jar, fields, .. } = form;
    if let Some(hidden) = HiddenSteps::new(&actor.visitor, &fields) {
        let cookie = cookie(serde_json::to_string(&hidden).expect("plain data"), &jar);
        jar = jar.add(cookie);
    }
    let done = Flash::done(tr!("The setup steps are hidden. “Your account” shows them again."));
    (done.put(jar), Redirect::to("/home")).into_response()
}

/// Shows them again.
pub(crate) async fn show(form: AdminForm) -> Response {
    let removed = cookie(String::new(), &form.jar);
    (form.jar.remove(removed), Redirect::to("/home")).into_response()
}

#[cfg(test)]
mod tests {
    use axum_extra::extract::cookie::Key;
    use leadwire::model::caller::Role;

    use super::*;
    use crate::session::tests::visitor;

    #[test]
    fn the_next_step_alone_has_a_button() {
        let me = visitor(Role::Admin, &[]);
        let jar = PrivateCookieJar::new(Key::from(&[7; 64]));
        let shown = next_steps(&me, &jar, &checklist(&[], &[], &[])).into_string();
        assert!(!shown.contains("button primary"), "the page begins with it: {shown}");
        let mut steps = checklist(&[], &[], &[]);
        (steps[0].is_done, steps[1].is_done) = (true, true);
        let shown = next_steps(&me, &jar, &steps).into_string();
        assert_eq!(shown.matches("<a ").count(), 2, "{shown}");
        assert_eq!(shown.matches("class=\"button primary\" href=\"/settings\"").count(), 1, "{shown}");
        for step in &mut steps {
            step.is_done = step.name != "alerts";
        }
        let shown = next_steps(&me, &jar, &steps).into_string();
        assert!(shown.contains("1 step left: Choose who gets alerts"), "{shown}");
        assert_eq!(shown.matches("<a ").count(), 1, "{shown}");
    }

    #[test]
    fn steps_are_hidden_until_one_that_was_done_is_undone() {
        let fields = ["team", "lead"].map(|name| ("open".to_owned(), name.to_owned()));
        let hidden = HiddenSteps::new(&visitor(Role::Admin, &[]), &Fields::new(fields.into())).unwrap();
        assert!(hidden.has_all(&["team", "lead"]) && hidden.has_all(&["lead"]) && hidden.has_all(&[]));
        assert!(!hidden.has_all(&["connect", "lead"]));
    }

    #[test]
    fn what_one_person_hides_the_next_one_sees() {
        let jar = || PrivateCookieJar::new(Key::from(&[7; 64]));
        let ann = visitor(Role::Admin, &[]);
        let hidden = HiddenSteps::new(&ann, &Fields::new(Vec::new())).unwrap();
        let value = serde_json::to_string(&hidden).unwrap();
        let jar = jar().add(cookie(value, &jar()));
        assert_eq!(HiddenSteps::find(&ann, &jar), Some(hidden));
        let mut bob = ann.clone();
        bob.session.caller.user = UserId::parse("bob").unwrap();
        assert_eq!(HiddenSteps::find(&bob, &jar), None);
        let mut elsewhere = ann;
        elsewhere.session.org = OrgId::parse("other").ok();
        assert_eq!(HiddenSteps::find(&elsewhere, &jar), None);
    }
}
