//! One integration: its last requests, its tokens, a message that is told again, and what is set for it.

shared::messages! {
    title() { en: "Its last requests", zh: "最近请求" }
    lead() { en: "The last 50 since this server started, also those that were refused. Tokens are masked.", zh: "本服务器启动以来的最近 50 个请求，包括被拒绝的。令牌已隐去。" }
    none() { en: "Nothing has come yet", zh: "尚无请求" }
    none_hint() { en: "Send one line, with its token where TOKEN stands. It is shown here within seconds, also if it is refused.", zh: "发送一行即可，将令牌填入 TOKEN 处。数秒内会显示在这里，被拒绝的也会显示。" }
    when() { en: "When", zh: "时间" }
    request() { en: "Request", zh: "请求" }
    answer() { en: "Answer", zh: "应答" }
    size() { en: "Size, time", zh: "大小与耗时" }
    became() { en: "Became", zh: "去向" }
    status_taken(status: u16) { en: "{status} taken", zh: "{status} 已接收" }
    status_refused(status: u16) { en: "{status} refused", zh: "{status} 已拒绝" }
    status_failed(status: u16) { en: "{status} failed", zh: "{status} 失败" }
    from(peer: &str, agent: &str) { en: "from {peer} {agent}", zh: "来自 {peer} {agent}" }
    one_event() { en: "1 event", zh: "1 条告警" }
    events(count: u32) { en: "{count} events", zh: "{count} 条告警" }
    unread(count: u32) { en: "{count} not understood", zh: "{count} 条未能识别" }
    no_event() { en: "no event", zh: "无告警" }
    message(id: i64) { en: "Message {id}", zh: "消息 {id}" }
    strip(all: usize, taken: usize, refused: usize, failed: usize) { en: "{all} requests, the newest at the right: {taken} taken, {refused} refused, {failed} failed", zh: "{all} 个请求，最新在右：{taken} 个已接收，{refused} 个被拒绝，{failed} 个失败" }
    taken_count(count: usize) { en: "{count} taken", zh: "{count} 个已接收" }
    refused_count(count: usize) { en: "{count} refused", zh: "{count} 个被拒绝" }
    failed_count(count: usize) { en: "{count} failed", zh: "{count} 个失败" }
    pace(half: &str, slowest: &str) { en: "half within {half}, the slowest {slowest}", zh: "半数在 {half} 内，最慢 {slowest}" }
    all(count: usize) { en: "Show all {count}", zh: "显示全部 {count} 个" }
    at_once() { en: "<1 ms", zh: "<1 毫秒" }
    older() { en: "older", zh: "较早" }
    newest() { en: "now", zh: "最新" }
    higher() { en: "the longer the bar, the slower", zh: "越长越慢" }

    why_signature() { en: "The signature does not match: is the secret the same on both sides?", zh: "签名不符：两端的密钥是否相同？" }
    why_signature_missing() { en: "It is not signed, and this sender has to: is signing switched on there?", zh: "未签名，而此来源必须签名：对方是否已启用签名？" }
    why_signature_old() { en: "It was signed too long ago: are both clocks right, or did it wait on its way?", zh: "签名时间过久：两端时钟是否准确，或消息在途中滞留？" }
    why_signature_time() { en: "The time of its signature cannot be read: is it in seconds, in the header that is set?", zh: "无法读取签名时间：是否以秒为单位，并位于所设的请求头？" }
    why_signature_secret() { en: "No secret is set here: put one into its signature in the configuration.", zh: "此处未设密钥：请在配置的 signature 中填写。" }
    why_signature_address() { en: "This address says in itself what is wanted, which no signature covers: post to /ingest, or use an integration without a signature.", zh: "此地址本身即表达操作，签名无法覆盖：请改用 /ingest，或使用不要求签名的接入。" }
    why_limit() { en: "It sent more than its limit, and was told when to come back: raise rate_limit, or let it send less.", zh: "超出其限额，已告知何时重试：请提高 rate_limit，或减少发送。" }
    why_overload() { en: "The server had too much to do: it should be sent again.", zh: "服务器过载：对方应重新发送。" }
    why_store() { en: "It could not be stored: it should be sent again. The page Status says what is wrong.", zh: "未能保存：对方应重新发送。原因见“状态”页。" }
    why_unread() { en: "Nothing in it could be read: it is kept in quarantine, and can be mapped.", zh: "未能识别任何内容：已存入隔离区，可为其设置映射。" }
    why_format() { en: "There is no such format as the address names: leave it out, and it is found by looking.", zh: "地址中的格式不存在：请去掉，系统会自动识别。" }
    why_encoding() { en: "It is packed in a way that is not taken: send it as gzip, or as it is.", zh: "压缩方式不受支持：请用 gzip 或不压缩发送。" }
    why_large() { en: "It is too large: send it in several requests.", zh: "内容过大：请分多次发送。" }
    why_slow() { en: "It did not arrive in time: look at the connection, or at a proxy between.", zh: "内容未及时到达：请检查网络或中间代理。" }
    why_body() { en: "It broke off, or is not packed as it says.", zh: "内容中断，或压缩与声明不符。" }
    why_type() { en: "Its content type is not what this address takes.", zh: "内容类型不是此地址所接受的。" }
    why_method() { en: "This address is posted to: the sender asks it by another method.", zh: "此地址只接受 POST，对方使用了其他方法。" }
    why_query() { en: "What stands behind the ? of its address cannot be read.", zh: "地址中 ? 之后的参数无法读取。" }
    why_other(code: &str) { en: "Refused: {code}.", zh: "已拒绝：{code}。" }
    why_failed() { en: "The server could not answer: it should be sent again.", zh: "服务器未能应答：对方应重新发送。" }

    again() { en: "Tell it again", zh: "重新投递" }
    again_of(id: i64) { en: "Tell message {id} again", zh: "重新投递消息 {id}" }
    again_warning() { en: "It is read by the settings of now and taken as a message that came just now: it may open an incident and page people. The first one stays as it is.", zh: "将按当前设置解析，并视为刚刚收到的消息：可能创建事件并通知人员。原消息保持不变。" }
    again_record() { en: "The record says who did it.", zh: "操作者将记入审计记录。" }
    again_done(id: i64) { en: "It is message {id} now", zh: "已成为消息 {id}" }
    again_went(incident: i64) { en: "Open incident #{incident}", zh: "打开事件 #{incident}" }
    again_nobody() { en: "It went to no incident, and nobody is paged for it.", zh: "未归入任何事件，不会通知任何人。" }
    again_more(count: usize) { en: "and {count} more", zh: "另有 {count} 条" }
    again_unsure() { en: "No answer came: whether it was told again is not known. Look at the newest messages first.", zh: "未收到应答：不确定是否已投递。请先查看最新消息。" }
    again_failed() { en: "It was not told again", zh: "未能重新投递" }

    settings() { en: "What is set for it", zh: "设置" }
    settings_lead() { en: "As the configuration has it; secrets are not shown.", zh: "取自配置；不显示密钥。" }
    settings_admins() { en: "Administrators can change it in the configuration.", zh: "管理员可在配置中修改。" }
    undeclared() { en: "The configuration does not name this sender yet, so all is as usual. Begin with this:", zh: "配置中尚无此来源，均为默认值。可从以下内容开始：" }
    change_settings() { en: "Change it in the configuration", zh: "在配置中修改" }
    signature_name() { en: "Signature", zh: "签名" }
    unsigned() { en: "not asked for: the token is enough", zh: "不要求：仅凭令牌" }
    signed_within(span: &str) { en: "not older than {span}, and each message once", zh: "不早于 {span}，每条消息仅接收一次" }
    signed_untimed() { en: "without a time: whoever overhears a message can send it again", zh: "不含时间：截获者可重放消息" }
    two_secrets() { en: "Two secrets count: make the new one the only one when nothing comes under the old.", zh: "两个密钥同时有效：旧密钥不再使用后，请只保留新密钥。" }
    two_secrets_since() { en: "Two secrets count: make the new one the only one when nothing comes under the old. Since", zh: "两个密钥同时有效：旧密钥不再使用后，请只保留新密钥。自" }
    limit_name() { en: "Limit", zh: "限额" }
    limit(messages: u32, within: &str) { en: "{messages} messages in {within}; a P0 passes", zh: "{within} 内 {messages} 条；P0 不受限" }
    no_limit() { en: "none", zh: "无" }
    severity_name() { en: "Level where none is said", zh: "未说明时的级别" }
    charset_name() { en: "Written in", zh: "字符集" }
    charset_found() { en: "found by looking: UTF-8, else GB18030", zh: "自动识别：UTF-8，否则 GB18030" }
    zone_name() { en: "Zone of its times", zh: "时区" }
    key_name() { en: "What makes one alert", zh: "告警标识" }
    key_own() { en: "its own key", zh: "来源自带标识" }
    silence_name() { en: "Its silence", zh: "静默" }
    silence(span: &str, severity: &str) { en: "after {span} a {severity}", zh: "{span} 后为 {severity}" }
    silence_learning() { en: "watched once its rhythm is known", zh: "掌握其规律后开始监视" }
    silence_off() { en: "not watched", zh: "不监视" }
    syslog_name() { en: "Syslog", zh: "Syslog" }
    syslog_off() { en: "not listened for", zh: "未监听" }
    from_anywhere() { en: "from anywhere", zh: "来源不限" }
    from_nets(nets: &str) { en: "from {nets}", zh: "来自 {nets}" }
    tokens_title() { en: "Tokens", zh: "令牌" }
    tokens_lead() { en: "A new token is given to the sender while the old ones still work.", zh: "新令牌交给来源期间，旧令牌继续有效。" }
    tokens_none() { en: "It has no token that works: nothing of it is taken by HTTP.", zh: "没有有效令牌：不会接收它的 HTTP 消息。" }
    token_ends(when: &str) { en: "taken until {when}", zh: "有效至 {when}" }
    token_stays() { en: "taken until it is revoked", zh: "吊销前一直有效" }
    overlap() { en: "The old ones are taken", zh: "旧令牌有效期" }
    overlap_stay() { en: "until they are revoked", zh: "直到吊销" }
    overlap_for(span: &str) { en: "for another {span}", zh: "再有效 {span}" }
    overlap_hint() { en: "Long enough to give the new one to every machine that sends. A token that leaked should end soon.", zh: "应足以让所有发送方换用新令牌；若令牌已泄露，应尽快终止。" }
    token_new() { en: "New token", zh: "新令牌" }
    token_made() { en: "The new token", zh: "新令牌" }
    old_until(when: &str) { en: "The old tokens are taken until {when}.", zh: "旧令牌有效至 {when}。" }
    old_stay() { en: "The old tokens go on until they are revoked.", zh: "旧令牌在吊销前一直有效。" }
}
