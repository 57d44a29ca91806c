//! `check`: everything that must work before a run can.

use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;

use crate::config::{Config, Source, from_json, pointer_error};
use crate::directory;
use crate::error::{Code, Error, Result};
use crate::net::CheckStep;
use crate::session::context::Context;
use crate::session::output::Output;
use crate::session::{Row, Verb, columns, rows};
use crate::text::{Culture, Text};
use crate::trust::Sources;

use super::Work;

/// What can be checked, in the order it is.
const TARGETS: [&str; 4] = ["directory", "trust", "store", "exchange"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    targets: Option<Vec<String>>,
}

pub(super) fn prepare(options: &str, context: Arc<Context>, output: Output) -> Result<Work> {
    let options: Options = from_json(options, Source::Options)?;
    let wanted = options.targets.unwrap_or_else(|| TARGETS.map(str::to_owned).to_vec());
    for (index, target) in wanted.iter().enumerate() {
        if !TARGETS.contains(&target.as_str()) {
            let expected = "expected directory, trust, store or exchange";
            return Err(pointer_error(Source::Options, &format!("/targets/{index}"), expected));
        }
    }
    Ok(Box::pin(async move {
        let config = context.config();
        for target in TARGETS.into_iter().filter(|target| wanted.iter().any(|wanted| wanted == target)) {
            let steps = output.until_cancelled(steps(target, &config, &context, &output)).await?;
            for step in &steps {
                output.row(row(target, step, context.culture())).await?;
            }
        }
        Ok(())
    }))
}

async fn steps(target: &str, config: &Config, context: &Context, output: &Output) -> Vec<CheckStep> {
    match target {
        "directory" => match config.all_directories() {
            Ok(directories) => {
                let mut steps = Vec::new();
                for directory in directories {
                    match directory::check(directory, config.base_dir.as_deref()).await {
                        Ok(tried) => steps.extend(tried),
                        Err(error) => steps.push(failed("read", error)),
                    }
                }
                steps
            }
            Err(error) => vec![failed("configuration", error)],
        },
        "trust" => vec![timed("load", || trust(config))],
        "store" => vec![timed("open", || store(config, context))],
        _ => match context.exchange(output) {
            Ok(exchange) => exchange.check().await,
            Err(error) => vec![failed("configuration", error)],
        },
    }
}

fn trust(config: &Config) -> Result<Text> {
    let evidence = Sources::of(config).load()?;
    if evidence.anchors().is_empty() {
        return Err(Error::new(Code::ConfigMissing).target("/trust/anchors"));
    }
    let count = |name, number: usize| (name, number.to_string());
    let counts = vec![
        count("anchors", evidence.anchors().len()),
        count("intermediates", evidence.intermediates().len()),
        count("crls", evidence.crls().len()),
    ];
    Ok(Text::new("check", "trust_loaded", counts))
}

fn store(config: &Config, context: &Context) -> Result<Text> {
    let Some(path) = &config.store.path else {
        return Err(Error::new(Code::ConfigMissing).target("/store/path"));
    };
    let store = context.store()?;
    // whoever holds the lock is running; that is no defect of the store
    drop(store.lock_for_writing(context.surroundings().now_ms())?);
    Ok(Text::new("check", "store_opened", vec![("path", config.path(path).display().to_string())]))
}

fn timed(step: &'static str, work: impl FnOnce() -> Result<Text>) -> CheckStep {
    let started = Instant::now();
    let result = work();
    let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match result {
        Ok(detail) => CheckStep { detail: Some(detail), ..CheckStep::pass(step, latency_ms) },
        Err(error) => CheckStep { latency_ms: Some(latency_ms), ..failed(step, error) },
    }
}

fn failed(step: &'static str, error: Error) -> CheckStep {
    let remedy = error.get_remedy().cloned().unwrap_or_else(|| Text::plain("check", "configuration"));
    CheckStep::fail(step, 0, error, Some(remedy))
}

fn row(target: &str, step: &CheckStep, culture: Culture) -> Row {
    let words = |text: &Option<Text>| text.as_ref().map(|text| text.render(culture));
    // the remedy has a column of its own, the target of the error has none
    let failure = || {
        let error = step.error.as_ref()?;
        let text = error.text().render(culture);
        Some(error.get_target().map_or_else(|| text.clone(), |target| format!("{target}: {text}")))
    };
    let seen = words(&step.detail).or_else(failure).or_else(|| step.target.clone());
    let row = Row::new(columns::of(Verb::Check))
        .set("target", target)
        .set("step", step.step)
        .set("result", step.result.name())
        .set("latency_ms", step.latency_ms)
        .set("detail", seen)
        .set("remedy", words(&step.remedy));
    rows::failure(row, step.error.as_ref(), culture)
}
