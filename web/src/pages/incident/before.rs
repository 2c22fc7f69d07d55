//! Earlier incidents of the same identity or host.

use super::part;
use crate::{
    components::{badge::badge, page::card as boxed},
    state::{App, Remote},
    text::incident as t,
};
use leptos::prelude::*;
use shared::api::{IncidentDetail, IncidentRow};

pub(super) fn card(app: App, detail: Remote<IncidentDetail>) -> AnyView {
    let l = app.l();
    let before = part(detail, |detail| detail.before.clone());
    let body = move || {
        let before = before.get()?;
        if before.is_empty() {
            return Some(view! { <p class="muted">{t::before_none(l)}</p> }.into_any());
        }
        Some(incidents(app, &before))
    };
    boxed(t::before(l), view! { <div>{body}</div> }.into_any())
}

/// A short list of incidents with links.
pub(crate) fn incidents(app: App, rows: &[IncidentRow]) -> AnyView {
    view! { <ul class="before">{rows.iter().map(|row| line(app, row)).collect_view()}</ul> }.into_any()
}

fn line(app: App, row: &IncidentRow) -> impl IntoView + use<> {
    let l = app.l();
    let lasted = row.resolved_at.map(|at| shared::text::span(l, at.ms_since(row.opened_at)));
    view! {
        <li>
            {badge(l, row.severity)}
            <a href=format!("/incidents/{}", row.id)>{row.title.clone()}</a>
            <small>{app.clock_time(row.opened_at)} {lasted.map(|lasted| format!(" · {}", t::lasted(l, &lasted)))}</small>
        </li>
    }
}
