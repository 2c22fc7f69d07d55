//! The alerts of the incident: identity, labels, links, and what was noticed about their messages.

use super::part;
use crate::{
    components::{
        badge::badge,
        icon::{Icon, icon},
        key,
        time::wall,
    },
    format::is_web_link,
    incident::head::Known,
    pages::ask::Asker,
    state::{
        App, Remote,
        actions::{DETACH, MERGE},
    },
    text::{board, incident as t, words},
};
use leptos::prelude::*;
use shared::{Alert, AlertState, IncidentId, IncidentState, api::IncidentDetail};

pub(super) fn card(
    app: App,
    id: IncidentId,
    known: Remote<Known>,
    detail: Remote<IncidentDetail>,
    asker: Asker,
) -> AnyView {
    let l = app.l();
    let alerts = part(detail, |detail| detail.alerts.clone());
    let body = move || {
        let alerts = alerts.get()?;
        let (firing, over): (Vec<&Alert>, Vec<&Alert>) = alerts.iter().partition(|it| it.state == AlertState::Firing);
        let several = firing.len() > 1;
        let count = (alerts.len() > 1).then(|| {
            let words = board::several(l, firing.len() as u32, alerts.len() as u32);
            view! { <p class="muted">{words}</p> }
        });
        let detach = |alert: &Alert| {
            let words = [place(alert), &alert.event.summary].join(" ");
            let alert = (alert.id, words.trim().to_owned());
            several.then(|| {
                view! {
                    <button type="button" class="btn small" data-testid=format!("detach-{}", alert.0)
                        on:click=move |_| asker.ask_of_alert(DETACH, id, alert.clone())>{board::detach(l)}</button>
                }
            })
        };
        let firing = firing.into_iter().map(|one| self::alert(app, one, detach(one).into_any())).collect::<Vec<_>>();
        let over = over.into_iter().map(|one| self::alert(app, one, ().into_any())).collect::<Vec<_>>();
        Some(view! { {count}{firing}{over} })
    };
    let state = super::of_row(app, known, |cell| cell.row.with(|row| row.state));
    let merge = move || {
        state.get().filter(|state| *state != IncidentState::Resolved).map(|_| {
            view! {
                <button type="button" class="btn small" data-testid="merge" on:click=move |_| asker.ask(MERGE, vec![id])>
                    {board::merge(l)} {key::hint("m")}
                </button>
            }
        })
    };
    view! {
        <section class="card">
            <div class="card-head"><h2>{t::alerts(l)}</h2>{merge}</div>
            <div class="stack">{body}</div>
        </section>
    }
    .into_any()
}

/// The machine it is about.
fn place(alert: &Alert) -> &str {
    alert.event.host.as_deref().or(alert.event.ip.as_deref()).unwrap_or_default()
}

fn alert(app: App, alert: &Alert, detach: AnyView) -> AnyView {
    let l = app.l();
    let event = &alert.event;
    let state = if alert.state == AlertState::Firing { t::firing(l) } else { t::over(l) };
    let labels = event
        .labels
        .iter()
        .map(|(key, value)| view! { <span class="label-pair mono">{format!("{key}={value}")}</span> });
    let labels = labels.collect_view();
    // What is said above, or linked below, is not said again.
    let is_news = |text: &&String| {
        let said = [&*event.summary, &*event.content].iter().any(|said| said.contains(text.trim()));
        !text.trim().is_empty() && !said && !event.links.contains(*text)
    };
    let annotations = event.annotations.iter().filter(|(_, text)| is_news(text)).map(|(name, text)| {
        view! { <dt class="mono">{name.clone()}</dt><dd>{if is_web_link(text) { safe_link(text) } else { text.clone().into_any() }}</dd> }
    });
    let annotations: Vec<_> = annotations.collect();
    let links = event.links.iter().map(|link| safe_link(link)).collect_view();
    let flags =
        event.flags.iter().map(|flag| view! { <li>{icon(Icon::Warning)} {words::flag(l, *flag)}</li> }).collect_view();
    view! {
        <article class="alert">
            <p>{badge(l, alert.severity())} <strong>{event.summary.to_string()}</strong></p>
            {(!event.content.is_empty()).then(|| view! { <pre class="content" tabindex="0">{event.content.to_string()}</pre> })}
            <p class="message-facts"><span class="mono">{place(alert).to_owned()}</span><span>{state}</span><span>{format!("×{}", alert.count)}</span>{wall(alert.last_at)}{detach}</p>
            <p class="message-facts"><span class="muted">{t::identity(l)}</span><span class="mono">{event.dedup_key.to_string()}</span></p>
            {(!event.labels.is_empty()).then(|| view! { <p class="label-pairs">{labels}</p> })}
            {(!annotations.is_empty()).then(|| view! { <dl class="annotations">{annotations}</dl> })}
            {(!event.links.is_empty()).then(|| view! { <p class="label-pairs">{links}</p> })}
            {(!event.flags.is_empty()).then(|| view! { <ul class="flags" aria-label=t::flags(l)>{flags}</ul> })}
        </article>
    }
    .into_any()
}

/// A link a sender wrote: to the web or not at all.
fn safe_link(link: &str) -> AnyView {
    let (link, address) = (link.to_owned(), link.to_owned());
    if is_web_link(&link) {
        view! { <a href=address target="_blank" rel="noreferrer noopener">{link}</a> }.into_any()
    } else {
        view! { <span class="mono">{link}</span> }.into_any()
    }
}
