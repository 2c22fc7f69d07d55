//! The configuration as it was.

use shared::NounKind;

shared::messages! {
    title() { en: "Configuration versions", zh: "配置版本" }
    lead() { en: "Every configuration that was in force, with what it changed.", zh: "曾经生效的每个配置及其更改。" }
    version(n: i64) { en: "version {n}", zh: "版本 {n}" }
    by(who: &str) { en: "by {who}", zh: "由 {who}" }
    in_force_since(from: &str) { en: "in force since {from}", zh: "自 {from} 起生效" }
    in_force(from: &str, until: &str) { en: "in force from {from} to {until}", zh: "{from} 至 {until} 生效" }
    today(n: i64) { en: "today's is version {n}", zh: "当前为版本 {n}" }
    today_same(n: i64) { en: "today's is version {n}, which says the same", zh: "当前为版本 {n}，内容相同" }
    today_gone(n: i64) { en: "today's is version {n}, which no longer has it", zh: "当前为版本 {n}，已不再包含" }
    was_not(n: i64) { en: "Version {n} did not have it.", zh: "版本 {n} 中没有此项。" }
    no_changes() { en: "nothing changed", zh: "无更改" }
    as_it_was() { en: "As it was", zh: "当时的内容" }
    changes() { en: "As it was, and what changed since", zh: "当时的内容及此后的更改" }
    since() { en: "Changed since", zh: "此后的更改" }
    gone() { en: "removed since", zh: "此后删除" }
    new() { en: "added since", zh: "此后新增" }
    on_call(at: &str) { en: "On call at {at}", zh: "{at} 的值班人" }
    nobody() { en: "Nobody was on call.", zh: "当时无人值班。" }
    calendar() { en: "Open the calendar", zh: "打开日历" }
    level(n: u32) { en: "It was level {n}.", zh: "所用为第 {n} 级。" }
    rule(n: u32) { en: "It was rule {n}.", zh: "所用为第 {n} 条规则。" }
    older() { en: "Older versions", zh: "更早的版本" }
    policy() { en: "Policy", zh: "策略" }
    route() { en: "Route", zh: "路由" }
    schedule() { en: "Schedule", zh: "值班表" }
    team() { en: "Team", zh: "团队" }
    person() { en: "Person", zh: "人员" }
    contact() { en: "Contact", zh: "联系方式" }
    webhook() { en: "Webhook", zh: "Webhook" }
    integration() { en: "Sender", zh: "来源" }
    time_window() { en: "Time window", zh: "时段" }
    inhibition() { en: "Inhibition", zh: "抑制规则" }
    heartbeat() { en: "Heartbeat", zh: "心跳" }
    silence() { en: "Silence", zh: "静默" }
    incident() { en: "Incident", zh: "事件" }
    mirror() { en: "Port mirror", zh: "端口镜像" }
}

/// What kind of thing it is.
pub(crate) fn kind(l: shared::config::Language, kind: NounKind) -> String {
    match kind {
        NounKind::Policy => policy(l),
        NounKind::Route => route(l),
        NounKind::Schedule => schedule(l),
        NounKind::Team => team(l),
        NounKind::Person => person(l),
        NounKind::Contact => contact(l),
        NounKind::Webhook => webhook(l),
        NounKind::Integration => integration(l),
        NounKind::TimeWindow => time_window(l),
        NounKind::Inhibition => inhibition(l),
        NounKind::Heartbeat => heartbeat(l),
        NounKind::Version => title(l),
        NounKind::Silence => silence(l),
        NounKind::Incident => incident(l),
        NounKind::Mirror => mirror(l),
    }
}
