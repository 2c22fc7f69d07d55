//! Editing a policy, and the picture of whom it would page.

shared::messages! {
    edit() { en: "Edit", zh: "编辑" }
    new() { en: "New policy", zh: "新建策略" }
    editing(id: &str) { en: "Policy {id}", zh: "策略 {id}" }
    id() { en: "Id", zh: "标识" }
    name() { en: "Name", zh: "名称" }
    repeat() { en: "Repeats of the whole", zh: "整体重复次数" }
    add_level() { en: "Add a level", zh: "添加级别" }
    up(n: usize) { en: "Move level {n} up", zh: "上移第 {n} 级" }
    down(n: usize) { en: "Move level {n} down", zh: "下移第 {n} 级" }
    remove(n: usize) { en: "Remove level {n}", zh: "删除第 {n} 级" }
    delay() { en: "Without an answer, go on after", zh: "无人响应时，等待多久后升级" }
    delay_hint() { en: "Such as 5m or 1h30m", zh: "例如 5m 或 1h30m" }
    bad_number() { en: "Write a whole number.", zh: "请填写整数。" }
    bad_delay() { en: "Write a length of time such as 5m or 1h30m.", zh: "请填写时长，例如 5m 或 1h30m。" }
    targets() { en: "Notify", zh: "通知" }
    add_target() { en: "Add somebody", zh: "添加对象" }
    choose() { en: "Choose…", zh: "请选择…" }
    remove_target(name: &str) { en: "Remove {name}", zh: "移除 {name}" }
    more() { en: "Conditions and answers", zh: "条件与响应" }
    round_robin() { en: "Page one of them, in turn", zh: "依次轮流，只通知其中一人" }
    everyone() { en: "Everybody must answer", zh: "所有人都必须响应" }
    ack_timeout() { en: "An acknowledgement holds", zh: "认领有效期" }
    ack_hint() { en: "Empty: as the severity says; 0s: it does not run out", zh: "留空：按级别默认；0s：不会超时" }
    severities() { en: "Only for these severities", zh: "仅限以下级别" }
    during() { en: "Only during these time windows", zh: "仅在以下时段" }
    except() { en: "Not during these time windows", zh: "以下时段除外" }
    windows_hint() { en: "Ids of time windows, with commas between", zh: "时段标识，用逗号分隔" }
    alerts() { en: "Only with so many alerts or more", zh: "仅当告警不少于" }
    save() { en: "Apply", zh: "应用" }
    cancel() { en: "Cancel", zh: "取消" }
    saved(version: i64) { en: "Version {version} is in force", zh: "版本 {version} 已生效" }
    simulator() { en: "Whom it would page", zh: "会通知谁" }
    simulator_lead() { en: "For a lone alert that nobody answers, by the engine that pages.", zh: "对单条无人响应的告警，由实际发送通知的引擎推演。" }
    severity() { en: "Severity", zh: "级别" }
    now() { en: "Now", zh: "现在" }
    tonight() { en: "Next 03:12", zh: "下一个 03:12" }
    sunday() { en: "Sunday 03:12", zh: "周日 03:12" }
    clock_change() { en: "Next change of the clock", zh: "下次时钟调整" }
    no_change(zone: &str) { en: "The clock of {zone} does not change.", zh: "{zone} 的时钟不会调整。" }
    starting(at: &str, zone: &str) { en: "Opened {at} (clock of {zone})", zh: "发生于 {at}（{zone} 时间）" }
    nobody() { en: "Nobody would be paged.", zh: "不会通知任何人。" }
    refused() { en: "It cannot be tried like this", zh: "无法推演" }
    loading() { en: "Fetching the engine…", zh: "正在加载引擎…" }
    missing() { en: "The engine did not arrive.", zh: "引擎未能加载。" }
    again() { en: "Try again", zh: "重试" }
    table() { en: "As a table", zh: "以表格显示" }
    when() { en: "When", zh: "时间" }
    after() { en: "After", zh: "经过" }
    who() { en: "Who", zh: "对象" }
    how() { en: "How", zh: "方式" }
    level() { en: "Level", zh: "级别" }
    reminder() { en: "reminder", zh: "提醒" }
    picture(n: usize) { en: "Deliveries by person over time: {n}; the table below says the same", zh: "各对象随时间的通知：共 {n} 次；下方表格内容相同" }
}
