//! One function a method; bodies are the shared types.

use super::{ApiError, json};
use gloo_net::http::{Request, RequestBuilder, Response};
use serde::{Serialize, de::DeserializeOwned};
use shared::{
    IncidentId,
    api::{ActionRequest, IncidentRow},
    problem::Problem,
};
use std::pin::Pin;

type Answer<T> = Result<T, ApiError>;

/// What the server answers, before anybody knows what it means. Boxed, so that asking is compiled once and not once
/// for each type that is read from an answer.
type Text = Pin<Box<dyn Future<Output = Answer<String>>>>;

pub(crate) async fn get<T: DeserializeOwned>(path: &str) -> Answer<T> {
    read(get_text(path).await)
}

/// A thing as it is sent.
pub(crate) fn get_text(path: &str) -> Text {
    ask(Request::get(path), None)
}

pub(crate) async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Answer<T> {
    read(send(Request::post(path), body).await)
}

pub(crate) async fn put<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Answer<T> {
    read(send(Request::put(path), body).await)
}

/// The same, refused when the configuration is not at `version` any more.
pub(crate) async fn put_seen<T: DeserializeOwned>(path: &str, body: &impl Serialize, version: i64) -> Answer<T> {
    read(send(Request::put(path).header("if-match", &format!("\"{version}\"")), body).await)
}

pub(crate) async fn delete(path: &str) -> Answer<()> {
    ask(Request::delete(path), None).await.map(drop)
}

/// A body as typed, with no type of ours around it.
pub(crate) async fn post_raw<T: DeserializeOwned>(path: &str, body: String) -> Answer<T> {
    read(ask(Request::post(path), Some(("text/plain; charset=utf-8", body))).await)
}

/// Acknowledge, resolve and so on; `verb` is the last part of the path.
pub(crate) async fn send_action(id: IncidentId, verb: &str, body: &ActionRequest) -> Answer<IncidentRow> {
    post(&format!("/api/v1/incidents/{id}/{verb}"), body).await
}

/// What an answer means.
pub(crate) fn read<T: DeserializeOwned>(answer: Answer<String>) -> Answer<T> {
    json::read(&answer?).map_err(|error| ApiError::Unreadable(error.to_string()))
}

fn send(request: RequestBuilder, body: &impl Serialize) -> Text {
    match serde_json::to_string(body) {
        Ok(text) => ask(request, Some(("application/json", text))),
        Err(error) => Box::pin(std::future::ready(Err(ApiError::Unreadable(error.to_string())))),
    }
}

fn ask(request: RequestBuilder, body: Option<(&'static str, String)>) -> Text {
    Box::pin(async move {
        let request = match body {
            Some((kind, text)) => request.header("content-type", kind).body(text),
            None => request.build(),
        };
        let request = request.map_err(|error| ApiError::Unreadable(error.to_string()))?;
        let response = request.send().await.map_err(|_| ApiError::Unreachable)?;
        if !response.ok() {
            return Err(refusal(&response).await);
        }
        response.text().await.map_err(|_| ApiError::Unreachable)
    })
}

async fn refusal(response: &Response) -> ApiError {
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    json::read::<Problem>(&text).map_or_else(
        |_| {
            // A proxy in front of the server answers in its own way.
            if status >= 502 { ApiError::Unreachable } else { bare(status, response.status_text()) }
        },
        |problem| ApiError::Problem(Box::new(problem)),
    )
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
