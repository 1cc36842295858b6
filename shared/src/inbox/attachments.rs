//! Files of messages: copied from Meta, where they disappear within days, into the bucket.
//!
//! A stranger sent them: what a file is, its content says; what could run in a browser is only ever saved. A message is
//! complete without its file, so that a file that cannot be had costs nothing else.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::CONTENT_LENGTH;
use url::Url;

use super::ingest::MAX_TRIES;
use super::sender::token_of;
use crate::error::WorkError;
use crate::files::{FileKey, Files};
use crate::graph::GraphError;
use crate::jobs::AttachmentJob;
use crate::meta_app::MetaApp;
use crate::model::inbox::state::MessageState;
use crate::model::inbox::{Attachment, AttachmentStatus, FileSource};
use crate::model::web_address::parse_public;
use crate::phrase;
use crate::retry::Verdict;
use crate::secret::AccessToken;
use crate::table::{Table, TableError, pause};

/// The largest file that is kept. Meta itself takes 25 MB on Messenger and Instagram, and 100 MB for documents on WhatsApp.
const MAX_BYTES: usize = 30_000_000;
/// What an org keeps in files on a day (UTC). A stranger who sends files without end costs its owner no more.
const MAX_DAILY_BYTES: u64 = 5_000_000_000;

/// Copies files of messages, one for each job.
#[derive(Debug, Clone)]
pub struct AttachmentKeeper {
    /// The Graph API and the vault.
    pub meta: MetaApp,
    /// Stores messages.
    pub table: Table,
    /// Keeps the files.
    pub files: Files,
    http: reqwest::Client,
}

/// What a copy came to.
enum Copied {
    /// It is kept.
    Kept { content_type: &'static str, bytes: u64 },
    /// It cannot be had.
    Unavailable(&'static str),
}

impl AttachmentKeeper {
    /// A keeper that follows no redirect: the address that was checked is the one that is read.
    ///
    /// # Errors
    /// If the HTTP client cannot be built.
    pub fn new(meta: MetaApp, table: Table, files: Files) -> Result<Self, GraphError> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(60))
            .build()
            .map_err(GraphError::transport)?;
        Ok(Self { meta, table, files, http })
    }

