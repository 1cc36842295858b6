//! Who a person is, as far as Meta says it to a page: names on Messenger and Instagram, and where a comment stands.

use serde::Deserialize;

use super::{GraphClient, GraphError, OnlyId, read};
use crate::model::inbox::Channel;
use crate::model::inbox::event::Person;
use crate::secret::AccessToken;

#[derive(Deserialize)]
struct Profile {
    first_name: Option<String>,
    last_name: Option<String>,
    name: Option<String>,
    username: Option<String>,
}

#[derive(Deserialize)]
struct WithParent {
    parent: Option<OnlyId>,
}

impl GraphClient {
    /// Reads the name of a person who wrote to a page or an Instagram account. Meta may withhold it (230, 2018218): people
    /// consent by writing, and some apps may not ask.
    pub async fn profile(&self, channel: Channel, person: &str, token: &AccessToken) -> Result<Person, GraphError> {
        let fields = if channel == Channel::Instagram { "name,username" } else { "first_name,last_name" };
        let profile: Profile = read(self.get(person, &[("fields", fields)], token).await?)?;
        let names = [profile.first_name, profile.last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = profile.name.or(Some(names)).filter(|name| !name.trim().is_empty());
        Ok(Person { id: Some(person.to_owned()), name, username: profile.username, phone: None })
    }

    /// Finds the comment at the top, above a comment of a page.
    pub async fn root_of_comment(&self, comment: &str, token: &AccessToken) -> Result<String, GraphError> {
        /// More levels than Meta shows.
        const MAX_LEVELS: usize = 5;
        let mut root = comment.to_owned();
        for _ in 0..MAX_LEVELS {
            let node: WithParent = read(self.get(&root, &[("fields", "parent{id}")], token).await?)?;
            match node.parent {
                Some(parent) => root = parent.id,
                None => break,
            }
        }
        Ok(root)
    }
}
