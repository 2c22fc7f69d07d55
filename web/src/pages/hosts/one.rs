//! One host: how it is this second, its charts over a range, what runs on it, and what is wrong.

use super::{
    desk::{Desk, Standing},
    strip, tables,
};
use crate::{
    api::{self, query},
    chart::{
        cursor,
        model::{Chart, Shape},
        view,
    },
    components::{
        badge::badge,
        field::segments,
        icon::{Icon, icon},
        modal::modal,
        page::{card, page_head},
        states::{failure, loaded},
        time::{ago, wall},
    },
    host::{
        plans::{self, PLANS},
        range::{LIVE, Look, RANGES},
    },
    state::App,
    text::{charts, hosts as t},
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use shared::{
    Timestamp,
    api::{HostDetail, Role},
    host::{HostState, Unit},
    text::span,
};
use std::collections::BTreeSet;

pub(super) fn page() -> AnyView {
    let asked = use_query_map();
    let name = Memo::new(move |_| asked.with(|asked| asked.get("name").unwrap_or_default()));
    // Another host is another page: nothing of the last one stays.
    (move || host(name.get())).into_any()
}

fn host(name: String) -> AnyView {
    let app = App::here();
    let asked = use_query_map();
    let look = Memo::new(move |_| {
        asked.with(|asked| Look::read(asked.get_str("range"), asked.get_str("from"), asked.get_str("until")))
    });
    let picked = Memo::new(move |_| {
        let text = asked.with(|asked| asked.get("series").unwrap_or_default());
        text.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    });
    let navigate = use_navigate();
    let own = name.clone();
    let go = Callback::new(move |(look, picked): (Look, Vec<String>)| {
        let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
        navigate(&look.address(&own, &[("series", &picked.join(" "))]), options);
    });
    let zoom = Callback::new(move |zoom: Option<(i64, i64)>| {
        go.run((Look { zoom, ..look.get_untracked() }, picked.get_untracked()))
    });
    let desk = Desk::new(app, name.clone(), (look, picked), zoom, None);
    let there = Memo::new(move |_| desk.detail.with(|_| ()).is_some());
    let title = name.clone();
    view! {
        <div class="page host" data-testid="host">
            {move || (!there.get()).then(|| view! { <h1>{title.clone()}</h1> })}
            {loaded(name.clone(), desk.detail, 10, |_| ().into_any())}
            {move || there.get().then(|| body(desk, go, &name))}
        </div>
    }
    .into_any()
}

type Go = Callback<(Look, Vec<String>)>;

fn body(desk: Desk, go: Go, name: &str) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let forgets = RwSignal::new(false);
    view! {
        {page_head(name.to_owned(), lead(desk), head(desk, forgets))}
        {silence(desk)}
        {wrong(desk)}
        {strip::strip(desk)}
        {ranges(desk, go)}
        {move || desk.error.get().map(|error| failure(&t::title(l), &error, move || desk.retry()))}
        {drawn(desk)}
        {others(desk, go)}
        {tables::tables(desk)}
        <div class="grid-2">
            {card(t::standing(l), standing(desk))}
            {card(t::facts(l), facts(desk))}
        </div>
        {forget(app, name.to_owned(), forgets)}
    }
    .into_any()
}

/// What the heading says below the name.
fn lead(desk: Desk) -> String {
    let l = desk.app.l();
    let of = |detail: &HostDetail| {
        let facts = detail.facts.as_ref();
        let hostname = facts.map(|it| it.hostname.clone()).filter(|it| *it != detail.row.name);
        let ip = detail.row.ip.map(|ip| ip.to_string());
        let feeds =
            detail.row.feeds.iter().map(|feed| tables::feed(l, *feed)).collect::<Vec<_>>().join(charts::comma(l));
        let all = [hostname, ip, detail.row.hypervisor.clone(), detail.row.cluster.clone(), Some(feeds)];
        all.into_iter().flatten().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ")
    };
    untrack(|| desk.detail.with(of)).unwrap_or_default()
}

