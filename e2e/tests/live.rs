//! What a browser may rely on over its live connection: numbered deltas, resume, resync, and nobody else's slowness.

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    http::Client,
    live::{Frame, Handshake, LiveSocket},
    tocsin::Tocsin,
    wait,
};
use shared::{
    IncidentState,
    api::{IncidentList, Role},
    live::{BrowserMessage, LiveMessage, PROTOCOL},
};
use std::{collections::BTreeSet, fs, time::Duration};

const PATIENCE: Duration = Duration::from_secs(15);

/// One person without a way to be paged would be refused for a P0; nobody sends one here.
const HOUSE: &str = r#"
fallback = ["person:wang"]
[[people]]
id = "wang"
name = "Wang"
contacts = [{ id = "phone", webhook = "https://192.0.2.1/phone" }]
rules = [{ notify = [{ contact = "phone", after = "1h" }] }]
"#;

struct Scene {
    server: Tocsin,
    ingest: String,
    token: String,
    viewer: Client,
}

fn scene() -> Result<Scene> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(HOUSE)?;
    let ingest = format!("/ingest/{}", server.sender("falcon")?);
    let token = server.api_token(Role::Responder)?;
    let viewer = server.anybody().bearer(&token);
    Ok(Scene { server, ingest, token, viewer })
}

impl Scene {
    fn post(&self, body: &str) -> Result<()> {
        self.server.anybody().post(&self.ingest, &[], body.as_bytes())?.is(200).map(drop)
    }

    fn board(&self) -> Result<IncidentList> {
        self.viewer.read("/api/v1/incidents")
    }

    /// A browser that knows everything up to a number.
    fn browser(&self, seq: u64) -> Result<LiveSocket> {
        let mut socket = LiveSocket::open(self.server.address(), &self.token)?;
        let LiveMessage::Hello { protocol, .. } = socket.message(PATIENCE)? else { bail!("it does not say hello") };
        ensure!(protocol == PROTOCOL, "it speaks protocol {protocol}");
        socket.say(&BrowserMessage::Resume { seq })?;
        Ok(socket)
    }
}

/// Hosts (changed, gone) of the next delta, which must have this number.
fn delta(socket: &mut LiveSocket, expected: u64) -> Result<(Vec<String>, Vec<String>)> {
    match socket.message(PATIENCE)? {
        LiveMessage::Delta { seq, rows, gone, .. } => {
            ensure!(seq == expected, "delta {seq} where {expected} was expected");
            let hosts = |rows: Vec<shared::api::IncidentRow>| rows.into_iter().filter_map(|row| row.host).collect();
            Ok((hosts(rows), hosts(gone)))
        }
        other => bail!("expected delta {expected}, got {other:?}"),
    }
}

#[test]
fn deltas_come_in_order_and_a_browser_that_comes_back_gets_what_it_missed() -> Result<()> {
    let scene = scene()?;
    let seq = scene.board()?.seq;
    let mut browser = scene.browser(seq)?;
    scene.post("[P3][PROBLEM][web-1][10.0.0.1][slow]")?;
    let (rows, _) = delta(&mut browser, seq + 1)?;
    ensure!(rows == ["web-1"], "{rows:?}");
    let board = scene.board()?;
    ensure!(board.seq == seq + 1 && board.items.len() == 1, "{board:?}");
    drop(browser);

    // Each waits for its own delta, so that they are not put into one.
    let mut witness = scene.browser(seq + 1)?;
    scene.post("[P3][PROBLEM][web-2][10.0.0.2][slow]")?;
    delta(&mut witness, seq + 2)?;
    scene.post("[P3][OK][web-1][10.0.0.1][slow]")?;
    delta(&mut witness, seq + 3)?;

    let mut browser = scene.browser(seq + 1)?;
    ensure!(delta(&mut browser, seq + 2)?.0 == ["web-2"]);
    let (rows, gone) = delta(&mut browser, seq + 3)?;
    ensure!(rows.is_empty() && gone == ["web-1"], "{rows:?} {gone:?}");
    let id = scene.board()?.items.first().context("web-2 is open")?.id;
    scene.viewer.post(&format!("/api/v1/incidents/{id}/ack"), &[], b"")?.is(200)?;
    let LiveMessage::Delta { seq: number, rows, counts, .. } = browser.message(PATIENCE)? else { bail!("no delta") };
    ensure!(number == seq + 4 && rows.iter().all(|row| row.state == IncidentState::Acked), "{number} {rows:?}");
    ensure!(counts.acked.iter().sum::<u32>() == 1 && counts.triggered.iter().sum::<u32>() == 0, "{counts:?}");
    Ok(())
}

