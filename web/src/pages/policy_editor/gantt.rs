//! Lanes of people over time, drawn without inline styles, and the same as a table.

use crate::{
    browser::zone,
    state::App,
    text::{policies as t, words},
};
use leptos::prelude::*;
use shared::{PersonId, Recipient, Timestamp, api::RehearsedDelivery};
use std::collections::BTreeMap;

/// The shortest stretch that is drawn.
const SHORTEST_MS: i64 = 600_000;
/// Marks on the axis.
const TICKS: i64 = 4;
/// Rows of the table.
const ROWS: usize = 60;

pub(crate) fn picture(
    app: App,
    names: &BTreeMap<PersonId, String>,
    start: Timestamp,
    zone_name: &str,
    sent: &[RehearsedDelivery],
) -> AnyView {
    let l = app.l();
    let name = |recipient: &Recipient| words::recipient(names, recipient);
    // Reminders come for ever: the picture ends a little after the last level.
    let last = sent.iter().rfind(|it| !it.reminder).map_or(0, |it| it.at.ms_since(start));
    let length = (last * 5 / 4).max(SHORTEST_MS);
    let lanes = lanes(sent).into_iter().map(|(recipient, own)| {
        let marks = own.into_iter().filter(|it| it.at.ms_since(start) <= length).map(|it| {
            let x = percent(it.at.ms_since(start), length);
            let class = if it.reminder { "gantt-mark reminder" } else { "gantt-mark" };
            let level = (it.level + 1).to_string();
            view! { <circle class=class cx=x.clone() cy="14" r="9"></circle><text class="gantt-level" x=x y="18" text-anchor="middle">{level}</text> }
        });
        view! {
            <div class="gantt-lane">
                <span class="gantt-name">{name(recipient)}</span>
                <svg width="100%" height="28" focusable="false"><line class="gantt-line" x1="0" x2="100%" y1="14" y2="14"></line>{marks.collect_view()}</svg>
            </div>
        }
    });
    let ticks = (0..=TICKS).map(|n| {
        let after = length * n / TICKS;
        let anchor = if n == 0 {
            "start"
        } else if n == TICKS {
            "end"
        } else {
            "middle"
        };
        let (x, words) = (format!("{}%", n * 100 / TICKS), zone::civil(zone_name, start.ms() + after).short_time());
        view! { <text class="gantt-tick" x=x y="12" text-anchor=anchor>{words}</text> }
    });
    view! {
        <div class="gantt" role="img" aria-label=t::picture(l, sent.len()) data-testid="gantt">
            {lanes.collect_view()}
            <div class="gantt-lane"><span class="gantt-name"></span><svg width="100%" height="16" focusable="false">{ticks.collect_view()}</svg></div>
        </div>
        {table(app, names, start, zone_name, sent)}
    }
    .into_any()
}

fn table(
    app: App,
    names: &BTreeMap<PersonId, String>,
    start: Timestamp,
    zone_name: &str,
    sent: &[RehearsedDelivery],
) -> impl IntoView + use<> {
    let l = app.l();
    let rows = sent.iter().take(ROWS).map(|it| {
        let when = zone::civil(zone_name, it.at.ms()).short_time();
        let after = shared::text::span(l, it.at.ms_since(start));
        let how = format!("{} ({})", it.contact, words::channel(l, it.channel));
        let level = if it.reminder { t::reminder(l) } else { (it.level + 1).to_string() };
        view! {
            <tr><td>{when}</td><td>{after}</td><td>{words::recipient(names, &it.recipient)}</td><td>{how}</td><td>{level}</td></tr>
        }
    });
    view! {
        <details data-testid="gantt-table">
            <summary>{t::table(l)}</summary>
            <div class="wide-table" tabindex="0" role="region" aria-label=t::table(l)>
                <table>
                    <thead><tr><th>{t::when(l)}</th><th>{t::after(l)}</th><th>{t::who(l)}</th><th>{t::how(l)}</th><th>{t::level(l)}</th></tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </div>
        </details>
    }
}

/// Each recipient's deliveries, whoever is paged first on top.
fn lanes(sent: &[RehearsedDelivery]) -> Vec<(&Recipient, Vec<&RehearsedDelivery>)> {
    let mut lanes: Vec<(&Recipient, Vec<&RehearsedDelivery>)> = Vec::new();
    for it in sent {
        match lanes.iter_mut().find(|(recipient, _)| *recipient == &it.recipient) {
            Some((_, own)) => own.push(it),
            None => lanes.push((&it.recipient, vec![it])),
        }
    }
    lanes
}

/// A place between 3 % and 97 %, so that a mark at either end is whole.
fn percent(after_ms: i64, length_ms: i64) -> String {
    let tenths = 30 + after_ms.clamp(0, length_ms) * 940 / length_ms.max(1);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{IncidentId, PageVia, Severity, config::ContactKind};

    fn attempted(at: i64, who: &str) -> RehearsedDelivery {
        RehearsedDelivery {
            at: Timestamp::from_ms(at),
            incident: IncidentId(1),
            severity: Severity::P1,
            recipient: Recipient::Person(who.into()),
            via: PageVia::Direct,
            contact: "push".into(),
            channel: ContactKind::Ntfy,
            policy: "p".into(),
            level: 0,
            cycle: 0,
            first: true,
            reminder: false,
        }
    }

    #[test]
    fn whoever_is_paged_first_stands_on_top_and_marks_stay_inside() {
        let sent = [attempted(0, "li"), attempted(5, "wang"), attempted(9, "li")];
        let lanes = lanes(&sent);
        assert_eq!(lanes.iter().map(|(_, own)| own.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(lanes[0].0, &Recipient::Person("li".into()));
        assert_eq!(
            (percent(0, 100), percent(100, 100), percent(50, 0)),
            ("3.0%".into(), "97.0%".into(), "3.0%".into())
        );
    }
}
