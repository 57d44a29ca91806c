//! `smimesync-company`: makes a company, and checks what was made of it.

use smimesync_company::arguments::{Command, USAGE};
use smimesync_company::error::{Error, Result};
use smimesync_company::expected::Expected;
use smimesync_company::{company, output, summary, verify};
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = Command::parse(std::env::args().skip(1)).and_then(run);
    match result {
        Ok(code) => code,
        Err(error) => {
            // a closed standard error leaves nobody to tell
            let _ = writeln!(std::io::stderr(), "smimesync-company: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let mut say = |line: &str| writeln!(out, "{line}").map_err(|e| Error::Other(format!("standard output: {e}")));
    match command {
        Command::Help => say(USAGE)?,
        Command::Make { options, out, fixed_time } => {
            let company = company::Company::make(&options, &out.join("scratch"))?;
            output::write(&company, &out, fixed_time)?;
            say(&format!("{} people, seed {}, at {}", company.people.len(), company.seed, company.at_text()))?;
        }
        Command::Verify(options) => {
            let report = verify::verify(&options)?;
            for difference in &report.differences {
                say(difference)?;
            }
            say(&report.summary())?;
            return Ok(if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) });
        }
        Command::Summary { expected, rows } => say(summary::table(&expected, &rows)?.trim_end())?,
        Command::Find { expected, recipe } => {
            let expected: Expected = verify::read_json(&expected)?;
            let person = expected.people.into_iter().find(|person| person.recipe == recipe);
            let person = person.ok_or_else(|| Error::Other("nobody was made that way".to_owned()))?;
            say(&person.identity)?;
            say(&person.primary_smtp_address.unwrap_or_default())?;
            say(&person.meaning)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