fn head(desk: Desk, forgets: RwSignal<bool>) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let vm = Memo::new(move |_| desk.detail.with(|detail| detail.vm.clone()).flatten());
    let links = move || {
        vm.get().map(|vm| {
            let href = format!("/machines/vm{}", query::build(&[("source", &vm.source), ("key", &vm.key)]));
            view! { <a class="btn" href=href>{icon(Icon::Machines)} {t::fact_vm(l)} " " {vm.name}</a> }
        })
    };
    let mac = Memo::new(move |_| {
        desk.detail
            .with(|detail| detail.facts.as_ref().and_then(|facts| facts.macs.first().map(ToString::to_string)))
            .flatten()
    });
    let mirror = move || {
        let (mac, known) = (mac.get()?, vm.get().is_some());
        (known && app.role() >= Role::Network).then(|| {
            let href = format!("/mirrors/new{}", query::build(&[("mac", &mac)]));
            view! { <a class="btn" href=href>{icon(Icon::Mirrors)} {t::mirror(l)}</a> }
        })
    };
    let gone = move || {
        let is = desk.standing.get().is_some_and(|it| it.state == HostState::Silent) && app.role() >= Role::Responder;
        is.then(|| view! { <button type="button" class="btn" on:click=move |_| forgets.set(true)>{icon(Icon::Trash)} {t::forget(l)}</button> })
    };
    view! { {links} {mirror} {gone} }.into_any()
}

/// A host that is not heard from says so before anything else.
fn silence(desk: Desk) -> AnyView {
    let app = desk.app;
    let l = app.l();
    (move || {
        let Standing { state, seen_at, .. } = desk.standing.get()?;
        (state != HostState::Live).then(|| {
            // What is said is said once; the time that goes by is only shown.
            let ago = move || t::silent_for(l, &span(l, app.now.get().ms_since(seen_at)));
            view! {
                <p class="notice warn" data-testid="host-silent">
                    {icon(Icon::Warning)} <span><span role="status">{t::silent(l)}</span> <small>{ago}</small></span>
                </p>
            }
        })
    })
    .into_any()
}

fn wrong(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let incidents = Memo::new(move |_| desk.detail.with(|detail| detail.incidents.clone()).unwrap_or_default());
    let open = move || {
        let open: Vec<_> = incidents.get().into_iter().filter(|it| it.until.is_none()).collect();
        let one = |it: shared::api::HostIncident| {
            let href = format!("/incidents/{}", it.id);
            view! { <li>{badge(l, it.severity)} <a href=href>{format!("#{} {}", it.id, it.title)}</a> <small class="muted">{ago(it.from)}</small></li> }
        };
        (!open.is_empty())
            .then(|| view! { <ul class="machine-incidents host-wrong">{open.into_iter().map(one).collect_view()}</ul> })
    };
    open.into_any()
}

fn ranges(desk: Desk, go: Go) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let name = |word: &str, ms: i64| match ms / 3_600_000 {
        _ if word == LIVE => t::range_live(l),
        hours @ ..=24 => t::range_hours(l, hours),
        hours => t::range_days(l, hours / 24),
    };
    let choice = segments(
        t::range(l),
        RANGES.iter().map(|it| (it.word, name(it.word, it.length_ms))).collect(),
        move || desk.look.with(|look| if look.follows() { look.range.word } else { "" }),
        move |word| go.run((Look::read(Some(word), None, None), desk.picked.get_untracked())),
    );
    let zoomed = move || {
        desk.look.with(|look| look.zoom).map(|(from, until)| {
            let say = |at: i64| app.civil(Timestamp::from_ms(at)).moment(l);
            t::zoomed(l, &say(from), &say(until))
        })
    };
    // The same keys as in a chart, as buttons: for a finger.
    let press = move |key: &'static str| {
        move |_| {
            let (from, until) = desk.window.get_untracked();
            let whole = Chart::new(Shape::Lines, Unit::Plain, from, until);
            match cursor::key(&whole, desk.together.cursor.get_untracked(), key) {
                Some(cursor::Step::Zoom(from, until)) => desk.together.zoom.run(Some((from, until))),
                _ => desk.together.zoom.run(None),
            }
        }
    };
    let reset = move || {
        desk.look
            .with(|look| look.zoom.is_some())
            .then(|| view! { <button type="button" class="btn" on:click=press("0")>{charts::zoom_reset(l)}</button> })
    };
    view! {
        <div class="host-ranges" data-testid="host-ranges" data-cursor="">
            {choice}
            <button type="button" class="btn square" aria-label=charts::zoom_in(l) on:click=press("+")>"+"</button>
            <button type="button" class="btn square" aria-label=charts::zoom_out(l) on:click=press("-")>"−"</button>
            {reset}
            <span class="muted" data-testid="host-zoomed">{zoomed}</span>
        </div>
    }
    .into_any()
}

