//! The lines of an iCalendar text, and the events they describe.

use super::super::wall;
use jiff::{
    Span,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use shared::Timestamp;

/// A time as the calendar writes it.
#[derive(Clone, Debug)]
pub(crate) struct When {
    pub(crate) wall: DateTime,
    pub(crate) is_date: bool,
    /// None: on whatever wall it is read.
    pub(crate) zone: Option<TimeZone>,
}

impl When {
    /// The instant, as a beginning.
    pub(crate) fn begins(&self, zone: &TimeZone) -> Timestamp {
        wall::first(self.zone.as_ref().unwrap_or(zone), self.wall)
    }
}

/// When an event ends.
#[derive(Clone, Debug)]
pub(crate) enum End {
    At(When),
    After(Span),
    /// A day after the beginning of an event of whole days, at once for another.
    Unsaid,
}

/// An event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) uid: String,
    pub(crate) summary: String,
    /// E-mail addresses.
    pub(crate) attendees: Vec<String>,
    pub(crate) start: When,
    pub(crate) end: End,
    pub(crate) rule: Option<String>,
    pub(crate) except: Vec<When>,
    pub(crate) also: Vec<When>,
    /// The occurrence of the repeating event with the same uid that this one replaces.
    pub(crate) instead_of: Option<When>,
    pub(crate) cancelled: bool,
}

/// `NAME;PARAMETER=value:value`.
struct Line<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    value: &'a str,
}

impl<'a> Line<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (mut quoted, mut cuts, mut colon) = (false, Vec::new(), None);
        for (at, c) in text.char_indices() {
            match c {
                '"' => quoted = !quoted,
                ';' if !quoted => cuts.push(at),
                ':' if !quoted => {
                    colon = Some(at);
                    break;
                }
                _ => {}
            }
        }
        let colon = colon?;
        let (head, value) = (text.get(..colon)?, text.get(colon + 1..)?);
        cuts.push(colon);
        let name = head.get(..*cuts.first()?)?;
        let parameter = |pair: &[usize]| {
            let [from, until] = pair else { return None };
            let (key, value) = head.get(from + 1..*until)?.split_once('=')?;
            Some((key, value.trim_matches('"')))
        };
        Some(Self { name, parameters: cuts.windows(2).filter_map(parameter).collect(), value })
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// Lines as they were before they were folded, with the number each began at.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => lines.push((number, line.to_owned())),
        }
    }
    lines
}

/// The events of a calendar; the error names the line.
pub(crate) fn events(text: &str) -> Result<Vec<Event>, String> {
    let lines = unfolded(text.trim_start_matches('\u{feff}'));
    if !lines.first().is_some_and(|(_, line)| line.trim().eq_ignore_ascii_case("BEGIN:VCALENDAR")) {
        return Err("this is not an iCalendar text: it does not begin with BEGIN:VCALENDAR".to_owned());
    }
    let mut events = Vec::new();
    let mut within: Vec<String> = Vec::new();
    let mut draft = Draft::default();
    for (number, text) in &lines {
        let Some(line) = Line::read(text) else {
            return Err(format!("line {number} of the calendar has no colon"));
        };
        let name = line.name.to_ascii_uppercase();
        match name.as_str() {
            "BEGIN" => {
                within.push(line.value.trim().to_ascii_uppercase());
                if within.last().is_some_and(|it| it == "VEVENT") {
                    draft = Draft::default();
                }
            }
            "END" if within.pop().is_some_and(|it| it == "VEVENT") => {
                let event = std::mem::take(&mut draft).finish();
                events.push(event.map_err(|error| format!("line {number} of the calendar: {error}"))?);
            }
            // Alarms inside an event have times of their own.
            _ if within.last().is_some_and(|it| it == "VEVENT") => {
                draft.take(&name, &line).map_err(|error| format!("line {number} of the calendar: {error}"))?;
            }
            _ => {}
        }
    }
    if within.is_empty() { Ok(events) } else { Err("the calendar is cut off: an END is missing".to_owned()) }
}

/// An event of which not every line has been read.
#[derive(Default)]
struct Draft {
    uid: String,
    summary: String,
    attendees: Vec<String>,
    start: Option<When>,
    end: Option<End>,
    rule: Option<String>,
    except: Vec<When>,
    also: Vec<When>,
    instead_of: Option<When>,
    cancelled: bool,
}

