//! The directory that the CRM pushes: its orgs with their plans, and their users. It decides who may act for what.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::ops::Deref;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::Trail;
use crate::error::{ActError, ErrorCode};
use crate::ids::{InvalidId, OrgId, OrgScope, UserId};
use crate::model::assignee_mail::{MailPreference, MailProblem};
use crate::model::audit::{AuditAct, Word};
use crate::model::caller::{AccessDenied, Caller, Role};
use crate::model::lead::phone;
use crate::model::org::{Org, Plan, SpendLimit, User};
use crate::table::Table;
use crate::table::directory::{MAX_IN_TURN, MAX_USERS, PutUserOutcome};

/// An org, as pushed by the CRM.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OrgIn {
    pub name: String,
    pub plan: Plan,
    /// ISO 3166 code of the country assumed for phone numbers without a country code.
    pub default_country: Option<String>,
    /// What the campaigns that are created here may spend a day, all together; no limit by default. Only a superadmin
    /// launches a campaign beyond it.
    pub daily_spend_limit: Option<SpendLimit>,
    /// How many days leads are kept after the person's last form, 1 to 3650; by default for good. Older ones are erased
    /// every night, as if the person had asked for that; conversations stay.
    pub keep_leads_days: Option<u32>,
}

/// A user, as pushed by the CRM.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UserIn {
    pub name: String,
    pub email: String,
    /// Their role in the org. An `admin` receives mail when a connection needs attention.
    pub role: Option<String>,
    /// `false` for people who have left or are suspended.
    #[serde(default = "yes")]
    pub active: bool,
    /// `lead_management` makes an active user take part in the assignment of leads, `publishing` lets them
    /// write posts, `ads_management` create and launch campaigns.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// Whether they get mails about leads that are assigned to them; `true` also tries an address again to which mails
    /// did not arrive. Absent, this stays as it is: the person may have switched it themselves.
    pub notifications: Option<bool>,
}

fn yes() -> bool {
    true
}

/// A user, and whether they get mails about leads.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserOut {
    #[serde(flatten)]
    pub user: User,
    /// Whether they want mails about leads that are assigned to them. An integration must send them, too.
    pub notifications: bool,
    /// Why their address gets none all the same; `null` if it does.
    pub mail_problem: Option<MailProblem>,
}

/// The org's users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserList {
    pub items: Vec<UserOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// The operations on the directory.
#[derive(Debug, Clone)]
pub struct Directory {
    /// Stores the orgs and users.
    pub table: Table,
}

/// A caller who may act for an org.
#[derive(Debug, Clone)]
pub struct Access {
    /// The org.
    pub scope: OrgScope,
    /// The caller.
    pub caller: Caller,
    /// Takes down what the caller changes.
    pub trail: Trail,
}

impl Access {
    /// Grants a caller access to the org that they select.
    pub fn new(caller: Caller, org: Option<&str>) -> Result<Self, AccessDenied> {
        Ok(Self { scope: caller.scope(org)?, caller, trail: Trail::default() })
    }

    /// Grants a person access to their own org, whatever their role. What they may do there, the org's directory says.
    pub fn of_colleague(caller: Caller) -> Result<Self, AccessDenied> {
        Ok(Self { scope: caller.scope_of_colleague()?, caller, trail: Trail::default() })
    }

    /// Records that the request's act begins, and takes down in its trail what is changed with this access.
    ///
    /// # Errors
    /// Fails if that cannot be recorded; the act must not be carried out then.
    pub async fn begin(self, trail: Trail) -> Result<Self, ActError> {
        trail.begin(&self.scope, &self.caller).await?;
        Ok(Self { trail, ..self })
    }

    /// Records that this act begins, where a request can be several.
    ///
    /// # Errors
    /// As [`Access::begin`].
    pub async fn begin_as(&self, act: AuditAct) -> Result<(), ActError> {
        self.trail.begin_as(act, &self.scope, &self.caller).await
    }
}

/// A caller who may act for an org whose plan includes Meta.
#[derive(Debug, Clone)]
pub struct MetaAccess(Access);

impl MetaAccess {
    /// Checks the plan of an org that was just read. An org that was not found has no plan.
    ///
    /// # Errors
    /// Returns [`ErrorCode::MetaNotInPlan`] if the plan does not include Meta.
    pub fn check(access: Access, org: Option<&Org>) -> Result<Self, ActError> {
        if org.is_some_and(|org| org.id == *access.scope.org() && org.has_meta()) {
            return Ok(Self(access));
        }
        let message = "The plan of this org does not include the Meta integration. Upgrade the plan to use it.";
        Err(ActError::refuse(ErrorCode::MetaNotInPlan, message))
    }
}

impl Deref for MetaAccess {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.0
    }
}

impl UserOut {
    fn new(user: User, preference: &MailPreference) -> Self {
        let mail_problem = preference.problem_of(&user.email).cloned();
        Self { user, notifications: preference.off_since.is_none(), mail_problem }
    }
}

