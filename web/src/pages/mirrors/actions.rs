//! What is done about a mirror: sent at once, and said when the server has it.

use super::{may_mirror, may_stop};
use crate::{
    api, browser,
    components::icon::{Icon, icon},
    live::machine::Connection,
    mirror::standing::{self, Approval},
    state::App,
    text::mirrors as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    MirrorId, Timestamp,
    api::MirrorExtension,
    mirror::{Mirror, MirrorState},
};

/// Names a request, so that it can be sent twice and is one mirror.
pub(crate) fn fresh_key() -> String {
    let word = || (browser::random() * 4_294_967_296.0) as u32;
    format!("web-{:08x}{:08x}{:08x}", word(), word(), word())
}

/// Nothing is sent without a connection, and buttons say so by being off.
pub(crate) fn offline(app: App) -> bool {
    matches!(app.connection.get(), Connection::Offline { .. })
}

/// Ends it: stopping is safe, so nobody is asked twice.
pub(crate) fn stop(app: App, id: MirrorId, done: Callback<()>) {
    let path = format!("/api/v1/mirrors/{id}/stop");
    let l = app.l();
    spawn_local(async move {
        match api::post::<Mirror>(&path, &()).await {
            Ok(_) => app.toasts.good(t::stop_asked(l), None),
            Err(error) => app.toasts.bad(error.sentence(l)),
        }
        done.try_run(());
    });
}

fn extend(app: App, id: MirrorId, until: Timestamp, done: Callback<()>) {
    let path = format!("/api/v1/mirrors/{id}/extend");
    let l = app.l();
    spawn_local(async move {
        match api::post::<Mirror>(&path, &MirrorExtension { expires_at: until }).await {
            Ok(mirror) => app.toasts.good(t::extended(l, &app.clock_time(mirror.expires_at)), None),
            Err(error) => app.toasts.bad(error.sentence(l)),
        }
        done.try_run(());
    });
}

/// What a mirror's buttons are made from; they stay what they are while this does.
#[derive(Clone, PartialEq)]
struct Offers {
    more: Vec<(i64, Timestamp)>,
    approval: Approval,
    stops: bool,
    waits: bool,
}

pub(super) fn buttons(
    app: App,
    id: MirrorId,
    mirror: Memo<Option<Mirror>>,
    approve: Callback<Mirror>,
    done: Callback<()>,
) -> AnyView {
    let l = app.l();
    let login = app.info().map(|info| info.login).unwrap_or_default();
    let offers = Memo::new(move |_| {
        mirror.with(|mirror| {
            mirror.as_ref().map(|it| Offers {
                more: standing::extensions(it),
                approval: standing::approval(it, &login),
                stops: standing::can_stop(it),
                waits: matches!(it.state, MirrorState::Planned | MirrorState::Approved),
            })
        })
    });
    let drawn = move || {
        let Offers { more, approval, stops, waits } = offers.get()?;
        let more = more.into_iter().filter(|_| may_mirror(app)).map(|(minutes, until)| {
            view! {
                <button type="button" class="btn" aria-label=t::extend_label(l, id.0, minutes)
                    disabled=move || offline(app) on:click=move |_| extend(app, id, until, done)>
                    {t::extend(l, minutes)}
                </button>
            }
        });
        let approving = match approval {
            Approval::Open if may_mirror(app) => Some(view! {
                <button type="button" class="btn primary" data-testid=format!("approve-{id}") disabled=move || offline(app)
                    on:click=move |_| { if let Some(it) = mirror.get_untracked() { approve.run(it); } }>
                    {icon(Icon::Check)} {t::approve(l)}
                </button>
            }.into_any()),
            Approval::Own => Some(view! { <span class="muted">{t::own_request(l)}</span> }.into_any()),
            Approval::Open | Approval::Settled => None,
        };
        let stop = (stops && may_stop(app)).then(|| {
            let word = if waits { t::take_back(l) } else { t::stop_now(l) };
            view! {
                <button type="button" class="btn danger" aria-label=format!("{word}: {}", t::mirror_n(l, id.0)) data-testid=format!("stop-{id}")
                    disabled=move || offline(app) on:click=move |_| stop(app, id, done)>{word.clone()}</button>
            }
        });
        Some(view! { {approving} {more.collect_view()} {stop} })
    };
    view! { <div class="mirror-actions">{drawn}</div> }.into_any()
}
