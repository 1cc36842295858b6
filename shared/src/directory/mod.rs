//! The directory that the CRM pushes: its orgs with their plans, and their users. It decides who may act for what.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

mod access;
mod mails;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::audit::Trail;
use crate::cursor::ListCursor;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{InvalidId, OrgScope, UserId};
use crate::model::ads::currency::Amount;
use crate::model::audit::Word;
use crate::model::caller::{AccessDenied, Caller, Role};
use crate::model::json_input::{maybe_object, maybe_whole, object};
use crate::model::lead::phone;
use crate::model::org::{Org, Plan, SpendLimit, User};
use crate::secret::HmacKey;
use crate::table::Table;
use crate::table::directory::{MAX_IN_TURN, MAX_USERS, PutUserOutcome};
use crate::tr;

pub use access::{Access, MetaAccess};
pub use mails::UserOut;

/// An org, as pushed by the CRM.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OrgIn {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    #[serde(deserialize_with = "object")]
    pub plan: Plan,
    /// ISO 3166 code of the country assumed for phone numbers without a country code.
    pub default_country: Option<String>,
    /// What the campaigns that are created here may spend a day, all together; no limit by default. Only a superadmin
    /// launches a campaign beyond it.
    #[serde(default, deserialize_with = "spend_limit")]
    #[schema(value_type = Option<SpendLimitIn>)]
    pub daily_spend_limit: Option<SpendLimit>,
    /// How many days leads are kept after the person's last form, 1 to 3650; by default for good. Older ones are erased
    /// every night, as if the person had asked for that; conversations stay.
    #[schema(minimum = 1, maximum = 3650)]
    #[serde(default, deserialize_with = "maybe_whole")]
    pub keep_leads_days: Option<u32>,
}

/// A limit of what an org's campaigns may spend a day.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpendLimitIn {
    /// The amount, in the main unit of the currency.
    #[schema(value_type = Amount)]
    pub amount: Decimal,
    /// ISO 4217 code. Campaigns in another currency are beyond the limit.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

/// A limit of a caller, which has no other fields. A stored one may have those of a later release.
fn spend_limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SpendLimit>, D::Error> {
    let limit: Option<SpendLimitIn> = maybe_object(deserializer)?;
    Ok(limit.map(|SpendLimitIn { amount, currency }| SpendLimit { amount, currency }))
}

/// A user, as pushed by the CRM.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UserIn {
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// Their role in the org. An `admin` receives mail when a connection needs attention.
    #[schema(min_length = 1, max_length = 200)]
    pub role: Option<String>,
    /// `false` for people who have left or are suspended.
    #[serde(default = "yes")]
    pub active: bool,
    /// `lead_management` makes an active user take part in the assignment of leads, `inbox` lets them answer comments and
    /// messages, `publishing` write posts, `ads_management` create and launch campaigns.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub permissions: Vec<String>,
    /// The language of their pages and mails, as a BCP 47 tag such as `de` or `de-AT`: English (the default) or German. On
    /// pages, it outweighs their browser's.
    #[schema(pattern = "^[a-z]{2}(-[A-Z]{2})?$")]
    pub language: Option<String>,
    /// Whether they get mails about leads that are assigned to them; `true` also tries an address again to which mails
    /// did not arrive. Absent, this stays as it is: the person may have switched it themselves.
    pub notifications: Option<bool>,
    /// Whether an admin gets mails about connections and webhooks that need attention; `true` also tries an address again
    /// to which mails did not arrive. Absent, this stays as it is: the person may have switched it themselves.
    pub alerts: Option<bool>,
}

fn yes() -> bool {
    true
}

/// The org's users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserList {
    pub items: Vec<UserOut>,
    pub next_cursor: Option<String>,
}

impl UserList {
    /// Of the largest users, this many fit into one response, which Lambda limits to 6 MB.
    pub const MAX_ITEMS: usize = 500;
}

/// The operations on the directory.
#[derive(Debug, Clone)]
pub struct Directory {
    /// Stores the orgs and users.
    pub table: Table,
    /// Signs the cursors of its lists.
    pub key: HmacKey,
}

impl Directory {
    /// An org, if the CRM has pushed it.
    pub async fn find_org(&self, scope: &OrgScope) -> Result<Option<Org>, ActError> {
        Ok(self.table.org(scope).await?)
    }

    /// The settings of the caller's own org.
    pub async fn org(&self, access: &Access, id: &str) -> Result<Org, ActError> {
        if id != access.scope.org().as_str() {
            return Err(AccessDenied::ForeignOrg.into());
        }
        self.table.org(&access.scope).await?.ok_or_else(|| ActError::not_found(Missing::Org))
    }

