//! The names of acts.

use strum::{EnumIter, EnumString, IntoStaticStr};

/// What can be done in an org. The names are part of the API and are stored: they stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[expect(missing_docs, reason = "each has words of its own")]
pub enum AuditAct {
    #[strum(serialize = "org.change")]
    OrgChange,
    #[strum(serialize = "org.select")]
    OrgSelect,
    #[strum(serialize = "user.change")]
    UserChange,
    #[strum(serialize = "session.login")]
    Login,
    #[strum(serialize = "session.logout")]
    Logout,
    #[strum(serialize = "integration.create")]
    IntegrationCreate,
    #[strum(serialize = "integration.connect")]
    IntegrationConnect,
    #[strum(serialize = "integration.reconnect")]
    IntegrationReconnect,
    #[strum(serialize = "integration.change")]
    IntegrationChange,
    #[strum(serialize = "integration.pages")]
    IntegrationPages,
    #[strum(serialize = "integration.token")]
    IntegrationToken,
    #[strum(serialize = "integration.delete")]
    IntegrationDelete,
    #[strum(serialize = "integration.disconnect")]
    IntegrationDisconnect,
    #[strum(serialize = "integration.sync")]
    IntegrationSync,
    #[strum(serialize = "integration.backfill")]
    IntegrationBackfill,
    #[strum(serialize = "conversions.change")]
    ConversionsChange,
    #[strum(serialize = "conversions.test")]
    ConversionsTest,
    #[strum(serialize = "account.refresh")]
    AccountRefresh,
    #[strum(serialize = "lead.change")]
    LeadChange,
    #[strum(serialize = "lead.import")]
    LeadImport,
    #[strum(serialize = "export.create")]
    ExportCreate,
    #[strum(serialize = "export.delete")]
    ExportDelete,
    #[strum(serialize = "lead.replay")]
    LeadReplay,
    #[strum(serialize = "lead.dismiss")]
    LeadDismiss,
    #[strum(serialize = "person.erase")]
    PersonErase,
    #[strum(serialize = "form.create")]
    FormCreate,
    #[strum(serialize = "form.archive")]
    FormArchive,
    #[strum(serialize = "form.test")]
    FormTest,
    #[strum(serialize = "mapping.change")]
    MappingChange,
    #[strum(serialize = "mapping.rerun")]
    MappingRerun,
    #[strum(serialize = "ad_account.link")]
    AdAccountLink,
    #[strum(serialize = "ad_account.change")]
    AdAccountChange,
    #[strum(serialize = "ad_account.unlink")]
    AdAccountUnlink,
    #[strum(serialize = "ads.sync")]
    AdsSync,
    #[strum(serialize = "post.create")]
    PostCreate,
    #[strum(serialize = "post.move")]
    PostMove,
    #[strum(serialize = "post.cancel")]
    PostCancel,
    #[strum(serialize = "media.create")]
    MediaCreate,
    #[strum(serialize = "campaign.create")]
    CampaignCreate,
    #[strum(serialize = "campaign.launch")]
    CampaignLaunch,
    #[strum(serialize = "campaign.pause")]
    CampaignPause,
    #[strum(serialize = "campaign.archive")]
    CampaignArchive,
    #[strum(serialize = "conversation.change")]
    ConversationChange,
    #[strum(serialize = "conversation.answer")]
    ConversationAnswer,
    #[strum(serialize = "contact.change")]
    ContactChange,
    #[strum(serialize = "contact.erase")]
    ContactErase,
    #[strum(serialize = "saved_reply.create")]
    SavedReplyCreate,
    #[strum(serialize = "saved_reply.change")]
    SavedReplyChange,
    #[strum(serialize = "saved_reply.delete")]
    SavedReplyDelete,
    #[strum(serialize = "endpoint.create")]
    EndpointCreate,
    #[strum(serialize = "endpoint.change")]
    EndpointChange,
    #[strum(serialize = "endpoint.delete")]
    EndpointDelete,
    #[strum(serialize = "endpoint.rotate")]
    EndpointRotate,
    #[strum(serialize = "endpoint.test")]
    EndpointTest,
    #[strum(serialize = "delivery.resend")]
    DeliveryResend,
}

