//! The way from an empty server to the first page.

shared::messages! {
    title() { en: "Four steps to the first page", zh: "四步完成第一次通知" }
    lead() { en: "An alert has to come in, find somebody and be answered. Until then an empty board says nothing.", zh: "告警要能进来、找到人、得到响应。在此之前，空的面板说明不了什么。" }
    progress(n: usize) { en: "{n} of 4 done", zh: "已完成 {n} / 4" }
    done() { en: "Done:", zh: "已完成：" }
    open() { en: "To do:", zh: "待完成：" }
    by_admin() { en: "An administrator does this.", zh: "由管理员完成。" }
    by_responder() { en: "A responder or an administrator does this.", zh: "由响应者或管理员完成。" }

    sender() { en: "Connect a sender", zh: "接入一个来源" }
    sender_none() { en: "Make one and paste its curl line into a terminal. The page shows the event the moment it arrives.", zh: "创建来源，把给出的 curl 命令粘贴到终端。消息一到，页面立即显示。" }
    sender_unheard(name: &str) { en: "{name} is made, but nothing has arrived from it. Its curl line was shown with the token; if that is lost, make another.", zh: "{name} 已创建，但尚未收到它的消息。curl 命令随令牌显示过一次；若已丢失，请另建一个。" }
    sender_heard(name: &str) { en: "{name} was heard.", zh: "已收到 {name} 的消息。" }
    sender_go() { en: "Make a sender", zh: "创建来源" }

    somebody() { en: "Name somebody to wake", zh: "指定可以叫醒的人" }
    somebody_none() { en: "A person with an ntfy topic, a mail address or a webhook. The configuration offers an example.", zh: "一个带有 ntfy 主题、邮箱或 Webhook 的人员。配置页提供示例。" }
    somebody_no_contact(name: &str) { en: "{name} has no contact yet.", zh: "{name} 还没有联系方式。" }
    somebody_one(name: &str) { en: "{name} can be reached.", zh: "可以联系到 {name}。" }
    somebody_more(name: &str, n: usize) { en: "{name} and {n} more can be reached.", zh: "可以联系到 {name} 等，另有 {n} 人。" }

    way() { en: "Lead alerts to them", zh: "让告警找到他们" }
    way_no_policy() { en: "A policy that names them, and a route that leads to it. The example has both.", zh: "一个写明他们的升级策略，和一条指向它的路由。示例中两者都有。" }
    way_no_route() { en: "There is a policy, and no route leads to it.", zh: "已有升级策略，但没有路由指向它。" }
    way_nobody() { en: "Routes lead to policies that reach nobody now: no contact, or nobody on call.", zh: "路由指向的策略目前找不到任何人：没有联系方式，或无人值班。" }
    way_leads(policy: &str) { en: "Alerts lead to the policy “{policy}”, and it reaches somebody.", zh: "告警会进入策略“{policy}”，并能找到人。" }
    configure() { en: "Open the configuration", zh: "打开配置" }

    rehearsal() { en: "Be paged, and answer", zh: "收到通知并响应" }
    rehearsal_not_yet() { en: "Send yourself a test page. Then send the P0 line of step 1 and acknowledge it, from the page you get or from the board.", zh: "先给自己发送测试通知，再发送第 1 步中的 P0 命令，并在收到的通知或面板上认领。" }
    rehearsal_undelivered(id: i64) { en: "#{id} planned a page, and none was delivered. The incident says why.", zh: "#{id} 计划了通知，但没有送达。原因见事件页。" }
    rehearsal_unanswered(id: i64) { en: "#{id} paged somebody, and nobody acknowledged. Send the P0 line once more and answer it.", zh: "#{id} 已通知，但无人认领。请再次发送 P0 命令并响应。" }
    rehearsal_answered() { en: "A page was delivered and answered.", zh: "通知已送达，并有人响应。" }
    link_account() { en: "Link your account to a person", zh: "将账户关联到人员" }
    test_page() { en: "Send a test page", zh: "发送测试通知" }
    open_incident(id: i64) { en: "Open #{id}", zh: "打开 #{id}" }
}
