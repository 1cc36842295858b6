//! Meta's rules for campaigns, ad sets, creatives and ads. Subcodes and most English texts are Meta's; the rest of the
//! texts, in particular the German ones, only have their meaning.

use crate::graph::rejection::Rule;

pub(super) static BUDGET_ON_BOTH_LEVELS: Rule = Rule::new(
    1_885_621,
    ["Budget conflict", "You can only set an ad set budget or a campaign budget."],
    ["Budgetkonflikt", "Du kannst nur entweder ein Anzeigengruppenbudget oder ein Kampagnenbudget festlegen."],
);
pub(super) static TWO_BUDGETS: Rule = Rule::unnumbered(
    ["Too many budgets", "Set either a daily budget or a lifetime budget, not both."],
    ["Zu viele Budgets", "Lege entweder ein Tagesbudget oder ein Laufzeitbudget fest, nicht beides."],
);
pub(super) static BUDGET_MISSING: Rule = Rule::unnumbered(
    ["Budget is missing", "Set a daily budget or a lifetime budget for your ad set."],
    ["Budget fehlt", "Lege ein Tagesbudget oder ein Laufzeitbudget für deine Anzeigengruppe fest."],
);
pub(super) static ADSET_BUDGET_TOO_LOW: Rule = Rule::new(
    1_885_272,
    ["Budget is too low", "Your ad set budget must be more than {} or your ads may not be delivered."],
    ["Budget ist zu niedrig", "Dein Budget muss mindestens {} betragen, sonst wird deine Werbung evtl. nicht gezeigt."],
);
pub(super) static CAMPAIGN_BUDGET_TOO_LOW: Rule = Rule::new(
    1_885_650,
    ["Your budget is too low", "Your campaign budget must be at least {}."],
    ["Dein Budget ist zu niedrig", "Dein Kampagnenbudget muss mindestens {} betragen."],
);
pub(super) static BUDGET_SHARING_UNDECIDED: Rule = Rule::new(
    4_834_011,
    [
        "Must specify True or False in is_adset_budget_sharing_enabled field",
        "You must specify True or False in the is_adset_budget_sharing_enabled field if you are not setting a campaign \
         budget.",
    ],
    [
        "Wahr oder Falsch im Feld is_adset_budget_sharing_enabled angeben",
        "Du musst im Feld is_adset_budget_sharing_enabled Wahr oder Falsch angeben, wenn du kein Kampagnenbudget \
         festlegst.",
    ],
);
pub(super) static BUDGET_SHARING_WITH_CAMPAIGN_BUDGET: Rule = Rule::new(
    4_834_002,
    [
        "Ad set budget sharing is not available",
        "You cannot use ad set budget sharing with a campaign budget. Disable it or use ad set budgets.",
    ],
    [
        "Budgetteilung nicht verfügbar",
        "Die Budgetteilung ist mit einem Kampagnenbudget nicht möglich. Deaktiviere sie oder nutze \
         Anzeigengruppenbudgets.",
    ],
);
pub(super) static BUDGET_CHANGED_TOO_OFTEN: Rule = Rule {
    code: 613,
    subcode: Some(1_487_632),
    english: ["Budget changed too often", "You can only change the budget of an ad set 4 times per hour."],
    german: ["Budget zu oft geändert", "Du kannst das Budget einer Anzeigengruppe nur 4-mal pro Stunde ändern."],
};
pub(super) static SPEND_CAP_TOO_LOW: Rule = Rule::new(
    2_446_307,
    ["Spend cap is too low", "The campaign spending limit must be at least {}."],
    ["Ausgabenlimit ist zu niedrig", "Das Ausgabenlimit der Kampagne muss mindestens {} betragen."],
);
pub(super) static CAMPAIGN_BID_STRATEGY: Rule = Rule::unnumbered(
    [
        "Must use campaign bid strategy",
        "This campaign has a campaign budget, so its ad sets must use the campaign bid strategy.",
    ],
    [
        "Gebotsstrategie der Kampagne verwenden",
        "Diese Kampagne hat ein Kampagnenbudget. Ihre Anzeigengruppen müssen deren Gebotsstrategie verwenden.",
    ],
);
pub(super) static BID_AMOUNT_REQUIRED: Rule = Rule::new(
    1_815_857,
    ["Bid amount required", "The campaign's bid strategy {} requires a bid amount."],
    ["Gebotsbetrag erforderlich", "Die Gebotsstrategie {} der Kampagne erfordert einen Gebotsbetrag."],
);
pub(super) static BID_REQUIRED_FOR_STRATEGY: Rule = Rule::new(
    2_490_487,
    [
        "Bid Amount Or Bid Constraints Required For Bid Strategy",
        "Bid amount or bid constraints required for bid strategy {}.",
    ],
    [
        "Gebotsbetrag oder Gebotsbeschränkungen erforderlich",
        "Für die Gebotsstrategie {} sind ein Gebotsbetrag oder Gebotsbeschränkungen erforderlich.",
    ],
);
pub(super) static BID_WITHOUT_CAP: Rule = Rule::unnumbered(
    ["Bid amount not allowed", "A bid amount cannot be used with the bid strategy LOWEST_COST_WITHOUT_CAP."],
    ["Gebotsbetrag nicht zulässig", "Mit der Gebotsstrategie LOWEST_COST_WITHOUT_CAP ist kein Gebotsbetrag möglich."],
);
pub(super) static OBJECTIVE_RETIRED: Rule = Rule::unnumbered(
    ["Objective is invalid", "Objective {} is invalid. Use one of the OUTCOME objectives."],
    ["Ungültiges Ziel", "Das Ziel {} ist ungültig. Verwende eines der OUTCOME-Ziele."],
);
pub(super) static CATEGORY_RETIRED: Rule = Rule::unnumbered(
    ["Special ad category unavailable", "The category CREDIT is replaced by FINANCIAL_PRODUCTS_SERVICES."],
    ["Kategorie nicht verfügbar", "Die Kategorie CREDIT wurde durch FINANCIAL_PRODUCTS_SERVICES ersetzt."],
);
pub(super) static NONE_WITH_CATEGORY: Rule = Rule::unnumbered(
    ["Special ad categories conflict", "NONE cannot be combined with another special ad category."],
    ["Kategorien widersprechen sich", "NONE kann nicht mit einer anderen Kategorie kombiniert werden."],
);
pub(super) static CATEGORY_COUNTRY_MISSING: Rule = Rule::unnumbered(
    ["Country is missing", "Choose the countries in which your special ad category applies."],
    ["Land fehlt", "Wähle die Länder aus, in denen deine spezielle Anzeigenkategorie gilt."],
);
pub(super) static CANNOT_CHANGE: Rule = Rule::unnumbered(
    ["Field cannot be changed", "This field cannot be changed after creation: {}."],
    ["Feld nicht änderbar", "Dieses Feld kann nach der Erstellung nicht geändert werden: {}."],
);
pub(super) static PROMOTED_OBJECT_FIXED: Rule = Rule::new(
    3_260_011,
    ["Promoted object cannot be changed", "You can't change the promoted object of an ad set after it is published."],
    ["Beworbenes Objekt nicht änderbar", "Das beworbene Objekt ist nach der Veröffentlichung nicht mehr änderbar."],
);
pub(super) static DESTINATION_FIXED: Rule = Rule::new(
    1_815_198,
    ["Destination type cannot be changed", "You can't change the destination type of an ad set after it is published."],
    ["Zielort nicht änderbar", "Der Zielort einer Anzeigengruppe ist nach der Veröffentlichung nicht mehr änderbar."],
);
pub(super) static ATTRIBUTION_FIXED: Rule = Rule::new(
    1_504_040,
    ["Attribution cannot be changed", "You can't change the attribution setting after the ad set is created."],
    ["Attribution nicht änderbar", "Die Attributionseinstellung ist nach der Erstellung nicht mehr änderbar."],
);
pub(super) static CAMPAIGN_DELETED: Rule = Rule::new(
    1_487_566,
    ["Campaign was deleted", "This campaign has been deleted, so you can only edit the name."],
    ["Kampagne gelöscht", "Diese Kampagne wurde gelöscht. Du kannst nur noch den Namen bearbeiten."],
);
pub(super) static ADSET_DELETED: Rule = Rule::new(
    1_487_056,
    ["Ad set was deleted", "This ad set has been deleted, so you can only edit the name."],
    ["Anzeigengruppe gelöscht", "Diese Anzeigengruppe wurde gelöscht. Du kannst nur noch den Namen bearbeiten."],
);
pub(super) static AD_DELETED: Rule = Rule::unnumbered(
    ["Ad was deleted", "This ad has been deleted, so you can only edit the name."],
    ["Anzeige gelöscht", "Diese Anzeige wurde gelöscht. Du kannst nur noch den Namen bearbeiten."],
);
pub(super) static ARCHIVED: Rule = Rule::new(
    1_885_088,
    ["Cannot edit archived ad", "This ad has been archived and can not be edited. Only name is allowed to be edited."],
    ["Archiviertes nicht bearbeitbar", "Diese Anzeige wurde archiviert. Du kannst nur noch den Namen bearbeiten."],
);
pub(super) static END_IN_THE_PAST: Rule = Rule::new(
    1_487_033,
    ["End date is in the past", "Your campaign's end date must be in the future. Please choose a different end date."],
    ["Enddatum in der Vergangenheit", "Das Enddatum deiner Kampagne muss in der Zukunft liegen."],
);
pub(super) static END_MISSING: Rule = Rule::unnumbered(
    ["End date is missing", "A lifetime budget requires an end date."],
    ["Enddatum fehlt", "Ein Laufzeitbudget erfordert ein Enddatum."],
);
pub(super) static TOO_SHORT: Rule = Rule::unnumbered(
    ["Schedule is too short", "Your ad set must run for at least 24 hours."],
    ["Laufzeit zu kurz", "Deine Anzeigengruppe muss mindestens 24 Stunden laufen."],
);
pub(super) static ADSET_ENDED: Rule = Rule::new(
    1_487_007,
    [
        "Ad set has ended",
        "You can't edit this ad because it's part of a scheduled ad set that has reached its end date.",
    ],
    [
        "Anzeigengruppe beendet",
        "Du kannst diese Anzeige nicht bearbeiten, weil ihre Anzeigengruppe das Enddatum erreicht hat.",
    ],
);
pub(super) static GOAL_UNAVAILABLE: Rule = Rule::new(
    2_490_408,
    ["Performance goal isn't available", "The performance goal {} isn't available with your campaign's objective."],
    ["Leistungsziel nicht verfügbar", "Das Leistungsziel {} ist mit dem Ziel deiner Kampagne nicht verfügbar."],
);
pub(super) static GOAL_RETIRED: Rule = Rule::new(
    3_858_327,
    ["Performance goal is no longer available", "The performance goal {} is no longer available."],
    ["Leistungsziel nicht mehr verfügbar", "Das Leistungsziel {} ist nicht mehr verfügbar."],
);
pub(super) static BILLING_UNAVAILABLE: Rule = Rule::unnumbered(
    ["Billing event isn't available", "The billing event {} isn't available with your performance goal."],
    ["Abrechnung nicht verfügbar", "Die Abrechnung nach {} ist mit deinem Leistungsziel nicht verfügbar."],
);
pub(super) static ON_AD_OBJECTIVE: Rule = Rule::new(
    1_815_715,
    ["Objective doesn't fit instant forms", "Instant forms are only available with the objective leads."],
    ["Ziel passt nicht zu Sofortformularen", "Sofortformulare sind nur mit dem Ziel Leads verfügbar."],
);
pub(super) static PROMOTED_OBJECT_MISSING: Rule = Rule::new(
    1_815_430,
    ["Promoted object is missing", "Your ad set must promote an object: choose a Page for your leads."],
    ["Beworbenes Objekt fehlt", "Deine Anzeigengruppe muss ein Objekt bewerben: Wähle eine Seite für deine Leads."],
);
pub(super) static PROMOTED_OBJECT_MISSING_FOR_AD: Rule = Rule::new(
    1_885_154,
    ["Promoted object is missing", "The ad set of this ad has no promoted object."],
    ["Beworbenes Objekt fehlt", "Die Anzeigengruppe dieser Anzeige hat kein beworbenes Objekt."],
);
pub(super) static LEAD_TERMS: Rule = Rule::new(
    1_815_089,
    [
        "Terms of Service Not Accepted",
        "You can't run lead ads until your Facebook Page accepts Facebook's Lead Generation Terms of Service. An admin \
         can accept them at https://www.facebook.com/ads/leadgen/tos?page_id={}",
    ],
    [
        "Nutzungsbedingungen nicht akzeptiert",
        "Du kannst Lead Ads erst schalten, wenn deine Facebook-Seite die Nutzungsbedingungen für Lead Ads akzeptiert \
         hat: https://www.facebook.com/ads/leadgen/tos?page_id={}",
    ],
);
pub(super) static LOCATION_MISSING: Rule = Rule::unnumbered(
    ["Location is missing", "Choose at least one location for your audience."],
    ["Standort fehlt", "Wähle mindestens einen Standort für deine Zielgruppe aus."],
);
pub(super) static COUNTRY_INVALID: Rule = Rule::unnumbered(
    ["Location is invalid", "{} is not a country code."],
    ["Standort ungültig", "{} ist kein Ländercode."],
);
pub(super) static AGE_INVALID: Rule = Rule::unnumbered(
    ["Age is invalid", "Ages must be between 13 and 65, and the minimum cannot exceed the maximum."],
    ["Alter ungültig", "Das Alter muss zwischen 13 und 65 liegen, das Mindestalter nicht über dem Höchstalter."],
);
pub(super) static ADVANTAGE_UNDECIDED: Rule = Rule::new(
    1_870_227,
    [
        "Advantage Audience Flag Required",
        "To create your ad set, you need to enable or disable the Advantage audience feature.",
    ],
    [
        "Angabe zu Advantage-Zielgruppe erforderlich",
        "Um deine Anzeigengruppe zu erstellen, musst du die Advantage-Zielgruppe aktivieren oder deaktivieren.",
    ],
);
pub(super) static ADVANTAGE_AGE_MIN: Rule = Rule::new(
    1_870_188,
    [
        "Minimum age is above limit",
        "With ad sets that use Advantage+ audience, the minimum age audience control can't be set to higher than 25.",
    ],
    [
        "Mindestalter über der Grenze",
        "Bei Anzeigengruppen mit Advantage+ Zielgruppe darf das Mindestalter nicht über 25 Jahren liegen.",
    ],
);
pub(super) static ADVANTAGE_AGE_MAX: Rule = Rule::new(
    1_870_189,
    [
        "Maximum age is below limit",
        "With ad sets that use Advantage+ audience, the maximum age audience control can't be set to lower than 65.",
    ],
    [
        "Höchstalter unter der Grenze",
        "Bei Anzeigengruppen mit Advantage+ Zielgruppe darf das Höchstalter nicht unter 65 Jahren liegen.",
    ],
);
pub(super) static PLACEMENT_ALONE: Rule = Rule::unnumbered(
    ["Placement not allowed alone", "{} can only be selected together with Facebook."],
    ["Platzierung nicht allein möglich", "{} kann nur zusammen mit Facebook ausgewählt werden."],
);
pub(super) static CATEGORY_AUDIENCE: Rule = Rule::unnumbered(
    [
        "Audience not allowed for special ad category",
        "Ads in a special ad category must include all genders and ages 18 to 65+, without postal codes, small radii or \
         lookalike audiences.",
    ],
    [
        "Zielgruppe für Kategorie nicht zulässig",
        "Anzeigen einer speziellen Kategorie müssen alle Geschlechter und 18 bis 65+ Jahre umfassen, ohne \
         Postleitzahlen, kleine Umkreise oder Lookalikes.",
    ],
);
pub(super) static DSA_MISSING: Rule = Rule::new(
    3_858_152,
    [
        "Beneficiary and payer missing",
        "This ad belongs to an ad set that must be published with beneficiary and payer information. Go to the ad set to \
         add or review this information, and then click \"Publish\".",
    ],
    [
        "Begünstigter und Zahlungspflichtiger fehlen",
        "Diese Anzeigengruppe muss Angaben zum Begünstigten und zum Zahlungspflichtigen enthalten.",
    ],
);
