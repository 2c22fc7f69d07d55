//! What is drawn says what it shows, is to scale, and leads to where things are mended.

use super::*;
use shared::api::{Coverage, DayPages, Distribution, Gap, HourOfWeek, Noise, PersonPages, QuietBy, QuietKind, Times};
use shared::config::Language;

const HOUR: i64 = 3_600_000;

fn times(counts: &[u32], percentiles: [Option<i64>; 3]) -> Distribution {
    let [p50_ms, p90_ms, p99_ms] = percentiles;
    let done = counts.iter().sum();
    let row = Times { severity: None, counts: counts.to_vec(), done, never: 3, waiting: 1, p50_ms, p90_ms, p99_ms };
    Distribution { bounds_ms: vec![30_000, 60_000], rows: vec![row] }
}

fn noise(id: &str, title: &str, host: Option<&str>) -> Noise {
    Noise {
        id: id.to_owned(),
        title: title.to_owned(),
        host: host.map(str::to_owned),
        integration: None,
        newest: shared::IncidentId(12),
        incidents: 4,
        messages: 9,
        pages: 4,
        acknowledged: 0,
        by_itself: 4,
        unneeded: 4,
        again: 3,
        flapped: 0,
        silenced: 0,
    }
}

fn figures() -> Analytics {
    let hours = (0..168).map(|n| HourOfWeek {
        pages: u32::from(n == 27) * 4,
        incidents: u32::from(n == 27),
        ack_ms: (n == 27).then_some(120_000),
    });
    let days = vec![DayPages { day: 0, pages: 2, night: 1 }, DayPages { day: 1, pages: 4, night: 4 }];
    Analytics {
        from: Timestamp::from_ms(0),
        until: Timestamp::from_ms(48 * HOUR),
        time_zone: "UTC".to_owned(),
        incidents: 5,
        messages: 1_200,
        unpaged: 7,
        cut_at: None,
        acknowledge: times(&[1, 0, 2], [Some(15_000), Some(90_000), Some(90_000)]),
        resolve: times(&[0, 0, 0], [None; 3]),
        days: vec!["1970-01-01".to_owned(), "1970-01-02".to_owned()],
        people: vec![PersonPages {
            person: "li".into(),
            name: "Li Wei".to_owned(),
            pages: 6,
            night: 5,
            weekend: 0,
            nights: 2,
            days,
        }],
        hours: hours.collect(),
        identities: vec![noise("k", "disk is full", Some("db-07 a"))],
        identities_total: 40,
        routes: vec![noise("databases", "", None)],
        policies: Vec::new(),
        quiet: vec![QuietBy { kind: QuietKind::Maintenance, id: "7".to_owned(), incidents: 2, paged: 1 }],
        channels: vec![shared::api::ChannelFigures {
            channel: shared::config::ContactKind::Email,
            all: shared::api::DeliveryCount {
                sent: 3,
                accepted: 2,
                failed: 1,
                p50_ms: Some(1_500),
                ..Default::default()
            },
            days: vec![],
        }],
        teams: vec![],
        schedules: vec![Coverage {
            schedule: "db".into(),
            name: "Databases".to_owned(),
            from: Timestamp::from_ms(0),
            until: Timestamp::from_ms(48 * HOUR),
            gaps: vec![Gap { from: Timestamp::from_ms(12 * HOUR), until: Timestamp::from_ms(24 * HOUR) }],
            load: Vec::new(),
        }],
    }
}

fn draw(figures: &Analytics, answers: bool) -> Node {
    let csv = "/api/v1/analytics?from=0".to_owned();
    let look = Look { l: Language::En, figures, csv, wall: &Civil::from_ms, answers };
    Node::new("div", "all").all(drawn(&look))
}

fn style<'a>(node: &'a Node, name: &str) -> &'a str {
    node.styles.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| value.as_str())
}

