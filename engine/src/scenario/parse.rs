//! Reading a scenario; an error names the line, what is wrong and how to mend it.

use super::{Action, Behaviour, ConfigText, Expectation, Scenario, Step, Told, What};
use shared::{Delay, HeartbeatState, IncidentState, Severity, Signal, SilenceKind, Timestamp, config::Target};

/// A line that is no part of the language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}; {mend}")]
pub struct ParseError {
    pub line: usize,
    pub what: String,
    pub mend: String,
}

/// Monday morning in Shanghai, when a scenario names no start.
const START: &str = "2026-11-23T08:00:00+08:00[Asia/Shanghai]";
/// What an accepting provider takes when nothing else is said.
pub(super) const LATENCY: Delay = Delay(250);

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;
/// What is wrong, and how to mend it.
type Fault = (String, String);

/// Reads a scenario.
pub fn parse(text: &str) -> Result<Scenario, ParseError> {
    let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    let mut title = String::new();
    let mut start = instant(START).unwrap_or_default();
    let mut config = None;
    let mut steps: Vec<Step> = Vec::new();
    while let Some((number, line)) = lines.next() {
        let error = |(what, mend): Fault| ParseError { line: number, what, mend };
        let line = line.trim();
        let (word, rest) = split(line);
        match word {
            "" => {}
            _ if word.starts_with('#') => {}
            "title" => rest.clone_into(&mut title),
            "start" => start = instant(rest).map_err(error)?,
            "config" => config = Some(document(rest, &mut lines, number)?),
            "provider" => {
                let what = provider(&mut rest.split_whitespace().peekable()).map_err(error)?;
                steps.push(Step { line: number, at: Delay::ZERO, what });
            }
            "at" => {
                let (time, rest) = split(rest);
                let at = delay(time).map_err(error)?;
                if let Some(before) = steps.last().filter(|before| before.at > at) {
                    let what = format!("{at} comes before the step above, at {}", before.at);
                    return Err(error((what, "order the steps by time".to_owned())));
                }
                let what = match split(rest) {
                    ("config", rest) => What::Config(document(rest, &mut lines, number)?),
                    ("calendar", url) => {
                        What::Calendar { url: url.to_owned(), text: inline(&mut lines, number, "calendar")? }
                    }
                    (word, rest) => step(word, rest).map_err(error)?,
                };
                steps.push(Step { line: number, at, what });
            }
            _ => {
                let mend = "begin a line with title, start, config, provider, at or #";
                return Err(error((format!("`{word}` begins no line"), mend.to_owned())));
            }
        }
    }
    let last = text.lines().count();
    let error = |what: &str, mend: &str| ParseError { line: last, what: what.to_owned(), mend: mend.to_owned() };
    if title.is_empty() {
        return Err(error("the scenario has no title", "add `title` and the promise it shows"));
    }
    let config = config.ok_or_else(|| error("there is no configuration", "add `config FILE`, or `config` … `end`"))?;
    Ok(Scenario { title, start, config, steps })
}

/// The first word and the trimmed rest.
fn split(line: &str) -> (&str, &str) {
    line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()))
}

fn document<'a>(
    rest: &str,
    lines: &mut impl Iterator<Item = (usize, &'a str)>,
    number: usize,
) -> Result<ConfigText, ParseError> {
    if !rest.is_empty() {
        return Ok(ConfigText::File(rest.to_owned()));
    }
    inline(lines, number, "configuration").map(ConfigText::Inline)
}

/// Everything up to a line `end`.
fn inline<'a>(
    lines: &mut impl Iterator<Item = (usize, &'a str)>,
    number: usize,
    what: &str,
) -> Result<String, ParseError> {
    let mut text = String::new();
    for (_, line) in lines {
        if line.trim() == "end" {
            return Ok(text);
        }
        text.push_str(line);
        text.push('\n');
    }
    let what = format!("the {what} never ends");
    Err(ParseError { line: number, what, mend: "close it with a line `end`".to_owned() })
}

