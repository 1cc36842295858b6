//! Erases the person behind a lead, on request of that person.

use axum::response::Response;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::LeadId;
use leadwire::model::lead::Lead;
use leadwire::people::{People, PersonIn};
use maud::{Markup, html};

use super::name_of;
use crate::components::csrf_field;
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::session::Visitor;

pub(super) fn erasure_form(visitor: &Visitor, lead: &Lead) -> Markup {
    html! {
        h2 { "Erase" }
        p.quiet { "For people who ask to be forgotten." }
        details {
            summary { "Erase this person" }
            p { "This lead with all forms the person sent and its history is deleted, and with it everything in the inbox that was written by them or to them. Exports of leads are deleted, because the person may be in them. What Meta still lists of it does not come back. This cannot be undone." }
            form method="post" action={ "/leads/" (lead.id) "/erase" } { (csrf_field(visitor)) button.danger { "Erase " (name_of(lead)) } }
        }
    }
}

/// Erases a person. Only admins can.
pub(super) async fn erase(Id(id): Id<LeadId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let people = People { leads: &console.leads, inbox: &console.inbox, exports: &console.exports };
    let person = PersonIn { lead_id: Some(id), ..PersonIn::default() };
    let receipt = people.erase(&actor.access, &person).await?;
    let contacts = match receipt.contacts {
        0 => String::new(),
        1 => " A contact of the inbox went with it.".to_owned(),
        many => format!(" {many} contacts of the inbox went with it."),
    };
    let done = format!(
        "The person is erased: {} forms.{contacts} Receipt {}.",
        receipt.submissions + receipt.leads,
        receipt.id
    );
    Ok(redirect_with("/leads", jar, Ok(done)))
}
