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
    as_of(at: &str) { en: "as of {at}", zh: "截至 {at}" }
}
