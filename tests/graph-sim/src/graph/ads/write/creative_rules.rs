//! Meta's rules for creatives, ads, images and labels.

use crate::graph::rejection::Rule;

pub(super) static STORY_MALFORMED: Rule = Rule::new(
    1_443_048,
    ["object_story_spec is ill-formed", "The field object_story_spec is invalid: {}."],
    ["object_story_spec ist fehlerhaft", "Das Feld object_story_spec ist ungültig: {}."],
);
pub(super) static THUMBNAIL_MISSING: Rule = Rule::new(
    1_443_226,
    ["Video thumbnail is missing", "Please specify one of image_hash or image_url in the video_data field."],
    ["Vorschaubild fehlt", "Gib im Feld video_data entweder image_hash oder image_url an."],
);
pub(super) static LINK_MISSING: Rule = Rule::new(
    2_061_015,
    ["Link is missing", "The link field is required for link_data."],
    ["Link fehlt", "Das Feld link ist in link_data erforderlich."],
);
pub(super) static LINK_INVALID: Rule = Rule::unnumbered(
    ["Link is invalid", "The link must be a valid URL."],
    ["Link ungültig", "Der Link muss eine gültige URL sein."],
);
pub(super) static CREATIVE_FAILED: Rule = Rule::new(
    1_487_390,
    ["Ad creative could not be created", "We couldn't create your ad creative: it has no content."],
    [
        "Anzeigengestaltung nicht erstellt",
        "Die Anzeigengestaltung konnte nicht erstellt werden: Sie hat keinen Inhalt.",
    ],
);
pub(super) static INSTAGRAM_ACCOUNT: Rule = Rule::new(
    1_815_199,
    [
        "No access to Instagram account",
        "Ad account has no access to this Instagram account. Please use authorized Instagram account or assign ad account \
         to this Instagram account first.",
    ],
    [
        "Kein Zugriff auf das Instagram-Konto",
        "Das Werbekonto hat keinen Zugriff auf dieses Instagram-Konto. Weise das Werbekonto zuerst zu.",
    ],
);
pub(super) static IMAGE_UNKNOWN: Rule = Rule::unnumbered(
    ["Image not found", "The image hash {} doesn't exist in this ad account."],
    ["Bild nicht gefunden", "Der Bild-Hash {} ist in diesem Werbekonto nicht vorhanden."],
);
pub(super) static IMAGE_INVALID: Rule = Rule::new(
    1_487_411,
    ["Invalid image", "The image could not be read. Upload a JPG or PNG file."],
    ["Ungültiges Bild", "Das Bild konnte nicht gelesen werden. Lade eine JPG- oder PNG-Datei hoch."],
);
pub(super) static BUTTON_UNAVAILABLE: Rule = Rule::unnumbered(
    ["Call to action isn't available", "The call to action {} can't be used with an instant form."],
    ["Call-to-Action nicht verfügbar", "Der Call-to-Action {} ist mit einem Sofortformular nicht verfügbar."],
);
pub(super) static FORM_UNUSABLE: Rule = Rule::unnumbered(
    ["Instant form can't be used", "The form {} doesn't exist on this Page or is archived."],
    ["Sofortformular nicht nutzbar", "Das Formular {} ist auf dieser Seite nicht vorhanden oder archiviert."],
);
pub(super) static STANDARD_ENHANCEMENTS: Rule = Rule::new(
    3_858_504,
    ["Standard enhancements are no longer available", "Choose individual creative features instead."],
    ["Standardverbesserungen nicht mehr verfügbar", "Wähle stattdessen einzelne Funktionen aus."],
);
pub(super) static DEVELOPMENT_MODE: Rule = Rule::new(
    1_885_183,
    [
        "Ads creative post was created by an app that is in development mode",
        "Ads creative post was created by an app that is in development mode. It must be in public to create this ad.",
    ],
    [
        "App im Entwicklungsmodus",
        "Der Beitrag der Anzeigengestaltung stammt von einer App im Entwicklungsmodus. Sie muss öffentlich sein.",
    ],
);
pub(super) static FORM_MISSING: Rule = Rule::new(
    3_390_001,
    ["Instant form is missing", "Your ad needs an instant form. Add a form to your ad to publish it."],
    ["Sofortformular fehlt", "Deine Anzeige braucht ein Sofortformular. Füge ein Formular hinzu."],
);
pub(super) static PAGE_MISMATCH: Rule = Rule::new(
    1_885_029,
    [
        "Page doesn't match",
        "The Page selected for your ad doesn't match the Page associated with the object you're promoting.",
    ],
    ["Seite stimmt nicht überein", "Die Seite deiner Anzeige stimmt nicht mit der beworbenen Seite überein."],
);
pub(super) static DYNAMIC_CREATIVE: Rule = Rule::new(
    1_885_998,
    ["Dynamic creative isn't enabled", "You can only use dynamic creatives in a dynamic creative ad set."],
    ["Dynamische Anzeigengestaltung nicht aktiviert", "Das ist nur in einer dynamischen Anzeigengruppe möglich."],
);
pub(super) static CREATIVE_UNKNOWN: Rule = Rule::unnumbered(
    ["Ad creative not found", "The ad creative {} doesn't exist in this ad account."],
    ["Anzeigengestaltung nicht gefunden", "Die Anzeigengestaltung {} ist in diesem Werbekonto nicht vorhanden."],
);
pub(super) static LABEL_UNKNOWN: Rule = Rule::unnumbered(
    ["Label not found", "The ad label {} doesn't exist in this ad account."],
    ["Label nicht gefunden", "Das Label {} ist in diesem Werbekonto nicht vorhanden."],
);
