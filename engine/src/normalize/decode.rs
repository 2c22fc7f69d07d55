//! Bytes to readable text: strict UTF-8, a cut tail, GB18030, and only then replacement characters.

use super::{Charset, bounds, bracket};
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};
use shared::Flag;
use std::borrow::Cow;

/// Readable text and what it took to get it.
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) charset: Charset,
    /// Hold for every event of the body.
    pub(super) flags: Vec<Flag>,
    /// The last bytes were an incomplete UTF-8 sequence; concerns the last event only.
    pub(super) cut: bool,
}

/// The charset of a label such as `gbk`, as the WHATWG names them.
pub(super) fn labelled(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes()).filter(|it| it.is_ascii_compatible())
}

/// What is wrong with a label of a charset.
pub fn known_charset(label: &str) -> Result<(), String> {
    match Encoding::for_label(label.as_bytes()) {
        Some(known) if known.is_ascii_compatible() => Ok(()),
        Some(known) => Err(format!(
            "{} is not one that JSON or forms are written in; UTF-16 is found by its byte order mark, so leave it out",
            known.name()
        )),
        None => Err(format!("`{label}` is no charset; write a label such as `gbk`, `gb18030`, `big5` or `utf-8`")),
    }
}

/// Decodes a body, as what it is said to be in or else as what it looks like; never fails.
pub(super) fn decode(body: &[u8], stated: Option<&str>) -> Decoded {
    let (text, charset, mut flags, cut) = match stated.and_then(labelled) {
        Some(encoding) => as_stated(body, encoding),
        None => charset(body),
    };
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => Cow::Owned(rest.to_owned()),
        None => text,
    };
    let (text, dirty) = bounds::clean(text);
    if dirty {
        flags.push(Flag::ControlCharacters);
    }
    Decoded { text, charset, flags, cut }
}

fn charset(body: &[u8]) -> (Cow<'_, str>, Charset, Vec<Flag>, bool) {
    let error = match std::str::from_utf8(body) {
        Ok(text) => return (Cow::Borrowed(text), Charset::Utf8, Vec::new(), false),
        Err(error) => error,
    };
    if let Some(text) = utf16(body) {
        return (text, Charset::Utf8, Vec::new(), false);
    }
    // An SMS gateway cuts by bytes. Such a message decodes "successfully" as GB18030 mojibake, so
    // the cut has to be recognised first.
    if error.error_len().is_none() {
        let valid = body.get(..error.valid_up_to()).unwrap_or_default();
        if let Ok(text) = std::str::from_utf8(valid) {
            return (Cow::Borrowed(text), Charset::Utf8, Vec::new(), true);
        }
    }
    for cut in 0..=3 {
        let Some(head) = body.len().checked_sub(cut).and_then(|end| body.get(..end)) else { break };
        if let Some(text) = GB18030.decode_without_bom_handling_and_without_replacement(head) {
            if let Some(text) = damaged_utf8(body, &text) {
                return (text, Charset::Lossy, vec![Flag::LossyText], false);
            }
            let mut flags = vec![Flag::Gb18030];
            if cut > 0 {
                flags.push(Flag::Truncated);
            }
            return (text, Charset::Gb18030, flags, false);
        }
    }
    (String::from_utf8_lossy(body), Charset::Lossy, vec![Flag::LossyText], false)
}

/// A body in the charset that its sender's settings state: nothing is guessed. A byte order mark says more than settings.
fn as_stated<'a>(body: &'a [u8], encoding: &'static Encoding) -> (Cow<'a, str>, Charset, Vec<Flag>, bool) {
    let (encoding, bare) = Encoding::for_bom(body)
        .map_or((encoding, body), |(marked, length)| (marked, body.get(length..).unwrap_or_default()));
    let charset = if encoding == UTF_8 || encoding == UTF_16LE || encoding == UTF_16BE {
        Charset::Utf8
    } else if encoding == GBK || encoding == GB18030 {
        Charset::Gb18030
    } else {
        Charset::Stated
    };
    for cut in 0..=3 {
        let Some(head) = bare.len().checked_sub(cut).and_then(|end| bare.get(..end)) else { break };
        let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(head) else { continue };
        let is_utf8 = encoding == UTF_8;
        let flags = if cut > 0 && !is_utf8 { vec![Flag::Truncated] } else { Vec::new() };
        return (text, charset, flags, cut > 0 && is_utf8);
    }
    let (text, _) = encoding.decode_without_bom_handling(bare);
    (text, charset, vec![Flag::LossyText], false)
}

