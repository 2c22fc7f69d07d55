//! The timeline as sentences: the only place where a reason becomes words.

use super::{Language, Voice, span};
use crate::messages;
use crate::{
    AttemptState, DeliveryReceipt, IncidentId, NounKind, PageVia, PersonId, Piece, Recipient, SuppressedBy,
    ThrottledBy, Waits, WaitsFor, WindowId,
    api::DutyReason,
    config::ContactKind,
    timeline::{Happening, RecoveryMatch, RouteStep, SeverityReason, Skip, TargetResult, TimelineEntry, Unmet},
};
use std::collections::BTreeMap;

messages! {
    opened(severity: String, key: &str) { en: "Opened: {severity}. Identity {key}", zh: "已创建：{severity}。标识 {key}" }
    stated(severity: &str) { en: "{severity} as the message says", zh: "消息标明 {severity}" }
    by_word(severity: &str, word: &str) { en: "{severity} for the message's “{word}”", zh: "{severity}（消息写作“{word}”）" }
    by_class(severity: &str, class: &str, was: &str) { en: "{severity} set by rule {class} of the sender (was {was})", zh: "来源规则 {class} 设为 {severity}（原为 {was}）" }
    defaulted(severity: &str) { en: "{severity}, the sender's default", zh: "{severity}（来源默认级别）" }
    by_route(severity: &str, route: &str, was: &str) { en: "{severity} set by route {route} (was {was})", zh: "路由 {route} 设为 {severity}（原为 {was}）" }
    routed(matched: &str, policies: &str) { en: "Route {matched} → policy {policies}", zh: "路由 {matched} → 策略 {policies}" }
    waiting(policies: &str) { en: "; muted: {policies} waits", zh: "；静音中：{policies} 等待" }
    unrouted() { en: "No route matched: shown, and nobody is paged", zh: "没有匹配的路由：仅显示，不通知" }
    unrouted_urgent() { en: "No route matched: the fallback is paged", zh: "没有匹配的路由：通知兜底联系人" }
    suppressed(why: &str) { en: "Kept quiet: {why}. Nobody is paged while this lasts", zh: "保持安静：{why}。期间不通知任何人" }
    by_silence(silence: &str) { en: "silence {silence}", zh: "静默 {silence}" }
    by_maintenance(silence: &str) { en: "maintenance {silence}", zh: "维护 {silence}" }
    by_inhibition(rule: &str, source: &str) { en: "it follows from {source} (inhibition {rule})", zh: "由 {source} 引起（抑制规则 {rule}）" }
    by_suspect(what: &str, name: &str, source: &str) { en: "its {what} {name} is suspected, see {source}", zh: "其{what} {name} 疑似故障，见 {source}" }
    released() { en: "Nothing keeps it quiet any more", zh: "不再保持安静" }
    severity_rose(from: &str, to: &str) { en: "Raised from {from} to {to}: paging again", zh: "级别由 {from} 升为 {to}：再次通知" }
    severity_changed(from: &str, to: &str) { en: "Level changed from {from} to {to}", zh: "级别由 {from} 变为 {to}" }
    level_ran(policy: &str, level: u32, who: &str) { en: "{policy} level {level}: {who}", zh: "{policy} 第 {level} 级：{who}" }
    level_empty(policy: &str, level: u32, why: &str) { en: "{policy} level {level} has nobody to page ({why}); going on at once", zh: "{policy} 第 {level} 级无人可通知（{why}），立即升级" }
    level_skipped(policy: &str, level: u32, why: &str) { en: "{policy} level {level} is passed over: {why}", zh: "{policy} 第 {level} 级跳过：{why}" }
    unmet_severity(is: &str, wanted: &str) { en: "it is {is}, the level is for {wanted}", zh: "当前为 {is}，该级仅适用于 {wanted}" }
    unmet_outside(windows: &str) { en: "it is outside {windows}", zh: "当前不在 {windows} 时段内" }
    unmet_inside(window: &str) { en: "it is inside {window}", zh: "当前在 {window} 时段内" }
    unmet_alerts(firing: u32, wanted: u32) { en: "{firing} alerts fire, the level asks for {wanted}", zh: "{firing} 条告警，该级要求至少 {wanted} 条" }
    level_failed(policy: &str, level: u32) { en: "{policy} level {level}: every delivery failed; going on at once", zh: "{policy} 第 {level} 级：全部发送失败，立即升级" }
    nobody(policy: &str, who: &str) { en: "{policy} reaches nobody: fallback {who}", zh: "{policy} 无人可达：兜底 {who}" }
    unreached(policy: &str) { en: "{policy}: every delivery failed, the fallback's as well; nobody knows of it. This server's own last resort was called", zh: "{policy}：全部发送失败，兜底也失败，无人知晓；已启用本服务器的最后手段" }
    exhausted(policy: &str) { en: "{policy} is used up", zh: "{policy} 已全部执行完" }
    exhausted_reminding(policy: &str, every: &str) { en: "{policy} is used up; reminding the last level every {every}", zh: "{policy} 已全部执行完；每 {every} 提醒最后一级" }
    reminded(policy: &str) { en: "{policy}: reminding the last level", zh: "{policy}：提醒最后一级" }
    paged(who: &str, via: &str) { en: "Paging {who} ({via})", zh: "通知 {who}（{via}）" }
    waits_quiet() { en: "it waits for the end of their quiet hours", zh: "等待其免打扰时段结束" }
    waits_morning() { en: "it waits for their morning", zh: "等待其次日早晨" }
    standing_in(who: &str) { en: "standing in for {who}, who has quiet hours", zh: "代替处于免打扰时段的 {who}" }
    skip_waits(who: &str, why: &str) { en: "{who}: {why}", zh: "{who}：{why}" }
    handed_over(who: &str, to: &str) { en: "{who} has quiet hours and hands over to {to}", zh: "{who} 处于免打扰时段，转交给 {to}" }
    direct() { en: "named in the level", zh: "策略直接指定" }
    on_call(schedule: &str) { en: "on call in {schedule}", zh: "{schedule} 值班" }
    covering(schedule: &str) { en: "covering in {schedule}", zh: "{schedule} 代班" }
    by_override() { en: ", by an override", zh: "，按代班安排" }
    by_override_of(who: &str) { en: ", by an override of {who}", zh: "，按 {who} 的代班安排" }
    by_layer(layer: &str) { en: ", by the rotation of layer {layer}", zh: "，按 {layer} 层轮换" }
    by_calendar(layer: &str) { en: ", by the calendar of layer {layer}", zh: "，按 {layer} 层日历" }
    by_temporary() { en: ", by a temporary schedule", zh: "，按临时值班表" }
    team_member(team: &str) { en: "member of {team}", zh: "{team} 成员" }
    fallback() { en: "fallback", zh: "兜底" }
    sending(who: &str, channel: &str, n: u32) { en: "{who} {channel}: sending, try {n}", zh: "{who} {channel}：发送中，第 {n} 次" }
    accepted(who: &str, channel: &str, delay: &str) { en: "{who} {channel}: accepted after {delay}", zh: "{who} {channel}：{delay}后已被接收" }
    retrying(who: &str, channel: &str, why: &str) { en: "{who} {channel}: failed, trying again ({why})", zh: "{who} {channel}：失败，将重试（{why}）" }
    accepted_with(who: &str, channel: &str, delay: &str, others: u32) { en: "{who} {channel}: accepted after {delay}, in one message with {others} more", zh: "{who} {channel}：{delay}后已被接收，与另外 {others} 个事件合并为一条" }
    throttled_now(who: &str, channel: &str, why: &str) { en: "{who} {channel}: waits to go out with others ({why})", zh: "{who} {channel}：等待合并发送（{why}）" }
    by_bundle(within: &str) { en: "there was a message less than {within} before", zh: "{within}内刚发送过一条" }
    by_limit(messages: u32, within: &str) { en: "the contact has had {messages} messages within {within}", zh: "该联系方式在 {within}内已收到 {messages} 条" }
    by_allowance(messages: u32, within: &str) { en: "the provider takes {messages} messages within {within}", zh: "服务商在 {within}内只接收 {messages} 条" }
    by_budget(messages: u32, within: &str) { en: "the person has had {messages} messages within {within}", zh: "此人在 {within}内已收到 {messages} 条" }
    by_storm() { en: "a storm: the next message follows when there is twice as much", zh: "告警风暴：数量翻倍时发送下一条" }
    failed(who: &str, channel: &str, why: &str) { en: "{who} {channel}: failed for good ({why})", zh: "{who} {channel}：最终失败（{why}）" }
    cancelled(who: &str, channel: &str) { en: "{who} {channel}: not needed any more", zh: "{who} {channel}：已不再需要" }
    planned(who: &str, channel: &str) { en: "{who} {channel}: planned", zh: "{who} {channel}：已计划" }
    pulled(contact: &str) { en: "{contact} is used now because another delivery failed, or nobody saw it", zh: "因其他渠道失败或无人看到，立即使用 {contact}" }
    unproven(who: &str, channel: &str, time: &str) { en: "{who} by {channel}: nothing says after {time} that anybody saw it", zh: "{who}（{channel}）：{time}后仍无任何回执表明有人看到" }
    receipt_delivered(who: &str, channel: &str, time: &str) { en: "{who} by {channel}: on the phone {time} after it was sent", zh: "{who}（{channel}）：发送 {time}后到达手机" }
    receipt_answered(who: &str, time: &str) { en: "{who}: the call was answered after {time}", zh: "{who}：电话于 {time}后接通" }
    receipt_shown(who: &str, channel: &str, device: &str, time: &str) { en: "{who} by {channel}: shown{device} {time} after it was sent", zh: "{who}（{channel}）：发送 {time}后已显示{device}" }
    receipt_opened(who: &str, channel: &str, device: &str, time: &str) { en: "{who} by {channel}: opened{device} {time} after it was sent", zh: "{who}（{channel}）：发送 {time}后已打开{device}" }
    receipt_dismissed(who: &str, channel: &str, device: &str, time: &str) { en: "{who} by {channel}: put away{device} {time} after it was sent", zh: "{who}（{channel}）：发送 {time}后被划掉{device}" }
    receipt_failed(who: &str, channel: &str, why: &str) { en: "{who} by {channel}: it did not arrive after all: {why}", zh: "{who}（{channel}）：最终未送达：{why}" }
    calls_stopped(who: &str) { en: "{who} asked not to be called again about this", zh: "{who} 要求不再就此来电" }
    on_device(device: &str) { en: " on {device}", zh: "（{device}）" }
    acked() { en: "Acknowledged: escalation stopped", zh: "已认领：停止升级" }
    answered(who: &str, missing: &str) { en: "{who} answered; still waiting for {missing}", zh: "{who} 已响应；仍在等待 {missing}" }
    somebody() { en: "Somebody", zh: "有人" }
    ack_expired() { en: "The acknowledgement ran out: paging again", zh: "认领已超时：再次通知" }
    unacked() { en: "Acknowledgement taken back: paging again", zh: "已取消认领：再次通知" }
    snoozed() { en: "Snoozed", zh: "已暂停通知" }
    snooze_ended() { en: "Snooze ended: paging again", zh: "暂停结束：再次通知" }
    escalated(policy: &str, level: u32) { en: "Escalated by hand to {policy} level {level}", zh: "手动升级到 {policy} 第 {level} 级" }
    reassigned(to: &str) { en: "Reassigned to {to}", zh: "已转交给 {to}" }
    policy_applied(policy: &str, from: &str, to: &str) { en: "{policy} goes on as version {to} has it, not as version {from}", zh: "{policy} 改按版本 {to} 执行（原为版本 {from}）" }
    responders_added(who: &str) { en: "Asked for help: {who}", zh: "请求支援：{who}" }
    added() { en: "asked for help", zh: "被请求支援" }
    answered_too(who: &str) { en: "{who} answered", zh: "{who} 已响应" }
    note(text: &str) { en: "Note: {text}", zh: "备注：{text}" }
    resolved() { en: "Resolved by hand", zh: "已手动恢复" }
    recovered() { en: "Recovered: the sender says it is over", zh: "已恢复：来源报告恢复" }
    recovered_by_host() { en: "Recovered: it was the only open alert of this host that could be meant", zh: "已恢复：该主机上唯一可能对应的未恢复告警" }
    alert_recovered() { en: "One alert recovered; others still fire", zh: "一条告警已恢复，仍有其他告警" }
    alert_joined(severity: String, key: &str, group: &str) { en: "An alert joined: {severity}. Identity {key}, group {group}", zh: "有告警并入：{severity}。标识 {key}，分组 {group}" }
    joined_used_up() { en: ". Nobody had answered and every level was used up: paging again", zh: "。无人响应且各级均已执行：再次通知" }
    merged_into(into: &str) { en: "Merged into {into} by hand", zh: "已手动合并到 {into}" }
    merged(from: &str, alerts: u32) { en: "{from} was merged into this one by hand: {alerts} alerts", zh: "已手动并入 {from}：{alerts} 条告警" }
    alert_detached(to: &str) { en: "An alert was detached by hand: it is {to} now", zh: "已手动拆出一条告警：现为 {to}" }
    detached(from: &str) { en: "Detached from {from} by hand", zh: "已从 {from} 手动拆出" }
    held_for(policy: &str, time: &str) { en: "{policy} waits {time}: nobody is paged for what recovers first", zh: "{policy} 等待 {time}：期间恢复则不通知任何人" }
    recovered_held() { en: ", before anybody was to be paged", zh: "，尚未到通知时间，未通知任何人" }
    flapping_began(times: u32, within: &str, calm: &str) { en: "Recovered, but flapping: it fired {times} times in {within}. Kept open until nothing changes for {calm}; firing again pages nobody anew", zh: "已恢复，但在抖动：{within}内告警 {times} 次。保持未恢复，直到 {calm}内无变化；再次告警不会重新通知" }
    calm_over(changes: u32) { en: "Flapping ended after {changes} changes: it has stayed well", zh: "抖动结束，共 {changes} 次变化：已保持正常" }
    calm_firing(changes: u32) { en: "Flapping ended after {changes} changes: it fires steadily", zh: "抖动结束，共 {changes} 次变化：持续告警" }
    via_stale() { en: "it is about to be closed as stale", zh: "即将因失联关闭" }
    nobody_on_call() { en: "nobody is on call", zh: "无人值班" }
    empty_team() { en: "the team is empty", zh: "团队没有成员" }
    gone() { en: "it is not configured any more", zh: "配置中已不存在" }
    no_contact(who: &str) { en: "{who} has no contact", zh: "{who} 没有联系方式" }
    no_rule(who: &str) { en: "{who}'s rules name no contact for this level", zh: "{who} 的规则在此级别没有联系方式" }
    already_paged(who: &str) { en: "{who} is paged already", zh: "{who} 已被通知" }
    has_answered(who: &str) { en: "{who} has answered already", zh: "{who} 已响应" }
    others_turn(who: &str) { en: "{who} is not the next in turn", zh: "还未轮到 {who}" }
}