impl Directory {
    /// Checks that the plan of the caller's org includes Meta.
    ///
    /// # Errors
    /// Returns [`ErrorCode::MetaNotInPlan`] if it does not.
    pub async fn meta_access(&self, access: Access) -> Result<MetaAccess, ActError> {
        let org = self.table.org(&access.scope).await?;
        MetaAccess::check(access, org.as_ref())
    }

    /// Checks that a caller may do what a permission allows. Admins, moderators and superadmins may; any other colleague
    /// needs the permission in the org's directory.
    ///
    /// # Errors
    /// [`AccessDenied`].
    pub async fn permitted_access(
        &self,
        caller: Caller,
        org: Option<&str>,
        permission: &str,
    ) -> Result<Access, ActError> {
        if caller.role != Role::Other {
            return Ok(Access::new(caller, org)?);
        }
        let scope = caller.scope_of_colleague().map_err(|_| AccessDenied::Role)?;
        if org.map(str::trim).is_some_and(|org| org != scope.org().as_str()) {
            return Err(AccessDenied::ForeignOrg.into());
        }
        let user = self.find_colleague(&caller).await?;
        if !user.is_some_and(|user| user.may(permission)) {
            return Err(AccessDenied::Role.into());
        }
        Ok(Access::of_colleague(caller)?)
    }

    /// The caller in the directory of their own org, if the CRM has pushed them.
    ///
    /// The login may identify people by ids of its own; the directory and the token both have the e-mail address.
    pub async fn find_colleague(&self, caller: &Caller) -> Result<Option<User>, ActError> {
        let Ok(scope) = caller.scope_of_colleague() else { return Ok(None) };
        if let Some(user) = self.table.user(&scope, &caller.user).await? {
            return Ok(Some(user));
        }
        let Some(email) = &caller.email else { return Ok(None) };
        Ok(self.table.users(&scope).await?.into_iter().find(|user| user.email == *email))
    }

    /// An org, if the CRM has pushed it.
    pub async fn find_org(&self, scope: &OrgScope) -> Result<Option<Org>, ActError> {
        Ok(self.table.org(scope).await?)
    }

    /// The settings of the caller's own org.
    pub async fn org(&self, access: &Access, id: &str) -> Result<Org, ActError> {
        if id != access.scope.org().as_str() {
            return Err(AccessDenied::ForeignOrg.into());
        }
        self.table.org(&access.scope).await?.ok_or_else(|| ActError::not_found("settings"))
    }

    /// All orgs, for a superadmin to select from.
    pub async fn orgs(&self, caller: &Caller) -> Result<Vec<Org>, ActError> {
        if caller.role != Role::SuperAdmin {
            return Err(AccessDenied::SuperAdminOnly.into());
        }
        Ok(self.table.orgs().await?)
    }

    /// Checks that a caller may say what an org has paid for: a superadmin, for any org.
    ///
    /// # Errors
    /// [`AccessDenied::SuperAdminOnly`], and the field `id` that cannot be an org's.
    pub fn superadmin_access(caller: Caller, id: &str) -> Result<Access, ActError> {
        let org = OrgId::parse(id).map_err(|error| invalid_id(&error))?;
        Ok(Access { scope: caller.scope_as_superadmin(org)?, caller, trail: Trail::default() })
    }

    /// Stores an org. Only a superadmin may, because this decides what the org has paid for.
    pub async fn put_org(&self, access: &Access, input: OrgIn) -> Result<Org, ActError> {
        let org = access.scope.org().clone();
        let scope = access.caller.scope_as_superadmin(org.clone())?;
        let country = input.default_country.as_deref().map(phone::country).transpose();
        let country = country
            .map_err(|error| ActError::invalid("default_country", ErrorCode::CountryInvalid, error.to_string()))?;
        let plan = Plan {
            name: check_length("plan.name", input.plan.name)?,
            features: check_names("plan.features", input.plan.features)?,
        };
        let name = check_length("name", input.name)?;
        let limit = input.daily_spend_limit;
        if limit.as_ref().is_some_and(|limit| limit.amount < Decimal::ZERO || !is_currency(&limit.currency)) {
            let message = "An amount of at least 0 with the three capital letters of a currency.";
            return Err(ActError::invalid("daily_spend_limit", ErrorCode::RangeInvalid, message));
        }
        let keep_leads_days = input.keep_leads_days;
        if keep_leads_days.is_some_and(|days| !(1..=3650).contains(&days)) {
            return Err(ActError::invalid("keep_leads_days", ErrorCode::DaysInvalid, "1 to 3650 days."));
        }
        let updated_at = crate::clock::now();
        let daily_spend_limit = limit;
        let org = Org { id: org, name, plan, default_country: country, daily_spend_limit, keep_leads_days, updated_at };
        let before = self.table.org(&scope).await?;
        self.table.put_org(&scope, &org).await?;
        record_org(&access.trail, before.as_ref(), &org);
        Ok(org)
    }

    /// The org's users.
    pub async fn users(&self, scope: &OrgScope) -> Result<Vec<User>, ActError> {
        Ok(self.table.users(scope).await?)
    }

