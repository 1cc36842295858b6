//! Erases the person behind a lead, on request of that person.

use axum::response::Response;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::LeadId;
use leadwire::model::lead::Lead;
use leadwire::people::{People, PersonIn};
use leadwire::tr;
use maud::{Markup, html};

use super::name_of;
use crate::components::{count, csrf_field};
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::session::Visitor;

pub(super) fn erasure_form(visitor: &Visitor, lead: &Lead) -> Markup {
    html! {
        h2 { (tr!("Erase")) }
        p.quiet { (tr!("For people who ask to be forgotten (GDPR).")) }
        details {
            summary { (tr!("Erase this person")) }
            p { (tr!("This deletes the lead, its history, all forms that the person submitted, and their conversations in the inbox, if these are linked to the lead or have its phone number. All exports of leads are deleted too, because the person may be in them. What is deleted is not imported again, even if Meta still lists it. This cannot be undone.")) }
            p { (tr!("Other conversations with the person stay: erase them under Inbox → People. Delete the person in your CRM too.")) }
            form method="post" action={ "/leads/" (lead.id) "/erase" } { (csrf_field(visitor)) button.danger { (tr!("Erase {name}", name = name_of(lead))) } }
        }
    }
}

/// Erases a person. Only admins can.
pub(super) async fn erase(Id(id): Id<LeadId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let people = People { leads: &console.rooms.leads, inbox: &console.rooms.inbox, exports: &console.rooms.exports };
    let person = PersonIn { lead_id: Some(id), ..PersonIn::default() };
    let receipt = people.erase(&actor.access, &person).await?;
    let forms = receipt.submissions + receipt.leads;
    let mut done = vec![
        tr!([forms] "The person is erased, with {n} submitted form." | "The person is erased, with {n} submitted forms."),
    ];
    match receipt.contacts {
        0 => {}
        1 => done.push(tr!("A contact in the inbox was erased too.").into_owned()),
        many => done.push(tr!("{contacts} contacts in the inbox were erased too.", contacts = count(many))),
    }
    done.push(tr!("Erasure receipt: {id}.", id = receipt.id));
    Ok(redirect_with("/leads", jar, Ok(done.join(" "))))
}
