//! Lead forms with their ads: in three languages at the start, in five on request.

use super::sketch::Sketch;
use super::{
    ATELIER, BAKERY, CAFE, CLINIC_BERLIN, CLINIC_LEEDS, CLINIC_MADRID, DENTAL, FIRST_FRANCHISE, FOUNDED_MS, FRANCHISES,
    OUTDOOR, RENTALS, YOGA,
};
use crate::world::World;

pub(super) fn plant(world: &mut World) {
    let mut add = |page_id: &str, sketch: Sketch| {
        sketch.publish(world, page_id, FOUNDED_MS);
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

/// Adds a form to a page that joins later.
pub(super) fn plant_one(world: &mut World, page_id: &str) {
    let number = u64::try_from(world.forms.len()).unwrap_or_default();
    Sketch::new(&format!("Ask us {number}"), "en_US").full_name().email().phone().publish(world, page_id, FOUNDED_MS);
}

/// Adds one form in each of four further languages to a page that joins later. Forms made in a localised Ads Manager
/// have localised keys, sometimes only for some of the standard questions.
pub(super) fn plant_languages(world: &mut World, page_id: &str) {
    for sketch in [german(), french(), spanish(), japanese()] {
        sketch.publish(world, page_id, FOUNDED_MS);
    }
}

fn german() -> Sketch {
    Sketch::new("Rückruf vereinbaren", "de_DE")
        .question("vollständiger_name", "Vollständiger Name", "FULL_NAME")
        .question("e-mail-adresse", "E-Mail-Adresse", "EMAIL")
        .question("telefonnummer", "Telefonnummer", "PHONE")
        .choice("wann_passt_es_ihnen?", "Wann passt es Ihnen?", &["Vormittags", "Nachmittags", "Früh am Abend"])
        .consent("datenschutz", "Ich stimme der Verarbeitung meiner Daten zu.", true)
}

fn french() -> Sketch {
    Sketch::new("Demande de devis", "fr_FR")
        .question("nom_complet", "Nom complet", "FULL_NAME")
        .question("email", "Adresse e-mail", "EMAIL")
        .question("numéro_de_téléphone", "Numéro de téléphone", "PHONE")
        .question("code_postal", "Code postal", "ZIP")
        .many("quels_services_?", "Quels services ?", &["Rénovation", "Décoration d'intérieur", "Extension", "Toiture"])
}

fn spanish() -> Sketch {
    Sketch::new("Pide información", "es_ES")
        .question("nombre_completo", "Nombre completo", "FULL_NAME")
        .question("correo_electrónico", "Correo electrónico", "EMAIL")
        .question("número_de_teléfono", "Número de teléfono", "PHONE")
        .text("¿en_qué_podemos_ayudarte?", "¿En qué podemos ayudarte?")
}

fn japanese() -> Sketch {
    Sketch::new("無料相談", "ja_JP")
        .question("名前", "名前", "FULL_NAME")
        .question("メールアドレス", "メールアドレス", "EMAIL")
        .question("phone_number", "電話番号", "PHONE")
        .choice("ご希望の時間帯", "ご希望の時間帯", &["午前", "午後", "夜"])
}

/// A form with name parts, a question with several answers, and consents.
fn implants() -> Sketch {
    Sketch::new("Implant consultation", "en_US")
        .name_parts()
        .email()
        .phone()
        .many("treatments", "Which treatments interest you?", &["Implants", "Crowns & bridges", "Whitening", "Braces"])
        .consent("terms", "I agree that the practice contacts me about my request.", true)
        .consent("newsletter", "Send me news and offers/vouchers.", false)
}

/// A form with German keys even for the standard questions, like forms made in a German Ads Manager.
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
