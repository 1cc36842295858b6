//! Which campaign, ad set and ad belong together: arithmetic on running numbers instead of lists.
//!
//! The regular part comes first, with equally many ad sets per campaign and ads per ad set. The campaigns of lead forms
//! follow, each with two ad sets of two ads and one ad; forms may be added at any time. Ads that appear only in
//! insights ("ghosts") are numbered far above all others, and objects written through the API above those.

use std::ops::Range;

/// Campaign, ad set or ad. Meta's older names for them are campaign group, campaign and adgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Level {
    Campaign,
    AdSet,
    Ad,
}

impl Level {
    /// The spelling in parameters and filters.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::AdSet => "adset",
            Self::Ad => "ad",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Campaign, Self::AdSet, Self::Ad].into_iter().find(|level| level.name() == name)
    }
}

/// The number of the first ghost. The numbers of the other ads stay below it.
pub(crate) const FIRST_GHOST: u32 = 90_000_000;

/// The number of the first object on each level that was written through the API.
pub(crate) const FIRST_WRITTEN: u32 = 95_000_000;

/// The campaign of a lead form. Ids and names are the form's.
#[derive(Debug, Clone)]
pub(crate) struct FormCampaign {
    pub(crate) campaign: Named,
    pub(crate) adsets: [Named; 2],
    pub(crate) ads: [Named; 3],
    pub(crate) form_id: String,
    pub(crate) page_id: String,
    pub(crate) created_ms: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// The shape of an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    campaigns: u32,
    adsets_each: u32,
    ads_each: u32,
    forms: Vec<FormCampaign>,
    /// The ad set of each ghost.
    ghosts: Vec<u32>,
    written_campaigns: u32,
    /// The campaign of each written ad set.
    written_adsets: Vec<u32>,
    /// The ad set of each written ad.
    written_ads: Vec<u32>,
}

impl Tree {
    pub(crate) fn new(campaigns: u32, adsets_each: u32, ads_each: u32) -> Self {
        Self { campaigns, adsets_each, ads_each, ..Self::default() }
    }

    pub(crate) fn add_form(&mut self, form: FormCampaign) {
        self.forms.push(form);
    }

    /// Adds a ghost to an ad set and returns its number.
    pub(crate) fn add_ghost(&mut self, adset: u32) -> u32 {
        self.ghosts.push(adset);
        FIRST_GHOST + number(self.ghosts.len()) - 1
    }

    /// Adds a written object below its parent and returns its number. A campaign's parent is ignored.
    pub(crate) fn add_written(&mut self, level: Level, parent: u32) -> u32 {
        let count = match level {
            Level::Campaign => {
                self.written_campaigns += 1;
                self.written_campaigns
            }
            Level::AdSet => {
                self.written_adsets.push(parent);
                number(self.written_adsets.len())
            }
            Level::Ad => {
                self.written_ads.push(parent);
                number(self.written_ads.len())
            }
        };
        FIRST_WRITTEN + count - 1
    }

    /// The written objects of a level below an object, or in the whole account, oldest first.
    pub(crate) fn written(&self, above: Option<(Level, u32)>, level: Level) -> Vec<u32> {
        let count = match level {
            Level::Campaign => self.written_campaigns,
            Level::AdSet => number(self.written_adsets.len()),
            Level::Ad => number(self.written_ads.len()),
        };
        let belongs = |index: &u32| match above {
            None => true,
            Some((Level::Campaign, campaign)) if level == Level::AdSet => self.campaign_of(*index) == campaign,
            Some((above, object)) if level == Level::Ad => self.above(*index, above) == object,
            Some((_, object)) => *index == object,
        };
        (FIRST_WRITTEN..FIRST_WRITTEN + count).filter(belongs).collect()
    }

    fn regular_adsets(&self) -> u32 {
        self.campaigns * self.adsets_each
    }

    fn regular_ads(&self) -> u32 {
        self.regular_adsets() * self.ads_each
    }

