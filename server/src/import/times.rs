//! Time intervals become time windows.

use super::{
    Differences,
    alertmanager::{File, Interval, Span},
    write::{Ids, Writer},
};
use engine::window::Window;
use shared::{
    WindowId,
    config::{TimeSpan, TimeWindow},
};
use std::collections::BTreeMap;
use toml::Value;

/// Which windows stand for an interval: one a time zone.
pub(super) type Times = BTreeMap<String, Vec<String>>;

/// A year that has passed: for what matches nothing.
const NEVER: &str = "1970";

/// # Errors
/// When an interval is one that Alertmanager would not start with.
pub(super) fn translate(file: &File, toml: &mut Writer, differences: &mut Differences) -> Result<Times, String> {
    let mut times = Times::new();
    let mut ids = Ids::default();
    for (key, list) in [("time_intervals", &file.time_intervals), ("mute_time_intervals", &file.mute_time_intervals)] {
        for (i, interval) in list.iter().enumerate() {
            let place = format!("{key}[{i}]");
            let windows = windows(interval, &place, &mut ids)?;
            for window in &windows {
                write(window, interval, toml);
            }
            let names: Vec<String> = windows.into_iter().map(|window| window.id.to_string()).collect();
            if names.len() > 1 {
                let what =
                    format!("its times are in several zones, so it became the time windows {}", names.join(", "));
                differences.add(&place, what);
            }
            if times.insert(interval.name.clone(), names).is_some() {
                return Err(format!("{place}: there are two time intervals called `{}`", interval.name));
            }
        }
    }
    Ok(times)
}

fn windows(interval: &Interval, place: &str, ids: &mut Ids) -> Result<Vec<TimeWindow>, String> {
    let mut by_zone: BTreeMap<&str, Vec<TimeSpan>> = BTreeMap::new();
    for (i, span) in interval.time_intervals.iter().enumerate() {
        let zone = span.location.as_deref().unwrap_or("UTC");
        by_zone.entry(zone).or_default().extend(spans(span, &format!("{place}.time_intervals[{i}]"))?);
    }
    if by_zone.is_empty() {
        by_zone.insert("UTC", Vec::new());
    }
    let window = |(zone, mut windows): (&str, Vec<TimeSpan>)| {
        if windows.is_empty() {
            windows.push(TimeSpan { years: vec![NEVER.to_owned()], ..TimeSpan::default() });
        }
        let id = WindowId::from(ids.name(&interval.name, "times"));
        let window = TimeWindow { id, time_zone: zone.to_owned(), windows };
        match Window::compile(&window) {
            Ok(_) => Ok(window),
            Err((field, error)) => Err(format!("{place} ({}): {field}: {error}", interval.name)),
        }
    };
    by_zone.into_iter().map(window).collect()
}

/// The same times as ours, one for each part of the day; none for one that can never match.
fn spans(span: &Span, place: &str) -> Result<Vec<TimeSpan>, String> {
    let lists = [&span.weekdays, &span.days_of_month, &span.months, &span.years];
    if lists.into_iter().any(|list| list.as_ref().is_some_and(Vec::is_empty)) {
        return Ok(Vec::new());
    }
    let ranges = |list: &Option<Vec<String>>| -> Vec<String> {
        list.iter().flatten().map(|text| text.to_lowercase().replace(':', "..")).collect()
    };
    let day = |list: &Option<Vec<String>>| -> Vec<String> {
        let short = |name: &str| name.get(..3).unwrap_or(name).to_owned();
        let both = |range: String| range.split("..").map(short).collect::<Vec<_>>().join("..");
        ranges(list).into_iter().map(both).collect()
    };
    let whole = TimeSpan {
        days: day(&span.weekdays),
        dates: ranges(&span.days_of_month),
        months: day(&span.months),
        years: ranges(&span.years),
        from: None,
        until: None,
    };
    let Some(times) = &span.times else { return Ok(vec![whole]) };
    let part = |(i, times): (usize, &super::alertmanager::Times)| {
        let (from, until) = (times.start_time.as_str(), times.end_time.as_str());
        // Both are two digits and two digits, so their order as texts is their order in time.
        if from.len() != 5 || until.len() != 5 || from >= until || until > "24:00" {
            return Err(format!("{place}.times[{i}]: `{from}` to `{until}` is not a part of a day"));
        }
        let until = if until == "24:00" { "00:00" } else { until };
        Ok(TimeSpan { from: Some(from.to_owned()), until: Some(until.to_owned()), ..whole.clone() })
    };
    times.iter().enumerate().map(part).collect()
}

