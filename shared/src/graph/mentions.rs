//! Who mentioned an Instagram account, and how. The webhook says only where.

use jiff::Timestamp;
use serde::Deserialize;

use super::page_posts::graph_time;
use super::{GraphClient, GraphError, read};
use crate::model::inbox::event::{Person, Signal, SignalType};
use crate::secret::AccessToken;

#[derive(Deserialize)]
struct Mentions {
    #[serde(alias = "mentioned_comment", alias = "mentioned_media")]
    mention: Mention,
}

#[derive(Deserialize)]
struct Mention {
    username: Option<String>,
    /// Of a comment.
    text: Option<String>,
    /// Of a medium.
    caption: Option<String>,
    permalink: Option<String>,
    #[serde(deserialize_with = "graph_time")]
    timestamp: Timestamp,
    media: Option<MentionedMedia>,
}

#[derive(Deserialize)]
struct MentionedMedia {
    permalink: Option<String>,
}

impl GraphClient {
    /// Reads a mention of an Instagram account in a comment, or in the caption of a medium. Its time is that of the comment
    /// or the medium, so that a mention that is reported twice is one.
    pub async fn mention(
        &self,
        account: &str,
        on: &str,
        in_comment: bool,
        token: &AccessToken,
    ) -> Result<Signal, GraphError> {
        let fields = match in_comment {
            true => format!("mentioned_comment.comment_id({on}){{text,username,timestamp,media{{permalink}}}}"),
            false => format!("mentioned_media.media_id({on}){{caption,username,timestamp,permalink}}"),
        };
        let Mentions { mention } = read(self.get(account, &[("fields", &fields)], token).await?)?;
        Ok(Signal {
            r#type: SignalType::Mention,
            person: Person { username: mention.username, ..Person::default() },
            on: on.to_owned(),
            value: mention.text.or(mention.caption),
            permalink: mention.permalink.or(mention.media.and_then(|media| media.permalink)),
            at: mention.timestamp,
            active: true,
        })
    }
}
