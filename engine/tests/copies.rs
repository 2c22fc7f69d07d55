//! Open-Falcon tells each event up to three times: as a text message, as chat and as mail. It is one event here. What a
//! repetition does not say stays as it was known.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]

use super::notices::{at, engine};
use engine::{
    Engine, Event, Ingested,
    normalize::{Source, normalize},
};
use shared::{
    Alert, AlertId, Severity, Timestamp,
    config::Integration,
    timeline::{DropReason, Outcome},
};

const LINE: &str =
    "[P0][PROBLEM][db-07][][disk all(#3) df.bytes.free.percent mount=/data 4.5<5][O1 2026-11-23 08:00:00]";
const OVER: &str = "[P0][OK][db-07][][disk all(#3) df.bytes.free.percent mount=/data 9.5<5][O1 2026-11-23 08:04:00]";

/// What one of Open-Falcon's gateways is sent.
fn tell(engine: &mut Engine, now: Timestamp, form: &[(&str, &str)]) -> Outcome {
    let encoded = form.iter().map(|(name, value)| {
        let value: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("{name}={value}")
    });
    let body = encoded.collect::<Vec<_>>().join("&");
    let integration = Integration::undeclared("falcon".into());
    let content_type = Some("application/x-www-form-urlencoded");
    let source = Source { integration: &integration, content_type, format: None, peer: None, received_at: now };
    let events: Vec<_> = normalize(&source, body.as_bytes()).events.into_iter().map(|parsed| parsed.event).collect();
    assert_eq!(events.len(), 1, "{form:?}");
    let message = Ingested {
        integration: integration.id,
        key: None,
        events,
        rejected: Vec::new(),
        places: Vec::new(),
        replayed: false,
    };
    engine.handle(now, Event::Ingested(message)).outcomes.remove(0)
}

fn sms(line: &str) -> [(&str, &str); 2] {
    [("content", line), ("tos", "13800000001,13800000002,")]
}

fn im(line: &str) -> [(&str, &str); 2] {
    [("tos", "li,wang"), ("content", line)]
}

fn mail(line: &str) -> [(&str, &str); 3] {
    let body =
        "PROBLEM\r\nP0\r\nEndpoint:db-07\r\nMetric:df.bytes.free.percent\r\nNote:disk\r\nhttp://falcon.example/s/7";
    [("subject", line), ("content", body), ("tos", "li@example.org,wang@example.org")]
}

fn alert(engine: &Engine) -> &Alert {
    assert_eq!(engine.state.alerts.len(), 1);
    engine.state.alerts.get(&AlertId(1)).unwrap()
}

const fn is_copy(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Dropped { reason: DropReason::Duplicate { .. } })
}

#[test]
fn an_event_by_three_channels_is_one_event_with_all_recipients() {
    let mut engine = engine("");
    assert!(matches!(tell(&mut engine, at(0), &sms(LINE)), Outcome::Opened { .. }));
    assert!(is_copy(&tell(&mut engine, at(0), &im(LINE))));
    // Mail waits in a queue.
    assert!(is_copy(&tell(&mut engine, at(3), &mail(LINE))));
    let told = alert(&engine);
    assert_eq!(told.count, 1);
    assert_eq!(told.event.labels["tos"], "13800000001,13800000002,li,wang,li@example.org,wang@example.org");
    assert!(told.event.content.contains("Endpoint:db-07"), "{:?}", told.event.content);
    // The second step is a repetition, once.
    let second = LINE.replace("[O1", "[O2").replace("08:00", "08:05");
    assert!(matches!(tell(&mut engine, at(5), &im(&second)), Outcome::Refreshed { .. }));
    assert!(is_copy(&tell(&mut engine, at(5), &sms(&second))));
    assert_eq!(alert(&engine).count, 2);
}

