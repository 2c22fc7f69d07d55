//! Which channels are set up, the addresses that their providers are to be given, and how each does.

use super::{App, app::now, deliveries::providers, problem::ApiError};
use actix_web::web;
use engine::Snapshot;
use shared::{
    api::{ChannelRow, List, ProviderHealth},
    config::{ContactKind, GatewayFor},
};

/// Only administrators see it: some addresses are as good as a signature.
pub(super) async fn list_channels(app: web::Data<App>) -> Result<web::Json<List<ChannelRow>>, ApiError> {
    let config = app.runtime.config();
    let channels = &config.document.channels;
    let links = app.runtime.links();
    let at = |path: &str| format!("{}/cb/{path}", links.base());
    let secret = |carrier: &str| {
        let secret = links.carrier_secret(carrier);
        ["sms", "voice", "reply"].map(|what| at(&format!("{carrier}/{secret}/{what}"))).to_vec()
    };
    let mut health = providers(&app, now()).await?;
    let mut row = |name: &str, configured: bool, callback: Vec<String>, own: &dyn Fn(&ProviderHealth) -> bool| {
        let (health_of, rest) = std::mem::take(&mut health).into_iter().partition(|it| own(it));
        health = rest;
        let callback = if configured { callback } else { Vec::new() };
        ChannelRow { name: name.to_owned(), configured, callback, health: health_of }
    };
    let kind = |kind: ContactKind| move |it: &ProviderHealth| it.channel == kind;
    let named = |name: &'static str| move |it: &ProviderHealth| it.provider == name;
    let heard = |hears: bool, path: &str| if hears { vec![at(path)] } else { Vec::new() };
    let wecom = &channels.wecom;
    let wecom_app = wecom.corp_id.is_some() && wecom.agent_id.is_some() && wecom.secret.is_some();
    let slack_hears = channels.slack.as_ref().is_some_and(|it| it.signing_secret.is_some());
    let telegram_hears = channels.telegram.as_ref().is_some_and(|it| it.secret.is_some());
    let used = |kind| is_used(&config, kind);
    let mut items = vec![
        row("push", true, Vec::new(), &kind(ContactKind::Push)),
        row("twilio", channels.twilio.is_some(), vec![at("twilio/inbound")], &named("twilio")),
        row("aliyun", channels.aliyun.is_some(), secret("aliyun"), &named("aliyun")),
        row("tencent", channels.tencent.is_some(), secret("tencent"), &named("tencent")),
    ];
    for gateway in &channels.gateways {
        let secret = links.carrier_secret(&format!("gateway {}", gateway.id));
        let replies = heard(gateway.sends == GatewayFor::Sms, &format!("gateway/{}/{secret}/reply", gateway.id));
        items.push(row(&gateway.id, true, replies, &|it| it.provider == gateway.id));
    }
    let slack = channels.slack.is_some() || used(ContactKind::Slack);
    items.extend([
        row("ntfy", channels.ntfy.is_some(), Vec::new(), &kind(ContactKind::Ntfy)),
        row("email", channels.email.is_some(), Vec::new(), &kind(ContactKind::Email)),
        row("slack", slack, heard(slack_hears, "slack"), &kind(ContactKind::Slack)),
        row("teams", used(ContactKind::Teams), Vec::new(), &kind(ContactKind::Teams)),
        row("telegram", channels.telegram.is_some(), heard(telegram_hears, "telegram"), &kind(ContactKind::Telegram)),
        row("dingtalk", used(ContactKind::DingTalk), Vec::new(), &kind(ContactKind::DingTalk)),
        row("feishu", used(ContactKind::Feishu), Vec::new(), &kind(ContactKind::Feishu)),
        row("wecom", wecom_app || used(ContactKind::WeCom), heard(wecom_app, "wecom"), &kind(ContactKind::WeCom)),
        row("webhook", used(ContactKind::Webhook), Vec::new(), &kind(ContactKind::Webhook)),
    ]);
    // Whoever carried something today and is not configured any more.
    let gone = health.into_iter();
    items.extend(gone.map(|it| ChannelRow {
        name: it.provider.clone(),
        configured: false,
        callback: Vec::new(),
        health: vec![it],
    }));
    Ok(web::Json(List { items, next: None }))
}

/// Whether some contact or room is of this kind: such need no settings of their own.
fn is_used(config: &Snapshot, kind: ContactKind) -> bool {
    let contacts = config.people.values().flat_map(|person| &person.contacts);
    contacts.filter_map(|it| it.address()).any(|(of, _)| of == kind) || config.hooks.values().any(|it| it.kind == kind)
}
