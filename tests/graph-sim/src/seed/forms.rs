//! Lead forms in three languages, with their ads.

use super::{
    ATELIER, BAKERY, CAFE, CLINIC_BERLIN, CLINIC_LEEDS, CLINIC_MADRID, DENTAL, FIRST_FRANCHISE, FOUNDED_MS, FRANCHISES,
    OUTDOOR, RENTALS, YOGA,
};
use crate::world::World;
use crate::world::form::{Ad, Choice, Consent, Form, Question};

/// Form ids count up from here, in the order of this file; above 2^53 like many of Meta's.
const FIRST_FORM: u64 = 23_984_716_520_100_001;
/// Ids of campaigns, ad sets and ads, eighteen digits like Meta's.
const FIRST_CAMPAIGN: u64 = 120_210_987_654_320_000;

pub(super) fn plant(world: &mut World) {
    let mut number = 0;
    let mut add = |page_id: &str, sketch: Sketch| {
        let form = sketch.into_form(page_id, number);
        number += 1;
        world.forms.insert(form.id.clone(), form);
    };
    add(
        DENTAL,
        Sketch::new("Free check-up", "en_US").full_name().email().phone().choice(
            "preferred_time",
            "When suits you best?",
            &["Morning", "Afternoon", "Evening"],
        ),
    );
    add(DENTAL, implants());
    add(
        BAKERY,
        Sketch::new("Kostprobe Sauerteig", "de_DE")
            .full_name()
            .email()
            .phone()
            .text("welche_größe_hat_ihr_haushalt?", "Welche Größe hat Ihr Haushalt?"),
    );
    add(BAKERY, catering());
    add(YOGA, classes());
    add(
        YOGA,
        Sketch::new("Retiro de otoño", "es_ES").name_parts().email().choice(
            "¿vendrás_con_alguien?",
            "¿Vendrás con alguien?",
            &["Sí, en pareja", "No, voy por mi cuenta"],
        ),
    );
    add(
        OUTDOOR,
        Sketch::new("Tent trade-in", "en_US").full_name().email().phone().many(
            "interested_in",
            "What are you looking for?",
            &["Family tents", "Ultralight tents", "Sleeping bags", "Stoves"],
        ),
    );
    add(OUTDOOR, Sketch::new("Guided tours", "en_US").name_parts().email().phone());
    add(
        CAFE,
        Sketch::new("Brunch for groups", "en_US")
            .full_name()
            .email()
            .phone()
            .text("how_many_guests?", "How many guests?"),
    );
    add(RENTALS, Sketch::new("Weekend offer", "en_US").full_name().email().phone());
    add(
        ATELIER,
        Sketch::new("Malkurs für Anfänger", "de_DE").full_name().email().phone().consent(
            "newsletter",
            "Ja, ich möchte den Newsletter erhalten.",
            false,
        ),
    );
    for franchise in 0..FRANCHISES {
        let page_id = (FIRST_FRANCHISE + franchise).to_string();
        add(
            &page_id,
            Sketch::new(&format!("Table for tonight {:02}", franchise + 1), "en_US").full_name().email().phone(),
        );
    }
    add(CLINIC_BERLIN, Sketch::new("Hautscreening", "de_DE").full_name().email().phone());
    add(CLINIC_MADRID, Sketch::new("Primera visita", "es_ES").name_parts().email().phone());
    add(CLINIC_LEEDS, Sketch::new("Eye test", "en_US").full_name().email().phone());
}

/// A form for a page that joins later.
pub(super) fn plant_one(world: &mut World, page_id: &str) {
    let number = u64::try_from(world.forms.len()).unwrap_or_default();
    let sketch = Sketch::new(&format!("Ask us {number}"), "en_US").full_name().email().phone();
    let form = sketch.into_form(page_id, number);
    world.forms.insert(form.id.clone(), form);
}

/// Name parts, several answers to one question, and consents.
fn implants() -> Sketch {
    Sketch::new("Implant consultation", "en_US")
        .name_parts()
        .email()
        .phone()
        .many("treatments", "Which treatments interest you?", &["Implants", "Crowns & bridges", "Whitening", "Braces"])
        .consent("terms", "I agree that the practice contacts me about my request.", true)
        .consent("newsletter", "Send me news and offers/vouchers.", false)
}

/// German keys even for the standard questions, as forms made in a German Ads Manager have them.
fn catering() -> Sketch {
    Sketch::new("Catering-Anfrage", "de_DE")
        .question("vollständiger_name", "Vollständiger Name", "FULL_NAME")
        .question("e-mail-adresse", "E-Mail-Adresse", "EMAIL")
        .question("telefonnummer", "Telefonnummer", "PHONE")
        .many("was_dürfen_wir_liefern?", "Was dürfen wir liefern?", &["Brötchen", "Süßes Gebäck", "Torten"])
        .consent("datenschutz", "Ich stimme der Verarbeitung meiner Daten zu.", true)
        .consent("werbung", "Ich möchte über Aktionen informiert werden.", false)
}