#[test]
fn a_copy_that_comes_after_the_recovery_opens_nothing_and_recoveries_are_told_thrice_as_well() {
    let mut engine = engine("");
    tell(&mut engine, at(0), &sms(LINE));
    assert!(matches!(tell(&mut engine, at(4), &sms(OVER)), Outcome::Closed { .. }));
    assert!(is_copy(&tell(&mut engine, at(4), &im(OVER))));
    assert!(is_copy(&tell(&mut engine, at(5), &mail(LINE))), "a P0 that is over pages nobody");
    assert!(is_copy(&tell(&mut engine, at(5), &mail(OVER))));
    assert!(engine.state.alerts.is_empty());
    // When it fires again that is news.
    let again = LINE.replace("08:00", "08:06");
    assert!(matches!(tell(&mut engine, at(6), &sms(&again)), Outcome::Opened { .. }));
}

#[test]
fn a_line_without_a_time_is_a_copy_soon_and_to_others_and_a_repetition_otherwise() {
    let line = "[P1][PROBLEM][db-07][10.8.3.21][host is down]";
    let mut engine = engine("");
    assert!(matches!(tell(&mut engine, at(0), &sms(line)), Outcome::Opened { .. }));
    assert!(is_copy(&tell(&mut engine, at(1), &im(line))));
    assert!(matches!(tell(&mut engine, at(1), &sms(line)), Outcome::Refreshed { .. }));
    assert!(matches!(tell(&mut engine, at(9), &im(line)), Outcome::Refreshed { .. }));
    assert_eq!(alert(&engine).count, 3);
}

#[test]
fn what_fires_again_pages_again_and_what_is_open_can_end() {
    let line = "[P0][PROBLEM][db-07][10.8.3.21][host is down]";
    let mut engine = engine("");
    tell(&mut engine, at(0), &[("content", line), ("tos", "a,b")]);
    assert!(matches!(tell(&mut engine, at(0), &sms(&line.replace("PROBLEM", "OK"))), Outcome::Closed { .. }));
    // The same people in another order, within two minutes: it burns again.
    assert!(matches!(tell(&mut engine, at(1), &[("content", line), ("tos", "b,a")]), Outcome::Opened { .. }));
    assert!(matches!(tell(&mut engine, at(1), &[("content", line), ("tos", "b,a,")]), Outcome::Refreshed { .. }));
    // Told while we were away: the recovery came before the problem, and once more after it.
    tell(&mut engine, at(4), &sms(OVER));
    assert!(matches!(tell(&mut engine, at(4), &mail(LINE)), Outcome::Opened { .. }));
    assert!(matches!(tell(&mut engine, at(5), &mail(OVER)), Outcome::Closed { .. }));
}

/// What our command for Nagios posts of a service.
fn nagios(engine: &mut Engine, kind: &str, state: &str) {
    let form = [
        ("NAGIOS_NOTIFICATIONTYPE", kind),
        ("NAGIOS_HOSTNAME", "db-07"),
        ("NAGIOS_SERVICEDESC", "lag"),
        ("NAGIOS_SERVICESTATE", state),
    ];
    tell(engine, at(0), &form);
}

#[test]
fn what_flaps_in_nagios_stays_as_bad_as_it_was() {
    let mut engine = engine("");
    nagios(&mut engine, "PROBLEM", "CRITICAL");
    nagios(&mut engine, "FLAPPINGSTART", "OK");
    assert_eq!((alert(&engine).severity(), alert(&engine).count), (Severity::P1, 2));
    // What it is when the flapping ends is news.
    nagios(&mut engine, "FLAPPINGSTOP", "WARNING");
    assert_eq!(alert(&engine).severity(), Severity::P3);
}

#[test]
fn merged_messages_differ_by_channel_and_are_one() {
    let mut engine = engine("");
    let link = "[P3][PROBLEM] 12 cpu.idle e.g. web-07 http://falcon.example/portal/links/9f2 ";
    assert!(matches!(tell(&mut engine, at(0), &sms(link)), Outcome::Opened { .. }));
    let mail =
        [("subject", "[P3][PROBLEM] 12 cpu.idle"), ("content", "P3\r\nEndpoint:web-07"), ("tos", "li@example.org")];
    assert!(is_copy(&tell(&mut engine, at(0), &mail)));
    assert_eq!(alert(&engine).count, 1);
}