/// A recipient's id, as lists show it.
#[must_use]
pub fn recipient_name(recipient: &Recipient) -> &str {
    match recipient {
        Recipient::Person(id) => id.as_str(),
        Recipient::Webhook(id) => id.as_str(),
    }
}

/// What people are called; somebody without a name here is shown by id.
pub type Names = BTreeMap<PersonId, String>;

/// For sentences about nobody.
static NOBODY: Names = Names::new();

/// One entry as a sentence.
#[must_use]
pub fn happening(l: Language, names: &Names, what: &Happening) -> String {
    sentence(&Voice::plainly(l, names), what)
}

/// One entry of a timeline as a sentence whose nouns are marked.
#[must_use]
pub fn told(l: Language, names: &Names, timeline: &[TimelineEntry], entry: &TimelineEntry) -> Vec<Piece> {
    let before = timeline.iter().take_while(|it| it.seq <= entry.seq).count();
    let voice = Voice::linked(l, names, entry.at).following(timeline.get(..before).unwrap_or_default());
    let sentence = sentence(&voice, &entry.what);
    voice.pieces(&sentence)
}

// tidy: long because each kind of entry has its own line
fn sentence(voice: &Voice<'_>, what: &Happening) -> String {
    let l = voice.l;
    match what {
        Happening::Opened { severity, key, .. } => opened(l, severity_reason(voice, severity), key),
        Happening::Routed { .. } => routing(voice, what),
        Happening::Suppressed { by } => {
            let words: Vec<String> = by.iter().map(|by| quieted_by(voice, by, None)).collect();
            suppressed(l, &words.join(", "))
        }
        Happening::Released => released(l),
        Happening::SeverityChanged { from, to, pages_again: true } => severity_rose(l, from.as_str(), to.as_str()),
        Happening::SeverityChanged { from, to, .. } => severity_changed(l, from.as_str(), to.as_str()),
        Happening::LevelRan { policy: id, config, level, targets, in_force, .. } => {
            level_ran(l, &voice.policy(id, Some(*config), Some(*level)), level + 1, &reached(voice, targets, *in_force))
        }
        Happening::LevelEmpty { policy: id, config, level, targets, in_force, .. } => level_empty(
            l,
            &voice.policy(id, Some(*config), Some(*level)),
            level + 1,
            &reached(voice, targets, *in_force),
        ),
        Happening::LevelSkipped { policy: id, config, level, unmet: why, .. } => {
            level_skipped(l, &voice.policy(id, Some(*config), Some(*level)), level + 1, &unmet(voice, why))
        }
        Happening::LevelFailed { policy: id, level } => {
            level_failed(l, &voice.policy(id, None, Some(*level)), level + 1)
        }
        Happening::NobodyReached { policy: id, fallback, in_force } => {
            nobody(l, &voice.policy(id, None, None), &reached(voice, fallback, *in_force))
        }
        Happening::Unreached { policy: id } => unreached(l, &voice.policy(id, None, None)),
        Happening::Exhausted { policy: id, reminder_ms: Some(ms) } => {
            exhausted_reminding(l, &voice.policy(id, None, None), &span(l, *ms))
        }
        Happening::Exhausted { policy: id, reminder_ms: None } => exhausted(l, &voice.policy(id, None, None)),
        Happening::Reminded { policy: id, .. } => reminded(l, &voice.policy(id, None, None)),
        Happening::Paged { recipient, via, waits: why, in_force, .. } => {
            let page = paged(l, &voice.recipient(recipient, *in_force), &page_via(voice, via, *in_force));
            why.as_ref().map_or_else(|| page.clone(), |why| format!("{page}{}{}", semicolon(l), waits(l, why)))
        }
        Happening::Delivery { .. } | Happening::Throttled { .. } => delivery(voice, what),
        Happening::DeliveryReceipt { .. } | Happening::Unproven { .. } => proof(voice, what),
        Happening::PulledForward { page, contact, .. } => pulled(l, &voice.contact_of(*page, contact)),
        Happening::Acked { .. } => acked(l),
        Happening::Answered { person: who, missing } => {
            let who = who.as_ref().map_or_else(|| somebody(l), |id| voice.person(id, None));
            let missing: Vec<String> = missing.iter().map(|id| voice.person(id, None)).collect();
            if missing.is_empty() { answered_too(l, &who) } else { answered(l, &who, &missing.join(", ")) }
        }
        Happening::AckExpired => ack_expired(l),
        Happening::CallsStopped { person: who } => calls_stopped(l, &voice.person(who, None)),
        Happening::Unacked => unacked(l),
        Happening::Snoozed { .. } => snoozed(l),
        Happening::SnoozeEnded => snooze_ended(l),
        Happening::Escalated { policy: id, level } => escalated(l, &voice.policy(id, None, Some(*level)), level + 1),
        Happening::Reassigned { to } => reassigned(l, &voice.person(to, None)),
        Happening::PolicyApplied { policy: id, from, to } => {
            let version = |number: &i64| voice.named(NounKind::Version, &number.to_string(), None);
            policy_applied(l, &voice.policy(id, Some(*to), None), &version(from), &version(to))
        }
        Happening::RespondersAdded { targets, in_force } => responders_added(l, &reached(voice, targets, *in_force)),
        Happening::Note { text } => note(l, text),
        Happening::Resolved => resolved(l),
        Happening::Recovered { matched, held, .. } => {
            let how = match matched {
                RecoveryMatch::Key => recovered(l),
                RecoveryMatch::OnlyAlertOfHost => recovered_by_host(l),
            };
            if *held { how + &recovered_held(l) } else { how }
        }
        Happening::AlertRecovered { .. } => alert_recovered(l),
        Happening::AlertJoined { severity, key, group, pages_again, .. } => {
            let joined = alert_joined(l, severity_reason(voice, severity), key, group);
            if *pages_again { joined + &joined_used_up(l) } else { joined }
        }
        Happening::MergedInto { into } => merged_into(l, &incident(voice, *into)),
        Happening::Merged { from, alerts } => merged(l, &incident(voice, *from), *alerts),
        Happening::AlertDetached { to, .. } => alert_detached(l, &incident(voice, *to)),
        Happening::Detached { from } => detached(l, &incident(voice, *from)),
        Happening::Held { policy: id, hold_ms, .. } => held_for(l, &voice.policy(id, None, None), &span(l, *hold_ms)),
        Happening::FlappingBegan { times, within_ms, calm_ms, .. } => {
            flapping_began(l, *times, &span(l, *within_ms), &span(l, *calm_ms))
        }
        Happening::FlappingEnded { changes, firing: false } => calm_over(l, *changes),
        Happening::FlappingEnded { changes, firing: true } => calm_firing(l, *changes),
        Happening::AlertStale { .. }
        | Happening::AlertHeardAgain { .. }
        | Happening::StaleClosed { .. }
        | Happening::HeartbeatDown { .. } => super::unheard::happening(voice, what),
        Happening::Suspected { .. } | Happening::SuspicionCalms { .. } | Happening::VmMoved { .. } => {
            super::placed::happening(voice, what)
        }
        Happening::Mirror { mirror, what } => super::mirror::event(voice, *mirror, what),
    }
}

