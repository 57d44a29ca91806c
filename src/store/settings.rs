//! Settings: what an operator changes without touching the configuration, which gives their defaults.

use std::collections::BTreeMap;
use std::fmt;

use rusqlite::params;

use crate::config::{Config, Guard};
use crate::error::{Code, Error, Result};
use crate::text::Text;

use super::{Store, not_understood};

/// A setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingValue {
    /// A number in the setting's unit.
    Integer(u64),
    /// Yes or no.
    Boolean(bool),
}

impl fmt::Display for SettingValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => fmt::Display::fmt(number, formatter),
            Self::Boolean(truth) => fmt::Display::fmt(truth, formatter),
        }
    }
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name; the guards' are those of the configuration.
    pub name: &'static str,
    /// What holds.
    pub value: SettingValue,
    /// What the configuration says.
    pub default: SettingValue,
    /// The unit of a number.
    pub unit: Option<&'static str>,
    /// What it means.
    pub description: Text,
}

/// What a setting is, and what values it may have.
struct Known {
    name: &'static str,
    unit: Option<&'static str>,
    low: u64,
    high: u64,
    default: fn(&Config) -> SettingValue,
}

const fn number(
    name: &'static str,
    unit: &'static str,
    low: u64,
    high: u64,
    default: fn(&Config) -> SettingValue,
) -> Known {
    Known { name, unit: Some(unit), low, high, default }
}

use SettingValue::{Boolean, Integer};

const COUNT: u64 = u32::MAX as u64;

/// All settings in the order they are listed in; the guards' ranges are the configuration's.
const SETTINGS: [Known; 10] = [
    Known { name: "staging", unit: None, low: 0, high: 0, default: |_| Boolean(false) },
    number("max_removals", "recipients", 0, COUNT, |config| Integer(config.guard.max_removals.into())),
    number("max_removals_percent", "percent", 0, 100, |config| Integer(config.guard.max_removals_percent.into())),
    number("max_people_losing_last", "people", 0, COUNT, |config| Integer(config.guard.max_people_losing_last.into())),
    number("max_people_losing_last_percent", "percent", 0, 100, |config| {
        Integer(config.guard.max_people_losing_last_percent.into())
    }),
    number("window_hours", "hours", 1, 8784, |config| Integer(config.guard.window_hours.into())),
    number("max_shrink_percent", "percent", 0, 100, |config| Integer(config.guard.max_shrink_percent.into())),
    number("max_newly_unfit_percent", "percent", 0, 100, |config| Integer(config.guard.max_newly_unfit_percent.into())),
    number("max_clock_skew_ms", "milliseconds", 0, i64::MAX as u64, |config| Integer(config.guard.max_clock_skew_ms)),
    number("keep_days", "days", 0, COUNT, |config| Integer(config.store.keep_days.into())),
];

