//! Where each handler is mounted: the table of endpoints is the list, and nothing is served beside it.

use super::{
    accounts, ack, actions, agents, analytics, audit, calendar, callbacks, channels, config, confirm, contact_card,
    deliveries, devices, events, health, heartbeats, hosts, imported, incidents, integrations, inventory, me, mirrors,
    mobile, oncall, openapi, overrides, pairing, people, principal, problem::ApiError, proof, ready, receipts,
    rehearsal, repeats, replay, schedules, session, setup, silences, storms, swaps, test_pages, thresholds, tokens, ui,
    versions, why, why_not,
};
use crate::{ingest, live};
use actix_web::{
    HttpRequest, HttpResponse, Responder, Route,
    guard::{self, Guard},
    http,
    middleware::{Compress, from_fn},
    web,
};
use shared::api::{ENDPOINTS, Endpoint, Method, Role};

const PREFIX: &str = "/api/v1";

/// The live connection: not an exchange of bodies, hence not in the table, but authorised like one that is.
pub(super) const LIVE: Endpoint = Endpoint {
    method: Method::Get,
    path: "/api/v1/live",
    role: Some(Role::Viewer),
    summary: "The live connection",
    request: "",
    response: "",
};

type Mount = fn() -> Route;
use Method::{Delete, Get, Post, Put};

macro_rules! to {
    ($handler:path) => {
        || web::route().to($handler)
    };
}

