//! `POST /_sim/reviews`: what the reviewers decide about an ad.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::server::Sim;
use crate::world::ads::written::usual_feedback;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    ad_id: String,
    outcome: Outcome,
    /// The value of `ad_review_feedback`, or a text for its policy.
    feedback: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Approved,
    Disapproved,
}

/// Ends the review of an ad now, whatever its stage. An ad that was approved before can be disapproved.
pub(crate) async fn decide(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let feedback = match (input.outcome, input.feedback) {
        (Outcome::Approved, None) => None,
        (Outcome::Approved, Some(_)) => return Err(Mistake::new("feedback: goes with disapproved")),
        (Outcome::Disapproved, None) => Some(usual_feedback()),
        (Outcome::Disapproved, Some(Value::String(text))) => Some(json!({"global": {"POLICY": text}})),
        (Outcome::Disapproved, Some(feedback)) => Some(feedback),
    };
    if sim.world().decide_review(&input.ad_id, feedback) {
        Ok(Json(json!({"success": true})))
    } else {
        Err(Mistake::new(format!("ad_id: no ad {} was written through the API", input.ad_id)))
    }
}
