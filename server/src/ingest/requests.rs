//! The last requests of each sender, and what became of them. In memory, of this server alone, and bounded: it is for
//! whoever connects a sender and wonders what arrives.

use super::{lost, text_of};
use crate::{
    clock,
    http::{ApiError, App},
};
use actix_web::{
    HttpMessage as _, HttpRequest,
    http::{Method, StatusCode, header::USER_AGENT},
    web,
};
use shared::{EventId, Format, IntegrationId, api::SenderRequest};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// Requests that are kept of one sender.
const KEPT: usize = 50;
/// Senders of whom any are kept; the one that was silent for the longest time makes room.
const SENDERS_MAX: usize = 500;
/// Of texts that senders choose.
const TEXT_CHARS: usize = 200;
/// Stands for a token.
const MASK: &str = "…";

/// What is noted of a request while it is answered.
#[derive(Debug)]
pub(super) struct Note {
    sender: IntegrationId,
    path: String,
    pub(super) bytes: usize,
    pub(super) format: Option<Format>,
    /// Whether its sender showed all that it has to: where it signs, that too.
    pub(super) is_proven: bool,
    /// As which message it is stored.
    pub(super) event: Option<EventId>,
    /// Members of it that were understood, and those that were not.
    pub(super) members: (u32, u32),
    pub(super) reason: Option<&'static str>,
    pub(super) detail: Option<String>,
    /// The message's name as it was signed.
    pub(super) key: Option<String>,
}

impl Note {
    /// A request of a sender, known by a token that must not be shown.
    pub(super) fn new(sender: IntegrationId, path: &str, token: &str) -> Self {
        let path = masked(path, token);
        Self {
            sender,
            path,
            bytes: 0,
            format: None,
            is_proven: false,
            event: None,
            members: (0, 0),
            reason: None,
            detail: None,
            key: None,
        }
    }

    pub(super) const fn sender(&self) -> &IntegrationId {
        &self.sender
    }

    /// Adds to the note of a request, if its sender is known.
    pub(super) fn of<T>(request: &HttpRequest, with: impl FnOnce(&mut Self) -> T) -> Option<T> {
        request.extensions_mut().get_mut::<Self>().map(with)
    }
}

/// Whether something was told to us, and not asked of us.
pub(super) fn is_told(request: &HttpRequest) -> bool {
    let is_alerts = |path: &str| !path.starts_with("/am/") || path.trim_end_matches('/').ends_with("/api/v2/alerts");
    matches!(*request.method(), Method::POST | Method::PUT) && is_alerts(request.path())
}

/// A path without the token in it, and without whatever else looks like one.
fn masked(path: &str, token: &str) -> String {
    let is_token = |part: &str| {
        let part = percent_encoding::percent_decode_str(part).decode_utf8_lossy();
        (!token.is_empty() && part.contains(token)) || part.contains("tin_")
    };
    let parts: Vec<&str> = path.split('/').map(|part| if is_token(part) { MASK } else { part }).collect();
    short(&parts.join("/"))
}

/// A sentence without the tokens that it quotes.
fn untold(text: &str) -> String {
    let mut parts = text.split("tin_");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push_str(MASK);
        shown.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
    }
    shown
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_CHARS).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The last requests by sender.
#[derive(Debug, Default)]
pub struct Requests(Mutex<BTreeMap<IntegrationId, VecDeque<SenderRequest>>>);

impl Requests {
    /// The last requests of a sender, the newest first.
    #[must_use]
    pub fn of(&self, sender: &IntegrationId) -> Vec<SenderRequest> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(sender).map(|rows| rows.iter().rev().cloned().collect()).unwrap_or_default()
    }

    fn keep(&self, sender: IntegrationId, row: SenderRequest) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= SENDERS_MAX && !kept.contains_key(&sender) {
            let last = |rows: &VecDeque<SenderRequest>| rows.back().map(|row| row.at);
            let silent = kept.iter().min_by_key(|(_, rows)| last(rows)).map(|(sender, _)| sender.clone());
            silent.and_then(|sender| kept.remove(&sender));
        }
        let rows = kept.entry(sender).or_default();
        if rows.len() >= KEPT {
            rows.pop_front();
        }
        rows.push_back(row);
    }
}

/// Notes how a request was answered, when it was a known sender's.
pub fn answered(
    app: &web::Data<App>,
    request: &HttpRequest,
    status: StatusCode,
    error: Option<&ApiError>,
    took_ms: i64,
) {
    let Some(mut note) = request.extensions_mut().remove::<Note>() else { return };
    let refused = status.is_client_error() || status.is_server_error();
    let code = || error.map(|error| error.code().to_owned());
    let said = || error.map(ApiError::said).filter(|said| !said.is_empty());
    note.detail = note.detail.or_else(said).map(|detail| short(&untold(&detail)));
    lost::look(app, request, &note, status);
    let row = SenderRequest {
        at: clock::now(),
        method: request.method().to_string(),
        path: note.path,
        status: status.as_u16(),
        took_ms: u32::try_from(took_ms).unwrap_or_default(),
        bytes: note.bytes as u64,
        peer: app.peer(request).to_string(),
        user_agent: text_of(request.headers(), &USER_AGENT).map(|agent| short(&agent)).unwrap_or_default(),
        format: note.format,
        event: note.event,
        accepted: note.members.0,
        rejected: note.members.1,
        reason: note.reason.map(ToOwned::to_owned).or_else(code).filter(|_| refused),
        detail: note.detail.filter(|_| refused),
    };
    app.requests.keep(note.sender, row);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown_however_it_is_written() {
        let token = "tin_AbCd";
        for (path, shown) in [
            ("/ingest/tin_AbCd/json", "/ingest/…/json"),
            ("/ingest/%74in_AbCd/", "/ingest/…/"),
            ("/alerta/tin_AbCd/api/alert", "/alerta/…/api/alert"),
            ("/alerta/tin_another/alert", "/alerta/…/alert"),
            ("/v2/alerts/disk%2Ffull/close", "/v2/alerts/disk%2Ffull/close"),
        ] {
            assert_eq!(masked(path, token), shown);
        }
        assert_eq!(untold("`tin_AbCd` is not one of a, tin_x-y_z."), "`…` is not one of a, ….");
        assert_eq!(masked(&format!("/x/{}", "y".repeat(1_000)), token).chars().count(), TEXT_CHARS);
    }

    #[test]
    fn memory_is_bounded_by_requests_and_by_senders() {
        let requests = Requests::default();
        let row = |at: i64| SenderRequest {
            at: shared::Timestamp::from_ms(at),
            method: "POST".to_owned(),
            path: "/ingest".to_owned(),
            status: 200,
            took_ms: 1,
            bytes: 2,
            peer: String::new(),
            user_agent: String::new(),
            format: None,
            event: None,
            accepted: 0,
            rejected: 0,
            reason: None,
            detail: None,
        };
        (0..60).for_each(|at| requests.keep("a".into(), row(at)));
        let kept = requests.of(&"a".into());
        assert_eq!((kept.len(), kept[0].at.ms(), kept[49].at.ms()), (KEPT, 59, 10));
        (0..SENDERS_MAX as i64).for_each(|at| requests.keep(IntegrationId::from(at.to_string()), row(100 + at)));
        assert!(requests.of(&"a".into()).is_empty(), "the one that was silent for longest makes room");
        assert_eq!(requests.of(&"0".into()).len(), 1);
    }
}
