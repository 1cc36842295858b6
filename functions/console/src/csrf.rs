//! Protection against forged forms: each form contains a signature for its session.

use leadwire::secret::HmacKey;

/// Name of the form field that contains the signature.
pub(crate) const CSRF_FIELD: &str = "form_key";

/// What the proof of a form signs: this session, and the org that it acts for now. A page that was opened before
/// another org was selected cannot act on that org.
#[derive(Clone)]
pub(crate) struct FormScope(String);

impl FormScope {
    /// The scope of the forms of a session while it acts for an org.
    pub(crate) fn new(session_secret: &str, org: &str) -> Self {
        Self(format!("form of {session_secret} for {org}"))
    }

    /// The signature that a form of this scope contains.
    pub(crate) fn sign(&self, key: &HmacKey) -> String {
        hex::encode(key.sign(self.0.as_bytes()))
    }

    pub(crate) fn is_proven_by(&self, proof: &str, key: &HmacKey) -> bool {
        hex::decode(proof).is_ok_and(|proof| key.verifies(self.0.as_bytes(), &proof))
    }
}
