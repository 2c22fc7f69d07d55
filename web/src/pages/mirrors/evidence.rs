//! What was copied, by the switch's own count: at the start, at last, and the rate this page has seen.

use crate::{
    components::{page::card, time::wall},
    format::grouped,
    mirror::rate::{self, Seen},
    text::mirrors as t,
};
use leptos::prelude::*;
use shared::{
    config::Language,
    mirror::{Counters, Mirror},
};

/// What stands above the numbers, or on a phone beside each.
fn heads(l: Language) -> [String; 3] {
    [t::counted_at_start(l), t::counted_last(l), t::counted_diff(l)]
}

pub(super) fn evidence(l: Language, mirror: &Mirror, seen: RwSignal<Seen>) -> AnyView {
    let of = &mirror.evidence;
    let (Some(first), Some(last)) = (of.first, of.last) else {
        return card(t::evidence(l), view! { <p class="muted">{t::no_counts(l)}</p> }.into_any());
    };
    let (packets, bytes) = of.copied();
    let row = |name: String, read: &dyn Fn(&Counters) -> Option<String>, difference: Option<String>| {
        let none = || "–".to_owned();
        let cells = [read(&first), read(&last), difference].into_iter().zip(heads(l));
        let cells = cells.map(|(cell, head)| view! { <td class="num" data-head=head>{cell.unwrap_or_else(none)}</td> });
        view! { <tr><th scope="row">{name}</th>{cells.collect_view()}</tr> }
    };
    let source = last.source_packets.zip(first.source_packets).map(|(last, first)| last.saturating_sub(first));
    let columns = heads(l).map(|it| view! { <th scope="col" class="num">{it}</th> });
    let id = mirror.id;
    let spark = move || {
        let line = seen.with(|seen| seen.line(id, 400, 60));
        (!line.is_empty()).then(|| {
            view! {
                <figure class="mirror-rate">
                    <svg viewBox="0 -2 400 64" preserveAspectRatio="none" aria-hidden="true"><path d=line></path></svg>
                    <figcaption>{t::rate_seen(l)}</figcaption>
                </figure>
            }
        })
    };
    let body = view! {
        <p class="muted">{t::evidence_lead(l)} " " {wall(first.at)} " – " {wall(last.at)}</p>
        <div class="evidence">
            <p class="big"><strong>{rate::volume(bytes)}</strong> " " <small>{t::packets(l, &grouped(packets))}</small></p>
            <p class="big"><strong>{rate::bits(of.bps)}</strong> " " <small>{t::peak(l, &rate::bits(of.peak_bps))}</small></p>
            {spark}
        </div>
        <table class="evidence-table">
            <thead><tr><th scope="col"><span class="sr">{t::evidence(l)}</span></th>{columns.collect_view()}</tr></thead>
            <tbody>
                {row(t::counted_packets(l), &|it| Some(grouped(it.packets)), Some(grouped(packets)))}
                {row(t::counted_bytes(l), &|it| Some(grouped(it.bytes)), Some(grouped(bytes)))}
                {row(t::counted_source(l), &|it| it.source_packets.map(grouped), source.map(grouped))}
            </tbody>
        </table>
        <p class="hint">{t::tso_hint(l)}</p>
    };
    view! { <div data-testid="evidence">{card(t::evidence(l), body.into_any())}</div> }.into_any()
}
