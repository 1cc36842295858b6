//! Posts of pages: Meta's Pages API (`/feed`, `/photos`, `/videos`, `/published_posts`). Every call needs the page's own
//! token.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{GraphClient, GraphError, GraphPage, OnlyId, read};
use crate::ids::PageId;
use crate::secret::AccessToken;

/// What a page's post shows.
#[derive(Debug, Clone, Copy)]
pub struct NewPagePost<'a> {
    /// The text.
    pub message: Option<&'a str>,
    /// The link whose preview is shown.
    pub link: Option<&'a str>,
    /// Photos that were uploaded before, in order.
    pub photos: &'a [String],
}

/// Where a photo comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhotoSource<'a> {
    /// Meta downloads it. It refuses (324) what a host gives in parts (206), as storage services do.
    Url(&'a str),
    /// The file itself.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Its format. Meta refuses a file without.
        content_type: &'static str,
    },
}

/// A post that is public.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PublicPost {
    /// Meta's id.
    pub id: String,
    /// Its address.
    pub permalink_url: Option<String>,
}

/// A post in a page's list.
#[derive(Debug, Clone, Deserialize)]
pub struct SeenPost {
    /// Meta's id.
    pub id: String,
    /// The text.
    pub message: Option<String>,
    /// When it was made.
    #[serde(deserialize_with = "graph_time")]
    pub created_time: Timestamp,
    /// Its address.
    pub permalink_url: Option<String>,
    application: Option<Application>,
}

#[derive(Debug, Clone, Deserialize)]
struct Application {
    id: String,
}

/// A video of a page.
#[derive(Debug, Clone, Deserialize)]
pub struct SeenVideo {
    /// Meta's id, which is not that of its post.
    pub id: String,
    /// The text.
    pub description: Option<String>,
    /// When it was made.
    #[serde(deserialize_with = "graph_time")]
    pub created_time: Timestamp,
}

/// How far a video is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoState {
    /// Meta works on it.
    Processing,
    /// It is public: the id of its post, once there is one, and its address.
    Ready {
        /// The id of its post.
        post_id: Option<String>,
        /// Its address.
        permalink: Option<String>,
    },
    /// Meta cannot use it: its words.
    Failed(String),
}

/// Reads a time of the Graph API, such as `2026-11-25T08:00:00+0000`.
pub(super) fn graph_time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed = text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", &text).ok());
    parsed.ok_or_else(|| serde::de::Error::custom("not a time"))
}

impl GraphClient {
    /// Gives a page a photo without publishing it. Returns its id. Meta drops it after 24 hours if no post shows it, so
    /// that a repetition does no harm.
    pub async fn upload_photo(
        &self,
        page: &PageId,
        photo: PhotoSource<'_>,
        token: &AccessToken,
    ) -> Result<String, GraphError> {
        let path = format!("{page}/photos");
        let answer = match photo {
            PhotoSource::Url(url) => self.post(&path, &[("url", url), ("published", "false")], token).await?,
            PhotoSource::File { bytes, content_type } => {
                self.post_file(&path, &[("published", "false")], bytes, content_type, token).await?
            }
        };
        Ok(read::<OnlyId>(answer)?.id)
    }

    /// Deletes a post, a photo or a video.
    pub async fn delete_object(&self, id: &str, token: &AccessToken) -> Result<(), GraphError> {
        self.send(self.authorised(self.http.delete(self.url(id)), token)).await.map(drop)
    }

    /// Publishes a post on a page.
    ///
    /// # Errors
    /// After an error the post may be public: Meta knows no idempotency key.
    pub async fn publish_post(
        &self,
        page: &PageId,
        post: &NewPagePost<'_>,
        token: &AccessToken,
    ) -> Result<PublicPost, GraphError> {
        let photos: Vec<Value> = post.photos.iter().map(|id| json!({ "media_fbid": id })).collect();
        let photos = (!photos.is_empty()).then(|| Value::from(photos).to_string());
        let mut form = vec![("fields", "id,permalink_url")];
        form.extend(post.message.map(|message| ("message", message)));
        form.extend(post.link.map(|link| ("link", link)));
        form.extend(photos.as_deref().map(|photos| ("attached_media", photos)));
        read(self.post(&format!("{page}/feed"), &form, token).await?)
    }

    /// Lists the posts that this app has published on a page since then, newest first.
    pub async fn posts_since(
        &self,
        page: &PageId,
        since: Timestamp,
        token: &AccessToken,
    ) -> Result<Vec<SeenPost>, GraphError> {
        let since = since.as_second().to_string();
        let fields = ("fields", "id,message,created_time,permalink_url,application{id}");
        let query = [fields, ("since", since.as_str()), ("limit", "100")];
        let posts: GraphPage<SeenPost> = read(self.get(&format!("{page}/published_posts"), &query, token).await?)?;
        let is_own = |post: &SeenPost| post.application.as_ref().is_none_or(|app| app.id == self.app.id);
        Ok(posts.data.into_iter().filter(is_own).collect())
    }

    /// Publishes a video on a page. Returns the id of the video.
    ///
    /// # Errors
    /// After an error the video may be there.
    pub async fn publish_video(
        &self,
        page: &PageId,
        url: &str,
        description: Option<&str>,
        token: &AccessToken,
    ) -> Result<String, GraphError> {
        let mut form = vec![("file_url", url), ("published", "true")];
        form.extend(description.map(|text| ("description", text)));
        let request = self.http.post(self.video_url(&format!("{page}/videos"))).form(&form);
        let request = request.timeout(std::time::Duration::from_secs(45));
        Ok(read::<OnlyId>(self.send(self.authorised(request, token)).await?)?.id)
    }

    /// Lists the page's newest videos.
    pub async fn videos(&self, page: &PageId, token: &AccessToken) -> Result<Vec<SeenVideo>, GraphError> {
        let query = [("fields", "id,description,created_time"), ("limit", "25")];
        let videos: GraphPage<SeenVideo> = read(self.get(&format!("{page}/videos"), &query, token).await?)?;
        Ok(videos.data)
    }

    /// Reads how far a video is.
    pub async fn video_state(&self, id: &str, token: &AccessToken) -> Result<VideoState, GraphError> {
        let video = self.get(id, &[("fields", "status,post_id,permalink_url")], token).await?;
        let text = |pointer: &str| video.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
        Ok(match text("/status/video_status").as_deref() {
            Some("ready") => VideoState::Ready {
                post_id: text("/post_id"),
                permalink: text("/permalink_url").map(|path| match path.strip_prefix('/') {
                    Some(path) => format!("https://www.facebook.com/{path}"),
                    None => path,
                }),
            },
            Some("error" | "upload_failed" | "expired") => {
                let words = ["/status/processing_phase/errors/0/message", "/status/processing_phase/error/message"];
                VideoState::Failed(words.into_iter().find_map(text).unwrap_or_else(|| "no reason given".to_owned()))
            }
            _ => VideoState::Processing,
        })
    }

    /// Meta takes videos at a host of their own.
    fn video_url(&self, path: &str) -> String {
        self.url(path).replacen("://graph.facebook.com", "://graph-video.facebook.com", 1)
    }
}
