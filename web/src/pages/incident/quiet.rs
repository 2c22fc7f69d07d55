//! Why nobody is paged although it fires: which silence or rule, until when, and its reason.

use crate::{
    components::icon::{Icon, icon},
    incident::head::{Known, Waits},
    pages::silences,
    state::{App, Remote},
    text::{incident as noise, silences as t},
};
use leptos::prelude::*;
use serde::Deserialize;
use shared::{IncidentId, SilenceId, Stale, SuppressedBy, Timestamp, text::suppressed_by};

pub(super) fn band(app: App, known: Remote<Known>) -> impl IntoView {
    let by = super::of_row(app, known, |cell| cell.row.with(|row| row.suppressed.clone()));
    let lines = move || by.get().unwrap_or_default().iter().map(|by| line(app, by)).collect_view();
    let waits = super::part(known, |known| known.head.incident.waits());
    let waits = move || {
        let words = match waits.get()?? {
            Waits::Calm(at) => noise::flapping(app.l(), &app.clock_time(at)),
            Waits::Stale(stale) => gone_stale(app, &stale),
            Waits::Held(at) if at > app.now.get() => noise::held(app.l(), &app.clock_time(at)),
            Waits::Held(_) => return None,
        };
        Some(view! { <p>{icon(Icon::Quiet)} <span>{words}</span></p> })
    };
    let any = Memo::new(move |_| waits().is_some() || by.with(|by| by.as_ref().is_some_and(|by| !by.is_empty())));
    // The box stays, so that what appears in it is read out.
    view! { <div class="quiet-bands" class:quiet-band=any role="status" data-testid="quiet">{waits}{lines}</div> }
}

fn gone_stale(app: App, stale: &Stale) -> String {
    let (l, since) = (app.l(), app.clock_time(stale.since));
    match stale.closes_at {
        _ if stale.closed => noise::stale_closed(l),
        Some(at) => noise::stale_closing(l, &since, &app.clock_time(at)),
        None => noise::stale(l, &since),
    }
}

fn line(app: App, by: &SuppressedBy) -> AnyView {
    let l = app.l();
    let (sign, words) = match by {
        SuppressedBy::Silence { silence, until } => (Icon::Quiet, of_silence(app, *silence, *until, by)),
        SuppressedBy::Maintenance { silence, until } => (Icon::Wrench, of_silence(app, *silence, *until, by)),
        SuppressedBy::Inhibition { inhibition, source } => {
            let href = format!("/incidents/{source}");
            let words = t::follows(l, source.0);
            (Icon::Quiet, view! { <a href=href>{words}</a> " · " {t::rule(l, inhibition.as_str())} }.into_any())
        }
        SuppressedBy::Suspect { what, name, source } => {
            let (href, what) = (format!("/incidents/{source}"), shared::text::common(l, *what));
            (Icon::Quiet, view! { <a href=href>{noise::follows_suspect(l, &what, name, source.0)}</a> }.into_any())
        }
    };
    view! { <p>{icon(sign)} <span>{words}</span></p> }.into_any()
}

/// The little that is said of a silence.
#[derive(Clone, Deserialize)]
struct Explained {
    silence: Reason,
}

#[derive(Clone, Deserialize)]
struct Reason {
    reason: String,
}

fn of_silence(app: App, silence: SilenceId, until: Option<Timestamp>, by: &SuppressedBy) -> AnyView {
    let l = app.l();
    let answer = Remote::<Explained>::new(format!("/api/v1/silences/{silence}"));
    let reason = move || answer.with(|answer| format!(" — {}", answer.silence.reason));
    let until = until.map(|at| t::kept_until(l, &app.clock_time(at)));
    let sentence = t::kept_quiet(l, "\u{1}");
    // The name is a link, so the sentence is cut around it.
    let (before, after) = sentence.split_once('\u{1}').unwrap_or((&sentence, ""));
    view! {
        {before.to_owned()}<a href=format!("/silences/{silence}")>{suppressed_by(l, by)}</a>{after.to_owned()}{until}{reason}
    }
    .into_any()
}

/// Opens the form with what this incident is known by.
pub(super) fn ask(app: App, id: IncidentId, maker: silences::Maker) {
    if let Some(row) = app.board.row(id).filter(|_| silences::may_respond(app)) {
        maker.about(&row);
    }
}
