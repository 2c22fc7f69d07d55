//! How each provider does: a card with its state, its figures, its newest error and a graph of what failed.

use crate::{
    chart::{
        line::{Line, Point, Value},
        model::{Chart, Shape},
        view::{Together, chart},
    },
    components::{
        states::{empty, loaded},
        time::ago,
    },
    state::{App, Remote},
    text::{deliveries as t, words},
};
use leptos::prelude::*;
use shared::{
    Timestamp,
    api::{DeliveryHealth, HealthState, ProviderHealth},
    config::Language,
    host::Unit,
    text::span,
};
use std::sync::Arc;

/// How long a span is.
const SPAN_MS: i64 = 300_000;

pub(super) fn part(app: App, remote: Remote<DeliveryHealth>) -> AnyView {
    let l = app.l();
    // Nothing is zoomed: a day is what there is.
    let together = Together::new(app, Callback::new(|_| ()));
    let cards = loaded(t::providers(l), remote, 4, move |health| {
        if health.providers.is_empty() {
            return empty(t::no_providers(l), view! { <p>{t::no_providers_why(l)}</p> }.into_any());
        }
        let mut all = health.providers.clone();
        // The worst first: that is what somebody came for.
        all.sort_by(|a, b| b.state.cmp(&a.state).then_with(|| a.provider.cmp(&b.provider)));
        let range = (health.from, health.now);
        let cards = all.into_iter().zip(0..).map(|(it, place)| card(app, together, it, place, range)).collect_view();
        view! { <ul class="provider-cards">{cards}</ul> }.into_any()
    });
    view! {
        <section class="card" data-testid="providers">
            <h2>{t::providers(l)}</h2>
            <p class="hint">{t::providers_is(l)}</p>
            {cards}
        </section>
    }
    .into_any()
}

fn card(
    app: App,
    together: Together,
    it: ProviderHealth,
    place: usize,
    range: (Timestamp, Timestamp),
) -> impl IntoView + use<> {
    let l = app.l();
    let name = it.provider.clone();
    let shown = Memo::new({
        let picture = Arc::new(picture(app, &it, range));
        move |_| Some(picture.clone())
    });
    let times = it.p50_ms.zip(it.p95_ms).map(|(half, most)| {
        let (half, most) = (t::half(l, &span(l, half)), t::most(l, &span(l, most)));
        format!(" · {half} · {most}")
    });
    let error = it.last_error.clone().map(|error| {
        view! {
            <p class="provider-error">
                <strong>{t::last_error(l)}</strong> " (" {ago(error.at)} "): " <span>{error.detail}</span>
                {t::fault(l, error.fault).map(|words| view! { <small class="muted block">{words}</small> })}
            </p>
        }
    });
    view! {
        <li class="provider-card" data-testid=format!("provider-{name}")>
            <div class="provider-head">
                <h3>{name.clone()} " " <small class="muted">{words::channel(l, it.channel)}</small></h3>
                {word(l, it.state)}
            </div>
            <p class="provider-counts">{t::counts(l, it.accepted, it.failed)}{times}</p>
            {error}
            {chart(together, format!("deliveries-{place}"), t::graph(l, &name), shown, Callback::new(|_| ()))}
        </li>
    }
}

/// How somebody does, in a word.
pub(in crate::pages) fn word(l: Language, state: HealthState) -> impl IntoView {
    view! { <span class=format!("health {}", class(state))><i aria-hidden="true"></i>{t::health_name(l, state)}</span> }
}

const fn class(state: HealthState) -> &'static str {
    match state {
        HealthState::Idle => "idle",
        HealthState::Ok => "ok",
        HealthState::Degraded => "degraded",
        HealthState::Failing => "failing",
    }
}

/// What was taken below, what failed above it; nothing sent is nothing, and no gap.
fn picture(app: App, it: &ProviderHealth, (from, until): (Timestamp, Timestamp)) -> Chart {
    let l = app.l();
    let first = from.ms().div_euclid(SPAN_MS);
    let last = until.ms().div_euclid(SPAN_MS);
    let line = |name: String, count: fn(&shared::api::HealthSpan) -> u32| {
        let points = (first..=last).map(|place| {
            let at = place * SPAN_MS;
            let span = it.spans.iter().find(|span| span.at.ms() == at);
            let value = Value::one(span.map_or(0.0, |span| f64::from(count(span))));
            Point { at, value: Some(value), step_ms: SPAN_MS }
        });
        Line { series: name.clone(), name, points: points.collect() }
    };
    let mut chart = Chart::new(Shape::Stacked, Unit::Count, from.ms(), until.ms());
    chart.lines = vec![line(t::taken(l), |span| span.accepted), line(t::failed(l), |span| span.failed)];
    chart
}
