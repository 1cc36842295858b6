//! Comments and messages as Meta lists them, for what the webhook did not tell: the same events as of notices.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::page_posts::graph_time;
use super::{GraphClient, GraphError, GraphPage, OnlyId, read};
use crate::ids::{InstagramAccountId, PageId};
use crate::model::inbox::Channel;
use crate::model::inbox::event::{InboxEvent, InboxEventKind, NewAttachment, NewMessage, Person, PostRef};
use crate::secret::AccessToken;

/// Response pages of an edge that are read in one go: 10,000 conversations, or 20,000 comments below one post. More than
/// that in the time since the last sync is left out, and said.
const MAX_PAGES: usize = 400;

#[derive(Deserialize)]
struct Edge<T> {
    #[serde(default = "Vec::new")]
    data: Vec<T>,
}

#[derive(Deserialize)]
struct ListedPost {
    id: String,
    permalink_url: Option<String>,
    #[serde(deserialize_with = "graph_time")]
    created_time: Timestamp,
    comments: Option<GraphPage<Comment>>,
}

#[derive(Deserialize)]
struct Comment {
    id: String,
    message: Option<String>,
    from: Option<ListedAuthor>,
    #[serde(deserialize_with = "graph_time")]
    created_time: Timestamp,
    parent: Option<OnlyId>,
    is_hidden: Option<bool>,
    attachment: Option<CommentAttachment>,
}

#[derive(Deserialize)]
struct CommentAttachment {
    r#type: Option<String>,
    url: Option<String>,
    title: Option<String>,
    media: Option<AttachmentMedia>,
}

#[derive(Deserialize)]
struct AttachmentMedia {
    image: Option<AttachmentImage>,
}

#[derive(Deserialize)]
struct AttachmentImage {
    src: String,
}

#[derive(Deserialize)]
struct ListedAuthor {
    id: String,
    name: Option<String>,
    username: Option<String>,
}

#[derive(Deserialize)]
struct ListedMedia {
    id: String,
    permalink: Option<String>,
    #[serde(deserialize_with = "graph_time")]
    timestamp: Timestamp,
    comments: Option<GraphPage<MediaComment>>,
}

#[derive(Deserialize)]
struct MediaComment {
    id: String,
    text: Option<String>,
    from: Option<ListedAuthor>,
    username: Option<String>,
    #[serde(deserialize_with = "graph_time")]
    timestamp: Timestamp,
    hidden: Option<bool>,
    replies: Option<GraphPage<MediaComment>>,
}

#[derive(Deserialize)]
struct Thread {
    #[serde(deserialize_with = "graph_time")]
    updated_time: Timestamp,
    messages: Option<Edge<ListedText>>,
}

#[derive(Deserialize)]
struct ListedText {
    id: String,
    message: Option<String>,
    from: Option<ListedAuthor>,
    to: Option<Edge<ListedAuthor>>,
    #[serde(deserialize_with = "graph_time")]
    created_time: Timestamp,
    attachments: Option<Edge<ListedFile>>,
}

#[derive(Deserialize)]
struct ListedFile {
    name: Option<String>,
    mime_type: Option<String>,
    file_url: Option<String>,
    image_data: Option<FileAddress>,
    video_data: Option<FileAddress>,
}

#[derive(Deserialize)]
struct FileAddress {
    url: String,
}

impl GraphClient {
    /// Lists the comments of all levels that were written since a time below a page's posts of the last weeks.
    pub async fn page_comments(
        &self,
        page: &PageId,
        (posts_since, since): (Timestamp, Timestamp),
        token: &AccessToken,
    ) -> Result<Vec<InboxEvent>, GraphError> {
        const COMMENT: &str = "id,message,from,created_time,parent{id},is_hidden,attachment";
        let comments = format!("comments.filter(stream).order(reverse_chronological).limit(50){{{COMMENT}}}");
        let fields = format!("id,permalink_url,created_time,{comments}");
        let posts: Vec<ListedPost> = self
            .newest(
                &format!("{page}/published_posts"),
                &[("fields", &fields), ("limit", "25")],
                token,
                |post: &ListedPost| post.created_time >= posts_since,
            )
            .await?;
        let mut events = Vec::new();
        for post in posts {
            let Some(first) = post.comments else { continue };
            let is_recent = |comment: &Comment| comment.created_time >= since;
            let edge = format!("{}/comments", post.id);
            let query =
                [("filter", "stream"), ("order", "reverse_chronological"), ("limit", "50"), ("fields", COMMENT)];
            let found = self.rest_of(&edge, &query, token, first, is_recent).await?;
            for comment in found.into_iter().filter(is_recent) {
                events.extend(comment_events(page, &post.id, post.permalink_url.as_deref(), comment));
            }
        }
        Ok(events)
    }

