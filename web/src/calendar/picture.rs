//! A strip of days as elements: the days, a row a layer, overrides, temporary schedules, and who is on call in the end.

use super::{
    Look,
    days::{Day, Jump},
    pieces::pieces,
    read::Layer,
};
use crate::{
    markup::Node,
    shifts::{self, Bar, Span, span},
    text::calendar as t,
};
use shared::{
    Timestamp,
    api::{Gap, Shift},
    text::span as length_of,
};

const HOUR_MS: i64 = 3_600_000;
/// Pixels of a lane of the final row, which is the one that counts, and of the others.
const LANES: (usize, usize) = (44, 26);

/// One strip; `number` comes back from a drag over its final row.
pub(crate) fn strip(look: &Look<'_>, days: &[Day], number: usize) -> Node {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Node::new("div", "cal-strip") };
    let whole = (first.from, last.until);
    let spans: Vec<Shift> = look
        .range
        .overrides
        .iter()
        .map(|it| Shift {
            person: it.person.clone(),
            from: it.from,
            until: it.until,
            over: true,
            replaces: it.replaces.clone(),
        })
        .collect();
    let covers = row("over", &t::overrides(look.l), &bars_of(&spans, whole), LANES.1, |bar, n| {
        let text = look.name(&bar.shift.person);
        button(look, bar, "override", n).with(Node::of("span", "", text))
    });
    let temporary: Vec<Node> = look
        .range
        .temporary
        .iter()
        .filter_map(|it| {
            let place = span(it.from, it.until, whole)?;
            let text = it.note.clone().unwrap_or_else(|| look.between(it.from, it.until));
            Some(Node::of("span", "bar plain", text).across(place.left, place.width).style("top", "2px".to_owned()))
        })
        .collect();
    let temporary =
        (!temporary.is_empty()).then(|| bare_row("temporary", &t::temporary(look.l), 1, LANES.1).all_in(temporary));
    Node::new("div", "cal-strip")
        .with(ground(look, days, whole))
        .with(heads(look, days, whole))
        .all(look.range.layers.iter().map(|layer| layer_row(look, layer, whole)).collect())
        .with(covers)
        .maybe(temporary)
        .with(final_row(look, whole, number))
}

/// Bars with the place of their shift among all.
fn bars_of(shifts: &[Shift], whole: (Timestamp, Timestamp)) -> Vec<(Bar, usize)> {
    let numbers = shifts.iter().enumerate().filter(|(_, it)| span(it.from, it.until, whole).is_some()).map(|(n, _)| n);
    shifts::bars(shifts, whole).into_iter().zip(numbers).collect()
}

fn bare_row(class: &str, label: &str, lanes: usize, height: usize) -> Node {
    let track = Node::new("div", "cal-track").style("height", format!("{}px", lanes.max(1) * height + 4));
    Node::new("div", &format!("cal-row {class}"))
        .set("role", "group")
        .set("aria-label", label)
        .with(Node::of("div", "cal-label", label))
        .with(track)
}

impl Node {
    /// Into the track of a row.
    fn all_in(mut self, bars: Vec<Self>) -> Self {
        if let Some(track) = self.children.last_mut() {
            track.children.extend(bars);
        }
        self
    }
}

fn row(class: &str, label: &str, bars: &[(Bar, usize)], height: usize, draw: impl Fn(&Bar, usize) -> Node) -> Node {
    let lanes = bars.iter().map(|(bar, _)| bar.row + 1).max().unwrap_or(1);
    let drawn = bars.iter().map(|(bar, n)| {
        draw(bar, *n)
            .across(bar.span.left, bar.span.width)
            .style("top", format!("{}px", bar.row * height + 2))
            .style("height", format!("{}px", height - 2))
    });
    bare_row(class, label, lanes, height).all_in(drawn.collect())
}

fn class_of(look: &Look<'_>, shift: &Shift) -> String {
    let mine = if look.me == Some(&shift.person) { " mine" } else { "" };
    let over = if shift.over { " over" } else { "" };
    format!("bar c{}{mine}{over}", shifts::colour(&shift.person))
}

/// A bar that can be pressed while it is not all past, and says the whole sentence.
fn button(look: &Look<'_>, bar: &Bar, act: &str, n: usize) -> Node {
    let (class, sentence) = (class_of(look, &bar.shift), look.sentence(&bar.shift));
    let node = if look.may && bar.shift.until > look.now {
        Node::button(&class, act, n, "").set("aria-label", &*sentence)
    } else {
        Node::new("span", &class)
    };
    node.set("title", sentence)
}

