//! What Meta does not document or does only sometimes, as switches.

/// The switches of publishing. The control interface changes them.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Whether a page's post that repeats another one of the last day is rejected with 506.
    pub(crate) rejects_repeats: bool,
    /// Maximum number of scheduled posts of a page. More are rejected with the text of a wrong time.
    pub(crate) schedule_queue: Option<usize>,
    /// How long a page's video is processed.
    pub(crate) page_video_ms: i64,
    /// How long a video that is ready does not name its post.
    pub(crate) post_id_late_ms: i64,
    /// How long an Instagram container with a picture, or a carousel, is in progress.
    pub(crate) image_ms: i64,
    /// How long an Instagram container with a video is in progress.
    pub(crate) video_ms: i64,
    /// Whether a carousel can only be created from finished children (9007/2207027).
    pub(crate) carousel_needs_finished: bool,
    /// How many first reads of a new container or medium fail with 100/33.
    pub(crate) missing_reads: u32,
    /// The error of publishing a container that was published before.
    pub(crate) republish: (u16, i64, Option<i64>),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rejects_repeats: true,
            schedule_queue: None,
            page_video_ms: 3000,
            post_id_late_ms: 2000,
            image_ms: 1000,
            video_ms: 3000,
            carousel_needs_finished: false,
            missing_reads: 0,
            republish: (400, 24, Some(2_207_006)),
        }
    }
}
