//! What the fields of records are called.

use std::borrow::Cow;

use leadwire::tr;

/// The name of a field that an act has changed. One without a name of its own is called as it is stored.
pub(super) fn field_name(field: &str) -> Cow<'static, str> {
    match field {
        "active" => tr!("Active"),
        "assigned_to" | "assignment" => tr!("Assigned to"),
        "client.id" | "client.name" | "client_id" => tr!("Client"),
        "country" => tr!("Country"),
        "currency" | "daily_spend_limit.currency" => tr!("Currency"),
        "daily_spend" => tr!("Daily budget"),
        "daily_spend_limit.amount" => tr!("Daily spend limit"),
        "dataset_id" => tr!("Dataset"),
        "default_country" => tr!("Default country"),
        "description" => tr!("Description"),
        "email" => tr!("E-mail"),
        "events" => tr!("Events"),
        "inbox_assignment" => tr!("Conversations assigned to"),
        "keep_leads_days" => tr!("Days that leads are kept"),
        "language" => tr!("Language"),
        "lead_id" => tr!("Lead"),
        "lost_reason" => tr!("Why it was lost"),
        "name" => tr!("Name"),
        "note" => tr!("Note"),
        "notify_assignee" => tr!("Notify the assignee"),
        "page_ids" => tr!("Pages"),
        "permissions" => tr!("Permissions"),
        "plan.features" => tr!("Features of the plan"),
        "plan.name" => tr!("Plan"),
        "read" => tr!("Read"),
        "role" => tr!("Role"),
        "rules" => tr!("Mapping"),
        "rules.from" => tr!("Mapped from"),
        "scheduled_at" => tr!("Scheduled for"),
        "secret_version" => tr!("Version of the secret"),
        "snoozed_until" => tr!("Snoozed until"),
        "status" => tr!("Status"),
        "test_event_code" => tr!("Test event code"),
        "token" => tr!("Token"),
        "url" => tr!("Address"),
        "url.host" => tr!("Host"),
        "value" => tr!("Value"),
        "version" => tr!("Version"),
        other => other.replace(['_', '.'], " ").into(),
    }
}

/// Where the currency of an amount is stored.
pub(super) fn currency_of(field: &str) -> Option<&'static str> {
    match field {
        "value" | "daily_spend" => Some("currency"),
        "daily_spend_limit.amount" => Some("daily_spend_limit.currency"),
        _ => None,
    }
}
