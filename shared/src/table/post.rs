//! Posts: found by id, by org and time, and by when they need a worker.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::commit::CommitOutcome;
use super::request::OnceRequest;
use super::row::Row;
use super::shape::ItemKind;
use super::{Consistency, Item, Key, Table, TableError, if_held, keys, pause, text};
use crate::ids::{OrgScope, PageId, PostId};
use crate::jobs::PublishWork;
use crate::model::publishing::progress::{LEASE, PublishLease};
use crate::model::publishing::{Post, PostStatus, PostStepKind};

/// Selects posts of an org.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostFilter {
    /// Only with this status.
    pub status: Option<PostStatus>,
    /// Only of this page, or of the Instagram account behind it.
    pub page: Option<PageId>,
    /// Only from this time on: when they were or are to be published, else when they were written.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub to: Option<Timestamp>,
}

/// A position in a list of posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostPosition(String);

/// The outcome of claiming a post for publishing.
#[derive(Debug)]
pub enum ClaimedPost {
    /// It is this worker's.
    Claimed(Box<Post>),
    /// Its time has not come: it was moved.
    Early,
    /// Another worker is at it, or nothing is left to do.
    Nothing,
}

/// The outcome of storing posts under an id of their caller.
#[derive(Debug)]
pub enum InsertedPosts {
    /// They are stored.
    Stored,
    /// The request was carried out before. Nothing was stored.
    Repeated(OnceRequest),
}

