//! What each step of the wizard asks.

use leadwire::ads::accounts::AvailableAdAccount;
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::leads::FormOut;
use leadwire::model::campaigns::CallToAction;
use leadwire::model::web_address::parse_public;
use maud::{Markup, html};

use super::answers::{Answers, choice};
use super::wizard::Screen;
use crate::components::{alert, empty, field_problem};
use crate::countries;
use crate::form::Fields;
use crate::messages;

/// The questions of a step.
pub(super) async fn ask(screen: &Screen<'_>, step: usize) -> Result<Markup, Problem> {
    Ok(match step {
        0 => where_it_runs(screen).await?,
        1 => which_form(screen).await?,
        2 => what_about(screen),
        3 => who_sees(screen),
        4 => what_they_see(screen),
        _ => what_it_spends(screen),
    })
}

impl Screen<'_> {
    /// A field with its label, what it said, a hint, and what is wrong with it.
    pub(super) fn field(&self, name: &str, label: &str, hint: &str, input: &dyn Fn(Described<'_>) -> Markup) -> Markup {
        let wrong = self.is_wrong(name);
        let by = match (wrong, hint) {
            (Some(_), _) => Some(format!("{name}-mistake")),
            (None, "") => None,
            (None, _) => Some(format!("{name}-hint")),
        };
        let described = Described { name, value: self.fields.raw(name).unwrap_or_default(), wrong, by: by.as_deref() };
        html! {
            label { (label) (input(described)) }
            (field_problem(self.problem, name))
            @if !hint.is_empty() && wrong.is_none() { p.quiet.hint id={ (name) "-hint" } { (hint) } }
        }
    }

    pub(super) fn is_wrong(&self, field: &str) -> Option<&'static str> {
        crate::components::is_wrong(self.problem, field)
    }

    /// A field of one line.
    pub(super) fn line(&self, name: &str, label: &str, hint: &str, kind: &Kind) -> Markup {
        self.field(name, label, hint, &|of| {
            html! {
                input name=(of.name) value=(of.value) required[kind.required] maxlength=[kind.max] inputmode=[kind.mode]
                    placeholder=[kind.example] aria-invalid=[of.wrong] aria-describedby=[of.by];
            }
        })
    }
}

/// What the input of a field needs to know.
pub(super) struct Described<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) wrong: Option<&'static str>,
    /// The id of what describes it.
    pub(super) by: Option<&'a str>,
}

/// How a field of one line is filled in.
#[derive(Default)]
pub(super) struct Kind {
    pub(super) required: bool,
    pub(super) max: Option<u32>,
    pub(super) mode: Option<&'static str>,
    pub(super) example: Option<&'static str>,
}

async fn where_it_runs(screen: &Screen<'_>) -> Result<Markup, Problem> {
    let Screen { console, advertiser, fields, .. } = screen;
    let access = &advertiser.access;
    let (page_id, account_id) = (choice(fields, "page_id").0, choice(fields, "ad_account_id").0);
    let mut pages = console.connections.connections(access).await?.items;
    pages.sort_by(|one, other| (&one.page_name, &one.page_id).cmp(&(&other.page_name, &other.page_id)));
    pages.dedup_by(|one, other| one.page_id == other.page_id);
    let (mut accounts, mut refused) = (Vec::<AvailableAdAccount>::new(), None);
    for integration in console.connections.integrations(access).await?.items {
        match console.ads.available_accounts(access, &integration.id).await {
            Ok(list) => accounts.extend(list.items),
            Err(error) if error.code() == ErrorCode::Unavailable => return Err(error.into()),
            Err(error) => refused = Some((integration.name, Problem::from(error))),
        }
    }
    accounts.sort_by(|one, other| (&one.name, &one.ad_account_id).cmp(&(&other.name, &other.ad_account_id)));
    accounts.dedup_by(|one, other| one.ad_account_id == other.ad_account_id);
    if pages.is_empty() {
        return Ok(empty(
            "No page to advertise for",
            html! {
                @if advertiser.visitor.is_admin() { a href="/integrations" { "Connect Facebook" } " to advertise for your pages." }
                @else { "Ask an admin to connect Facebook." }
            },
        ));
    }
    Ok(html! {
        @if let Some((name, refused)) = &refused {
            (alert("warn", html! { p { b { (name) } ": its ad accounts are missing here. " (messages::text(refused)) } }))
        }
        (screen.field("page_id", "Page", "The ad appears in its name.", &|of| html! {
            select name=(of.name) required aria-invalid=[of.wrong] aria-describedby=[of.by] {
                @for page in &pages {
                    @let ended = page.reason_message.is_some();
                    option value={ (page.page_id) " " (page.page_name) } selected[page.page_id.as_str() == page_id] disabled[ended] {
                        (page.page_name) @if ended { " (connection ended)" }
                    }
                }
            }
        }))
        @if accounts.is_empty() && refused.is_none() {
            (alert("warn", html! { p { "The connected person has no ad account. Create one in Meta's business settings, or have them added to one." } }))
        }
        (screen.field("ad_account_id", "Ad account that pays", "", &|of| html! {
            select name=(of.name) required aria-invalid=[of.wrong] aria-describedby=[of.by] {
                @for account in &accounts {
                    option value={ (account.ad_account_id) " " (account.currency) " " (account.name) } selected[account.ad_account_id.as_str() == account_id] {
                        (account.name) " (" (account.currency) ")"
                    }
                }
            }
        }))
    })
}

