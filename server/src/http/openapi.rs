//! The description of the interface, made of the table of endpoints and the types themselves.

use super::routes::name;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH},
};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use shared::{
    Alert,
    api::{self, ENDPOINTS, Endpoint},
    config::{Person, Policy, Route, Schedule},
    live::{BrowserMessage, LiveMessage},
    problem::Problem,
};
use std::sync::LazyLock;

static TEXT: LazyLock<(String, String)> = LazyLock::new(|| {
    let text = build().to_string();
    let digest = Sha256::digest(text.as_bytes());
    let tag: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    (text, format!("\"{tag}\""))
});

pub(super) async fn document(request: HttpRequest) -> HttpResponse {
    let (text, tag) = &*TEXT;
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if known == Some(tag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag.as_str())).insert_header((CACHE_CONTROL, "no-cache"));
    if known == Some(tag) {
        return response.finish();
    }
    response.content_type("application/json").body(text.as_str())
}

/// What list endpoints take in their query string.
const QUERIES: &[(&str, &[(&str, &str)])] = &[
    (
        "/api/v1/incidents",
        &[
            ("state", "Comma-separated: triggered, acked, snoozed, resolved; `open` (the default) and `all`"),
            ("severity", "Comma-separated: P0 to P6"),
            ("integration", "A sender's id"),
            ("team", "A team's id"),
            ("host", "A host name or address, whole"),
            ("q", "Words in number, title, host or address"),
            ("after", "`next` of the page before"),
            ("limit", "1 to 500"),
        ],
    ),
    (
        "/api/v1/schedules/{id}/range",
        &[("from", "Milliseconds since 1970"), ("until", "Milliseconds since 1970, at most 400 days later")],
    ),
    (
        "/api/v1/people/{id}/why-not",
        &[
            ("at", "Milliseconds since 1970, not in the future"),
            ("within", "Minutes before and after: 1 to 1440, 30 by default"),
            ("q", "Words in title, host, address or number (`#123`), and of a message in its text"),
        ],
    ),
    (
        "/api/v1/analytics",
        &[
            ("from", "Milliseconds since 1970"),
            ("until", "Milliseconds since 1970, at most 92 days later"),
            ("zone", "IANA name of the time zone of the hours of the week; UTC by default"),
            ("team", "A team's id"),
            ("severity", "Comma-separated: P0 to P6"),
            ("format", "`csv` for one table as CSV"),
            (
                "table",
                "With `format=csv`: acknowledge, resolve, people, channels, hours, identities, routes, policies, quiet, gaps or load",
            ),
        ],
    ),
    (
        "/api/v1/deliveries",
        &[
            ("state", "Comma-separated: sending, retrying, accepted, failed, cancelled"),
            ("severity", "Comma-separated: P0 to P6"),
            ("channel", "A kind of contact, such as sms"),
            ("provider", "Whoever carried it, such as twilio"),
            ("person", "A person's id"),
            ("webhook", "The id of a room or another webhook"),
            ("incident", "An incident's number"),
            ("from", "Milliseconds since 1970: first sent then or later"),
            ("until", "Milliseconds since 1970: first sent before"),
            ("after", "`next` of the page before"),
            ("limit", "1 to 500"),
            ("format", "`csv` for all of them, at most 20,000, as one table"),
        ],
    ),
    (
        "/api/v1/proof",
        &[
            ("from", "Milliseconds since 1970: links from then on"),
            ("to", "Milliseconds since 1970: links before then"),
            ("incident", "An incident's number instead: from its first link to its last, of others only the hashes"),
        ],
    ),
    ("/api/v1/versions", &[("version", "Begin with this one"), ("limit", "1 to 50, 20 by default")]),
    (
        "/api/v1/versions/{kind}/{id}",
        &[
            ("version", "The version; by default the one that was in force at `at`"),
            ("at", "Milliseconds since 1970: when it was used; now by default"),
        ],
    ),
    ("/api/v1/vms", &[("q", "Addresses in any notation, parts of them, networks, names, UUIDs")]),
    ("/api/v1/vms/one", &[("source", "A source's id"), ("key", "How the source names the VM")]),
    ("/api/v1/hypervisors/one", &[("source", "A source's id"), ("key", "How the source names the hypervisor")]),
    (
        "/api/v1/hosts/one",
        &[
            ("name", "The host's name"),
            ("from", "Milliseconds since 1970: resolved incidents that were over since; 24 hours ago by default"),
            ("until", "Milliseconds since 1970: resolved incidents that began before; now by default"),
        ],
    ),
    ("/api/v1/alerts", &[("after", "`next` of the page before"), ("limit", "1 to 500")]),
    (
        "/api/v1/events",
        &[
            ("integration", "A sender's id"),
            ("outcome", "opened, refreshed, closed, suppressed, dropped or rejected"),
            ("incident", "An incident's number"),
            ("after", "`next` of the page before"),
            ("limit", "1 to 500"),
        ],
    ),
    ("/api/v1/mirrors/switches/{backend}/ports", &[("switch", "A switch of the backend, as the list names it")]),
    ("/api/v1/mobile/sync", &[("cursor", "`cursor` of the answer before")]),
    ("/api/v1/audit", &[("after", "`next` of the page before"), ("limit", "1 to 500")]),
    ("/api/v1/preview/event", &[("format", "auto, bracket, falcon, json, text, form or syslog")]),
];

