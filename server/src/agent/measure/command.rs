//! Command lines as they may be shown: short, and without anything that looks like a password.

use regex::Regex;
use std::sync::LazyLock;

const CHARS_MAX: usize = 200;
const HIDDEN: &str = "***";

/// What the name of a secret has in it.
const SECRET: &str = r"(?:pass|pwd|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|auth[-_]?key)";

/// Options whose next word, or the rest of whose own, is a password, by the beginning of the program's name.
const OPTIONS: [(&str, &str); 14] = [
    ("mysql", "-p"),
    ("mariadb", "-p"),
    ("sshpass", "-p"),
    ("mongo", "-p"),
    ("rabbitmqadmin", "-p"),
    ("redis-cli", "-a"),
    ("curl", "-u"),
    ("curl", "-U"),
    ("curl", "--user"),
    ("curl", "--proxy-user"),
    ("ldap", "-w"),
    ("smbclient", "-U"),
    ("ipmitool", "-P"),
    ("mosquitto", "-P"),
];
/// Of these, several options may stand in one word: `-sSu`.
const JOINED: [&str; 2] = ["-u", "-U"];

/// What is hidden in a whole line: a value after the name of a secret, who signs in to a URL, what a header authorizes by.
static PATTERNS: LazyLock<[Option<Regex>; 4]> = LazyLock::new(|| {
    let value = r#"("[^"]*"?|'[^']*'?|[^\s;&,]+)"#;
    [
        Regex::new(&format!(r#"(?i)(?P<kept>[\w.-]*{SECRET}[\w.-]*["']?\s?[=:]\s?){value}"#)).ok(),
        Regex::new(r"(?P<kept>://)\S*(?P<after>@)").ok(),
        Regex::new(r"(?i)(?P<kept>authorization:\s*(?:\w+\s+)?)\S+").ok(),
        Regex::new(r"(?i)(?P<kept>\bbearer\s+)\S+").ok(),
    ]
});

/// An option that is named after a secret, whose value is the next word.
static OPTION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"(?i)^--?[\w.-]*{SECRET}[\w.-]*$")).ok());

/// A command line, as `/proc/[pid]/cmdline` has it: words that each end with a zero.
pub(super) fn shown(cmdline: &str) -> String {
    let mut line = Line::default();
    for argument in cmdline.split(['\0', '\n', '\r', '\t']).filter(|argument| !argument.trim().is_empty()) {
        line.argument(argument);
        // Bounded before anything else is done with it: a command line may be megabytes.
        if line.text.len() > 16 * CHARS_MAX {
            break;
        }
    }
    let mut text = line.text;
    for pattern in PATTERNS.iter().flatten() {
        text = pattern.replace_all(&text, "${kept}***${after}").into_owned();
    }
    shortened(&text)
}

/// A line that is being made, and what of the words to come is hidden.
#[derive(Default)]
struct Line {
    text: String,
    /// Of the programs that were named until now: one may start another, by `sudo`, `timeout` or a shell.
    options: Vec<&'static str>,
    next: Next,
}

#[derive(Clone, Copy, Default)]
enum Next {
    #[default]
    Shown,
    /// The value of an option.
    Hidden,
    /// The rest of a value in quotes.
    Until(char),
}

impl Line {
    /// A word of the command line. One with blanks in it is a value, or a command line of its own as shells take it.
    fn argument(&mut self, argument: &str) {
        let words = || argument.split(' ').filter(|word| !word.is_empty());
        let first = words().next().filter(|_| words().nth(1).is_some());
        let hidden = first.and_then(|first| match self.next {
            Next::Hidden if !argument.starts_with("--") => Some(""),
            _ => self.secret(first).filter(|(_, has_value)| *has_value).and_then(|(kept, _)| first.get(..kept)),
        });
        if let Some(kept) = hidden {
            self.next = Next::Shown;
            return self.put(kept, true);
        }
        for word in words() {
            self.word(word);
            let parts = || word.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'));
            let named = OPTIONS.iter().filter(|(name, _)| parts().any(|part| part.starts_with(name)));
            self.options.extend(named.map(|(_, option)| *option));
            self.options.sort_unstable();
            self.options.dedup();
        }
        if matches!(self.next, Next::Until(_)) {
            self.next = Next::Shown;
        }
    }

