//! What a sweep asks Meta, and what it concludes.

use jiff::Timestamp;
use serde_json::json;

use super::test_support::{FakeServices, LIMIT, arrivals, ingest};
use super::*;
use crate::error::WorkError;
use crate::ids::LeadgenId;
use crate::jobs::LeadBatch;
use crate::model::connection::Connection;
use crate::model::failure::FailureCode;
use crate::model::lead::assignment::Assignment;
use crate::table::parked::{Hold, ParkedLead};
use crate::table::tests::{at, lead, scope};

/// Searches page 7 of org `a`, and returns the calls that Meta received and the leads that were queued.
async fn search(
    ingest: &Ingest,
    meta: &FakeServices,
    search: &Search,
    now: Timestamp,
) -> (Result<usize, WorkError>, Vec<String>, Vec<String>) {
    let (table, a) = (&ingest.writer.table, scope("a"));
    let integration = table.integrations(&a).await.unwrap().remove(0);
    let pages = table.swept_pages(&a, &integration.id, now).await.unwrap();
    let queue = meta.queue::<LeadBatch>();
    let sweep = Sweep { meta: &ingest.meta, table, leads: &queue };
    let outcome = sweep.run(&a, &integration, &pages, search, now).await;
    let mut recorded = meta.recorded();
    let leads = |batch: &serde_json::Value| batch["leads"].as_array().unwrap().clone();
    let ids = |queued: Vec<serde_json::Value>| {
        queued.iter().flat_map(leads).map(|lead| lead["leadgen_id"].to_string()).collect()
    };
    (outcome, std::mem::take(&mut recorded.calls), ids(std::mem::take(&mut recorded.queued)))
}

fn form(id: u64, leads: u64) -> serde_json::Value {
    json!({ "id": id.to_string(), "leads_count": leads, "expired_leads_count": 0, "organic_leads_count": 0 })
}

async fn page(ingest: &Ingest) -> Connection {
    ingest.writer.table.connections(&scope("a")).await.unwrap().remove(0)
}

#[tokio::test]
async fn only_forms_whose_counts_moved_are_listed() {
    let (ingest, meta) = ingest(Assignment::Unassigned).await;
    meta.recorded().forms = vec![form(3, 1), form(4, 0)];
    let now = at("2026-01-02T00:00:00Z");
    let later = |minutes| now + jiff::SignedDuration::from_mins(minutes);
    let regular = |minutes: i64| Search::regular(later(minutes - 5));
    let (_, calls, _) = search(&ingest, &meta, &regular(0), later(0)).await;
    assert_eq!(calls, ["7/leadgen_forms", "3/leads", "4/leads"], "the first search is one of every form");
    let (_, calls, _) = search(&ingest, &meta, &regular(15), later(15)).await;
    assert_eq!(calls, ["7/leadgen_forms", "3/leads"], "its list may lag");
    let (_, calls, _) = search(&ingest, &meta, &regular(75), later(75)).await;
    assert_eq!(calls, ["7/leadgen_forms"], "nothing moved");

    // A lead that the webhook missed: its form is listed until the lead is stored.
    (meta.recorded().forms, meta.recorded().listed) =
        (vec![form(3, 2), form(4, 0)], vec![(21, "2026-01-02T01:20:00+0000")]);
    let (found, calls, queued) = search(&ingest, &meta, &regular(90), later(90)).await;
    assert_eq!((found.unwrap(), calls.len(), queued), (1, 2, vec!["\"21\"".to_owned()]));
    let (found, ..) = search(&ingest, &meta, &regular(240), later(240)).await;
    assert_eq!(found.unwrap(), 1, "whatever became of it, it is not stored");
    assert!(page(&ingest).await.swept_until <= Some(at("2026-01-02T01:20:00Z")), "never past it");
    ingest.ingest(&arrivals(&[lead(21, None)], 1), LIMIT, later(240)).await;
    let (found, ..) = search(&ingest, &meta, &regular(255), later(255)).await;
    assert_eq!(found.unwrap(), 0);
    let (_, calls, _) = search(&ingest, &meta, &regular(320), later(320)).await;
    assert_eq!(calls, ["7/leadgen_forms"]);
    let (_, calls, _) = search(&ingest, &meta, &regular(375), later(375)).await;
    assert_eq!(calls, ["7/leadgen_forms", "3/leads", "4/leads"], "counts can be wrong, so all are listed now and then");
    let everything = Search { everything: true, ..Search::regular(later(390)) };
    let (_, calls, _) = search(&ingest, &meta, &everything, later(390)).await;
    assert_eq!(calls.len(), 3);
}

