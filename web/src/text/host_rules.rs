//! Threshold rules: conditions in words, the editor, and what a rule would have done.

use shared::config::Language;

shared::messages! {
    title() { en: "Threshold rules", zh: "阈值规则" }
    lead() { en: "When a measured value becomes an alert, and for which hosts.", zh: "测量值何时成为告警，以及适用于哪些主机。" }
    of(what: &str, tags: &str) { en: "{what} ({tags})", zh: "{what}（{tags}）" }
    newest() { en: "the newest sample", zh: "最新采样" }
    newest_n(n: u32) { en: "the newest {n} samples", zh: "最近 {n} 个采样" }
    last(time: &str) { en: "the last {time}", zh: "最近{time}" }
    equal(value: &str) { en: "is {value}", zh: "等于 {value}" }
    unequal(value: &str) { en: "is not {value}", zh: "不等于 {value}" }
    less(value: &str) { en: "is below {value}", zh: "低于 {value}" }
    at_most(value: &str) { en: "is at most {value}", zh: "不高于 {value}" }
    greater(value: &str) { en: "is above {value}", zh: "高于 {value}" }
    at_least(value: &str) { en: "is at least {value}", zh: "不低于 {value}" }
    nodata(what: &str, time: &str) { en: "nothing is heard of {what} for {time}", zh: "{what} 持续{time}没有数据" }
    all(what: &str, is: &str, span: &str) { en: "{what} {is} in each of {span}", zh: "{span}中每次 {what} 均{is}" }
    sum(what: &str, is: &str, span: &str) { en: "{what} {is} as the sum over {span}", zh: "{span}中 {what} 之和{is}" }
    avg(what: &str, is: &str, span: &str) { en: "{what} {is} on average over {span}", zh: "{span}中 {what} 平均{is}" }
    max(what: &str, is: &str, span: &str) { en: "{what} {is} at its highest in {span}", zh: "{span}中 {what} 最大值{is}" }
    min(what: &str, is: &str, span: &str) { en: "{what} {is} at its lowest in {span}", zh: "{span}中 {what} 最小值{is}" }
    diff(what: &str, is: &str, span: &str) { en: "the change of {what} {is}, against one of {span}", zh: "{what} 与{span}中某次之差{is}" }
    pdiff(what: &str, is: &str, span: &str) { en: "the change of {what} {is}, against one of {span}", zh: "{what} 与{span}中某次之差的百分比{is}" }
    lookup(what: &str, is: &str, least: u32, span: &str) { en: "{what} {is} at least {least} times in {span}", zh: "{span}中 {what} 至少 {least} 次{is}" }
    stddev(what: &str, is: &str, span: &str) { en: "{what} is off its mean over {span} by a number of standard deviations that {is}", zh: "{what} 偏离{span}平均值的标准差倍数{is}" }
    reads(what: &str) { en: "It reads: {what}.", zh: "含义：{what}。" }
    unreadable(why: &str) { en: "This cannot be read: {why}", zh: "无法解析：{why}" }
    none() { en: "There are no threshold rules yet.", zh: "还没有阈值规则。" }
    none_lead() { en: "A template holds rules and says for which groups of hosts they are.", zh: "模板包含规则，并说明适用于哪些主机组。" }
    standing() { en: "What fires now", zh: "当前触发" }
    standing_none() { en: "No rule fires.", zh: "没有规则触发。" }
    firing_1() { en: "1 fires", zh: "1 个触发" }
    firing_more(n: u32) { en: "{n} fire", zh: "{n} 个触发" }
    holding_1() { en: "1 holds, not yet for long enough", zh: "1 个满足但时长未到" }
    holding_more(n: u32) { en: "{n} hold, not yet for long enough", zh: "{n} 个满足但时长未到" }
    alert_1() { en: "1 alert", zh: "1 次告警" }
    alerts_more(n: usize) { en: "{n} alerts", zh: "{n} 次告警" }
    series_n(n: u32) { en: "{n} series", zh: "{n} 个序列" }
    fine() { en: "fine", zh: "正常" }
    unknown() { en: "nothing known", zh: "无数据" }
    holding() { en: "holds", zh: "满足条件" }
    firing() { en: "fires", zh: "已触发" }
    paused() { en: "paused", zh: "已暂停" }
    from_template(template: &str) { en: "from {template}", zh: "来自 {template}" }
    every_host() { en: "every host", zh: "所有主机" }
    no_groups() { en: "no group: only a parent of others", zh: "无主机组：仅作为父模板" }
    new_template() { en: "New template", zh: "新建模板" }
    new_rule() { en: "New rule", zh: "新建规则" }
    new_group() { en: "New group", zh: "新建主机组" }
    edit() { en: "Change", zh: "修改" }
    edit_rule(name: &str) { en: "Change {name}", zh: "修改 {name}" }
    remove() { en: "Remove", zh: "删除" }
    editing(name: &str) { en: "Rule {name}", zh: "规则 {name}" }
    id() { en: "Short name", zh: "标识" }
    id_hint() { en: "Small letters, digits and hyphens.", zh: "小写字母、数字和连字符。" }
    name() { en: "Name", zh: "名称" }
    template() { en: "Template", zh: "模板" }
    groups() { en: "Host groups", zh: "主机组" }
    group_hosts() { en: "Hosts", zh: "主机" }
    group_hosts_hint() { en: "Names with * and ?, separated by spaces: web-* db-0?", zh: "可用 * 和 ?，以空格分隔：web-* db-0?" }
    group_except() { en: "Except", zh: "排除" }
    parent() { en: "Takes over the rules of", zh: "继承规则自" }
    no_parent() { en: "no other template", zh: "不继承" }
    when() { en: "When", zh: "条件" }
    when_hint() { en: "As Open-Falcon writes it: all(#3) cpu.idle < 5, avg(5m) load.1min > 40, nodata(5m) nginx.alive", zh: "Open-Falcon 写法：all(#3) cpu.idle < 5、avg(5m) load.1min > 40、nodata(5m) nginx.alive" }
    clear() { en: "Over when", zh: "恢复条件" }
    clear_hint() { en: "If empty: as soon as the condition holds no longer.", zh: "留空：条件不再满足即恢复。" }
    hold() { en: "For at least", zh: "持续至少" }
    severity() { en: "Severity", zh: "级别" }
    max_steps() { en: "Told at most", zh: "最多告警次数" }
    max_steps_hint() { en: "The first time included; 0: never.", zh: "包括首次；0 表示不告警。" }
    every() { en: "At least apart", zh: "告警间隔" }
    windows() { en: "Only in these windows", zh: "仅在以下时间窗口" }
    note() { en: "What the alert says", zh: "告警内容" }
    note_hint() { en: "If empty: the condition.", zh: "留空则为条件本身。" }
    is_paused() { en: "Paused", zh: "暂停" }
    bad_delay() { en: "Write a length such as 30s, 5m or 2h.", zh: "请填写时长，如 30s、5m 或 2h。" }
    bad_number() { en: "Write a whole number.", zh: "请填写整数。" }
    try_it() { en: "Try it on the past", zh: "用历史数据试运行" }
    try_range() { en: "Tried on", zh: "试运行范围" }
    trying() { en: "Trying…", zh: "正在试运行…" }
    tried(alerts: &str, hosts: &str, series: u32) { en: "{alerts} from {series} series of {hosts}. ", zh: "{hosts}的 {series} 个序列产生 {alerts}。" }
    tried_none(hosts: &str, series: u32) { en: "It would have stayed quiet: {series} series of {hosts}.", zh: "不会触发：{hosts}的 {series} 个序列。" }
    tried_told_1() { en: "People would have been told once.", zh: "共会通知 1 次。" }
    tried_told_more(n: u32) { en: "People would have been told {n} times.", zh: "共会通知 {n} 次。" }
    tried_step(step: &str) { en: "Tried on one point each {step}, as that is kept of so long ago.", zh: "较早的数据按每 {step} 一个点试运行。" }
    tried_more(n: u32) { en: "and {n} more", zh: "另有 {n} 次" }
    strip(host: &str, alerts: &str) { en: "{host}: {alerts}", zh: "{host}：{alerts}" }
    would(from: &str, length: &str, value: &str) { en: "{from} for {length}, {value}", zh: "{from}，持续{length}，{value}" }
    would_last() { en: "it would still last", zh: "仍在持续" }
    save() { en: "Put in force", zh: "生效" }
    cancel() { en: "Cancel", zh: "取消" }
    saved(version: i64) { en: "In force as version {version}", zh: "已生效，版本 {version}" }
    back() { en: "All hosts", zh: "所有主机" }
    removed_ask(name: &str) { en: "Remove {name}? It takes effect at once.", zh: "删除 {name}？立即生效。" }
    rule() { en: "Rule", zh: "规则" }
    host() { en: "Host", zh: "主机" }
    value() { en: "Value", zh: "当前值" }
    since() { en: "Since", zh: "开始于" }
    told_1() { en: "told once", zh: "最多 1 次" }
    told_more(n: u32, every: &str) { en: "told {n} times, {every} apart", zh: "最多 {n} 次，间隔{every}" }
    holds_for(time: &str) { en: "for {time}", zh: "持续{time}" }
}

pub(crate) fn firing_n(l: Language, n: u32) -> String {
    if n == 1 { firing_1(l) } else { firing_more(l, n) }
}

pub(crate) fn holding_n(l: Language, n: u32) -> String {
    if n == 1 { holding_1(l) } else { holding_more(l, n) }
}

pub(crate) fn alerts_n(l: Language, n: usize) -> String {
    if n == 1 { alert_1(l) } else { alerts_more(l, n) }
}

pub(crate) fn tried_told(l: Language, n: u32) -> String {
    if n == 1 { tried_told_1(l) } else { tried_told_more(l, n) }
}

pub(crate) fn told(l: Language, n: u32, every: &str) -> String {
    if n == 1 { told_1(l) } else { told_more(l, n, every) }
}
