//! Carriers: who writes text messages, and who makes calls.

use super::{Accepted, aliyun::Aliyun, gateway::HttpGateway, message::Message, tencent::Tencent, twilio::Twilio};
use crate::outbound::{Outbound, barred};
use shared::{
    Failure,
    config::{Channels, GatewayFor},
};
use url::Url;

/// Who is configured to carry text messages and calls.
#[derive(Debug)]
pub(super) struct Carriers {
    /// Or why there is none.
    sms: Result<Carrier, String>,
    voice: Result<Carrier, String>,
}

#[derive(Debug)]
enum Carrier {
    Twilio(Twilio),
    Aliyun(Aliyun),
    Tencent(Tencent),
    Gateway(HttpGateway),
}

impl Carriers {
    pub(super) fn new(config: &Channels) -> Result<Self, String> {
        use shared::config::Carrier as Configured;
        let made = |found: Result<Configured<'_>, String>, named: bool| match found {
            Ok(Configured::Twilio(twilio)) => Twilio::new(twilio).map(|it| Ok(Carrier::Twilio(it))),
            Ok(Configured::Aliyun(aliyun)) => Aliyun::new(aliyun).map(|it| Ok(Carrier::Aliyun(it))),
            Ok(Configured::Tencent(tencent)) => Tencent::new(tencent).map(|it| Ok(Carrier::Tencent(it))),
            Ok(Configured::Gateway(gateway)) => HttpGateway::new(gateway).map(|it| Ok(Carrier::Gateway(it))),
            // Somebody meant one that is not there.
            Err(why) if named => Err(why),
            Err(why) => Ok(Err(why)),
        };
        Ok(Self {
            sms: made(config.carrier(GatewayFor::Sms), config.sms.is_some())?,
            voice: made(config.carrier(GatewayFor::Voice), config.voice.is_some())?,
        })
    }

    /// Where they answer: an administrator's choice.
    pub(super) fn hosts(&self) -> Vec<String> {
        let of = |carrier: &Carrier| -> Vec<Url> {
            match carrier {
                Carrier::Twilio(it) => vec![it.base().clone()],
                Carrier::Aliyun(it) => it.bases().map(Url::clone).to_vec(),
                Carrier::Tencent(it) => it.bases().map(Url::clone).to_vec(),
                Carrier::Gateway(it) => vec![it.url().clone()],
            }
        };
        let both = [&self.sms, &self.voice].into_iter().filter_map(|it| it.as_ref().ok());
        both.flat_map(of).filter_map(|url| Some(url.host()?.to_string())).collect()
    }

    /// A text message.
    pub(super) async fn write(
        &self,
        outbound: &Outbound,
        message: &Message<'_>,
        to: &str,
    ) -> Result<Accepted, Failure> {
        match self.sms.as_ref().map_err(barred)? {
            Carrier::Twilio(it) => it.write(outbound, message, to).await,
            Carrier::Aliyun(it) => it.write(outbound, message, to).await,
            Carrier::Tencent(it) => it.write(outbound, message, to).await,
            Carrier::Gateway(it) => it.send(outbound, message, to).await,
        }
    }

    /// A call, which reads the message aloud.
    pub(super) async fn call(&self, outbound: &Outbound, message: &Message<'_>, to: &str) -> Result<Accepted, Failure> {
        match self.voice.as_ref().map_err(barred)? {
            Carrier::Twilio(it) => it.call(outbound, message, to).await,
            Carrier::Aliyun(it) => it.call(outbound, message, to).await,
            Carrier::Tencent(it) => it.call(outbound, message, to).await,
            Carrier::Gateway(it) => it.send(outbound, message, to).await,
        }
    }
}
