//! Alibaba Cloud and Tencent Cloud: what became of text messages and calls, and keys that were pressed.
//!
//! Neither signs what it tells. Whoever knows the address may tell it, so a part of the address is secret.

use super::{failed, press, tell};
use crate::{
    answers::{CarrierReport, Fate, aliyun, menu::Key, tencent},
    auth::caplink::{self, Cap},
    http::{App, app::now, body::whole, problem::ApiError},
    runtime::{Named, Reported},
};
use actix_web::{
    HttpResponse,
    web::{self, Payload},
};
use shared::{DeliveryReceipt, config::ContactKind};

/// Many receipts come in one.
const MOST_BYTES: usize = 256 * 1_024;
/// More than this are not looked for at once.
pub(super) const REPORTS_MAX: usize = 1_000;

type Secret = web::Path<String>;

pub(super) async fn aliyun_sms(app: web::Data<App>, of: Secret, body: Payload) -> Result<HttpResponse, ApiError> {
    let body = admitted(&app, "aliyun", &of, body).await?;
    take(&app, ContactKind::Sms, aliyun::sms_reports(&body), aliyun::TAKEN).await
}

pub(super) async fn aliyun_voice(app: web::Data<App>, of: Secret, body: Payload) -> Result<HttpResponse, ApiError> {
    let body = admitted(&app, "aliyun", &of, body).await?;
    take(&app, ContactKind::Voice, aliyun::voice_reports(&body), aliyun::TAKEN).await
}

pub(super) async fn tencent_sms(app: web::Data<App>, of: Secret, body: Payload) -> Result<HttpResponse, ApiError> {
    let body = admitted(&app, "tencent", &of, body).await?;
    take(&app, ContactKind::Sms, tencent::sms_statuses(&body), tencent::TAKEN).await
}

pub(super) async fn tencent_voice(app: web::Data<App>, of: Secret, body: Payload) -> Result<HttpResponse, ApiError> {
    let body = admitted(&app, "tencent", &of, body).await?;
    take(&app, ContactKind::Voice, tencent::voice_callback(&body).into_iter().collect(), tencent::TAKEN).await
}

/// The body, when the carrier is configured and the address is the one it was given.
pub(super) async fn admitted(app: &App, carrier: &str, secret: &str, body: Payload) -> Result<Vec<u8>, ApiError> {
    let config = app.runtime.config();
    let channels = &config.document.channels;
    let is_configured = match carrier {
        "aliyun" => channels.aliyun.is_some(),
        _ => channels.tencent.is_some(),
    };
    if !is_configured || !app.runtime.links().is_carrier_secret(carrier, secret) {
        return Err(ApiError::not_found("callback"));
    }
    Ok(whole(body, MOST_BYTES).await?.to_vec())
}

/// What is not about an open incident is taken all the same: it would only be sent again.
async fn take(
    app: &App,
    channel: ContactKind,
    mut reports: Vec<CarrierReport>,
    taken: &'static str,
) -> Result<HttpResponse, ApiError> {
    reports.truncate(REPORTS_MAX);
    let name = |report: &CarrierReport| Named { key: report.key.clone(), provider_id: report.provider_id.clone() };
    let names = reports.iter().map(name).collect();
    let found = app.runtime.reported(channel, names).await.map_err(|_| ApiError::unavailable())?;
    // One that could not be stored does not hold up the others; all of them are sent again.
    let mut failed = None;
    for (report, reported) in reports.iter().zip(found) {
        if let Some(reported) = reported
            && let Err(error) = note(app, channel, report, reported).await
        {
            failed = Some(error);
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(HttpResponse::Ok().content_type("application/json; charset=utf-8").body(taken)),
    }
}

async fn note(app: &App, channel: ContactKind, report: &CarrierReport, about: Reported) -> Result<(), ApiError> {
    let Reported { incident, person, message, is_seen } = about;
    let cap = Cap { incident, person, attempt: message, expires: now().after(caplink::LIFETIME) };
    if let Some(receipt) = receipt_of(report) {
        tell(app, &cap, receipt, None)?;
    }
    match report.pressed {
        // The report at the end of a call repeats what was told as it was pressed, and may itself come again; that would
        // page a level nobody asked for.
        Some(Key::Escalate) if is_seen && report.fate != Fate::Answered => Ok(()),
        Some(key) => press(app, &cap, key, channel).await.map(drop),
        None => Ok(()),
    }
}

/// What a report proves; nothing while the message is on its way.
fn receipt_of(report: &CarrierReport) -> Option<DeliveryReceipt> {
    match report.fate {
        Fate::Queued | Fate::Sent | Fate::Ringing => None,
        Fate::Answered | Fate::Delivered => Some(DeliveryReceipt::Delivered),
        // A mailbox wakes nobody.
        Fate::Machine | Fate::Failed => Some(failed(report.why.as_deref())),
    }
}
