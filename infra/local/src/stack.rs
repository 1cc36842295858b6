//! The deployed stack as CloudFormation describes it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::aws::Aws;

/// The outputs and resources of the deployed stack.
pub(crate) struct Stack {
    outputs: BTreeMap<String, String>,
    resources: BTreeMap<String, String>,
}

impl Stack {
    pub(crate) async fn describe(aws: &Aws, name: &str) -> Result<Self> {
        let outputs = aws
            .query("cloudformation", &[("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", name)])
            .await?;
        let (mut resources, mut next) = (BTreeMap::new(), None);
        loop {
            let mut query = vec![("Action", "ListStackResources"), ("Version", "2010-05-15"), ("StackName", name)];
            query.extend(next.as_deref().map(|token| ("NextToken", token)));
            let page = aws.query("cloudformation", &query).await?;
            resources.extend(pairs(&page, "StackResourceSummaries", "LogicalResourceId", "PhysicalResourceId")?);
            next = next_token(&page)?;
            if next.is_none() {
                break;
            }
        }
        Ok(Self { outputs: pairs(&outputs, "Outputs", "OutputKey", "OutputValue")?, resources })
    }

    /// Returns the value of a template output.
    pub(crate) fn output(&self, key: &str) -> Result<&str> {
        self.outputs.get(key).map(String::as_str).with_context(|| format!("infra/template.yaml has no output {key}"))
    }

    /// Returns the physical id of a resource.
    pub(crate) fn resource(&self, logical_id: &str) -> Result<&str> {
        self.resources.get(logical_id).map(String::as_str).with_context(|| format!("no resource {logical_id}"))
    }
}

/// Returns the resources that failed to deploy, each with its reason.
pub(crate) async fn failures(aws: &Aws, stack: &str) -> Result<Vec<String>> {
    let xml = aws
        .query("cloudformation", &[("Action", "DescribeStackEvents"), ("Version", "2010-05-15"), ("StackName", stack)])
        .await?;
    Ok(members(&xml, "StackEvents")?
        .into_iter()
        .filter(|event| event.get("ResourceStatus").is_some_and(|status| status.ends_with("_FAILED")))
        .map(|event| {
            let text = |key: &str| event.get(key).map_or("", String::as_str);
            format!("{} ({}): {}", text("LogicalResourceId"), text("ResourceType"), text("ResourceStatusReason"))
        })
        .collect())
}

fn pairs(xml: &str, list: &str, key: &str, value: &str) -> Result<BTreeMap<String, String>> {
    Ok(members(xml, list)?
        .into_iter()
        .filter_map(|mut member| Some((member.remove(key)?, member.remove(value)?)))
        .collect())
}

/// Returns where a list goes on.
fn next_token(xml: &str) -> Result<Option<String>> {
    let document = roxmltree::Document::parse(xml).context("CloudFormation's answer is not XML")?;
    let token = document.descendants().find(|node| node.has_tag_name("NextToken")).and_then(|node| node.text());
    Ok(token.map(ToOwned::to_owned))
}

/// Parses a list in an AWS response into the plain fields of each member.
fn members(xml: &str, list: &str) -> Result<Vec<BTreeMap<String, String>>> {
    let document = roxmltree::Document::parse(xml).context("CloudFormation's answer is not XML")?;
    let members = document
        .descendants()
        .filter(|node| node.tag_name().name() == list)
        .flat_map(|list| list.children().filter(roxmltree::Node::is_element));
    Ok(members
        .map(|member| {
            let fields = member.children().filter(roxmltree::Node::is_element);
            fields
                .map(|field| (field.tag_name().name().to_owned(), field.text().unwrap_or_default().to_owned()))
                .collect()
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>
        <Stacks><member><StackName>s</StackName><Outputs>
        <member><OutputKey>A</OutputKey><OutputValue>1 &amp; 2</OutputValue></member>
        <member><OutputKey>B</OutputKey><OutputValue/></member>
        </Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"#;

    #[test]
    fn outputs_are_read_from_the_answer() {
        let outputs = pairs(XML, "Outputs", "OutputKey", "OutputValue").unwrap();
        assert_eq!(outputs, BTreeMap::from([("A".into(), "1 & 2".into()), ("B".into(), String::new())]));
    }
}
