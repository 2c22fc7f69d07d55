//! Asks those who come on call whether they are ready, and tells their lead of whoever is not.
//!
//! Every step is noted before it is taken: a server that dies in between asks once too little and never twice.

use crate::{
    channels::LetterAbout,
    clock,
    db::{Readers, StoreError},
    runtime::{PersonalNotice, Runtime},
};
use engine::{
    Snapshot,
    readiness::{Asked, Coming, Step, coming, due, leads},
};
use shared::{
    Delay, PersonId, Timestamp,
    config::{Language, Person},
    messages,
    text::PageText,
};
use std::{sync::Arc, time::Duration};

const EVERY: Duration = Duration::from_secs(5);
/// What was asked about shifts of the last days is of no use any more.
const KEPT: Delay = Delay::mins(7 * 24 * 60);

messages! {
    ask_title(when: &str) { en: "On call from {when}", zh: "自 {when} 起值班" }
    ask_body(schedule: &str) { en: "{schedule}: tap to confirm that you are ready.", zh: "{schedule}：请点击确认您已就绪。" }
    soon_body(schedule: &str) { en: "{schedule}: you have confirmed. Thank you.", zh: "{schedule}：您已确认，谢谢。" }
    lead_title(name: &str) { en: "{name} has not confirmed", zh: "{name} 尚未确认" }
    lead_body(name: &str, when: &str, schedule: &str) { en: "{name} is on call from {when} ({schedule}) and has not said that they are ready.", zh: "{name} 将自 {when} 起值班（{schedule}），尚未确认就绪。" }
    lead_problem(why: &str) { en: "Nothing reached them: {why}", zh: "通知未能送达：{why}" }
}

/// Looks again and again, for as long as the server runs.
pub async fn keep(runtime: Runtime, readers: Arc<Readers>) {
    loop {
        if let Err(error) = look(&runtime, &readers, clock::now()).await {
            tracing::warn!(%error, "those who come on call next could not be asked; it is tried again");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Does what is due, and says how many steps that were.
///
/// # Errors
/// When the database does not answer.
pub async fn look(runtime: &Runtime, readers: &Arc<Readers>, now: Timestamp) -> Result<usize, StoreError> {
    let config = runtime.config();
    let shifts = coming(&config, now);
    if shifts.is_empty() {
        return Ok(0);
    }
    let known = readers
        .aside(move |store| {
            store.readiness_forget(now.plus_ms(-KEPT.0))?;
            store.readiness(now)
        })
        .await?;
    let mut steps = 0;
    for shift in shifts {
        let asked = known.iter().find(|(it, _)| *it == shift).map(|(_, asked)| asked.clone()).unwrap_or_default();
        let Some(step) = due(&config.document.readiness, shift.from, &asked, now) else { continue };
        let noted = shift.clone();
        let asked = readers.aside(move |store| store.readiness_change(&noted, |asked| asked.note(step, now))).await?;
        steps += 1;
        let problem = take(runtime, &config, &shift, &asked, step).await;
        if step != Step::TellLead {
            readers.aside(move |store| store.readiness_change(&shift, |asked| asked.problem = problem)).await?;
        } else if let Some(problem) = problem {
            tracing::warn!(schedule = %shift.schedule, person = %shift.person, problem, "no lead could be told that somebody is not ready");
        }
    }
    Ok(steps)
}

/// Gives why it reached nobody.
async fn take(runtime: &Runtime, config: &Snapshot, shift: &Coming, asked: &Asked, step: Step) -> Option<String> {
    let schedule = config.document.schedules.iter().find(|it| it.id == shift.schedule)?.name.as_str();
    let person = config.people.get(&shift.person)?;
    let when = clock_time(config, shift, person.language);
    let key = |to: &PersonId| format!("ready-{}-{}-{}-{to}-{step:?}", shift.schedule, shift.person, shift.from.ms());
    let about = LetterAbout::Shift(shift.from);
    if step == Step::TellLead {
        let leads = leads(config, shift);
        let mut problem = leads.is_empty().then(|| "there is no lead".to_owned());
        for lead in leads.iter().filter_map(|lead| config.people.get(*lead)) {
            let (l, when) = (lead.language, clock_time(config, shift, lead.language));
            let mut body = lead_body(l, &person.name, &when, schedule);
            if let Some(why) = &asked.problem {
                body = format!("{body}\n{}", lead_problem(l, why));
            }
            let text = PageText { title: lead_title(l, &person.name), body };
            let told =
                PersonalNotice { key: key(&lead.id), text, url: runtime.links().on_call(), about: about.clone() };
            problem = runtime.tell(lead, told).await.err().or(problem);
        }
        return problem;
    }
    let text = question(person, &when, schedule, asked);
    let asked = PersonalNotice { key: key(&person.id), text, url: runtime.links().ready(shift), about };
    runtime.tell(person, asked).await.err()
}

fn question(person: &Person, when: &str, schedule: &str, asked: &Asked) -> PageText {
    let l = person.language;
    let body = if asked.confirmed_at.is_some() { soon_body(l, schedule) } else { ask_body(l, schedule) };
    PageText { title: ask_title(l, when), body }
}

/// When a shift begins, as the clock of whoever has it will show it; of the schedule, when they have no zone of their own.
#[must_use]
pub fn clock_time(config: &Snapshot, shift: &Coming, l: Language) -> String {
    let own = config.people.get(&shift.person).and_then(|person| person.time_zone.as_deref());
    let schedule = config.document.schedules.iter().find(|it| it.id == shift.schedule);
    let zone = own.or(schedule.map(|it| it.time_zone.as_str())).unwrap_or("UTC");
    let instant = jiff::Timestamp::from_millisecond(shift.from.ms()).unwrap_or_default();
    let zoned = instant.in_tz(zone).unwrap_or_else(|_| instant.to_zoned(jiff::tz::TimeZone::UTC));
    let format = match l {
        Language::En => "%a %H:%M %Z",
        Language::Zh => "%m-%d %H:%M %Z",
    };
    zoned.strftime(format).to_string()
}
