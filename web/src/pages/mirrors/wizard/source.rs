//! Whose traffic: machines looked up by any of their names, or whole VLANs; on which switch, and in which direction.

use super::{Wizard, line, said_id};
use crate::{
    api::{self, ApiError},
    components::{
        field::{choice, segments},
        icon::{Icon, icon},
    },
    mirror::draft::Picked,
    text::{machines, mirror_wizard as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    api::{Found, Lookup, LookupRequest},
    config::Language,
    inventory::Nic,
    mirror::{Direction, Needs},
};

/// Interfaces that are listed of what was found.
const LISTED_MAX: usize = 12;

pub(super) fn source(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let fixed = wizard.part(|draft| draft.kind == crate::mirror::draft::Kind::RspanIn);
    let by_vlan = wizard.part(|draft| draft.takes_vlans());
    let can = wizard.can(Needs::VlanSource);
    let kind = move || {
        (!fixed.get() && can.get()).then(|| {
            segments(
                t::kind_of_source(l),
                vec![("machines", t::machines(l)), ("vlans", t::vlans(l))],
                move || if by_vlan.get() { "vlans" } else { "machines" },
                move |word| wizard.edit("source", |draft| draft.by_vlan = word == "vlans"),
            )
        })
    };
    let what = move || if by_vlan.get() { vlans(wizard) } else { find(wizard) };
    view! { <div class="stack">{kind} {what} {switch(wizard)} {direction(wizard)}</div> }.into_any()
}

fn vlans(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let hint = t::vlans_hint(l).into_any();
    line(wizard, ("mirror-vlans", "source"), t::vlans_field(l), hint, None, |draft| &mut draft.vlans)
}

/// Which switch: asked for where there are several, and where no machine tells.
fn switch(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let needed = wizard.part(|draft| draft.takes_vlans());
    let menu = move || {
        let rows =
            wizard.board.with(|board| board.backends.iter().flat_map(|it| it.switches.clone()).collect::<Vec<_>>());
        let rows = rows.unwrap_or_default();
        if rows.len() < 2 && !needed.get() {
            return None;
        }
        let name = |(backend, switch): (&str, &str)| format!("{backend} {switch}");
        let mut options = vec![(String::new(), t::switch_of_source(l))];
        options.extend(
            rows.iter().map(|it| (name((it.backend.as_str(), &it.switch)), format!("{} · {}", it.name, it.backend))),
        );
        let value = move || {
            wizard.draft.with(|draft| {
                draft.place.as_ref().map(|(backend, switch)| name((backend.as_str(), switch))).unwrap_or_default()
            })
        };
        let set = move |word: String| {
            let chosen = rows.iter().find(|it| name((it.backend.as_str(), &it.switch)) == word);
            wizard.edit("switch", |draft| draft.place = chosen.map(|it| (it.backend.clone(), it.switch.clone())));
        };
        Some(view! { {choice("mirror-switch".to_owned(), t::switch(l), options, value, set)} {wizard.said("switch")} })
    };
    menu.into_any()
}

fn direction(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let value = wizard.part(|draft| match draft.direction {
        Direction::FromVm => "from",
        Direction::ToVm => "to",
        Direction::Both => "both",
    });
    let set = move |word| {
        let direction = match word {
            "from" => Direction::FromVm,
            "to" => Direction::ToVm,
            _ => Direction::Both,
        };
        wizard.edit("direction", |draft| draft.direction = direction);
    };
    let options = vec![("both", t::both(l)), ("from", t::from_vm(l)), ("to", t::to_vm(l))];
    let buttons = segments(t::direction(l), options, move || value.get(), set);
    view! { <div class="field"><p class="label" aria-hidden="true">{t::direction(l)}</p>{buttons}{wizard.said("direction")}</div> }.into_any()
}

/// What a lookup gave.
type Answer = Option<Result<Lookup, ApiError>>;

fn find(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let text = RwSignal::new(String::new());
    let found = RwSignal::new(None::<Result<Lookup, ApiError>>);
    let round = StoredValue::new(0_u32);
    let look_up = move || {
        let text = text.get_untracked();
        if text.trim().is_empty() {
            return found.set(None);
        }
        let mine = round.get_value() + 1;
        round.set_value(mine);
        spawn_local(async move {
            let answer = api::post::<Lookup>("/api/v1/vms", &LookupRequest { text, probe: false }).await;
            // Whoever asked again, or left, waits for another answer.
            if round.try_get_value() == Some(mine) {
                found.set(Some(answer));
            }
        });
    };
    let key = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Enter" && !event.is_composing() {
            event.prevent_default();
            look_up();
        }
    };
    view! {
        {picked(wizard)}
        <div class="field">
            <label for="mirror-find">{t::find(l)}</label>
            <div class="with-button">
                <input
                    id="mirror-find" type="search" autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="500"
                    aria-describedby=format!("mirror-find-hint {}", said_id("source"))
                    prop:value=move || text.get() on:input=move |event| text.set(event_target_value(&event)) on:keydown=key
                />
                <button type="button" class="btn" on:click=move |_| look_up()>{icon(Icon::Search)} {t::look_up(l)}</button>
            </div>
            {wizard.said("source")}
            <p class="hint" id="mirror-find-hint">{t::find_hint(l)}</p>
        </div>
        <div aria-live="polite" data-testid="mirror-found">{move || found.with(|found| answer(wizard, found))}</div>
    }
    .into_any()
}

