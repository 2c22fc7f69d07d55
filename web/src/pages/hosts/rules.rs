//! Threshold rules: what fires, the templates with their rules, and a way to change them.

mod edit;
mod form;
mod group;
mod trial;

use crate::{
    chart::axis,
    components::{
        badge::badge,
        icon::{Icon, icon},
        page::{card, page_head},
        states::{empty, loaded},
        time::ago,
    },
    host::{meaning, plans},
    state::{App, Remote},
    text::{host_rules as t, hosts},
};
use edit::Edited;
use leptos::prelude::*;
use shared::{
    api::{Role, RuleStanding, RuleState, TemplateRow, ThresholdBoard, ThresholdRow},
    config::Language,
    host::{Unit, metric},
    text::span,
};

pub(super) fn page() -> AnyView {
    let app = App::here();
    let l = app.l();
    let board = Remote::<ThresholdBoard>::new("/api/v1/thresholds");
    let edited = RwSignal::new(None::<Edited>);
    let close = Callback::new(move |changed: bool| {
        edited.set(None);
        if changed {
            board.reload();
        }
    });
    let may = app.role() == Role::Admin;
    let new = move |label: String, what: Edited| {
        view! { <button type="button" class="btn" on:click=move |_| edited.set(Some(what.clone()))>{icon(Icon::Plus)} {label}</button> }
    };
    let head = view! {
        <a class="btn" href="/hosts">{t::back(l)}</a>
        {may.then(|| view! {
            {new(t::new_group(l), Edited::Group(None))}
            {new(t::new_template(l), Edited::Template(None))}
            {new(t::new_rule(l), Edited::Rule(None))}
        })}
    };
    let body = loaded(t::title(l), board, 8, move |board| drawn(app, &board, edited, may));
    view! {
        <div class="page host-rules" data-testid="host-rules">
            {page_head(t::title(l), t::lead(l), head.into_any())}
            {move || edited.get().map(|what| edit::editor(app, what, close))}
            <div hidden=move || edited.get().is_some() class="stack">{body}</div>
        </div>
    }
    .into_any()
}

fn drawn(app: App, board: &ThresholdBoard, edited: RwSignal<Option<Edited>>, may: bool) -> AnyView {
    let l = app.l();
    if board.templates.is_empty() {
        return view! { <section class="card">{empty(t::none(l), view! { <p>{t::none_lead(l)}</p> }.into_any())}</section> }.into_any();
    }
    let now = if board.standing.is_empty() {
        view! { <p class="muted">{t::standing_none(l)}</p> }.into_any()
    } else {
        standing(app, &board.standing, true)
    };
    let templates = board.templates.iter().map(|row| template(app, row, edited, may)).collect_view();
    view! { {card(t::standing(l), now)} {templates} }.into_any()
}

