//! Writes that break one of Meta's rules: the rules' codes, and their texts in the language of the token's owner.

use super::error::{GraphError, Rejection};
use crate::world::writing::Language;

/// A rule of Meta's. The texts are title and explanation; `{}` stands for a detail.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) code: i64,
    /// `None` if the subcode is not known publicly.
    pub(crate) subcode: Option<i64>,
    pub(crate) english: [&'static str; 2],
    pub(crate) german: [&'static str; 2],
}

/// A rejected write, before its texts are chosen.
#[derive(Debug)]
pub(crate) enum Refused {
    Graph(Box<GraphError>),
    Broken { rule: &'static Rule, blame: Vec<Vec<String>>, detail: String },
}

impl From<GraphError> for Refused {
    fn from(error: GraphError) -> Self {
        Self::Graph(Box::new(error))
    }
}

impl Refused {
    /// The error as the token's owner reads it.
    pub(crate) fn error(self, language: Language) -> GraphError {
        match self {
            Self::Graph(error) => *error,
            Self::Broken { rule, blame, detail } => {
                let texts = match language {
                    Language::English => rule.english,
                    Language::German => rule.german,
                };
                let mut error = GraphError::new(400, rule.code, "Invalid parameter");
                error.subcode = rule.subcode;
                let texts = texts.map(|text| text.replace("{}", &detail));
                error.rejection = Some(Box::new(Rejection { texts, blame }));
                error
            }
        }
    }
}

impl Rule {
    /// The rule is broken by a parameter, or by a member of one: `targeting.age_max`.
    pub(crate) fn broken_by(&'static self, path: &str) -> Refused {
        self.broken(&[path], "")
    }

    pub(crate) fn broken(&'static self, paths: &[&str], detail: &str) -> Refused {
        let blame = paths.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect();
        Refused::Broken { rule: self, blame, detail: detail.to_owned() }
    }

    pub(crate) const fn new(subcode: i64, english: [&'static str; 2], german: [&'static str; 2]) -> Self {
        Self { code: 100, subcode: Some(subcode), english, german }
    }

    /// A rule whose subcode is not known publicly.
    pub(crate) const fn unnumbered(english: [&'static str; 2], german: [&'static str; 2]) -> Self {
        Self { code: 100, subcode: None, english, german }
    }
}