fn step(word: &str, rest: &str) -> Result<What, Fault> {
    let mut words = rest.split_whitespace().peekable();
    match word {
        "post" => post(rest),
        "beat" => beat(&mut words),
        "provider" => provider(&mut words),
        "crash" => {
            let down = if keyword(&mut words, "for") { next_delay(&mut words)? } else { Delay::ZERO };
            done(words, What::Crash { down })
        }
        "sleep" => {
            expect_word(&mut words, "for")?;
            let length = next_delay(&mut words)?;
            done(words, What::Sleep { length })
        }
        "expect" => expectation(&mut words).and_then(|expectation| done(words, What::Expect(expectation))),
        "note" => note(rest),
        "silence" => silence(SilenceKind::Silence, &mut words),
        "maintenance" => silence(SilenceKind::Maintenance, &mut words),
        "end-silence" => {
            let silence = number(&mut words, "silence")?;
            expect_word(&mut words, "by")?;
            let by = next(&mut words, "who ends it")?.to_owned();
            done(words, What::EndSilence { silence, by })
        }
        _ => act(word, words),
    }
}

fn post(rest: &str) -> Result<What, Fault> {
    let (integration, mut body) = split(rest);
    let mut key = None;
    if let (Some(given), rest) = (split(body).0.strip_prefix("key="), split(body).1) {
        (key, body) = (Some(given.to_owned()), rest);
    }
    if integration.is_empty() {
        return Err(fault("a post names its sender and its body", "write post falcon [P0][PROBLEM][host][ip][text]"));
    }
    Ok(What::Post { integration: integration.into(), key, body: body.replace("\\n", "\n") })
}

/// `beat HEARTBEAT [fail|start|log] [NOTE]`
fn beat(words: &mut Words<'_>) -> Result<What, Fault> {
    let heartbeat = next(words, "the heartbeat")?.into();
    let mut signal = Signal::Beat;
    for (word, other) in [("fail", Signal::Fail), ("start", Signal::Start), ("log", Signal::Log)] {
        if keyword(words, word) {
            signal = other;
        }
    }
    Ok(What::Beat { heartbeat, signal, note: words.collect::<Vec<_>>().join(" ") })
}

/// `silence by wang [after 1h] for 2h|until-recovered CONDITION…`
fn silence(kind: SilenceKind, words: &mut Words<'_>) -> Result<What, Fault> {
    expect_word(words, "by")?;
    let by = next(words, "who wants it")?.to_owned();
    let after = if keyword(words, "after") { next_delay(words)? } else { Delay::ZERO };
    let length = if keyword(words, "until-recovered") {
        None
    } else {
        expect_word(words, "for")?;
        Some(next_delay(words)?)
    };
    let matches: Vec<String> = words.map(str::to_owned).collect();
    Ok(What::Silence { kind, by, after, length, matches })
}

fn note(rest: &str) -> Result<What, Fault> {
    let mut words = rest.split_whitespace().peekable();
    let incident = number(&mut words, "incident")?;
    expect_word(&mut words, "by")?;
    let by = next(&mut words, "who writes it")?.to_owned();
    let text = words.collect::<Vec<_>>().join(" ");
    Ok(What::Act { incident, by, act: Action::Note { text }, refused: false })
}

fn act(word: &str, mut words: Words<'_>) -> Result<What, Fault> {
    const ACTS: [&str; 10] = [
        "ack",
        "unack",
        "resolve",
        "snooze",
        "escalate",
        "reassign",
        "add-responders",
        "apply-policy",
        "merge",
        "detach",
    ];
    if !ACTS.contains(&word) {
        let mend = format!(
            "steps are post, {}, beat, note, silence, maintenance, end-silence, provider, config, calendar, crash, sleep and expect",
            ACTS.join(", ")
        );
        return Err(fault(&format!("`{word}` is no step"), &mend));
    }
    let alert = if word == "detach" {
        let alert = number(&mut words, "alert")?;
        expect_word(&mut words, "from")?;
        alert
    } else {
        0
    };
    let incident = number(&mut words, "incident")?;
    let mut into = None;
    let (mut by, mut length, mut to, mut refused) = (None, None, Vec::new(), false);
    let (mut policy, mut level, mut version) = (None, None, None);
    while let Some(word) = words.next() {
        match word {
            "by" => by = Some(next(&mut words, "who does it")?.to_owned()),
            "for" => length = Some(next_delay(&mut words)?),
            "to" => to.push(target(&mut words)?),
            "policy" => policy = Some(next(&mut words, "the policy")?.into()),
            "level" => level = Some(level_number(&mut words)?),
            "version" => version = Some(small(number(&mut words, "version")?)?),
            "into" => into = Some(number(&mut words, "other incident")?),
            "refused" => refused = true,
            _ => return Err(unexpected(word)),
        }
    }
    let by = by.ok_or_else(|| fault("nobody does it", "add `by NAME`"))?;
    let act = match word {
        "ack" => Action::Ack { length },
        "unack" => Action::Unack,
        "resolve" => Action::Resolve,
        "escalate" => Action::Escalate { policy, level, version },
        "detach" => Action::Detach { alert, version },
        "merge" => {
            let into = into.ok_or_else(|| fault("it is merged into nothing", "add `into N`"))?;
            Action::Merge { into, version }
        }
        "snooze" => {
            Action::Snooze { length: length.ok_or_else(|| fault("it snoozes without an end", "add `for 1h`"))? }
        }
        "apply-policy" => Action::ApplyPolicy { version },
        "add-responders" => Action::AddResponders { targets: to, version },
        _ => match to.pop() {
            Some(Target::Person(to)) => Action::Reassign { to },
            _ => return Err(fault("it is reassigned to nobody", "add `to person:NAME`")),
        },
    };
    Ok(What::Act { incident, by, act, refused })
}

