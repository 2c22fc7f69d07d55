//! A canary in every secret: what is stored, logged, answered and counted is searched for them, while the right receivers
//! get the true ones.

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    hook::{HookSink, Reply},
    http::Client,
    postgres::Server,
    tocsin::Tocsin,
    wait,
};
use serde_json::Value;
use shared::api::Role;
use std::{fs, path::Path, process::Output, time::Duration};

const PATIENCE: Duration = Duration::from_secs(20);
const CANARIES: &str = include_str!("../../server/tests/canaries.toml");
/// In every secret and every secret address.
const ANY: [&str; 2] = ["canary-", "whsec_Y2FuYXJ5"];
/// In every secret: an administrator may see where pages go, and nobody may see these.
const SECRET: [&str; 2] = ["canary-secret", "whsec_Y2FuYXJ5"];
/// What is no secret is found in all the same places, or nothing was looked through.
const OPEN: &str = "Positiva Control";

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

fn is_clean(what: &str, bytes: &[u8], canaries: &[&str]) -> Result<()> {
    let place = |canary: &str| bytes.windows(canary.len()).position(|window| window == canary.as_bytes());
    let found = canaries.iter().find_map(|canary| Some((canary, place(canary)?)));
    let Some((canary, at)) = found else { return Ok(()) };
    let around = &bytes[at.saturating_sub(80)..bytes.len().min(at + 80)];
    bail!("{what} holds `{canary}`: {}", String::from_utf8_lossy(around));
}

/// All files below a folder; whether one of them holds what is no secret.
fn files_are_clean(folder: &Path) -> Result<bool> {
    let mut open = false;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            open |= files_are_clean(&path)?;
        } else if path.is_file() {
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            is_clean(&path.display().to_string(), &bytes, &ANY)?;
            open |= holds(&bytes, OPEN);
        }
    }
    Ok(open)
}

/// Asks every GET of the description, with things that are there in its path.
fn answers_are_clean(anybody: &Client, admin: &Client) -> Result<()> {
    let description: Value = anybody.read("/api/openapi.json")?;
    let paths = description["paths"].as_object().context("the description has no paths")?;
    let (mut answered, mut open) = (0, false);
    for (path, _) in paths.iter().filter(|(_, methods)| !methods["get"].is_null()) {
        for name in ["1", "positiva", "noc", "vc", "theirs", "p"] {
            let mut asked = path.clone();
            while let (Some(from), Some(to)) = (asked.find('{'), asked.find('}')) {
                asked.replace_range(from..=to, name);
            }
            let answer = admin.get(&asked).with_context(|| asked.clone())?;
            is_clean(&format!("GET {asked}"), &answer.body, &SECRET)?;
            answered += u32::from(answer.status == 200);
            open |= holds(&answer.body, OPEN);
            if asked == *path {
                break;
            }
        }
    }
    ensure!(answered >= 30, "only {answered} of {} kinds of GET were answered with 200", paths.len());
    ensure!(open, "no answer holds `{OPEN}`");
    let metrics = anybody.get("/metrics")?.is(200)?;
    is_clean("/metrics", &metrics.body, &ANY)
}

fn said(output: Output) -> Vec<u8> {
    [output.stdout, output.stderr].concat()
}

