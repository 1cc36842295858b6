//! The keys of the console. The script shows this list in a dialog, too.

use std::borrow::Cow;

use leadwire::model::org::Permission;
use leadwire::tr;
use maud::{Markup, html};

use crate::session::Visitor;

/// A combination of keys, and what it does.
type Key = (Cow<'static, str>, Cow<'static, str>);

/// Lists the keys by where they work. The script shows the switch: without it, no key does anything.
pub(crate) fn section(visitor: &Visitor) -> Markup {
    let ctrl = |key: &str| Cow::Owned(format!("{} {key}", tr!("Ctrl")));
    let everywhere: [Key; 3] = [
        (ctrl("K"), tr!("Search")),
        ("?".into(), tr!("Keyboard shortcuts")),
        ("Esc".into(), tr!("Close what is open")),
    ];
    let sections = [
        (visitor.is_admin(), "g h", tr!("Home")),
        (true, "g l", tr!("Leads")),
        (visitor.may(Permission::Inbox), "g i", tr!("Inbox")),
        (visitor.may(Permission::Publishing), "g p", tr!("Posts")),
        (visitor.is_admin(), "g a", tr!("Ads")),
        (visitor.may(Permission::AdsManagement), "g c", tr!("Campaigns")),
    ];
    let sections: Vec<Key> =
        sections.into_iter().filter(|(may, ..)| *may).map(|(_, keys, name)| (keys.into(), name)).collect();
    let leads: [Key; 6] = [
        ("j k".into(), tr!("Next or previous lead")),
        ("Enter".into(), tr!("Open the lead")),
        ("x".into(), tr!("Select")),
        ("a".into(), tr!("Assign")),
        ("s".into(), tr!("Change status")),
        ("/".into(), tr!("Find")),
    ];
    let inbox: [Key; 7] = [
        ("j k".into(), tr!("Next or previous conversation")),
        ("x".into(), tr!("Select")),
        ("r".into(), tr!("Reply")),
        ("e".into(), tr!("Close or reopen")),
        ("u".into(), tr!("a verb" => "Mark as unread")),
        ("/".into(), tr!("Find")),
        (ctrl("Enter"), tr!("Send")),
    ];
    html! {
        section.card #keys {
            h2 { (tr!("Keyboard shortcuts")) }
            (group(&tr!("Everywhere"), &everywhere))
            (group(&tr!("Go to, one key after the other"), &sections))
            (group(&tr!("Leads"), &leads))
            @if visitor.may(Permission::Inbox) { (group(&tr!("Inbox"), &inbox)) }
            div hidden {
                label.tick { input type="checkbox" name="letters"; (tr!("Single-key shortcuts")) }
                p.quiet { (tr!("Turn them off if you dictate or often press keys by accident. Saved in this browser.")) }
            }
        }
    }
}

fn group(place: &str, keys: &[Key]) -> Markup {
    html! {
        h3 { (place) }
        dl.rows {
            @for (keys, does) in keys {
                div { dt { @for key in keys.split(' ') { kbd { (key) } " " } } dd { (does) } }
            }
        }
    }
}