impl Store {
    /// All settings.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn settings(&self, config: &Config) -> Result<Vec<Setting>> {
        let stored = self.stored_settings()?;
        Ok(SETTINGS
            .iter()
            .map(|known| {
                let default = (known.default)(config);
                Setting {
                    name: known.name,
                    value: stored.get(known.name).copied().unwrap_or(default),
                    default,
                    unit: known.unit,
                    description: Text::plain("setting", known.name),
                }
            })
            .collect())
    }

    /// Sets settings, all or none; null brings the configuration's value back.
    ///
    /// # Errors
    /// `option_unknown`, `option_type` or `option_value` at `/set/<name>`, `store_failed`.
    pub fn set_settings(&self, set: &serde_json::Map<String, serde_json::Value>) -> Result<()> {
        let values = set.iter().map(|(name, value)| checked(name, value)).collect::<Result<Vec<_>>>()?;
        self.transaction(|connection| {
            for (known, value) in values {
                let json = match value {
                    Some(Integer(number)) => number.to_string(),
                    Some(Boolean(truth)) => truth.to_string(),
                    None => {
                        connection.execute("DELETE FROM settings WHERE name = ?", [known.name])?;
                        continue;
                    }
                };
                connection.execute(
                    "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)",
                    params![known.name, json],
                )?;
            }
            Ok(())
        })
    }

    /// Whether runs only plan until an operator says otherwise.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn staging(&self) -> Result<bool> {
        Ok(self.stored_settings()?.get("staging") == Some(&Boolean(true)))
    }

    /// Days that runs are kept.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn keep_days(&self, config: &Config) -> Result<u32> {
        Ok(effective("keep_days", &self.stored_settings()?, config.store.keep_days))
    }

    /// The guards that hold.
    ///
    /// # Errors
    /// `store_failed`.
    pub fn guard(&self, config: &Config) -> Result<Guard> {
        let stored = self.stored_settings()?;
        let guard = &config.guard;
        let get = |name, configured| effective(name, &stored, configured);
        Ok(Guard {
            max_removals: get("max_removals", guard.max_removals),
            max_removals_percent: get("max_removals_percent", guard.max_removals_percent),
            max_people_losing_last: get("max_people_losing_last", guard.max_people_losing_last),
            max_people_losing_last_percent: get("max_people_losing_last_percent", guard.max_people_losing_last_percent),
            window_hours: get("window_hours", guard.window_hours),
            max_shrink_percent: get("max_shrink_percent", guard.max_shrink_percent),
            max_newly_unfit_percent: get("max_newly_unfit_percent", guard.max_newly_unfit_percent),
            max_clock_skew_ms: match stored.get("max_clock_skew_ms") {
                Some(Integer(number)) => *number,
                _ => guard.max_clock_skew_ms,
            },
        })
    }

    fn stored_settings(&self) -> Result<BTreeMap<&'static str, SettingValue>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT name, value FROM settings")?;
        let mut rows = statement.query([])?;
        let mut stored = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (name, json): (String, String) = (row.get(0)?, row.get(1)?);
            let value = serde_json::from_str(&json).map_err(|_| not_understood("a setting"))?;
            if let (known, Some(value)) = checked(&name, &value).map_err(|_| not_understood("a setting"))? {
                stored.insert(known.name, value);
            }
        }
        Ok(stored)
    }
}

fn effective(name: &str, stored: &BTreeMap<&'static str, SettingValue>, configured: u32) -> u32 {
    match stored.get(name) {
        Some(Integer(number)) => u32::try_from(*number).unwrap_or(u32::MAX),
        _ => configured,
    }
}

fn checked(name: &str, value: &serde_json::Value) -> Result<(&'static Known, Option<SettingValue>)> {
    let refused = |code| Error::new(code).target(format!("/set/{}", name.replace('~', "~0").replace('/', "~1")));
    let known = SETTINGS.iter().find(|known| known.name == name).ok_or_else(|| refused(Code::OptionUnknown))?;
    let value = match (value, known.unit) {
        (serde_json::Value::Null, _) => None,
        (serde_json::Value::Bool(truth), None) => Some(Boolean(*truth)),
        (_, None) => return Err(refused(Code::OptionType).with("detail", "expected a boolean")),
        (serde_json::Value::Number(number), Some(_)) => {
            let range = known.low..=known.high;
            let allowed = number.as_u64().filter(|number| range.contains(number));
            let expected = || format!("expected {} to {}", known.low, known.high);
            Some(Integer(allowed.ok_or_else(|| refused(Code::OptionValue).with("detail", expected()))?))
        }
        (_, Some(_)) => return Err(refused(Code::OptionType).with("detail", "expected an integer")),
    };
    Ok((known, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::guard::NAMES;
    use crate::text::{Culture, exists};

    #[test]
    fn every_setting_has_its_sentence_and_every_guard_is_a_setting() {
        for known in &SETTINGS {
            assert!(exists(Culture::English, "setting", known.name), "{}", known.name);
        }
        for guard in NAMES {
            assert!(SETTINGS.iter().any(|known| known.name == guard), "{guard}");
        }
    }
}