macro_rules! known {
    ($generator:expr, $name:ident, $($key:literal => $type:ty),* $(,)?) => {
        match $name {
            $($key => Some(inline::<$type>($generator)),)*
            _ => None,
        }
    };
}

fn inline<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let name = T::schema_name().into_owned();
    let reference = generator.subschema_for::<T>().to_value();
    generator.definitions().get(&name).cloned().unwrap_or(reference)
}

/// The schema of a type by the name the table gives it, with the types it refers to.
fn schema(name: &str) -> Option<(Value, Map<String, Value>)> {
    let settings = SchemaSettings::draft2020_12().with(|it| it.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let found = known!(&mut generator, name,
        "SetupState" => api::SetupState,
        "SetupRequest" => api::SetupRequest,
        "SessionInfo" => api::SessionInfo,
        "SignInRequest" => api::SignInRequest,
        "List_SessionRow" => api::List<api::SessionRow>,
        "PasswordRequest" => api::PasswordRequest,
        "Person" => Person,
        "IncidentList" => api::IncidentList,
        "IncidentDetail" => api::IncidentDetail,
        "Analytics" => api::Analytics,
        "Why" => api::Why,
        "WhyNot" => api::WhyNot,
        "ActionRequest" => api::ActionRequest,
        "IncidentRow" => api::IncidentRow,
        "List_Alert" => api::List<Alert>,
        "OnCallNow" => api::OnCallNow,
        "List_Schedule" => api::List<Schedule>,
        "SchedulePreview" => api::SchedulePreview,
        "ScheduleRange" => api::ScheduleRange,
        "NewSwap" => api::NewSwap,
        "Silence" => shared::Silence,
        "SilenceRequest" => shared::SilenceRequest,
        "SilenceDetail" => api::SilenceDetail,
        "SilencePreview" => api::SilencePreview,
        "List_Storm" => api::List<shared::Storm>,
        "List_Silence" => api::List<shared::Silence>,
        "SwapRow" => api::SwapRow,
        "ShiftReady" => api::ShiftReady,
        "List_ImportedCalendar" => api::List<api::ImportedCalendar>,
        "List_SwapRow" => api::List<api::SwapRow>,
        "List_CalendarRow" => api::List<api::CalendarRow>,
        "NewCalendar" => api::NewCalendar,
        "CalendarMade" => api::CalendarMade,
        "NewOverride" => api::NewOverride,
        "OverrideMade" => api::OverrideMade,
        "List_Policy" => api::List<Policy>,
        "List_Route" => api::List<Route>,
        "List_PersonRow" => api::List<api::PersonRow>,
        "List_IntegrationRow" => api::List<api::IntegrationRow>,
        "NewIntegration" => api::NewIntegration,
        "NewToken" => api::NewToken,
        "List_SourceRow" => api::List<api::SourceRow>,
        "LookupRequest" => api::LookupRequest,
        "Lookup" => api::Lookup,
        "VmDetail" => api::VmDetail,
        "HypervisorRow" => api::HypervisorRow,
        "List_HeartbeatRow" => api::List<api::HeartbeatRow>,
        "NewHeartbeat" => api::NewHeartbeat,
        "HeartbeatAddress" => api::HeartbeatAddress,
        "List_EventRow" => api::List<api::EventRow>,
        "EventDetail" => api::EventDetail,
        "Confirmed" => api::Confirmed,
        "Preview" => api::Preview,
        "MappingTrial" => api::MappingTrial,
        "MappingPreview" => api::MappingPreview,
        "List_AccountRow" => api::List<api::AccountRow>,
        "NewAccount" => api::NewAccount,
        "AccountRow" => api::AccountRow,
        "AccountChange" => api::AccountChange,
        "List_TokenRow" => api::List<api::TokenRow>,
        "NewApiToken" => api::NewApiToken,
        "ConfigText" => api::ConfigText,
        "ConfigReport" => api::ConfigReport,
        "ConfigVersions" => api::ConfigVersions,
        "NounThen" => api::NounThen,
        "ConfigDocument" => api::ConfigDocument,
        "ConfigDraft" => api::ConfigDraft,
        "RehearsalRequest" => api::RehearsalRequest,
        "Rehearsal" => api::Rehearsal,
        "ReplayRequest" => api::ReplayRequest,
        "ReplayState" => api::ReplayState,
        "List_AuditRow" => api::List<api::AuditRow>,
        "PagerStatus" => api::PagerStatus,
        "Problem" => Problem,
        "Receipt" => api::Receipt,
        "AgentReport" => shared::agent::AgentReport,
        "AgentAnswer" => shared::agent::AgentAnswer,
        "LiveMessage" => LiveMessage,
        "BrowserMessage" => BrowserMessage,
    );
    let found = found.or_else(|| schema_of_delivery(&mut generator, name));
    let found = found.or_else(|| schema_of_phones(&mut generator, name));
    let found = found.or_else(|| schema_of_mirrors(&mut generator, name));
    let found = found.or_else(|| schema_of_hosts(&mut generator, name))?;
    Some((found, generator.take_definitions(true)))
}

fn schema_of_delivery(generator: &mut SchemaGenerator, name: &str) -> Option<Value> {
    known!(generator, name,
        "NewSenderToken" => api::NewSenderToken,
        "List_SenderRequest" => api::List<api::SenderRequest>,
        "List_DeviceRow" => api::List<api::DeviceRow>,
        "NewDevice" => api::NewDevice,
        "DeviceRow" => api::DeviceRow,
        "DeviceChange" => api::DeviceChange,
        "NewTestPage" => api::NewTestPage,
        "TestPage" => api::TestPage,
        "PushKey" => api::PushKey,
        "List_DeliveryRow" => api::List<api::DeliveryRow>,
        "DeliveryHealth" => api::DeliveryHealth,
        "List_ChannelRow" => api::List<api::ChannelRow>,
        "TestPageRequest" => api::TestPageRequest,
        "TestPageResult" => api::TestPageResult,
    )
}

fn schema_of_phones(generator: &mut SchemaGenerator, name: &str) -> Option<Value> {
    known!(generator, name,
        "Pairing" => api::Pairing,
        "PairRequest" => api::PairRequest,
        "Paired" => api::Paired,
        "SessionToken" => api::SessionToken,
        "PushChange" => api::PushChange,
        "MobileIncidents" => api::MobileIncidents,
        "MobileSync" => api::MobileSync,
        "MobileOnCall" => api::MobileOnCall,
        "ReceiptBatch" => api::ReceiptBatch,
        "ReceiptsTaken" => api::ReceiptsTaken,
        "List_PersonDevice" => api::List<api::PersonDevice>,
    )
}

fn schema_of_mirrors(generator: &mut SchemaGenerator, name: &str) -> Option<Value> {
    known!(generator, name,
        "MirrorBoard" => api::MirrorBoard,
        "MirrorSpec" => shared::mirror::MirrorSpec,
        "MirrorCheck" => api::MirrorCheck,
        "MirrorRequest" => api::MirrorRequest,
        "MirrorApproval" => api::MirrorApproval,
        "MirrorExtension" => api::MirrorExtension,
        "Mirror" => shared::mirror::Mirror,
        "SwitchPorts" => api::SwitchPorts,
        "PanicStopped" => api::PanicStopped,
        "IncidentMirrors" => api::IncidentMirrors,
    )
}

fn schema_of_hosts(generator: &mut SchemaGenerator, name: &str) -> Option<Value> {
    known!(generator, name,
        "HostBoard" => api::HostBoard,
        "NewAgent" => api::NewAgent,
        "HostDetail" => api::HostDetail,
        "SeriesQuery" => api::SeriesQuery,
        "SeriesAnswer" => api::SeriesAnswer,
        "ThresholdBoard" => api::ThresholdBoard,
        "ThresholdTrial" => api::ThresholdTrial,
        "ThresholdForecast" => api::ThresholdForecast,
        "List_HostRow" => api::List<api::HostRow>,
        "SampleReport" => shared::agent::SampleReport,
        "SampleAnswer" => shared::agent::SampleAnswer,
    )
}

/// Types beside the table of endpoints.
const OTHERS: [&str; 8] = [
    "Problem",
    "Receipt",
    "AgentReport",
    "AgentAnswer",
    "SampleReport",
    "SampleAnswer",
    "LiveMessage",
    "BrowserMessage",
];

fn build() -> Value {
    let mut schemas = Map::new();
    let bodies = ENDPOINTS.iter().flat_map(|row| [row.request, row.response]);
    for name in bodies.chain(OTHERS) {
        if let Some((schema, others)) = schema(name) {
            schemas.extend(others);
            schemas.insert(name.to_owned(), schema);
        }
    }
    let mut paths: Map<String, Value> = Map::new();
    for row in ENDPOINTS {
        let path = paths.entry(row.path.to_owned()).or_insert_with(|| json!({}));
        path[name(row.method).to_ascii_lowercase()] = operation(row);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tocsin",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Lists are {items, next}: pass `next` as `after`. Refusals are application/problem+json \
                            with a stable `code`. Times are milliseconds since 1970. The live connection is a \
                            WebSocket at /api/v1/live (LiveMessage, BrowserMessage). Senders post to /ingest/{token} \
                            and get a Receipt. Agents post an AgentReport to /agent/v1/report and get an AgentAnswer; what they \
                            measured they post as a SampleReport to /agent/v1/samples and get a SampleAnswer.",
            "license": { "name": "Apache-2.0" },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": "tocsin" },
            },
        },
        "paths": paths,
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn operation(row: &Endpoint) -> Value {
    let mut responses = json!({
        "default": {
            "description": "Refused, with the reason",
            "content": { "application/problem+json": { "schema": reference("Problem") } },
        },
    });
    responses[success(row)] = if row.response.is_empty() {
        json!({ "description": "Done" })
    } else {
        json!({ "description": "Done", "content": { "application/json": { "schema": reference(row.response) } } })
    };
    let mut operation = json!({
        "summary": row.summary,
        "operationId": operation_id(row),
        "parameters": parameters(row),
        "responses": responses,
    });
    if !row.request.is_empty() {
        let required = row.request != "ActionRequest";
        operation["requestBody"] = json!({
            "required": required,
            "content": { "application/json": { "schema": reference(row.request) } },
        });
    } else if row.path == "/api/v1/preview/event" {
        operation["requestBody"] = json!({ "required": true, "content": { "*/*": {} } });
    }
    match row.role {
        Some(role) => {
            operation["security"] = json!([{ "token": [] }, { "session": [] }]);
            operation["x-role"] = json!(role);
        }
        None => operation["security"] = json!([]),
    }
    operation
}

fn success(row: &Endpoint) -> &'static str {
    match (row.response, row.method, row.path) {
        ("", ..) => "204",
        (_, api::Method::Post, "/api/v1/integrations" | "/api/v1/accounts" | "/api/v1/tokens" | "/api/v1/hosts") => {
            "201"
        }
        _ => "200",
    }
}

