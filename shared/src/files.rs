//! S3: files that users upload. All of them are read and written through this module; a browser and Meta get addresses
//! that end soon.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_types::SdkConfig;
use url::Url;

use crate::aws::AwsError;
use crate::ids::{ExportId, MediaId, MessageId, OrgScope};
use crate::retry::Verdict;

/// A bucket of files. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    client: Client,
    bucket: String,
}

/// The name of a file: its org is part of it, so that no org reaches another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileKey(String);

impl FileKey {
    /// A file that was uploaded for posts. The bucket deletes those of `uploads/` by their age.
    #[must_use]
    pub fn of_upload(scope: &OrgScope, id: &MediaId) -> Self {
        Self(format!("uploads/{}/{id}", scope.org()))
    }

    /// The file of an export. The bucket deletes those of `exports/` by their age.
    #[must_use]
    pub fn of_export(scope: &OrgScope, id: &ExportId) -> Self {
        Self(format!("exports/{}/{id}/leads.csv", scope.org()))
    }

    /// Rows of an export that are too few for a part of its file.
    #[must_use]
    pub fn of_remainder(scope: &OrgScope, id: &ExportId, number: u32) -> Self {
        Self(format!("exports/{}/{id}/{number}", scope.org()))
    }

    /// What the names of an org's files begin with.
    fn prefixes_of(scope: &OrgScope) -> [String; 3] {
        ["uploads", "exports", "attachments"].map(|kind| format!("{kind}/{}/", scope.org()))
    }

    /// A file of a message.
    #[must_use]
    pub fn of_attachment(scope: &OrgScope, id: &MessageId, position: usize) -> Self {
        Self(format!("attachments/{}/{id}/{position}", scope.org()))
    }
}

/// What the bucket knows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its size.
    pub bytes: u64,
    /// Its content type, as it was declared for the upload.
    pub content_type: String,
}

/// A failed call to S3.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FileError {
    /// The call failed for a reason that may be temporary.
    #[error("S3 failed: {0}")]
    Failed(#[source] AwsError),
    /// The file does not exist, or not any more.
    #[error("the file does not exist")]
    Missing,
}

impl FileError {
    /// What to do with the work that met this error.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Failed(_) => Verdict::Retry,
            Self::Missing => Verdict::GiveUp,
        }
    }
}

impl Files {
    /// The files of a bucket.
    #[must_use]
    pub fn new(aws: &SdkConfig, bucket: String) -> Self {
        // A checksum in a signed address would be that of an empty body.
        let config = aws_sdk_s3::config::Builder::from(aws)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        Self { client: Client::from_conf(config.build()), bucket }
    }

    /// The address to which a file of exactly this size and content type can be sent by `PUT`, for `lifetime`.
    pub async fn upload_link(
        &self,
        key: &FileKey,
        content_type: &str,
        bytes: u64,
        lifetime: Duration,
    ) -> Result<Url, FileError> {
        let bytes = i64::try_from(bytes).map_err(failed)?;
        let request = self.client.put_object().bucket(&self.bucket).key(&key.0);
        let request = request.content_type(content_type).content_length(bytes);
        let signed = request.presigned(PresigningConfig::expires_in(lifetime).map_err(failed)?).await;
        signed.map_err(failed)?.uri().parse().map_err(failed)
    }

    /// The address where a file can be read, for `lifetime`.
    pub async fn link(&self, key: &FileKey, lifetime: Duration) -> Result<Url, FileError> {
        let request = self.client.get_object().bucket(&self.bucket).key(&key.0);
        let signed = request.presigned(PresigningConfig::expires_in(lifetime).map_err(failed)?).await;
        signed.map_err(failed)?.uri().parse().map_err(failed)
    }

    /// The address where a stranger's file can be read, for `lifetime`. A browser shows it only if `content_type` is one of
    /// pictures, sounds or videos, and otherwise saves it under `name`.
    pub async fn safe_link(
        &self,
        key: &FileKey,
        content_type: &str,
        name: &str,
        lifetime: Duration,
    ) -> Result<Url, FileError> {
        let is_shown = ["image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/webm", "audio/"]
            .iter()
            .any(|shown| content_type.starts_with(shown));
        let clean: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
            .collect();
        let how = if is_shown { "inline" } else { "attachment" };
        let content_type = if is_shown { content_type } else { "application/octet-stream" };
        let request = self.client.get_object().bucket(&self.bucket).key(&key.0);
        let request = request
            .response_content_type(content_type)
            .response_content_disposition(format!("{how}; filename=\"{clean}\""));
        let signed = request.presigned(PresigningConfig::expires_in(lifetime).map_err(failed)?).await;
        signed.map_err(failed)?.uri().parse().map_err(failed)
    }

    /// Stores a file.
    pub async fn write(&self, key: &FileKey, content_type: &str, bytes: Vec<u8>) -> Result<(), FileError> {
        let request = self.client.put_object().bucket(&self.bucket).key(&key.0).content_type(content_type);
        request.body(bytes.into()).send().await.map_err(failure)?;
        Ok(())
    }

