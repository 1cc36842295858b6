//! Action fields: lists of `{action_type, value, …}`.
//!
//! As at Meta, the action types overlap. One lead of an instant form counts as `lead`, `onsite_conversion.lead_grouped`
//! and `leadgen_grouped`. One lead of the website counts as `lead`, `offsite_conversion.fb_pixel_lead`,
//! `onsite_web_lead` and perhaps a custom conversion. A client that sums them counts people at least twice.

use serde_json::{Map, Value, json};

use crate::graph::error::GraphError;
use crate::world::ads::counts::{Counts, Windows, in_all};

/// An attribution window. Its share of each action is returned on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    Click1d,
    Click7d,
    Click28d,
    View1d,
    /// Known, but without numbers: `7d_view` and `28d_view` since January 2026, others for these ads.
    Empty,
}

impl Window {
    /// Parses the names of windows.
    ///
    /// # Errors
    /// Returns 100 for an unknown window.
    pub(super) fn list(names: &[String]) -> Result<Vec<Self>, GraphError> {
        let read = |(at, name): (usize, &String)| match name.as_str() {
            "1d_click" => Ok(Self::Click1d),
            "7d_click" => Ok(Self::Click7d),
            "28d_click" => Ok(Self::Click28d),
            "1d_view" => Ok(Self::View1d),
            "7d_view" | "28d_view" | "1d_ev" | "dda" | "default" => Ok(Self::Empty),
            name if name.starts_with("skan_") => Ok(Self::Empty),
            _ => Err(GraphError::invalid(format!(
                "(#100) action_attribution_windows[{at}] must be one of the following values: 1d_click, 1d_ev, 1d_view, \
                 28d_click, 28d_view, 7d_click, 7d_view, dda, default, skan_click, skan_view"
            ))),
        };
        names.iter().enumerate().map(read).collect()
    }
}

/// One action, by window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Action {
    name: ActionName,
    windows: Windows,
}

/// The type of an action.
#[derive(Debug, Clone, Copy)]
enum ActionName {
    Plain(&'static str),
    /// The account's custom conversion.
    Custom,
}

impl Action {
    fn new(name: &'static str, windows: Windows) -> Self {
        Self { name: ActionName::Plain(name), windows }
    }

    /// An action whose whole number falls within one day of the click.
    fn clicked(name: &'static str, number: i64) -> Self {
        Self::new(name, [number, 0, 0])
    }

    pub(super) fn value(self) -> i64 {
        in_all(self.windows)
    }

    /// Returns the action type. `custom` is the id of the account's custom conversion.
    pub(super) fn type_name(self, custom: u64) -> String {
        match self.name {
            ActionName::Plain(name) => name.to_owned(),
            ActionName::Custom => format!("offsite_conversion.custom.{custom}"),
        }
    }

    fn within(self, window: Window) -> Option<(&'static str, i64)> {
        let [day, week, view] = self.windows;
        match window {
            Window::Click1d => Some(("1d_click", day)),
            Window::Click7d => Some(("7d_click", day + week)),
            Window::Click28d => Some(("28d_click", day + week)),
            Window::View1d => Some(("1d_view", view)),
            Window::Empty => None,
        }
    }
}

/// Returns all actions of a row that are not zero.
pub(super) fn actions(counts: &Counts) -> Vec<Action> {
    let (meta, web, custom, bought) =
        (counts.meta_leads(), counts.web_leads(), counts.custom_leads(), counts.purchases());
    let leads = [meta[0] + web[0], meta[1] + web[1], meta[2] + web[2]];
    let views = video_views(counts);
    let engaged = counts.link_clicks + counts.reactions + counts.comments + views;
    let all = [
        Action::clicked("link_click", counts.link_clicks),
        Action::clicked("landing_page_view", counts.landing_page_views),
        Action::clicked("post_reaction", counts.reactions),
        Action::clicked("comment", counts.comments),
        Action::clicked("post_engagement", engaged),
        Action::clicked("page_engagement", engaged),
        Action::clicked("video_view", views),
        Action::clicked("onsite_conversion.messaging_conversation_started_7d", counts.messaging),
        Action::new("lead", leads),
        Action::new("onsite_conversion.lead_grouped", meta),
        Action::new("leadgen_grouped", meta),
        Action::new("offsite_conversion.fb_pixel_lead", web),
        Action::new("onsite_web_lead", web),
        Action::new("offsite_conversion.fb_pixel_custom", custom),
        Action { name: ActionName::Custom, windows: custom },
        Action::new("purchase", bought),
        Action::new("omni_purchase", bought),
        Action::new("offsite_conversion.fb_pixel_purchase", bought),
        Action::new("onsite_web_purchase", bought),
        Action::new("web_in_store_purchase", bought),
    ];
    all.into_iter().filter(|action| action.value() != 0).collect()
}

/// Returns the number of three-second views.
pub(super) fn video_views(counts: &Counts) -> i64 {
    counts.video_hundreds * 35
}

/// Renders `{action_type, value, …}` with the shares of the requested windows.
pub(super) fn stat(action: Action, custom: u64, windows: &[Window]) -> Value {
    let mut members = Map::new();
    members.insert("action_type".to_owned(), json!(action.type_name(custom)));
    members.insert("value".to_owned(), json!(action.value().to_string()));
    for (name, number) in windows.iter().filter_map(|window| action.within(*window)).filter(|(_, number)| *number != 0)
    {
        members.insert(name.to_owned(), json!(number.to_string()));
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Window, actions, stat};
    use crate::world::ads::counts::Counts;

    #[test]
    fn one_lead_has_several_names() {
        let counts = Counts {
            meta_leads_day: 1,
            meta_leads_week: 1,
            custom_leads_week: 1,
            custom_leads_view: 1,
            ..Counts::default()
        };
        let told: Vec<_> = actions(&counts).into_iter().map(|action| (action.type_name(9), action.value())).collect();
        let expected = [
            ("lead", 4),
            ("onsite_conversion.lead_grouped", 2),
            ("leadgen_grouped", 2),
            ("offsite_conversion.fb_pixel_lead", 2),
            ("onsite_web_lead", 2),
            ("offsite_conversion.fb_pixel_custom", 2),
            ("offsite_conversion.custom.9", 2),
        ];
        assert_eq!(told, expected.map(|(name, value)| (name.to_owned(), value)));
        let lead = stat(actions(&counts)[0], 9, &[Window::Click1d, Window::Click7d, Window::View1d, Window::Empty]);
        let expected = json!({"action_type": "lead", "value": "4", "1d_click": "1", "7d_click": "3", "1d_view": "1"});
        assert_eq!(lead, expected);
    }

    #[test]
    fn windows_that_were_taken_away_are_known_and_empty() {
        let list = |names: &[&str]| Window::list(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(
            list(&["7d_view", "28d_view", "1d_click"]).unwrap(),
            [Window::Empty, Window::Empty, Window::Click1d]
        );
        assert_eq!(list(&["inline"]).unwrap_err().code, 100);
    }
}
