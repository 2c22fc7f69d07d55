//! Every sender and when it was last heard.

use crate::{
    api::{self, query},
    components::{
        states::{empty, loaded},
        time::exact,
    },
    format,
    state::{App, Remote},
    text::{frame, senders as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    IntegrationId,
    api::{IntegrationRow, List, Role, SenderSilence},
};

pub(super) fn card(app: App, senders: Remote<List<IntegrationRow>>) -> impl IntoView {
    let l = app.l();
    let body = loaded(frame::integrations(l), senders, 4, move |list| {
        if list.items.is_empty() {
            return empty(t::none(l), view! { <p>{t::none_hint(l)}</p> }.into_any());
        }
        let rows = list.items.iter().map(|row| line(app, senders, row)).collect_view();
        view! {
            <table class="table senders">
                <thead><tr>
                    <th>{t::name(l)}</th><th>{t::last_heard(l)}</th><th class="num">{t::events(l)}</th><th>{t::tokens(l)}</th><th><span class="sr">{t::revoke(l)}</span></th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    });
    view! { <section class="card">{body}</section> }
}

fn line(app: App, senders: Remote<List<IntegrationRow>>, row: &IntegrationRow) -> impl IntoView + use<> {
    let l = app.l();
    let tokens = row.tokens.iter().map(|token| format!("{token}…")).collect::<Vec<_>>().join(", ");
    let href = format!("/integrations/{}", query::encoded(row.id.as_str()));
    let (id, name) = (row.id.clone(), row.name.clone());
    let revoke = (app.role() == Role::Admin).then(|| revoke_button(app, senders, id, name));
    view! {
        <tr>
            <td><a href=href><strong>{row.name.clone()}</strong></a><small class="muted mono block">{row.id.to_string()}</small></td>
            <td>{heard(app, row)}</td>
            <td class="num" data-unit=t::events(l).to_lowercase()>{format::grouped(row.events)}</td>
            <td class="mono muted">{tokens}</td>
            <td class="end">{revoke}</td>
        </tr>
    }
}

/// When a sender was heard, and what its silence means.
pub(super) fn heard(app: App, row: &IntegrationRow) -> impl IntoView + use<> {
    let l = app.l();
    let heard = row.last_event_at;
    let when =
        move || heard.map_or_else(|| t::never(l), |at| t::ago(l, &shared::text::span(l, app.now.get().ms_since(at))));
    let tooltip = heard.map(|at| exact(app, at));
    let silence = row.silence.as_ref().map(|silence| silent(app, silence));
    view! { <span class:muted=heard.is_none() title=tooltip>{when}</span>{silence} }
}

/// Whether its silence would be noticed, or has been.
fn silent(app: App, silence: &SenderSilence) -> AnyView {
    let l = app.l();
    let Some(since) = silence.since else {
        let severity = silence.severity.as_str();
        let after = silence.after.map(|after| shared::text::span(l, after.0));
        let words = match (after, silence.learned_weeks) {
            (Some(after), None) => t::watched(l, severity, &after),
            (Some(after), Some(weeks)) => t::learned(l, severity, &after, weeks),
            (None, Some(weeks)) if weeks >= silence.weeks_needed => t::irregular(l),
            (None, weeks) => t::learning(l, weeks.unwrap_or(0), silence.weeks_needed),
        };
        return view! { <small class="muted block">{words}</small> }.into_any();
    };
    let link = silence.incident.map(|id| view! { " " <a href=format!("/incidents/{id}")>{format!("#{id}")}</a> });
    let words = move || t::silent(l, &shared::text::span(l, app.now.get().ms_since(since)));
    view! { <small class="bad block">{words}{link}</small> }.into_any()
}

/// Asks once more in place before anything is refused.
fn revoke_button(app: App, senders: Remote<List<IntegrationRow>>, id: IntegrationId, name: String) -> impl IntoView {
    let l = app.l();
    let sure = RwSignal::new(false);
    let label = name.clone();
    let on_click = move |_| {
        if !sure.get_untracked() {
            return sure.set(true);
        }
        let (id, name) = (id.clone(), name.clone());
        spawn_local(async move {
            match api::delete(&format!("/api/v1/integrations/{}", query::encoded(id.as_str()))).await {
                Ok(()) => {
                    app.toasts.good(t::revoked(l, &name), None);
                    senders.reload();
                }
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
        });
    };
    view! {
        <button type="button" class="btn small" class:danger=move || sure.get() on:click=on_click on:blur=move |_| sure.set(false)>
            {move || if sure.get() { t::revoke_sure(l, &label) } else { t::revoke(l) }}
        </button>
    }
}
