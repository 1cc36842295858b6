//! Finds leads by what is known of a person: a name, an e-mail address or a phone number.

use std::borrow::Cow;

use super::lists::{LeadList, LeadLister, count_fitting, filter};
use crate::cursor::ListCursor;
use crate::error::{ActError, ErrorCode};
use crate::ids::OrgScope;
use crate::model::lead::Lead;
use crate::model::lead::identity::{PersonKey, person_keys};
use crate::model::lead::name::normalised_name;
use crate::model::lead::phone;
use crate::model::lead::query::LeadQuery;
use crate::table::lead::StoredLead;
use crate::tr;

/// What is accepted as a person's e-mail address.
#[must_use]
pub fn whole_address() -> Cow<'static, str> {
    tr!("A complete e-mail address, such as ann@example.com.")
}

/// What is accepted as a person's phone number.
#[must_use]
pub fn whole_number() -> Cow<'static, str> {
    tr!("A complete phone number, with its country code unless it is from the org's country.")
}

/// What a text can be.
#[derive(Debug, PartialEq, Eq)]
enum Sought {
    /// An address or a number, of which at most one lead is known.
    Person(PersonKey),
    /// How a name begins, normalised.
    Name(String),
}

/// Reads what is searched for. A number without a country code is of `country`.
fn read_search(typed: &str, country: Option<&str>) -> Result<Sought, ActError> {
    let invalid = |message: Cow<'static, str>| ActError::invalid("q", ErrorCode::SearchInvalid, message);
    if typed.contains(['@', '＠']) {
        let key = person_keys(Some(typed), None).pop();
        return key.map(Sought::Person).ok_or_else(|| invalid(whole_address()));
    }
    let digits = typed.chars().filter(char::is_ascii_digit).count();
    if digits >= 4 && !typed.contains(char::is_alphabetic) {
        let number = phone::e164(typed, country);
        let key = number.and_then(|number| person_keys(None, Some(&number)).pop());
        return key.map(Sought::Person).ok_or_else(|| invalid(whole_number()));
    }
    normalised_name(typed).map(Sought::Name).ok_or_else(|| {
        invalid(tr!(
            "The beginning of a first, last or full name, a complete e-mail address or a complete phone number."
        ))
    })
}

impl LeadLister<'_> {
    /// Finds the org's leads with the rest of the query by `typed`. Those found by name are in the order of their names.
    ///
    /// # Errors
    /// Refuses a text that can be none of what is searched for, and a cursor of another search.
    pub(super) async fn find(
        &self,
        scope: &OrgScope,
        (typed, query): (&str, &LeadQuery),
        after: Option<&str>,
        limit: usize,
    ) -> Result<LeadList, ActError> {
        let org = self.table.org(scope).await?;
        let filter = filter(query);
        let is_of_campaign = |lead: &Lead| {
            query.campaign_id.is_none() || query.campaign_id.as_deref() == lead.attribution.campaign_id.as_deref()
        };
        let list = format!("leads found {}", query.identity());
        let cursor = ListCursor::new(self.key, scope, &list);
        let position = cursor.decode(after)?;
        match read_search(typed, org.as_ref().and_then(|org| org.default_country.as_deref()))? {
            Sought::Person(person) => {
                let known = match self.table.lead_of_person(scope, &person).await? {
                    Some(id) => self.table.find_lead(scope, &id).await?,
                    None => None,
                };
                let lead = match known {
                    Some(StoredLead::Lead(lead)) if filter.matches(&lead) && is_of_campaign(&lead) => Some(*lead),
                    _ => None,
                };
                Ok(LeadList { items: lead.into_iter().collect(), next_cursor: None })
            }
            Sought::Name(name) => {
                let (mut found, mut next) = self.table.leads_by_name(scope, (&name, &filter), position, limit).await?;
                found.retain(|(lead, _)| is_of_campaign(lead));
                let fitting = count_fitting(found.iter().map(|(lead, _)| lead));
                if fitting < found.len() {
                    found.truncate(fitting);
                    next = found.last().map(|(_, position)| position.clone());
                }
                let items = found.into_iter().map(|(lead, _)| lead).collect();
                Ok(LeadList { items, next_cursor: next.map(|position| cursor.encode(&position)) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_an_address_a_number_or_a_name() {
        let read = |typed: &str| read_search(typed, Some("US"));
        let person = |email, phone| Ok(Some(Sought::Person(person_keys(email, phone).remove(0))));
        let check = |typed: &str, expect: Result<Option<Sought>, ()>| {
            assert_eq!(read(typed).map(Some).map_err(drop), expect, "{typed}");
        };
        check(" Ann@Example.com ", person(Some("ann@example.com"), None));
        check("(212) 555-0123", person(None, Some("+12125550123")));
        check("+49 30 901820", person(None, Some("+4930901820")));
        check("  Müll", Ok(Some(Sought::Name("mull".to_owned()))));
        check("Agent 007", Ok(Some(Sought::Name("agent 007".to_owned()))));
        for wrong in ["ann@", "@example.com", "21255", "  ", "#-#"] {
            check(wrong, Err(()));
            let Err(ActError::Refused(refusal)) = read(wrong) else { panic!("{wrong}") };
            assert_eq!(refusal.field.as_deref(), Some("q"));
        }
    }
}