impl Draft {
    fn take(&mut self, name: &str, line: &Line<'_>) -> Result<(), String> {
        match name {
            "UID" => line.value.clone_into(&mut self.uid),
            "SUMMARY" => self.summary = unescaped(line.value),
            "ATTENDEE" => {
                let address = line.value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
                self.attendees.extend(address.and_then(|_| line.value.get(7..)).map(str::to_owned));
            }
            "DTSTART" => self.start = Some(when(line, line.value)?),
            "DTEND" => self.end = Some(End::At(when(line, line.value)?)),
            "DURATION" => {
                let span = line.value.parse().map_err(|_| format!("`{}` is not a duration", line.value))?;
                self.end = Some(End::After(span));
            }
            "RRULE" if self.rule.is_some() => return Err("an event has one RRULE; make it two events".to_owned()),
            "RRULE" => self.rule = Some(line.value.to_owned()),
            "EXDATE" => self.except.extend(each(line)?),
            "RDATE" if line.parameter("VALUE").is_some_and(|kind| kind.eq_ignore_ascii_case("PERIOD")) => {
                return Err("RDATE with periods is not read; make them events".to_owned());
            }
            "RDATE" => self.also.extend(each(line)?),
            "RECURRENCE-ID" => self.instead_of = Some(when(line, line.value)?),
            "STATUS" => self.cancelled = line.value.trim().eq_ignore_ascii_case("CANCELLED"),
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Event, String> {
        let start = self.start.ok_or("the event has no DTSTART")?;
        if self.uid.is_empty() {
            return Err("the event has no UID".to_owned());
        }
        Ok(Event {
            uid: self.uid,
            summary: self.summary,
            attendees: self.attendees,
            start,
            end: self.end.unwrap_or(End::Unsaid),
            rule: self.rule,
            except: self.except,
            also: self.also,
            instead_of: self.instead_of,
            cancelled: self.cancelled,
        })
    }
}

fn each(line: &Line<'_>) -> Result<Vec<When>, String> {
    line.value.split(',').map(|value| when(line, value)).collect()
}

/// Reads `20261224`, `20261224T090000` or `20261224T080000Z`.
fn when(line: &Line<'_>, value: &str) -> Result<When, String> {
    let zone = match line.parameter("TZID") {
        // Some programs put a path of their own before the name.
        Some(name) => {
            let parts: Vec<&str> = name.rsplitn(4, '/').collect();
            let tail = |count: usize| parts.iter().take(count).rev().copied().collect::<Vec<_>>().join("/");
            let found = [name.to_owned(), tail(3), tail(2)].iter().find_map(|name| wall::zone(name).ok());
            Some(found.ok_or_else(|| format!("TZID `{name}` is not an IANA time zone such as Asia/Shanghai"))?)
        }
        None => None,
    };
    let (wall, is_date, is_utc) = stamp(value.trim()).ok_or_else(|| format!("`{value}` is not a date or a time"))?;
    Ok(When { wall, is_date, zone: if is_utc { Some(TimeZone::UTC) } else { zone } })
}

/// (what the clock shows, whether it is a date, whether the clock is the one of UTC)
pub(crate) fn stamp(text: &str) -> Option<(DateTime, bool, bool)> {
    let (text, is_utc) = text.strip_suffix(['Z', 'z']).map_or((text, false), |text| (text, true));
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    let (day, clock) = text.split_once(['T', 't']).map_or((text, None), |(day, clock)| (day, Some(clock)));
    if !digits(day, 8) || !clock.is_none_or(|clock| digits(clock, 6)) {
        return None;
    }
    let part = |text: &str, at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    let date = Date::new(day.get(..4)?.parse().ok()?, part(day, 4)?, part(day, 6)?).ok()?;
    let time = match clock {
        // A leap second is the second before.
        Some(clock) => Time::new(part(clock, 0)?, part(clock, 2)?, part(clock, 4)?.min(59), 0).ok()?,
        None => Time::midnight(),
    };
    Some((date.to_datetime(time), clock.is_none(), is_utc))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => {}
            },
            _ => plain.push(c),
        }
    }
    plain.trim().to_owned()
}
