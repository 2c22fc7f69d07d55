//! The pager's own health.

shared::messages! {
    lead() { en: "Whether the pager itself is well.", zh: "本系统自身是否正常。" }
    well() { en: "The pager is well", zh: "系统运行正常" }
    not_well() { en: "The pager needs attention", zh: "系统需要关注" }
    version() { en: "Version", zh: "版本" }
    store() { en: "Store", zh: "存储" }
    last_tick() { en: "since its last turn", zh: "距上次运行" }
    lateness() { en: "latest delay", zh: "最近延迟" }
    queue() { en: "waiting to be stored", zh: "条待写入" }
    in_flight() { en: "under way", zh: "条发送中" }
    due() { en: "set", zh: "个待触发" }
    browsers() { en: "connected", zh: "个已连接" }
    audited() { en: "Last audit of what is open", zh: "最近一次自检" }
    heartbeat() { en: "Outbound heartbeat", zh: "外发心跳" }
    no_heartbeat() { en: "not configured, or never taken", zh: "未配置或从未送达" }
    not_audited() { en: "not complete yet", zh: "尚未完成" }
    open() { en: "Open incidents", zh: "未恢复事件" }
    config() { en: "Configuration in force", zh: "生效配置版本" }
    pipeline() { en: "The way of a message", zh: "消息处理链路" }
    at_store() { en: "Messages", zh: "消息" }
    at_engine() { en: "Engine", zh: "引擎" }
    at_timers() { en: "Timers", zh: "定时器" }
    at_decisions() { en: "Decisions", zh: "决策" }
    at_deliveries() { en: "Deliveries", zh: "送达" }
    at_browsers() { en: "Browsers", zh: "浏览器" }
    storms() { en: "Storms", zh: "告警风暴" }
    no_storms() { en: "There has been no storm of incidents.", zh: "尚未出现告警风暴。" }
    storm_lasts() { en: "it lasts", zh: "仍在持续" }
    storm_lasted(span: &str) { en: "lasted {span}", zh: "持续 {span}" }
    storm_incidents() { en: "Incidents", zh: "事件" }
    storm_of_which(all: u64, p0: u64, quiet: u64) { en: "{all}, of which {p0} P0, {quiet} kept quiet", zh: "{all} 个，其中 P0 {p0} 个，保持安静 {quiet} 个" }
    storm_received() { en: "Received", zh: "收到" }
    storm_opened(all: u64, opened: u64, refreshed: u64, closed: u64) { en: "{all} = {opened} opened + {refreshed} repeated + {closed} recovered", zh: "{all} = 新建 {opened} + 重复 {refreshed} + 恢复 {closed}" }
    storm_others(suppressed: u64, unchanged: u64, rejected: u64) { en: " + {suppressed} too old + {unchanged} nothing to change + {rejected} not understood", zh: " + 过旧 {suppressed} + 无变化 {unchanged} + 无法识别 {rejected}" }
    storm_pages() { en: "Pages due", zh: "应发通知" }
    storm_sent(all: u64, sent: u64, cancelled: u64, waiting: u64) { en: "{all} = {sent} sent + {cancelled} not needed any more + {waiting} waiting", zh: "{all} = 已发送 {sent} + 不再需要 {cancelled} + 等待中 {waiting}" }
    storm_messages() { en: "Collected messages", zh: "合并通知" }
    storm_shared(messages: u64, bundled: u64, delayed: u64) { en: "{messages}; {bundled} pages shared one, {delayed} waited", zh: "{messages} 条；{bundled} 个通知合并发送，{delayed} 个曾等待" }
    storm_dropped() { en: "Dropped", zh: "丢失" }
    as_of(at: &str) { en: "as of {at}", zh: "截至 {at}" }
}
