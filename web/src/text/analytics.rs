//! Figures about the past.

use crate::format::grouped;
use shared::config::Language;

shared::messages! {
    lead() { en: "How soon people answered, whom it woke, and what to mend first.", zh: "响应有多快，惊醒了谁，最该先修什么。" }
    range() { en: "Range", zh: "时间范围" }
    team() { en: "Team", zh: "团队" }
    channels() { en: "Deliveries by channel", zh: "各渠道送达情况" }
    channels_is() { en: "Messages that were handed over in this range, and how long it took until the receiver confirmed that it took them. A message about several incidents counts once.", zh: "该范围内发出的消息，以及接收方确认收下所用的时间。涉及多个事件的一条消息只计一次。" }
    channel() { en: "Channel", zh: "渠道" }
    day() { en: "Day", zh: "日期" }
    sent() { en: "Sent", zh: "已发送" }
    accepted() { en: "Confirmed", zh: "已确认收下" }
    failed() { en: "Failed", zh: "失败" }
    not_known() { en: "Under way", zh: "进行中" }
    cancelled() { en: "Called off", zh: "已取消" }
    retried() { en: "Tried again", zh: "重试过" }
    days(n: &str) { en: "{n} days", zh: "{n} 天" }
    from() { en: "From", zh: "从" }
    until() { en: "To", zh: "到" }
    show() { en: "Show", zh: "查看" }
    not_a_range() { en: "Choose two days, the second not before the first.", zh: "请选择两个日期，结束日期不得早于开始日期。" }
    severity() { en: "Severity", zh: "级别" }
    all() { en: "All", zh: "全部" }
    nothing() { en: "Nothing happened in this range", zh: "此时间范围内没有任何事件" }
    nothing_why() { en: "Figures appear here once incidents have opened in it. Choose a longer range, or all severities.", zh: "该范围内出现事件后，这里会显示统计数据。可选择更长的范围或全部级别。" }
    summary(incidents: &str, messages: &str, unpaged: &str) { en: "{incidents} opened, {messages} came in; {unpaged} of them with a part that went to no incident.", zh: "共产生 {incidents}，收到 {messages}；其中 {unpaged} 条有部分内容未进入任何事件。" }
    cut(since: &str) { en: "There was more than is looked at: incidents are counted from {since} on.", zh: "数据过多：仅统计 {since} 之后的事件。" }
    csv() { en: "CSV", zh: "CSV" }
    csv_of(what: &str) { en: "{what} as CSV", zh: "下载 CSV：{what}" }
    numbers() { en: "Numbers", zh: "具体数字" }
    acknowledge() { en: "Time to acknowledge", zh: "确认用时" }
    acknowledge_is() { en: "From opening until somebody first acknowledged, snoozed or resolved it by hand; of incidents that rang for somebody.", zh: "从事件产生到首次有人确认、暂停或手动解决；仅统计通知过人员的事件。" }
    resolve() { en: "Time to resolve", zh: "解决用时" }
    resolve_is() { en: "From opening until it was over, by itself or by hand.", zh: "从事件产生到结束，包括自行恢复和手动解决。" }
    within(half: &str, nine: &str, most: &str) { en: "Half within {half}, 90 % within {nine}, 99 % within {most}.", zh: "50% 在 {half} 内，90% 在 {nine} 内，99% 在 {most} 内。" }
    over_without(never: &str) { en: "Over without: {never}.", zh: "直到结束也没有：{never}。" }
    still_open(waiting: &str) { en: "Still open: {waiting}.", zh: "仍未结束：{waiting}。" }
    none_done() { en: "None yet.", zh: "暂无。" }
    up_to(length: &str) { en: "up to {length}", zh: "不超过 {length}" }
    longer() { en: "longer", zh: "更久" }
    took() { en: "It took", zh: "用时" }
    done() { en: "Done", zh: "已完成" }
    never() { en: "Never", zh: "从未" }
    waiting() { en: "Open", zh: "未结束" }
    incidents() { en: "Incidents", zh: "事件" }
    people() { en: "Pages per person", zh: "每人收到的通知" }
    people_is() { en: "Pages that rang, by day on the person's own clock; the stronger part from 22:00 to 07:00.", zh: "按各人所在时区逐日统计的响铃通知；醒目部分为 22:00 至 07:00。" }
    nobody_paged() { en: "Nobody was paged.", zh: "没有通知任何人。" }
    person() { en: "Person", zh: "人员" }
    pages() { en: "Pages", zh: "通知" }
    night() { en: "At night", zh: "夜间" }
    weekend() { en: "Weekend", zh: "周末" }
    nights() { en: "Nights woken", zh: "被惊醒的夜晚" }
    by_day() { en: "By day", zh: "按日" }
    busiest(day: &str, pages: &str, night: u32) { en: "Most on {day}: {pages}, {night} at night", zh: "最多为 {day}：{pages}，其中夜间 {night} 次" }
    hours() { en: "Hours of the week", zh: "一周各时段" }
    hours_is(zone: &str) { en: "When it rings, and how soon somebody answers; on the clock of {zone}.", zh: "何时响铃，多久有人响应；时区为 {zone}。" }
    hour() { en: "Hour", zh: "时" }
    median() { en: "Median answer", zh: "响应中位数" }
    hour_says(when: &str, pages: &str, incidents: &str, took: &str) { en: "{when}: {pages}, {incidents}, median answer {took}", zh: "{when}：{pages}，{incidents}，响应中位数 {took}" }
    no_answer() { en: "none", zh: "无" }
    noise() { en: "What to mend first", zh: "最该先修什么" }
    noise_is() { en: "Sorted by pages nobody needed: those of incidents that were over by themselves before anybody answered.", zh: "按无谓通知的次数排序：事件在有人响应之前就已自行恢复。" }
    more_in_csv(shown: &str, total: &str) { en: "{shown} of {total} are shown; the CSV has more.", zh: "共 {total} 项，显示前 {shown} 项；更多内容见 CSV。" }
    what() { en: "What", zh: "内容" }
    unneeded() { en: "For nothing", zh: "无谓通知" }
    acknowledged() { en: "Acknowledged", zh: "已确认" }
    by_itself() { en: "By itself", zh: "自行恢复" }
    again() { en: "Again", zh: "再次发生" }
    flapped() { en: "Flapped", zh: "抖动" }
    silenced() { en: "Silenced", zh: "被静默" }
    search_board(host: &str) { en: "Search the board for {host}", zh: "在面板中搜索 {host}" }
    routes() { en: "By route", zh: "按路由" }
    policies() { en: "By policy", zh: "按升级策略" }
    quiet() { en: "What kept things quiet", zh: "哪些规则减少了打扰" }
    quiet_is() { en: "Silences, maintenance, inhibition, and routes that wait; with the incidents that rang all the same, before or after.", zh: "静默、维护、抑制以及延迟通知的路由；并列出之前或之后仍然响铃的事件。" }
    kind() { en: "By", zh: "方式" }
    name() { en: "Which", zh: "名称" }
    rang() { en: "Rang", zh: "仍响铃" }
    silence() { en: "Silence", zh: "静默" }
    maintenance() { en: "Maintenance", zh: "维护" }
    suspect() { en: "Suspicion", zh: "疑似共同故障" }
    inhibition() { en: "Inhibition", zh: "抑制" }
    mute() { en: "Muted route", zh: "路由静音时段" }
    hold() { en: "Hold", zh: "延迟通知" }
    coverage() { en: "Coverage", zh: "值班覆盖" }
    coverage_is() { en: "The part of the range that is over: times with nobody on call, and what each person carried.", zh: "该范围内已过去的部分：无人值班的时间，以及每人承担的值班时长。" }
    covered() { en: "Somebody was on call all the time.", zh: "始终有人值班。" }
    gaps(count: &str, length: &str) { en: "Nobody was on call {count}, {length} together.", zh: "有 {count}无人值班，共 {length}。" }
    on_call() { en: "On call", zh: "值班时长" }
    shifts() { en: "Shifts", zh: "班次" }
    holidays() { en: "Holidays", zh: "节假日" }
    load_csv() { en: "Load", zh: "值班时长" }
    gaps_csv() { en: "Gaps", zh: "空档" }
}

/// So many of something, with the word that goes with the number.
fn counted(l: Language, n: u64, [one, more, zh]: [&str; 3]) -> String {
    match (l, n) {
        (Language::En, 1) => format!("1 {one}"),
        (Language::En, n) => format!("{} {more}", grouped(n)),
        (Language::Zh, n) => format!("{} {zh}", grouped(n)),
    }
}

pub(crate) fn of_incidents(l: Language, n: u32) -> String {
    counted(l, n.into(), ["incident", "incidents", "个事件"])
}

pub(crate) fn of_messages(l: Language, n: u64) -> String {
    counted(l, n, ["message", "messages", "条消息"])
}

pub(crate) fn of_pages(l: Language, n: u32) -> String {
    counted(l, n.into(), ["page", "pages", "次通知"])
}

pub(crate) fn of_times(l: Language, n: usize) -> String {
    match (l, n) {
        (Language::En, 1) => "once".to_owned(),
        _ => counted(l, n as u64, ["time", "times", "段时间"]),
    }
}
