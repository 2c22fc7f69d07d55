//! Figures as elements: histograms, bars, a week of hours, hatched gaps; each with its numbers in words beside it.

use super::table::{Column, csv, num, row_head, table, text};
use crate::{
    format::{civil::Civil, grouped},
    markup::Node,
    shifts::span,
    text::{analytics as t, calendar},
};
use shared::{
    Timestamp,
    api::{Analytics, Coverage, Distribution, HourOfWeek, PersonPages},
    config::Language,
    text::span as length_of,
};

/// What the drawings need to know beside the figures.
pub(super) struct Look<'a> {
    pub(super) l: Language,
    pub(super) figures: &'a Analytics,
    /// The same question, for a table: its name is put behind.
    pub(super) csv: String,
    pub(super) wall: &'a dyn Fn(i64) -> Civil,
    /// The week shows answers instead of pages.
    pub(super) answers: bool,
}

/// A titled box with what it shows in a sentence, and its numbers to take away.
pub(super) fn card(look: &Look<'_>, title: String, says: String, tables: &[(&str, String)]) -> Node {
    let links = tables.iter().map(|(name, what)| csv(look, name, what)).collect();
    let head = Node::new("div", "card-head").with(Node::of("h2", "", title));
    Node::new("section", "card").with(head.with(Node::new("span", "csvs").all(links))).with(Node::of("p", "hint", says))
}

/// Few letters, for below a bar: `30s`, `2m`, `4h`, `1d`.
fn short(l: Language, ms: i64) -> String {
    let s = ms / 1_000;
    let (n, en, zh) = match s {
        0..60 => (s, "s", "秒"),
        60..3_600 => (s / 60, "m", "分"),
        3_600..86_400 => (s / 3_600, "h", "时"),
        _ => (s / 86_400, "d", "天"),
    };
    format!("{n}{}", if l == Language::Zh { zh } else { en })
}

fn share(part: u32, whole: u32) -> f64 {
    f64::from(part) / f64::from(whole.max(1)) * 100.0
}

/// How long something took: bars, marks of the percentiles, a sentence, and the table by severity.
pub(super) fn distribution(look: &Look<'_>, of: &Distribution, name: (&str, String, String)) -> Node {
    let l = look.l;
    let (table_name, title, says) = name;
    let card = card(look, title.clone(), says, &[(table_name, title.clone())]);
    let Some(all) = of.rows.first() else { return card };
    let length = |ms: Option<i64>| ms.map_or_else(|| "–".to_owned(), |ms| length_of(l, ms));
    let sentence = if all.done == 0 {
        t::none_done(l)
    } else {
        t::within(l, &length(all.p50_ms), &length(all.p90_ms), &length(all.p99_ms))
    };
    let has_never = of.rows.iter().any(|row| row.never > 0);
    let waiting = t::still_open(l, &grouped(all.waiting.into()));
    let rest =
        if has_never { format!("{} {waiting}", t::over_without(l, &grouped(all.never.into()))) } else { waiting };
    let most = all.counts.iter().copied().max().unwrap_or(0);
    let label = |place: usize| of.bounds_ms.get(place).map_or_else(|| "+".to_owned(), |ms| short(l, *ms));
    let bars = all.counts.iter().enumerate().map(|(place, count)| {
        let bar = Node::new("i", "").style("height", format!("{:.2}%", share(*count, most)));
        Node::new("div", "hist-column").with(Node::new("div", "hist-room").with(bar)).with(Node::of(
            "small",
            "",
            label(place),
        ))
    });
    let marks = [("m50", "50%", all.p50_ms), ("m90", "90%", all.p90_ms), ("m99", "99%", all.p99_ms)];
    let marks = marks.into_iter().filter_map(|(class, word, ms)| {
        let left = place_of(&of.bounds_ms, ms?);
        Some(
            Node::new("b", &format!("hist-mark {class}"))
                .style("left", format!("{left:.2}%"))
                .with(Node::of("span", "", word)),
        )
    });
    let drawing = Node::new("div", "hist").set("aria-hidden", "true").all(bars.collect()).all(marks.collect());
    let rows = of.rows.iter().map(|row| {
        let who = row.severity.map_or_else(|| t::all(l), |it| it.to_string());
        let mut cells = vec![row_head(who), num(row.done), num(row.waiting)];
        if has_never {
            cells.push(num(row.never));
        }
        cells.extend([row.p50_ms, row.p90_ms, row.p99_ms].map(|ms| text(length(ms))));
        cells
    });
    let percent = |p| Column::number(format!("{p} %"));
    let mut columns = vec![Column::text(t::severity(l)), Column::number(t::done(l)), Column::number(t::waiting(l))];
    columns.extend(has_never.then(|| Column::number(t::never(l))));
    columns.extend(["50", "90", "99"].map(percent));
    let counts = all.counts.iter().enumerate().map(|(place, count)| {
        let what = of.bounds_ms.get(place).map_or_else(|| t::longer(l), |ms| t::up_to(l, &length_of(l, *ms)));
        vec![row_head(what), num(*count)]
    });
    let counts = table(&title, &[Column::text(t::took(l)), Column::number(t::incidents(l))], counts.collect());
    card.with(drawing)
        .with(Node::of("p", "", format!("{sentence} {rest}")))
        .with(table(&title, &columns, rows.collect()))
        .with(Node::new("details", "").with(Node::of("summary", "", t::numbers(l))).with(counts))
}

