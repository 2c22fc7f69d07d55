//! The application interface, the embedded UI and the pages without script: extract, authorise, call, answer.
//!
//! Which endpoints exist, and which role each asks for, is the table in `shared::api`; one layer in front of all
//! handlers ([`principal`]) enforces it, so a handler cannot forget to.

mod accounts;
mod ack;
mod actions;
mod agents;
mod analytics;
mod app;
mod audit;
mod body;
mod calendar;
mod callbacks;
mod card;
mod channels;
mod config;
mod confirm;
mod contact_card;
mod csv;
mod deliveries;
mod devices;
mod events;
mod health;
mod heartbeats;
mod hosts;
mod imported;
mod incidents;
mod integrations;
mod inventory;
mod layer;
mod me;
mod mirrors;
mod mobile;
mod not_paged;
mod oncall;
mod openapi;
mod origin;
mod overrides;
mod pairing;
mod people;
mod principal;
mod problem;
mod proof;
mod reader;
mod ready;
mod receipts;
mod rehearsal;
mod repeats;
mod replay;
mod routes;
mod schedules;
mod segments;
mod sender_settings;
mod session;
mod setup;
mod silences;
mod storms;
mod swaps;
mod test_pages;
mod thresholds;
mod tokens;
mod ui;
mod upcoming;
mod versions;
mod why;
mod why_not;

pub(crate) use app::act;
pub use app::{App, Instance};
pub use integrations::sender_id;
pub use layer::outermost;
pub use principal::{Principal, Who};
pub use problem::ApiError;
pub use routes::{configure, mounted};
pub use setup::{CODE_LIFETIME, new_code};
pub use ui::is_built;

use actix_web::{App as ActixApp, HttpResponse, HttpServer, dev::Server, middleware::from_fn, web};
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Connections a worker holds at once; more wait in the system's queue.
const CONNECTIONS: usize = 4_096;
/// A client that does not send its headers in this time is not served.
const SLOW_HEADERS: Duration = Duration::from_secs(10);
/// How long a connection that asks nothing stays open. Longer than clients keep theirs (Go's and `reqwest`'s 90 s, the
/// 60 s of nginx and of load balancers), so that it is they who end it: a message sent in the moment in which we end it
/// is refused as broken, and few senders send again.
const IDLE: Duration = Duration::from_secs(120);
/// How long a request may go on after we were asked to stop.
const SHUTDOWN_S: u64 = 5;

/// Addresses that are listened on already, and the server that will answer there.
pub struct Listening {
    /// As they are, with the port the system chose where 0 was asked for.
    pub addresses: Vec<SocketAddr>,
    begin: Box<dyn FnOnce(web::Data<App>) -> Server>,
}

impl Listening {
    /// Begins to answer.
    pub fn begin(self, app: web::Data<App>) -> Server {
        (self.begin)(app)
    }
}

/// Answers while the database cannot be reached: alive, not ready, and every message is to be sent again. Gives the
/// addresses with the port the system chose where 0 was asked for.
///
/// # Errors
/// When an address cannot be listened on.
pub fn stand_in(addresses: &[SocketAddr]) -> io::Result<(Vec<SocketAddr>, Server)> {
    let mut server = HttpServer::new(|| {
        ActixApp::new()
            .wrap(from_fn(layer::outermost))
            .route("/healthz", web::get().to(health::healthz))
            .default_service(web::to(|| async { Err::<HttpResponse, _>(ApiError::unavailable()) }))
    })
    .workers(1)
    .keep_alive(IDLE)
    .client_request_timeout(SLOW_HEADERS)
    .shutdown_timeout(SHUTDOWN_S)
    .disable_signals();
    for address in addresses {
        server = server.bind(address)?;
    }
    Ok((server.addrs(), server.run()))
}

/// Takes the addresses; whoever connects waits until the server begins.
///
/// # Errors
/// When an address cannot be listened on; the error names it.
pub fn listen(addresses: &[SocketAddr]) -> io::Result<Listening> {
    let slot: Arc<OnceLock<web::Data<App>>> = Arc::default();
    let shared = Arc::clone(&slot);
    let mut server = HttpServer::new(move || {
        let app = ActixApp::new().wrap(from_fn(layer::outermost)).configure(configure);
        // It is there before any worker starts.
        match shared.get() {
            Some(data) => app.app_data(data.clone()),
            None => app,
        }
    })
    .max_connections(CONNECTIONS)
    .keep_alive(IDLE)
    .client_request_timeout(SLOW_HEADERS)
    .shutdown_timeout(SHUTDOWN_S)
    .disable_signals();
    for address in addresses {
        server = server.bind(address).map_err(|error| {
            let mend = match error.kind() {
                io::ErrorKind::AddrInUse => "something listens there already; choose another with --listen",
                io::ErrorKind::PermissionDenied => "this account may not; take a port above 1023",
                _ => "choose another with --listen",
            };
            io::Error::new(error.kind(), format!("cannot listen on {address}: {error} ({mend})"))
        })?;
    }
    let addresses = server.addrs();
    let begin = Box::new(move |app| {
        // Set once: `begin` takes itself away.
        drop(slot.set(app));
        server.run()
    });
    Ok(Listening { addresses, begin })
}
