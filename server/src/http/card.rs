//! The linked incident as a card inside the application's page: readable, and answerable, before any script runs.

use super::{
    App,
    ack::{ack_it, escaped, opened_ago},
    app::now,
    incidents,
    principal::{self, Principal},
    reader,
};
use actix_web::HttpRequest;
use shared::{Delay, Incident, IncidentId, IncidentState, api::Role, text::span};
use std::fmt::Write as _;

/// Where the card goes in `index.html`; the text up to the end of the comment is replaced.
const MARK: &str = "<!-- tocsin:card";
/// The button of a card left open works for this long.
const BUTTON_LIVES: Delay = Delay(3_600_000);

/// The incident a path is about.
pub(super) fn incident_of(path: &str) -> Option<IncidentId> {
    let number = path.strip_prefix("/incidents/")?;
    let number = number.split('/').next().unwrap_or(number);
    number.parse().ok().map(IncidentId)
}

/// The page with the card, for somebody who may see the incident; none for everybody else.
pub(super) async fn page(app: &App, request: &HttpRequest, html: &str, id: IncidentId) -> Option<String> {
    let principal = principal::identify(app, request).await.ok()??;
    let incident = incidents::find(app, id).await.ok()?;
    put(html, &card(app, request, &principal, &incident))
}

fn put(html: &str, card: &str) -> Option<String> {
    let (before, rest) = html.split_once(MARK)?;
    let (_, after) = rest.split_once("-->")?;
    Some(format!("{before}{card}{after}"))
}

fn card(app: &App, request: &HttpRequest, principal: &Principal, incident: &Incident) -> String {
    let l = reader::of(app, principal, request);
    let at = now();
    let mut html = format!(
        "<article class=\"card\" id=\"card\"><p><strong>{}</strong> #{} · {}</p><h1>{}</h1>",
        incident.severity,
        incident.id,
        opened_ago(l, &span(l, at.ms_since(incident.opened_at))),
        escaped(&incident.title),
    );
    let place: Vec<&str> = [incident.host.as_deref(), incident.ip.as_deref()].into_iter().flatten().collect();
    if !place.is_empty() {
        // Writing to a String cannot fail, here and below.
        write!(html, "<p class=\"mono\">{}</p>", escaped(&place.join(" · "))).ok();
    }
    let waits = incident.state == IncidentState::Triggered && principal.role >= Role::Responder;
    if let Some(person) = principal.person().filter(|_| waits) {
        // The same page that messages link to; no delivery led here, hence no attempt.
        let attempt = shared::AttemptId(0);
        let link = app.runtime.links().cap(incident.id, person, attempt, at.after(BUTTON_LIVES));
        let button = ack_it(l);
        write!(html, "<form method=\"post\" action=\"/a/{link}\"><button class=\"btn primary wide tall\">{button}</button></form>").ok();
    }
    html.push_str("</article>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_is_replaced_whole() {
        let html = "<body>\n<!-- tocsin:card (words) -->\n<p>Loading</p></body>";
        assert_eq!(put(html, "<b>x</b>").unwrap(), "<body>\n<b>x</b>\n<p>Loading</p></body>");
        assert_eq!(put("<body></body>", "x"), None);
    }

    #[test]
    fn a_path_names_its_incident() {
        assert_eq!(incident_of("/incidents/42"), Some(IncidentId(42)));
        assert_eq!(incident_of("/incidents/42/raw"), Some(IncidentId(42)));
        assert_eq!(incident_of("/incidents"), None);
        assert_eq!(incident_of("/incidents/x"), None);
    }
}
