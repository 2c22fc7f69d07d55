//! A message that asks whether its sender may send more.

shared::messages! {
    asks(host: &str) { en: "{host} asks whether to send its messages here, and sends none until that is confirmed.", zh: "{host} 询问是否向此处发送消息，确认前不会发送。" }
    confirm() { en: "Confirm the subscription", zh: "确认订阅" }
    confirmed(host: &str) { en: "The subscription was confirmed at {host}:", zh: "已在 {host} 确认订阅：" }
    failed() { en: "It is not confirmed.", zh: "未能确认。" }
    by_admin() { en: "An administrator can confirm it here.", zh: "管理员可在此确认。" }
    unknown(host: &str) { en: "{host} is no service that is asked from here. If you trust it, open the link in the message.", zh: "{host} 不是可由此处确认的服务。若您信任它，请打开消息中的链接。" }
}
