//! What switches have that is not ours, how the switches stand, and whether a watchdog is alive.

use super::{Desk, may_stop, offline};
use crate::{
    components::{
        icon::{Icon, icon},
        keyed::keyed,
        page::card,
    },
    state::App,
    text::mirrors as t,
};
use leptos::prelude::*;
use shared::{
    BackendId, Timestamp,
    api::{BackendRow, OtherSession, Standing, SwitchRow},
    config::Language,
    mirror::{BackendKind, Observed},
    text::span,
};

/// A watchdog that was not heard for so long is missed; it says so once a minute.
const WATCHDOG_LATE_MS: i64 = 180_000;

/// As people call it.
pub(super) fn name(backend: &BackendRow) -> String {
    if backend.name.is_empty() { backend.id.to_string() } else { backend.name.clone() }
}

/// Foreign and orphaned sessions, switch by switch; nothing where there are none.
pub(super) fn sessions(desk: Desk) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let switches = Memo::new(move |_| {
        let all = desk.board.with(|board| {
            let of =
                |it: &BackendRow| it.switches.iter().filter(|it| !it.others.is_empty()).cloned().collect::<Vec<_>>();
            board
                .backends
                .iter()
                .flat_map(|it| of(it).into_iter().map(move |switch| (name(it), switch)))
                .collect::<Vec<_>>()
        });
        all.unwrap_or_default()
    });
    (move || {
        let switches = switches.get();
        let one = |(backend, switch): &(String, SwitchRow)| {
            let rows = switch.others.iter().map(|other| session(app, other)).collect_view();
            let title = format!("{} · {backend}", switch.name);
            view! { <h3>{title}</h3> <ul class="mirror-others">{rows}</ul> }
        };
        (!switches.is_empty()).then(|| {
            let body = view! { <p class="muted">{t::others_lead(l)}</p> {switches.iter().map(one).collect_view()} };
            view! { <div data-testid="mirror-others">{card(t::others(l), body.into_any())}</div> }
        })
    })
    .into_any()
}

fn session(app: App, other: &OtherSession) -> AnyView {
    let l = app.l();
    let session = &other.session;
    let (class, word) = match other.standing {
        Standing::Foreign => ("foreign", t::foreign(l)),
        Standing::Orphaned => ("orphaned", t::orphaned(l)),
    };
    let title = if session.name.is_empty() { session.key.clone() } else { session.name.clone() };
    let mut facts = vec![session.kind.clone()];
    facts.extend(taken(l, session));
    facts.extend(sent(l, session));
    facts.extend((!session.enabled).then(|| t::session_off(l)));
    facts.extend(session.tag.as_ref().map(|tag| t::orphan_until(l, &tag.owner, &app.clock_time(tag.expires_at))));
    facts.retain(|fact| !fact.is_empty());
    let fault = session.fault.clone().map(|fault| view! { <small class="bad">{fault}</small> });
    view! {
        <li class=class>
            <strong class="mono">{title}</strong> <span class="standing">{word}</span>
            <small>{facts.join(" · ")}</small> {fault}
        </li>
    }
    .into_any()
}

fn taken(l: Language, session: &Observed) -> Option<String> {
    if session.all_ports {
        return Some(t::takes(l, &t::all_ports(l)));
    }
    let mut from: Vec<String> = session.from_vm.iter().chain(&session.to_vm).cloned().collect();
    from.sort();
    from.dedup();
    from.extend(session.vlans.iter().map(|vlan| format!("VLAN {vlan}")));
    (!from.is_empty()).then(|| t::takes(l, &from.join(", ")))
}

fn sent(l: Language, session: &Observed) -> Option<String> {
    let mut to = session.ports.clone();
    to.extend(session.output_vlan.map(|vlan| format!("VLAN {vlan}")));
    to.extend(session.tunnel.as_ref().map(|end| {
        end.session.map_or_else(|| end.remote.to_string(), |session| format!("{} ({session})", end.remote))
    }));
    (!to.is_empty()).then(|| t::sends(l, &to.join(", ")))
}

