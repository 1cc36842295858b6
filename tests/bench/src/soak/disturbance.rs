//! What is made to fail.

use e2e::world::world;
use reqwest::Method;
use serde_json::{Value, json};

use super::{SoakReport, Traffic, dev_api};

/// Makes one thing fail.
pub(super) async fn disturb(turn: usize, orgs: &[Traffic], report: &mut SoakReport) {
    let kinds = [
        "lead-worker killed",
        "Graph errors",
        "engagement-worker killed",
        "the CRM refuses",
        "webhook killed",
        "Graph garbage",
        "delivery-worker killed",
        "Graph timeouts",
        "publish-worker killed",
        "planner killed",
        "lead-sweep killed",
        "nothing",
    ];
    // Each once in twelve rounds, in an order that is not the list's.
    let kind = kinds[turn * 7 % kinds.len()];
    *report.faults.entry(kind).or_default() += 1;
    let fault = |fault: Value| async move { world().call_sim(Method::POST, "faults", &fault).await };
    match kind {
        "Graph errors" => {
            drop(fault(json!({ "path": "=/", "kind": "error", "code": 2, "status": 500, "times": 10 })).await);
        }
        "Graph garbage" => drop(fault(json!({ "path": "=/", "kind": "garbage", "times": 5 })).await),
        "Graph timeouts" => drop(fault(json!({ "path": "=/", "kind": "timeout", "hold_ms": 2000, "times": 3 })).await),
        "the CRM refuses" => orgs.iter().for_each(|org| org.crm.answer(&[500, 503, 429])),
        _ => {
            if let Some(function) = kind.strip_suffix(" killed") {
                dev_api(&format!("kill/{function}")).await;
            }
        }
    }
}