fn layer_row(look: &Look<'_>, layer: &Layer, whole: (Timestamp, Timestamp)) -> Node {
    let label = layer.layer.as_ref().map_or_else(|| t::rotation(look.l), |id| t::layer(look.l, id.as_str()));
    row("layer", &label, &bars_of(&pieces(&layer.stretches), whole), LANES.1, |bar, _| {
        Node::new("span", &class_of(look, &bar.shift))
            .with(Node::of("span", "", look.name(&bar.shift.person)))
            .set("title", look.sentence(&bar.shift))
    })
}

fn final_row(look: &Look<'_>, whole: (Timestamp, Timestamp), number: usize) -> Node {
    let drawn = row("final", &t::final_row(look.l), &bars_of(look.shifts, whole), LANES.0, |bar, n| {
        let shift = &bar.shift;
        let times = Node::of("small", "", short(look, shift));
        button(look, bar, "shift", n).with(Node::of("span", "", look.name(&shift.person))).with(times)
    });
    let gaps = look.range.gaps.iter().enumerate();
    let gaps = gaps.filter_map(|(n, it)| Some(gap(look, it, n, span(it.from, it.until, whole)?)));
    let mut drawn = drawn.all_in(gaps.collect());
    if let Some(track) = drawn.children.last_mut() {
        track.attributes.push(("data-strip", number.to_string()));
    }
    drawn
}

/// `20:00 – 08:00`; the days too when it is longer than one, as its ends may stand on other strips.
fn short(look: &Look<'_>, shift: &Shift) -> String {
    if shift.until.ms_since(shift.from) > 24 * HOUR_MS {
        return look.between(shift.from, shift.until);
    }
    let clock = |at: Timestamp| (look.wall)(at.ms()).short_time();
    format!("{} – {}", clock(shift.from), clock(shift.until))
}

fn gap(look: &Look<'_>, gap: &Gap, n: usize, place: Span) -> Node {
    let length = length_of(look.l, gap.until.ms_since(gap.from));
    let sentence = crate::text::oncall::gap(look.l, &look.moment(gap.from), &look.moment(gap.until), &length);
    let node = if look.may && gap.until > look.now {
        let text = t::fill(look.l, &length);
        Node::button("gap", "gap", n, "")
            .set("aria-label", format!("{sentence}. {text}"))
            .with(Node::of("span", "", text))
    } else {
        Node::new("span", "gap").with(Node::of("span", "", t::nobody_was(look.l, &length)))
    };
    node.set("title", sentence).across(place.left, place.width)
}

/// The days above the rows; of a single day, its hours.
fn heads(look: &Look<'_>, days: &[Day], whole: (Timestamp, Timestamp)) -> Node {
    let place = |from, until| span(from, until, whole).map_or((0.0, 0.0), |it| (it.left, it.width));
    let day = |day: &Day| {
        let (left, width) = place(day.from, day.until);
        let today = (day.from..day.until).contains(&look.now);
        let class = if today { "cal-day today" } else { "cal-day" };
        let hours = day.jump.map(|_| Node::of("em", "", t::hours(look.l, day.until.ms_since(day.from) / HOUR_MS)));
        Node::new("span", class)
            .across(left, width)
            .with(Node::of("b", "", day.midnight.day.to_string()))
            .with(Node::of("small", "", day.midnight.weekday_name(look.l)))
            .maybe(hours)
    };
    let marks = match days {
        [one] => hours(look, one)
            .iter()
            .map(|(text, at)| Node::of("span", "cal-hour", text.clone()).across(place(*at, one.until).0, 100.0 / 8.0))
            .collect(),
        all => all.iter().map(day).collect(),
    };
    Node::new("div", "cal-row head")
        .with(Node::new("div", "cal-label"))
        .with(Node::new("div", "cal-track").set("aria-hidden", "true").all(marks))
}

/// Every third hour of the wall.
fn hours(look: &Look<'_>, day: &Day) -> Vec<(String, Timestamp)> {
    let hour = |hour: u32| {
        let at = crate::format::civil::Civil { hour, ..day.midnight }.instant(look.wall);
        (format!("{hour:02}"), Timestamp::from_ms(at))
    };
    (0..24).step_by(3).map(hour).collect()
}

