//! Lead forms to make, checked before Meta is asked.

use super::draft::{CampaignMistake, mistake};
use crate::model::web_address::parse_public;
use crate::tr;

/// The types of questions that Meta fills in or checks itself.
const QUESTION_TYPES: [&str; 24] = [
    "CUSTOM",
    "CITY",
    "COMPANY_NAME",
    "COUNTRY",
    "DOB",
    "EMAIL",
    "GENDER",
    "FIRST_NAME",
    "FULL_NAME",
    "JOB_TITLE",
    "LAST_NAME",
    "MARITIAL_STATUS",
    "PHONE",
    "PHONE_OTP",
    "WHATSAPP_NUMBER",
    "POST_CODE",
    "PROVINCE",
    "STATE",
    "STREET_ADDRESS",
    "ZIP",
    "WORK_EMAIL",
    "WORK_PHONE_NUMBER",
    "DATE_TIME",
    "STORE_LOOKUP",
];

/// A lead form to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadFormSpec {
    /// Its name, which no other form of the page has.
    pub name: String,
    /// Language and country in Meta's notation.
    pub locale: String,
    /// What is asked.
    pub questions: Vec<FormQuestion>,
    /// The privacy policy's address.
    pub privacy_url: String,
    /// The words that lead there.
    pub privacy_text: Option<String>,
    /// Where people go after the form.
    pub follow_up_url: String,
    /// What people see after the form.
    pub thank_you: Option<ThankYouPage>,
}

/// A question of a lead form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormQuestion {
    /// Meta's type.
    pub r#type: String,
    /// The name of the answer; by default that of the type.
    pub key: Option<String>,
    /// What is asked.
    pub label: Option<String>,
    /// The answers to choose from.
    pub options: Vec<String>,
}

/// What people see after a lead form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThankYouPage {
    /// Its heading.
    pub title: String,
    /// Its text.
    pub body: Option<String>,
    /// The words that lead to the website.
    pub link_text: Option<String>,
    /// The website.
    pub website_url: Option<String>,
}

impl FormQuestion {
    /// The name of the answer.
    #[must_use]
    pub fn answer_key(&self) -> String {
        self.key.clone().unwrap_or_else(|| self.r#type.to_lowercase())
    }
}

impl LeadFormSpec {
    /// Checks the form.
    ///
    /// # Errors
    /// The first field that Meta would refuse.
    pub fn check(self) -> Result<Self, CampaignMistake> {
        check_length("name", &self.name, 250)?;
        if !(1..=30).contains(&self.questions.len()) {
            return mistake("questions", tr!("1 to 30 questions."));
        }
        let mut keys = Vec::new();
        for (position, question) in self.questions.iter().enumerate() {
            let field = format!("questions[{position}]");
            let is_custom = question.r#type == "CUSTOM";
            if !QUESTION_TYPES.contains(&question.r#type.as_str()) {
                return mistake(format!("{field}.type"), tr!("One of {names}.", names = QUESTION_TYPES.join(", ")));
            }
            if is_custom && (question.key.is_none() || question.label.is_none()) {
                return mistake(field, tr!("A question of the type CUSTOM has a key and a label."));
            }
            if !question.options.is_empty() && !is_custom {
                return mistake(format!("{field}.options"), tr!("Only a question of the type CUSTOM has options."));
            }
            let key = question.answer_key();
            if keys.contains(&key) {
                return mistake(format!("{field}.key"), tr!("A key that no other question has."));
            }
            keys.push(key);
        }
        check_address("privacyPolicy.url", &self.privacy_url)?;
        if let Some(text) = &self.privacy_text {
            check_length("privacyPolicy.linkText", text, 70)?;
        }
        check_address("followUpUrl", &self.follow_up_url)?;
        if let Some(page) = &self.thank_you {
            check_length("thankYou.title", &page.title, 60)?;
            page.website_url.as_deref().map_or(Ok(()), |url| check_address("thankYou.websiteUrl", url))?;
        }
        Ok(self)
    }
}

fn check_length(field: &'static str, text: &str, most: usize) -> Result<(), CampaignMistake> {
    if (1..=most).contains(&text.trim().chars().count()) {
        Ok(())
    } else {
        mistake(field, tr!("1 to {most} characters.", most = most))
    }
}

fn check_address(field: &'static str, url: &str) -> Result<(), CampaignMistake> {
    parse_public(url).map_or_else(|message| mistake(field, message), |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: &str) -> FormQuestion {
        FormQuestion { r#type: kind.to_owned(), key: None, label: None, options: Vec::new() }
    }

    fn form() -> LeadFormSpec {
        LeadFormSpec {
            name: "Trial".to_owned(),
            locale: "EN_US".to_owned(),
            questions: vec![question("EMAIL"), question("FULL_NAME")],
            privacy_url: "https://x.example/privacy".to_owned(),
            privacy_text: None,
            follow_up_url: "https://x.example/thanks".to_owned(),
            thank_you: None,
        }
    }

    #[test]
    fn what_meta_would_refuse_is_named_by_field() {
        let field = |form: LeadFormSpec| form.check().unwrap_err().field.into_owned();
        assert!(form().check().is_ok());
        assert_eq!(field(LeadFormSpec { follow_up_url: String::new(), ..form() }), "followUpUrl");
        assert_eq!(field(LeadFormSpec { privacy_url: "http://10.0.0.1/".to_owned(), ..form() }), "privacyPolicy.url");
        assert_eq!(field(LeadFormSpec { name: " ".to_owned(), ..form() }), "name");
        let questions = |questions| LeadFormSpec { questions, ..form() };
        assert_eq!(field(questions(Vec::new())), "questions");
        assert_eq!(field(questions(vec![question("MAIL")])), "questions[0].type");
        assert_eq!(field(questions(vec![question("EMAIL"), question("EMAIL")])), "questions[1].key");
        assert_eq!(field(questions(vec![question("CUSTOM")])), "questions[0]");
        let choice = FormQuestion { options: vec!["a".to_owned()], ..question("EMAIL") };
        assert_eq!(field(questions(vec![choice])), "questions[0].options");
    }
}
