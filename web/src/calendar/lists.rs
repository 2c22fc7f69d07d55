//! The same in words: shifts and gaps in order, days with another number of hours, and what each person carries.

use super::{Look, days::Day};
use crate::{
    format::civil::Civil,
    markup::Node,
    order::sorted,
    shifts,
    text::{calendar as t, oncall},
};
use shared::{Timestamp, text::span};

const MINUTE_MS: i64 = 60_000;

/// Shifts and gaps in the order of their beginnings; what is to come can be pressed.
pub(crate) fn agenda(look: &Look<'_>) -> Node {
    let shift = |(n, it): (usize, &shared::api::Shift)| {
        let class = format!("cal-item c{}", shifts::colour(&it.person));
        let cover = match &it.replaces {
            Some(person) => oncall::covers(look.l, &look.name(person)),
            None if it.over => oncall::covering(look.l),
            None => String::new(),
        };
        let you = (look.me == Some(&it.person)).then(|| Node::of("span", "chip call", oncall::you(look.l)));
        let body = Node::new("span", "grow")
            .with(Node::of("strong", "", look.name(&it.person)))
            .maybe(you)
            .with(Node::of("small", "block", look.between(it.from, it.until)))
            .maybe((!cover.is_empty()).then(|| Node::of("small", "block muted", cover)));
        (it.from, item(look, &class, it.until, ("shift", n, t::cover_short(look.l)), body))
    };
    let gap = |(n, it): (usize, &shared::api::Gap)| {
        let length = span(look.l, it.until.ms_since(it.from));
        let body = Node::new("span", "grow")
            .with(Node::of("strong", "bad", t::nobody_was(look.l, &length)))
            .with(Node::of("small", "block", look.between(it.from, it.until)));
        (it.from, item(look, "cal-item none", it.until, ("gap", n, t::fill_short(look.l)), body))
    };
    let all: Vec<(Timestamp, Node)> =
        look.shifts.iter().enumerate().map(shift).chain(look.range.gaps.iter().enumerate().map(gap)).collect();
    let items = sorted(all, |a, b| a.0.cmp(&b.0)).into_iter().map(|(_, node)| node);
    Node::new("ul", "cal-list").set("tabindex", "0").set("aria-label", t::list(look.l)).all(items.collect())
}

fn item(look: &Look<'_>, class: &str, until: Timestamp, (act, n, word): (&str, usize, String), body: Node) -> Node {
    let is_past = until <= look.now;
    let button = (look.may && !is_past).then(|| {
        let spoken = format!("{word}: {}", body_words(&body));
        Node::button("btn small", act, n, word).set("aria-label", spoken)
    });
    let recorded = is_past.then(|| Node::of("small", "muted", t::recorded(look.l)));
    Node::new("li", class).with(body).maybe(recorded).maybe(button)
}

fn body_words(node: &Node) -> String {
    let own = std::iter::once(node.text.clone());
    let parts = own.chain(node.children.iter().map(body_words)).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}

/// A sentence for every day on which the clocks change.
pub(crate) fn clock_words(look: &Look<'_>, days: &[Day]) -> Vec<Node> {
    let sentence = |day: &Day| {
        let jump = day.jump?;
        let hours = day.until.ms_since(day.from) / (60 * MINUTE_MS);
        let date = day.midnight.date(look.l);
        let after = (look.wall)(jump.at.ms());
        // What the wall would have shown without the jump.
        let old = Civil::from_ms(after.to_ms() - jump.by_ms).short_time();
        let after = after.short_time();
        let text = if jump.by_ms > 0 {
            t::skips(look.l, &date, &old, &after, hours)
        } else {
            t::doubles(look.l, &date, &after, &old, hours)
        };
        Some(Node::of("p", "cal-clock", text))
    };
    days.iter().filter_map(sentence).collect()
}