async fn which_form(screen: &Screen<'_>) -> Result<Markup, Problem> {
    let Screen { console, advertiser, fields, .. } = screen;
    let ((page, page_name), (chosen, chosen_name)) = (choice(fields, "page_id"), choice(fields, "lead_form_id"));
    let listed = console.leads.forms(&advertiser.access).await?;
    let refused = listed.refused.iter().find(|refused| refused.page_id.as_str() == page);
    // Meta lists a new form a moment after it was made.
    let is_new = !chosen_name.is_empty() && !listed.items.iter().any(|form| form.form_id.as_str() == chosen);
    let is_offered = |form: &&FormOut| form.page_id.as_str() == page && form.status == "ACTIVE";
    let forms: Vec<&FormOut> = listed.items.iter().filter(is_offered).collect();
    Ok(html! {
        @if let Some(refused) = refused {
            (alert("warn", html! { p { "Meta does not list the forms of " b { (page_name) } ". " (refused.message) } }))
        }
        @if forms.is_empty() && !is_new {
            p { b { (page_name) } " has no active form yet. Make one here: it takes two minutes." }
        } @else {
            fieldset aria-invalid=[screen.is_wrong("lead_form_id")] aria-describedby=[screen.is_wrong("lead_form_id").map(|_| "lead_form_id-mistake")] {
                legend { "Forms of " @if page_name.is_empty() { "the page" } @else { (page_name) } }
                @if is_new { (form_choice(chosen, chosen_name, None, true)) }
                @for form in &forms { (form_choice(form.form_id.as_str(), &form.name, form.locale.as_deref(), form.form_id.as_str() == chosen)) }
            }
        }
        (field_problem(screen.problem, "lead_form_id"))
        p { button name="go" value="form" formnovalidate { "Make a new form" } }
    })
}

fn form_choice(id: &str, name: &str, locale: Option<&str>, is_chosen: bool) -> Markup {
    html! {
        label.tick {
            input type="radio" name="lead_form_id" value={ (id) " " (name) } checked[is_chosen] required;
            span { (name) @if let Some(locale) = locale { " " span.quiet { (locale) } } }
        }
    }
}

fn what_about(screen: &Screen<'_>) -> Markup {
    let chosen = screen.fields.text("special");
    html! {
        p.quiet { "For some subjects, Meta limits who may see an ad. It stops ads that say “none” here and should not have." }
        fieldset aria-invalid=[screen.is_wrong("special")] aria-describedby=[screen.is_wrong("special").map(|_| "special-mistake")] {
            legend { "Is it about one of these?" }
            @for (value, label) in SUBJECTS {
                label.tick { input type="radio" name="special" value=(value) checked[chosen == value] required; (label) }
            }
        }
        (field_problem(screen.problem, "special"))
        (screen.line("special_countries", "Countries whose rules apply, if it is one of these", "Names in English or two-letter codes, separated by commas.", &Kind { example: Some("Netherlands, Belgium"), ..Kind::default() }))
    }
}

const SUBJECTS: [(&str, &str); 6] = [
    ("NONE", "None of the following"),
    ("HOUSING", "Homes: selling, renting, mortgages"),
    ("EMPLOYMENT", "Jobs, internships, training for them"),
    ("FINANCIAL_PRODUCTS_SERVICES", "Loans, insurance, investments"),
    ("ISSUES_ELECTIONS_POLITICS", "Politics, elections, social issues"),
    ("ONLINE_GAMBLING_AND_GAMING", "Gambling and games for money"),
];

fn who_sees(screen: &Screen<'_>) -> Markup {
    let age = |example| Kind { mode: Some("numeric"), max: Some(2), example: Some(example), ..Kind::default() };
    let countries = Kind { required: true, example: Some("Netherlands, Belgium"), ..Kind::default() };
    html! {
        (screen.line("countries", "Countries", "Names in English or two-letter codes, separated by commas.", &countries))
        (screen.line("age_min", "From age", "", &age("18")))
        (screen.line("age_max", "To age", "65 includes everyone older. Without ages, Meta also finds people beyond your selection who are likely to fill in the form.", &age("65")))
    }
}

