//! `tocsin doctor`: everything this installation needs, tried one by one.

use super::{CliError, DATABASE, Done};
use crate::{
    calendars,
    clock::{self, Stopwatch},
    config::{self, Storage},
    db::{AuditVerdict, CalendarState, DatabaseUrl, ProofVerdict, Store},
    seal::KeyFile,
};
use clap::Args;
use engine::Snapshot;
use shared::{Delay, config::Document};
use std::{
    fs,
    io::Write as _,
    net::{TcpStream, ToSocketAddrs as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// Do not try to reach mail and ntfy servers
    #[arg(long)]
    offline: bool,
}

/// Slower than this, a burst of alerts waits for the disk.
const SLOW_FSYNC_MS: i64 = 50;
const PATIENCE: Duration = Duration::from_secs(3);
/// 2026-01-01: a clock before it was never set.
const BUILT_AFTER_MS: i64 = 1_767_225_600_000;

#[derive(Default)]
struct Visit {
    failed: u32,
}

impl Visit {
    fn good(&self, what: &str, detail: &str) {
        println!("ok       {what}: {detail}");
    }

    fn doubtful(&self, what: &str, detail: &str) {
        println!("warning  {what}: {detail}");
    }

    fn bad(&mut self, what: &str, detail: &str) {
        self.failed += 1;
        println!("FAILED   {what}: {detail}");
    }
}

pub(super) fn doctor(storage: &Storage, command: &Doctor) -> Done {
    let url = storage.database(DATABASE)?;
    let mut visit = Visit::default();
    let now = clock::now();
    if now.ms() < BUILT_AFTER_MS {
        visit.bad("clock", "the machine's clock is years behind; set it, and keep it set by NTP");
    } else {
        visit.good("clock", &format!("{} ms since 1970", now.ms()));
    }
    if let DatabaseUrl::Sqlite(path) = &url {
        disk(&mut visit, path);
    }
    let document = store(&mut visit, &url, &storage.keys(&url));
    if let Some(document) = document {
        reachable(&mut visit, &document, command.offline);
    }
    if visit.failed > 0 {
        eprintln!("error: {} checks failed", visit.failed);
        return Err(CliError::Said);
    }
    Ok(())
}

/// Whether a file can be made beside the database, and how long the disk takes to keep it.
fn disk(visit: &mut Visit, database: &Path) {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let probe = folder.join(".tocsin-doctor");
    let tried = fs::create_dir_all(folder).and_then(|()| {
        let mut file = fs::File::create(&probe)?;
        file.write_all(&[0; 4_096])?;
        let watch = Stopwatch::start();
        file.sync_all()?;
        Ok(watch.elapsed_ms())
    });
    fs::remove_file(&probe).ok();
    match tried {
        Ok(ms) if ms > SLOW_FSYNC_MS => {
            visit.doubtful("disk", &format!("{} takes {ms} ms to keep 4 KiB; alerts wait for it", folder.display()));
        }
        Ok(ms) => visit.good("disk", &format!("{} keeps 4 KiB within {ms} ms", folder.display())),
        Err(error) => visit.bad("disk", &format!("{} cannot be written: {error}", folder.display())),
    }
}

/// The schema, that it takes writes, the record, and the configuration; gives the latter.
fn store(visit: &mut Visit, url: &DatabaseUrl, keys: &KeyFile) -> Option<Document> {
    let mut store = match Store::open_with(url, keys) {
        Ok(store) => store,
        Err(error) => {
            visit.bad("store", &error.to_string());
            return None;
        }
    };
    match store.version() {
        Ok(version) => visit.good("store", &format!("{url}, {version}")),
        Err(error) => visit.bad("store", &error.to_string()),
    }
    match store.pending_migrations() {
        Ok(pending) if pending.is_empty() => visit.good("schema", "up to date"),
        Ok(pending) => {
            visit.bad("schema", &format!("lacks {}; run `tocsin migrate`", pending.join(", ")));
            return None;
        }
        Err(error) => {
            visit.bad("schema", &error.to_string());
            return None;
        }
    }
    match store.meta_put("doctor.visited", &clock::now().ms().to_string()) {
        Ok(()) => visit.good("writing", "the store takes writes"),
        Err(error) => visit.bad("writing", &error.to_string()),
    }
    match store.audit_verify() {
        Ok(AuditVerdict::Intact { entries }) => visit.good("record", &format!("{entries} entries, none changed")),
        Ok(AuditVerdict::Broken { id, what }) => visit.bad("record", &format!("entry {id} was tampered with: {what}")),
        Err(error) => visit.bad("record", &error.to_string()),
    }
    match store.proof_verify() {
        Ok(ProofVerdict::Intact { links, .. }) => visit.good("proof", &format!("{links} links, none changed")),
        Ok(ProofVerdict::Broken { id, what }) => visit.bad("proof", &format!("link {id} was tampered with: {what}")),
        Err(error) => visit.bad("proof", &error.to_string()),
    }
    match store.secrets_key() {
        Ok(None) => visit.good("secrets", "none is stored"),
        Ok(Some(key)) => match keys.exposed() {
            Some(exposed) => visit.doubtful("secrets", &exposed),
            None => visit.good("secrets", &format!("sealed with key {key}")),
        },
        Err(error) => visit.bad("secrets", &error.to_string()),
    }
    match store.setup_needed() {
        Ok(true) => visit.doubtful("accounts", "there is no administrator; `tocsin serve` prints a link to make one"),
        Ok(false) => visit.good("accounts", "there is an administrator"),
        Err(error) => visit.bad("accounts", &error.to_string()),
    }
    configuration(visit, &mut store)
}

fn configuration(visit: &mut Visit, store: &mut Store) -> Option<Document> {
    let (version, text) = match store.config_current() {
        Ok(current) => current.unwrap_or_default(),
        Err(error) => {
            visit.bad("configuration", &error.to_string());
            return None;
        }
    };
    let known = store.calendar_copies().and_then(|copies| Ok((copies, store.calendar_states()?)));
    let (copies, states) = match known {
        Ok(known) => known,
        Err(error) => {
            visit.bad("calendars", &error.to_string());
            return None;
        }
    };
    match config::check(&text, version, Arc::new(copies), clock::now()) {
        Ok(checked) => {
            each_calendar(visit, &checked.snapshot, &states);
            visit.good("configuration", &format!("version {version}, {} warnings", checked.warnings.len()));
            for finding in &checked.warnings {
                visit.doubtful("configuration", &format!("{}: {}", finding.path, finding.message));
            }
            Some(checked.document)
        }
        Err(refused) => {
            for finding in refused.findings.iter().filter(|finding| finding.fatal) {
                visit.bad("configuration", &format!("{}: {}", finding.path, finding.message));
            }
            refused.document
        }
    }
}

/// Calendars that others keep: how old their copies are, and why they cannot be fetched.
fn each_calendar(visit: &Visit, config: &Snapshot, states: &[CalendarState]) {
    for (schedule, roster) in &config.rosters {
        for imported in roster.imported() {
            let it = calendars::shown(schedule, imported, states, clock::now());
            let what = format!("calendar {schedule}/{}", imported.layer);
            let age = it.good_at.map(|at| Delay(clock::now().ms_since(at).max(0) / 60_000 * 60_000));
            let age = age.map_or("was never fetched".to_owned(), |age| format!("{} events, {age} old", it.events));
            match it.error {
                Some(error) => visit.doubtful(&what, &format!("{}: {age}; the last try failed: {error}", it.host)),
                None if it.old || !it.has_copy => visit.doubtful(&what, &format!("{}: {age}", it.host)),
                None => visit.good(&what, &format!("{}: {age}", it.host)),
            }
        }
    }
}

fn reachable(visit: &mut Visit, document: &Document, offline: bool) {
    match document.public_url.as_deref() {
        None => visit.doubtful("public_url", "is not set: links in pages lead to the address the server listens on"),
        Some(url) if !url.starts_with("https://") => {
            visit.doubtful("public_url", &format!("{url} is not https: passwords and links travel in the open"));
        }
        Some(url) => visit.good("public_url", url),
    }
    if offline {
        return;
    }
    let email = document.channels.email.as_ref().map(|email| {
        let usual = match email.tls {
            shared::config::EmailTls::None => 25,
            shared::config::EmailTls::Starttls => 587,
            shared::config::EmailTls::Tls => 465,
        };
        ("mail", email.host.clone(), email.port.unwrap_or(usual))
    });
    let ntfy = document.channels.ntfy.as_ref().and_then(|ntfy| {
        let url = url::Url::parse(&ntfy.server).ok()?;
        Some(("ntfy", url.host_str()?.to_owned(), url.port_or_known_default()?))
    });
    for (what, host, port) in [email, ntfy].into_iter().flatten() {
        match connect(&host, port) {
            Ok(()) => visit.good(what, &format!("{host}:{port} answers")),
            Err(why) => visit.bad(what, &format!("{host}:{port}: {why}")),
        }
    }
}

fn connect(host: &str, port: u16) -> Result<(), String> {
    let addresses = (host, port).to_socket_addrs().map_err(|error| format!("the name is not found ({error})"))?;
    let mut last = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}
