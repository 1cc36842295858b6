//! How each operation can fail: the codes of the API's description. The stories check every answer against them.

use leadwire::error::ErrorCode as E;
use leadwire::http::ProblemCode as P;
use leadwire::model::ads::sync_problem::SyncProblemCode;
use serde_json::Value;
use strum::IntoEnumIterator;

/// Of every operation.
const ALWAYS: [P; 8] = [
    P::TokenMissing,
    P::TokenInvalid,
    P::TokenKeysUnavailable,
    P::PathInvalid,
    P::TookTooLong,
    P::Act(E::UserInactive),
    P::Act(E::Unavailable),
    P::Act(E::TooManyRequests),
];
/// Of those for the org of the header.
const OF_ORG: [E; 3] = [E::OrgRequired, E::OrgNotAllowed, E::RoleNotAllowed];
/// Of those that name something in the path.
const OF_PATH: [P; 3] = [P::IdInvalid, P::NoSuchRoute, P::Act(E::NotFound)];
/// Of those with parameters.
const OF_PARAMETERS: [P; 3] = [P::QueryInvalid, P::ParameterUnknown, P::ParameterRepeated];
/// Of those with a body.
const OF_BODY: [P; 2] = [P::BodyInvalid, P::FieldInvalid];

/// The operations on what every org has. The others need Meta in its plan.
const WITHOUT_META: [&str; 16] = [
    "changeLead",
    "deleteExport",
    "erasePerson",
    "listAudit",
    "listExports",
    "listLeads",
    "listReceipts",
    "listUsers",
    "putOrg",
    "putUser",
    "readExport",
    "readLatency",
    "readLead",
    "readOrg",
    "readTrace",
    "startExport",
];

/// What a parameter can be refused for.
fn of_parameter(name: &str) -> &'static [P] {
    match name {
        "limit" => &[P::LimitInvalid],
        "cursor" => &[P::Act(E::CursorInvalid)],
        "q" => &[P::Act(E::SearchInvalid)],
        "group_by" => &[P::Act(E::GroupByInvalid)],
        "format" => &[P::FormatInvalid],
        "channel" => &[P::ChannelUnknown],
        "status" | "state" => &[P::StatusUnknown],
        "source" | "tag" | "act" | "dry_run" | "assign" | "from_line" => &[P::ParameterInvalid],
        "restated_since" => &[P::TimeInvalid],
        "from" | "to" => &[P::TimeInvalid, P::DayInvalid, P::Act(E::RangeEmpty), P::Act(E::RangeInvalid)],
        "since" | "until" => &[P::DayInvalid, P::Act(E::RangeEmpty), P::Act(E::RangeTooLong)],
        _ => &[P::IdInvalid],
    }
}

/// Of those that ask or tell Meta something with the token of an integration.
const META: &[E] = &[
    E::NotFound,
    E::ConnectionExpired,
    E::TokenUnreadable,
    E::PermissionMissing,
    E::MetaRefused,
    E::MetaThrottled,
    E::MetaUnavailable,
];
/// Of those that do something once for each id of a request.
const ONCE: &[E] = &[E::LengthInvalid, E::RequestReused];
const SETTINGS: &[E] = &[E::NameInvalid, E::DescriptionInvalid, E::UserUnknown];
const LOGIN: &[E] = &[E::ReturnUrlNotAllowed, E::ScopeInvalid, E::LengthInvalid, E::IntegrationBusy, E::NotFound];
const SYSTEM_USER: &[E] = &[E::NoPages, E::TokenKind, E::TokenNotValid, E::IntegrationBusy];
const POST: &[E] = &[
    E::AddressNotAllowed,
    E::ContentMissing,
    E::FieldsConflict,
    E::InstagramAccountUnknown,
    E::ListInvalid,
    E::MediaInvalid,
    E::PageUnknown,
    E::TargetMissing,
    E::TextTooLong,
    E::TimeNotAllowed,
];
const AD_ACCOUNT: &[E] = &[E::NameInvalid, E::ConversionsInvalid, E::TokenAmbiguous, E::TokenRequired];
const CAMPAIGN: &[E] = &[E::CampaignNotReady, E::SpendLimitReached];
const ENDPOINT: &[E] = &[E::AddressNotAllowed, E::EventsInvalid, E::LengthInvalid];

