//! The sections of the console, and the way between them.

use std::borrow::Cow;

use leadwire::model::org::Permission;
use leadwire::tr;
use maud::{Markup, html};

use crate::components;
use crate::session::{MAX_PARKED, MAX_UNREAD, Visitor};

/// The sections of the console.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Home,
    Integrations,
    Leads,
    Inbox,
    Delivery,
    Forms,
    Posts,
    Ads,
    Campaigns,
    Audit,
    Settings,
    Operations,
    /// A page outside all sections.
    Elsewhere,
}

/// The sections in the order of the navigation, those of a group together. The first are those that people use all day.
const SECTIONS: [Section; 12] = [
    Section::Home,
    Section::Leads,
    Section::Inbox,
    Section::Posts,
    Section::Ads,
    Section::Campaigns,
    Section::Integrations,
    Section::Forms,
    Section::Delivery,
    Section::Audit,
    Section::Settings,
    Section::Operations,
];

/// Sections that fit beside each other on a phone, in every language. The others are behind one word there.
const MAX_IN_A_ROW: usize = 3;

impl Section {
    pub(crate) fn name(self) -> Cow<'static, str> {
        match self {
            Self::Home => tr!("Home"),
            Self::Integrations => tr!("Integrations"),
            Self::Leads => tr!("Leads"),
            Self::Inbox => tr!("Inbox"),
            Self::Delivery => tr!("Delivery"),
            Self::Forms => tr!("Forms"),
            Self::Posts => tr!("Posts"),
            Self::Ads => tr!("Ads"),
            Self::Campaigns => tr!("Campaigns"),
            Self::Audit => tr!("Audit"),
            Self::Settings => tr!("Settings"),
            Self::Operations => tr!("Operations"),
            Self::Elsewhere => Cow::Borrowed(""),
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Home => "/home",
            Self::Integrations => "/integrations",
            Self::Leads => "/leads",
            Self::Inbox => "/inbox",
            Self::Delivery => "/delivery",
            Self::Forms => "/forms",
            Self::Posts => "/posts",
            Self::Ads => "/ads",
            Self::Campaigns => "/campaigns",
            Self::Audit => "/audit",
            Self::Settings => "/settings",
            Self::Operations => "/operations",
            Self::Elsewhere => "/",
        }
    }

    /// What its group is called. The daily work has no name.
    fn group(self) -> Cow<'static, str> {
        match self {
            Self::Home | Self::Leads | Self::Inbox | Self::Elsewhere => Cow::Borrowed(""),
            Self::Posts | Self::Ads | Self::Campaigns => tr!("Marketing"),
            Self::Integrations | Self::Forms | Self::Delivery | Self::Audit | Self::Settings => tr!("Manage"),
            Self::Operations => tr!("System"),
        }
    }

    /// Its sign, as the path of an SVG of 24 by 24.
    fn sign(self) -> &'static str {
        match self {
            Self::Home => "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
            Self::Leads => "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0",
            Self::Inbox => "M4 14l3-9h10l3 9v6H4zm0 0h5a3 3 0 0 0 6 0h5",
            Self::Integrations => "M9 7V3m6 4V3M6 7h12v4a6 6 0 0 1-12 0zm6 10v4",
            Self::Forms => "M5 3h14v18H5zM9 8h6m-6 4h6m-6 4h3",
            Self::Delivery => "M3 12h4l3-8 4 16 3-8h4",
            Self::Posts => "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
            Self::Ads => "M5 20v-6m7 6V4m7 16V10",
            Self::Campaigns => "M4 10h4l9-5v14l-9-5H4zm17 0v4",
            Self::Audit => "M12 7v5l3 2m6-2a9 9 0 1 1-18 0 9 9 0 0 1 18 0",
            Self::Settings => "M4 7h9m4 0h3M4 17h3m4 0h9M15 5v4M9 15v4",
            Self::Operations => "M3 5h18v11H3zM8 20h8m-4-4v4M7 12l3-3 2 2 4-4",
            Self::Elsewhere => "",
        }
    }
}

impl Visitor {
    /// Whether a section is in their navigation.
    fn may_open(&self, section: Section) -> bool {
        match section {
            Section::Leads => true,
            Section::Inbox => self.may(Permission::Inbox),
            Section::Posts => self.may(Permission::Publishing),
            Section::Campaigns => self.may(Permission::AdsManagement),
            Section::Operations => self.is_superadmin(),
            _ => self.is_admin(),
        }
    }
}

/// The way back from a page to the first one of its section.
pub(crate) fn crumbs(section: Section, heading: &str) -> Markup {
    html! {
        @if section != Section::Elsewhere && section.name() != heading { p.crumbs { a href=(section.path()) { (section.name()) } } }
    }
}

