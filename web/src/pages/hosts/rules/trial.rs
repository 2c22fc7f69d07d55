//! What a rule would have done with what was measured: its alerts as a strip for each host, before it is put in force.

use super::{edit::Desk, form::Draft};
use crate::{
    api::{self, ApiError},
    chart::axis,
    components::field::segments,
    components::painted::painted,
    markup::Node,
    state::App,
    text::{host_rules as t, hosts},
};
use engine::threshold::Expression;
use leptos::{prelude::*, task::spawn_local};
use shared::{
    Timestamp,
    api::{ThresholdForecast, ThresholdTrial, WouldAlert},
    config::Template,
    host::{Unit, metric},
    text::span,
};
use std::collections::BTreeMap;

const RANGES: [(&str, i64); 3] = [("24h", 86_400_000), ("7d", 7 * 86_400_000), ("14d", 14 * 86_400_000)];
/// Hosts that have a strip.
const STRIPS_MAX: usize = 60;
/// Alerts that are listed.
const LISTED: usize = 12;

type Answer = Result<ThresholdForecast, ApiError>;

pub(super) fn card(desk: Desk, draft: Draft) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let range = RwSignal::new(RANGES[0].0);
    let (answer, busy) = (RwSignal::new(None::<Answer>), RwSignal::new(false));
    let round = StoredValue::new(0_u32);
    let names = [hosts::range_hours(l, 24), hosts::range_days(l, 7), hosts::range_days(l, 14)];
    let choice = segments(
        t::try_range(l),
        RANGES.iter().map(|(word, _)| *word).zip(names).collect(),
        move || range.get(),
        move |word| range.set(word),
    );
    let try_it = move |_| {
        let length = RANGES.iter().find(|(word, _)| *word == range.get_untracked()).map_or(RANGES[0].1, |(_, ms)| *ms);
        let until = app.clock();
        let templates = desk.known().templates;
        let of = templates.iter().find(|it| draft.template.with_untracked(|id| it.id.as_str() == id));
        let groups =
            of.map(|it| if it.every_host { Vec::new() } else { groups_of(&templates, it) }).unwrap_or_default();
        let ask = ThresholdTrial {
            rule: draft.rule.get_untracked(),
            groups,
            hosts: Vec::new(),
            from: until.plus_ms(-length),
            until,
        };
        busy.set(true);
        let asked = round.get_value();
        spawn_local(async move {
            let said = api::post::<ThresholdForecast>("/api/v1/thresholds/trial", &ask).await;
            // The rule was changed meanwhile, or the page was left.
            if round.try_get_value() == Some(asked) {
                busy.try_set(false);
                drop(answer.try_set(Some(said)));
            }
        });
    };
    // What was tried is of one rule and one stretch of time; of another it says nothing.
    Effect::new(move |before: Option<()>| {
        draft.rule.track();
        draft.template.track();
        range.track();
        if before.is_some() {
            round.update_value(|round| *round += 1);
            busy.set(false);
            answer.set(None);
        }
    });
    let unit = Memo::new(move |_| {
        let of = draft.rule.with(|rule| rule.when.parse::<Expression>().ok().map(|it| it.series.metric));
        of.and_then(|name| metric(&name).map(|it| it.unit)).unwrap_or(Unit::Plain)
    });
    let body = move || match answer.get() {
        _ if busy.get() => view! { <p class="muted">{t::trying(l)}</p> }.into_any(),
        None => ().into_any(),
        Some(Err(error)) => {
            view! { <p class="notice bad" role="alert"><span>{error.sentence(l)}</span></p> }.into_any()
        }
        Some(Ok(forecast)) => {
            let unit = unit.get_untracked();
            painted("trial", move || drawn(app, unit, &forecast), |_, _| ())
        }
    };
    view! {
        <section class="card stack trial-card" data-testid="rule-trial">
            <h2>{t::try_it(l)}</h2>
            {choice}
            <div><button type="button" class="btn" on:click=try_it disabled=move || busy.get() data-testid="rule-try">{t::try_it(l)}</button></div>
            <div aria-live="polite">{body}</div>
        </section>
    }
    .into_any()
}

/// The groups of a template, or of those that take over its rules where it has none itself.
fn groups_of(templates: &[Template], of: &Template) -> Vec<shared::HostGroupId> {
    let mut groups = of.groups.clone();
    for child in templates.iter().filter(|it| it.parent.as_ref() == Some(&of.id)) {
        groups.extend(child.groups.iter().cloned());
    }
    groups.dedup();
    groups
}

fn drawn(app: App, unit: Unit, forecast: &ThresholdForecast) -> Vec<Node> {
    let l = app.l();
    let ThresholdForecast { from, until, hosts, series, alerts, .. } = forecast;
    let whole = until.ms_since(*from).max(1);
    let told: u32 = alerts.iter().map(|it| it.steps).sum();
    let mut all = Vec::new();
    let of = hosts::hosts_n(l, *hosts as usize);
    if alerts.is_empty() {
        all.push(Node::of("p", "good", t::tried_none(l, &of, *series)));
    } else {
        let tried = t::tried(l, &t::alerts_n(l, alerts.len()), &of, *series);
        all.push(Node::of("p", "", format!("{tried}{}", t::tried_told(l, told))));
    }
    if forecast.step_ms > 60_000 {
        all.push(Node::of("p", "muted", t::tried_step(l, &span(l, forecast.step_ms))));
    }
    let mut by_host: BTreeMap<&str, Vec<&WouldAlert>> = BTreeMap::new();
    for alert in alerts {
        by_host.entry(&alert.host).or_default().push(alert);
    }
    let strips = by_host.iter().take(STRIPS_MAX).map(|(host, alerts)| {
        let part = |alert: &&WouldAlert| {
            let begins = alert.from.ms_since(*from) as f64 * 100.0 / whole as f64;
            let lasts = alert.until.unwrap_or(*until).ms_since(alert.from) as f64 * 100.0 / whole as f64;
            Node::new("i", "").across(begins.clamp(0.0, 100.0), lasts.clamp(0.4, 100.0))
        };
        let bar = Node::new("div", "trial-bar")
            .set("role", "img")
            .set("aria-label", t::strip(l, host, &t::alerts_n(l, alerts.len())));
        Node::new("li", "")
            .with(Node::of("span", "", *host))
            .with(bar.all(alerts.iter().map(part).collect()))
            .with(Node::of("b", "", alerts.len().to_string()))
    });
    let strips: Vec<Node> = strips.collect();
    if !strips.is_empty() {
        all.push(Node::new("ul", "trial-strips").all(strips));
    }
    let line = |alert: &WouldAlert| {
        let begins = app.civil(Timestamp::from_ms(alert.from.ms())).moment(l);
        let length = alert.until.map_or_else(|| t::would_last(l), |until| span(l, until.ms_since(alert.from)));
        let value = alert.value.map_or_else(|| "–".to_owned(), |value| axis::value(l, unit, f64::from(value)));
        let series = alert.series.split_once('/').map(|(_, tags)| format!(" {tags}")).unwrap_or_default();
        Node::of("li", "", format!("{}{series}: {}", alert.host, t::would(l, &begins, &length, &value)))
    };
    if !alerts.is_empty() {
        all.push(Node::new("ul", "trial-list").all(alerts.iter().take(LISTED).map(line).collect()));
    }
    let more = u32::try_from(alerts.len().saturating_sub(LISTED)).unwrap_or(u32::MAX).saturating_add(forecast.left_out);
    if more > 0 {
        all.push(Node::of("p", "muted", t::tried_more(l, more)));
    }
    all
}
