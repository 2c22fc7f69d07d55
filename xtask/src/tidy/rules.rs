//! What may be named where: the import rules of ARCHITECTURE.md, and a few words that stand nowhere.

use regex::Regex;

use super::layout::{line_of, numbered};
use super::{CRATES, Complaint, Tree};

/// Which of our crates each crate may depend on.
const MAY_DEPEND_ON: [(&str, &[&str]); 6] = [
    ("shared", &[]),
    ("engine", &["shared"]),
    ("server", &["shared", "engine"]),
    ("web", &["shared", "engine"]),
    ("e2e", &["shared"]),
    ("xtask", &[]),
];

/// Which more its tests may: the daemons they start, and the language both worlds are told stories in.
const TESTS_MAY_DEPEND_ON: [(&str, &str); 2] = [("server", "e2e"), ("e2e", "engine")];

pub(super) fn manifests(tree: &Tree, found: &mut Vec<Complaint>) {
    for (name, allowed) in MAY_DEPEND_ON {
        let Some(file) = tree.file(&format!("{name}/Cargo.toml")) else { continue };
        let Ok(manifest) = file.text.parse::<toml::Table>() else {
            found.push(file.complaint(0, "the manifest is not TOML", "cargo says where it breaks"));
            continue;
        };
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
            let is_allowed = |ours: &str| {
                allowed.contains(&ours)
                    || (section == "dev-dependencies" && TESTS_MAY_DEPEND_ON.contains(&(name, ours)))
            };
            for ours in dependencies.keys().filter(|key| CRATES.contains(&key.as_str()) && !is_allowed(key)) {
                let line = numbered(&file.text).find(|(_, line)| line.trim_start().starts_with(ours.as_str()));
                let rule = format!("{name} must not depend on {ours}");
                let mend = "move what both need to shared, or talk to it as a program";
                found.push(file.complaint(line.map_or(0, |(number, _)| number), rule, mend));
            }
        }
    }
}

/// A word that may be named only in some places.
struct Place {
    word: &'static str,
    /// Where the rule holds: paths that begin so.
    within: &'static str,
    /// Where the word is at home; a module is named without `.rs` and means its folder too.
    except: &'static [&'static str],
    /// Whether tests keep it too: those may look at the clock and find their PostgreSQL by the environment.
    tests_too: bool,
    rule: &'static str,
    mend: &'static str,
}

const OUTBOUND: &[&str] = &["server/src/channels", "server/src/inventory", "server/src/mirror", "server/src/outbound"];

const PLACES: [Place; 8] = [
    Place {
        word: r"\bdiesel\w*",
        within: "",
        except: &["server/src/db", "server/tests/store"],
        tests_too: true,
        rule: "only server/src/db names diesel",
        mend: "give server::db a function that takes a connection and returns our types",
    },
    Place {
        word: r"\bactix\w*",
        within: "server/src/db",
        except: &[],
        tests_too: true,
        rule: "db never names actix",
        mend: "return a plain error; http turns it into an answer",
    },
    Place {
        word: r"\breqwest\b",
        within: "server/",
        except: OUTBOUND,
        tests_too: true,
        rule: "only channels, inventory, mirror and outbound name reqwest",
        mend: "ask one of them; they bound time, size and target of a call",
    },
    Place {
        word: r"\bSystemTime\b|\bInstant::now\b|\bTimestamp::now\b|\bZoned::now\b",
        within: "server/",
        except: &["server/src/clock"],
        tests_too: false,
        rule: "only server/src/clock.rs reads the time",
        mend: "take `now` as an argument, or ask server::clock",
    },
    Place {
        word: r"\bgetrandom\b|\bOsRng\b|\bthread_rng\b|\brand::rng\b",
        within: "server/",
        except: &["server/src/entropy"],
        tests_too: false,
        rule: "only server/src/entropy.rs reads randomness",
        mend: "ask server::entropy",
    },
    Place {
        word: r"\benv::(var|vars|var_os|vars_os)\b",
        within: "server/",
        except: &["server/src/config"],
        tests_too: false,
        rule: "only server/src/config reads the environment",
        mend: "make it a key of the configuration",
    },
    Place {
        word: r"\bserver::",
        within: "web/",
        except: &[],
        tests_too: true,
        rule: "web never names server",
        mend: "what both need belongs to shared",
    },
    Place {
        word: r"\binner_html\b|\bset_inner_html\b|\binsert_adjacent_html\b",
        within: "web/",
        except: &[],
        tests_too: true,
        rule: "text of an alert must never become markup",
        mend: "build elements with view!, which escapes",
    },
];

pub(super) fn words_and_their_places(tree: &Tree, found: &mut Vec<Complaint>) {
    for place in PLACES {
        let Ok(word) = Regex::new(place.word) else { continue };
        for (file, source) in tree.rust() {
            if !file.path.starts_with(place.within) || place.except.iter().any(|home| is_in_module(&file.path, home)) {
                continue;
            }
            let tests_begin = if place.tests_too { usize::MAX } else { first_test_line(&file.path, &source.code) };
            for (number, line) in numbered(&source.code).take_while(|(number, _)| *number < tests_begin) {
                if word.is_match(line) {
                    found.push(file.complaint(number, place.rule, place.mend));
                }
            }
        }
    }
}

