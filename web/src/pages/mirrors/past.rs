//! Mirrors that are over: what was looked at, by whom, how long, how much, and how it ended.

use super::{Desk, parts};
use crate::{
    components::{keyed::keyed, time::wall},
    format::grouped,
    mirror::{rate, standing},
    text::{mirrors as t, rules},
};
use leptos::prelude::*;
use shared::{MirrorId, mirror::Mirror};

pub(super) fn past(desk: Desk, ids: Memo<Vec<MirrorId>>) -> AnyView {
    let l = desk.app.l();
    let rows = keyed(
        move || ids.get(),
        ToString::to_string,
        move |id| {
            let mirror = desk.mirror(id);
            (move || mirror.with(|it| it.as_ref().map(|it| row(desk, it)))).into_any()
        },
    );
    let none = move || ids.with(Vec::is_empty).then(|| view! { <p class="muted">{t::none_past(l)}</p> });
    view! {
        <section class="card" data-testid="mirrors-past">
            <h2>{t::past(l)} " " <span class="count">{move || ids.with(Vec::len)}</span></h2>
            {none}
            <ul class="mirror-past">{rows}</ul>
        </section>
    }
    .into_any()
}

fn row(desk: Desk, mirror: &Mirror) -> AnyView {
    let l = desk.app.l();
    let (packets, bytes) = mirror.evidence.copied();
    let amount = if mirror.evidence.last.is_some() {
        format!("{} · {}", rate::volume(bytes), t::packets(l, &grouped(packets)))
    } else {
        String::new()
    };
    let incident = mirror.spec.incident.map(|id| view! { <a href=format!("/incidents/{id}")>{format!("#{id}")}</a> });
    let why = mirror.ended.as_ref().map(|end| rules::end(l, end));
    view! {
        <li>
            <span class="past-what">
                <a href=format!("/mirrors/{}", mirror.id)>{t::mirror_n(l, mirror.id.0)}</a> " "
                <strong>{standing::sources(mirror).join(", ")}</strong> " → " {standing::destination(mirror)}
            </span>
            <span class="past-state">{parts::state_word(desk.app, mirror)}</span>
            <small class="past-who">{mirror.by.name()} " " {incident} " · " {wall(mirror.created_at)} {why.map(|why| format!(" · {why}"))}</small>
            <small class="past-much">{amount}</small>
        </li>
    }
    .into_any()
}
