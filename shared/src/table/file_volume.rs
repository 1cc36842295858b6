//! How much an org's people may send in files.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use super::shape::ItemKind;
use super::{Table, TableError, if_held, keys};
use crate::ids::OrgScope;

/// How long a day's count is stored.
const VOLUME_TTL: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Table {
    /// Takes `bytes` of what the org keeps in files on the day of `now`. `false` if they are more than are left of
    /// `limit`; nothing is taken then.
    ///
    /// # Errors
    /// After an error, they may or may not be taken.
    pub async fn take_file_volume(
        &self,
        scope: &OrgScope,
        now: Timestamp,
        bytes: u64,
        limit: u64,
    ) -> Result<bool, TableError> {
        let Some(left) = limit.checked_sub(bytes) else { return Ok(false) };
        let day = keys::file_volume(scope, now.to_zoned(jiff::tz::TimeZone::UTC).date());
        let number = |number: u64| AttributeValue::N(number.to_string());
        let update = self.client.update_item().table_name(&self.name).set_key(Some(day.attributes()));
        let sent = update
            .update_expression("SET #type = :type, #ttl = :ttl ADD kept :bytes")
            .condition_expression("attribute_not_exists(kept) OR kept <= :left")
            .expression_attribute_names("#type", "type")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":type", ItemKind::FileVolume.attribute())
            .expression_attribute_values(":ttl", AttributeValue::N((now + VOLUME_TTL).as_second().to_string()))
            .expression_attribute_values(":bytes", number(bytes))
            .expression_attribute_values(":left", number(left))
            .send()
            .await;
        Ok(if_held(sent)?.is_some())
    }
}