const HANDLERS: &[(Method, &str, Mount)] = &[
    (Get, "/setup", to!(setup::setup_state)),
    (Post, "/setup", to!(setup::set_up)),
    (Post, "/session", to!(session::sign_in)),
    (Get, "/session", to!(session::who_am_i)),
    (Delete, "/session", to!(session::sign_out)),
    (Get, "/sessions", to!(session::list_sessions)),
    (Delete, "/sessions/{id}", to!(session::end_session)),
    (Put, "/me/password", to!(me::change_password)),
    (Get, "/me/person", to!(me::own_person)),
    (Put, "/me/person", to!(me::change_person)),
    (Post, "/me/test", to!(me::send_test)),
    (Post, "/me/pairings", to!(pairing::offer)),
    (Get, "/me/devices", to!(devices::list_devices)),
    (Post, "/me/devices", to!(devices::register)),
    (Put, "/me/devices/{id}", to!(devices::change)),
    (Delete, "/me/devices/{id}", to!(devices::remove)),
    (Post, "/me/test-pages", to!(test_pages::begin)),
    (Get, "/me/test-pages/{id}", to!(test_pages::show)),
    (Get, "/me/contact-card.vcf", to!(contact_card::show)),
    (Post, "/mobile/pair", to!(pairing::pair)),
    (Post, "/mobile/session/rotate", to!(pairing::rotate)),
    (Put, "/mobile/push", to!(pairing::change_push)),
    (Get, "/mobile/incidents", to!(mobile::own_incidents)),
    (Get, "/mobile/sync", to!(mobile::sync)),
    (Get, "/mobile/oncall", to!(mobile::own_duty)),
    (Post, "/mobile/receipts", to!(mobile::take_receipts)),
    (Get, "/devices", to!(devices::list_all)),
    (Delete, "/devices/{id}", to!(devices::revoke)),
    (Get, "/push/key", to!(devices::push_key)),
    (Post, "/me/shifts/ready", to!(ready::own)),
    (Get, "/incidents", to!(incidents::list_incidents)),
    (Get, "/incidents/{id}", to!(incidents::show_incident)),
    (Get, "/incidents/{id}/why", to!(why::explain)),
    (Post, "/incidents/{id}/ack", to!(actions::ack)),
    (Post, "/incidents/{id}/unack", to!(actions::unack)),
    (Post, "/incidents/{id}/resolve", to!(actions::resolve)),
    (Post, "/incidents/{id}/snooze", to!(actions::snooze)),
    (Post, "/incidents/{id}/escalate", to!(actions::escalate)),
    (Post, "/incidents/{id}/reassign", to!(actions::reassign)),
    (Post, "/incidents/{id}/responders", to!(actions::responders)),
    (Post, "/incidents/{id}/apply-policy", to!(actions::apply_policy)),
    (Post, "/incidents/{id}/note", to!(actions::note)),
    (Post, "/incidents/{id}/merge", to!(actions::merge)),
    (Post, "/incidents/{id}/detach", to!(actions::detach)),
    (Get, "/analytics", to!(analytics::show)),
    (Get, "/deliveries", to!(deliveries::list_deliveries)),
    (Get, "/deliveries/health", to!(deliveries::show_health)),
    (Get, "/proof", to!(proof::export)),
    (Get, "/alerts", to!(incidents::list_alerts)),
    (Get, "/oncall", to!(oncall::on_call_now)),
    (Get, "/schedules", to!(people::list_schedules)),
    (Post, "/schedules/preview", to!(schedules::preview)),
    (Get, "/schedules/{id}/range", to!(schedules::show_range)),
    (Get, "/schedules/imported", to!(imported::list_imported)),
    (Post, "/schedules/{id}/imported", to!(imported::fetch_imported)),
    (Get, "/silences", to!(silences::list_silences)),
    (Post, "/silences", to!(silences::make_silence)),
    (Post, "/silences/preview", to!(silences::preview_silence)),
    (Get, "/silences/{id}", to!(silences::show_silence)),
    (Put, "/silences/{id}", to!(silences::change_silence)),
    (Post, "/silences/{id}/end", to!(silences::end_silence)),
    (Get, "/storms", to!(storms::list_storms)),
    (Get, "/swaps", to!(swaps::list_swaps)),
    (Post, "/schedules/{id}/swaps", to!(swaps::offer)),
    (Post, "/swaps/{id}/accept", to!(swaps::accept)),
    (Post, "/swaps/{id}/decline", to!(swaps::decline)),
    (Get, "/calendars", to!(calendar::list_calendars)),
    (Post, "/calendars", to!(calendar::make_calendar)),
    (Delete, "/calendars/{id}", to!(calendar::revoke_calendar)),
    (Post, "/schedules/{id}/overrides", to!(overrides::make_override)),
    (Delete, "/schedules/{id}/overrides/{override}", to!(overrides::drop_override)),
    (Get, "/policies", to!(people::list_policies)),
    (Get, "/routes", to!(people::list_routes)),
    (Get, "/people", to!(people::list_people)),
    (Get, "/people/{id}/why-not", to!(why_not::explain)),
    (Get, "/versions", to!(versions::list_versions)),
    (Get, "/versions/{kind}/{id}", to!(versions::show_noun)),
    (Get, "/integrations", to!(integrations::list_integrations)),
    (Post, "/integrations", to!(integrations::make_integration)),
    (Delete, "/integrations/{id}", to!(integrations::revoke_integration)),
    (Post, "/integrations/{id}/tokens", to!(integrations::replace_token)),
    (Get, "/integrations/{id}/requests", to!(integrations::list_requests)),
    (Get, "/heartbeats", to!(heartbeats::list_heartbeats)),
    (Post, "/heartbeats", to!(heartbeats::make_heartbeat)),
    (Post, "/heartbeats/{id}/token", to!(heartbeats::make_token)),
    (Delete, "/heartbeats/{id}/token", to!(heartbeats::revoke_tokens)),
    (Get, "/sources", to!(inventory::list_sources)),
    (Get, "/vms", to!(inventory::find_vms)),
    (Post, "/vms", to!(inventory::find_many)),
    (Get, "/vms/one", to!(inventory::show_vm)),
    (Get, "/mirrors", to!(mirrors::list_mirrors)),
    (Post, "/mirrors/check", to!(mirrors::check_mirror)),
    (Post, "/mirrors", to!(mirrors::begin_mirror)),
    (Get, "/mirrors/{id}", to!(mirrors::show_mirror)),
    (Post, "/mirrors/{id}/approve", to!(mirrors::approve_mirror)),
    (Post, "/mirrors/{id}/extend", to!(mirrors::extend_mirror)),
    (Post, "/mirrors/{id}/stop", to!(mirrors::stop_mirror)),
    (Get, "/mirrors/switches/{backend}/ports", to!(mirrors::list_ports)),
    (Post, "/mirrors/switches/{backend}/panic", to!(mirrors::panic_stop)),
    (Get, "/incidents/{id}/mirrors", to!(mirrors::mirrors_of_incident)),
    (Get, "/inventory/ansible", to!(inventory::ansible)),
    (Get, "/hypervisors/one", to!(inventory::show_hypervisor)),
    (Get, "/hosts", to!(hosts::list_hosts)),
    (Post, "/hosts", to!(hosts::make_agent)),
    (Get, "/hosts/one", to!(hosts::show_host)),
    (Delete, "/hosts/one", to!(hosts::forget_host)),
    (Post, "/hosts/series", to!(hosts::show_series)),
    (Get, "/thresholds", to!(thresholds::list_thresholds)),
    (Post, "/thresholds/trial", to!(thresholds::try_threshold)),
    (Get, "/incidents/{id}/hosts", to!(hosts::hosts_of_incident)),
    (Get, "/events", to!(events::list_events)),
    (Get, "/events/{id}", to!(events::show_event)),
    (Post, "/events/{id}/replay", to!(events::replay_event)),
    (Post, "/events/{id}/confirm", to!(confirm::confirm)),
    (Post, "/preview/event", to!(events::preview_event)),
    (Post, "/preview/mapping", to!(events::preview_mapping)),
    (Post, "/rehearsal", to!(rehearsal::rehearse)),
    (Get, "/accounts", to!(accounts::list_accounts)),
    (Post, "/accounts", to!(accounts::make_account)),
    (Put, "/accounts/{login}", to!(accounts::change_account)),
    (Get, "/tokens", to!(tokens::list_tokens)),
    (Post, "/tokens", to!(tokens::make_token)),
    (Delete, "/tokens/{id}", to!(tokens::revoke_token)),
    (Get, "/config", to!(config::show_config)),
    (Put, "/config", to!(config::apply_config)),
    (Post, "/config/check", to!(config::check_config)),
    (Get, "/config/document", to!(config::show_document)),
    (Put, "/config/sections", to!(config::apply_sections)),
    (Post, "/config/replay", to!(replay::begin_replay)),
    (Get, "/config/replay", to!(replay::show_replay)),
    (Delete, "/config/replay", to!(replay::cancel_replay)),
    (Get, "/audit", to!(audit::list_audit)),
    (Get, "/channels", to!(channels::list_channels)),
    (Get, "/status", to!(health::status)),
];

