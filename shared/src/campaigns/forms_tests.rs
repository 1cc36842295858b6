//! Lead forms that are archived, while Meta refuses or fails.

use super::FormChoice;
use super::tests::campaigns;
use crate::error::{ActError, ErrorCode};
use crate::ids::{FormId, PageId};
use crate::publishing::test_support::{Fault, Fixture};

fn choice() -> FormChoice {
    FormChoice { page_id: PageId::parse("7").unwrap(), lead_form_id: FormId::parse("3").unwrap(), request_id: None }
}

/// A page with one active form.
async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    let form = [("status".to_owned(), "ACTIVE".to_owned())].into();
    fixture.meta.world().ads.insert("3".to_owned(), ("leadgen_forms", form));
    fixture
}

fn status(fixture: &Fixture) -> String {
    fixture.meta.world().ads["3"].1["status"].clone()
}

#[tokio::test]
async fn a_form_is_archived_once_however_often_it_is_asked_for() {
    let fixture = fixture().await;
    let (campaigns, access) = campaigns(&fixture, None).await;
    for _ in 0..2 {
        let archived = campaigns.archive_form(&access, &choice()).await.unwrap();
        assert_eq!((archived.form_id.as_str(), archived.status), ("3", "ARCHIVED"));
        assert_eq!(status(&fixture), "ARCHIVED");
    }
}

#[tokio::test]
async fn what_keeps_a_form_from_being_archived_is_said() {
    let refused = async |error: Option<(i64, Option<i64>)>| {
        let fixture = fixture().await;
        let (campaigns, access) = campaigns(&fixture, None).await;
        fixture.meta.world().faults.push_back(Fault { call: "POST 3", after: false, error });
        let error = campaigns.archive_form(&access, &choice()).await.unwrap_err();
        assert_eq!(status(&fixture), "ACTIVE");
        let field = match &error {
            ActError::Refused(refusal) => refusal.field.as_deref().map(ToOwned::to_owned),
            _ => None,
        };
        (error.code(), field)
    };
    let of_form = Some("leadFormId".to_owned());
    assert_eq!(refused(Some((100, Some(33)))).await, (ErrorCode::FormInvalid, of_form), "not a form of the page");
    assert_eq!(refused(Some((200, None))).await, (ErrorCode::MetaRefused, None), "a permission is missing");
    assert_eq!(refused(Some((100, None))).await, (ErrorCode::MetaRefused, None));
    assert_eq!(refused(Some((4, None))).await, (ErrorCode::MetaThrottled, None));
    assert_eq!(refused(Some((190, Some(460)))).await, (ErrorCode::ConnectionExpired, None));
    assert_eq!(refused(Some((2, None))).await.0, ErrorCode::Unavailable);
    assert_eq!(refused(None).await.0, ErrorCode::Unavailable, "an answer that is no answer");
}

#[tokio::test]
async fn a_lost_answer_is_made_sure_of_by_asking_again() {
    let fixture = fixture().await;
    let (campaigns, access) = campaigns(&fixture, None).await;
    fixture.meta.world().faults.push_back(Fault { call: "POST 3", after: true, error: None });
    assert!(campaigns.archive_form(&access, &choice()).await.is_err());
    assert!(campaigns.archive_form(&access, &choice()).await.is_ok());
    assert_eq!(status(&fixture), "ARCHIVED");
}

#[tokio::test]
async fn no_form_is_archived_through_a_page_of_another_org() {
    let fixture = fixture().await;
    let (campaigns, access) = campaigns(&fixture, None).await;
    let elsewhere = FormChoice { page_id: PageId::parse("8").unwrap(), ..choice() };
    let error = campaigns.archive_form(&access, &elsewhere).await.unwrap_err();
    assert_eq!((error.code(), status(&fixture).as_str()), (ErrorCode::PageUnknown, "ACTIVE"));
}
