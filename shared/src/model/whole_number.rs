//! Whole numbers in JSON, where `42.0` is one too.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

struct Whole<T>(PhantomData<T>);

impl<T: TryFrom<u64>> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number that is not negative")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        // Every whole number below 2^53 is a float, and to be compared with one.
        const MOST: f64 = 9_007_199_254_740_992.0;
        let is_whole = number.fract() == 0.0 && (0.0..MOST).contains(&number);
        let whole = is_whole.then(|| format!("{number:.0}").parse().ok()).flatten();
        match whole {
            Some(whole) => self.visit_u64(whole),
            None => Err(E::invalid_value(Unexpected::Float(number), &self)),
        }
    }
}

/// Deserializes a whole number.
pub fn whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Whole(PhantomData))
}

struct Maybe<T>(PhantomData<T>);

impl<'de, T: TryFrom<u64>> Visitor<'de> for Maybe<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number that is not negative, or null")
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        whole(deserializer).map(Some)
    }
}

/// Deserializes a whole number or `null`. The field needs `#[serde(default)]` too.
pub fn maybe_whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_option(Maybe(PhantomData))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Body {
        #[serde(deserialize_with = "whole")]
        days: u16,
        #[serde(default, deserialize_with = "maybe_whole")]
        size: Option<u64>,
    }

    #[test]
    fn whole_numbers_are_read_however_json_writes_them() {
        let read = |json: &str| serde_json::from_str::<Body>(json).map_err(|error| error.to_string());
        assert_eq!(read(r#"{"days":42}"#), Ok(Body { days: 42, size: None }));
        assert_eq!(read(r#"{"days":42.0,"size":1e3}"#), Ok(Body { days: 42, size: Some(1000) }));
        assert_eq!(read(r#"{"days":0,"size":null}"#), Ok(Body { days: 0, size: None }));
        assert_eq!(read(r#"{"days":0,"size":18446744073709551615}"#), Ok(Body { days: 0, size: Some(u64::MAX) }));
        for bad in ["1.5", "-1", "-1.0", "70000", "70000.0", "1e300", "\"1\"", "null", "true", "[]"] {
            assert!(read(&format!(r#"{{"days":{bad}}}"#)).is_err(), "{bad}");
        }
        let error = read(r#"{"days":1.5}"#).unwrap_err();
        assert!(error.contains("floating point `1.5`, expected a whole number"), "{error}");
    }
}