#[tokio::test]
async fn a_sweep_leaves_half_of_a_page_s_limits_to_new_leads() {
    let (ingest, meta) = ingest(Assignment::Unassigned).await;
    (meta.recorded().forms, meta.recorded().usage_percent) = (vec![form(3, 1)], 51);
    let now = at("2026-01-02T00:00:00Z");
    let (found, calls, _) = search(&ingest, &meta, &Search::regular(now), now).await;
    assert_eq!((found.unwrap(), calls), (0, vec!["7/leadgen_forms".to_owned()]));
    assert_eq!(page(&ingest).await.swept_until, None, "it was not searched");
    meta.recorded().usage_percent = 40;
    let (_, calls, _) = search(&ingest, &meta, &Search::regular(now), now).await;
    assert_eq!(calls, ["7/leadgen_forms", "3/leads"], "what was left out is still due");
}

/// It alone finds what a form held back for longer than regular searches remember.
#[tokio::test]
async fn a_search_after_an_outage_is_not_over_before_all_was_searched() {
    let (ingest, meta) = ingest(Assignment::Unassigned).await;
    (meta.recorded().forms, meta.recorded().usage_percent) = (vec![form(3, 1)], 51);
    let now = at("2026-01-02T00:00:00Z");
    let catch_up = Search { since: Some(at("2026-01-01T00:00:00Z")), ..Search::regular(now) };
    let (found, calls, _) = search(&ingest, &meta, &catch_up, now).await;
    assert_eq!((found.unwrap(), calls), (0, vec!["7/leadgen_forms".to_owned(), "3/leads".to_owned()]));
    ingest.writer.table.pause(&page(&ingest).await.page_id, at("2026-01-02T00:10:00Z")).await.unwrap();
    let (found, calls, _) = search(&ingest, &meta, &catch_up, now).await;
    assert!(matches!(found, Err(WorkError::Paused(wait)) if wait.as_secs() == 600) && calls.is_empty(), "{calls:?}");
}

#[tokio::test]
async fn a_page_that_meta_throttles_is_skipped_and_what_waits_for_it_is_queued_once_it_answers() {
    let (ingest, meta) = ingest(Assignment::Unassigned).await;
    let (now, table, a) = (at("2026-01-02T00:00:00Z"), &ingest.writer.table, scope("a"));
    meta.recorded().forms = vec![form(3, 1)];
    let page = page(&ingest).await.page_id;
    table.pause(&page, at("2026-01-02T00:10:00Z")).await.unwrap();
    for id in 0..250_u64 {
        let job = arrivals(&[lead(1000 + id, None)], 1).remove(0).job;
        let leadgen_id = LeadgenId::parse(&(1000 + id).to_string()).unwrap();
        let (reason, evidence) = (FailureCode::Throttled, String::new());
        // The last one waits since after the search began: it was replayed already, and failed again.
        let parked_at = if id == 249 { now + jiff::SignedDuration::from_hours(2) } else { now };
        let waiting = ParkedLead { leadgen_id, page_id: page.clone(), reason, evidence, parked_at, job };
        table.hold(&a, Hold::Waiting, &waiting).await.unwrap();
    }
    let (found, calls, _) = search(&ingest, &meta, &Search::regular(now), now).await;
    assert!(found.is_ok() && calls.is_empty(), "{found:?} {calls:?}");
    // Meta lists one of those that wait: it is known, and not queued a second time.
    meta.recorded().listed = vec![(1001, "2026-01-01T23:00:00+0000")];
    let later = at("2026-01-02T01:00:00Z");
    let (found, _, queued) = search(&ingest, &meta, &Search::regular(later), later).await;
    assert_eq!((found.unwrap(), queued.len()), (0, 249));
    assert_eq!(table.waiting(&a, Some(&page), 9).await.unwrap().len(), 1);
}
