//! Datasets and the conversion events that they received.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::World;

/// A dataset (`AdsPixel`).
#[derive(Debug, Clone)]
pub(crate) struct Dataset {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether it was made for the events of a CRM. Others take them too.
    pub(crate) is_crm: bool,
    /// The business that owns it; absent for one of a personal ad account.
    pub(crate) owner: Option<String>,
    /// The ad accounts, without `act_`, that use it.
    pub(crate) ad_accounts: BTreeSet<String>,
    /// In the order of their first arrival, each event once.
    pub(crate) events: Vec<ConversionEvent>,
    /// The place of each event by its name and id.
    known: HashMap<(String, String), usize>,
    pub(crate) last_fired_ms: Option<i64>,
}

/// A conversion event. What arrives again with the same name and id is the same event.
#[derive(Debug, Clone)]
pub(crate) struct ConversionEvent {
    pub(crate) name: String,
    /// Absent if the client sent none. Such an event is never the same as another.
    pub(crate) event_id: Option<String>,
    /// The event as it arrived first.
    pub(crate) body: Map<String, Value>,
    pub(crate) test_event_code: Option<String>,
    /// Why Meta counts it and does nothing with it.
    pub(crate) ignored: Option<&'static str>,
    /// How often it arrived.
    pub(crate) times: u32,
    pub(crate) received_ms: i64,
}

impl Dataset {
    /// Adds an event, or counts it if it is known.
    pub(crate) fn take(&mut self, event: ConversionEvent) {
        self.last_fired_ms = Some(event.received_ms);
        if let Some(id) = event.event_id.clone() {
            let place = *self.known.entry((event.name.clone(), id)).or_insert(self.events.len());
            if let Some(known) = self.events.get_mut(place) {
                known.times += 1;
                return;
            }
        }
        self.events.push(event);
    }
}

impl World {
    pub(crate) fn dataset(&self, id: &str) -> Option<&Dataset> {
        self.datasets.iter().find(|dataset| dataset.id == id)
    }

    pub(crate) fn dataset_mut(&mut self, id: &str) -> Option<&mut Dataset> {
        self.datasets.iter_mut().find(|dataset| dataset.id == id)
    }

    /// Adds the dataset that an ad account uses for its website. Its id is the account's with another first digit.
    pub(crate) fn open_pixel(&mut self, account_id: &str, name: &str, owner: Option<&str>) {
        let id = format!("2{}", account_id.get(1..).unwrap_or_default());
        self.open_dataset(id, format!("{name} website"), false, owner, [account_id.to_owned()].into());
    }

    /// Adds a business's dataset for its CRM, which its ad accounts use. Its id is the business's with another first
    /// digit.
    pub(crate) fn open_crm_dataset(&mut self, business_id: &str, name: &str) {
        let accounts = self.business(business_id).map(|it| it.ad_accounts().cloned().collect()).unwrap_or_default();
        let id = format!("8{}", business_id.get(1..).unwrap_or_default());
        self.open_dataset(id, format!("{name} CRM"), true, Some(business_id), accounts);
    }

    fn open_dataset(
        &mut self,
        id: String,
        name: String,
        is_crm: bool,
        owner: Option<&str>,
        ad_accounts: BTreeSet<String>,
    ) {
        let owner = owner.map(str::to_owned);
        let (events, known) = (Vec::new(), HashMap::new());
        self.datasets.push(Dataset { id, name, is_crm, owner, ad_accounts, events, known, last_fired_ms: None });
    }
}
