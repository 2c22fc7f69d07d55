//! Whether a message was signed by its sender: HMAC with SHA-256 over the body to the byte as it came, in the five ways of
//! `[integrations.signature]`. Pure: it is told what the headers say, and the time.
//!
//! Written here and not taken from the crate `standardwebhooks`: that one (1.0.1) compares only as many characters as the
//! shorter signature has, so that an empty one is right; it takes the time by itself, one secret, and bodies in UTF-8 only.

use crate::config::KEPT;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use shared::{
    Delay, Timestamp,
    config::{Signature, SignatureKind},
};
use std::borrow::Cow;

const SECRET_PREFIX: &str = "whsec_";
const GRAFANA: &str = "x-grafana-alerting-signature";
/// How far the time of signing may be from ours.
const TOLERANCE: Delay = Delay::mins(5);
/// Signatures that are looked at in one header; a sender that changes its secret sends two.
const SIGNATURES_MAX: usize = 8;

/// What is wrong with a message's signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    #[error("The header `{0}` is missing; this integration takes signed messages only.")]
    Missing(String),
    #[error("The header `{0}` holds no time in seconds since 1970.")]
    NoTime(String),
    #[error(
        "It was signed {by_s} s from now by the header `{header}`, and at most {most_s} s are allowed: look at both clocks."
    )]
    Old { header: String, by_s: i64, most_s: i64 },
    #[error(
        "The header `{0}` holds no signature of this body: the secret is another, or the body was changed on its way."
    )]
    Wrong(String),
    #[error("The secret of this integration is none; see its `signature` in the configuration.")]
    NoSecret,
}

impl Flaw {
    /// As it is named in the list of a sender's requests.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Missing(_) => "signature_missing",
            Self::NoTime(_) => "signature_time",
            Self::Old { .. } => "signature_old",
            Self::Wrong(_) => "signature",
            Self::NoSecret => "signature_secret",
        }
    }
}

/// What is known of a message that was signed rightly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    /// A name of the message that nobody can change who cannot sign: the same message sent again has the same.
    pub(super) key: Option<String>,
}

/// How a kind is signed.
struct Scheme<'a> {
    header: Cow<'a, str>,
    /// Where the time stands, and the letter between it and what follows.
    time: Option<(Cow<'a, str>, char)>,
    /// Where the message's name stands, which is signed before the time.
    id: Option<&'static str>,
    encoding: Encoding,
}

#[derive(Clone, Copy)]
enum Encoding {
    /// `v1,` and base64, any number of them.
    Standard,
    /// Hex behind a prefix.
    Hex(&'static str),
    /// Hex or base64, behind `sha256=` or nothing.
    Any,
}

fn scheme(rules: &Signature) -> Scheme<'_> {
    let time = |letter: char| rules.timestamp_header.as_deref().map(|name| (Cow::Borrowed(name), letter));
    let chosen = rules.header.as_deref().map(Cow::Borrowed);
    let plain = |header: &'static str, prefix| Scheme {
        header: Cow::Borrowed(header),
        time: None,
        id: None,
        encoding: Encoding::Hex(prefix),
    };
    match rules.kind {
        SignatureKind::StandardWebhooks => Scheme {
            header: Cow::Borrowed("webhook-signature"),
            time: Some((Cow::Borrowed("webhook-timestamp"), '.')),
            id: Some("webhook-id"),
            encoding: Encoding::Standard,
        },
        SignatureKind::Grafana => {
            Scheme { header: chosen.unwrap_or(Cow::Borrowed(GRAFANA)), time: time(':'), ..plain(GRAFANA, "") }
        }
        SignatureKind::GitHub => plain("x-hub-signature-256", "sha256="),
        SignatureKind::Sentry => plain("sentry-hook-signature", ""),
        SignatureKind::HmacSha256 => {
            Scheme { header: chosen.unwrap_or_default(), time: time('.'), id: None, encoding: Encoding::Any }
        }
    }
}