    /// Deletes a file. Already deleted counts as success.
    pub async fn delete(&self, key: &FileKey) -> Result<(), FileError> {
        self.client.delete_object().bucket(&self.bucket).key(&key.0).send().await.map_err(failure)?;
        Ok(())
    }

    /// Deletes all files of an org, and returns how many these were.
    ///
    /// # Errors
    /// After an error, some are deleted; a repetition goes on.
    pub async fn delete_all_of(&self, scope: &OrgScope) -> Result<usize, FileError> {
        let mut deleted = 0;
        for prefix in FileKey::prefixes_of(scope) {
            // What is deleted is in no list any more, so that each list begins with what is left.
            loop {
                let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(&prefix).send().await;
                let list = list.map_err(failure)?;
                let keys: Vec<FileKey> =
                    list.contents().iter().filter_map(|file| Some(FileKey(file.key()?.to_owned()))).collect();
                for key in &keys {
                    self.delete(key).await?;
                }
                deleted += keys.len();
                if keys.is_empty() {
                    break;
                }
            }
        }
        Ok(deleted)
    }

    /// The origin of all addresses of files, which a page has to allow that shows or sends one.
    pub async fn origin(&self) -> Result<String, FileError> {
        Ok(self.link(&FileKey("-".to_owned()), Duration::from_secs(1)).await?.origin().ascii_serialization())
    }

    /// What the bucket knows of a file.
    ///
    /// # Errors
    /// [`FileError::Missing`] if it has not been uploaded, or was deleted.
    pub async fn head(&self, key: &FileKey) -> Result<StoredFile, FileError> {
        let head = self.client.head_object().bucket(&self.bucket).key(&key.0).send().await.map_err(failure)?;
        Ok(StoredFile {
            bytes: u64::try_from(head.content_length().unwrap_or_default()).map_err(failed)?,
            content_type: head.content_type.unwrap_or_default(),
        })
    }

    /// Reads `length` bytes of a file from `offset`, or what there is of them.
    ///
    /// # Errors
    /// [`FileError::Missing`] if it does not exist.
    pub async fn read(&self, key: &FileKey, offset: u64, length: u64) -> Result<Vec<u8>, FileError> {
        let range = format!("bytes={offset}-{}", offset.saturating_add(length).saturating_sub(1));
        let request = self.client.get_object().bucket(&self.bucket).key(&key.0).range(range);
        let body = request.send().await.map_err(failure)?.body;
        Ok(body.collect().await.map_err(failed)?.to_vec())
    }
}

impl Files {
    /// Begins a file that is sent in parts. What is never completed or aborted is deleted by the bucket's rules.
    pub async fn begin_parts(&self, key: &FileKey, content_type: &str) -> Result<String, FileError> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket).key(&key.0);
        let begun = request.content_type(content_type).send().await.map_err(failure)?;
        begun.upload_id.ok_or_else(|| failed(std::io::Error::other("S3 began no upload")))
    }

    /// Sends a part, of at least 5 MiB unless it is the last. Returns its ETag.
    ///
    /// # Errors
    /// [`FileError::Missing`] if the upload was completed or aborted.
    pub async fn send_part(
        &self,
        key: &FileKey,
        upload: &str,
        number: u32,
        bytes: Vec<u8>,
    ) -> Result<String, FileError> {
        // The clients' own limits are for small requests.
        let time = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(15))
            .operation_timeout(Duration::from_secs(25));
        let request = self.client.upload_part().bucket(&self.bucket).key(&key.0).upload_id(upload);
        let request = request.part_number(i32::try_from(number).map_err(failed)?).body(bytes.into()).customize();
        let request = request.config_override(aws_sdk_s3::Config::builder().timeout_config(time.build()));
        let sent = request.send().await.map_err(failure)?;
        sent.e_tag.ok_or_else(|| failed(std::io::Error::other("S3 took a part without an ETag")))
    }

    /// Completes a file of these parts. Of no other part anything is kept.
    ///
    /// # Errors
    /// [`FileError::Missing`] if the upload was completed before, or aborted.
    pub async fn complete_parts(&self, key: &FileKey, upload: &str, parts: &[(u32, String)]) -> Result<(), FileError> {
        let parts = parts.iter().map(|(number, tag)| {
            let number = i32::try_from(*number).map_err(failed)?;
            Ok(CompletedPart::builder().part_number(number).e_tag(tag).build())
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect::<Result<_, FileError>>()?));
        let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(&key.0).upload_id(upload);
        request.multipart_upload(parts.build()).send().await.map_err(failure)?;
        Ok(())
    }

    /// Aborts an upload. One that is over already counts as success.
    pub async fn abort_parts(&self, key: &FileKey, upload: &str) -> Result<(), FileError> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(&key.0).upload_id(upload);
        match request.send().await.map_err(failure) {
            Ok(_) | Err(FileError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> FileError {
    FileError::Failed(AwsError::new(error))
}

fn failure<E: std::error::Error + Send + Sync + 'static>(error: SdkError<E>) -> FileError {
    let status = error.raw_response().map(|response| response.status().as_u16());
    if status == Some(404) { FileError::Missing } else { failed(error) }
}
