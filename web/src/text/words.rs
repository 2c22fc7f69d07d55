//! Single words for states, channels, flags and the like.

use shared::{
    AttemptState, Flag, Format, IncidentState, Recipient, Severity,
    api::Role,
    config::{ContactKind, Language},
    timeline::{DropReason, Outcome, RejectReason, SuppressReason},
};

shared::messages! {
    triggered() { en: "Open", zh: "告警中" }
    acked() { en: "Acked", zh: "已认领" }
    snoozed() { en: "Snoozed", zh: "已暂停" }
    resolved() { en: "Resolved", zh: "已恢复" }
    level_0() { en: "P0: wake everybody", zh: "P0：立即叫醒" }
    level_1() { en: "P1: urgent", zh: "P1：紧急" }
    level_2() { en: "P2: soon", zh: "P2：尽快" }
    level_3() { en: "P3: in working hours", zh: "P3：工作时间处理" }
    level_4() { en: "P4: low", zh: "P4：低" }
    level_5() { en: "P5: lower", zh: "P5：更低" }
    level_6() { en: "P6: a note", zh: "P6：提示" }
    planned() { en: "planned", zh: "已计划" }
    sending() { en: "sending", zh: "发送中" }
    retrying() { en: "retrying", zh: "重试中" }
    accepted() { en: "accepted", zh: "已接收" }
    failed() { en: "failed", zh: "失败" }
    cancelled() { en: "not needed", zh: "已不需要" }
    email() { en: "e-mail", zh: "邮件" }
    ntfy() { en: "ntfy push", zh: "ntfy 推送" }
    webhook() { en: "webhook", zh: "Webhook" }
    push() { en: "push", zh: "推送" }
    sms() { en: "text message", zh: "短信" }
    voice() { en: "call", zh: "电话" }
    slack() { en: "Slack", zh: "Slack" }
    teams_chat() { en: "Teams", zh: "Teams" }
    telegram() { en: "Telegram", zh: "Telegram" }
    dingtalk() { en: "DingTalk", zh: "钉钉" }
    feishu() { en: "Feishu", zh: "飞书" }
    wecom() { en: "WeCom", zh: "企业微信" }
    bracket() { en: "bracket line", zh: "方括号行" }
    falcon() { en: "Open-Falcon line", zh: "Open-Falcon 行" }
    combined() { en: "Open-Falcon merged", zh: "Open-Falcon 合并消息" }
    json() { en: "JSON", zh: "JSON" }
    mail() { en: "mail", zh: "邮件" }
    plain_text() { en: "plain text", zh: "纯文本" }
    opened_as(incident: i64) { en: "opened #{incident}", zh: "创建 #{incident}" }
    refreshed_of(incident: i64) { en: "repeat of #{incident}", zh: "#{incident} 重复" }
    acknowledged_of(incident: i64) { en: "answer to #{incident}", zh: "#{incident} 已在来源处认领" }
    suppressed_change() { en: "a change, and no alert", zh: "变更事件，不是告警" }
    dropped_ack() { en: "answer to nothing that is open", zh: "没有可认领的告警" }
    closed_of(incident: i64) { en: "recovery of #{incident}", zh: "#{incident} 恢复" }
    suppressed_beat(heartbeat: &str) { en: "a beat of {heartbeat}", zh: "{heartbeat} 的心跳" }
    suppressed_stale() { en: "kept, not paged: older than a day", zh: "已保存，未通知：早于一天前" }
    suppressed_over(by: i64) { en: "over before it arrived: message {by} was its recovery", zh: "到达前已恢复：消息 {by} 为其恢复" }
    dropped_overtaken() { en: "recovery of what fired before; it fires again since", zh: "为较早一次告警的恢复；此后再次告警" }
    dropped_unmatched() { en: "recovery of nothing open", zh: "没有对应的未恢复告警" }
    dropped_duplicate(of: i64) { en: "same as message {of}", zh: "与消息 {of} 重复" }
    rejected(why: &str) { en: "quarantined: {why}", zh: "已隔离：{why}" }
    reject_empty() { en: "empty", zh: "内容为空" }
    reject_json(detail: &str) { en: "not JSON ({detail})", zh: "不是 JSON（{detail}）" }
    reject_deep(limit: u32) { en: "nested deeper than {limit}", zh: "嵌套超过 {limit} 层" }
    reject_object(found: &str) { en: "{found} where an object was expected", zh: "应为对象，实际为 {found}" }
    reject_many(found: u64, limit: u32) { en: "{found} members, at most {limit}", zh: "{found} 条，最多 {limit} 条" }
    reject_event(faults: &str) { en: "an event that lacks something ({faults})", zh: "事件不完整（{faults}）" }
    reject_content(detail: &str) { en: "no field we read ({detail})", zh: "没有可识别的字段（{detail}）" }
    flag_level() { en: "a level above P6 was taken as P6", zh: "级别超过 P6，按 P6 处理" }
    flag_status() { en: "an unknown status word was taken as a problem", zh: "未知状态词，按故障处理" }
    flag_ip() { en: "the address field holds no address", zh: "地址字段不是 IP" }
    flag_truncated() { en: "the message was cut off", zh: "消息被截断" }
    flag_trailing() { en: "there was text after the last bracket", zh: "最后一个方括号后还有文字" }
    flag_no_content() { en: "only level and status were present", zh: "只有级别和状态" }
    flag_cut_utf8() { en: "a broken last character was dropped", zh: "末尾残缺字符已丢弃" }
    flag_gb18030() { en: "decoded as GB18030", zh: "按 GB18030 解码" }
    flag_lossy() { en: "some bytes fit no known character set", zh: "部分字节无法识别" }
    flag_control() { en: "control characters were replaced", zh: "控制字符已替换" }
    flag_default() { en: "no level was stated: the sender's default was taken", zh: "未标明级别，采用来源默认级别" }
    flag_skew() { en: "the sender's clock is ahead: its time is not used", zh: "来源时钟超前，未采用其时间" }
    flag_stale() { en: "the sender's time is older than a day", zh: "来源时间早于一天前" }
    flag_labels() { en: "too many labels: the rest was cut", zh: "标签过多，已截断" }
    flag_poison() { en: "could not be parsed, but looked like a P0 and was raised", zh: "无法解析，但疑似 P0，已告警" }
    flag_merged() { en: "stands for several alerts", zh: "合并了多条告警" }
    flag_assumed_end() { en: "it said no end; five minutes were assumed", zh: "未给出结束时间，按五分钟计" }
    flag_key_template() { en: "the sender's settings made the identity", zh: "标识由来源设置生成" }
    flag_unmapped() { en: "the mapping of its sender does not fit it; it was read as without one", zh: "不适用该来源的映射，已按常规解析" }
    flag_urgent_anyway() { en: "it says P0 itself, so it stays P0 although the mapping makes it milder", zh: "消息自身写明 P0，故不按映射降级" }
    flag_key() { en: "the identity was too long and was hashed", zh: "标识过长，已取哈希" }
}

