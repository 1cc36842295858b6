//! `POST /_sim/users`: adds a person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::seed::newcomer;
use crate::server::Sim;
use crate::world::person::User;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    #[serde(default = "one")]
    pages: u64,
    /// Adds a German, French, Spanish and Japanese form to every page, besides the English one.
    #[serde(default)]
    languages: bool,
}

fn one() -> u64 {
    1
}

/// Adds a person with a business that has ad accounts, and with pages of their own. Each page has one lead form, five
/// with `languages`.
pub(crate) async fn join(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    if !(1..=100).contains(&input.pages) {
        return Err(Mistake::new(format!("pages: must be between 1 and 100, got {}", input.pages)));
    }
    let mut world = sim.world();
    let id = newcomer::join(&mut world, input.pages, input.languages);
    let pages: Vec<Value> = world
        .user(&id)
        .into_iter()
        .flat_map(User::pages)
        .map(|page| {
            let forms: Vec<Value> =
                world.forms_of_page(page).map(|form| json!({"id": form.id, "name": form.name})).collect();
            json!({"id": page, "forms": forms})
        })
        .collect();
    let business_id = world.user(&id).and_then(|user| user.business_ids.first());
    Ok(Json(json!({"id": id, "business_id": business_id, "pages": pages})))
}
