//! Why something that a sender asked for was not done, before it is said in the words of the interface it speaks.

use super::{requests::Note, words};
use crate::{
    http::ApiError,
    runtime::{ActError, Refused, Unavailable},
    telemetry,
};
use actix_web::{HttpRequest, http::StatusCode};
use shared::{
    AlertId,
    timeline::{Outcome, RejectReason},
};

/// A refusal: a status, and what to mend.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) message: String,
    /// Only where trying again helps.
    pub(super) retry_after_s: Option<u32>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), retry_after_s: None }
    }

    /// Notes why, for the list of the sender's requests: an answer in the words of somebody else's interface names no reason
    /// of ours. What was noted before knows better.
    pub(super) fn note(&self, request: &HttpRequest) {
        noted(request, self.status, &self.message);
    }
}

/// The same where there is only a status and a sentence.
pub(super) fn noted(request: &HttpRequest, status: StatusCode, message: &str) {
    let reason = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "token",
        StatusCode::NOT_FOUND | StatusCode::GONE => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method",
        StatusCode::NOT_ACCEPTABLE => "accept",
        StatusCode::CONFLICT => "conflict",
        StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE => "body",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "encoding",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit",
        _ if status.is_server_error() => "store",
        _ => "not_understood",
    };
    Note::of(request, |note| {
        note.reason.get_or_insert(reason);
        note.detail.get_or_insert_with(|| message.to_owned());
    });
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        let said = error.said();
        let message = if said.is_empty() { error.to_string() } else { said };
        Self::new(actix_web::ResponseError::status_code(&error), message)
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        telemetry::refused(words(refused).0);
        let is_limited = matches!(refused, Refused::Limited { .. });
        let status = if is_limited { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::SERVICE_UNAVAILABLE };
        Self { status, message: refused.to_string(), retry_after_s: Some(refused.retry_after_s()) }
    }
}

impl From<Unavailable> for Fault {
    fn from(_: Unavailable) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the pager does not answer; ask again soon")
    }
}

impl From<ActError> for Fault {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(refusal) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, refusal.to_string()),
            ActError::Unavailable { retry_after_s } => Self::from(Refused::Unavailable { retry_after_s }),
        }
    }
}

/// The alert that a stored message was about; none when it concerned nothing that is open.
pub(super) fn about(outcomes: &[Outcome]) -> Result<Option<AlertId>, Fault> {
    match outcomes.first() {
        Some(
            Outcome::Opened { alert, .. }
            | Outcome::Refreshed { alert, .. }
            | Outcome::Acknowledged { alert, .. }
            | Outcome::Closed { alert, .. },
        ) => Ok(Some(*alert)),
        Some(Outcome::Rejected { reason }) => {
            let faults = match reason {
                RejectReason::BadEvent { faults } => faults.join("; "),
                other => shared::text::reject_reason(shared::config::Language::En, other),
            };
            Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, faults))
        }
        _ => Ok(None),
    }
}
