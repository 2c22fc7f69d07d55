//! WeCom's callbacks: whether it signed and encrypted them, what was pressed, and an answer in kind.

use crate::outbound::visible;
use aes::{
    Aes256,
    cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _},
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use quick_xml::{Reader, escape, events::Event};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use shared::Timestamp;
use std::{collections::BTreeMap, fmt};
use subtle::ConstantTimeEq as _;

/// What is older, or from so far ahead, was not sent just now.
const FRESH_MS: i64 = 5 * 60_000;
/// Texts are filled up to whole ones of these, although the cipher's own blocks are half as long.
const FILL_BYTES: usize = 32;
const BLOCK_BYTES: usize = 16;
/// No callback comes near this.
const DEPTH_MAX: usize = 16;
/// What a button has room for.
const BUTTON_CHARS: usize = 40;

/// The 43 letters of a key end in two bits that mean nothing, and WeCom does not clear them.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What an app's callbacks are signed and encrypted with, and whose they are.
pub struct Keys {
    token: String,
    key: [u8; 32],
    corp_id: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("corp_id", &self.corp_id).finish_non_exhaustive()
    }
}

/// What stands in the address of a callback.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    pub signature: &'a str,
    /// Seconds since 1970.
    pub timestamp: &'a str,
    pub nonce: &'a str,
}

/// Why a callback is not listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shut {
    #[error("it was not signed with `wecom.token`")]
    Unsigned,
    #[error("it is more than five minutes old, or the clock of this server is wrong")]
    Stale,
    #[error("it was not encrypted with `wecom.aes_key` for `wecom.corp_id`")]
    Sealed,
}

/// A button that somebody pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    /// Whose name in WeCom that is.
    pub user: String,
    /// What the button was given.
    pub key: String,
}

impl Keys {
    /// None when the key is not one: 43 letters of base64.
    #[must_use]
    pub fn new(token: &str, aes_key: &str, corp_id: &str) -> Option<Self> {
        let key = LENIENT.decode(aes_key.trim()).ok()?.try_into().ok()?;
        Some(Self { token: token.to_owned(), key, corp_id: corp_id.to_owned() })
    }

    /// The text of a callback, when it comes from WeCom and from now.
    ///
    /// # Errors
    /// When it does not; nothing of it is decrypted before it is known to be signed.
    pub fn open(&self, stamp: Stamp<'_>, encrypted: &str, now: Timestamp) -> Result<String, Shut> {
        let signature = self.signature(stamp.timestamp, stamp.nonce, encrypted);
        if !bool::from(signature.as_bytes().ct_eq(stamp.signature.as_bytes())) {
            return Err(Shut::Unsigned);
        }
        let sent_at = stamp.timestamp.parse::<i64>().ok().and_then(|seconds| seconds.checked_mul(1_000));
        let age = sent_at.map(|ms| now.ms().saturating_sub(ms)).ok_or(Shut::Stale)?;
        if age.saturating_abs() > FRESH_MS {
            return Err(Shut::Stale);
        }
        self.decrypt(encrypted).ok_or(Shut::Sealed)
    }

    /// An answer as WeCom reads it.
    #[must_use]
    pub fn seal(&self, text: &str, random: [u8; 16], nonce: &str, now: Timestamp) -> String {
        let (encrypted, timestamp) = (self.encrypt(text, random), (now.ms() / 1_000).to_string());
        let signature = self.signature(&timestamp, nonce, &encrypted);
        format!(
            "<xml><Encrypt>{encrypted}</Encrypt><MsgSignature>{signature}</MsgSignature>\
             <TimeStamp>{timestamp}</TimeStamp><Nonce>{}</Nonce></xml>",
            escape::escape(nonce)
        )
    }

