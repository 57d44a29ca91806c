//! Rows: values in the order of their columns.

use std::sync::Arc;

use super::columns::{Column, Kind};

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Arc<[u8]>),
    /// Yes or no.
    Boolean(bool),
    /// Milliseconds since 1970 UTC.
    Time(i64),
    /// Texts.
    List(Arc<[String]>),
    /// Nested rows.
    Rows(Arc<[Row]>),
}

impl Value {
    fn fits(&self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Self::Null, _)
                | (Self::Integer(_), Kind::Integer)
                | (Self::Text(_), Kind::Text)
                | (Self::Blob(_), Kind::Blob)
                | (Self::Boolean(_), Kind::Boolean)
                | (Self::Time(_), Kind::Time)
                | (Self::List(_), Kind::List)
                | (Self::Rows(_), Kind::Rows(_))
        )
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr),+ $(,)?) => {
        $(impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $make
            }
        })+
    };
}

from! {
    i64 => |value| Self::Integer(value),
    u32 => |value| Self::Integer(i64::from(value)),
    usize => |value| Self::Integer(i64::try_from(value).unwrap_or(i64::MAX)),
    u64 => |value| Self::Integer(i64::try_from(value).unwrap_or(i64::MAX)),
    String => |value| Self::Text(value),
    &str => |value| Self::Text(value.to_owned()),
    bool => |value| Self::Boolean(value),
    Arc<[u8]> => |value| Self::Blob(value),
    Vec<String> => |value| Self::List(value.into()),
    Vec<Row> => |value| Self::Rows(value.into()),
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row; values stand in the order of the table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    columns: &'static [Column],
    values: Vec<Value>,
}

impl Row {
    /// A row of NULLs.
    pub fn new(columns: &'static [Column]) -> Self {
        Self { columns, values: vec![Value::Null; columns.len()] }
    }

    /// Sets a column by its name.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.put(name, value.into());
        self
    }

    /// Sets a TIME column, in milliseconds since 1970 UTC.
    #[must_use]
    pub fn time(self, name: &str, milliseconds: impl Into<Option<i64>>) -> Self {
        self.set(name, milliseconds.into().map_or(Value::Null, Value::Time))
    }

    /// Sets a column by its name.
    pub fn put(&mut self, name: &str, value: Value) {
        let Some(index) = self.columns.iter().position(|column| column.name == name) else {
            debug_assert!(false, "no column {name}");
            return;
        };
        debug_assert!(value.fits(self.columns[index].kind), "column {name} has another type");
        self.values[index] = value;
    }

    /// Takes over every value of another row whose columns this one has, too.
    #[must_use]
    pub fn with_all_of(mut self, other: Self) -> Self {
        for (column, value) in other.columns.iter().zip(other.values) {
            self.put(column.name, value);
        }
        self
    }

    /// The columns.
    pub fn columns(&self) -> &'static [Column] {
        self.columns
    }

    /// A value by its place.
    pub fn value(&self, index: usize) -> Option<&Value> {
        self.values.get(index)
    }

    /// A value by its name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.columns.iter().position(|column| column.name == name).and_then(|index| self.values.get(index))
    }
}