/// The sections. On a phone, a sheet that needs no script has those for which there is no room; elsewhere the style shows
/// its links with the others.
pub(crate) fn navigation(visitor: &Visitor, section: Section) -> Markup {
    let open: Vec<Section> = SECTIONS.into_iter().filter(|this| visitor.may_open(*this)).collect();
    let (row, rest) = open.split_at_checked(MAX_IN_A_ROW).unwrap_or((open.as_slice(), &[]));
    // The inbox itself says what is unread, and says it as soon as it changes.
    let number = |this: Section| match this {
        Section::Delivery => parked(visitor.parked),
        Section::Inbox if section != Section::Inbox => unread(visitor.unread),
        _ => html! {},
    };
    let begins_group =
        |this: Section| open.iter().find(|other| other.group() == this.group()) == Some(&this) && this.group() != "";
    let link = |this: Section| {
        html! {
            @if begins_group(this) { span.group { (this.group()) } }
            a href=(this.path()) aria-current=[(this == section).then_some("page")] {
                // The script takes the first child as the name.
                (this.name())
                svg viewBox="0 0 24 24" aria-hidden="true" { path d=(this.sign()) {} }
                (number(this))
            }
        }
    };
    html! {
        nav.sections aria-label=(tr!("Sections")) {
            @for this in row { (link(*this)) }
            @if !rest.is_empty() {
                button.more type="button" popovertarget="more-sections" data-here[rest.contains(&section)] {
                    (tr!("More"))
                    @if rest.contains(&Section::Delivery) { (parked(visitor.parked)) }
                }
                div #more-sections popover { @for this in rest { (link(*this)) } }
            }
        }
    }
}

/// How many leads are parked, beside the section that says why.
fn parked(leads: usize) -> Markup {
    number("waiting", leads, MAX_PARKED, |leads, is_all| match is_all {
        true => tr!([leads] "{n} lead could not be imported." | "{n} leads could not be imported."),
        false => {
            tr!([leads] "More than {n} lead could not be imported." | "More than {n} leads could not be imported.")
        }
    })
}

/// How many conversations are unread, beside the inbox.
fn unread(conversations: usize) -> Markup {
    number("unread", conversations, MAX_UNREAD, |conversations, is_all| match is_all {
        true => tr!([conversations] "{n} unread conversation" | "{n} unread conversations"),
        false => tr!([conversations] "More than {n} unread conversation" | "More than {n} unread conversations"),
    })
}

/// A number beside a section, of which `limit` were counted at most, and what it is in words.
fn number(kind: &str, number: usize, limit: usize, words: impl Fn(usize, bool) -> String) -> Markup {
    let is_all = number < limit;
    let shown = if is_all { number } else { limit - 1 };
    html! {
        @if number > 0 {
            @let words = words(shown, is_all);
            " " span class=(kind) title=(words) { (components::count(shown)) @if !is_all { "+" } span.hidden { " – " (words) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use leadwire::model::caller::Role;

    use super::*;
    use crate::session::tests::visitor;

    #[test]
    fn sections_stand_in_groups_with_what_waits_there() {
        let mut admin = visitor(Role::Admin, &[]);
        (admin.unread, admin.parked) = (3, MAX_PARKED);
        let shown = navigation(&admin, Section::Home).into_string();
        assert_eq!(shown.matches("class=\"group\"").count(), 2, "{shown}");
        assert!(shown.contains("3<span class=\"hidden\"> – 3 unread conversations"), "{shown}");
        assert_eq!(shown.matches("99+<span").count(), 2, "at the section, and at what leads there on a phone: {shown}");
        assert!(!navigation(&admin, Section::Inbox).into_string().contains("unread"), "the list says it");
        admin.unread = MAX_UNREAD;
        let shown = navigation(&admin, Section::Leads).into_string();
        assert!(shown.contains("9+<span class=\"hidden\"> – More than 9 unread"), "{shown}");
    }

    #[test]
    fn only_superadmins_find_the_operations() {
        let has = |role| navigation(&visitor(role, &[]), Section::Home).into_string().contains("href=\"/operations\"");
        assert!(has(Role::SuperAdmin) && !has(Role::Admin) && !has(Role::Moderator) && !has(Role::Other));
    }

    #[test]
    fn a_group_without_its_first_section_has_its_name() {
        let shown = navigation(&visitor(Role::Other, &[Permission::AdsManagement]), Section::Leads).into_string();
        let (before, after) = shown.split_once("Marketing</span>").unwrap();
        assert!(before.contains("/leads") && after.starts_with("<a href=\"/campaigns\""), "{shown}");
        assert!(!shown.contains("Manage") && !shown.contains("popover"), "{shown}");
    }
}
