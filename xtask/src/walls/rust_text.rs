//! Rust source with its comments and literals blanked, so that a rule about code does not trip over a sentence about
//! it. Not a parser: it knows just enough of the lexical grammar to tell code from text.

/// The source with every comment, string and character literal replaced by blanks; lines stay where they are.
pub(super) fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        // A raw string may begin with a letter, but not in the middle of a word.
        let text = if after_word && first.is_alphabetic() { 0 } else { text_at_start(rest) };
        if text > 0 {
            let (blanked, tail) = rest.split_at(text);
            code.extend(blanked.chars().map(|char| if char == '\n' { '\n' } else { ' ' }));
            (rest, after_word) = (tail, false);
        } else {
            code.push(first);
            (rest, after_word) = (&rest[first.len_utf8()..], is_of_a_word(first));
        }
    }
    code
}

/// The lines, counted from 1, that have `word` as a word of its own.
pub(super) fn lines_with_word(code: &str, word: &str) -> impl Iterator<Item = usize> {
    lines_where(code, move |line| words(line, word).next().is_some())
}

/// The lines, counted from 1, on which a path begins with the crate `name`.
pub(super) fn lines_with_crate(code: &str, name: &str) -> impl Iterator<Item = usize> {
    lines_where(code, move |line| {
        words(line, name).any(|(before, after)| after.starts_with("::") && !before.ends_with("::"))
            || words(line, name)
                .any(|(before, after)| before.trim() == "use" && after.starts_with([';', ' ']))
    })
}

fn lines_where(code: &str, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = usize> {
    code.lines().enumerate().filter(move |(_, line)| wanted(line)).map(|(index, _)| index + 1)
}

/// What stands before and after each occurrence of `word` as a word of its own.
fn words<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    line.match_indices(word).filter_map(move |(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        (!before.ends_with(is_of_a_word) && !after.starts_with(is_of_a_word)).then_some((before, after))
    })
}

fn is_of_a_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// How many bytes at the start are a comment or a literal: 0 if code begins here.
fn text_at_start(source: &str) -> usize {
    if source.starts_with("//") {
        source.find('\n').unwrap_or(source.len())
    } else if source.starts_with("/*") {
        block_comment(source)
    } else if let Some(hashes) = raw_string(source) {
        let end = format!("\"{}", "#".repeat(hashes));
        let body = source.find('"').map_or(source.len(), |quote| quote + 1);
        source[body..].find(&end).map_or(source.len(), |at| body + at + end.len())
    } else if source.starts_with('"') {
        quoted(source, '"')
    } else if source.starts_with('\'') {
        character(source)
    } else {
        0
    }
}

/// Block comments nest.
fn block_comment(source: &str) -> usize {
    let (mut at, mut depth) = (0, 0);
    loop {
        let rest = &source[at..];
        let Some(next) = rest.find("/*").into_iter().chain(rest.find("*/")).min() else {
            return source.len();
        };
        if rest[next..].starts_with("/*") {
            depth += 1
        } else {
            depth -= 1
        }
        at += next + 2;
        if depth == 0 {
            return at;
        }
    }
}

/// The number of hashes if a raw string (`r"`, `br#"`, `cr##"`) begins here.
fn raw_string(source: &str) -> Option<usize> {
    let after = source.strip_prefix(['b', 'c']).unwrap_or(source).strip_prefix('r')?;
    let quote = after.trim_start_matches('#');
    quote.starts_with('"').then_some(after.len() - quote.len())
}

/// The length of a literal that begins and ends with `quote`.
fn quoted(source: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in source.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if char == quote => return at + 1,
            _ => {}
        }
    }
    source.len()
}

/// The length of a character literal, or 0 for a lifetime.
fn character(source: &str) -> usize {
    let mut chars = source.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(source, '\''),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the code that is left.
    fn check(source: &str, expect: &str) {
        let code = code(source);
        assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), expect, "of {source:?}");
        assert_eq!(code.lines().count(), source.lines().count(), "lines move in {source:?}");
    }

    #[test]
    fn comments_and_literals_are_blank() {
        check("a // unsafe\nb", "a b");
        check("a /* unsafe /* nested */ still */ b", "a b");
        check("a /* never closed", "a");
        check(r#"a("unsafe \" more") b"#, "a( ) b");
        check("a(r#\"un\"safe\"#) b", "a( ) b");
        check("a(br\"c:\\\") b", "a( ) b");
        check("a('\"', '\\'', '/') // b", "a( , , )");
    }

    #[test]
    fn code_that_looks_like_text_stays() {
        check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
        check("for r in bar {}", "for r in bar {}");
        check("stringer\"unsafe\"", "stringer");
        check("r#type", "r#type");
        check("a / b", "a / b");
    }

    #[test]
    fn a_word_is_not_part_of_a_longer_one() {
        let lines: Vec<usize> = lines_with_word("unsafe_code\nunsafe {\nan unsafe", "unsafe").collect();
        assert_eq!(lines, [2, 3]);
    }

    #[test]
    fn a_crate_is_where_a_path_begins() {
        let code = "use opus;\nopus::Encoder\naudio::opus::Encoder\nlet opus = 1;\nuse opus as o;\nmod opus;";
        assert_eq!(lines_with_crate(code, "opus").collect::<Vec<_>>(), [1, 2, 5]);
    }
}
