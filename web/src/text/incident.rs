//! The incident page.

shared::messages! {
    machine() { en: "The machine", zh: "机器" }
    machines_more(more: usize) { en: "And {more} more machines", zh: "另有 {more} 台机器" }
    known_at() { en: "as it was known at", zh: "当时的位置，记录于" }
    followers(n: usize) { en: "Quiet because of this: {n}", zh: "因此保持安静：{n}" }
    follows_suspect(what: &str, name: &str, source: i64) { en: "Its {what} {name} is suspected: #{source} pages instead", zh: "其{what} {name} 疑似故障：由 #{source} 统一通知" }
    which_machine() { en: "Which machine is it?", zh: "这是哪台机器？" }
    title(id: i64) { en: "Incident #{id}", zh: "事件 #{id}" }
    open_for(time: &str) { en: "open {time}", zh: "已持续 {time}" }
    lasted(time: &str) { en: "lasted {time}", zh: "持续了 {time}" }
    first_at() { en: "first", zh: "首次" }
    merge_lead() { en: "What still fires moves into the chosen incident and is answered there. It pages again only if it is worse.", zh: "未恢复的告警并入所选事件，在那里统一响应；仅当级别更高时再次通知。" }
    merge_find() { en: "Find an open incident", zh: "查找未恢复事件" }
    merge_none() { en: "No other open incident fits.", zh: "没有其他符合的未恢复事件。" }
    detach_lead() { en: "It becomes an incident of its own and pages by its own routes.", zh: "将成为独立事件，并按其路由通知。" }
    flapping(at: &str) { en: "Flapping: kept open until {at} unless it changes before; firing again pages nobody anew.", zh: "抖动：如无变化，保持未恢复至 {at}；再次告警不会重新通知。" }
    stale(since: &str) { en: "Stale since {since}: its sender does not repeat it. Nobody said that it is over, so it stays open.", zh: "自 {since} 起失联：来源未再发送。没有恢复消息，因此保持未恢复。" }
    stale_closing(since: &str, at: &str) { en: "Stale since {since}: its sender does not repeat it. Closed at {at} unless it is heard again.", zh: "自 {since} 起失联：来源未再发送。若仍未收到，{at} 关闭。" }
    stale_closed() { en: "Closed as stale: nothing was heard of it any more. It did not recover.", zh: "因失联关闭：未再收到。并非恢复。" }
    via_stale() { en: "told that it is about to be closed as stale", zh: "被告知即将因失联关闭" }
    held(at: &str) { en: "Waiting until {at}: nobody is paged for what recovers before.", zh: "等待至 {at}：期间恢复则不通知任何人。" }
    again(times: u32) { en: "{times} times in 24 h", zh: "24 小时内第 {times} 次" }
    previous() { en: "previous one", zh: "上一次" }
    acked_by(who: &str, left: &str) { en: "Acked by {who}; paging again in {left} unless resolved", zh: "{who} 已认领；若未恢复，{left} 后再次通知" }
    acked_by_plain(who: &str) { en: "Acked by {who}", zh: "{who} 已认领" }
    snoozed_until(at: &str) { en: "Quiet until {at}, then paging again", zh: "暂停至 {at}，之后再次通知" }
    everyone_must_answer(missing: &str) { en: "All of {missing} must answer", zh: "需要 {missing} 全部响应" }
    answers_missing(answered: &str, missing: &str) { en: "{answered} answered; {missing} must answer too", zh: "{answered} 已响应；仍需 {missing} 响应" }
    policy_version(policy: &str, version: i64) { en: "policy {policy}, version {version}", zh: "策略 {policy}，版本 {version}" }
    policy_newer(version: i64) { en: "changed in version {version}", zh: "在版本 {version} 中已更改" }
    next_level(policy: &str, level: u32, left: &str) { en: "{policy} level {level} in {left} unless somebody answers", zh: "若无人响应，{left} 后执行 {policy} 第 {level} 级" }
    next_level_now(policy: &str, level: u32) { en: "{policy} level {level} is running now", zh: "正在执行 {policy} 第 {level} 级" }
    used_up_in(policy: &str, left: &str) { en: "{policy} has no further level; it is used up in {left} unless somebody answers", zh: "{policy} 已无后续级别；若无人响应，{left} 后即告用尽" }
    used_up() { en: "All levels are used up", zh: "所有级别已执行完" }
    closed_stale_at(at: &str) { en: "Closed as stale at {at}", zh: "于 {at} 因失联关闭" }
    resolved_at(at: &str) { en: "Resolved at {at}", zh: "于 {at} 恢复" }
    why_you() { en: "Why you", zh: "为何通知您" }
    why() { en: "Why anybody was paged", zh: "为何通知" }
    by_level() { en: "level", zh: "级别" }
    stated(severity: &str) { en: "{severity} as the message says", zh: "消息标明 {severity}" }
    defaulted(severity: &str) { en: "{severity}, the sender's default", zh: "{severity}，来源默认级别" }
    by_word(severity: &str, word: &str) { en: "{severity} for “{word}”", zh: "{severity}（写作“{word}”）" }
    by_class(severity: &str, class: &str, was: &str) { en: "{severity} by rule {class} (was {was})", zh: "规则 {class} 设为 {severity}（原为 {was}）" }
    waits() { en: "muted, its pages wait", zh: "已静音，通知等待中" }
    waits_for_ever() { en: "muted for good, it pages nobody", zh: "永久静音，不通知任何人" }
    by_route(severity: &str, was: &str) { en: "{severity} set by a route (was {was})", zh: "路由设为 {severity}（原为 {was}）" }
    route() { en: "route", zh: "路由" }
    policy() { en: "policy", zh: "策略" }
    no_route() { en: "no route: the fallback", zh: "无匹配路由：兜底" }
    policy_level(policy: &str, level: u32) { en: "{policy}, level {level}", zh: "{policy} 第 {level} 级" }
    via() { en: "via", zh: "经由" }
    via_direct() { en: "named in the level", zh: "策略直接指定" }
    via_schedule(schedule: &str) { en: "schedule {schedule}", zh: "值班表 {schedule}" }
    via_until(until: &str) { en: ", until {until}", zh: "，至 {until}" }
    via_cover(schedule: &str) { en: "covering in schedule {schedule}", zh: "代班（值班表 {schedule}）" }
    via_cover_for(who: &str, schedule: &str) { en: "covering for {who} in schedule {schedule}", zh: "替 {who} 代班（值班表 {schedule}）" }
    via_team(team: &str) { en: "team {team}", zh: "团队 {team}" }
    via_fallback() { en: "fallback: nobody else could be reached", zh: "兜底：其他人均无法联系" }
    via_stand_in(who: &str) { en: "standing in for {who}, who has quiet hours", zh: "代替处于免打扰时段的 {who}" }
    waiting() { en: "waits", zh: "等待" }
    waits_until(at: &str, why: &str) { en: "rings at {at}: {why}", zh: "{at} 通知：{why}" }
    rule() { en: "rule", zh: "规则" }
    rule_number(n: u32) { en: "rule {n}", zh: "第 {n} 条规则" }
    rule_builtin() { en: "every contact at once", zh: "同时使用所有联系方式" }
    step_now(contact: &str) { en: "{contact} at once", zh: "立即 {contact}" }
    step_after(contact: &str, time: &str) { en: "{contact} after {time}", zh: "{time}后 {contact}" }
    who() { en: "paged", zh: "通知" }
    you() { en: "you", zh: "您" }
    proof() { en: "Show the proof", zh: "查看依据" }
    routes_asked() { en: "Routes asked, in order", zh: "依次检查的路由" }
    matched() { en: "matched", zh: "匹配" }
    not_matched() { en: "did not match", zh: "不匹配" }
    failed_on(condition: &str, value: &str) { en: "{condition} met {value}", zh: "{condition}，实际为 {value}" }
    failed_absent(condition: &str) { en: "{condition}: there is no such field", zh: "{condition}：没有该字段" }
    goes_on() { en: "and went on asking", zh: "并继续检查" }
    targets() { en: "Levels and whom they named", zh: "各级别及其对象" }
    passed_over(why: &str) { en: "passed over: {why}", zh: "已跳过：{why}" }
    nobody() { en: "nobody", zh: "无人" }
    not_paged() { en: "Who was not paged, and why", zh: "未通知的人及原因" }
    proof_file() { en: "To take away", zh: "存证文件" }
    proof_file_is() { en: "What was sent, what became of it and who answered, as a chain that anybody can check.", zh: "发送了什么、结果如何、谁作了响应：任何人都可校验的链式记录。" }
    proof_file_get() { en: "Proof of this incident", zh: "下载该事件的存证" }
    everybody_paged() { en: "Everybody in the configuration was paged.", zh: "配置中的所有人都已被通知。" }
    reached() { en: "Who was reached", zh: "送达情况" }
    reached_nobody() { en: "Nobody has been paged.", zh: "尚未通知任何人。" }
    lanes_label() { en: "Deliveries by person and contact, over time", zh: "按人和联系方式排列的送达时间线" }
    earlier(n: usize) { en: "{n} earlier", zh: "更早 {n} 次" }
    proof_delivered() { en: "on the phone", zh: "已到手机" }
    proof_answered() { en: "call answered", zh: "已接听" }
    proof_shown() { en: "shown", zh: "已显示" }
    proof_opened() { en: "seen", zh: "已查看" }
    unless_acked() { en: "unless acked", zh: "若未认领" }
    upcoming_level(policy: &str, level: u32) { en: "{policy} level {level}", zh: "{policy} 第 {level} 级" }
    one_of() { en: ", one of these", zh: "，其中一人" }
    tries(n: u32) { en: "try {n}", zh: "第 {n} 次" }
    ambiguous() { en: "may have arrived", zh: "可能已送达" }
    permanent() { en: "will not be tried again", zh: "不再重试" }
    timeline() { en: "Timeline", zh: "时间线" }
    show_all() { en: "All", zh: "全部" }
    show_people() { en: "People", zh: "人" }
    show_deliveries() { en: "Deliveries", zh: "送达" }
    show_decisions() { en: "Decisions", zh: "决策" }
    until(at: &str) { en: "until {at}", zh: "至 {at}" }
    a_link() { en: "the link", zh: "链接" }
    by_person(who: &str, how: &str) { en: "by {who} through {how}", zh: "由 {who} 通过{how}" }
    by_actor(who: &str) { en: "by {who}", zh: "由 {who}" }
    raw() { en: "As it arrived", zh: "原始消息" }
    raw_none() { en: "The messages are no longer kept.", zh: "消息已不再保存。" }
    message(id: i64) { en: "message {id}", zh: "消息 {id}" }
    older_message() { en: "1 older message", zh: "更早的 1 条消息" }
    older_messages(n: usize) { en: "{n} older messages", zh: "更早的 {n} 条消息" }
    charset(name: &str) { en: "decoded as {name}", zh: "按 {name} 解码" }
    from_peer(peer: &str) { en: "from {peer}", zh: "来自 {peer}" }
    copy_curl() { en: "Copy as curl", zh: "复制为 curl" }
    copy_text() { en: "Copy text", zh: "复制文本" }
    flags() { en: "Noticed", zh: "备注" }
    alerts() { en: "Alerts", zh: "告警" }
    firing() { en: "firing", zh: "告警中" }
    over() { en: "over", zh: "已恢复" }
    identity() { en: "Identity", zh: "标识" }
    before() { en: "Before", zh: "历史" }
    before_none() { en: "First time for this identity and host.", zh: "该标识和主机首次出现。" }
    note_title() { en: "Add a note", zh: "添加备注" }
    note_hint() { en: "What was found, what was done. Everybody reads it.", zh: "发现了什么，做了什么。所有人可见。" }
    note_add() { en: "Add note", zh: "添加" }
    snooze_15() { en: "15 minutes", zh: "15 分钟" }
    snooze_60() { en: "1 hour", zh: "1 小时" }
    snooze_morning() { en: "until 09:00", zh: "至 09:00" }
    snooze_other() { en: "Another time", zh: "其他时间" }
    snooze_after() { en: "Then it pages again.", zh: "到时将再次通知。" }
    snooze_past() { en: "That time is over already.", zh: "该时间已过。" }
    reassign_lead() { en: "Pages somebody in particular now, by their own rules.", zh: "立即按对方的规则通知指定的人。" }
    responders_lead() { en: "Pages them besides, by their own rules. The escalation goes on as it was.", zh: "按对方的规则另行通知，升级流程不变。" }
    responders_schedules() { en: "On call now", zh: "当前值班" }
    responders_people() { en: "Everybody", zh: "所有人" }
    via_added() { en: "asked for help", zh: "被请求支援" }
    reassign_me() { en: "you", zh: "您" }
    reassign_nobody() { en: "The configuration names nobody.", zh: "配置中没有人员。" }
    no_contact() { en: "has no contact: cannot be paged", zh: "没有联系方式，无法通知" }
    escalate_lead() { en: "Runs a level now, without waiting.", zh: "立即执行某一级，不再等待。" }
    escalate_next() { en: "The next level", zh: "下一级" }
    escalate_level(policy: &str, level: usize) { en: "{policy}, level {level}", zh: "{policy} 第 {level} 级" }
}
