//! `tocsin serve`: everything put together, started in the order in which it depends on each other, and stopped.

use super::{CliError, DATABASE, Done, audit, log};
use crate::{
    auth::{keyring, keyring::Keyring, throttle::Throttle},
    calendars, clock, config,
    config::{Serve, Storage, fallback_url},
    db::{DatabaseUrl, LockError, Readers, Store, WriterLock},
    demo,
    devices::{self, Devices},
    entropy,
    hosts::{self, Hosts, Intake, judge::Judge},
    http::{self, App, Instance, Listening},
    ingest,
    inventory::{self, Inventory, Vendors},
    live::{self, Board},
    mirror::{self, Desk},
    readiness,
    runtime::{LastResort, Links, Runtime, Start, Stopped},
    seal::KeyFile,
    shifts, telemetry,
};
use actix_web::web;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

const READERS: usize = 8;
/// Of the store's own name, in the tags of mirrors: enough that no two are alike, and short enough for a switch.
const INSTANCE: usize = 8;
const DATABASE_EVERY: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// What is queued must be stored by then, or it was never answered.
const LAST_WORK: Duration = Duration::from_secs(10);
/// Samples that are not stored by then are sent again by agents; those of other senders are lost, so they go first.
const LAST_SAMPLES: Duration = Duration::from_secs(5);

pub(super) fn serve(storage: &Storage, settings: &Serve) -> Done {
    log::install(&settings.log, settings.log_format)?;
    telemetry::install()?;
    #[cfg(feature = "failpoints")]
    if let Some(failpoint) = &settings.failpoint {
        crate::failpoint::arm(failpoint)?;
    }
    let url = storage.database(if settings.demo { demo::DATABASE } else { DATABASE })?;
    actix_web::rt::System::new().block_on(async {
        // From here on, being asked to stop means to stop in order.
        let mut signals = Signals::listen()?;
        let keys = storage.keys(&url);
        let (addresses, (mut store, lock)) = patiently(&settings.listen, &url, &keys).await?;
        let listening = http::listen(&addresses)?;
        let demo =
            if settings.demo { Some(demo::prepare(&mut store, &storage.data).map_err(CliError::Told)?) } else { None };
        if let Some(path) = &settings.config {
            take_over(&mut store, path)?;
        }
        let code = http::new_code(&mut store, clock::now())?;
        let (app, thread) = assemble(storage, settings, &url, store, lock, &listening)?;
        greet(&app, &listening, &url, code.as_deref());
        let server = listening.begin(app.clone());
        let handle = server.handle();
        let serving = actix_web::rt::spawn(server);
        if let Some(demo) = demo {
            demo::begin(&app, demo);
        }
        keep_fresh(&app);
        keep_mirrors(&app, storage.data.clone(), keys);
        take_in(&app);
        let listeners = ingest::listen::listen(app.clone(), ingest::listen::CONNECTIONS_MAX);
        signals.wait(&thread, &app.runtime, settings.hung_ms).await;
        app.inventory.answer_agents();
        app.board.close();
        tokio::join!(handle.stop(true), listeners.stop());
        store_hosts(&app).await;
        app.runtime.stop();
        if let Ok(Err(error)) = serving.await {
            tracing::error!(%error, "the HTTP server failed");
        }
        end(thread).await
    })
}

