//! Acknowledgement links: a signed capability to answer one page as one person, nothing else and not for long.
//!
//! The link needs no row in the store, so it works on every server that shares the secret. It opens no session;
//! whoever shows it may only do what it names, and doing it twice changes nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use engine::readiness::Coming;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use shared::{AttemptId, Delay, IncidentId, PersonId, Timestamp};

/// How long a link lives.
pub const LIFETIME: Delay = Delay(24 * 3_600_000);

/// Keeps this use of the secret apart from every other one.
const PURPOSE: &[u8] = b"tocsin acknowledge\0";
const READY_PURPOSE: &[u8] = b"tocsin ready\0";
const CARRIER_PURPOSE: &[u8] = b"tocsin carrier\0";
const VERSION: u8 = 1;
/// 128 bits of the MAC: short enough for a text message, far too many to guess.
const TAG_BYTES: usize = 16;
const FIXED_BYTES: usize = 1 + 3 * 8;
/// No configured name comes near this; longer text is not one of ours.
const MOST_CHARS: usize = 1_024;

/// What a link allows: to acknowledge `incident` as `person`, who was reached by `attempt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cap {
    pub incident: IncidentId,
    pub person: PersonId,
    pub attempt: AttemptId,
    pub expires: Timestamp,
}

impl Cap {
    /// When the message it stands in was made, if it lives as long as links of messages do.
    #[must_use]
    pub const fn minted_at(&self) -> Timestamp {
        self.expires.plus_ms(-LIFETIME.0)
    }
}

/// Why a link is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CapError {
    #[error("this is not an acknowledgement link, or it was not copied whole")]
    Malformed,
    #[error("this link was not made by this server")]
    Forged,
    #[error("this link has expired; open the incident instead")]
    Expired,
}