    /// The org's users, with whether they get mails about leads.
    pub async fn describe_users(&self, scope: &OrgScope) -> Result<UserList, ActError> {
        let mut preferences = self.table.mail_preferences(scope).await?;
        let describe = |user: User| {
            let preference = preferences.remove(&user.id).unwrap_or_default();
            UserOut::new(user, &preference)
        };
        Ok(UserList { items: self.table.users(scope).await?.into_iter().map(describe).collect(), next_cursor: None })
    }

    /// Stores a user. Once this returns, it applies to the assignment of leads.
    pub async fn put_user(&self, access: &Access, id: &str, input: UserIn) -> Result<UserOut, ActError> {
        let user = User {
            id: UserId::parse(id).map_err(|error| invalid_id(&error))?,
            name: check_length("name", input.name)?,
            email: crate::model::lead::identity::normalised_email(&input.email)
                .filter(|email| email.len() <= 320)
                .ok_or_else(|| ActError::invalid("email", ErrorCode::EmailInvalid, "An e-mail address."))?,
            role: input.role.map(|role| check_length("role", role)).transpose()?,
            active: input.active,
            permissions: check_names("permissions", input.permissions)?,
            updated_at: crate::clock::now(),
        };
        access.trail.about(&user.id);
        let before = self.table.user(&access.scope, &user.id).await?;
        match self.table.put_user(&access.scope, &user).await? {
            PutUserOutcome::Stored => {
                record_user(&access.trail, before.as_ref(), &user);
                let wanted_mails = self.table.mail_preference(&access.scope, &user.id).await?.off_since.is_none();
                if let Some(on) = input.notifications {
                    self.table.set_mails(&access.scope, &user.id, on, user.updated_at).await?;
                    access.trail.changed("notifications", &wanted_mails, &on);
                }
                let preference = self.table.mail_preference(&access.scope, &user.id).await?;
                Ok(UserOut::new(user, &preference))
            }
            PutUserOutcome::RosterFull => {
                let message = format!(
                    "At most {MAX_IN_TURN} active users of an org may manage leads. Deactivate another user, or leave out \
                     the permission."
                );
                Err(ActError::invalid("permissions", ErrorCode::LimitReached, message))
            }
            PutUserOutcome::OrgFull => {
                let message = format!("An org has at most {MAX_USERS} users.");
                Err(ActError::invalid("id", ErrorCode::LimitReached, message))
            }
        }
    }
}

fn record_org(trail: &Trail, before: Option<&Org>, after: &Org) {
    fn words(org: &Org) -> Vec<Word<'_>> {
        org.plan.features.iter().map(|feature| Word(feature)).collect()
    }
    let limit = |org: &Org| org.daily_spend_limit.as_ref().map(|limit| limit.amount);
    trail.withheld("name", &before.map(|org| &org.name), &Some(&after.name));
    trail.changed("plan.name", &before.map(|org| Word(&org.plan.name)), &Some(Word(&after.plan.name)));
    trail.changed("plan.features", &before.map(words), &Some(words(after)));
    let days = |org: &Org| org.keep_leads_days;
    trail.changed("keep_leads_days", &before.and_then(days), &days(after));
    let country = |org: &'_ Org| org.default_country.clone();
    let (was, is) = (before.and_then(country), country(after));
    trail.changed("default_country", &was.as_deref().map(Word), &is.as_deref().map(Word));
    trail.changed("daily_spend_limit.amount", &before.and_then(limit), &limit(after));
    let currency = |org: &Org| org.daily_spend_limit.as_ref().map(|limit| limit.currency.clone());
    let (was, is) = (before.and_then(currency), currency(after));
    trail.changed("daily_spend_limit.currency", &was.as_deref().map(Word), &is.as_deref().map(Word));
}

fn record_user(trail: &Trail, before: Option<&User>, after: &User) {
    fn words(user: &User) -> Vec<Word<'_>> {
        user.permissions.iter().map(|permission| Word(permission)).collect()
    }
    trail.withheld("name", &before.map(|user| &user.name), &Some(&after.name));
    trail.withheld("email", &before.map(|user| &user.email), &Some(&after.email));
    let role = before.and_then(|user| user.role.as_deref()).map(Word);
    trail.changed("role", &role, &after.role.as_deref().map(Word));
    trail.changed("active", &before.map(|user| user.active), &Some(after.active));
    trail.changed("permissions", &before.map(words), &Some(words(after)));
}

fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
}

fn invalid_id(error: &InvalidId) -> ActError {
    ActError::invalid("id", ErrorCode::IdInvalid, format!("{error}."))
}

/// Deduplicates names, and rejects more than fit into one item.
fn check_names(field: &'static str, mut names: Vec<String>) -> Result<Vec<String>, ActError> {
    if names.len() > 100 || names.iter().any(|name| !(1..=64).contains(&name.chars().count())) {
        return Err(ActError::invalid(field, ErrorCode::ListInvalid, "At most 100 names of 1 to 64 characters."));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn check_length(field: &'static str, text: String) -> Result<String, ActError> {
    let text = text.trim();
    if (1..=200).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(ActError::invalid(field, ErrorCode::LengthInvalid, "1 to 200 characters."))
    }
}
