//! People with a Facebook account, system users, their businesses, and their roles on pages.

/// A person who can log in, or a system user, whose business creates its tokens instead.
#[derive(Debug, Clone)]
pub(crate) struct User {
    /// The app-scoped id, as `/me` returns it.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// In the order of `/me/accounts`.
    pub(crate) roles: Vec<RoleSlot>,
    pub(crate) business_ids: Vec<String>,
    /// Ad accounts that this user may work with, without `act_`.
    pub(crate) ad_accounts: Vec<String>,
    /// The business a system user belongs to; `None` for people.
    pub(crate) employer: Option<String>,
}

/// One position in a person's page list.
#[derive(Debug, Clone)]
pub(crate) enum RoleSlot {
    Role(Role),
    /// A page that Meta drops *after* splitting the list into response pages (unpublished, restricted, merged). This is
    /// why a response page can be short or empty although `paging.next` is present.
    Withheld,
}

/// What a person may do on a page.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) page_id: String,
    pub(crate) tasks: Vec<&'static str>,
    /// Whether a page token is available. Otherwise the page is listed without one.
    pub(crate) has_token: bool,
    /// The role was taken away: the page disappears and its tokens fail with 190/492.
    pub(crate) lost: bool,
}

/// All tasks of a page's administrator, as measured in real responses. The documented `MESSAGE` never appears.
pub(crate) const ALL_TASKS: &[&str] =
    &["ADVERTISE", "ANALYZE", "CREATE_CONTENT", "MESSAGING", "MODERATE", "MANAGE", "MANAGE_LEADS"];

impl User {
    pub(crate) fn is_system(&self) -> bool {
        self.employer.is_some()
    }

    /// The person's role on a page, unless it was taken away.
    pub(crate) fn role(&self, page_id: &str) -> Option<&Role> {
        self.roles.iter().find_map(|slot| match slot {
            RoleSlot::Role(role) if role.page_id == page_id && !role.lost => Some(role),
            RoleSlot::Role(_) | RoleSlot::Withheld => None,
        })
    }

    /// Pages on which the person has a role, in list order.
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
    /// Ad accounts, without `act_`.
    pub(crate) owned_ad_accounts: Vec<String>,
    pub(crate) client_ad_accounts: Vec<String>,
    pub(crate) created_ms: i64,
}

impl Business {
    pub(crate) fn new(id: &str, name: &str, created_ms: i64) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            owned_pages: Vec::new(),
            client_pages: Vec::new(),
            owned_ad_accounts: Vec::new(),
            client_ad_accounts: Vec::new(),
            created_ms,
        }
    }

    /// Every page the business can assign, its own first.
    pub(crate) fn pages(&self) -> impl Iterator<Item = &String> {
        self.owned_pages.iter().chain(&self.client_pages)
    }

    /// Every ad account the business can assign, its own first.
    pub(crate) fn ad_accounts(&self) -> impl Iterator<Item = &String> {
        self.owned_ad_accounts.iter().chain(&self.client_ad_accounts)
    }
}
