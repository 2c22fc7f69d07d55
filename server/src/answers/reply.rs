//! Text messages that people write back: a letter is enough at three in the morning.

/// What somebody asks for by a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    pub verb: Verb,
    pub about: About,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Acknowledge,
    Resolve,
    Escalate,
}

/// What is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What this number was last written to about.
    Latest,
    /// The incident of this number.
    Incident(i64),
    /// All that this number was written to about.
    All,
}

/// Longer texts were not meant for us, whatever they begin with.
const LONGEST_CHARS: usize = 40;

const VERBS: [(&str, Verb); 18] = [
    ("a", Verb::Acknowledge),
    ("ack", Verb::Acknowledge),
    ("acknowledge", Verb::Acknowledge),
    ("acknowledged", Verb::Acknowledge),
    ("认领", Verb::Acknowledge),
    ("確認", Verb::Acknowledge),
    ("确认", Verb::Acknowledge),
    ("r", Verb::Resolve),
    ("res", Verb::Resolve),
    ("resolve", Verb::Resolve),
    ("resolved", Verb::Resolve),
    ("恢复", Verb::Resolve),
    ("解决", Verb::Resolve),
    ("e", Verb::Escalate),
    ("esc", Verb::Escalate),
    ("escalate", Verb::Escalate),
    ("escalated", Verb::Escalate),
    ("升级", Verb::Escalate),
];

/// Reads a text message: `a`, `ack`, `r`, `e`, `12a`, `ack 12`, `aa`, `ack all`, `认领 12`; none when it says nothing of
/// that kind, and never half of it: what is not understood whole may mean the opposite.
#[must_use]
pub fn parse_reply(text: &str) -> Option<Reply> {
    if text.chars().count() > LONGEST_CHARS {
        return None;
    }
    let words = words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (verb, about) = match words.as_slice() {
        ["aa"] | ["all"] | ["全部"] => (Verb::Acknowledge, About::All),
        [one] => (verb(one)?, About::Latest),
        ["all" | "全部", one] | [one, "all" | "全部"] => (verb(one)?, About::All),
        [one, other] => match (verb(one), verb(other)) {
            (Some(verb), None) => (verb, About::Incident(number(other)?)),
            (None, Some(verb)) => (verb, About::Incident(number(one)?)),
            _ => return None,
        },
        _ => return None,
    };
    Some(Reply { verb, about })
}

fn verb(word: &str) -> Option<Verb> {
    VERBS.iter().find(|(known, _)| *known == word).map(|(_, verb)| *verb)
}

fn number(word: &str) -> Option<i64> {
    word.parse().ok().filter(|number| *number > 0)
}

/// Words in lower case and numbers, apart even where nothing stands between them; quotes, `#` and marks at the end of a
/// sentence mean nothing.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut kind) = (Vec::<String>::new(), ' ');
    for c in text.chars().map(narrow).flat_map(char::to_lowercase) {
        let next = match c {
            '0'..='9' => '0',
            c if c.is_alphabetic() => 'a',
            '\'' | '"' | '“' | '”' | '‘' | '’' | '#' | '.' | '。' | '!' | ',' | '，' | '、' => ' ',
            c if c.is_whitespace() => ' ',
            // Anything else is of a text that was not meant for us, such as `-12` or `a/r`.
            _ => '?',
        };
        match words.last_mut() {
            Some(word) if next == kind && next != ' ' => word.push(c),
            _ if next == ' ' => {}
            _ => words.push(c.to_string()),
        }
        kind = next;
    }
    // Chinese runs its words together.
    words.into_iter().flat_map(|word| apart(&word)).collect()
}

/// `全部认领` and `认领全部` are two words.
fn apart(word: &str) -> Vec<String> {
    const ALL: &str = "全部";
    let split = match (word.strip_prefix(ALL), word.strip_suffix(ALL)) {
        (Some(rest), _) if !rest.is_empty() => [ALL, rest],
        (_, Some(rest)) if !rest.is_empty() => [rest, ALL],
        _ => return vec![word.to_owned()],
    };
    split.map(str::to_owned).to_vec()
}

/// Letters and digits in full width, as Chinese keyboards write them, as plain ones.
fn narrow(c: char) -> char {
    match u32::from(c) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(text: &str) -> Option<(Verb, About)> {
        parse_reply(text).map(|reply| (reply.verb, reply.about))
    }

    #[test]
    fn one_letter_is_enough() {
        use {About::*, Verb::*};
        for (text, expected) in [
            ("a", (Acknowledge, Latest)),
            (" A. ", (Acknowledge, Latest)),
            ("Ack!", (Acknowledge, Latest)),
            ("r", (Resolve, Latest)),
            ("E", (Escalate, Latest)),
            ("12a", (Acknowledge, Incident(12))),
            ("'12a'", (Acknowledge, Incident(12))),
            ("12 A", (Acknowledge, Incident(12))),
            ("ack 12", (Acknowledge, Incident(12))),
            ("ack12", (Acknowledge, Incident(12))),
            ("Ack #12", (Acknowledge, Incident(12))),
            ("r 7", (Resolve, Incident(7))),
            ("aa", (Acknowledge, All)),
            ("ACK ALL", (Acknowledge, All)),
            ("１２ａ", (Acknowledge, Incident(12))),
            ("ａａ", (Acknowledge, All)),
            ("认领", (Acknowledge, Latest)),
            ("认领12", (Acknowledge, Incident(12))),
            ("１２　升级。", (Escalate, Incident(12))),
            ("恢复 12", (Resolve, Incident(12))),
            ("全部认领", (Acknowledge, All)),
        ] {
            assert_eq!(said(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_whole_is_not_done() {
        for text in [
            "",
            " ",
            "12",
            "b",
            "ar",
            "a r",
            "ack 12 13",
            "12a13",
            "a 0",
            "a -12",
            "a 12.5",
            "not a",
            "ack? no",
            "stop",
            "a 99999999999999999999",
            "rr",
            "ack everything",
            "a/r",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in any::<String>()) {
            let reply = parse_reply(&text);
            if let Some(Reply { about: About::Incident(number), .. }) = reply {
                prop_assert!(number > 0);
            }
            prop_assert_eq!(parse_reply(&text.to_uppercase()).is_some() || !text.is_ascii(), reply.is_some() || !text.is_ascii());
        }

        #[test]
        fn every_incident_can_be_answered_as_the_message_says(number in 1_i64.., space in "[ \u{3000}#]{0,2}", verb in "[aAreREａ]") {
            let Some(Reply { about, .. }) = parse_reply(&format!("{number}{space}{verb}")) else {
                return Err(TestCaseError::fail("not read"));
            };
            prop_assert_eq!(about, About::Incident(number));
            prop_assert_eq!(parse_reply(&format!("{verb}{space}{number}")).map(|it| it.about), Some(about));
        }
    }
}