fn incident(voice: &Voice<'_>, id: IncidentId) -> String {
    voice.noun(NounKind::Incident, &id.to_string(), None, None, &format!("#{id}"))
}

fn routing(voice: &Voice<'_>, what: &Happening) -> String {
    let Happening::Routed { trace, policies, annotations, config, .. } = what else { return String::new() };
    let l = voice.l;
    let sent = trace.iter().filter(|step| step.policy.is_some());
    let matched: Vec<String> = sent.map(|step| voice.route(&step.route, Some(*config))).collect();
    let policies: Vec<String> = policies.iter().map(|id| voice.policy(id, Some(*config), None)).collect();
    match (matched.is_empty(), policies.is_empty()) {
        (_, true) => unrouted(l),
        (true, false) => unrouted_urgent(l),
        (false, false) => {
            let waits = held(trace);
            let waits = if waits.is_empty() { String::new() } else { waiting(l, &waits.join(", ")) };
            let said = annotations.iter().map(|(name, text)| format!("; {name}: {text}"));
            routed(l, &matched.join(", "), &policies.join(", ")) + &waits + &said.collect::<String>()
        }
    }
}

/// What keeps an incident quiet, in words.
#[must_use]
pub fn suppressed_by(l: Language, by: &SuppressedBy) -> String {
    quieted_by(&Voice::plainly(l, &NOBODY), by, None)
}

