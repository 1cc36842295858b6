//! Invented people who fill in forms: distinct names, e-mail addresses and valid phone numbers.

use super::form::{Form, Question};
use super::lead::{Answer, ConsentAnswer};
use super::{names, standard_question};

/// An invented person. Distinct numbers give distinct people in every language.
pub(crate) struct Person {
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) email: String,
    /// E.164.
    pub(crate) phone: String,
    /// Whether the family name precedes the first name.
    family_first: bool,
    number: usize,
}

/// The number of people after which phone numbers repeat. Running numbers take years to get there.
const PHONES: u64 = 39_000_000;

impl Person {
    /// The person with a running number. The name and phone number match the form's locale.
    pub(crate) fn new(number: u64, locale: &str) -> Self {
        let list = names::of_locale(locale);
        let at = usize::try_from(number % 1_000_000_000).unwrap_or_default();
        let first = pick(list.first, at);
        // Neighbours share neither first nor last name, and every pair occurs once per round.
        let last = pick(list.last, (at % list.first.len()) * 7 + at / list.first.len());
        // A middle initial keeps full names distinct once every pair of names is used up.
        let round = at / (list.first.len() * list.last.len());
        let middle = u8::try_from(round % 27).ok().filter(|initial| *initial > 0);
        let first = match middle {
            Some(initial) => format!("{first} {}.", char::from(b'A' + initial - 1)),
            None => first.to_owned(),
        };
        // A name in a non-Latin script contributes nothing, so only the number remains.
        let parts = [ascii(pick(list.first, at)), ascii(last), base36(number)];
        let mailbox: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Self {
            email: format!("{}@example.com", mailbox.join(".")),
            family_first: locale.starts_with("ja"),
            phone: phone(number, locale),
            first,
            last: last.to_owned(),
            number: at,
        }
    }

    /// The person's answers to a form.
    pub(crate) fn answers(&self, form: &Form) -> Vec<Answer> {
        form.questions
            .iter()
            .map(|question| Answer { name: question.key.clone(), values: self.answer(question) })
            .collect()
    }

    /// Ticks every required checkbox, and for every second person an optional one.
    pub(crate) fn consents(&self, form: &Form) -> Vec<ConsentAnswer> {
        form.consents
            .iter()
            .enumerate()
            .map(|(index, consent)| ConsentAnswer {
                key: consent.key.clone(),
                checked: consent.required || (self.number + index).is_multiple_of(2),
            })
            .collect()
    }

    fn answer(&self, question: &Question) -> Vec<String> {
        if !question.options.is_empty() {
            let chosen = if question.multiple { 1 + self.number % question.options.len().min(3) } else { 1 };
            let options = question.options.iter().cycle().skip(self.number % question.options.len());
            return options.take(chosen).map(|option| option.key.clone()).collect();
        }
        let value = match question.kind {
            "FULL_NAME" if self.family_first => format!("{} {}", self.last, self.first),
            "FULL_NAME" => format!("{} {}", self.first, self.last),
            "FIRST_NAME" => self.first.clone(),
            "LAST_NAME" => self.last.clone(),
            "EMAIL" | "WORK_EMAIL" => self.email.clone(),
            kind if standard_question::is_phone(kind) => self.phone.clone(),
            "COMPANY_NAME" => format!("{} & Co.", self.last),
            other => standard_question::invented(other, self.number),
        };
        vec![value]
    }
}

/// A phone number that libphonenumber considers valid: a US fixed line, a mobile number elsewhere.
fn phone(number: u64, locale: &str) -> String {
    // The factor is coprime to the modulus, so neighbours get numbers that look unrelated and never collide.
    let mixed = number.wrapping_mul(7_368_787) % PHONES;
    match locale.get(..2) {
        Some("de") => format!("+49151{:08}", 10_000_000 + mixed),
        Some("es") => format!("+346{:08}", 10_000_000 + mixed),
        Some("fr") => format!("+336{:08}", 40_000_000 + mixed),
        Some("ja") => format!("+8190{:08}", 10_000_000 + mixed),
        _ => {
            let area =
                pick(&["212", "415", "303", "617", "512", "206"], usize::try_from(mixed / 7_000_000).unwrap_or(0));
            format!("+1{area}{}", 2_000_000 + mixed % 7_000_000)
        }
    }
}

fn pick<'a>(list: &[&'a str], index: usize) -> &'a str {
    list.get(index % list.len()).copied().unwrap_or_default()
}

/// A name as used in a mailbox: lower case, without accents or apostrophes.
fn ascii(name: &str) -> String {
    let mut mailbox = String::new();
    for character in name.to_lowercase().chars() {
        match character {
            'ä' | 'á' | 'à' | 'â' => mailbox.push('a'),
            'ö' | 'ó' | 'ô' => mailbox.push('o'),
            'ü' | 'ú' | 'ù' | 'û' => mailbox.push('u'),
            'ë' | 'é' | 'è' | 'ê' => mailbox.push('e'),
            'í' | 'î' | 'ï' => mailbox.push('i'),
            'ñ' => mailbox.push('n'),
            'ç' => mailbox.push('c'),
            'ß' => mailbox.push_str("ss"),
            'a'..='z' => mailbox.push(character),
            _ => {}
        }
    }
    mailbox
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(char::from_digit(u32::try_from(number % 36).unwrap_or_default(), 36).unwrap_or('0'));
        number /= 36;
    }
    digits.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Person;

    #[test]
    fn twenty_thousand_people_in_a_row_share_no_name_address_or_phone() {
        for locale in ["en_US", "de_DE", "es_ES", "fr_FR", "ja_JP"] {
            let people: Vec<_> = (17_000_000_000..17_000_020_000).map(|number| Person::new(number, locale)).collect();
            let names: HashSet<_> = people.iter().map(|person| (&person.first, &person.last)).collect();
            let emails: HashSet<_> = people.iter().map(|person| &person.email).collect();
            let phones: HashSet<_> = people.iter().map(|person| &person.phone).collect();
            assert_eq!((names.len(), emails.len(), phones.len()), (20_000, 20_000, 20_000), "{locale}");
        }
    }
}
