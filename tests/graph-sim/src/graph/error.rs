//! Graph errors: code, subcode, type and HTTP status as Meta combines them, and their envelope.

use serde_json::{Map, Value, json};

use super::known_errors::{known_error, usual_message};
use crate::clock::graph_time;
use crate::world::ids;
use crate::world::token::Refusal;

/// An error response.
#[derive(Debug, Clone)]
pub(crate) struct GraphError {
    pub(crate) status: u16,
    pub(crate) code: i64,
    pub(crate) subcode: Option<i64>,
    /// `OAuthException`, `GraphMethodException` or `Exception`.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) is_transient: bool,
    /// `error_user_title` and `error_user_msg`.
    pub(crate) for_user: Option<(&'static str, &'static str)>,
    /// `error_data.details` of WhatsApp.
    pub(crate) details: Option<Box<Details>>,
    /// Further details of an invalid write.
    pub(crate) rejection: Option<Box<Rejection>>,
}

/// What exactly is wrong, in WhatsApp's errors.
#[derive(Debug, Clone)]
pub(crate) struct Details(String);

/// What is wrong with a write, and where.
#[derive(Debug, Clone)]
pub(crate) struct Rejection {
    /// `error_user_title` and `error_user_msg`, in the language of the token's owner.
    pub(crate) texts: [String; 2],
    /// `error_data.blame_field_specs`: paths of parameters and their members. Not sent if empty.
    pub(crate) blame: Vec<Vec<String>>,
}