fn template(app: App, row: &TemplateRow, edited: RwSignal<Option<Edited>>, may: bool) -> AnyView {
    let l = app.l();
    let own = &row.template;
    let groups = if own.every_host {
        t::every_host(l)
    } else if own.groups.is_empty() {
        t::no_groups(l)
    } else {
        own.groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let (id, name) = (own.id.clone(), own.title().to_owned());
    let edit = may.then(|| {
        let (id, label) = (id.clone(), t::edit_rule(l, &name));
        view! { <button type="button" class="btn small" aria-label=label on:click=move |_| edited.set(Some(Edited::Template(Some(id.clone()))))>{t::edit(l)}</button> }
    });
    let paused = own.paused.then(|| view! { <span class="chip">{t::paused(l)}</span> });
    let rules = row.rules.iter().map(|it| rule(app, row, it, edited, may)).collect_view();
    view! {
        <section class="card" data-testid=format!("template-{id}")>
            <div class="card-head">
                <h2>{name.clone()} {paused}</h2>
                <span class="muted grow">{groups} " · " {hosts::hosts_n(l, row.hosts as usize)}</span>
                {edit}
            </div>
            <ul class="rules-list">{rules}</ul>
        </section>
    }
    .into_any()
}

fn rule(app: App, of: &TemplateRow, row: &ThresholdRow, edited: RwSignal<Option<Edited>>, may: bool) -> AnyView {
    let l = app.l();
    let own = &row.rule;
    let reading = meaning::condition(l, &own.when).unwrap_or_else(|fault| t::unreadable(l, &fault));
    let mut more = Vec::new();
    if own.hold.0 > 0 {
        more.push(t::holds_for(l, &span(l, own.hold.0)));
    }
    more.push(t::told(l, own.max_steps, &span(l, own.every.0)));
    more.extend(row.from.as_ref().map(|from| t::from_template(l, from.as_str())));
    if own.paused {
        more.push(t::paused(l));
    }
    let counts = [
        (row.firing > 0).then(|| view! { <b class="bad">{t::firing_n(l, row.firing)}</b> }.into_any()),
        (row.holding > 0).then(|| view! { <b>{t::holding_n(l, row.holding)}</b> }.into_any()),
        Some(view! { <span class="muted">{t::series_n(l, row.series)}</span> }.into_any()),
    ];
    let (template, id) = (row.from.clone().unwrap_or_else(|| of.template.id.clone()), own.id.clone());
    let label = t::edit_rule(l, own.title());
    let edit = may.then(|| {
        let open = move |_| edited.set(Some(Edited::Rule(Some((template.clone(), id.clone())))));
        view! { <button type="button" class="btn small" aria-label=label on:click=open>{t::edit(l)}</button> }
    });
    let name = (!own.name.is_empty()).then(|| view! { <strong>{own.name.clone()}</strong> });
    view! {
        <li>
            {badge(l, own.severity)}
            <div class="grow">
                {name} <code class="mono">{own.when.clone()}</code>
                <p>{reading}</p>
                <p class="muted">{more.join(" · ")}</p>
            </div>
            <div class="rule-counts">{counts.into_iter().flatten().collect_view()}</div>
            {edit}
        </li>
    }
    .into_any()
}

/// How rules stand, as a table.
pub(super) fn standing(app: App, rules: &[RuleStanding], with_host: bool) -> AnyView {
    let l = app.l();
    let row = |it: &RuleStanding| {
        let of = it.series.split('/').next().unwrap_or(&it.series);
        let unit = metric(of).map_or(Unit::Plain, |it| it.unit);
        let value = it.value.map_or_else(|| "–".to_owned(), |value| axis::value(l, unit, f64::from(value)));
        let class = match it.state {
            RuleState::Firing => "firing",
            RuleState::Holding => "holding",
            RuleState::Fine | RuleState::Unknown => "",
        };
        let host = with_host.then(|| view! { <td><a href=super::href(&it.host)>{it.host.clone()}</a></td> });
        // The series is said where the rule is about several.
        let tags =
            it.series.split_once('/').map(|(_, tags)| tags.to_owned()).filter(|_| !plans::is_of(&it.when, &it.series));
        let since = matches!(it.state, RuleState::Firing | RuleState::Holding).then(|| ago(it.since));
        view! {
            <tr class=class>
                <td>{badge(l, it.severity)}</td>
                {host}
                <th scope="row">{it.title.clone()} {tags.map(|tags| view! { " " <small class="mono">{tags}</small> })}</th>
                <td>{state(l, it.state)}</td>
                <td class="num">{value}</td>
                <td>{since}</td>
            </tr>
        }
    };
    let mut head = vec![t::severity(l)];
    head.extend(with_host.then(|| t::host(l)));
    head.extend([t::rule(l), hosts::state(l), t::value(l), t::since(l)]);
    let head = head.into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect_view();
    view! {
        <div class="scrolls" tabindex="0" role="region" aria-label=t::standing(l)>
            <table class="use-table standing"><thead><tr>{head}</tr></thead><tbody>{rules.iter().map(row).collect_view()}</tbody></table>
        </div>
    }
    .into_any()
}

fn state(l: Language, state: RuleState) -> String {
    match state {
        RuleState::Fine => t::fine(l),
        RuleState::Unknown => t::unknown(l),
        RuleState::Holding => t::holding(l),
        RuleState::Firing => t::firing(l),
    }
}
