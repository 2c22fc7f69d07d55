//! Where a sender carries its token, when not in the path: in the header or the query that it knows for one.

use super::{query, text_of};
use actix_web::{
    HttpRequest,
    http::header::{AUTHORIZATION, HeaderName},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// The schemes of `Authorization` whose credentials are the token: of OAuth, Opsgenie, Alerta and others.
const SCHEMES: &[&str] = &["bearer", "geniekey", "key", "token"];
/// The names under which it may stand in a query.
const QUERIES: &[&str] = &["token", "access_token", "apiKey", "api_key", "api-key"];
/// Headers that hold nothing else; the second is Gotify's.
const HEADERS: [HeaderName; 2] = [HeaderName::from_static("x-api-key"), HeaderName::from_static("x-gotify-key")];

/// The token that a request carries beside its path.
pub(super) fn token(request: &HttpRequest) -> Option<String> {
    let header = text_of(request.headers(), &AUTHORIZATION).and_then(|text| credentials(&text));
    let key = || HEADERS.iter().find_map(|name| text_of(request.headers(), name).filter(|key| !key.is_empty()));
    let is_token = |(name, value): &(String, String)| QUERIES.contains(&name.as_str()) && !value.is_empty();
    let query = || query(request).into_iter().find(is_token).map(|(_, value)| value);
    header.or_else(key).or_else(query)
}

/// The token in an `Authorization`; of name and password it is the password, or the name where there is no password.
pub(super) fn credentials(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once(' ')?;
    let rest = rest.trim();
    if SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return (!rest.is_empty()).then(|| rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
    let (name, password) = pair.split_once(':').unwrap_or((&pair, ""));
    let token = if password.is_empty() { name } else { password };
    (!token.is_empty()).then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_token_is_found_in_each_place_where_senders_put_one() {
        let header =
            |name: &'static str, value: &str| TestRequest::default().insert_header((name, value)).to_http_request();
        for value in [
            "Bearer tk_1",
            "bearer  tk_1",
            "GenieKey tk_1",
            "Key tk_1",
            "Token tk_1",
            "Basic dXNlcjp0a18x",
            "Basic dGtfMTo=",
        ] {
            assert_eq!(token(&header("authorization", value)).as_deref(), Some("tk_1"), "{value}");
        }
        for name in ["x-api-key", "x-gotify-key"] {
            assert_eq!(token(&header(name, "tk_1")).as_deref(), Some("tk_1"));
        }
        for query in ["token=tk_1", "a=b&access_token=tk_1", "apiKey=tk_1", "token=&api_key=tk_1"] {
            let request = TestRequest::with_uri(&format!("/ingest?{query}")).to_http_request();
            assert_eq!(token(&request).as_deref(), Some("tk_1"), "{query}");
        }
        for value in ["Bearer", "Bearer ", "Digest tk_1", "Basic %%%", "Basic Og=="] {
            assert_eq!(token(&header("authorization", value)), None, "{value}");
        }
    }
}
