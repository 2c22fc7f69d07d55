//! Who did what, page by page.

use crate::{
    components::{more::more, page::card, states::loaded, time::wall},
    state::{App, Remote},
    text::settings as t,
};
use leptos::prelude::*;
use shared::api::{AuditRow, List};

const PATH: &str = "/api/v1/audit";

pub(super) fn part(app: App) -> AnyView {
    let l = app.l();
    let remote = Remote::<List<AuditRow>>::new(PATH);
    let body = loaded(t::tab_audit(l), remote, 8, move |list| {
        let rows = list.items.iter().map(line).collect_view();
        let more = more(remote, &list, PATH);
        view! {
            <table class="table audit">
                <thead><tr><th>{t::audit_when(l)}</th><th>{t::audit_who(l)}</th><th>{t::audit_what(l)}</th><th>{t::audit_outcome(l)}</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
            {more}
        }
        .into_any()
    });
    card(t::tab_audit(l), body)
}

fn line(row: &AuditRow) -> impl IntoView + use<> {
    let ok = row.outcome == "ok";
    view! {
        <tr>
            <td>{wall(row.at)}</td>
            <td>{row.actor.clone()}</td>
            <td><span class="mono">{row.action.clone()}</span> " " {row.object.clone()} <small class="muted block">{row.detail.clone()}</small></td>
            <td class:bad=!ok>{row.outcome.clone()}</td>
        </tr>
    }
}
