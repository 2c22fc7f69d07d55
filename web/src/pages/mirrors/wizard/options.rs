//! How long, how much of each packet, and why.

use super::{Wizard, line};
use crate::text::mirror_wizard as t;
use leptos::prelude::*;
use shared::mirror::{Capabilities, Needs};

const MINUTE_MS: i64 = 60_000;
/// Minutes that are a button each.
const USUAL: [i64; 4] = [15, 30, 60, 120];

pub(super) fn options(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let most = wizard.board.with(|board| board.limits.longest_ms).unwrap_or(0) / MINUTE_MS;
    let minutes = wizard.part(|draft| draft.minutes.trim().to_owned());
    let button = |n: i64| {
        view! {
            <button type="button" class="chip" aria-pressed=move || minutes.with(|minutes| *minutes == n.to_string()).to_string()
                on:click=move |_| wizard.edit("expires_at", |draft| draft.minutes = n.to_string())>{t::min(l, n)}</button>
        }
    };
    let buttons = USUAL.into_iter().filter(|n| *n <= most).map(button).collect_view();
    let (snap, sampling, filter) =
        (wizard.can(Needs::Snap), wizard.can(Needs::Sampling), wizard.can(Needs::VlanFilter));
    let range = Memo::new(move |_| {
        let bounds = |can: &Capabilities| (can.snap_least, can.snap_most);
        wizard.switches().first().map(|it| bounds(&it.can)).filter(|(_, most)| *most > 0)
    });
    let or_why = move |can: Memo<bool>, what: Needs, hint: String| {
        (move || if can.get() { hint.clone() } else { t::why_not(l, what) }).into_any()
    };
    let snap_hint = move || match (snap.get(), range.get()) {
        (false, _) => t::why_not(l, Needs::Snap),
        (true, Some((least, most))) => t::snap_hint_range(l, least, most),
        (true, None) => t::snap_hint(l),
    };
    view! {
        <div class="stack">
            <div class="duration">
                {line(wizard, ("mirror-minutes", "expires_at"), t::duration(l), t::duration_hint(l, most).into_any(), None, |draft| &mut draft.minutes)}
                <div class="chips" role="group" aria-label=t::duration(l)>{buttons}</div>
            </div>
            <div class="row-fields">
                {line(wizard, ("mirror-snap", "snap_bytes"), t::snap(l), snap_hint.into_any(), Some(snap), |draft| &mut draft.snap)}
                {line(wizard, ("mirror-sampling", "sampling"), t::sampling(l), or_why(sampling, Needs::Sampling, t::sampling_hint(l)), Some(sampling), |draft| &mut draft.sampling)}
                {line(wizard, ("mirror-filter", "vlan_filter"), t::vlan_filter(l), or_why(filter, Needs::VlanFilter, t::vlan_filter_hint(l)), Some(filter), |draft| &mut draft.vlan_filter)}
            </div>
        </div>
    }
    .into_any()
}

pub(super) fn why(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    view! {
        <div class="row-fields why-fields">
            {line(wizard, ("mirror-reason", "reason"), t::reason(l), t::reason_hint(l).into_any(), None, |draft| &mut draft.reason)}
            {line(wizard, ("mirror-incident", "incident"), t::incident(l), t::incident_hint(l).into_any(), None, |draft| &mut draft.incident)}
        </div>
    }
    .into_any()
}
