//! Bodies of requests: JSON that says it is JSON, within a limit, and an answer that names the mistake.

use super::{app::blocking, problem::ApiError};
use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::{StatusCode, header::CONTENT_ENCODING},
    web::{self, Bytes},
};
use flate2::read::MultiGzDecoder;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use std::io::Read as _;

/// Far more than any body of the interface but a configuration needs.
const MOST_BYTES: usize = 256 * 1024;
/// A configuration may be this long.
pub(super) const MOST_CONFIG_BYTES: usize = 4 * 1024 * 1024;

/// A body that must be there; at most `MOST` bytes.
pub(super) struct Json<T, const MOST: usize = MOST_BYTES>(pub(super) T);

impl<T: DeserializeOwned, const MOST: usize> FromRequest for Json<T, MOST> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let payload = web::Payload::from_request(request, payload);
        Box::pin(async move { taken(payload.await.map_err(unreadable)?, is_json, MOST).await.map(Self) })
    }
}

/// A JSON body of at most `most` bytes, for those who let somebody in before they read what they send.
pub(super) async fn json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: web::Payload,
    most: usize,
) -> Result<T, ApiError> {
    taken(payload, is_json(request), most).await
}

/// The same for a body that may be deflated (`Content-Encoding: gzip`): at most `most` bytes as sent, and `most_inflated` of
/// what they stand for.
pub(super) async fn inflated_json<T: DeserializeOwned + Send + 'static>(
    request: &HttpRequest,
    payload: web::Payload,
    most: usize,
    most_inflated: usize,
) -> Result<T, ApiError> {
    let encoding = request.headers().get(CONTENT_ENCODING).map_or("identity", |it| it.to_str().unwrap_or("unreadable"));
    let is_gzip = match encoding {
        "gzip" => true,
        "identity" => false,
        _ => {
            let title = "The body is encoded in a way that is not known here";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_encoding", title)
                .detail("Send it as it is, or with `Content-Encoding: gzip`."));
        }
    };
    let body = whole(payload, most).await?;
    if !is_json(request) {
        return Err(not_json());
    }
    if !is_gzip {
        return read(&body);
    }
    if body.len() <= SMALL {
        return read(&inflate(&body, most_inflated)?);
    }
    blocking(move || read(&inflate(&body, most_inflated)?)).await?
}

fn inflate(body: &[u8], most: usize) -> Result<Vec<u8>, ApiError> {
    let mut inflated = Vec::new();
    let read = MultiGzDecoder::new(body).take(most as u64 + 1).read_to_end(&mut inflated);
    if read.is_err() {
        let title = "The body is not what its encoding says";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "bad_gzip", title)
            .detail("It is said to be gzip, and cannot be inflated."));
    }
    if inflated.len() > most {
        return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too long")
            .detail(format!("At most {most} bytes are taken here once it is inflated.")));
    }
    Ok(inflated)
}

/// Bodies up to this size are inflated where others wait for it.
const SMALL: usize = 64 << 10;

async fn taken<T: DeserializeOwned>(payload: web::Payload, is_json: bool, most: usize) -> Result<T, ApiError> {
    let body = whole(payload, most).await?;
    if !is_json {
        return Err(not_json());
    }
    read(&body)
}

/// A body that may be missing: then everything in it is absent.
pub(super) struct MaybeJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest for MaybeJson<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = is_json(request);
        let payload = web::Payload::from_request(request, payload);
        Box::pin(async move {
            let body = whole(payload.await.map_err(unreadable)?, MOST_BYTES).await?;
            match (body.is_empty(), is_json) {
                (true, _) => Ok(Self(T::default())),
                (false, true) => read(&body).map(Self),
                (false, false) => Err(not_json()),
            }
        })
    }
}

/// A connection that brings its body later than this is given up; it must not be held for ever by whoever likes.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);

/// The whole body, or a refusal when it is longer than `most`.
pub(super) async fn whole(payload: web::Payload, most: usize) -> Result<Bytes, ApiError> {
    let Ok(read) = tokio::time::timeout(PATIENCE, payload.to_bytes_limited(most)).await else {
        return Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "slow_body", "The body did not arrive in time")
            .detail("It must be here within 15 seconds."));
    };
    match read {
        Ok(body) => body.map_err(unreadable),
        Err(_) => Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too long")
            .detail(format!("At most {most} bytes are taken here."))),
    }
}

fn unreadable(_: actix_web::Error) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad_body", "The body did not arrive whole")
}

/// Forms of foreign pages can send text, but not this type.
fn is_json(request: &HttpRequest) -> bool {
    let media = request.content_type();
    media.eq_ignore_ascii_case("application/json") || (media.starts_with("application/") && media.ends_with("+json"))
}

fn not_json() -> ApiError {
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "The body must be JSON")
        .detail("Send it with `Content-Type: application/json`.")
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_json", "The body cannot be read").detail(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{ResponseError as _, test::TestRequest};
    use shared::api::{ActionRequest, SignInRequest};

    async fn taken(content_type: &'static str, body: &'static str) -> Result<String, u16> {
        let (request, mut payload) =
            TestRequest::post().insert_header(("content-type", content_type)).set_payload(body).to_http_parts();
        let taken = Json::<SignInRequest, 64>::from_request(&request, &mut payload).await;
        taken.map(|Json(body)| body.login).map_err(|error| error.status_code().as_u16())
    }

    #[actix_web::test]
    async fn a_body_is_json_by_its_word_and_in_truth() {
        let good = r#"{"login":"li","password":"x"}"#;
        assert_eq!(taken("application/json", good).await, Ok("li".to_owned()));
        assert_eq!(taken("application/json; charset=utf-8", good).await, Ok("li".to_owned()));
        assert_eq!(taken("text/plain", good).await, Err(415));
        assert_eq!(taken("application/json", "{").await, Err(400));
        assert_eq!(taken("application/json", r#"{"login":"li"}"#).await, Err(400));
        let long = r#"{"login":"liiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii","password":"x"}"#;
        assert_eq!(taken("application/json", long).await, Err(413));
    }

    #[actix_web::test]
    async fn an_action_needs_no_body() {
        let (request, mut payload) = TestRequest::post().to_http_parts();
        let MaybeJson(body) = MaybeJson::<ActionRequest>::from_request(&request, &mut payload).await.unwrap();
        assert_eq!(body, ActionRequest::default());
    }
}
