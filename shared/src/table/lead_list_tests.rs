//! Every filter lists the same leads as a look at all of them.

use jiff::SignedDuration;
use strum::IntoEnumIterator;

use super::lead::LeadChange;
use super::lead_list::{LeadFilter, LeadPosition};
use super::tests::{at, empty_table, lead, scope};
use super::*;
use crate::ids::{FormId, LeadId, PageId, UserId};
use crate::model::conversion::Conversion;
use crate::model::lead::assignment::{Assigned, Reason, Strategy};
use crate::model::lead::dedupe::WritePlan;
use crate::model::lead::query::LeadOrder;
use crate::model::lead::{Attribution, Lead, Status};

/// What Meta is told is no matter here.
fn report(lead: &Lead, status: Status) -> Conversion {
    Conversion::new(lead, status, lead.created_time)
}

/// Leads of three pages with two forms each, of three users and no one, in all statuses; some in the same second.
fn leads() -> Vec<Lead> {
    let statuses: Vec<Status> = Status::iter().collect();
    let with = |id: u64| {
        let number = usize::try_from(id).unwrap();
        let page = PageId::parse(&(id % 3 + 7).to_string()).unwrap();
        let form = FormId::parse(&format!("{page}{}", id / 3 % 2)).unwrap();
        Lead {
            created_time: at("2026-01-01T00:00:00Z") + SignedDuration::from_secs(i64::try_from(id / 2).unwrap()),
            page_id: (!id.is_multiple_of(11)).then_some(page),
            attribution: Attribution { form_id: (!id.is_multiple_of(13)).then_some(form), ..Attribution::default() },
            assigned_to: (!id.is_multiple_of(4)).then(|| UserId::parse(["ann", "ann|2", "bob"][number % 3]).unwrap()),
            status: statuses[number / 5 % statuses.len()],
            source: if id.is_multiple_of(2) { "Meta" } else { "Import" }.to_owned(),
            ..lead(id, None)
        }
    };
    (1..=120).map(with).collect()
}

async fn stored(leads: &[Lead]) -> Table {
    let table = empty_table().await;
    for chunk in leads.chunks(20) {
        let plan = WritePlan { creates: chunk.to_vec(), ..WritePlan::default() };
        table.commit(&scope("a"), &[], &plan, at("2026-01-01T00:00:00Z")).await.unwrap();
    }
    table
}

async fn all(table: &Table, filter: &LeadFilter, limit: usize) -> Vec<String> {
    let (mut found, mut position) = (Vec::new(), None);
    for _ in 0..500 {
        let (page, next) = table.leads(&scope("a"), filter, position, limit).await.unwrap();
        assert!(page.len() <= limit);
        found.extend(page.into_iter().map(|lead| lead.id.to_string()));
        match next {
            Some(next) => position = Some(next),
            None => return found,
        }
    }
    panic!("the list does not end: {filter:?}");
}

fn expected(leads: &[Lead], filter: &LeadFilter) -> Vec<String> {
    let matches = |lead: &&Lead| {
        filter.page.as_ref().is_none_or(|page| lead.page_id.as_ref() == Some(page))
            && filter.form.as_ref().is_none_or(|form| lead.attribution.form_id.as_ref() == Some(form))
            && filter.assignee.as_ref().is_none_or(|user| lead.assigned_to == *user)
            && filter.status.is_none_or(|status| lead.status == status)
            && filter.source.as_ref().is_none_or(|source| lead.source == *source)
            && filter.from.is_none_or(|from| lead.created_time >= from)
            && filter.to.is_none_or(|to| lead.created_time < to)
    };
    let mut leads: Vec<&Lead> = leads.iter().filter(matches).collect();
    leads.sort_by_key(|lead| std::cmp::Reverse((lead.created_time, lead.id.to_string())));
    if filter.order == LeadOrder::OldestFirst {
        leads.reverse();
    }
    leads.into_iter().map(|lead| lead.id.to_string()).collect()
}

#[tokio::test]
async fn every_filter_lists_what_it_says_in_the_order_of_time() {
    let leads = leads();
    let table = stored(&leads).await;
    let pages = [None, PageId::parse("8").ok(), PageId::parse("1").ok()];
    let forms = [None, FormId::parse("81").ok()];
    let users = [None, Some(None), Some(UserId::parse("ann").ok()), Some(UserId::parse("nobody").ok())];
    let statuses = [None, Some(Status::New), Some(Status::Lost)];
    let time = |seconds: i64| at("2026-01-01T00:00:00Z") + SignedDuration::from_secs(seconds);
    let times = [(None, None), (Some(time(10)), Some(time(40))), (Some(time(40)), Some(time(10)))];
    let mut filters = 0_usize;
    for page in &pages {
        for form in &forms {
            for assignee in &users {
                for status in statuses {
                    for (from, to) in times {
                        let source = filters.is_multiple_of(5).then(|| "Meta".to_owned());
                        let (page, form, assignee) = (page.clone(), form.clone(), assignee.clone());
                        let order = [LeadOrder::NewestFirst, LeadOrder::OldestFirst][filters % 2];
                        let filter = LeadFilter { page, form, assignee, status, source, tag: None, from, to, order };
                        let limit = [1, 7, 50][filters % 3];
                        let expected = expected(&leads, &filter);
                        assert_eq!(all(&table, &filter, limit).await, expected, "{filter:?} {limit}");
                        let counted = table.count_listed(&scope("a"), &filter).await.unwrap();
                        assert_eq!(counted, (expected.len(), true), "{filter:?}");
                        filters += 1;
                    }
                }
            }
        }
    }
    assert!(table.leads(&scope("b"), &LeadFilter::default(), None, 10).await.unwrap().0.is_empty());
}

