//! Names for people, with the letters real directories hold, and the addresses made from them.

use crate::random::Random;
use std::collections::HashSet;

const GIVEN: [&str; 48] = [
    "Anna",
    "Jürgen",
    "Zoë",
    "Łukasz",
    "Maria",
    "José",
    "Åsa",
    "Thomas",
    "Chloé",
    "Søren",
    "Katharina",
    "Björn",
    "Inês",
    "Peter",
    "Nadia",
    "François",
    "Ewa",
    "Mehmet",
    "Laura",
    "Günter",
    "Sofia",
    "João",
    "Ingrid",
    "Pieter",
    "Amélie",
    "Wolfgang",
    "Elif",
    "Marek",
    "Helena",
    "Daan",
    "Yuki",
    "Øystein",
    "Claire",
    "Stefan",
    "Renée",
    "Olga",
    "Karl",
    "Aylin",
    "Miguel",
    "Birgit",
    "Tomáš",
    "Lena",
    "Hugo",
    "Márta",
    "Erik",
    "Paula",
    "Nils",
    "伟",
];
const SURNAME: [&str; 48] = [
    "Müller",
    "Schmidt",
    "Öberg",
    "Wójcik",
    "Silva",
    "García",
    "Jansen",
    "Dupont",
    "Sørensen",
    "Weiß",
    "Kowalski",
    "Fernandes",
    "Novák",
    "Becker",
    "Lindström",
    "Yılmaz",
    "van der Berg",
    "Lefèvre",
    "Gonçalves",
    "Hoffmann",
    "Nagy",
    "Andersson",
    "Schäfer",
    "O'Neill",
    "Popescu",
    "Tanaka",
    "Krüger",
    "Visser",
    "Almeida",
    "Bergström",
    "Rossi",
    "Fischer",
    "Ångström",
    "Conti",
    "Meier-Groß",
    "Demir",
    "Kraus",
    "Petit",
    "Håkansson",
    "Vogel",
    "Costa",
    "Zieliński",
    "Wagner",
    "Moreau",
    "Nowak",
    "Keller",
    "de Vries",
    "王",
];
const FUNCTIONS: [&str; 6] = ["Orders", "Invoices", "Rückfragen", "Press", "Data Protection", "Recruiting"];
/// The departments: organizational units below People.
pub const DEPARTMENTS: [&str; 6] = ["Sales", "Research", "Finance", "Einkauf & Logistik", "Produção", "IT, Operations"];

/// One person's name in the forms directories need.
#[derive(Debug, Clone)]
pub struct Name {
    /// Given name.
    pub given: String,
    /// Surname.
    pub surname: String,
    /// As colleagues see it.
    pub display: String,
    /// Last relative name in the DN, unescaped.
    pub common_name: String,
    /// Local part of the address and account name: ASCII, at most 20 characters.
    pub account: String,
}

/// Hands out names, each account and each common name once.
#[derive(Debug, Default)]
pub struct Names {
    accounts: HashSet<String>,
    common_names: HashSet<String>,
}

impl Names {
    /// A name for a mailbox of a function or a room, e.g. "Orders 2".
    pub fn next_function(&mut self, random: &mut Random) -> Name {
        let function = FUNCTIONS[random.index(FUNCTIONS.len())].to_owned();
        let display =
            first_free(&mut self.common_names, |n| if n == 1 { function.clone() } else { format!("{function} {n}") });
        let base = shorten(&ascii(&display), 17);
        let account = first_free(&mut self.accounts, |n| if n == 1 { base.clone() } else { format!("{base}-{n}") });
        Name { given: String::new(), surname: display.clone(), common_name: display.clone(), display, account }
    }

    /// A new name.
    pub fn next_name(&mut self, random: &mut Random) -> Name {
        let given = GIVEN[random.index(GIVEN.len())].to_owned();
        let surname = SURNAME[random.index(SURNAME.len())].to_owned();
        let reversed = random.chance(25);
        let base = shorten(&format!("{}.{}", ascii(&given), ascii(&surname)), 17);
        let account = first_free(&mut self.accounts, |n| if n == 1 { base.clone() } else { format!("{base}{n}") });
        let display = if reversed { format!("{surname}, {given}") } else { format!("{given} {surname}") };
        let common_name =
            first_free(&mut self.common_names, |n| if n == 1 { display.clone() } else { format!("{display} ({n})") });
        Name { given, surname, display, common_name, account }
    }
}

fn first_free(taken: &mut HashSet<String>, candidate: impl Fn(usize) -> String) -> String {
    let mut n = 1;
    loop {
        let name = candidate(n);
        if taken.insert(name.to_lowercase()) {
            return name;
        }
        n += 1;
    }
}

fn shorten(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect::<String>().trim_end_matches(['.', '-']).to_owned()
}

/// The ASCII form that mail administrators make of a name.
pub fn ascii(name: &str) -> String {
    let mut out = String::new();
    for letter in name.to_lowercase().chars() {
        let replaced = match letter {
            'ä' | 'æ' => "ae",
            'ö' | 'ø' => "oe",
            'ü' => "ue",
            'ß' => "ss",
            'å' | 'á' | 'à' | 'ã' | 'â' => "a",
            'é' | 'è' | 'ê' | 'ë' => "e",
            'í' | 'ı' | 'î' => "i",
            'ó' | 'õ' | 'ô' => "o",
            'ú' | 'û' => "u",
            'ç' | 'ć' => "c",
            'ñ' | 'ń' => "n",
            'ł' => "l",
            'š' | 'ś' => "s",
            'ž' | 'ź' | 'ż' => "z",
            'ý' => "y",
            '伟' => "wei",
            '王' => "wang",
            'a'..='z' | '0'..='9' | '-' => {
                out.push(letter);
                continue;
            }
            _ => continue,
        };
        out.push_str(replaced);
    }
    out
}
