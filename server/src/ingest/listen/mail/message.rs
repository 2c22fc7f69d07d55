//! What a mail says, out of its bytes: subject and text in whatever they are written, and the names of what is attached.
//!
//! Nothing here fails: bytes that are no mail are a text.

use engine::normalize::{
    self,
    mail::{Answer, Mail, is_reply},
};
use mail_parser::{
    Encoding, Message, MessageParser, MessagePart, MimeHeaders as _, PartType, decoders::html::html_to_text,
};

/// What is kept of a text.
const TEXT_MAX_BYTES: usize = 256 << 10;
/// Of a subject, and of what else stands above.
const LINE_MAX_BYTES: usize = 4 << 10;
const ATTACHED_MAX: usize = 16;
/// What the tokens of integrations begin with, and how long they are at least.
const TOKEN: &str = "tin_";
const TOKEN_BYTES: usize = 24;

/// A mail, and what its mailer calls it.
pub(super) struct Letter {
    pub(super) mail: Mail,
    pub(super) id: Option<String>,
}

/// Reads a mail of a sender, whom a bounce does not name.
pub(super) fn read(raw: &[u8], reverse_path: &str) -> Letter {
    let Some(message) = MessageParser::default().parse(raw) else {
        let mail = Mail {
            from: reverse_path.to_owned(),
            text: shown(&normalize::decoded(raw, None), TEXT_MAX_BYTES),
            ..Mail::default()
        };
        return Letter { mail, id: None };
    };
    let subject = subject(&message, raw);
    let from = message.from().and_then(|from| from.first()).and_then(|from| from.address()).unwrap_or(reverse_path);
    let names = message.attachments().take(ATTACHED_MAX);
    let attachments = names.map(|part| shown(part.attachment_name().unwrap_or("(no name)"), LINE_MAX_BYTES));
    let mail = Mail {
        from: shown(from, LINE_MAX_BYTES),
        date: shown(message.header_raw("Date").unwrap_or_default(), LINE_MAX_BYTES),
        attachments: attachments.collect(),
        answer: answer(&message, reverse_path, &subject),
        text: shown(&text(&message, raw), TEXT_MAX_BYTES),
        subject,
    };
    let id = message.message_id().map(ToOwned::to_owned);
    Letter { mail, id }
}

/// A text without tokens; `martin_db` holds none.
fn untold(text: &str) -> String {
    let (mut shown, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, found)) = rest.find(TOKEN).and_then(|at| rest.split_at_checked(at)) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let end = found.find(|c| !is_part(c)).unwrap_or(found.len());
        let (found, after) = found.split_at_checked(end).unwrap_or((found, ""));
        shown.push_str(before);
        let is_token = found.len() >= TOKEN_BYTES && !before.ends_with(|c: char| c.is_ascii_alphanumeric());
        shown.push_str(if is_token { "…" } else { found });
        rest = after;
    }
    shown + rest
}

/// Without tokens, which are whose address it was sent to, and not longer than it may be.
fn shown(text: &str, most: usize) -> String {
    let text = untold(text);
    text.get(..text.floor_char_boundary(most)).unwrap_or(&text).trim().to_owned()
}

/// Whether a text was not written in what it says it is, or does not say.
fn is_lossy(text: &str) -> bool {
    text.contains(char::REPLACEMENT_CHARACTER)
}

fn subject(message: &Message<'_>, raw: &[u8]) -> String {
    let read = message.subject().unwrap_or_default();
    // Mailers of old put Chinese there as it is.
    let header = message.headers().iter().rfind(|it| it.name().eq_ignore_ascii_case("subject"));
    let place = header.map(|it| it.offset_start() as usize..it.offset_end() as usize);
    let plain = place
        .and_then(|place| raw.get(place))
        .filter(|plain| is_lossy(read) && !plain.windows(2).any(|it| it == b"=?"));
    match plain {
        Some(plain) => shown(&normalize::decoded(plain, None), LINE_MAX_BYTES),
        None => shown(read, LINE_MAX_BYTES),
    }
}

/// Its plain texts; where they say nothing, those that are written in HTML.
fn text(message: &Message<'_>, raw: &[u8]) -> String {
    let said = |parts: Vec<String>| parts.into_iter().filter(|it| !it.trim().is_empty()).collect::<Vec<_>>().join("\n");
    let plain = said(message.text_bodies().map(|part| words(part, raw)).collect());
    if plain.is_empty() { said(message.html_bodies().map(|part| words(part, raw)).collect()) } else { plain }
}

/// Breaks without a style of their own, which alone are taken for ends of lines: Alertmanager's have one.
fn bare_breaks(html: &str) -> String {
    let (mut bare, mut rest) = (String::with_capacity(html.len()), html);
    while let Some((before, found)) = rest.split_once("<br ") {
        bare.push_str(before);
        bare.push_str("<br>");
        rest = found.split_once('>').map_or("", |(_, after)| after);
    }
    bare + rest
}

fn words(part: &MessagePart<'_>, raw: &[u8]) -> String {
    let own = |text: &str| {
        let place = part.offset_body as usize..part.offset_end as usize;
        let plain = raw.get(place).filter(|_| is_lossy(text) && part.encoding == Encoding::None);
        plain.map_or_else(|| text.to_owned(), |plain| normalize::decoded(plain, None))
    };
    match &part.body {
        PartType::Text(text) => own(text),
        PartType::Html(html) => html_to_text(&bare_breaks(&own(html))),
        _ => String::new(),
    }
}

