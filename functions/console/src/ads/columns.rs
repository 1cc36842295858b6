//! Which columns a table of ads shows: the usual ones, or those that the reader chose. They are in the address, like filters.

use leadwire::tr;
use maud::{Markup, html};

use crate::request::ListQuery;

/// What the parameter of a chosen column begins with.
const PREFIX: &str = "col.";

impl ListQuery {
    /// Whether a table shows this column: if the reader chose it, or chose none and it is a usual one.
    pub(super) fn shows_column(&self, name: &str, usual: &[&str]) -> bool {
        if self.beginning_with(PREFIX).next().is_none() {
            return usual.contains(&name);
        }
        self.get(&format!("{PREFIX}{name}")).is_some()
    }

    /// The chosen columns as fields of a form that chooses something else.
    pub(super) fn column_fields(&self) -> Markup {
        html! { @for (name, value) in self.beginning_with(PREFIX) { input type="hidden" name=(name) value=(value); } }
    }

    /// The menu that chooses columns, by name and heading.
    pub(super) fn column_menu<'a>(
        &self,
        path: &str,
        columns: impl Iterator<Item = (&'a str, &'a str)>,
        usual: &[&str],
    ) -> Markup {
        let chosen: Vec<(&str, &str)> = self.beginning_with(PREFIX).map(|(name, _)| (name, "")).collect();
        html! {
            details.menu.filter-menu {
                summary.button { (tr!("Columns")) }
                form method="get" action=(path) aria-label=(tr!("Choose columns")) {
                    @for (name, value) in self.beginning_with("").filter(|(name, _)| !name.starts_with(PREFIX)) { input type="hidden" name=(name) value=(value); }
                    @for (name, heading) in columns {
                        label.tick { input type="checkbox" name={ (PREFIX) (name) } value="yes" checked[self.shows_column(name, usual)]; (heading) }
                    }
                    div.acts { button.primary { (tr!("Show")) } a.button.plain href=(self.at(path, &chosen)) { (tr!("Usual columns")) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_columns_are_shown_until_others_are_chosen() {
        let usual = ["spend", "leads"];
        let query = ListQuery::new([("since", "2026-01-01")].into_iter());
        assert!(query.shows_column("spend", &usual) && !query.shows_column("ctr", &usual));
        let query = ListQuery::new([("since", "2026-01-01"), ("col.ctr", "yes")].into_iter());
        assert!(query.shows_column("ctr", &usual) && !query.shows_column("spend", &usual));
        assert_eq!(query.column_fields().into_string(), "<input type=\"hidden\" name=\"col.ctr\" value=\"yes\">");
        let menu =
            query.column_menu("/ads/report", [("spend", "Spend"), ("ctr", "CTR")].into_iter(), &usual).into_string();
        assert!(
            menu.contains("name=\"since\" value=\"2026-01-01\"")
                && menu.contains("href=\"/ads/report?since=2026-01-01\""),
            "{menu}"
        );
        assert_eq!(menu.matches(" checked").count(), 1, "{menu}");
    }
}
