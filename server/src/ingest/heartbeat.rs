//! Where heartbeats are heard: any client that can fetch an address can beat.
//!
//! `/heartbeat/{token}` is a beat; `/fail`, `/start`, `/log` and an exit code behind it mean what they mean to the clients
//! of Healthchecks. An Alertmanager that posts its always-firing Watchdog here beats as well, and its recovery does not.

use super::{BODY_MAX_BYTES, Unstored, body, overloaded, text_of};
use crate::{
    http::{ApiError, App},
    runtime::BeatError,
    telemetry,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    web,
};
use serde::Deserialize;
use shared::Signal;

/// Mounts the addresses; like those of senders they never redirect.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    for path in
        ["/heartbeat/{token}", "/heartbeat/{token}/", "/heartbeat/{token}/{signal}", "/heartbeat/{token}/{signal}/"]
    {
        let resource = web::resource(path)
            .route(web::get().to(beat))
            .route(web::post().to(beat))
            .route(web::head().to(beat))
            .default_service(web::to(|| async {
                let error = ApiError::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "method_not_allowed",
                    "This address takes heartbeats by GET, HEAD or POST",
                );
                Err::<HttpResponse, _>(error.allow("GET, HEAD, POST".to_owned()))
            }));
        config.service(resource);
    }
}

async fn beat(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let token = request.match_info().get("token").unwrap_or_default();
    let Some(heartbeat) = app.keyring.find_heartbeat(token, &app.readers).await else {
        telemetry::refused("token");
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "unknown_token", "There is no such heartbeat token").detail(
            "Make one on the Heartbeats page, or with `tocsin token create --kind heartbeat --name ID-OF-THE-HEARTBEAT`.",
        ));
    };
    let said = request.match_info().get("signal").unwrap_or_default();
    let Some(signal) = signal(said) else {
        telemetry::refused("signal");
        return Err(ApiError::new(StatusCode::NOT_FOUND, "unknown_signal", "There is no such signal")
            .detail(format!("`{said}` is not one of fail, start, log and an exit code; a beat has nothing there.")));
    };
    let body = body::read(&request, payload, BODY_MAX_BYTES).await?;
    let is_json = text_of(request.headers(), &CONTENT_TYPE).is_some_and(|it| it.starts_with("application/json"));
    let group = is_json.then(|| serde_json::from_slice::<Group>(&body).ok()).flatten();
    let (signal, mut note) = match (signal, group) {
        (Signal::Beat, Some(group)) => group.said(),
        (signal, _) => (signal, String::from_utf8_lossy(&body).trim().to_owned()),
    };
    if note.is_empty() && signal == Signal::Fail && said != "fail" {
        note = format!("exit code {said}");
    }
    match app.runtime.hear(heartbeat.clone(), signal, note).await {
        Ok(()) => {
            let mut response = HttpResponse::Ok();
            response.insert_header((CACHE_CONTROL, "no-store")).content_type("text/plain; charset=utf-8");
            Ok(if request.method() == Method::HEAD { response.finish() } else { response.body("OK") })
        }
        Err(BeatError::Unknown) => {
            telemetry::refused("heartbeat");
            Err(ApiError::new(StatusCode::NOT_FOUND, "unknown_heartbeat", "There is no such heartbeat")
                .detail(format!("The token is for `{heartbeat}`, and the configuration has none with this id.")))
        }
        Err(BeatError::Refused(why)) => Ok(overloaded(&request, &Unstored { why, format: None })),
    }
}

/// What stands behind the token; nothing is a beat, and so is exit code 0.
fn signal(text: &str) -> Option<Signal> {
    match text {
        "" | "0" => Some(Signal::Beat),
        "fail" => Some(Signal::Fail),
        "start" => Some(Signal::Start),
        "log" => Some(Signal::Log),
        code => code.parse::<u8>().ok().map(|_| Signal::Fail),
    }
}

/// What Alertmanager posts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    status: String,
    alerts: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    receiver: String,
}

impl Group {
    /// That the Watchdog recovered means that Alertmanager does not hear of it any more.
    fn said(self) -> (Signal, String) {
        let Self { status, alerts, receiver } = self;
        let signal = if status == "firing" { Signal::Beat } else { Signal::Log };
        (signal, format!("Alertmanager, receiver {receiver}: {} {status}", alerts.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_of_zero_is_a_beat_and_any_other_a_failure() {
        assert_eq!(
            (signal(""), signal("0"), signal("7")),
            (Some(Signal::Beat), Some(Signal::Beat), Some(Signal::Fail))
        );
        assert_eq!((signal("start"), signal("256"), signal("odd")), (Some(Signal::Start), None, None));
    }

    #[test]
    fn alertmanagers_recovery_is_no_beat() {
        let group = |status: &str| {
            let body = serde_json::json!({ "version": "4", "status": status, "receiver": "tocsin", "alerts": [{}] });
            serde_json::from_value::<Group>(body).unwrap().said().0
        };
        assert_eq!((group("firing"), group("resolved")), (Signal::Beat, Signal::Log));
    }
}
