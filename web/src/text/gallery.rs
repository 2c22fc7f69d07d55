//! Senders of the gallery: their names, what changes there, and where it goes.

shared::messages! {
    logger() { en: "logger", zh: "logger" }
    g_logger() { en: "A line of a script", zh: "脚本中的一行" }
    place_logger() { en: "Over syslog. The integration has to listen: its `syslog` in the configuration says where.", zh: "通过 syslog 发送。须先在配置的 `syslog` 中为该接入设置监听地址。" }
    rsyslog() { en: "rsyslog", zh: "rsyslog" }
    g_rsyslog() { en: "One action", zh: "一个动作" }
    place_rsyslog() { en: "A file in /etc/rsyslog.d. The integration has to listen: its `syslog` in the configuration says where, and which messages are events.", zh: "写入 /etc/rsyslog.d 下的文件。须先在配置的 `syslog` 中设置监听地址，以及哪些消息算作告警。" }
    syslog_ng() { en: "syslog-ng", zh: "syslog-ng" }
    g_syslog_ng() { en: "TCP, or HTTP with the token", zh: "TCP，或带令牌的 HTTP" }
    place_syslog_ng() { en: "In syslog-ng.conf, with a log path that leads there.", zh: "写入 syslog-ng.conf，并添加指向它的 log 路径。" }
    fluent_bit() { en: "Fluent Bit", zh: "Fluent Bit" }
    g_fluent_bit() { en: "Output http", zh: "http 输出" }
    place_fluent_bit() { en: "In fluent-bit.conf, behind whatever filter takes the records that are alerts.", zh: "写入 fluent-bit.conf，置于筛选告警记录的过滤器之后。" }
    fluentd() { en: "Fluentd", zh: "Fluentd" }
    g_fluentd() { en: "http, or forward", zh: "http 或 forward" }
    place_fluentd() { en: "In fluentd.conf, one of the two. Forwarding needs `forward` of the integration in the configuration.", zh: "写入 fluentd.conf，二者选一。forward 方式须先在配置中为该接入设置 `forward`。" }
    mail() { en: "Mail", zh: "邮件" }
    g_mail() { en: "An address of its own", zh: "专用邮件地址" }
    place_mail() { en: "For whatever can only write mail. The server has to take mail, and the host's mail has to lead to it.", zh: "用于只会发邮件的来源。服务器须已启用收信，且该域名的邮件须指向它。" }
    signed() { en: "Signed", zh: "签名请求" }
    g_signed() { en: "HMAC over the body", zh: "对正文做 HMAC" }
    place_signed() { en: "A token says who sends; a signature says besides that nobody changed it. The secret stands on both sides.", zh: "令牌说明来源，签名还保证内容未被改动。两端使用同一密钥。" }
    standard() { en: "Standard Webhooks", zh: "Standard Webhooks" }
    g_standard() { en: "Signed, with a time and a name", zh: "含时间与消息名的签名" }
    place_standard() { en: "With their Python library; those of other languages sign alike.", zh: "使用其 Python 库；其他语言的库签名方式相同。" }
    github() { en: "GitHub", zh: "GitHub" }
    g_github() { en: "A webhook, signed", zh: "webhook，带签名" }
    place_github() { en: "Settings, Webhooks, Add webhook; of a repository or an organisation.", zh: "Settings → Webhooks → Add webhook；仓库或组织均可。" }
    sentry() { en: "Sentry", zh: "Sentry" }
    g_sentry() { en: "An internal integration", zh: "内部集成" }
    place_sentry() { en: "Settings, Developer Settings, New Internal Integration.", zh: "Settings → Developer Settings → New Internal Integration。" }
    sns() { en: "Amazon SNS, Huawei SMN", zh: "亚马逊 SNS、华为云 SMN" }
    g_sns() { en: "A subscription", zh: "一个订阅" }
    place_sns() { en: "The subscription is confirmed by a message that comes here: confirm it under Messages.", zh: "订阅通过发到这里的一条消息确认：请在“消息”中确认。" }
    cloudevents() { en: "CloudEvents", zh: "CloudEvents" }
    g_cloudevents() { en: "One HTTP request", zh: "一个 HTTP 请求" }
    place_cloudevents() { en: "Its attributes in headers; source and id make it known again.", zh: "属性放在请求头中；以 source 与 id 识别重复。" }
}