fn write(window: &TimeWindow, interval: &Interval, toml: &mut Writer) {
    if window.windows.iter().any(|span| span.years == [NEVER]) {
        toml.comment("Matched nothing in Alertmanager either.");
    }
    if window.id.as_str() != interval.name {
        toml.comment(&format!("Time interval {:?}.", interval.name));
    }
    toml.item("time_windows");
    toml.key("id", window.id.as_str());
    toml.key("time_zone", window.time_zone.as_str());
    let spans: Vec<String> = window.windows.iter().map(inline).collect();
    match spans.as_slice() {
        [one] => toml.raw("windows", &format!("[{one}]")),
        more => toml.raw("windows", &format!("[\n    {},\n]", more.join(",\n    "))),
    }
    toml.gap();
}

/// `{ days = ["mon..fri"], from = "09:00", until = "18:00" }`.
fn inline(span: &TimeSpan) -> String {
    let lists = [("days", &span.days), ("dates", &span.dates), ("months", &span.months), ("years", &span.years)];
    let list = |(key, texts): (&str, &Vec<String>)| {
        let texts: Vec<String> = texts.iter().map(|text| Value::from(text.as_str()).to_string()).collect();
        format!("{key} = [{}]", texts.join(", "))
    };
    let mut keys: Vec<String> = lists.into_iter().filter(|(_, texts)| !texts.is_empty()).map(list).collect();
    for (key, time) in [("from", &span.from), ("until", &span.until)] {
        keys.extend(time.iter().map(|time| format!("{key} = {}", Value::from(time.as_str()))));
    }
    if keys.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", keys.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::super::alertmanager::read;
    use super::*;

    #[test]
    fn intervals_keep_their_times() {
        let yaml = r#"
time_intervals:
- name: out of hours
  time_intervals:
  - weekdays: ['monday:friday']
    times:
    - {start_time: '00:00', end_time: '09:00'}
    - {start_time: '17:30', end_time: '24:00'}
    location: Europe/Berlin
  - weekdays: [saturday, sunday]
    days_of_month: ['1:7', '-3:-1']
    months: ['december:december', '1:3']
    years: ['2026:2028', 2030]
- name: never
  time_intervals:
  - weekdays: []
"#;
        let mut toml = Writer::new();
        let mut differences = Differences::default();
        let times = translate(&read(yaml).unwrap(), &mut toml, &mut differences).unwrap();
        assert_eq!(times["out of hours"], ["out-of-hours", "out-of-hours-2"]);
        assert_eq!(differences.0.len(), 1);
        assert_eq!(
            toml.finish(),
            r#"# Time interval "out of hours".
[[time_windows]]
id = "out-of-hours"
time_zone = "Europe/Berlin"
windows = [
    { days = ["mon..fri"], from = "00:00", until = "09:00" },
    { days = ["mon..fri"], from = "17:30", until = "00:00" },
]

# Time interval "out of hours".
[[time_windows]]
id = "out-of-hours-2"
time_zone = "UTC"
windows = [{ days = ["sat", "sun"], dates = ["1..7", "-3..-1"], months = ["dec..dec", "1..3"], years = ["2026..2028", "2030"] }]

# Matched nothing in Alertmanager either.
[[time_windows]]
id = "never"
time_zone = "UTC"
windows = [{ years = ["1970"] }]
"#
        );
    }
}
