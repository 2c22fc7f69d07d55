//! In which language an answer speaks: the person's own, or the one their browser asks for.

use super::{App, principal::Principal};
use actix_web::{HttpRequest, http::header::ACCEPT_LANGUAGE};
use shared::{PersonId, config::Language};

/// Of the person, when the configuration knows one, else of the browser.
pub(super) fn language(app: &App, person: Option<&PersonId>, request: &HttpRequest) -> Language {
    let config = app.runtime.config();
    let known = person.and_then(|id| config.people.get(id)).map(|person| person.language);
    known.unwrap_or_else(|| asked(request))
}

/// Of whoever sent a request.
pub(super) fn of(app: &App, principal: &Principal, request: &HttpRequest) -> Language {
    language(app, principal.person(), request)
}

/// The first of the two languages in `Accept-Language`.
fn asked(request: &HttpRequest) -> Language {
    let wanted = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let first = wanted.split(',').map(|part| part.trim().to_ascii_lowercase());
    first
        .filter_map(|tag| match tag.get(..2) {
            Some("zh") => Some(Language::Zh),
            Some("en") => Some(Language::En),
            _ => None,
        })
        .next()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_browser_chooses_between_two() {
        for (header, language) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("de-DE,de;q=0.9,en;q=0.8,zh;q=0.1", Language::En),
            ("*", Language::En),
            ("中", Language::En),
        ] {
            let request = TestRequest::get().insert_header(("accept-language", header)).to_http_request();
            assert_eq!(asked(&request), language, "{header}");
        }
    }
}
