//! What the pages about one integration have in common: how it stands, what is wrong with it, and the tabs.

use std::borrow::Cow;

use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::connections::IntegrationOut;
use leadwire::ids::IntegrationId;
use leadwire::model::connection::lead_state::StopReason;
use leadwire::model::connection::problem::{Impact, IntegrationProblem, IntegrationProblemCode};
use leadwire::model::connection::state::{EXPIRING_SOON_PERIOD, EndReason};
use leadwire::tr;
use maud::{Markup, html};

use super::{reconnect, state_of};
use crate::components::{self, Tone, alert, csrf_field, time, with_markup};
use crate::layout::{PageHead, Section, page};
use crate::session::Visitor;

/// The pages about one integration.
#[derive(Clone, Copy)]
pub(super) enum Tab {
    /// The first one, at the integration's own address.
    Health,
    Pages,
    Searches,
    Quality,
    Settings,
}

impl Tab {
    const ALL: [Self; 5] = [Self::Health, Self::Pages, Self::Searches, Self::Quality, Self::Settings];

    /// Its address, to which its acts return.
    pub(super) fn path(self, id: &IntegrationId) -> String {
        let own = match self {
            Self::Health => "",
            Self::Pages => "/pages",
            Self::Searches => "/searches",
            Self::Quality => "/quality",
            Self::Settings => "/settings",
        };
        format!("/integrations/{id}{own}")
    }

    fn name(self) -> Cow<'static, str> {
        match self {
            Self::Health => tr!("Health"),
            Self::Pages => tr!("Pages"),
            Self::Searches => tr!("Searches"),
            Self::Quality => tr!("Lead quality"),
            Self::Settings => tr!("Settings"),
        }
    }

    /// The page of this tab. Only its body differs from the others.
    pub(super) fn page(
        self,
        visitor: &Visitor,
        jar: PrivateCookieJar,
        integration: &IntegrationOut,
        body: &Markup,
    ) -> Response {
        let (id, name) = (&integration.id, integration.name.as_str());
        let tabs = Self::ALL.map(|tab| (tab.path(id), tab.name()));
        let tabs = html! {
            (problems(visitor, integration))
            (components::tabs(&tr!("Integration"), &self.path(id), tabs))
        };
        // What does not work now cannot be synced, and says above how it works again.
        let acts = html! {
            @if integration.reason.is_none() {
                form method="post" action={ "/integrations/" (id) "/sync" } { (csrf_field(visitor)) button { (tr!("Sync now")) } }
            }
        };
        let head = PageHead::new(name).of_part(&self.name()).about(standing(integration)).acts(acts).tabs(tabs);
        page(visitor, jar, Section::Integrations, head, body)
    }
}

fn standing(integration: &IntegrationOut) -> Markup {
    let at = || ("time", time(integration.connected_at));
    let is_connected = integration.reason != Some(StopReason::Ended(EndReason::NotConnected));
    html! {
        (state_of(integration)) " "
        @if is_connected {
            @match &integration.connected_by {
                Some(person) => (with_markup(&tr!("Connected by {person} on {time}"), &[("person", html! { (person.name) }), at()])),
                None => (with_markup(&tr!("Connected on {time}"), &[at()])),
            }
        }
    }
}

/// What is wrong, each with what to do.
fn problems(visitor: &Visitor, integration: &IntegrationOut) -> Markup {
    // One button for all that reconnecting repairs.
    let is_repaired = |problem: &&IntegrationProblem| {
        matches!(problem.code, IntegrationProblemCode::ScopeMissing | IntegrationProblemCode::PageWithoutToken)
    };
    let reconnects = integration.problems.iter().find(is_repaired).filter(|_| integration.reason_message.is_none());
    let ends_soon = integration.expires_at.is_some_and(|at| at <= leadwire::clock::now() + EXPIRING_SOON_PERIOD);
    html! {
        @if let Some(message) = &integration.reason_message {
            (alert(Tone::Bad, html! {
                p { (message) (consequence(integration)) }
                @if let Some(fix) = fix_beside_button(integration) { p.fix { b { (tr!("What to do:")) " " } (fix) } }
                (reconnect(visitor, integration))
            }))
        }
        // What stops everything is said above.
        @for problem in integration.problems.iter().filter(|problem| integration.reason_message.as_ref() != Some(&problem.message)) {
            @let tone = match problem.impact { Impact::LeadsBlocked => Tone::Bad, Impact::LeadsAtRisk => Tone::Warn, _ => Tone::Calm };
            (alert(tone, html! {
                p { (problem.message) }
                p.fix { b { (tr!("What to do:")) " " } (problem.fix) }
                @if reconnects == Some(problem) { (reconnect(visitor, integration)) }
            }))
        }
        @if integration.reason_message.is_none() && ends_soon {
            (alert(Tone::Warn, html! { p { (tr!("This connection expires soon. Reconnect before then to keep leads arriving.")) } (reconnect(visitor, integration)) }))
        }
    }
}

/// That no leads arrive, unless the reason says so itself.
pub(super) fn consequence(integration: &IntegrationOut) -> Markup {
    html! { @if let Some(StopReason::Ended(_)) = integration.reason { " " (tr!("No leads arrive until this is fixed.")) } }
}

/// What to do, beside the button for it: nothing that the button says.
pub(super) fn fix_beside_button(integration: &IntegrationOut) -> Option<&str> {
    integration.fix.as_deref().filter(|fix| *fix != tr!("Reconnect."))
}
