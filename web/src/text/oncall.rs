//! Who is on call, and how policies and routes lead to them.

use shared::config::{Language, Level, Target};

shared::messages! {
    lead() { en: "Who is paged now, and for the next two weeks.", zh: "当前及未来两周由谁值班。" }
    nobody() { en: "Nobody is on call. Pages of this schedule go to nobody.", zh: "当前无人值班，该值班表不会通知任何人。" }
    is_ready(who: &str, from: &str) { en: "{who} is ready for the shift from {from}", zh: "{who} 已确认 {from} 起的值班" }
    not_ready(who: &str, from: &str) { en: "{who} has not confirmed the shift from {from}", zh: "{who} 尚未确认 {from} 起的值班" }
    not_reached(why: &str) { en: "Nothing reached them: {why}", zh: "通知未能送达：{why}" }
    ready() { en: "I am ready", zh: "我已就绪" }
    until(at: &str) { en: "until {at}", zh: "至 {at}" }
    covers(who: &str) { en: "covering for {who}", zh: "替 {who} 代班" }
    covering() { en: "override", zh: "代班" }
    gap(from: &str, until: &str, length: &str) { en: "Gap: nobody from {from} to {until} ({length})", zh: "空档：{from} 至 {until} 无人值班（{length}）" }
    no_gaps() { en: "Covered for the next two weeks", zh: "未来两周均有人值班" }
    no_schedules() { en: "No schedule is configured: nobody is paged through one.", zh: "尚未配置值班表，不会通过值班表通知任何人。" }
    zone() { en: "Times in", zh: "时区" }
    zone_schedule() { en: "Schedule's zone", zh: "值班表时区" }
    zone_mine() { en: "My zone", zh: "我的时区" }
    strip(name: &str) { en: "{name}: the next 14 days", zh: "{name}：未来 14 天" }
    you() { en: "you", zh: "您" }
    policies_lead() { en: "Who is told, in what order, until somebody answers.", zh: "按什么顺序通知谁，直到有人响应。" }
    no_policies() { en: "No policy is configured.", zh: "尚未配置升级策略。" }
    level(n: usize) { en: "Level {n}", zh: "第 {n} 级" }
    at_once() { en: "at once", zh: "立即" }
    in_turn() { en: "one of them, in turn", zh: "其中一人，依次轮流" }
    all_answer() { en: "everybody must answer", zh: "所有人都必须响应" }
    ack_holds(time: &str) { en: "an acknowledgement holds {time}", zh: "认领有效期 {time}" }
    ack_holds_on() { en: "an acknowledgement does not run out", zh: "认领不会超时" }
    only_for(severities: &str) { en: "only for {severities}", zh: "仅限 {severities}" }
    only_during(windows: &str) { en: "only during {windows}", zh: "仅在 {windows} 时段" }
    not_during(windows: &str) { en: "not during {windows}", zh: "{windows} 时段除外" }
    only_alerts(n: u32) { en: "only with {n} alerts or more", zh: "仅当告警不少于 {n} 条" }
    wait(time: &str) { en: "{time} without an answer", zh: "{time} 内无人响应" }
    repeat_once() { en: "then the whole once more", zh: "之后整体再重复 1 次" }
    repeat(n: u32) { en: "then the whole again, {n} more times", zh: "之后整体再重复 {n} 次" }
    ends() { en: "then it is used up; P0 and P1 go on being reminded", zh: "之后执行完毕；P0、P1 会继续提醒" }
    routes_lead() { en: "Asked from top to bottom; the first match decides unless it goes on.", zh: "自上而下匹配；首个匹配生效，除非标明继续。" }
    no_routes() { en: "No route is configured: everything goes to the fallback.", zh: "尚未配置路由：全部通知兜底联系人。" }
    team_is(id: &str) { en: "team {id}", zh: "团队 {id}" }
    everything() { en: "everything", zh: "全部" }
    continues() { en: "goes on asking", zh: "继续匹配" }
    sets_level() { en: "sets", zh: "设为" }
    inherits() { en: "policy of its parent", zh: "沿用上级策略" }
    read_only() { en: "Changed in the configuration", zh: "在配置中修改" }
    person(id: &str) { en: "{id}", zh: "{id}" }
    schedule(id: &str) { en: "whoever is on call in {id}", zh: "{id} 的值班人" }
    team(id: &str) { en: "everybody in team {id}", zh: "团队 {id} 全员" }
    webhook(id: &str) { en: "webhook {id}", zh: "Webhook {id}" }
    rotation_hours(people: &str, n: u32, at: &str) { en: "{people}, {n} h each, from {at}", zh: "{people} 轮值，自 {at} 起每 {n} 小时交接" }
    rotation_months(people: &str, n: u32, at: &str) { en: "{people}, {n} months each, handed over at {at}", zh: "{people} 轮值，每 {n} 个月于 {at} 交接" }
    rotation_day(people: &str, at: &str) { en: "{people}, a day each, handed over at {at}", zh: "{people} 每日轮值，{at} 交接" }
    rotation_days(people: &str, n: u32, at: &str) { en: "{people}, {n} days each, handed over at {at}", zh: "{people} 轮值，每 {n} 天于 {at} 交接" }
    rotation_week(people: &str, at: &str) { en: "{people}, a week each, handed over at {at}", zh: "{people} 每周轮值，{at} 交接" }
    rotation_weeks(people: &str, n: u32, at: &str) { en: "{people}, {n} weeks each, handed over at {at}", zh: "{people} 轮值，每 {n} 周于 {at} 交接" }
}

/// A target in words; `name` is a person's name where it is known.
pub(crate) fn target(l: Language, target: &Target, name: Option<&str>) -> String {
    match target {
        Target::Person(id) => person(l, name.unwrap_or(id.as_str())),
        Target::Schedule(id) => schedule(l, id.as_str()),
        Target::Team(id) => team(l, id.as_str()),
        Target::Webhook(id) => webhook(l, id.as_str()),
    }
}

/// What is special about a level, in words.
pub(crate) fn level_notes(l: Language, level: &Level) -> Vec<String> {
    let when = &level.when;
    let list = |items: Vec<&str>| items.join(", ");
    let mut notes: Vec<String> = level.round_robin.then(|| in_turn(l)).into_iter().collect();
    notes.extend(level.everyone.then(|| all_answer(l)));
    notes.extend(level.ack_timeout.map(|delay| match delay.0 {
        0 => ack_holds_on(l),
        ms => ack_holds(l, &shared::text::span(l, ms)),
    }));
    if !when.severity.is_empty() {
        notes.push(only_for(l, &list(when.severity.iter().map(|it| it.as_str()).collect())));
    }
    if !when.during.is_empty() {
        notes.push(only_during(l, &list(when.during.iter().map(|it| it.as_str()).collect())));
    }
    if !when.except.is_empty() {
        notes.push(not_during(l, &list(when.except.iter().map(|it| it.as_str()).collect())));
    }
    notes.extend(when.alerts.map(|n| only_alerts(l, n)));
    notes
}