/// Looks at a message; `says` gives what a header holds.
pub(super) fn verify(
    rules: &Signature,
    says: impl Fn(&str) -> Option<String>,
    body: &[u8],
    now: Timestamp,
) -> Result<Signed, Flaw> {
    let scheme = scheme(rules);
    let header =
        |name: &str| says(name).filter(|value| !value.is_empty()).ok_or_else(|| Flaw::Missing(name.to_owned()));
    let given = header(&scheme.header)?;
    let mut before = String::new();
    let id = scheme.id.map(header).transpose()?;
    if let Some(id) = &id {
        before.push_str(id);
        before.push('.');
    }
    if let Some((name, letter)) = &scheme.time {
        let written = header(name)?;
        fresh(name, &written, rules.tolerance.unwrap_or(TOLERANCE), now)?;
        before.push_str(&written);
        before.push(*letter);
    }
    let given = candidates(&given, scheme.encoding);
    let mut is_right = false;
    for secret in rules.secrets() {
        let key = key(rules.kind, secret).ok_or(Flaw::NoSecret)?;
        let mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| Flaw::NoSecret)?;
        let mac = mac.chain_update(&before).chain_update(body);
        // Each is compared in a time that does not tell where it differs.
        is_right |= given.iter().any(|it| mac.clone().verify_slice(it).is_ok());
    }
    if !is_right {
        return Err(Flaw::Wrong(scheme.header.into_owned()));
    }
    // Without a time the same words may be said again and mean something new.
    let timed =
        scheme.time.is_some().then(|| given.first().map(|it| format!("signed {}", STANDARD.encode(it)))).flatten();
    Ok(Signed { key: id.or(timed) })
}

/// Whether a time of signing is near enough.
fn fresh(header: &str, written: &str, tolerance: Delay, now: Timestamp) -> Result<(), Flaw> {
    let number: i64 = written.parse().map_err(|_| Flaw::NoTime(header.to_owned()))?;
    // Some write milliseconds.
    let ms = if number.saturating_abs() > 100_000_000_000 { number } else { number.saturating_mul(1_000) };
    let off = now.ms().saturating_sub(ms).saturating_abs();
    if off > tolerance.0 {
        return Err(Flaw::Old { header: header.to_owned(), by_s: off / 1_000, most_s: tolerance.0 / 1_000 });
    }
    Ok(())
}

