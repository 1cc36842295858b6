//! Erases leads that an org keeps no longer.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::erase::erase_lead_if;
use super::{LeadLister, WholeLead};
use crate::error::{ActError, WorkError};
use crate::jobs::RetentionJob;
use crate::model::lead::query::LeadQuery;
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;

/// Leads that are read at once.
const PAGE: usize = 50;
/// What the leads of a page may take to erase. No page is read with less than this left.
const PAGE_TIME: Duration = Duration::from_secs(60);

/// Erases leads that an org keeps no longer: those whose person sent no form for as many days as the org says.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Stores the leads.
    pub table: Table,
    /// Receives what is left for another call.
    pub queue: Queue<RetentionJob>,
    /// Signs cursors.
    pub key: HmacKey,
}

impl Retention {
    /// Erases the org's old leads as far as the time allows; the rest is another message. Returns how many were erased.
    ///
    /// # Errors
    /// If a service fails. What is erased stays erased, and the same job goes on.
    pub async fn erase(&self, job: &RetentionJob, time_left: Duration, now: Timestamp) -> Result<usize, WorkError> {
        let until = Instant::now() + time_left.saturating_sub(PAGE_TIME);
        let scope = job.scope();
        // What it is now, not when the message was sent: an org may have decided to keep its leads.
        let Some(days) = self.table.org(&scope).await?.and_then(|org| org.keep_leads_days) else { return Ok(0) };
        let oldest_kept = job.planned_at - SignedDuration::from_hours(24 * i64::from(days));
        let query = LeadQuery { to: Some(oldest_kept), ..LeadQuery::default() };
        let lister = LeadLister { table: &self.table, key: &self.key };
        let mut cursor = job.cursor.clone();
        let mut erased = 0;
        loop {
            let page = match lister.list(&scope, &query, cursor.as_deref(), PAGE).await {
                Ok(page) => page,
                Err(ActError::Work(error)) => return Err(error),
                Err(error) => {
                    // The setting or the key changed since the last page. The next night begins at the start.
                    tracing::warn!(%error, org = %scope.org(), "the rest of the old leads is left to the next night");
                    return Ok(erased);
                }
            };
            for lead in &page.items {
                let is_old = |whole: &WholeLead| whole.submissions.iter().all(|later| later.created_time < oldest_kept);
                let (is_gone, _) = erase_lead_if(&self.table, &scope, &lead.id, is_old, now).await?;
                erased += usize::from(is_gone);
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
            if Instant::now() >= until {
                self.queue.send(&[RetentionJob { cursor, ..job.clone() }]).await?;
                break;
            }
        }
        tracing::info!(org = %scope.org(), erased, days, "old leads were erased");
        Ok(erased)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::LeadId;
    use crate::leads::crash_tests::dies_at;
    use crate::model::lead::Lead;
    use crate::model::lead::assignment::Assignment;
    use crate::model::lead::dedupe::plan;
    use crate::model::org::{Org, Plan};
    use crate::table::commit::CommitOutcome;
    use crate::table::lead::StoredLead;
    use crate::table::tests::{at, empty_table, lead, scope};

    /// Leads that are kept for 30 days on `NIGHT`: two old ones, one of whom sent another form lately, and a young one.
    async fn retention(keep_leads_days: Option<u32>) -> Retention {
        let retention = Retention {
            table: empty_table().await,
            queue: Queue::new(aws_sdk_sqs::Client::new(&crate::aws::fake("http://127.0.0.1:9")), "q".into()),
            key: HmacKey::new("k".into()),
        };
        let org = Org {
            id: scope("a").org().clone(),
            name: "A".into(),
            plan: Plan { name: "pro".into(), features: Vec::new() },
            default_country: None,
            daily_spend_limit: None,
            keep_leads_days,
            updated_at: at("2026-01-01T00:00:00Z"),
        };
        retention.table.put_org(&scope("a"), &org).await.unwrap();
        for (id, email, sent) in [
            (1, "old@example.com", "2026-01-01T00:00:00Z"),
            (2, "again@example.com", "2026-01-02T00:00:00Z"),
            (3, "again@example.com", "2026-02-20T00:00:00Z"),
            (4, "old@example.com", "2026-01-03T00:00:00Z"),
            (5, "young@example.com", "2026-01-30T00:00:00Z"),
        ] {
            assert!(store(&retention.table, Lead { created_time: at(sent), ..lead(id, Some(email)) }).await);
        }
        retention
    }

    const NIGHT: &str = "2026-03-01T00:00:00Z";

    async fn store(table: &Table, lead: Lead) -> bool {
        let leads = [lead];
        let snapshot = table.dedupe_snapshot(&scope("a"), &leads).await.unwrap();
        let plan = plan(&leads, &snapshot, &Assignment::Unassigned);
        table.commit(&scope("a"), &[], &plan, at(NIGHT)).await.unwrap() == CommitOutcome::Committed
    }

    fn job() -> RetentionJob {
        RetentionJob { org: scope("a").org().clone(), cursor: None, planned_at: at(NIGHT) }
    }

    async fn kept(table: &Table) -> Vec<String> {
        let (leads, _) =
            table.leads(&scope("a"), &crate::table::lead_list::LeadFilter::default(), None, 100).await.unwrap();
        let mut ids: Vec<String> = leads.iter().map(|lead| lead.id.to_string()).collect();
        ids.sort();
        ids
    }

    #[tokio::test]
    async fn leads_are_erased_once_no_form_of_the_person_is_young() {
        let long = Duration::from_mins(5);
        let retention = retention(Some(30)).await;
        assert_eq!(retention.erase(&job(), long, at(NIGHT)).await.unwrap(), 1);
        assert_eq!(kept(&retention.table).await, ["meta-2", "meta-5"]);
        let everything = format!("{:?}", retention.table.everything().await);
        assert!(!everything.contains("old@example.com") && everything.contains("again@example.com"));
        assert_eq!(retention.erase(&job(), long, at(NIGHT)).await.unwrap(), 0);
        let later = RetentionJob { planned_at: at("2026-03-22T00:00:01Z"), ..job() };
        assert_eq!(retention.erase(&later, long, at(NIGHT)).await.unwrap(), 1 + 1);
        assert_eq!(kept(&retention.table).await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_form_that_arrives_while_its_person_is_being_erased_is_kept() {
        for delay in 0..40 {
            let retention = retention(Some(30)).await;
            let table = &retention.table;
            let form = Lead { created_time: at(NIGHT), ..lead(9, Some("old@example.com")) };
            let arriving = async {
                tokio::time::sleep(Duration::from_micros(300 * delay)).await;
                while !store(table, form.clone()).await {}
            };
            let job = job();
            let (_, erased) = tokio::join!(arriving, retention.erase(&job, Duration::from_mins(5), at(NIGHT)));
            erased.unwrap();
            let kept = table.find_lead(&scope("a"), &LeadId::parse("meta-9").unwrap()).await.unwrap();
            assert!(kept.is_some(), "{delay}");
            let marked =
                table.everything().await.into_iter().filter(|item| format!("{item:?}").contains("erasure_mark"));
            let hides = marked.filter(|item| format!("{item:?}").contains("meta-1\"")).count();
            assert!(hides == 0 || matches!(kept, Some(StoredLead::Lead(_))), "{delay}: nothing is told of the lead");
        }
    }

    #[tokio::test]
    async fn an_org_that_says_nothing_keeps_its_leads() {
        let retention = retention(None).await;
        assert_eq!(retention.erase(&job(), Duration::from_mins(5), at(NIGHT)).await.unwrap(), 0);
        assert_eq!(kept(&retention.table).await.len(), 3);
    }

    #[tokio::test]
    async fn what_a_dead_worker_left_is_erased_by_the_next() {
        for point in 0..30 {
            let retention = retention(Some(30)).await;
            let _ = dies_at(point, retention.erase(&job(), Duration::from_mins(5), at(NIGHT))).await;
            retention.erase(&job(), Duration::from_mins(5), at(NIGHT)).await.unwrap();
            assert_eq!(kept(&retention.table).await, ["meta-2", "meta-5"], "{point}");
        }
    }
}