fn classes() -> Sketch {
    Sketch::new("Clase de prueba", "es_ES")
        .question("nombre_completo", "Nombre completo", "FULL_NAME")
        .question("correo_electrónico", "Correo electrónico", "EMAIL")
        .question("número_de_teléfono", "Número de teléfono", "PHONE")
        .choice("¿qué_nivel_tienes?", "¿Qué nivel tienes?", &["Principiante", "Intermedio", "Avanzado"])
        .consent("condiciones", "Acepto la política de privacidad.", true)
}

/// A form being written down.
struct Sketch {
    name: String,
    locale: &'static str,
    questions: Vec<Question>,
    consents: Vec<Consent>,
}

impl Sketch {
    fn new(name: &str, locale: &'static str) -> Self {
        Self { name: name.to_owned(), locale, questions: Vec::new(), consents: Vec::new() }
    }

    fn full_name(self) -> Self {
        let label = match self.locale {
            "de_DE" => "Vollständiger Name",
            _ => "Full name",
        };
        self.question("full_name", label, "FULL_NAME")
    }

    fn name_parts(self) -> Self {
        let (first, last) = match self.locale {
            "es_ES" => ("Nombre", "Apellidos"),
            _ => ("First name", "Last name"),
        };
        self.question("first_name", first, "FIRST_NAME").question("last_name", last, "LAST_NAME")
    }

    fn email(self) -> Self {
        let label = match self.locale {
            "de_DE" => "E-Mail-Adresse",
            "es_ES" => "Correo electrónico",
            _ => "Email",
        };
        self.question("email", label, "EMAIL")
    }

    fn phone(self) -> Self {
        let label = if self.locale == "de_DE" { "Telefonnummer" } else { "Phone number" };
        self.question("phone_number", label, "PHONE")
    }

    fn text(self, key: &str, label: &str) -> Self {
        self.question(key, label, "CUSTOM")
    }

    fn choice(self, key: &str, label: &str, options: &[&str]) -> Self {
        self.with_options(key, label, options, false)
    }

    fn many(self, key: &str, label: &str, options: &[&str]) -> Self {
        self.with_options(key, label, options, true)
    }

    fn question(mut self, key: &str, label: &str, kind: &'static str) -> Self {
        self.questions.push(Question {
            id: String::new(),
            key: key.to_owned(),
            label: label.to_owned(),
            kind,
            options: Vec::new(),
            multiple: false,
        });
        self
    }

    fn with_options(self, key: &str, label: &str, options: &[&str], multiple: bool) -> Self {
        let mut sketch = self.question(key, label, "CUSTOM");
        if let Some(question) = sketch.questions.last_mut() {
            question.multiple = multiple;
            // As at Meta: the key is the text, lower case, `_` for spaces, accents kept.
            let option = |text: &&str| Choice { key: text.to_lowercase().replace(' ', "_"), value: (*text).to_owned() };
            question.options = options.iter().map(option).collect();
        }
        sketch
    }

    fn consent(mut self, key: &str, text: &str, required: bool) -> Self {
        self.consents.push(Consent { key: key.to_owned(), text: text.to_owned(), required });
        self
    }

    /// The form with its place in the world: ids follow from the running number.
    fn into_form(self, page_id: &str, number: u64) -> Form {
        let id = FIRST_FORM + number * 10;
        let mut questions = self.questions;
        for (position, question) in (1_u64..).zip(questions.iter_mut()) {
            question.id = (id * 10 + position).to_string();
        }
        let campaign = FIRST_CAMPAIGN + number * 100;
        let ads = (1_u64..=3)
            .map(|ad| {
                let adset = ad.div_ceil(2);
                Ad {
                    id: (campaign + 20 + ad).to_string(),
                    name: format!("{} – ad {ad}", self.name),
                    adset_id: (campaign + 10 + adset).to_string(),
                    adset_name: format!("{} – audience {adset}", self.name),
                    campaign_id: campaign.to_string(),
                    campaign_name: format!("{} – campaign", self.name),
                }
            })
            .collect();
        let thank_you = match self.locale {
            "de_DE" => "Vielen Dank! Wir melden uns.",
            "es_ES" => "¡Gracias! Te escribiremos pronto.",
            _ => "Thank you! We will be in touch.",
        };
        Form {
            id: id.to_string(),
            page_id: page_id.to_owned(),
            headline: self.name.clone(),
            name: self.name,
            locale: self.locale,
            status: "ACTIVE",
            questions,
            consents: self.consents,
            privacy_policy_url: "https://www.example.com/privacy".to_owned(),
            thank_you: thank_you.to_owned(),
            created_ms: FOUNDED_MS,
            ads,
        }
    }
}
