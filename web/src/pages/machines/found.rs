//! What a lookup found: a card with its way for each of a few machines, a table for many.

use super::chain::{chain, doubts, incidents, name, power};
use crate::{
    api::query,
    components::{
        copy::copy_button,
        icon::{Icon, icon},
        states::empty,
    },
    state::App,
    text::machines as t,
};
use leptos::prelude::*;
use shared::{
    api::{Found, Lookup, LookupTerm, TermKind},
    config::Language,
    placement::{PlacedHypervisor, PlacedVm},
    text::span,
};

/// So many machines are shown with their way; more are rows of a table.
const CARDS: usize = 6;

pub(super) fn found(app: App, lookup: &Lookup) -> AnyView {
    let l = app.l();
    let silent = lookup.silent.iter().map(|it| {
        let ago = |at| span(l, app.now.get_untracked().ms_since(at));
        let words = it
            .seen_at
            .map_or_else(|| t::silent(l, &it.name, &it.error), |at| t::silent_since(l, &it.name, &ago(at), &it.error));
        view! { <p class="notice warn" role="status">{icon(Icon::Warning)} <span>{words}</span></p> }
    });
    let silent = silent.collect_view();
    let body = match lookup.items.len() {
        0 => empty(t::nothing(l), nothing(l, lookup)),
        n if n <= CARDS && lookup.terms.len() <= CARDS => cards(app, lookup),
        _ => table(app, lookup),
    };
    let more = lookup.terms.iter().any(|term| term.more);
    view! {
        <section aria-live="polite" data-testid="found">
            {silent}
            {body}
            {more.then(|| view! { <p class="muted">{t::more_than_shown(l)}</p> })}
        </section>
    }
    .into_any()
}

/// What was asked for in vain.
fn nothing(l: Language, lookup: &Lookup) -> AnyView {
    let hint = (lookup.sources == 0).then(|| view! { <p>{t::no_sources_hint(l)}</p> });
    view! { {unresolved(l, &lookup.terms)} {hint} }.into_any()
}

fn unresolved(l: Language, terms: &[LookupTerm]) -> AnyView {
    let say = |term: &LookupTerm| match &term.fault {
        Some(fault) => t::fault_of(l, &term.text, fault),
        None => t::nothing_of(l, &term.text),
    };
    let missing = terms.iter().filter(|term| term.found == 0);
    view! { <ul class="unresolved">{missing.map(|term| view! { <li>{say(term)}</li> }).collect_view()}</ul> }.into_any()
}

fn cards(app: App, lookup: &Lookup) -> AnyView {
    let l = app.l();
    let cards = lookup.items.iter().map(|found| card(app, found)).collect_view();
    view! { {unresolved(l, &lookup.terms)} <div class="machines">{cards}</div> }.into_any()
}

fn card(app: App, found: &Found) -> AnyView {
    let l = app.l();
    let placement = &found.placement;
    let title = match &placement.vm {
        Some(vm) => view! { <a href=vm_href(vm)>{vm.name.clone()}</a> }.into_any(),
        None => match &placement.hypervisor {
            Some(it) => view! { <a href=hypervisor_href(it)>{it.name.clone()}</a> }.into_any(),
            None => name(l, placement).into_any(),
        },
    };
    let mut facts: Vec<AnyView> = Vec::new();
    if let Some(vm) = &placement.vm {
        facts.push(power(l, vm.power).into_any());
    }
    facts.extend(placement.vendor.clone().map(IntoAny::into_any));
    if let Some(port) = &placement.port {
        facts.extend(port.vlan.map(|vlan| t::vlan(l, vlan).into_any()));
        facts.extend((port.connected == Some(false)).then(|| t::unplugged(l).into_any()));
    }
    if let Some(it) = &placement.hypervisor {
        facts.push(view! { <a href=hypervisor_href(it)>{t::vms_there(l, it.vms)}</a> }.into_any());
    }
    let facts = facts.into_iter().map(|fact| view! { <li>{fact}</li> }).collect_view();
    view! {
        <article class="card machine">
            <h2>{title}</h2>
            <ul class="machine-facts">{facts}</ul>
            {chain(app, placement)}
            {doubts(l, &placement.doubts)}
            {incidents(l, &found.incidents)}
        </article>
    }
    .into_any()
}

