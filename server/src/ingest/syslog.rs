//! Listens for senders of syslog where the configuration in force says; the port says which integration it is.
//!
//! There is no token in this protocol and no answer: only the addresses of the configuration may speak, what they may make us
//! hold is bounded, and what there is no room for is not read from connections.

mod post;
mod slots;
mod store;
mod tcp;
mod udp;

use crate::{http::App, telemetry};
use actix_web::web;
use engine::matcher::network;
use futures_util::future::join_all;
use ipnet::IpNet;
use post::{Keys, Post};
use shared::{IntegrationId, config::Document};
use slots::Slots;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use store::Waiting;
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// Connections of all senders together; each keeps its own for days.
pub const CONNECTIONS_MAX: usize = 512;
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// For what was heard to be stored, once a port is closed.
const CLOSING: Duration = Duration::from_secs(5);
/// Addresses that were turned away are told of once each, so many of them.
const STRANGERS_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Transport {
    Udp,
    Tcp,
}

impl Transport {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }

    /// Counts messages by what became of them.
    fn count(self, result: &'static str, messages: u64) {
        telemetry::logged(self.as_str(), result, messages);
    }
}

/// Where an integration listens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    integration: IntegrationId,
    transport: Transport,
    address: SocketAddr,
}

/// The places of a configuration, and who may speak there; it was checked before it was put in force.
fn places(document: &Document) -> BTreeMap<Place, Vec<IpNet>> {
    let mut places = BTreeMap::new();
    for integration in &document.integrations {
        let Some(syslog) = &integration.syslog else { continue };
        let from: Vec<IpNet> = syslog.from.iter().filter_map(|text| network(text)).collect();
        for (transport, address) in [(Transport::Udp, &syslog.udp), (Transport::Tcp, &syslog.tcp)] {
            if let Some(address) = address.as_deref().and_then(|text| text.trim().parse().ok()) {
                let integration = integration.id.clone();
                places.insert(Place { integration, transport, address }, from.clone());
            }
        }
    }
    places
}

/// Whether it is time to stop.
#[derive(Clone, Debug)]
struct Stop(watch::Receiver<bool>);

impl Stop {
    fn pair() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for it; whoever could ask and is gone has asked.
    async fn asked(&mut self) {
        drop(self.0.wait_for(|asked| *asked).await);
    }

    /// Waits until it was asked and there was time to finish.
    async fn over(mut self) {
        self.asked().await;
        sleep(CLOSING).await;
    }
}

/// Everything that listens for syslog.
#[derive(Debug)]
pub struct Listeners {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Listeners {
    /// Closes every port and stores what was heard, as far as there is time for it.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("the listeners for syslog had ended by themselves");
        }
    }
}

/// Listens where the configuration in force says, also when that changes; takes so many connections at a time.
#[must_use]
pub fn listen(app: web::Data<App>, connections: usize) -> Listeners {
    let (stop, asked) = Stop::pair();
    let ports = Ports {
        app,
        slots: Slots::new(connections),
        keys: Arc::new(Keys::new()),
        open: BTreeMap::new(),
        failed: BTreeMap::new(),
        closing: JoinSet::new(),
    };
    Listeners { stop, task: tokio::spawn(ports.keep(asked)) }
}

struct Ports {
    app: web::Data<App>,
    slots: Arc<Slots>,
    keys: Arc<Keys>,
    open: BTreeMap<Place, Port>,
    /// Why those that should be open are not.
    failed: BTreeMap<Place, String>,
    /// Closed, and what was heard there is not stored yet.
    closing: JoinSet<()>,
}

impl Ports {
    async fn keep(mut self, mut stop: Stop) {
        while !stop.is_asked() {
            let wanted = places(&self.app.runtime.config().document);
            // The old ones are closed first: a new one may have the same port.
            self.close(|place, port| !wanted.contains_key(place) || port.hears.is_finished()).await;
            while self.closing.try_join_next().is_some() {}
            self.failed.retain(|place, _| wanted.contains_key(place));
            for (place, from) in wanted {
                match self.open.get(&place) {
                    Some(port) => port.hear_from(from),
                    None => self.try_to_open(place, from).await,
                }
            }
            self.tell();
            tokio::select! {
                () = stop.asked() => {}
                () = sleep(LOOK_EVERY) => {}
            }
        }
        self.close(|_, _| true).await;
        while self.closing.join_next().await.is_some() {}
    }

