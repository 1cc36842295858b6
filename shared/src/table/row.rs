//! How an entity becomes an item.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use super::keys::{IndexKey, Key, LeadLists, ListKey, UnreadKey};
use super::shape::{ItemKind, SHAPE, SHAPES, StoredShapes};
use super::{Item, TableError};

/// An entity with its envelope: the attributes that the table itself needs.
pub(super) struct Row<'a, E> {
    envelope: Envelope<'a>,
    body: &'a E,
}

#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(flatten)]
    key: &'a Key,
    #[serde(flatten)]
    index: Option<IndexKey>,
    #[serde(flatten)]
    lists: Option<LeadLists>,
    #[serde(flatten)]
    list: Option<ListKey>,
    #[serde(flatten)]
    unread: Option<UnreadKey>,
    r#type: ItemKind,
    ttl: Option<i64>,
}

/// The attributes of an entity.
///
/// # Errors
/// Fails for a field with a name of the envelope, which would be overwritten.
pub(super) fn attributes(entity: &impl Serialize) -> Result<Item, TableError> {
    let item: Item = serde_dynamo::to_item(entity)?;
    let is_index =
        |name: &str| name.strip_prefix("gsi").is_some_and(|rest| rest.ends_with("pk") || rest.ends_with("sk"));
    let is_reserved = |name: &str| ["pk", "sk", "type", "ttl", SHAPE].contains(&name) || is_index(name);
    let reserved = item.keys().find(|name| is_reserved(name));
    match reserved {
        Some(name) => {
            let text = format!("the entity has a field {name}, which the envelope owns");
            Err(<serde_dynamo::Error as serde::ser::Error>::custom(text).into())
        }
        None => Ok(item),
    }
}

impl<'a, E: Serialize> Row<'a, E> {
    pub(super) fn new(key: &'a Key, r#type: ItemKind, body: &'a E) -> Self {
        let envelope = Envelope { key, index: None, lists: None, list: None, unread: None, r#type, ttl: None };
        Self { envelope, body }
    }

    pub(super) fn indexed(mut self, index: IndexKey) -> Self {
        self.envelope.index = Some(index);
        self
    }

    pub(super) fn in_lists(mut self, lists: LeadLists) -> Self {
        self.envelope.lists = Some(lists);
        self
    }

    pub(super) fn in_list(mut self, list: ListKey) -> Self {
        self.envelope.list = Some(list);
        self
    }

    /// Counts it as unread if there is a key.
    pub(super) fn unread(mut self, unread: Option<UnreadKey>) -> Self {
        self.envelope.unread = unread;
        self
    }

    /// Lets DynamoDB delete the item some time after `seconds` since 1970. Until then it can still be read.
    pub(super) fn ttl(mut self, seconds: i64) -> Self {
        self.envelope.ttl = Some(seconds);
        self
    }

    /// Builds the item. Absent values are omitted, because every stored attribute costs money.
    pub(super) fn item(&self) -> Result<Item, TableError> {
        self.item_in(SHAPES)
    }

    /// Like [`Row::item`], in the newest of these shapes.
    pub(super) fn item_in(&self, shapes: StoredShapes) -> Result<Item, TableError> {
        let mut item = attributes(self.body)?;
        item.extend(serde_dynamo::to_item::<_, Item>(&self.envelope)?);
        if let Some(shape) = shapes.current(self.envelope.r#type) {
            item.insert(SHAPE.to_owned(), AttributeValue::N(shape.to_string()));
        }
        item.retain(|_, value| !value.is_null());
        Ok(item)
    }
}