    fn word(&mut self, word: &str) {
        match std::mem::take(&mut self.next) {
            Next::Until(quote) => {
                if !word.contains(quote) {
                    self.next = Next::Until(quote);
                }
                return;
            }
            Next::Hidden if !word.starts_with("--") => {
                self.next = after(word);
                return self.put("", true);
            }
            Next::Hidden | Next::Shown => {}
        }
        match self.secret(word) {
            Some((kept, true)) => {
                let (kept, value) = word.split_at_checked(kept).unwrap_or_default();
                self.next = after(value);
                self.put(kept, true);
            }
            Some((_, false)) => {
                self.next = Next::Hidden;
                self.put(word, false);
            }
            None => self.put(word, false),
        }
    }

    fn put(&mut self, text: &str, hidden: bool) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(text);
        if hidden {
            self.text.push_str(HIDDEN);
        }
    }

    /// How much of a word is shown if it is an option with a secret, and whether that is in the same word.
    fn secret(&self, word: &str) -> Option<(usize, bool)> {
        let of = |option: &&str| {
            if option.starts_with("--") {
                let rest = word.strip_prefix(option)?;
                let value = rest.strip_prefix('=').or_else(|| rest.is_empty().then_some(rest))?;
                return Some((word.len() - value.len(), !value.is_empty()));
            }
            let letters = || word.strip_prefix('-')?.find(option.strip_prefix('-')?);
            let kept = if JOINED.contains(option) {
                letters().filter(|n| word.bytes().skip(1).take(*n).all(|b| b.is_ascii_alphabetic()))? + 2
            } else {
                word.strip_prefix(option).map(|_| option.len())?
            };
            Some((kept, kept < word.len()))
        };
        let is_named = || OPTION.as_ref().is_some_and(|it| it.is_match(word)).then_some((word.len(), false));
        self.options.iter().find_map(of).or_else(is_named)
    }
}

/// What follows a word of a value: the rest of it, where it is in quotes or its blank has a backslash.
fn after(value: &str) -> Next {
    let open = value.chars().fold(None, |open, c| match open {
        None => matches!(c, '\'' | '"').then_some(c),
        Some(quote) => (quote != c).then_some(quote),
    });
    match open {
        Some(quote) => Next::Until(quote),
        None if value.ends_with('\\') => Next::Hidden,
        None => Next::Shown,
    }
}

