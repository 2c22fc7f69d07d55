//! Figures about a range of the past: how soon people answered, whom it woke, and what is noise.

use super::{Gap, PersonLoad, account::wire};
use crate::{IncidentId, IntegrationId, PersonId, ScheduleId, Severity, TeamId, Timestamp, config::ContactKind};
use serde::{Deserialize, Serialize};

/// What kept incidents quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum QuietKind {
    Silence,
    Maintenance,
    Inhibition,
    /// Its hypervisor, switch or datastore was suspected.
    Suspect,
    /// A time window of the route.
    Mute,
    /// The delay of the route: it pages only what lasts.
    Hold,
}

wire! {
    /// Figures about the incidents that opened in a range, and the pages that rang in it.
    struct Analytics {
        from: Timestamp,
        until: Timestamp,
        /// IANA name: on whose clock the hours of the week are, and the days of people without a zone of their own.
        time_zone: String,
        /// Incidents that opened in the range.
        incidents: u32,
        /// Messages that were accepted in the range, and those of them with a part that went to no incident.
        messages: u64,
        unpaged: u64,
        /// Only what opened from then on is counted: there was more than is looked at. None when all was.
        cut_at: Option<Timestamp>,
        acknowledge: Distribution,
        resolve: Distribution,
        /// `YYYY-MM-DD`, in order: the days that `people` count by.
        days: Vec<String>,
        /// The most paged first.
        people: Vec<PersonPages>,
        /// How messages fared, by channel.
        #[serde(default)]
        channels: Vec<ChannelFigures>,
        /// 168: from Monday 00:00 on, an hour each.
        hours: Vec<HourOfWeek>,
        /// What fires, by sender and identity; what to mend first comes first.
        identities: Vec<Noise>,
        /// How many identities there were; the list may be shorter.
        identities_total: u32,
        routes: Vec<Noise>,
        policies: Vec<Noise>,
        quiet: Vec<QuietBy>,
        schedules: Vec<Coverage>,
        /// Whose figures can be asked for.
        #[serde(default)]
        teams: Vec<TeamName>,
    }

    /// What a team is called.
    struct TeamName { team: TeamId, name: String }

    /// How the messages of one channel fared, by when they were first handed over.
    struct ChannelFigures { channel: ContactKind, all: DeliveryCount, days: Vec<ChannelDay> }

    /// The messages of one day, `YYYY-MM-DD` on the reader's clock.
    struct ChannelDay { day: String, count: DeliveryCount }

    /// Messages that were handed over to a provider or receiver, and what came of them.
    #[derive(Default)]
    struct DeliveryCount {
        sent: u32,
        /// The receiver confirmed that it took them.
        accepted: u32,
        failed: u32,
        /// Somebody answered before it was known.
        cancelled: u32,
        /// It is not known yet.
        waiting: u32,
        /// Of the sent ones, those that took more than one try.
        retried: u32,
        /// From the first try until they were taken.
        p50_ms: Option<i64>,
        p90_ms: Option<i64>,
        p99_ms: Option<i64>,
    }

    /// How long something took, over all and by severity.
    struct Distribution {
        /// The buckets' upper ends, in milliseconds; a last bucket has what took longer.
        bounds_ms: Vec<i64>,
        /// The first row is all severities together.
        rows: Vec<Times>,
    }

    /// How long it took in the incidents of one severity.
    struct Times {
        /// None: all.
        severity: Option<Severity>,
        /// One for each bound, and one for what took longer.
        counts: Vec<u32>,
        done: u32,
        /// Over without it.
        never: u32,
        /// May still come.
        waiting: u32,
        p50_ms: Option<i64>,
        p90_ms: Option<i64>,
        p99_ms: Option<i64>,
    }

    /// The pages that rang for one person.
    struct PersonPages {
        person: PersonId,
        name: String,
        pages: u32,
        /// Of the pages, 22:00 to 07:00 on the person's own wall clock.
        night: u32,
        /// Of the pages, Saturdays and Sundays there.
        weekend: u32,
        /// Nights with at least one page.
        nights: u32,
        days: Vec<DayPages>,
    }

    /// The pages of one day on the person's own wall clock.
    struct DayPages {
        /// Counted from 0 within the range's days.
        day: u32,
        pages: u32,
        night: u32,
    }

    /// One hour of all weeks of the range together.
    struct HourOfWeek {
        /// Pages that rang.
        pages: u32,
        /// Incidents that opened and paged somebody.
        incidents: u32,
        /// The median of how long those took to be acknowledged that were.
        ack_ms: Option<i64>,
    }

    /// How much of what an identity, a route or a policy brings was worth hearing.
    struct Noise {
        /// The identity's key, or the name of the route or policy.
        id: String,
        /// Of an identity: what the newest incident says.
        title: String,
        host: Option<String>,
        integration: Option<IntegrationId>,
        newest: IncidentId,
        incidents: u32,
        messages: u64,
        /// Pages that rang for people.
        pages: u32,
        acknowledged: u32,
        /// Over by themselves before anybody answered.
        by_itself: u32,
        /// The pages of those: nobody needed to wake.
        unneeded: u32,
        /// Opened again within a day of their end.
        again: u32,
        /// Fired and recovered so often that they were kept as one.
        flapped: u32,
        /// Kept quiet at some time by a silence, maintenance or something larger.
        silenced: u32,
    }

    /// What one silence, inhibition or route kept quiet.
    struct QuietBy {
        kind: QuietKind,
        /// The silence's number, or the name of the inhibition, route or policy.
        id: String,
        incidents: u32,
        /// Of them, those that paged somebody all the same, before or after.
        paged: u32,
    }

    /// Whether a schedule had somebody, and what each person carried.
    struct Coverage {
        schedule: ScheduleId,
        name: String,
        /// What is told of: the part of the range that is over.
        from: Timestamp,
        until: Timestamp,
        gaps: Vec<Gap>,
        load: Vec<NamedLoad>,
    }

    struct NamedLoad {
        name: String,
        load: PersonLoad,
    }
}
