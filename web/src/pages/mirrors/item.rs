//! A mirror that is not over: its picture, what is left of its time, how much it copies, and what can be done.

use super::{Desk, actions, parts};
use crate::{
    components::icon::{Icon, icon},
    format::grouped,
    mirror::rate,
    text::mirrors as t,
};
use leptos::prelude::*;
use shared::{MirrorId, mirror::Mirror};

pub(super) fn item(desk: Desk, id: MirrorId) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let mirror = desk.mirror(id);
    let state = Memo::new(move |_| mirror.with(|it| it.as_ref().map(|it| (it.state, it.verified, it.tries))));
    let state = move || {
        state.get()?;
        mirror.with_untracked(|it| it.as_ref().map(|it| parts::state_word(app, it)))
    };
    let name = Memo::new(move |_| {
        mirror.with(|it| it.as_ref().map(|it| it.spec.title.clone())).filter(|title| !title.is_empty())
    });
    let name = move || {
        name.get().map(|title| format!("{} · {title}", t::mirror_n(l, id.0))).unwrap_or_else(|| t::mirror_n(l, id.0))
    };
    view! {
        <article class="card mirror-card" data-testid=format!("mirror-{id}") aria-labelledby=format!("mirror-name-{id}")>
            <header>
                <h3 id=format!("mirror-name-{id}")><a href=format!("/mirrors/{id}")>{name}</a></h3>
                {state}
            </header>
            {parts::picture(app, mirror, move || desk.board.ready())}
            <div class="mirror-foot">
                {parts::countdown(app, mirror)}
                {numbers(desk, id, mirror)}
                {move || mirror.with(|it| it.as_ref().map(|it| who(desk, it)))}
                {actions::buttons(app, id, mirror, Callback::new(move |it| desk.approver.ask(it)), desk.reload)}
            </div>
            {move || mirror.with(|it| it.as_ref().and_then(|it| it.trouble.clone())).map(|trouble| view! {
                <p class="notice warn">{icon(Icon::Warning)} <span>{t::trouble(l)} ": " {trouble.message}</span></p>
            })}
        </article>
    }
    .into_any()
}

/// How much it copies now, and did so far; with what this page has seen of the rate.
pub(super) fn numbers(desk: Desk, id: MirrorId, mirror: Memo<Option<Mirror>>) -> AnyView {
    let l = desk.app.l();
    let counted = Memo::new(move |_| {
        mirror.with(|it| {
            it.as_ref()
                .map(|it| (it.evidence.bps, it.evidence.copied(), it.state.is_running(), it.evidence.last.is_some()))
        })
    });
    (move || {
        let (bps, (packets, bytes), running, any) = counted.get()?;
        if !any {
            return None;
        }
        let line = desk.seen.with(|seen| seen.line(id, 100, 20));
        let spark = (!line.is_empty()).then(|| {
            view! { <svg class="mirror-spark" viewBox="0 -1 100 22" preserveAspectRatio="none" aria-hidden="true"><path d=line></path></svg> }
        });
        let now = running.then(|| view! { <div class="rate-now"><dt>{t::rate_now(l)}</dt><dd>{rate::bits(bps)}{spark}</dd></div> });
        let so_far = view! {
            <div><dt>{t::copied(l)}</dt><dd>{rate::volume(bytes)} " " <small>{t::packets(l, &grouped(packets))}</small></dd></div>
        };
        Some(view! { <dl class="mirror-numbers" data-testid="mirror-numbers">{now}{so_far}</dl> })
    })
    .into_any()
}

fn who(desk: Desk, mirror: &Mirror) -> AnyView {
    let incident =
        mirror.spec.incident.map(|id| view! { " · " <a href=format!("/incidents/{id}")>{format!("#{id}")}</a> });
    let reason = (!mirror.spec.reason.is_empty()).then(|| view! { <q>{mirror.spec.reason.clone()}</q> });
    let approved = mirror.approved.as_ref().map(|(by, _)| format!("{}: {}", t::approved_by(desk.app.l()), by.name()));
    let approved = approved.map(|words| view! { <small>{words}</small> });
    view! { <p class="mirror-who"><span>{mirror.by.name()} {incident}</span> {reason} {approved}</p> }.into_any()
}
