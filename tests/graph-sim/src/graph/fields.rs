//! The `fields` parameter: `name,adsets.limit(5){name,ads{name}}.as(x)`.

use super::error::GraphError;

/// One requested field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// The name in the response, given by `.as(…)`.
    pub(crate) alias: Option<String>,
    /// Other arguments, such as `limit` and `after`.
    pub(crate) arguments: Vec<(String, String)>,
    /// The requested inner fields.
    pub(crate) inner: Option<Vec<Field>>,
    /// The text between the braces, used in paging URLs.
    pub(crate) inner_text: String,
}

impl Field {
    pub(crate) fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), alias: None, arguments: Vec::new(), inner: None, inner_text: String::new() }
    }

    pub(crate) fn argument(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Deeper nesting is rejected.
const MAX_DEPTH: usize = 10;

/// Parses the parameter.
///
/// # Errors
/// Returns 2500 if brackets do not close, a name is missing, or the nesting is too deep.
pub(crate) fn parse(text: &str) -> Result<Vec<Field>, GraphError> {
    parse_at(text, 0)
}

fn parse_at(text: &str, depth: usize) -> Result<Vec<Field>, GraphError> {
    if depth > MAX_DEPTH {
        return Err(GraphError::syntax("Syntax error: field expansion is nested too deeply"));
    }
    let mut parser = Parser { rest: text, whole: text, depth };
    let fields = parser.list()?;
    if parser.rest.is_empty() { Ok(fields) } else { Err(parser.unexpected()) }
}

struct Parser<'a> {
    rest: &'a str,
    whole: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn list(&mut self) -> Result<Vec<Field>, GraphError> {
        let mut fields = Vec::new();
        loop {
            self.skip_spaces();
            // As at Meta, a trailing comma is tolerated.
            if self.rest.is_empty() || self.rest.starts_with('}') {
                return Ok(fields);
            }
            fields.push(self.field()?);
            self.skip_spaces();
            if !self.take(',') {
                return Ok(fields);
            }
        }
    }

    fn field(&mut self) -> Result<Field, GraphError> {
        let mut field = Field::plain(self.name()?);
        loop {
            if self.take('.') {
                let name = self.name()?.to_owned();
                let value = self.bracketed('(', ')')?.to_owned();
                if name == "as" {
                    field.alias = Some(value);
                } else {
                    field.arguments.push((name, value));
                }
            } else if self.rest.starts_with('{') {
                let inner = self.bracketed('{', '}')?;
                field.inner = Some(parse_at(inner, self.depth + 1)?);
                field.inner_text = inner.to_owned();
            } else {
                return Ok(field);
            }
        }
    }

    fn name(&mut self) -> Result<&'a str, GraphError> {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(self.unexpected());
        }
        self.rest = rest;
        Ok(name)
    }

    /// Returns the text between matching brackets, which may contain further brackets of the same kind.
    fn bracketed(&mut self, open: char, close: char) -> Result<&'a str, GraphError> {
        if !self.take(open) {
            return Err(self.unexpected());
        }
        let mut depth = 1_usize;
        for (at, character) in self.rest.char_indices() {
            if character == open {
                depth += 1;
            } else if character == close {
                depth -= 1;
            }
            if depth == 0 {
                let (inside, rest) = self.rest.split_at(at);
                self.rest = rest.strip_prefix(close).unwrap_or(rest);
                return Ok(inside);
            }
        }
        Err(self.unexpected())
    }

    fn take(&mut self, character: char) -> bool {
        let found = self.rest.strip_prefix(character);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn unexpected(&self) -> GraphError {
        let at = self.whole.len() - self.rest.len();
        let found = self.rest.chars().next().map_or_else(|| "end of string".to_owned(), |c| format!("\"{c}\""));
        GraphError::syntax(format!("Syntax error \"Unexpected {found}.\" at character {at}: {}", self.whole))
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, parse};

    #[test]
    fn expansion_with_arguments_aliases_and_depth_is_understood() {
        let fields = parse("id, accounts.limit(5){name,leadgen_forms.limit(2).as(forms){id}}.after(x),name").unwrap();
        assert_eq!(fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(), ["id", "accounts", "name"]);
        assert_eq!(fields[1].argument("limit"), Some("5"));
        assert_eq!(fields[1].argument("after"), Some("x"));
        let inner = fields[1].inner.as_ref().unwrap();
        assert_eq!(inner[1].alias.as_deref(), Some("forms"));
        assert_eq!(inner[1].inner.as_deref(), Some(&[Field::plain("id")][..]));
    }

    #[test]
    fn open_brackets_are_a_syntax_error() {
        for text in ["a{b", "a.limit(5", "a..b", "a}b", "{a}"] {
            assert_eq!(parse(text).unwrap_err().code, 2500, "{text}");
        }
    }
}
