//! The configuration as one document: who there is, who is on call, who is paged for what, and how.
//!
//! `config.default.toml` in the server shows every key with its default. Unknown keys are refused,
//! so that a misspelt one cannot silently mean nothing.

mod calm;
mod channels;
mod condition;
mod heartbeat;
mod host;
mod mapping;
mod mirror;
mod oncall;
mod people;
mod provider;
mod routing;
mod rule_set;
mod sender;
mod silence;
mod source;
mod time;
mod trial;

pub use calm::{Allowance, Allowances, Limit, Limits, StormMode, SuspectMode};
pub use channels::{
    Carrier, Channels, Defer, EmailChannel, EmailTls, FlapDetection, NtfyChannel, OutboundHeartbeat, Paging,
    WebhookChannel,
};
pub use condition::{Condition, Operator};
pub use heartbeat::Heartbeat;
pub use host::{HostGroup, HostMode, Scrape, Template, Threshold};
pub use mapping::{MappedSeverity, MappedStatus, MappedWhen, Mapping, Texts};
pub use mirror::{Backend, Collector, MirrorMode};
pub use oncall::{
    Every, FixedShift, HolidayCalendar, Layer, LayerDays, Override, OverrideKind, Readiness, Rotation, Schedule,
    Temporary, TimeOff, Weekday, Window,
};
pub use people::{Contact, ContactKind, Language, Person, QuietHours, Rule, RuleStep, Team};
pub use provider::{
    AliyunChannel, ApnsChannel, DingTalkChannel, FcmChannel, FeishuChannel, Gateway, GatewayFor, GatewayFormat,
    PushChannel, SlackChannel, TelegramChannel, TencentChannel, TwilioChannel, WeComChannel,
};
pub use routing::{
    Class, Group, Hook, Inhibition, Integration, Level, LevelWhen, Policy, Route, StaleAction, Syslog, SyslogRule,
    Target,
};
pub use rule_set::RuleSet;
pub use sender::{Certificate, Forward, Mail, RateLimit, Signature, SignatureKind};
pub use silence::ConfiguredSilence;
pub use source::{Source, SourceKind};
pub use time::{TimeSpan, TimeWindow};
pub use trial::{ExpectedPage, Trial};

use serde::{Deserialize, Serialize};

/// The whole document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// Where browsers and phones reach this server; used in links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    pub paging: Paging,
    pub limits: Limits,
    /// What providers take.
    pub allowances: Allowances,
    pub storm: StormMode,
    pub suspects: SuspectMode,
    /// Port mirrors: what carries them out, and what is allowed.
    pub mirrors: MirrorMode,
    pub flapping: FlapDetection,
    /// How hosts are measured, and how long that is kept.
    pub hosts: HostMode,
    pub channels: Channels,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub integrations: Vec<Integration>,
    /// Where mail to integrations is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<Mail>,
    /// What must be heard from again and again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heartbeats: Vec<Heartbeat>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<Team>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<Schedule>,
    /// Whether those who come on call are asked if they are ready.
    pub readiness: Readiness,
    /// Who is away when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub time_off: Vec<TimeOff>,
    /// Holiday calendars, for schedules to name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<HolidayCalendar>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Hook>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Policy>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub time_windows: Vec<TimeWindow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Which alerts keep others quiet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inhibitions: Vec<Inhibition>,
    /// What is kept quiet as long as it stands here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<ConfiguredSilence>,
    /// What says which machines there are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Hosts that are meant together.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_groups: Vec<HostGroup>,
    /// When a value of a host becomes an alert.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Template>,
    /// Who is paged when a policy reaches nobody at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<Target>,
    /// Tests that `tocsin check` runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Trial>,
}

impl Document {
    /// The addresses of calendars that others keep, each as often as a layer names it.
    pub fn calendar_urls(&self) -> impl Iterator<Item = &str> {
        self.schedules.iter().flat_map(Schedule::calendar_urls)
    }

    /// What a provider takes for one contact of a kind, by whoever carries it.
    pub fn allowances(&self, kind: ContactKind) -> impl Iterator<Item = Allowance> + '_ {
        let carrier = match kind {
            ContactKind::Sms => self.channels.carrier(GatewayFor::Sms).ok(),
            ContactKind::Voice => self.channels.carrier(GatewayFor::Voice).ok(),
            _ => None,
        };
        let of = move |it: &&Allowance| {
            it.contact == kind && it.carrier.as_deref().is_none_or(|name| carrier.is_some_and(|it| it.name() == name))
        };
        self.allowances.0.iter().filter(of).cloned()
    }
}

/// Something wrong (or doubtful) in a document: where, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// A path such as `policies[db].levels[1].notify[0]`.
    pub path: String,
    pub message: String,
    /// Errors refuse the document; warnings are shown.
    pub fatal: bool,
}
