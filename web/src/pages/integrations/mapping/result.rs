//! What the payload would become by the mapping as it stands, and where each field came from.

use super::draft::{Draft, Field};
use crate::{
    components::{
        badge::badge,
        icon::{Icon, icon},
        states::failure,
        time::wall,
    },
    state::App,
    text::{mapping as t, senders, words},
};
use leptos::prelude::*;
use shared::{
    Action, Flag,
    api::{MappingPreview, PreviewEvent},
    config::Finding,
};

/// Most alerts that are shown one by one.
const MOST: usize = 5;

pub(super) fn card(app: App, draft: Draft) -> AnyView {
    let l = app.l();
    let body = move || {
        draft.tried.with(|tried| match tried {
            None => view! { <p class="muted">{t::no_payload(l)}</p> }.into_any(),
            Some(Err(error)) => {
                let again = move || draft.again.update(|again| *again += 1);
                failure(&t::preview(l), error, again)
            }
            Some(Ok(tried)) => told(app, draft, tried),
        })
    };
    view! {
        <section class="card stack" data-testid="mapping-result">
            <div><h2>{t::becomes(l)}</h2><p class="hint">{t::becomes_hint(l)}</p></div>
            <div class="stack" role="status">{body}</div>
        </section>
    }
    .into_any()
}

fn told(app: App, draft: Draft, tried: &MappingPreview) -> AnyView {
    let l = app.l();
    let faults = tried.findings.iter().map(|Finding { path, message, .. }| {
        let path = path.strip_prefix("mapping.").unwrap_or(path).to_owned();
        view! { <li><code class="mono">{path}</code> " " {message.clone()}</li> }
    });
    let faults = (!tried.findings.is_empty()).then(|| {
        view! { <div class="notice bad">{icon(Icon::Warning)}<div><strong>{t::wrong(l)}</strong><ul>{faults.collect_view()}</ul></div></div> }
    });
    let rejected = tried.preview.rejected.iter().map(|reason| {
        view! { <p class="notice bad">{icon(Icon::Warning)}<span><strong>{senders::would_be_refused(l)}</strong> " " {words::reject(l, reason)}</span></p> }
    });
    let count = tried.preview.events.len();
    let events = tried.preview.events.iter().take(MOST).enumerate().map(|(i, event)| {
        let nth = (count > 1).then(|| t::nth(l, i + 1, count));
        one(app, draft, event, nth)
    });
    let others = (count > MOST).then(|| view! { <p class="muted">{t::and_others(l, count - MOST)}</p> });
    view! { {faults}{rejected.collect_view()}{events.collect_view()}{others} }.into_any()
}

fn one(app: App, draft: Draft, event: &PreviewEvent, nth: Option<String>) -> AnyView {
    let l = app.l();
    let action = match event.action {
        Action::Trigger => senders::trigger(l),
        Action::Acknowledge => senders::acknowledge(l),
        Action::Update => senders::update(l),
        Action::Resolve => senders::resolve(l),
        Action::Change => senders::change(l),
    };
    let text = |text: &shared::SharedStr| Some(text.to_string()).filter(|it| !it.is_empty());
    let full = &event.event;
    let mut rows = vec![
        (Field::Summary, Some(event.summary.clone()), None),
        (Field::Severity, Some(event.severity.to_string()), None),
        (Field::Status, Some(action), None),
        (Field::Host, event.host.clone(), None),
        (Field::Ip, event.ip.clone(), None),
        (Field::Mac, event.mac.clone(), None),
        (Field::Service, full.service.as_ref().and_then(text), None),
        (Field::Key, Some(event.dedup_key.clone()), None),
        (Field::Time, None, full.occurred_at),
        (Field::Url, full.links.first().cloned(), None),
        (Field::Content, text(&full.content), None),
    ];
    let labels: Vec<String> = draft.with(|mapping| mapping.labels.keys().cloned().collect());
    rows.extend(labels.into_iter().map(|name| {
        let value = full.labels.get(&name).cloned();
        (Field::Label(name), value, None)
    }));
    let needed = |field: &Field| matches!(field, Field::Summary | Field::Severity | Field::Status | Field::Host);
    let rows = rows.into_iter().filter_map(|(field, value, at)| {
        let is_mapped = untrack(|| draft.with(|mapping| !field.texts(mapping).is_empty()));
        let origin = origin(app, event, &field, is_mapped, value.is_some() || at.is_some());
        let shown = match (value, at) {
            (_, Some(at)) => wall(at).into_any(),
            (Some(value), _) => value.into_any(),
            // What everybody looks for is missed visibly.
            (None, None) if needed(&field) || is_mapped => {
                view! { <span class="muted">{t::not_found(l)}</span> }.into_any()
            }
            (None, None) => return None,
        };
        let word = field.word();
        Some(view! { <div data-field=word><dt>{field.name(l)}</dt><dd>{shown}{origin}</dd></div> })
    });
    let flags = event.flags.iter().map(|flag| view! { <li>{icon(Icon::Warning)}{words::flag(l, *flag)}</li> });
    view! {
        <div class="preview">
            <h3>{badge(l, event.severity)}{nth}</h3>
            <dl class="came-from">{rows.collect_view()}</dl>
            {(!event.flags.is_empty()).then(|| view! { <ul class="flags">{flags.collect_view()}</ul> })}
        </div>
    }
    .into_any()
}

/// Where a value came from, in words.
fn origin(app: App, event: &PreviewEvent, field: &Field, is_mapped: bool, is_there: bool) -> Option<AnyView> {
    let l = app.l();
    let word = field.word();
    let found: Vec<_> = event.origins.iter().filter(|origin| origin.field == word).collect();
    let places = || found.iter().map(|origin| origin.at.as_str()).collect::<Vec<_>>().join(", ");
    let by_default = matches!(field, Field::Severity) && event.flags.contains(&Flag::DefaultSeverity);
    let (class, words) = match found.first() {
        Some(origin) if origin.mapped => ("origin mapped", t::mapped_by(l, &places())),
        Some(_) => ("origin", t::found_as(l, &places())),
        None if !is_there => return None,
        None if by_default => ("origin", t::default_level(l)),
        None if is_mapped => ("origin mapped", t::mapped_words(l)),
        None => ("origin", t::worked_out(l)),
    };
    Some(view! { <small class=class>{words}</small> }.into_any())
}
