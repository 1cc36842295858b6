//! Making a lead form on the way to a campaign. Meta lets nothing of it be changed afterwards.

use std::borrow::Cow;
use std::collections::BTreeSet;

use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::campaigns::{LeadFormIn, PrivacyPolicyIn, QuestionIn, ThankYouIn};
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::CampaignId;
use leadwire::model::audit::AuditAct;
use leadwire::once::OnceKey;
use leadwire::tr;
use maud::{Markup, html};

use super::answers::{Answers, choice};
use super::questions::Kind;
use super::wizard::Screen;
use crate::acts::Showing;
use crate::components::{csrf_field, field_problem, with_markup};
use crate::form::Fields;
use crate::layout::{Section, page};

/// The step of the wizard that chooses a form.
const STEP: usize = 1;
/// Questions of one's own that a form can have here.
const MAX_OWN: usize = 10;

/// The standard questions, by Meta's type. Meta fills in most of them from the person's profile.
fn standard_questions() -> [(&'static str, Cow<'static, str>); 12] {
    [
        ("FULL_NAME", tr!("Full name")),
        ("FIRST_NAME", tr!("First name")),
        ("LAST_NAME", tr!("Last name")),
        ("EMAIL", tr!("Email")),
        ("PHONE", tr!("Phone number")),
        ("CITY", tr!("City")),
        ("POST_CODE", tr!("Postcode")),
        ("COUNTRY", tr!("Country")),
        ("COMPANY_NAME", tr!("Company")),
        ("JOB_TITLE", tr!("Job title")),
        ("WORK_EMAIL", tr!("Work email")),
        ("DOB", tr!("Date of birth")),
    ]
}

/// The languages of Meta's own words, by Meta's locale.
fn languages() -> [(&'static str, Cow<'static, str>); 14] {
    [
        ("EN_US", tr!("English (US)")),
        ("EN_GB", tr!("English (UK)")),
        ("DA_DK", tr!("Danish")),
        ("NL_NL", tr!("Dutch")),
        ("FI_FI", tr!("Finnish")),
        ("FR_FR", tr!("French")),
        ("DE_DE", tr!("German")),
        ("IT_IT", tr!("Italian")),
        ("NB_NO", tr!("Norwegian")),
        ("PL_PL", tr!("Polish")),
        ("PT_PT", tr!("Portuguese")),
        ("PT_BR", tr!("Portuguese (Brazil)")),
        ("ES_ES", tr!("Spanish")),
        ("SV_SE", tr!("Swedish")),
    ]
}

/// The language of a form, or Meta's locale if it is not known by name.
pub(crate) fn language_name(locale: &str) -> Cow<'_, str> {
    let known = languages().into_iter().find(|(known, _)| known.eq_ignore_ascii_case(locale));
    known.map_or(Cow::Borrowed(locale), |(_, name)| name)
}

const FIELDS: [&str; 10] = [
    "form_name",
    "form_locale",
    "ask",
    "privacy_url",
    "privacy_text",
    "follow_up",
    "thanks_title",
    "thanks_text",
    "thanks_button",
    "thanks_url",
];

fn own_question(position: usize) -> String {
    format!("own_{position}")
}

fn own_choices(position: usize) -> String {
    format!("own_{position}_choices")
}

/// The questions of one's own, by position, with their choices.
fn own_questions(fields: &Fields) -> impl Iterator<Item = (usize, String, Vec<String>)> + '_ {
    (0..MAX_OWN).filter_map(|position| {
        let label = fields.get(&own_question(position))?;
        let choices = fields.raw(&own_choices(position)).unwrap_or_default().lines().map(str::trim);
        Some((position, label.to_owned(), choices.filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()))
    })
}

