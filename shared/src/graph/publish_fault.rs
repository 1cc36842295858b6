//! What an error means for a post: Meta's codes and subcodes of publishing (Pages API, Instagram content publishing).

use std::time::Duration;

use super::GraphError;
use crate::model::publishing::failure::PostFailureCode;

/// What an error means for the post that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishFault {
    /// Meta may have done what was asked, or not.
    Unclear,
    /// Meta wants fewer calls, or fewer posts, for this long.
    Later(Duration),
    /// Meta is not done with a medium yet.
    NotReady,
    /// The medium has to be offered again, a few times at most. If that does not help, this is why.
    Again(PostFailureCode),
    /// Meta takes it for a repetition: the first try may have worked.
    Repeated,
    /// Meta refuses it.
    Refused(PostFailureCode),
}

/// The wait after a block that names no time.
const BLOCKED: Duration = Duration::from_hours(1);

impl GraphError {
    /// Returns what the error means for the post that met it.
    #[must_use]
    pub fn publish_fault(&self) -> PublishFault {
        use PostFailureCode as Code;
        let known = self.detail().and_then(|detail| known_fault(detail.code, detail.subcode));
        if let Some(fault) = known {
            return fault;
        }
        match self {
            Self::TokenInvalid { .. } => PublishFault::Refused(Code::ConnectionExpired),
            Self::WrongTokenKind(_) | Self::NotPermitted(_) => PublishFault::Refused(Code::PermissionMissing),
            Self::Refused(_) | Self::TooMuchData(_) | Self::MessagingWindowClosed(_) => {
                PublishFault::Refused(Code::Refused)
            }
            Self::Throttled { wait, .. } => PublishFault::Later(wait.unwrap_or(Duration::from_mins(5))),
            Self::NotVisible(_)
            | Self::ProofRefused(_)
            | Self::Unavailable(_)
            | Self::InvalidResponse { .. }
            | Self::Transport(_) => PublishFault::Unclear,
        }
    }
}

/// The meaning of a subcode that stands in the state of a container.
#[must_use]
pub fn fault_of(subcode: i64) -> PublishFault {
    known_fault(0, Some(subcode)).unwrap_or(PublishFault::Refused(PostFailureCode::MediaRefused))
}

/// The meaning of codes that only publishing has.
fn known_fault(code: i64, subcode: Option<i64>) -> Option<PublishFault> {
    use PostFailureCode as Code;
    use PublishFault::{Again, Later, NotReady, Refused, Repeated};
    let by_subcode = subcode.and_then(|subcode| {
        Some(match subcode {
            2_207_003 | 2_207_052 | 2_207_077 => Again(Code::MediaUnreachable),
            2_207_001 | 2_207_006 | 2_207_008 | 2_207_020 | 2_207_032 | 2_207_053 | 2_207_082 => {
                Again(Code::MediaRefused)
            }
            2_207_027 => NotReady,
            2_207_042 | 1_390_008 => Later(BLOCKED),
            1_404_082 => Repeated,
            2_207_051 | 1_346_003 | 1_404_102 => Refused(Code::Blocked),
            2_207_050 | 1_404_006 | 4_854_002 | 1_404_078 | 1_404_112 => Refused(Code::ConfirmationNeeded),
            2_207_010 | 2_207_035..=2_207_037 | 2_207_040 => Refused(Code::MessageRefused),
            2_061_006 | 1_609_005 | 1_609_008 => Refused(Code::LinkRefused),
            2_207_004 | 2_207_005 | 2_207_009 | 2_207_023 | 2_207_026 | 2_207_028 | 2_207_057 | 2_207_076 => {
                Refused(Code::MediaRefused)
            }
            1_366_046 | 1_366_051 | 1_349_125 | 2_069_019 => Refused(Code::MediaRefused),
            1_363_047 | 1_609_010 => PublishFault::Unclear,
            _ => return None,
        })
    });
    by_subcode.or(match code {
        324 => Some(Again(Code::MediaUnreachable)),
        341 => Some(Later(BLOCKED)),
        506 => Some(Repeated),
        368 => Some(Refused(Code::Blocked)),
        1500 => Some(Refused(Code::LinkRefused)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::error::in_body;
    use super::super::usage::Usage;
    use super::*;

    #[test]
    fn codes_of_publishing_decide_before_general_ones() {
        use PostFailureCode as Code;
        let fault = |code: i64, subcode: Option<i64>, status: u16| {
            let body =
                json!({"error": {"message": "x", "type": "OAuthException", "code": code, "error_subcode": subcode}});
            in_body(&body, status, &Usage::default()).unwrap().publish_fault()
        };
        assert_eq!(fault(4, Some(2_207_051), 400), PublishFault::Refused(Code::Blocked), "not a limit of calls");
        assert_eq!(fault(4, None, 403), PublishFault::Later(Duration::from_mins(5)));
        assert_eq!(fault(-2, Some(2_207_003), 400), PublishFault::Again(Code::MediaUnreachable));
        assert_eq!(fault(9004, Some(2_207_052), 400), PublishFault::Again(Code::MediaUnreachable));
        assert_eq!(fault(9007, Some(2_207_027), 400), PublishFault::NotReady);
        assert_eq!(fault(9, Some(2_207_042), 400), PublishFault::Later(BLOCKED));
        assert_eq!(fault(506, None, 400), PublishFault::Repeated);
        assert_eq!(fault(36_003, Some(2_207_009), 400), PublishFault::Refused(Code::MediaRefused));
        assert_eq!(fault(100, None, 400), PublishFault::Refused(Code::Refused));
        assert_eq!(fault(200, None, 403), PublishFault::Refused(Code::PermissionMissing));
        assert_eq!(fault(190, Some(463), 400), PublishFault::Refused(Code::ConnectionExpired));
        assert_eq!(fault(2, None, 500), PublishFault::Unclear);
        assert_eq!(GraphError::Transport("timed out").publish_fault(), PublishFault::Unclear);
    }
}
