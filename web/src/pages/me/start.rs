//! What happens at every start of the application, quietly: this browser's subscription is told again, because browsers
//! change it without a word, and what the worker could not say is said.

use crate::{
    api::{self, ApiError},
    browser::push::{self, Permission, Registered, Subscription},
    state::{App, Session},
};
use shared::api::{DeviceRow, NewDevice, PushKey};

/// Renews what was registered here by the same account; nothing else is registered by itself.
pub(in crate::pages) async fn renew(app: App) {
    if !push::is_offered() || !push::is_secure() {
        return;
    }
    push::flush().await;
    let Some(known) = Registered::remembered() else { return };
    let login = leptos::prelude::WithUntracked::with_untracked(&app.session, |session| match session {
        Session::In(info) => Some(info.login.clone()),
        Session::Unknown | Session::Out => None,
    });
    // Somebody else's browser is left alone.
    if login.as_ref() != Some(&known.login) || push::permission() != Permission::Granted {
        return;
    }
    let subscription = match push::known().await {
        Some(subscription) => subscription,
        None => match fresh().await {
            Ok(subscription) => subscription,
            Err(_) => return,
        },
    };
    let replaces = Some(known.endpoint.clone()).filter(|old| *old != subscription.endpoint);
    match tell(app, &subscription, String::new(), replaces, true).await {
        // Whoever signed out meanwhile is not pushed to, whatever was answered before.
        Ok(_) if Registered::remembered().is_none() => {}
        Ok(row) => remember(&row, known.login, subscription),
        // It was removed meanwhile: then it is not to be pushed to.
        Err(error) if error.status() == Some(404) => {
            push::unsubscribe().await;
            Registered::forget();
        }
        // The next start tries again.
        Err(_) => {}
    }
}

/// A subscription by the server's key.
pub(super) async fn fresh() -> Result<Subscription, String> {
    let key = api::get::<PushKey>("/api/v1/push/key").await.map_err(|_| "NoKey".to_owned())?;
    push::subscribe(&key.key).await
}

/// Tells the server of this browser's subscription.
pub(super) async fn tell(
    app: App,
    subscription: &Subscription,
    label: String,
    replaces: Option<String>,
    renew: bool,
) -> Result<DeviceRow, ApiError> {
    let new = NewDevice {
        label,
        endpoint: subscription.endpoint.clone(),
        p256dh: subscription.keys.p256dh.clone(),
        auth: subscription.keys.auth.clone(),
        language: app.l(),
        replaces,
        renew,
    };
    api::post("/api/v1/me/devices", &new).await
}

pub(super) fn remember(row: &DeviceRow, login: String, subscription: Subscription) {
    Registered { device: row.id, login, endpoint: subscription.endpoint }.remember();
}