/// The same with its nouns marked; inhibitions are of a version.
#[must_use]
pub fn quieted_by(voice: &Voice<'_>, by: &SuppressedBy, version: Option<i64>) -> String {
    let l = voice.l;
    match by {
        SuppressedBy::Silence { silence, .. } => {
            by_silence(l, &voice.named(NounKind::Silence, &silence.to_string(), None))
        }
        SuppressedBy::Maintenance { silence, .. } => {
            by_maintenance(l, &voice.named(NounKind::Silence, &silence.to_string(), None))
        }
        SuppressedBy::Inhibition { inhibition, source } => {
            let rule = voice.named(NounKind::Inhibition, inhibition.as_str(), version);
            by_inhibition(l, &rule, &incident(voice, *source))
        }
        SuppressedBy::Suspect { what, name, source } => {
            by_suspect(l, &super::placed::common(l, *what), name, &incident(voice, *source))
        }
    }
}

const fn semicolon(l: Language) -> &'static str {
    match l {
        Language::En => "; ",
        Language::Zh => "；",
    }
}

/// What a page waits for, in words.
#[must_use]
pub fn waits(l: Language, waits: &Waits) -> String {
    match waits.because {
        WaitsFor::QuietHours => waits_quiet(l),
        WaitsFor::Morning => waits_morning(l),
    }
}

