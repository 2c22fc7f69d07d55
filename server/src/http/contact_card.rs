//! The numbers and addresses this server calls and writes from, as a contact for a telephone's book: one that is saved can
//! be let through when everything else is silenced.

use super::{App, me::own, principal::Principal, problem::ApiError};
use actix_web::{HttpResponse, http::header::CONTENT_DISPOSITION, web};
use shared::config::Channels;
use std::fmt::Write as _;

const NAME: &str = "Tocsin";

pub(super) async fn show(app: web::Data<App>, principal: Principal) -> Result<HttpResponse, ApiError> {
    own(&app, &principal)?;
    let config = app.runtime.config();
    // Whoever asks wants to know whether there is one: none is an answer, and no error.
    let Some(card) = card(&config.document.channels, &app.public_url()) else {
        return Ok(HttpResponse::NoContent().finish());
    };
    Ok(HttpResponse::Ok()
        .content_type("text/vcard; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"tocsin.vcf\""))
        .body(card))
}

/// vCard 3.0, which every telephone reads; none when nobody calls or writes by a number or address of its own.
fn card(channels: &Channels, url: &str) -> Option<String> {
    let twilio = channels.twilio.iter().map(|it| it.from.as_str());
    let aliyun = channels.aliyun.iter().filter_map(|it| it.voice_number.as_deref());
    // Some carriers show a word instead of a number: nothing to save under.
    let is_number = |text: &&str| text.chars().any(|c| c.is_ascii_digit());
    let numbers: Vec<&str> = twilio.chain(aliyun).filter(is_number).collect();
    let mail = channels.email.as_ref().map(|it| address(&it.from)).filter(|it| it.contains('@'));
    if numbers.is_empty() && mail.is_none() {
        return None;
    }
    let mut card = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nN:{NAME};;;;\r\nFN:{NAME}\r\nORG:{NAME}\r\n");
    // Writing to a String cannot fail.
    for number in numbers {
        write!(card, "TEL;TYPE=CELL,VOICE:{}\r\n", escaped(number)).ok();
    }
    if let Some(mail) = mail {
        write!(card, "EMAIL;TYPE=INTERNET:{}\r\n", escaped(mail)).ok();
    }
    write!(card, "URL:{}\r\nEND:VCARD\r\n", escaped(url)).ok();
    Some(card)
}

/// Of `Tocsin <tocsin@example.org>` the address.
fn address(from: &str) -> &str {
    from.rsplit_once('<').map_or(from, |(_, rest)| rest.trim_end().trim_end_matches('>')).trim()
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '\\' | ',' | ';') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(text: serde_json::Value) -> Channels {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn what_calls_and_writes_is_one_contact() {
        let config = channels(serde_json::json!({
            "twilio": {"account": "AC1", "token": "canary", "from": "+15551230000"},
            "email": {"host": "mail", "from": "Tocsin; <tocsin@example.org>"},
        }));
        let card = card(&config, "https://tocsin.example.org").unwrap();
        assert!(
            card.contains("TEL;TYPE=CELL,VOICE:+15551230000\r\nEMAIL;TYPE=INTERNET:tocsin@example.org\r\n"),
            "{card}"
        );
        assert!(!card.contains("canary") && card.ends_with("END:VCARD\r\n"));
        let nobody = channels(serde_json::json!({"twilio": {"account": "AC1", "token": "t", "from": "TOCSIN"}}));
        assert!(super::card(&nobody, "https://tocsin.example.org").is_none());
        assert_eq!(escaped("a,b;c\\d\r\nX:1"), "a\\,b\\;c\\\\dX:1");
    }
}
