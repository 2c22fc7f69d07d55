//! The routing tree: drawn, edited, tried on a message and on what was stored.

shared::messages! {
    no_policy() { en: "no policy", zh: "无策略" }
    whole_text() { en: "Whole configuration", zh: "完整配置" }
    is() { en: "is", zh: "等于" }
    is_not() { en: "is not", zh: "不等于" }
    like() { en: "matches", zh: "匹配" }
    not_like() { en: "does not match", zh: "不匹配" }
    within() { en: "in", zh: "属于" }
    not_within() { en: "not in", zh: "不属于" }
    absent() { en: "(empty)", zh: "（空）" }
    grouped(by: &str, window: &str) { en: "one incident by {by}, within {window}", zh: "按 {by} 合并为一个事件（{window}内）" }
    grouped_all(window: &str) { en: "all in one incident, within {window}", zh: "全部合并为一个事件（{window}内）" }
    holds(time: &str) { en: "waits {time} for a recovery", zh: "等待恢复 {time}" }
    holds_p0(time: &str) { en: "P0 waits {time}", zh: "P0 等待 {time}" }
    active_in(windows: &str) { en: "pages only during {windows}", zh: "仅在 {windows} 时段通知" }
    always_active() { en: "pages at any time", zh: "任何时段均通知" }
    muted_in(windows: &str) { en: "pages wait while {windows}", zh: "{windows} 时段内暂缓通知" }
    never_muted() { en: "never muted", zh: "不暂缓" }
    stale_in(time: &str) { en: "stale after {time}", zh: "{time}未再收到视为失联" }
    never_stale() { en: "never stale", zh: "不判定失联" }
    stale_marks() { en: "what is stale stays open", zh: "失联后保持未恢复" }
    stale_closes() { en: "what is stale is closed", zh: "失联后关闭" }
    took(incidents: &str, pages: &str) { en: "incidents in 7 days: {incidents}, pages: {pages}", zh: "7 天内 {incidents} 个事件、{pages} 次通知" }
    took_none() { en: "nothing in 7 days", zh: "7 天内无事件" }
    rest() { en: "Everything else", zh: "其余全部" }
    rest_fallback(who: &str) { en: "P0 and P1 page the fallback ({who}); what is less urgent is shown and pages nobody.", zh: "P0、P1 通知兜底联系人（{who}）；其他级别只显示，不通知。" }
    rest_nobody() { en: "There is no fallback: whatever no route takes is shown and pages nobody.", zh: "没有兜底联系人：未被路由匹配的告警只显示，不通知任何人。" }
    rest_unknown() { en: "P0 and P1 page the fallback; what is less urgent is shown and pages nobody.", zh: "P0、P1 通知兜底联系人；其他级别只显示，不通知。" }
    elsewhere() { en: "It also means", zh: "此外" }
    edit(id: &str) { en: "Edit route {id}", zh: "编辑路由 {id}" }
    up(id: &str) { en: "Move {id} up", zh: "上移 {id}" }
    down(id: &str) { en: "Move {id} down", zh: "下移 {id}" }
    nest() { en: "Below the one before", zh: "移入上一条之下" }
    unnest() { en: "Out of its parent", zh: "移出上级" }
    remove() { en: "Remove", zh: "删除" }
    add() { en: "Add a route", zh: "添加路由" }
    add_first() { en: "Add a route before all others", zh: "在最前面添加路由" }
    add_after() { en: "Add after it", zh: "在其后添加" }
    add_below() { en: "Add below it", zh: "在其下添加" }
    done() { en: "Done", zh: "完成" }
    id() { en: "Id", zh: "标识" }
    conditions() { en: "Takes an alert when all of this holds", zh: "以下条件全部满足时匹配" }
    conditions_none() { en: "No condition: it takes everything that comes this far.", zh: "无条件：匹配到达此处的全部告警。" }
    condition_field(n: usize) { en: "Field of condition {n}", zh: "条件 {n} 的字段" }
    condition_operator(n: usize) { en: "Comparison of condition {n}", zh: "条件 {n} 的比较方式" }
    condition_value(n: usize) { en: "Value of condition {n}", zh: "条件 {n} 的值" }
    condition_remove(n: usize) { en: "Remove condition {n}", zh: "删除条件 {n}" }
    condition_add() { en: "Add a condition", zh: "添加条件" }
    as_text() { en: "As text", zh: "以文本编辑" }
    as_fields() { en: "As fields", zh: "以字段编辑" }
    text_hint() { en: "One condition a line: host=~\"db-.*\", severity!=P6, ip in 10.0.0.0/8, time in office", zh: "每行一个条件：host=~\"db-.*\"、severity!=P6、ip in 10.0.0.0/8、time in office" }
    policy() { en: "Policy", zh: "升级策略" }
    team() { en: "Team", zh: "团队" }
    severity() { en: "Severity", zh: "级别" }
    inherited() { en: "as its parent", zh: "沿用上级" }
    none_chosen() { en: "none", zh: "无" }
    as_sent() { en: "as sent", zh: "按消息" }
    goes_on() { en: "Go on with the next route although this one matched", zh: "匹配后仍继续下一条路由" }
    more() { en: "Groups, waiting, staleness, annotations", zh: "合并、等待、失联、附注" }
    group() { en: "Alerts that belong together are one incident", zh: "同类告警合并为一个事件" }
    group_by() { en: "Fields that agree", zh: "相同的字段" }
    group_by_hint() { en: "Such as service, labels.cluster; empty puts all of the route together", zh: "例如 service, labels.cluster；留空则整条路由合并" }
    group_window() { en: "Joins within", zh: "合并窗口" }
    group_limit() { en: "At most", zh: "最多条数" }
    group_missing() { en: "Two that lack a field agree in it", zh: "都缺少该字段也视为相同" }
    hold() { en: "Wait so long for a recovery", zh: "等待恢复的时长" }
    hold_p0() { en: "The same for P0", zh: "P0 的等待时长" }
    length_hint() { en: "Such as 30s or 2m; empty: as its parent", zh: "例如 30s 或 2m；留空沿用上级" }
    active() { en: "Page only during", zh: "仅在以下时段通知" }
    mute() { en: "Wait with pages during", zh: "在以下时段暂缓通知" }
    windows_hint() { en: "Ids of time windows, with commas between; empty: as its parent, `-`: none", zh: "时段标识，用逗号分隔；留空沿用上级，`-` 表示无" }
    stale_after() { en: "Stale when not sent again for", zh: "多久未再收到视为失联" }
    stale_hint() { en: "Such as 30m; 0s: never; empty: as its parent, else its sender", zh: "例如 30m；0s 表示不判定；留空沿用上级或发送方" }
    stale() { en: "What becomes of it then", zh: "失联后" }
    stale_mark() { en: "Stays open, marked", zh: "保持未恢复并标记" }
    stale_resolve() { en: "Closed, once told", zh: "告知后关闭" }
    annotations() { en: "Annotations", zh: "附注" }
    annotations_hint() { en: "One a line, shown with the incident and its pages: runbook = https://wiki.example.org/db", zh: "每行一个，随事件与通知显示：runbook = https://wiki.example.org/db" }
    bad_length() { en: "Write a length of time such as 30s or 2m.", zh: "请填写时长，例如 30s 或 2m。" }
    bad_number() { en: "Write a number.", zh: "请填写数字。" }
    bad_annotation() { en: "Write name = text on each line.", zh: "每行请写为 名称 = 内容。" }
    unsaved() { en: "This is a draft; nothing of it is in force.", zh: "这是草稿，尚未生效。" }
    looked() { en: "I have seen what it changes for P0 and P1", zh: "我已确认它对 P0、P1 的影响" }
    looked_hint() { en: "Where alerts go is changed. Try a message or the last days beside it first.", zh: "告警的去向有变化。请先用消息或近几天的数据试运行。" }
    apply() { en: "Apply", zh: "应用" }
    discard() { en: "Discard", zh: "放弃" }
    saved(version: i64) { en: "Version {version} is in force", zh: "版本 {version} 已生效" }
    checking() { en: "The engine that checks it is on its way.", zh: "正在加载检查用的引擎。" }
    unchecked() { en: "The engine did not arrive: findings show when you apply.", zh: "引擎未能加载：应用时才会显示检查结果。" }
    again() { en: "Try again", zh: "重试" }
    trial() { en: "Try a message", zh: "试一条消息" }
    trial_lead() { en: "Read and routed by the engine that pages; nothing is stored or sent.", zh: "由实际发送通知的引擎读取并路由；不存储，不发送。" }
    trial_body() { en: "Message", zh: "消息" }
    sender() { en: "Sender", zh: "发送方" }
    sender_other() { en: "one that is not configured", zh: "未配置的发送方" }
    by_which() { en: "By which routes", zh: "使用哪份路由" }
    by_draft() { en: "The draft", zh: "草稿" }
    by_stored() { en: "In force", zh: "已生效" }
    at_when() { en: "When", zh: "时间" }
    at_now() { en: "Now", zh: "现在" }
    at_night() { en: "Next 03:12", zh: "下一个 03:12" }
    try_it() { en: "Try it", zh: "试一下" }
    routes_tried() { en: "Routes that are asked", zh: "依次匹配的路由" }
    recovery() { en: "A recovery is not routed: it closes the open alert of the same identity.", zh: "恢复消息不经过路由：它关闭同一标识的未恢复告警。" }
    becomes() { en: "What becomes of it", zh: "结果" }
    to_policies() { en: "Policies", zh: "策略" }
    to_fallback() { en: "none: the fallback", zh: "无：兜底联系人" }
    to_nobody() { en: "none: it is shown and pages nobody", zh: "无：只显示，不通知" }
    joins() { en: "Belongs together with", zh: "合并依据" }
    alone() { en: "an incident of its own", zh: "单独的事件" }
    waits() { en: "Pages wait", zh: "暂缓通知" }
    waits_hold(policy: &str, time: &str) { en: "{policy}: {time} for a recovery", zh: "{policy}：等待恢复 {time}" }
    waits_until(policy: &str, at: &str) { en: "{policy}: muted until {at}", zh: "{policy}：暂缓至 {at}" }
    stale_by(time: &str, route: &str) { en: "after {time} (route {route})", zh: "{time}后（路由 {route}）" }
    pages() { en: "Whom it pages when nobody answers", zh: "无人响应时通知谁" }
    replay() { en: "Against what came in", zh: "用已收到的消息试运行" }
    replay_lead() { en: "Stored messages through the routes in force and through the draft, side by side. Nobody answers.", zh: "将已存储的消息同时经过生效路由与草稿。假定无人响应。" }
    last_days() { en: "The last", zh: "最近" }
    days(n: u32) { en: "{n} d", zh: "{n} 天" }
    run() { en: "Run", zh: "运行" }
    cancel() { en: "Cancel", zh: "取消" }
    progress(percent: i64, messages: &str) { en: "{percent} %, {messages} messages", zh: "{percent}%，{messages} 条消息" }
    of_before() { en: "This was run before your last change.", zh: "这是上次修改之前的结果。" }
    needs_draft() { en: "Change a route, and see what it would have changed.", zh: "修改路由后，可查看它会带来什么变化。" }
    through(messages: &str) { en: "{messages} messages were replayed.", zh: "共重放 {messages} 条消息。" }
    nothing_changes() { en: "Nothing would have been different.", zh: "结果没有任何不同。" }
    lost_one(p0: &str) { en: "1 alert that paged somebody would page nobody ({p0} of P0)", zh: "有 1 条原本通知的告警将不再通知任何人（其中 P0 {p0} 条）" }
    lost(n: &str, p0: &str) { en: "{n} alerts that paged somebody would page nobody ({p0} of P0)", zh: "有 {n} 条原本通知的告警将不再通知任何人（其中 P0 {p0} 条）" }
    none_lost() { en: "Whatever paged somebody still would.", zh: "原本通知的告警仍会通知。" }
    found(n: &str) { en: "Alerts that paged nobody and would: {n}", zh: "原本不通知、将会通知的告警：{n} 条" }
    all_pages() { en: "Pages", zh: "通知" }
    night_pages() { en: "At night", zh: "夜间" }
    moved(n: &str) { en: "Pages at another time: {n}", zh: "时间改变的通知：{n} 次" }
    who() { en: "Who", zh: "对象" }
    from_to(before: &str, after: &str) { en: "{before} → {after}", zh: "{before} → {after}" }
    by_person() { en: "Pages by person, in force and by the draft", zh: "各对象的通知次数：生效与草稿" }
    no_longer(why: &str, whom: &str) { en: "{why}; today it pages {whom}", zh: "{why}；目前通知 {whom}" }
    dropped(n: &str) { en: "Pages that would not be made: {n}", zh: "不再发出的通知：{n} 次" }
    gained(n: &str) { en: "Pages that would be made besides: {n}", zh: "新增的通知：{n} 次" }
    page_line(who: &str, policy: &str, level: u32) { en: "{who}, {policy} level {level}", zh: "{who}，{policy} 第 {level} 级" }
    only_first(n: usize) { en: "The first {n} are shown.", zh: "仅显示前 {n} 条。" }
    cut() { en: "There was more than is kept; examples are of its beginning, sums are whole.", zh: "数量超出保留上限：示例取自开头，合计仍完整。" }
}
