//! One VM: the way to it, all of its interfaces, what is open of it, and where it has been.

use super::{
    chain::{chain, doubts, incidents, name, power},
    found::hypervisor_href,
};
use crate::{
    api::query,
    components::{
        page::{card, page_head},
        states::loaded,
        time::wall,
    },
    state::{App, Remote},
    text::machines as t,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use shared::{
    api::{Move, VmDetail},
    config::Language,
    inventory::Nic,
};

/// The address of one thing of a source, as the page's own address names it.
pub(super) fn asked(path: &str) -> String {
    let asked = use_query_map().get_untracked();
    let (source, key) = (asked.get("source").unwrap_or_default(), asked.get("key").unwrap_or_default());
    format!("{path}{}", query::build(&[("source", &source), ("key", &key)]))
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let detail = Remote::<VmDetail>::new(asked("/api/v1/vms/one"));
    let body = loaded(t::vm(l), detail, 8, move |detail| draw(app, &detail));
    view! { <div class="page" data-testid="vm">{body}</div> }
}

fn draw(app: App, detail: &VmDetail) -> AnyView {
    let l = app.l();
    let VmDetail { placement, incidents: open, moves } = detail;
    let open =
        if open.is_empty() { view! { <p class="muted">{t::quiet(l)}</p> }.into_any() } else { incidents(l, open) };
    let nics = placement.vm.as_ref().map(|vm| vm.nics.clone()).unwrap_or_default();
    view! {
        {page_head(name(l, placement), String::new(), ().into_any())}
        <section class="card machine">{chain(app, placement)} {doubts(l, &placement.doubts)}</section>
        {card(t::open_incidents(l), open)}
        {card(t::facts(l), facts(l, detail))}
        {card(t::interfaces(l), interfaces(l, &nics))}
        {card(t::history(l), history(l, moves))}
    }
    .into_any()
}

fn facts(l: Language, detail: &VmDetail) -> AnyView {
    let mut facts: Vec<(String, AnyView)> = Vec::new();
    if let Some(vm) = &detail.placement.vm {
        facts.push((t::power(l), power(l, vm.power).into_any()));
        facts.extend(vm.hostname.clone().map(|it| (t::host_name(l), it.into_any())));
        facts.extend(vm.uuid.clone().map(|it| (t::uuid(l), it.into_any())));
        facts.push((t::source(l), vm.source.to_string().into_any()));
        facts.extend((!vm.datastores.is_empty()).then(|| (t::storage(l), vm.datastores.join(", ").into_any())));
        facts.extend((!vm.tags.is_empty()).then(|| (t::tags(l), vm.tags.join(", ").into_any())));
    }
    if let Some(it) = &detail.placement.hypervisor {
        let link = view! { <a href=hypervisor_href(it)>{it.name.clone()} " · " {t::vms_there(l, it.vms)}</a> };
        facts.push((t::hypervisor(l), link.into_any()));
    }
    let facts = facts.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    view! { <dl class="facts-grid">{facts.collect_view()}</dl> }.into_any()
}

fn interfaces(l: Language, nics: &[Nic]) -> AnyView {
    let row = |nic: &Nic| {
        let ips: Vec<_> = nic.ips.iter().map(|it| it.ip.to_string()).collect();
        let vlan = nic.vlan.map(|vlan| t::vlan(l, vlan));
        let place: Vec<_> = [nic.network.clone(), vlan, nic.port.clone()].into_iter().flatten().collect();
        let unplugged = (nic.connected == Some(false)).then(|| t::unplugged(l));
        view! {
            <tr>
                <th scope="row">{nic.label.clone()}</th>
                <td>{nic.mac.map(|mac| mac.to_string())}</td>
                <td>{ips.join(", ")}</td>
                <td>{place.join(" · ")} {unplugged}</td>
            </tr>
        }
    };
    let head = [t::interface(l), t::mac(l), t::ip(l), t::port(l)].map(|it| view! { <th scope="col">{it}</th> });
    view! {
        <div class="scrolls" tabindex="0" role="region" aria-label=t::interfaces(l)>
            <table class="machine-table">
                <thead><tr>{head.collect_view()}</tr></thead>
                <tbody>{nics.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn history(l: Language, moves: &[Move]) -> AnyView {
    if moves.is_empty() {
        return view! { <p class="muted">{t::no_history(l)}</p> }.into_any();
    }
    let one = |it: &Move| {
        let words = match (&it.before, &it.after, &it.from, &it.to) {
            (None, ..) => t::came(l),
            (_, None, ..) => t::went(l),
            (_, _, Some(from), Some(to)) if from != to => t::moved(l, from, to),
            _ => t::changed(l),
        };
        view! { <li>{wall(it.at)} " " {words}</li> }
    };
    view! { <ol class="moves">{moves.iter().map(one).collect_view()}</ol> }.into_any()
}
