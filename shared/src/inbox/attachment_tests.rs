//! Files of messages are copied once, and a file that cannot be had says why.

use super::attachments::AttachmentKeeper;
use super::tests::{World, at, event, new};
use crate::files::Files;
use crate::jobs::AttachmentJob;
use crate::model::inbox::event::{InboxEventKind, NewAttachment};
use crate::model::inbox::people::message_id;
use crate::model::inbox::{Attachment, AttachmentStatus, Channel};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

impl World {
    /// Takes a message with a file that Meta has under this name. Returns the job that copies it.
    async fn with_file(&self, mid: &str, name: &str) -> AttachmentJob {
        let file = NewAttachment {
            r#type: "image".to_owned(),
            url: Some(format!("{}/files/{name}", self.fixture.endpoint)),
            media_id: None,
            name: None,
            is_file: true,
        };
        let message = InboxEventKind::Message(Box::new(crate::model::inbox::event::NewMessage {
            attachments: vec![file],
            ..new(mid, "p", "See", 1)
        }));
        self.take(&event(Channel::Messenger, message)).await;
        AttachmentJob { org: self.owner.scope.org().clone(), message: message_id(Channel::Messenger, mid), position: 0 }
    }

    /// Takes a message with such a file, and copies it. Returns what is known of the file.
    async fn copy(&self, mid: &str, name: &str) -> Attachment {
        let job = self.with_file(mid, name).await;
        let publisher = &self.fixture.publisher;
        let keeper = AttachmentKeeper::new(publisher.meta.clone(), publisher.table.clone(), publisher.files.clone());
        let keeper = keeper.unwrap();
        for _ in 0..2 {
            keeper.copy(&job, false, at(0)).await.unwrap();
        }
        let state = self.message(Channel::Messenger, mid).await.unwrap();
        state.content.unwrap().attachments.remove(0)
    }

    fn kept(&self) -> usize {
        self.fixture.meta.world().files.keys().filter(|key| key.starts_with("attachments/")).count()
    }
}

#[tokio::test]
async fn a_file_is_kept_as_what_its_content_says() {
    let world = World::new().await;
    world.fixture.meta.world().files.insert("page.html".to_owned(), PNG.to_vec());
    let kept = world.copy("m1", "page.html").await;
    assert_eq!((kept.status, kept.content_type.as_deref()), (AttachmentStatus::Ready, Some("image/png")));
    world.fixture.meta.world().files.insert("picture.png".to_owned(), b"<html><script>".to_vec());
    let kept = world.copy("m2", "picture.png").await;
    assert!(kept.content_type.as_deref() != Some("image/png"), "{kept:?}");
    assert_eq!(world.kept(), 2);
}

#[tokio::test]
async fn only_what_meta_does_not_hand_out_is_given_up() {
    let world = World::new().await;
    world.fixture.meta.world().files.insert("one.png".to_owned(), PNG.to_vec());
    let job = world.with_file("m1", "one.png").await;
    let (publisher, table) = (&world.fixture.publisher, &world.engagement.table);
    let keeper = |files: Files| AttachmentKeeper::new(publisher.meta.clone(), table.clone(), files).unwrap();
    let status =
        async || world.message(Channel::Messenger, "m1").await.unwrap().content.unwrap().attachments.remove(0).status;
    // The bucket is away for longer than a file is asked for.
    let no_bucket = Files::new(&crate::aws::fake("http://127.0.0.1:1"), "gone".to_owned());
    assert!(keeper(no_bucket).copy(&job, true, at(0)).await.is_err());
    assert_eq!(status().await, AttachmentStatus::Coming);
    keeper(publisher.files.clone()).copy(&job, true, at(0)).await.unwrap();
    assert_eq!(status().await, AttachmentStatus::Ready);
}

#[tokio::test]
async fn what_cannot_be_kept_says_why_and_costs_the_message_nothing() {
    let world = World::new().await;
    let gone = world.copy("m1", "gone.png").await;
    assert_eq!(gone.reason.as_deref(), Some("Meta no longer has the file."));
    world.fixture.meta.world().files.insert("huge.png".to_owned(), vec![1; 30_000_001]);
    assert_eq!(world.copy("m2", "huge.png").await.reason.as_deref(), Some("The file is larger than 30 MB."));
    // Other people's files have used up the day.
    let (table, scope) = (&world.engagement.table, &world.owner.scope);
    assert!(table.take_file_volume(scope, at(0), 5_000_000_000 - 5, 5_000_000_000).await.unwrap());
    world.fixture.meta.world().files.insert("small.png".to_owned(), PNG.to_vec());
    let refused = world.copy("m3", "small.png").await;
    assert_eq!(refused.status, AttachmentStatus::Unavailable);
    assert_eq!(refused.reason.as_deref(), Some("The org's files have reached the daily limit of 5 GB."));
    assert_eq!((world.kept(), world.conversations().await[0].1.len()), (0, 3));
    // The next day has room again.
    assert!(table.take_file_volume(scope, at(90_000), 5, 5_000_000_000).await.unwrap());
}
