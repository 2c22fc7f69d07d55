//! The board.

shared::messages! {
    p0_open() { en: "P0 open", zh: "P0 未认领" }
    p1_open() { en: "P1", zh: "P1" }
    lower() { en: "lower", zh: "其他" }
    acked_count(n: u32) { en: "{n} acked", zh: "{n} 已认领" }
    oldest() { en: "oldest unanswered", zh: "最久未响应" }
    paged(n: u32) { en: "{n} people paged", zh: "已通知 {n} 人" }
    paged_one() { en: "1 person paged", zh: "已通知 1 人" }
    last_hour() { en: "last hour", zh: "近一小时" }
    last_hour_long(n: u32) { en: "{n} incidents of this board opened in the last hour", zh: "面板上有 {n} 个事件在近一小时内出现" }
    storm(at: &str) { en: "Storm since {at}: pages about all but P0 are collected", zh: "告警风暴，始于 {at}：除 P0 外的通知合并发送" }
    storm_numbers(incidents: u64, messages: u64, waiting: u64) { en: "{incidents} incidents, {messages} collected messages sent, {waiting} pages wait", zh: "{incidents} 个事件，已发送 {messages} 条合并通知，{waiting} 个通知等待中" }
    storm_report() { en: "Report", zh: "报告" }
    unacked() { en: "Unacked", zh: "未认领" }
    acked() { en: "Acked", zh: "已认领" }
    urgent() { en: "P0 + P1", zh: "P0 + P1" }
    all_open() { en: "All open", zh: "全部未恢复" }
    resolved() { en: "Resolved", zh: "已恢复" }
    missed() { en: "Missed", zh: "未及响应" }
    missed_none() { en: "In three days nothing was over before somebody had answered.", zh: "近三天没有未响应即恢复的事件。" }
    filter() { en: "Filter", zh: "筛选" }
    filter_hint() { en: "host:db -web P0 …", zh: "host:db -web P0 …" }
    filter_label() { en: "Filter the list", zh: "筛选列表" }
    views() { en: "Which incidents", zh: "显示哪些事件" }
    group_by() { en: "Group by", zh: "分组" }
    by_none() { en: "nothing", zh: "不分组" }
    by_host() { en: "host", zh: "主机" }
    by_source() { en: "source", zh: "来源" }
    new_rows(n: usize) { en: "{n} new ↑", zh: "{n} 条新事件 ↑" }
    new_p0(n: usize) { en: "{n} new P0", zh: "{n} 条新 P0" }
    show() { en: "Show", zh: "查看" }
    paused(at: &str) { en: "Paused at {at}: the list stands still", zh: "已于 {at} 暂停：列表不再变动" }
    resume() { en: "Resume", zh: "继续" }
    col_select() { en: "Select", zh: "选择" }
    col_level() { en: "Level", zh: "级别" }
    col_state() { en: "State", zh: "状态" }
    col_what() { en: "What", zh: "内容" }
    col_host() { en: "Host", zh: "主机" }
    col_source() { en: "Source", zh: "来源" }
    col_count() { en: "Count", zh: "次数" }
    col_age() { en: "Age", zh: "时长" }
    col_next() { en: "Next", zh: "下一步" }
    col_proof() { en: "Proof", zh: "送达" }
    col_action() { en: "Answer", zh: "操作" }
    select_row(id: i64) { en: "Select incident {id}", zh: "选择事件 {id}" }
    incidents() { en: "Incidents", zh: "事件列表" }
    next_level(level: u32, time: &str) { en: "level {level} in {time}", zh: "{time} 后第 {level} 级" }
    next_level_now(level: u32) { en: "level {level} now", zh: "正在第 {level} 级" }
    used_up_in(time: &str) { en: "levels used up in {time}", zh: "{time} 后级别用尽" }
    exhausted() { en: "all levels used", zh: "已无后续级别" }
    no_next() { en: "nobody further", zh: "无后续通知" }
    acked_left(who: &str, time: &str) { en: "{who}, {time} left", zh: "{who}，剩余 {time}" }
    acked_by(who: &str) { en: "{who}", zh: "{who}" }
    wakes_in(time: &str) { en: "wakes in {time}", zh: "{time} 后恢复通知" }
    resolved_ago(time: &str) { en: "{time} ago", zh: "{time}前" }
    proof_after(state: &str, time: &str) { en: "{state} {time}", zh: "{state} {time}" }
    proof_failed(n: u32) { en: "{n} failed", zh: "{n} 次失败" }
    proof_none() { en: "nobody paged", zh: "未通知任何人" }
    ack() { en: "Ack", zh: "认领" }
    resolve() { en: "Resolve", zh: "恢复" }
    snooze() { en: "Snooze", zh: "暂停" }
    escalate() { en: "Escalate", zh: "升级" }
    responders() { en: "Add people", zh: "请求支援" }
    apply_policy() { en: "Apply the new version", zh: "应用新版本" }
    reassign() { en: "Reassign", zh: "转交" }
    note() { en: "Note", zh: "备注" }
    merge() { en: "Merge", zh: "合并" }
    detach() { en: "Detach", zh: "拆出" }
    unack() { en: "Un-ack", zh: "取消认领" }
    sending() { en: "sending…", zh: "发送中…" }
    empty_title() { en: "Nothing is firing", zh: "当前没有告警" }
    empty_heard(who: &str, when: &str) { en: "The pipe works: {who} was heard {when} ago.", zh: "链路正常：{when}前收到 {who} 的消息。" }
    empty_unheard() { en: "No sender has been heard yet.", zh: "尚未收到任何来源的消息。" }
    empty_sender() { en: "1 sender is set up.", zh: "已接入 1 个来源。" }
    empty_senders(n: usize) { en: "{n} senders are set up.", zh: "已接入 {n} 个来源。" }
    empty_test() { en: "Try a payload", zh: "试解析一条消息" }
    empty_filtered() { en: "No incident matches this filter", zh: "没有符合筛选条件的事件" }
    empty_filtered_hint(n: usize) { en: "{n} open incidents are hidden by it.", zh: "有 {n} 个未恢复事件被筛除。" }
    clear_filter() { en: "Clear the filter", zh: "清除筛选" }
    cached(at: &str) { en: "Showing what this browser remembered from {at}", zh: "显示的是浏览器在 {at} 保存的内容" }
    selected(n: usize) { en: "{n} selected", zh: "已选 {n} 项" }
    select_all(n: usize) { en: "Select all {n}", zh: "全选 {n} 项" }
    clear_selection() { en: "Clear", zh: "取消选择" }
    bulk_title(verb: &str, n: usize) { en: "{verb}: {n} incidents", zh: "{verb}：{n} 个事件" }
    bulk_p0(n: usize) { en: "Include the {n} P0", zh: "包括 {n} 个 P0" }
    bulk_p0_hint() { en: "P0 are left out unless you tick this.", zh: "默认不包括 P0，勾选后才会处理。" }
    bulk_progress(done: usize, n: usize) { en: "{done} of {n}", zh: "{done} / {n}" }
    bulk_done(done: usize, n: usize) { en: "{done} of {n} done", zh: "已完成 {done} / {n}" }
    done_ack(id: i64) { en: "#{id} acked: escalation stopped", zh: "#{id} 已认领：停止升级" }
    done_answer(id: i64) { en: "#{id}: your answer counts; others must answer too", zh: "#{id}：已记录您的响应，仍需其他人响应" }
    done_unack(id: i64) { en: "#{id}: acknowledgement taken back", zh: "#{id} 已取消认领" }
    done_resolve(id: i64) { en: "#{id} resolved", zh: "#{id} 已恢复" }
    done_snooze(id: i64) { en: "#{id} snoozed", zh: "#{id} 已暂停通知" }
    done_escalate(id: i64) { en: "#{id} escalated", zh: "#{id} 已升级" }
    done_reassign(id: i64) { en: "#{id} reassigned", zh: "#{id} 已转交" }
    done_responders(id: i64) { en: "#{id}: asked for help", zh: "#{id}：已请求支援" }
    done_apply_policy(id: i64) { en: "#{id} goes on by the new version", zh: "#{id} 已改用新版本" }
    done_merge(id: i64) { en: "#{id} merged", zh: "#{id} 已合并" }
    done_detach(id: i64) { en: "Alert detached from #{id}: it is an incident of its own", zh: "已从 #{id} 拆出告警：成为独立事件" }
    done_note(id: i64) { en: "Note added to #{id}", zh: "已为 #{id} 添加备注" }
    not_done(id: i64, verb: &str, why: &str) { en: "{verb} #{id} was NOT done. {why}", zh: "{verb} #{id} 未成功。{why}" }
    summary(n: usize) { en: "{n} new incidents", zh: "{n} 个新事件" }
    summary_p0(n: usize, host: &str) { en: "{n} new P0, latest on {host}", zh: "{n} 个新 P0，最新位于 {host}" }
    help_title() { en: "Keyboard", zh: "快捷键" }
    key_move() { en: "move", zh: "移动" }
    key_open() { en: "open", zh: "打开" }
    key_select() { en: "select", zh: "选择" }
    key_filter() { en: "filter", zh: "筛选" }
    key_help() { en: "help", zh: "帮助" }
    key_pause() { en: "pause the list", zh: "暂停列表" }
    key_palette() { en: "search everything", zh: "搜索" }
    key_back() { en: "back, clear", zh: "返回、清除" }
    key_go_board() { en: "go to the board", zh: "前往面板" }
    key_go_hosts() { en: "go to the hosts", zh: "前往主机监控" }
    key_go_oncall() { en: "go to on-call", zh: "前往值班" }
    key_silence() { en: "silence (on an incident)", zh: "静默（事件页）" }
    key_go_silences() { en: "go to silences", zh: "前往静默" }
    key_go_integrations() { en: "go to integrations", zh: "前往接入" }
    key_go_messages() { en: "go to messages", zh: "前往消息" }
    key_go_mirrors() { en: "go to mirrors", zh: "前往端口镜像" }
    key_go_me() { en: "go to my notifications", zh: "前往我的通知" }
    key_go_settings() { en: "go to settings", zh: "前往设置" }
    group_count(n: usize, unanswered: usize) { en: "{n} incidents, {unanswered} unanswered", zh: "{n} 个事件，{unanswered} 个未响应" }
    stale() { en: "stale: not heard again", zh: "失联：未再收到" }
    closed_stale() { en: "closed as stale", zh: "因失联关闭" }
    flapping() { en: "flapping", zh: "抖动" }
    several(firing: u32, alerts: u32) { en: "{firing} of {alerts} alerts fire", zh: "{alerts} 条告警，{firing} 条未恢复" }
    no_host() { en: "no host", zh: "无主机" }
    shown_of(n: usize, total: u32) { en: "{n} of {total}", zh: "{n} / {total}" }
}
