//! Pairing an app with whoever is signed in by a browser: the code as a picture, the app's session, how it is pushed to.

use super::{
    App, ack,
    app::{act, now},
    body::Json,
    devices::{LABEL_CHARS, USER_AGENT_CHARS, check_subscription, line, row},
    me::own,
    principal::{Principal, bearer},
    problem::ApiError,
    reader,
    session::throttled,
};
use crate::{
    auth::{device, token},
    db::{self, Account, Reach, Store},
    entropy,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::USER_AGENT},
    web,
};
use qrcode::{EcLevel, QrCode, render::svg};
use shared::{
    Delay, PersonId,
    api::{DeviceRow, PairRequest, Paired, Pairing, PushChange, PushProvider, SessionToken, WebSubscription},
    messages,
};
use url::Url;

messages! {
    for_an_app() { en: "This code is for an app", zh: "此二维码用于配对应用" }
    for_an_app_hint() { en: "Open your company's app and read the code with it, not with the camera. It works once, for ten minutes; My notifications shows another one.", zh: "请在贵公司的应用内扫描此码，而不要用相机。此码十分钟内有效，且只能使用一次；可在“我的通知”中重新生成。" }
}

/// Long enough to fetch the phone from the other room.
const CODE_LIVES: Delay = Delay(10 * 60_000);
const CODE_PREFIX: &str = "tp_";
/// Of a provider's token; the longest known are below 300 characters.
const TOKEN_BYTES: usize = 1_024;
/// The side of the picture, when it is shown as it is.
const PICTURE_PX: u32 = 240;

pub(super) async fn offer(app: web::Data<App>, by: Principal) -> Result<web::Json<Pairing>, ApiError> {
    let (login, session) = by.session().map(|(login, id)| (login.to_owned(), id))?;
    let person = own(&app, &by)?.id;
    let (code, expires_at) = (entropy::token(CODE_PREFIX), now().after(CODE_LIVES));
    // Behind the `#`, which browsers keep to themselves: a camera that opens the address gives the code to nobody.
    let url = format!("{}/pair#{code}", app.public_url());
    let svg = picture(&url)?;
    let (hash, entry) = (token::hash_hex(&code), act(&by.record_name(), "device.offer", person.to_string(), ""));
    app.change(entry, move |store| store.pairing_put(&hash, &login, session, expires_at)).await?;
    Ok(web::Json(Pairing { code, url, svg, expires_at }))
}

fn picture(text: &str) -> Result<String, ApiError> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|error| {
        tracing::error!(%error, "public_url is too long for a pairing code");
        ApiError::internal()
    })?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(PICTURE_PX, PICTURE_PX).build())
}

/// Where the picture leads whoever reads it with a camera instead of the app.
pub(super) async fn opened(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let l = reader::language(&app, None, &request);
    let body = format!("<h1>{}</h1><p>{}</p>", for_an_app(l), for_an_app_hint(l));
    ack::page(StatusCode::OK, l, &ack::Parts { title: for_an_app(l), body })
}

pub(super) async fn pair(
    app: web::Data<App>,
    request: HttpRequest,
    Json(body): Json<PairRequest>,
) -> Result<web::Json<Paired>, ApiError> {
    let reach = reach(&app, body.provider, body.token, body.subscription)?;
    // By address alone: nobody is to be kept from pairing by what others try elsewhere.
    let peer = app.peer(&request);
    let whose = format!("pair {peer}");
    app.throttle(|throttle| throttle.admit(&whose, peer, now())).map_err(throttled)?;
    let label = line(&body.name, LABEL_CHARS);
    let label = if label.is_empty() { "Phone".to_owned() } else { label };
    let agent = request.headers().get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let user_agent = line(&agent.unwrap_or_default(), USER_AGENT_CHARS);
    let (platform, language) = (body.platform, body.language);
    let device_of = move |account: &Account, person: PersonId| db::NewDevice {
        login: account.login.clone(),
        person,
        label,
        platform: Some(platform),
        reach,
        user_agent,
        language,
    };
    let (at, text) = (now(), device::made());
    let (code, hash, expires_at) =
        (token::hash_hex(body.code.trim()), token::hash_hex(&text), at.after(device::ABSOLUTE));
    let taken = move |store: &mut Store| {
        store.audited_by(|store| {
            let (device, account, person) = store.pairing_take(&code, &hash, device_of, expires_at, at)?;
            let entry = act(&account.login, "device.pair", person.to_string(), device.label.clone());
            Ok(((device, account, person), entry))
        })
    };
    let (device, account, person) = app.db(taken).await?;
    app.throttle(|throttle| throttle.succeeded(&whose, peer, at));
    app.devices.reload(&app.readers).await;
    let public_url = app.public_url();
    let server = Url::parse(&public_url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    Ok(web::Json(Paired {
        token: text,
        expires_at,
        device: device.id,
        login: account.login,
        role: account.role,
        person,
        name: account.name,
        server,
        public_url,
        version: app.instance.version.to_owned(),
    }))
}

/// How a device is reached, as its app says it; otherwise what is wrong with that.
fn reach(
    app: &App,
    provider: PushProvider,
    token: Option<String>,
    subscription: Option<WebSubscription>,
) -> Result<Reach, ApiError> {
    let named = |endpoint: String| Reach { kind: provider, endpoint, p256dh: String::new(), auth: String::new() };
    match provider {
        PushProvider::Fcm | PushProvider::Apns => {
            let token = token.unwrap_or_default();
            // It becomes part of an address, or of a text that is signed for: nothing else than a token may be in it.
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.');
            let is_hex = provider == PushProvider::Fcm || token.chars().all(|c| c.is_ascii_hexdigit());
            if token.is_empty() || token.len() > TOKEN_BYTES || !token.chars().all(fits) || !is_hex {
                return Err(ApiError::invalid("token", "Send the token that the provider gave the app, as it is."));
            }
            Ok(named(token))
        }
        PushProvider::Unifiedpush => {
            let it = subscription.ok_or_else(|| {
                ApiError::invalid("subscription", "Send endpoint, p256dh and auth of the subscription.")
            })?;
            check_subscription(app, &it.endpoint, &it.p256dh, &it.auth)?;
            Ok(Reach { kind: provider, endpoint: it.endpoint, p256dh: it.p256dh, auth: it.auth })
        }
        PushProvider::None => Ok(named(entropy::token(""))),
        PushProvider::Web => Err(ApiError::invalid("provider", "Use fcm, apns, unifiedpush or none.")),
    }
}

pub(super) async fn rotate(
    app: web::Data<App>,
    request: HttpRequest,
    by: Principal,
) -> Result<web::Json<SessionToken>, ApiError> {
    let (session, _) = by.device()?;
    let asked_with = bearer(&request).unwrap_or_default().to_owned();
    let at = now();
    let text = app.db(move |store| device::rotate(store, session, &asked_with, at)).await?;
    let token = text.ok_or_else(ApiError::not_signed_in)?;
    Ok(web::Json(SessionToken { token, expires_at: at.after(device::ABSOLUTE) }))
}

pub(super) async fn change_push(
    app: web::Data<App>,
    by: Principal,
    Json(body): Json<PushChange>,
) -> Result<web::Json<DeviceRow>, ApiError> {
    let (_, id) = by.device()?;
    let reach = reach(&app, body.provider, body.token, body.subscription)?;
    let device = app.db(move |store| store.device_reach(id, &reach, now())).await?;
    app.devices.reload(&app.readers).await;
    Ok(web::Json(row(&device.ok_or_else(ApiError::not_signed_in)?)))
}
