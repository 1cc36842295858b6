//! A deployed stack as CloudFormation describes it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::{Aws, members, text};

/// The outputs and resources of a deployed stack.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// Its name.
    pub name: String,
    outputs: BTreeMap<String, String>,
    resources: BTreeMap<String, Resource>,
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its type, such as `AWS::SQS::Queue`.
    pub kind: String,
    /// Its id in AWS: of a queue its URL, of a function its name.
    pub physical_id: String,
}

impl Stack {
    /// Reads the stack of this name.
    ///
    /// # Errors
    /// If it is absent, or CloudFormation cannot be asked.
    pub async fn describe(aws: &Aws, name: &str) -> Result<Self> {
        let outputs = aws
            .query("cloudformation", &[("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", name)])
            .await?;
        let (mut resources, mut next) = (BTreeMap::new(), None);
        loop {
            let mut query = vec![("Action", "ListStackResources"), ("Version", "2010-05-15"), ("StackName", name)];
            query.extend(next.as_deref().map(|token| ("NextToken", token)));
            let page = aws.query("cloudformation", &query).await?;
            resources.extend(members(&page, "StackResourceSummaries")?.into_iter().filter_map(resource));
            next = text(&page, "NextToken")?;
            if next.is_none() {
                break;
            }
        }
        Ok(Self { name: name.to_owned(), outputs: pairs(&outputs, "Outputs", "OutputKey", "OutputValue")?, resources })
    }

    /// Returns the value of a template output.
    pub fn output(&self, key: &str) -> Result<&str> {
        self.outputs.get(key).map(String::as_str).with_context(|| format!("infra/template.yaml has no output {key}"))
    }

    /// Returns the physical id of a resource.
    pub fn resource(&self, logical_id: &str) -> Result<&str> {
        let found = self.resources.get(logical_id).map(|resource| resource.physical_id.as_str());
        found.with_context(|| format!("no resource {logical_id}"))
    }

    /// Returns the logical and the physical ids of all resources of a type, in the order of their logical ids.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let is_wanted = move |(_, resource): &(&String, &Resource)| resource.kind == kind;
        self.resources.iter().filter(is_wanted).map(|(id, resource)| (id.as_str(), resource.physical_id.as_str()))
    }

    /// Returns the resources that failed to deploy, each with its reason.
    ///
    /// # Errors
    /// If CloudFormation cannot be asked.
    pub async fn failures(aws: &Aws, name: &str) -> Result<Vec<String>> {
        let query = [("Action", "DescribeStackEvents"), ("Version", "2010-05-15"), ("StackName", name)];
        let xml = aws.query("cloudformation", &query).await?;
        Ok(members(&xml, "StackEvents")?
            .into_iter()
            .filter(|event| event.get("ResourceStatus").is_some_and(|status| status.ends_with("_FAILED")))
            .map(|event| {
                let text = |key: &str| event.get(key).map_or("", String::as_str);
                format!("{} ({}): {}", text("LogicalResourceId"), text("ResourceType"), text("ResourceStatusReason"))
            })
            .collect())
    }
}

fn resource(mut member: BTreeMap<String, String>) -> Option<(String, Resource)> {
    let (kind, physical_id) = (member.remove("ResourceType")?, member.remove("PhysicalResourceId")?);
    Some((member.remove("LogicalResourceId")?, Resource { kind, physical_id }))
}

fn pairs(xml: &str, list: &str, key: &str, value: &str) -> Result<BTreeMap<String, String>> {
    Ok(members(xml, list)?
        .into_iter()
        .filter_map(|mut member| Some((member.remove(key)?, member.remove(value)?)))
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