/// A server on which everything happened that touches a secret.
fn lived_in(server: &mut Tocsin) -> Result<()> {
    let sink = HookSink::start()?;
    sink.script(|call| {
        let calendar = Reply::Says(200, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n");
        if call.path.ends_with(".ics") { calendar } else { Reply::Accept }
    });
    let config = CANARIES.replace("SINK", sink.url("").trim_end_matches('/'));
    server.start_with(&["--log", "trace,hyper=info,h2=info"])?;
    server.apply(&config)?;
    let given = fs::read(server.folder().join("config.toml"))?;
    ensure!(is_clean("what was applied", &given, &SECRET).is_err(), "nothing would ever be found");
    // A second version, and one that keeps the secrets of the first.
    let shown = server.ask(&["export"], "")?;
    is_clean("tocsin export", shown.as_bytes(), &SECRET)?;
    server.apply(&shown.replace("every = \"1h\"", "every = \"2h\""))?;
    let refused = server.command().args(["apply", "nowhere.toml"]).output()?;
    is_clean("tocsin apply", &said(refused), &ANY)?;

    // The right receivers get the true secrets.
    let token = server.sender("falcon")?;
    let sent =
        server.anybody().post(&format!("/ingest/{token}"), &[], b"[P0][PROBLEM][db-07][10.1.2.3][host is down]")?;
    sent.is(200)?;
    let to_person = sink.wait_for("/canary-address-contact", 1, PATIENCE)?;
    to_person.verify("whsec_Y2FuYXJ5IG9mIHRoZSBjb250YWN0ISEh")?;
    let to_hook = sink.wait_for("/canary-address-webhook", 1, PATIENCE)?;
    to_hook.verify("whsec_Y2FuYXJ5IG9mIHRoZSB3ZWJob29rISEh")?;
    ensure!(to_hook.verify("whsec_Y2FuYXJ5IG9mIHRoZSBjb250YWN0ISEh").is_err(), "any secret would do");
    sink.wait_for("/canary-address-calendar.ics", 1, PATIENCE)?;

    let admin = server.somebody(Role::Admin)?;
    // The source and the other contact have failed by now, and said why.
    wait::until("the source to have failed", PATIENCE, || {
        let rows: Value = admin.read("/api/v1/sources").ok()?;
        rows["items"][0]["error"].is_string().then_some(())
    })?;
    answers_are_clean(&server.anybody(), &admin)?;
    let visit = server.command().args(["doctor", "--offline"]).output()?;
    is_clean("tocsin doctor", &said(visit), &ANY)?;
    is_clean("the log", server.log().as_bytes(), &ANY)?;
    ensure!(server.log().contains("DEBUG"), "the log is not a full one");
    // Whether its database is among them is for the caller to say.
    files_are_clean(&server.folder().join("data")).map(drop)
}

#[test]
fn no_canary_is_found_on_sqlite() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    lived_in(&mut server)?;
    server.kill()?;
    ensure!(files_are_clean(&server.folder().join("data"))?, "what is no secret was not found either");
    // Another key, and everything again.
    let rotated = server.ask(&["secrets", "rotate"], "")?;
    ensure!(rotated.contains("sealed "), "{rotated}");
    server.start()?;
    let shown = server.ask(&["export", "--with-secrets"], "")?;
    for canary in
        ["canary-secret-\"mail", "canary-secret-ntfy", "canary-secret-source", "# the notes around a secret stay"]
    {
        ensure!(shown.contains(canary), "`{canary}` was lost: {shown}");
    }
    ensure!(files_are_clean(&server.folder().join("data"))?, "what is no secret was not found either");
    // Without the key it says so, and does not start.
    server.stop()?;
    let key = server.folder().join("data/tocsin.db.key");
    let kept = fs::read(&key)?;
    fs::remove_file(&key)?;
    let refused = server.command().args(["serve", "--listen", "127.0.0.1:0"]).output()?;
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(!refused.status.success() && words.contains("tocsin.db.key") && words.contains("is missing"), "{words}");
    ensure!(!key.exists(), "a new key would hide what is wrong");
    fs::write(&key, kept)?;
    server.start()
}

#[test]
fn no_canary_is_found_on_postgresql() -> Result<()> {
    let database = Server::start()?;
    let url = database.create_database()?;
    let mut server = Tocsin::fresh_on(&url)?;
    lived_in(&mut server)?;
    let dump = database.dump(&url)?;
    is_clean("pg_dump", &dump, &ANY)?;
    ensure!(holds(&dump, OPEN) && holds(&dump, "sealed:v1:"), "what is no secret was not found either");
    server.stop()?;
    // Pages, write-ahead log and the database's own log.
    ensure!(files_are_clean(database.folder())?, "what is no secret was not found either");
    Ok(())
}
