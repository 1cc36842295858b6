//! Reads parts of a caller's JSON. `42.0` is a whole number too. An object is not a list of the values of its fields,
//! which serde would also take, and whose meaning would change with the order of the fields.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Unexpected, Visitor};

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

/// A value that is written as an object.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// Deserializes an object.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// Deserializes an object or `null`. The field needs `#[serde(default)]` too.
pub fn maybe_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let object: Option<Object<T>> = Option::deserialize(deserializer)?;
    Ok(object.map(|Object(value)| value))
}

/// Deserializes a list of objects.
pub fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let objects: Vec<Object<T>> = Vec::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

#[cfg(test)]
mod tests {
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

    #[derive(Debug, Deserialize, PartialEq)]
    struct Pair {
        a: u8,
        b: u8,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Shapes {
        #[serde(deserialize_with = "object")]
        one: Pair,
        #[serde(default, deserialize_with = "maybe_object")]
        maybe: Option<Pair>,
        #[serde(default, deserialize_with = "objects")]
        more: Vec<Pair>,
    }

    #[test]
    fn an_object_is_not_a_list() {
        let read = |json: &str| serde_json::from_str::<Shapes>(json);
        let pair = || Pair { a: 1, b: 2 };
        let all = r#"{"one":{"a":1,"b":2},"maybe":{"b":2,"a":1},"more":[{"a":1,"b":2}]}"#;
        assert_eq!(read(all).unwrap(), Shapes { one: pair(), maybe: Some(pair()), more: vec![pair()] });
        assert_eq!(read(r#"{"one":{"a":1,"b":2},"maybe":null}"#).unwrap().maybe, None);
        for bad in [
            r#"{"one":[1,2]}"#,
            r#"{"one":null}"#,
            r#"{"one":{"a":1,"b":2},"maybe":[1,2]}"#,
            r#"{"one":{"a":1,"b":2},"more":[[1,2]]}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