/// Why a message waits for others, in words.
#[must_use]
pub fn throttled_by(l: Language, by: &ThrottledBy) -> String {
    match by {
        ThrottledBy::Bundle { within_ms } => by_bundle(l, &span(l, *within_ms)),
        ThrottledBy::Limit { messages, within_ms } => by_limit(l, *messages, &span(l, *within_ms)),
        ThrottledBy::Budget { messages, within_ms } => by_budget(l, *messages, &span(l, *within_ms)),
        ThrottledBy::Allowance { messages, within_ms } => by_allowance(l, *messages, &span(l, *within_ms)),
        ThrottledBy::Storm { .. } => by_storm(l),
    }
}

/// Why a level was passed over, in words.
#[must_use]
pub fn unmet(voice: &Voice<'_>, why: &Unmet) -> String {
    let l = voice.l;
    let named = |window: &WindowId| voice.named(NounKind::TimeWindow, window.as_str(), None);
    match why {
        Unmet::Severity { is, wanted } => {
            let wanted: Vec<&str> = wanted.iter().map(|severity| severity.as_str()).collect();
            unmet_severity(l, is.as_str(), &wanted.join(", "))
        }
        Unmet::Outside { windows } => {
            let windows: Vec<String> = windows.iter().map(named).collect();
            unmet_outside(l, &windows.join(", "))
        }
        Unmet::Inside { window } => unmet_inside(l, &named(window)),
        Unmet::Alerts { firing, wanted } => unmet_alerts(l, *firing, *wanted),
    }
}

