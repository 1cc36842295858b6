//! The names of acts.

use std::borrow::Cow;

use strum::{EnumIter, EnumString, IntoStaticStr};

use crate::tr;

/// What can be done in an org. The names are part of the API and are stored: they stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[expect(missing_docs, reason = "each has words of its own")]
pub enum AuditAct {
    #[strum(serialize = "org.change")]
    OrgChange,
    #[strum(serialize = "org.select")]
    OrgSelect,
    #[strum(serialize = "org.copy")]
    OrgCopy,
    #[strum(serialize = "org.restore")]
    OrgRestore,
    #[strum(serialize = "org.remove")]
    OrgRemove,
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
    #[strum(serialize = "lead.import_undo")]
    LeadImportUndo,
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
    pub fn words(self) -> Cow<'static, str> {
        match self {
            Self::OrgChange => tr!("Changed the org's plan and settings"),
            Self::OrgSelect => tr!("Switched to this org"),
            Self::OrgCopy => tr!("Copied everything of this org into a file"),
            Self::OrgRestore => tr!("Restored this org from a copy"),
            Self::OrgRemove => tr!("Removed this org"),
            Self::UserChange => tr!("Changed a user"),
            Self::Login => tr!("Logged in"),
            Self::Logout => tr!("Signed out"),
            Self::IntegrationCreate => tr!("Created an integration"),
            Self::IntegrationConnect => tr!("Began to connect to Meta"),
            Self::IntegrationReconnect => tr!("Began to reconnect an integration"),
            Self::IntegrationChange => tr!("Changed an integration's settings"),
            Self::IntegrationPages => tr!("Chose an integration's pages"),
            Self::IntegrationToken => tr!("Replaced an integration's token"),
            Self::IntegrationDelete => tr!("Deleted an integration"),
            Self::IntegrationDisconnect => tr!("Disconnected all integrations"),
            Self::IntegrationSync => tr!("Requested a search for new leads"),
            Self::IntegrationBackfill => tr!("Requested a search for earlier leads"),
            Self::ConversionsChange => tr!("Changed what is reported to Meta"),
            Self::ConversionsTest => tr!("Sent a test event to Meta"),
            Self::AccountRefresh => tr!("Asked Meta for Instagram accounts"),
            Self::LeadChange => tr!("Changed a lead"),
            Self::LeadImport => tr!("Imported a file of leads"),
            Self::LeadImportUndo => tr!("Undid an import of leads"),
            Self::ExportCreate => tr!("Started an export of leads"),
            Self::ExportDelete => tr!("Deleted an export of leads"),
            Self::LeadReplay => tr!("Retried parked leads"),
            Self::LeadDismiss => tr!("Dismissed parked leads"),
            Self::PersonErase => tr!("Erased a person"),
            Self::FormCreate => tr!("Created a lead form"),
            Self::FormArchive => tr!("Archived a lead form"),
            Self::FormTest => tr!("Sent a test lead"),
            Self::MappingChange => tr!("Changed how a form's answers are mapped"),
            Self::MappingRerun => tr!("Mapped a form's earlier leads again"),
            Self::AdAccountLink => tr!("Linked an ad account"),
            Self::AdAccountChange => tr!("Changed an ad account"),
            Self::AdAccountUnlink => tr!("Unlinked an ad account"),
            Self::AdsSync => tr!("Requested a sync of ad accounts"),
            Self::PostCreate => tr!("Wrote a post"),
            Self::PostMove => tr!("Changed when a post is published"),
            Self::PostCancel => tr!("Cancelled a post"),
            Self::MediaCreate => tr!("Began to upload a file"),
            Self::CampaignCreate => tr!("Created a campaign"),
            Self::CampaignLaunch => tr!("Launched a campaign"),
            Self::CampaignPause => tr!("Paused a campaign"),
            Self::CampaignArchive => tr!("Archived a campaign"),
            Self::ConversationChange => tr!("Changed a conversation"),
            Self::ConversationAnswer => tr!("Answered in a conversation"),
            Self::ContactChange => tr!("Changed a contact"),
            Self::ContactErase => tr!("Erased a contact"),
            Self::SavedReplyCreate => tr!("Added a saved reply"),
            Self::SavedReplyChange => tr!("Changed a saved reply"),
            Self::SavedReplyDelete => tr!("Deleted a saved reply"),
            Self::EndpointCreate => tr!("Added an endpoint for events"),
            Self::EndpointChange => tr!("Changed an endpoint for events"),
            Self::EndpointDelete => tr!("Deleted an endpoint for events"),
            Self::EndpointRotate => tr!("Replaced the secret of an endpoint"),
            Self::EndpointTest => tr!("Sent a test to an endpoint"),
            Self::DeliveryResend => tr!("Sent an event again"),
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
        let words: BTreeSet<Cow<'static, str>> = AuditAct::iter().map(AuditAct::words).collect();
        assert_eq!((names.len(), words.len()), (AuditAct::iter().count(), AuditAct::iter().count()));
        for act in AuditAct::iter() {
            let (subject, verb) = act.name().split_once('.').unwrap();
            let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_word(subject) && is_word(verb), "{act:?}");
            assert_eq!(act.name().parse(), Ok(act));
        }
    }
}
