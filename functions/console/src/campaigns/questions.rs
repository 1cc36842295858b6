//! What each step of the wizard asks.

use std::borrow::Cow;

use leadwire::ads::accounts::AvailableAdAccount;
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::language::decimal;
use leadwire::leads::FormOut;
use leadwire::model::campaigns::CallToAction;
use leadwire::model::web_address::parse_public;
use leadwire::tr;
use maud::{Markup, html};

use super::answers::{Answers, choice};
use super::lead_form::language_name;
use super::wizard::Screen;
use crate::components::{Tone, alert, empty, field_problem, with_markup};
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
                    placeholder=[kind.example.as_deref()] aria-invalid=[of.wrong] aria-describedby=[of.by];
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
    pub(super) example: Option<Cow<'static, str>>,
}

async fn where_it_runs(screen: &Screen<'_>) -> Result<Markup, Problem> {
    let Screen { console, advertiser, fields, .. } = screen;
    let access = &advertiser.access;
    let (page_id, account_id) = (choice(fields, "page_id").0, choice(fields, "ad_account_id").0);
    let mut pages = console.rooms.connections.connections(access).await?.items;
    pages.sort_by(|one, other| (&one.page_name, &one.page_id).cmp(&(&other.page_name, &other.page_id)));
    pages.dedup_by(|one, other| one.page_id == other.page_id);
    let (mut accounts, mut refused) = (Vec::<AvailableAdAccount>::new(), None);
    for integration in console.rooms.connections.integrations(access).await?.items {
        match console.rooms.ads.available_accounts(access, &integration.id).await {
            Ok(list) => accounts.extend(list.items),
            Err(error) if error.code() == ErrorCode::Unavailable => return Err(error.into()),
            Err(error) => refused = Some((integration.name, Problem::from(error))),
        }
    }
    accounts.sort_by(|one, other| (&one.name, &one.ad_account_id).cmp(&(&other.name, &other.ad_account_id)));
    accounts.dedup_by(|one, other| one.ad_account_id == other.ad_account_id);
    if pages.is_empty() {
        return Ok(empty(
            &tr!("No page to advertise for"),
            html! {
                @if advertiser.visitor.is_admin() {
                    (with_markup(&tr!("{connect} to advertise for your pages."), &[("connect", html! { a href="/integrations" { (tr!("Connect Facebook")) } })]))
                } @else { (tr!("Ask an admin to connect Facebook.")) }
            },
        ));
    }
    Ok(html! {
        @if let Some((name, refused)) = &refused {
            (alert(Tone::Warn, html! { p {
                (with_markup(&tr!("The ad accounts of {integration} are missing from this list."), &[("integration", html! { b { (name) } })]))
                " " (messages::text(refused))
            } }))
        }
        (screen.field("page_id", &tr!("Page"), &tr!("The ad appears under this page's name."), &|of| html! {
            select name=(of.name) required aria-invalid=[of.wrong] aria-describedby=[of.by] {
                @for page in &pages {
                    @let ended = page.reason_message.is_some();
                    option value={ (page.page_id) " " (page.page_name) } selected[page.page_id.as_str() == page_id] disabled[ended] {
                        (page.page_name) @if ended { " " (tr!("(connection ended)")) }
                    }
                }
            }
        }))
        @if accounts.is_empty() && refused.is_none() {
            (alert(Tone::Warn, html! { p { (tr!("The connected person has no ad account. Create one in Meta's business settings, or have the person added to an existing one.")) } }))
        }
        (screen.field("ad_account_id", &tr!("Ad account that pays"), "", &|of| html! {
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
    let listed = console.rooms.leads.forms(&advertiser.access).await?;
    let refused = listed.refused.iter().find(|refused| refused.page_id.as_str() == page);
    // Meta lists a new form a moment after it was made.
    let is_new = !chosen_name.is_empty() && !listed.items.iter().any(|form| form.form_id.as_str() == chosen);
    let is_offered = |form: &&FormOut| form.page_id.as_str() == page && form.status == "ACTIVE";
    let forms: Vec<&FormOut> = listed.items.iter().filter(is_offered).collect();
    Ok(html! {
        @if let Some(refused) = refused {
            (alert(Tone::Warn, html! { p {
                (with_markup(&tr!("Meta does not list the forms of {page}."), &[("page", html! { b { (page_name) } })]))
                " " (refused.message)
            } }))
        }
        @if forms.is_empty() && !is_new {
            p { (with_markup(&tr!("{page} has no active form yet. Create one now. It takes two minutes."), &[("page", html! { b { (page_name) } })])) }
        } @else {
            fieldset aria-invalid=[screen.is_wrong("lead_form_id")] aria-describedby=[screen.is_wrong("lead_form_id").map(|_| "lead_form_id-mistake")] {
                legend { @if page_name.is_empty() { (tr!("Forms of the page")) } @else { (tr!("Forms of {page}", page = page_name)) } }
                @if is_new { (form_choice(chosen, chosen_name, None, true)) }
                @for form in &forms { (form_choice(form.form_id.as_str(), &form.name, form.locale.as_deref(), form.form_id.as_str() == chosen)) }
            }
        }
        (field_problem(screen.problem, "lead_form_id"))
        p { button name="go" value="form" formnovalidate { (tr!("Create a new form")) } }
    })
}

fn form_choice(id: &str, name: &str, locale: Option<&str>, is_chosen: bool) -> Markup {
    html! {
        label.tick {
            input type="radio" name="lead_form_id" value={ (id) " " (name) } checked[is_chosen] required;
            span { (name) @if let Some(locale) = locale { " " span.quiet { (language_name(locale)) } } }
        }
    }
}

fn what_about(screen: &Screen<'_>) -> Markup {
    let chosen = screen.fields.text("special");
    html! {
        p.quiet { (tr!("For some topics, Meta limits who can see an ad. If you choose “None of the following” although a topic applies, Meta stops the ad.")) }
        fieldset aria-invalid=[screen.is_wrong("special")] aria-describedby=[screen.is_wrong("special").map(|_| "special-mistake")] {
            legend { (tr!("Is it about one of these?")) }
            @for (value, label) in subjects() {
                label.tick { input type="radio" name="special" value=(value) checked[chosen == value] required; (label) }
            }
        }
        (field_problem(screen.problem, "special"))
        (screen.line("special_countries", &tr!("Countries whose rules apply, if you chose a topic"), &tr!("Names or two-letter codes, separated by commas."), &Kind { example: Some(tr!("Netherlands, Belgium")), ..Kind::default() }))
    }
}

/// What an ad can be about, by Meta's special category.
fn subjects() -> [(&'static str, Cow<'static, str>); 6] {
    [
        ("NONE", tr!("None of the following")),
        ("HOUSING", tr!("Homes: selling, renting, mortgages")),
        ("EMPLOYMENT", tr!("Jobs, internships, training for them")),
        ("FINANCIAL_PRODUCTS_SERVICES", tr!("Loans, insurance, investments")),
        ("ISSUES_ELECTIONS_POLITICS", tr!("Politics, elections, social issues")),
        ("ONLINE_GAMBLING_AND_GAMING", tr!("Gambling and games for money")),
    ]
}

fn who_sees(screen: &Screen<'_>) -> Markup {
    let age = |example: &'static str| Kind {
        mode: Some("numeric"),
        max: Some(2),
        example: Some(example.into()),
        ..Kind::default()
    };
    let countries = Kind { required: true, example: Some(tr!("Netherlands, Belgium")), ..Kind::default() };
    html! {
        (screen.line("countries", &tr!("Countries"), &tr!("Names or two-letter codes, separated by commas."), &countries))
        div.ages {
            div { (screen.line("age_min", &tr!("From age"), "", &age("18"))) }
            div { (screen.line("age_max", &tr!("To age"), "", &age("65"))) }
        }
        p.hint.quiet { (tr!("65 includes everyone older. If you leave the ages empty, Meta also shows the ad to other people who are likely to fill in the form.")) }
    }
}

fn what_they_see(screen: &Screen<'_>) -> Markup {
    let address = |required| Kind { required, mode: Some("url"), example: Some("https://".into()), ..Kind::default() };
    let headline = Kind { max: Some(255), ..Kind::default() };
    let chosen = Answers(screen.fields).call_to_action();
    html! {
        (screen.field("message", &tr!("Text"), "", &|of| html! {
            textarea name=(of.name) rows="5" maxlength="2000" required aria-invalid=[of.wrong] aria-describedby=[of.by] { "\n" (of.value) }
        }))
        (screen.line("headline", &tr!("Headline"), &tr!("Below the picture, in bold."), &headline))
        (screen.line("image", &tr!("Address of the picture"), &tr!("Meta must be able to download the picture from this address. 1080 × 1080 pixels work everywhere."), &address(true)))
        (screen.line("link", &tr!("Address that is shown"), &tr!("Whatever you enter here, the ad opens your form."), &address(false)))
        (screen.field("call_to_action", &tr!("Button text"), "", &|of| html! {
            select name=(of.name) aria-invalid=[of.wrong] aria-describedby=[of.by] {
                @for words in BUTTONS {
                    @let value: &str = words.into();
                    option value=(value) selected[chosen == Some(words)] { (button_words(words)) }
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

/// The words on the button, as Meta shows them to readers of the current language.
fn button_words(words: CallToAction) -> Cow<'static, str> {
    match words {
        CallToAction::SignUp => tr!("Sign up"),
        CallToAction::LearnMore => tr!("Learn more"),
        CallToAction::ApplyNow => tr!("Apply now"),
        CallToAction::GetQuote => tr!("Get quote"),
        CallToAction::Subscribe => tr!("Subscribe"),
        CallToAction::ContactUs => tr!("Contact us"),
        CallToAction::Download => tr!("Download"),
        CallToAction::BookTravel => tr!("Book travel"),
        CallToAction::GetOffer => tr!("Get offer"),
    }
}

/// How the ad will look.
pub(super) fn preview_ad(fields: &Fields) -> Markup {
    let answers = Answers(fields);
    let words = answers.call_to_action().unwrap_or(CallToAction::SignUp);
    let name = choice(fields, "page_id").1;
    let page: Cow<'_, str> = if name.is_empty() { tr!("Your page") } else { Cow::Borrowed(name) };
    render_ad(&page, &answers.message(), fields.get("headline"), fields.get("image"), words)
}

/// An ad as people see it.
pub(super) fn render_ad(
    page: &str,
    message: &str,
    headline: Option<&str>,
    image: Option<&str>,
    words: CallToAction,
) -> Markup {
    html! {
        div.mock {
            p { b { (page) } br; span.quiet { (tr!("Sponsored")) } }
            @if message.trim().is_empty() { p.quiet { (tr!("The text")) } } @else { p.text { (message) } }
            div.pictures {
                // Browsers load no picture without TLS into this page.
                @match image.and_then(|url| parse_public(url).ok()) {
                    Some(url) if url.scheme() == "https" => img src=(url) alt=(tr!("The picture")) referrerpolicy="no-referrer";,
                    _ => span { (tr!("Picture")) },
                }
            }
            p.row { b { (headline.unwrap_or_default()) } span.button { (button_words(words)) } }
        }
    }
}

fn what_it_spends(screen: &Screen<'_>) -> Markup {
    let (fields, answers) = (screen.fields, Answers(screen.fields));
    let currency = answers.currency();
    let label = if currency.is_empty() {
        tr!("Daily budget")
    } else {
        tr!("Daily budget in {currency}", currency = currency).into()
    };
    let example = Some(decimal("20.00").into());
    let amount = Kind { required: true, mode: Some("decimal"), example, ..Kind::default() };
    let name = Kind { required: true, max: Some(350), ..Kind::default() };
    let payor = Kind { max: Some(512), ..Kind::default() };
    let account = choice(fields, "ad_account_id").1.split_once(' ').map_or("", |(_, name)| name);
    let subject = subjects().into_iter().find(|(value, _)| fields.get("special") == Some(*value));
    let subject =
        subject.map_or_else(
            Cow::default,
            |(value, label)| if value == "NONE" { tr!("special ad category" => "None") } else { label },
        );
    html! {
        (screen.line("name", &tr!("Name of the campaign"), &tr!("Only you see it."), &name))
        (screen.line("daily_budget", &label, &tr!("Meta may spend more on one day and less on another. In a week, it spends at most seven daily budgets."), &amount))
        (screen.line("dsa_payor", &tr!("Who pays for the ad"), &tr!("Shown with ads in the European Union. Leave this empty if the payer is set in the ad account."), &payor))
        h3 { (tr!("What you will create")) }
        dl.rows {
            div { dt { (tr!("Page")) } dd { (choice(fields, "page_id").1) } }
            @if !account.is_empty() { div { dt { (tr!("Ad account")) } dd { (account) } } }
            div { dt { (tr!("Form")) } dd { @match choice(fields, "lead_form_id") { (id, "") => (id), (_, name) => (name) } } }
            div { dt { (tr!("Special ad category")) } dd { (subject) } }
            div { dt { (tr!("Shown in")) } dd { (answers.countries("countries").map(|codes| countries::names(&codes)).unwrap_or_default()) @if let Some(ages) = ages(fields) { ", " (ages) } } }
        }
        (preview_ad(fields))
        p.quiet { (tr!("Everything is created paused: nothing is spent before you launch it.")) }
    }
}

fn ages(fields: &Fields) -> Option<String> {
    let (from, to) = (fields.get("age_min"), fields.get("age_max"));
    (from.is_some() || to.is_some())
        .then(|| tr!("ages {from} to {to}", from = from.unwrap_or("18"), to = to.unwrap_or("65+")))
}