/// Claims the database, and waits for one that is elsewhere and cannot be reached: whoever starts both machines after
/// a power cut must not have to mind the order. Gives the addresses to listen on then.
async fn patiently(
    listen: &[SocketAddr],
    url: &DatabaseUrl,
    keys: &KeyFile,
) -> Result<(Vec<SocketAddr>, (Store, WriterLock)), CliError> {
    let error = match claim(url, keys) {
        Ok(claimed) => return Ok((listen.to_vec(), claimed)),
        Err(CliError::Store(error)) if error.is_transient() && url.backend_name() != "sqlite" => error,
        Err(error) => return Err(error),
    };
    let (addresses, stand_in) = http::stand_in(listen)?;
    let handle = stand_in.handle();
    drop(actix_web::rt::spawn(stand_in));
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    println!("Tocsin waits for its database; until then it answers 503 on {}", fallback_urls(&addresses));
    tracing::error!(%error, "the database cannot be reached; it is tried again every second");
    let claimed = loop {
        tokio::select! {
            _ = terminate.recv() => break Err(CliError::Told("asked to stop before the database was there".to_owned())),
            _ = interrupt.recv() => break Err(CliError::Told("asked to stop before the database was there".to_owned())),
            () = tokio::time::sleep(DATABASE_EVERY) => {}
        }
        match claim(url, keys) {
            Err(CliError::Store(error)) if error.is_transient() => tracing::debug!(%error, "still no database"),
            claimed => break claimed,
        }
    };
    handle.stop(true).await;
    Ok((addresses, claimed?))
}

fn fallback_urls(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(|address| fallback_url(*address)).collect::<Vec<_>>().join(" and ")
}

/// Opens the database and makes sure that nobody else decides on it.
fn claim(url: &DatabaseUrl, keys: &KeyFile) -> Result<(Store, WriterLock), CliError> {
    // The folder must be there before the lock.
    let mut store = Store::open_with(url, keys)?;
    let lock = WriterLock::acquire(url).map_err(|error| match error {
        LockError::Taken { .. } => CliError::Told(error.to_string()),
        LockError::Store(error) => error.into(),
    })?;
    for name in store.migrate()? {
        tracing::info!(name, "applied a migration");
    }
    let sealed = store.seal_all()?;
    if sealed > 0 {
        tracing::info!(sealed, "sealed the secrets that an older version had stored plainly");
    }
    if let Some(exposed) = keys.exposed() {
        tracing::warn!("{exposed}");
    }
    Ok((store, lock))
}

/// Puts the configuration of `--config` in force when it says something else than the stored one.
fn take_over(store: &mut Store, path: &Path) -> Done {
    let text = config::read(path).map_err(CliError::Findings)?;
    let (version, stored) = store.config_current()?.unwrap_or_default();
    let old = config::parse(&stored).map_err(|finding| CliError::Findings(vec![finding]))?;
    let text = config::restore(&text, &old).map_err(CliError::Findings)?;
    let checked = config::check(&text, version + 1, Arc::new(store.calendar_copies()?), clock::now());
    let checked = checked.map_err(|refused| CliError::Findings(refused.findings))?;
    for finding in &checked.warnings {
        tracing::warn!(at = finding.path, finding.message, "the configuration is doubtful");
    }
    let changes = config::plan(&old, &checked.document);
    if changes.is_empty() && version > 0 {
        return Ok(());
    }
    let entry = audit::entry("config.apply", &(version + 1).to_string(), changes.join(", "));
    let version = store.audited(&entry, |store| store.config_put(&text, audit::BY, entry.at, Some(version)))?;
    tracing::info!(version, file = %path.display(), "put the configuration of --config in force");
    Ok(())
}

