//! Partial updates: set some attributes of an item and leave the others alone. Concurrent writes to different
//! attributes are both preserved.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem, Update};
use serde::Serialize;

use super::keys::{IndexKey, Key};
use super::row::attributes;
use super::shape::ItemKind;
use super::{Table, TableError, if_held};
use crate::aws::AwsError;

/// A change under construction. [`ItemUpdate::send`] executes it.
pub(super) struct ItemUpdate {
    request: UpdateItemFluentBuilder,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    names: usize,
}

impl Table {
    /// Starts a change of the item at `key`. Without a condition, it creates a missing item.
    pub(super) fn change(&self, key: &Key) -> ItemUpdate {
        ItemUpdate {
            request: self.client.update_item().table_name(&self.name).set_key(Some(key.attributes())),
            sets: Vec::new(),
            removes: Vec::new(),
            conditions: Vec::new(),
            names: 0,
        }
    }
}

impl ItemUpdate {
    /// Says what the item is, for one that the change may create.
    pub(super) fn kind(self, kind: ItemKind) -> Self {
        self.put("type", kind.attribute(), false)
    }

    /// Sets one attribute. A value that serializes to null removes it.
    pub(super) fn set(self, name: &str, value: &impl Serialize) -> Result<Self, TableError> {
        Ok(self.put(name, serde_dynamo::to_attribute_value(value)?, false))
    }

    /// Sets every attribute of an entity. Those named in `preserved` keep their stored value, if they have one.
    pub(super) fn set_all(mut self, entity: &impl Serialize, preserved: &[&str]) -> Result<Self, TableError> {
        for (name, value) in attributes(entity)? {
            let preserved = preserved.contains(&name.as_str());
            if !(preserved && value.is_null()) {
                self = self.put(&name, value, preserved);
            }
        }
        Ok(self)
    }

    /// Adds the item to the index, or removes it with `None`.
    pub(super) fn index(self, index: Option<IndexKey>) -> Self {
        let (pk, sk) = index.map_or((None, None), |index| (Some(index.gsi1pk), Some(index.gsi1sk)));
        let value = |text: Option<String>| text.map_or(AttributeValue::Null(true), AttributeValue::S);
        self.put("gsi1pk", value(pk), false).put("gsi1sk", value(sk), false)
    }

    /// Requires that the item exists.
    pub(super) fn if_exists(mut self) -> Self {
        self.conditions.push("attribute_exists(pk)".to_owned());
        self
    }

    /// Requires that an attribute still has the value that was seen. An absent one must still be absent.
    pub(super) fn if_unchanged(mut self, name: &str, seen: &impl Serialize) -> Result<Self, TableError> {
        let (name_ref, value_ref) = self.placeholders(name);
        let seen: AttributeValue = serde_dynamo::to_attribute_value(seen)?;
        if seen.is_null() {
            self.conditions.push(format!("attribute_not_exists({name_ref})"));
        } else {
            self.request = self.request.expression_attribute_values(&value_ref, seen);
            self.conditions.push(format!("{name_ref} = {value_ref}"));
        }
        Ok(self)
    }

    /// Requires that an attribute does not have a value. An absent one does not have it.
    pub(super) fn if_not(mut self, name: &str, value: &impl Serialize) -> Result<Self, TableError> {
        let (name_ref, value_ref) = self.placeholders(name);
        self.request = self.request.expression_attribute_values(&value_ref, serde_dynamo::to_attribute_value(value)?);
        self.conditions.push(format!("(attribute_not_exists({name_ref}) OR {name_ref} <> {value_ref})"));
        Ok(self)
    }

    fn finish(self) -> UpdateItemFluentBuilder {
        let clause = |keyword: &str, parts: &[String]| {
            if parts.is_empty() { String::new() } else { format!("{keyword} {} ", parts.join(", ")) }
        };
        let expression = clause("SET", &self.sets) + &clause("REMOVE", &self.removes);
        let conditions = (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "));
        self.request.update_expression(expression.trim()).set_condition_expression(conditions)
    }

    /// Makes it a part of a transaction, which fails if a condition does not hold.
    pub(super) fn into_write(self) -> Result<TransactWriteItem, TableError> {
        let broken = |error| TableError::Failed(AwsError::new(error));
        let input = self.finish().as_input().clone().build().map_err(broken)?;
        let update = Update::builder()
            .set_table_name(input.table_name)
            .set_key(input.key)
            .set_update_expression(input.update_expression)
            .set_condition_expression(input.condition_expression)
            .set_expression_attribute_names(input.expression_attribute_names)
            .set_expression_attribute_values(input.expression_attribute_values);
        Ok(TransactWriteItem::builder().update(update.build().map_err(broken)?).build())
    }

    /// Makes it the deletion of the item in a transaction, which fails if a condition does not hold.
    pub(super) fn into_delete(self) -> Result<TransactWriteItem, TableError> {
        let broken = |error| TableError::Failed(AwsError::new(error));
        let input = self.finish().as_input().clone().build().map_err(broken)?;
        let delete = Delete::builder()
            .set_table_name(input.table_name)
            .set_key(input.key)
            .set_condition_expression(input.condition_expression)
            .set_expression_attribute_names(input.expression_attribute_names)
            .set_expression_attribute_values(input.expression_attribute_values);
        Ok(TransactWriteItem::builder().delete(delete.build().map_err(broken)?).build())
    }

    /// Executes the change. Returns `false` if a condition did not hold.
    pub(super) async fn send(self) -> Result<bool, TableError> {
        Ok(if_held(self.finish().send().await)?.is_some())
    }

    fn put(mut self, name: &str, value: AttributeValue, preserved: bool) -> Self {
        let (name_ref, value_ref) = self.placeholders(name);
        if value.is_null() {
            self.removes.push(name_ref);
            return self;
        }
        self.request = self.request.expression_attribute_values(&value_ref, value);
        self.sets.push(if preserved {
            format!("{name_ref} = if_not_exists({name_ref}, {value_ref})")
        } else {
            format!("{name_ref} = {value_ref}")
        });
        self
    }

    fn placeholders(&mut self, name: &str) -> (String, String) {
        let (name_ref, value_ref) = (format!("#n{}", self.names), format!(":v{}", self.names));
        self.names += 1;
        self.request = self.request.clone().expression_attribute_names(&name_ref, name);
        (name_ref, value_ref)
    }
}
