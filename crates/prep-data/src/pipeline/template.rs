//! Texts made of columns: `Translate to Spanish: {source}`.

use std::fmt;

use crate::source::{Columns, columns};

/// A template as it was written, not yet tied to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece<String>>,
}

/// A piece of a template; `C` is how a column is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<C> {
    Text(String),
    Column(C),
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A `{` has no `}`.
    #[error(
        "the `{{` at character {column} of `{template}` is not closed; write `{{{{` for a brace"
    )]
    Unclosed {
        /// The template.
        template: String,
        /// Where, from 1.
        column: usize,
    },
    /// A `}` has no `{`.
    #[error(
        "the `}}` at character {column} of `{template}` closes nothing; write `}}}}` for a brace"
    )]
    Unopened {
        /// The template.
        template: String,
        /// Where, from 1.
        column: usize,
    },
    /// No column is named: every example would say the same.
    #[error("`{template}` names no column; write one as `{{source}}`")]
    Constant {
        /// The template.
        template: String,
    },
}

impl Template {
    /// Parses a template: `{name}` is a column, `{{` and `}}` are braces.
    ///
    /// # Errors
    ///
    /// When braces do not match, or no column is named.
    pub fn parse(template: &str) -> Result<Self, TemplateError> {
        let place = |at: usize| template[..at].chars().count() + 1;
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut at = 0;
        while let Some(brace) = template[at..].find(['{', '}']).map(|n| at + n) {
            text += &template[at..brace];
            let rest = &template[brace..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                text.push_str(&rest[..1]);
                at = brace + 2;
                continue;
            }
            let (template, column) = (template.to_owned(), place(brace));
            if rest.starts_with('}') {
                return Err(TemplateError::Unopened { template, column });
            }
            let end = rest
                .find('}')
                .ok_or(TemplateError::Unclosed { template, column })?;
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Column(rest[1..end].to_owned()));
            at = brace + end + 1;
        }
        text += &template[at..];
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        if !pieces.iter().any(|piece| matches!(piece, Piece::Column(_))) {
            let template = template.to_owned();
            return Err(TemplateError::Constant { template });
        }
        Ok(Self { pieces })
    }

    /// A template of one column and nothing else.
    #[must_use]
    pub fn column(name: &str) -> Self {
        Self {
            pieces: vec![Piece::Column(name.to_owned())],
        }
    }

    /// Whether it is one column and nothing else.
    pub(crate) fn is_column(&self) -> bool {
        matches!(self.pieces[..], [Piece::Column(_)])
    }

    /// The names of its columns, in order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Column(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// Ties the template to a table.
    ///
    /// # Errors
    ///
    /// The first name that is no column of it.
    pub(crate) fn resolve(&self, columns: &Columns) -> Result<Vec<Piece<usize>>, String> {
        let pieces = self.pieces.iter().map(|piece| {
            Ok(match piece {
                Piece::Text(text) => Piece::Text(text.clone()),
                Piece::Column(name) => {
                    Piece::Column(columns::find(name, &columns.names).ok_or(name)?)
                }
            })
        });
        pieces.collect::<Result<_, &String>>().map_err(Clone::clone)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}")),
            Piece::Column(name) => write!(f, "{{{name}}}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text that a resolved template gives for a row.
    fn render(pieces: &[Piece<usize>], cells: &[&str]) -> String {
        let texts = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Column(column) => cells[*column],
        });
        texts.collect()
    }

    fn check(template: &str, expected: &str) {
        let columns = Columns {
            names: vec!["a".into(), "B c".into()],
            named: true,
            sides: None,
        };
        let pieces = Template::parse(template)
            .unwrap()
            .resolve(&columns)
            .unwrap();
        assert_eq!(render(&pieces, &["x", "y"]), expected);
    }

    #[test]
    fn braces_name_columns() {
        check("{a}", "x");
        check("«{a}» {{{b c}}} }}{{", "«x» {y} }{");
    }

    #[test]
    fn braces_must_match() {
        let message = |template| Template::parse(template).unwrap_err().to_string();
        assert_eq!(
            message("é {a"),
            "the `{` at character 3 of `é {a` is not closed; write `{{` for a brace"
        );
        assert_eq!(
            message("a}"),
            "the `}` at character 2 of `a}` closes nothing; write `}}` for a brace"
        );
        assert_eq!(message("a"), "`a` names no column; write one as `{source}`");
    }
}