/// Where a length stands among buckets of equal width, in percent.
fn place_of(bounds_ms: &[i64], ms: i64) -> f64 {
    let place = bounds_ms.partition_point(|bound| *bound < ms);
    let low = place.checked_sub(1).and_then(|place| bounds_ms.get(place)).copied().unwrap_or(0);
    let within = bounds_ms.get(place).map_or(0.5, |high| (ms - low) as f64 / (high - low).max(1) as f64);
    (place as f64 + within) / (bounds_ms.len() + 1) as f64 * 100.0
}

/// A row a person: numbers, and a bar a day with the night's part darker.
pub(super) fn people(look: &Look<'_>) -> Node {
    let l = look.l;
    let of = look.figures;
    let card = card(look, t::people(l), t::people_is(l), &[("people", t::people(l))]);
    if of.people.is_empty() {
        return card.with(Node::of("p", "muted", t::nobody_paged(l)));
    }
    let most = of.people.iter().flat_map(|it| &it.days).map(|day| day.pages).max().unwrap_or(1);
    let columns = [
        Column::text(t::person(l)),
        Column::number(t::pages(l)),
        Column::number(t::night(l)),
        Column::number(t::weekend(l)),
        Column::number(t::nights(l)),
        Column::text(t::by_day(l)),
    ];
    let row = |person: &PersonPages| {
        vec![
            row_head(person.name.clone()),
            num(person.pages),
            num(person.night),
            num(person.weekend),
            num(person.nights),
            Node::new("td", "by-day").with(days(look, person, most)),
        ]
    };
    card.with(table(&t::people(l), &columns, of.people.iter().map(row).collect()))
}

fn days(look: &Look<'_>, person: &PersonPages, most: u32) -> Node {
    let width = 100.0 / look.figures.days.len().max(1) as f64;
    let bars = person.days.iter().map(|day| {
        let night = Node::new("i", "").style("height", format!("{:.2}%", share(day.night, day.pages)));
        Node::new("b", "")
            .across(f64::from(day.day) * width, width)
            .style("height", format!("{:.2}%", share(day.pages, most)))
            .with(night)
    });
    // Of equal days the earlier one.
    let busiest = person.days.iter().rev().max_by_key(|day| day.pages);
    let words = busiest.and_then(|day| {
        let date = look.figures.days.get(usize::try_from(day.day).ok()?)?;
        let date = Civil::parse(&format!("{date} 00:00"))?.date(look.l);
        Some(t::busiest(look.l, &date, &t::of_pages(look.l, day.pages), day.night))
    });
    let words = words.unwrap_or_default();
    Node::new("div", "day-bars").set("role", "img").set("aria-label", &*words).set("title", words).all(bars.collect())
}