    async fn close(&mut self, which: impl Fn(&Place, &Port) -> bool) {
        let gone = self.open.extract_if(.., |place, port| which(place, port)).map(|(_, port)| port.close());
        for stores in join_all(gone.collect::<Vec<_>>()).await {
            self.closing.spawn(async move {
                if stores.await.is_err() {
                    tracing::error!("what stores messages of syslog had ended by itself");
                }
            });
        }
    }

    async fn try_to_open(&mut self, place: Place, from: Vec<IpNet>) {
        let (address, transport) = (place.address, place.transport.as_str());
        match self.opened(&place, from).await {
            Ok(port) => {
                tracing::info!(%address, transport, integration = %place.integration, "listens for syslog");
                self.failed.remove(&place);
                self.open.insert(place, port);
            }
            Err(error) => {
                if self.failed.insert(place, error.to_string()).is_none() {
                    tracing::error!(%address, transport, %error, "cannot listen for syslog; it is tried again");
                }
            }
        }
    }

    async fn opened(&self, place: &Place, from: Vec<IpNet>) -> io::Result<Port> {
        let Place { integration, transport, address } = place;
        let (stop, asked) = Stop::pair();
        let (from, heard_from) = watch::channel(from);
        let senders = Senders { from: heard_from, strangers: BTreeSet::new() };
        let (post, heard) = Post::new(self.app.clone(), Arc::clone(&self.keys), integration.clone(), *transport);
        let hears = match transport {
            Transport::Udp => {
                let socket = UdpSocket::bind(address).await?;
                tokio::spawn(udp::hear(socket, senders, post, asked.clone()))
            }
            Transport::Tcp => {
                let listener = TcpListener::bind(address).await?;
                tokio::spawn(tcp::accept(listener, senders, Arc::new(post), Arc::clone(&self.slots), asked.clone()))
            }
        };
        let waiting = Waiting::new(self.app.runtime.clone(), integration.clone(), *transport);
        Ok(Port { stop, from, hears, stores: tokio::spawn(waiting.store(heard, asked)) })
    }

    /// Senders cannot know that nobody hears them.
    fn tell(&self) {
        telemetry::deaf(self.failed.len());
        let deaf = self.failed.iter().map(|(place, error)| {
            let Place { integration, transport, address } = place;
            format!("nobody hears what {integration} says by syslog to {} {address}: {error}", transport.as_str())
        });
        self.app.runtime.note_deaf(deaf.collect());
    }
}

/// A port that is open.
struct Port {
    stop: watch::Sender<bool>,
    from: watch::Sender<Vec<IpNet>>,
    /// Ends as soon as the port is closed.
    hears: JoinHandle<()>,
    /// Ends once what was heard is stored.
    stores: JoinHandle<()>,
}

impl Port {
    /// From now on these may speak, and nobody else; connections of those who may go on.
    fn hear_from(&self, from: Vec<IpNet>) {
        self.from.send_if_modified(|now| {
            let is_new = *now != from;
            *now = from;
            is_new
        });
    }

    /// Closes it; gives what then goes on for a while.
    async fn close(self) -> JoinHandle<()> {
        self.stop.send_replace(true);
        if self.hears.await.is_err() {
            tracing::error!("a port for syslog had ended by itself");
        }
        self.stores
    }
}

/// Whose messages are heard at a port.
#[derive(Clone)]
struct Senders {
    from: watch::Receiver<Vec<IpNet>>,
    /// Those that were turned away and told of.
    strangers: BTreeSet<IpAddr>,
}

impl Senders {
    fn may_speak(&mut self, ip: IpAddr) -> bool {
        if self.from.borrow().iter().any(|network| network.contains(&ip)) {
            return true;
        }
        telemetry::refused("syslog_from");
        if self.strangers.len() < STRANGERS_MAX && self.strangers.insert(ip) {
            tracing::warn!(%ip, "a sender of syslog was turned away; `from` of its integration does not name its address");
        }
        false
    }
}
