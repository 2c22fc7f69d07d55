//! How files open, what they are called and how long they and their functions are.

use regex::Regex;

use super::{Complaint, File, Source, Tree};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 90;
const EXCUSE: &str = "// tidy: long because ";

/// Names that promise nothing: everything fits into them, so everything ends up there.
const EMPTY_NAMES: [&str; 6] = ["utils", "common", "helpers", "misc", "manager", "service"];

/// Each file says in its first sentence what it is.
pub(super) fn opening_sentence(tree: &Tree, found: &mut Vec<Complaint>) {
    for (file, _) in tree.rust() {
        let lines = file.text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
        let opening: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
        let Some(last) = opening.last() else {
            let mend = "begin the file with a sentence in `//!` that says what stands here";
            found.push(file.complaint(1, "the file does not open with `//!`", mend));
            continue;
        };
        if !last.ends_with(['.', '!', '?', ':']) {
            let mend = "make its first paragraph a whole sentence, with its full stop";
            found.push(file.complaint(1, "the opening `//!` is no sentence", mend));
        }
    }
}

pub(super) fn names(tree: &Tree, found: &mut Vec<Complaint>) {
    const MEND: &str = "name it after the one thing it is about, or move its parts to where they are used";
    let is_code = |path: &str| [".rs", ".ts", ".js", ".py", ".css"].iter().any(|extension| path.ends_with(extension));
    let inline = Regex::new(&format!(r"\bmod\s+({})\b", EMPTY_NAMES.join("|"))).ok();
    for file in tree.files.iter().filter(|file| is_code(&file.path)) {
        let parts = file.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
        for name in parts.filter(|part| EMPTY_NAMES.contains(part)) {
            found.push(file.complaint(0, format!("`{name}` says nothing about its content"), MEND));
        }
        let Some((inline, source)) = inline.as_ref().zip(file.source.as_ref()) else { continue };
        for (number, line) in numbered(&source.code) {
            if let Some(name) = inline.captures(line).and_then(|captures| captures.get(1)) {
                found.push(file.complaint(number, format!("`{}` says nothing about its content", name.as_str()), MEND));
            }
        }
    }
}

pub(super) fn lengths(tree: &Tree, found: &mut Vec<Complaint>) {
    for (file, source) in tree.rust() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            let rule = format!("{lines} lines in one file, {FILE_LINES} are the limit");
            found.push(file.complaint(FILE_LINES + 1, rule, "look for the concept that wants a file of its own"));
        }
        for function in functions(source) {
            if function.lines > FUNCTION_LINES && !is_excused(file, function.line) {
                let rule = format!("`{}` has {} lines, {FUNCTION_LINES} are the limit", function.name, function.lines);
                let mend = "split it where its paragraphs are, or say above it `// tidy: long because …`";
                found.push(file.complaint(function.line, rule, mend));
            }
        }
    }
}

struct Function {
    name: String,
    /// Of `fn`, from 1.
    line: usize,
    lines: usize,
}

/// Every function with a body, by counting braces in code free of strings and comments.
fn functions(source: &Source) -> Vec<Function> {
    let Ok(head) = Regex::new(r"\bfn\s+(\w+)") else { return Vec::new() };
    let code = source.code.as_str();
    let mut functions = Vec::new();
    for captures in head.captures_iter(code) {
        let (Some(whole), Some(name)) = (captures.get(0), captures.get(1)) else { continue };
        let Some(length) = body_end(&code[whole.end()..]) else { continue };
        functions.push(Function {
            name: name.as_str().to_owned(),
            line: line_of(code, whole.start()),
            lines: code[whole.start()..whole.end() + length].lines().count(),
        });
    }
    functions
}

/// From behind a function's name to behind its closing brace; none for a declaration that ends in `;`.
fn body_end(code: &str) -> Option<usize> {
    let mut brackets = 0_i32;
    let mut braces = 0_i32;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            // `[u8; 4]` in a signature does not end it.
            ';' if braces == 0 && brackets == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces -= 1;
                if braces == 0 && brackets == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether the excuse, with a reason, stands among the comments and attributes directly above.
fn is_excused(file: &File, line: usize) -> bool {
    let above = file.text.lines().take(line - 1).collect::<Vec<_>>();
    let attached =
        above.iter().rev().map(|line| line.trim()).take_while(|line| line.starts_with("//") || line.starts_with("#["));
    attached
        .into_iter()
        .any(|line| line.strip_prefix(EXCUSE.trim_end()).is_some_and(|reason| !reason.trim().is_empty()))
}

/// Lines with their numbers, from 1.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// The line, from 1, that a byte of the text is on.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    text[..byte].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::super::assert_complaints;

    fn long(lines: usize) -> String {
        format!("//! A file.\nfn f(x: [u8; 4]) {{\n{}}}\n", "    g(\"}\");\n".repeat(lines - 2))
    }

    #[test]
    fn a_file_opens_with_a_sentence() {
        assert_complaints(
            &[
                ("engine/src/a.rs", "fn f() {}"),
                ("engine/src/b.rs", "//! stub\n"),
                ("engine/src/c.rs", "//! What a thing\n//! it is.\n//!\n//! And more\n"),
            ],
            &[
                "engine/src/a.rs:1: the file does not open with `//!`",
                "engine/src/b.rs:1: the opening `//!` is no sentence",
            ],
        );
    }

    #[test]
    fn empty_names_are_refused_wherever_they_stand() {
        assert_complaints(
            &[
                ("e2e/browser/tests/helpers.ts", ""),
                ("server/src/db/utils.rs", "//! A."),
                ("web/src/a.rs", "//! A.\nmod common { }\n// mod misc\n"),
            ],
            &[
                "e2e/browser/tests/helpers.ts:0: `helpers` says nothing about its content",
                "server/src/db/utils.rs:0: `utils` says nothing about its content",
                "web/src/a.rs:2: `common` says nothing about its content",
            ],
        );
    }

    #[test]
    fn ninety_lines_pass_and_ninety_one_do_not() {
        assert_complaints(&[("engine/src/a.rs", &long(90))], &[]);
        let complaint = ["engine/src/a.rs:2: `f` has 91 lines, 90 are the limit"];
        assert_complaints(&[("engine/src/a.rs", &long(91))], &complaint);
    }

    #[test]
    fn an_excuse_needs_a_reason_and_the_place_above() {
        let excused = long(91).replace("fn f", "/// Doc.\n// tidy: long because it is a table\n#[inline]\nfn f");
        assert_complaints(&[("engine/src/a.rs", &excused)], &[]);
        let bare = long(91).replace("fn f", "// tidy: long because\nfn f");
        assert_complaints(&[("engine/src/a.rs", &bare)], &["engine/src/a.rs:3: `f` has 91 lines, 90 are the limit"]);
    }

    #[test]
    fn a_long_file_is_told() {
        let text = format!("//! A.\n{}", "const A: u8 = 0;\n".repeat(600));
        assert_complaints(&[("web/src/a.rs", &text)], &["web/src/a.rs:601: 601 lines in one file, 600 are the limit"]);
    }
}
