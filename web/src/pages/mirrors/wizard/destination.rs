//! Where the copies go: a collector that is allowed, with what its transport needs besides.

use super::{Wizard, line};
use crate::{
    api::query,
    mirror::draft::{Kind, free_session},
    state::{Load, Remote},
    text::{frame, mirror_wizard as t},
};
use leptos::prelude::*;
use shared::{
    api::{CollectorRow, SwitchPorts},
    config::Language,
    mirror::{PortKind, SwitchPort},
};

pub(super) fn destination(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let kind = wizard.part(|draft| draft.kind);
    let fields = move || {
        match kind.get() {
        Kind::Erspan2 | Kind::Gre => session(wizard),
        Kind::Erspan3 => view! {
            {session(wizard)}
            {tick(t::nanoseconds(l), wizard.part(|draft| draft.nanoseconds), move |on| wizard.edit("transport.nanoseconds", |draft| draft.nanoseconds = on))}
        }
        .into_any(),
        Kind::Span | Kind::RspanIn => port(wizard),
        Kind::RspanOut => vlan(wizard),
    }
    };
    view! { <div class="stack">{move || collectors(wizard, kind.get())} {fields}</div> }.into_any()
}

/// Whether a collector takes copies that travel so.
const fn takes(collector: &CollectorRow, kind: Kind) -> bool {
    match kind {
        Kind::Erspan2 | Kind::Erspan3 | Kind::Gre => collector.ip.is_some(),
        Kind::Span | Kind::RspanIn => collector.port.is_some(),
        Kind::RspanOut => collector.vlan.is_some(),
    }
}

fn collectors(wizard: Wizard, kind: Kind) -> AnyView {
    let l = wizard.app.l();
    let rows =
        wizard.board.with(|board| board.collectors.iter().filter(|it| takes(it, kind)).cloned().collect::<Vec<_>>());
    let rows = rows.unwrap_or_default();
    if rows.is_empty() {
        return view! { <p class="muted">{t::collectors_none(l)}</p> {wizard.said("transport.remote")} }.into_any();
    }
    let one = |row: CollectorRow| {
        let id = row.id.clone();
        let chosen = wizard.part(move |draft| draft.collector.as_ref() == Some(&id));
        let place = match kind {
            Kind::Erspan2 | Kind::Erspan3 | Kind::Gre => row.ip.map(|ip| ip.to_string()),
            Kind::Span | Kind::RspanIn => row.port.clone(),
            Kind::RspanOut => row.vlan.map(|vlan| format!("VLAN {vlan}")),
        };
        let detail = if !row.allowed {
            t::collector_not_yours(l)
        } else if row.in_use > 0 {
            format!("{} · {}", place.unwrap_or_default(), t::collector_used(l, row.in_use))
        } else {
            place.unwrap_or_default()
        };
        let (name, allowed) = (if row.name.is_empty() { row.id.to_string() } else { row.name.clone() }, row.allowed);
        let choose = move |_| {
            let board = wizard.board.ready();
            wizard.edit("transport.remote", |draft| {
                if let Some(board) = &board {
                    draft.choose(&row, board);
                }
            });
        };
        view! {
            <label class="choice-card">
                <input type="radio" name="mirror-collector" prop:checked=move || chosen.get() disabled=!allowed on:change=choose/>
                <span><strong>{name}</strong><small>{detail}</small></span>
            </label>
        }
    };
    view! {
        <div class="field">
            <div class="choice-cards" role="radiogroup" aria-label=t::collectors(l)>{rows.into_iter().map(one).collect_view()}</div>
            {wizard.said("transport.remote")}
        </div>
    }
    .into_any()
}

fn session(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let label = if wizard.draft.with_untracked(|draft| draft.kind == Kind::Gre) { t::key(l) } else { t::session(l) };
    let remote = wizard.part(|draft| draft.remote);
    let hint = move || {
        let free = remote.get().and_then(|ip| wizard.board.with(|board| free_session(board, ip)).flatten());
        free.map_or_else(|| t::session_hint_none(l), |free| t::session_hint(l, free))
    };
    line(wizard, ("mirror-session", "transport.session"), label, hint.into_any(), None, |draft| &mut draft.session)
}

