use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime, PrimitiveDateTime};

use super::node::{Logical, Unit};

/// The Julian day of 1970-01-01.
const EPOCH_DAY: i64 = 2_440_588;

/// Returns the number that an ISO 8601 text stands for; `None` if it is none, or more exact than the type.
pub(super) fn number(logical: Logical, text: &str) -> Option<i64> {
    match logical {
        Logical::Date => {
            Date::parse(text, &Iso8601::DEFAULT).ok().map(|date| i64::from(date.to_julian_day()) - EPOCH_DAY)
        }
        Logical::Time(unit) => units(local(&format!("1970-01-01T{text}"))?, unit),
        Logical::Timestamp(unit) => units(OffsetDateTime::parse(text, &Rfc3339).ok()?, unit),
        Logical::LocalTimestamp(unit) => units(local(text)?, unit),
        Logical::Nothing | Logical::Decimal { .. } | Logical::Uuid => None,
    }
}

fn local(text: &str) -> Option<OffsetDateTime> {
    PrimitiveDateTime::parse(text, &Iso8601::DEFAULT).ok().map(PrimitiveDateTime::assume_utc)
}

fn units(instant: OffsetDateTime, unit: Unit) -> Option<i64> {
    let nanos_each = match unit {
        Unit::Millis => 1_000_000,
        Unit::Micros => 1_000,
        Unit::Nanos => 1,
    };
    let nanos = instant.unix_timestamp_nanos();
    if nanos % nanos_each != 0 {
        return None;
    }
    i64::try_from(nanos / nanos_each).ok()
}

/// Says what text stands for a number of this type, with an example; `None` if only numbers do.
pub(super) fn example(logical: Logical) -> Option<&'static str> {
    match logical {
        Logical::Date => Some("a date such as \"2026-01-31\""),
        Logical::Time(_) => Some("a time of day such as \"23:59:01.5\""),
        Logical::Timestamp(_) => Some("an instant such as \"2026-01-31T23:59:01.5Z\""),
        Logical::LocalTimestamp(_) => Some("a local date and time such as \"2026-01-31T23:59:01.5\""),
        Logical::Nothing | Logical::Decimal { .. } | Logical::Uuid => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_texts_are_numbers_of_their_unit() {
        let cases = [
            (Logical::Date, "1970-01-02", Some(1)),
            (Logical::Date, "1969-12-31", Some(-1)),
            (Logical::Date, "1970-13-01", None),
            (Logical::Time(Unit::Millis), "00:00:01.5", Some(1500)),
            (Logical::Time(Unit::Micros), "01:00:00", Some(3_600_000_000)),
            (Logical::Timestamp(Unit::Millis), "1970-01-01T00:00:01.001Z", Some(1001)),
            (Logical::Timestamp(Unit::Millis), "1970-01-01T02:00:00+02:00", Some(0)),
            (Logical::Timestamp(Unit::Millis), "1970-01-01T00:00:00.0001Z", None),
            (Logical::Timestamp(Unit::Millis), "1970-01-01T00:00:00", None),
            (Logical::Timestamp(Unit::Nanos), "1970-01-01T00:00:00.000000001Z", Some(1)),
            (Logical::Timestamp(Unit::Nanos), "9999-01-01T00:00:00Z", None),
            (Logical::LocalTimestamp(Unit::Micros), "1970-01-01T00:00:00.000002", Some(2)),
            (Logical::Uuid, "1970-01-01", None),
        ];
        for (logical, text, expected) in cases {
            assert_eq!(number(logical, text), expected, "{logical:?} {text}");
        }
    }
}
