//! What the list, the page of one and the incident's card draw alike: the state with its shape, and the time left.

use crate::{
    components::painted::painted,
    format,
    live::machine::Connection,
    mirror::{
        picture::{self, Scene},
        standing,
    },
    state::App,
    text::mirrors as t,
};
use leptos::prelude::*;
use shared::{api::MirrorBoard, mirror::Mirror};

/// A mark and a few words; the mark's shape says as much as its colour.
pub(crate) fn state_word(app: App, mirror: &Mirror) -> AnyView {
    let l = app.l();
    let tone = standing::tone(mirror);
    view! {
        <span class=format!("mirror-state {}", tone.class()) data-testid="mirror-state">
            <svg viewBox="0 0 12 12" aria-hidden="true"><path d=tone.shape()></path></svg>
            {t::state(l, mirror)}
        </span>
    }
    .into_any()
}

/// A ring that empties, and what is left of its time. It goes on without a connection: the server ends it all the same.
pub(crate) fn countdown(app: App, mirror: Memo<Option<Mirror>>) -> AnyView {
    let l = app.l();
    let left = Memo::new(move |_| {
        let now = app.now.get();
        mirror.with(|it| it.as_ref().and_then(|it| Some((standing::left(it, now)?, it.expires_at))))
    });
    let there = Memo::new(move |_| left.with(Option::is_some));
    let dash = move || left.with(|left| format!("{} 100", left.map_or(0, |((_, part), _)| part)));
    let words = move || left.with(|left| left.map(|((ms, _), _)| format::countdown(ms)).unwrap_or_default());
    let said =
        move || left.with(|left| left.map(|((ms, _), _)| t::time_left(l, &format::countdown(ms))).unwrap_or_default());
    let until = move || left.with(|left| left.map(|(_, at)| t::until(l, &app.clock_time(at))));
    let soon = move || left.with(|left| left.is_some_and(|((ms, _), _)| ms < 120_000));
    let cut = move || {
        let off = matches!(app.connection.get(), Connection::Offline { .. });
        off.then(|| view! { <small class="cut">{t::server_ends_it(l)}</small> })
    };
    (move || {
        there.get().then(|| {
            view! {
                <div class="mirror-ring" class:soon=soon data-testid="countdown">
                    <svg viewBox="0 0 36 36" aria-hidden="true">
                        <path class="whole" d="M18 2a16 16 0 1 1-.01 0"></path>
                        <path class="part" pathLength="100" stroke-dasharray=dash d="M18 2a16 16 0 1 1-.01 0"></path>
                    </svg>
                    <div><strong role="timer" aria-label=said>{words}</strong><small>{until}</small>{cut}</div>
                </div>
            }
        })
    })
    .into_any()
}

/// Machine, switch, way and collector side by side.
pub(crate) fn picture(
    app: App,
    mirror: Memo<Option<Mirror>>,
    board: impl Fn() -> Option<MirrorBoard> + Send + Sync + 'static,
) -> AnyView {
    let l = app.l();
    let scene = Memo::new(move |_| mirror.with(|it| it.as_ref().map(|it| Scene::of_mirror(l, it, board().as_ref()))));
    let drawn = move || {
        scene.with(|scene| {
            scene.iter().map(|scene| picture::draw(l, scene, "across", picture::sentence(l, scene))).collect()
        })
    };
    painted("mirror-picture", drawn, |_, _| {})
}
