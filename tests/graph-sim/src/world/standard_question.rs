//! Meta's question types, and invented answers to those that ask for none of a person's own data.

/// Question types: those Meta documents for lead ads (with its spelling), and others found in real forms.
const TYPES: &[&str] = &[
    "FULL_NAME",
    "FIRST_NAME",
    "LAST_NAME",
    "EMAIL",
    "PHONE",
    "CUSTOM",
    "DATE_TIME",
    "STORE_LOOKUP",
    "ID_AR_DNI",
    "ID_CPF",
    "ID_CL_RUT",
    "ID_CO_CC",
    "ID_EC_CI",
    "ID_PE_DNI",
    "CITY",
    "STATE",
    "PROVINCE",
    "COUNTRY",
    "ZIP",
    "POST_CODE",
    "STREET_ADDRESS",
    "DOB",
    "GENDER",
    "MARITAL_STATUS",
    "RELATIONSHIP_STATUS",
    "MILITARY_STATUS",
    "JOB_TITLE",
    "COMPANY_NAME",
    "WORK_EMAIL",
    "WORK_PHONE_NUMBER",
    "WEBSITE",
    "MARITIAL_STATUS",
    "PHONE_OTP",
    "WHATSAPP_NUMBER",
    "SLIDER",
];

/// The type with a name, if Meta has one.
pub(crate) fn named(name: &str) -> Option<&'static str> {
    TYPES.iter().find(|known| **known == name).copied()
}

/// All types, for a message.
pub(crate) fn names() -> String {
    TYPES.join(", ")
}

/// Whether answers are phone numbers.
pub(crate) fn is_phone(kind: &str) -> bool {
    matches!(kind, "PHONE" | "PHONE_OTP" | "WORK_PHONE_NUMBER" | "WHATSAPP_NUMBER")
}

/// Whether answers are postal codes.
pub(crate) fn is_zip(kind: &str) -> bool {
    matches!(kind, "ZIP" | "POST_CODE")
}

/// The answer of the person with a running number.
pub(crate) fn invented(kind: &str, number: usize) -> String {
    let pick = |list: &[&str]| list.get(number % list.len()).copied().unwrap_or_default().to_owned();
    match kind {
        "CITY" => pick(&["Springfield", "Riverside", "Münster", "Girona"]),
        "STATE" => pick(&["Oregon", "Texas", "Bayern", "Cataluña"]),
        "PROVINCE" => pick(&["Ontario", "Québec", "Girona", "Drenthe"]),
        "COUNTRY" => pick(&["US", "DE", "ES", "FR", "JP"]),
        "ZIP" | "POST_CODE" => format!("{:05}", 10_000 + number % 80_000),
        "STREET_ADDRESS" => format!("{} {}", 1 + number % 200, pick(&["Elm Street", "Höhenweg", "Calle Mayor, 2º B"])),
        "DOB" => format!("{:02}/{:02}/{}", 1 + number % 12, 1 + number % 28, 1950 + number % 55),
        "DATE_TIME" => format!("2026-{:02}-{:02}T{:02}:30:00+0000", 1 + number % 12, 1 + number % 28, 8 + number % 10),
        "GENDER" => pick(&["female", "male"]),
        "MARITAL_STATUS" | "MARITIAL_STATUS" | "RELATIONSHIP_STATUS" => {
            pick(&["single", "married", "in_a_relationship"])
        }
        "MILITARY_STATUS" => pick(&["civilian", "veteran"]),
        "JOB_TITLE" => pick(&["Owner", "Teacher", "Engineer", "Nurse"]),
        "SLIDER" => (number % 10).to_string(),
        "WEBSITE" => format!("https://www.example.com/{}", number % 1_000),
        "STORE_LOOKUP" | "ID_AR_DNI" | "ID_CO_CC" | "ID_PE_DNI" => (10_000_000 + number % 80_000_000).to_string(),
        "ID_CPF" | "ID_EC_CI" | "ID_CL_RUT" => (1_000_000_000 + number % 900_000_000).to_string(),
        _ => pick(&["As soon as possible", "Next week, please call first", "Just looking: 1/2 day?"]),
    }
}
