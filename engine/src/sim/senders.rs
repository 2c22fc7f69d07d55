//! Senders of a simulated house: troubles that begin, repeat, change their level and end, not always in order.

use super::world::Chance;
use shared::{Delay, Severity, Timestamp};

/// A body on its way to the server.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) sender: &'static str,
    pub(super) key: Option<String>,
    pub(super) body: String,
}

const SENDERS: [&str; 3] = ["falcon", "zabbix", "stranger"];
const KINDS: [&str; 4] = ["db", "web", "lab", "mail"];
const CHECKS: [&str; 5] = ["host is down", "disk is full", "cpu is high", "latency is high", "certificate expires"];
/// What arrives now and then and is no alert, or a poisoned one.
const ODD: [&str; 5] = ["", "{\"level\":", "something is odd", "[P0", "[P9][WHAT][x"];

/// One trouble: what it sends, and when after its beginning.
pub(super) fn trouble(chance: &mut Chance, keys: &mut u64, machines: u32, now: Timestamp) -> Vec<(Delay, Message)> {
    if chance.one_in(40) {
        let body = chance.pick(&ODD).copied().unwrap_or_default().to_owned();
        return vec![(Delay::ZERO, Message { sender: "stranger", key: None, body })];
    }
    let sender = chance.pick(&SENDERS).copied().unwrap_or("falcon");
    let kind = chance.pick(&KINDS).copied().unwrap_or("db");
    let host = format!("{kind}-{}", chance.below(u64::from(machines)));
    let check = chance.pick(&CHECKS).copied().unwrap_or("host is down");
    let severity = severity(chance);
    let length = if chance.one_in(5) { chance.between(600, 40_000) } else { chance.between(20, 3_600) } as i64;
    let every = chance.between(60, 1_200) as i64;
    let mut messages = vec![(0, severity, false)];
    let mut now_severity = severity;
    let mut at = every;
    while at < length && messages.len() < 12 {
        if chance.one_in(8) {
            now_severity = self::severity(chance);
        }
        messages.push((at, now_severity, false));
        at += every;
    }
    if chance.one_in(12) {
        // It fires and recovers again and again.
        let pause = chance.between(5, 400) as i64;
        messages = (0..chance.between(6, 40) as i64).map(|n| (n * pause, severity, n % 2 == 1)).collect();
    }
    // Some never recover, some recover with another level, some twice.
    if !chance.one_in(12) {
        messages.push((length, if chance.one_in(3) { Severity::P5 } else { now_severity }, true));
        if chance.one_in(15) {
            messages.push((length + 3, now_severity, true));
        }
    }
    messages
        .into_iter()
        .map(|(after, severity, over)| {
            // Reordered and late: a message may overtake the one before it.
            let delayed = if chance.one_in(20) { chance.between(1, 900) as i64 } else { 0 };
            let key = chance.one_in(3).then(|| {
                *keys += 1;
                format!("key-{keys}")
            });
            let body = line(chance, severity, over, &host, check, now);
            (Delay::secs(after + delayed), Message { sender, key, body })
        })
        .collect()
}

fn line(chance: &mut Chance, severity: Severity, over: bool, host: &str, check: &str, now: Timestamp) -> String {
    let status = if over { "OK" } else { "PROBLEM" };
    if check != "cpu is high" {
        return format!("[{severity}][{status}][{host}][10.0.0.7][{check}]");
    }
    // Open-Falcon's own form, with the sender's local time; some replay an old one.
    let said = if chance.one_in(15) { now.plus_ms(-3 * 86_400_000) } else { now };
    let local = jiff::Timestamp::from_millisecond(said.ms()).unwrap_or_default();
    let local = local.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).strftime("%Y-%m-%d %H:%M:%S");
    let value = chance.below(100);
    format!("[{severity}][{status}][{host}][][{check} all(#3) cpu.idle  {value}<5][O1 {local}]")
}

fn severity(chance: &mut Chance) -> Severity {
    match chance.below(20) {
        0 | 1 => Severity::P0,
        2..=4 => Severity::P1,
        5..=9 => Severity::P2,
        n => Severity::from_rank(n % 4 + 3),
    }
}

/// A storm: many hosts in half a minute, a P0 among them.
pub(super) fn storm(chance: &mut Chance) -> Vec<(Delay, Message)> {
    let many = chance.between(40, 120);
    (0..many)
        .flat_map(|n| {
            let severity = if n == many / 2 { Severity::P0 } else { Severity::from_rank(chance.between(2, 4)) };
            let host = format!("{}-s{n}", chance.pick(&KINDS).copied().unwrap_or("db"));
            let after = chance.between(0, 30_000) as i64;
            let over = after + chance.between(60_000, 900_000) as i64;
            [(after, false), (over, true)].map(|(after, over)| {
                let body =
                    format!("[{severity}][{}][{host}][10.0.0.8][switch is gone]", if over { "OK" } else { "PROBLEM" });
                (Delay(after), Message { sender: "falcon", key: None, body })
            })
        })
        .collect()
}