    fn signature(&self, timestamp: &str, nonce: &str, encrypted: &str) -> String {
        let mut parts = [self.token.as_str(), timestamp, nonce, encrypted];
        parts.sort_unstable();
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, parts.concat().as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn iv(&self) -> [u8; BLOCK_BYTES] {
        let mut iv = [0; BLOCK_BYTES];
        iv.iter_mut().zip(self.key).for_each(|(to, from)| *to = from);
        iv
    }

    fn decrypt(&self, encrypted: &str) -> Option<String> {
        let mut bytes = LENIENT.decode(encrypted).ok()?;
        if bytes.is_empty() || bytes.len() % BLOCK_BYTES != 0 {
            return None;
        }
        let mut cipher = cbc::Decryptor::<Aes256>::new(&self.key.into(), &self.iv().into());
        for block in bytes.as_chunks_mut::<BLOCK_BYTES>().0 {
            cipher.decrypt_block(block.into());
        }
        let fill = *bytes.last()?;
        let length = usize::from(fill);
        let end = bytes.len().checked_sub(length).filter(|_| (1..=FILL_BYTES).contains(&length))?;
        let (text, filling) = bytes.split_at_checked(end)?;
        let (_random, rest) = text.split_first_chunk::<16>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (text, receiver) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        let is_whole = filling.iter().all(|byte| *byte == fill) && receiver == self.corp_id.as_bytes();
        String::from_utf8(text.to_vec()).ok().filter(|_| is_whole)
    }

    fn encrypt(&self, text: &str, random: [u8; 16]) -> String {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut bytes = [&random[..], &length, text.as_bytes(), self.corp_id.as_bytes()].concat();
        let fill = FILL_BYTES - bytes.len() % FILL_BYTES;
        bytes.extend(std::iter::repeat_n(u8::try_from(fill).unwrap_or_default(), fill));
        let mut cipher = cbc::Encryptor::<Aes256>::new(&self.key.into(), &self.iv().into());
        for block in bytes.as_chunks_mut::<BLOCK_BYTES>().0 {
            cipher.encrypt_block(block.into());
        }
        LENIENT.encode(bytes)
    }
}

/// What is encrypted in the body of a callback.
#[must_use]
pub fn encrypted(body: &[u8]) -> Option<String> {
    fields(std::str::from_utf8(body).ok()?)?.remove("Encrypt")
}

/// The button that was pressed; none when the callback is about something else.
#[must_use]
pub fn pressed(text: &str) -> Option<Press> {
    let mut fields = fields(text)?;
    let mut of = |name: &str| fields.remove(name).filter(|value| !value.is_empty());
    let is_card = of("MsgType")? == "event" && of("Event")? == "template_card_event";
    let (user, key) = (of("FromUserName")?, of("EventKey")?);
    is_card.then_some(Press { user, key })
}

/// Puts a text in the place of the button, for whoever pressed it; it cannot be pressed any more.
#[must_use]
pub fn replaced(keys: &Keys, user: &str, text: &str, now: Timestamp) -> String {
    let text: String = visible(text).chars().take(BUTTON_CHARS).collect();
    format!(
        "<xml><ToUserName>{}</ToUserName><FromUserName>{}</FromUserName><CreateTime>{}</CreateTime>\
         <MsgType>update_button</MsgType><Button><ReplaceName>{}</ReplaceName></Button></xml>",
        escape::escape(user),
        escape::escape(keys.corp_id.as_str()),
        now.ms() / 1_000,
        escape::escape(text.as_str())
    )
}

/// The texts of the elements directly below the only one; the first of each name.
fn fields(xml: &str) -> Option<BTreeMap<String, String>> {
    let mut reader = Reader::from_str(xml);
    let (mut path, mut fields) = (Vec::<String>::new(), BTreeMap::<String, String>::new());
    let (mut text, mut is_begun) = (String::new(), false);
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                if path.len() >= DEPTH_MAX || (path.is_empty() && is_begun) {
                    return None;
                }
                is_begun = true;
                text.clear();
                path.push(tag.name().as_ref().to_owned());
            }
            Event::End(_) => {
                let name = path.pop()?;
                if path.len() == 1 {
                    fields.entry(name).or_insert_with(|| text.trim().to_owned());
                }
            }
            Event::Text(part) if path.len() == 2 => text.push_str(&part),
            Event::CData(part) if path.len() == 2 => text.push_str(&part),
            Event::GeneralRef(name) if path.len() == 2 => {
                let character = name.resolve_char_ref().ok()?.map(String::from);
                text.push_str(&character.or_else(|| escape::resolve_xml_entity(&name).map(str::to_owned))?);
            }
            Event::DocType(_) => return None,
            Event::Eof => return Some(fields).filter(|_| is_begun && path.is_empty()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);
    const TEXT: &str = "<xml><ToUserName><![CDATA[ww1]]></ToUserName><FromUserName><![CDATA[LiWei]]></FromUserName>\
        <MsgType><![CDATA[event]]></MsgType><Event><![CDATA[template_card_event]]></Event>\
        <EventKey><![CDATA[cap-1]]></EventKey><SelectedItems><SelectedItem><EventKey>other</EventKey></SelectedItem>\
        </SelectedItems><AgentID>1000002</AgentID></xml>";

    /// A key whose last letter has bits that mean nothing.
    fn keys() -> Keys {
        Keys::new("tok", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "ww1").unwrap()
    }

    fn stamp<'a>(signature: &'a str, timestamp: &'a str) -> Stamp<'a> {
        Stamp { signature, timestamp, nonce: "nonce1" }
    }