    /// The number of objects on a level, excluding ghosts and written objects.
    pub(crate) fn count(&self, level: Level) -> u32 {
        let forms = number(self.forms.len());
        match level {
            Level::Campaign => self.campaigns + forms,
            Level::AdSet => self.regular_adsets() + 2 * forms,
            Level::Ad => self.regular_ads() + 3 * forms,
        }
    }

    pub(crate) fn adset_of(&self, ad: u32) -> u32 {
        if let Some(written) = ad.checked_sub(FIRST_WRITTEN) {
            return self.written_ads.get(usize_of(written)).copied().unwrap_or_default();
        }
        if ad >= FIRST_GHOST {
            return self.ghosts.get(usize_of(ad - FIRST_GHOST)).copied().unwrap_or_default();
        }
        match ad.checked_sub(self.regular_ads()) {
            Some(beyond) => self.regular_adsets() + beyond / 3 * 2 + beyond % 3 / 2,
            None => ad / self.ads_each.max(1),
        }
    }

    pub(crate) fn campaign_of(&self, adset: u32) -> u32 {
        if let Some(written) = adset.checked_sub(FIRST_WRITTEN) {
            return self.written_adsets.get(usize_of(written)).copied().unwrap_or_default();
        }
        match adset.checked_sub(self.regular_adsets()) {
            Some(beyond) => self.campaigns + beyond / 2,
            None => adset / self.adsets_each.max(1),
        }
    }

    pub(crate) fn adsets_of(&self, campaign: u32) -> Range<u32> {
        match campaign.checked_sub(self.campaigns) {
            Some(beyond) => {
                let first = self.regular_adsets() + 2 * beyond;
                first..first + 2
            }
            None => campaign * self.adsets_each..(campaign + 1) * self.adsets_each,
        }
    }

    /// The ads of an ad set, excluding ghosts.
    pub(crate) fn ads_of(&self, adset: u32) -> Range<u32> {
        match adset.checked_sub(self.regular_adsets()) {
            Some(beyond) => {
                let first = self.regular_ads() + beyond / 2 * 3;
                if beyond % 2 == 0 { first..first + 2 } else { first + 2..first + 3 }
            }
            None => adset * self.ads_each..(adset + 1) * self.ads_each,
        }
    }

    /// All objects of a lower level that belong to an object, excluding ghosts and written objects; the object itself on
    /// its own level. Empty for a written object, which has no delivery.
    pub(crate) fn below(&self, level: Level, index: u32, lower: Level) -> Range<u32> {
        if index >= FIRST_WRITTEN {
            return 0..0;
        }
        match (level, lower) {
            (Level::Campaign, Level::AdSet) => self.adsets_of(index),
            (Level::Campaign, Level::Ad) => {
                let adsets = self.adsets_of(index);
                let last = self.ads_of(adsets.end.saturating_sub(1));
                self.ads_of(adsets.start).start..last.end
            }
            (Level::AdSet, Level::Ad) => self.ads_of(index),
            _ => index..index + 1,
        }
    }

    /// The object of a higher level that an ad belongs to; the ad itself on its own level.
    pub(crate) fn above(&self, ad: u32, level: Level) -> u32 {
        match level {
            Level::Ad => ad,
            Level::AdSet => self.adset_of(ad),
            Level::Campaign => self.campaign_of(self.adset_of(ad)),
        }
    }

    pub(crate) fn ghosts(&self) -> Range<u32> {
        FIRST_GHOST..FIRST_GHOST + number(self.ghosts.len())
    }

    /// The lead form's campaign to which an object belongs.
    pub(crate) fn form(&self, level: Level, index: u32) -> Option<&FormCampaign> {
        let campaign = match level {
            Level::Campaign => index,
            Level::AdSet => self.campaign_of(index),
            Level::Ad => self.campaign_of(self.adset_of(index)),
        };
        self.forms.get(usize_of(campaign.checked_sub(self.campaigns)?))
    }