/// `server/src/db` is `server/src/db.rs` and everything below `server/src/db/`.
fn is_in_module(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Where the tests of a file begin: they stand last, under `#[cfg(test)]`, or are all of it.
fn first_test_line(path: &str, code: &str) -> usize {
    if path.contains("/tests/") || path.ends_with("/tests.rs") {
        return 0;
    }
    let module = |line: &str| line.starts_with("mod ") && line.trim_end().ends_with('{');
    let lines: Vec<(usize, &str)> = numbered(code).collect();
    let begins = |pair: &&[(usize, &str)]| pair[0].1.trim() == "#[cfg(test)]" && module(pair[1].1);
    lines.windows(2).find(begins).map_or(usize::MAX, |pair| pair[0].0)
}

/// A statement put together from text is where an injection begins.
pub(super) fn formatted_sql(tree: &Tree, found: &mut Vec<Complaint>) {
    for (file, source) in tree.rust() {
        for (start, call) in source.code.match_indices("sql_query(") {
            let arguments = &source.code[start + call.len()..];
            let end = closing_parenthesis(arguments);
            if arguments[..end].contains("format!") {
                let mend = "write the statement out and bind the values";
                found.push(file.complaint(line_of(&source.code, start), "`format!` inside `sql_query(`", mend));
            }
        }
    }
}

fn closing_parenthesis(code: &str) -> usize {
    let mut open = 1;
    for (at, c) in code.char_indices() {
        match c {
            '(' => open += 1,
            ')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at;
        }
    }
    code.len()
}

/// Work that is not finished is an issue, not a comment.
pub(super) fn unfinished(tree: &Tree, found: &mut Vec<Complaint>) {
    let Ok(in_code) = Regex::new(r"\b(todo|unimplemented)!|#\s*\[\s*ignore\b") else { return };
    let Ok(in_comments) = Regex::new(r"\bFIXME\b") else { return };
    for (file, source) in tree.rust() {
        for (number, (code, comment)) in source.code.lines().zip(source.comments.lines()).enumerate() {
            if in_code.is_match(code) || in_comments.is_match(comment) {
                let mend = "finish it, or return an error that says what is missing";
                found.push(file.complaint(
                    number + 1,
                    "unfinished work (todo!, unimplemented!, FIXME, #[ignore])",
                    mend,
                ));
            }
        }
    }
}

/// A path of one machine works on that machine only.
pub(super) fn machine_paths(tree: &Tree, found: &mut Vec<Complaint>) {
    // In two parts, or this line would be the first to break the rule.
    let absolute = concat!(r"(^|[^\w./~$}-])/", r"(work|root)/[\w.]");
    let Ok(absolute) = Regex::new(absolute) else { return };
    for file in &tree.files {
        for (number, line) in numbered(&file.text) {
            if absolute.is_match(line) {
                let mend = "name it relative to the root of the tree, or take it from an option";
                found.push(file.complaint(number, "an absolute path of one machine", mend));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_complaints;

    #[test]
    fn the_engine_depends_only_on_shared() {
        assert_complaints(
            &[("engine/Cargo.toml", "[dependencies]\nshared.workspace = true\nserver = { path = '../server' }\n")],
            &["engine/Cargo.toml:3: engine must not depend on server"],
        );
    }

    #[test]
    fn words_stand_only_where_they_are_at_home() {
        assert_complaints(
            &[
                ("server/src/clock.rs", "//! A.\nuse std::time::SystemTime;\n"),
                ("server/src/clockwork.rs", "//! A.\nuse std::time::SystemTime;\n"),
                ("server/src/config/file.rs", "//! A.\nfn f() { std::env::var(\"X\"); }\n"),
                ("server/src/db.rs", "//! A.\nuse diesel::prelude::*;\nuse actix_web::web;\n"),
                ("server/src/http/alerts.rs", "//! A.\n// as diesel does\nuse diesel::prelude::*;\n"),
                ("web/src/row.rs", "//! A.\nview! { <p inner_html=text/> }\n"),
            ],
            &[
                "server/src/clockwork.rs:2: only server/src/clock.rs reads the time",
                "server/src/db.rs:3: db never names actix",
                "server/src/http/alerts.rs:3: only server/src/db names diesel",
                "web/src/row.rs:2: text of an alert must never become markup",
            ],
        );
    }

    #[test]
    fn tests_may_look_at_the_clock_but_not_at_diesel() {
        let text =
            "//! A.\n#[cfg(test)]\nmod tests {\n    use diesel::prelude::*;\n    fn f() { Instant::now(); }\n}\n";
        assert_complaints(&[("server/src/live.rs", text)], &["server/src/live.rs:4: only server/src/db names diesel"]);
        let text = "//! A.\n#[cfg(test)]\nmod tests;\nfn f() { Instant::now(); }\n";
        assert_complaints(
            &[("server/src/live.rs", text)],
            &["server/src/live.rs:4: only server/src/clock.rs reads the time"],
        );
    }

    #[test]
    fn sql_is_not_formatted() {
        assert_complaints(
            &[(
                "server/src/db/a.rs",
                "//! A.\nfn f() {\n sql_query(\n  format!(\"a\"));\n sql_query(\"b\").bind(format!(\"c\"));\n}\n",
            )],
            &["server/src/db/a.rs:3: `format!` inside `sql_query(`"],
        );
    }

    #[test]
    fn unfinished_work_is_found_in_code_and_comments_but_not_in_strings() {
        let text = "//! A.\n// FIXME later\nfn f() { todo!() }\nconst A: &str = \"FIXME todo!\";\n#[ignore = \"slow\"]\nfn g() {}\n";
        let rule = "unfinished work (todo!, unimplemented!, FIXME, #[ignore])";
        let expected = [2, 3, 5].map(|line| format!("engine/src/a.rs:{line}: {rule}"));
        assert_complaints(&[("engine/src/a.rs", text)], &expected.each_ref().map(String::as_str));
    }

    #[test]
    fn paths_of_one_machine_are_found_in_any_text_file() {
        let here = concat!("cd /", "work/main\nhttps://a.example/work/b\ncd ./work/x\n");
        assert_complaints(&[("docs/a.md", here)], &["docs/a.md:1: an absolute path of one machine"]);
    }
}
