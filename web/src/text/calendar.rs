//! A schedule's calendar, its overrides, swaps and feeds.

shared::messages! {
    open() { en: "Calendar", zh: "日历" }
    title(name: &str) { en: "{name}: calendar", zh: "{name}：日历" }
    back() { en: "On call now", zh: "当前值班" }
    no_such() { en: "There is no such schedule.", zh: "没有这个值班表。" }
    view() { en: "View", zh: "视图" }
    day() { en: "Day", zh: "日" }
    week() { en: "Week", zh: "周" }
    fortnight() { en: "2 weeks", zh: "两周" }
    month() { en: "Month", zh: "月" }
    earlier() { en: "Earlier", zh: "往前" }
    later() { en: "Later", zh: "往后" }
    today() { en: "Today", zh: "今天" }
    layer(id: &str) { en: "Layer {id}", zh: "层 {id}" }
    rotation() { en: "Rotation", zh: "轮值" }
    overrides() { en: "Overrides", zh: "代班" }
    temporary() { en: "Temporary", zh: "临时安排" }
    final_row() { en: "On call", zh: "最终值班" }
    recorded() { en: "As it happened", zh: "实际记录" }
    fill(length: &str) { en: "Fill {length}", zh: "填补 {length}" }
    fill_short() { en: "Fill", zh: "填补" }
    nobody_was(length: &str) { en: "Nobody: {length}", zh: "无人值班 {length}" }
    hours(n: i64) { en: "{n} h", zh: "{n} 小时" }
    skips(day: &str, from: &str, to: &str, hours: i64) { en: "{day} has {hours} hours: the clock goes from {from} to {to}", zh: "{day} 共 {hours} 小时：时钟由 {from} 跳到 {to}" }
    doubles(day: &str, from: &str, to: &str, hours: i64) { en: "{day} has {hours} hours: {from} to {to} comes twice", zh: "{day} 共 {hours} 小时：{from} 至 {to} 重复一次" }
    legend() { en: "Outlined: yours. Dashed: an override. Hatched red: nobody. Grey ground: as it happened.", zh: "加框为您的班次；虚线为代班；红色斜纹为无人值班；灰底为实际记录。" }
    list() { en: "Shifts in order", zh: "班次列表" }
    nothing() { en: "Nobody is on call in this time: pages of this schedule go to nobody.", zh: "此期间无人值班，该值班表不会通知任何人。" }
    load() { en: "Who carries how much", zh: "值班负担" }
    load_lead() { en: "In the days shown, on the schedule's clock.", zh: "统计所示日期，按值班表时区计算。" }
    person() { en: "Person", zh: "人员" }
    shifts() { en: "Shifts", zh: "班次" }
    total() { en: "Hours", zh: "小时" }
    nights() { en: "Nights", zh: "夜间" }
    weekends() { en: "Weekends", zh: "周末" }
    holidays() { en: "Holidays", zh: "节假日" }
    duration(hours: i64, minutes: i64) { en: "{hours}:{minutes:02}", zh: "{hours}:{minutes:02}" }

    cover() { en: "New override", zh: "新建代班" }
    cover_short() { en: "Override", zh: "代班" }
    cover_of(who: &str) { en: "Cover for {who}", zh: "替 {who} 代班" }
    does() { en: "What it does", zh: "方式" }
    does_replace() { en: "is on call instead", zh: "代替值班" }
    does_add() { en: "is on call too", zh: "共同值班" }
    does_remove() { en: "is not on call", zh: "不值班" }
    who() { en: "Who", zh: "代班人" }
    choose() { en: "Choose", zh: "请选择" }
    instead_of() { en: "Instead of", zh: "代替" }
    everybody() { en: "everybody on call then", zh: "届时所有值班人" }
    from() { en: "From", zh: "开始" }
    until() { en: "Until", zh: "结束" }
    note() { en: "Note", zh: "备注" }
    times_in(zone: &str) { en: "Times are those of {zone}.", zh: "时间按 {zone} 计算。" }
    save_cover() { en: "Make override", zh: "创建代班" }
    made() { en: "The override is in force", zh: "代班已生效" }
    remove() { en: "Remove override", zh: "撤销代班" }
    removed() { en: "The override was removed", zh: "代班已撤销" }
    from_config() { en: "This one is written in the configuration and is changed there.", zh: "该代班写在配置中，请在配置中修改。" }
    need_time() { en: "Give a date and a time.", zh: "请填写日期和时间。" }
    need_person() { en: "Choose somebody.", zh: "请选择人员。" }
    read_only() { en: "Your role sees the calendar but does not change it.", zh: "您的角色只能查看日历。" }

    swaps() { en: "Swaps", zh: "换班" }
    no_swaps() { en: "No swap is offered.", zh: "暂无换班请求。" }
    swap() { en: "Offer to somebody", zh: "请人接班" }
    taker() { en: "Who should take it", zh: "接班人" }
    in_return() { en: "In return for one of theirs", zh: "以对方班次交换" }
    return_from() { en: "Theirs from", zh: "对方班次开始" }
    return_until() { en: "Theirs until", zh: "对方班次结束" }
    offer() { en: "Offer shift", zh: "发出请求" }
    offered() { en: "The shift is offered", zh: "换班请求已发出" }
    swap_line(giver: &str, taker: &str, when: &str) { en: "{taker} takes {when} from {giver}", zh: "{taker} 接 {giver} 的班：{when}" }
    swap_return(when: &str) { en: "in return for {when}", zh: "交换 {when}" }
    state_offered() { en: "offered", zh: "待回复" }
    state_accepted() { en: "accepted", zh: "已接受" }
    state_declined() { en: "declined", zh: "已谢绝" }
    accept() { en: "Accept", zh: "接受" }
    decline() { en: "Decline", zh: "谢绝" }
    take_back() { en: "Take back", zh: "撤回" }

    feeds() { en: "Calendar feeds", zh: "日历订阅" }
    feeds_lead() { en: "For the calendar on your phone. Whoever knows the address sees the shifts.", zh: "供手机日历订阅；知道地址的人都能看到班次。" }
    no_feeds() { en: "No feed yet.", zh: "暂无订阅。" }
    feed_mine() { en: "Feed of my shifts", zh: "订阅我的班次" }
    feed_schedule() { en: "Feed of this schedule", zh: "订阅此值班表" }
    feed_of_person(who: &str) { en: "Shifts of {who}", zh: "{who} 的班次" }
    feed_of_schedule() { en: "This schedule", zh: "此值班表" }
    feed_once() { en: "Copy the address now: it is not shown again.", zh: "请立即复制地址，之后不再显示。" }
    feed_used(ago: &str) { en: "last read {ago} ago", zh: "{ago}前被读取" }
    feed_never() { en: "never read", zh: "从未读取" }
    revoke() { en: "Revoke", zh: "吊销" }
    revoked() { en: "The feed was revoked", zh: "订阅已吊销" }
}
