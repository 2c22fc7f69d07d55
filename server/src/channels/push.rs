//! Pushes: one message for every device of a person. For browsers and UnifiedPush it is encrypted for that device alone
//! (RFC 8291), signed by us (RFC 8292), and given to the push service it chose (RFC 8030); for apps of the operator's it is
//! given to Google or Apple.
//!
//! A page has reached its person's provider when one push service took it. A device whose subscription is gone is dead
//! from then on; what a push service says of our key or contact is held against no device.

mod apns;
mod endpoints;
mod fcm;
mod native;
mod payload;
mod sign;

pub use apns::is_key as is_apns_key;
pub use fcm::service_account as check_service_account;

pub use endpoints::endpoint;

use super::{Accepted, Delivery, Letter, Withdrawal, webhook::without_quote};
use crate::{
    clock,
    db::Device,
    devices::Devices,
    outbound::{Deadlines, Outbound, OutboundAnswer, OutboundRequest, barred, gone, permanent},
};
use apns::Apns;
use base64::{
    Engine as _,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use fcm::{Fcm, Refused};
use futures_util::future::join_all;
use payload::Parcel;
use shared::{
    Failure, Fault, PersonId,
    api::PushProvider,
    config::{Channels, PushChannel},
};
use std::sync::Arc;
use url::Url;
use web_push_native::{Auth, encrypt, p256::PublicKey};

/// Browsers write no padding; other programs may.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Of what is told about several devices.
const DETAIL_CHARS: usize = 300;

/// Pushes to the devices of people.
#[derive(Debug)]
pub(super) struct Push {
    config: PushChannel,
    fcm: Option<Fcm>,
    apns: Option<Apns>,
    devices: Arc<Devices>,
}

impl Push {
    pub(super) fn new(channels: &Channels, deadlines: Deadlines) -> Result<Self, String> {
        let config = &channels.push;
        if let Some(contact) = &config.contact {
            endpoints::contact(contact).map_err(|why| format!("push.contact: {why}"))?;
        }
        config.hosts.iter().try_for_each(|host| endpoints::host(host).map_err(|why| format!("push.hosts: {why}")))?;
        let fcm = channels.fcm.as_ref().map(Fcm::new).transpose()?;
        let apns = channels.apns.as_ref().map(|it| Apns::new(it, &channels.webhook, deadlines)).transpose()?;
        Ok(Self { config: config.clone(), fcm, apns, devices: Arc::default() })
    }

    pub(super) fn use_devices(&mut self, devices: Arc<Devices>) {
        self.devices = devices;
    }

    /// Hosts that are the operator's choice; Apple is spoken to by a client of its own.
    pub(super) fn hosts(&self) -> Vec<String> {
        self.config.hosts.iter().cloned().chain(self.fcm.iter().flat_map(Fcm::hosts)).collect()
    }

    /// To every device of the person, or to the only one that is meant.
    pub(super) async fn deliver(
        &self,
        outbound: &Outbound,
        delivery: &Delivery,
        person: &PersonId,
        only: Option<i64>,
    ) -> Result<Accepted, Failure> {
        let parcel = Parcel::page(delivery, clock::now());
        let devices = self.devices.live(person).into_iter().filter(|it| only.is_none_or(|id| it.id == id)).collect();
        self.to_all(outbound, &parcel, &delivery.base, devices).await
    }

    /// A notice, which makes no sound.
    pub(super) async fn tell(
        &self,
        outbound: &Outbound,
        letter: &Letter,
        person: &PersonId,
    ) -> Result<Accepted, Failure> {
        self.to_all(outbound, &Parcel::notice(letter), &letter.url, self.devices.live(person)).await
    }

    /// Takes the place of a page on every screen it may be on.
    pub(super) async fn withdraw(
        &self,
        outbound: &Outbound,
        withdrawal: &Withdrawal,
        person: &PersonId,
    ) -> Result<(), Failure> {
        let parcel = Parcel::withdrawn(withdrawal);
        self.to_all(outbound, &parcel, &withdrawal.url, self.devices.live(person)).await.map(drop)
    }

    /// To all of them at once; `base` is an address of ours.
    async fn to_all(
        &self,
        outbound: &Outbound,
        parcel: &Parcel,
        base: &str,
        devices: Vec<Arc<Device>>,
    ) -> Result<Accepted, Failure> {
        if devices.is_empty() {
            return Err(gone("no device is registered for pushes"));
        }
        let sent = devices.iter().map(|device| async {
            let told = self.to_one(outbound, parcel, base, device).await;
            if told.is_ok() {
                self.devices.took(device, parcel.asks(), clock::now());
            }
            (device.label.as_str(), told)
        });
        together(join_all(sent).await)
    }

    /// Whom push services can write to: as configured, or where people reach this server.
    fn subject(&self, base: &str) -> Result<String, Failure> {
        if let Some(contact) = &self.config.contact {
            return Ok(contact.clone());
        }
        let origin = Url::parse(base).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        endpoints::contact(&origin).map(|()| origin).map_err(|_| {
            permanent(
                "push services want to know whom to write to: set channels.push.contact to a mailto: address, or \
                 public_url to an https:// address",
            )
        })
    }

    async fn to_one(&self, outbound: &Outbound, parcel: &Parcel, base: &str, device: &Device) -> Result<(), Failure> {
        let parcel = &*parcel.on_screen(device.private);
        let sent = match (device.kind, &self.fcm, &self.apns) {
            (PushProvider::Web | PushProvider::Unifiedpush, ..) => {
                return self.to_subscription(outbound, parcel, &self.subject(base)?, device).await;
            }
            (PushProvider::Fcm, Some(fcm), _) => fcm.send(outbound, parcel, device).await,
            (PushProvider::Apns, _, Some(apns)) => apns.send(parcel, device).await,
            (PushProvider::Fcm | PushProvider::Apns, ..) => {
                return Err(permanent(format!("channels.{} is not configured", device.kind.as_str())));
            }
            (PushProvider::None, ..) => return Err(permanent("nobody pushes to it")),
        };
        match sent {
            Ok(()) => Ok(()),
            Err(Refused::Ours(failure)) => Err(failure),
            Err(Refused::Theirs(failure)) => {
                self.devices.failed(device);
                Err(failure)
            }
            Err(Refused::Gone(why)) => {
                self.devices.died(device, &why, clock::now());
                Err(permanent(format!("its app is gone ({why}); open the app on it to register it again")))
            }
        }
    }

    async fn to_subscription(
        &self,
        outbound: &Outbound,
        parcel: &Parcel,
        subject: &str,
        device: &Device,
    ) -> Result<(), Failure> {
        // Judged again: what is allowed may have changed since it was registered.
        let origin = endpoint(&self.config, &device.endpoint).map_err(permanent)?;
        let now = clock::now();
        let signed = self.devices.authorization(&origin, subject, now);
        let authorization = signed.ok_or_else(|| permanent("this server has no key for web push"))?;
        let (key, auth) = keys(&device.p256dh, &device.auth).map_err(permanent)?;
        // What encrypts makes its own key for each message, from the system's randomness; no other way is offered, and none
        // is wanted: the same key twice would give the message away.
        let body = encrypt(parcel.written(device.id), &key, &auth)
            .map_err(|_| permanent("the message cannot be encrypted for the device"))?;
        let mut headers = vec![
            ("ttl", parcel.ttl_s.to_string()),
            ("urgency", parcel.urgency.to_owned()),
            ("content-encoding", "aes128gcm".to_owned()),
            ("content-type", "application/octet-stream".to_owned()),
            ("authorization", authorization.clone()),
        ];
        headers.extend(parcel.topic.clone().map(|topic| ("topic", topic)));
        let secrets = vec![authorization, device.endpoint.clone(), device.auth.clone(), device.p256dh.clone()];
        let request = OutboundRequest { url: device.endpoint.clone(), headers, body, secrets };
        let told = outbound.post_raw(request).await;
        if told.is_err() {
            self.devices.failed(device);
        }
        self.judged(&told?, device)
    }

    /// What a push service's answer means.
    fn judged(&self, answer: &OutboundAnswer, device: &Device) -> Result<(), Failure> {
        if answer.is_success() {
            return Ok(());
        }
        // What an own push service says is shown to nobody: whoever registers chooses what stands behind its name.
        let refusal = answer.refusal();
        let refusal = if endpoints::is_makers(&device.endpoint) { refusal } else { without_quote(refusal) };
        match answer.status {
            404 | 410 => {
                self.devices.died(device, &refusal.detail, clock::now());
                Err(gone("its subscription is gone; open Tocsin on it to register it again"))
            }
            // About our key or contact: the device is as good as before.
            401 | 403 => Err(barred(format!(
                "the push service refuses this server's key or contact ({}): check channels.push.contact",
                refusal.detail
            ))),
            413 => Err(permanent(format!("the message is too long for the push service ({})", refusal.detail))),
            _ => {
                self.devices.failed(device);
                Err(refusal)
            }
        }
    }
}

/// What a browser's subscription is encrypted for.
///
/// # Errors
/// When it is no key of the curve, or no secret of the right length.
pub fn keys(p256dh: &str, auth: &str) -> Result<(PublicKey, Auth), String> {
    let key = BASE64.decode(p256dh).ok().filter(|bytes| bytes.len() == 65);
    let key = key.and_then(|bytes| PublicKey::from_sec1_bytes(&bytes).ok());
    let auth = BASE64.decode(auth).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    match (key, auth) {
        (Some(key), Some(auth)) => Ok((key, Auth::from(auth))),
        (None, _) => Err("the subscription's public key is none".to_owned()),
        (_, None) => Err("the subscription's secret is none".to_owned()),
    }
}

/// One that took it is enough. Otherwise whatever may still succeed decides.
fn together(told: Vec<(&str, Result<(), Failure>)>) -> Result<Accepted, Failure> {
    if told.iter().any(|(_, told)| told.is_ok()) {
        return Ok(Accepted::default());
    }
    let failures: Vec<(&str, Failure)> =
        told.into_iter().filter_map(|(label, told)| Some((label, told.err()?))).collect();
    let detail = failures.iter().map(|(label, failure)| format!("{label}: {}", failure.detail)).collect::<Vec<_>>();
    let again = || failures.iter().map(|(_, failure)| failure).filter(|failure| !failure.permanent);
    // Whoever may be tried at once is not kept waiting by the others.
    let waits = again().map(|failure| failure.retry_after_ms.unwrap_or(0)).min().filter(|ms| *ms > 0);
    Err(Failure {
        permanent: again().next().is_none(),
        ambiguous: again().any(|failure| failure.ambiguous),
        detail: super::message::clip(&detail.join("; "), DETAIL_CHARS),
        retry_after_ms: waits,
        fault: common(&failures),
    })
}

/// Whom they are about, when all are about the same.
fn common(failures: &[(&str, Failure)]) -> Fault {
    let mut faults = failures.iter().map(|(_, failure)| failure.fault);
    let first = faults.next().unwrap_or_default();
    if faults.all(|fault| fault == first) { first } else { Fault::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::{ambiguous, transient};

    #[test]
    fn one_device_is_enough_and_the_best_outcome_decides_otherwise() {
        let gone = || permanent("gone");
        assert!(together(vec![("a", Err(gone())), ("b", Ok(()))]).is_ok());
        let all_gone = together(vec![("a", Err(gone())), ("b", Err(gone()))]).unwrap_err();
        assert_eq!((all_gone.permanent, all_gone.detail.as_str()), (true, "a: gone; b: gone"));
        let busy = |ms| Failure { retry_after_ms: ms, ..transient("busy") };
        let mixed = together(vec![("a", Err(gone())), ("b", Err(busy(Some(9_000)))), ("c", Err(busy(Some(4_000))))]);
        let mixed = mixed.unwrap_err();
        assert_eq!((mixed.permanent, mixed.ambiguous, mixed.retry_after_ms), (false, false, Some(4_000)));
        let unclear = together(vec![("b", Err(busy(Some(9_000)))), ("c", Err(ambiguous("?")))]).unwrap_err();
        assert_eq!((unclear.permanent, unclear.ambiguous, unclear.retry_after_ms), (false, true, None));
    }

    #[test]
    fn a_subscription_is_read_with_and_without_padding() {
        let (key, auth) = (
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        );
        assert!(keys(key, auth).is_ok() && keys(&format!("{key}="), &format!("{auth}==")).is_ok());
        assert!(keys(&key[..80], auth).is_err() && keys(key, &auth[..20]).is_err() && keys("", "").is_err());
        assert!(keys(&key.replace("BCV", "BCW"), auth).is_err(), "a point beside the curve");
    }
}