/// Hours, nights, weekends and holidays of each person.
pub(crate) fn load(look: &Look<'_>) -> Node {
    let l = look.l;
    let heads = [t::person(l), t::shifts(l), t::total(l), t::nights(l), t::weekends(l), t::holidays(l)];
    let head =
        |(n, text): (usize, &String)| Node::of("th", if n == 0 { "" } else { "num" }, text.clone()).set("scope", "col");
    let most = look.range.load.iter().map(|it| it.total_ms).max().unwrap_or(1).max(1);
    let rows = sorted(look.range.load.iter().collect(), |a, b| b.total_ms.cmp(&a.total_ms)).into_iter().map(|it| {
        let cell = |n: usize, text: String| Node::of("td", "num", text).set("data-label", &*heads[n]);
        let share = it.total_ms as f64 / most as f64 * 100.0;
        let bar = Node::new("i", &format!("cal-share c{}", shifts::colour(&it.person)))
            .style("width", format!("{share:.1}%"));
        let name = Node::of("th", "", look.name(&it.person))
            .set("scope", "row")
            .with(Node::new("span", "cal-shares").with(bar));
        Node::new("tr", "")
            .with(name)
            .with(cell(1, it.shifts.to_string()))
            .with(cell(2, clock(look, it.total_ms)))
            .with(cell(3, clock(look, it.night_ms)))
            .with(cell(4, clock(look, it.weekend_ms)))
            .with(cell(5, clock(look, it.holiday_ms)))
    });
    let head_row = Node::new("tr", "").all(heads.iter().enumerate().map(head).collect());
    Node::new("table", "table cal-load")
        .with(Node::new("thead", "").with(head_row))
        .with(Node::new("tbody", "").all(rows.collect()))
}

/// Hours and minutes; nothing as a dash, so that what there is stands out.
fn clock(look: &Look<'_>, ms: i64) -> String {
    let minutes = ms / MINUTE_MS;
    if minutes == 0 { "–".to_owned() } else { t::duration(look.l, minutes / 60, minutes % 60) }
}

#[cfg(test)]
mod tests {
    use super::{
        super::days::{
            days,
            tests::{berlin, date},
        },
        *,
    };
    use shared::{
        api::{Gap, PersonLoad, ScheduleRange, Shift},
        config::Language,
    };

    const HOUR_MS: i64 = 60 * MINUTE_MS;

    fn with_look(range: &ScheduleRange, shifts: &[Shift], read: impl Fn(&Look<'_>) -> Vec<String>) -> Vec<String> {
        let range = &super::super::read::tests::read(range);
        let now = range.from.plus_ms(12 * HOUR_MS);
        read(&Look { l: Language::En, range, shifts, now, me: None, may: true, wall: &berlin })
    }

    fn range() -> ScheduleRange {
        let from = Timestamp::from_ms(date("2026-11-16").instant(&berlin));
        super::super::read::tests::nothing(from, from)
    }

    #[test]
    fn the_agenda_is_in_order_and_only_what_is_to_come_is_pressed() {
        let mut range = range();
        let hour = |n: i64| range.from.plus_ms(n * HOUR_MS);
        let shift = |from, until| Shift { person: "li".into(), from, until, over: false, replaces: None };
        let shifts = [shift(hour(0), hour(10)), shift(hour(20), hour(30))];
        let gap = Gap { from: hour(10), until: hour(20) };
        range.gaps = vec![gap];
        let lines = with_look(&range, &shifts, |look| agenda(look).children.iter().map(Node::words).collect());
        assert_eq!(
            lines,
            [
                "Li Wei Mon 16 Nov 00:00 – 10:00 As it happened",
                "Nobody: 10 h 00 Mon 16 Nov 10:00 – 20:00 Fill",
                "Li Wei Mon 16 Nov 20:00 – Tue 17 Nov 06:00 Override",
            ]
        );
    }

    #[test]
    fn the_days_of_the_clock_are_told() {
        let words = |first: &str| {
            with_look(&range(), &[], |look| {
                clock_words(look, &days(&berlin, date(first), 1)).iter().map(Node::words).collect()
            })
        };
        assert_eq!(words("2026-03-29"), ["Sun 29 Mar has 23 hours: the clock goes from 02:00 to 03:00"]);
        assert_eq!(words("2026-10-25"), ["Sun 25 Oct has 25 hours: 02:00 to 03:00 comes twice"]);
        assert!(words("2026-10-26").is_empty());
    }

    #[test]
    fn who_carries_most_stands_first() {
        let mut range = range();
        let load = |person: &str, hours: i64| PersonLoad {
            person: person.into(),
            shifts: 1,
            total_ms: hours * HOUR_MS + 90_000,
            night_ms: 0,
            weekend_ms: 0,
            holiday_ms: 0,
        };
        range.load = vec![load("li", 5), load("ann", 48)];
        let rows = with_look(&range, &[], |look| load_rows(&super::load(look)));
        assert_eq!(rows, ["ann 1 48:01 – – –", "Li Wei 1 5:01 – – –"]);
    }

    fn load_rows(table: &Node) -> Vec<String> {
        table.children[1].children.iter().map(Node::words).collect()
    }
}
