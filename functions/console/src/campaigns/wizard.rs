//! Creating a campaign, one question at a time. Each step submits all answers so far, so that nothing that was typed is
//! lost, with or without the script; the last one creates. A refusal returns to the step whose field it is about.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use leadwire::ads::accounts::AvailableAdAccount;
use leadwire::campaigns::{CampaignIn, CreativeIn, TargetingIn};
use leadwire::error::ErrorCode;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::{AdAccountId, CampaignId, FormId, PageId};
use leadwire::model::campaigns::SpecialAdCategory;
use leadwire::publishing::OnceKey;
use maud::{Markup, html};

use crate::components::{alert, csrf_field, is_wrong, problem_alert};
use crate::flash::Flash;
use crate::form::{AdminForm, Fields};
use crate::layout::{Section, page};
use crate::session::Admin;
use crate::state::Console;

/// The steps, in order, each with its heading and the fields that it asks for.
const STEPS: [(&str, &[&str]); 6] = [
    ("Where does it run?", &["page_id", "ad_account_id"]),
    ("Which form do people fill in?", &["lead_form_id"]),
    ("What is it about?", &["special", "special_countries"]),
    ("Who sees it?", &["countries", "age_min", "age_max"]),
    ("What do they see?", &["message", "headline", "image", "link"]),
    ("What may it spend?", &["name", "daily_budget", "dsa_payor"]),
];

pub(super) async fn begin(
    State(console): State<Console>,
    admin: Admin,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let fields = Fields::new(&[("request_id", CampaignId::new().as_str())]);
    show(&console, &admin, jar, 0, &fields, None).await
}

/// Takes the answers of a step and shows the next one, or creates the campaign.
pub(super) async fn next(AdminForm { console, admin, jar, fields }: AdminForm) -> Result<Response, Problem> {
    let step = fields.get("step").and_then(|step| step.parse::<usize>().ok()).unwrap_or(0).min(STEPS.len() - 1);
    if fields.is_ticked("back") {
        return show(&console, &admin, jar, step.saturating_sub(1), &fields, None).await;
    }
    if let Some(problem) = missing(step, &fields) {
        return show(&console, &admin, jar, step, &fields, Some(&problem)).await;
    }
    if step + 1 < STEPS.len() {
        return show(&console, &admin, jar, step + 1, &fields, None).await;
    }
    let create = async {
        let input = campaign(&fields)?;
        let id = fields.text("request_id");
        let once = if id.is_empty() { None } else { Some(OnceKey::new("create-campaign", "request_id", &id, &input)?) };
        Ok::<_, Problem>(console.campaigns.create(&admin.access, input, once).await?)
    };
    match create.await {
        Ok(created) => {
            let flash =
                Flash::done("The campaign is being created, paused. It spends nothing until you launch it.".to_owned());
            Ok((flash.put(jar), Redirect::to(&format!("/campaigns/{}", created.campaign_id))).into_response())
        }
        Err(problem) if problem.status >= 500 => Err(problem),
        Err(problem) => {
            let problem = Problem { field: problem.field.as_deref().map(own_field), ..problem };
            let of_step =
                |(_, names): &(&str, &[&str])| problem.field.as_deref().is_some_and(|field| names.contains(&field));
            let step = STEPS.iter().position(of_step).unwrap_or(STEPS.len() - 1);
            // A request that was refused made nothing, and may be sent again with other content.
            show(&console, &admin, jar, step, &fields, Some(&problem)).await
        }
    }
}

/// The form's name of a field of the API.
fn own_field(field: &str) -> String {
    match field {
        "pageId" => "page_id",
        "adAccountId" => "ad_account_id",
        "leadFormId" => "lead_form_id",
        "specialAdCategories" => "special",
        "dailyBudget" => "daily_budget",
        "dsaPayor" | "dsaBeneficiary" => "dsa_payor",
        "targeting.ageMin" => "age_min",
        "targeting.ageMax" | "targeting.advantageAudience" => "age_max",
        "creative.message" => "message",
        "creative.headline" => "headline",
        "creative.image" | "creative.imageHash" => "image",
        "creative.link" => "link",
        field if field.starts_with("targeting.countries") => "countries",
        field if field.starts_with("specialAdCategoryCountries") => "special_countries",
        field => field,
    }
    .to_owned()
}

/// What a step needs before the next one.
fn missing(step: usize, fields: &Fields) -> Option<Problem> {
    let needed: &[(&str, &str)] = match step {
        0 => &[("page_id", "Choose a page."), ("ad_account_id", "Choose an ad account.")],
        1 => &[("lead_form_id", "Choose a form.")],
        2 => &[("special", "Choose what it is about.")],
        3 => &[("countries", "Enter at least one country.")],
        4 => &[("message", "Enter a text."), ("image", "Enter the address of a picture.")],
        _ => &[("name", "Enter a name."), ("daily_budget", "Enter a budget.")],
    };
    let (field, message) = needed.iter().find(|(field, _)| fields.get(field).is_none())?;
    Some(Problem::field(field, ProblemCode::FieldInvalid, *message))
}