impl AuditAct {
    /// The name, such as `lead.change`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What was done, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::OrgChange => "Changed the org's plan and settings",
            Self::OrgSelect => "Chose this org to act for",
            Self::UserChange => "Changed a user",
            Self::Login => "Logged in",
            Self::Logout => "Signed out",
            Self::IntegrationCreate => "Created an integration",
            Self::IntegrationConnect => "Began to connect to Meta",
            Self::IntegrationReconnect => "Began to connect an integration again",
            Self::IntegrationChange => "Changed an integration's settings",
            Self::IntegrationPages => "Chose an integration's pages",
            Self::IntegrationToken => "Replaced an integration's token",
            Self::IntegrationDelete => "Deleted an integration",
            Self::IntegrationDisconnect => "Disconnected all integrations",
            Self::IntegrationSync => "Requested a search for new leads",
            Self::IntegrationBackfill => "Requested a search for earlier leads",
            Self::ConversionsChange => "Changed what is reported to Meta",
            Self::ConversionsTest => "Sent a test event to Meta",
            Self::AccountRefresh => "Asked Meta for Instagram accounts",
            Self::LeadChange => "Changed a lead",
            Self::LeadImport => "Imported a file of leads",
            Self::ExportCreate => "Started an export of leads",
            Self::ExportDelete => "Deleted an export of leads",
            Self::LeadReplay => "Tried parked leads again",
            Self::LeadDismiss => "Dismissed parked leads",
            Self::PersonErase => "Erased a person",
            Self::FormCreate => "Created a lead form",
            Self::FormArchive => "Archived a lead form",
            Self::FormTest => "Sent a test lead",
            Self::MappingChange => "Changed how a form's answers are mapped",
            Self::MappingRerun => "Mapped a form's earlier leads again",
            Self::AdAccountLink => "Linked an ad account",
            Self::AdAccountChange => "Changed an ad account",
            Self::AdAccountUnlink => "Unlinked an ad account",
            Self::AdsSync => "Requested a sync of ad accounts",
            Self::PostCreate => "Wrote a post",
            Self::PostMove => "Changed when a post is published",
            Self::PostCancel => "Cancelled a post",
            Self::MediaCreate => "Began to upload a file",
            Self::CampaignCreate => "Created a campaign",
            Self::CampaignLaunch => "Launched a campaign",
            Self::CampaignPause => "Paused a campaign",
            Self::CampaignArchive => "Archived a campaign",
            Self::ConversationChange => "Changed a conversation",
            Self::ConversationAnswer => "Answered in a conversation",
            Self::ContactChange => "Changed a contact",
            Self::ContactErase => "Erased a contact",
            Self::SavedReplyCreate => "Added a saved reply",
            Self::SavedReplyChange => "Changed a saved reply",
            Self::SavedReplyDelete => "Deleted a saved reply",
            Self::EndpointCreate => "Added an endpoint for events",
            Self::EndpointChange => "Changed an endpoint for events",
            Self::EndpointDelete => "Deleted an endpoint for events",
            Self::EndpointRotate => "Replaced the secret of an endpoint",
            Self::EndpointTest => "Sent a test to an endpoint",
            Self::DeliveryResend => "Sent an event again",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn every_act_has_a_name_and_words_of_its_own() {
        let names: BTreeSet<&str> = AuditAct::iter().map(AuditAct::name).collect();
        let words: BTreeSet<&str> = AuditAct::iter().map(AuditAct::words).collect();
        assert_eq!((names.len(), words.len()), (AuditAct::iter().count(), AuditAct::iter().count()));
        for act in AuditAct::iter() {
            let (subject, verb) = act.name().split_once('.').unwrap();
            let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_word(subject) && is_word(verb), "{act:?}");
            assert_eq!(act.name().parse(), Ok(act));
        }
    }
}
