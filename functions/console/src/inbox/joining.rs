//! What members decide about a person: the name, the lead, and that another one is the same.

use std::borrow::Cow;

use axum::response::Response;
use leadwire::error::{ActError, ErrorCode};
use leadwire::http::path::Id;
use leadwire::http::{Problem, fields};
use leadwire::ids::{ContactId, LeadId, OrgScope};
use leadwire::inbox::{ContactChangeIn, ContactOut};
use leadwire::model::lead::Lead;
use leadwire::model::lead::query::LeadQuery;
use leadwire::model::org::Permission;
use leadwire::tr;
use maud::{Markup, html};

use super::MemberForm;
use super::people::{self, name_of, networks};
use crate::actor::Member;
use crate::components::{csrf_field, time, with_markup};
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::request::ListQuery;
use crate::session::Visitor;
use crate::state::Console;

pub(super) async fn rename(id: Id<ContactId>, form: MemberForm) -> Result<Response, Problem> {
    let change = ContactChangeIn { name: Some(form.fields.text("name")), ..ContactChangeIn::default() };
    apply(id, form, Ok(change), tr!("Renamed.")).await
}

/// Joins a person with a lead, or, without one, separates them.
pub(super) async fn join_lead(id: Id<ContactId>, form: MemberForm) -> Result<Response, Problem> {
    let lead = form.fields.get("lead").map(|text| fields::id("lead_id", text, LeadId::parse)).transpose();
    let done = if matches!(lead, Ok(None)) { tr!("Unlinked from the lead.") } else { tr!("Linked to the lead.") };
    let change = lead.map(|lead| ContactChangeIn { lead_id: Some(lead), ..ContactChangeIn::default() });
    apply(id, form, change, done).await
}

pub(super) async fn join_person(id: Id<ContactId>, form: MemberForm) -> Result<Response, Problem> {
    let other = fields::id("same_as", &form.fields.text("person"), ContactId::parse);
    let change = other.map(|other| ContactChangeIn { same_as: Some(other), ..ContactChangeIn::default() });
    apply(id, form, change, tr!("The two people are merged.")).await
}

async fn apply(
    Id(id): Id<ContactId>,
    MemberForm { console, actor, jar, .. }: MemberForm,
    change: Result<ContactChangeIn, Problem>,
    done: Cow<'static, str>,
) -> Result<Response, Problem> {
    let outcome = match change {
        Ok(change) => console.rooms.inbox.change_contact(&actor.access, &id, &change).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    Ok(redirect_with(&format!("/inbox/people/{id}"), jar, outcome.map(|_| done.into_owned())))
}

/// Erases a person. Only admins can.
pub(super) async fn erase(Id(id): Id<ContactId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    console.rooms.inbox.erase_contact(&actor.access.scope, &id, leadwire::clock::now()).await?;
    Ok(redirect_with("/inbox/people", jar, Ok(tr!("The person is erased.").into_owned())))
}

pub(super) fn erasure_form(visitor: &Visitor, person: &ContactOut) -> Markup {
    html! {
        p.quiet { (tr!("For people who ask to be forgotten. If the person is a lead, the lead is kept.")) }
        details {
            summary { (tr!("Erase this person")) }
            p { (tr!("Everything this person wrote, everything that was written to them, and all files are deleted from Leadwire. Nothing is deleted at Meta. This cannot be undone.")) }
            form method="post" action={ "/inbox/people/" (person.id) "/erase" } { (csrf_field(visitor)) button.danger { (tr!("Erase {person}", person = name_of(person))) } }
        }
    }
}

pub(super) fn name_form(visitor: &Visitor, person: &ContactOut) -> Markup {
    html! {
        form method="post" action={ "/inbox/people/" (person.id) "/name" } {
            (csrf_field(visitor))
            label { (tr!("The name that your org uses")) input name="name" required maxlength="200" value=[person.name.as_deref()]; }
            button { (tr!("Save")) }
        }
    }
}

/// The lead of a person, or the search for it. Who may not see leads learns only that there is one.
pub(super) async fn lead_card(
    console: &Console,
    member: &Member,
    person: &ContactOut,
    lead: Option<&Lead>,
    query: &ListQuery,
) -> Result<Markup, ActError> {
    if !member.visitor.may(Permission::LeadManagement) {
        let is_lead = person.lead_id.is_some();
        let words = if is_lead { tr!("This person is a lead.") } else { tr!("This person is not a known lead.") };
        return Ok(html! { p { (words) } });
    }
    let path = format!("/inbox/people/{}/lead", person.id);
    if let Some(lead) = lead {
        return Ok(html! {
            p { a href={ "/leads/" (lead.id) } { (lead_name(lead)) } }
            p.quiet { (with_markup(&tr!("Submitted {time}"), &[("time", time(lead.created_time))])) }
            form method="post" action=(path) { (csrf_field(&member.visitor)) button.plain { (tr!("Unlink this lead")) } }
        });
    }
    let words = query.get("lead");
    let found = match words {
        Some(words) => find_leads(console, &member.access.scope, words).await?,
        None => Vec::new(),
    };
    Ok(html! {
        (search_form(person, "lead", &tr!("Start of the name, or the whole e-mail address or phone number"), words))
        @if words.is_some() && found.is_empty() { p.quiet { (tr!("No lead found. Enter the start of the name, or the whole e-mail address or phone number.")) } }
        @for lead in &found {
            form.found method="post" action=(path) {
                (csrf_field(&member.visitor))
                input type="hidden" name="lead" value=(lead.id);
                div { a href={ "/leads/" (lead.id) } { (lead_name(lead)) } div.quiet.address { (lead.email.as_deref().or(lead.phone.as_deref()).unwrap_or_default()) } }
                button { (tr!("Link this lead")) }
            }
        }
    })
}

pub(super) fn lead_name(lead: &Lead) -> Cow<'_, str> {
    let name = [&lead.full_name, &lead.email, &lead.phone].into_iter().flatten().next();
    name.map_or_else(|| tr!("Unnamed lead"), Cow::from)
}