fn campaign(fields: &Fields) -> Result<CampaignIn, Problem> {
    let invalid =
        |field: &'static str, detail: &str| Problem::field(field, ProblemCode::FieldInvalid, detail.to_owned());
    let list = |name: &str| -> Vec<String> {
        let codes = fields.get(name).unwrap_or_default().split([',', ' ', ';']);
        codes.filter(|code| !code.is_empty()).map(str::to_uppercase).collect()
    };
    let age = |name: &'static str| {
        fields.get(name).map(|age| age.parse().map_err(|_| invalid(name, "An age from 18 to 65."))).transpose()
    };
    let text = |name: &str| fields.get(name).map(ToOwned::to_owned);
    let special: SpecialAdCategory =
        fields.text("special").parse().map_err(|_| invalid("special", "Choose what it is about."))?;
    let budget = fields.text("daily_budget").replace(',', ".");
    Ok(CampaignIn {
        ad_account_id: AdAccountId::parse(&fields.text("ad_account_id"))
            .map_err(|_| invalid("ad_account_id", "Choose an ad account."))?,
        page_id: PageId::parse(&fields.text("page_id")).map_err(|_| invalid("page_id", "Choose a page."))?,
        name: fields.text("name"),
        objective: None,
        lead_form_id: FormId::parse(&fields.text("lead_form_id"))
            .map_err(|_| invalid("lead_form_id", "Choose a form."))?,
        daily_budget: Some(budget.parse().map_err(|_| invalid("daily_budget", "An amount, such as 20 or 20.50."))?),
        lifetime_budget: None,
        start_time: None,
        end_time: None,
        special_ad_categories: if special == SpecialAdCategory::None { Vec::new() } else { vec![special] },
        special_ad_category_countries: if special == SpecialAdCategory::None {
            Vec::new()
        } else {
            list("special_countries")
        },
        targeting: TargetingIn {
            countries: list("countries"),
            age_min: age("age_min")?,
            age_max: age("age_max")?,
            advantage_audience: None,
        },
        creative: CreativeIn {
            message: fields.text("message"),
            headline: text("headline"),
            image: text("image"),
            image_hash: None,
            link: text("link"),
            call_to_action: None,
        },
        instagram_account_id: None,
        bid_strategy: None,
        bid_amount: None,
        dsa_payor: text("dsa_payor"),
        dsa_beneficiary: text("dsa_payor"),
        request_id: None,
    })
}

async fn show(
    console: &Console,
    Admin { visitor, access }: &Admin,
    jar: PrivateCookieJar,
    step: usize,
    fields: &Fields,
    problem: Option<&Problem>,
) -> Result<Response, Problem> {
    let (heading, own) = STEPS.get(step).copied().unwrap_or(("", &[]));
    let questions = match step {
        0 => where_it_runs(console, access, fields, problem).await?,
        1 => which_form(console, access, fields, problem).await?,
        2 => what_about(fields, problem),
        3 => who_sees(fields, problem),
        4 => what_they_see(fields, problem),
        _ => what_it_spends(fields, problem),
    };
    let earlier =
        STEPS.iter().flat_map(|(_, names)| names.iter()).chain(&["request_id"]).filter(|name| !own.contains(name));
    let body = html! {
        form.card.narrow method="post" action="/campaigns/new#refused" {
            (csrf_field(visitor))
            input type="hidden" name="step" value=(step);
            @for name in earlier {
                @if let Some(value) = fields.get(name) { input type="hidden" name=(name) value=(value); }
            }
            p.quiet { "Step " (step + 1) " of " (STEPS.len()) }
            h2 { (heading) }
            (problem_alert(problem))
            (questions)
            div.acts {
                button.primary { @if step + 1 == STEPS.len() { "Create, paused" } @else { "Next" } }
                @if step > 0 { button name="back" value="yes" formnovalidate { "Back" } }
                a.button href="/campaigns" { "Cancel" }
            }
        }
    };
    Ok(page(visitor, jar, Section::Campaigns, "Create a campaign", &body))
}

async fn where_it_runs(
    console: &Console,
    access: &leadwire::directory::MetaAccess,
    fields: &Fields,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    let (page_id, account_id) = (fields.text("page_id"), fields.text("ad_account_id"));
    let pages = console.connections.connections(access).await?.items;
    let (mut accounts, mut refused) = (Vec::<AvailableAdAccount>::new(), None);
    for integration in console.connections.integrations(access).await?.items {
        match console.ads.available_accounts(access, &integration.id).await {
            Ok(list) => accounts.extend(list.items),
            Err(error) if error.code() == ErrorCode::Unavailable => return Err(error.into()),
            Err(error) => refused = Some(Problem::from(error)),
        }
    }
    accounts.sort_by(|one, other| one.ad_account_id.cmp(&other.ad_account_id));
    accounts.dedup_by(|one, other| one.ad_account_id == other.ad_account_id);
    Ok(html! {
        @if let Some(refused) = &refused { (alert("warn", html! { (crate::messages::text(refused)) })) }
        label { "Page" select name="page_id" required aria-invalid=[is_wrong(problem, "page_id")] {
            @for page in &pages { option value=(page.page_id) selected[page.page_id.as_str() == page_id] { (page.page_name) } }
        } }
        label { "Ad account that pays" select name="ad_account_id" required aria-invalid=[is_wrong(problem, "ad_account_id")] {
            @for account in &accounts {
                option value=(account.ad_account_id) selected[account.ad_account_id.as_str() == account_id] { (account.name) " (" (account.currency) ")" }
            }
        } }
    })
}

