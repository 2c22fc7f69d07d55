//! Bodies that arrive too slowly are cut off with the right answer, and hold up nobody meanwhile.

use anyhow::{Context as _, Result, ensure};
use e2e::{
    http::{Answer, Client},
    tocsin::Tocsin,
    wait,
};
use serde_json::Value;
use shared::api::Role;
use std::{thread, time::Duration};

/// What the answer promises.
const BOUND: Duration = Duration::from_secs(15);
/// By then the last of them is cut off, on a busy machine too.
const CUT_OFF: Duration = Duration::from_secs(25);
/// More than the server has threads.
const SLOW_CONNECTIONS: usize = 40;
/// Nobody else waits for them: on a busy machine too they are served long before the slow ones are cut off.
const PROMPT: Duration = Duration::from_secs(10);

/// The beginning of a request whose body never gets anywhere near its end.
fn beginning(server: &Tocsin, path: &str, headers: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Length: 10000\r\n\r\n{{", server.address())
        .into_bytes()
}

fn cut_off(client: &Client, begin: &[u8]) -> Result<()> {
    let begun = wait::instant();
    // A byte now and then is no excuse.
    let answer: Answer = client.drip(begin, Duration::from_millis(500), CUT_OFF)?.is(408)?;
    ensure!(begun.elapsed() >= BOUND - Duration::from_secs(1), "cut off after {:?} already", begun.elapsed());
    ensure!(answer.header("content-type") == Some("application/problem+json"), "{answer:?}");
    let problem: Value = answer.json()?;
    ensure!(problem["code"] == "slow_body", "{problem}");
    Ok(())
}

#[test]
fn a_slow_body_is_cut_off_and_holds_up_nobody() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let ingest = format!("/ingest/{}", server.sender("script")?);
    let token = server.api_token(Role::Responder)?;
    let (sender, viewer) = (server.anybody(), server.anybody().bearer(&token));
    // Known from here on.
    viewer.get("/api/v1/incidents")?.is(200)?;
    let slow = [
        beginning(&server, &ingest, ""),
        beginning(
            &server,
            "/api/v1/incidents/1/note",
            &format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"),
        ),
        beginning(&server, "/api/v1/session", "Content-Type: application/json\r\n"),
    ];
    thread::scope(|scope| {
        let mut waiting: Vec<_> = (0..SLOW_CONNECTIONS)
            .map(|n| {
                let (client, begin) = (&sender, &slow[n % slow.len()]);
                scope.spawn(move || cut_off(client, begin))
            })
            .collect();
        let mut prompt = 0;
        while waiting.iter().any(|it| !it.is_finished()) {
            let begun = wait::instant();
            let text = format!("[P2][PROBLEM][web-{prompt}][10.1.2.4][slow]");
            sender.post(&ingest, &[], text.as_bytes())?.is(200)?;
            viewer.get("/api/v1/incidents")?.is(200)?;
            ensure!(begun.elapsed() < PROMPT, "somebody prompt waited {:?}", begun.elapsed());
            prompt += 1;
            wait::pass(Duration::from_millis(200));
        }
        ensure!(prompt >= 3, "only {prompt} others were served meanwhile");
        waiting.drain(..).try_for_each(|it| it.join().ok().context("a slow sender panicked")?)
    })
}
