//! Action-like fields: lists of `{action_type, value, …}`.
//!
//! The action types overlap, as Meta's do: one lead of an instant form is a `lead`, an
//! `onsite_conversion.lead_grouped` and a `leadgen_grouped`; one of the website is a `lead`, an
//! `offsite_conversion.fb_pixel_lead`, an `onsite_web_lead` and perhaps a custom conversion. Who adds them up counts
//! people twice and more.

use serde_json::{Map, Value, json};

use crate::graph::error::GraphError;
use crate::world::ads::counts::Counts;

/// A window of attribution, whose share of each action is asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    Click1d,
    Click7d,
    Click28d,
    View1d,
    /// Known, and without numbers: `7d_view` and `28d_view` since January 2026, others on these ads.
    Empty,
}

impl Window {
    /// # Errors
    /// 100 for what is no window.
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
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Action {
    pub(super) name: ActionName,
    click_1d: i64,
    click_7d: i64,
    view: i64,
}

/// The type of an action.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum ActionName {
    #[default]
    Unnamed,
    Plain(&'static str),
    /// The account's custom conversion.
    Custom,
}

impl Action {
    /// Everything that happened right after a click.
    fn clicked(name: &'static str, number: i64) -> Self {
        Self { name: ActionName::Plain(name), click_1d: number, click_7d: number, view: 0 }
    }

    pub(super) fn value(self) -> i64 {
        self.click_7d + self.view
    }

    /// The type in words; `custom` is the account's conversion.
    pub(super) fn type_name(self, custom: u64) -> String {
        match self.name {
            ActionName::Unnamed => String::new(),
            ActionName::Plain(name) => name.to_owned(),
            ActionName::Custom => format!("offsite_conversion.custom.{custom}"),
        }
    }

    fn within(self, window: Window) -> Option<(&'static str, i64)> {
        match window {
            Window::Click1d => Some(("1d_click", self.click_1d)),
            Window::Click7d => Some(("7d_click", self.click_7d)),
            Window::Click28d => Some(("28d_click", self.click_7d)),
            Window::View1d => Some(("1d_view", self.view)),
            Window::Empty => None,
        }
    }
}

/// All actions of a row that happened at all.
pub(super) fn actions(counts: &Counts) -> Vec<Action> {
    let named =
        |name, [click_1d, click_7d, view]: [i64; 3]| Action { name: ActionName::Plain(name), click_1d, click_7d, view };
    let meta = [counts.meta_leads_1d, counts.meta_leads_7d, counts.meta_leads_view];
    let web = [counts.web_leads_1d, counts.web_leads_7d, counts.web_leads_view];
    let custom = [counts.custom_1d, counts.custom_7d, counts.custom_view];
    let bought = [counts.purchases_1d, counts.purchases_7d, counts.purchases_view];
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
        named("lead", leads),
        named("onsite_conversion.lead_grouped", meta),
        named("leadgen_grouped", meta),
        named("offsite_conversion.fb_pixel_lead", web),
        named("onsite_web_lead", web),
        named("offsite_conversion.fb_pixel_custom", custom),
        Action { name: ActionName::Custom, ..named("", custom) },
        named("purchase", bought),
        named("omni_purchase", bought),
        named("offsite_conversion.fb_pixel_purchase", bought),
        named("onsite_web_purchase", bought),
        named("web_in_store_purchase", bought),
    ];
    all.into_iter().filter(|action| action.value() != 0).collect()
}

/// Views of three seconds.
pub(super) fn video_views(counts: &Counts) -> i64 {
    counts.video_hundreds * 35
}

/// `{action_type, value, …}` with the shares of the windows asked for.
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
            meta_leads_1d: 1,
            meta_leads_7d: 2,
            web_leads_7d: 1,
            web_leads_view: 1,
            custom_7d: 1,
            custom_view: 1,
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
