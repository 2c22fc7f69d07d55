//! My notifications: the own devices, how far each is proved, tests, and guides for phones.

shared::messages! {
    lead() { en: "What wakes you, whether it works, and when it is used.", zh: "用什么叫醒您、是否有效、何时使用。" }
    unreachable_title() { en: "You cannot be reached", zh: "无法联系到您" }
    unreachable_nothing() { en: "There is neither a device nor a contact. Register this browser, or add a contact below.", zh: "没有任何设备或联系方式。请登记此浏览器，或在下方添加联系方式。" }
    unreachable_rules() { en: "No rule of yours uses a contact that works. Change the rules below.", zh: "您的规则没有使用任何有效的联系方式。请修改下方规则。" }
    unreachable_devices() { en: "Your rules use web push alone, and no device is registered. Register this browser.", zh: "您的规则只使用网页推送，但没有登记设备。请登记此浏览器。" }
    unused_title() { en: "Pages are not pushed to your devices yet", zh: "您的设备尚未收到推送" }
    unused_hint() { en: "None of your rules uses web push.", zh: "您的规则均未使用网页推送。" }
    use_push() { en: "Push every page at once", zh: "所有通知立即推送" }
    only_doubtful() { en: "Every device of yours is doubtful", zh: "您的所有设备均存疑" }
    only_doubtful_hint() { en: "And your rules use nothing else. Send a test to each, or add a telephone call.", zh: "而规则没有使用其他方式。请逐一测试，或添加电话呼叫。" }

    devices() { en: "Devices", zh: "设备" }
    devices_hint() { en: "Browsers and phones that show pages, even with Tocsin closed.", zh: "即使 Tocsin 未打开也会显示通知的浏览器和手机。" }
    no_devices() { en: "No device yet", zh: "还没有设备" }
    this_browser() { en: "this browser", zh: "本浏览器" }
    register() { en: "Register this browser", zh: "登记此浏览器" }
    registering() { en: "Registering…", zh: "登记中…" }
    registered(label: &str) { en: "{label} is registered", zh: "{label} 已登记" }
    register_hint() { en: "The browser asks whether Tocsin may notify you. Say yes.", zh: "浏览器会询问是否允许 Tocsin 通知您，请选择允许。" }
    denied() { en: "This browser was told not to show notifications of Tocsin. Allow them in its site settings (the mark left of the address), then come back.", zh: "此浏览器已禁止 Tocsin 的通知。请在网站设置（地址栏左侧图标）中允许，然后返回。" }
    not_answered() { en: "The browser was not allowed to notify. Press again when you are ready.", zh: "尚未允许通知，准备好后请再次点击。" }
    not_offered() { en: "This browser has no web push, or this is a private window. Use Chrome, Edge, Firefox or Safari in an ordinary window.", zh: "此浏览器不支持网页推送，或处于无痕窗口。请在普通窗口使用 Chrome、Edge、Firefox 或 Safari。" }
    not_https() { en: "Web push needs https, and this page came without it. Ask whoever runs Tocsin for its https address.", zh: "网页推送需要 https，而此页面不是。请向 Tocsin 管理员索取 https 地址。" }
    needs_home() { en: "On an iPhone or iPad Tocsin must be on the Home Screen first: press Share, then “Add to Home Screen”, and open it from there.", zh: "在 iPhone 或 iPad 上，请先将 Tocsin 添加到主屏幕：点击“共享”→“添加到主屏幕”，再从主屏幕打开。" }
    failed_private() { en: "The browser refused. In a private window there is no web push; elsewhere its push service may not be reachable from this network.", zh: "浏览器拒绝了请求。无痕窗口不支持网页推送；此外，当前网络可能无法访问其推送服务。" }
    failed_worker() { en: "The background worker does not start. Reload the page and try again.", zh: "后台服务未能启动，请刷新页面后重试。" }
    failed(why: &str) { en: "The browser could not subscribe ({why}). Reload the page and try again.", zh: "浏览器订阅失败（{why}），请刷新页面后重试。" }
    remove_device(label: &str) { en: "Remove {label}", zh: "移除 {label}" }
    remove() { en: "Remove", zh: "移除" }
    removed(label: &str) { en: "{label} is removed", zh: "{label} 已移除" }
    rename(label: &str) { en: "Name of {label}", zh: "{label} 的名称" }
    on(browser: &str, place: &str) { en: "{browser} on {place}", zh: "{place} 上的 {browser}" }
    hide() { en: "Hide what pages say on the lock screen", zh: "锁屏上隐藏通知内容" }
    hide_hint() { en: "Only the level and the number are pushed: no host, address or cause.", zh: "只推送级别和编号，不含主机、地址和原因。" }

    ladder(label: &str) { en: "How far {label} is proved", zh: "{label} 的验证程度" }
    step_permission() { en: "Permission", zh: "权限" }
    step_subscription() { en: "Subscription", zh: "订阅" }
    step_proof() { en: "Last proof", zh: "最近验证" }
    step_loud() { en: "Loud?", zh: "响铃？" }
    good() { en: "good", zh: "正常" }
    bad() { en: "not good", zh: "异常" }
    open() { en: "not known", zh: "未知" }
    allowed() { en: "allowed", zh: "已允许" }
    not_allowed() { en: "not allowed", zh: "未允许" }
    alive(service: &str) { en: "alive at {service}", zh: "有效：{service}" }
    asks_itself() { en: "nobody pushes to it: it rings only while its app runs", zh: "无推送：仅在应用运行时响铃" }
    of_the_app() { en: "given to the app", zh: "由应用管理" }
    gone() { en: "gone: open Tocsin on it", zh: "已失效：请在该设备上打开 Tocsin" }
    refused(n: u32) { en: "the last {n} pushes were refused", zh: "最近 {n} 次推送被拒绝" }
    proof_at(ago: &str) { en: "shown {ago} ago", zh: "{ago}前显示" }
    proof_in(ago: &str, delay: &str) { en: "shown {ago} ago, after {delay}", zh: "{ago}前显示，用时 {delay}" }
    proof_none() { en: "none yet: send a test", zh: "尚无：请发送测试" }
    usual(p50: &str, p95: &str) { en: "Usually {p50}, nearly always {p95}", zh: "通常 {p50}，绝大多数 {p95}" }
    unproved(n: u32) { en: "no word of the last {n} pushes", zh: "最近 {n} 次推送没有回执" }
    silent(days: u32) { en: "showed nothing for {days} days", zh: "{days} 天未显示任何通知" }
    rang(ago: &str) { en: "rang {ago} ago, you said", zh: "{ago}前您确认响铃" }
    did_not_ring(ago: &str) { en: "did not ring {ago} ago, you said", zh: "{ago}前您表示未响铃" }
    loud_unknown() { en: "send a test as P0, with the phone silenced", zh: "请在手机静音时发送 P0 测试" }
    doubtful(label: &str, why: &str) { en: "{label} is doubtful: {why}", zh: "{label} 存疑：{why}" }

    test() { en: "Send a test", zh: "发送测试" }
    test_p0() { en: "as P0", zh: "按 P0" }
    test_of(name: &str) { en: "Send a test to {name}", zh: "向 {name} 发送测试" }
    test_p0_of(name: &str) { en: "Send a test as P0 to {name}", zh: "按 P0 向 {name} 发送测试" }
    test_saved_only() { en: "Save first: a test uses what is saved.", zh: "请先保存：测试使用已保存的内容。" }
    test_failed(why: &str) { en: "The test could not be sent: {why}", zh: "测试无法发送：{why}" }
    test_lost() { en: "How the test went on is not known: the server does not answer.", zh: "服务器无响应，无法得知测试的后续结果。" }
    hops() { en: "The way of the test", zh: "测试过程" }
    hop_queued(at: &str) { en: "queued {at}", zh: "排队 {at}" }
    hop_taken(by: &str) { en: "taken by {by}", zh: "{by} 已接收" }
    hop_provider() { en: "its provider", zh: "服务商" }
    hop_refused(why: &str) { en: "refused: {why}", zh: "被拒绝：{why}" }
    hop_delivered() { en: "on the phone", zh: "已送达手机" }
    hop_shown(on: &str) { en: "shown on {on}", zh: "已在 {on} 显示" }
    hop_opened() { en: "you tapped", zh: "您已点击" }
    hop_dismissed() { en: "you put it away", zh: "您已关闭" }
    hop_waits() { en: "waiting for a sign…", zh: "等待回执…" }
    hop_silence() { en: "no sign after a minute: it was not shown", zh: "一分钟内没有回执：未显示" }
    hop_no_receipt() { en: "taken; whether it was seen, this channel cannot tell", zh: "已接收；此渠道无法得知是否已看到" }
    screen() { en: "a screen", zh: "屏幕" }
    did_it_ring() { en: "Did it ring aloud?", zh: "响铃了吗？" }
    yes() { en: "Yes", zh: "是" }
    no() { en: "No", zh: "否" }
    try_states() { en: "Try it silenced, in Do Not Disturb and asleep.", zh: "请在静音、勿扰和熄屏时分别尝试。" }

    sound() { en: "Ring in open tabs", zh: "在打开的标签页中响铃" }
    sound_hint() { en: "A tone when a P0 or P1 is pushed to this browser, until you touch the page.", zh: "P0 或 P1 推送到此浏览器时响铃，直到您操作页面。" }
    sound_try() { en: "Play the tone", zh: "试听" }
    ringing(title: &str) { en: "Ringing: {title}", zh: "响铃：{title}" }

    card_title() { en: "Let calls through", zh: "让来电穿透静音" }
    card_hint() { en: "Save the numbers this server calls from as a contact, and let that contact through when the phone is silenced.", zh: "将本服务器的呼叫号码存为联系人，并允许其在静音时响铃。" }
    card_get() { en: "Save the contact", zh: "保存联系人" }
    guides() { en: "Make the phone loud", zh: "让手机响起来" }
    guide_ios() { en: "iPhone and iPad", zh: "iPhone 和 iPad" }
    guide_android() { en: "Android", zh: "Android" }
    ios_home() { en: "In Safari press Share, then “Add to Home Screen”. Open Tocsin from there and register it.", zh: "在 Safari 中点击“共享”→“添加到主屏幕”，从主屏幕打开 Tocsin 并登记。" }
    ios_focus() { en: "Settings → Focus → each focus you use → Apps: add Tocsin. Allow time-sensitive notifications.", zh: "设置 → 专注模式 → 您使用的每个模式 → App：添加 Tocsin，并允许即时通知。" }
    ios_contact() { en: "Contacts → Tocsin → Edit → Ringtone: turn on Emergency Bypass; the same for Text Tone.", zh: "通讯录 → Tocsin → 编辑 → 铃声：打开“紧急绕过”；短信铃声同样设置。" }
    android_install() { en: "In the browser's menu press “Install app” or “Add to Home screen”.", zh: "在浏览器菜单中选择“安装应用”或“添加到主屏幕”。" }
    android_channel() { en: "Settings → Apps → your browser → Notifications → this site: make it a priority, with sound, and let it override Do Not Disturb.", zh: "设置 → 应用 → 浏览器 → 通知 → 本网站：设为优先、有声音，并允许覆盖勿扰。" }
    android_contact() { en: "Contacts → Tocsin: star it. Settings → Do Not Disturb → Calls: allow starred contacts and repeated callers.", zh: "通讯录 → Tocsin：加星标。设置 → 勿扰 → 来电：允许星标联系人和重复来电。" }
    battery() { en: "Battery", zh: "电池" }
    maker_xiaomi() { en: "Xiaomi, Redmi, POCO", zh: "小米、红米、POCO" }
    maker_huawei() { en: "Huawei, Honor", zh: "华为、荣耀" }
    maker_oppo() { en: "OPPO, realme, OnePlus", zh: "OPPO、真我、一加" }
    maker_vivo() { en: "vivo, iQOO", zh: "vivo、iQOO" }
    maker_samsung() { en: "Samsung", zh: "三星" }
    maker_other() { en: "other makers", zh: "其他品牌" }
    battery_xiaomi() { en: "Apps → browser → Autostart on; Battery saver → No restrictions; lock it in the list of recent apps.", zh: "应用 → 浏览器 → 开启自启动；省电策略 → 无限制；在最近任务中锁定。" }
    battery_huawei() { en: "Battery → App launch → browser: manage manually, and allow all three.", zh: "电池 → 应用启动管理 → 浏览器：改为手动管理，三项全部允许。" }
    battery_oppo() { en: "Battery → App battery management → browser: allow background activity and auto launch.", zh: "电池 → 应用耗电管理 → 浏览器：允许后台活动和自启动。" }
    battery_vivo() { en: "Battery → Background power consumption → browser: allow. Permissions → Autostart on.", zh: "电池 → 后台耗电管理 → 浏览器：允许后台高耗电；权限 → 开启自启动。" }
    battery_samsung() { en: "Battery → Background usage limits → Never sleeping apps: add the browser.", zh: "电池 → 后台使用限制 → 从不休眠的应用：添加浏览器。" }
    battery_other() { en: "Apps → browser → Battery: unrestricted.", zh: "应用 → 浏览器 → 电池：不受限制。" }
    china() { en: "In mainland China Chrome's pushes often do not arrive. Rely on calls, text messages or a chat there.", zh: "在中国大陆，Chrome 的推送通常无法到达，请以电话、短信或聊天工具为主。" }
}