    #[test]
    fn the_signature_is_that_of_other_implementations() {
        let known = "440b188a9709e73234d17347f7f5d98f94f51dfe";
        assert_eq!(keys().signature("1700000000", "nonce1", "ENCRYPTEDBASE64"), known);
        let opened = |signature: &str, timestamp: &str| {
            keys().open(stamp(signature, timestamp), "ENCRYPTEDBASE64", NOW).unwrap_err()
        };
        assert_eq!(opened(known, "1700000000"), Shut::Sealed, "signed, and nothing that can be read");
        assert_eq!(opened(&known.replace('4', "5"), "1700000000"), Shut::Unsigned);
        assert_eq!((opened("", "1700000000"), opened(known, "1700000001")), (Shut::Unsigned, Shut::Unsigned));
    }

    #[test]
    fn only_what_was_sent_just_now_is_opened() {
        let keys = keys();
        let sealed = keys.encrypt(TEXT, [3; 16]);
        for (timestamp, fresh) in [
            ("1700000000", true),
            ("1699999700", true),
            ("1700000300", true),
            ("1699999699", false),
            ("1700000301", false),
            ("", false),
            ("9223372036854775807", false),
            ("-9223372036854775808", false),
        ] {
            let signature = keys.signature(timestamp, "nonce1", &sealed);
            let opened = keys.open(stamp(&signature, timestamp), &sealed, NOW);
            assert_eq!(opened, if fresh { Ok(TEXT.to_owned()) } else { Err(Shut::Stale) }, "{timestamp}");
        }
        let other = Keys::new("tok", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "ww2").unwrap();
        assert_eq!((other.decrypt(&sealed), keys.decrypt(&sealed)), (None, Some(TEXT.to_owned())), "another company");
    }

    #[test]
    fn a_key_has_43_letters() {
        for key in ["", "abc", &"A".repeat(42), &"A".repeat(44), "write it here", &"-".repeat(43)] {
            assert!(Keys::new("tok", key, "ww1").is_none(), "{key}");
        }
        assert!(!format!("{:?}", keys()).contains("tok"));
    }

    #[test]
    fn what_was_pressed_is_read_and_everything_else_is_not() {
        assert_eq!(pressed(TEXT), Some(Press { user: "LiWei".into(), key: "cap-1".into() }));
        for text in [
            TEXT.replace("template_card_event", "enter_agent"),
            TEXT.replace("EventKey", "Key"),
            TEXT.replace("LiWei", ""),
            TEXT.replace("</xml>", ""),
            format!("<!DOCTYPE xml>{TEXT}"),
            format!("{TEXT}{TEXT}"),
            String::new(),
        ] {
            assert_eq!(pressed(&text), None, "{text}");
        }
        let escaped = TEXT.replace("<![CDATA[cap-1]]>", "a&amp;&#98;&lt;");
        assert_eq!(pressed(&escaped).map(|it| it.key).as_deref(), Some("a&b<"));
        assert_eq!(encrypted(b"<xml><Encrypt><![CDATA[abc=]]></Encrypt></xml>").as_deref(), Some("abc="));
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened_by_the_same_keys_alone(text in "\\PC{0,200}", random in any::<[u8; 16]>(), nonce in "[a-z0-9]{1,9}", at in 0_usize..400) {
            let keys = keys();
            let answer = keys.seal(&text, random, &nonce, NOW);
            let mut fields = fields(&answer).unwrap();
            let (signature, sealed) = (fields.remove("MsgSignature").unwrap(), fields.remove("Encrypt").unwrap());
            let stamp = Stamp { signature: &signature, timestamp: &fields["TimeStamp"], nonce: &nonce };
            prop_assert_eq!(keys.open(stamp, &sealed, NOW), Ok(text));
            let mut changed = sealed.clone().into_bytes();
            let at = at % changed.len();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(keys.open(stamp, &changed, NOW), Err(Shut::Unsigned));
        }

        #[test]
        fn any_bytes_are_opened_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
            let keys = keys();
            keys.decrypt(&LENIENT.encode(&bytes));
            keys.decrypt(&text);
            drop(encrypted(&bytes));
            drop(pressed(&text));
            let signature = keys.signature("1700000000", "nonce1", &text);
            prop_assert!(keys.open(stamp(&signature, "1700000000"), &text, NOW).is_err());
        }

        #[test]
        fn no_text_leaves_its_element(user in "\\PC{0,40}", said in any::<String>()) {
            let fields = fields(&replaced(&keys(), &user, &said, NOW)).unwrap();
            prop_assert_eq!(fields["MsgType"].as_str(), "update_button");
            prop_assert_eq!(fields["ToUserName"].as_str(), user.trim());
        }
    }
}
