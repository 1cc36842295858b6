//! What somebody sent with a form, and proof that it was a form of their own session.

use axum::extract::{Form, FromRef, FromRequest, Multipart, Request};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::Key;
use http::StatusCode;
use shared::http::Problem;

use crate::router::Console;
use crate::visitor;

/// The field that carries the proof.
pub(crate) const PROOF: &str = "form_key";

/// A form's fields, in their order. There are none without the proof that the form was made for this session: a form on
/// somebody else's page can be made to send, but not to prove.
#[derive(Debug)]
pub(crate) struct Fields(Vec<(String, String)>);

/// A form with one file.
pub(crate) struct Upload {
    pub(crate) fields: Fields,
    pub(crate) file: Vec<u8>,
}

impl Fields {
    /// A field without surrounding space; one that is empty is as good as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// A field, empty if there is none.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// Every value of a field that may be there several times.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim());
        values.filter(|value| !value.is_empty())
    }

    /// Whether a box is ticked.
    pub(crate) fn is_ticked(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

/// A request's body, beside the secret of the session that it came with.
fn of_session(console: &Console, request: Request) -> (Request, Option<String>) {
    let (parts, body) = request.into_parts();
    let jar = PrivateCookieJar::from_headers(&parts.headers, Key::from_ref(console));
    let secret = visitor::secret_of(console, &parts, &jar);
    (Request::from_parts(parts, body), secret)
}

impl Fields {
    /// The fields, if they prove that they come from a form of this session.
    fn proven(self, console: &Console, secret: Option<String>) -> Result<Self, Problem> {
        if secret.is_some_and(|secret| visitor::is_own_form(console, &secret, self.get(PROOF).unwrap_or_default())) {
            return Ok(self);
        }
        let detail =
            "This form was not made for your session, so nothing was done. Load the page again and use the form there.";
        Err(Problem::new(StatusCode::FORBIDDEN, "form_not_yours", detail))
    }
}

impl FromRequest<Console> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Problem> {
        let (request, secret) = of_session(console, request);
        let unreadable = |_| Problem::new(StatusCode::BAD_REQUEST, "form_invalid", "The form could not be read.");
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, console).await.map_err(unreadable)?;
        Self(fields).proven(console, secret)
    }
}

impl FromRequest<Console> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Problem> {
        let unreadable = || {
            let detail = "The file could not be read. At most 4 MB can be taken at once.";
            Problem::field("file", "file_invalid", detail)
        };
        let (request, secret) = of_session(console, request);
        let mut parts = Multipart::from_request(request, console).await.map_err(|_| unreadable())?;
        let (mut fields, mut file) = (Vec::new(), Vec::new());
        while let Some(part) = parts.next_field().await.map_err(|_| unreadable())? {
            let name = part.name().unwrap_or_default().to_owned();
            if name == "file" {
                file = part.bytes().await.map_err(|_| unreadable())?.to_vec();
            } else {
                fields.push((name, part.text().await.map_err(|_| unreadable())?));
            }
        }
        Ok(Self { fields: Fields(fields).proven(console, secret)?, file })
    }
}
