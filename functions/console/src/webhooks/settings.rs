//! The settings of an endpoint, and its secret.

use axum::response::Response;
use leadwire::deliveries::{EndpointOut, EndpointPatch};
use leadwire::error::ActError;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::EndpointId;
use leadwire::model::event::EventKind;
use leadwire::tr;
use maud::{Markup, html};
use strum::IntoEnumIterator;

use super::{PATH, show_secret};
use crate::actor::Admin;
use crate::acts::Showing;
use crate::components::{csrf_field, field_problem, is_wrong};
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::session::Visitor;

/// The events of a form: `None` for all.
pub(super) fn read_events(fields: &Fields) -> Option<Vec<String>> {
    (!fields.is_ticked("all")).then(|| fields.all("event").map(ToOwned::to_owned).collect())
}

pub(super) async fn change(Id(id): Id<EndpointId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor: Admin { visitor, access }, jar, fields } = form;
    let input = EndpointPatch {
        url: Some(fields.text("url")),
        description: Some(fields.text("description")),
        events: Some(read_events(&fields)),
        active: Some(fields.is_ticked("active")),
    };
    match console.rooms.deliveries.change_endpoint(&access, &id, input).await {
        Ok(_) => Ok(redirect_with(&format!("{PATH}/{id}"), jar, Ok(tr!("Saved.").into_owned()))),
        Err(ActError::Refused(refusal)) => {
            let problem = Problem::from(ActError::Refused(refusal));
            let (admin, refused) = (Admin { visitor, access }, Some((&fields, &problem)));
            let page = super::detail::render_page(&console, &admin, jar, &id, refused).await?;
            Ok(page.showing(Some(&problem)))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn rotate(Id(id): Id<EndpointId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor: Admin { visitor, access }, jar, .. } = form;
    match console.rooms.deliveries.rotate_secret(&access, &id).await {
        Ok(rotated) => Ok(show_secret(&visitor, jar, &rotated)),
        Err(error) => Ok(redirect_with(&format!("{PATH}/{id}"), jar, Err::<String, _>(error.into()))),
    }
}

pub(super) async fn delete(Id(id): Id<EndpointId>, form: AdminForm) -> Result<Response, Problem> {
    let AdminForm { console, actor, jar, .. } = form;
    let outcome = console.rooms.deliveries.delete_endpoint(&actor.access, &id).await;
    Ok(redirect_with(PATH, jar, outcome.map(|()| tr!("Deleted.").into_owned()).map_err(Problem::from)))
}

/// The form of an endpoint: a new one, or one with settings. What was typed comes before what is stored.
pub(super) fn form(
    visitor: &Visitor,
    action: &str,
    stored: Option<&EndpointOut>,
    typed: &Fields,
    problem: Option<&Problem>,
) -> Markup {
    let is_typed = typed.raw("url").is_some();
    let value = |name: &str, stored: Option<&str>| match is_typed {
        true => typed.raw(name).unwrap_or_default().to_owned(),
        false => stored.unwrap_or_default().to_owned(),
    };
    let chosen: Option<Vec<String>> = match is_typed {
        true => read_events(typed),
        false => stored.and_then(|endpoint| endpoint.events.clone()),
    };
    let is_active = if is_typed { typed.is_ticked("active") } else { stored.is_some_and(|endpoint| endpoint.active) };
    let is_chosen = |name: &str| chosen.as_ref().is_some_and(|names| names.iter().any(|chosen| chosen == name));
    html! {
        form method="post" action=(action) {
            (csrf_field(visitor))
            label { (tr!("Address")) input name="url" type="url" required maxlength="2000" placeholder="https://crm.example.com/events"
                value=(value("url", stored.map(|it| it.url.as_str()))) aria-invalid=[is_wrong(problem, "url")]; }
            (field_problem(problem, "url"))
            label { (tr!("Description")) input name="description" maxlength="200"
                value=(value("description", stored.map(|it| it.description.as_str()))) aria-invalid=[is_wrong(problem, "description")]; }
            (field_problem(problem, "description"))
            fieldset {
                legend { (tr!("Events")) }
                label.tick { input type="checkbox" name="all" value="yes" checked[chosen.is_none()]; (tr!("All, including events that later versions add")) }
                details open[chosen.is_some()] {
                    summary { (tr!("Only these")) }
                    @for kind in EventKind::iter() {
                        label.tick { input type="checkbox" name="event" value=(kind.name()) checked[is_chosen(kind.name())]; (kind.summary()) }
                    }
                }
            }
            (field_problem(problem, "events"))
            @if stored.is_some() {
                label.tick { input type="checkbox" name="active" value="yes" checked[is_active]; (tr!("Send events to this endpoint")) }
            }
            div.acts { button.primary { @if stored.is_some() { (tr!("Save")) } @else { (tr!("Add")) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use leadwire::error::ErrorCode;
    use leadwire::model::caller::Role;

    use super::*;
    use crate::session::tests::visitor;

    #[test]
    fn what_was_typed_is_still_there_after_a_mistake() {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let typed =
            Fields::new(vec![field("url", "http://<x>"), field("description", "Mine"), field("event", "lead.created")]);
        let problem = Problem::field("url", ErrorCode::AddressNotAllowed, "An address that begins with https://.");
        let page = form(&visitor(Role::Admin, &[]), PATH, None, &typed, Some(&problem)).into_string();
        assert!(page.contains("value=\"http://&lt;x&gt;\"") && page.contains("value=\"Mine\""), "{page}");
        assert!(page.contains("value=\"lead.created\" checked") && !page.contains("value=\"lead.updated\" checked"));
        assert!(!page.contains("value=\"yes\" checked") && page.contains("id=\"url-mistake\""), "{page}");
    }

    #[test]
    fn a_new_endpoint_gets_all_events_unless_some_are_chosen() {
        let fresh = form(&visitor(Role::Admin, &[]), PATH, None, &Fields::new(Vec::new()), None).into_string();
        assert!(fresh.contains("name=\"all\" value=\"yes\" checked"), "{fresh}");
        assert_eq!(read_events(&Fields::new(vec![("all".into(), "yes".into())])), None);
        assert_eq!(read_events(&Fields::new(vec![("event".into(), "a".into())])), Some(vec!["a".into()]));
    }
}
