//! Why a request was refused, in words that say what to do about it.

use crate::text::requests as t;
use shared::{api::SenderRequest, config::Language};

/// What became of a request, as it is told apart at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Taken,
    /// The sender has to change something.
    Refused,
    /// It has to be sent again.
    Failed,
}

impl Fate {
    pub(super) const fn of(request: &SenderRequest) -> Self {
        match request.status {
            0..400 => Self::Taken,
            400..500 => Self::Refused,
            _ => Self::Failed,
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    pub(super) fn words(self, l: Language, status: u16) -> String {
        match self {
            Self::Taken => t::status_taken(l, status),
            Self::Refused => t::status_refused(l, status),
            Self::Failed => t::status_failed(l, status),
        }
    }
}

/// Nothing for what was taken.
pub(super) fn words(l: Language, request: &SenderRequest) -> Option<String> {
    let fate = Fate::of(request);
    if fate == Fate::Taken {
        return None;
    }
    Some(match (request.reason.as_deref().unwrap_or_default(), request.status) {
        ("signature" | "bad_signature", _) => t::why_signature(l),
        ("signature_missing", _) => t::why_signature_missing(l),
        ("signature_old", _) => t::why_signature_old(l),
        ("signature_time", _) => t::why_signature_time(l),
        ("signature_secret", _) => t::why_signature_secret(l),
        ("signature_address", _) => t::why_signature_address(l),
        ("rate_limit" | "rate_limited", _) => t::why_limit(l),
        ("overload" | "overloaded", _) => t::why_overload(l),
        ("store" | "unavailable", _) => t::why_store(l),
        ("not_understood", _) => t::why_unread(l),
        ("format" | "unknown_format", _) => t::why_format(l),
        ("encoding" | "encoded_body", _) => t::why_encoding(l),
        ("content_type", _) => t::why_type(l),
        ("body" | "body_too_large", 413) => t::why_large(l),
        ("body" | "slow_body", 408) => t::why_slow(l),
        ("body" | "broken_body", _) => t::why_body(l),
        ("method_not_allowed", _) => t::why_method(l),
        ("bad_query", _) => t::why_query(l),
        _ if fate == Fate::Failed => t::why_failed(l),
        (code, status) => t::why_other(l, &if code.is_empty() { format!("HTTP {status}") } else { code.to_owned() }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::integrations::requests::tests::request;

    #[test]
    fn every_refusal_says_what_to_do_in_both_languages() {
        let refused = |reason: &str, status| {
            let it = SenderRequest { reason: Some(reason.to_owned()), status, ..request(0) };
            [Language::En, Language::Zh].map(|l| words(l, &it).unwrap())
        };
        let [en, zh] = refused("signature", 401);
        assert_eq!(en, "The signature does not match: is the secret the same on both sides?");
        assert_ne!(en, zh);
        assert_ne!(refused("signature_missing", 401), refused("signature", 401));
        assert_ne!(refused("body", 413), refused("body", 400));
        assert_eq!(refused("of_tomorrow", 422)[0], "Refused: of_tomorrow.");
        assert_eq!(refused("", 418)[0], "Refused: HTTP 418.");
        assert_eq!(refused("", 500)[0], t::why_failed(Language::En));
        assert_eq!(words(Language::En, &request(0)), None);
    }
}