pub(crate) fn state(l: Language, state: IncidentState) -> String {
    match state {
        IncidentState::Triggered => triggered(l),
        IncidentState::Acked => acked(l),
        IncidentState::Snoozed => snoozed(l),
        IncidentState::Resolved => resolved(l),
    }
}

pub(crate) fn severity(l: Language, severity: Severity) -> String {
    match severity {
        Severity::P0 => level_0(l),
        Severity::P1 => level_1(l),
        Severity::P2 => level_2(l),
        Severity::P3 => level_3(l),
        Severity::P4 => level_4(l),
        Severity::P5 => level_5(l),
        Severity::P6 => level_6(l),
    }
}

pub(crate) fn attempt(l: Language, state: AttemptState) -> String {
    match state {
        AttemptState::Planned => planned(l),
        AttemptState::Sending => sending(l),
        AttemptState::Retrying => retrying(l),
        AttemptState::Accepted => accepted(l),
        AttemptState::Failed => failed(l),
        AttemptState::Cancelled => cancelled(l),
    }
}

pub(crate) fn channel(l: Language, kind: ContactKind) -> String {
    match kind {
        ContactKind::Email => email(l),
        ContactKind::Ntfy => ntfy(l),
        ContactKind::Webhook => webhook(l),
        ContactKind::Push => push(l),
        ContactKind::Sms => sms(l),
        ContactKind::Voice => voice(l),
        ContactKind::Slack => slack(l),
        ContactKind::Teams => teams_chat(l),
        ContactKind::Telegram => telegram(l),
        ContactKind::DingTalk => dingtalk(l),
        ContactKind::Feishu => feishu(l),
        ContactKind::WeCom => wecom(l),
    }
}

