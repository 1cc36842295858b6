//! Connections: pages of integrations, found by page when a lead comes and by org when an admin looks. Also the forms
//! of a page, which are a cache.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use super::keys;
use super::{Item, Row, Table, TableError, text};
use crate::ids::{FormId, OrgScope, PageId};
use crate::model::integration::Connection;
use crate::model::mapping::Form;

/// How long a form is taken as it was read. Its questions never change at Meta; its name may.
const FORM_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

impl Table {
    /// Everybody who gets this page's leads, oldest integration first.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn connections_of_page(&self, page: &PageId) -> Result<Vec<(OrgScope, Connection)>, TableError> {
        let connections: Vec<Connection> = self.query(&keys::page_pk(page), keys::CONNECTION_PREFIX).await?;
        Ok(connections.into_iter().map(|connection| (OrgScope::of(connection.org.clone()), connection)).collect())
    }

    /// The org's connections, by integration and page. A connection made an instant ago may be missing.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn connections(&self, scope: &OrgScope) -> Result<Vec<Connection>, TableError> {
        let keys = self.index_keys(&keys::connections_of_org(scope)).await?;
        self.read_all(&keys).await
    }

    /// Stores a connection. What it has counted so far, and since when it is there, stay if it was there before.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn save_connection(&self, scope: &OrgScope, connection: &Connection) -> Result<(), TableError> {
        const KEPT: [&str; 3] = ["leads_count", "last_lead_at", "connected_at"];
        let key = keys::connection(scope, &connection.integration_id, &connection.page_id);
        let index = keys::connection_index(scope, &connection.integration_id, &connection.page_id);
        let mut item: Item = Row::new(&key, "connection", connection).indexed(index).item()?;
        item.retain(|name, _| name != "pk" && name != "sk");
        let mut update = self.client.update_item().table_name(&self.name).set_key(Some(key.attributes()));
        let mut sets = Vec::new();
        for (position, (name, value)) in item.into_iter().enumerate() {
            let (name_ref, value_ref) = (format!("#n{position}"), format!(":v{position}"));
            sets.push(if KEPT.contains(&name.as_str()) {
                format!("{name_ref} = if_not_exists({name_ref}, {value_ref})")
            } else {
                format!("{name_ref} = {value_ref}")
            });
            update = update.expression_attribute_names(name_ref, name).expression_attribute_values(value_ref, value);
        }
        update.update_expression(format!("SET {}", sets.join(", "))).send().await?;
        Ok(())
    }

    /// Ends a connection. That it is gone already is as good.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn delete_connection(&self, scope: &OrgScope, connection: &Connection) -> Result<(), TableError> {
        let key = keys::connection(scope, &connection.integration_id, &connection.page_id);
        self.client.delete_item().table_name(&self.name).set_key(Some(key.attributes())).send().await?;
        Ok(())
    }

    /// Whether a connection is still there.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn is_connected(&self, scope: &OrgScope, connection: &Connection) -> Result<bool, TableError> {
        let key = keys::connection(scope, &connection.integration_id, &connection.page_id);
        Ok(self.get_item(&key).await?.is_some())
    }

    /// Writes down which webhook fields Meta confirmed for a connection that still exists.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn set_subscribed_fields(
        &self,
        scope: &OrgScope,
        connection: &Connection,
        fields: &[&str],
    ) -> Result<(), TableError> {
        let key = keys::connection(scope, &connection.integration_id, &connection.page_id);
        let fields = fields.iter().map(|field| text(*field)).collect();
        let updated = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET subscribed_fields = :fields")
            .expression_attribute_values(":fields", AttributeValue::L(fields))
            .send()
            .await;
        match updated {
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            other => Ok(other.map(drop)?),
        }
    }

    /// The forms among `forms` that were read from Meta lately enough.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn forms(
        &self,
        page: &PageId,
        forms: &[FormId],
        now: Timestamp,
    ) -> Result<Vec<(FormId, Form)>, TableError> {
        let keys: Vec<_> = forms.iter().map(|form| keys::form(page, form)).collect();
        let mut found = self.batch_get(&keys).await?;
        let fresh = |item: &Item| {
            item.get("ttl").and_then(|ttl| ttl.as_n().ok()?.parse().ok()).is_some_and(|ttl: i64| ttl > now.as_second())
        };
        let fresh_items =
            forms.iter().zip(&keys).filter_map(|(form, key)| Some((form, found.remove(key).filter(fresh)?)));
        fresh_items.map(|(form, item)| Ok((form.clone(), super::entity(item)?))).collect()
    }

    /// Remembers a form.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn put_form(&self, page: &PageId, id: &FormId, form: &Form, now: Timestamp) -> Result<(), TableError> {
        let until = now.as_second() + FORM_LIFETIME.as_secs();
        self.put(Row::new(&keys::form(page, id), "form", form).ttl(until)).await
    }
}