#[test]
fn a_gap_that_cannot_be_filled_is_told() -> Result<()> {
    let scene = scene()?;
    for seq in [1, u64::MAX / 2] {
        let mut browser = scene.browser(seq)?;
        let message = browser.message(PATIENCE)?;
        let LiveMessage::Resync { seq: now } = message else { bail!("expected a resync, got {message:?}") };
        ensure!(now == scene.board()?.seq);
        // From there on it goes on as ever.
        scene.post(&format!("[P3][PROBLEM][web-{}][10.0.0.9][slow]", seq % 1_000))?;
        delta(&mut browser, now + 1)?;
    }
    let mut browser = scene.browser(scene.board()?.seq)?;
    browser.send(1, b"{}")?;
    ensure!(matches!(browser.hear(PATIENCE)?, Frame::Closed(Some(1003))), "rubbish is answered by closing");
    Ok(())
}

#[test]
fn deltas_survive_a_restart_without_a_number_being_used_twice() -> Result<()> {
    let mut scene = scene()?;
    scene.post("[P3][PROBLEM][web-1][10.0.0.1][slow]")?;
    let mut browser = scene.browser(scene.board()?.seq)?;
    scene.post("[P3][PROBLEM][web-2][10.0.0.1][slow]")?;
    let LiveMessage::Delta { seq, .. } = browser.message(PATIENCE)? else { bail!("no delta") };
    scene.server.kill()?;
    ensure!(matches!(browser.hear(PATIENCE)?, Frame::Closed(_)), "a dead server closes its connections");
    scene.server.start()?;
    scene.viewer = scene.server.anybody().bearer(&scene.token);
    ensure!(scene.board()?.seq > seq, "numbers began again at {}", scene.board()?.seq);
    let mut browser = scene.browser(seq)?;
    let message = browser.message(PATIENCE)?;
    ensure!(matches!(message, LiveMessage::Resync { .. }), "after a restart it was told {message:?}");
    Ok(())
}

#[test]
fn a_server_that_stops_sends_its_browsers_away() -> Result<()> {
    let mut scene = scene()?;
    let mut browser = scene.browser(scene.board()?.seq)?;
    scene.server.stop()?;
    ensure!(matches!(browser.hear(PATIENCE)?, Frame::Closed(Some(1001))), "it waited until they left");
    Ok(())
}