pub(crate) fn format(l: Language, format: Format) -> String {
    match format {
        Format::Bracket => bracket(l),
        Format::Falcon => falcon(l),
        Format::Combined => combined(l),
        Format::Json => json(l),
        Format::Alertmanager => "Prometheus".to_owned(),
        Format::Opsgenie => "Opsgenie".to_owned(),
        Format::Zabbix => "Zabbix".to_owned(),
        Format::Nightingale => "Nightingale".to_owned(),
        Format::UptimeKuma => "Uptime Kuma".to_owned(),
        Format::PagerDuty => "PagerDuty".to_owned(),
        Format::Nagios => "Nagios".to_owned(),
        Format::Alerta => "Alerta".to_owned(),
        Format::Slack => "Slack".to_owned(),
        Format::CloudEvents => "CloudEvents".to_owned(),
        Format::Sns => "SNS".to_owned(),
        Format::GitHub => "GitHub".to_owned(),
        Format::Sentry => "Sentry".to_owned(),
        Format::Syslog => "Syslog".to_owned(),
        Format::Forward => "Fluentd".to_owned(),
        Format::Mail => mail(l),
        Format::Text => plain_text(l),
    }
}

pub(crate) fn role(l: Language, role: Role) -> String {
    match role {
        Role::Viewer => super::frame::role_viewer(l),
        Role::Responder => super::frame::role_responder(l),
        Role::Network => super::frame::role_network(l),
        Role::Admin => super::frame::role_admin(l),
    }
}

pub(crate) fn outcome(l: Language, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Opened { incident, .. } => opened_as(l, incident.0),
        Outcome::Refreshed { incident, .. } => refreshed_of(l, incident.0),
        Outcome::Acknowledged { incident, .. } => acknowledged_of(l, incident.0),
        Outcome::Closed { incident, .. } => closed_of(l, incident.0),
        Outcome::Suppressed { reason: SuppressReason::Stale } => suppressed_stale(l),
        Outcome::Suppressed { reason: SuppressReason::Over { by } } => suppressed_over(l, by.0),
        Outcome::Dropped { reason: DropReason::Overtaken { .. } } => dropped_overtaken(l),
        Outcome::Suppressed { reason: SuppressReason::Heartbeat { heartbeat } } => {
            suppressed_beat(l, heartbeat.as_str())
        }
        Outcome::Suppressed { reason: SuppressReason::Change } => suppressed_change(l),
        Outcome::Dropped { reason: DropReason::UnmatchedAck } => dropped_ack(l),
        Outcome::Dropped { reason: DropReason::UnmatchedResolve } => dropped_unmatched(l),
        Outcome::Dropped { reason: DropReason::Duplicate { of } } => dropped_duplicate(l, of.0),
        Outcome::Rejected { reason } => rejected(l, &reject(l, reason)),
    }
}

pub(crate) fn reject(l: Language, reason: &RejectReason) -> String {
    match reason {
        RejectReason::Empty => reject_empty(l),
        RejectReason::BadJson { detail } => reject_json(l, detail),
        RejectReason::TooDeep { limit } => reject_deep(l, *limit),
        RejectReason::NotAnObject { found } => reject_object(l, found),
        RejectReason::TooMany { limit, found } => reject_many(l, *found, *limit),
        RejectReason::NoContent { detail } => reject_content(l, detail),
        RejectReason::BadEvent { faults } => reject_event(l, &faults.join("; ")),
    }
}

pub(crate) fn flag(l: Language, flag: Flag) -> String {
    match flag {
        Flag::LevelOutOfRange => flag_level(l),
        Flag::UnknownStatus => flag_status(l),
        Flag::BadIp => flag_ip(l),
        Flag::Truncated => flag_truncated(l),
        Flag::TrailingText => flag_trailing(l),
        Flag::NoContent => flag_no_content(l),
        Flag::CutUtf8 => flag_cut_utf8(l),
        Flag::Gb18030 => flag_gb18030(l),
        Flag::LossyText => flag_lossy(l),
        Flag::ControlCharacters => flag_control(l),
        Flag::DefaultSeverity => flag_default(l),
        Flag::ClockSkew => flag_skew(l),
        Flag::Stale => flag_stale(l),
        Flag::LabelsCut => flag_labels(l),
        Flag::Poison => flag_poison(l),
        Flag::Merged => flag_merged(l),
        Flag::KeyHashed => flag_key(l),
        Flag::AssumedEnd => flag_assumed_end(l),
        Flag::KeyTemplate => flag_key_template(l),
        Flag::Unmapped => flag_unmapped(l),
        Flag::UrgentAnyway => flag_urgent_anyway(l),
    }
}

/// Who a page is for, by name where the page knows it.
pub(crate) fn recipient(names: &std::collections::BTreeMap<shared::PersonId, String>, recipient: &Recipient) -> String {
    match recipient {
        Recipient::Person(id) => names.get(id).cloned().unwrap_or_else(|| id.to_string()),
        Recipient::Webhook(id) => id.to_string(),
    }
}