/// How the switches stand, each with its panic button; and the watchdog.
pub(super) fn backends(desk: Desk) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let ids = Memo::new(move |_| {
        desk.board.with(|board| board.backends.iter().map(|it| it.id.clone()).collect::<Vec<_>>()).unwrap_or_default()
    });
    let rows = keyed(move || ids.get(), ToString::to_string, move |id| backend(desk, id));
    let heard = Memo::new(move |_| desk.board.with(|board| board.watchdog_at).flatten());
    let watchdog = move || watchdog(app, heard.get());
    view! {
        <section class="card" data-testid="mirror-backends" hidden=move || ids.with(Vec::is_empty)>
            <h2>{t::backends(l)}</h2>
            <ul class="mirror-backends">{rows}</ul>
            {watchdog}
        </section>
    }
    .into_any()
}

fn watchdog(app: App, heard: Option<Timestamp>) -> AnyView {
    let l = app.l();
    let Some(at) = heard else {
        return view! { <p class="watchdog none">{icon(Icon::Clock)} <span>{t::no_watchdog(l)}</span></p> }.into_any();
    };
    let ago = app.now.get().ms_since(at);
    let (class, words) = if ago > WATCHDOG_LATE_MS {
        ("watchdog late", t::watchdog_late(l, &span(l, ago)))
    } else {
        ("watchdog", t::watchdog(l, &span(l, ago)))
    };
    let sign = if ago > WATCHDOG_LATE_MS { Icon::Warning } else { Icon::Check };
    view! { <p class=class>{icon(sign)} <span>{words}</span></p> }.into_any()
}

fn backend(desk: Desk, id: BackendId) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let own = id.clone();
    let row =
        Memo::new(move |_| desk.board.with(|board| board.backends.iter().find(|it| it.id == own).cloned()).flatten());
    let running = move || {
        let of = |board: &shared::api::MirrorBoard| {
            board.items.iter().filter(|it| it.plan.backend == id && it.state.may_run()).count()
        };
        desk.board.with(of).unwrap_or(0)
    };
    let said = move || row.with(|row| row.as_ref().map(|row| standing(app, row)));
    let stop = may_stop(app).then(|| {
        let label = row.with_untracked(|row| row.as_ref().map(|row| t::panic_label(l, &name(row))).unwrap_or_default());
        let ask = move |_| {
            if let Some(row) = row.get_untracked() {
                desk.panic.ask(&row, untrack(&running));
            }
        };
        view! {
            <button type="button" class="btn danger small" aria-label=label disabled=move || offline(app) on:click=ask>
                {t::panic(l)}
            </button>
        }
    });
    view! { <li><div>{said}</div> {stop}</li> }.into_any()
}

fn standing(app: App, row: &BackendRow) -> AnyView {
    let l = app.l();
    let kind = match row.kind {
        BackendKind::Openvswitch => t::openvswitch(l),
        BackendKind::Vsphere => t::vsphere(l),
        BackendKind::DryRun => t::dry_run(l),
    };
    let seen_at = row.seen_at;
    let age =
        move || seen_at.map_or_else(|| t::never_answered(l), |at| t::answered(l, &span(l, app.now.get().ms_since(at))));
    let (class, sign) = if row.error.is_some() { ("failing", Icon::Warning) } else { ("well", Icon::Check) };
    let error = row.error.clone().map(|error| view! { <p class="bad">{t::not_answering(l)} ": " {error}</p> });
    let paused = row.paused.then(|| view! { <p class="muted">{t::paused(l)}</p> });
    let switches = row.switches.iter().map(|switch| {
        let counts = t::ports_others(l, switch.ports, switch.others.len());
        view! { <li><strong>{switch.name.clone()}</strong> " " <small>{format!("{} · {counts}", switch.version)}</small></li> }
    });
    let address = (!row.address.is_empty()).then(|| view! { <span class="mono">{row.address.clone()}</span> " · " });
    view! {
        <div class=format!("backend {class}")>
            <p>{icon(sign)} <strong>{name(row)}</strong> " " <small class="muted">{kind} " · " {address} {age}</small></p>
            {error} {paused}
            <ul class="backend-switches">{switches.collect_view()}</ul>
        </div>
    }
    .into_any()
}
