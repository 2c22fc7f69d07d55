//! Numbers, times and names as people read them; nothing here asks the browser.

pub(crate) mod civil;

use shared::config::Language;

/// A running age: `0:42`, `11:04`, then `1 h 04`, `3 d 2 h`.
pub(crate) fn age(language: Language, ms: i64) -> String {
    if ms < 3_600_000 { countdown(ms) } else { shared::text::span(language, ms) }
}

/// Minutes and seconds, never negative: `2:18`.
pub(crate) fn countdown(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    if seconds >= 3_600 {
        return format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    }
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// How long a delivery took: tenths below ten seconds, because that is what is compared.
pub(crate) fn delay(language: Language, ms: i64) -> String {
    if ms < 10_000 {
        let tenths = (ms.max(0) + 50) / 100;
        return match language {
            Language::En => format!("{}.{} s", tenths / 10, tenths % 10),
            Language::Zh => format!("{}.{} 秒", tenths / 10, tenths % 10),
        };
    }
    shared::text::span(language, ms)
}

/// Two letters for a round badge; the last character of a Chinese name's first two.
pub(crate) fn initials(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let letters: String = match words.as_slice() {
        [] => "?".to_owned(),
        [one] => one.chars().take(if one.is_ascii() { 2 } else { 1 }).collect(),
        [first, .., last] => first.chars().take(1).chain(last.chars().take(1)).collect(),
    };
    // The style sheet does the rest, for any script.
    letters.to_ascii_uppercase()
}

/// Thousands apart, as both languages write them: `18,233`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes with a unit.
pub(crate) fn bytes(n: u64) -> String {
    if n < 1_024 { format!("{n} B") } else { format!("{}.{} KiB", n / 1_024, n % 1_024 * 10 / 1_024) }
}

/// One shell word, whatever it contains.
pub(crate) fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// An address a link may point to: http and https only.
pub(crate) fn is_web_link(url: &str) -> bool {
    let lower = url.trim_start().to_ascii_lowercase();
    (lower.starts_with("http://") || lower.starts_with("https://")) && !url.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_tick_in_seconds_until_an_hour() {
        assert_eq!(age(Language::En, 42_000), "0:42");
        assert_eq!(age(Language::En, 11 * 60_000 + 4_000), "11:04");
        assert_eq!(age(Language::En, 64 * 60_000), "1 h 04");
        assert_eq!(age(Language::En, -5_000), "0:00");
    }

    #[test]
    fn delays_keep_a_tenth_below_ten_seconds() {
        assert_eq!(delay(Language::En, 1_240), "1.2 s");
        assert_eq!(delay(Language::Zh, 300), "0.3 秒");
        assert_eq!(delay(Language::En, 22_000), "22 s");
    }

    #[test]
    fn a_name_becomes_initials_in_either_script() {
        assert_eq!(initials("Li Wei"), "LW");
        assert_eq!(initials("李伟"), "李");
        assert_eq!(initials("admin"), "AD");
        assert_eq!(initials(""), "?");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1_000, 18_233, 1_234_567].map(grouped), ["0", "999", "1,000", "18,233", "1,234,567"]);
    }

    #[test]
    fn quoting_survives_quotes() {
        assert_eq!(shell_quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(is_web_link("https://x.example/a"));
        assert!(!is_web_link("javascript:alert(1)"));
        assert!(!is_web_link("data:text/html,x"));
    }
}