fn shortened(line: &str) -> String {
    let plain = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = plain.take(CHARS_MAX + 1).collect();
    if short.chars().count() > CHARS_MAX {
        short = short.chars().take(CHARS_MAX - 1).chain(['…']).collect();
    }
    short.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_password_is_shown_however_it_is_given() {
        for (words, expected) in [
            ("prog --password=hunter2 -v", "prog --password=*** -v"),
            ("prog --db-password hunter2 -v", "prog --db-password *** -v"),
            ("java -Ddb.password=hunter2 -jar x.jar", "java -Ddb.password=*** -jar x.jar"),
            ("env PGPASSWORD=hunter2 psql", "env PGPASSWORD=*** psql"),
            ("psql postgres://app:hunter2@db:5432/x", "psql postgres://***@db:5432/x"),
            ("git clone https://hunter2@example.org/x", "git clone https://***@example.org/x"),
            ("/usr/bin/mysql -uroot -phunter2 db", "/usr/bin/mysql -uroot -p*** db"),
            ("sshpass -p hunter2 ssh web1", "sshpass -p *** ssh web1"),
            ("redis-cli -a hunter2 ping", "redis-cli -a *** ping"),
            ("curl -u me:hunter2 http://x", "curl -u *** http://x"),
            ("x --api-key hunter2", "x --api-key ***"),
            ("x -token=hunter2;y", "x -token=***;y"),
            ("openssl rsa -passin pass:hunter2", "openssl rsa -passin ***"),
            ("curl --user me:hunter2 x", "curl --user *** x"),
            ("curl --proxy-user=me:hunter2 --user-agent x", "curl --proxy-user=*** --user-agent x"),
            ("curl -fsSu me:hunter2 x", "curl -fsSu *** x"),
            ("sudo -u postgres timeout 60 mysql -phunter2", "sudo -u postgres timeout 60 mysql -p***"),
        ] {
            assert_eq!(shown(&words.replace(' ', "\0")), expected);
        }
        assert_eq!(shown("curl\0-H\0Authorization: Bearer hunter2\0x"), "curl -H Authorization: Bearer *** x");
        assert_eq!(shown("x\0{\"password\": \"hunter2 and more\"}\0y"), "x {\"password\": ***} y");
        assert_eq!(shown("sh\0-c\0mysqldump -uroot -phunter2 db"), "sh -c mysqldump -uroot -p*** db");
        assert_eq!(shown("sh\0-c\0mysql -p'hunter2 and' -N"), "sh -c mysql -p*** -N");
        assert_eq!(shown("mysql\0-phunter2 and more\0-N"), "mysql -p*** -N");
        assert_eq!(shown("x\0--password\0hunter2 and more\0-N"), "x --password *** -N");
        assert_eq!(shown("x\0host=db user=me password=hunter2"), "x host=db user=me password=***");
    }

    #[test]
    fn what_is_none_stays_as_it_is_and_what_is_long_is_cut() {
        let plain = "nginx: worker process --port 80 -p 8080:80 user@example.org";
        assert_eq!(shown(&plain.replace(' ', "\0")), plain);
        let long = shown(&"ä\0".repeat(100_000));
        assert_eq!((long.chars().count(), long.ends_with('…')), (CHARS_MAX, true));
    }

    proptest! {
        #[test]
        fn any_line_is_shown_short(text in "(?s).{0,400}") {
            prop_assert!(shown(&text).chars().count() <= CHARS_MAX);
        }

        #[test]
        fn a_password_is_hidden_behind_any_wrapper(
            wrapper in "(sudo -u db |timeout 60 |env A=b nice -n 5 |)(/usr/bin/)?",
            option in "(mysql|mariadb-dump) (-h db )?-p|sshpass -p ?|redis-cli -a |curl (-s?[uU]|--user|--proxy-user) |curl --user=",
            quote in "['\"]?",
            value in "[A-Z0-9]{8,20}",
            rest in "( -v| db|; mysql -e x)?",
        ) {
            let command = |value: &str| format!("{wrapper}{option}{value}{rest}");
            let quoted = if quote.is_empty() { value.clone() } else { format!("{quote}A {value}{quote}") };
            let shell = format!("sh\0-c\0{}", command(&quoted));
            for line in [command(&value).replace(' ', "\0"), shell.clone(), format!("ssh\0web1\0{shell}")] {
                let shown = shown(&line);
                prop_assert!(!shown.contains(&value), "{} of {}", shown, line);
            }
        }

        #[test]
        fn what_follows_the_name_of_a_secret_is_never_shown(
            name in "(db[-_.])?(password|passwd|secret|token|api_key)",
            value in "[a-zA-Z0-9/+]{8,20}",
        ) {
            let lines = [format!("x\0--{name}={value}\0y"), format!("x\0--{name}\0{value}\0y"), format!("x\0{name}: {value}")];
            for line in lines {
                let shown = shown(&line);
                prop_assert!(!shown.contains(&value), "{}", shown);
            }
        }
    }
}
