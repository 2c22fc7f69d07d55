//! Bounds on what keeps messages few: flapping, limits and storms.

use super::Check;
use crate::state::RECENT_MAX;
use shared::{
    Delay, PersonId,
    config::{
        Allowances, ContactKind, Document, FlapDetection, HostMode, Limits, Person, Readiness, StormMode, SuspectMode,
    },
};
use std::collections::BTreeMap;

impl Check {
    pub(super) fn flapping(&mut self, flapping: &FlapDetection) {
        if flapping.times == 1 || flapping.times as usize > RECENT_MAX {
            let message = format!("it flaps after opening 2 to {RECENT_MAX} times; 0 switches the detection off");
            self.fault("flapping.times", message);
        }
        if !(Delay::mins(1)..=Delay::mins(1_440)).contains(&flapping.within) {
            self.fault("flapping.within", "openings are counted within 1m to 24h");
        }
        if !(Delay::mins(1)..=Delay::mins(1_440)).contains(&flapping.calm) {
            self.fault("flapping.calm", "it is calm after 1m to 24h");
        }
    }

    pub(super) fn limits(&mut self, limits: &Limits) {
        for (place, limit) in limits.0.iter().enumerate() {
            if !(1..=1_000).contains(&limit.messages) {
                let message =
                    "a limit is 1 to 1000 messages; with none, nobody would ever be told of anything but a P0";
                self.fault(format!("limits[{place}].messages"), message);
            }
            if !(60_000..=86_400_000).contains(&limit.within.0) {
                self.fault(format!("limits[{place}].within"), "a limit is about 1m to 24h");
            }
        }
    }

    pub(super) fn allowances(&mut self, allowances: &Allowances) {
        for (place, allowance) in allowances.0.iter().enumerate() {
            let mut fault = |field: &str, words: &str| self.fault(format!("allowances[{place}].{field}"), words);
            if allowance.contact == ContactKind::Push {
                fault("contact", "push goes to many devices by many services, which are not counted together");
            }
            if allowance.carrier.is_some() && !matches!(allowance.contact, ContactKind::Sms | ContactKind::Voice) {
                fault("carrier", "only text messages and calls have a carrier");
            }
            if !(1..=1_000).contains(&allowance.messages) {
                fault("messages", "a provider takes 1 to 1000 messages within the time");
            }
            if !(1_000..=86_400_000).contains(&allowance.within.0) {
                fault("within", "an allowance is about 1s to 24h");
            }
        }
    }

    pub(super) fn readiness(&mut self, document: &Document, people: &BTreeMap<PersonId, Person>) {
        let Readiness { early, late, lead, leads } = &document.readiness;
        for (field, delay, most) in [("early", early, 7 * 24 * 60), ("late", late, 24 * 60), ("lead", lead, 24 * 60)] {
            if !(Delay::ZERO..=Delay::mins(most)).contains(delay) {
                let range = if most > 24 * 60 { "7d" } else { "24h" };
                self.fault(
                    format!("readiness.{field}"),
                    format!("at most {range} before the shift; 0s switches it off"),
                );
            }
        }
        let own =
            document.schedules.iter().filter_map(|it| Some((format!("schedules[{}].lead", it.id), it.lead.as_ref()?)));
        let all = leads.iter().enumerate().map(|(place, lead)| (format!("readiness.leads[{place}]"), lead));
        for (path, lead) in own.chain(all).filter(|(_, lead)| !people.contains_key(*lead)) {
            self.fault(path, format!("there is no person `{lead}`"));
        }
    }

    pub(super) fn suspects(&mut self, suspects: &SuspectMode) {
        if suspects.vms != 0 && !(2..=1_000).contains(&suspects.vms) {
            self.fault("suspects.vms", "a hypervisor is suspected when 2 to 1000 of its VMs fail; 0 suspects none");
        }
        if suspects.percent > 100 {
            self.fault("suspects.percent", "of a hundred VMs at most 100 fail; write 0 to 100");
        }
        for (field, delay) in [("within", suspects.within), ("calm", suspects.calm)] {
            if !(1_000..=3_600_000).contains(&delay.0) {
                self.fault(format!("suspects.{field}"), format!("`{field}` is 1s to 1h"));
            }
        }
    }

    pub(super) fn hosts(&mut self, hosts: &HostMode) {
        const DAY: i64 = 86_400_000;
        for (field, delay, least_ms, most_ms, range) in [
            ("every", hosts.every, 1_000, 300_000, "1s to 5m"),
            ("keep_samples", hosts.keep_samples, 3_600_000, 60 * DAY, "1h to 60d"),
            ("keep_minutes", hosts.keep_minutes, 3_600_000, 400 * DAY, "1h to 400d"),
            ("keep_tens", hosts.keep_tens, 3_600_000, 4_000 * DAY, "1h to 4000d"),
            ("silent_after", hosts.silent_after, 10_000, DAY, "10s to 1d"),
        ] {
            if !(least_ms..=most_ms).contains(&delay.0) {
                self.fault(format!("hosts.{field}"), format!("`{field}` is {range}, not {delay}"));
            }
        }
        if hosts.keep_samples > hosts.keep_minutes || hosts.keep_minutes > hosts.keep_tens {
            let told = "what is coarser is kept for at least as long: keep_samples <= keep_minutes <= keep_tens";
            self.fault("hosts.keep_minutes", told);
        }
    }

    pub(super) fn storm(&mut self, storm: &StormMode) {
        if storm.incidents != 0 && !(2..=crate::OPENINGS_MAX).contains(&(storm.incidents as usize)) {
            self.fault("storm.incidents", "a storm begins with 2 to 1000 incidents; 0 switches storms off");
        }
        for (field, delay, most_ms, range) in [
            ("within", storm.within, 3_600_000, "1s to 1h"),
            ("calm", storm.calm, 86_400_000, "1s to 24h"),
            ("at_least_every", storm.at_least_every, 3_600_000, "1s to 1h"),
        ] {
            if !(1_000..=most_ms).contains(&delay.0) {
                self.fault(format!("storm.{field}"), format!("`{field}` is {range}"));
            }
        }
    }
}
