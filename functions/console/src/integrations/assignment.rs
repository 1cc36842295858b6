//! The choice to whom new leads and new conversations are assigned.

use std::borrow::Cow;

use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::UserId;
use leadwire::model::lead::assignment::Assignment;
use leadwire::model::org::{Permission, User};
use leadwire::tr;
use maud::{Markup, html};

use crate::components::count;
use crate::form::Fields;

/// What is assigned to users: a selection of strategies and people.
#[derive(Clone, Copy)]
pub(super) enum Work {
    Leads,
    Conversations,
}

impl Work {
    fn field(self) -> &'static str {
        match self {
            Self::Leads => "assignment",
            Self::Conversations => "inbox_assignment",
        }
    }

    fn permission(self) -> Permission {
        match self {
            Self::Leads => Permission::LeadManagement,
            Self::Conversations => Permission::Inbox,
        }
    }

    fn label(self) -> Cow<'static, str> {
        match self {
            Self::Leads => tr!("Assign new leads to"),
            Self::Conversations => tr!("Assign new conversations to"),
        }
    }

    /// The option to assign to all who are able to, in turn.
    fn everyone(self, able: usize) -> String {
        match self {
            Self::Leads => tr!("Everyone who manages leads, in turn ({number})", number = count(able)),
            Self::Conversations => tr!("Everyone who uses the inbox, in turn ({number})", number = count(able)),
        }
    }

    pub(super) fn select(self, now: &Assignment, users: &[User]) -> Markup {
        let able = || users.iter().filter(|user| user.may(self.permission()));
        let chosen = match now {
            Assignment::User { user_id } => Some(user_id),
            _ => None,
        };
        let is_gone = chosen.filter(|id| !able().any(|user| user.id == **id));
        html! {
            label {
                (self.label())
                select name=(self.field()) {
                    option value="unassigned" selected[*now == Assignment::Unassigned] { (tr!("No one. Your team picks them up")) }
                    option value="round_robin" selected[*now == Assignment::RoundRobin] { (self.everyone(able().count())) }
                    @for user in able() {
                        option value={ "user:" (user.id) } selected[chosen == Some(&user.id)] { (user.name) }
                    }
                    @if let Some(id) = is_gone { option value={ "user:" (id) } selected { (tr!("{id} (not available at the moment)", id = id)) } }
                }
            }
        }
    }

    /// The assignment that a form selects.
    pub(super) fn parse(self, fields: &Fields) -> Result<Assignment, Problem> {
        let unknown = || {
            Problem::field(
                self.field(),
                ProblemCode::AssignmentUnknown,
                tr!("Choose who gets new leads or conversations."),
            )
        };
        match fields.get(self.field()) {
            Some("unassigned") => Ok(Assignment::Unassigned),
            Some("round_robin") => Ok(Assignment::RoundRobin),
            Some(other) => {
                let user = other.strip_prefix("user:").and_then(|id| UserId::parse(id).ok()).ok_or_else(unknown)?;
                Ok(Assignment::User { user_id: user })
            }
            None => Err(unknown()),
        }
    }
}
