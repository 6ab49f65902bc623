//! `docs/c-coverage.md` lists every public operation of both SDKs with its C name, or why it has none. It cannot lag: the
//! operations are derived from the SDKs' source, the C names from the header, and each side must find the other.

use std::collections::BTreeSet;

use super::rust_text;
use super::tree::Tree;

/// The broken walls of the C interface.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let table = text(tree, TABLE);
    let rows: Vec<(&str, &str)> = table.lines().filter_map(row).collect();
    let named: BTreeSet<String> = rows.iter().map(|(rust, _)| (*rust).to_owned()).collect();
    let offered: BTreeSet<String> = SDKS.iter().flat_map(|sdk| operations(tree, sdk)).collect();
    let header = rust_text::code(text(tree, HEADER));
    let mut broken = Vec::new();
    for operation in offered.difference(&named) {
        broken.push(format!("{TABLE} lacks `{operation}`: add its C name, or why there is none"));
    }
    for operation in named.difference(&offered) {
        broken.push(format!("{TABLE} names `{operation}`, which no SDK offers"));
    }
    let known: BTreeSet<&str> = words(&header).collect();
    for (rust, c) in &rows {
        let names = words(c).filter(|word| is_c_name(word));
        for name in names.filter(|name| !known.contains(name)) {
            broken.push(format!("{TABLE} says {name} for `{rust}`, and {HEADER} has no such name"));
        }
        if c.len() < 4 {
            broken.push(format!("{TABLE} says nothing of `{rust}`: add its C name, or why there is none"));
        }
    }
    let told: BTreeSet<&str> = words(table).collect();
    for function in functions(&header).filter(|function| !told.contains(function)) {
        broken.push(format!("{TABLE} does not name {function}: add it where it belongs"));
    }
    broken
}

/// Where operations are offered: the prefix of their names, the folder, and the types, if not those that `lib.rs` names.
struct Sdk {
    prefix: &'static str,
    folder: &'static str,
    types: &'static [&'static str],
}

/// What a program calls; types of the network that both SDKs hand on stand once.
const SDKS: [Sdk; 3] = [
    Sdk { prefix: "server", folder: "server-sdk/src/", types: &[] },
    Sdk { prefix: "client", folder: "client-sdk/src/", types: &[] },
    Sdk { prefix: "net", folder: "protocol/net/src/", types: &["ByteStream", "Loop"] },
];

/// The public functions of the types that an SDK offers, the methods of its traits, its events, and what it counts.
fn operations(tree: &Tree, sdk: &Sdk) -> Vec<String> {
    let offered: BTreeSet<String> = match sdk.types {
        [] => exported(text(tree, &format!("{}lib.rs", sdk.folder))),
        types => types.iter().map(|name| (*name).to_owned()).collect(),
    };
    let files = tree.files_of(&["rs"]).filter(|(path, _)| path.starts_with(sdk.folder));
    let mut all = Vec::new();
    for (_, source) in files {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let mut within: Option<(String, &str)> = None;
        for line in code.lines() {
            if let Some(begun) = begins(line) {
                within = Some(begun).filter(|(name, _)| offered.contains(name));
            } else if line.starts_with('}') {
                within = None;
            } else if let Some((name, item)) =
                within.as_ref().and_then(|(of, item)| Some((of, named(line, item)?)))
            {
                all.push(format!("{}::{name}::{item}", sdk.prefix));
            } else if let Some(name) = line.strip_prefix("pub fn ").and_then(first_word)
                && offered.contains(name)
            {
                all.push(format!("{}::{name}", sdk.prefix));
            }
        }
    }
    all
}

/// The names that a `lib.rs` exports from modules of its own.
fn exported(lib: &str) -> BTreeSet<String> {
    let modules: BTreeSet<&str> = lib
        .lines()
        .filter_map(|line| {
            line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "))?.strip_suffix(';')
        })
        .collect();
    let uses = lib.split("pub use ").skip(1).filter_map(|rest| rest.split_once(';'));
    let own =
        uses.filter_map(|(path, _)| path.split_once("::")).filter(|(module, _)| modules.contains(module));
    own.flat_map(|(_, names)| words(names)).map(str::to_owned).collect()
}