/// UTF-8 with a few bad bytes, which GB18030 would turn into mojibake as a whole.
///
/// Told by a level token that only UTF-8 shows, or by twice as many good Chinese characters as faults:
/// GBK text read as UTF-8 is faults almost throughout.
fn damaged_utf8<'a>(body: &'a [u8], as_gb18030: &str) -> Option<Cow<'a, str>> {
    let (mut good, mut faults) = (0_usize, 0_usize);
    for chunk in body.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| c.len_utf8() >= 3).count();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    let text = String::from_utf8_lossy(body);
    let has_level = |text: &str| bracket::head(text.trim_start()).is_some();
    let mostly_good = good >= 2 && good >= faults.saturating_mul(2);
    (mostly_good || (has_level(&text) && !has_level(as_gb18030))).then_some(text)
}

/// PowerShell writes UTF-16 with a byte order mark.
fn utf16(body: &[u8]) -> Option<Cow<'_, str>> {
    let encoding = match body {
        [0xff, 0xfe, ..] => UTF_16LE,
        [0xfe, 0xff, ..] => UTF_16BE,
        _ => return None,
    };
    encoding.decode_without_bom_handling_and_without_replacement(body.get(2..)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_gbk_message_stays_readable() {
        let mut body = GB18030.encode("[P0][PROBLEM][db][][主从延迟").0.into_owned();
        body.pop();
        let decoded = decode(&body, None);
        assert_eq!(decoded.charset, Charset::Gb18030);
        assert_eq!(decoded.text, "[P0][PROBLEM][db][][主从延");
    }

    #[test]
    fn damaged_utf8_does_not_become_mojibake() {
        let mut body = "[P1][PROBLEM][db][][主从延迟过大".as_bytes().to_vec();
        body.pop();
        body.extend_from_slice(b"][O1 2026-11-21 03:10:00]");
        assert!(decode(&body, None).text.contains("主从延迟过\u{fffd}]"));
        let body = ["【P0】".as_bytes(), b"\x80"].concat();
        assert!(decode(&body, None).text.starts_with("【P0】"));
    }

    #[test]
    fn byte_order_marks_are_dropped() {
        assert_eq!(decode(b"\xef\xbb\xbf[P0]", None).text, "[P0]");
        assert_eq!(decode(b"\xff\xfe[\0P\x000\0]\0\x2d\x4e", None).text, "[P0]中");
    }

    #[test]
    fn a_stated_charset_is_believed_and_nothing_else_is_guessed() {
        // Big5 that GB18030 would read as other words.
        let (body, ..) = encoding_rs::BIG5.encode("[P0][PROBLEM][db][][主機離線]");
        assert_ne!(decode(&body, None).text, "[P0][PROBLEM][db][][主機離線]");
        let decoded = decode(&body, Some("big5"));
        assert_eq!((decoded.text.as_str(), decoded.charset), ("[P0][PROBLEM][db][][主機離線]", Charset::Stated));
        assert!(decoded.flags.is_empty());
        // GBK whose bytes happen to be good UTF-8.
        let (body, ..) = GBK.encode("漏");
        assert_eq!((decode(&body, None).text.as_str(), decode(&body, Some("GB2312")).text.as_str()), ("©", "漏"));
        assert_eq!(decode("é".as_bytes(), Some("latin1")).text, "Ã©");
        // What is cut, what is broken, and a byte order mark.
        let mut body = GBK.encode("延迟").0.into_owned();
        body.pop();
        let decoded = decode(&body, Some("gbk"));
        assert_eq!((decoded.text.as_str(), decoded.flags.as_slice()), ("延", &[Flag::Truncated][..]));
        let decoded = decode("延迟".as_bytes().split_last().unwrap().1, Some("utf-8"));
        assert_eq!((decoded.text.as_str(), decoded.cut), ("延", true));
        assert!(decode(b"a\xff\xffbcdef", Some("utf-8")).flags.contains(&Flag::LossyText));
        assert_eq!(decode("\u{feff}延迟".as_bytes(), Some("gbk")).text, "延迟");
    }

    #[test]
    fn labels_are_those_of_the_whatwg() {
        for label in ["gbk", "GB2312", " gb18030 ", "big5", "shift_jis", "latin1", "utf8"] {
            assert_eq!(known_charset(label), Ok(()), "{label}");
        }
        assert!(known_charset("gbk2").unwrap_err().contains("`gbk2` is no charset"));
        assert!(known_charset("utf-16le").unwrap_err().contains("byte order mark"));
    }
}
