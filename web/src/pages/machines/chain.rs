//! The way to a machine, drawn: each step with who says so, how they know and since when; and what speaks against it.

use crate::{
    components::{
        badge::badge,
        icon::{Icon, icon},
        time::exact,
    },
    state::App,
    text::machines as t,
};
use leptos::prelude::*;
use shared::{
    api::OpenIncident,
    config::Language,
    inventory::Power,
    placement::{Doubt, Hop, HopHow, HopTo, Placement, Trust},
    text::span,
};

/// The name of a machine as people know it.
pub(super) fn name(l: Language, placement: &Placement) -> String {
    let vm = placement.vm.as_ref().map(|vm| vm.name.clone());
    vm.or_else(|| placement.hypervisor.as_ref().map(|it| it.name.clone())).unwrap_or_else(|| t::unknown_machine(l))
}

pub(crate) fn chain(app: App, placement: &Placement) -> AnyView {
    let l = app.l();
    let hops = placement.hops.iter().map(|hop| step(app, hop)).collect_view();
    view! { <ol class="way" aria-label=t::way(l, &name(l, placement))>{hops}</ol> }.into_any()
}

fn step(app: App, hop: &Hop) -> AnyView {
    let l = app.l();
    let (to, how) = (to(l, hop.to), how(l, hop.how));
    let (class, trust) = match hop.trust {
        Trust::Good => ("hop-good", t::good(l)),
        Trust::Fair => ("hop-fair", t::fair(l)),
        Trust::Stale => ("hop-stale", t::stale(l)),
    };
    let (source, seen_at) = (hop.source.to_string(), hop.seen_at);
    let by = move || t::by(l, &source, &span(l, app.now.get().ms_since(seen_at)));
    view! {
        <li class=class>
            <span class="hop-to">{to}</span>
            <strong>{hop.value.clone()}</strong>
            <small title=exact(app, seen_at)>{how} <br/> {by}</small>
            <small class="hop-trust">{trust}</small>
        </li>
    }
    .into_any()
}

fn to(l: Language, to: HopTo) -> String {
    match to {
        HopTo::Ip => t::ip(l),
        HopTo::Mac => t::interface(l),
        HopTo::Vm => t::vm(l),
        HopTo::Port => t::port(l),
        HopTo::Hypervisor => t::hypervisor(l),
        HopTo::Cluster => t::cluster(l),
    }
}

fn how(l: Language, how: HopHow) -> String {
    match how {
        HopHow::Platform => t::how_platform(l),
        HopHow::Guest => t::how_guest(l),
        HopHow::Assigned => t::how_assigned(l),
        HopHow::Recorded => t::how_recorded(l),
        HopHow::Neighbour => t::how_neighbour(l),
        HopHow::Switch => t::how_switch(l),
    }
}

pub(crate) fn doubts(l: Language, doubts: &[Doubt]) -> Option<AnyView> {
    let say = |doubt: &Doubt| {
        let words = match doubt {
            Doubt::SeveralVms { mac, vms } => t::several_vms(l, &mac.to_string(), &vms.join(", ")),
            Doubt::SeveralIps { ip, vms } => t::several_ips(l, &ip.to_string(), &vms.join(", ")),
            Doubt::OtherAnswers { ip, mac, segment } => t::other_answers(l, &ip.to_string(), &mac.to_string(), segment),
            Doubt::BehindRouter { ip, mac, segment } => t::behind_router(l, &ip.to_string(), &mac.to_string(), segment),
            Doubt::NotInInventory { mac } => t::not_in_inventory(l, &mac.to_string()),
            Doubt::OtherHypervisor { source, hypervisor } => t::other_hypervisor(l, source.as_str(), hypervisor),
        };
        view! { <li>{icon(Icon::Warning)} <span>{words}</span></li> }
    };
    let items = doubts.iter().map(say).collect_view();
    (!doubts.is_empty()).then(|| view! { <ul class="doubts">{items}</ul> }.into_any())
}

pub(super) fn power(l: Language, power: Power) -> String {
    match power {
        Power::On => t::power_on(l),
        Power::Off => t::power_off(l),
        Power::Paused => t::power_paused(l),
        Power::Unknown => t::power_unknown(l),
    }
}

/// What is open of a machine, each a link.
pub(super) fn incidents(l: Language, incidents: &[OpenIncident]) -> AnyView {
    let one = |it: &OpenIncident| {
        let (href, title) = (format!("/incidents/{}", it.id), format!("#{} {}", it.id, it.title));
        view! { <li>{badge(l, it.severity)} <a href=href>{title}</a></li> }
    };
    view! { <ul class="machine-incidents">{incidents.iter().map(one).collect_view()}</ul> }.into_any()
}
