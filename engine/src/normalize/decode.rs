//! Bytes to readable text: strict UTF-8, a cut tail, GB18030, and only then replacement characters.

use super::{Charset, bounds, bracket};
use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};
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

/// Decodes a body; never fails.
pub(super) fn decode(body: &[u8]) -> Decoded {
    let (text, charset, mut flags, cut) = charset(body);
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
        let decoded = decode(&body);
        assert_eq!(decoded.charset, Charset::Gb18030);
        assert_eq!(decoded.text, "[P0][PROBLEM][db][][主从延");
    }

    #[test]
    fn damaged_utf8_does_not_become_mojibake() {
        let mut body = "[P1][PROBLEM][db][][主从延迟过大".as_bytes().to_vec();
        body.pop();
        body.extend_from_slice(b"][O1 2026-11-21 03:10:00]");
        assert!(decode(&body).text.contains("主从延迟过\u{fffd}]"));
        let body = ["【P0】".as_bytes(), b"\x80"].concat();
        assert!(decode(&body).text.starts_with("【P0】"));
    }

    #[test]
    fn byte_order_marks_are_dropped() {
        assert_eq!(decode(b"\xef\xbb\xbf[P0]").text, "[P0]");
        assert_eq!(decode(b"\xff\xfe[\0P\x000\0]\0\x2d\x4e").text, "[P0]中");
    }
}