/// Makes the form, and goes on with it. A refusal is shown at its field.
pub(super) async fn make(screen: &Screen<'_>, jar: PrivateCookieJar) -> Result<Response, Problem> {
    let Screen { console, advertiser, fields, .. } = screen;
    let make = async {
        advertiser.access.begin_as(AuditAct::FormCreate).await?;
        let input = input(fields)?;
        let once = OnceKey::new("create-lead-form", "form_request_id", &fields.text("form_request_id"), &input)?;
        let made = console.rooms.campaigns.create_form(&advertiser.access, input, Some(once)).await?;
        Ok::<_, Problem>(made.form_id)
    };
    let mut fields = (*fields).clone();
    match make.await {
        Ok(form) => {
            let name = fields.text("form_name");
            // Another form begins empty, as a request of its own.
            let mut fields = Fields::new(kept_answers(&fields));
            fields.set("lead_form_id", &format!("{form} {name}"));
            let done = tr!("The form “{name}” is created and selected.", name = name);
            Screen { fields: &fields, done: Some(&done), problem: None, ..*screen }.show(jar, STEP).await
        }
        // The next attempt finds the form, if it was made.
        Err(problem) if problem.status >= 500 => Err(problem),
        Err(problem) => {
            // It made nothing, and is sent again with other content.
            fields.set("form_request_id", CampaignId::new().as_str());
            let problem =
                Problem { field: problem.field.as_deref().and_then(|field| own_field(&fields, field)), ..problem };
            let screen = Screen { fields: &fields, problem: Some(&problem), ..*screen };
            Ok(show(&screen, jar).await?.showing(Some(&problem)))
        }
    }
}

