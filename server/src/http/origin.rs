//! Where a request comes from: the client's address, and whether a foreign page made the browser send it.

use super::App;
use actix_web::{
    HttpRequest,
    http::{
        Method,
        header::{HOST, ORIGIN},
    },
};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// Whether the browser may have been made to send this by somebody else's page. Requests that change nothing never
/// count; a request without any of the headers comes from no browser of the last years.
#[must_use]
pub(super) fn is_cross_site(request: &HttpRequest, public_url: &str) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let origin = header(ORIGIN.as_str());
    if origin.is_some_and(|origin| is_own(origin, header(HOST.as_str()), public_url)) {
        return false;
    }
    match header("sec-fetch-site") {
        Some(site) => !matches!(site, "same-origin" | "none"),
        None => origin.is_some(),
    }
}

/// Whether a WebSocket was opened by one of our own pages; unlike other requests it must say so.
#[must_use]
pub(super) fn is_own_socket(request: &HttpRequest, public_url: &str) -> bool {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    header(ORIGIN.as_str()).is_some_and(|origin| is_own(origin, header(HOST.as_str()), public_url))
}

fn is_own(origin: &str, host: Option<&str>, public_url: &str) -> bool {
    if origin.eq_ignore_ascii_case(public_url) {
        return true;
    }
    let named = origin.split_once("://").map(|(_, rest)| rest);
    named.zip(host).is_some_and(|(named, host)| named.eq_ignore_ascii_case(host))
}

impl App {
    /// The client's address: the peer, or what a trusted proxy says it is.
    #[must_use]
    pub fn peer(&self, request: &HttpRequest) -> IpAddr {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let forwarded: Vec<&str> =
            request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
        client(peer, &forwarded, &self.instance.trusted_proxies)
    }
}

/// From the right: each trusted proxy vouches for the address before it.
fn client(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(&address.to_canonical()));
    let mut known = peer.to_canonical();
    for text in forwarded.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !is_trusted(&known) {
            break;
        }
        let Ok(address) = text.trim().parse::<IpAddr>() else { break };
        known = address.to_canonical();
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    const URL: &str = "https://tocsin.example.org";

    fn post(headers: &[(&'static str, &'static str)]) -> HttpRequest {
        let mut request = TestRequest::post().uri("/api/v1/session").insert_header(("host", "10.0.0.5:8080"));
        for header in headers {
            request = request.insert_header(*header);
        }
        request.to_http_request()
    }

    #[test]
    fn a_foreign_page_is_recognised_by_either_header() {
        for (headers, cross) in [
            (vec![], false),
            (vec![("origin", URL)], false),
            (vec![("origin", "http://10.0.0.5:8080")], false),
            (vec![("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")], true),
            (vec![("origin", "https://evil.example")], true),
            (vec![("origin", "null")], true),
            (vec![("sec-fetch-site", "same-site")], true),
            (vec![("sec-fetch-site", "same-origin")], false),
            // Through a proxy that changes the host, the configured address counts.
            (vec![("origin", URL), ("sec-fetch-site", "same-origin")], false),
        ] {
            assert_eq!(is_cross_site(&post(&headers), URL), cross, "{headers:?}");
        }
        let get = TestRequest::get().insert_header(("origin", "https://evil.example")).to_http_request();
        assert!(!is_cross_site(&get, URL));
    }

    #[test]
    fn a_socket_names_its_origin() {
        assert!(is_own_socket(&post(&[("origin", URL)]), URL));
        assert!(!is_own_socket(&post(&[]), URL));
        assert!(!is_own_socket(&post(&[("origin", "https://evil.example")]), URL));
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(client(ip("203.0.113.9"), &["1.2.3.4"], &trusted), ip("203.0.113.9"));
        assert_eq!(client(ip("10.0.0.1"), &["6.6.6.6, 203.0.113.9"], &trusted), ip("203.0.113.9"));
        assert_eq!(client(ip("10.0.0.1"), &["6.6.6.6, 203.0.113.9, 10.0.0.2"], &trusted), ip("203.0.113.9"));
        assert_eq!(client(ip("10.0.0.1"), &["rubbish"], &trusted), ip("10.0.0.1"));
        assert_eq!(client(ip("::ffff:10.0.0.1"), &["203.0.113.9"], &trusted), ip("203.0.113.9"));
        assert_eq!(client(ip("10.0.0.1"), &["203.0.113.9"], &[]), ip("10.0.0.1"));
    }
}
