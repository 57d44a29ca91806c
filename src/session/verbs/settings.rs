//! `settings`: settings in the store, and setting them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::config::{Source, from_json};
use crate::error::{Code, Error, Result};
use crate::session::context::Context;
use crate::session::output::Output;
use crate::session::{Row, Verb, columns};

use super::Work;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    set: Option<Map<String, Value>>,
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let options: Options = from_json(options, Source::Options)?;
    Ok(Box::pin(async move {
        let (config, store) = (context.config(), context.store()?);
        if let Some(set) = &options.set {
            if !store.is_durable() {
                return Err(Error::new(Code::ConfigMissing).target("/store/path"));
            }
            store.set_settings(set)?;
        }
        for setting in store.settings(&config)? {
            let row = Row::new(columns::of(Verb::Settings))
                .set("name", setting.name)
                .set("value", setting.value.to_string())
                .set("default", setting.default.to_string())
                .set("unit", setting.unit)
                .set("description", setting.description.render(context.culture()));
            output.row(row).await?;
        }
        Ok(())
    }))
}
