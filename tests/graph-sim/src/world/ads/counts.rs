//! The metrics of an ad on a day, and how those of several ads and days combine.

/// Declares counts that simply add up.
macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counts that add up over ads and days.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub(crate) struct Counts {
            $($(#[$doc])* pub(crate) $name: i64,)*
        }

        impl Counts {
            pub(crate) fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }

            /// Replaces each count.
            pub(crate) fn each(&mut self, mut change: impl FnMut(i64) -> i64) {
                $(self.$name = change(self.$name);)*
            }
        }
    };
}

counts! {
    impressions,
    link_clicks,
    /// Clicks on the ad, but not on its link.
    other_clicks,
    outbound_clicks,
    landing_page_views,
    reactions,
    comments,
    /// In the smallest currency unit, like all money in this module.
    spend,
    /// Video plays in hundredths of a play, so that shares of them (half watched, watched to the end) stay whole
    /// numbers and add up.
    video_hundreds,
    messaging,
    purchase_value,
    /// Leads from Meta's own forms: within a day after a click, later within seven days, and within a day after a view.
    meta_leads_day,
    meta_leads_week,
    meta_leads_view,
    /// Leads on the website, in the same three windows.
    web_leads_day,
    web_leads_week,
    web_leads_view,
    /// Further leads on the website, which also count as the account's custom conversion.
    custom_leads_day,
    custom_leads_week,
    custom_leads_view,
    purchases_day,
    purchases_week,
    purchases_view,
}

/// Events of one kind by the preceding click or view: within a day after a click, later within seven days, within a day
/// after a view.
pub(crate) type Windows = [i64; 3];

impl Counts {
    /// All clicks, including those on links.
    pub(crate) fn clicks(&self) -> i64 {
        self.link_clicks + self.other_clicks
    }

    pub(crate) fn meta_leads(&self) -> Windows {
        [self.meta_leads_day, self.meta_leads_week, self.meta_leads_view]
    }

    /// Leads on the website, including custom conversions.
    pub(crate) fn web_leads(&self) -> Windows {
        let [day, week, view] = self.custom_leads();
        [self.web_leads_day + day, self.web_leads_week + week, self.web_leads_view + view]
    }

    pub(crate) fn custom_leads(&self) -> Windows {
        [self.custom_leads_day, self.custom_leads_week, self.custom_leads_view]
    }

    pub(crate) fn purchases(&self) -> Windows {
        [self.purchases_day, self.purchases_week, self.purchases_view]
    }

    /// All leads. Each counts once, however many action types report it.
    pub(crate) fn leads(&self) -> i64 {
        in_all(self.meta_leads()) + in_all(self.web_leads())
    }
}

/// The sum over all attribution windows.
pub(crate) fn in_all([day, week, view]: Windows) -> i64 {
    day + week + view
}

/// A number of distinct people. Each ad and day knows only its own people, so a combined number is less than the sum
/// and at least the largest part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct People {
    sum: i64,
    largest: i64,
}

impl People {
    pub(crate) fn of(number: i64) -> Self {
        Self { sum: number, largest: number }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.sum += other.sum;
        if other.largest > self.largest {
            self.largest = other.largest;
        }
    }

    pub(crate) fn number(self) -> i64 {
        self.largest + (self.sum - self.largest) * 3 / 5
    }
}

/// All metrics of an ad on one or several days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Metrics {
    pub(crate) counts: Counts,
    pub(crate) reach: People,
    /// The people who clicked.
    pub(crate) clickers: People,
}

impl Metrics {
    pub(crate) fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.reach.add(other.reach);
        self.clickers.add(other.clickers);
    }

    /// Whether nothing was delivered and nothing happened. There is no row then.
    pub(crate) fn is_empty(&self) -> bool {
        self.counts == Counts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::People;

    #[test]
    fn people_are_counted_once_whatever_the_order() {
        let together = |numbers: &[i64]| {
            let mut people = People::default();
            for number in numbers {
                people.add(People::of(*number));
            }
            people.number()
        };
        assert_eq!(together(&[100]), 100);
        assert_eq!(together(&[100, 50]), 130);
        assert_eq!(together(&[50, 100, 0]), 130);
    }
}
