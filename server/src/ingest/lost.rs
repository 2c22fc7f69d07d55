//! What a sender says and we refuse for good, when the sender tells nobody: an alert of the pager's own, one a sender, until
//! something of that sender is taken again.
//!
//! Nobody tries a body again that is too large, and a Prometheus drops a batch that is refused without a word. Only senders
//! whose token was right are spoken of: whoever has none could page otherwise.

use super::{Note, requests};
use crate::{
    clock,
    http::App,
    runtime::{Arrived, Refused},
};
use actix_web::{HttpRequest, http::StatusCode, web};
use serde_json::{Value, json};
use shared::{IntegrationId, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Senders that are spoken of at the same time; whatever is refused beyond that stands in their requests alone.
const SENDERS_MAX: usize = 500;
/// An alert that is open is told again no more often than that.
const AGAIN_MS: i64 = 60_000;
/// It is over when so many requests were taken one after the other, or one so long after the last that was refused.
const TAKEN_AGAIN: u32 = 8;
const QUIET_MS: i64 = 600_000;

/// What was refused of one sender since something of it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Gone {
    since: Timestamp,
    requests: u64,
    told_at: Option<Timestamp>,
    last: Timestamp,
    /// Requests that were taken since.
    taken: u32,
}

/// What was refused for good, by sender. In memory: the alert itself is stored.
#[derive(Debug, Default)]
pub struct Lost(Mutex<BTreeMap<IntegrationId, Gone>>);

impl Lost {
    /// Counts one; what is to be told, if it is time to tell.
    fn refused(&self, sender: &IntegrationId, now: Timestamp) -> Option<Gone> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= SENDERS_MAX && !all.contains_key(sender) {
            return None;
        }
        let gone =
            all.entry(sender.clone()).or_insert(Gone { since: now, requests: 0, told_at: None, last: now, taken: 0 });
        gone.requests += 1;
        (gone.last, gone.taken) = (now, 0);
        if gone.told_at.is_some_and(|at| now.ms_since(at) < AGAIN_MS && at <= now) {
            return None;
        }
        gone.told_at = Some(now);
        Some(gone.clone())
    }

    /// It could not be told: the next request tells, whichever it is.
    fn untold(&self, sender: &IntegrationId, gone: Gone) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(sender.clone()).or_insert(gone).told_at = None;
    }

    /// Something of it was taken: what was told until then, if anything was and it is over. A Prometheus sends several batches a
    /// minute, of which one may be refused each time.
    fn taken(&self, sender: &IntegrationId, now: Timestamp) -> Option<Gone> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = all.get_mut(sender)?;
        gone.taken += 1;
        let is_over = gone.taken >= TAKEN_AGAIN || now.ms_since(gone.last) >= QUIET_MS;
        if is_over { all.remove(sender) } else { None }
    }
}

/// Whether what was refused is gone: nobody tries a body that is too large again, and whoever speaks to an Alertmanager no
/// refusal that is not a 5xx. Who asks and is refused, or has not shown who they are, loses nothing.
fn is_gone(request: &HttpRequest, note: &Note, status: StatusCode) -> bool {
    // What is kept in quarantine is not lost.
    if !requests::is_told(request) || !note.is_proven || note.event.is_some() {
        return false;
    }
    let to_alertmanager = request.match_pattern().is_some_and(|pattern| pattern.starts_with("/am/"));
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => true,
        StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::UNPROCESSABLE_ENTITY => {
            to_alertmanager
        }
        _ => false,
    }
}

/// Looks at how a request of a known sender was answered, and tells what follows of it.
pub(super) fn look(app: &web::Data<App>, request: &HttpRequest, note: &Note, status: StatusCode) {
    let sender = note.sender();
    let now = clock::now();
    let told = if status.is_success() && note.event.is_some() {
        app.lost.taken(sender, now).map(|gone| (over(sender), gone))
    } else if is_gone(request, note, status) {
        let why = note.detail.as_deref().unwrap_or_default();
        app.lost.refused(sender, now).map(|gone| (fires(sender, &gone, status, why), gone))
    } else {
        None
    };
    let Some((body, gone)) = told else { return };
    let arrived = Arrived::of_itself(&body, &format!("refused:{sender}"), now);
    let (app, sender) = (app.clone(), sender.clone());
    // The sender is answered meanwhile; what comes of this is stored as any message.
    drop(actix_web::rt::spawn(async move {
        let told: Result<_, Refused> = app.runtime.ingest(arrived).await;
        if let Err(error) = told {
            tracing::warn!(%sender, %error, "nobody could be told what was refused of a sender");
            app.lost.untold(&sender, gone);
        }
    }));
}

fn summary(sender: &IntegrationId) -> String {
    format!("alerts of {sender} are refused and lost")
}

fn fires(sender: &IntegrationId, gone: &Gone, status: StatusCode, why: &str) -> Value {
    let since = jiff::Timestamp::from_millisecond(gone.since.ms()).map(|at| format!("{at:.0}")).unwrap_or_default();
    let mend = if status == StatusCode::PAYLOAD_TOO_LARGE {
        "Let it send fewer alerts in one request."
    } else {
        "Look at the labels of its alerts and at what else it sends."
    };
    let content = format!(
        "{} of its requests were refused since {since}, the last with {}: {} It does not send them again. {mend} Its last requests \
         are on the page of this integration.",
        gone.requests,
        status.as_u16(),
        why.trim()
    );
    json!({
        "severity": "P1", "status": "firing", "summary": summary(sender), "content": content,
        "labels": { "integration": sender },
    })
}

fn over(sender: &IntegrationId) -> Value {
    json!({
        "severity": "P1", "status": "resolved", "summary": summary(sender), "content": "It is heard again.",
        "labels": { "integration": sender },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sender_is_told_of_once_a_minute_until_it_is_heard_again() {
        let (lost, at) = (Lost::default(), |s: i64| Timestamp::from_ms(1_000_000 + s * 1_000));
        let (a, b) = ("a".into(), "b".into());
        let told = |sender, s| lost.refused(sender, at(s)).map(|gone| (gone.requests, gone.since));
        assert_eq!((told(&a, 0), told(&a, 59), told(&b, 59)), (Some((1, at(0))), None, Some((1, at(59)))));
        assert_eq!(told(&a, 60), Some((3, at(0))), "how many, and since when");
        lost.untold(&a, Gone { since: at(60), requests: 1, told_at: None, last: at(60), taken: 0 });
        assert_eq!(told(&a, 61), Some((4, at(0))), "what could not be told is told with the next");
        assert_eq!(lost.taken(&a, at(62)), None, "another batch of the same round");
        let over = lost.taken(&a, at(661)).unwrap();
        assert_eq!((over.requests, lost.taken(&a, at(661))), (4, None));
        lost.untold(&a, over);
        assert!(lost.taken(&a, at(662)).is_some(), "that it is over is told with the next that is taken");
        assert_eq!(told(&a, 663), Some((1, at(663))));
        let over = (0..TAKEN_AGAIN).filter(|_| lost.taken(&a, at(664)).is_some()).count();
        assert_eq!(over, 1, "so many in a row");
        assert_eq!(told(&a, 665), Some((1, at(665))));
        for n in 2..SENDERS_MAX {
            assert!(lost.refused(&IntegrationId::from(n.to_string()), at(0)).is_some());
        }
        assert_eq!(told(&"new".into(), 0), None, "bounded");
    }
}