async fn which_form(
    console: &Console,
    access: &leadwire::directory::MetaAccess,
    fields: &Fields,
    problem: Option<&Problem>,
) -> Result<Markup, Problem> {
    let (page, chosen) = (fields.text("page_id"), fields.text("lead_form_id"));
    let forms = console.leads.forms(access).await?.items.into_iter();
    let forms: Vec<_> = forms.filter(|form| form.page_id.as_str() == page && form.status == "ACTIVE").collect();
    Ok(html! {
        @if forms.is_empty() {
            p { "This page has no active form yet. Create one in Meta's Ads Manager or with the API, then come back." }
        }
        label { "Form" select name="lead_form_id" required aria-invalid=[is_wrong(problem, "lead_form_id")] {
            @for form in &forms { option value=(form.form_id) selected[form.form_id.as_str() == chosen] { (form.name) } }
        } }
    })
}

fn what_about(fields: &Fields, problem: Option<&Problem>) -> Markup {
    const CHOICES: [(&str, &str); 6] = [
        ("NONE", "None of the following"),
        ("HOUSING", "Homes: selling, renting, mortgages"),
        ("EMPLOYMENT", "Jobs, internships, training for them"),
        ("FINANCIAL_PRODUCTS_SERVICES", "Loans, insurance, investments"),
        ("ISSUES_ELECTIONS_POLITICS", "Politics, elections, social issues"),
        ("ONLINE_GAMBLING_AND_GAMING", "Gambling and games for money"),
    ];
    let chosen = fields.text("special");
    html! {
        fieldset aria-invalid=[is_wrong(problem, "special")] {
            legend { "Meta's rules for special ad categories" }
            @for (value, label) in CHOICES {
                label.tick { input type="radio" name="special" value=(value) checked[chosen == value] required; (label) }
            }
        }
        label { "Countries whose rules apply, if it is one of these" input name="special_countries" value=(fields.text("special_countries")) placeholder="NL, BE" aria-invalid=[is_wrong(problem, "special_countries")]; }
        p.quiet { "Meta stops ads that say nothing here and should have." }
    }
}

fn who_sees(fields: &Fields, problem: Option<&Problem>) -> Markup {
    html! {
        label { "Countries" input name="countries" value=(fields.text("countries")) placeholder="NL, BE" required aria-invalid=[is_wrong(problem, "countries")]; }
        label { "From age" input type="number" name="age_min" min="18" max="65" value=(fields.text("age_min")) aria-invalid=[is_wrong(problem, "age_min")]; }
        label { "To age (65 includes everyone older)" input type="number" name="age_max" min="18" max="65" value=(fields.text("age_max")) aria-invalid=[is_wrong(problem, "age_max")]; }
        p.quiet { "Without ages, Meta also looks for people beyond your selection who are likely to fill in the form." }
    }
}

fn what_they_see(fields: &Fields, problem: Option<&Problem>) -> Markup {
    html! {
        label { "Text" textarea name="message" rows="5" maxlength="2000" required aria-invalid=[is_wrong(problem, "message")] { (fields.text("message")) } }
        label { "Headline" input name="headline" maxlength="255" value=(fields.text("headline")) aria-invalid=[is_wrong(problem, "headline")]; }
        label { "Picture: its public address" input type="url" name="image" value=(fields.text("image")) placeholder="https://…" required aria-invalid=[is_wrong(problem, "image")]; }
        label { "Address that is shown" input type="url" name="link" value=(fields.text("link")) placeholder="https://…" aria-invalid=[is_wrong(problem, "link")]; }
        p.quiet { "People who press it see the form, whatever the address is." }
    }
}

fn what_it_spends(fields: &Fields, problem: Option<&Problem>) -> Markup {
    html! {
        label { "Budget a day, in the ad account's currency" input name="daily_budget" inputmode="decimal" value=(fields.text("daily_budget")) required aria-invalid=[is_wrong(problem, "daily_budget")]; }
        label { "Name of the campaign" input name="name" maxlength="350" value=(fields.text("name")) required aria-invalid=[is_wrong(problem, "name")]; }
        label { "Who pays (for ads in the European Union, if the ad account does not say)" input name="dsa_payor" maxlength="512" value=(fields.text("dsa_payor")) aria-invalid=[is_wrong(problem, "dsa_payor")]; }
        div.card {
            h3 { "What you will create" }
            p { (fields.text("message")) }
            p { b { (fields.text("headline")) } }
            p.quiet { "Shown in " (fields.text("countries")) ". Everything is created paused: nothing is spent before you launch it." }
        }
    }
}
