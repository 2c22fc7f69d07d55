//! Integrations: senders, their tokens, and what a body would become.

shared::messages! {
    lead() { en: "Who may send alerts, and when each was last heard.", zh: "谁可以发送告警，以及最近一次收到的时间。" }
    name() { en: "Name", zh: "名称" }
    tokens() { en: "Tokens", zh: "令牌" }
    last_heard() { en: "Last heard", zh: "最近收到" }
    never() { en: "never heard", zh: "从未收到" }
    watched(severity: &str, after: &str) { en: "silence of {after} is a {severity}", zh: "静默 {after} 即为 {severity}" }
    learned(severity: &str, after: &str, weeks: u32) { en: "silence of {after} after its last message is a {severity}, learned from {weeks} weeks", zh: "最近一条消息后静默 {after} 即为 {severity}（据 {weeks} 周的规律）" }
    learning(weeks: u32, needed: u32) { en: "learning when its silence is unusual: heard in {weeks} of the {needed} weeks that are needed", zh: "正在学习其静默规律：需要 {needed} 周，已有 {weeks} 周" }
    irregular() { en: "sends too rarely for its silence to mean something", zh: "发送太少，静默不说明问题" }
    silent(time: &str) { en: "silent, noticed {time} ago", zh: "来源静默，{time}前发现" }
    ago(time: &str) { en: "{time} ago", zh: "{time}前" }
    events() { en: "Messages", zh: "消息数" }
    none() { en: "No sender is set up yet.", zh: "尚未接入任何来源。" }
    none_hint() { en: "Make one below; it takes a minute until the first alert arrives.", zh: "在下方创建，一分钟内即可收到第一条告警。" }
    new() { en: "New integration", zh: "新建接入" }
    new_name() { en: "Name of the sender", zh: "来源名称" }
    new_hint() { en: "For example: Open-Falcon Beijing, backup scripts.", zh: "例如：北京 Open-Falcon、备份脚本。" }
    create() { en: "Create", zh: "创建" }
    revoke() { en: "Revoke", zh: "吊销" }
    revoke_sure(name: &str) { en: "Revoke {name}: its alerts are refused at once", zh: "吊销 {name}：其告警将立即被拒绝" }
    revoked(name: &str) { en: "{name} is revoked", zh: "{name} 已吊销" }
    token_title(name: &str) { en: "{name} is ready", zh: "{name} 已就绪" }
    token_once() { en: "This is shown once. Copy it now; it cannot be shown again.", zh: "仅显示一次，请立即复制；之后无法再次查看。" }
    how() { en: "How to send", zh: "发送方式" }
    curl_bracket() { en: "curl", zh: "curl" }
    curl_json() { en: "JSON", zh: "JSON" }
    falcon() { en: "Open-Falcon", zh: "Open-Falcon" }
    prometheus() { en: "Prometheus", zh: "Prometheus" }
    pagerduty() { en: "PagerDuty events", zh: "PagerDuty 事件" }
    place_prometheus() { en: "In prometheus.yml, in place of an Alertmanager or beside one; amtool works with this address too.", zh: "写入 prometheus.yml，可替代 Alertmanager，也可与之并存；amtool 同样可用此地址。" }
    place_pagerduty() { en: "Whatever speaks to PagerDuty: this address instead of events.pagerduty.com, and the token as routing key.", zh: "凡能对接 PagerDuty 的发送方：将 events.pagerduty.com 换成此地址，并以令牌作为 routing key。" }
    alertmanager() { en: "Alertmanager", zh: "Alertmanager" }
    grafana() { en: "Grafana", zh: "Grafana" }
    zabbix() { en: "Zabbix", zh: "Zabbix" }
    python() { en: "Python", zh: "Python" }
    place_bracket() { en: "The first command raises an alert, the second ends it.", zh: "第一条命令触发告警，第二条命令恢复。" }
    place_json() { en: "Any JSON object with common field names will do; send the same again with the status OK to end it.", zh: "任何使用常见字段名的 JSON 对象均可；以状态 OK 再次发送即恢复。" }
    place_falcon() { en: "In cfg.json of the alarm module: this address takes the form (tos, subject, content) that Open-Falcon posts.", zh: "写入 alarm 模块的 cfg.json：此地址接受 Open-Falcon 提交的表单（tos、subject、content）。" }
    place_alertmanager() { en: "In alertmanager.yml. Grouping and repeating can be left to Tocsin.", zh: "写入 alertmanager.yml。分组与重复通知可交给 Tocsin。" }
    place_grafana() { en: "Alerting → Contact points → Webhook with this address, or as a provisioning file.", zh: "在“告警 → 联络点”中新建 Webhook 并填入此地址，或使用下面的预置文件。" }
    place_zabbix() { en: "A media type of the kind Webhook. Parameters: value EVENT.VALUE, severity EVENT.SEVERITY, host HOST.NAME, ip HOST.IP, name EVENT.NAME, id EVENT.ID, each macro in braces.", zh: "新建类型为 Webhook 的媒介。参数：value EVENT.VALUE、severity EVENT.SEVERITY、host HOST.NAME、ip HOST.IP、name EVENT.NAME、id EVENT.ID，宏均加花括号。" }
    place_python() { en: "For scripts and cron jobs; nothing needs to be installed.", zh: "用于脚本和定时任务，无需安装任何依赖。" }
    waiting() { en: "Waiting for the first event…", zh: "等待第一条消息…" }
    waiting_hint() { en: "Run one of the commands above. It is shown here the moment it arrives.", zh: "运行上面的任一命令，到达后会立即显示在这里。" }
    arrived(name: &str) { en: "{name} was heard", zh: "已收到 {name} 的消息" }
    opened() { en: "Open the incident", zh: "打开事件" }
    try_title() { en: "Try your payload", zh: "试解析" }
    try_hint() { en: "Parsed as it would be, without storing or paging anybody.", zh: "按实际规则解析，不保存，也不通知任何人。" }
    try_body() { en: "Body", zh: "请求体" }
    try_go() { en: "Parse", zh: "解析" }
    would_be() { en: "It would become", zh: "将被识别为" }
    action() { en: "Action", zh: "动作" }
    trigger() { en: "problem", zh: "故障" }
    resolve() { en: "recovery", zh: "恢复" }
    update() { en: "update", zh: "更新" }
    acknowledge() { en: "answer", zh: "认领" }
    change() { en: "change", zh: "变更" }
    format() { en: "Read as", zh: "识别格式" }
    host() { en: "Host", zh: "主机" }
    ip() { en: "IP", zh: "IP" }
    mac() { en: "MAC", zh: "MAC" }
    summary() { en: "What", zh: "内容" }
    service() { en: "Service", zh: "服务" }
    identity() { en: "Identity", zh: "标识" }
    would_be_refused() { en: "It would be put into quarantine", zh: "将被隔离" }
    messages_lead() { en: "Everything that was accepted, newest first, and what became of it.", zh: "所有已接收的消息及其去向，最新在前。" }
    all() { en: "All", zh: "全部" }
    quarantine() { en: "Quarantine", zh: "隔离区" }
    received() { en: "Received", zh: "接收时间" }
    sender() { en: "Sender", zh: "来源" }
    text() { en: "Text", zh: "内容" }
    became() { en: "Became", zh: "去向" }
    no_text() { en: "(empty)", zh: "（空）" }
    no_messages() { en: "No message has arrived yet.", zh: "尚未收到消息。" }
    no_quarantine() { en: "Nothing is in quarantine: every message was understood.", zh: "隔离区为空：所有消息均已识别。" }
}
