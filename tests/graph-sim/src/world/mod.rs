//! The state behind the API: people, pages, forms, leads, tokens. Contains no HTTP.
//!
//! The state is one value behind one mutex. Every method is quick and none blocks.

pub(crate) mod ad_account;
pub(crate) mod ads;
pub(crate) mod app;
pub(crate) mod content;
pub(crate) mod dataset;
pub(crate) mod form;
pub(crate) mod ids;
pub(crate) mod inbox;
pub(crate) mod instagram;
pub(crate) mod invent;
pub(crate) mod lead;
pub(crate) mod names;
pub(crate) mod page;
pub(crate) mod person;
pub(crate) mod scope;
pub(crate) mod session;
pub(crate) mod standard_question;
pub(crate) mod storm;
pub(crate) mod submit;
pub(crate) mod system_user;
pub(crate) mod token;
pub(crate) mod web;
pub(crate) mod writing;

use std::collections::{BTreeMap, HashMap};

use self::ad_account::AdAccount;
use self::app::{App, Mode};
use self::content::Content;
use self::dataset::Dataset;
use self::form::{Ad, Form};
use self::ids::Ids;
use self::inbox::Inbox;
use self::instagram::Instagram;
use self::lead::Lead;
use self::page::Page;
use self::person::{Business, User};
use self::token::{Grant, LoginCode, Token};
use self::web::Web;
use self::writing::Writing;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::limit::Limits;
use crate::options::Options;
use crate::report::Reports;
use crate::seed;
use crate::stats::Stats;
use crate::usage::Usage;
use crate::webhook::outbox::Outbox;

/// The whole state of the simulator.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    /// Without a trailing slash.
    pub(crate) public_url: String,
    pub(crate) numeric_webhook_ids: bool,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) app: App,
    /// People and system users.
    pub(crate) users: Vec<User>,
    pub(crate) pages: BTreeMap<String, Page>,
    pub(crate) businesses: Vec<Business>,
    pub(crate) ad_accounts: Vec<AdAccount>,
    pub(crate) datasets: Vec<Dataset>,
    pub(crate) forms: BTreeMap<String, Form>,
    leads: HashMap<String, Lead>,
    /// Lead ids by form, in order of submission.
    leads_of_form: HashMap<String, Vec<String>>,
    pub(crate) tokens: HashMap<String, Token>,
    /// The page token derived from a user token, by both ids. Reading a page twice returns the same token.
    page_token_of: HashMap<(String, String), String>,
    /// By user id. The grant of a system user is stored in each of its tokens instead.
    pub(crate) grants: HashMap<String, Grant>,
    pub(crate) codes: HashMap<String, LoginCode>,
    /// What pages publish.
    pub(crate) content: Content,
    /// Instagram accounts and what they publish.
    pub(crate) instagram: Instagram,
    /// What people write, and WhatsApp accounts.
    pub(crate) inbox: Inbox,
    /// What the addresses given to Meta return.
    pub(crate) web: Web,
    pub(crate) ids: Ids,
    pub(crate) outbox: Outbox,
    pub(crate) faults: Faults,
    pub(crate) usage: Usage,
    pub(crate) limits: Limits,
    pub(crate) reports: Reports,
    pub(crate) writing: Writing,
    pub(crate) stats: Stats,
    /// Number of resets. Work that began before a reset is discarded after it.
    pub(crate) resets: u64,
}

impl World {
    /// Creates the seed world with the app configured by the options.
    pub(crate) fn new(options: &Options, public_url: String) -> Self {
        let app = App {
            id: options.app_id.clone(),
            secret: options.app_secret.clone(),
            name: seed::APP_NAME.to_owned(),
            verify_token: options.verify_token.clone(),
            require_proof: options.require_proof,
            mode: Mode::Live,
            is_new: true,
            deauthorize_url: options.deauthorize_url.clone(),
            deletion_url: options.deletion_url.clone(),
            login_configurations: seed::login_configurations(),
            subscriptions: BTreeMap::new(),
        };
        let mut world = Self {
            clock: Clock::default(),
            public_url,
            numeric_webhook_ids: options.numeric_webhook_ids,
            redirect_uris: options.redirect_uris.clone(),
            app,
            users: Vec::new(),
            pages: BTreeMap::new(),
            businesses: Vec::new(),
            ad_accounts: Vec::new(),
            datasets: Vec::new(),
            forms: BTreeMap::new(),
            leads: HashMap::new(),
            leads_of_form: HashMap::new(),
            tokens: HashMap::new(),
            page_token_of: HashMap::new(),
            grants: HashMap::new(),
            codes: HashMap::new(),
            content: Content::default(),
            instagram: Instagram::default(),
            inbox: Inbox::default(),
            web: Web::default(),
            ids: Ids::new(),
            outbox: Outbox::default(),
            faults: Faults::default(),
            usage: Usage::default(),
            limits: Limits::default(),
            reports: Reports::default(),
            writing: Writing::default(),
            stats: Stats::default(),
            resets: 0,
        };
        seed::plant(&mut world);
        world
    }