/// The link's text, safe in a URL path. `expires` is normally `now` + [`LIFETIME`].
#[must_use]
pub fn mint(
    secret: &[u8; 32],
    incident: IncidentId,
    person: &PersonId,
    attempt: AttemptId,
    expires: Timestamp,
) -> String {
    let mut bytes = Vec::with_capacity(FIXED_BYTES + person.0.len() + TAG_BYTES);
    bytes.push(VERSION);
    for number in [incident.0, attempt.0, expires.ms()] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.extend_from_slice(person.0.as_bytes());
    let tag = mac(secret, PURPOSE, &bytes).finalize().into_bytes();
    bytes.extend(tag.iter().take(TAG_BYTES));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What the link allows; nothing in it is looked at before its signature is known to be ours.
pub fn verify(secret: &[u8; 32], text: &str, now: Timestamp) -> Result<Cap, CapError> {
    if text.len() > MOST_CHARS {
        return Err(CapError::Malformed);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CapError::Malformed)?;
    let (payload, tag) = bytes.split_last_chunk::<TAG_BYTES>().ok_or(CapError::Malformed)?;
    mac(secret, PURPOSE, payload).verify_truncated_left(tag).map_err(|_| CapError::Forged)?;
    let cap = parse(payload).ok_or(CapError::Malformed)?;
    if now >= cap.expires { Err(CapError::Expired) } else { Ok(cap) }
}

fn parse(payload: &[u8]) -> Option<Cap> {
    let (&version, rest) = payload.split_first()?;
    let (incident, rest) = rest.split_first_chunk::<8>()?;
    let (attempt, rest) = rest.split_first_chunk::<8>()?;
    let (expires, person) = rest.split_first_chunk::<8>()?;
    (version == VERSION).then_some(Cap {
        incident: IncidentId(i64::from_be_bytes(*incident)),
        attempt: AttemptId(i64::from_be_bytes(*attempt)),
        expires: Timestamp::from_ms(i64::from_be_bytes(*expires)),
        person: PersonId::from(String::from_utf8(person.to_vec()).ok()?),
    })
}

/// The link's text by which somebody says that they are ready for a shift. It is good until the shift begins.
#[must_use]
pub fn mint_ready(secret: &[u8; 32], shift: &Coming) -> String {
    let (schedule, person) = (shift.schedule.as_str().as_bytes(), shift.person.as_str().as_bytes());
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&shift.from.ms().to_be_bytes());
    bytes.extend_from_slice(&(schedule.len() as u16).to_be_bytes());
    bytes.extend_from_slice(schedule);
    bytes.extend_from_slice(person);
    let tag = mac(secret, READY_PURPOSE, &bytes).finalize().into_bytes();
    bytes.extend(tag.iter().take(TAG_BYTES));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whose shift such a link is about; nothing in it is looked at before its signature is known to be ours.
///
/// # Errors
/// When it is not one of ours, or the shift has begun.
pub fn verify_ready(secret: &[u8; 32], text: &str, now: Timestamp) -> Result<Coming, CapError> {
    if text.len() > MOST_CHARS {
        return Err(CapError::Malformed);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CapError::Malformed)?;
    let (payload, tag) = bytes.split_last_chunk::<TAG_BYTES>().ok_or(CapError::Malformed)?;
    mac(secret, READY_PURPOSE, payload).verify_truncated_left(tag).map_err(|_| CapError::Forged)?;
    let shift = parse_ready(payload).ok_or(CapError::Malformed)?;
    if now >= shift.from { Err(CapError::Expired) } else { Ok(shift) }
}

fn parse_ready(payload: &[u8]) -> Option<Coming> {
    let (&version, rest) = payload.split_first()?;
    let (from, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (schedule, person) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    (version == VERSION).then_some(Coming {
        schedule: text(schedule)?.into(),
        person: text(person)?.into(),
        from: Timestamp::from_ms(i64::from_be_bytes(*from)),
    })
}

/// What stands in the address of a carrier that signs nothing: it lives as long as the secret.
#[must_use]
pub fn carrier_secret(secret: &[u8; 32], carrier: &str) -> String {
    let tag = mac(secret, CARRIER_PURPOSE, carrier.as_bytes()).finalize().into_bytes();
    URL_SAFE_NO_PAD.encode(tag.iter().take(TAG_BYTES).copied().collect::<Vec<u8>>())
}

/// Whether it is what stands there.
#[must_use]
pub fn is_carrier_secret(secret: &[u8; 32], carrier: &str, text: &str) -> bool {
    let tag = URL_SAFE_NO_PAD.decode(text).ok().filter(|tag| tag.len() == TAG_BYTES);
    tag.is_some_and(|tag| mac(secret, CARRIER_PURPOSE, carrier.as_bytes()).verify_truncated_left(&tag).is_ok())
}

fn mac(secret: &[u8; 32], purpose: &[u8], payload: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.chain_update(purpose).chain_update(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [7; 32];
    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn link() -> String {
        mint(&SECRET, IncidentId(42), &"li.wei".into(), AttemptId(7), NOW.after(LIFETIME))
    }

    #[test]
    fn a_link_says_what_it_was_minted_for() {
        let cap = verify(&SECRET, &link(), NOW).unwrap();
        assert_eq!((cap.incident, cap.attempt, cap.person.as_str()), (IncidentId(42), AttemptId(7), "li.wei"));
        assert!(link().len() < 100 && link().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    }

    #[test]
    fn a_link_of_a_shift_ends_when_it_begins_and_is_no_link_of_a_page() {
        let shift = Coming { schedule: "db".into(), person: "李".into(), from: NOW.after(LIFETIME) };
        let link = mint_ready(&SECRET, &shift);
        assert_eq!(verify_ready(&SECRET, &link, NOW).unwrap(), shift);
        assert_eq!(verify_ready(&SECRET, &link, shift.from), Err(CapError::Expired));
        assert_eq!(verify_ready(&[8; 32], &link, NOW), Err(CapError::Forged));
        assert_eq!(verify(&SECRET, &link, NOW), Err(CapError::Forged));
        assert_eq!(verify_ready(&SECRET, &self::link(), NOW), Err(CapError::Forged));
    }

    #[test]
    fn it_ends_after_24_hours() {
        assert!(verify(&SECRET, &link(), NOW.plus_ms(LIFETIME.0 - 1)).is_ok());
        assert_eq!(verify(&SECRET, &link(), NOW.after(LIFETIME)), Err(CapError::Expired));
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let good = URL_SAFE_NO_PAD.decode(link()).unwrap();
        for at in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert_eq!(verify(&SECRET, &URL_SAFE_NO_PAD.encode(bad), NOW), Err(CapError::Forged), "bit {at}");
        }
        assert_eq!(verify(&[8; 32], &link(), NOW), Err(CapError::Forged));
    }

    #[test]
    fn a_carriers_address_is_its_own() {
        let secret = carrier_secret(&SECRET, "aliyun");
        assert_eq!(secret.len(), 22);
        assert!(is_carrier_secret(&SECRET, "aliyun", &secret));
        assert!(!is_carrier_secret(&SECRET, "tencent", &secret) && !is_carrier_secret(&[8; 32], "aliyun", &secret));
        for text in ["", "AA", &secret[..20], &format!("{secret}AA"), "!"] {
            assert!(!is_carrier_secret(&SECRET, "aliyun", text), "{text}");
        }
    }

    #[test]
    fn rubbish_is_not_a_link() {
        for text in ["", "a", "!!!!", "AAAA", &"A".repeat(2_000), &link()[..20]] {
            assert!(verify(&SECRET, text, NOW).is_err(), "{text}");
        }
        assert_eq!(verify(&SECRET, "AAAA", NOW), Err(CapError::Malformed));
    }
}
