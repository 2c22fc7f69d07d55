//! Listens for senders of syslog and of Fluentd's forward protocol, and for mail, where the configuration in force says.
//!
//! Who is not known by a token is known by the port and by where they come from: only the addresses of the configuration may
//! speak. What they may make us hold is bounded, and what there is no room for is not read from connections.

mod door;
mod forward;
mod mail;
mod post;
mod slots;
mod store;
mod tcp;
mod udp;

use crate::{http::App, telemetry};
use actix_web::web;
use door::Door;
use engine::matcher::network;
use futures_util::future::join_all;
use ipnet::IpNet;
use post::{Keys, Post};
use shared::{
    IntegrationId,
    config::{Certificate, Document},
};
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
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// Connections of all senders of syslog together; each keeps its own for days.
pub const CONNECTIONS_MAX: usize = 512;
/// Those of the forward protocol, each of which may make us hold more.
const FORWARD_MAX: usize = 128;
/// Those of mail, which last for as long as a message takes.
const MAIL_MAX: usize = 64;
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// For what was heard to be stored, once a port is closed.
const CLOSING: Duration = Duration::from_secs(5);
/// Addresses that were turned away are told of once each, so many of them.
const STRANGERS_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Transport {
    Udp,
    Tcp,
    Forward,
    Mail,
}

impl Transport {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Forward => "forward",
            Self::Mail => "mail",
        }
    }

    /// What is spoken there.
    const fn protocol(self) -> &'static str {
        match self {
            Self::Udp | Self::Tcp => "syslog",
            Self::Forward => "forward",
            Self::Mail => "mail",
        }
    }

    /// Counts messages by what became of them.
    fn count(self, result: &'static str, messages: u64) {
        match self {
            Self::Udp | Self::Tcp => telemetry::logged(self.as_str(), result, messages),
            Self::Forward => telemetry::forwarded(result, messages),
            Self::Mail => telemetry::mailed(result, messages),
        }
    }
}

/// Where an integration listens, or all of them together for mail, which names one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    integration: Option<IntegrationId>,
    transport: Transport,
    address: SocketAddr,
}

impl Place {
    /// What is not heard while it is closed.
    fn unheard(&self) -> String {
        let Self { integration, transport, address } = self;
        let who = integration.as_ref().map(IntegrationId::as_str).unwrap_or_default();
        match transport {
            Transport::Udp | Transport::Tcp => {
                format!("nobody hears what {who} says by syslog to {} {address}", transport.as_str())
            }
            Transport::Forward => format!("nobody hears what {who} says by the forward protocol to {address}"),
            Transport::Mail => format!("nobody takes the mail that is sent to {address}"),
        }
    }
}

/// What holds at a place; it may change while it is open.
#[derive(Clone, Default, PartialEq, Eq)]
struct Terms {
    /// Who may speak.
    from: Vec<IpNet>,
    /// What a sender has to know.
    shared_key: Option<String>,
    /// Whose mail is taken; all when empty.
    domains: Vec<String>,
    certificate: Option<Certificate>,
}

/// The places of a configuration, and what holds there; it was checked before it was put in force.
fn places(document: &Document) -> BTreeMap<Place, Terms> {
    let mut places = BTreeMap::new();
    let mut add = |integration: Option<&IntegrationId>, transport, address: Option<&str>, terms: &Terms| {
        if let Some(address) = address.and_then(|text| text.trim().parse().ok()) {
            places.insert(Place { integration: integration.cloned(), transport, address }, terms.clone());
        }
    };
    for integration in &document.integrations {
        let id = Some(&integration.id);
        if let Some(syslog) = &integration.syslog {
            let terms = Terms { from: networks(&syslog.from), ..Terms::default() };
            add(id, Transport::Udp, syslog.udp.as_deref(), &terms);
            add(id, Transport::Tcp, syslog.tcp.as_deref(), &terms);
        }
        if let Some(forward) = &integration.forward {
            let from = networks(&forward.from);
            // Who knows the key may come from anywhere.
            let from = if from.is_empty() && forward.shared_key.is_some() { anywhere() } else { from };
            let terms = Terms { from, shared_key: forward.shared_key.clone(), ..Terms::default() };
            add(id, Transport::Forward, forward.listen.as_deref(), &terms);
        }
    }
    if let Some(mail) = &document.mail {
        let from = networks(&mail.from);
        let from = if from.is_empty() { anywhere() } else { from };
        let domains = mail.domains.iter().map(|it| it.trim().to_lowercase()).collect();
        let terms = Terms { from, shared_key: None, domains, certificate: mail.tls.clone() };
        add(None, Transport::Mail, Some(&mail.listen), &terms);
    }
    places
}

fn networks(texts: &[String]) -> Vec<IpNet> {
    texts.iter().filter_map(|text| network(text)).collect()
}

fn anywhere() -> Vec<IpNet> {
    ["0.0.0.0/0", "::/0"].into_iter().filter_map(network).collect()
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

/// Everything that listens.
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
            tracing::error!("what listens for senders had ended by itself");
        }
    }
}