/// The policies all of whose routes are muted.
fn held(trace: &[RouteStep]) -> Vec<&str> {
    let sent = |muted: bool| trace.iter().filter(move |step| step.muted.is_some() == muted);
    let awake: Vec<_> = sent(false).filter_map(|step| step.policy.as_ref()).collect();
    let asleep = sent(true).filter_map(|step| step.policy.as_ref()).filter(|policy| !awake.contains(policy));
    let mut held: Vec<&str> = asleep.map(|policy| policy.as_str()).collect();
    held.dedup();
    held
}

fn delivery(voice: &Voice<'_>, what: &Happening) -> String {
    let l = voice.l;
    if let Happening::Throttled { recipient: to, channel, throttle, .. } = what {
        return throttled_now(l, &voice.recipient(to, None), channel.as_str(), &throttled_by(l, &throttle.because));
    }
    let Happening::Delivery { recipient: to, channel, state, tries, delay_ms, failure, incidents, .. } = what else {
        return String::new();
    };
    let (who, channel) = (&voice.recipient(to, None), channel.as_str());
    let why = failure.as_ref().map_or("", |failure| failure.detail.as_str());
    match state {
        AttemptState::Planned => planned(l, who, channel),
        AttemptState::Sending => sending(l, who, channel, *tries),
        AttemptState::Retrying => retrying(l, who, channel, why),
        AttemptState::Accepted => match incidents {
            Some(all) => accepted_with(l, who, channel, &span(l, *delay_ms), all.saturating_sub(1)),
            None => accepted(l, who, channel, &span(l, *delay_ms)),
        },
        AttemptState::Failed => failed(l, who, channel, why),
        AttemptState::Cancelled => cancelled(l, who, channel),
    }
}

