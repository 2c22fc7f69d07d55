//! What a browser offers for web push: whether it can, whether it may, and its subscription.

use super::storage;
use js_sys::{Array, Promise, Reflect};
use leptos::prelude::window;
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Notification, NotificationPermission, PushSubscription, PushSubscriptionOptionsInit, ServiceWorkerRegistration,
};

/// A worker that is not ready by then will not be.
const WORKER_MS: i32 = 15_000;
const REMEMBERED: &str = "tocsin.push";

/// What the browser says of showing notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// It was not asked yet.
    Ask,
    Granted,
    Denied,
}

/// How pushes reach this browser, as the server is told.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) endpoint: String,
    pub(crate) keys: Keys,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Keys {
    pub(crate) p256dh: String,
    pub(crate) auth: String,
}

/// What this browser was registered as: which device, by whom, and under which address.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Registered {
    pub(crate) device: i64,
    pub(crate) login: String,
    pub(crate) endpoint: String,
}

impl Registered {
    pub(crate) fn remembered() -> Option<Self> {
        let text = storage::read(REMEMBERED)?;
        let mut lines = text.split('\n');
        let (device, login, endpoint) = (lines.next()?.parse().ok()?, lines.next()?, lines.next()?);
        Some(Self { device, login: login.to_owned(), endpoint: endpoint.to_owned() })
    }

    pub(crate) fn remember(&self) {
        storage::write(REMEMBERED, &format!("{}\n{}\n{}", self.device, self.login, self.endpoint));
    }

    pub(crate) fn forget() {
        storage::forget(REMEMBERED);
    }
}

pub(crate) fn is_secure() -> bool {
    window().is_secure_context()
}

/// Whether there is everything that web push needs.
pub(crate) fn is_offered() -> bool {
    let has = |of: &JsValue, name: &str| Reflect::has(of, &name.into()).unwrap_or(false);
    let window = window();
    has(&window.navigator(), "serviceWorker") && has(&window, "PushManager") && has(&window, "Notification")
}

pub(crate) fn permission() -> Permission {
    match Notification::permission() {
        NotificationPermission::Granted => Permission::Granted,
        NotificationPermission::Denied => Permission::Denied,
        _ => Permission::Ask,
    }
}

/// Asks the person; only a press may do so.
pub(crate) async fn ask() -> Permission {
    if let Ok(asked) = Notification::request_permission() {
        drop(JsFuture::from(asked).await);
    }
    permission()
}

/// The subscription this browser has, if it has one.
pub(crate) async fn known() -> Option<Subscription> {
    read(&held().await?)
}

/// Subscribes with the server's key, or gives the subscription there is. The error is the browser's word for it.
pub(crate) async fn subscribe(key: &str) -> Result<Subscription, String> {
    let manager = worker().await.ok_or("NoWorker")?.push_manager().map_err(|error| name_of(&error))?;
    let wanted = PushSubscriptionOptionsInit::new();
    wanted.set_user_visible_only(true);
    wanted.set_application_server_key_opt_str(Some(key));
    let asked = manager.subscribe_with_options(&wanted).map_err(|error| name_of(&error))?;
    match JsFuture::from(asked).await {
        Ok(subscription) => read(subscription.unchecked_ref()).ok_or_else(|| "Unreadable".to_owned()),
        Err(error) => Err(name_of(error.as_ref())),
    }
}

/// Gives the subscription up; nothing is pushed to this browser then.
pub(crate) async fn unsubscribe() {
    if let Some(subscription) = held().await
        && let Ok(asked) = subscription.unsubscribe()
    {
        drop(JsFuture::from(asked).await);
    }
}

/// Lets the worker say what it could not say before.
pub(crate) async fn flush() {
    if let Some(active) = worker().await.and_then(|worker| worker.active()) {
        drop(active.post_message(&"flush".into()));
    }
}

async fn held() -> Option<PushSubscription> {
    let asked = worker().await?.push_manager().ok()?.get_subscription().ok()?;
    let found = JsFuture::from(asked).await.ok()?;
    (!found.is_null() && !found.is_undefined()).then(|| found.unchecked_into())
}

fn read(subscription: &PushSubscription) -> Option<Subscription> {
    let text = js_sys::JSON::stringify(subscription.as_ref()).ok()?;
    serde_json::from_str(&String::from(text)).ok()
}

/// The worker once it runs; none when it was refused, or takes too long.
async fn worker() -> Option<ServiceWorkerRegistration> {
    let ready = window().navigator().service_worker().ready().ok()?;
    let mut late = |resolve: js_sys::Function, _: js_sys::Function| {
        let wake = Closure::once_into_js(move || drop(resolve.call0(&JsValue::NULL)));
        drop(window().set_timeout_with_callback_and_timeout_and_arguments_0(wake.unchecked_ref(), WORKER_MS));
    };
    let race = Promise::race(&Array::of2(&ready, &Promise::new(&mut late)));
    let first: JsValue = JsFuture::from(race).await.ok()?;
    (!first.is_undefined()).then(|| first.unchecked_into())
}

fn name_of(error: &JsValue) -> String {
    Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string()).unwrap_or_else(|| "Error".to_owned())
}