    /// The id and name of an object of a lead form.
    pub(crate) fn named(&self, level: Level, index: u32) -> Option<&Named> {
        if index >= FIRST_GHOST {
            return None;
        }
        let form = self.form(level, index)?;
        match level {
            Level::Campaign => Some(&form.campaign),
            Level::AdSet => form.adsets.get(usize_of(index.checked_sub(self.regular_adsets())? % 2)),
            Level::Ad => form.ads.get(usize_of(index.checked_sub(self.regular_ads())? % 3)),
        }
    }

    /// The level and number of an object of a lead form.
    pub(crate) fn find_named(&self, id: &str) -> Option<(Level, u32)> {
        self.forms.iter().zip(0_u32..).find_map(|(form, at)| {
            if form.campaign.id == id {
                return Some((Level::Campaign, self.campaigns + at));
            }
            let adset = form.adsets.iter().zip(0_u32..).find(|(named, _)| named.id == id);
            if let Some((_, place)) = adset {
                return Some((Level::AdSet, self.regular_adsets() + 2 * at + place));
            }
            let ad = form.ads.iter().zip(0_u32..).find(|(named, _)| named.id == id);
            ad.map(|(_, place)| (Level::Ad, self.regular_ads() + 3 * at + place))
        })
    }

    /// Whether the object exists. Ghosts do.
    pub(crate) fn contains(&self, level: Level, index: u32) -> bool {
        index < self.count(level) || (level == Level::Ad && self.ghosts().contains(&index))
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{FormCampaign, Level, Named, Tree};

    fn named(id: &str) -> Named {
        Named { id: id.to_owned(), name: format!("name of {id}") }
    }

    fn tree() -> Tree {
        let mut tree = Tree::new(3, 2, 4);
        for form in ["x", "y"] {
            let id = |part: &str| named(&format!("{form}{part}"));
            tree.add_form(FormCampaign {
                campaign: id("c"),
                adsets: [id("s1"), id("s2")],
                ads: [id("a1"), id("a2"), id("a3")],
                form_id: form.to_owned(),
                page_id: String::new(),
                created_ms: 0,
            });
        }
        tree
    }

    #[test]
    fn going_down_and_up_again_arrives_where_it_began() {
        let tree = tree();
        assert_eq!([Level::Campaign, Level::AdSet, Level::Ad].map(|level| tree.count(level)), [5, 10, 30]);
        let mut seen = Vec::new();
        for campaign in 0..5 {
            let all: Vec<u32> = tree.below(Level::Campaign, campaign, Level::Ad).collect();
            let mut one_by_one = Vec::new();
            for adset in tree.adsets_of(campaign) {
                assert_eq!(tree.campaign_of(adset), campaign);
                for ad in tree.ads_of(adset) {
                    assert_eq!((tree.adset_of(ad), tree.above(ad, Level::Campaign)), (adset, campaign));
                    one_by_one.push(ad);
                }
            }
            assert_eq!(all, one_by_one);
            seen.extend(all);
        }
        assert_eq!(seen, (0..30).collect::<Vec<_>>());
    }

    #[test]
    fn objects_of_forms_are_found_by_id() {
        let tree = tree();
        for (level, index, id) in [(Level::Campaign, 4, "yc"), (Level::AdSet, 7, "xs2"), (Level::Ad, 29, "ya3")] {
            assert_eq!(tree.find_named(id), Some((level, index)));
            assert_eq!(tree.named(level, index).unwrap().id, id);
        }
        assert!(tree.named(Level::Ad, 23).is_none() && tree.find_named("z").is_none());
    }

    #[test]
    fn ghosts_belong_to_an_ad_set_and_to_no_list() {
        let mut tree = tree();
        let ghost = tree.add_ghost(5);
        assert_eq!((tree.adset_of(ghost), tree.above(ghost, Level::Campaign)), (5, 2));
        assert_eq!(tree.count(Level::Ad), 30);
        assert!(tree.contains(Level::Ad, ghost) && !tree.contains(Level::Ad, ghost + 1));
    }
}