#[tokio::test]
async fn a_lead_moves_between_the_lists_as_it_is_changed() {
    let mut leads = leads();
    let table = stored(&leads).await;
    let by_hand = Assigned { strategy: Strategy::User, reason: Reason::Manual };
    let bob = UserId::parse("bob").ok();
    for (number, lead) in leads.iter_mut().enumerate().filter(|(number, _)| number.is_multiple_of(3)) {
        let assigned = number.is_multiple_of(2).then(|| (bob.clone(), by_hand.clone()));
        let status = number.is_multiple_of(9).then_some(Status::Converted);
        let before = table
            .change_lead(
                &scope("a"),
                &lead.id,
                &LeadChange { assigned: assigned.clone(), status, ..LeadChange::default() },
                report,
            )
            .await;
        assert_eq!(before.unwrap().unwrap().status, lead.status);
        lead.status = status.unwrap_or(lead.status);
        if let Some((to, _)) = assigned {
            lead.assigned_to = to;
        }
    }
    for filter in [
        LeadFilter { assignee: Some(bob), ..LeadFilter::default() },
        LeadFilter { assignee: Some(None), status: Some(Status::New), ..LeadFilter::default() },
        LeadFilter { status: Some(Status::Converted), ..LeadFilter::default() },
        LeadFilter::default(),
    ] {
        assert_eq!(all(&table, &filter, 9).await, expected(&leads, &filter), "{filter:?}");
    }
    let gone =
        table.change_lead(&scope("a"), &LeadId::parse("meta-999").unwrap(), &LeadChange::default(), report).await;
    assert_eq!(gone.unwrap(), None);
}

#[tokio::test]
async fn two_changes_of_one_lead_at_once_are_both_kept() {
    let leads = leads();
    let (table, a, id) = (stored(&leads).await, scope("a"), &leads[2].id);
    let by_hand = Assigned { strategy: Strategy::User, reason: Reason::Manual };
    let assign =
        LeadChange { assigned: Some((UserId::parse("cem").ok(), by_hand)), status: None, ..LeadChange::default() };
    let qualify = LeadChange { assigned: None, status: Some(Status::Qualified), ..LeadChange::default() };
    let (one, other) =
        tokio::join!(table.change_lead(&a, id, &assign, report), table.change_lead(&a, id, &qualify, report));
    assert!(one.unwrap().is_some() && other.unwrap().is_some());
    let filter = LeadFilter {
        assignee: Some(UserId::parse("cem").ok()),
        status: Some(Status::Qualified),
        ..LeadFilter::default()
    };
    assert_eq!(all(&table, &filter, 9).await, [id.to_string()]);
}

/// An answer that would be too large ends before the list's page does, and goes on from its last lead.
#[tokio::test]
async fn a_list_goes_on_after_any_of_its_leads() {
    let leads = leads();
    let table = stored(&leads).await;
    let (scope, filter) = (scope("a"), LeadFilter::default());
    let (whole, _) = table.leads(&scope, &filter, None, 200).await.unwrap();
    for position in [0, 1, 57, 118] {
        let after = Some(LeadPosition::from(&whole[position]));
        let (next, _) = table.leads(&scope, &filter, after, 1).await.unwrap();
        assert_eq!(next[0].id, whole[position + 1].id, "{position}");
    }
}

#[tokio::test]
async fn outcomes_are_those_of_the_leads_of_a_range_and_too_many_are_refused() {
    let leads = leads();
    let table = stored(&leads).await;
    let a = scope("a");
    let (from, to) = (at("2026-01-01T00:00:10Z"), at("2026-01-01T00:00:40Z"));
    let within = || leads.iter().filter(|lead| (from..to).contains(&lead.created_time));
    let mut found = table.lead_outcomes(&a, (from, to), 1000).await.unwrap().unwrap();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    let mut expected: Vec<&Lead> = within().collect();
    expected.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(found.len(), expected.len());
    for (found, lead) in found.iter().zip(expected) {
        assert_eq!((&found.id, found.created, found.status), (&lead.id, lead.created_time, lead.status));
        assert_eq!((&found.form_id, &found.assigned_to), (&lead.attribution.form_id, &lead.assigned_to));
    }
    let all = within().count();
    assert!(table.lead_outcomes(&a, (from, to), all).await.unwrap().is_some());
    assert_eq!(table.lead_outcomes(&a, (from, to), all - 1).await.unwrap(), None);
    assert_eq!(table.lead_outcomes(&scope("b"), (from, to), 1).await.unwrap(), Some(Vec::new()), "another org's");
    // What becomes of a lead is seen at once.
    let changed = LeadChange { status: Some(Status::Lost), ..LeadChange::default() };
    let one = within().find(|lead| lead.status != Status::Lost).unwrap();
    table.change_lead(&a, &one.id, &changed, report).await.unwrap();
    let found = table.lead_outcomes(&a, (from, to), 1000).await.unwrap().unwrap();
    assert_eq!(found.len(), all);
    assert_eq!(found.iter().find(|found| found.id == one.id).unwrap().status, Status::Lost);
}
