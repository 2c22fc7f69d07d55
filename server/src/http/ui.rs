//! The browser's files, compiled in: compressed as the browser likes, named by content, never older than the server.

use super::{App, card, layer, problem::ApiError, routes};
use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{
        Method,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH, VARY,
        },
    },
    web,
};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "../dist/"]
struct Dist;

const PAGE: &str = "index.html";
/// What stands there when the UI was not built; without it there is no reason to look for a script.
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Tocsin</title>\n\
    <h1>Tocsin is running</h1>\n<p>The web interface was not built into this server. Build it with <code>cargo xtask \
    build</code>. Pages, links in messages and the API work without it.</p>\n</html>\n";

/// Addresses that are never the application: somebody who misspells one is told so, and never gets a page with 200.
const NOT_PAGES: &[&str] = &[
    "api",
    "ingest",
    "falcon",
    "am",
    "v1",
    "v2",
    "opsgenie",
    "alerta",
    "slack",
    "hooks",
    "message",
    "heartbeat",
    "a",
    "p",
    "healthz",
    "readyz",
    "metrics",
    "assets",
];

/// Whether the application was built when this server was compiled.
#[must_use]
pub fn is_built() -> bool {
    Dist::iter().any(|path| path.starts_with("assets/"))
}

/// Everything that has no route of its own.
pub(super) async fn serve(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let path = request.path();
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        if let Some((name, file)) = file(path) {
            return Ok(answer(&app, &request, name, &file));
        }
        if !NOT_PAGES.contains(&first) && !path.ends_with(".js") {
            return Ok(page(&app, &request).await);
        }
    } else if !NOT_PAGES.contains(&first) {
        return routes::not_allowed("GET, HEAD");
    }
    Err(ApiError::not_found("address"))
}

/// A file of the build, asked for by its own name; compressed siblings are not files of their own.
fn file(path: &str) -> Option<(&str, EmbeddedFile)> {
    let name = path.trim_start_matches('/');
    if name.ends_with(".br") || name.ends_with(".gz") {
        return None;
    }
    Dist::get(name).map(|file| (name, file))
}

/// The application, whatever the path: it finds its own way.
async fn page(app: &App, request: &HttpRequest) -> HttpResponse {
    let Some(file) = Dist::get(PAGE).filter(|_| is_built()) else {
        return HttpResponse::Ok().content_type("text/html; charset=utf-8").body(NOT_BUILT);
    };
    if let Some(id) = card::incident_of(request.path())
        && let Ok(html) = std::str::from_utf8(&file.data)
        && let Some(html) = card::page(app, request, html, id).await
    {
        return HttpResponse::Ok()
            .insert_header((CONTENT_SECURITY_POLICY, layer::page_policy(&app.public_url())))
            .insert_header((CACHE_CONTROL, "no-store"))
            .content_type("text/html; charset=utf-8")
            .body(html);
    }
    answer(app, request, PAGE, &file)
}

fn answer(app: &App, request: &HttpRequest, name: &str, file: &EmbeddedFile) -> HttpResponse {
    let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let variants = [("br", ".br"), ("gzip", ".gz")];
    let chosen = variants
        .into_iter()
        .filter(|(coding, _)| accepts(accepted, coding))
        .find_map(|(coding, suffix)| Some((coding, Dist::get(&format!("{name}{suffix}"))?)));
    // The plain file's hash names the content, the suffix the form: a cache must not mix them up.
    let tag = tag(file, chosen.as_ref().map_or("", |(coding, _)| coding));
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag || one.trim() == "*");
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    headers(&mut response, app, name, &tag);
    if is_known {
        return response.finish();
    }
    response.content_type(media_type(name));
    match chosen {
        Some((coding, compressed)) => {
            response.insert_header((CONTENT_ENCODING, coding));
            response.body(compressed.data.into_owned())
        }
        None => response.body(file.data.clone().into_owned()),
    }
}

fn headers(response: &mut HttpResponseBuilder, app: &App, name: &str, tag: &str) {
    // A name with the content's hash in it never means anything else.
    let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    response
        .insert_header((CACHE_CONTROL, cache))
        .insert_header((ETAG, tag))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((CONTENT_SECURITY_POLICY, layer::page_policy(&app.public_url())));
}

fn tag(file: &EmbeddedFile, coding: &str) -> String {
    let hash: String = file.metadata.sha256_hash().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    if coding.is_empty() { format!("\"{hash}\"") } else { format!("\"{hash}-{coding}\"") }
}

/// Whether `Accept-Encoding` names a coding and does not weigh it zero.
fn accepts(header: &str, coding: &str) -> bool {
    header.split(',').any(|part| {
        let (name, weight) = part.split_once(';').map_or((part, ""), |(name, weight)| (name, weight));
        let weight = weight.trim().trim_start_matches("q=").trim();
        name.trim().eq_ignore_ascii_case(coding) && weight.parse::<f32>().unwrap_or(1.0) > 0.0
    })
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/vnd.microsoft.icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_weighed_zero_is_not_accepted() {
        assert!(accepts("gzip, deflate, br", "br") && accepts("br;q=0.5", "br") && accepts("GZIP", "gzip"));
        assert!(!accepts("br;q=0, gzip", "br") && !accepts("", "gzip") && !accepts("brotli", "br"));
    }
}
