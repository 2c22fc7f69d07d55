//! Where others push what they measure: agents and `transfer` of Open-Falcon, and Prometheus by remote write.
//!
//! The token of an integration stands in the path, since none of them sends another. Answers are to the byte those of the
//! original where one reads them.

use super::{body, refuse, sender, text_of, wrong_method};
use crate::{
    clock,
    hosts::{Full, falcon, prometheus},
    http::{ApiError, App},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
    web,
};

/// Of Open-Falcon's, after inflation; some twenty thousand values.
const PUSH_MAX_BYTES: usize = 4 << 20;
/// Of Prometheus, before inflation.
const WRITE_MAX_BYTES: usize = 4 << 20;
/// For room to take more: what waits is taken in within two seconds.
const RETRY_AFTER_S: u32 = 5;
const WRITE_TYPE: &str = "application/x-protobuf";

/// Mounts the addresses; like those of other senders they never redirect.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    for path in ["/falcon/{token}/v1/push", "/falcon/{token}/v1/push/"] {
        config.service(web::resource(path).route(web::post().to(push)).default_service(web::to(wrong_method)));
    }
    for path in ["/falcon/{token}/api/push", "/falcon/{token}/api/push/"] {
        config.service(web::resource(path).route(web::post().to(transfer)).default_service(web::to(wrong_method)));
    }
    for path in ["/prom/{token}/api/v1/write", "/prom/{token}/api/v1/write/"] {
        config.service(web::resource(path).route(web::post().to(write)).default_service(web::to(wrong_method)));
    }
}

/// As an agent of Open-Falcon takes it from programs on its machine.
async fn push(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    Ok(match taken(&request, payload, &app).await? {
        Taken::Values(_) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("success"),
        Taken::Blank => unreadable(&request, "body is blank\n"),
        // Spelt so by Open-Falcon.
        Taken::Garbled => unreadable(&request, "connot decode body\n"),
    })
}

/// As `transfer` takes it.
async fn transfer(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    Ok(match taken(&request, payload, &app).await? {
        Taken::Values(reply) => {
            let answer = serde_json::to_string(&reply).unwrap_or_default();
            let answer = format!("{{\"msg\":\"success\",\"data\":{answer}}}");
            HttpResponse::Ok().content_type("application/json; charset=UTF-8").body(answer)
        }
        Taken::Blank => unreadable(&request, "blank body\n"),
        Taken::Garbled => unreadable(&request, "decode error\n"),
    })
}

/// As Go's `http.Error` answers.
fn unreadable(request: &HttpRequest, text: &'static str) -> HttpResponse {
    refuse(request, "not_understood");
    HttpResponse::BadRequest().content_type("text/plain; charset=utf-8").body(text)
}

enum Taken {
    Values(falcon::Reply),
    Blank,
    Garbled,
}

async fn taken(request: &HttpRequest, payload: web::Payload, app: &App) -> Result<Taken, ApiError> {
    let sender = sender(request, app).await?;
    let is_packed = match encoding(request).as_deref() {
        None => false,
        Some("gzip") => true,
        Some(other) => return Err(encoded(request, other, "gzip or nothing")),
    };
    let body = body::read(request, payload, PUSH_MAX_BYTES).await?;
    sender.signed(request, &body)?;
    if body.is_empty() {
        return Ok(Taken::Blank);
    }
    let (watch, now) = (clock::Stopwatch::start(), clock::now());
    let body =
        if is_packed { body::inflated(&body, PUSH_MAX_BYTES).inspect_err(|_| refuse(request, "body"))? } else { body };
    let Ok(metrics) = falcon::read(&body) else { return Ok(Taken::Garbled) };
    let (total, invalid) = app.intake.falcon(&metrics, now).map_err(|it| full(request, it))?;
    Ok(Taken::Values(falcon::Reply::new(total, invalid, watch.elapsed_ms())))
}

/// Prometheus remote write 1.0. What is answered with 400 is never sent again; with 503 it is.
async fn write(request: HttpRequest, payload: web::Payload, app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let sender = sender(&request, &app).await?;
    let said = text_of(request.headers(), &CONTENT_TYPE).unwrap_or_default();
    let (media, parameters) = said.split_once(';').unwrap_or((&said, ""));
    let is_second = parameters.to_ascii_lowercase().contains("io.prometheus.write.v2");
    if !media.trim().eq_ignore_ascii_case(WRITE_TYPE) || is_second {
        refuse(&request, "format");
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_remote_write",
            "This is not remote write 1.0",
        )
        .detail(format!("Send `Content-Type: {WRITE_TYPE}` with a prometheus.WriteRequest; version 2 is not taken.")));
    }
    if encoding(&request).as_deref() != Some("snappy") {
        return Err(encoded(&request, &encoding(&request).unwrap_or_default(), "snappy"));
    }
    let body = body::read(&request, payload, WRITE_MAX_BYTES).await?;
    sender.signed(&request, &body)?;
    let now = clock::now();
    let written = web::block(move || prometheus::written(&body, now)).await.map_err(|_| ApiError::unavailable())?;
    let written = written.map_err(|why| {
        refuse(&request, "not_understood");
        match why {
            prometheus::Unreadable::TooLarge(_) => too_large(&request, why.to_string()),
            _ => ApiError::new(StatusCode::BAD_REQUEST, "not_understood", "The body could not be understood")
                .detail(why.to_string()),
        }
    })?;
    app.intake.write(written, now).map_err(|it| full(&request, it))?;
    Ok(HttpResponse::NoContent().finish())
}

fn encoding(request: &HttpRequest) -> Option<String> {
    let said = text_of(request.headers(), &CONTENT_ENCODING)?.to_ascii_lowercase();
    Some(said).filter(|it| !it.is_empty() && it != "identity")
}

fn encoded(request: &HttpRequest, said: &str, taken: &str) -> ApiError {
    refuse(request, "encoding");
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "encoded_body", "The body is packed in a way that is not taken")
        .detail(format!("The request says `Content-Encoding: {said}`; {taken} is taken here."))
}

fn too_large(request: &HttpRequest, why: String) -> ApiError {
    refuse(request, "body");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large").detail(why)
}

fn full(request: &HttpRequest, full: Full) -> ApiError {
    refuse(request, "overload");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too much is pushed at once")
        .detail(full.to_string())
        .retry_after(RETRY_AFTER_S)
}
