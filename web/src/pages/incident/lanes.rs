//! The swim-lane: who was reached by what, how fast, and who is next.

use super::part;
use crate::{
    components::{page::card as boxed, time::exact},
    format,
    incident::lanes::{Lane, Lanes, Mark, Stage, Wait, What, lanes},
    state::{App, Remote},
    text::{incident as t, words},
};
use leptos::prelude::*;
use shared::{AttemptState, PersonId, Timestamp, api::IncidentDetail, config::Language};
use std::collections::BTreeMap;

type Names = BTreeMap<PersonId, String>;

pub(super) fn card(app: App, detail: Remote<IncidentDetail>) -> AnyView {
    let l = app.l();
    let drawn = part(detail, |detail| (lanes(detail), detail.names.clone()));
    let body = move || {
        let (lanes, names) = drawn.get()?;
        Some(if lanes.lanes.is_empty() {
            view! { <p class="muted">{t::reached_nobody(l)}</p> }.into_any()
        } else {
            diagram(app, &lanes, &names)
        })
    };
    boxed(
        t::reached(l),
        view! { <div data-testid="swimlane" class="lanes" role="group" aria-label=t::lanes_label(l)>{body}</div> }
            .into_any(),
    )
}

fn diagram(app: App, lanes: &Lanes, names: &Names) -> AnyView {
    let rows = lanes.lanes.iter().map(|one| lane(app, one, names)).collect_view();
    let (from, until) = (lanes.from, lanes.until);
    // The line of the present moves with the clock until it leaves the picture.
    let is_waiting = lanes.now.is_some();
    let now = move || {
        let passed = app.now.get().ms_since(from) as f64 / until.ms_since(from).max(1) as f64 * 100.0;
        (is_waiting && passed <= 100.0).then(|| view! { <i class="now-line" style:left=format!("{passed:.2}%")></i> })
    };
    view! {
        {axis(app, lanes)}
        <div class="lane-rows">
            <div class="now-place" aria-hidden="true">{now}</div>
            <ul>{rows}</ul>
        </div>
    }
    .into_any()
}

fn axis(app: App, lanes: &Lanes) -> impl IntoView + use<> {
    let l = app.l();
    let step = lanes.until.ms_since(lanes.from) / 4;
    let ticks = (0..4).map(|n| {
        let text = if n == 0 { app.civil(lanes.from).time() } else { format!("+{}", format::age(l, step * n)) };
        view! { <span>{text}</span> }
    });
    view! { <div class="axis" aria-hidden="true">{ticks.collect_view()}</div> }
}

fn lane(app: App, lane: &Lane, names: &Names) -> impl IntoView + use<> {
    let l = app.l();
    let who = words::recipient(names, &lane.recipient);
    let how = match &lane.contact {
        Some((contact, kind)) => format!("{contact} · {}", words::channel(l, *kind)),
        None => t::unless_acked(l),
    };
    let hidden = (lane.hidden > 0).then(|| view! { <small class="hidden-marks">{t::earlier(l, lane.hidden)}</small> });
    let why: Vec<String> = lane.marks.iter().filter_map(|mark| reason(app, mark)).collect();
    let waits = lane.marks.iter().all(|mark| matches!(mark.what, What::Delivery { why: None, .. }));
    let why = (!why.is_empty()).then(|| view! { <p class="lane-why" class:waits=waits>{why.join(" · ")}</p> });
    let marks = lane.marks.iter().map(|one| mark(app, one)).collect_view();
    view! {
        <li class="lane" class:ghosted=lane.contact.is_none()>
            <div class="lane-who"><strong>{who}</strong><small>{how}</small>{hidden}</div>
            <div class="track">{marks}</div>
            {why}
        </li>
    }
}

fn mark(app: App, mark: &Mark) -> impl IntoView + use<> {
    let l = app.l();
    let (class, text) = match &mark.what {
        What::Level { policy, level, one_of } => {
            let one_of = if *one_of { t::one_of(l) } else { String::new() };
            ("ghost", format!("{} {}{one_of}", app.clock_time(mark.at), t::upcoming_level(l, policy, *level)))
        }
        What::Delivery { waits: Some(_), .. } => ("ghost", app.clock_time(mark.at)),
        What::Delivery { state: AttemptState::Planned, .. } => ("ghost", wall_time(app, mark.at)),
        What::Delivery { proof: Some(proof), state: AttemptState::Accepted | AttemptState::Sending, .. } => {
            ("proven", format!("{} {}", stage(l, proof.stage), format::delay(l, proof.after_ms)))
        }
        What::Delivery { state, tries, delay_ms, .. } => {
            let word = words::attempt(l, *state);
            let more = match (delay_ms, tries) {
                (Some(ms), _) => format!(" {}", format::delay(l, *ms)),
                (None, 2..) => format!(" · {}", t::tries(l, *tries)),
                _ => String::new(),
            };
            (class(*state), format!("{word}{more}"))
        }
    };
    let device = match &mark.what {
        What::Delivery { proof: Some(proof), .. } => proof.device.clone(),
        _ => None,
    };
    let title = device.map_or_else(|| exact(app, mark.at), |device| format!("{} · {device}", exact(app, mark.at)));
    view! { <span class=format!("mark {class}") style:left=format!("{:.2}%", mark.left) title=title>{text}</span> }
}

fn wall_time(app: App, at: Timestamp) -> String {
    app.civil(at).time()
}

fn stage(l: Language, stage: Stage) -> String {
    match stage {
        Stage::Delivered => t::proof_delivered(l),
        Stage::Answered => t::proof_answered(l),
        Stage::Shown => t::proof_shown(l),
        Stage::Opened => t::proof_opened(l),
    }
}

const fn class(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Accepted => "accepted",
        AttemptState::Sending => "sending",
        AttemptState::Retrying => "retrying",
        AttemptState::Failed => "failed",
        AttemptState::Planned | AttemptState::Cancelled => "cancelled",
    }
}

/// Why it failed, in the channel's words, and what that means.
fn reason(app: App, mark: &Mark) -> Option<String> {
    let l = app.l();
    if let What::Delivery { waits: Some(waits), .. } = &mark.what {
        let why = match waits {
            Wait::Hours(waits) => shared::text::waits(l, waits),
            Wait::Others(throttle) => shared::text::throttled_by(l, &throttle.because),
        };
        return Some(t::waits_until(l, &app.clock_time(mark.at), &why));
    }
    let What::Delivery { why: Some(why), .. } = &mark.what else { return None };
    let mut words = why.detail.clone();
    if why.ambiguous {
        words.push_str(&format!(" ({})", t::ambiguous(l)));
    }
    if why.permanent {
        words.push_str(&format!(" ({})", t::permanent(l)));
    }
    Some(words)
}
