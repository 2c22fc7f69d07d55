//! The next change of a time window is found where a clock on the wall, looked at every minute, shows it.

use engine::window::Window;
use proptest::prelude::*;
use shared::{
    Timestamp,
    config::{TimeSpan, TimeWindow},
};

const MINUTE_MS: i64 = 60_000;

/// Zones, each just before something happens to its clocks; Apia once left out a whole day.
const PLACES: [&str; 8] = [
    "2026-11-22T00:00[Asia/Shanghai]",
    "2026-03-28T00:00[Europe/Berlin]",
    "2026-10-24T00:00[Europe/Berlin]",
    "2026-04-04T00:00[Australia/Lord_Howe]",
    "2017-10-14T00:00[America/Sao_Paulo]",
    "2018-02-17T00:00[America/Sao_Paulo]",
    "2011-12-29T00:00[Pacific/Apia]",
    "2026-02-27T00:00[Asia/Kathmandu]",
];

fn hours() -> impl Strategy<Value = Option<(String, String)>> {
    let time = (0..24u8, prop::sample::select(vec![0u8, 15, 30, 59])).prop_map(|(h, m)| format!("{h:02}:{m:02}"));
    prop::option::weighted(0.8, (time.clone(), time))
}

prop_compose! {
    fn span()(
        days in prop::sample::subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat..sun"], 0..4),
        dates in prop::sample::subsequence(vec!["1..5", "14", "-3..-1", "24..29"], 0..3),
        hours in hours(),
    ) -> TimeSpan {
        let texts = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
        let (from, until) = hours.unzip();
        TimeSpan { days: texts(days), dates: texts(dates), from, until, ..TimeSpan::default() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changes_are_found_where_they_are(
        windows in prop::collection::vec(span(), 1..3),
        place in prop::sample::select(PLACES.to_vec()),
    ) {
        let start: jiff::Zoned = place.parse().unwrap();
        let time_zone = start.time_zone().iana_name().unwrap().to_owned();
        let window = Window::compile(&TimeWindow { id: "w".into(), time_zone, windows }).unwrap();
        let start = start.timestamp().as_millisecond();
        let mut found = window.changes_after(Timestamp::from_ms(start));
        let mut inside = window.contains(Timestamp::from_ms(start));
        for minute in 1..3 * 24 * 60 {
            let now = Timestamp::from_ms(start + minute * MINUTE_MS);
            if window.contains(now) != inside {
                prop_assert_eq!(found, Some(now));
                inside = !inside;
                found = window.changes_after(now);
            }
        }
        prop_assert!(found.is_none_or(|at| at.ms() >= start + 3 * 24 * 60 * MINUTE_MS));
    }
}
