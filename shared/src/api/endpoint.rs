//! The table of endpoints: the server's authorisation, the OpenAPI document and the tests all read it.

use serde::{Deserialize, Serialize};

/// What an account or API token may do; each role includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees everything but secrets.
    Viewer,
    /// Also answers, escalates and resolves.
    Responder,
    /// Also looks at the traffic of machines: begins and ends port mirrors.
    Network,
    /// Also changes configuration, accounts and tokens.
    Admin,
}

impl Role {
    /// The name used in configuration, command line and storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Responder => "responder",
            Self::Network => "network",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "viewer" => Ok(Self::Viewer),
            "responder" => Ok(Self::Responder),
            "network" => Ok(Self::Network),
            "admin" => Ok(Self::Admin),
            _ => Err(format!("`{text}` is not a role; use viewer, responder, network or admin")),
        }
    }
}

/// HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// One endpoint under `/api/v1`.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    pub method: Method,
    /// With `{id}` placeholders.
    pub path: &'static str,
    /// The least role; none for endpoints that work before signing in.
    pub role: Option<Role>,
    pub summary: &'static str,
    /// Names of the request and response types in the schema; empty when there is no body.
    pub request: &'static str,
    pub response: &'static str,
}

const fn e(
    method: Method,
    path: &'static str,
    role: Option<Role>,
    summary: &'static str,
    request: &'static str,
    response: &'static str,
) -> Endpoint {
    Endpoint { method, path, role, summary, request, response }
}

use Method::{Delete, Get, Post, Put};
const OPEN: Option<Role> = None;
const VIEW: Option<Role> = Some(Role::Viewer);
const RESPOND: Option<Role> = Some(Role::Responder);
const MIRROR: Option<Role> = Some(Role::Network);
const ADMIN: Option<Role> = Some(Role::Admin);

