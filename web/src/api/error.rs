//! Why a request failed, in the words a person needs.

use crate::text::frame as t;
use shared::{
    config::{Finding, Language},
    problem::Problem,
};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ApiError {
    /// No answer arrived: the request may or may not have been carried out.
    Unreachable,
    /// The server refused and said why.
    Problem(Box<Problem>),
    /// The answer was not what the contract says.
    Unreadable(String),
}

impl ApiError {
    /// Nobody is signed in (any more).
    /// The status of HTTP, where the server answered.
    pub(crate) const fn status(&self) -> Option<u16> {
        if let Self::Problem(problem) = self { Some(problem.status) } else { None }
    }

    pub(crate) fn is_signed_out(&self) -> bool {
        matches!(self, Self::Problem(problem) if problem.status == 401)
    }

    pub(crate) fn title(&self, l: Language) -> String {
        match self {
            Self::Unreachable => t::unreachable(l),
            Self::Problem(problem) => problem.title.clone(),
            Self::Unreadable(_) => t::unreadable(l),
        }
    }

    pub(crate) fn detail(&self, l: Language) -> String {
        match self {
            Self::Unreachable => t::unreachable_detail(l),
            Self::Problem(problem) => problem.detail.clone(),
            Self::Unreadable(detail) => detail.clone(),
        }
    }

    /// Title and detail in one sentence, for a toast.
    pub(crate) fn sentence(&self, l: Language) -> String {
        let (title, detail) = (self.title(l), self.detail(l));
        if detail.is_empty() || detail == title { title } else { format!("{title}: {detail}") }
    }

    pub(crate) fn field(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => problem.field.as_deref(),
            _ => None,
        }
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Problem(problem) => problem.findings.clone(),
            _ => Vec::new(),
        }
    }
}
