//! `-Filter`: the part of OPATH that recipient listings use.
//!
//! `Property -eq|-ne|-like|-notlike value`, `-and`, `-or`, `-not`, parentheses. Values are quoted text (a doubled quote
//! stands for itself), `$true`, `$false`, `$null`. `-like` knows `*`. Texts are compared without case.

use crate::properties::{self, Getter, PropertyValue};
use crate::state::Recipient;

/// A parsed filter.
#[derive(Debug)]
pub(crate) enum Filter {
    Or(Box<Filter>, Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Comparison { property: Getter, operator: Operator, value: Literal },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Like,
    NotLike,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    Boolean(bool),
    Null,
}

/// How deep parentheses and `-not` may nest.
const MAX_DEPTH: usize = 64;

impl Filter {
    /// Parses a filter; the error is a sentence for the caller.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?, position: 0, depth: 0 };
        let filter = parser.or()?;
        match parser.next() {
            None => Ok(filter),
            Some(token) => Err(format!("Unexpected {token:?}.")),
        }
    }

    /// Whether the recipient passes.
    pub(crate) fn matches(&self, recipient: &Recipient) -> bool {
        match self {
            Self::Or(left, right) => left.matches(recipient) || right.matches(recipient),
            Self::And(left, right) => left.matches(recipient) && right.matches(recipient),
            Self::Not(inner) => !inner.matches(recipient),
            Self::Comparison { property, operator, value } => {
                let actual = property(recipient);
                match operator {
                    Operator::Equal => equal(&actual, value),
                    Operator::NotEqual => !equal(&actual, value),
                    Operator::Like => like(&actual, value),
                    Operator::NotLike => !like(&actual, value),
                }
            }
        }
    }
}

fn equal(actual: &PropertyValue<'_>, wanted: &Literal) -> bool {
    match wanted {
        Literal::Null => match actual {
            PropertyValue::Null => true,
            PropertyValue::Text(text) => text.is_empty(),
            PropertyValue::TextList(texts) => texts.is_empty(),
            PropertyValue::BytesList(values) => values.is_empty(),
            _ => false,
        },
        Literal::Boolean(wanted) => matches!(actual, PropertyValue::Boolean(value) if value == wanted),
        Literal::Text(wanted) => any_text(actual, |text| text.eq_ignore_ascii_case(wanted)),
    }
}

fn like(actual: &PropertyValue<'_>, wanted: &Literal) -> bool {
    let Literal::Text(pattern) = wanted else { return false };
    let pattern = pattern.to_lowercase();
    any_text(actual, |text| wildcard(&pattern, &text.to_lowercase()))
}

/// Whether a text of the property, or an address without its prefix, passes.
fn any_text(actual: &PropertyValue<'_>, passes: impl Fn(&str) -> bool) -> bool {
    match actual {
        PropertyValue::Text(text) => passes(text),
        PropertyValue::Guid(id) => passes(&id.to_string()),
        PropertyValue::Boolean(value) => passes(if *value { "True" } else { "False" }),
        PropertyValue::TextList(texts) => {
            texts.iter().any(|text| passes(text) || text.split_once(':').is_some_and(|(_, rest)| passes(rest)))
        }
        _ => false,
    }
}

fn wildcard(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let Some((middle, last)) = rest.rsplit_once('*') else { return text.ends_with(rest) };
    for part in middle.split('*') {
        let Some(position) = text.find(part) else { return false };
        text = &text[position + part.len()..];
    }
    text.ends_with(last)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Name(String),
    Operator(String),
    Value(Literal),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            '\'' | '"' => quoted(rest, first)?,
            '-' | '$' => {
                let (word, after) = word(&rest[1..]);
                let token = match (first, word.to_ascii_lowercase().as_str()) {
                    ('-', operator) => Token::Operator(operator.to_owned()),
                    (_, "true") => Token::Value(Literal::Boolean(true)),
                    (_, "false") => Token::Value(Literal::Boolean(false)),
                    (_, "null") => Token::Value(Literal::Null),
                    _ => return Err(format!("Unknown variable ${word}.")),
                };
                (token, after)
            }
            letter if letter.is_ascii_alphanumeric() => {
                let (word, after) = word(rest);
                (Token::Name(word.to_owned()), after)
            }
            other => return Err(format!("Unexpected character {other}.")),
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len()))
}

fn quoted(text: &str, quote: char) -> Result<(Token, &str), String> {
    let mut value = String::new();
    let mut rest = &text[1..];
    loop {
        let end = rest.find(quote).ok_or("A quoted value does not end.")?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(quote) {
            Some(after) => {
                value.push(quote);
                rest = after;
            }
            None => return Ok((Token::Value(Literal::Text(value)), rest)),
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    position: usize,
    depth: usize,
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.position).cloned();
        self.position += 1;
        token
    }

    fn take_operator(&mut self, name: &str) -> bool {
        let taken = matches!(self.tokens.get(self.position), Some(Token::Operator(operator)) if operator == name);
        self.position += usize::from(taken);
        taken
    }

    fn or(&mut self) -> Result<Filter, String> {
        let mut left = self.and()?;
        while self.take_operator("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut left = self.unary()?;
        while self.take_operator("and") {
            left = Filter::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("It nests too deep.".to_owned());
        }
        let filter = if self.take_operator("not") {
            Filter::Not(Box::new(self.unary()?))
        } else if self.tokens.get(self.position) == Some(&Token::Open) {
            self.position += 1;
            let inner = self.or()?;
            match self.next() {
                Some(Token::Close) => inner,
                _ => return Err("A parenthesis is not closed.".to_owned()),
            }
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn comparison(&mut self) -> Result<Filter, String> {
        let Some(Token::Name(name)) = self.next() else { return Err("A property name is missing.".to_owned()) };
        let property = properties::filter_property(&name).ok_or(format!("\"{name}\" is not a filterable property."))?;
        let operator = match self.next() {
            Some(Token::Operator(operator)) => match operator.as_str() {
                "eq" => Operator::Equal,
                "ne" => Operator::NotEqual,
                "like" => Operator::Like,
                "notlike" => Operator::NotLike,
                _ => return Err(format!("Unknown operator -{operator}.")),
            },
            _ => return Err(format!("An operator is missing after {name}.")),
        };
        match self.next() {
            Some(Token::Value(value)) => Ok(Filter::Comparison { property, operator, value }),
            _ => Err(format!("A value is missing after {name}.")),
        }
    }
}
