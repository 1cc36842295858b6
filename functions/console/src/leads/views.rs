//! The views of the list of leads: the usual ones, and those that people keep for themselves.

use axum::response::Response;
use leadwire::http::Problem;
use leadwire::model::lead::query::Assignee;
use leadwire::model::lead::view::LeadView;
use leadwire::tr;
use maud::{Markup, html};

use super::list::PATH;
use super::{FILTERS, STATUSES, lead_query, status_name};
use crate::components::csrf_field;
use crate::flash::redirect_with;
use crate::form::{ReaderForm, Submitted};
use crate::request::{ListQuery, local_path};
use crate::session::Visitor;
use crate::zone::Zone;

/// The filter that no view has, because it names people.
const SEARCH: &str = "q";

/// The chips that show views. Filters that are no view yet can be kept as one.
pub(super) fn chips(query: &ListQuery, visitor: &Visitor, own: &[LeadView]) -> Markup {
    let usual = |label, name: &str, value: &str| (label, vec![(name.to_owned(), value.to_owned())]);
    let mine = visitor.user().map(|user| usual(tr!("Mine"), "assigned_to", user.id.as_str()));
    let unassigned = usual(tr!("Unassigned"), "assigned_to", Assignee::UNASSIGNED);
    let statuses = STATUSES.iter().map(|(status, value)| usual(status_name(*status), "status", value));
    let all = (tr!("All"), Vec::new());
    let usual: Vec<_> = [all].into_iter().chain(mine).chain([unassigned]).chain(statuses).collect();
    let here = filters(query);
    let is_shown = |filters: &[(String, String)]| query.get(SEARCH).is_none() && here == filters;
    let shown = own.iter().find(|view| is_shown(&view.filters));
    let is_new = query.get(SEARCH).is_none()
        && !here.is_empty()
        && shown.is_none()
        && !usual.iter().any(|(_, filters)| is_shown(filters));
    let own_chips = own.iter().map(|view| (view.name.as_str().into(), view.filters.clone()));
    html! {
        div.views {
            nav.chips aria-label=(tr!("Views")) {
                @for (label, filters) in usual.iter().cloned().chain(own_chips) {
                    a.chip href=(address(&filters)) aria-current=[is_shown(&filters).then_some("true")] { (label) }
                }
            }
            @if is_new {
                details.menu {
                    summary.chip { (tr!("Save as a view")) }
                    form method="post" action={ (PATH) "/views" } {
                        (csrf_field(visitor))
                        @for (name, value) in &here { input type="hidden" name=(name) value=(value); }
                        label { (tr!("Name of the view")) input name="name" required maxlength="40" autocomplete="off"; }
                        p.quiet { (tr!("Only you see it.")) }
                        div.acts { button.primary { (tr!("Save")) } }
                    }
                }
            }
            @if let Some(view) = shown {
                form method="post" action={ (PATH) "/views/delete" } {
                    (csrf_field(visitor))
                    input type="hidden" name="name" value=(view.name);
                    button.plain { (tr!("Delete the view “{name}”", name = view.name)) }
                }
            }
        }
    }
}

/// The filters that a view of this list has.
fn filters(query: &ListQuery) -> Vec<(String, String)> {
    let names = FILTERS.iter().filter(|name| **name != SEARCH);
    names.filter_map(|name| Some(((*name).to_owned(), query.text(name)?))).collect()
}

/// The address of the list with these filters.
fn address(filters: &[(String, String)]) -> String {
    ListQuery::new(filters.iter().map(|(name, value)| (name.as_str(), value.as_str()))).at(PATH, &[])
}

/// Keeps the filters as a view.
pub(super) async fn save(zone: Zone, form: ReaderForm) -> Result<Response, Problem> {
    let Submitted { console, actor, jar, fields } = form;
    let query = ListQuery::new(fields.iter().filter(|(name, _)| FILTERS.contains(name)));
    lead_query(&query, &zone)?;
    let view = LeadView { name: fields.text("name"), filters: filters(&query) };
    let back = address(&view.filters);
    let saved = console.rooms.leads.save_view(&actor.scope, &actor.visitor.session.caller.user, view).await;
    // Filters that are too long for a view may be too long for an address as well.
    let back = local_path(&back).unwrap_or(PATH);
    Ok(redirect_with(back, jar, saved.map(|()| tr!("Saved.").into_owned()).map_err(Problem::from)))
}

/// Deletes a view.
pub(super) async fn delete(form: ReaderForm) -> Result<Response, Problem> {
    let Submitted { console, actor, jar, fields } = form;
    let user = &actor.visitor.session.caller.user;
    let deleted = console.rooms.leads.delete_view(&actor.scope, user, &fields.text("name")).await;
    Ok(redirect_with(PATH, jar, deleted.map(|()| tr!("Deleted.").into_owned()).map_err(Problem::from)))
}
