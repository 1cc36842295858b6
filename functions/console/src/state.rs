//! What the pages share.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;
use leadwire::admin::Services;
use url::Url;

use crate::login::Door;

/// The state that the pages share.
#[derive(Clone)]
pub(crate) struct Console(Arc<Inside>);

pub(crate) struct Inside {
    pub(crate) services: Services,
    pub(crate) door: Door,
    pub(crate) public_url: Option<Url>,
    cookies: Key,
}

impl Console {
    pub(crate) fn new(services: Services, door: Door, public_url: Option<Url>) -> Self {
        // Two signatures of our own key have the length that a cookie key needs, and cannot be computed without it.
        let halves = [services.key.sign(b"console cookies 1"), services.key.sign(b"console cookies 2")];
        Self(Arc::new(Inside { cookies: Key::from(&halves.concat()), services, door, public_url }))
    }
}

impl Deref for Console {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl FromRef<Console> for Key {
    fn from_ref(console: &Console) -> Self {
        console.cookies.clone()
    }
}