fn assemble(
    storage: &Storage,
    settings: &Serve,
    url: &DatabaseUrl,
    mut store: Store,
    lock: WriterLock,
    listening: &Listening,
) -> Result<(web::Data<App>, JoinHandle<Stopped>), CliError> {
    let instance = Instance {
        version: env!("CARGO_PKG_VERSION"),
        demo: settings.demo,
        own_url: listening.addresses.first().copied().map(fallback_url).unwrap_or_default(),
        trusted_proxies: settings.trusted_proxies.clone(),
    };
    // Stored as text of 192 random bits; signing takes all of it.
    let secret = crate::auth::token::hash(&store.secret_once("secret", &entropy::token(""))?);
    let links = Links::new(settings.public_url.clone(), instance.own_url.clone(), secret);
    // The same on every server and after every start.
    let own_name = store.meta_once("instance", &entropy::token(""))?;
    let (board, readers) = (
        Arc::new(Board::new(clock::now().ms().unsigned_abs())),
        Arc::new(Readers::with_keys(url.clone(), store.keys().clone(), READERS)),
    );
    let keyring = Arc::new(Keyring::open(&readers)?);
    let inventory = Arc::new(Inventory::with_vendors(Vendors::at(settings.oui_data.clone())));
    inventory.restore(&mut store)?;
    let hosts = Arc::new(Hosts::default());
    hosts.restore(&mut store, clock::now())?;
    let judge = Arc::new(Judge::new(Arc::clone(&hosts), clock::now()));
    let devices = Arc::new(Devices::open(&mut store)?);
    let start = Start {
        url: url.clone(),
        store,
        lock,
        links,
        board: board.clone(),
        instance: own_name.clone(),
        devices: Arc::clone(&devices),
        last_resort: LastResort::new(storage.data.join("last-resort.log"), settings.last_resort.clone()),
    };
    let (runtime, thread) = Runtime::start(start).map_err(|error| CliError::Told(error.to_string()))?;
    let mirrors = Arc::new(Desk::new(
        own_name.chars().filter(char::is_ascii_alphanumeric).take(INSTANCE).collect(),
        runtime.orders(),
    ));
    let intake = Arc::new(Intake::new(Arc::clone(&hosts)));
    let app = App {
        runtime,
        board,
        readers,
        inventory,
        hosts,
        judge,
        intake,
        mirrors,
        devices,
        data: Some(storage.data.clone()),
        keyring,
        throttle: Mutex::new(Throttle::default()),
        requests: crate::ingest::Requests::default(),
        lost: crate::ingest::Lost::default(),
        pace: crate::ingest::Pace::default(),
        replays: crate::replay::Desk::default(),
        instance,
    };
    Ok((web::Data::new(app), thread))
}

/// What an operator wants to see first, on stdout: where to click.
fn greet(app: &App, listening: &Listening, url: &DatabaseUrl, code: Option<&str>) {
    let listens = fallback_urls(&listening.addresses);
    println!("Tocsin {} listens on {listens}, store {url}", app.instance.version);
    if let Some(code) = code {
        println!("Make the first administrator: {}/setup?code={code}", app.public_url());
        println!("(the link works once, and for 24 hours; each start makes a new one)");
    } else {
        println!("Open {}", app.public_url());
    }
    if !http::is_built() {
        println!("The web interface is not built into this binary: run `cargo xtask build`");
    }
}

/// Browsers hear of changes, and tokens made or revoked by another process count within a second.
fn keep_fresh(app: &web::Data<App>) {
    drop(actix_web::rt::spawn(live::publish(app.board.clone())));
    drop(actix_web::rt::spawn(app.runtime.clone().beat()));
    drop(actix_web::rt::spawn(devices::keep(Arc::clone(&app.devices), Arc::clone(&app.readers))));
    let (app, app_again) = (app.clone(), app.clone());
    drop(actix_web::rt::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(keyring::REFRESH_EVERY_MS)).await;
            app.keyring.reload(&app.readers).await;
        }
    }));
    drop(actix_web::rt::spawn(calendars::keep(app_again.runtime.clone(), Arc::clone(&app_again.readers))));
    let inventory = Arc::clone(&app_again.inventory);
    let kept = inventory::keep(inventory, app_again.runtime.clone(), Arc::clone(&app_again.readers));
    drop(actix_web::rt::spawn(kept));
    let followed = inventory::follow(Arc::clone(&app_again.inventory), app_again.runtime.clone());
    drop(actix_web::rt::spawn(followed));
    let hosts = Arc::clone(&app_again.hosts);
    let stored = hosts::keep(hosts, app_again.runtime.clone(), Arc::clone(&app_again.readers));
    drop(actix_web::rt::spawn(stored));
    drop(actix_web::rt::spawn(hosts::judge::keep(Arc::clone(&app_again.judge), app_again.runtime.clone())));
    drop(actix_web::rt::spawn(hosts::own::keep(Arc::clone(&app_again.hosts), app_again.runtime.clone())));
    keep_history(app_again);
}