    /// All orgs, for a superadmin to select from.
    pub async fn orgs(&self, caller: &Caller) -> Result<Vec<Org>, ActError> {
        if caller.role != Role::SuperAdmin {
            return Err(AccessDenied::SuperAdminOnly.into());
        }
        Ok(self.table.orgs().await?)
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
            let message = tr!("An amount of at least 0 with the three capital letters of a currency.");
            return Err(ActError::invalid("daily_spend_limit", ErrorCode::RangeInvalid, message));
        }
        let keep_leads_days = input.keep_leads_days;
        if keep_leads_days.is_some_and(|days| !(1..=3650).contains(&days)) {
            return Err(ActError::invalid("keep_leads_days", ErrorCode::DaysInvalid, tr!("1 to 3650 days.")));
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

    /// Lists the org's users in the order of their ids, from the start or from the cursor `after`.
    ///
    /// # Errors
    /// Refuses a cursor of another list.
    pub async fn list_users(&self, scope: &OrgScope, after: Option<&str>, limit: usize) -> Result<UserList, ActError> {
        let cursor = ListCursor::new(&self.key, scope, "users");
        let after: Option<UserId> = cursor.decode(after)?;
        let mut items = self.describe_users(scope).await?;
        items.retain(|listed| after.as_ref().is_none_or(|after| listed.user.id > *after));
        let has_more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| has_more);
        let next_cursor = last.map(|listed| cursor.encode(&listed.user.id));
        Ok(UserList { items, next_cursor })
    }

    /// Stores a user. Once this returns, it applies to the assignment of leads.
    pub async fn put_user(&self, access: &Access, id: &str, input: UserIn) -> Result<UserOut, ActError> {
        let user = User {
            id: UserId::parse(id).map_err(|error| invalid_id(&error))?,
            name: check_length("name", input.name)?,
            email: crate::model::lead::identity::normalised_email(&input.email)
                .filter(|email| is_address(email))
                .ok_or_else(|| ActError::invalid("email", ErrorCode::EmailInvalid, tr!("An e-mail address.")))?,
            role: input.role.map(|role| check_length("role", role)).transpose()?,
            active: input.active,
            permissions: check_names("permissions", input.permissions)?,
            language: input.language.map(check_language).transpose()?,
            updated_at: crate::clock::now(),
        };
        access.trail.about(&user.id);
        let before = self.table.user(&access.scope, &user.id).await?;
        match self.table.put_user(&access.scope, &user).await? {
            PutUserOutcome::Stored => {
                record_user(&access.trail, before.as_ref(), &user);
                self.switch_mails(access, user, input.notifications, input.alerts).await
            }
            PutUserOutcome::RosterFull => {
                let message = tr!(
                    "At most {max} active users of an org may manage leads. Deactivate another user, or leave out the permission.",
                    max = MAX_IN_TURN
                );
                Err(ActError::invalid("permissions", ErrorCode::LimitReached, message))
            }
            PutUserOutcome::OrgFull => {
                let message = tr!("An org has at most {max} users.", max = MAX_USERS);
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
    let language = before.and_then(|user| user.language.as_deref()).map(Word);
    trail.changed("language", &language, &after.language.as_deref().map(Word));
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
        return Err(ActError::invalid(field, ErrorCode::ListInvalid, tr!("At most 100 names of 1 to 64 characters.")));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// Checks that a language tag is a language, with or without a region.
fn check_language(tag: String) -> Result<String, ActError> {
    let is_tag = match tag.as_bytes() {
        [one, two] => one.is_ascii_lowercase() && two.is_ascii_lowercase(),
        [one, two, b'-', region @ ..] => {
            one.is_ascii_lowercase()
                && two.is_ascii_lowercase()
                && region.len() == 2
                && region.iter().all(u8::is_ascii_uppercase)
        }
        _ => false,
    };
    let invalid = || {
        let message = tr!("A language such as de, or with a region such as de-AT.");
        ActError::invalid("language", ErrorCode::LanguageInvalid, message)
    };
    is_tag.then_some(tag).ok_or_else(invalid)
}

fn check_length(field: &'static str, text: String) -> Result<String, ActError> {
    let text = text.trim();
    // Marks of direction turn around what stands beside them.
    let is_unreadable = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.contains(is_unreadable) {
        return Err(ActError::invalid(field, ErrorCode::NameInvalid, tr!("Text without control characters.")));
    }
    if (1..=200).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(ActError::invalid(field, ErrorCode::LengthInvalid, tr!("1 to 200 characters.")))
    }
}

/// Whether SES sends a mail there: one address, as the HTML standard defines it for forms.
fn is_address(email: &str) -> bool {
    let Some((local, domain)) = email.rsplit_once('@') else { return false };
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    email.len() <= 254
        && (1..=64).contains(&local.len())
        && local.bytes().all(is_local)
        && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_to_which_a_mail_can_be_sent() {
        for good in ["ann@example.com", "o'neil+x@sub.example.org", "a@xn--mller-kva.example"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "a@x.example,b@y.example",
            "x\"'><img/src=x>@x.example",
            "müller@example.com",
            "ann@-x.example",
            "ann@x..example",
            "ann",
            &format!("{}@example.com", "a".repeat(65)),
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_turns_nothing_around() {
        assert_eq!(check_length("name", " Ann ".into()).unwrap(), "Ann");
        for bad in ["a\u{0}b", "a\u{202e}b", "a\nb", "a\u{7}"] {
            assert!(check_length("name", bad.into()).is_err(), "{bad:?}");
        }
    }
}