/// The week as a table of hours: the more it rings, or the longer an answer takes, the darker.
pub(super) fn week(look: &Look<'_>) -> Node {
    let l = look.l;
    let of = look.figures;
    let card = card(look, t::hours(l), t::hours_is(l, &of.time_zone), &[("hours", t::hours(l))]);
    let switch = |n: usize, name: String, chosen: bool| {
        Node::button("", "week", n, name).set("aria-pressed", chosen.to_string())
    };
    let switch = Node::new("div", "segments")
        .set("role", "group")
        .set("aria-label", t::hours(l))
        .with(switch(0, t::pages(l), !look.answers))
        .with(switch(1, t::median(l), look.answers));
    let weight = |hour: &HourOfWeek| if look.answers { hour.ack_ms.unwrap_or(0) } else { i64::from(hour.pages) };
    let most = of.hours.iter().map(weight).max().unwrap_or(0);
    let names: Vec<&'static str> = (0..7).map(weekday(l)).collect();
    let cell = |day: usize, hour: usize| {
        let Some(it) = of.hours.get(day * 24 + hour) else { return Node::new("td", "") };
        // Five steps; only nothing is white.
        let heat = if weight(it) == 0 { 0 } else { 1 + weight(it) * 3 / most.max(1) };
        let words = match (look.answers, it.ack_ms) {
            (true, Some(ms)) => short(l, ms),
            (false, _) if it.pages > 0 => it.pages.to_string(),
            _ => String::new(),
        };
        let took = it.ack_ms.map_or_else(|| t::no_answer(l), |ms| length_of(l, ms));
        let when = format!("{} {hour:02}:00", names.get(day).copied().unwrap_or_default());
        let title = t::hour_says(l, &when, &t::of_pages(l, it.pages), &t::of_incidents(l, it.incidents), &took);
        Node::of("td", &format!("heat{heat}"), words).set("title", title)
    };
    let head = Node::new("tr", "").with(Node::of("th", "", t::hour(l)).set("scope", "col"));
    let head = head.all(names.iter().map(|name| Node::of("th", "", *name).set("scope", "col")).collect());
    let rows = (0..24).map(|hour| {
        let name = Node::of("th", "", format!("{hour:02}")).set("scope", "row");
        Node::new("tr", "").with(name).all((0..7).map(|day| cell(day, hour)).collect())
    });
    let week = Node::new("table", "week")
        .with(Node::new("thead", "").with(head))
        .with(Node::new("tbody", "").all(rows.collect()));
    card.with(switch).with(week)
}

/// The names of the days from Monday on: the first Monday of 1970 was the fifth of January.
fn weekday(l: Language) -> impl Fn(i64) -> &'static str {
    move |day| Civil::from_ms((4 + day) * 86_400_000).weekday_name(l)
}

/// A schedule: a strip with its gaps hatched, the gaps in words, and what each person carried.
pub(super) fn coverage(look: &Look<'_>) -> Option<Node> {
    let l = look.l;
    if look.figures.schedules.is_empty() {
        return None;
    }
    let tables = [("gaps", t::gaps_csv(l)), ("load", t::load_csv(l))];
    let card = card(look, t::coverage(l), t::coverage_is(l), &tables);
    Some(card.all(look.figures.schedules.iter().map(|it| schedule(look, it)).collect()))
}

/// Gaps that are told one by one; the rest only counts.
const GAPS: usize = 12;

fn schedule(look: &Look<'_>, of: &Coverage) -> Node {
    let l = look.l;
    let whole = (of.from, of.until);
    let name = Node::new("a", "").set("href", format!("/oncall/{}", crate::api::query::encoded(of.schedule.as_str())));
    let gaps = of.gaps.iter().filter_map(|gap| {
        let place = span(gap.from, gap.until, whole)?;
        Some(Node::new("i", "gap").across(place.left, place.width))
    });
    let strip = Node::new("div", "coverage").set("aria-hidden", "true").all(gaps.collect());
    let together: i64 = of.gaps.iter().map(|gap| gap.until.ms_since(gap.from)).sum();
    let sentence = if of.gaps.is_empty() {
        t::covered(l)
    } else {
        t::gaps(l, &t::of_times(l, of.gaps.len()), &length_of(l, together))
    };
    let moment = |at: Timestamp| (look.wall)(at.ms()).moment(l);
    let told = of.gaps.iter().take(GAPS).map(|gap| {
        let length = length_of(l, gap.until.ms_since(gap.from));
        Node::of("li", "", crate::text::oncall::gap(l, &moment(gap.from), &moment(gap.until), &length))
    });
    let rows = of.load.iter().map(|it| {
        let span = |ms: i64| text(length_of(l, ms));
        let load = &it.load;
        vec![
            row_head(it.name.clone()),
            num(load.shifts),
            span(load.total_ms),
            span(load.night_ms),
            span(load.weekend_ms),
            span(load.holiday_ms),
        ]
    });
    let columns = [
        Column::text(t::person(l)),
        Column::number(t::shifts(l)),
        Column::number(t::on_call(l)),
        Column::number(t::night(l)),
        Column::number(t::weekend(l)),
        Column::number(t::holidays(l)),
    ];
    let load = (!of.load.is_empty()).then(|| table(&calendar::load(l), &columns, rows.collect()));
    Node::new("div", "covered-schedule")
        .with(Node::new("h3", "").with(Node { text: of.name.clone(), ..name }))
        .with(strip)
        .with(Node::of("p", "", sentence))
        .maybe((!of.gaps.is_empty()).then(|| Node::new("ul", "gap-list").all(told.collect())))
        .maybe(load)
}
