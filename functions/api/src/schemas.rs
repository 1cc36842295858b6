//! The schemas of parameters that handlers read as text, so that each can be named when it is wrong.

use leadwire::ads::report;
use leadwire::directory::UserList;
use leadwire::http::fields;
use leadwire::model::ads::outcome::OUTCOME_DIMENSIONS;
use leadwire::model::ads::report::DIMENSIONS;
use leadwire::model::audit::AuditAct;
use leadwire::model::lead;
use strum::IntoEnumIterator;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! schema {
    ($(#[$doc:meta])* $name:ident, $object:expr) => {
        $(#[$doc])*
        pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T($object.build().into())
            }
        }

        impl ToSchema for $name {}
    };
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn limit(max: usize, default: usize) -> ObjectBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(max));
    number.default(Some(default.into()))
}

schema!(
    /// The number of items of a list's page.
    Limit,
    limit(fields::MAX_LIMIT, fields::DEFAULT_LIMIT)
);
schema!(
    /// The number of rows of a report's page.
    ReportLimit,
    limit(report::MAX_ROWS, report::MAX_ROWS)
);
schema!(
    /// The number of users of a list's page.
    UserLimit,
    limit(UserList::MAX_ITEMS, UserList::MAX_ITEMS)
);
schema!(
    /// The place in a list where its next page begins.
    Cursor,
    text().description(Some("`next_cursor` of the previous page, unchanged, with the same filters."))
);
schema!(
    /// A day.
    Day,
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
);
schema!(
    /// A time or a day.
    Moment,
    OneOfBuilder::new()
        .item(text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))))
        .item(text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))))
        .description(Some("A time, or a day, which means its beginning in UTC."))
);
schema!(
    /// The source of a lead.
    Source,
    text().enum_values(Some(lead::SOURCES))
);
schema!(
    /// A tag of a lead.
    Tag,
    text().enum_values(Some(lead::TAGS))
);
schema!(
    /// The name of a request.
    RequestId,
    text().min_length(Some(1)).max_length(Some(200)).description(Some("Its repeats have it too, and do nothing again."))
);
schema!(
    /// The name of an act.
    Act,
    text().enum_values(Some(AuditAct::iter().map(<&str>::from)))
);
schema!(
    /// A file.
    File,
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
);
schema!(
    /// The form of a report.
    Format,
    text().enum_values(Some(["json", "csv"]))
);
schema!(
    /// What rows of outcomes are about.
    OutcomeGroupBy,
    text().enum_values(Some(OUTCOME_DIMENSIONS.map(|(name, _)| name)))
);
schema!(
    /// Dimensions of a report.
    GroupBy,
    {
        let names = DIMENSIONS.map(|(name, _)| name).join("|");
        text().pattern(Some(format!("^({names})(,({names}))*$"))).description(Some("Dimensions, separated by commas."))
    }
);
schema!(
    /// Meta's effective statuses.
    EffectiveStatuses,
    text().description(Some("Meta's effective statuses, such as `ACTIVE`, separated by commas."))
);