fn what_they_see(screen: &Screen<'_>) -> Markup {
    let address = |required| Kind { required, mode: Some("url"), example: Some("https://"), ..Kind::default() };
    let headline = Kind { max: Some(255), ..Kind::default() };
    let chosen = Answers(screen.fields).call_to_action();
    html! {
        (screen.field("message", "Text", "", &|of| html! {
            textarea name=(of.name) rows="5" maxlength="2000" required aria-invalid=[of.wrong] aria-describedby=[of.by] { "\n" (of.value) }
        }))
        (screen.line("headline", "Headline", "Below the picture, in bold.", &headline))
        (screen.line("image", "Address of the picture", "Where Meta can download it. 1080 × 1080 pixels suit everywhere.", &address(true)))
        (screen.line("link", "Address that is shown", "People who press it see the form, whatever the address is.", &address(false)))
        (screen.field("call_to_action", "Words on the button", "", &|of| html! {
            select name=(of.name) aria-invalid=[of.wrong] aria-describedby=[of.by] {
                @for words in BUTTONS {
                    @let value: &str = words.into();
                    option value=(value) selected[chosen == Some(words)] { (button_words(value)) }
                }
            }
        }))
    }
}

/// The words from which the button's are chosen.
const BUTTONS: [CallToAction; 9] = [
    CallToAction::SignUp,
    CallToAction::LearnMore,
    CallToAction::ApplyNow,
    CallToAction::GetQuote,
    CallToAction::Subscribe,
    CallToAction::ContactUs,
    CallToAction::Download,
    CallToAction::BookTravel,
    CallToAction::GetOffer,
];

/// "Sign up" for `SIGN_UP`.
fn button_words(name: &str) -> String {
    let lower = name.to_lowercase().replace('_', " ");
    let mut chars = lower.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

/// How the ad will look.
pub(super) fn preview_ad(fields: &Fields) -> Markup {
    let answers = Answers(fields);
    let words: &str = answers.call_to_action().unwrap_or(CallToAction::SignUp).into();
    let page = Some(choice(fields, "page_id").1).filter(|name| !name.is_empty()).unwrap_or("Your page");
    render_ad(page, &answers.message(), fields.get("headline"), fields.get("image"), words)
}

/// An ad as people see it.
pub(super) fn render_ad(page: &str, message: &str, headline: Option<&str>, image: Option<&str>, words: &str) -> Markup {
    html! {
        div.mock {
            p { b { (page) } br; span.quiet { "Sponsored" } }
            @if message.trim().is_empty() { p.quiet { "The text" } } @else { p.text { (message) } }
            div.pictures {
                // Browsers load no picture without TLS into this page.
                @match image.and_then(|url| parse_public(url).ok()) {
                    Some(url) if url.scheme() == "https" => img src=(url) alt="The picture" referrerpolicy="no-referrer";,
                    _ => span { "Picture" },
                }
            }
            p.row { b { (headline.unwrap_or_default()) } span.badge.dim { (button_words(words)) } }
        }
    }
}

fn what_it_spends(screen: &Screen<'_>) -> Markup {
    let (fields, answers) = (screen.fields, Answers(screen.fields));
    let currency = answers.currency();
    let label = if currency.is_empty() { "Budget a day".to_owned() } else { format!("Budget a day, in {currency}") };
    let amount = Kind { required: true, mode: Some("decimal"), example: Some("20.00"), ..Kind::default() };
    let name = Kind { required: true, max: Some(350), ..Kind::default() };
    let payor = Kind { max: Some(512), ..Kind::default() };
    let account = choice(fields, "ad_account_id").1.split_once(' ').map_or("", |(_, name)| name);
    let subject =
        SUBJECTS.iter().find(|(value, _)| fields.get("special") == Some(value)).map_or("", |(_, label)| label);
    html! {
        (screen.line("name", "Name of the campaign", "Only you see it.", &name))
        (screen.line("daily_budget", &label, "Meta may spend more on one day and less on another; a week stays within seven budgets.", &amount))
        (screen.line("dsa_payor", "Who pays for the ad", "Shown with ads in the European Union. Leave it empty if the ad account says it.", &payor))
        h3 { "What you will create" }
        dl.rows {
            div { dt { "Page" } dd { (choice(fields, "page_id").1) } }
            @if !account.is_empty() { div { dt { "Ad account" } dd { (account) } } }
            div { dt { "Form" } dd { @match choice(fields, "lead_form_id") { (id, "") => (id), (_, name) => (name) } } }
            div { dt { "About" } dd { (subject) } }
            div { dt { "Shown in" } dd { (answers.countries("countries").map(|codes| countries::names(&codes)).unwrap_or_default()) @if let Some(ages) = ages(fields) { ", " (ages) } } }
        }
        (preview_ad(fields))
        p.quiet { "Everything is created paused: nothing is spent before you launch it." }
    }
}

fn ages(fields: &Fields) -> Option<String> {
    let (from, to) = (fields.get("age_min"), fields.get("age_max"));
    (from.is_some() || to.is_some()).then(|| format!("ages {} to {}", from.unwrap_or("18"), to.unwrap_or("65+")))
}