/// Mirrors are carried out, and every switch is compared with what should be in it.
fn keep_mirrors(app: &web::Data<App>, data: PathBuf, keys: KeyFile) {
    let (desk, runtime) = (Arc::clone(&app.mirrors), app.runtime.clone());
    drop(actix_web::rt::spawn(mirror::carry_out(Arc::clone(&desk), runtime.clone(), Arc::clone(&app.inventory))));
    drop(actix_web::rt::spawn(mirror::keep(desk, runtime, data, keys)));
}

/// What hosts measured and is only in memory is stored, as far as there is time for it; agents send the rest again.
async fn store_hosts(app: &web::Data<App>) {
    let (hosts, readers) = (Arc::clone(&app.hosts), Arc::clone(&app.readers));
    let watch = clock::Stopwatch::start();
    let is_over = move || u128::from(watch.elapsed_ms().unsigned_abs()) > LAST_SAMPLES.as_millis();
    let stored = readers.aside(move |store| hosts.store_all(store, clock::now(), is_over)).await;
    if let Err(error) = stored {
        tracing::warn!(%error, "the newest samples of some hosts could not be stored; agents send theirs again, those of others are lost");
    }
}

/// What others measure of hosts becomes ours.
fn take_in(app: &web::Data<App>) {
    let (hosts, intake, runtime) = (Arc::clone(&app.hosts), Arc::clone(&app.intake), app.runtime.clone());
    drop(actix_web::rt::spawn(hosts::settle(Arc::clone(&intake))));
    drop(actix_web::rt::spawn(hosts::falcon::listen(intake, runtime.clone())));
    drop(actix_web::rt::spawn(hosts::scrape::keep(hosts, runtime)));
}

/// Who was on call is stored as it happens, and those who come next are asked whether they are ready.
fn keep_history(app: web::Data<App>) {
    drop(actix_web::rt::spawn(readiness::keep(app.runtime.clone(), Arc::clone(&app.readers))));
    drop(actix_web::rt::spawn(async move {
        loop {
            let readers = Arc::clone(&app.readers);
            let recorded = web::block(move || readers.with(|store| shifts::record(store, clock::now()))).await;
            if let Ok(Err(error)) = recorded {
                tracing::warn!(%error, "who was on call could not be stored; it is tried again");
            }
            tokio::time::sleep(Duration::from_millis(shifts::EVERY_MS)).await;
        }
    }));
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Until somebody asks for the end, or the engine's thread is gone. An engine that hangs (a database that neither
    /// answers nor fails, a dead disk) pages nobody: after `hung_ms`, which is longer than any deadline of the store's
    /// own, the process ends the hard way, and whoever supervises it starts another.
    async fn wait(&mut self, thread: &JoinHandle<Stopped>, runtime: &Runtime, hung_ms: i64) {
        let engine_gone = async {
            while !thread.is_finished() {
                let stalled_ms = runtime.stalled_ms();
                if stalled_ms > hung_ms {
                    tracing::error!(stalled_ms, "the engine hangs; the process ends so that another can take over");
                    std::process::abort();
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!("asked to stop (SIGTERM)"),
            _ = self.interrupt.recv() => tracing::info!("asked to stop (SIGINT)"),
            () = engine_gone => tracing::error!("the engine has stopped"),
        }
    }
}

/// Waits for the engine's last commit and says how it ended.
async fn end(thread: JoinHandle<Stopped>) -> Done {
    let watch = clock::Stopwatch::start();
    while !thread.is_finished() {
        if u128::from(watch.elapsed_ms().unsigned_abs()) > LAST_WORK.as_millis() {
            return Err(CliError::Told(
                "the engine did not finish in time; what it had not stored was never answered".to_owned(),
            ));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    match thread.join() {
        Ok(Stopped::Asked) => {
            tracing::info!("stopped; everything answered is stored");
            Ok(())
        }
        Ok(Stopped::Superseded) => Err(CliError::Told("another server took over this database".to_owned())),
        Err(_) => Err(CliError::Told("the engine panicked; the log says where".to_owned())),
    }
}
