//! Refusals as `application/problem+json`: a stable code for programs, a sentence and the mend for people.

use crate::{
    db::{Refused, StoreError},
    runtime::{ActError, Unavailable},
};
use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{ALLOW, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS},
    },
};
use engine::{Refusal, mirror::MirrorRefusal};
use shared::{config::Finding, problem::Problem};
use std::fmt;

/// Why a request was refused.
#[derive(Clone, Debug)]
pub struct ApiError {
    problem: Box<Problem>,
    retry_after_s: Option<u32>,
    allow: Option<String>,
}

impl ApiError {
    /// A refusal with its status, code and sentence.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, title: impl Into<String>) -> Self {
        let problem = Problem {
            status: status.as_u16(),
            code: code.to_owned(),
            title: title.into(),
            detail: String::new(),
            field: None,
            findings: Vec::new(),
        };
        Self { problem: Box::new(problem), retry_after_s: None, allow: None }
    }

    /// What is wrong and how to mend it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.problem.detail = detail.into();
        self
    }

    /// The field at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.problem.field = Some(field.into());
        self
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn findings(mut self, findings: Vec<Finding>) -> Self {
        self.problem.findings = findings;
        self
    }

    /// When the same request may succeed.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The methods that do work here.
    #[must_use]
    pub fn allow(mut self, methods: String) -> Self {
        self.allow = Some(methods);
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.problem.code
    }

    /// What is wrong and how to mend it.
    #[must_use]
    pub fn said(&self) -> String {
        self.problem.detail.clone()
    }

    /// Nothing is there.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}"))
    }

    /// Nobody is signed in.
    #[must_use]
    pub fn not_signed_in() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not_signed_in", "Sign in first")
    }

    /// Signed in, but may not.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "You may not do this").detail(detail)
    }

    /// A value that cannot be.
    #[must_use]
    pub fn invalid(field: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "A value cannot be used").field(field).detail(detail)
    }

    /// Our own fault; what happened stands in the log.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong inside the server")
            .detail("The server's log says what; alerts are accepted and paged independently of this.")
    }

    /// The store does not answer; nothing was done.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "The store does not answer at the moment")
            .detail("Nothing was changed; try again.")
            .retry_after(2)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.problem.status, self.problem.code)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        // A refusal may be made outside of the layer that adds these.
        response.insert_header((CACHE_CONTROL, "no-store")).insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"));
        if self.problem.status == 401 {
            response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"tocsin\""));
        }
        if let Some(seconds) = self.retry_after_s {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if let Some(allow) = &self.allow {
            response.insert_header((ALLOW, allow.as_str()));
        }
        let body = serde_json::to_string(&self.problem).unwrap_or_default();
        response.content_type("application/problem+json").body(body)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if let StoreError::Refused(refused) = error {
            return refused.into();
        }
        tracing::error!(%error, "the store refused");
        match error {
            StoreError::Full { .. } => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "store_full", "The database has no room left")
                    .detail("Nothing was changed. Make room on its disk.")
            }
            error if error.is_transient() => Self::unavailable(),
            _ => Self::internal(),
        }
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let (status, code) = match &refused {
            Refused::LoginTaken { .. } => (StatusCode::CONFLICT, "login_taken"),
            Refused::NoSuchAccount { .. } => (StatusCode::NOT_FOUND, "not_found"),
            Refused::LastAdmin => (StatusCode::CONFLICT, "last_admin"),
            Refused::WrongPairingCode => (StatusCode::FORBIDDEN, "wrong_pairing_code"),
            Refused::WrongSetupCode => (StatusCode::FORBIDDEN, "wrong_setup_code"),
            Refused::SetUpAlready => (StatusCode::CONFLICT, "set_up_already"),
            Refused::ConfigMoved { .. } => (StatusCode::CONFLICT, "version_conflict"),
            Refused::AccountChanged => (StatusCode::FORBIDDEN, "account_changed"),
            Refused::TooManyDevices { .. } => (StatusCode::CONFLICT, "too_many_devices"),
        };
        Self::new(status, code, sentence(&refused.to_string()))
    }
}

impl From<ActError> for ApiError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(refusal) => refusal.into(),
            ActError::Unavailable { retry_after_s } => Self::unavailable().retry_after(retry_after_s),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let (status, code, field) = match &refusal {
            Refusal::NotOpen => (StatusCode::NOT_FOUND, "not_open", None),
            Refusal::VersionConflict { .. } => (StatusCode::CONFLICT, "version_conflict", None),
            Refusal::NoSuchPolicy => (StatusCode::UNPROCESSABLE_ENTITY, "no_such_policy", Some("policy")),
            Refusal::NoSuchLevel { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "no_such_level", Some("level")),
            Refusal::NoSuchPerson => (StatusCode::UNPROCESSABLE_ENTITY, "no_such_person", Some("to")),
            Refusal::NoContact => (StatusCode::UNPROCESSABLE_ENTITY, "no_contact", Some("to")),
            Refusal::NothingNewer => (StatusCode::CONFLICT, "nothing_newer", None),
            Refusal::NobodyReached => (StatusCode::UNPROCESSABLE_ENTITY, "nobody_reached", Some("targets")),
            Refusal::InThePast => (StatusCode::UNPROCESSABLE_ENTITY, "in_the_past", Some("until")),
            Refusal::NotAcked => (StatusCode::CONFLICT, "not_acked", None),
            Refusal::NoTarget => (StatusCode::UNPROCESSABLE_ENTITY, "no_target", Some("into")),
            Refusal::TooManyAlerts { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "too_many_alerts", Some("into")),
            Refusal::NoSuchAlert => (StatusCode::UNPROCESSABLE_ENTITY, "no_such_alert", Some("alert")),
            Refusal::OnlyAlert => (StatusCode::CONFLICT, "only_alert", None),
            Refusal::NoSuchSilence | Refusal::NoSuchHeartbeat => (StatusCode::NOT_FOUND, "not_found", None),
            Refusal::ConfiguredSilence { .. } => (StatusCode::CONFLICT, "configured", None),
            Refusal::Mirror(refusal) => return MirrorRefusal::clone(refusal).into(),
            Refusal::BadSilence { path, .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", Some(path.as_str())),
        };
        let error = Self::new(status, code, sentence(&refusal.to_string()));
        match field {
            Some(field) => error.field(field),
            None => error,
        }
    }
}

impl From<Unavailable> for ApiError {
    fn from(_: Unavailable) -> Self {
        Self::unavailable()
    }
}

/// Our errors begin small, because they are parts of longer ones; alone they are sentences.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;

    #[actix_web::test]
    async fn a_refusal_is_a_problem_with_its_headers() {
        let response = ApiError::not_signed_in().error_response();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers().get("content-type").unwrap(), "application/problem+json");
        assert!(response.headers().contains_key("www-authenticate"));
        let body = to_bytes(response.into_body()).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!((problem.status, problem.code.as_str()), (401, "not_signed_in"));
    }

    #[test]
    fn what_the_rules_forbid_has_its_own_code() {
        let conflict = ApiError::from(StoreError::from(Refused::ConfigMoved { expected: 1, found: 2 }));
        assert_eq!((conflict.status_code(), conflict.code()), (StatusCode::CONFLICT, "version_conflict"));
        assert_eq!(
            conflict.problem.title,
            "The configuration changed meanwhile: it is at version 2, you started from 1"
        );
        let refusal = ApiError::from(Refusal::NoSuchLevel { levels: 2 });
        assert_eq!(refusal.problem.field.as_deref(), Some("level"));
    }
}