/// What is chosen, each to be taken away again.
fn picked(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let nics = wizard.part(|draft| draft.nics.clone());
    let chips = move || {
        let chip = |nic: Picked| {
            let (name, mac) = (nic.name.clone(), nic.mac.to_string());
            let detail = (name != mac).then_some(mac);
            view! {
                <li class="chip">
                    <span>{name.clone()} " " <small class="mono">{detail}</small></span>
                    <button type="button" aria-label=t::take_away(l, &name) on:click=move |_| wizard.edit("source", |draft| draft.toggle(nic.clone()))>
                        {icon(Icon::Cross)}
                    </button>
                </li>
            }
        };
        let nics = nics.get();
        (!nics.is_empty()).then(|| view! { <ul class="picked" aria-label=t::picked(l) data-testid="mirror-picked">{nics.into_iter().map(chip).collect_view()}</ul> })
    };
    chips.into_any()
}

fn answer(wizard: Wizard, found: &Answer) -> AnyView {
    let l = wizard.app.l();
    let lookup = match found {
        None => return ().into_any(),
        Some(Err(error)) => return view! { <p class="fault">{error.sentence(l)}</p> }.into_any(),
        Some(Ok(lookup)) => lookup,
    };
    let offers: Vec<(Picked, String)> = lookup.items.iter().flat_map(|it| interfaces(l, it)).take(LISTED_MAX).collect();
    if offers.is_empty() {
        let nameless = lookup.items.iter().find_map(|it| it.placement.vm.as_ref());
        let words = nameless.map_or_else(|| t::found_none(l), |vm| format!("{} {}", vm.name, t::no_mac(l)));
        return view! { <p class="muted">{words}</p> }.into_any();
    }
    let row = |(nic, detail): (Picked, String)| {
        let (mac, name, shown) = (nic.mac, nic.name.clone(), nic.mac.to_string());
        let is_on = wizard.part(move |draft| draft.nics.iter().any(|it| it.mac == mac));
        view! {
            <li><label class="check">
                <input type="checkbox" prop:checked=move || is_on.get() on:change=move |_| wizard.edit("source", |draft| draft.toggle(nic.clone()))/>
                <span><strong>{name}</strong> " " <span class="mono">{shown}</span><small>{detail}</small></span>
            </label></li>
        }
    };
    view! { <ul class="found-nics" aria-label=t::found_label(l)>{offers.into_iter().map(row).collect_view()}</ul> }
        .into_any()
}

/// The interfaces of a machine that was found; only that one whose address was asked for, if one was.
fn interfaces(l: Language, found: &Found) -> Vec<(Picked, String)> {
    let placement = &found.placement;
    let name = placement.vm.as_ref().map(|vm| vm.name.clone());
    let detail = |nic: &Nic| {
        let mut parts: Vec<String> = nic.ips.iter().map(|it| it.ip.to_string()).collect();
        parts.extend(nic.network.clone());
        parts.extend(nic.vlan.map(|vlan| machines::vlan(l, vlan)));
        parts.extend(nic.port.clone());
        parts.join(" · ")
    };
    let nics =
        placement.vm.iter().flat_map(|vm| &vm.nics).filter(|nic| placement.mac.is_none() || nic.mac == placement.mac);
    let mut offers: Vec<(Picked, String)> = nics
        .filter_map(|nic| {
            let mac = nic.mac?;
            Some((Picked { mac, name: name.clone().unwrap_or_else(|| mac.to_string()) }, detail(nic)))
        })
        .collect();
    if let Some(mac) = placement.mac.filter(|_| offers.is_empty()) {
        let ip = placement.ip.map(|ip| ip.to_string()).unwrap_or_default();
        offers.push((Picked { mac, name: name.unwrap_or_else(|| mac.to_string()) }, ip));
    }
    offers
}
