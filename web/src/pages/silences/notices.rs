//! Who was told of a silence, how it went, and what a maintenance's digests said.

use crate::{components::page::card, state::App, text::silences as t};
use leptos::prelude::*;
use shared::{AttemptState, Notice, NoticeAbout, Silence, SilenceKind, Untold, text::digest_sums};

/// Shown when there is something to say; `owner` is the person whoever made it is.
pub(super) fn told(app: App, silence: &Silence, owner: Option<&str>) -> Option<AnyView> {
    let l = app.l();
    let mut lines: Vec<String> = Vec::new();
    if silence.ended.is_none() {
        match (owner, silence.remind_at) {
            (Some(owner), Some(at)) => lines.push(t::reminder_at(l, owner, &app.clock_time(at))),
            (None, at) if at.is_some() || silence.kind == SilenceKind::Maintenance => {
                lines.push(t::no_owner(l, &silence.made_by()));
            }
            _ => {}
        }
    }
    let digests = silence.digests.iter().rev();
    lines.extend(digests.map(|it| t::digest_at(l, &app.clock_time(it.at), &digest_sums(l, it))));
    if lines.is_empty() && silence.notices.is_empty() {
        return None;
    }
    let lines = lines.into_iter().map(|line| view! { <p>{line}</p> }).collect_view();
    let rows = silence.notices.iter().rev().map(|notice| view! { <li>{row(app, silence, notice)}</li> }).collect_view();
    Some(card(
        t::told_title(l),
        view! { <div data-testid="told">{lines}<ul class="silence-told">{rows}</ul></div> }.into_any(),
    ))
}

fn row(app: App, silence: &Silence, notice: &Notice) -> String {
    let l = app.l();
    let who = notice.person.as_ref().map_or_else(|| silence.made_by(), |person| person.to_string());
    let about = match notice.about {
        NoticeAbout::EndsSoon { .. } => t::told_soon(l),
        NoticeAbout::Over { .. } => t::told_over(l),
    };
    let (by, how) = match (&notice.sending, &notice.untold) {
        (Some(sending), _) => {
            let failure = sending.failure.as_ref().map(|failure| failure.detail.as_str()).unwrap_or_default();
            let how = match sending.state {
                AttemptState::Planned | AttemptState::Retrying => t::told_waits(l, &app.clock_time(sending.due)),
                AttemptState::Sending => t::told_sending(l),
                AttemptState::Accepted => {
                    t::told_accepted(l, &app.clock_time(sending.finished_at.unwrap_or(sending.due)))
                }
                AttemptState::Failed => t::told_failed(l, failure),
                AttemptState::Cancelled => t::told_cancelled(l),
            };
            (format!(" ({})", sending.contact), how)
        }
        (None, Some(Untold::Rests { until })) => (String::new(), t::untold_rests(l, &app.clock_time(*until))),
        (None, Some(Untold::NoContact)) => (String::new(), t::untold_contact(l)),
        (None, _) => (String::new(), t::untold_person(l)),
    };
    format!("{} · {who}{by} · {about} · {how}", app.clock_time(notice.at))
}