/// Every endpoint that has a handler, as (method, path); for the test that compares them with the table.
#[must_use]
pub fn mounted() -> Vec<(Method, String)> {
    HANDLERS.iter().map(|(method, path, _)| (*method, format!("{PREFIX}{path}"))).collect()
}

/// Mounts everything the server answers.
pub fn configure(server: &mut web::ServiceConfig) {
    server
        .app_data(web::PathConfig::default().error_handler(|_, _| ApiError::not_found("thing").into()))
        .app_data(web::QueryConfig::default().error_handler(|error, _| {
            ApiError::new(http::StatusCode::BAD_REQUEST, "bad_query", "The query string cannot be read")
                .detail(error.to_string())
                .into()
        }))
        .configure(ingest::routes)
        .service(
            web::resource(shared::agent::REPORT_PATH)
                .route(web::post().to(agents::report))
                .default_service(web::to(|| async { not_allowed("POST") })),
        )
        .service(
            web::resource(shared::agent::SAMPLES_PATH)
                .route(web::post().to(agents::samples))
                .default_service(web::to(|| async { not_allowed("POST") })),
        )
        .service(
            web::scope(PREFIX)
                .wrap(from_fn(repeats::once))
                .wrap(Compress::default())
                .wrap(from_fn(principal::authorise))
                .configure(endpoints)
                .default_service(web::to(no_endpoint)),
        )
        .route("/api/openapi.json", web::get().to(openapi::document))
        .service(
            web::resource("/a/{cap}")
                .route(web::route().guard(readable()).to(ack::show))
                .route(web::post().to(ack::act))
                .default_service(web::to(|| async { not_allowed("GET, HEAD, POST") })),
        )
        .service(
            web::resource("/r/{cap}")
                .route(web::route().guard(readable()).to(ready::show))
                .route(web::post().to(ready::confirm))
                .default_service(web::to(|| async { not_allowed("GET, HEAD, POST") })),
        )
        .route("/pair", web::route().guard(readable()).to(pairing::opened))
        .service(
            web::resource("/p/r")
                .route(web::post().to(receipts::take))
                .default_service(web::to(|| async { not_allowed("POST") })),
        )
        .service(web::scope("/cb").configure(callbacks::routes))
        .route("/calendar/{token}.ics", web::route().guard(readable()).to(calendar::feed))
        .route("/healthz", web::route().guard(readable()).to(health::healthz))
        .route("/readyz", web::route().guard(readable()).to(health::readyz))
        .route("/metrics", web::route().guard(readable()).to(health::metrics))
        .default_service(web::to(ui::serve));
}

