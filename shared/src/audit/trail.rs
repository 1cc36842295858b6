//! The trail of one request: what is known of its act so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{ActError, ErrorCode};
use crate::ids::{AuditId, OrgScope, UserId};
use crate::model::audit::{AuditAct, AuditActor, AuditChange, AuditFace, AuditOutcome, AuditRecord, Recordable};
use crate::model::caller::Caller;
use crate::table::Table;
use crate::tr;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActRule {
    /// This act, from the moment on at which it is known who acts for which org.
    Act(AuditAct),
    /// One of several acts, or none. The handler begins it.
    Choice,
    /// Changes nothing, although its method could.
    Nothing,
    /// It has no entry among the acts of its face, and is therefore refused: no act goes unrecorded.
    Unnamed,
}

/// A handle to the trail of one request. Cheap to clone. The default one is of a request whose acts are not recorded.
#[derive(Debug, Clone, Default)]
pub struct Trail(Option<Arc<Recorder>>);

#[derive(Debug)]
struct Recorder {
    table: Table,
    face: AuditFace,
    source: Option<String>,
    rule: ActRule,
    seen: Mutex<SeenSoFar>,
}

#[derive(Debug, Default)]
struct SeenSoFar {
    begun: Option<(OrgScope, AuditRecord)>,
    is_stored: bool,
    /// The caller's id in the directory of their own org.
    user: Option<UserId>,
    subjects: Vec<String>,
    changes: Vec<AuditChange>,
}

impl Trail {
    pub(super) fn new(table: Table, face: AuditFace, source: Option<String>, rule: ActRule) -> Self {
        Self(Some(Arc::new(Recorder { table, face, source, rule, seen: Mutex::default() })))
    }

    /// Says who the caller is in the directory of their own org.
    pub fn set_user(&self, user: &UserId) {
        if let Some(recorder) = &self.0 {
            recorder.seen().user = Some(user.clone());
        }
    }

    /// Records that the route's act begins, with an outcome that is not known. Does nothing if an act has begun, or if
    /// the handler begins it.
    ///
    /// # Errors
    /// Fails if the record cannot be stored; the act must not be carried out then.
    pub async fn begin(&self, scope: &OrgScope, caller: &Caller) -> Result<(), ActError> {
        match self.0.as_ref().map(|recorder| recorder.rule) {
            None | Some(ActRule::Choice | ActRule::Nothing) => Ok(()),
            Some(ActRule::Act(act)) => self.begin_as(act, scope, caller).await,
            Some(ActRule::Unnamed) => {
                tracing::error!(org = %scope.org(), "a changing request has no name among the acts, and was refused");
                Err(ActError::refuse(ErrorCode::Unavailable, tr!("This is not possible at the moment.")))
            }
        }
    }

    /// Like [`Trail::begin`], for this act.
    pub async fn begin_as(&self, act: AuditAct, scope: &OrgScope, caller: &Caller) -> Result<(), ActError> {
        let Some(recorder) = &self.0 else { return Ok(()) };
        let is_own_org = caller.scope_of_colleague().is_ok_and(|own| own.org() == scope.org());
        let user_id = recorder.seen().user.clone().filter(|_| is_own_org);
        let record = AuditRecord {
            id: AuditId::new(),
            at: crate::clock::now(),
            who: AuditActor { user_id, ..AuditActor::new(caller) },
            face: recorder.face,
            source: recorder.source.clone(),
            act: act.name().to_owned(),
            subjects: recorder.seen().subjects.clone(),
            outcome: AuditOutcome::Unknown,
            code: None,
            changes: Vec::new(),
        };
        {
            let mut seen = recorder.seen();
            if seen.begun.is_some() {
                return Ok(());
            }
            // Before it is stored: an act that is given up meanwhile is completed all the same.
            seen.begun = Some((scope.clone(), record.clone()));
        }
        recorder.table.put_audit(scope, &record).await?;
        recorder.seen().is_stored = true;
        Ok(())
    }

    /// Adds an id of what the act is done to, or makes.
    pub fn about(&self, id: &impl Recordable) {
        if let Some(id) = id.value().as_str() {
            self.about_id(id);
        }
    }

    /// Like [`Trail::about`], for an id that is a text. What cannot be an id, or has the form of an e-mail address, is left out.
    pub fn about_id(&self, id: &str) {
        const MAX_SUBJECTS: usize = 100;
        let is_id = crate::ids::OrgId::parse(id).is_ok() && !id.contains('@');
        let Some(recorder) = self.0.as_ref().filter(|_| is_id) else { return };
        let mut seen = recorder.seen();
        if seen.subjects.len() < MAX_SUBJECTS && !seen.subjects.iter().any(|known| known == id) {
            seen.subjects.push(id.to_owned());
        }
    }

    /// Adds a field that the act has changed, if it has.
    pub fn changed<T: Recordable + PartialEq>(&self, field: &str, before: &T, after: &T) {
        self.add(AuditChange::new(field, before, after));
    }

    /// Adds a field that the act has changed, if it has, and whose values are personal or secret.
    pub fn withheld<T: PartialEq + ?Sized>(&self, field: &str, before: &T, after: &T) {
        self.add((before != after).then(|| AuditChange::withheld(field)));
    }

    fn add(&self, change: Option<AuditChange>) {
        if let (Some(recorder), Some(change)) = (&self.0, change) {
            let mut seen = recorder.seen();
            // Work that is tried again says again what it changed.
            seen.changes.retain(|known| known.field != change.field);
            seen.changes.push(change);
        }
    }

    /// Completes the record with what came of the act. What cannot be stored is in the log.
    pub async fn finish(&self, outcome: AuditOutcome, code: Option<&str>) {
        let Some(recorder) = &self.0 else { return };
        let (scope, record, is_stored) = {
            let seen = recorder.seen();
            let Some((scope, begun)) = &seen.begun else { return };
            let (subjects, changes) = (seen.subjects.clone(), seen.changes.clone());
            let code = code.map(ToOwned::to_owned);
            (scope.clone(), AuditRecord { subjects, changes, outcome, code, ..begun.clone() }, seen.is_stored)
        };
        let Err(error) = recorder.table.put_audit(&scope, &record).await else { return };
        if is_stored {
            let lost = serde_json::to_string(&record).unwrap_or_default();
            tracing::error!(%error, org = %scope.org(), lost, metric = "audit_lost", "what came of an act could not be recorded");
        } else {
            tracing::warn!(%error, org = %scope.org(), act = record.act, "an act was refused, because it could not be recorded");
        }
    }
}

impl Recorder {
    fn seen(&self) -> MutexGuard<'_, SeenSoFar> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