fn operation_id(row: &Endpoint) -> String {
    let words = row.path.trim_start_matches("/api/v1/").replace(['{', '}'], "").replace('/', "_");
    format!("{}_{words}", name(row.method).to_ascii_lowercase())
}

fn parameters(row: &Endpoint) -> Value {
    let in_path = row.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let of_path = in_path.map(|name| {
        let is_name = name == "login" || row.path.contains("integrations");
        let kind = if is_name { "string" } else { "integer" };
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind } })
    });
    let reads = matches!(row.method, api::Method::Get) || row.path.starts_with("/api/v1/preview/");
    let queries = QUERIES.iter().filter(|(path, _)| reads && *path == row.path).flat_map(|(_, list)| *list);
    let of_query = queries.map(|(name, meaning)| {
        let kind = if *name == "limit" { "integer" } else { "string" };
        json!({ "name": name, "in": "query", "description": meaning, "schema": { "type": kind } })
    });
    of_path.chain(of_query).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_table_has_a_schema_and_every_reference_an_end() {
        let document = build();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for row in ENDPOINTS {
            for name in [row.request, row.response].into_iter().filter(|name| !name.is_empty()) {
                assert!(schemas.contains_key(name), "{name}");
            }
        }
        let text = document.to_string();
        for part in text.split("\"$ref\":\"").skip(1) {
            let target = part.split('"').next().unwrap();
            let name = target.strip_prefix("#/components/schemas/").unwrap_or_else(|| panic!("{target}"));
            assert!(schemas.contains_key(name), "{name}");
        }
        let paths = document["paths"].as_object().unwrap();
        let operations: usize = paths.values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(operations, ENDPOINTS.len());
        assert_eq!(document["paths"]["/api/v1/incidents/{id}/ack"]["post"]["x-role"], "responder");
    }
}
