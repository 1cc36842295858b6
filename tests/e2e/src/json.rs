//! Reading JSON responses in stories. A value that is absent or has another type fails the story with the whole body.

use std::fmt::Debug;
use std::str::FromStr;

use serde_json::Value;

/// Typed access by path: field names and list indexes, joined by dots, such as `items.0.name`. The empty path is the
/// value itself.
pub trait Json {
    /// Returns the value at a path.
    ///
    /// # Panics
    /// Panics if the path leads to no value.
    fn at(&self, path: &str) -> &Value;

    /// Returns a text.
    ///
    /// # Panics
    /// Panics if there is no text at the path.
    fn text(&self, path: &str) -> &str;

    /// Returns a non-negative integer.
    ///
    /// # Panics
    /// Panics if there is no such number at the path.
    fn number(&self, path: &str) -> u64;

    /// Returns the items of a list.
    ///
    /// # Panics
    /// Panics if there is no list at the path.
    fn list(&self, path: &str) -> &[Value];

    /// Returns the item of a list whose field has this value.
    ///
    /// # Panics
    /// Panics if there is no list at the path, or no such item in it.
    fn find<T: ?Sized + Debug>(&self, path: &str, field: &str, wanted: &T) -> &Value
    where
        Value: PartialEq<T>;

    /// Returns a text as a value of another type, such as a time or an amount of money.
    ///
    /// # Panics
    /// Panics if there is no such text at the path.
    fn parse<T: FromStr>(&self, path: &str) -> T;
}

impl Json for Value {
    fn at(&self, path: &str) -> &Value {
        let mut value = self;
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let found = match value {
                Self::Array(items) => step.parse().ok().and_then(|at: usize| items.get(at)),
                other => other.get(step),
            };
            value = found.unwrap_or_else(|| panic!("there is no {path} in {self:#}"));
        }
        value
    }

    fn text(&self, path: &str) -> &str {
        self.at(path).as_str().unwrap_or_else(|| panic!("{path:?} is no text in {self:#}"))
    }

    fn number(&self, path: &str) -> u64 {
        self.at(path).as_u64().unwrap_or_else(|| panic!("{path:?} is no number in {self:#}"))
    }

    fn list(&self, path: &str) -> &[Value] {
        self.at(path).as_array().unwrap_or_else(|| panic!("{path:?} is no list in {self:#}"))
    }

    fn find<T: ?Sized + Debug>(&self, path: &str, field: &str, wanted: &T) -> &Value
    where
        Self: PartialEq<T>,
    {
        let found = self.list(path).iter().find(|item| item[field] == *wanted);
        found.unwrap_or_else(|| panic!("{path:?} has no item whose {field} is {wanted:?} in {self:#}"))
    }

    fn parse<T: FromStr>(&self, path: &str) -> T {
        self.text(path).parse().unwrap_or_else(|_| panic!("{path:?} cannot be parsed in {self:#}"))
    }
}