fn endpoints(scope: &mut web::ServiceConfig) {
    scope.route("/live", web::get().to(live::socket));
    let mut paths: Vec<&str> = HANDLERS.iter().map(|(_, path, _)| *path).collect();
    paths.dedup();
    for path in paths {
        let mut resource = web::resource(path);
        for (method, _, mount) in HANDLERS.iter().filter(|(_, other, _)| *other == path) {
            let route = match method {
                Get => mount().guard(readable()),
                Post => mount().guard(guard::Post()),
                Put => mount().guard(guard::Put()),
                Delete => mount().guard(guard::Delete()),
            };
            resource = resource.route(route);
        }
        scope.service(resource.default_service(web::to(wrong_method)));
    }
}

/// HEAD is GET without the body.
fn readable() -> impl Guard {
    guard::Any(guard::Get()).or(guard::Head())
}

/// The row of the table a request asks for.
pub(super) fn endpoint(request: &HttpRequest) -> Option<&'static Endpoint> {
    let method = match *request.method() {
        http::Method::GET | http::Method::HEAD => Get,
        http::Method::POST => Post,
        http::Method::PUT => Put,
        http::Method::DELETE => Delete,
        _ => return None,
    };
    let pattern = request.match_pattern()?;
    ENDPOINTS.iter().chain([&LIVE]).find(|row| row.method == method && row.path == pattern)
}

async fn no_endpoint() -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_found("endpoint").detail("/api/openapi.json lists them."))
}

async fn wrong_method(request: HttpRequest) -> impl Responder {
    let pattern = request.match_pattern().unwrap_or_default();
    let allowed: Vec<&str> = ENDPOINTS.iter().filter(|row| row.path == pattern).map(|row| name(row.method)).collect();
    not_allowed(&allowed.join(", "))
}

pub(super) const fn name(method: Method) -> &'static str {
    match method {
        Get => "GET",
        Post => "POST",
        Put => "PUT",
        Delete => "DELETE",
    }
}

pub(super) fn not_allowed(methods: &str) -> Result<HttpResponse, ApiError> {
    let title = "This address does not take that method";
    let refusal = ApiError::new(http::StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", title);
    Err(refusal.detail(format!("It takes {methods}.")).allow(methods.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_handlers_are_the_same_list() {
        let table: Vec<(Method, String)> = ENDPOINTS.iter().map(|row| (row.method, row.path.to_owned())).collect();
        assert_eq!(mounted(), table);
    }
}