fn proof(voice: &Voice<'_>, what: &Happening) -> String {
    let l = voice.l;
    if let Happening::Unproven { recipient: to, channel, within_ms, .. } = what {
        return unproven(l, &voice.recipient(to, None), channel.as_str(), &span(l, *within_ms));
    }
    let Happening::DeliveryReceipt { recipient: to, channel, receipt, device, delay_ms, .. } = what else {
        return String::new();
    };
    let (who, channel_name, time) = (&voice.recipient(to, None), channel.as_str(), &span(l, *delay_ms));
    let on = &device.as_ref().map(|device| on_device(l, device)).unwrap_or_default();
    match receipt {
        DeliveryReceipt::Delivered if *channel == ContactKind::Voice => receipt_answered(l, who, time),
        DeliveryReceipt::Delivered => receipt_delivered(l, who, channel_name, time),
        DeliveryReceipt::Shown => receipt_shown(l, who, channel_name, on, time),
        DeliveryReceipt::Opened => receipt_opened(l, who, channel_name, on, time),
        DeliveryReceipt::Dismissed => receipt_dismissed(l, who, channel_name, on, time),
        DeliveryReceipt::Failed { failure } => receipt_failed(l, who, channel_name, &failure.detail),
    }
}

fn severity_reason(voice: &Voice<'_>, reason: &SeverityReason) -> String {
    let l = voice.l;
    match reason {
        SeverityReason::Stated { severity } => stated(l, severity.as_str()),
        SeverityReason::Default { severity } => defaulted(l, severity.as_str()),
        SeverityReason::Word { severity, word } => by_word(l, severity.as_str(), word),
        SeverityReason::Class { severity, class, was } => {
            by_class(l, severity.as_str(), &voice.class(class), was.as_str())
        }
        SeverityReason::Route { severity, route, was } => {
            by_route(l, severity.as_str(), &voice.route(route, None), was.as_str())
        }
    }
}

