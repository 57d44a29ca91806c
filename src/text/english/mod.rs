//! The English sentences, one table per kind.

mod checks;
mod columns;
mod errors;
mod findings;
mod problems;
mod remedies;
mod settings;
mod weaknesses;

/// One kind's sentences by name, sorted so that they can be searched.
type Table = &'static [(&'static str, &'static str)];

/// The template of a sentence.
pub(super) fn template(kind: &str, name: &str) -> Option<&'static str> {
    let table = table(kind)?;
    table.binary_search_by(|(key, _)| (*key).cmp(name)).ok().map(|index| table[index].1)
}

fn table(kind: &str) -> Option<Table> {
    Some(match kind {
        "check" => checks::TABLE,
        "column" => columns::TABLE,
        "error" => errors::TABLE,
        "finding" => findings::TABLE,
        "problem" => problems::TABLE,
        "remedy" => remedies::TABLE,
        "setting" => settings::TABLE,
        "weakness" => weaknesses::TABLE,
        _ => return None,
    })
}

#[cfg(test)]
pub(super) fn all(kind: &str) -> Table {
    table(kind).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn tables_are_sorted() {
        for kind in ["check", "column", "error", "finding", "problem", "remedy", "setting", "weakness"] {
            for pair in super::all(kind).windows(2) {
                assert!(pair[0].0 < pair[1].0, "{kind}: {} before {}", pair[0].0, pair[1].0);
            }
        }
    }
}
