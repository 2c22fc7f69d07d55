//! `tocsin replay`: stored messages through a draft of the configuration. Only reads; a server may run beside it.

use super::{CliError, Done, open_existing, print_findings};
use crate::{
    clock,
    config::{self, Storage},
    db::Readers,
    replay::{self as stored, Order},
};
use clap::{Args, ValueEnum};
use engine::{
    Snapshot,
    oncall::Copies,
    rehearsal,
    replay::{Span, Stopped},
};
use shared::{
    Delay, Recipient, Timestamp,
    api::{Answers, ReplayAlert, ReplayDiff, ReplayReport, Replayed},
    config::Document,
    text::{Language, unpaged},
};
use std::{fmt, ops::ControlFlow, path::PathBuf, sync::Arc};

#[derive(Args, Debug)]
pub(super) struct Replay {
    /// The draft: a file, or a folder of *.toml; without one the configuration in force is replayed by itself
    #[arg(long)]
    config: Option<PathBuf>,
    /// The last so many days
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// From this instant instead: 2026-11-14T00:00:00Z, or 2026-11-14 00:00 in --zone
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until this instant instead of now
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The time zone of times that are read and printed
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    zone: String,
    /// What people do meanwhile
    #[arg(long, value_enum, default_value_t)]
    answer: Answer,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Answer {
    /// Nobody answers
    #[default]
    Nobody,
    /// What was answered is answered again at the same moment
    AsItWas,
}

/// Rows of each kind on the terminal; JSON has more.
const ROWS: usize = 20;

pub(super) fn replay(storage: &Storage, command: &Replay) -> Done {
    let (url, mut store) = open_existing(storage)?;
    let (version, text) = store.config_current()?.unwrap_or_default();
    let document = config::parse(&text).map_err(|finding| CliError::Findings(vec![finding]))?;
    let copies = Arc::new(store.calendar_copies()?);
    let draft = match &command.config {
        Some(path) => Some(draft(path, &document, version + 1, copies.clone())?),
        None => None,
    };
    let running = Arc::new(Snapshot::compile_with(version, document, copies).map_err(CliError::Findings)?);
    let span = span(command)?;
    let answers = match command.answer {
        Answer::Nobody => Answers::Nobody,
        Answer::AsItWas => Answers::AsItWas,
    };
    let readers = Readers::with_keys(url, store.keys().clone(), 1);
    drop(store);
    let length = span.until.ms_since(span.from).max(1);
    let mut told = -1;
    let replayed = stored::replay(&readers, Order { running, draft, span, answers }, |progress| {
        let percent = (progress.at.ms_since(span.from).clamp(0, length) * 100 / length) / 5 * 5;
        if percent != told {
            told = percent;
            eprintln!("{percent} %: {} messages", progress.messages);
        }
        ControlFlow::Continue(())
    });
    let replayed = replayed.map_err(|stopped| match stopped {
        Stopped::Unreadable(error) => CliError::Store(error),
        Stopped::Cancelled => CliError::Said,
    })?;
    if command.json {
        let text = serde_json::to_string_pretty(&replayed).map_err(std::io::Error::from)?;
        println!("{text}");
    } else {
        print!("{}", Table { replayed: &replayed, span, zone: &command.zone });
    }
    match replayed.diff.map_or(0, |diff| diff.lost_p0) {
        0 => Ok(()),
        lost => Err(format!("with this draft {lost} P0 alerts that page somebody today would page nobody").into()),
    }
}

/// A draft only has to be readable: what it would do is what is asked.
fn draft(
    path: &std::path::Path,
    stored: &Document,
    version: i64,
    copies: Arc<Copies>,
) -> Result<Arc<Snapshot>, CliError> {
    let text = config::read(path).map_err(CliError::Findings)?;
    let text = config::restore(&text, stored).map_err(CliError::Findings)?;
    let document = config::parse(&text).map_err(|finding| CliError::Findings(vec![finding]))?;
    let snapshot = Snapshot::compile_with(version, document, copies).map_err(CliError::Findings)?;
    print_findings(&engine::lint::lint(&snapshot, clock::now()));
    Ok(Arc::new(snapshot))
}

fn span(command: &Replay) -> Result<Span, CliError> {
    let read = |text: &Option<String>| {
        text.as_deref().map(|text| rehearsal::instant(text, Some(&command.zone))).transpose().map_err(CliError::Told)
    };
    let until = read(&command.to)?.unwrap_or_else(clock::now);
    let from = read(&command.from)?.unwrap_or_else(|| until.plus_ms(-i64::from(command.days) * 86_400_000));
    if from >= until {
        return Err("it would end before it begins; give an earlier --from or a later --to".to_owned().into());
    }
    Ok(Span { from, until })
}

fn name(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Person(id) => id.to_string(),
        Recipient::Webhook(id) => format!("webhook {id}"),
    }
}

/// One number of a report.
type Count = fn(&ReplayReport) -> u64;

/// The result for people.
struct Table<'a> {
    replayed: &'a Replayed,
    span: Span,
    zone: &'a str,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_table(out, self.replayed, self.span, self.zone)
    }
}

