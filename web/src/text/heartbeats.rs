//! Heartbeats: what must be heard from, and how it stands.

shared::messages! {
    lead() { en: "What must be heard from again and again. Silence is an alert; the next beat is its recovery.", zh: "必须定期收到的信号。中断即告警，再次收到即恢复。" }
    none() { en: "Nothing is waited for yet.", zh: "尚未配置任何心跳。" }
    none_hint() { en: "A backup that stops running sends no alert. Make a heartbeat below, and its silence does.", zh: "停止运行的备份不会发送告警。在下方新建心跳，中断时即可告警。" }
    waiting() { en: "waiting for the first beat", zh: "等待首次心跳" }
    up() { en: "up", zh: "正常" }
    late() { en: "late", zh: "迟到" }
    down() { en: "down", zh: "中断" }
    paused() { en: "paused", zh: "已暂停" }
    every(interval: &str, grace: &str) { en: "every {interval}, {grace} of grace", zh: "每 {interval}，宽限 {grace}" }
    from_sender(sender: &str) { en: "beats are alerts of {sender}", zh: "以 {sender} 的告警为心跳" }
    expected_in(time: &str) { en: "the next beat is expected within {time}", zh: "预计 {time}内收到下一次心跳" }
    missed_in(time: &str) { en: "late; it is down in {time}", zh: "已迟到；{time}后视为中断" }
    missed_for(time: &str) { en: "nothing has come in time, {time} ago", zh: "{time}前未按时收到" }
    failed_for(time: &str) { en: "it reported a failure {time} ago", zh: "{time}前报告失败" }
    never_pages() { en: "it pages nobody before its first beat", zh: "首次心跳之前不会通知任何人" }
    paused_why() { en: "its configuration pauses it; nothing is missed", zh: "配置中已暂停，不会视为中断" }
    last(time: &str) { en: "last beat {time} ago", zh: "最近一次心跳：{time}前" }
    started(time: &str) { en: "running for {time}", zh: "已运行 {time}" }
    counted_restart() { en: "counted from the start of the server", zh: "从服务启动时刻算起" }
    counted_configured() { en: "counted from the change of its configuration", zh: "从配置变更时刻算起" }
    said(note: &str) { en: "It said: {note}", zh: "附言：{note}" }
    strip(beats: usize, missed: usize, failed: usize) { en: "Newest marks: {beats} beats, {missed} missed, {failed} failures", zh: "最近记录：{beats} 次心跳，{missed} 次中断，{failed} 次失败" }
    no_strip() { en: "no beat yet", zh: "尚无心跳" }
    addresses(hints: &str) { en: "addresses {hints}", zh: "地址 {hints}" }
    no_address() { en: "no address", zh: "没有地址" }
    new_address(name: &str) { en: "New address for {name}", zh: "为 {name} 新建地址" }
    address() { en: "New address", zh: "新建地址" }
    revoke() { en: "Revoke addresses", zh: "吊销地址" }
    revoke_of(name: &str) { en: "Revoke the addresses of {name}", zh: "吊销 {name} 的地址" }
    revoke_sure() { en: "Sure? Beats there are refused at once", zh: "确定？其心跳将立即被拒绝" }
    revoked(name: &str) { en: "The addresses of {name} are revoked", zh: "{name} 的地址已吊销" }
    new() { en: "New heartbeat", zh: "新建心跳" }
    name() { en: "Name", zh: "名称" }
    name_hint() { en: "For example: nightly backup.", zh: "例如：每夜备份。" }
    interval() { en: "A beat every", zh: "间隔" }
    interval_hint() { en: "30s, 5m, 1h, 1d", zh: "30s、5m、1h、1d" }
    grace() { en: "At most this late", zh: "宽限" }
    severity() { en: "Level of its alert", zh: "告警级别" }
    create() { en: "Create", zh: "创建" }
    more_in_settings() { en: "Policy, labels, time windows and the Watchdog of a sender are set in the configuration, under [[heartbeats]].", zh: "策略、标签、时段以及来源的 Watchdog 在配置的 [[heartbeats]] 中设置。" }
    made(name: &str) { en: "{name} is ready", zh: "{name} 已就绪" }
    listening() { en: "Waiting for the first beat…", zh: "等待首次心跳…" }
    listening_hint() { en: "Run one of the commands above; it shows here at once.", zh: "运行上面的任一命令，此处会立即显示。" }
    arrived() { en: "A beat arrived", zh: "已收到心跳" }
    how() { en: "How to beat", zh: "发送方式" }
    cron() { en: "cron", zh: "cron" }
    shell() { en: "Shell", zh: "Shell" }
    systemd() { en: "systemd", zh: "systemd" }
    powershell() { en: "PowerShell", zh: "PowerShell" }
    watchdog() { en: "Watchdog", zh: "Watchdog" }
    cron_hint() { en: "The beat comes only when the job ends well.", zh: "仅在任务成功结束时发送心跳。" }
    shell_hint() { en: "The exit code stands behind the address: 0 is a beat, everything else a failure.", zh: "退出码附在地址之后：0 为心跳，其余为失败。" }
    systemd_hint() { en: "In the unit of the service.", zh: "写入服务的 unit 文件。" }
    powershell_hint() { en: "At the end of a scheduled task.", zh: "放在计划任务末尾。" }
    watchdog_hint() { en: "Of Alertmanager, for the alert of Prometheus that always fires.", zh: "用于 Alertmanager，接收 Prometheus 始终触发的告警。" }
}
