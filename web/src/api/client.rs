//! One function a method; bodies are the shared types.

use super::ApiError;
use gloo_net::http::{Request, RequestBuilder, Response};
use serde::{Serialize, de::DeserializeOwned};
use shared::{
    IncidentId,
    api::{ActionRequest, IncidentRow},
    problem::Problem,
};

type Answer<T> = Result<T, ApiError>;

pub(crate) async fn get<T: DeserializeOwned>(path: &str) -> Answer<T> {
    read(check(Request::get(path).send().await).await?).await
}

pub(crate) async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Answer<T> {
    read(send(Request::post(path), body).await?).await
}

pub(crate) async fn put<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Answer<T> {
    read(send(Request::put(path), body).await?).await
}

pub(crate) async fn delete(path: &str) -> Answer<()> {
    check(Request::delete(path).send().await).await.map(drop)
}

/// A body as typed, with no type of ours around it.
pub(crate) async fn post_raw<T: DeserializeOwned>(path: &str, body: String) -> Answer<T> {
    let request = Request::post(path).header("content-type", "text/plain; charset=utf-8").body(body);
    let request = request.map_err(|error| ApiError::Unreadable(error.to_string()))?;
    read(check(request.send().await).await?).await
}

/// Acknowledge, resolve and so on; `verb` is the last part of the path.
pub(crate) async fn send_action(id: IncidentId, verb: &str, body: &ActionRequest) -> Answer<IncidentRow> {
    post(&format!("/api/v1/incidents/{id}/{verb}"), body).await
}

async fn send(request: RequestBuilder, body: &impl Serialize) -> Answer<Response> {
    let text = serde_json::to_string(body).map_err(|error| ApiError::Unreadable(error.to_string()))?;
    let request = request.header("content-type", "application/json").body(text);
    let request = request.map_err(|error| ApiError::Unreadable(error.to_string()))?;
    check(request.send().await).await
}

async fn check(answer: Result<Response, gloo_net::Error>) -> Answer<Response> {
    let Ok(response) = answer else { return Err(ApiError::Unreachable) };
    if response.ok() {
        return Ok(response);
    }
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    Err(serde_json::from_str::<Problem>(&text).map_or_else(
        |_| {
            // A proxy in front of the server answers in its own way.
            if status >= 502 { ApiError::Unreachable } else { bare(status, response.status_text()) }
        },
        |problem| ApiError::Problem(Box::new(problem)),
    ))
}

fn bare(status: u16, title: String) -> ApiError {
    let title = if title.is_empty() { format!("HTTP {status}") } else { title };
    ApiError::Problem(Box::new(Problem {
        status,
        code: String::new(),
        title,
        detail: String::new(),
        field: None,
        findings: Vec::new(),
    }))
}

/// An empty body reads as `null`, so that `()` can be asked for.
async fn read<T: DeserializeOwned>(response: Response) -> Answer<T> {
    let text = response.text().await.map_err(|_| ApiError::Unreachable)?;
    let text = if text.trim().is_empty() { "null" } else { &text };
    serde_json::from_str(text).map_err(|error| ApiError::Unreadable(error.to_string()))
}
