//! The frame around every page: navigation, connection, signing in, and what goes wrong anywhere.

shared::messages! {
    board() { en: "Board", zh: "告警面板" }
    on_call() { en: "On-call", zh: "值班" }
    policies() { en: "Policies", zh: "升级策略" }
    routes() { en: "Routes", zh: "路由" }
    hosts() { en: "Hosts", zh: "主机监控" }
    heartbeats() { en: "Heartbeats", zh: "心跳" }
    integrations() { en: "Integrations", zh: "接入" }
    messages() { en: "Messages", zh: "消息" }
    my_notifications() { en: "My notifications", zh: "我的通知" }
    me() { en: "Me", zh: "我的" }
    settings() { en: "Settings", zh: "设置" }
    analytics() { en: "Analytics", zh: "统计分析" }
    status() { en: "Status", zh: "系统状态" }
    more() { en: "More", zh: "更多" }
    main_navigation() { en: "Main", zh: "主导航" }
    skip() { en: "Skip to content", zh: "跳到正文" }
    find() { en: "Go to a page, #incident, or search the board", zh: "前往页面、#事件编号，或搜索面板" }
    find_short() { en: "Search", zh: "搜索" }
    nothing_found(what: &str) { en: "Nothing found for “{what}”", zh: "没有找到“{what}”" }
    open_incident(id: i64) { en: "Open incident #{id}", zh: "打开事件 #{id}" }
    filter_board(what: &str) { en: "Filter the board by “{what}”", zh: "按“{what}”筛选面板" }
    find_host(what: &str) { en: "Find hosts by “{what}”", zh: "按“{what}”查找主机" }
    page() { en: "page", zh: "页面" }
    theme() { en: "Theme", zh: "主题" }
    theme_system() { en: "System", zh: "跟随系统" }
    theme_light() { en: "Light", zh: "浅色" }
    theme_dark() { en: "Dark", zh: "深色" }
    language() { en: "Language", zh: "语言" }
    density() { en: "Density", zh: "密度" }
    density_default() { en: "Comfortable", zh: "舒适" }
    density_compact() { en: "Compact", zh: "紧凑" }
    account() { en: "Account", zh: "账户" }
    signed_in_as(name: &str, role: &str) { en: "{name} · {role}", zh: "{name} · {role}" }
    role_viewer() { en: "viewer", zh: "只读" }
    role_responder() { en: "responder", zh: "响应者" }
    role_network() { en: "network operator", zh: "网络运维" }
    role_admin() { en: "admin", zh: "管理员" }
    sign_out() { en: "Sign out", zh: "退出登录" }
    sign_out_ends_pushes() { en: "Signing out ends pushes to this browser.", zh: "退出登录后，此浏览器不再接收推送。" }
    on_call_until(when: &str) { en: "You are on call until {when}", zh: "您正在值班，至 {when}" }
    on_call_short(at: &str) { en: "on call – {at}", zh: "值班至 {at}" }
    demo() { en: "Demo: data is made up", zh: "演示：数据为虚构" }

    connecting() { en: "Connecting", zh: "连接中" }
    live() { en: "Live", zh: "实时" }
    reconnecting(seconds: i64) { en: "Reconnecting {seconds} s", zh: "重连中 {seconds} 秒" }
    offline_since(at: &str) { en: "Offline since {at}", zh: "{at} 起离线" }
    offline_banner(at: &str, data: &str) { en: "Offline since {at} — showing data of {data}. Answers are not sent until the connection is back.", zh: "{at} 起离线，显示的是 {data} 的数据。连接恢复前，操作不会发送。" }
    never_reached() { en: "The server does not answer. Trying again by itself.", zh: "服务器无响应，正在自动重试。" }
    unreached_banner(count: i64) { en: "Nobody can be reached about what is urgent ({count}): every delivery failed. Acknowledge it here, or tell somebody.", zh: "{count} 个紧急事件无法通知任何人：全部发送失败。请在此认领，或直接告知他人。" }
    unreached_why() { en: "What failed", zh: "查看失败原因" }
    try_now() { en: "Try now", zh: "立即重试" }
    outdated() { en: "The server was updated. Reload to go on live.", zh: "服务器已更新，请刷新页面以继续接收实时数据。" }
    reload() { en: "Reload", zh: "刷新" }
    signed_out_elsewhere() { en: "You were signed out. Sign in again to go on.", zh: "您已被退出登录，请重新登录。" }

    loading() { en: "Loading…", zh: "加载中…" }
    retry() { en: "Try again", zh: "重试" }
    close() { en: "Close", zh: "关闭" }
    cancel() { en: "Cancel", zh: "取消" }
    save() { en: "Save", zh: "保存" }
    saved() { en: "Saved", zh: "已保存" }
    copy() { en: "Copy", zh: "复制" }
    copied() { en: "Copied", zh: "已复制" }
    copy_failed() { en: "The browser did not allow copying: select the text by hand", zh: "浏览器不允许复制，请手动选择文本" }
    undo() { en: "Undo", zh: "撤销" }
    dismiss() { en: "Dismiss", zh: "关闭提示" }
    failed_to_load(what: &str) { en: "{what} could not be loaded", zh: "{what}加载失败" }
    part_missing() { en: "This page did not arrive", zh: "页面未能加载" }
    part_missing_why() { en: "This part of the application is fetched when it is first needed, and the server did not give it: there is no connection, or the server was updated meanwhile. After an update only a reload helps.", zh: "应用的这一部分在首次使用时获取，但服务器没有返回：可能没有连接，或服务器在此期间已更新。更新后需要刷新页面。" }
    unreachable() { en: "The server cannot be reached", zh: "无法连接服务器" }
    unreachable_detail() { en: "Check the network. Nothing was changed as far as we know.", zh: "请检查网络。据我们所知没有任何更改。" }
    unreadable() { en: "The server answered in a way this page does not understand", zh: "服务器的应答无法识别" }
    not_found_title() { en: "There is no such page", zh: "没有这个页面" }
    not_found_body() { en: "The address may be old or mistyped.", zh: "地址可能已失效或输入有误。" }
    to_board() { en: "To the board", zh: "返回面板" }
    admin_only() { en: "Only administrators see this.", zh: "仅管理员可见。" }
    load_more() { en: "Load more", zh: "加载更多" }
    none() { en: "none", zh: "无" }

    sign_in() { en: "Sign in", zh: "登录" }
    sign_in_lead() { en: "Who is woken, why, and whether they answered.", zh: "叫醒谁、为何叫醒、是否有人响应。" }
    login() { en: "Login", zh: "用户名" }
    password() { en: "Password", zh: "密码" }
    signing_in() { en: "Signing in…", zh: "登录中…" }
    setup() { en: "First-run set-up", zh: "首次设置" }
    setup_lead() { en: "Make the first administrator. The one-time code is in the server's log.", zh: "创建第一个管理员。一次性代码在服务器日志中。" }
    setup_code() { en: "One-time code", zh: "一次性代码" }
    setup_name() { en: "Your name", zh: "您的姓名" }
    setup_password_hint() { en: "At least 12 characters; a few words are better than symbols.", zh: "至少 12 个字符；几个词组胜过符号。" }
    setup_submit() { en: "Make administrator", zh: "创建管理员" }
    setup_done() { en: "Tocsin is set up already. Sign in instead.", zh: "系统已完成设置，请直接登录。" }
    field_at_fault(field: &str) { en: "Field: {field}", zh: "字段：{field}" }
}
