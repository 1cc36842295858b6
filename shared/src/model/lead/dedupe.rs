//! Decides what a chunk of new submissions does to an org: which become leads, which belong to known people, and to
//! whom the new leads are assigned.
//!
//! The plan is derived from one snapshot and written in one transaction. If anything that the plan relies on has
//! changed in the meantime, the transaction fails and a new plan is made.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{LeadId, PageId, UserId};
use crate::model::lead::assignment::{Assigned, Assignment, Reason, Rotation, Strategy};
use crate::model::lead::identity::{PersonKey, person_keys};
use crate::model::lead::{Lead, Submission};

/// The org's state when the plan is made.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Submissions of the chunk that are already stored.
    pub stored: BTreeSet<LeadId>,
    /// People in the chunk who are already leads.
    pub persons: BTreeMap<PersonKey, LeadId>,
    /// The org's rotation; `None` if the integration does not use round robin.
    pub rotation: Option<Rotation>,
    /// Whether the user chosen by the integration is eligible for leads.
    pub chosen_user_eligible: bool,
}

/// What to write, all or nothing.
#[derive(Debug, Default, PartialEq)]
pub struct WritePlan {
    /// New leads.
    pub creates: Vec<Lead>,
    /// New submissions by people who are already leads.
    pub merges: Vec<Submission>,
    /// People who become leads, with the lead's id.
    pub claims: Vec<(PersonKey, LeadId)>,
    /// The rotation after the new assignments, with the version that was read. `None` if no user was taken from it.
    pub rotation: Option<Rotation>,
    /// The user who must still be eligible when the plan is written.
    pub requires_eligible: Option<UserId>,
}

impl WritePlan {
    /// Whether anything of it came through this page.
    #[must_use]
    pub fn concerns(&self, page: &PageId) -> bool {
        let creates = self.creates.iter().map(|lead| &lead.page_id);
        creates.chain(self.merges.iter().map(|merge| &merge.page_id)).any(|of| of.as_ref() == Some(page))
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.creates.is_empty() && self.merges.is_empty()
    }
}

/// Plans the `arrivals`, in their order.
///
/// Their own `assigned_to` and `assignment` are overwritten. If `assignment` is [`Reason::NotAsked`] or
/// [`Reason::NoIntegration`], the reason stays and the lead is assigned to no one.
///
/// An arrival that is already stored, or that occurs twice, is left out.
#[must_use]
pub fn plan(arrivals: &[Lead], known: &Snapshot, assignment: &Assignment) -> WritePlan {
    let mut plan = WritePlan::default();
    let mut rotation = known.rotation.clone().unwrap_or_default();
    let mut seen: BTreeSet<&LeadId> = known.stored.iter().collect();
    let mut persons = known.persons.clone();
    let mut turns_taken = false;

    for arrival in arrivals {
        if !seen.insert(&arrival.id) {
            continue;
        }
        let keys =
            if arrival.test { Vec::new() } else { person_keys(arrival.email.as_deref(), arrival.phone.as_deref()) };
        // The strongest known detail decides whose submission this is.
        let matched = keys.iter().find_map(|key| persons.get(key).map(|lead| (key.kind, lead.clone())));
        let owner = match matched {
            Some((matched_by, lead_id)) => {
                if let Some(created) = plan.creates.iter_mut().find(|lead| lead.id == lead_id) {
                    created.submissions_count += 1;
                }
                plan.merges.push(submission(arrival, &lead_id, matched_by));
                lead_id
            }
            None => {
                let mut lead = arrival.clone();
                let turn = || {
                    let turn = rotation.next_assignee();
                    turns_taken |= turn.is_some();
                    turn
                };
                (lead.assigned_to, lead.assignment) = assign(&lead, assignment, known.chosen_user_eligible, turn);
                if let (Assignment::User { user_id }, Some(_)) = (assignment, &lead.assigned_to) {
                    plan.requires_eligible = Some(user_id.clone());
                }
                let id = lead.id.clone();
                plan.creates.push(lead);
                id
            }
        };
        // Later arrivals of this plan match by these keys too. A key that already belongs to a lead stays with it.
        for key in keys {
            persons.entry(key.clone()).or_insert_with(|| {
                plan.claims.push((key, owner.clone()));
                owner.clone()
            });
        }
    }
    plan.rotation = turns_taken.then_some(rotation);
    plan
}

