//! One integration: how it is doing, and how its own JSON becomes an alert.

shared::messages! {
    unknown() { en: "There is no such sender", zh: "没有这个来源" }
    unknown_hint() { en: "Its token may have been revoked. All senders are on the page Integrations.", zh: "其令牌可能已被吊销。所有来源见“接入”页。" }
    back() { en: "All integrations", zh: "全部接入" }
    doing() { en: "How it is doing", zh: "现状" }
    recent() { en: "Its newest messages", zh: "最新消息" }
    all_messages() { en: "All its messages", zh: "它的全部消息" }
    its_quarantine() { en: "What could not be read", zh: "未能识别的消息" }
    nothing_yet() { en: "Nothing has come from it yet.", zh: "尚未收到它的消息。" }
    map_this() { en: "Map this", zh: "映射此消息" }
    send_hint() { en: "Its token was shown once, when it was made: put it where TOKEN stands.", zh: "令牌仅在创建时显示一次：请填入 TOKEN 处。" }
    title() { en: "Mapping", zh: "字段映射" }
    lead() { en: "For JSON of a form of its own: say which member is the host, the level and so on. What you do not say is found as without a mapping.", zh: "用于自有格式的 JSON：指定哪个成员是主机、级别等。未指定的字段仍按常规识别。" }
    only_admins() { en: "Administrators can change it.", zh: "仅管理员可修改。" }
    payload() { en: "The payload", zh: "消息内容" }
    payload_lead() { en: "Choose a member to use it as a field.", zh: "选择一个成员，将其用作字段。" }
    of_message(id: i64) { en: "Message {id}", zh: "消息 {id}" }
    that_message() { en: "The message", zh: "该消息" }
    pasted() { en: "Pasted", zh: "粘贴的内容" }
    no_payload() { en: "No JSON has come from it yet", zh: "尚未收到它的 JSON" }
    no_payload_hint() { en: "Send one message, or paste one below. It is kept and shown here, whatever becomes of it.", zh: "请发送一条消息，或在下方粘贴。无论结果如何，消息都会保存并显示在这里。" }
    no_value() { en: "no value", zh: "无值" }
    no_tree() { en: "This is no JSON that can be shown as a tree; pointers can still be typed below.", zh: "这不是可显示为树的 JSON；仍可在下方直接填写路径。" }
    paste() { en: "Paste another", zh: "粘贴其他内容" }
    paste_body() { en: "JSON as the sender posts it", zh: "来源发送的 JSON" }
    paste_go() { en: "Use it", zh: "使用" }
    more_members(count: usize) { en: "and {count} more like these", zh: "另有 {count} 个类似成员" }
    use_as(pointer: &str) { en: "Use {pointer} as", zh: "将 {pointer} 用作" }
    add_to(field: &str) { en: "+ {field}", zh: "+ {field}" }
    as_label(name: &str) { en: "Label {name}", zh: "标签 {name}" }
    only_when(word: &str) { en: "Only when it is “{word}”", zh: "仅当其为“{word}”时" }
    each_here() { en: "One alert each", zh: "每个成员一条告警" }
    each_stop() { en: "Not one alert each", zh: "不再逐个成员" }
    summary() { en: "What", zh: "内容" }
    content() { en: "Details", zh: "详情" }
    host() { en: "Host", zh: "主机" }
    severity() { en: "Level", zh: "级别" }
    status() { en: "Status", zh: "状态" }
    ip() { en: "IP", zh: "IP" }
    mac() { en: "MAC", zh: "MAC" }
    service() { en: "Service", zh: "服务" }
    key() { en: "Identity", zh: "标识" }
    time() { en: "Time", zh: "时间" }
    url() { en: "Link", zh: "链接" }
    label(name: &str) { en: "Label {name}", zh: "标签 {name}" }
    rules() { en: "What is said", zh: "映射规则" }
    rules_none() { en: "Nothing yet: everything is found by its name.", zh: "暂无：所有字段按名称识别。" }
    rules_hint() { en: "A pointer such as /labels/host, or words with pointers in braces. Of several the first that gives something counts.", zh: "可填路径（如 /labels/host），或含花括号路径的文字。多个时取第一个有值的。" }
    place_of(field: &str) { en: "Where {field} stands", zh: "{field} 的位置" }
    or_else() { en: "or else", zh: "否则" }
    take_away(field: &str) { en: "Take {field} away", zh: "移除 {field}" }
    each_rule() { en: "One alert for each member of", zh: "逐个成员生成告警，列表位于" }
    when_rule(pointer: &str) { en: "Only when {pointer} is", zh: "仅当 {pointer} 为" }
    anything() { en: "there at all", zh: "任意值" }
    word_means(word: &str) { en: "“{word}” means", zh: "“{word}”表示" }
    as_usual() { en: "what it usually does", zh: "按常规识别" }
    another_word() { en: "Another word of the sender", zh: "来源的其他用词" }
    add_word() { en: "Add the word", zh: "添加用词" }
    becomes() { en: "It becomes", zh: "将成为" }
    preview() { en: "The preview", zh: "预览" }
    becomes_hint() { en: "Tried as it would be read, without storing or paging.", zh: "按实际规则试解析，不保存，也不通知。" }
    nth(number: usize, count: usize) { en: "{number} of {count}", zh: "第 {number} 条，共 {count} 条" }
    and_others(count: usize) { en: "and {count} more", zh: "另有 {count} 条" }
    mapped_by(place: &str) { en: "mapped by {place}", zh: "由 {place} 映射" }
    mapped_words() { en: "mapped", zh: "由映射指定" }
    found_as(place: &str) { en: "found as {place}", zh: "识别自 {place}" }
    worked_out() { en: "worked out", zh: "推得" }
    default_level() { en: "no level is said: the default of the sender", zh: "未说明级别：取来源默认值" }
    not_found() { en: "not found", zh: "未找到" }
    wrong() { en: "This must be mended", zh: "需要修正" }
    unsaved() { en: "Not in force yet", zh: "尚未生效" }
    discard() { en: "Discard", zh: "放弃更改" }
    save() { en: "Put in force", zh: "使其生效" }
    saved(version: i64) { en: "In force with version {version}; the next message is read by it", zh: "已随版本 {version} 生效，下一条消息即按此解析" }
    clashes() { en: "Somebody else changed the same", zh: "他人也修改了相同内容" }
    clashes_hint() { en: "What only they changed was taken over. Choose for each of these.", zh: "仅由对方修改的内容已合并。请逐项选择。" }
    yours() { en: "yours", zh: "您的" }
    theirs() { en: "theirs", zh: "对方的" }
    nothing() { en: "nothing", zh: "无" }
    keep_ours(field: &str) { en: "Keep yours: {field}", zh: "保留您的：{field}" }
    take_theirs(field: &str) { en: "Take theirs: {field}", zh: "采用对方的：{field}" }
    keep() { en: "Keep yours", zh: "保留您的" }
    take() { en: "Take theirs", zh: "采用对方的" }
    whens() { en: "Conditions", zh: "条件" }
    again() { en: "Load again and keep my changes", zh: "重新载入并保留我的更改" }
    remove() { en: "Remove the mapping", zh: "删除映射" }
    gallery() { en: "Senders we know", zh: "已支持的来源" }
    gallery_lead() { en: "Choose one to see what changes there. Whatever else can send JSON or a line of text works too.", zh: "选择一个查看需要修改的内容。其他能发送 JSON 或一行文本的来源同样可用。" }
    g_falcon() { en: "Alarm module, three addresses", zh: "alarm 模块，三个地址" }
    g_prometheus() { en: "As an Alertmanager; amtool too", zh: "作为 Alertmanager，兼容 amtool" }
    g_alertmanager() { en: "One webhook receiver", zh: "一个 webhook 接收器" }
    g_grafana() { en: "One contact point", zh: "一个联络点" }
    g_zabbix() { en: "One media type", zh: "一个媒介类型" }
    g_nagios() { en: "One command; Icinga too", zh: "一条命令，兼容 Icinga" }
    g_nightingale() { en: "A webhook or callback", zh: "webhook 或回调" }
    g_kuma() { en: "A notification Webhook", zh: "Webhook 通知" }
    g_netdata() { en: "Four lines", zh: "四行配置" }
    g_apprise() { en: "jsons:// and others", zh: "jsons:// 等" }
    g_alerta() { en: "Endpoint and key", zh: "地址与密钥" }
    g_slack() { en: "Mattermost and Gotify too", zh: "兼容 Mattermost、Gotify" }
    g_pagerduty() { en: "Host and routing key", zh: "主机与 routing key" }
    g_opsgenie() { en: "Host and API key", zh: "主机与 API key" }
    g_line() { en: "[P0][PROBLEM][host]…", zh: "[P0][PROBLEM][host]…" }
    g_json() { en: "Common names", zh: "常见字段名" }
    g_python() { en: "Scripts and cron jobs", zh: "脚本与定时任务" }
    g_any() { en: "Mapped by clicking", zh: "点选即可映射" }
    any_json() { en: "Any other JSON", zh: "其他 JSON" }
    nagios() { en: "Nagios, Icinga", zh: "Nagios、Icinga" }
    nightingale() { en: "Nightingale", zh: "夜莺 Nightingale" }
    kuma() { en: "Uptime Kuma", zh: "Uptime Kuma" }
    netdata() { en: "Netdata", zh: "Netdata" }
    apprise() { en: "Apprise", zh: "Apprise" }
    alerta() { en: "Alerta", zh: "Alerta" }
    slack() { en: "Slack and others", zh: "Slack 等" }
    opsgenie() { en: "Opsgenie", zh: "Opsgenie" }
    place_nagios() { en: "A notification command that needs curl and nothing else; it stands in docs/integrations.", zh: "仅依赖 curl 的通知命令，位于 docs/integrations。" }
    place_nightingale() { en: "As the address of a webhook, or as the callback of a rule.", zh: "填为 webhook 地址，或规则的回调地址。" }
    place_kuma() { en: "Settings, Notifications, Webhook: this address, application/json.", zh: "设置 → 通知 → Webhook：填入此地址，application/json。" }
    place_netdata() { en: "In health_alarm_notify.conf.", zh: "写入 health_alarm_notify.conf。" }
    place_apprise() { en: "Its address in Apprise; the type says how bad it is.", zh: "Apprise 中的地址；类型决定级别。" }
    place_alerta() { en: "The endpoint, and the token as its key.", zh: "填入 endpoint，令牌即密钥。" }
    place_slack() { en: "Wherever an incoming webhook can be entered.", zh: "可填入站 webhook 的地方均可。" }
    place_opsgenie() { en: "This address instead of api.opsgenie.com, and the token as API key.", zh: "以此地址替代 api.opsgenie.com，令牌即 API key。" }
    place_any() { en: "Post it once as it is, then open the integration and choose which member is what.", zh: "先原样发送一次，然后打开该接入，选择各成员的含义。" }
    make_one() { en: "Make an integration for it", zh: "为它新建接入" }
}
