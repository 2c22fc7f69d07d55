//! OpenStack: the servers of a cloud, or of one project of it, by Keystone, Nova and Neutron.
//!
//! Nothing there tells of changes, so the whole is read again and again, in pages. What the account may not see is left
//! out: hypervisors are shown to administrators only, unless the cloud's policy says otherwise.

mod cloud;
mod keystone;

use super::{
    Collector, Fault, FaultKind,
    https::{
        Trust,
        json::{Api, Refusal, escaped},
    },
    pace::Pace,
};
use crate::clock;
use cloud::Cloud;
use keystone::{Keystone, Session};
use serde_json::Value;
use shared::inventory::Observation;
use std::{collections::BTreeSet, fmt, time::Duration};

/// Items asked for at a time; a cloud may give fewer.
const PAGE: usize = 500;
/// Of one list. Larger clouds are several sources, one a region.
const ITEMS_MAX: usize = 500_000;
/// Of a port, what is read.
const PORT_FIELDS: &str = "fields=id&fields=name&fields=device_id&fields=mac_address&fields=fixed_ips&fields=network_id\
                           &fields=admin_state_up&fields=status&fields=binding:vif_type&fields=binding:vif_details\
                           &fields=binding:host_id";
/// Of a network, what is read.
const NETWORK_FIELDS: &str = "fields=id&fields=name&fields=provider:network_type&fields=provider:segmentation_id";

/// How a cloud is observed.
#[derive(Clone)]
pub struct Settings {
    /// Of Keystone: `https://cloud.example.org:5000/v3`.
    pub url: String,
    pub login: Login,
    /// For Keystone and for all that its catalogue names.
    pub trust: Trust,
    /// Where the catalogue names several.
    pub region: Option<String>,
    pub interface: Interface,
    /// How often it is asked.
    pub every: Duration,
}

/// Who asks.
#[derive(Clone)]
pub enum Login {
    /// A user; `domain` is that of the user and of the project.
    Password { username: String, password: String, project: String, domain: String },
    /// It knows its project by itself.
    ApplicationCredential { id: String, secret: String },
}

/// Which of a service's addresses is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interface {
    #[default]
    Public,
    Internal,
}

/// Observes one region of a cloud.
pub struct Openstack {
    keystone: Keystone,
    pace: Pace,
    session: Option<Session>,
}

impl fmt::Debug for Openstack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Openstack").field(&self.keystone).finish()
    }
}

impl Openstack {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// When the address or the trust cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Fault> {
        let pace = Pace::new(settings.every);
        Ok(Self { keystone: Keystone::new(settings)?, pace, session: None })
    }

    async fn look(&mut self) -> Result<Observation, Fault> {
        if let Some(mut session) = self.session.take().filter(|session| !session.ends_soon(clock::now())) {
            match whole(&mut session).await {
                Ok(seen) => {
                    self.session = Some(session);
                    return Ok(seen);
                }
                // Tokens are revoked when roles change, and lost when Keystone's keys rotate.
                Err(refusal) if refusal.status == Some(401) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        let mut session = self.keystone.login().await?;
        let seen = whole(&mut session).await?;
        self.session = Some(session);
        Ok(seen)
    }
}

impl Collector for Openstack {
    async fn next(&mut self) -> Result<Observation, Fault> {
        self.pace.wait().await;
        let seen = self.look().await;
        if seen.is_err() {
            self.pace.begin_anew();
        }
        seen
    }
}

async fn whole(session: &mut Session) -> Result<Observation, Refusal> {
    let mut cloud = Cloud::default();
    servers(session, &mut cloud).await?;
    let neutron = &session.neutron;
    pages(neutron, &format!("/networks?{NETWORK_FIELDS}"), "networks", |it| cloud.take_network(it)).await?;
    let ports = format!("/ports?{PORT_FIELDS}");
    pages(neutron, &ports, "ports", |it| cloud.take_port(it)).await?;
    let floating = "/floatingips?fields=id&fields=port_id&fields=floating_ip_address";
    match pages(neutron, floating, "floatingips", |it| cloud.take_floating(it)).await {
        // A cloud need not have routers, and then has none of these.
        Err(refusal) if matches!(refusal.status, Some(403 | 404)) => {}
        other => other?,
    }
    Ok(cloud.told())
}

/// All that are to be seen: those of every project where the account may, else those of its own.
async fn servers(session: &mut Session, cloud: &mut Cloud) -> Result<(), Refusal> {
    let Session { nova, own_project_only, .. } = session;
    if !*own_project_only {
        let every = "/servers/detail?all_tenants=1";
        match pages(nova, every, "servers", |it| cloud.take_server(it)).await {
            Err(refusal) if refusal.status == Some(403) => {
                tracing::info!(
                    "an OpenStack account may see its own project only; docs/sources.md says what is missing"
                );
                *own_project_only = true;
            }
            other => return other,
        }
    }
    pages(nova, "/servers/detail", "servers", |it| cloud.take_server(it)).await
}

/// Reads a list page by page. Where the next page is follows from the last item: addresses in answers are those that a
/// service believes to have, and behind a balancer mostly wrong.
async fn pages(api: &Api, path: &str, list: &str, mut take: impl FnMut(&Value)) -> Result<(), Refusal> {
    let links = format!("{list}_links");
    let join = if path.contains('?') { '&' } else { '?' };
    let (mut markers, mut marker, mut items) = (BTreeSet::new(), String::new(), 0_usize);
    loop {
        let page: Value = api.get(&format!("{path}{join}limit={PAGE}{marker}")).await?;
        let Some(found) = page[list].as_array() else {
            return Err(api.unreadable(path, &format!("there is no list `{list}`")).into());
        };
        found.iter().for_each(&mut take);
        items = items.saturating_add(found.len());
        let more = page[&links].as_array().is_some_and(|links| links.iter().any(|link| link["rel"] == "next"));
        let last = found.last().and_then(|item| item["id"].as_str());
        let Some(last) = last.filter(|_| more) else { return Ok(()) };
        marker = format!("&marker={}", escaped(last));
        if items > ITEMS_MAX || !markers.insert(last.to_owned()) {
            let message = format!("the list of {list} at {} comes to no end after {items}", api.shown());
            return Err(Fault::new(FaultKind::Unreadable, message).into());
        }
    }
}