/// The signatures a header holds.
fn candidates(given: &str, encoding: Encoding) -> Vec<Vec<u8>> {
    match encoding {
        Encoding::Standard => {
            let all = given.split(' ').take(SIGNATURES_MAX).filter_map(|one| one.strip_prefix("v1,"));
            all.filter_map(|one| STANDARD_PAD_INDIFFERENT.decode(one).ok()).collect()
        }
        Encoding::Hex(prefix) => given.strip_prefix(prefix).and_then(unhex).into_iter().collect(),
        Encoding::Any => {
            let bare = given.strip_prefix("sha256=").unwrap_or(given);
            let base64 = || STANDARD_PAD_INDIFFERENT.decode(bare).ok();
            unhex(bare).filter(|it| it.len() == 32).or_else(base64).into_iter().collect()
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// What is signed with.
fn key(kind: SignatureKind, secret: &str) -> Option<Cow<'_, [u8]>> {
    if kind != SignatureKind::StandardWebhooks {
        return (!secret.is_empty()).then_some(Cow::Borrowed(secret.as_bytes()));
    }
    let key = STANDARD_PAD_INDIFFERENT.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    (!key.is_empty()).then_some(Cow::Owned(key))
}

/// What is wrong with the settings of a signature: the key, and why.
pub(crate) fn check(rules: &Signature) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    for (name, secret) in [("secret", Some(&rules.secret)), ("next_secret", rules.next_secret.as_ref())] {
        let Some(secret) = secret else { continue };
        if secret == KEPT {
            faults.push((name, "`********` only stands for a secret; write the secret out".to_owned()));
        } else if key(rules.kind, secret).is_none() {
            let why = match rules.kind {
                SignatureKind::StandardWebhooks => "a secret of Standard Webhooks is `whsec_` and base64",
                _ => "the secret is empty, so that anybody could sign",
            };
            faults.push((name, why.to_owned()));
        }
    }
    let chooses = matches!(rules.kind, SignatureKind::Grafana | SignatureKind::HmacSha256);
    for (name, header) in [("header", &rules.header), ("timestamp_header", &rules.timestamp_header)] {
        let Some(header) = header else { continue };
        if !chooses {
            faults.push((name, "senders of this kind always use the same header; leave it out".to_owned()));
        } else if actix_web::http::header::HeaderName::try_from(header.as_str()).is_err() {
            faults.push((name, format!("`{header}` is no name of a header")));
        }
    }
    if rules.kind == SignatureKind::HmacSha256 && rules.header.is_none() {
        faults.push(("header", "say in which header the signature stands".to_owned()));
    }
    if let Some(tolerance) = rules.tolerance {
        if scheme(rules).time.is_none() {
            let why = "nothing says when it was signed, so there is nothing to tolerate; leave it out, or set `timestamp_header`";
            faults.push(("tolerance", why.to_owned()));
        } else if !(Delay(1_000)..=Delay::mins(60)).contains(&tolerance) {
            faults.push(("tolerance", "a tolerance is 1s to 1h".to_owned()));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const SIGNED_AT: i64 = 1_614_265_330;

    fn rules(kind: SignatureKind, secret: &str) -> Signature {
        let secret = secret.to_owned();
        Signature { kind, secret, next_secret: None, header: None, timestamp_header: None, tolerance: None }
    }

    fn standard() -> Signature {
        rules(SignatureKind::StandardWebhooks, SECRET)
    }

    fn look(rules: &Signature, headers: &[(&str, &str)], body: &[u8], at: i64) -> Result<Signed, Flaw> {
        let says = |name: &str| headers.iter().find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1.to_owned());
        verify(rules, says, body, Timestamp::from_ms(at * 1_000))
    }

    fn sign(secret: &str, parts: &[&[u8]]) -> Vec<u8> {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        parts.iter().fold(mac, |mac, part| mac.chain_update(part)).finalize().into_bytes().to_vec()
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_published_vector_of_standard_webhooks_is_right_and_nothing_near_it() {
        let told = |id: &str, at: &str, signature: &str, body: &[u8]| {
            let headers = [("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", signature)];
            look(&standard(), &headers, body, SIGNED_AT + 300)
        };
        let at = SIGNED_AT.to_string();
        assert_eq!(told(ID, &at, SIGNATURE, BODY), Ok(Signed { key: Some(ID.to_owned()) }));
        let several = format!("v1a,AAAA v1,AAAA= {SIGNATURE} v2,BBBB");
        assert!(told(ID, &at, &several, BODY).is_ok());
        let wrong = Err(Flaw::Wrong("webhook-signature".to_owned()));
        let bare = SIGNATURE.trim_start_matches("v1,");
        // An empty signature, or the beginning of the right one, is none.
        for signature in ["v1,", "v1", ",", "v1,g0hM9SsE", bare, "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="] {
            assert_eq!(told(ID, &at, signature, BODY), wrong, "{signature}");
        }
        // The same document in other bytes, another name and another time.
        assert_eq!(told(ID, &at, SIGNATURE, br#"{"test":2432232314}"#), wrong);
        assert_eq!(told("msg_other", &at, SIGNATURE, BODY), wrong);
        assert_eq!(told(ID, &(SIGNED_AT + 1).to_string(), SIGNATURE, BODY), wrong);
        // What is written before the ninth is looked at, and no more.
        let many = format!("{}{SIGNATURE}", "v1,AAAA ".repeat(8));
        assert_eq!(told(ID, &at, &many, BODY), wrong);
    }

    #[test]
    fn what_is_missing_or_stale_is_named() {
        let at = SIGNED_AT.to_string();
        let all = [("webhook-id", ID), ("webhook-timestamp", at.as_str()), ("webhook-signature", SIGNATURE)];
        for missing in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            let rest: Vec<_> = all.into_iter().filter(|it| it.0 != missing).collect();
            assert_eq!(look(&standard(), &rest, BODY, SIGNED_AT), Err(Flaw::Missing(missing.to_owned())));
            let empty: Vec<_> = all.into_iter().map(|it| if it.0 == missing { (it.0, "") } else { it }).collect();
            assert_eq!(look(&standard(), &empty, BODY, SIGNED_AT), Err(Flaw::Missing(missing.to_owned())));
        }
        for late in [-301, 301] {
            let flaw = look(&standard(), &all, BODY, SIGNED_AT + late).unwrap_err();
            assert_eq!(flaw, Flaw::Old { header: "webhook-timestamp".to_owned(), by_s: 301, most_s: 300 });
        }
        let longer = Signature { tolerance: Some(Delay::mins(10)), ..standard() };
        assert!(look(&longer, &all, BODY, SIGNED_AT + 301).is_ok());
        let odd = [all[0], ("webhook-timestamp", "soon"), all[2]];
        assert_eq!(look(&standard(), &odd, BODY, SIGNED_AT), Err(Flaw::NoTime("webhook-timestamp".to_owned())));
        let far = [all[0], ("webhook-timestamp", "-9223372036854775808"), all[2]];
        assert!(matches!(look(&standard(), &far, BODY, SIGNED_AT), Err(Flaw::Old { .. })));
    }

    #[test]
    fn both_secrets_count_while_one_takes_the_others_place() {
        let old = rules(SignatureKind::Sentry, "old");
        let both = Signature { next_secret: Some("new".to_owned()), ..old.clone() };
        let new = rules(SignatureKind::Sentry, "new");
        for (secret, expected) in [("old", [true, true, false]), ("new", [false, true, true]), ("", [false; 3])] {
            let signature = hex(&sign(secret, &[BODY]));
            let is_right = [&old, &both, &new].map(|rules| {
                look(rules, &[("sentry-hook-signature", &signature)], BODY, 0) == Ok(Signed { key: None })
            });
            assert_eq!(is_right, expected, "{secret}");
        }
    }

    #[test]
    fn github_signs_as_its_documents_say() {
        let rules = rules(SignatureKind::GitHub, "It's a Secret to Everybody");
        let hex = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let told = |signature: &str| look(&rules, &[("X-Hub-Signature-256", signature)], b"Hello, World!", 0);
        assert_eq!(told(&format!("sha256={hex}")), Ok(Signed { key: None }));
        for odd in [hex.to_owned(), format!("sha1={hex}"), format!("sha256={}", &hex[..62]), "sha256=".to_owned()] {
            assert!(matches!(told(&odd), Err(Flaw::Wrong(_))), "{odd}");
        }
    }

    #[test]
    fn grafana_signs_the_body_or_the_time_before_it() {
        let plain = rules(SignatureKind::Grafana, "s");
        let signature = hex(&sign("s", &[BODY]));
        assert_eq!(look(&plain, &[(GRAFANA, &signature)], BODY, 0), Ok(Signed { key: None }));
        let named = |header: &str, time: &str| Signature {
            header: Some(header.to_owned()),
            timestamp_header: Some(time.to_owned()),
            ..plain.clone()
        };
        let signature = hex(&sign("s", &[b"1614265330:", BODY]));
        let headers = [("x-sign", signature.as_str()), ("x-time", "1614265330")];
        let signed = look(&named("X-Sign", "X-Time"), &headers, BODY, SIGNED_AT).unwrap();
        assert!(signed.key.is_some_and(|key| key.starts_with("signed ")), "the same message has the same name");
        // Without its time nothing would say that it is old.
        let untimed = hex(&sign("s", &[BODY]));
        let flaw = look(&named("X-Sign", "X-Time"), &[("x-sign", &untimed)], BODY, SIGNED_AT).unwrap_err();
        assert_eq!(flaw, Flaw::Missing("X-Time".to_owned()));
        assert!(matches!(look(&plain, &[(GRAFANA, &signature)], BODY, 0), Err(Flaw::Wrong(_))));
    }

    #[test]
    fn a_header_of_ones_own_holds_hex_or_base64() {
        let own = Signature { header: Some("x-own".to_owned()), ..rules(SignatureKind::HmacSha256, "s") };
        let mac = sign("s", &[BODY]);
        for written in [hex(&mac), hex(&mac).to_uppercase(), format!("sha256={}", hex(&mac)), STANDARD.encode(&mac)] {
            assert!(look(&own, &[("x-own", &written)], BODY, 0).is_ok(), "{written}");
        }
        let timed = Signature { timestamp_header: Some("x-time".to_owned()), ..own };
        let mac = hex(&sign("s", &[b"1614265330123.", BODY]));
        assert!(look(&timed, &[("x-own", &mac), ("x-time", "1614265330123")], BODY, SIGNED_AT).is_ok());
    }

    #[test]
    fn settings_that_cannot_work_are_refused_by_their_key() {
        let keys = |rules: &Signature| check(rules).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert!(keys(&standard()).is_empty());
        assert_eq!(keys(&rules(SignatureKind::StandardWebhooks, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")), ["secret"]);
        assert_eq!(keys(&rules(SignatureKind::StandardWebhooks, "whsec_")), ["secret"]);
        assert_eq!(keys(&rules(SignatureKind::GitHub, "")), ["secret"]);
        assert_eq!(keys(&rules(SignatureKind::HmacSha256, "s")), ["header"]);
        let some = |text: &str| Some(text.to_owned());
        let hub = rules(SignatureKind::GitHub, "s");
        let odd = Signature { next_secret: some(KEPT), header: some("x"), timestamp_header: some("y"), ..hub.clone() };
        assert_eq!(keys(&odd), ["next_secret", "header", "timestamp_header"]);
        assert_eq!(keys(&Signature { tolerance: Some(Delay::mins(5)), ..hub }), ["tolerance"]);
        assert_eq!(keys(&Signature { tolerance: Some(Delay::mins(90)), ..standard() }), ["tolerance"]);
        let grafana = rules(SignatureKind::Grafana, "s");
        assert_eq!(keys(&Signature { header: some("two words"), ..grafana }), ["header"]);
    }

    proptest! {
        /// Nobody who cannot sign is taken for the sender, whatever they write.
        #[test]
        fn no_other_header_is_right(
            signature in prop_oneof![any::<String>(), "v1,[A-Za-z0-9+/]{0,44}=?", "(sha256=)?[0-9a-f]{0,64}"],
            id in ".{0,20}",
            body in any::<Vec<u8>>(),
            kind in prop_oneof![
                Just(SignatureKind::StandardWebhooks), Just(SignatureKind::Grafana), Just(SignatureKind::GitHub),
                Just(SignatureKind::Sentry), Just(SignatureKind::HmacSha256)
            ],
        ) {
            let rules = Signature { header: Some("x-own".to_owned()), ..rules(kind, SECRET) };
            let headers = [
                ("webhook-id", id.as_str()), ("webhook-timestamp", "0"), ("webhook-signature", &signature),
                ("x-own", &signature), ("x-hub-signature-256", &signature), ("sentry-hook-signature", &signature),
            ];
            prop_assert!(look(&rules, &headers, &body, 0).is_err());
        }
    }
}
