//! Protection against forged forms: each form contains a signature for its session.

use leadwire::secret::HmacKey;

/// Name of the form field that contains the signature.
pub(crate) const CSRF_FIELD: &str = "form_key";

/// Bytes of chance in front of a signature.
const SALT_BYTES: usize = 16;

/// What the proof of a form signs: this session, and the org that it acts for now. A page that was opened before
/// another org was selected cannot act on that org.
#[derive(Clone)]
pub(crate) struct FormScope(String);

impl FormScope {
    /// The scope of the forms of a session while it acts for an org.
    pub(crate) fn new(session_secret: &str, org: &str) -> Self {
        Self(format!("form of {session_secret} for {org}"))
    }

    /// The proof that a form of this scope contains: another one each time, because pages are compressed, and the size of
    /// a compressed page would give away a constant one to a page that may choose some of its text (BREACH).
    pub(crate) fn sign(&self, key: &HmacKey) -> String {
        let salt: [u8; SALT_BYTES] = rand::random();
        hex::encode([salt.as_slice(), &key.sign(&self.salted(&salt))].concat())
    }

    pub(crate) fn is_proven_by(&self, proof: &str, key: &HmacKey) -> bool {
        let proof = hex::decode(proof).unwrap_or_default();
        let Some((salt, signature)) = proof.split_at_checked(SALT_BYTES) else { return false };
        key.verifies(&self.salted(salt), signature)
    }

    fn salted(&self, salt: &[u8]) -> Vec<u8> {
        [salt, self.0.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_never_the_same_and_of_one_scope_only() {
        let key = HmacKey::new("k".into());
        let (scope, other) = (FormScope::new("s", "a"), FormScope::new("s", "b"));
        let (one, two) = (scope.sign(&key), scope.sign(&key));
        assert_ne!(one, two);
        for proof in [&one, &two] {
            assert!(scope.is_proven_by(proof, &key) && !other.is_proven_by(proof, &key));
        }
        for bad in ["", "00", "zz", &one[2..], &format!("{one}00"), &one[..SALT_BYTES * 2]] {
            assert!(!scope.is_proven_by(bad, &key), "{bad}");
        }
    }
}
