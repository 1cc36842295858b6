//! Tables of the template in another DynamoDB than MiniStack's, such as one that finds entries by their keys.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::template::Template;

/// Creates a table as the template defines it.
///
/// # Errors
/// If the template has no such table, or the DynamoDB at this address refuses it.
pub async fn create_table(address: &str, template: &Template, resource: &str, name: &str) -> Result<()> {
    let properties = template.document().pointer(&format!("/Resources/{resource}/Properties"));
    let properties = properties.with_context(|| format!("the template has no table {resource}"))?;
    let parts = ["BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"];
    let parts = parts.iter().filter_map(|part| Some(((*part).to_owned(), properties.get(part)?.clone())));
    let definition: Map<String, Value> = parts.chain([("TableName".to_owned(), name.into())]).collect();
    let request =
        reqwest::Client::builder().no_proxy().build()?.post(address).body(Value::Object(definition).to_string());
    let request = request
        .header("x-amz-target", "DynamoDB_20120810.CreateTable")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20260101T000000Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
        );
    let created = request.send().await?;
    ensure!(created.status().is_success(), "table {resource}: {}", created.text().await?);
    Ok(())
}
