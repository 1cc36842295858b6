//! Submitted forms, and the proof that each belongs to its sender's session.

use axum::extract::{Form, FromRef, FromRequest, FromRequestParts, Multipart, Request};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::Key;
use leadwire::http::{Problem, ProblemCode};
use leadwire::tr;
use oauth2::CsrfToken;

use crate::actor::{Admin, LeadReader, Person};
use crate::csrf::{CSRF_FIELD, FormScope};
use crate::state::Console;

/// A form's fields, in order.
///
/// They can be extracted only together with the proof that the form was made for this session. A form on another site
/// can be made to submit here, but cannot contain the proof.
#[derive(Debug, Clone)]
pub(crate) struct Fields(Vec<(String, String)>);

/// Maximum size of a request: a file of 4 MB with its form and overhead. Lambda takes 6 MB, a third of which is lost to
/// encoding bytes as text.
pub(crate) const MAX_BODY_BYTES: usize = 4 * 1024 * 1024 + 256 * 1024;

/// A new id for what a form asks for, so that a form that is sent twice is carried out once.
pub(crate) fn new_request_id() -> String {
    CsrfToken::new_random().into_secret()
}

/// A form with one file.
pub(crate) struct Upload {
    pub(crate) fields: Fields,
    pub(crate) file: Vec<u8>,
    /// The file's name on the sender's computer.
    pub(crate) file_name: Option<String>,
}

impl Fields {
    /// The fields of a form that was not submitted yet.
    pub(crate) fn new(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// All fields, exactly as sent.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Replaces all values of a field.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// A field without surrounding space. An empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// A field exactly as sent, or `None` if it is absent. For texts in which space matters, and to distinguish empty
    /// from absent.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A field, or the empty text if it is absent.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// All values of a field that may occur several times.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim());
        values.filter(|value| !value.is_empty())
    }

    /// Whether a box is ticked.
    pub(crate) fn is_ticked(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl Fields {
    /// Returns the fields if they prove that they come from a form of this session.
    ///
    /// A handler that takes a form must extract the [`crate::session::Visitor`] before it: that extractor determines
    /// what the proof has to be.
    fn proven(self, console: &Console, form: Option<&FormScope>) -> Result<Self, Problem> {
        let proof = self.get(CSRF_FIELD).unwrap_or_default();
        if form.is_some_and(|form| form.is_proven_by(proof, &console.console_key)) {
            return Ok(self);
        }
        let detail = tr!(
            "This form does not belong to your session, or you have selected another org since. Nothing was changed. \
            Reload the page and use the form there."
        );
        Err(Problem::new(ProblemCode::FormNotYours, detail))
    }
}

impl FromRequest<Console> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Problem> {
        let form = request.extensions().get::<FormScope>().cloned();
        let unreadable = |_| {
            Problem::new(ProblemCode::FormInvalid, tr!("The form could not be read. Reload the page and try again."))
        };
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, console).await.map_err(unreadable)?;
        Self(fields).proven(console, form.as_ref())
    }
}

/// An action through a form: who acts, what the form contains, and the jar for the message about its outcome.
pub(crate) struct Submitted<A> {
    pub(crate) console: Console,
    pub(crate) actor: A,
    pub(crate) jar: PrivateCookieJar,
    pub(crate) fields: Fields,
}

/// An admin's action through a form.
pub(crate) type AdminForm = Submitted<Admin>;
/// An action of someone on what concerns themselves.
pub(crate) type PersonForm = Submitted<Person>;
/// An action of someone who sees leads.
pub(crate) type ReaderForm = Submitted<LeadReader>;

impl<A: FromRequestParts<Console, Rejection = Response> + Send> FromRequest<Console> for Submitted<A> {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let actor = A::from_request_parts(&mut parts, console).await?;
        let jar = PrivateCookieJar::from_headers(&parts.headers, Key::from_ref(console));
        let fields = Fields::from_request(Request::from_parts(parts, body), console).await;
        let fields = fields.map_err(IntoResponse::into_response)?;
        Ok(Self { console: console.clone(), actor, jar, fields })
    }
}

impl FromRequest<Console> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Problem> {
        let unreadable = || {
            let detail = tr!("The file could not be read. Select a file of at most 4 MB.");
            Problem::field("file", ProblemCode::FileInvalid, detail)
        };
        let form = request.extensions().get::<FormScope>().cloned();
        let mut parts = Multipart::from_request(request, console).await.map_err(|_| unreadable())?;
        let (mut fields, mut file, mut file_name) = (Vec::new(), Vec::new(), None);
        while let Some(part) = parts.next_field().await.map_err(|_| unreadable())? {
            let name = part.name().unwrap_or_default().to_owned();
            if name == "file" {
                file_name = part.file_name().map(|name| name.chars().take(200).collect());
                file = part.bytes().await.map_err(|_| unreadable())?.to_vec();
            } else {
                fields.push((name, part.text().await.map_err(|_| unreadable())?));
            }
        }
        Ok(Self { fields: Fields(fields).proven(console, form.as_ref())?, file, file_name })
    }
}
