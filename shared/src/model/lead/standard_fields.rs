//! The names of a lead's fields, and the names that Meta and its forms use for them.

/// The fields that every lead has as members of their own.
pub const FULL_NAME: &str = "full_name";
/// See [`FULL_NAME`].
pub const EMAIL: &str = "email";
/// See [`FULL_NAME`].
pub const PHONE: &str = "phone";

/// The fields that map without a rule: our name, Meta's question types, and the answer names used where Meta does not
/// report the type. Meta translates those names with the form. The list holds the translations in the form that
/// [`plain`] produces.
#[rustfmt::skip] // a table
const FIELDS: &[(&str, &[&str], &[&str])] = &[
    (FULL_NAME, &["FULL_NAME"], &[
        "full_name", "name", "your_name", "vollständiger_name", "vor_und_nachname", "nom_complet", "nom_et_prénom",
        "nombre_completo", "nombre_y_apellidos", "nombre_y_apellido", "nome_completo", "nome_e_cognome",
        "volledige_naam", "imię_i_nazwisko", "fullständigt_namn", "namn", "fulde_navn", "fullt_navn", "navn",
        "koko_nimi", "nimi", "celé_jméno", "jméno_a_příjmení", "celé_meno", "meno_a_priezvisko", "teljes_név", "név",
        "nume_complet", "numele_complet", "nume_și_prenume", "adı_soyadı", "ad_soyad", "tam_ad", "полное_имя",
        "имя_и_фамилия", "фио", "повне_ім'я", "пълно_име", "puno_ime", "ime_i_prezime", "ime_in_priimek",
        "ονοματεπώνυμο", "πλήρες_όνομα", "שם_מלא", "الاسم_الكامل", "الاسم", "نام_کامل", "氏名", "名前", "お名前", "フルネーム",
        "姓名", "全名", "이름", "성명", "성함", "ชื่อ_นามสกุล", "ชื่อเต็ม", "họ_và_tên", "họ_tên", "tên_đầy_đủ", "nama_lengkap",
        "nama_penuh", "nama", "पूरा_नाम", "पूर्ण_नाम",
    ]),
    ("first_name", &["FIRST_NAME"], &[
        "first_name", "vorname", "prénom", "nombre", "nome", "voornaam", "imię", "förnamn", "fornavn", "etunimi",
        "křestní_jméno", "jméno", "keresztnév", "prenume", "ad", "имя", "ім'я", "όνομα", "שם_פרטי", "الاسم_الأول",
        "名", "名字", "ชื่อ", "tên", "nama_depan", "पहला_नाम",
    ]),
    ("last_name", &["LAST_NAME"], &[
        "last_name", "nachname", "familienname", "nom", "nom_de_famille", "apellido", "apellidos", "cognome",
        "sobrenome", "apelido", "achternaam", "nazwisko", "efternamn", "efternavn", "etternavn", "sukunimi",
        "příjmení", "vezetéknév", "nume_de_familie", "soyadı", "soyad", "фамилия", "прізвище", "επώνυμο", "שם_משפחה",
        "اسم_العائلة", "姓", "นามสกุล", "họ", "nama_belakang", "अंतिम_नाम",
    ]),
    (EMAIL, &["EMAIL"], &[
        "email", "e_mail", "email_address", "e_mail_adresse", "email_adresse", "adresse_e_mail", "adresse_mail",
        "courriel", "correo_electrónico", "correo", "indirizzo_e_mail", "indirizzo_email", "endereço_de_email",
        "endereço_de_e_mail", "e_mailadres", "emailadres", "adres_e_mail", "e_postadress", "e_post", "e_postadresse",
        "sähköposti", "sähköpostiosoite", "e_mailová_adresa", "e_mail_cím", "adresă_de_e_mail", "e_posta",
        "e_posta_adresi", "электронная_почта", "эл_почта", "адрес_электронной_почты", "електронна_пошта",
        "електронна_поща", "διεύθυνση_email", "ηλεκτρονική_διεύθυνση", "דוא_ל", "אימייל", "البريد_الإلكتروني",
        "ایمیل", "メールアドレス", "メール", "eメール", "电子邮件", "邮箱", "電子郵件", "電郵", "이메일", "이메일_주소", "อีเมล", "ที่อยู่อีเมล",
        "địa_chỉ_email", "thư_điện_tử", "alamat_email", "emel", "ईमेल", "ईमेल_पता",
    ]),
    ("work_email", &["WORK_EMAIL"], &["work_email", "geschäftliche_e_mail_adresse", "e_mail_professionnel"]),
    (PHONE, &["PHONE", "PHONE_NUMBER"], &[
        "phone", "phone_number", "mobile", "mobile_number", "whatsapp_number", "telefonnummer", "telefon",
        "handynummer", "mobilnummer", "numéro_de_téléphone", "téléphone", "número_de_teléfono", "teléfono", "celular",
        "numero_di_telefono", "telefono", "número_de_telefone", "telefone", "número_de_telemóvel", "telefoonnummer",
        "numer_telefonu", "puhelinnumero", "telefonní_číslo", "telefónne_číslo", "telefonszám", "număr_de_telefon",
        "telefon_numarası", "номер_телефона", "телефон", "номер_телефону", "телефонен_номер", "broj_telefona",
        "telefonska_številka", "αριθμός_τηλεφώνου", "τηλέφωνο", "מספר_טלפון", "טלפון", "رقم_الهاتف", "شماره_تلفن",
        "電話番号", "电话号码", "电话", "手机号", "電話號碼", "電話", "전화번호", "휴대폰_번호", "หมายเลขโทรศัพท์", "เบอร์โทรศัพท์",
        "số_điện_thoại", "nomor_telepon", "nombor_telefon", "फ़ोन_नंबर", "फोन_नंबर",
    ]),
    ("work_phone", &["WORK_PHONE_NUMBER"], &["work_phone_number", "work_phone"]),
    ("city", &["CITY"], &[
        "city", "stadt", "ort", "ville", "ciudad", "città", "cidade", "stad", "plaats", "miasto", "by", "kaupunki",
        "město", "város", "oraș", "şehir", "şehir", "город", "місто", "πόλη", "עיר", "المدينة", "市区町村", "城市", "도시",
        "เมือง", "thành_phố", "kota", "शहर",
    ]),
    ("state", &["STATE", "PROVINCE"], &["state", "province", "bundesland", "provincia", "estado"]),
    ("country", &["COUNTRY"], &["country", "land", "pays", "país", "paese", "国", "国家", "국가"]),
    ("zip_code", &["ZIP", "POST_CODE", "ZIP_CODE"], &[
        "zip_code", "zip", "post_code", "postal_code", "postleitzahl", "plz", "code_postal", "código_postal", "cap",
        "cep", "postcode", "kod_pocztowy", "postnummer", "postinumero", "psč", "irányítószám", "郵便番号", "邮政编码", "우편번호",
    ]),
    ("street_address", &["STREET_ADDRESS"], &[
        "street_address", "address", "straße", "adresse", "dirección", "indirizzo", "endereço", "adres", "住所", "地址",
        "주소",
    ]),
    ("date_of_birth", &["DOB", "DATE_OF_BIRTH"], &[
        "date_of_birth", "geburtsdatum", "date_de_naissance", "fecha_de_nacimiento",
    ]),
    ("gender", &["GENDER"], &["gender", "geschlecht", "genre", "género"]),
    ("marital_status", &["MARITAL_STATUS"], &["marital_status"]),
    ("relationship_status", &["RELATIONSHIP_STATUS"], &["relationship_status"]),
    ("military_status", &["MILITARY_STATUS"], &["military_status"]),
    ("job_title", &["JOB_TITLE"], &["job_title", "berufsbezeichnung", "intitulé_de_poste", "cargo", "puesto"]),
    ("company_name", &["COMPANY_NAME"], &[
        "company_name", "company", "unternehmen", "firma", "firmenname", "entreprise", "nom_de_l'entreprise",
        "empresa", "azienda", "会社名", "公司名称",
    ]),
    ("website", &["WEBSITE"], &["website", "webseite", "site_web", "sitio_web"]),
    ("appointment", &["DATE_TIME"], &["date_time"]),
    ("store", &["STORE_LOOKUP"], &["store", "store_locator"]),
    ("id_ar_dni", &["ID_AR_DNI"], &[]),
    ("id_cpf", &["ID_CPF"], &[]),
    ("id_cl_rut", &["ID_CL_RUT"], &[]),
    ("id_co_cc", &["ID_CO_CC"], &[]),
    ("id_ec_ci", &["ID_EC_CI"], &[]),
    ("id_pe_dni", &["ID_PE_DNI"], &[]),
];

