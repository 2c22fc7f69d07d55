//! The sources of machines: whether each answers, since when, and what it knows.

use crate::{
    components::{
        page::card,
        states::{empty, loaded},
    },
    state::{App, Remote, look_again},
    text::machines as t,
};
use leptos::prelude::*;
use shared::{
    api::{AgentRow, List, SourceRow, SourceState},
    config::SourceKind,
    text::span,
};

/// Nobody tells when a source answered: they are asked for while somebody looks.
const LOOK_AGAIN_MS: i64 = 5_000;

pub(super) fn sources(app: App) -> AnyView {
    let l = app.l();
    let rows = Remote::<List<SourceRow>>::new("/api/v1/sources");
    look_again(app, LOOK_AGAIN_MS, move || rows.reload());
    let body = loaded(t::sources(l), rows, 2, move |list| {
        if list.items.is_empty() {
            return empty(t::no_sources(l), view! { <p>{t::no_sources_hint(l)}</p> }.into_any());
        }
        view! { <ul class="sources">{list.items.iter().map(|it| source(app, it)).collect_view()}</ul> }.into_any()
    });
    view! { <div data-testid="sources">{card(t::sources(l), body)}</div> }.into_any()
}

fn source(app: App, it: &SourceRow) -> AnyView {
    let l = app.l();
    let (class, state) = match it.state {
        SourceState::Well => ("well", t::well(l)),
        SourceState::Waiting => ("waiting", t::waiting(l)),
        SourceState::Failing => ("failing", t::failing(l)),
        SourceState::Paused => ("paused", t::paused(l)),
    };
    let place: Vec<&str> = [kind(it.kind), &it.address].into_iter().filter(|part| !part.is_empty()).collect();
    let place = place.join(" · ");
    let mut counts = vec![t::counts(l, it.vms, it.nics, it.hypervisors)];
    counts.extend((it.ports > 0).then(|| t::ports_n(l, it.ports)));
    counts.extend((it.neighbours > 0).then(|| t::neighbours_n(l, it.neighbours)));
    let seen = it.seen_at.map(|at| view! { " · " {move || t::heard(l, &span(l, app.now.get().ms_since(at)))} });
    view! {
        <li class=class>
            <h3>{it.name.clone()} <small class="muted">{place}</small></h3>
            <p><strong class="source-state">{state}</strong> " · " {counts.join(", ")} {seen}</p>
            {it.error.clone().map(|error| view! { <p class="fault">{error}</p> })}
            {it.agents.iter().map(|it| agent(app, it)).collect_view()}
        </li>
    }
    .into_any()
}

/// An agent that reports for a source: since when it is heard or silent, its version, and what it sees.
fn agent(app: App, it: &AgentRow) -> AnyView {
    let l = app.l();
    let (class, state) = if it.silent { ("fault", t::agent_silent(l)) } else { ("muted", t::well(l)) };
    let mut facts = vec![state, t::neighbours_n(l, it.neighbours)];
    facts.extend((!it.version.is_empty()).then(|| it.version.clone()));
    facts.extend((!it.probe.is_empty()).then(|| t::agent_probes(l, &it.probe.join(", "))));
    let heard_at = it.heard_at;
    let heard = move || t::heard(l, &span(l, app.now.get().ms_since(heard_at)));
    view! { <p class=class><strong>{it.name.clone()}</strong> " " {facts.join(" · ")} " · " {heard}</p> }.into_any()
}

/// Names of products are the same in every language.
const fn kind(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Libvirt => "libvirt",
        SourceKind::Qemu => "QEMU",
        SourceKind::Openvswitch => "Open vSwitch",
        SourceKind::File => "CSV / JSON",
        SourceKind::Vsphere => "vSphere",
        SourceKind::Openstack => "OpenStack",
        SourceKind::Proxmox => "Proxmox VE",
        SourceKind::Kubernetes => "Kubernetes",
        SourceKind::Agents => "tocsin agent",
    }
}
