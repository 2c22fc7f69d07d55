//! Silences and maintenance.

shared::messages! {
    title() { en: "Silences", zh: "静默" }
    lead() { en: "What is kept quiet on purpose: by whom, why and until when.", zh: "有意保持安静的告警：由谁设置、为什么、到何时。" }
    silence() { en: "Silence", zh: "静默" }
    maintenance() { en: "Maintenance", zh: "维护" }
    numbered(kind: &str, id: i64) { en: "{kind} {id}", zh: "{kind} {id}" }
    new() { en: "New silence", zh: "新建静默" }
    filter() { en: "Filter by condition, person, reason", zh: "按条件、人员、原因筛选" }
    in_force() { en: "In force", zh: "生效中" }
    to_come() { en: "To come", zh: "待生效" }
    over() { en: "Over, last 30 days", zh: "已结束（近 30 天）" }
    none_in_force() { en: "Nothing is kept quiet.", zh: "当前没有静默。" }
    none_to_come() { en: "Nothing is planned.", zh: "没有计划中的静默。" }
    none_over() { en: "None ended lately.", zh: "近期没有结束的静默。" }
    no_match() { en: "None fits this filter.", zh: "没有符合筛选条件的静默。" }
    until(at: &str, left: &str) { en: "until {at}, {left} left", zh: "至 {at}，剩余 {left}" }
    no_end() { en: "no fixed end", zh: "无固定结束时间" }
    until_recovered() { en: "until recovered", zh: "直至恢复" }
    begins(at: &str, left: &str) { en: "begins at {at}, in {left}", zh: "{at} 开始，还有 {left}" }
    begins_unknown() { en: "not within its hours", zh: "不在生效时段内" }
    ended(at: &str, who: &str) { en: "ended {at} by {who}", zh: "{at} 结束，由 {who}" }
    ended_by_time(at: &str) { en: "ended {at}", zh: "{at} 结束" }
    ended_as_gone(at: &str, version: i64) { en: "ended {at}: version {version} of the configuration no longer has it", zh: "{at} 结束：配置版本 {version} 中已不再包含" }
    configured(name: &str, at: &str) { en: "from the configuration ({name}), {at}", zh: "来自配置（{name}），{at}" }
    change_there() { en: "It is changed and ended in the configuration, under [[silences]].", zh: "请在配置的 [[silences]] 中修改或结束。" }
    to_configuration() { en: "To the configuration", zh: "前往配置" }
    series_until(at: &str) { en: "the last time before {at}", zh: "最后一次在 {at} 之前" }
    by(who: &str, at: &str) { en: "by {who}, {at}", zh: "由 {who} 于 {at} 设置" }
    ending_soon() { en: "ending soon", zh: "即将结束" }
    hid(n: u32) { en: "hid {n}", zh: "屏蔽了 {n} 个" }
    hid_title() { en: "What it hid", zh: "被屏蔽的事件" }
    hid_nothing() { en: "It has hidden nothing.", zh: "没有屏蔽任何事件。" }
    hid_more(shown: usize, n: u32) { en: "The newest {shown} of {n}", zh: "最新 {shown} 个，共 {n} 个" }
    extend() { en: "Extend 1 h", zh: "延长 1 小时" }
    extended(at: &str) { en: "Quiet until {at}", zh: "已延长至 {at}" }
    change() { en: "Change", zh: "修改" }
    end_now() { en: "End now", zh: "立即结束" }
    end_title(what: &str) { en: "End {what}?", zh: "结束{what}？" }
    end_lead() { en: "What it keeps quiet and still fires pages people at once.", zh: "被其屏蔽且仍在告警的事件会立即通知。" }
    ended_now(what: &str) { en: "{what} ended", zh: "{what}已结束" }
    change_title(what: &str) { en: "Change {what}", zh: "修改{what}" }
    kind() { en: "Kind", zh: "类型" }
    conditions() { en: "What to keep quiet", zh: "屏蔽条件" }
    conditions_hint() { en: "One condition a line, all must hold: host=db-07, severity!=P0, ip in 10.0.0.0/8, host=~\"db-.*\"", zh: "每行一个条件，须全部满足：host=db-07、severity!=P0、ip in 10.0.0.0/8、host=~\"db-.*\"" }
    offers() { en: "Conditions of this incident", zh: "此事件的条件" }
    start() { en: "Start", zh: "开始" }
    start_now() { en: "Now", zh: "立即" }
    start_later() { en: "Later", zh: "稍后" }
    start_at() { en: "Starts at", zh: "开始时间" }
    how() { en: "How long", zh: "方式" }
    once() { en: "Once", zh: "一次" }
    recovered() { en: "Until recovered", zh: "直至恢复" }
    recurring() { en: "Recurring", zh: "重复" }
    recovered_hint() { en: "Ends when the last incident it keeps quiet has recovered.", zh: "被屏蔽的最后一个事件恢复后结束。" }
    end() { en: "End", zh: "结束" }
    end_latest() { en: "Ends at the latest", zh: "最迟结束" }
    hours(n: i64) { en: "{n} h", zh: "{n} 小时" }
    day() { en: "1 day", zh: "1 天" }
    week() { en: "1 week", zh: "1 周" }
    custom() { en: "Other", zh: "其他" }
    open() { en: "No end", zh: "不限" }
    end_at() { en: "Ends at", zh: "结束时间" }
    quiet_until(at: &str) { en: "Quiet until {at}", zh: "静默至 {at}" }
    zone() { en: "Time zone", zh: "时区" }
    days() { en: "Days", zh: "日期" }
    from() { en: "From", zh: "从" }
    to() { en: "Until", zh: "至" }
    kept(hours: &str) { en: "Its hours stay as they are: {hours}", zh: "时段保持不变：{hours}" }
    reason() { en: "Reason", zh: "原因" }
    reason_hint() { en: "For whoever wonders why it is quiet.", zh: "供其他人了解为何没有告警。" }
    create() { en: "Keep quiet", zh: "开始静默" }
    created(what: &str) { en: "{what} is set", zh: "{what}已设置" }
    preview() { en: "What it would keep quiet", zh: "影响范围" }
    preview_empty() { en: "Write a condition to see what it matches.", zh: "填写条件后显示匹配的事件。" }
    preview_now(n: u32) { en: "Open now: {n}", zh: "当前未恢复：{n} 个" }
    preview_week(n: u32) { en: "Last 7 days: {n}", zh: "近 7 天：{n} 个" }
    preview_week_cut(n: u32) { en: "Last 7 days: at least {n}", zh: "近 7 天：至少 {n} 个" }
    warn_p0() { en: "It matches a P0. Add severity!=P0 unless that is meant.", zh: "会屏蔽 P0。若非有意，请加上 severity!=P0。" }
    warn_all() { en: "It matches everything that is open.", zh: "会屏蔽全部未恢复事件。" }
    kept_quiet(what: &str) { en: "Kept quiet by {what}", zh: "已被{what}屏蔽" }
    kept_until(at: &str) { en: " until {at}", zh: "，至 {at}" }
    follows(source: i64) { en: "Kept quiet: it follows from #{source}", zh: "已屏蔽：由 #{source} 引起" }
    rule(id: &str) { en: "inhibition {id}", zh: "抑制规则 {id}" }
    action() { en: "Silence…", zh: "静默…" }
    quiet() { en: "Quiet", zh: "已屏蔽" }
    quiet_count(n: usize) { en: "Quiet {n}", zh: "已屏蔽 {n}" }
    quiet_until_short(at: &str) { en: "until {at}", zh: "至 {at}" }
    quiet_open() { en: "kept quiet", zh: "保持屏蔽" }
    quiet_follows(source: i64) { en: "follows #{source}", zh: "由 #{source} 引起" }
    told_title() { en: "Who is told", zh: "通知记录" }
    reminder_at(who: &str, at: &str) { en: "{who} is told at {at} if something still fires then.", zh: "若届时仍有告警，将在 {at} 通知 {who}。" }
    no_owner(who: &str) { en: "{who} is no person of the configuration and is told nothing.", zh: "{who} 不是配置中的人员，不会收到通知。" }
    digest_at(at: &str, sums: &str) { en: "At its end {at}: {sums}", zh: "{at} 结束时：{sums}" }
    told_soon() { en: "ends soon", zh: "即将结束" }
    told_over() { en: "digest", zh: "摘要" }
    told_waits(at: &str) { en: "waits until {at}", zh: "等到 {at}" }
    told_sending() { en: "under way", zh: "发送中" }
    told_accepted(at: &str) { en: "accepted {at}", zh: "{at} 已接受" }
    told_failed(why: &str) { en: "failed: {why}", zh: "失败：{why}" }
    told_cancelled() { en: "not sent: no longer true", zh: "未发送：已不成立" }
    untold_person() { en: "not told: no person of the configuration", zh: "未通知：不是配置中的人员" }
    untold_contact() { en: "not told: has no contact", zh: "未通知：没有联系方式" }
    untold_rests(at: &str) { en: "not told: rests until {at}", zh: "未通知：休息至 {at}" }
    not_found() { en: "There is no such silence.", zh: "没有该静默。" }
}