impl GraphError {
    pub(crate) fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        let is_transient = matches!(code, 1 | 2 | 4 | 17 | 32 | 341 | 613 | 960 | 80_000..=80_014);
        Self {
            status,
            code,
            subcode: None,
            kind: "OAuthException",
            message: message.into(),
            is_transient,
            for_user: None,
            details: None,
            rejection: None,
        }
    }

    pub(crate) fn with_subcode(mut self, subcode: i64) -> Self {
        self.subcode = Some(subcode);
        self
    }

    pub(crate) fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(Box::new(Details(details.into())));
        self
    }

    /// 100: a parameter is missing or wrong. `message` is used as is.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, 100, message)
    }

    /// 100/33: the object does not exist or the token may not see it. Meta does not say which.
    pub(crate) fn not_visible(method: &str, id: &str) -> Self {
        let method = method.to_lowercase();
        let mut error = Self::new(
            400,
            100,
            format!(
                "Unsupported {method} request. Object with ID '{id}' does not exist, cannot be loaded due to missing \
                 permissions, or does not support this operation"
            ),
        )
        .with_subcode(33);
        error.kind = "GraphMethodException";
        error
    }

    /// 100: a field or edge the node type does not have.
    pub(crate) fn nonexisting_field(field: &str, node_type: &str) -> Self {
        Self::invalid(format!("(#100) Tried accessing nonexisting field ({field}) on node type ({node_type})"))
    }

    /// 100/1815001: a list filtered by deleted objects.
    pub(crate) fn deleted_objects() -> Self {
        let mut error = Self::invalid("Invalid parameter").with_subcode(1_815_001);
        error.for_user = Some((
            "Cannot Request for Deleted Objects",
            "Requesting for deleted objects is not supported in this endpoint.",
        ));
        error
    }

    /// 200: both ads permissions are missing. Meta returns the same for accounts that were never assigned.
    pub(crate) fn requires_ads() -> Self {
        Self::new(403, 200, "(#200) Ad account owner has NOT grant ads_management or ads_read permission")
    }

    /// 100/1487534: more rows than insights return, or a field that makes the query too large.
    pub(crate) fn too_much_data() -> Self {
        let message = "Please reduce the amount of data you're asking for, then retry your request";
        let mut error = Self::invalid(message).with_subcode(1_487_534);
        error.for_user = Some((
            "Too many data points",
            "There are too many data points to be returned in the response. Ask for a shorter time, fewer objects or \
             fewer fields.",
        ));
        error
    }

    /// 100/1504018: a direct insights query takes too long. A report may still succeed.
    pub(crate) fn insights_timeout() -> Self {
        let mut error = Self::invalid("Invalid parameter").with_subcode(1_504_018);
        error.for_user = Some((
            "Insights Request Timed Out",
            "Your request timed out. Please try a smaller date range, fetch less data, or use async jobs",
        ));
        error
    }

    /// 2601/1815107: the rows of a report that has not completed or never will.
    pub(crate) fn report_not_ready() -> Self {
        let mut error = Self::new(400, 2601, "Error accessing adreport job.").with_subcode(1_815_107);
        error.is_transient = true;
        error.for_user = Some((
            "Loading Async Ads Report Failed",
            "Sorry, the report cannot be loaded successfully. Please check if your job status is completed instead of \
             failed or running before fetching the data.",
        ));
        error
    }

    /// 2500: the path or the fields do not parse.
    pub(crate) fn syntax(message: impl Into<String>) -> Self {
        Self::new(400, 2500, message)
    }

    /// 803: a path segment that is neither a number nor a known alias.
    pub(crate) fn unknown_alias(alias: &str) -> Self {
        Self::new(404, 803, format!("(#803) Some of the aliases you requested do not exist: {alias}"))
    }

    /// 200: the person did not grant the permission.
    pub(crate) fn requires_scope(scope: &str) -> Self {
        Self::new(403, 200, format!("(#200) Requires {scope} permission to manage the object"))
    }

    /// 200: objects of a business portfolio need `business_management`.
    pub(crate) fn requires_business_management() -> Self {
        Self::new(403, 200, "(#200) Requires business_management permission")
    }

    /// 200: the person lacks the required task on the page. (Wording unconfirmed.)
    pub(crate) fn requires_task(tasks: &[&str]) -> Self {
        Self::new(
            403,
            200,
            format!(
                "(#200) User does not have sufficient administrative permission for this action on this page, one of these tasks is needed: {}",
                tasks.join(", ")
            ),
        )
    }

    /// 10: reading a page needs a permission or a feature.
    pub(crate) fn requires_page_feature() -> Self {
        Self::new(
            403,
            10,
            "(#10) This endpoint requires the 'pages_read_engagement' permission or the 'Page Public Content Access' \
             feature.",
        )
    }

    /// An error of comments and messages with a subcode.
    pub(crate) fn messaging(code: i64, subcode: i64, message: &str) -> Self {
        Self::new(400, code, message).with_subcode(subcode)
    }

    /// 190/2069032: a user token where a page token is required. The token itself is valid.
    pub(crate) fn page_token_required() -> Self {
        let mut error =
            Self::new(400, 190, "A Page access token is required for this call for the new Pages experience.")
                .with_subcode(2_069_032);
        error.for_user = Some((
            "User Access Token Is Not Supported",
            "A Page access token is required for this call for the new Pages experience.",
        ));
        error
    }

    /// 190 without subcode: not a token, or not a token of this app.
    pub(crate) fn malformed_token() -> Self {
        Self::new(400, 190, "Invalid OAuth access token - Cannot parse access token")
    }

    /// 190 with the subcode for why the token is invalid.
    pub(crate) fn refused(refusal: Refusal, app_id: &str, expired_s: Option<i64>, now_s: i64) -> Self {
        let (subcode, cause) = match refusal {
            Refusal::AppRemoved => (458, format!("The user has not authorized application {app_id}.")),
            Refusal::Checkpoint => (
                459,
                "You cannot access the app till you log in to www.facebook.com and follow the instructions given."
                    .to_owned(),
            ),
            Refusal::PasswordChanged => (
                460,
                "The session has been invalidated because the user changed their password or Facebook has changed the \
                 session for security reasons."
                    .to_owned(),
            ),
            Refusal::Expired => (
                463,
                format!(
                    "Session has expired on {}. The current time is {}.",
                    graph_time(expired_s.unwrap_or(now_s) * 1000),
                    graph_time(now_s * 1000)
                ),
            ),
            Refusal::Revoked => (467, "The session is invalid because the user logged out.".to_owned()),
            Refusal::ConsentBlocked => (483, "The user is under consent blocking.".to_owned()),
            Refusal::RoleLost => (
                492,
                "The user must be an administrator, editor, or moderator of the page in order to impersonate it."
                    .to_owned(),
            ),
            Refusal::DataAccessExpired => {
                (493, "The user has not used the application for 90 days, data access has expired.".to_owned())
            }
        };
        Self::new(400, 190, format!("Error validating access token: {cause}")).with_subcode(subcode)
    }

    /// 100 `GraphMethodException`: `appsecret_proof` is wrong or missing.
    pub(crate) fn proof(message: &str) -> Self {
        let mut error = Self::invalid(message);
        error.kind = "GraphMethodException";
        error
    }

    /// A limit is exhausted.
    pub(crate) fn throttled(code: i64, subcode: Option<i64>) -> Self {
        // Insights return 400 where the app's platform limit returns 403. (Unconfirmed.)
        let status = (subcode == Some(1_504_022)).then_some(400);
        Self::injected(code, subcode, status, None)
    }

    /// The error an injected fault specifies, with Meta's usual status and message for the code where they are known.
    pub(crate) fn injected(code: i64, subcode: Option<i64>, status: Option<u16>, message: Option<String>) -> Self {
        let usual_status = match code {
            1 | 2 => 500,
            // Outside of the messaging window, not a permission.
            10 if subcode.is_some() => 400,
            4 | 10 | 200..=299 => 403,
            803 => 404,
            _ => 400,
        };
        let usual_message = match code {
            1 if subcode == Some(1_357_046) => "Received invalid JSON reply".to_owned(),
            1 => "An unknown error occurred".to_owned(),
            2 => "Service temporarily unavailable".to_owned(),
            4 => "(#4) Application request limit reached".to_owned(),
            17 => "(#17) User request limit reached".to_owned(),
            32 => "(#32) Page request limit reached".to_owned(),
            190 => "Error validating access token".to_owned(),
            613 => "(#613) Calls to this api have exceeded the rate limit.".to_owned(),
            80_000 | 80_003 | 80_004 => format!(
                "(#{code}) There have been too many calls to this ad-account. Wait a bit and try again. For more info, \
                 please refer to https://developers.facebook.com/docs/graph-api/overview/rate-limiting."
            ),
            80_001..=80_014 => {
                format!("(#{code}) There have been too many calls from this Page account. Wait a bit and try again.")
            }
            _ => usual_message(code).map_or_else(|| format!("(#{code}) An error occurred"), str::to_owned),
        };
        let known = subcode.and_then(|subcode| known_error(code, subcode));
        let usual_message = known.map_or(usual_message, |known| known.message.to_owned());
        let mut error = Self::new(status.unwrap_or(usual_status), code, message.unwrap_or(usual_message));
        error.subcode = subcode;
        if let Some(known) = known {
            error.is_transient = false;
            error.for_user = Some((known.title, known.text));
        }
        error
    }

    /// An error of WhatsApp: no subcode, but details.
    pub(crate) fn whatsapp(code: i64, title: &str, details: impl Into<String>) -> Self {
        let status = match code {
            131_005 | 131_031 | 368 => 403,
            131_000 | 131_016 | 131_057 => 500,
            132_001 => 404,
            _ => 400,
        };
        Self::new(status, code, format!("(#{code}) {title}")).with_details(details)
    }

    /// An error of the upload host: `OffsetInvalidError`, `PartialRequestError` or `ProcessingFailedError`.
    pub(crate) fn upload(kind: &'static str, message: &str) -> Self {
        let mut error = Self::new(400, 100, message);
        error.kind = kind;
        error
    }

    /// `{"error": {…}}`; `{"debug_info": {…}}` for an error of the upload host.
    pub(crate) fn envelope(&self) -> Value {
        if matches!(self.kind, "OffsetInvalidError" | "PartialRequestError" | "ProcessingFailedError") {
            return json!({"debug_info": {"retriable": false, "type": self.kind, "message": self.message}});
        }
        let mut error = Map::new();
        error.insert("message".to_owned(), json!(self.message));
        error.insert("type".to_owned(), json!(self.kind));
        error.insert("code".to_owned(), json!(self.code));
        if let Some(subcode) = self.subcode {
            error.insert("error_subcode".to_owned(), json!(subcode));
        }
        if self.is_transient {
            error.insert("is_transient".to_owned(), json!(true));
        }
        if let Some((title, text)) = self.for_user {
            error.insert("is_transient".to_owned(), json!(self.is_transient));
            error.insert("error_user_title".to_owned(), json!(title));
            error.insert("error_user_msg".to_owned(), json!(text));
        }
        if let Some(Details(details)) = self.details.as_deref() {
            error.insert("error_data".to_owned(), json!({"messaging_product": "whatsapp", "details": details}));
        }
        if let Some(Rejection { texts: [title, text], blame }) = self.rejection.as_deref() {
            if !blame.is_empty() {
                // Here Meta sends JSON as a string.
                error.insert("error_data".to_owned(), json!(json!({"blame_field_specs": blame}).to_string()));
            }
            error.insert("is_transient".to_owned(), json!(self.is_transient));
            error.insert("error_user_title".to_owned(), json!(title));
            error.insert("error_user_msg".to_owned(), json!(text));
        }
        error.insert("fbtrace_id".to_owned(), json!(ids::trace_text()));
        json!({ "error": error })
    }
}
