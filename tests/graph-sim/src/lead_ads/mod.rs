//! Lead forms as web pages: `/lead_ads` lists them, `/lead_ads/{form_id}` is one form as a person sees it in the feed.

mod form_page;
mod submitted;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use self::submitted::Submitted;
use crate::server::Sim;
use crate::world::submit::Submission;

pub(crate) fn router() -> Router<Arc<Sim>> {
    Router::new().route("/lead_ads", get(index)).route("/lead_ads/{form_id}", get(show).post(submit))
}

async fn index(State(sim): State<Arc<Sim>>) -> Response {
    form_page::index(&sim.world()).into_response()
}

async fn show(State(sim): State<Arc<Sim>>, Path(form_id): Path<String>) -> Response {
    match sim.world().forms.get(&form_id).filter(|form| form.takes_leads()) {
        Some(form) => form_page::form(form, &Submitted::default(), &[]).into_response(),
        None => (StatusCode::NOT_FOUND, form_page::missing(&form_id)).into_response(),
    }
}

/// Creates the lead and queues its webhook, or shows the form again with its problems.
async fn submit(State(sim): State<Arc<Sim>>, Path(form_id): Path<String>, body: Bytes) -> Response {
    let mut world = sim.world();
    let Some(form) = world.forms.get(&form_id).filter(|form| form.takes_leads()).cloned() else {
        return (StatusCode::NOT_FOUND, form_page::missing(&form_id)).into_response();
    };
    let submitted = Submitted::read(&String::from_utf8_lossy(&body));
    let problems = submitted.problems(&form);
    if !problems.is_empty() {
        return (StatusCode::UNPROCESSABLE_ENTITY, form_page::form(&form, &submitted, &problems)).into_response();
    }
    let submission = Submission {
        platform: submitted.platform().to_owned(),
        answers: submitted.answers(&form),
        consents: Some(submitted.consents(&form)),
        invent: false,
        ..Submission::default()
    };
    let ids = world.submit(&form_id, 1, &submission).unwrap_or_default();
    drop(world);
    sim.wake.notify_one();
    form_page::thanks(&form, ids.first().map(String::as_str).unwrap_or_default()).into_response()
}