/// The names of all standard fields.
pub fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(field, _, _)| *field)
}

/// The field that a question of this Meta type fills.
#[must_use]
pub fn of_question_type(kind: &str) -> Option<&'static str> {
    let kind = kind.trim().to_ascii_uppercase();
    FIELDS.iter().find(|(_, kinds, _)| kinds.contains(&kind.as_str())).map(|(field, _, _)| *field)
}

/// The field that an answer of this name fills, for answers whose question type is unknown.
#[must_use]
pub fn of_answer_name(name: &str) -> Option<&'static str> {
    let name = plain(name);
    FIELDS.iter().find(|(_, _, names)| names.contains(&name.as_str())).map(|(field, _, _)| *field)
}

/// Normalises a name: NFKC, lower case, with one underscore between words.
pub(super) fn plain(name: &str) -> String {
    let composed: String = unicode_normalization::UnicodeNormalization::nfkc(name).collect();
    let separates = |c: char| {
        c.is_whitespace()
            || matches!(c, '_' | '-' | '.' | ',' | ':' | ';' | '/' | '?' | '!' | '*' | '"' | '״' | '(' | ')')
    };
    let lower = composed.to_lowercase();
    lower.split(separates).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_in_the_form_in_which_it_is_looked_up_and_means_one_thing() {
        let mut seen = std::collections::BTreeMap::new();
        for (field, kinds, names) in FIELDS {
            for name in *names {
                assert_eq!(plain(name), *name, "{field}");
                let before = seen.insert(*name, *field);
                assert!(before.is_none_or(|before| before == *field), "{name} means {field} and {before:?}");
            }
            for kind in *kinds {
                assert_eq!(of_question_type(kind), Some(*field));
            }
        }
    }

    #[test]
    fn names_are_read_as_forms_spell_them() {
        let check = |name: &str, field: &str| assert_eq!(of_answer_name(name), Some(field), "{name}");
        check("E-Mail-Adresse", EMAIL);
        check("Vollständiger Name:", FULL_NAME);
        check("numéro_de_téléphone", PHONE);
        check("Nume\u{301}ro de te\u{301}le\u{301}phone", PHONE);
        check("メールアドレス", EMAIL);
        check("Phone number?", PHONE);
        assert_eq!(of_answer_name("what_is_your_name_for_us"), None);
        assert_eq!(of_question_type("CUSTOM"), None);
        assert_eq!(of_question_type("WORK_EMAIL"), Some("work_email"));
    }
}
