//! The fields of each node type: those that may be requested, whether or not a value exists.
//!
//! The lists come from the specifications Meta publishes for its SDK generator (the files in `specs/` name repository,
//! commit and path). As at Meta, a listed field without a value in this world is absent from the response.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
struct Spec {
    fields: BTreeMap<String, String>,
}

static PUBLISHED: LazyLock<BTreeMap<&str, BTreeSet<String>>> = LazyLock::new(|| {
    [
        ("Ad", include_str!("../../specs/Ad.json")),
        ("AdAccount", include_str!("../../specs/AdAccount.json")),
        ("AdCreative", include_str!("../../specs/AdCreative.json")),
        ("AdReportRun", include_str!("../../specs/AdReportRun.json")),
        ("AdSet", include_str!("../../specs/AdSet.json")),
        ("AdsPixel", include_str!("../../specs/AdsPixel.json")),
        ("AdsInsights", include_str!("../../specs/AdsInsights.json")),
        ("Business", include_str!("../../specs/Business.json")),
        ("Campaign", include_str!("../../specs/Campaign.json")),
        ("Comment", include_str!("../../specs/Comment.json")),
        ("ShadowIGComment", include_str!("../../specs/IGComment.json")),
        ("UnifiedThread", include_str!("../../specs/UnifiedThread.json")),
        ("WhatsAppBusinessAccount", include_str!("../../specs/WhatsAppBusinessAccount.json")),
        ("PagePost", include_str!("../../specs/PagePost.json")),
        ("Photo", include_str!("../../specs/Photo.json")),
        ("ShadowIGMedia", include_str!("../../specs/IGMedia.json")),
        ("ShadowIGMediaBuilder", include_str!("../../specs/IGContainer.json")),
        ("ShadowIGUser", include_str!("../../specs/IGUser.json")),
        ("Video", include_str!("../../specs/Video.json")),
        ("Lead", include_str!("../../specs/Lead.json")),
        ("LeadgenForm", include_str!("../../specs/LeadgenForm.json")),
        ("Page", include_str!("../../specs/Page.json")),
    ]
    .into_iter()
    .map(|(name, text)| {
        let fields = serde_json::from_str::<Spec>(text).map(|spec| spec.fields).unwrap_or_default();
        (name, fields.into_keys().collect())
    })
    .collect()
});

/// Fields missing from the published lists: those of pages that are edges there, and those of node types without a
/// list.
const FURTHER: &[(&str, &[&str])] = &[
    ("Page", &["tasks", "perms", "picture"]),
    (
        "Message",
        &[
            "id",
            "created_time",
            "from",
            "to",
            "message",
            "attachments",
            "shares",
            "story",
            "reactions",
            "sticker",
            "tags",
            "is_unsupported",
            "reply_to",
        ],
    ),
    (
        "Profile",
        &[
            "id",
            "name",
            "first_name",
            "last_name",
            "profile_pic",
            "locale",
            "timezone",
            "gender",
            "username",
            "follower_count",
            "is_verified_user",
            "is_user_follow_business",
            "is_business_follow_user",
        ],
    ),
    ("Reaction", &["id", "name", "type", "pic", "username", "link"]),
    (
        "WhatsAppBusinessPhoneNumber",
        &[
            "id",
            "display_phone_number",
            "verified_name",
            "quality_rating",
            "status",
            "code_verification_status",
            "name_status",
            "platform_type",
            "throughput",
            "messaging_limit_tier",
            "is_official_business_account",
            "webhook_configuration",
        ],
    ),
    ("WhatsAppMedia", &["id", "url", "mime_type", "sha256", "file_size", "messaging_product"]),
    (
        "WhatsAppBusinessHSM",
        &[
            "id",
            "name",
            "language",
            "category",
            "status",
            "components",
            "quality_score",
            "rejected_reason",
            "parameter_format",
            "previous_category",
            "sub_category",
            "message_send_ttl_seconds",
        ],
    ),
    (
        "User",
        &[
            "id",
            "name",
            "email",
            "first_name",
            "last_name",
            "middle_name",
            "name_format",
            "short_name",
            "picture",
            "birthday",
            "gender",
            "hometown",
            "link",
            "location",
            "locale",
            "timezone",
            "token_for_business",
            "client_business_id",
            "age_range",
            "is_guest_user",
            "supports_donate_button_in_live_video",
        ],
    ),
    (
        "SystemUser",
        &["id", "name", "client_business_id", "created_by", "created_time", "finance_permission", "ip_permission"],
    ),
    ("AdLabel", &["id", "name", "account", "created_time", "updated_time"]),
    (
        "AdImage",
        &[
            "id",
            "account_id",
            "created_time",
            "creatives",
            "hash",
            "height",
            "is_associated_creatives_in_adgroups",
            "name",
            "original_height",
            "original_width",
            "owner_business",
            "permalink_url",
            "status",
            "updated_time",
            "url",
            "url_128",
            "width",
        ],
    ),
    ("Application", &["id", "name", "category", "link", "namespace", "company", "description", "icon_url", "logo_url"]),
];

/// Returns whether nodes of `node_type` have `field`.
pub(crate) fn has_field(node_type: &str, field: &str) -> bool {
    PUBLISHED.get(node_type).is_some_and(|fields| fields.contains(field))
        || FURTHER.iter().any(|(name, fields)| *name == node_type && fields.contains(&field))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_published_lists_are_readable() {
        assert!(super::has_field("Lead", "field_data"));
        assert!(super::has_field("LeadgenForm", "questions"));
        assert!(super::has_field("Page", "access_token"));
        assert!(super::has_field("Business", "verification_status"));
        assert!(super::has_field("AdAccount", "account_status"));
        assert!(super::has_field("Campaign", "bid_strategy") && super::has_field("AdSet", "targeting"));
        assert!(super::has_field("Ad", "creative") && super::has_field("AdCreative", "asset_feed_spec"));
        assert!(super::has_field("AdsInsights", "spend") && super::has_field("AdReportRun", "async_status"));
        assert!(super::has_field("PagePost", "permalink_url") && super::has_field("Photo", "page_story_id"));
        assert!(super::has_field("Video", "post_id") && super::has_field("ShadowIGUser", "username"));
        assert!(super::has_field("ShadowIGMedia", "caption"));
        assert!(super::has_field("ShadowIGMediaBuilder", "status_code"));
        assert!(!super::has_field("Page", "owned_pages"));
    }
}
