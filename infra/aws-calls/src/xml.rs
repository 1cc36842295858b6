//! What query services answer.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// Parses a list in an answer into the plain fields of each member.
///
/// # Errors
/// If the answer is not XML.
pub fn members(xml: &str, list: &str) -> Result<Vec<BTreeMap<String, String>>> {
    let document = roxmltree::Document::parse(xml).context("an answer of AWS is not XML")?;
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

/// Returns the text of the first element with this name, such as the token of a list's next page.
///
/// # Errors
/// If the answer is not XML.
pub fn text(xml: &str, name: &str) -> Result<Option<String>> {
    let document = roxmltree::Document::parse(xml).context("an answer of AWS is not XML")?;
    let found = document.descendants().find(|node| node.tag_name().name() == name).and_then(|node| node.text());
    Ok(found.map(ToOwned::to_owned))
}