/// What lies behind the rows: weekends, holidays, the past, the hours that are missing or come twice, and now.
fn ground(look: &Look<'_>, days: &[Day], whole: (Timestamp, Timestamp)) -> Node {
    let block =
        |class: &str, from, until| span(from, until, whole).map(|it| Node::new("i", class).across(it.left, it.width));
    let mut blocks: Vec<Option<Node>> = days
        .iter()
        .map(|day| block(if day.is_weekend() { "cal-line weekend" } else { "cal-line" }, day.from, day.until))
        .collect();
    if let [day] = days {
        blocks.extend(hours(look, day).iter().map(|(_, at)| block("cal-line", *at, day.until)));
    }
    blocks.extend(look.range.holidays.iter().map(|it| block("cal-holiday", it.from, it.until)));
    blocks.push(block("cal-past", look.range.from, look.range.recorded_until.min(look.now)));
    let jumps = days.iter().filter_map(|day| day.jump);
    blocks.extend(jumps.map(|Jump { at, by_ms }| {
        // A missing hour has no width; one that comes twice is drawn as the two hours it is.
        if by_ms > 0 {
            block("cal-missing", at, at.plus_ms(1))
        } else {
            block("cal-doubled", at.plus_ms(by_ms), at.plus_ms(-by_ms))
        }
    }));
    blocks.push(block("cal-now", look.now, look.now.plus_ms(1)));
    Node::new("div", "cal-ground").set("aria-hidden", "true").all(blocks.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::{
        super::days::{
            days,
            tests::{berlin, date},
        },
        super::read::tests::{nothing, read},
        *,
    };
    use shared::{api::ScheduleRange, config::Language};

    fn drawn(first: &str, count: i64, may: bool, change: impl FnOnce(&mut ScheduleRange, &mut Vec<Shift>)) -> Node {
        let days = days(&berlin, date(first), count);
        let mut range = nothing(days[0].from, days[days.len() - 1].until);
        let mut shifts = Vec::new();
        change(&mut range, &mut shifts);
        let range = read(&range);
        let look = Look {
            l: Language::En,
            range: &range,
            shifts: &shifts,
            now: range.from.plus_ms(12 * HOUR_MS),
            me: Some(&"li".into()),
            may,
            wall: &berlin,
        };
        strip(&look, &days, 0)
    }

    fn shift(from: Timestamp, until: Timestamp) -> Shift {
        Shift { person: "li".into(), from, until, over: false, replaces: None }
    }

    #[test]
    fn a_gap_says_its_length_and_can_be_filled_until_it_is_past() {
        let with_gaps = |may| {
            drawn("2026-11-16", 7, may, |range, _| {
                let past = Gap { from: range.from, until: range.from.plus_ms(6 * HOUR_MS) };
                let ahead = Gap { from: range.from.plus_ms(30 * HOUR_MS), until: range.from.plus_ms(38 * HOUR_MS) };
                range.gaps = vec![past, ahead];
            })
        };
        let gaps = with_gaps(true);
        let gaps = gaps.find("gap");
        assert_eq!((gaps[0].tag, gaps[0].words().as_str()), ("span", "Nobody: 6 h 00"));
        assert_eq!((gaps[1].tag, gaps[1].words().as_str()), ("button", "Fill 8 h 00"));
        assert!(gaps[1].attribute("aria-label").unwrap().starts_with("Gap: nobody from Tue 17 Nov 06:00"));
        assert!(with_gaps(false).find("gap").iter().all(|gap| gap.tag == "span"), "a viewer fills nothing");
    }

    #[test]
    fn an_own_shift_is_outlined_and_a_past_one_is_not_pressed() {
        let strip = drawn("2026-11-16", 7, true, |range, shifts| {
            let hour = |n: i64| range.from.plus_ms(n * HOUR_MS);
            shifts.extend([shift(hour(0), hour(12)), shift(hour(12), hour(48))]);
        });
        let bars = strip.find("mine");
        assert_eq!(bars.iter().map(|bar| bar.tag).collect::<Vec<_>>(), ["span", "button"]);
        assert_eq!(bars[1].attribute("aria-label"), Some("Li Wei: Mon 16 Nov 12:00 – Wed 18 Nov 00:00"));
    }

    #[test]
    fn the_day_the_clocks_change_is_drawn_to_scale() {
        let autumn = drawn("2026-10-19", 7, true, |_, _| {});
        let heads = autumn.find("cal-day");
        let width = |n: usize| heads[n].styles.iter().find(|(name, _)| *name == "width").unwrap().1.clone();
        assert_eq!((width(0), width(6)), ("14.201%".to_owned(), "14.793%".to_owned()), "24 and 25 of 169 hours");
        assert_eq!(heads[6].words(), "25 Sun 25 h");
        assert_eq!(autumn.find("cal-doubled").len(), 1);
        let spring = drawn("2026-03-29", 1, true, |_, _| {});
        assert_eq!((spring.find("cal-missing").len(), spring.find("cal-hour").len()), (1, 8));
    }

    #[test]
    fn the_final_row_is_always_there_and_says_which_strip_it_is() {
        let strip = drawn("2026-11-16", 7, true, |_, _| {});
        assert_eq!(strip.find("final")[0].children[1].attribute("data-strip"), Some("0"));
    }
}
