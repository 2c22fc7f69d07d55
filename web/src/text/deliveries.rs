//! Deliveries, and how those who carry them do.

use shared::{AttemptState, Fault, api::HealthState, config::Language};

shared::messages! {
    title() { en: "Deliveries", zh: "发送记录" }
    lead() { en: "Everything that was sent, by whom, and how long each step took.", zh: "发送过的所有消息：由谁承载，每一步用了多久。" }
    providers() { en: "Who carries it", zh: "服务商状态" }
    providers_is() { en: "The last 24 hours, by five minutes.", zh: "最近 24 小时，每 5 分钟一格。" }
    no_providers() { en: "Nothing was sent in the last 24 hours", zh: "最近 24 小时没有发送任何消息" }
    no_providers_why() { en: "How each provider does appears here with the first page.", zh: "发出第一条通知后，这里会显示各服务商的状态。" }
    list() { en: "Every delivery", zh: "全部发送" }
    none() { en: "Nothing was sent", zh: "没有发送记录" }
    none_why() { en: "Deliveries appear here as soon as somebody is paged.", zh: "一旦通知了人员，这里就会出现发送记录。" }
    none_like_it() { en: "Nothing like that was sent", zh: "没有符合条件的发送记录" }
    show_all() { en: "Show all of them", zh: "显示全部" }
    csv() { en: "CSV", zh: "CSV" }
    csv_of() { en: "These deliveries as CSV", zh: "下载 CSV：当前筛选的发送记录" }
    when() { en: "Sent", zh: "发送时间" }
    about() { en: "About", zh: "内容" }
    to() { en: "To", zh: "收件人" }
    by() { en: "By", zh: "承载方" }
    became() { en: "What became of it", zh: "结果" }
    state() { en: "State", zh: "状态" }
    severity() { en: "Severity", zh: "级别" }
    provider() { en: "Provider", zh: "服务商" }
    person() { en: "Person", zh: "人员" }
    within() { en: "Time", zh: "时间" }
    any() { en: "All", zh: "全部" }
    last_hour() { en: "Last hour", zh: "最近 1 小时" }
    last_day() { en: "Last 24 hours", zh: "最近 24 小时" }
    last_week() { en: "Last 7 days", zh: "最近 7 天" }
    taken() { en: "Taken", zh: "已接收" }
    failed() { en: "Failed", zh: "失败" }
    half(time: &str) { en: "half within {time}", zh: "50% 在 {time} 内" }
    most(time: &str) { en: "95 % within {time}", zh: "95% 在 {time} 内" }
    counts(taken: u32, failed: u32) { en: "{taken} taken, {failed} failed", zh: "接收 {taken}，失败 {failed}" }
    last_error() { en: "Last error", zh: "最近错误" }
    graph(provider: &str) { en: "{provider}: taken and failed", zh: "{provider}：接收与失败" }
    queued_for(time: &str) { en: "queued {time}", zh: "排队 {time}" }
    taken_after(time: &str) { en: "taken {time}", zh: "接收 {time}" }
    delivered_after(time: &str) { en: "on the phone {time}", zh: "到达手机 {time}" }
    shown_after(time: &str) { en: "shown {time}", zh: "已显示 {time}" }
    seen_after(time: &str) { en: "touched {time}", zh: "已操作 {time}" }
    failed_after(time: &str) { en: "given up {time}", zh: "放弃 {time}" }
    tries(n: u32) { en: "{n} tries", zh: "尝试 {n} 次" }
    hops() { en: "How long each step took, since it was sent", zh: "自发送起每一步的用时" }
    key(key: &str) { en: "Key {key}", zh: "标识 {key}" }
    fault_method() { en: "This contact does not work; others are reached as before.", zh: "该联系方式无效；其他人不受影响。" }
    fault_provider() { en: "The provider refuses our account or its settings: nobody is reached this way.", zh: "服务商拒绝了我们的账号或设置：无法以此方式通知任何人。" }
    whole_proof() { en: "Proof of deliveries", zh: "发送与响应的存证" }
}

pub(crate) fn state_name(l: Language, state: AttemptState) -> String {
    let (en, zh) = match state {
        AttemptState::Planned => ("Planned", "计划中"),
        AttemptState::Sending => ("Under way", "发送中"),
        AttemptState::Retrying => ("To be tried again", "待重试"),
        AttemptState::Accepted => ("Taken", "已接收"),
        AttemptState::Failed => ("Failed", "失败"),
        AttemptState::Cancelled => ("Called off", "已取消"),
    };
    if l == Language::Zh { zh } else { en }.to_owned()
}

pub(crate) fn health_name(l: Language, state: HealthState) -> String {
    let (en, zh) = match state {
        HealthState::Idle => ("Nothing to say", "暂无数据"),
        HealthState::Ok => ("Well", "正常"),
        HealthState::Degraded => ("Degraded", "不稳定"),
        HealthState::Failing => ("Failing", "故障"),
    };
    if l == Language::Zh { zh } else { en }.to_owned()
}

/// Whose fault it is, where that is known.
pub(crate) fn fault(l: Language, fault: Fault) -> Option<String> {
    match fault {
        Fault::Unknown | Fault::Unsent => None,
        Fault::Method => Some(fault_method(l)),
        Fault::Provider => Some(fault_provider(l)),
    }
}