#[test]
fn a_histogram_says_in_words_what_its_bars_show() {
    let all = draw(&figures(), false);
    let drawing = all.find("hist")[0];
    assert_eq!(drawing.attribute("aria-hidden"), Some("true"));
    let bars = drawing.find("hist-room");
    assert_eq!(
        bars.iter().map(|room| style(&room.children[0], "height")).collect::<Vec<_>>(),
        ["50.00%", "0.00%", "100.00%"]
    );
    // 15 s is half of the first of three buckets; what took longer than all bounds stands in the middle of the last.
    assert_eq!(style(drawing.find("m50")[0], "left"), "16.67%");
    assert_eq!(style(drawing.find("m90")[0], "left"), "83.33%");
    let words = all.words();
    assert!(
        words.contains("Half within 15 s, 90 % within 1 min, 99 % within 1 min. Over without: 3. Still open: 1."),
        "{words}"
    );
    assert!(words.contains("None yet."), "nothing was resolved: {words}");
    assert!(words.contains("up to 30 s 1") && words.contains("longer 2"), "{words}");
}

#[test]
fn the_nights_part_of_a_day_is_drawn_within_its_bar() {
    let all = draw(&figures(), false);
    let strip = all.find("day-bars")[0];
    assert_eq!(strip.attribute("aria-label"), Some("Most on Fri 2 Jan: 4 pages, 4 at night"));
    let sizes: Vec<_> =
        strip.children.iter().map(|day| (style(day, "height"), style(&day.children[0], "height"))).collect();
    assert_eq!(sizes, [("50.00%", "50.00%"), ("100.00%", "100.00%")]);
}

#[test]
fn the_week_shows_pages_or_answers() {
    let pages = draw(&figures(), false);
    let hot = pages.find("heat4");
    assert_eq!(hot[0].text, "4");
    assert_eq!(hot[0].attribute("title"), Some("Tue 03:00: 4 pages, 1 incident, median answer 2 min"));
    assert_eq!((hot.len(), pages.find("heat0").len()), (1, 167));
    assert_eq!(draw(&figures(), true).find("heat4")[0].text, "2m");
}

#[test]
fn noise_leads_to_where_it_is_mended() {
    let all = draw(&figures(), false);
    let mut links: Vec<&str> =
        all.find("what").iter().flat_map(|it| &it.children).filter_map(|it| it.attribute("href")).collect();
    links.sort_unstable();
    assert_eq!(links, ["/?q=db-07%20a", "/incidents/12", "/routes", "/silences/7"]);
    assert!(all.words().contains("1 of 40 are shown"));
}

#[test]
fn a_gap_is_hatched_to_scale_and_told() {
    let all = draw(&figures(), false);
    let gap = all.find("gap")[0];
    assert_eq!((style(gap, "left"), style(gap, "width")), ("25.000%", "25.000%"));
    assert!(all.words().contains("Nobody was on call once, 12 h 00 together."));
    assert!(all.words().contains("Gap: nobody from Thu 1 Jan 12:00 to Fri 2 Jan 00:00 (12 h 00)"));
}

#[test]
fn a_range_is_whole_days_of_the_wall() {
    let today = Civil::parse("2026-11-21 13:45").unwrap();
    let days = |from: Civil, until: Civil| (from.iso_date(), until.iso_date());
    let last = Question { days: "7".to_owned(), ..Question::default() };
    let (from, until) = last.range(today).unwrap();
    assert_eq!(days(from, until), ("2026-11-15".to_owned(), "2026-11-22".to_owned()));
    assert_eq!((from.hour, until.minute), (0, 0));
    let own =
        |from: &str, until: &str| Question { from: from.to_owned(), until: until.to_owned(), ..Question::default() };
    let (from, until) = own("2026-11-03", "2026-11-03").range(today).unwrap();
    assert_eq!(days(from, until), ("2026-11-03".to_owned(), "2026-11-04".to_owned()), "one day, whole");
    assert_eq!(own("2026-11-04", "2026-11-03").range(today), None);
    assert_eq!(own("2026-11-03", "2026-11-04").page(), "/analytics?from=2026-11-03&until=2026-11-04");
}