fn write_table(out: &mut fmt::Formatter<'_>, replayed: &Replayed, span: Span, zone: &str) -> fmt::Result {
    let Replayed { answers, running, draft, diff } = replayed;
    let meanwhile = match answers {
        Answers::Nobody => "nobody answers",
        Answers::AsItWas => "answered as it was",
    };
    let (from, until) = (rehearsal::shown(zone, span.from), rehearsal::shown(zone, span.until));
    writeln!(out, "{} messages, {from} to {until}, {meanwhile}\n", running.messages)?;
    let heads =
        if draft.is_some() { format!("{:>10}{:>10}", "in force", "draft") } else { format!("{:>10}", "in force") };
    writeln!(out, "{:<52}{heads}", "")?;
    let rows: [(&str, Count); 4] = [
        ("incidents", |it| it.incidents),
        ("pages", |it| it.pages),
        ("  to people at night", |it| it.night),
        ("reminders", |it| it.reminders),
    ];
    for (what, of) in rows {
        row(out, what, of(running), draft.as_ref().map(of))?;
    }
    for severity in shared::Severity::ALL {
        let of = |report: &ReplayReport| {
            report.severities.iter().find(|it| it.severity == severity).map_or(0, |it| it.pages)
        };
        let draft = draft.as_ref().map(of);
        if of(running) + draft.unwrap_or_default() > 0 {
            row(out, &format!("pages about {severity}"), of(running), draft)?;
        }
    }
    for recipient in everybody(running, draft.as_ref()) {
        let of =
            |report: &ReplayReport| report.people.iter().find(|it| it.recipient == *recipient).map_or(0, |it| it.pages);
        row(out, &format!("pages to {}", name(recipient)), of(running), draft.as_ref().map(of))?;
    }
    for why in shared::api::Unpaged::ALL {
        let of = |report: &ReplayReport| report.unpaged.iter().find(|it| it.why == why).map_or(0, |it| it.alerts);
        let draft = draft.as_ref().map(of);
        if of(running) + draft.unwrap_or_default() > 0 {
            row(out, &format!("paged nobody: {}", unpaged(Language::En, why)), of(running), draft)?;
        }
    }
    if running.cut || draft.as_ref().is_some_and(|it| it.cut) {
        writeln!(out, "\nThere was more than is compared; choose a shorter span to see all of it.")?;
    }
    diff.as_ref().map_or(Ok(()), |diff| write_diff(out, diff, zone))
}

fn everybody<'a>(running: &'a ReplayReport, draft: Option<&'a ReplayReport>) -> Vec<&'a Recipient> {
    let mut all: Vec<&Recipient> = running.people.iter().map(|it| &it.recipient).collect();
    let others = draft.into_iter().flat_map(|draft| &draft.people).map(|it| &it.recipient);
    for recipient in others {
        if !all.contains(&recipient) {
            all.push(recipient);
        }
    }
    all
}

fn row(out: &mut fmt::Formatter<'_>, what: &str, running: u64, draft: Option<u64>) -> fmt::Result {
    let draft = draft.map(|draft| format!("{draft:>10}")).unwrap_or_default();
    writeln!(out, "{what:<52}{running:>10}{draft}")
}

fn write_diff(out: &mut fmt::Formatter<'_>, diff: &ReplayDiff, zone: &str) -> fmt::Result {
    let when = |at: Timestamp| rehearsal::shown(zone, at);
    let about = |alert: &ReplayAlert| {
        let host = alert.host.as_deref().map(|host| format!("{host}: ")).unwrap_or_default();
        format!("{} {host}{} (message {})", alert.severity, alert.title, alert.message)
    };
    if diff.lost_total > 0 {
        writeln!(out, "\n{} alerts would page nobody any more, {} of them P0:", diff.lost_total, diff.lost_p0)?;
        for lost in diff.lost.iter().take(ROWS) {
            let whom: Vec<String> = lost.today.iter().map(name).collect();
            let (at, alert, why) = (when(lost.alert.at), about(&lost.alert), unpaged(Language::En, lost.why));
            writeln!(out, "  {at} {alert}: today {}; then {why}", whom.join(", "))?;
        }
    }
    if diff.found_total > 0 {
        writeln!(out, "\n{} alerts that page nobody today would page somebody.", diff.found_total)?;
    }
    for (what, total, pages) in [("gained", diff.gained_pages, &diff.gained), ("lost", diff.lost_pages, &diff.dropped)]
    {
        if total > 0 {
            writeln!(out, "\n{total} pages are {what}:")?;
        }
        for page in pages.iter().take(ROWS) {
            let night = if page.night { ", at night" } else { "" };
            let after = Delay(page.after_ms / 1_000 * 1_000);
            let (at, to, alert) = (when(page.at), name(&page.recipient), about(&page.alert));
            writeln!(out, "  {at} {to} after {after} ({} level {}{night}): {alert}", page.policy, page.level + 1)?;
        }
    }
    if diff.moved_pages > 0 {
        writeln!(out, "\n{} pages come at another time.", diff.moved_pages)?;
    }
    if diff.lost_total + diff.found_total + diff.gained_pages + diff.lost_pages + diff.moved_pages == 0 {
        writeln!(out, "\nNothing would have been different.")?;
    }
    Ok(())
}