fn provider(words: &mut Words<'_>) -> Result<What, Fault> {
    let contact = next(words, "a contact")?.to_owned();
    let verb = next(words, "what the provider does")?;
    let rest: Vec<&str> = words.collect();
    let behaviour = match (verb, rest.as_slice()) {
        ("accepts", []) => Behaviour::Accepts { after: LATENCY },
        ("accepts", ["after", time]) => Behaviour::Accepts { after: delay(time)? },
        ("fails", []) => Behaviour::Fails { permanently: false },
        ("fails", ["permanently"]) => Behaviour::Fails { permanently: true },
        ("refuses", ["our", "account"]) => Behaviour::RefusesUs,
        ("answers", ["429"]) => Behaviour::TooMany { retry_after: None },
        ("answers", ["429", "retry", "after", time]) => Behaviour::TooMany { retry_after: Some(delay(time)?) },
        ("delivers", rest) => tells(Told::Delivered, rest)?,
        ("shows", rest) => tells(Told::Shown, rest)?,
        ("opens", rest) => tells(Told::Opened, rest)?,
        ("takes", ["it", "back", rest @ ..]) => tells(Told::Failed, rest)?,
        ("times", ["out"]) => Behaviour::TimesOut,
        ("loses", ["the", "answer"]) => Behaviour::LosesTheAnswer,
        _ => {
            let mend = "providers accept [after 3s], fail [permanently], refuse our account, answer 429 [retry after 30s], \
                        deliver, show, open [after 3s], take it back [after 20s], time out and lose the answer";
            return Err(fault(&format!("`{verb} {}` is nothing a provider does", rest.join(" ")), mend));
        }
    };
    Ok(What::Provider { contact, behaviour })
}

fn tells(what: Told, rest: &[&str]) -> Result<Behaviour, Fault> {
    match rest {
        [] => Ok(Behaviour::Tells { what, after: Delay::secs(1) }),
        ["after", time] => Ok(Behaviour::Tells { what, after: delay(time)? }),
        _ => Err(fault(&format!("`{}` says not when", rest.join(" ")), "write after 3s, or nothing")),
    }
}

fn expectation(words: &mut Words<'_>) -> Result<Expectation, Fault> {
    match next(words, "what is expected")? {
        "page" => page(words),
        "silence" => {
            let to = if keyword(words, "to") { Some(target(words)?.to_string()) } else { None };
            Ok(Expectation::Silence { to })
        }
        "incident" => {
            let incident = number(words, "incident")?;
            let state = match next(words, "a state")? {
                "triggered" => IncidentState::Triggered,
                "acked" => IncidentState::Acked,
                "snoozed" => IncidentState::Snoozed,
                "resolved" => IncidentState::Resolved,
                other => {
                    let mend = "states are triggered, acked, snoozed and resolved";
                    return Err(fault(&format!("`{other}` is no state"), mend));
                }
            };
            let severity = words.next().map(|word| {
                word.parse::<Severity>().map_err(|error| (error, "end the line with a severity".to_owned()))
            });
            Ok(Expectation::Incident { incident, state, severity: severity.transpose()? })
        }
        "outcome" => {
            let name = next(words, "an outcome")?;
            if !["opened", "refreshed", "closed", "suppressed", "dropped", "rejected"].contains(&name) {
                let mend = "outcomes are opened, refreshed, closed, suppressed, dropped and rejected";
                return Err(fault(&format!("`{name}` is no outcome"), mend));
            }
            Ok(Expectation::Outcome { name: name.to_owned() })
        }
        "heartbeat" => {
            let heartbeat = next(words, "the heartbeat")?.into();
            let state = match next(words, "how it stands")? {
                "waiting" => HeartbeatState::Waiting,
                "up" => HeartbeatState::Up,
                "late" => HeartbeatState::Late,
                "down" => HeartbeatState::Down,
                "paused" => HeartbeatState::Paused,
                other => {
                    let mend = "heartbeats are waiting, up, late, down or paused";
                    return Err(fault(&format!("`{other}` is no state of a heartbeat"), mend));
                }
            };
            Ok(Expectation::Heartbeat { heartbeat, state })
        }
        other => {
            let mend = "expect page, silence, incident, outcome or heartbeat";
            Err(fault(&format!("`{other}` cannot be expected"), mend))
        }
    }
}