    /// Returns to the seed world and live mode. The app keeps its credentials, addresses and callback subscriptions.
    /// The id source continues, so that no lead id or person is repeated to a client that remembers the first one.
    pub(crate) fn reset(&mut self) {
        self.app.mode = Mode::Live;
        self.app.is_new = true;
        self.clock = Clock::default();
        self.users.clear();
        self.pages.clear();
        self.businesses.clear();
        self.ad_accounts.clear();
        self.datasets.clear();
        self.forms.clear();
        self.leads.clear();
        self.leads_of_form.clear();
        self.tokens.clear();
        self.page_token_of.clear();
        self.grants.clear();
        self.codes.clear();
        self.content = Content::default();
        self.instagram = Instagram::default();
        self.inbox = Inbox::default();
        self.web = Web::default();
        self.outbox = Outbox::default();
        self.faults = Faults::default();
        self.usage = Usage::default();
        self.limits = Limits::default();
        self.reports = Reports::default();
        self.writing = Writing::default();
        self.stats = Stats::default();
        self.resets += 1;
        seed::plant(self);
    }

    pub(crate) fn user(&self, user_id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == user_id)
    }

    /// The users who can log in.
    pub(crate) fn people(&self) -> impl Iterator<Item = &User> {
        self.users.iter().filter(|user| !user.is_system())
    }

    pub(crate) fn system_users(&self) -> impl Iterator<Item = &User> {
        self.users.iter().filter(|user| user.is_system())
    }

    pub(crate) fn business(&self, business_id: &str) -> Option<&Business> {
        self.businesses.iter().find(|business| business.id == business_id)
    }

    pub(crate) fn forms_of_page(&self, page_id: &str) -> impl Iterator<Item = &Form> {
        self.forms.values().filter(move |form| form.page_id == page_id)
    }

    /// The ad and its form: an ad's leads are leads of that form.
    pub(crate) fn ad(&self, ad_id: &str) -> Option<(&Form, &Ad)> {
        self.forms.values().find_map(|form| form.ad(ad_id).map(|ad| (form, ad)))
    }

    /// A lead, whether readable or not.
    pub(crate) fn lead(&self, lead_id: &str) -> Option<&Lead> {
        self.leads.get(lead_id)
    }

    pub(crate) fn lead_mut(&mut self, lead_id: &str) -> Option<&mut Lead> {
        self.leads.get_mut(lead_id)
    }

    /// Whether the app's mode lets it see a lead. In development mode it sees only test leads.
    pub(crate) fn shows_lead(&self, lead: &Lead) -> bool {
        self.app.mode == Mode::Live || lead.test
    }

    /// All leads of a form in order of submission, whether readable or not.
    pub(crate) fn leads_of_form(&self, form_id: &str) -> impl Iterator<Item = &Lead> {
        self.leads_of_form.get(form_id).into_iter().flatten().filter_map(|id| self.leads.get(id))
    }

    pub(crate) fn insert_lead(&mut self, lead: Lead) {
        self.leads_of_form.entry(lead.form_id.clone()).or_default().push(lead.id.clone());
        self.leads.insert(lead.id.clone(), lead);
    }

    pub(crate) fn remove_lead(&mut self, lead_id: &str) -> Option<Lead> {
        let lead = self.leads.remove(lead_id)?;
        if let Some(ids) = self.leads_of_form.get_mut(&lead.form_id) {
            ids.retain(|id| id != lead_id);
        }
        Some(lead)
    }

    /// The number of leads of a page: the base of its lead-reading quota. Meta counts the last 90 days; a simulated
    /// world is rarely older.
    pub(crate) fn lead_count_of_page(&self, page_id: &str) -> usize {
        self.forms_of_page(page_id).filter_map(|form| self.leads_of_form.get(&form.id)).map(Vec::len).sum()
    }
}
