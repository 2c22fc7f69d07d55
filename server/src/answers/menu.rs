//! The menu of a call: its keys, and the TwiML that asks for them.

use crate::outbound::visible;
use quick_xml::escape::escape;
use shared::text::{Language, phone::Phrase};

/// How often the menu is read: once, and twice more when nothing is pressed.
const TIMES: usize = 3;
/// So long after the menu a key is waited for: long enough to find the keypad.
const PATIENCE_SECONDS: u8 = 6;

/// What a key means; the same keys as elsewhere, so that hands know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// 4
    Acknowledge,
    /// 6
    Resolve,
    /// 5
    Escalate,
    /// 1: this person is not called again about this.
    StopCalls,
    /// `*`: the menu again.
    Repeat,
}

impl Key {
    pub const ALL: [Self; 5] = [Self::Acknowledge, Self::Resolve, Self::Escalate, Self::StopCalls, Self::Repeat];

    /// What was pressed, as a carrier tells it; of several keys the last one counts, for it is what somebody came to.
    #[must_use]
    pub fn pressed(digits: &str) -> Option<Self> {
        let last = digits.trim().chars().next_back()?;
        Self::ALL.into_iter().find(|key| key.digit() == last)
    }

    /// As it stands on the telephone.
    #[must_use]
    pub const fn digit(self) -> char {
        match self {
            Self::Acknowledge => '4',
            Self::Resolve => '6',
            Self::Escalate => '5',
            Self::StopCalls => '1',
            Self::Repeat => '*',
        }
    }
}

/// Reads the page and its keys, and posts what is pressed to `action`.
///
/// It is repeated within one document, so that a call is heard to its end when we are not there any more.
#[must_use]
pub fn menu(language: Language, page: &str, action: &str) -> String {
    let text = say(language, &format!("{page} {}", Phrase::Keys.said(language)));
    let action = xml(action);
    let ask = format!(
        r#"<Gather input="dtmf" numDigits="1" timeout="{PATIENCE_SECONDS}" method="POST" action="{action}">{text}</Gather>"#
    );
    let good_bye = say(language, &Phrase::GoodBye.said(language));
    document(&format!("{}{good_bye}<Hangup/>", ask.repeat(TIMES)))
}

/// Says what came of a key, and ends the call.
#[must_use]
pub fn last_words(language: Language, phrase: Phrase<'_>) -> String {
    document(&format!("{}<Hangup/>", say(language, &phrase.said(language))))
}

/// Says something, and asks `next` how to go on: for the menu again after a key that means nothing, and for an answer that
/// is not known yet.
#[must_use]
pub fn and_then(language: Language, phrase: Phrase<'_>, next: &str) -> String {
    let (text, next) = (say(language, &phrase.said(language)), xml(next));
    document(&format!(r#"{text}<Redirect method="POST">{next}</Redirect>"#))
}

/// Says a text twice and ends: for a call that cannot be answered by a key.
#[must_use]
pub fn announcement(language: Language, page: &str) -> String {
    let text = say(language, page);
    document(&format!(r#"{text}<Pause length="1"/>{text}<Hangup/>"#))
}

fn document(inner: &str) -> String {
    format!(r#"<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>"#)
}

fn say(language: Language, text: &str) -> String {
    let voice = match language {
        Language::En => "en-US",
        Language::Zh => "zh-CN",
    };
    format!(r#"<Say language="{voice}">{}</Say>"#, xml(text))
}

/// A text as XML has it; what XML cannot hold, no voice can say.
fn xml(text: &str) -> String {
    let plain: String = visible(text).chars().filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect();
    escape(plain.as_str()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use quick_xml::{Reader, events::Event};

    /// What is said, and how many elements there are.
    fn read(document: &str) -> (Vec<String>, usize) {
        let (mut reader, mut said, mut elements) = (Reader::from_str(document), Vec::<String>::new(), 0);
        let mut within = String::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) if tag.name().as_ref() == "Say" => {
                    elements += 1;
                    within.clear();
                }
                Event::Start(_) | Event::Empty(_) => elements += 1,
                Event::Text(text) => within.push_str(&text),
                Event::GeneralRef(name) => {
                    within.push_str(&quick_xml::escape::unescape(&format!("&{};", &*name)).unwrap());
                }
                Event::End(tag) if tag.name().as_ref() == "Say" => said.push(within.clone()),
                Event::Eof => return (said, elements),
                _ => {}
            }
        }
    }

    #[test]
    fn the_menu_is_read_three_times_and_says_every_key() {
        for language in [Language::En, Language::Zh] {
            let document =
                menu(language, "P0 db-7 <disk> & \"full\"", "https://t.example.org/cb/twilio/voice/c?a=1&b=2");
            let (said, elements) = read(&document);
            assert_eq!((said.len(), elements), (4, 9), "{document}");
            assert!(said[0].contains("P0 db-7 <disk> & \"full\""), "{said:?}");
            for key in ["4", "6", "5", "1"] {
                assert!(said[0].contains(key), "{said:?}");
            }
            assert_eq!(document.matches(r#"action="https://t.example.org/cb/twilio/voice/c?a=1&amp;b=2""#).count(), 3);
        }
    }

    #[test]
    fn what_came_of_a_key_is_said_in_the_language_of_the_page() {
        let zh = last_words(Language::Zh, Phrase::AlreadyAcked { who: "李伟" });
        assert!(zh.ends_with(r#"<Response><Say language="zh-CN">已由 李伟 认领。</Say><Hangup/></Response>"#), "{zh}");
        let en = and_then(Language::En, Phrase::Wait, "https://t/x?y=1&z=2");
        assert!(
            en.contains(r#"<Say language="en-US">One moment.</Say><Redirect method="POST">https://t/x?y=1&amp;z=2<"#),
            "{en}"
        );
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_element(text in any::<String>(), who in any::<String>()) {
            let (said, elements) = read(&announcement(Language::En, &text));
            prop_assert_eq!((said.len(), elements), (2, 5));
            prop_assert_eq!(&said[0], &said[1]);
            let (said, elements) = read(&last_words(Language::Zh, Phrase::AlreadyAcked { who: &who }));
            prop_assert_eq!((said.len(), elements), (1, 3));
        }

        #[test]
        fn any_digits_are_a_key_or_none(digits in any::<String>()) {
            let last = digits.trim().chars().next_back();
            prop_assert_eq!(Key::pressed(&digits).map(Key::digit), last.filter(|c| "4651*".contains(*c)));
        }
    }
}