fn assign(
    lead: &Lead,
    assignment: &Assignment,
    chosen_user_eligible: bool,
    turn: impl FnOnce() -> Option<UserId>,
) -> (Option<UserId>, Assigned) {
    let strategy = match assignment {
        Assignment::Unassigned => Strategy::Unassigned,
        Assignment::User { .. } => Strategy::User,
        Assignment::RoundRobin => Strategy::RoundRobin,
    };
    let (user, reason) = match assignment {
        _ if lead.test => (None, Reason::TestLead),
        _ if matches!(lead.assignment.reason, Reason::NotAsked | Reason::NoIntegration) => {
            (None, lead.assignment.reason)
        }
        Assignment::Unassigned => (None, Reason::StrategyUnassigned),
        Assignment::User { user_id } if chosen_user_eligible => (Some(user_id.clone()), Reason::Chosen),
        Assignment::User { .. } => (None, Reason::UserNotEligible),
        Assignment::RoundRobin => match turn() {
            Some(user) => (Some(user), Reason::Turn),
            None => (None, Reason::NobodyEligible),
        },
    };
    (user, Assigned { strategy, reason })
}

fn submission(arrival: &Lead, lead_id: &LeadId, matched_by: crate::model::lead::PersonKeyKind) -> Submission {
    Submission {
        lead_id: lead_id.clone(),
        id: arrival.id.clone(),
        leadgen_id: arrival.leadgen_id.clone(),
        matched_by,
        platform: arrival.attribution.platform.clone(),
        page_id: arrival.page_id.clone(),
        form_id: arrival.attribution.form_id.clone(),
        form_name: arrival.attribution.form_name.clone(),
        created_time: arrival.created_time,
        received_at: arrival.received_at,
        found_by: arrival.found_by,
        email: arrival.email.clone(),
        phone: arrival.phone.clone(),
        answers: arrival.answers.clone(),
        consents: arrival.consents.clone(),
        provenance: arrival.provenance.clone(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::ids::LeadgenId;
    use crate::model::lead::{FoundBy, PersonKeyKind};

    fn arrival(id: u64, email: Option<&str>, phone: Option<&str>) -> Lead {
        let leadgen_id = LeadgenId::parse(&id.to_string()).unwrap();
        let (id, at) = (LeadId::from_leadgen(&leadgen_id), Timestamp::UNIX_EPOCH);
        let (email, phone) = (email.map(Into::into), phone.map(Into::into));
        Lead { leadgen_id: Some(leadgen_id), email, phone, ..Lead::new(id, FoundBy::Webhook, at, at) }
    }

    fn user(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    fn in_turns(users: &[&str]) -> Snapshot {
        Snapshot {
            rotation: Some(Rotation {
                version: 3,
                roster: users.iter().map(|u| user(u)).collect(),
                ..Rotation::default()
            }),
            ..Snapshot::default()
        }
    }

    #[test]
    fn each_new_person_gets_the_next_in_line() {
        let arrivals = [arrival(1, Some("a@x.y"), None), arrival(2, Some("b@x.y"), None), arrival(3, None, None)];
        let plan = plan(&arrivals, &in_turns(&["ann", "bob"]), &Assignment::RoundRobin);
        let got: Vec<_> = plan.creates.iter().map(|lead| lead.assigned_to.clone().unwrap()).collect();
        assert_eq!(got, [user("ann"), user("bob"), user("ann")]);
        assert_eq!(plan.rotation.map(|rotation| (rotation.version, rotation.next)), Some((3, 1)), "it is bob's turn");
    }

    #[test]
    fn one_person_twice_in_a_chunk_is_one_lead_and_takes_one_turn() {
        let arrivals = [
            arrival(1, Some("a@x.y"), Some("+12125550123")),
            arrival(2, Some("A@x.y "), None),
            arrival(3, Some("c@x.y"), Some("+12125550123")),
        ];
        let plan = plan(&arrivals, &in_turns(&["ann", "bob"]), &Assignment::RoundRobin);
        assert_eq!(plan.creates.len(), 1);
        assert_eq!(plan.creates[0].submissions_count, 2);
        assert_eq!(
            plan.merges.iter().map(|m| m.matched_by).collect::<Vec<_>>(),
            [PersonKeyKind::Email, PersonKeyKind::Phone]
        );
        assert_eq!(plan.claims.len(), 3, "the new address of the third submission belongs to the person too");
        assert_eq!(plan.rotation.unwrap().next, 1, "it is bob's turn");
    }

    #[test]
    fn the_address_decides_when_address_and_number_belong_to_two_leads() {
        let keys = person_keys(Some("a@x.y"), Some("+12125550123"));
        let lead = |n| LeadId::from_leadgen(&LeadgenId::parse(n).unwrap());
        let known = Snapshot {
            persons: [(keys[0].clone(), lead("10")), (keys[1].clone(), lead("20"))].into(),
            ..in_turns(&["ann"])
        };
        let plan = plan(&[arrival(1, Some("a@x.y"), Some("+12125550123"))], &known, &Assignment::RoundRobin);
        assert_eq!(
            (plan.merges[0].lead_id.clone(), plan.creates.len(), plan.claims.len(), plan.rotation),
            (lead("10"), 0, 0, None)
        );
    }

    #[test]
    fn what_is_stored_or_comes_twice_is_left_out() {
        let arrivals = [arrival(1, None, None), arrival(2, None, None), arrival(2, None, None)];
        let known = Snapshot { stored: [arrivals[0].id.clone()].into(), ..in_turns(&["ann"]) };
        let plan = plan(&arrivals, &known, &Assignment::RoundRobin);
        assert_eq!(plan.creates.iter().map(|l| l.id.as_str()).collect::<Vec<_>>(), ["meta-2"]);
    }

    #[test]
    fn who_may_not_have_leads_gets_none_and_the_reason_is_kept() {
        let check = |known: Snapshot, assignment: Assignment, test: bool, reason| {
            let mut lead = arrival(1, None, None);
            lead.test = test;
            let plan = plan(&[lead], &known, &assignment);
            assert_eq!((plan.creates[0].assigned_to.clone(), plan.creates[0].assignment.reason), (None, reason));
            assert_eq!(plan.rotation, None);
        };
        let chosen = Assignment::User { user_id: user("ann") };
        check(in_turns(&[]), Assignment::RoundRobin, false, Reason::NobodyEligible);
        check(in_turns(&["ann"]), Assignment::RoundRobin, true, Reason::TestLead);
        check(in_turns(&["ann"]), Assignment::Unassigned, false, Reason::StrategyUnassigned);
        check(Snapshot::default(), chosen.clone(), false, Reason::UserNotEligible);
        let mut unasked = arrival(1, None, None);
        unasked.assignment.reason = Reason::NotAsked;
        let left = plan(&[unasked], &in_turns(&["ann"]), &Assignment::RoundRobin);
        assert_eq!((&left.creates[0].assigned_to, left.rotation), (&None, None), "nobody's turn is taken");
        let known = Snapshot { chosen_user_eligible: true, ..Snapshot::default() };
        let plan = plan(&[arrival(1, None, None)], &known, &chosen);
        assert_eq!(
            (plan.creates[0].assigned_to.clone(), plan.requires_eligible),
            (Some(user("ann")), Some(user("ann")))
        );
    }

    #[test]
    fn test_leads_are_nobody() {
        let mut test = arrival(1, Some("test@fb.com"), None);
        test.test = true;
        let mut again = arrival(2, Some("test@fb.com"), None);
        again.test = true;
        let plan = plan(&[test, again], &in_turns(&["ann"]), &Assignment::RoundRobin);
        assert_eq!((plan.creates.len(), plan.claims.len()), (2, 0));
    }
}
