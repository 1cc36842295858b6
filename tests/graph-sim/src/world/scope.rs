//! The permissions that the login dialog offers, and which of them concern pages.

/// Name and description in the dialog.
pub(crate) const SCOPES: &[(&str, &str)] = &[
    ("public_profile", "See your name and profile picture"),
    ("email", "See your email address"),
    ("pages_show_list", "See a list of the Pages you manage"),
    ("pages_read_engagement", "Read content posted on the Page"),
    ("pages_read_user_content", "Read what people post on your Pages"),
    ("pages_manage_metadata", "Manage settings and webhooks of your Pages"),
    ("pages_manage_posts", "Create and manage content on your Pages"),
    ("publish_video", "Publish videos on your Pages"),
    ("pages_manage_engagement", "Manage comments on your Pages"),
    ("pages_manage_ads", "Manage ads and lead forms of your Pages"),
    ("pages_messaging", "Manage conversations of your Pages"),
    ("leads_retrieval", "Read the leads of your Pages"),
    ("ads_read", "Read your ads and their numbers"),
    ("ads_management", "Manage your ads"),
    ("business_management", "Manage your business portfolios"),
    ("read_insights", "Read the insights of your Pages"),
    ("instagram_basic", "See the Instagram accounts of your Pages"),
    ("instagram_content_publish", "Publish on the Instagram accounts of your Pages"),
    ("instagram_manage_contents", "Delete content of your Instagram accounts"),
    ("instagram_manage_comments", "Manage comments of your Instagram accounts"),
    ("instagram_manage_messages", "Manage messages of your Instagram accounts"),
    ("instagram_manage_insights", "Read the insights of your Instagram accounts"),
    ("whatsapp_business_management", "Manage your WhatsApp accounts"),
    ("whatsapp_business_messaging", "Send WhatsApp messages"),
    ("catalog_management", "Manage your catalogs"),
];

pub(crate) fn is_known(scope: &str) -> bool {
    SCOPES.iter().any(|(name, _)| *name == scope)
}

pub(crate) fn description(scope: &str) -> &'static str {
    SCOPES.iter().find(|(name, _)| *name == scope).map_or("", |(_, text)| *text)
}

/// Whether consent to a permission names pages. Such permissions appear in `granular_scopes`.
pub(crate) fn is_about_pages(scope: &str) -> bool {
    scope.starts_with("pages_") || scope == "leads_retrieval"
}

/// Whether consent to a permission names Instagram accounts, through their pages.
pub(crate) fn is_about_instagram(scope: &str) -> bool {
    scope.starts_with("instagram_")
}
