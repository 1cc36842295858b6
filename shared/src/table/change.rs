//! Partial updates: set some attributes of an item and leave the others alone. Concurrent writes to different
//! attributes are both preserved.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem, Update};
use serde::Serialize;

use super::commit::broken;
use super::keys::{IndexKey, Key};
use super::row::attributes;
use super::shape::ItemKind;
use super::{Item, Table, TableError, if_held};

/// A change under construction. [`ItemUpdate::send`] executes it.
pub(super) struct ItemUpdate {
    client: Client,
    table: String,
    key: Item,
    /// What stands for each name and each value in the expressions.
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
}

/// The parts of a finished change, as each request takes them.
struct Expressions {
    update: String,
    condition: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<HashMap<String, AttributeValue>>,
}

impl Table {
    /// Starts a change of the item at `key`. Without a condition, it creates a missing item.
    pub(super) fn change(&self, key: &Key) -> ItemUpdate {
        ItemUpdate {
            client: self.client.clone(),
            table: self.name.clone(),
            key: key.attributes(),
            names: HashMap::new(),
            values: HashMap::new(),
            sets: Vec::new(),
            removes: Vec::new(),
            conditions: Vec::new(),
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
            self.conditions.push(format!("{name_ref} = {value_ref}"));
            self.values.insert(value_ref, seen);
        }
        Ok(self)
    }

    /// Requires that an attribute does not have a value. An absent one does not have it.
    pub(super) fn if_not(mut self, name: &str, value: &impl Serialize) -> Result<Self, TableError> {
        let (name_ref, value_ref) = self.placeholders(name);
        self.conditions.push(format!("(attribute_not_exists({name_ref}) OR {name_ref} <> {value_ref})"));
        self.values.insert(value_ref, serde_dynamo::to_attribute_value(value)?);
        Ok(self)
    }

    fn finish(&mut self) -> Expressions {
        let clause = |keyword: &str, parts: &[String]| {
            if parts.is_empty() { String::new() } else { format!("{keyword} {} ", parts.join(", ")) }
        };
        let update = clause("SET", &self.sets) + &clause("REMOVE", &self.removes);
        // An empty map is refused.
        Expressions {
            update: update.trim().to_owned(),
            condition: (!self.conditions.is_empty()).then(|| self.conditions.join(" AND ")),
            names: Some(std::mem::take(&mut self.names)).filter(|names| !names.is_empty()),
            values: Some(std::mem::take(&mut self.values)).filter(|values| !values.is_empty()),
        }
    }

    /// Makes it a part of a transaction, which fails if a condition does not hold.
    pub(super) fn into_write(mut self) -> Result<TransactWriteItem, TableError> {
        let Expressions { update, condition, names, values } = self.finish();
        let update = Update::builder().table_name(self.table).set_key(Some(self.key)).update_expression(update);
        let update = update.set_condition_expression(condition).set_expression_attribute_names(names);
        let update = update.set_expression_attribute_values(values).build().map_err(broken)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Makes it the deletion of the item in a transaction, which fails if a condition does not hold.
    pub(super) fn into_delete(mut self) -> Result<TransactWriteItem, TableError> {
        let Expressions { condition, names, values, .. } = self.finish();
        let delete = Delete::builder().table_name(self.table).set_key(Some(self.key));
        let delete = delete.set_condition_expression(condition).set_expression_attribute_names(names);
        let delete = delete.set_expression_attribute_values(values).build().map_err(broken)?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Executes the change. Returns `false` if a condition did not hold.
    pub(super) async fn send(mut self) -> Result<bool, TableError> {
        let Expressions { update, condition, names, values } = self.finish();
        let request = self.client.update_item().table_name(self.table).set_key(Some(self.key));
        let request = request.update_expression(update).set_condition_expression(condition);
        let request = request.set_expression_attribute_names(names).set_expression_attribute_values(values);
        Ok(if_held(request.send().await)?.is_some())
    }

    fn put(mut self, name: &str, value: AttributeValue, preserved: bool) -> Self {
        let (name_ref, value_ref) = self.placeholders(name);
        if value.is_null() {
            self.removes.push(name_ref);
            return self;
        }
        self.sets.push(if preserved {
            format!("{name_ref} = if_not_exists({name_ref}, {value_ref})")
        } else {
            format!("{name_ref} = {value_ref}")
        });
        self.values.insert(value_ref, value);
        self
    }

    fn placeholders(&mut self, name: &str) -> (String, String) {
        let (name_ref, value_ref) = (format!("#n{}", self.names.len()), format!(":v{}", self.names.len()));
        self.names.insert(name_ref.clone(), name.to_owned());
        (name_ref, value_ref)
    }
}