/// The charts of what the host measures.
fn drawn(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let measured = Memo::new(move |_| {
        desk.detail
            .with(|detail| {
                PLANS.iter().filter(|plan| plans::is_measured(plan, detail)).map(|plan| plan.id).collect::<Vec<_>>()
            })
            .unwrap_or_default()
    });
    let one = move |id: &'static str| {
        let Some(plan) = plans::plan(id) else { return ().into_any() };
        let shown = desk.shown(plan);
        let more = Memo::new(move |_| shown.with(|chart| chart.as_ref().map_or(0, |chart| chart.more())));
        let rest = move || {
            let words = if plan.shape == Shape::Heat { charts::more_strips } else { charts::more_lines };
            let n = more.get();
            (n > 0).then(|| view! { <p class="muted chart-more">{words(l, n)}</p> })
        };
        view! { <div class="card chart-card">{view::chart(desk.together, plan.id.to_owned(), (plan.title)(l), shown, desk.sees(plan.id))} {rest}</div> }.into_any()
    };
    view! { <div class="charts">{crate::components::keyed::keyed(move || measured.get(), ToString::to_string, one)}</div> }.into_any()
}

/// Series that are in no chart, to be drawn one by one.
fn others(desk: Desk, go: Go) -> AnyView {
    let l = desk.app.l();
    let rest = Memo::new(move |_| {
        let is_drawn = |name: &str| PLANS.iter().flat_map(|plan| plan.metrics).any(|metric| plans::is_of(name, metric));
        let names = |detail: &HostDetail| {
            detail.series.iter().map(|row| row.name.clone()).filter(|name| !is_drawn(name)).collect::<Vec<_>>()
        };
        desk.detail.with(names).unwrap_or_default()
    });
    let add = move |event: web_sys::Event| {
        let series = event_target_value(&event);
        let known = rest.with_untracked(|rest| rest.contains(&series));
        let mut picked = desk.picked.get_untracked();
        // One field may name a series with a space in it; such a one cannot be kept in the address.
        if known && !series.contains(' ') && !picked.contains(&series) && picked.len() < 12 {
            picked.push(series);
            go.run((desk.look.get_untracked(), picked));
        }
    };
    let options = move || {
        let chosen: BTreeSet<String> = desk.picked.get().into_iter().collect();
        let left = rest.get().into_iter().filter(|name| !chosen.contains(name));
        left.map(|name| view! { <option value=name.clone()>{name.clone()}</option> }).collect_view()
    };
    let one = move |series: String| {
        let shown = desk.picked_chart(series.clone());
        // The id of an element cannot hold every name.
        let id = format!("picked-{}", series.replace(|sign: char| !sign.is_ascii_alphanumeric(), "-"));
        let own = series.clone();
        let remove = move |_| {
            let picked = desk.picked.get_untracked().into_iter().filter(|it| *it != own).collect();
            go.run((desk.look.get_untracked(), picked));
        };
        let label = t::undraw(l, &series);
        view! {
            <div class="card chart-card">
                {view::chart(desk.together, id, series.clone(), shown, desk.sees(series))}
                <button type="button" class="btn ghost small" aria-label=label on:click=remove>{icon(Icon::Cross)}</button>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="card">
            <h2>{t::other_series(l)}</h2>
            <div class="field">
                <label for="host-series">{t::other_hint(l)}</label>
                <select id="host-series" on:change=add><option value="">{t::draw(l)} "…"</option>{options}</select>
            </div>
        </section>
        <div class="charts">{crate::components::keyed::keyed(move || desk.picked.get(), Clone::clone, one)}</div>
    }
    .into_any()
}

fn standing(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let rules = Memo::new(move |_| desk.detail.with(|detail| detail.rules.clone()).unwrap_or_default());
    (move || {
        let rules = rules.get();
        if rules.is_empty() {
            return view! { <p class="muted">{t::standing_none(l)}</p> }.into_any();
        }
        super::rules::standing(desk.app, &rules, false)
    })
    .into_any()
}

fn facts(desk: Desk) -> AnyView {
    let app = desk.app;
    let l = app.l();
    (move || {
        let detail = desk.detail.ready()?;
        let mut all: Vec<(String, AnyView)> = Vec::new();
        if let Some(facts) = &detail.facts {
            let joined = |list: Vec<String>| list.join(charts::comma(l)).into_any();
            all.push((t::fact_cpu(l), format!("{} × {}", facts.cpus, facts.cpu_model).into_any()));
            all.push((t::fact_addresses(l), joined(facts.ips.iter().map(ToString::to_string).collect())));
            all.push((t::fact_hardware(l), joined(facts.macs.iter().map(ToString::to_string).collect())));
            let every = span(l, i64::try_from(detail.row.every_ms).unwrap_or(i64::MAX));
            all.push((t::fact_version(l), format!("{}{}{}", facts.version, charts::comma(l), t::fact_every(l, &every)).into_any()));
            if !facts.missing.is_empty() {
                let items = facts.missing.iter().map(|it| view! { <li>{it.clone()}</li> }).collect_view();
                all.push((t::fact_missing(l), view! { <ul class="missing">{items}</ul> }.into_any()));
            }
        }
        if !detail.row.groups.is_empty() {
            let groups = detail.row.groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(charts::comma(l));
            all.push((t::fact_groups(l), groups.into_any()));
        }
        let lost = (detail.lost > 0).then(|| view! { <p class="muted">{t::fact_lost(l, detail.lost)}</p> });
        let past = detail.incidents.iter().filter(|it| it.until.is_some()).map(|it| {
            let href = format!("/incidents/{}", it.id);
            view! { <li>{badge(l, it.severity)} <a href=href>{format!("#{} {}", it.id, it.title)}</a> <small class="muted">{wall(it.from)}</small></li> }
        });
        let past: Vec<_> = past.collect();
        let past = (!past.is_empty()).then(|| view! { <h3>{t::incidents(l)}</h3> <ul class="machine-incidents">{past}</ul> });
        let all = all.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }).collect_view();
        Some(view! { <dl class="host-facts">{all}</dl> {lost} {past} })
    })
    .into_any()
}

fn forget(app: App, name: String, open: RwSignal<bool>) -> AnyView {
    let l = app.l();
    let navigate = use_navigate();
    let title = name.clone();
    let content = move || {
        let (name, navigate) = (name.clone(), navigate.clone());
        let done = t::forgotten(l, &name);
        let path = format!("/api/v1/hosts/one{}", query::build(&[("name", &name)]));
        let forget = move |_| {
            let (path, done, navigate) = (path.clone(), done.clone(), navigate.clone());
            spawn_local(async move {
                match api::delete(&path).await {
                    Ok(()) => {
                        app.toasts.good(done, None);
                        navigate("/hosts", NavigateOptions::default());
                    }
                    Err(error) => app.toasts.bad(error.sentence(l)),
                }
            });
        };
        view! {
            <p>{t::forget_ask(l, &name)}</p>
            <div class="form-end">
                <button type="button" class="btn" on:click=move |_| open.set(false)>{t::cancel(l)}</button>
                <button type="button" class="btn danger" on:click=forget>{t::forget_do(l)}</button>
            </div>
        }
        .into_any()
    };
    modal(open, "narrow", move || t::forget_ask(l, &title), content)
}