/// Listens where the configuration in force says, also when that changes; takes so many connections of syslog at a time.
#[must_use]
pub fn listen(app: web::Data<App>, connections: usize) -> Listeners {
    let (stop, asked) = Stop::pair();
    let ports = Ports {
        app,
        slots: Slots::new(connections, "syslog"),
        forward_slots: Slots::new(FORWARD_MAX, "forward"),
        mail_slots: Slots::new(MAIL_MAX, "mail"),
        large: Arc::new(Semaphore::new(forward::LARGE_MAX)),
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
    forward_slots: Arc<Slots>,
    mail_slots: Arc<Slots>,
    /// For what is large, of all who forward.
    large: Arc<Semaphore>,
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
            for (place, terms) in wanted {
                match self.open.get(&place) {
                    Some(port) => port.change(terms),
                    None => self.try_to_open(place, terms).await,
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
        for stores in join_all(gone.collect::<Vec<_>>()).await.into_iter().flatten() {
            self.closing.spawn(async move {
                if stores.await.is_err() {
                    tracing::error!("what stores messages of a port had ended by itself");
                }
            });
        }
    }

    async fn try_to_open(&mut self, place: Place, terms: Terms) {
        let (address, transport) = (place.address, place.transport.as_str());
        match self.opened(&place, terms).await {
            Ok(port) => {
                let integration = place.integration.as_ref().map(IntegrationId::as_str);
                tracing::info!(%address, transport, integration, "listens for senders");
                self.failed.remove(&place);
                self.open.insert(place, port);
            }
            Err(error) => {
                if self.failed.insert(place, error.to_string()).is_none() {
                    tracing::error!(%address, transport, %error, "cannot listen for senders; it is tried again");
                }
            }
        }
    }

    async fn opened(&self, place: &Place, terms: Terms) -> io::Result<Port> {
        let Place { integration, transport, address } = place;
        let (stop, asked) = Stop::pair();
        let (terms, heard_terms) = watch::channel(terms);
        let senders = Senders { terms: heard_terms, protocol: transport.protocol(), strangers: BTreeSet::new() };
        let Some(integration) = integration else {
            // Mail waits for nothing: who sends it is told whether it is stored.
            let door = Door { senders, slots: Arc::clone(&self.mail_slots), stop: asked };
            let (listener, app) = (TcpListener::bind(address).await?, self.app.clone());
            let hears = tokio::spawn(door.open(listener, move |guest, stream| mail::hear(guest, stream, app.clone())));
            return Ok(Port { stop, terms, hears, stores: None });
        };
        let (post, heard) = Post::new(self.app.clone(), Arc::clone(&self.keys), integration.clone(), *transport);
        let hears = match transport {
            Transport::Forward => {
                let door = Door { senders, slots: Arc::clone(&self.forward_slots), stop: asked.clone() };
                let listener = TcpListener::bind(address).await?;
                let (post, large) = (Arc::new(post), Arc::clone(&self.large));
                let hear = move |guest, stream| forward::hear(guest, stream, Arc::clone(&post), Arc::clone(&large));
                tokio::spawn(door.open(listener, hear))
            }
            Transport::Udp => {
                let socket = UdpSocket::bind(address).await?;
                tokio::spawn(udp::hear(socket, senders, post, asked.clone()))
            }
            Transport::Tcp | Transport::Mail => {
                let door = Door { senders, slots: Arc::clone(&self.slots), stop: asked.clone() };
                let (listener, post) = (TcpListener::bind(address).await?, Arc::new(post));
                let hear = move |guest, stream| tcp::hear(guest, stream, Arc::clone(&post));
                tokio::spawn(door.open(listener, hear))
            }
        };
        let waiting = Waiting::new(self.app.runtime.clone(), integration.clone(), *transport);
        Ok(Port { stop, terms, hears, stores: Some(tokio::spawn(waiting.store(heard, asked))) })
    }

    /// Senders cannot know that nobody hears them.
    fn tell(&self) {
        telemetry::deaf(self.failed.len());
        let deaf = self.failed.iter().map(|(place, error)| format!("{}: {error}", place.unheard()));
        self.app.runtime.note_deaf(deaf.collect());
    }
}

/// A port that is open.
struct Port {
    stop: watch::Sender<bool>,
    terms: watch::Sender<Terms>,
    /// Ends as soon as the port is closed.
    hears: JoinHandle<()>,
    /// Ends once what was heard is stored.
    stores: Option<JoinHandle<()>>,
}

impl Port {
    /// From now on this holds; connections of those who may speak go on.
    fn change(&self, terms: Terms) {
        self.terms.send_if_modified(|now| {
            let is_new = *now != terms;
            *now = terms;
            is_new
        });
    }

    /// Closes it; gives what then goes on for a while.
    async fn close(self) -> Option<JoinHandle<()>> {
        self.stop.send_replace(true);
        if self.hears.await.is_err() {
            tracing::error!("a port for senders had ended by itself");
        }
        self.stores
    }
}

/// Whose messages are heard at a port.
#[derive(Clone)]
struct Senders {
    terms: watch::Receiver<Terms>,
    protocol: &'static str,
    /// Those that were turned away and told of.
    strangers: BTreeSet<IpAddr>,
}

impl Senders {
    fn may_speak(&mut self, ip: IpAddr) -> bool {
        if self.terms.borrow().from.iter().any(|network| network.contains(&ip)) {
            return true;
        }
        telemetry::refused(match self.protocol {
            "syslog" => "syslog_from",
            "forward" => "forward_from",
            _ => "mail_from",
        });
        if self.strangers.len() < STRANGERS_MAX && self.strangers.insert(ip) {
            let protocol = self.protocol;
            tracing::warn!(%ip, protocol, "a sender was turned away; `from` of the configuration does not name its address");
        }
        false
    }

    /// What holds now.
    fn terms(&self) -> Terms {
        self.terms.borrow().clone()
    }
}
