//! Command lines as they may be shown: short, and without anything that looks like a password.

use regex::Regex;
use std::sync::LazyLock;

const CHARS_MAX: usize = 200;
const HIDDEN: &str = "***";

/// What the name of a secret has in it.
const SECRET: &str = r"(?:pass|pwd|secret|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|auth[-_]?key)";

/// Options whose next word, or the rest of whose own, is a password, by the beginning of the program's name.
const OPTIONS: [(&str, &str); 11] = [
    ("mysql", "-p"),
    ("mariadb", "-p"),
    ("sshpass", "-p"),
    ("mongo", "-p"),
    ("rabbitmqadmin", "-p"),
    ("redis-cli", "-a"),
    ("curl", "-u"),
    ("ldap", "-w"),
    ("smbclient", "-U"),
    ("ipmitool", "-P"),
    ("mosquitto", "-P"),
];

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
    let words: Vec<&str> = cmdline.split(['\0', '\n', '\r', '\t']).filter(|word| !word.is_empty()).collect();
    let program = words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    let option = OPTIONS.iter().find(|(name, _)| program.starts_with(name)).map(|(_, option)| *option);
    let mut line = String::new();
    let mut hide_next = false;
    for word in &words {
        if !line.is_empty() {
            line.push(' ');
        }
        let glued = option.and_then(|option| word.strip_prefix(option)).filter(|_| !word.starts_with("--"));
        if hide_next && !word.starts_with("--") {
            line.push_str(HIDDEN);
            hide_next = false;
            continue;
        }
        hide_next = glued == Some("") || OPTION.as_ref().is_some_and(|it| it.is_match(word));
        match (glued, option) {
            (Some(rest), Some(option)) if !rest.is_empty() => {
                line.push_str(option);
                line.push_str(HIDDEN);
            }
            _ => line.push_str(word),
        }
        // Bounded before anything else is done with it: a command line may be megabytes.
        if line.len() > 16 * CHARS_MAX {
            break;
        }
    }
    for pattern in PATTERNS.iter().flatten() {
        line = pattern.replace_all(&line, "${kept}***${after}").into_owned();
    }
    shortened(&line)
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
        ] {
            assert_eq!(shown(&words.replace(' ', "\0")), expected);
        }
        assert_eq!(shown("curl\0-H\0Authorization: Bearer hunter2\0x"), "curl -H Authorization: Bearer *** x");
        assert_eq!(shown("x\0{\"password\": \"hunter2 and more\"}\0y"), "x {\"password\": ***} y");
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