/// The type whose items begin on this line, and what its items begin with.
fn begins(line: &str) -> Option<(String, &'static str)> {
    if let Some(rest) = line.strip_prefix("impl") {
        // Of an inherent impl only; generics stand before the name.
        let rest = if rest.starts_with('<') { rest.split_once("> ")?.1 } else { rest.strip_prefix(' ')? };
        return (!rest.contains(" for ")).then(|| Some((first_word(rest)?.to_owned(), "    pub fn ")))?;
    }
    if let Some(rest) = line.strip_prefix("pub trait ") {
        return Some((first_word(rest)?.to_owned(), "    fn "));
    }
    if line.starts_with("pub enum Event ") {
        return Some(("Event".to_owned(), "    "));
    }
    let counters =
        line.strip_prefix("pub struct ").and_then(first_word).filter(|name| name.ends_with("Stats"))?;
    Some((counters.to_owned(), "    pub "))
}

/// The item that this line begins, of a type whose items begin with `start`.
fn named<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    let line = line.strip_prefix(start).filter(|line| line.starts_with(is_of_a_word))?;
    let name = first_word(line.strip_prefix("fn ").unwrap_or(line))?;
    let is_variant = name.starts_with(char::is_uppercase);
    (start.len() > 4 || is_variant).then_some(name)
}

/// The Rust name and the rest of a row of the table.
fn row(line: &str) -> Option<(&str, &str)> {
    let (rust, c) = line.strip_prefix("| `")?.split_once("` | ")?;
    Some((rust, c.trim_end_matches(['|', ' '])))
}

/// The functions that the header declares, comments being blank.
fn functions(header: &str) -> impl Iterator<Item = &str> {
    header.match_indices('(').filter_map(|(at, _)| {
        let name = header[..at].rsplit(|char: char| !is_of_a_word(char)).next()?;
        name.starts_with("lbx_").then_some(name)
    })
}

fn is_c_name(word: &str) -> bool {
    word.starts_with("lbx_") || word.starts_with("LBX_")
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !is_of_a_word(char)).filter(|word| !word.is_empty())
}

fn first_word(text: &str) -> Option<&str> {
    words(text).next()
}

fn is_of_a_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn text<'a>(tree: &'a Tree, path: &str) -> &'a str {
    tree.files.get(path).map(String::as_str).unwrap_or_default()
}

const TABLE: &str = "docs/c-coverage.md";
const HEADER: &str = "ffi/include/lightbox.h";

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "mod server;\npub mod encode;\npub use encode::Plan;\npub use server::{Event, Server};\npub use other::Thing;\n";
    const SERVER: &str = "impl Server {\n    /// Starts.\n    pub fn start() {}\n    fn hidden() {}\n}\nimpl Thing {\n    pub fn other() {}\n}\npub enum Event {\n    /// A field is no event.\n    Joined {\n        session: u8,\n    },\n}\n#[cfg(test)]\nimpl Server {\n    pub fn test() {}\n}\n";
    const HEADER_TEXT: &str = "// lbx_never() is a comment.\n#define LBX_JOINED 1\nlbx_result lbx_server_new(void);\nvoid lbx_log_set(void);\n";

    fn check(table: &str) -> Vec<String> {
        let files = [
            ("server-sdk/src/lib.rs", LIB),
            ("server-sdk/src/server.rs", SERVER),
            (HEADER, HEADER_TEXT),
            (TABLE, table),
        ];
        let files = files.iter().map(|&(path, text)| (path.into(), text.into())).collect();
        super::check(&Tree { files, packages: Vec::new() })
    }

    #[test]
    fn each_operation_has_a_row_and_each_function_a_place() {
        let right = "`lbx_log_set` is C's alone.\n| `server::Server::start` | `lbx_server_new` |\n| `server::Event::Joined` | `LBX_JOINED` |\n";
        assert_eq!(check(right), Vec::<String>::new());
        assert_eq!(check("| `server::Server::start` | `lbx_server_new`, `lbx_log_set` |").len(), 1);
        assert_eq!(check(&right.replace("lbx_log_set", "the log")).len(), 1);
        assert_eq!(check(&right.replace("LBX_JOINED", "LBX_LEFT")).len(), 1);
        assert_eq!(check(&right.replace("`LBX_JOINED`", "")).len(), 1);
        assert_eq!(check(&format!("{right}| `server::Server::stop` | none |\n")).len(), 1);
    }
}