/// Leads that a search finds; none for a text that cannot be searched for, such as half a number.
async fn find_leads(console: &Console, scope: &OrgScope, words: &str) -> Result<Vec<Lead>, ActError> {
    const MAX_FOUND: usize = 10;
    let query = LeadQuery { text: Some(words.to_owned()), ..LeadQuery::default() };
    match console.rooms.leads.list(scope, &query, None, MAX_FOUND).await {
        Err(refused) if refused.code() == ErrorCode::SearchInvalid => Ok(Vec::new()),
        found => Ok(found?.items),
    }
}

fn search_form(person: &ContactOut, name: &str, label: &str, words: Option<&str>) -> Markup {
    html! {
        form method="get" action={ "/inbox/people/" (person.id) } role="search" aria-label=(label) {
            label { (label) input type="search" name=(name) value=[words]; }
            button { (tr!("Search")) }
        }
    }
}

/// The search for another contact that is the same person.
pub(super) async fn person_card(
    console: &Console,
    member: &Member,
    person: &ContactOut,
    query: &ListQuery,
) -> Result<Markup, ActError> {
    let words = query.get("person");
    let mut found = match words {
        Some(words) => people::find(console, &member.access, words).await?,
        None => Vec::new(),
    };
    found.retain(|other| other.id != person.id);
    let name = name_of(person);
    Ok(html! {
        p.quiet { (tr!("Someone who comments on Facebook and writes on WhatsApp is two people to Meta. Merge them here.")) }
        (search_form(person, "person", &tr!("Name, user name or number"), words))
        @if words.is_some() && found.is_empty() { p.quiet { (tr!("No one else found.")) } }
        @for other in &found {
            div.found {
                div { a href={ "/inbox/people/" (other.id) } { (name_of(other)) } div { (networks(other)) } }
                details {
                    summary { (tr!("two people into one" => "Merge")) }
                    p { (tr!("{person} gets all conversations and signals of both. This cannot be undone.", person = name)) }
                    form method="post" action={ "/inbox/people/" (person.id) "/person" } {
                        (csrf_field(&member.visitor))
                        input type="hidden" name="person" value=(other.id);
                        button.danger { (tr!("Merge into one person")) }
                    }
                }
            }
        }
    })
}
