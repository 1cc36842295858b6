//! Creating a campaign, one question at a time. Each step submits all answers so far, so that nothing that was typed is
//! lost, with or without the script; the last one creates. A refusal returns to the step whose field it is about.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::ids::CampaignId;
use leadwire::model::audit::AuditAct;
use leadwire::once::OnceKey;
use leadwire::tr;
use maud::{Markup, html};

use super::answers::{Answers, LAST, STEPS, answers_of, field_name, heading, own_field, step_of};
use super::{lead_form, questions};
use crate::actor::Advertiser;
use crate::acts::Showing;
use crate::components::{Tone, alert, csrf_field};
use crate::countries;
use crate::csrf::CSRF_FIELD;
use crate::flash::Flash;
use crate::form::{Fields, Submitted};
use crate::layout::{Section, page};
use crate::messages;
use crate::request::wants_fragment;
use crate::state::Console;

/// A wizard's page in the making.
pub(super) struct Screen<'a> {
    pub(super) console: &'a Console,
    pub(super) advertiser: &'a Advertiser,
    pub(super) fields: &'a Fields,
    pub(super) problem: Option<&'a Problem>,
    /// What was just done, shown above the form.
    pub(super) done: Option<&'a str>,
}

/// Opens the wizard, with the answers in the address, or with those of the campaign that it names as `copy`.
pub(super) async fn begin(
    State(console): State<Console>,
    advertiser: Advertiser,
    Query(query): Query<Vec<(String, String)>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let mut fields = Fields::new(query);
    if let Some(id) = fields.get("copy").and_then(|id| CampaignId::parse(id).ok()) {
        let campaign = console.rooms.campaigns.read(&advertiser.access, &id).await?;
        let step = fields.text("step");
        fields = Fields::new(answers_of(&campaign));
        fields.set("step", &step);
    }
    fields.set("request_id", CampaignId::new().as_str());
    let screen = Screen { console: &console, advertiser: &advertiser, fields: &fields, problem: None, done: None };
    if fields.get("go") == Some("form") {
        return lead_form::show(&screen, jar).await;
    }
    screen.show(jar, current_step(&fields)).await
}

fn current_step(fields: &Fields) -> usize {
    fields.get("step").and_then(|step| step.parse::<usize>().ok()).unwrap_or(0).min(LAST)
}

/// Takes the answers of a step and shows the next one, or creates the campaign.
pub(super) async fn next(form: Submitted<Advertiser>) -> Result<Response, Problem> {
    let Submitted { console, actor: advertiser, jar, fields } = form;
    let screen = Screen { console: &console, advertiser: &advertiser, fields: &fields, problem: None, done: None };
    let step = current_step(&fields);
    match fields.get("go") {
        Some("back") => return screen.show(jar, step.saturating_sub(1)).await,
        Some("form" | "question") => return lead_form::show(&screen, jar).await,
        Some("make") => return lead_form::make(&screen, jar).await,
        Some("steps") => return screen.show(jar, step).await,
        _ => {}
    }
    if let Err(problem) = screen.check(step).await {
        return screen.refuse(jar, problem).await;
    }
    if step < LAST {
        let fields = name_countries(&fields);
        return Screen { fields: &fields, ..screen }.show(jar, step + 1).await;
    }
    let create = async {
        advertiser.access.begin_as(AuditAct::CampaignCreate).await?;
        let input = Answers(&fields).campaign()?;
        let id = fields.text("request_id");
        let once = if id.is_empty() { None } else { Some(OnceKey::new("create-campaign", "request_id", &id, &input)?) };
        Ok::<_, Problem>(console.rooms.campaigns.create(&advertiser.access, input, once).await?)
    };
    match create.await {
        Ok(created) => {
            let done = tr!("The campaign is being created, paused. It spends nothing until you launch it.");
            let path = format!("/campaigns/{}", created.campaign_id);
            Ok((Flash::done(done).put(jar), Redirect::to(&path)).into_response())
        }
        // Its author has read that this one was carried out, so that the next attempt is another request.
        Err(problem) if problem.code.is(ErrorCode::RequestReused) => {
            let mut fields = fields.clone();
            fields.set("request_id", CampaignId::new().as_str());
            let problem = Problem { field: None, ..problem };
            Screen { fields: &fields, ..screen }.refuse(jar, problem).await
        }
        // A request that was refused made nothing, and may be sent again with other content.
        Err(problem) => screen.refuse(jar, problem).await,
    }
}

/// The same answers, with countries by their names: the author sees which were understood.
fn name_countries(fields: &Fields) -> Fields {
    let mut named = fields.clone();
    for name in ["countries", "special_countries"] {
        if let Ok(codes) = Answers(fields).countries(name) {
            named.set(name, &countries::names(&codes));
        }
    }
    named
}