fn page_via(voice: &Voice<'_>, via: &PageVia, version: Option<i64>) -> String {
    let l = voice.l;
    match via {
        PageVia::Direct => direct(l),
        PageVia::Schedule(it) => {
            let schedule = voice.named(NounKind::Schedule, it.schedule.as_str(), version);
            let how = if it.over { covering(l, &schedule) } else { on_call(l, &schedule) };
            how + &it.reason.as_ref().map(|reason| duty(l, reason)).unwrap_or_default()
        }
        PageVia::Team { team } => team_member(l, &voice.named(NounKind::Team, team.as_str(), version)),
        PageVia::Fallback => fallback(l),
        PageVia::Added => added(l),
        PageVia::Stale => via_stale(l),
        PageVia::StandIn { person: id } => standing_in(l, &voice.person(id, version)),
    }
}

/// Why somebody is on call, as an addition to that they are; nothing for the schedule's own rotations.
#[must_use]
pub fn duty(l: Language, reason: &DutyReason) -> String {
    match reason {
        DutyReason::Turn { layer: None, .. } => String::new(),
        DutyReason::Turn { layer: Some(layer), .. } => by_layer(l, layer.as_str()),
        DutyReason::Calendar { layer, .. } => by_calendar(l, layer.as_str()),
        DutyReason::Override { by: None, .. } => by_override(l),
        DutyReason::Override { by: Some(who), .. } => by_override_of(l, who),
        DutyReason::Temporary { .. } => by_temporary(l),
    }
}

/// For each target who was reached, or why nobody was.
fn reached(voice: &Voice<'_>, targets: &[TargetResult], version: Option<i64>) -> String {
    let pieces: Vec<String> = targets
        .iter()
        .map(|target| {
            let target_name = voice.target(&target.target, version);
            let mut words: Vec<String> = target.recipients.iter().map(|to| voice.recipient(to, version)).collect();
            words.extend(target.skipped.iter().map(|skip| skipped(voice, skip, version)));
            format!("{target_name} → {}", words.join(", "))
        })
        .collect();
    pieces.join("; ")
}

/// Why somebody was left out, in words.
#[must_use]
pub fn skipped(voice: &Voice<'_>, skip: &Skip, version: Option<i64>) -> String {
    let l = voice.l;
    let person = |id: &PersonId| voice.person(id, version);
    match skip {
        Skip::NobodyOnCall => nobody_on_call(l),
        Skip::EmptyTeam => empty_team(l),
        Skip::Gone => gone(l),
        Skip::NoContact { person: id } => no_contact(l, &person(id)),
        Skip::NoRule { person: id } => no_rule(l, &person(id)),
        Skip::AlreadyPaged { person: id } => already_paged(l, &person(id)),
        Skip::Answered { person: id } => has_answered(l, &person(id)),
        Skip::Waits { person: id, waits: why } => skip_waits(l, &person(id), &waits(l, why)),
        Skip::HandedOver { person: id, to } => handed_over(l, &person(id), &person(to)),
        Skip::OthersTurn { person: id } => others_turn(l, &person(id)),
    }
}