/// What else an operation can be refused for.
fn of_operation(id: &str) -> &'static [&'static [E]] {
    match id {
        "answer" => &[
            META,
            ONCE,
            &[E::AddressNotAllowed, E::ContentMissing, E::FieldsConflict, E::TextTooLong],
            &[E::ReplyNotPossible, E::WindowClosed],
        ],
        "archiveCampaign" | "launchCampaign" | "pauseCampaign" => &[META, ONCE, CAMPAIGN],
        "archiveLeadForm" => &[META, ONCE, &[E::FormInvalid, E::PageUnknown]],
        "backfillIntegration" => &[META, &[E::BackfillRunning, E::DaysInvalid]],
        "cancelPost" => &[META, &[E::PostFailed, E::PostInProgress, E::PostPublished]],
        "changeAdAccount" | "linkAdAccount" => &[META, AD_ACCOUNT, &[E::AdAccountIdInvalid, E::AdAccountLinked]],
        "changeContact" => &[&[E::ContactUnknown, E::LeadUnknown, E::LengthInvalid]],
        "changeConversation" => &[&[E::FieldsConflict, E::TimeNotAllowed, E::UserUnknown]],
        "changeConversions" => &[META, &[E::DatasetUnknown, E::EventsInvalid, E::LengthInvalid]],
        "changeEndpoint" => &[ENDPOINT],
        "changeIntegration" => &[SETTINGS],
        "changeLead" => &[&[E::CurrencyInvalid, E::LengthInvalid, E::UserUnknown, E::ValueInvalid]],
        "changeMapping" => &[&[E::CountryInvalid, E::MappingChanged, E::RuleInvalid]],
        "changeSavedReply" | "createSavedReply" => &[&[E::LengthInvalid, E::LimitReached]],
        "chooseIntegrationPages" => &[META, &[E::IntegrationBusy, E::PageNotOffered, E::PagesMissing]],
        "createCampaign" => &[
            META,
            ONCE,
            &[E::AdAccountNotActive, E::AdAccountUnknown, E::CampaignInvalid, E::FormInvalid],
            &[E::InstagramAccountUnknown, E::MediaInvalid, E::PageUnknown, E::SpendLimitReached, E::TermsNotAccepted],
        ],
        "createEndpoint" => &[ENDPOINT, &[E::LimitReached]],
        "createIntegration" => &[META, SETTINGS, SYSTEM_USER],
        "createLeadForm" => &[META, ONCE, &[E::FormInvalid, E::PageUnknown, E::TermsNotAccepted]],
        "deleteIntegration" | "disconnectOrg" => &[&[E::IntegrationBusy]],
        "erasePerson" => &[&[E::EmailInvalid, E::FieldsConflict, E::NotFound, E::PhoneInvalid]],
        "getAuthUrl" => &[LOGIN, SETTINGS],
        "importLeads" => &[&[E::FileInvalid, E::FileTooLarge, E::MetaUnavailable]],
        "listAdAccountNames" | "listBusinessNames" | "listPageNames" => &[META],
        "listAvailableAdAccounts" | "listBusinesses" | "listDatasets" | "readHealth" => &[META],
        "listTemplates" => &[META, &[E::ReplyNotPossible]],
        "movePost" => &[&[E::PostFailed, E::PostInProgress, E::PostPublished, E::TimeNotAllowed]],
        "postToInstagram" | "postToPage" | "writePosts" => &[META, ONCE, POST],
        "previewMapping" => &[META, &[E::CountryInvalid, E::LeadUnknown, E::NoLead, E::RuleInvalid]],
        "putOrg" => &[
            &[E::CountryInvalid, E::DaysInvalid, E::LengthInvalid, E::ListInvalid, E::NameInvalid, E::RangeInvalid],
            &[E::SuperadminOnly],
        ],
        "putUser" => {
            &[&[E::EmailInvalid, E::LanguageInvalid, E::LengthInvalid, E::LimitReached, E::ListInvalid, E::NameInvalid]]
        }
        "listAccountInsights" | "readReport" => &[&[E::NotFound, E::TooManyRows]],
        "undoImport" => &[&[E::ImportRunning]],
        "readOutcomes" => &[&[E::NotFound, E::TooManyRows, E::TimezoneInvalid]],
        "listConversations" => &[&[E::NotFound]],
        "listAds" | "listAdInsights" | "listAdSets" | "listCampaigns" | "readSyncStatus" => &[&[E::NotFound]],
        "reconnectIntegration" => &[LOGIN],
        "replaceToken" => &[META, SYSTEM_USER, &[E::OtherAccount]],
        "dismissParked" => &[&[E::ListInvalid, E::IdInvalid]],
        "replayParked" => &[&[E::IdInvalid]],
        "rerunMapping" => &[&[E::CursorInvalid]],
        "resendDelivery" => &[&[E::ContentErased, E::EndpointInactive]],
        "rotateSecret" => &[&[E::LimitReached]],
        "sendTestEvent" => &[META, &[E::DatasetUnknown, E::LengthInvalid]],
        "sendTestLead" | "syncIntegration" => &[META],
        "startExport" => &[&[E::LimitReached, E::RangeEmpty, E::SearchInvalid]],
        "syncAds" => &[&[E::AdAccountPaused, E::DaysInvalid, E::NoAdAccounts, E::NotFound]],
        "testEndpoint" => &[&[E::EndpointInactive]],
        "uploadMedia" => &[&[E::MediaInvalid]],
        _ => &[],
    }
}

/// Returns the codes of an operation of the description.
pub(crate) fn codes(operation: &Value) -> Vec<P> {
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
    let mut codes = ALWAYS.to_vec();
    let mut act = |acts: &[E]| codes.extend(acts.iter().copied().map(P::Act));
    of_operation(id).iter().for_each(|group| act(group));
    if !WITHOUT_META.contains(&id) {
        act(&[E::MetaNotInPlan]);
    }
    if matches!(id, "changeAdAccount" | "linkAdAccount") {
        SyncProblemCode::iter().for_each(|code| act(&[E::AdAccount(code)]));
    }
    if id == "startExport" {
        codes.extend([P::TimeInvalid, P::ParameterInvalid]);
    }
    let mut has_parameters = false;
    for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
        match parameter.get("in").and_then(Value::as_str) {
            Some("path") => codes.extend(OF_PATH),
            Some("header") if name == leadwire::auth::ORG_HEADER => codes.extend(OF_ORG.map(P::Act)),
            Some("query") => {
                has_parameters = true;
                codes.extend(of_parameter(name));
            }
            _ => {}
        }
    }
    if has_parameters {
        codes.extend(OF_PARAMETERS);
    }
    let body = operation.pointer("/requestBody/content");
    match body.map(|content| content.get("application/json").is_some()) {
        Some(true) => codes.extend(OF_BODY),
        Some(false) => codes.extend([P::FileExpected, P::FileInvalid]),
        None => {}
    }
    codes
}