    /// Lists the comments of all levels that were written since a time below an Instagram account's media of the last
    /// weeks. Below comments that are neither recent nor among the newest 50 of their medium it does not look.
    pub async fn instagram_comments(
        &self,
        account: &InstagramAccountId,
        (posts_since, since): (Timestamp, Timestamp),
        token: &AccessToken,
    ) -> Result<Vec<InboxEvent>, GraphError> {
        const REPLY: &str = "id,text,from,username,timestamp,hidden";
        let comment = format!("{REPLY},replies.limit(50){{{REPLY}}}");
        let fields = format!("id,permalink,timestamp,comments.limit(50){{{comment}}}");
        let media: Vec<ListedMedia> = self
            .newest(
                &format!("{account}/media"),
                &[("fields", &fields), ("limit", "25")],
                token,
                |media: &ListedMedia| media.timestamp >= posts_since,
            )
            .await?;
        let mut events = Vec::new();
        for medium in media {
            let place = PostRef { id: medium.id, copy: None, ad_id: None, permalink: medium.permalink };
            let Some(first) = medium.comments else { continue };
            let is_recent = |comment: &MediaComment| comment.timestamp >= since;
            let (edge, query) = (format!("{}/comments", place.id), [("fields", comment.as_str()), ("limit", "50")]);
            for mut comment in self.rest_of(&edge, &query, token, first, is_recent).await? {
                if let Some(first) = comment.replies.take() {
                    // Meta does not say in which order replies are listed.
                    let (edge, query) = (format!("{}/replies", comment.id), [("fields", REPLY), ("limit", "50")]);
                    let replies = self.rest_of(&edge, &query, token, first, |_| true).await?;
                    for reply in replies.iter().filter(|reply| is_recent(reply)) {
                        events.extend(media_comment_events(account, &place, reply, Some(&comment.id)));
                    }
                }
                if is_recent(&comment) {
                    events.extend(media_comment_events(account, &place, &comment, None));
                }
            }
        }
        Ok(events)
    }

    /// Lists the messages of the conversations of a page that changed since a time. Meta shows the content of the newest
    /// 20 messages of each.
    pub async fn listed_messages(
        &self,
        page: &PageId,
        channel: Channel,
        account: &str,
        since: Timestamp,
        token: &AccessToken,
    ) -> Result<Vec<InboxEvent>, GraphError> {
        const FIELDS: &str = "id,updated_time,messages.limit(20){id,message,from,to,created_time,attachments}";
        let platform = if channel == Channel::Instagram { "instagram" } else { "messenger" };
        let query = [("platform", platform), ("fields", FIELDS), ("limit", "25")];
        let threads: Vec<Thread> = self
            .newest(&format!("{page}/conversations"), &query, token, |thread: &Thread| thread.updated_time >= since)
            .await?;
        let messages = threads.into_iter().filter_map(|thread| thread.messages).flat_map(|messages| messages.data);
        let recent = messages.filter(|message| message.created_time >= since);
        Ok(recent.filter_map(|message| message_event(channel, account, page, message)).collect())
    }

