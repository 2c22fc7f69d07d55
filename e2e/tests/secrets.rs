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
const TO_PERSON: &str = "/canary-address-contact";
const OF_PERSON: &str = "whsec_Y2FuYXJ5IG9mIHRoZSBjb250YWN0ISEh";
const TO_HOOK: &str = "/canary-address-webhook";
const OF_HOOK: &str = "whsec_Y2FuYXJ5IG9mIHRoZSB3ZWJob29rISEh";
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

/// Kinds and names of what is there.
const THERE: [(&str, &str); 6] = [
    ("team", "1"),
    ("person", "positiva"),
    ("webhook", "noc"),
    ("source", "vc"),
    ("schedule", "theirs"),
    ("policy", "p"),
];

/// Asks every GET of the description, with things that are there in its path.
fn answers_are_clean(anybody: &Client, admin: &Client) -> Result<()> {
    let description: Value = anybody.read("/api/openapi.json")?;
    let paths = description["paths"].as_object().context("the description has no paths")?;
    let (mut answered, mut open) = (0, false);
    for (path, _) in paths.iter().filter(|(_, methods)| !methods["get"].is_null()) {
        for (kind, name) in THERE {
            let mut asked = path.clone();
            while let (Some(from), Some(to)) = (asked.find('{'), asked.find('}')) {
                let is_kind = asked[from..=to] == *"{kind}";
                asked.replace_range(from..=to, if is_kind { kind } else { name });
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

/// Where pages and calendars go.
fn sink() -> Result<HookSink> {
    let sink = HookSink::start()?;
    sink.script(|call| {
        let calendar = Reply::Says(200, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n");
        if call.path.ends_with(".ics") { calendar } else { Reply::Accept }
    });
    Ok(sink)
}

fn config(sink: &HookSink) -> String {
    CANARIES.replace("SINK", sink.url("").trim_end_matches('/'))
}

/// A server on which everything happened that touches a secret.
fn lived_in(server: &mut Tocsin, sink: &HookSink) -> Result<()> {
    server.start_with(&["--log", "trace,hyper=info,h2=info"])?;
    server.apply(&config(sink))?;
    let given = fs::read(server.folder().join("config.toml"))?;
    ensure!(is_clean("what was applied", &given, &SECRET).is_err(), "nothing would ever be found");
    // A second version, and one that keeps the secrets of the first.
    let shown = server.ask(&["export"], "")?;
    is_clean("tocsin export", shown.as_bytes(), &SECRET)?;
    server.apply(&shown.replace("every = \"1h\"", "every = \"2h\""))?;
    let refused = server.command().args(["apply", "nowhere.toml"]).output()?;
    is_clean("tocsin apply", &said(refused), &ANY)?;

    // The right receivers get the true secrets.
    pages(server, sink, "db-07")?;
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

/// A P0 is paged, and signed with the true secrets.
fn pages(server: &Tocsin, sink: &HookSink, host: &str) -> Result<()> {
    let before = sink.calls_of(TO_PERSON).len();
    let token = server.sender(host)?;
    let alert = format!("[P0][PROBLEM][{host}][10.1.2.3][host is down]");
    server.anybody().post(&format!("/ingest/{token}"), &[], alert.as_bytes())?.is(200)?;
    sink.wait_for(TO_PERSON, before + 1, PATIENCE)?.verify(OF_PERSON)?;
    let to_hook = sink.wait_for(TO_HOOK, before + 1, PATIENCE)?;
    to_hook.verify(OF_HOOK)?;
    ensure!(to_hook.verify(OF_PERSON).is_err(), "any secret would do");
    Ok(())
}

#[test]
fn no_canary_is_found_on_sqlite() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    lived_in(&mut server, &sink()?)?;
    server.kill()?;
    ensure!(files_are_clean(&server.folder().join("data"))?, "what is no secret was not found either");
    server.start()?;
    let shown = server.ask(&["export", "--with-secrets"], "")?;
    for kept in
        ["canary-secret-\"mail", "canary-secret-ntfy", "canary-secret-source", "# the notes around a secret stay"]
    {
        ensure!(shown.contains(kept), "`{kept}` was lost: {shown}");
    }
    Ok(())
}

#[test]
fn a_running_server_goes_on_with_another_key() -> Result<()> {
    let (mut server, sink) = (Tocsin::fresh()?, sink()?);
    server.start()?;
    server.apply(&config(&sink))?;
    pages(&server, &sink, "db-1")?;
    let key = server.folder().join("data/tocsin.db.key");
    let old = fs::read(&key)?;
    let rotated = server.ask(&["secrets", "rotate"], "")?;
    ensure!(rotated.contains("sealed ") && fs::read(&key)? != old, "{rotated}");
    pages(&server, &sink, "db-2")?;
    // What it reads and seals from now on is under the new key.
    server.apply(&server.ask(&["export"], "")?.replace("every = \"1h\"", "every = \"2h\""))?;
    let admin = server.somebody(Role::Admin)?;
    let versions: Value = admin.read("/api/v1/versions")?;
    ensure!(versions["items"].as_array().is_some_and(|items| items.len() >= 2), "{versions}");
    server.kill()?;
    server.start()?;
    pages(&server, &sink, "db-3")?;
    ensure!(files_are_clean(&server.folder().join("data"))?, "what is no secret was not found either");
    Ok(())
}

#[test]
fn without_its_key_a_server_says_so_and_a_lost_one_costs_only_the_secrets() -> Result<()> {
    let (mut server, sink) = (Tocsin::fresh()?, sink()?);
    server.start()?;
    server.apply(&config(&sink))?;
    server.stop()?;
    let key = server.folder().join("data/tocsin.db.key");
    let kept = fs::read(&key)?;
    fs::remove_file(&key)?;
    let refused = server.command().args(["serve", "--listen", "127.0.0.1:0"]).output()?;
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(!refused.status.success() && words.contains("tocsin.db.key") && words.contains("is missing"), "{words}");
    ensure!(!key.exists(), "a new key would hide what is wrong");
    fs::write(&key, kept)?;
    server.start()?;
    pages(&server, &sink, "db-1")?;

    server.stop()?;
    fs::remove_file(&key)?;
    ensure!(server.ask(&["secrets", "forget"], "").is_err(), "nothing is given up by a slip");
    let told = server.ask(&["secrets", "forget", "--yes"], "")?;
    ensure!(told.contains("are lost"), "{told}");
    server.start()?;
    let shown = server.ask(&["export", "--with-secrets"], "")?;
    ensure!(shown.contains(OPEN) && shown.contains("\"lost\"") && !shown.contains("canary-"), "{shown}");
    server.apply(&config(&sink))?;
    pages(&server, &sink, "db-2")
}

#[test]
fn no_canary_is_found_on_postgresql() -> Result<()> {
    let database = Server::start()?;
    let url = database.create_database()?;
    let mut server = Tocsin::fresh_on(&url)?;
    lived_in(&mut server, &sink()?)?;
    let dump = database.dump(&url)?;
    is_clean("pg_dump", &dump, &ANY)?;
    ensure!(holds(&dump, OPEN) && holds(&dump, "sealed:v1:"), "what is no secret was not found either");
    server.stop()?;
    // Pages, write-ahead log and the database's own log.
    ensure!(files_are_clean(database.folder())?, "what is no secret was not found either");
    Ok(())
}