#[derive(Serialize, Deserialize)]
pub(super) struct MetaPost {
    post: PostId,
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct PublishTurns {
    next_at: Option<Timestamp>,
}

impl Table {
    /// Stores posts, all or none. With a request, only if it was not carried out before.
    pub async fn insert_posts(
        &self,
        scope: &OrgScope,
        posts: &[Post],
        request: Option<&OnceRequest>,
    ) -> Result<InsertedPosts, TableError> {
        const MAX_TRIES: u32 = 5;
        for attempt in 1..=MAX_TRIES {
            let mut writes =
                request.map(|request| self.request_write(scope, request)).into_iter().collect::<Result<Vec<_>, _>>()?;
            for post in posts {
                writes.push(self.insert(post_item(scope, post)?)?);
            }
            if self.transact(writes).await? == CommitOutcome::Committed {
                return Ok(InsertedPosts::Stored);
            }
            if let Some(request) = request
                && let Some(known) = self.request(scope, &request.operation, &request.hash).await?
            {
                return Ok(InsertedPosts::Repeated(known));
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    /// Reads a post.
    pub async fn post(&self, scope: &OrgScope, id: &PostId) -> Result<Option<Post>, TableError> {
        self.get(&keys::post(scope, id)).await
    }

    /// Reads posts, in the order of `ids`. Missing ones are omitted.
    pub async fn posts_by_id(&self, scope: &OrgScope, ids: &[PostId]) -> Result<Vec<Post>, TableError> {
        let keys: Vec<Key> = ids.iter().map(|id| keys::post(scope, id)).collect();
        self.read_all(&keys).await
    }

    /// Stores a changed post, as its next revision. `false` if another writer changed it first; nothing is stored then.
    pub async fn put_post(&self, scope: &OrgScope, post: &mut Post) -> Result<bool, TableError> {
        let seen = post.revision;
        post.revision += 1;
        let request = self.client.put_item().table_name(&self.name).set_item(Some(post_item(scope, post)?));
        let stored = request
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", AttributeValue::N(seen.to_string()))
            .send()
            .await;
        Ok(if_held(stored)?.is_some())
    }

    /// Claims a post for one worker. `early` ignores its time.
    pub async fn claim_post(
        &self,
        scope: &OrgScope,
        id: &PostId,
        early: bool,
        now: Timestamp,
    ) -> Result<ClaimedPost, TableError> {
        const MAX_TRIES: u32 = 8;
        for attempt in 1..=MAX_TRIES {
            let Some(mut post) = self.post(scope, id).await? else { return Ok(ClaimedPost::Nothing) };
            let is_held = post.progress.lease.as_ref().is_some_and(|lease| lease.until > now);
            if is_held || post.attention_at().is_none() {
                return Ok(ClaimedPost::Nothing);
            }
            // A message may arrive a moment before the second it was sent for.
            if post.status == PostStatus::Scheduled && !early && post.due_at() > now + SignedDuration::from_secs(1) {
                return Ok(ClaimedPost::Early);
            }
            if post.status.is_waiting() {
                post.status = PostStatus::Publishing;
                post.record(now, PostStepKind::Started, if early { "before its time, on request" } else { "" });
            }
            post.progress.lease = Some(PublishLease { until: now + LEASE });
            if self.put_post(scope, &mut post).await? {
                return Ok(ClaimedPost::Claimed(Box::new(post)));
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    /// Claims that something at Meta is this post. `false` if it is another one: two posts may say the same.
    pub async fn claim_meta_post(&self, scope: &OrgScope, meta_id: &str, post: &PostId) -> Result<bool, TableError> {
        let (key, row) = (keys::meta_post(scope, meta_id), MetaPost { post: post.clone() });
        let request = self.client.put_item().table_name(&self.name);
        let claimed = request
            .set_item(Some(Row::new(&key, ItemKind::MetaPost, &row).item()?))
            .condition_expression("attribute_not_exists(pk) OR post = :post")
            .expression_attribute_values(":post", text(post.as_str()))
            .send()
            .await;
        Ok(if_held(claimed)?.is_some())
    }

    /// Lists up to `limit` of the org's matching posts, latest first. Also returns where to resume.
    pub async fn posts(
        &self,
        scope: &OrgScope,
        filter: &PostFilter,
        after: Option<PostPosition>,
        limit: usize,
    ) -> Result<(Vec<Post>, Option<PostPosition>), TableError> {
        /// Requests for one list. A filter that matches little ends with fewer posts and a position to resume from.
        const MAX_REQUESTS: usize = 8;
        const PAGE: i32 = 300;
        let pk = keys::posts_of_org(scope);
        let from = filter.from.map_or_else(|| "0".to_owned(), keys::instant);
        let mut before = after.map(|position| position.0);
        let to = filter.to.map_or_else(|| "~".to_owned(), keys::instant);
        let mut keys_found: Vec<(String, Key)> = Vec::new();
        let mut resume = None;
        for _ in 0..MAX_REQUESTS {
            let upper = before.as_deref().unwrap_or(&to);
            let page =
                self.client.query().table_name(&self.name).index_name("gsi2").scan_index_forward(false).limit(PAGE);
            let page = page
                .key_condition_expression("gsi2pk = :pk AND gsi2sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", text(&pk))
                .expression_attribute_values(":from", text(&from))
                .expression_attribute_values(":to", text(upper))
                .send()
                .await?;
            let items = page.items.unwrap_or_default();
            let more = page.last_evaluated_key.is_some();
            for item in items {
                let Some(position) = item.get("gsi2sk").and_then(|value| value.as_s().ok()).cloned() else { continue };
                if Some(&position) == before.as_ref() {
                    continue;
                }
                before = Some(position.clone());
                if filter.matches(&item)
                    && let Some(key) = Key::from_item(&item)
                {
                    keys_found.push((position, key));
                }
                if keys_found.len() > limit {
                    break;
                }
            }
            resume = more.then(|| before.clone()).flatten();
            if keys_found.len() > limit {
                keys_found.truncate(limit);
                resume = keys_found.last().map(|(position, _)| position.clone());
                break;
            }
            if resume.is_none() {
                break;
            }
        }
        let keys: Vec<Key> = keys_found.into_iter().map(|(_, key)| key).collect();
        let mut items = self.batch_get_as(&keys, Consistency::Eventual).await?;
        let posts = self.entities(keys.iter().filter_map(|key| items.remove(key)))?;
        Ok((posts, resume.map(PostPosition)))
    }

    /// Reserves a page's next turn to publish: `interval` after the one before it, and not before `now`.
    pub async fn reserve_turn(
        &self,
        page: &PageId,
        now: Timestamp,
        interval: SignedDuration,
    ) -> Result<Timestamp, TableError> {
        const MAX_TRIES: u32 = 20;
        let key = keys::publish_turns(page);
        for attempt in 1..=MAX_TRIES {
            let turns: PublishTurns = self.get(&key).await?.unwrap_or_default();
            let turn = turns.next_at.map_or(now, |next| next.max(now));
            let change = self.change(&key).kind(ItemKind::PublishTurns).set("next_at", &(turn + interval))?;
            if change.if_unchanged("next_at", &turns.next_at)?.send().await? {
                return Ok(turn);
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    /// Lets nothing more be published on a page before `until`, because Meta says so.
    pub async fn hold_turns(&self, page: &PageId, until: Timestamp) -> Result<(), TableError> {
        const MAX_TRIES: u32 = 8;
        let key = keys::publish_turns(page);
        for attempt in 1..=MAX_TRIES {
            let turns: PublishTurns = self.get(&key).await?.unwrap_or_default();
            if turns.next_at.is_some_and(|next| until <= next) {
                return Ok(());
            }
            let change = self.change(&key).kind(ItemKind::PublishTurns).set("next_at", &until)?;
            if change.if_unchanged("next_at", &turns.next_at)?.send().await? {
                return Ok(());
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES))
    }
}

impl PostFilter {
    fn matches(&self, item: &Item) -> bool {
        let is = |name: &str, wanted: Option<&str>| {
            wanted
                .is_none_or(|wanted| item.get(name).and_then(|value| value.as_s().ok()).is_some_and(|is| is == wanted))
        };
        is("status", self.status.map(Into::into)) && is("page_id", self.page.as_ref().map(PageId::as_str))
    }
}

fn post_item(scope: &OrgScope, post: &Post) -> Result<Item, TableError> {
    let key = keys::post(scope, &post.id);
    let row = Row::new(&key, ItemKind::Post, post).in_list(keys::post_list(scope, post.listed_at(), &post.id));
    match post.attention_at() {
        Some(at) => row.indexed(keys::publish_due(scope, &PublishWork::Post(post.id.clone()), at)).item(),
        None => row.item(),
    }
}