    /// Reads an edge that lists the newest first, as long as its items are wanted.
    async fn newest<T: DeserializeOwned>(
        &self,
        edge: &str,
        query: &[(&str, &str)],
        token: &AccessToken,
        is_wanted: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>, GraphError> {
        let first: GraphPage<T> = read(self.get(edge, query, token).await?)?;
        let mut items = self.rest_of(edge, query, token, first, &is_wanted).await?;
        items.retain(is_wanted);
        Ok(items)
    }

    async fn rest_of<T: DeserializeOwned>(
        &self,
        edge: &str,
        query: &[(&str, &str)],
        token: &AccessToken,
        first: GraphPage<T>,
        is_wanted: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>, GraphError> {
        let (mut next, mut items) = (first.next(), first.data);
        for _ in 1..MAX_PAGES {
            let Some(after) = next.take().filter(|_| items.last().is_none_or(&is_wanted)) else { break };
            let mut query = query.to_vec();
            query.push(("after", &after));
            let page: GraphPage<T> = read(self.get(edge, &query, token).await?)?;
            next = page.next().filter(|next| *next != after);
            items.extend(page.data);
        }
        if next.is_some() && items.last().is_some_and(&is_wanted) {
            tracing::error!(%edge, items = items.len(), metric = "lists_cut", "a list of Meta's is longer than what is read of it");
        }
        Ok(items)
    }
}

fn new_message(mid: String, is_ours: bool, person: Person, created_time: Timestamp) -> NewMessage {
    NewMessage {
        mid,
        is_ours,
        person,
        text: None,
        attachments: Vec::new(),
        created_time,
        arrived_at: created_time,
        parent: None,
        post: None,
        ours: None,
        app_id: None,
        standby: false,
        ad_id: None,
    }
}

fn comment_events(page: &PageId, post: &str, permalink: Option<&str>, comment: Comment) -> Vec<InboxEvent> {
    let event = |kind| InboxEvent { channel: Channel::FacebookComment, account: page.to_string(), kind };
    let is_ours = comment.from.as_ref().is_some_and(|from| from.id == page.as_str());
    let person = match comment.from {
        Some(from) if !is_ours => Person { id: Some(from.id), name: from.name, ..Person::default() },
        _ => Person::default(),
    };
    let attachments = comment.attachment.map(new_attachment);
    let (mid, created_time) = (comment.id.clone(), comment.created_time);
    let new = NewMessage {
        text: comment.message.filter(|text| !text.is_empty()),
        attachments: attachments.into_iter().collect(),
        parent: comment.parent.map(|parent| parent.id),
        post: Some(PostRef {
            id: post.to_owned(),
            copy: None,
            ad_id: None,
            permalink: permalink.map(ToOwned::to_owned),
        }),
        ..new_message(mid.clone(), is_ours, person, created_time)
    };
    let hidden = comment
        .is_hidden
        .unwrap_or_default()
        .then(|| event(InboxEventKind::Hidden { mid, hidden: true, at: created_time }));
    [event(InboxEventKind::Message(Box::new(new)))].into_iter().chain(hidden).collect()
}

/// A picture is kept, as the webhook's are. Everything else is a link to Meta.
fn new_attachment(attachment: CommentAttachment) -> NewAttachment {
    let picture = attachment.media.and_then(|media| media.image).map(|image| image.src);
    let picture = picture.filter(|_| matches!(attachment.r#type.as_deref(), Some("photo" | "sticker")));
    let kind = if picture.is_some() { "image" } else { attachment.r#type.as_deref().unwrap_or("link") };
    NewAttachment {
        r#type: kind.to_owned(),
        is_file: picture.is_some(),
        url: picture.or(attachment.url),
        media_id: None,
        name: attachment.title,
    }
}

fn media_comment_events(
    account: &InstagramAccountId,
    place: &PostRef,
    comment: &MediaComment,
    parent: Option<&str>,
) -> Vec<InboxEvent> {
    let event = |kind| InboxEvent { channel: Channel::InstagramComment, account: account.to_string(), kind };
    let from = comment.from.as_ref();
    let is_ours = from.is_some_and(|from| from.id == account.as_str());
    let person = Person {
        id: from.map(|from| from.id.clone()),
        username: from.and_then(|from| from.username.clone()).or_else(|| comment.username.clone()),
        ..Person::default()
    };
    let new = NewMessage {
        text: comment.text.clone(),
        parent: parent.map(ToOwned::to_owned),
        post: Some(place.clone()),
        ..new_message(comment.id.clone(), is_ours, if is_ours { Person::default() } else { person }, comment.timestamp)
    };
    let hidden = comment
        .hidden
        .unwrap_or_default()
        .then(|| event(InboxEventKind::Hidden { mid: comment.id.clone(), hidden: true, at: comment.timestamp }));
    [event(InboxEventKind::Message(Box::new(new)))].into_iter().chain(hidden).collect()
}

fn message_event(channel: Channel, account: &str, page: &PageId, message: ListedText) -> Option<InboxEvent> {
    let is_us = |id: &str| id == account || id == page.as_str();
    let from = message.from?;
    let is_ours = is_us(&from.id);
    let other = match is_ours {
        true => message.to?.data.into_iter().find(|to| !is_us(&to.id))?,
        false => from,
    };
    let person = Person { id: Some(other.id), name: other.name, username: other.username, phone: None };
    let file = |file: ListedFile| {
        let address = file.image_data.or(file.video_data).map(|data| data.url).or(file.file_url);
        let kind = file.mime_type.as_deref().and_then(|kind| kind.split('/').next()).unwrap_or("file").to_owned();
        let kind = if matches!(kind.as_str(), "image" | "video" | "audio") { kind } else { "file".to_owned() };
        NewAttachment { r#type: kind, is_file: address.is_some(), url: address, media_id: None, name: file.name }
    };
    let new = NewMessage {
        text: message.message.filter(|text| !text.is_empty()),
        attachments: message.attachments.into_iter().flat_map(|files| files.data).map(file).collect(),
        ..new_message(message.id, is_ours, person, message.created_time)
    };
    // What Meta shows no content of was deleted, or is of a kind that it does not list.
    let is_empty = new.text.is_none() && new.attachments.is_empty();
    let kind = InboxEventKind::Message(Box::new(new));
    (!is_empty).then(|| InboxEvent { channel, account: account.to_owned(), kind })
}