#[test]
fn only_our_own_pages_and_people_who_may_are_let_in() -> Result<()> {
    let scene = scene()?;
    let address = scene.server.address();
    let refused = |headers: &[(&str, &str)]| match LiveSocket::handshake(address, headers)? {
        Handshake::Open(_) => Ok(None),
        Handshake::Refused(status) => Ok::<_, anyhow::Error>(Some(status)),
    };
    scene.server.account("wang", Role::Viewer, "kestrel anvil harbour 42")?;
    let credentials = serde_json::json!({ "login": "wang", "password": "kestrel anvil harbour 42" });
    let answer = scene.server.anybody().post_json("/api/v1/session", &credentials)?.is(200)?;
    let cookie = answer.header("set-cookie").and_then(|it| it.split(';').next()).context("no cookie")?.to_owned();
    let own = scene.server.url("");
    ensure!(refused(&[("Cookie", &cookie), ("Origin", &own)])?.is_none(), "our own page was refused");
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", &format!("{own}.evil.example")] {
        let status = refused(&[("Cookie", &cookie), ("Origin", origin)])?;
        ensure!(status == Some(403), "{origin} was answered {status:?}");
    }
    ensure!(refused(&[("Cookie", &cookie)])? == Some(403), "a page that hides its origin was let in");
    ensure!(refused(&[("Origin", &own)])? == Some(401), "a stranger was let in");
    ensure!(refused(&[("Authorization", "Bearer tap_nothing")])? == Some(401), "a made-up token was let in");

    // A session that ends closes what it had opened.
    let Handshake::Open(mut socket) = LiveSocket::handshake(address, &[("Cookie", &cookie), ("Origin", &own)])? else {
        bail!("our own page was refused")
    };
    ensure!(matches!(socket.message(PATIENCE)?, LiveMessage::Hello { .. }));
    scene.server.ask(&["user", "disable", "wang"], "")?;
    ensure!(matches!(socket.message(PATIENCE)?, LiveMessage::SignedOut), "it is not told");
    ensure!(matches!(socket.hear(PATIENCE)?, Frame::Closed(Some(1008))), "the connection stays open");
    Ok(())
}

#[test]
fn one_browser_that_reads_nothing_costs_the_others_nothing() -> Result<()> {
    const ALERTS: usize = 250;
    const ROUNDS: usize = 60;
    let scene = scene()?;
    let seq = scene.board()?.seq;
    let mut stalled = scene.browser(seq)?;
    let mut reading = scene.browser(seq)?;
    let batch = |round: usize| {
        let alert = |n: usize| {
            let text = format!("round {round} {}", "of a long story ".repeat(50));
            serde_json::json!({ "severity": "P3", "host": format!("web-{n}"), "dedup_key": format!("web-{n}"), "summary": text })
        };
        serde_json::Value::from((0..ALERTS).map(alert).collect::<Vec<_>>())
    };
    let before = resident_kb(scene.server.pid())?;
    let (mut bytes, mut expected) = (0, seq);
    for round in 0..ROUNDS {
        scene.server.anybody().post_json(&scene.ingest, &batch(round))?.is(200)?;
        // On a busy machine a round comes in more than one delta, and others may come between.
        let story = format!("round {round} ");
        let mut shown = BTreeSet::new();
        while shown.len() < ALERTS {
            let message = reading.message(PATIENCE).with_context(|| format!("the other browser, in round {round}"))?;
            bytes += serde_json::to_string(&message)?.len();
            let LiveMessage::Delta { seq, rows, .. } = message else { bail!("{message:?}") };
            expected += 1;
            ensure!(seq == expected, "delta {seq} where {expected} was expected");
            shown.extend(rows.into_iter().filter(|row| row.title.starts_with(&story)).filter_map(|row| row.host));
        }
    }
    let grown = resident_kb(scene.server.pid())?.saturating_sub(before);
    println!("{} MB of deltas, the server grew by {} MB", bytes >> 20, grown >> 10);
    ensure!(grown < 96 << 10, "the server grew by {grown} kB for {bytes} bytes of deltas");

    // It reads again: everything in order, or the word to fetch the board, or the end.
    let mut last = seq;
    let told = wait::attempt("the slow browser to catch up or be told", Duration::from_secs(60), || {
        Ok(match stalled.hear(PATIENCE)? {
            Frame::Message(LiveMessage::Delta { seq, .. }) => {
                ensure!(seq == last + 1, "delta {seq} after {last}");
                last = seq;
                (last == expected).then_some("everything")
            }
            Frame::Message(LiveMessage::Resync { .. }) => Some("to fetch the board"),
            Frame::Closed(_) => Some("goodbye"),
            Frame::Message(other) => bail!("{other:?}"),
        })
    })?;
    println!("the slow browser got {} of {} deltas, then {told}", last - seq, expected - seq);
    Ok(())
}

/// Memory a process holds, in kB.
fn resident_kb(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    line.trim().trim_end_matches("kB").trim().parse().context("VmRSS is no number")
}
