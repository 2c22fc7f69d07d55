//! A provider that refuses our account is an alert of the pager's own: nobody is reached by it until somebody mends that,
//! and whoever can is seldom the one who was to be paged.

use crate::{bundle, compile::SELF, dedup, engine::Turn};
use shared::{
    Action, AlertEvent, AttemptId, Failure, Fault, Format, IncidentId, Pairs, Recipient, Severity,
    config::{ContactKind, GatewayFor},
};
use std::collections::BTreeMap;

/// What a delivery came to, for its provider.
type Answer<'a> = Result<(), &'a Failure>;

/// An account of ours with a provider.
pub(crate) struct Account {
    provider: String,
    channel: ContactKind,
}

impl Turn<'_> {
    /// What carries a delivery. None when its address says so itself, such as a webhook's: that is its owner's account, and
    /// for them to mend.
    pub(crate) fn account_of(&self, id: IncidentId, attempt: AttemptId) -> Option<Account> {
        let (page, attempt) = bundle::find(&self.engine.state.incidents.get(&id)?.pages, attempt)?;
        let Recipient::Person(person) = &page.recipient else { return None };
        let contact = self.config.people.get(person)?.contacts.iter().find(|it| it.id == attempt.contact)?;
        let (channel, address) = contact.address()?;
        let is_ours = match channel {
            ContactKind::Webhook | ContactKind::Teams | ContactKind::DingTalk | ContactKind::Feishu => false,
            ContactKind::WeCom => address.starts_with("user:"),
            _ => !address.contains("://"),
        };
        is_ours.then(|| Account { provider: self.provider_of(channel), channel })
    }

    /// A provider answered: it refuses our account from now on, or no longer. Anything else says nothing of that.
    pub(crate) fn provider_answered(&mut self, account: &Account, answer: Answer<'_>) {
        let key = format!("provider:{}", account.provider);
        let is_open = dedup::open(&self.engine.state, &SELF.into(), &key).is_some();
        match answer {
            Err(failure) if failure.fault == Fault::Provider && !is_open => {
                self.announce(event(account, key, Action::Trigger, &failure.detail));
            }
            Ok(()) if is_open => self.announce(event(account, key, Action::Resolve, "it takes messages again")),
            _ => {}
        }
    }

    /// Who carries what goes to contacts of this kind.
    fn provider_of(&self, channel: ContactKind) -> String {
        let channels = &self.config.document.channels;
        let carrier = match channel {
            ContactKind::Sms => channels.carrier(GatewayFor::Sms).ok(),
            ContactKind::Voice => channels.carrier(GatewayFor::Voice).ok(),
            _ => None,
        };
        carrier.map_or_else(|| channel.as_str().to_owned(), |carrier| carrier.name().to_owned())
    }
}

fn event(account: &Account, key: String, action: Action, content: &str) -> AlertEvent {
    let Account { provider, channel } = account;
    let labels: BTreeMap<String, String> = BTreeMap::from([("provider".to_owned(), provider.clone())]);
    AlertEvent {
        action,
        summary: format!("{provider} refuses our account: pages by {} reach nobody", channel.as_str()).into(),
        content: content.into(),
        labels: Pairs::from(labels),
        dedup_key: key.into(),
        ..AlertEvent::blank(Format::Json, Severity::P1)
    }
}