/// There are programs that give no sender; what comes back undelivered says P0 only where it quotes.
fn says_p0(subject: &str) -> bool {
    !is_reply(subject) && normalize::looks_like_p0(subject.as_bytes())
}

fn answer(message: &Message<'_>, reverse_path: &str, subject: &str) -> Option<Answer> {
    let says = |name: &str| message.header_raw(name).map(|it| it.trim().to_ascii_lowercase());
    let is_report = message.is_content_type("multipart", "report");
    let is_automatic = says("Auto-Submitted").is_some_and(|it| it.starts_with("auto-replied"))
        || says("X-Autoreply").is_some()
        || says("X-Autorespond").is_some()
        || says("Precedence").is_some_and(|it| it == "auto_reply");
    if is_automatic {
        Some(Answer::Automatic)
    } else if is_report || (reverse_path.is_empty() && !says_p0(subject)) {
        Some(Answer::Bounce)
    } else {
        // Mailers of alerts put theirs into threads too, but they call them no answers.
        (is_reply(subject) && says("In-Reply-To").is_some()).then_some(Answer::Reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mail(raw: &[u8]) -> Mail {
        read(raw, "nagios@db").mail
    }

    #[test]
    fn a_mail_says_the_same_however_it_is_written() {
        let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
        let line = "[P0][PROBLEM][db-07][][主从延迟过大]";
        let base64 = |bytes: &[u8]| {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(bytes)
        };
        let said = |head: &str, body: &[u8]| -> Vec<u8> { [head.as_bytes(), b"\r\n\r\n", body].concat() };
        let subject = format!("Subject: =?gbk?B?{}?=", base64(&gbk(line)));
        let all: [Vec<u8>; 5] = [
            said(
                &format!("{subject}\r\nContent-Type: text/plain; charset=gbk\r\nContent-Transfer-Encoding: 8bit"),
                &gbk("磁盘"),
            ),
            said(
                &format!("{subject}\r\nContent-Type: text/plain; charset=gb18030\r\nContent-Transfer-Encoding: base64"),
                base64(&gbk("磁盘")).as_bytes(),
            ),
            said(
                &format!("{subject}\r\nContent-Type: text/html; charset=utf-8"),
                "<html><head><style>b{}</style></head><body><p>磁盘</p></body></html>".as_bytes(),
            ),
            said(
                &format!(
                    "Subject: {line}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable"
                ),
                b"=E7=A3=81=\r\n=E7=9B=98",
            ),
            [b"Subject: ".as_slice(), &gbk(line), b"\r\n\r\n", &gbk("磁盘"), b"\r\n"].concat(),
        ];
        for raw in &all {
            let mail = mail(raw);
            assert_eq!((mail.subject.as_str(), mail.text.trim()), (line, "磁盘"), "{}", String::from_utf8_lossy(raw));
        }
    }

    #[test]
    fn a_break_with_a_style_ends_a_line_too() {
        let html = "<p>a = 1<br style=\"margin: 0\">instance = db-07<br />c = 3</p>";
        let raw = format!("Subject: x\r\nContent-Type: text/html\r\n\r\n{html}");
        assert!(mail(raw.as_bytes()).text.lines().any(|line| line.trim() == "instance = db-07"));
    }

    #[test]
    fn what_is_attached_is_named_and_tokens_are_not_shown() {
        let raw = b"From: N <n@db>\r\nTo: tin_secretsecretsecretsecret@x\r\nSubject: disk\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nmartin_db-07 to a+tin_secretsecretsecretsecret@x\r\n\
            --b\r\nContent-Type: application/pdf; name=\"graph.pdf\"\r\nContent-Disposition: attachment; filename=\"graph.pdf\"\r\n\r\n[P0]\r\n--b--\r\n";
        let mail = mail(raw);
        assert_eq!((mail.from.as_str(), mail.text.as_str()), ("n@db", "martin_db-07 to a+…@x"));
        assert_eq!(mail.attachments, ["graph.pdf"]);
        assert!(!mail.write().contains("secret"));
    }

    #[test]
    fn what_answers_a_mail_is_told_from_what_reports() {
        let answer = |head: &str, from: &str| read(format!("{head}\r\n\r\nx").as_bytes(), from).mail.answer;
        for (head, from, want) in [
            ("Subject: disk\r\nAuto-Submitted: auto-generated", "a@b", None),
            ("Subject: disk\r\nIn-Reply-To: <x@y>", "a@b", None),
            ("Subject: Re: disk", "a@b", None),
            ("Subject: Fwd: disk\r\nIn-Reply-To: <x@y>", "a@b", None),
            ("Subject: RE: disk\r\nIn-Reply-To: <x@y>", "a@b", Some(Answer::Reply)),
            ("Subject: away\r\nAuto-Submitted: auto-replied (vacation)", "a@b", Some(Answer::Automatic)),
            ("Subject: Undelivered", "", Some(Answer::Bounce)),
        ] {
            assert_eq!(answer(head, from), want, "{head}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            drop(read(&bytes, ""));
            drop(read(&[b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".as_slice(), &bytes].concat(), "a@b"));
        }
    }
}
