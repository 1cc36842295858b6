//! The texts of errors that a test injects by code, or that Instagram identifies by their subcode.

/// Returns Meta's message of a code. `None` if it is not known, or depends on more than the code.
pub(super) fn usual_message(code: i64) -> Option<&'static str> {
    Some(match code {
        324 => "(#324) Missing or invalid image file",
        341 => "(#341) Feed action request limit reached",
        368 => "(#368) The action attempted has been deemed abusive or is otherwise disallowed",
        506 => "(#506) Duplicate status message",
        960 => "Request aborted. This could happen if a dependent request failed or the entire request timed out.",
        551 => "(#551) This person isn't available right now.",
        1500 => "(#1500) The url you supplied is invalid",
        _ => return None,
    })
}

/// The texts of one error.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownError {
    pub(super) message: &'static str,
    /// `error_user_title`.
    pub(super) title: &'static str,
    /// `error_user_msg`.
    pub(super) text: &'static str,
}

/// Returns the texts of a code and subcode. Meta's own are known for the first three; the others are unconfirmed.
pub(super) fn known_error(code: i64, subcode: i64) -> Option<KnownError> {
    let (message, title, text) = match (code, subcode) {
        (9007, 2_207_027) => (
            "Media ID is not available",
            "Cannot Publish",
            "The media is not ready for publishing, please wait for a moment",
        ),
        (9004, 2_207_052) => (
            "Only photo or video can be accepted as media type.",
            "Media download has failed. The media URI doesn't meet our requirements.",
            "The media could not be fetched from this URI. Please check the limitations section in the documentation.",
        ),
        (4, 2_207_051) => (
            "Application request limit reached",
            "Action is blocked",
            "We restrict certain activity to protect our community. Tell us if you think we made a mistake.",
        ),
        (9, 2_207_042) => (
            "The user has reached the maximum number of posts",
            "Publishing limit reached",
            "You reached maximum number of posts that is allowed to be published by Content Publishing API.",
        ),
        (24, 2_207_006) => {
            ("The requested resource does not exist", "Media not found", "The media with this ID does not exist.")
        }
        (24, 2_207_008) => (
            "The requested resource does not exist",
            "Media not found",
            "The media builder with this creation ID does not exist or has expired.",
        ),
        (-1, 2_207_001) => ("Instagram server error", "Instagram server error", "Please try again later."),
        (-1, 2_207_032) => ("Fatal", "Create media failed", "Create media failed, please try to re-create the media."),
        (-1, 2_207_053) => ("Fatal", "Unknown upload error", "Generate a new container and try again."),
        (-2, 2_207_003) => ("Timeout", "Timed out", "It takes too long to download the media."),
        (-2, 2_207_020) => {
            ("Media expired", "Media expired", "The media has expired, please generate a new container.")
        }
        (352, 2_207_026) => (
            "The video format is not supported",
            "Unsupported video format",
            "The video format is not supported. Please check the specifications.",
        ),
        (36_000, 2_207_004) => (
            "The image size is too large",
            "Image too large",
            "The image is too large to download. It should be less than 8 MiB.",
        ),
        (36_001, 2_207_005) => (
            "The image format is not supported",
            "Unsupported image format",
            "The image format is not supported. Please use JPEG.",
        ),
        (36_003, 2_207_009) => (
            "The aspect ratio is not supported",
            "Unsupported aspect ratio",
            "The submitted image's aspect ratio must be between 4:5 and 1.91:1.",
        ),
        _ => return None,
    };
    Some(KnownError { message, title, text })
}
