//! Why somebody was not paged at a moment that is over.

shared::messages! {
    title() { en: "Why not me?", zh: "为何没有通知我？" }
    lead() { en: "It did not ring, or it rang late: what was going on then, and the reason for each of it.", zh: "没有响铃，或响得太晚：当时发生了什么，以及每件事的原因。" }
    person() { en: "Who", zh: "谁" }
    at() { en: "When", zh: "时间" }
    words() { en: "Machine or words (optional)", zh: "主机或关键词（可选）" }
    within() { en: "Before and after", zh: "前后范围" }
    ask() { en: "Ask", zh: "查询" }
    not_a_time() { en: "Choose a day and a time that is over.", zh: "请选择一个已经过去的日期和时间。" }
    nobody() { en: "There are no people in the configuration yet.", zh: "配置中尚无人员。" }
    span(from: &str, until: &str) { en: "{from} to {until}", zh: "{from} 至 {until}" }
    duties(name: &str) { en: "Was {name} on call?", zh: "{name} 当时值班吗？" }
    no_duties(name: &str) { en: "{name} takes part in no schedule.", zh: "{name} 未加入任何值班表。" }
    on_call() { en: "on call", zh: "值班" }
    off_duty() { en: "not on call", zh: "不值班" }
    others(names: &str) { en: "with {names}", zh: "同时值班：{names}" }
    instead(names: &str) { en: "it was {names}", zh: "当时由 {names} 值班" }
    nobody_was() { en: "nobody was", zh: "当时无人值班" }
    incidents() { en: "Incidents", zh: "事件" }
    no_incidents() { en: "In no incident did anything happen then.", zh: "当时没有任何事件发生。" }
    not_paged() { en: "No page: ", zh: "未通知：" }
    paged(at: &str, policy: &str, level: u32) { en: "Paged at {at} by level {level} of policy {policy}", zh: "{at} 由策略 {policy} 的第 {level} 级通知" }
    came_to(state: &str) { en: "best delivery: {state}", zh: "最佳送达结果：{state}" }
    messages() { en: "Messages that paged nobody", zh: "未通知任何人的消息" }
    no_messages() { en: "Every message of that time went to an incident.", zh: "当时的每条消息都进入了事件。" }
    more() { en: "There was more than is shown here: choose a shorter range, or name the machine.", zh: "内容未全部显示：请缩小时间范围或指定主机。" }
}