fn page(words: &mut Words<'_>) -> Result<Expectation, Fault> {
    let to = target(words)?;
    if !matches!(to, Target::Person(_) | Target::Webhook(_)) {
        return Err(fault("a page goes to somebody", "expect a page to person:NAME or webhook:NAME"));
    }
    let (mut via, mut level, mut reminder, mut within) = (None, None, false, Delay::secs(1));
    while let Some(word) = words.next() {
        match word {
            "via" => via = Some(next(words, "the contact")?.into()),
            "level" => level = Some(level_number(words)?),
            "reminder" => reminder = true,
            "within" => within = next_delay(words)?,
            _ => return Err(unexpected(word)),
        }
    }
    Ok(Expectation::Page { to: to.to_string(), via, level, reminder, within })
}

fn fault(what: &str, mend: &str) -> Fault {
    (what.to_owned(), mend.to_owned())
}

fn unexpected(word: &str) -> Fault {
    fault(&format!("`{word}` has no place here"), "see the table of lines in engine/src/scenario/mod.rs")
}

fn done<T>(mut words: Words<'_>, value: T) -> Result<T, Fault> {
    words.next().map_or(Ok(value), |word| Err(unexpected(word)))
}

fn next<'a>(words: &mut Words<'a>, what: &str) -> Result<&'a str, Fault> {
    words.next().ok_or_else(|| fault(&format!("{what} is missing"), "finish the line"))
}

fn keyword(words: &mut Words<'_>, word: &str) -> bool {
    words.next_if_eq(&word).is_some()
}

fn expect_word(words: &mut Words<'_>, word: &str) -> Result<(), Fault> {
    if keyword(words, word) { Ok(()) } else { Err(fault(&format!("`{word}` is missing"), "add it")) }
}

fn delay(text: &str) -> Result<Delay, Fault> {
    Delay::parse(text).map_err(|error| (error, "write `at 5m …`".to_owned()))
}

fn next_delay(words: &mut Words<'_>) -> Result<Delay, Fault> {
    next(words, "a length of time").and_then(delay)
}

fn number(words: &mut Words<'_>, what: &str) -> Result<i64, Fault> {
    let word = next(words, &format!("the {what}'s number"))?;
    word.parse().map_err(|_| fault(&format!("`{word}` is no number"), &format!("write the {what}'s number")))
}

fn small(number: i64) -> Result<u32, Fault> {
    u32::try_from(number).map_err(|_| fault(&format!("{number} is out of range"), "write a small positive number"))
}

/// People count levels from 1.
fn level_number(words: &mut Words<'_>) -> Result<u32, Fault> {
    let level = small(number(words, "level")?)?;
    level.checked_sub(1).ok_or_else(|| fault("levels count from 1", "write level 1 for the first"))
}

fn target(words: &mut Words<'_>) -> Result<Target, Fault> {
    next(words, "a recipient")?.parse().map_err(|error: String| (error, "write person:NAME or webhook:NAME".to_owned()))
}

fn instant(text: &str) -> Result<Timestamp, Fault> {
    let zoned = text.parse::<jiff::Zoned>().map(|zoned| Timestamp::from_ms(zoned.timestamp().as_millisecond()));
    zoned.map_err(|_| fault(&format!("`{text}` is not a time with a zone"), &format!("write {START}")))
}
