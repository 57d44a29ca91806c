//! The English sentences, by kind; a kind's sentences stand in one table or in two.

mod changes;
mod checks;
mod columns;
mod errors;
mod findings;
mod lint_remedies;
mod lints;
mod problems;
mod remedies;
mod settings;
mod sign_in;
mod weaknesses;

/// One kind's sentences by name, sorted so that they can be searched.
type Table = &'static [(&'static str, &'static str)];

/// The template of a sentence.
pub(super) fn template(kind: &str, name: &str) -> Option<&'static str> {
    let find = |table: &Table| table.binary_search_by(|(key, _)| (*key).cmp(name)).ok().map(|index| table[index].1);
    tables(kind).iter().find_map(find)
}

fn tables(kind: &str) -> &'static [Table] {
    match kind {
        "changes" => &[changes::TABLE],
        "check" => &[checks::TABLE],
        "column" => &[columns::TABLE],
        "error" => &[errors::TABLE],
        "finding" => &[findings::TABLE, lints::TABLE],
        "problem" => &[problems::TABLE],
        "remedy" => &[remedies::TABLE, lint_remedies::TABLE],
        "setting" => &[settings::TABLE],
        "sign_in" => &[sign_in::TABLE],
        "weakness" => &[weaknesses::TABLE],
        _ => &[],
    }
}

#[cfg(test)]
pub(super) fn all(kind: &str) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    tables(kind).iter().flat_map(|table| table.iter())
}

#[cfg(test)]
mod tests {
    #[test]
    fn tables_are_sorted() {
        for kind in
            ["changes", "check", "column", "error", "finding", "problem", "remedy", "setting", "sign_in", "weakness"]
        {
            for pair in super::tables(kind).iter().flat_map(|table| table.windows(2)) {
                assert!(pair[0].0 < pair[1].0, "{kind}: {} before {}", pair[0].0, pair[1].0);
            }
        }
    }
}
