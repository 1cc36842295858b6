//! People with a Facebook account, the businesses they belong to, and their part in each page.

/// Somebody who can log in.
#[derive(Debug, Clone)]
pub(crate) struct User {
    /// The app-scoped id: what `/me` answers.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// In the order `/me/accounts` walks them.
    pub(crate) roles: Vec<RoleSlot>,
    pub(crate) business_ids: Vec<String>,
}

/// One position in a person's page list.
#[derive(Debug, Clone)]
pub(crate) enum RoleSlot {
    Role(Role),
    /// A page Meta drops *after* cutting the list into response pages (unpublished, restricted, merged): the reason
    /// why a response page can be short, or empty, while `paging.next` is there.
    Withheld,
}

/// What a person may do on a page.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) page_id: String,
    pub(crate) tasks: Vec<&'static str>,
    /// Without it the page is listed, but no page token is ever handed out.
    pub(crate) has_token: bool,
    /// The role was taken away: the page disappears and its tokens die with 190/492.
    pub(crate) lost: bool,
}

/// Everything a page's administrator may do, as measured in real answers (the documented `MESSAGE` never appears).
pub(crate) const ALL_TASKS: &[&str] =
    &["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE", "MANAGE_LEADS"];

impl User {
    /// The person's living role on a page.
    pub(crate) fn role(&self, page_id: &str) -> Option<&Role> {
        self.roles.iter().find_map(|slot| match slot {
            RoleSlot::Role(role) if role.page_id == page_id && !role.lost => Some(role),
            RoleSlot::Role(_) | RoleSlot::Withheld => None,
        })
    }

    /// Pages with a living role, in list order.
    pub(crate) fn pages(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().filter_map(|slot| match slot {
            RoleSlot::Role(role) if !role.lost => Some(role.page_id.as_str()),
            RoleSlot::Role(_) | RoleSlot::Withheld => None,
        })
    }
}

/// A business portfolio.
#[derive(Debug, Clone)]
pub(crate) struct Business {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) owned_pages: Vec<String>,
    pub(crate) client_pages: Vec<String>,
    pub(crate) created_ms: i64,
}