/// Where the page of a VM is.
pub(crate) fn vm_href(vm: &PlacedVm) -> String {
    format!("/machines/vm{}", query::build(&[("source", vm.source.as_str()), ("key", &vm.key)]))
}

/// Where the page of a hypervisor is.
pub(crate) fn hypervisor_href(it: &PlacedHypervisor) -> String {
    format!("/machines/hypervisor{}", query::build(&[("source", it.source.as_str()), ("key", &it.key)]))
}

/// A row of the table: what was asked, and what it is.
struct Row {
    cells: [String; 7],
    href: Option<String>,
    open: usize,
}

fn table(app: App, lookup: &Lookup) -> AnyView {
    let l = app.l();
    let rows = rows(l, lookup);
    let headings =
        [t::asked(l), t::vm(l), t::ip(l), t::mac(l), t::port(l), t::hypervisor(l), t::cluster(l), t::open_incidents(l)];
    let head = headings.clone().map(|name| view! { <th scope="col">{name}</th> }).collect_view();
    let csv = {
        let mut lines = vec![line(headings.each_ref().map(String::as_str).as_slice())];
        lines.extend(rows.iter().map(|row| {
            let open = row.open.to_string();
            let cells: Vec<&str> = row.cells.iter().map(String::as_str).chain([open.as_str()]).collect();
            line(&cells)
        }));
        lines.join("\n")
    };
    let json = serde_json::to_string_pretty(&lookup.items).unwrap_or_default();
    let n = lookup.items.len();
    let body = rows.into_iter().map(|row| {
        let [asked, vm, ip, mac, port, hypervisor, cluster] = row.cells;
        let vm = match row.href {
            Some(href) => view! { <a href=href>{vm}</a> }.into_any(),
            None => vm.into_any(),
        };
        let open = (row.open > 0).then(|| row.open.to_string());
        view! {
            <tr>
                <th scope="row">{asked}</th> <td>{vm}</td> <td>{ip}</td> <td>{mac}</td> <td>{port}</td>
                <td>{hypervisor}</td> <td>{cluster}</td> <td>{open}</td>
            </tr>
        }
    });
    view! {
        <section class="card">
            <div class="machine-line">
                <strong>{t::found_n(l, n)}</strong>
                {copy_button(t::copy_csv(l), move || csv.clone())}
                {copy_button(t::copy_json(l), move || json.clone())}
            </div>
            <div class="scrolls" tabindex="0" role="region" aria-label=t::found_n(l, n)>
                <table class="machine-table"><thead><tr>{head}</tr></thead><tbody>{body.collect_view()}</tbody></table>
            </div>
        </section>
    }
    .into_any()
}

/// Unresolved ones first: they are what somebody has to look into.
fn rows(l: Language, lookup: &Lookup) -> Vec<Row> {
    let none = lookup.terms.iter().filter(|term| term.found == 0).map(|term| {
        let why = match (&term.fault, term.kind) {
            (Some(fault), _) => fault.clone(),
            (None, TermKind::Unknown) => t::not_understood(l),
            (None, _) => t::nothing(l),
        };
        let mut cells: [String; 7] = Default::default();
        (cells[0], cells[1]) = (term.text.clone(), why);
        Row { cells, href: None, open: 0 }
    });
    let found = lookup.items.iter().map(|it| {
        let placement = &it.placement;
        let asked = lookup.terms.get(it.term as usize).map_or_else(String::new, |term| term.text.clone());
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        let port = placement.hops.iter().find(|hop| hop.to == shared::placement::HopTo::Port);
        Row {
            cells: [
                asked,
                name(l, placement),
                placement.ip.map(|ip| ip.to_string()).unwrap_or_default(),
                placement.mac.map(|mac| mac.to_string()).unwrap_or_default(),
                text(port.map(|hop| &hop.value)),
                text(placement.hypervisor.as_ref().map(|it| &it.name)),
                text(placement.hypervisor.as_ref().and_then(|it| it.cluster.as_ref())),
            ],
            href: placement.vm.as_ref().map(vm_href),
            open: it.incidents.len(),
        }
    });
    none.chain(found).collect()
}

/// A line of CSV. What a spreadsheet would take for a formula gets an apostrophe in front.
fn line(cells: &[&str]) -> String {
    let cell = |cell: &&str| {
        let formula = if cell.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
        format!("\"{formula}{}\"", cell.replace('"', "\"\""))
    };
    cells.iter().map(cell).collect::<Vec<_>>().join(",")
}