/// Shows how the ad will look.
pub(super) async fn preview(headers: HeaderMap, form: Submitted<Advertiser>) -> Result<Response, Problem> {
    let Submitted { console, actor: advertiser, jar, fields } = form;
    if wants_fragment(&headers) {
        return Ok(questions::preview_ad(&fields).into_response());
    }
    let screen = Screen { console: &console, advertiser: &advertiser, fields: &fields, problem: None, done: None };
    screen.show(jar, current_step(&fields)).await
}

impl Screen<'_> {
    /// Checks a step's answers: their form, and what only the page's connection or Meta can tell of them.
    async fn check(&self, step: usize) -> Result<(), Problem> {
        let answers = Answers(self.fields);
        answers.check(step)?;
        let (campaigns, access) = (&self.console.rooms.campaigns, &self.advertiser.access);
        match step {
            0 => Ok(campaigns.check_page(access, &answers.page()?).await?),
            1 => Ok(campaigns.check_form_of_page(access, &answers.page()?, &answers.form()?).await?),
            _ => Ok(()),
        }
    }

    /// Shows the step whose field a problem is about. A failure on our side is a page of its own.
    async fn refuse(&self, jar: PrivateCookieJar, problem: Problem) -> Result<Response, Problem> {
        if problem.status >= 500 {
            return Err(problem);
        }
        // What no step asks for is said in words above the form.
        let field = problem.field.as_deref().map(own_field).filter(|field| field_name(field).is_some());
        let problem = Problem { field, ..problem };
        let step = if problem.field.is_none() { current_step(self.fields) } else { step_of(problem.field.as_deref()) };
        Ok(Screen { problem: Some(&problem), ..*self }.show(jar, step).await?.showing(Some(&problem)))
    }

    /// Shows a step.
    pub(super) async fn show(&self, jar: PrivateCookieJar, step: usize) -> Result<Response, Problem> {
        let own = STEPS.get(step).copied().unwrap_or_default();
        let asked = questions::ask(self, step).await?;
        let shows_ad = own.contains(&"message");
        let body = html! {
            form.columns[shows_ad] method="post" action="/campaigns/new#refused" data-preview=[shows_ad.then_some("/campaigns/new/preview")] {
                div.card.narrow {
                    (csrf_field(&self.advertiser.visitor))
                    input type="hidden" name="step" value=(step);
                    (self.hidden_except(own))
                    p.quiet { (tr!("Step {step} of {count}", step = step + 1, count = STEPS.len())) }
                    progress max=(STEPS.len()) value=(step + 1) aria-label=(tr!("Progress")) {}
                    h2 { (heading(step)) }
                    (self.outcome())
                    (asked)
                    div.acts {
                        button.primary { @if step == LAST { (tr!("Create paused")) } @else { (tr!("Next")) } }
                        @if step > 0 { button name="go" value="back" formnovalidate { (tr!("Back")) } }
                        a.button.plain href="/campaigns" { (tr!("Cancel")) }
                    }
                }
                @if shows_ad {
                    aside aria-label=(tr!("Preview")) { h2 { (tr!("Preview")) } div data-preview-place { (questions::preview_ad(self.fields)) } }
                }
            }
        };
        Ok(page(&self.advertiser.visitor, jar, Section::Campaigns, &tr!("Create a campaign"), &body))
    }

    /// All other answers, which the form submits again.
    pub(super) fn hidden_except(&self, own: &[&str]) -> Markup {
        let is_kept = |name: &str| !own.contains(&name) && !matches!(name, CSRF_FIELD | "step" | "go" | "copy");
        html! {
            @for (name, value) in self.fields.iter().filter(|(name, value)| is_kept(name) && !value.is_empty()) {
                input type="hidden" name=(name) value=(value);
            }
        }
    }

    /// What came of the last request: above the form, and in full only what no field of it is marked with.
    pub(super) fn outcome(&self) -> Markup {
        html! {
            @if let Some(done) = self.done { (alert(Tone::Good, html! { (done) })) }
            @if let Some(problem) = self.problem {
                // The form submits to this anchor, so that the problem is in view afterwards.
                div #refused { (alert(Tone::Bad, html! {
                    @if let Some(field) = &problem.field {
                        p { (tr!("Nothing was created. Correct the marked field, then continue.")) }
                        p.fix { a href={ "#" (field) "-mistake" } { @if let Some(name) = field_name(field) { (name) ": " } (messages::text(problem)) } }
                    } @else { (messages::text(problem)) }
                })) }
            }
        }
    }
}
