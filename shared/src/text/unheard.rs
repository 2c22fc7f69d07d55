//! What was not heard, as sentences: heartbeats that did not come, senders that are silent, alerts that are stale.

use super::{Voice, span};
use crate::{CountedBecause, DownBecause, NounKind, messages, timeline::Happening};

messages! {
    beat_missed(heartbeat: &str, interval: &str, grace: &str, from: &str) { en: "No beat of {heartbeat} within {interval} and {grace} of grace, counted from {from}", zh: "{heartbeat} 在 {interval}（宽限 {grace}）内没有心跳，从{from}算起" }
    beat_failed(heartbeat: &str) { en: "{heartbeat} says itself that it failed", zh: "{heartbeat} 自己报告失败" }
    sender_silent(sender: &str, time: &str, from: &str) { en: "Nothing at all was heard of {sender} for {time}, counted from {from}", zh: "{time}内未收到来自 {sender} 的任何消息，从{from}算起" }
    calendar_old(schedule: &str, layer: &str, time: &str, from: &str) { en: "The calendar of schedule {schedule} (layer {layer}) could not be fetched for {time}, counted from {from}. Its last good copy counts", zh: "值班表 {schedule}（层 {layer}）的日历已有{time}无法获取，从{from}算起。以最近一次成功获取的内容为准" }
    learned(weeks: u32) { en: "; by the last {weeks} weeks it is silent for so long at this time of the week less than once in 1000", zh: "；据其过去 {weeks} 周的规律，一周中的这个时段静默如此之久的概率低于千分之一" }
    from_message() { en: "its last message", zh: "最近一条消息" }
    from_copy() { en: "its last good copy", zh: "最近一次成功获取" }
    from_beat() { en: "its last beat", zh: "最近一次心跳" }
    from_restart() { en: "the start of the server: beats could not arrive while it was away", zh: "服务启动时刻（停机期间无法接收心跳）" }
    from_configured() { en: "the change of its configuration", zh: "其配置变更时刻" }
    calendar_note(error: &str) { en: ". The last time: {error}", zh: "。最近一次的原因：{error}" }
    beat_note(note: &str) { en: ". It last said: {note}", zh: "。最后的附言：{note}" }
    stale(silent: &str) { en: "Stale: nothing was heard of it for {silent}. Nobody said that it is over, so it stays open", zh: "失联：{silent}未再收到。没有恢复消息，因此保持未恢复" }
    stale_closing(silent: &str, closes: &str) { en: "Stale: nothing was heard of it for {silent}. It is closed in {closes} unless it is heard again", zh: "失联：{silent}未再收到。若仍未收到，{closes}后关闭" }
    stale_route(route: &str) { en: " (route {route})", zh: "（路由 {route}）" }
    heard_again() { en: "Heard again: it still holds", zh: "再次收到：告警仍在" }
    stale_closed(silent: &str) { en: "Closed as stale: nothing was heard for {silent}. It did not recover", zh: "因失联关闭：{silent}未再收到。并非恢复" }
    stale_closed_one(silent: &str) { en: "One alert was closed as stale: nothing was heard of it for {silent}; others still fire", zh: "一条告警因失联关闭：{silent}未再收到；仍有其他告警" }
}

/// An entry about what was not heard; nothing for any other.
pub(super) fn happening(voice: &Voice<'_>, what: &Happening) -> String {
    let l = voice.l;
    match what {
        Happening::AlertStale { silent_ms, closes_ms, route, .. } => {
            let silent = span(l, *silent_ms);
            let said =
                closes_ms.map_or_else(|| stale(l, &silent), |closes| stale_closing(l, &silent, &span(l, closes)));
            said + &route.as_ref().map(|route| stale_route(l, route.as_str())).unwrap_or_default()
        }
        Happening::AlertHeardAgain { .. } => heard_again(l),
        Happening::StaleClosed { silent_ms, over: true, .. } => stale_closed(l, &span(l, *silent_ms)),
        Happening::StaleClosed { silent_ms, over: false, .. } => stale_closed_one(l, &span(l, *silent_ms)),
        Happening::HeartbeatDown {
            heartbeat, because, counted, interval_ms, grace_ms, note, learned_weeks, ..
        } => {
            let said = if note.is_empty() { String::new() } else { beat_note(l, note) };
            let sender = heartbeat.as_str().strip_prefix("sender:");
            let calendar = heartbeat.as_str().strip_prefix("calendar:").and_then(|it| it.split_once(':'));
            let from = match counted.map(|counted| counted.because) {
                Some(CountedBecause::Restart) => from_restart(l),
                Some(CountedBecause::Configured) => from_configured(l),
                Some(CountedBecause::Beat) | None if sender.is_some() => from_message(l),
                Some(CountedBecause::Beat) | None if calendar.is_some() => from_copy(l),
                Some(CountedBecause::Beat) | None => from_beat(l),
            };
            if let Some(sender) = sender {
                let sender = voice.named(NounKind::Integration, sender, None);
                let why = learned_weeks.map(|weeks| learned(l, weeks)).unwrap_or_default();
                return sender_silent(l, &sender, &span(l, *interval_ms), &from) + &why;
            }
            if let Some((schedule, layer)) = calendar {
                let why = if note.is_empty() { String::new() } else { calendar_note(l, note) };
                let schedule = voice.named(NounKind::Schedule, schedule, None);
                return calendar_old(l, &schedule, layer, &span(l, *interval_ms), &from) + &why;
            }
            let heartbeat = voice.named(NounKind::Heartbeat, heartbeat.as_str(), None);
            match because {
                DownBecause::Failed => beat_failed(l, &heartbeat) + &said,
                DownBecause::Missed => {
                    beat_missed(l, &heartbeat, &span(l, *interval_ms), &span(l, *grace_ms), &from) + &said
                }
            }
        }
        _ => String::new(),
    }
}
