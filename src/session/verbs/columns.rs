//! `columns`: the one table of columns, as rows.

use serde::Deserialize;

use crate::config::{Source, from_json, pointer_error};
use crate::error::Result;
use crate::session::columns::{self, Column, Kind};
use crate::session::context::Context;
use crate::session::output::Output;
use crate::session::{Row, Verb};
use crate::text::{Culture, Text};

use super::Work;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    verb: Option<String>,
}

pub(super) fn prepare(options: &str, context: &Context, output: Output) -> Result<Work> {
    let options: Options = from_json(options, Source::Options)?;
    let mut verbs = Verb::ALL.to_vec();
    if let Some(name) = options.verb {
        verbs.retain(|verb| verb.name() == name);
        if verbs.is_empty() {
            return Err(pointer_error(Source::Options, "/verb", "expected the name of a verb"));
        }
    }
    let culture = context.culture();
    Ok(Box::pin(async move {
        for verb in verbs {
            let mut rows = Vec::new();
            describe(verb, None, columns::of(verb), culture, &mut rows);
            for row in rows {
                output.row(row).await?;
            }
        }
        Ok(())
    }))
}

fn describe(
    verb: Verb,
    parent: Option<&'static str>,
    described: &'static [Column],
    culture: Culture,
    rows: &mut Vec<Row>,
) {
    for column in described {
        let meaning = Text::plain("column", column.name).render(culture);
        rows.push(
            Row::new(columns::of(Verb::Columns))
                .set("verb", verb.name())
                .set("parent", parent)
                .set("column", column.name)
                .set("type", column.kind.name())
                .set("meaning", meaning),
        );
        if let Kind::Rows(nested) = column.kind {
            describe(verb, Some(column.name), nested, culture, rows);
        }
    }
}