/// The answers of the wizard, without those of this form.
fn kept_answers(fields: &Fields) -> Vec<(String, String)> {
    let is_of_form = |name: &str| FIELDS.contains(&name) || name.starts_with("own_") || name == "form_request_id";
    let kept = fields.iter().filter(|(name, _)| !is_of_form(name));
    kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn input(fields: &Fields) -> Result<LeadFormIn, Problem> {
    let text = |name: &str| fields.get(name).map(ToOwned::to_owned);
    let needed = |name: &str, detail: &str| {
        text(name).ok_or_else(|| Problem::field(name, ProblemCode::FieldInvalid, detail.to_owned()))
    };
    let lacks_question = |position: &usize| {
        fields.get(&own_question(*position)).is_none() && fields.get(&own_choices(*position)).is_some()
    };
    if let Some(position) = (0..MAX_OWN).find(lacks_question) {
        let detail = tr!("Enter the question that these answers belong to.");
        return Err(Problem::field(&own_question(position), ProblemCode::FieldInvalid, detail));
    }
    let standard = fields.all("ask").map(|kind| QuestionIn {
        r#type: kind.to_owned(),
        key: None,
        label: None,
        options: Vec::new(),
    });
    let mut keys: BTreeSet<String> = standard_questions().iter().map(|(kind, _)| kind.to_lowercase()).collect();
    let own = own_questions(fields).map(|(position, label, options)| {
        let mut key = slug(&label);
        if key.is_empty() || !keys.insert(key.clone()) {
            key = format!("question_{}", position + 1);
            keys.insert(key.clone());
        }
        QuestionIn { r#type: "CUSTOM".to_owned(), key: Some(key), label: Some(label), options }
    });
    let questions: Vec<QuestionIn> = standard.chain(own).collect();
    if questions.is_empty() {
        return Err(Problem::field("ask", ProblemCode::FieldInvalid, tr!("Select at least one question.")));
    }
    let title = text("thanks_title");
    if let (None, Some(field)) =
        (&title, ["thanks_text", "thanks_button", "thanks_url"].iter().find(|name| fields.get(name).is_some()))
    {
        return Err(Problem::field(
            field,
            ProblemCode::FieldInvalid,
            tr!("Add a heading to the thank-you page. Without one, people do not see this."),
        ));
    }
    Ok(LeadFormIn {
        page_id: Answers(fields).page()?,
        name: needed("form_name", &tr!("Enter a name for the form."))?,
        locale: text("form_locale"),
        questions,
        privacy_policy: PrivacyPolicyIn {
            url: needed("privacy_url", &tr!("Enter the address of your privacy policy. Meta requires one."))?,
            link_text: text("privacy_text"),
        },
        follow_up_url: needed("follow_up", &tr!("Enter the address of your website. Meta requires one."))?,
        thank_you: title.map(|title| ThankYouIn {
            title,
            body: text("thanks_text"),
            button_text: text("thanks_button"),
            website_url: text("thanks_url"),
        }),
        request_id: None,
    })
}

/// The name of an answer, from the words of its question: "How many?" becomes `how_many`.
fn slug(label: &str) -> String {
    let letters = |char: char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { ' ' };
    let words: String = label.chars().map(letters).collect();
    words.split_whitespace().take(6).collect::<Vec<_>>().join("_")
}

/// The page's name of a field of the API. `None` for what is not asked here: the words of the problem name it.
fn own_field(fields: &Fields, field: &str) -> Option<String> {
    let position = field.strip_prefix("questions[").and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
    if let Some(own) = position.and_then(|position| position.checked_sub(fields.all("ask").count())) {
        return own_questions(fields).nth(own).map(|(position, ..)| own_question(position));
    }
    let name = match field {
        "name" => "form_name",
        "locale" => "form_locale",
        "privacyPolicy.linkText" => "privacy_text",
        "followUpUrl" => "follow_up",
        "thankYou.websiteUrl" => "thanks_url",
        field if FIELDS.contains(&field) || field.starts_with("own_") => field,
        field if field.starts_with("questions") => "ask",
        field if field.starts_with("privacyPolicy") => "privacy_url",
        field if field.starts_with("thankYou") => "thanks_title",
        _ => return None,
    };
    Some(name.to_owned())
}

/// Shows the form to fill in.
pub(super) async fn show(screen: &Screen<'_>, jar: PrivateCookieJar) -> Result<Response, Problem> {
    let visitor = &screen.advertiser.visitor;
    let body = render(screen);
    Ok(page(visitor, jar, Section::Campaigns, &tr!("Create a lead form"), &body))
}

fn render(screen: &Screen<'_>) -> Markup {
    let fields = screen.fields;
    let is_filled = |position: &usize| {
        [own_question(*position), own_choices(*position)].iter().any(|name| fields.get(name).is_some())
    };
    let filled = (0..MAX_OWN).filter(is_filled).max().map_or(0, |position| position + 1);
    let shown = MAX_OWN.min(filled + usize::from(fields.get("go") == Some("question")));
    let own_names: Vec<String> =
        (0..MAX_OWN).flat_map(|position| [own_question(position), own_choices(position)]).collect();
    let own: Vec<&str> =
        FIELDS.into_iter().chain(own_names.iter().map(String::as_str)).chain(["form_request_id"]).collect();
    let is_begun = fields.get("form_request_id").is_some();
    let request_id = if is_begun { fields.text("form_request_id") } else { CampaignId::new().to_string() };
    // The usual questions are selected at first.
    let asks =
        |kind: &str| fields.all("ask").any(|asked| asked == kind) || !is_begun && matches!(kind, "FULL_NAME" | "EMAIL");
    let text = |max: u32| Kind { max: Some(max), ..Kind::default() };
    let needed = |max: u32| Kind { required: true, ..text(max) };
    let address = |required| Kind { required, mode: Some("url"), example: Some("https://".into()), ..Kind::default() };
    html! {
        form.card.narrow method="post" action="/campaigns/new#refused" {
            // The first button is what the enter key presses. It must not make the form.
            button.hidden name="go" value="question" formnovalidate tabindex="-1" aria-hidden="true" { "Stay" }
            (csrf_field(&screen.advertiser.visitor))
            input type="hidden" name="step" value=(STEP);
            input type="hidden" name="form_request_id" value=(request_id);
            (screen.hidden_except(&own))
            p { (with_markup(
                &tr!("This form belongs to {page}. Meta does not allow changes to a form later, but you can archive it and create another one."),
                &[("page", html! { b { (choice(fields, "page_id").1) } })],
            )) }
            (screen.outcome())
            (screen.line("form_name", &tr!("Name of the form"), &tr!("Only your team sees this name. Each form of a page needs its own."), &needed(250)))
            (screen.field("form_locale", &tr!("Language"), &tr!("Applies to Meta's own texts in the form."), &|of| html! {
                select name=(of.name) aria-invalid=[of.wrong] aria-describedby=[of.by] {
                    @for (value, label) in languages() { option value=(value) selected[of.value == value] { (label) } }
                }
            }))
            fieldset aria-invalid=[screen.is_wrong("ask")] aria-describedby=[screen.is_wrong("ask").map(|_| "ask-mistake")] {
                legend { (tr!("Questions")) }
                div.boxes {
                    @for (kind, label) in standard_questions() {
                        label.tick { input type="checkbox" name="ask" value=(kind) checked[asks(kind)]; (label) }
                    }
                }
            }
            (field_problem(screen.problem, "ask"))
            @for position in 0..shown {
                fieldset {
                    legend { (tr!("Your question {number}", number = position + 1)) }
                    (screen.line(&own_question(position), &tr!("Question"), "", &text(200)))
                    (screen.field(&own_choices(position), &tr!("Answers to choose from, one per line"), &tr!("If you leave this empty, people write their own answer."), &|of| html! {
                        textarea name=(of.name) rows="3" aria-describedby=[of.by] { "\n" (of.value) }
                    }))
                }
            }
            @if shown < MAX_OWN { p { button name="go" value="question" formnovalidate { (tr!("Add your own question")) } } }
            h2 { (tr!("Privacy policy")) }
            (screen.line("privacy_url", &tr!("Address of your privacy policy"), "", &address(true)))
            (screen.line("privacy_text", &tr!("Link text"), "", &text(70)))
            h2 { (tr!("After the form")) }
            (screen.line("follow_up", &tr!("Your website"), &tr!("Where people can go after the form. Meta requires it."), &address(true)))
            details open[FIELDS.iter().skip(6).any(|name| fields.get(name).is_some())] {
                summary { (tr!("Custom thank-you page")) }
                (screen.line("thanks_title", &tr!("Heading"), "", &text(60)))
                (screen.field("thanks_text", &tr!("Text"), "", &|of| html! { textarea name=(of.name) rows="3" aria-describedby=[of.by] { "\n" (of.value) } }))
                (screen.line("thanks_button", &tr!("Button text"), "", &text(60)))
                (screen.line("thanks_url", &tr!("Address that the button opens"), "", &address(false)))
            }
            div.acts {
                button.primary name="go" value="make" { (tr!("Create the form")) }
                button name="go" value="steps" formnovalidate { (tr!("Back")) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::answers::tests::answers;
    use super::*;

    fn filled(changed: &[(&str, &str)]) -> Fields {
        let form = [
            ("form_name", "Trial"),
            ("ask", "EMAIL"),
            ("own_1", "How many people?"),
            ("own_1_choices", "1\r\n 2 \r\n\r\nMore"),
            ("own_4", "Wie viele?"),
            ("own_5", "Сколько?"),
            ("own_6", "City"),
            ("privacy_url", "https://x.example/privacy"),
            ("follow_up", "https://x.example/"),
        ];
        let all: Vec<(&str, &str)> = form.iter().chain(changed).copied().collect();
        answers(&all)
    }

    #[test]
    fn what_is_filled_in_is_a_form() {
        let form = input(&filled(&[])).unwrap();
        let keys: Vec<Option<&str>> = form.questions.iter().map(|question| question.key.as_deref()).collect();
        let expected = [None, Some("how_many_people"), Some("wie_viele"), Some("question_6"), Some("question_7")];
        assert_eq!(keys, expected, "a key of a standard question is not taken twice");
        assert_eq!(form.questions[1].options, ["1", "2", "More"]);
        assert!(form.thank_you.is_none());
    }

    #[test]
    fn a_language_has_a_name_however_meta_writes_its_locale() {
        assert_eq!(["en_US", "DE_DE", "xx_XX"].map(language_name), ["English (US)", "German", "xx_XX"]);
    }

    #[test]
    fn another_form_begins_empty() {
        let kept = Fields::new(kept_answers(&filled(&[("form_request_id", "r")])));
        assert!(
            ["form_name", "ask", "own_1", "own_1_choices", "form_request_id"]
                .iter()
                .all(|name| kept.get(name).is_none())
        );
        assert_eq!(kept.iter().count(), answers(&[]).iter().count());
    }

    #[test]
    fn what_is_missing_is_named_by_its_field() {
        let field = |changed: &[(&str, &str)]| input(&filled(changed)).unwrap_err().field.unwrap();
        assert_eq!(field(&[("form_name", " ")]), "form_name");
        assert_eq!(field(&[("privacy_url", "")]), "privacy_url");
        assert_eq!(field(&[("follow_up", "")]), "follow_up");
        assert_eq!(field(&[("thanks_text", "See you")]), "thanks_text");
        assert_eq!(field(&[("own_1", "")]), "own_1", "answers without a question");
        let nothing = [("own_1_choices", ""), ("ask", ""), ("own_1", ""), ("own_4", ""), ("own_5", ""), ("own_6", "")];
        assert_eq!(field(&nothing), "ask");
    }

    #[test]
    fn a_refusal_stands_at_the_question_it_is_about() {
        let fields = filled(&[]);
        let own_field = |field: &str| own_field(&fields, field);
        assert_eq!(own_field("questions[0].type").as_deref(), Some("ask"));
        assert_eq!(own_field("questions[2]").as_deref(), Some("own_4"));
        assert_eq!(own_field("privacyPolicy.url").as_deref(), Some("privacy_url"));
        assert_eq!(own_field("privacy_url").as_deref(), Some("privacy_url"), "found here, before the room is asked");
        assert_eq!(own_field("pageId"), None);
    }
}