    /// Copies a file. `is_last` says that what Meta did not hand out is not asked for again.
    ///
    /// # Errors
    /// Fails if a repetition may help, and whenever it was not Meta that failed: the file may still be there.
    pub async fn copy(&self, job: &AttachmentJob, is_last: bool, now: Timestamp) -> Result<(), WorkError> {
        let scope = &job.scope();
        let Some(state) = self.table.message(scope, &job.message).await? else { return Ok(()) };
        let Some(file) = coming(&state, job.position) else { return Ok(()) };
        let copied = match self.fetch(job, &state, file, now).await {
            Ok(copied) => copied,
            Err(error) if error.verdict() == Verdict::GiveUp || is_last && matches!(error, WorkError::Graph(_)) => {
                tracing::warn!(%error, message = %job.message, "a file of a message could not be copied");
                Copied::Unavailable(phrase!("Meta did not hand out the file."))
            }
            Err(error) => return Err(error),
        };
        for attempt in 1..=MAX_TRIES {
            let Some(mut state) = self.table.message(scope, &job.message).await? else { return Ok(()) };
            let id = state.id.clone();
            let file = state.content.as_mut().and_then(|content| content.attachments.get_mut(job.position));
            let Some(file) = file.filter(|file| file.status == AttachmentStatus::Coming) else {
                // The message was deleted meanwhile.
                return Ok(self.files.delete(&FileKey::of_attachment(scope, &id, job.position)).await?);
            };
            file.source = None;
            match &copied {
                Copied::Kept { content_type, bytes } => {
                    file.status = AttachmentStatus::Ready;
                    file.content_type = Some((*content_type).to_owned());
                    file.bytes = Some(*bytes);
                }
                Copied::Unavailable(reason) => {
                    file.status = AttachmentStatus::Unavailable;
                    file.reason = Some((*reason).to_owned());
                }
            }
            if self.table.put_message(scope, &mut state).await? {
                return Ok(());
            }
            pause(attempt).await;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    async fn fetch(
        &self,
        job: &AttachmentJob,
        state: &MessageState,
        file: &Attachment,
        now: Timestamp,
    ) -> Result<Copied, WorkError> {
        let scope = &job.scope();
        let (address, token) = match &file.source {
            None => return Ok(Copied::Unavailable(phrase!("Meta gave no address for the file."))),
            Some(FileSource::Address(address)) => (address.clone(), None),
            Some(FileSource::Whatsapp(id)) => {
                let Some(content) = &state.content else {
                    return Ok(Copied::Unavailable(phrase!("The message is gone.")));
                };
                let Some(conversation) = self.table.conversation(scope, &content.conversation_id).await? else {
                    return Ok(Copied::Unavailable(phrase!("The conversation is gone.")));
                };
                let token = match token_of(&self.meta, &self.table, scope, &conversation).await? {
                    Ok(token) => token,
                    Err(_) => return Ok(Copied::Unavailable(phrase!("The channel is not connected any more."))),
                };
                // The address lives for minutes: it is asked for each time.
                let address = self.meta.graph().await?.whatsapp_media(id, &token).await?;
                (address, Some(token))
            }
        };
        let Some(address) = self.allowed(&address).await? else {
            return Ok(Copied::Unavailable(phrase!("The address of the file is not on the public internet.")));
        };
        let bytes = match self.download(address, token.as_ref()).await? {
            Ok(bytes) => bytes,
            Err(reason) => return Ok(Copied::Unavailable(reason)),
        };
        let content_type = infer::get(&bytes).map_or("application/octet-stream", |kind| kind.mime_type());
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if !self.table.take_file_volume(scope, now, size, MAX_DAILY_BYTES).await? {
            tracing::warn!(org = %scope.org(), "the org's files of today have reached their limit");
            return Ok(Copied::Unavailable(phrase!("The org's files have reached the daily limit of 5 GB.")));
        }
        self.files.write(&FileKey::of_attachment(scope, &state.id, job.position), content_type, bytes).await?;
        Ok(Copied::Kept { content_type, bytes: size })
    }

    /// Files are fetched from the public internet, and from where the Graph API itself is.
    async fn allowed(&self, address: &str) -> Result<Option<Url>, WorkError> {
        if let Ok(url) = parse_public(address) {
            return Ok(Some(url));
        }
        let graph = self.meta.graph().await?;
        Ok(Url::parse(address).ok().filter(|url| url.origin() == graph.origin()))
    }

    /// Downloads a file. The inner error is why it cannot be had.
    async fn download(
        &self,
        address: Url,
        token: Option<&AccessToken>,
    ) -> Result<Result<Vec<u8>, &'static str>, WorkError> {
        const TOO_LARGE: &str = phrase!("The file is larger than 30 MB.");
        let mut request = self.http.get(address);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        let mut answer = request.send().await.map_err(GraphError::transport)?;
        let status = answer.status();
        if !status.is_success() {
            if status.is_server_error() || status.as_u16() == 429 {
                return Err(GraphError::InvalidResponse { status: status.as_u16() }.into());
            }
            return Ok(Err(phrase!("Meta no longer has the file.")));
        }
        let length =
            answer.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > MAX_BYTES) {
            return Ok(Err(TOO_LARGE));
        }
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(GraphError::transport)? {
            bytes.extend_from_slice(&part);
            if bytes.len() > MAX_BYTES {
                return Ok(Err(TOO_LARGE));
            }
        }
        if bytes.is_empty() { Ok(Err(phrase!("The file is empty."))) } else { Ok(Ok(bytes)) }
    }
}

fn coming(state: &MessageState, position: usize) -> Option<&Attachment> {
    let file = state.content.as_ref()?.attachments.get(position)?;
    (file.status == AttachmentStatus::Coming).then_some(file)
}