/// Every endpoint of the application interface. A route that is not here is not served; a row without a
/// handler fails a test.
pub const ENDPOINTS: &[Endpoint] = &[
    e(Get, "/api/v1/setup", OPEN, "Whether the first administrator is still to be made", "", "SetupState"),
    e(
        Post,
        "/api/v1/setup",
        OPEN,
        "Make the first administrator with the one-time code",
        "SetupRequest",
        "SessionInfo",
    ),
    e(Post, "/api/v1/session", OPEN, "Sign in", "SignInRequest", "SessionInfo"),
    e(Get, "/api/v1/session", VIEW, "Who is signed in", "", "SessionInfo"),
    e(Delete, "/api/v1/session", VIEW, "Sign out", "", ""),
    e(Get, "/api/v1/sessions", VIEW, "Own sessions", "", "List_SessionRow"),
    e(Delete, "/api/v1/sessions/{id}", VIEW, "End one of the own sessions", "", ""),
    e(Put, "/api/v1/me/password", VIEW, "Change the own password; ends all other sessions", "PasswordRequest", ""),
    e(Get, "/api/v1/me/person", VIEW, "The own contacts and rules", "", "Person"),
    e(Put, "/api/v1/me/person", RESPOND, "Change the own contacts, rules, language and zone", "Person", "Person"),
    e(
        Post,
        "/api/v1/me/test",
        RESPOND,
        "Send a test page to one of the own contacts",
        "TestPageRequest",
        "TestPageResult",
    ),
    e(
        Get,
        "/api/v1/incidents",
        VIEW,
        "Incidents, open ones by default; `?missed=true` those that were over before anybody answered",
        "",
        "IncidentList",
    ),
    e(
        Get,
        "/api/v1/incidents/{id}",
        VIEW,
        "One incident with alerts, pages, timeline and messages",
        "",
        "IncidentDetail",
    ),
    e(Get, "/api/v1/incidents/{id}/why", VIEW, "Why it paged whom", "", "Why"),
    e(Post, "/api/v1/incidents/{id}/ack", RESPOND, "Acknowledge", "ActionRequest", "IncidentRow"),
    e(Post, "/api/v1/incidents/{id}/unack", RESPOND, "Take the acknowledgement back", "ActionRequest", "IncidentRow"),
    e(Post, "/api/v1/incidents/{id}/resolve", RESPOND, "Resolve by hand", "ActionRequest", "IncidentRow"),
    e(
        Post,
        "/api/v1/incidents/{id}/snooze",
        RESPOND,
        "Quiet until a time, then trigger again",
        "ActionRequest",
        "IncidentRow",
    ),
    e(
        Post,
        "/api/v1/incidents/{id}/escalate",
        RESPOND,
        "Run the next or a chosen level now",
        "ActionRequest",
        "IncidentRow",
    ),
    e(Post, "/api/v1/incidents/{id}/reassign", RESPOND, "Page somebody in particular", "ActionRequest", "IncidentRow"),
    e(
        Post,
        "/api/v1/incidents/{id}/responders",
        RESPOND,
        "Page somebody besides, by their own rules",
        "ActionRequest",
        "IncidentRow",
    ),
    e(
        Post,
        "/api/v1/incidents/{id}/apply-policy",
        RESPOND,
        "Go on by the policies of the configuration in force",
        "ActionRequest",
        "IncidentRow",
    ),
    e(Post, "/api/v1/incidents/{id}/note", RESPOND, "Add a note", "ActionRequest", "IncidentRow"),
    e(
        Post,
        "/api/v1/incidents/{id}/merge",
        RESPOND,
        "Move what still fires into another incident and end this one",
        "ActionRequest",
        "IncidentRow",
    ),
    e(
        Post,
        "/api/v1/incidents/{id}/detach",
        RESPOND,
        "Give one of several alerts an incident of its own, which pages by its routes",
        "ActionRequest",
        "IncidentRow",
    ),
    e(
        Get,
        "/api/v1/analytics",
        VIEW,
        "How soon people answered in a range, whom it woke, and what is noise; `?format=csv` gives one table",
        "",
        "Analytics",
    ),
    e(Get, "/api/v1/alerts", VIEW, "Open alerts", "", "List_Alert"),
    e(Get, "/api/v1/oncall", VIEW, "Who is on call now", "", "OnCallNow"),
    e(Get, "/api/v1/schedules", VIEW, "Configured schedules", "", "List_Schedule"),
    e(
        Post,
        "/api/v1/schedules/preview",
        VIEW,
        "What a schedule that is not stored would say of a range",
        "SchedulePreview",
        "ScheduleRange",
    ),
    e(
        Get,
        "/api/v1/schedules/{id}/range",
        VIEW,
        "Who is on call in a range and why, with layers, gaps and load",
        "",
        "ScheduleRange",
    ),
    e(
        Get,
        "/api/v1/schedules/imported",
        VIEW,
        "Calendars that others keep and layers take their shifts from: how old each copy is, and what is wrong",
        "",
        "List_ImportedCalendar",
    ),
    e(
        Post,
        "/api/v1/schedules/{id}/imported",
        RESPOND,
        "Fetch the calendars that others keep for a schedule now",
        "",
        "List_ImportedCalendar",
    ),
    e(
        Get,
        "/api/v1/silences",
        VIEW,
        "Silences: those in force and to come first, then those of the last 30 days",
        "",
        "List_Silence",
    ),
    e(
        Post,
        "/api/v1/silences",
        RESPOND,
        "Keep something quiet, once, again and again, or until it recovers",
        "SilenceRequest",
        "Silence",
    ),
    e(
        Post,
        "/api/v1/silences/preview",
        RESPOND,
        "What a silence would keep quiet now, and would have in the last week",
        "SilenceRequest",
        "SilencePreview",
    ),
    e(Get, "/api/v1/silences/{id}", VIEW, "A silence and what it hid", "", "SilenceDetail"),
    e(Put, "/api/v1/silences/{id}", RESPOND, "Change a silence that is not over", "SilenceRequest", "Silence"),
    e(Post, "/api/v1/silences/{id}/end", RESPOND, "End a silence now: what still fires pages", "", "Silence"),
    e(Get, "/api/v1/storms", VIEW, "Storms and what became of everything in them, the newest first", "", "List_Storm"),
    e(Get, "/api/v1/swaps", VIEW, "Swaps, the newest first", "", "List_SwapRow"),
    e(Post, "/api/v1/schedules/{id}/swaps", RESPOND, "Offer a shift to somebody", "NewSwap", "SwapRow"),
    e(Post, "/api/v1/swaps/{id}/accept", RESPOND, "Take an offered shift", "", "SwapRow"),
    e(Post, "/api/v1/swaps/{id}/decline", RESPOND, "Decline an offered shift, or take the offer back", "", "SwapRow"),
    e(Get, "/api/v1/calendars", VIEW, "Calendar feeds that work, without their addresses", "", "List_CalendarRow"),
    e(
        Post,
        "/api/v1/calendars",
        VIEW,
        "Make a calendar feed of a person's or a schedule's shifts; its address is shown once",
        "NewCalendar",
        "CalendarMade",
    ),
    e(Delete, "/api/v1/calendars/{id}", VIEW, "Revoke a calendar feed; others' only as administrator", "", ""),
    e(Post, "/api/v1/schedules/{id}/overrides", RESPOND, "Cover, help out or let off", "NewOverride", "OverrideMade"),
    e(Delete, "/api/v1/schedules/{id}/overrides/{override}", RESPOND, "Take an override back", "", ""),
    e(Get, "/api/v1/policies", VIEW, "Configured policies", "", "List_Policy"),
    e(Get, "/api/v1/routes", VIEW, "The routing tree", "", "List_Route"),
    e(Get, "/api/v1/people", VIEW, "People, without addresses", "", "List_PersonRow"),
    e(
        Get,
        "/api/v1/people/{id}/why-not",
        VIEW,
        "What was going on around a moment, and why it rang for this person or did not",
        "",
        "WhyNot",
    ),
    e(
        Get,
        "/api/v1/versions",
        VIEW,
        "Versions of the configuration, newest first: when each was in force, whose it is, what it changed",
        "",
        "ConfigVersions",
    ),
    e(
        Get,
        "/api/v1/versions/{kind}/{id}",
        VIEW,
        "One configured thing as a version had it, and what became of it; without secrets and addresses",
        "",
        "NounThen",
    ),
    e(Get, "/api/v1/integrations", VIEW, "Senders and when each was last heard", "", "List_IntegrationRow"),
    e(Post, "/api/v1/integrations", ADMIN, "Make a sender with its token", "NewIntegration", "NewToken"),
    e(Delete, "/api/v1/integrations/{id}", ADMIN, "Revoke a sender's tokens", "", ""),
    e(Get, "/api/v1/heartbeats", VIEW, "What must be heard from, and how it stands", "", "List_HeartbeatRow"),
    e(
        Post,
        "/api/v1/heartbeats",
        ADMIN,
        "Add a heartbeat to the configuration, with an address of its own",
        "NewHeartbeat",
        "HeartbeatAddress",
    ),
    e(
        Post,
        "/api/v1/heartbeats/{id}/token",
        ADMIN,
        "Make another address for a heartbeat; it is shown once",
        "",
        "HeartbeatAddress",
    ),
    e(Delete, "/api/v1/heartbeats/{id}/token", ADMIN, "Revoke every address of a heartbeat", "", ""),
    e(Get, "/api/v1/sources", VIEW, "What says which machines there are, and how each stands", "", "List_SourceRow"),
    e(Get, "/api/v1/vms", VIEW, "Find machines by MAC, IP, name or UUID in any notation", "", "Lookup"),
    e(
        Post,
        "/api/v1/vms",
        VIEW,
        "Find everything that a text names, such as a program's output",
        "LookupRequest",
        "Lookup",
    ),
    e(Get, "/api/v1/vms/one", VIEW, "One VM: interfaces, open incidents, and where it has been", "", "VmDetail"),
    e(
        Get,
        "/api/v1/mirrors",
        VIEW,
        "Port mirrors, the switches that carry them and where copies may go",
        "",
        "MirrorBoard",
    ),
    e(
        Post,
        "/api/v1/mirrors/check",
        VIEW,
        "What the rules say of a mirror, and its plan: nothing is stored or sent",
        "MirrorSpec",
        "MirrorCheck",
    ),
    e(Post, "/api/v1/mirrors", MIRROR, "Begin the mirror of a plan that was looked at", "MirrorRequest", "Mirror"),
    e(Get, "/api/v1/mirrors/{id}", VIEW, "One mirror with its plan and what was done", "", "Mirror"),
    e(
        Post,
        "/api/v1/mirrors/{id}/approve",
        MIRROR,
        "Agree to the plan of a mirror that somebody else asked for",
        "MirrorApproval",
        "Mirror",
    ),
    e(Post, "/api/v1/mirrors/{id}/extend", MIRROR, "Give a running mirror more time", "MirrorExtension", "Mirror"),
    e(Post, "/api/v1/mirrors/{id}/stop", RESPOND, "End a mirror now, or take back one that waits", "", "Mirror"),
    e(
        Get,
        "/api/v1/mirrors/switches/{backend}/ports",
        VIEW,
        "The ports of a backend's switch, named by `switch`",
        "",
        "SwitchPorts",
    ),
    e(
        Post,
        "/api/v1/mirrors/switches/{backend}/panic",
        RESPOND,
        "Remove every mirror of a Tocsin's from a backend's switches at once",
        "",
        "PanicStopped",
    ),
    e(
        Get,
        "/api/v1/incidents/{id}/mirrors",
        VIEW,
        "The mirrors that are to help with an incident, and those it could begin with",
        "",
        "IncidentMirrors",
    ),
    e(Get, "/api/v1/inventory/ansible", VIEW, "All machines as a dynamic inventory of Ansible", "", ""),
    e(
        Get,
        "/api/v1/hypervisors/one",
        VIEW,
        "One hypervisor, its VMs, and which of them are alerting",
        "",
        "HypervisorRow",
    ),
    e(Get, "/api/v1/hosts", VIEW, "Monitored machines and how each stands", "", "HostBoard"),
    e(Post, "/api/v1/hosts", ADMIN, "Make the token of a new host's agent", "NewAgent", "NewToken"),
    e(
        Get,
        "/api/v1/hosts/one",
        VIEW,
        "One host, named by `name`: facts, tables, series, rules and incidents",
        "",
        "HostDetail",
    ),
    e(Delete, "/api/v1/hosts/one", RESPOND, "Forget a host that is no more, with everything measured of it", "", ""),
    e(
        Post,
        "/api/v1/hosts/series",
        VIEW,
        "Series of hosts in time, as many points as asked for, least and greatest kept",
        "SeriesQuery",
        "SeriesAnswer",
    ),
    e(Get, "/api/v1/thresholds", VIEW, "The threshold rules and how they stand", "", "ThresholdBoard"),
    e(
        Post,
        "/api/v1/thresholds/trial",
        VIEW,
        "What a threshold rule would have done with what was measured; nothing is kept",
        "ThresholdTrial",
        "ThresholdForecast",
    ),
    e(
        Get,
        "/api/v1/incidents/{id}/hosts",
        VIEW,
        "The monitored machines that an incident's alerts are about",
        "",
        "List_HostRow",
    ),
    e(
        Get,
        "/api/v1/events",
        VIEW,
        "Accepted messages, newest first; `?outcome=rejected` is the quarantine",
        "",
        "List_EventRow",
    ),
    e(Get, "/api/v1/events/{id}", VIEW, "One message as it arrived, with the parsed fields marked", "", "EventDetail"),
    e(Post, "/api/v1/preview/event", VIEW, "Parse a body without storing or paging", "", "Preview"),
    e(
        Post,
        "/api/v1/rehearsal",
        VIEW,
        "What would become of a message at a moment, and whom it would page while nobody answers; nothing is kept or sent",
        "RehearsalRequest",
        "Rehearsal",
    ),
    e(Get, "/api/v1/accounts", ADMIN, "Accounts", "", "List_AccountRow"),
    e(Post, "/api/v1/accounts", ADMIN, "Make an account", "NewAccount", "AccountRow"),
    e(
        Put,
        "/api/v1/accounts/{login}",
        ADMIN,
        "Change role or person, disable, or reset the password",
        "AccountChange",
        "AccountRow",
    ),
    e(Get, "/api/v1/tokens", ADMIN, "API tokens, never their text", "", "List_TokenRow"),
    e(Post, "/api/v1/tokens", ADMIN, "Make an API token; its text is shown once", "NewApiToken", "NewToken"),
    e(Delete, "/api/v1/tokens/{id}", ADMIN, "Revoke an API token", "", ""),
    e(Get, "/api/v1/config", ADMIN, "The configuration as TOML", "", "ConfigText"),
    e(Put, "/api/v1/config", ADMIN, "Check and apply a configuration", "ConfigText", "ConfigReport"),
    e(
        Post,
        "/api/v1/config/check",
        ADMIN,
        "Check a configuration and run its tests without applying it",
        "ConfigText",
        "ConfigReport",
    ),
    e(Get, "/api/v1/config/document", ADMIN, "The configuration as data, without its secrets", "", "ConfigDocument"),
    e(
        Put,
        "/api/v1/config/sections",
        ADMIN,
        "Replace the policies or the routes, check, and apply",
        "ConfigDraft",
        "ConfigReport",
    ),
    e(
        Post,
        "/api/v1/config/replay",
        ADMIN,
        "Begin to replay stored messages, through a draft too; one replay runs at a time",
        "ReplayRequest",
        "ReplayState",
    ),
    e(Get, "/api/v1/config/replay", ADMIN, "The replay that runs or ran last, with its result", "", "ReplayState"),
    e(Delete, "/api/v1/config/replay", ADMIN, "Cancel the replay that runs", "", ""),
    e(Get, "/api/v1/audit", ADMIN, "Who did what", "", "List_AuditRow"),
    e(Get, "/api/v1/status", VIEW, "Whether the pager itself is well", "", "PagerStatus"),
];