fn vlan(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let strip = tick(t::strip(l), wizard.part(|draft| draft.strip_vlan), move |on| {
        wizard.edit("transport.strip_vlan", |draft| draft.strip_vlan = on);
    });
    view! {
        <div class="row-fields">
            {line(wizard, ("mirror-vlan", "transport.vlan"), t::vlan(l), t::vlan_hint(l).into_any(), None, |draft| &mut draft.vlan)}
            {line(wizard, ("mirror-uplinks", "transport.uplinks"), t::uplinks(l), t::uplinks_hint(l).into_any(), None, |draft| &mut draft.uplinks)}
        </div>
        {strip}
    }
    .into_any()
}

fn port(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let place = Memo::new(move |_| wizard.place());
    let ports = move || {
        place.get().map(|(backend, switch)| {
            let path = format!(
                "/api/v1/mirrors/switches/{}/ports{}",
                query::encoded(backend.as_str()),
                query::build(&[("switch", &switch)])
            );
            Remote::<SwitchPorts>::new(path)
        })
    };
    let menu = move || {
        match ports() {
        None => view! { <p class="hint">{t::port_no_switch(l)}</p> }.into_any(),
        Some(ports) => (move || match ports.get() {
            Load::Loading => view! { <p class="muted" role="status">{t::port_loading(l)}</p> }.into_any(),
            Load::Failed(error) => view! {
                <p class="fault">{error.sentence(l)} " " <button type="button" class="btn small" on:click=move |_| ports.reload()>{frame::retry(l)}</button></p>
            }
            .into_any(),
            Load::Ready(ports) => choose(wizard, &ports.items),
        })
        .into_any(),
    }
    };
    let keep = tick(t::keep(l), wizard.part(|draft| draft.keep_normal_traffic), move |on| {
        wizard.edit("keep_normal_traffic", |draft| draft.keep_normal_traffic = on);
    });
    view! {
        <div class="field">
            <label for="mirror-port">{t::port(l)}</label>
            {menu}
            {wizard.said("transport.port")}
            <p class="hint" id="mirror-port-hint">{t::port_hint(l)}</p>
        </div>
        {keep}
    }
    .into_any()
}

fn choose(wizard: Wizard, ports: &[SwitchPort]) -> AnyView {
    let l = wizard.app.l();
    let chosen = wizard.part(|draft| draft.port.clone());
    let mut options = vec![(String::new(), t::port_choose(l))];
    options.extend(ports.iter().map(|port| (port.key.clone(), t::port_of(l, &port.key, &behind(l, port)))));
    // One that the switch no longer has is shown all the same: a rule says what is wrong with it.
    let own = chosen.get_untracked();
    if !own.is_empty() && !ports.iter().any(|port| port.key == own) {
        options.push((own.clone(), own));
    }
    let options = options.into_iter().map(|(key, name)| {
        let own = key.clone();
        view! { <option value=key selected=move || chosen.with(|chosen| *chosen == own)>{name}</option> }
    });
    view! {
        <select id="mirror-port" aria-describedby="mirror-port-hint"
            on:change=move |event| wizard.edit("transport.port", |draft| draft.port = event_target_value(&event))>
            {options.collect_view()}
        </select>
    }
    .into_any()
}

/// Who is behind a port.
fn behind(l: Language, port: &SwitchPort) -> String {
    let kind = match port.kind {
        PortKind::Vm => t::kind_vm(l),
        PortKind::Uplink => t::kind_uplink(l),
        PortKind::Tunnel => t::kind_tunnel(l),
        PortKind::Host => t::kind_host(l),
        PortKind::Patch => t::kind_patch(l),
        PortKind::Unknown => t::kind_unknown(l),
    };
    let who = port.vm.clone().unwrap_or(kind);
    port.group.as_ref().map_or_else(|| who.clone(), |group| format!("{who} · {group}"))
}

/// A box to tick, with its words beside it.
fn tick(label: String, value: Memo<bool>, set: impl Fn(bool) + 'static) -> AnyView {
    view! {
        <label class="check">
            <input type="checkbox" prop:checked=move || value.get() on:change=move |event| set(event_target_checked(&event))/>
            <span>{label}</span>
        </label>
    }
    .into_any()
}
