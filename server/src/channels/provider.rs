//! Who carries a delivery, in one word: for lists, and for how each of them does.

use crate::devices::Devices;
use engine::Snapshot;
use shared::{
    Attempt, Recipient,
    config::{Carrier, Channels, ContactKind, GatewayFor},
};
use std::collections::BTreeSet;
use url::Url;

/// A carrier, a chat, a server of ours, or the host that is written to; the channel's own name where nothing better is known,
/// and where one push goes to several services.
#[must_use]
pub fn provider(config: &Snapshot, devices: &Devices, recipient: &Recipient, attempt: &Attempt) -> String {
    let kind = attempt.channel;
    let found = match kind {
        ContactKind::Email => Some("smtp".to_owned()),
        ContactKind::Sms => carrier(&config.document.channels, GatewayFor::Sms),
        ContactKind::Voice => carrier(&config.document.channels, GatewayFor::Voice),
        ContactKind::Webhook => address(config, recipient, attempt).and_then(host),
        ContactKind::Push => service(devices, recipient),
        ContactKind::Ntfy
        | ContactKind::Slack
        | ContactKind::Teams
        | ContactKind::Telegram
        | ContactKind::DingTalk
        | ContactKind::Feishu
        | ContactKind::WeCom => None,
    };
    found.unwrap_or_else(|| kind.as_str().to_owned())
}

fn carrier(channels: &Channels, of: GatewayFor) -> Option<String> {
    Some(match channels.carrier(of).ok()? {
        Carrier::Twilio(_) => "twilio".to_owned(),
        Carrier::Aliyun(_) => "aliyun".to_owned(),
        Carrier::Tencent(_) => "tencent".to_owned(),
        Carrier::Gateway(gateway) => gateway.id.clone(),
    })
}

fn address<'a>(config: &'a Snapshot, recipient: &Recipient, attempt: &Attempt) -> Option<&'a str> {
    match recipient {
        Recipient::Webhook(id) => config.hooks.get(id).map(|hook| hook.url.as_str()),
        Recipient::Person(id) => {
            let contact = config.people.get(id)?.contacts.iter().find(|it| it.id == attempt.contact)?;
            contact.address().map(|(_, to)| to)
        }
    }
}

/// The path of a webhook is often its password; the host is not.
fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}

fn service(devices: &Devices, recipient: &Recipient) -> Option<String> {
    let Recipient::Person(person) = recipient else { return None };
    let hosts: BTreeSet<String> = devices.live(person).iter().filter_map(|it| host(&it.endpoint)).collect();
    let mut hosts = hosts.into_iter();
    hosts.next().filter(|_| hosts.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{AttemptId, Timestamp};

    const CONFIG: &str = r#"
        fallback = ["person:li"]
        webhooks = [{ id = "noc", url = "https://noc.example.org/secret" }]
        [channels]
        sms = "inhouse"
        gateways = [{ id = "inhouse", url = "https://sms.example.org/", for = "sms" }]
        [channels.twilio]
        account = "AC1"
        token = "t"
        from = "+15551230000"
        [[people]]
        id = "li"
        name = "Li"
        contacts = [{ id = "bot", webhook = "https://hooks.example.org:8443/secret" }]
    "#;

    #[test]
    fn each_is_called_by_who_carries_it_and_no_secret_is_told() {
        let config = Snapshot::compile(1, toml::from_str(CONFIG).unwrap()).unwrap();
        let devices = Devices::default();
        let carries = |recipient: Recipient, contact: &str, kind| {
            let attempt = Attempt::planned(AttemptId(1), contact.into(), kind, Timestamp::from_ms(0));
            provider(&config, &devices, &recipient, &attempt)
        };
        let to_li = |contact: &str, kind| carries(Recipient::Person("li".into()), contact, kind);
        assert_eq!(to_li("text", ContactKind::Sms), "inhouse");
        assert_eq!(to_li("call", ContactKind::Voice), "twilio");
        assert_eq!(to_li("mail", ContactKind::Email), "smtp");
        assert_eq!(to_li("bot", ContactKind::Webhook), "hooks.example.org");
        assert_eq!(to_li("gone", ContactKind::Webhook), "webhook");
        assert_eq!(to_li("push", ContactKind::Push), "push");
        assert_eq!(carries(Recipient::Webhook("noc".into()), "noc", ContactKind::Webhook), "noc.example.org");
        assert_eq!(carries(Recipient::Webhook("noc".into()), "noc", ContactKind::DingTalk), "dingtalk");
    }
}
