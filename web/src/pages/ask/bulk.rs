//! Many at once: how many of which level, P0 only when ticked, then one by one with progress.

use super::{Ask, Asker};
use crate::{
    components::badge::badge,
    state::{App, actions},
    text::{board as t, frame},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{IncidentId, Severity, api::ActionRequest};

/// Asks for a last look, then acts.
pub(super) fn confirm(app: App, asker: Asker, ask: Ask, body: ActionRequest) -> AnyView {
    let l = app.l();
    let rows: Vec<(IncidentId, Severity, String)> =
        ask.ids.iter().filter_map(|id| app.board.row(*id)).map(|row| (row.id, row.severity, row.title)).collect();
    let many = ask.ids.len() > 1;
    let p0 = rows.iter().filter(|(_, severity, _)| *severity == Severity::P0).count();
    let with_p0 = RwSignal::new(!many);
    let progress = RwSignal::new(None::<(usize, usize)>);
    let breakdown = Severity::ALL.into_iter().filter_map(|level| {
        let count = rows.iter().filter(|(_, severity, _)| *severity == level).count();
        (count > 0).then(|| view! { <li>{badge(l, level)} {format!("×{count}")}</li> })
    });
    let breakdown = breakdown.collect_view();
    let only_title = (!many).then(|| rows.first().map(|(.., title)| view! { <p>{title.clone()}</p> }));
    let verb = ask.verb;
    let ids: Vec<(IncidentId, bool)> =
        ask.ids.iter().map(|id| (*id, rows.iter().any(|row| row.0 == *id && row.1 == Severity::P0))).collect();
    let all = ids.len();
    let chosen_count = move || if with_p0.get() { all } else { all - p0 };
    let go = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let chosen = ids.iter().filter(|(_, is_p0)| with_p0.get_untracked() || !is_p0);
        run(app, asker, verb, chosen.map(|(id, _)| (*id, body.clone())).collect(), progress);
    };
    let tick = (many && p0 > 0).then(|| {
        view! {
            <label class="check">
                <input type="checkbox" on:change=move |event| with_p0.set(event_target_checked(&event))/>
                <span>{t::bulk_p0(l, p0)}<small>{t::bulk_p0_hint(l)}</small></span>
            </label>
        }
    });
    view! {
        <form class="stack" on:submit=go>
            {only_title}
            {many.then(|| view! { <ul class="breakdown">{breakdown}</ul> })}
            {tick}
            <p role="status">{move || progress.get().map(|(done, all)| t::bulk_progress(l, done, all))}</p>
            <div class="form-end">
                <button type="button" class="btn" on:click=move |_| asker.open.set(false)>{frame::cancel(l)}</button>
                <button class="btn primary" autofocus disabled=move || progress.get().is_some() || chosen_count() == 0>
                    {move || {
                        let name = actions::verb_name(l, verb);
                        if many { format!("{name} · {}", chosen_count()) } else { name }
                    }}
                </button>
            </div>
        </form>
    }
    .into_any()
}

/// Acts on each in turn.
pub(super) fn run(
    app: App,
    asker: Asker,
    verb: &'static str,
    acts: Vec<(IncidentId, ActionRequest)>,
    progress: RwSignal<Option<(usize, usize)>>,
) {
    let l = app.l();
    if let [(id, body)] = acts.as_slice() {
        actions::act(app, *id, verb, body.clone());
        return asker.finish();
    }
    progress.set(Some((0, acts.len())));
    spawn_local(async move {
        let all = acts.len();
        let mut done = 0;
        let mut last_error = None;
        for (id, body) in acts {
            match actions::send(app, id, verb, body).await {
                Ok(()) => done += 1,
                Err(why) => last_error = Some((id, why)),
            }
            progress.try_set(Some((done, all)));
        }
        match last_error {
            None => app.toasts.good(t::bulk_done(l, done, all), None),
            Some((id, why)) => {
                let verb = actions::verb_name(l, verb);
                app.toasts.bad(format!("{} {}", t::bulk_done(l, done, all), t::not_done(l, id.0, &verb, &why)));
            }
        }
        asker.finish();
    });
}
