//! Senders: their tokens, and when each was last heard.

use super::{
    App,
    app::{act, now},
    body::Json,
    principal::Principal,
    problem::ApiError,
    sender_settings,
    tokens::{Wanted, issue, named},
};
use crate::db::{Token, TokenKind};
use actix_web::{HttpResponse, web};
use engine::{compile::SELF, dedup, heartbeat};
use shared::{
    Delay, IntegrationId, Timestamp,
    api::{EndingToken, IntegrationRow, List, NewIntegration, NewSenderToken, NewToken, SenderRequest, SenderSilence},
    config::Integration,
};
use std::collections::BTreeMap;

/// The longest id the configuration takes.
const MOST_CHARS: usize = 64;
/// Tokens of one sender that work at once.
const TOKENS_MAX: usize = 10;
/// A token that was replaced goes on for so long at most.
const LONGEST_OVERLAP: Delay = Delay::mins(90 * 24 * 60);

/// The id of a sender with this name: what may stand in a configuration, in small letters.
#[must_use]
pub fn sender_id(name: &str) -> Option<IntegrationId> {
    let mut id = String::new();
    for c in name.trim().chars().flat_map(char::to_lowercase) {
        let fits = c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        match (fits, id.ends_with('-')) {
            (true, _) if id.len() + c.len_utf8() <= MOST_CHARS => id.push(c),
            (false, false) if !id.is_empty() && id.len() < MOST_CHARS => id.push('-'),
            _ => {}
        }
    }
    let id = id.trim_matches('-');
    (!id.is_empty() && id != engine::compile::SELF).then(|| IntegrationId::from(id.to_owned()))
}

pub(super) async fn list_integrations(app: web::Data<App>) -> Result<web::Json<List<IntegrationRow>>, ApiError> {
    let (tokens, heard) =
        app.db(|store| Ok((store.tokens(TokenKind::Integration)?, store.integrations_heard()?))).await?;
    let config = app.runtime.config();
    let mut rows: BTreeMap<IntegrationId, IntegrationRow> = BTreeMap::new();
    let fresh = |id: &IntegrationId| IntegrationRow {
        id: id.clone(),
        name: config.integration(id).name,
        tokens: Vec::new(),
        ending: Vec::new(),
        created_at: Timestamp::from_ms(0),
        last_event_at: None,
        events: app.board.heard_of(id),
        silence: None,
        settings: None,
    };
    for id in config.integrations.keys() {
        rows.insert(id.clone(), fresh(id));
    }
    for it in tokens {
        let Some(id) = it.integration else { continue };
        let row = rows.entry(id.clone()).or_insert_with(|| fresh(&id));
        // What has ended opens nothing, and only says so.
        if it.expires_at.is_none_or(|until| until > now()) {
            row.ending.extend(it.expires_at.map(|until| EndingToken { hint: it.hint.clone(), until }));
            row.tokens.push(it.hint);
        }
        // Oldest first: the first token's time is when the sender was made, and its name what it was called.
        if row.created_at == Timestamp::from_ms(0) {
            row.created_at = it.created_at;
        }
        if row.name.is_empty() || (row.name == id.0 && !config.integrations.contains_key(&id)) {
            row.name = it.name;
        }
    }
    for it in heard {
        rows.entry(it.integration.clone()).or_insert_with(|| fresh(&it.integration)).last_event_at = Some(it.at);
    }
    let watched = app.runtime.ask(silences).await.map_err(|_| ApiError::unavailable())?;
    for (id, silence) in watched {
        if let Some(row) = rows.get_mut(&id) {
            row.silence = Some(silence);
        }
    }
    let two_since = sender_settings::two_since(&app).await?;
    for (id, row) in &mut rows {
        row.settings = Some(sender_settings::of(&config, id, two_since.get(id).copied()));
    }
    Ok(web::Json(List { items: rows.into_values().collect(), next: None }))
}

/// The senders whose silence is watched.
fn silences(engine: &engine::Engine) -> Vec<(IntegrationId, SenderSilence)> {
    let state = &engine.state;
    let watched = |integration: &Integration| {
        let watch = heartbeat::of_sender(&integration.id);
        let pulse = state.pulses.get(&watch);
        let down = pulse.and_then(|pulse| pulse.down);
        let learned = integration.silent_after.is_none();
        let known = || pulse.and_then(|pulse| Some(Delay(pulse.due?.ms_since(pulse.counted?.from))));
        let alert =
            dedup::open(state, &SELF.into(), &heartbeat::key(&watch)).and_then(|alert| state.alerts.get(&alert));
        if integration.silent_after == Some(Delay::ZERO) {
            return None;
        }
        let silence = SenderSilence {
            after: integration.silent_after.or_else(known),
            learned_weeks: learned.then(|| pulse.and_then(|pulse| pulse.rhythm.as_deref()).map_or(0, heartbeat::weeks)),
            weeks_needed: heartbeat::WEEKS_NEEDED,
            severity: integration.silent_severity,
            since: down.map(|down| down.since),
            incident: alert.map(|alert| alert.incident),
        };
        Some((integration.id.clone(), silence))
    };
    engine.config().document.integrations.iter().filter_map(watched).collect()
}

pub(super) async fn make_integration(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<NewIntegration>,
) -> Result<HttpResponse, ApiError> {
    let name = named(&body.name)?;
    let id = sender_id(&name)
        .ok_or_else(|| ApiError::invalid("name", "Use letters or digits; `tocsin` is taken by Tocsin itself."))?;
    let entry = act(&principal.record_name(), "integration.create", id.to_string(), "");
    let wanted = Wanted::of_sender(name, &id);
    let (_, text) = issue(&app, entry, wanted).await?;
    let url = format!("{}/ingest/{text}", app.public_url());
    Ok(HttpResponse::Created().json(NewToken { token: text, integration: Some(id), url: Some(url) }))
}

pub(super) async fn revoke_integration(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let id = IntegrationId::from(id.into_inner());
    let entry = act(&principal.record_name(), "integration.revoke", id.to_string(), "");
    let revoked = app.change(entry, move |store| store.tokens_revoke_of(&id, now())).await?;
    app.keyring.reload(&app.readers).await;
    if revoked.is_empty() {
        Err(ApiError::not_found("sender with a token"))
    } else {
        Ok(HttpResponse::NoContent().finish())
    }
}

/// Makes another token for a sender, while those it has go on: the sender is changed over meanwhile.
pub(super) async fn replace_token(
    app: web::Data<App>,
    principal: Principal,
    id: web::Path<String>,
    Json(body): Json<NewSenderToken>,
) -> Result<HttpResponse, ApiError> {
    let id = IntegrationId::from(id.into_inner());
    let tokens = app.db(|store| store.tokens(TokenKind::Integration)).await?;
    let (now, config) = (now(), app.runtime.config());
    let live = tokens.into_iter().filter(|it| it.integration.as_ref() == Some(&id));
    let live: Vec<Token> = live.filter(|it| it.expires_at.is_none_or(|until| until > now)).collect();
    let name = match live.first() {
        Some(token) => token.name.clone(),
        None if config.integrations.contains_key(&id) => named(&config.integration(&id).name).unwrap_or(id.to_string()),
        None => return Err(ApiError::not_found("sender")),
    };
    if live.len() >= TOKENS_MAX {
        let why = format!("It has {TOKENS_MAX} tokens that work; let the old ones end first, or revoke them.");
        return Err(ApiError::invalid("id", why));
    }
    if body.old_until.is_some_and(|until| until <= now || until > now.after(LONGEST_OVERLAP)) {
        return Err(ApiError::invalid(
            "old_until",
            "The old tokens go on until a time that is yet to come, and for 90 days at most.",
        ));
    }
    let detail = match body.old_until {
        Some(until) => format!("another token; {} end at {} ms", live.len(), until.ms()),
        None => format!("another token beside {}", live.len()),
    };
    let entry = act(&principal.record_name(), "integration.token", id.to_string(), detail);
    let wanted = Wanted { old_until: body.old_until, ..Wanted::of_sender(name, &id) };
    let (_, text) = issue(&app, entry, wanted).await?;
    let url = format!("{}/ingest/{text}", app.public_url());
    Ok(HttpResponse::Created().json(NewToken { token: text, integration: Some(id), url: Some(url) }))
}

pub(super) async fn list_requests(app: web::Data<App>, id: web::Path<String>) -> web::Json<List<SenderRequest>> {
    let id = IntegrationId::from(id.into_inner());
    web::Json(List { items: app.requests.of(&id), next: None })
}

#[cfg(test)]
mod tests {
    use super::sender_id;

    #[test]
    fn a_name_becomes_an_id_that_a_configuration_takes() {
        for (name, id) in [
            ("Zabbix", "zabbix"),
            (" Zabbix (Beijing) ", "zabbix-beijing"),
            ("监控 北京", "监控-北京"),
            ("a--b", "a--b"),
            ("prod.db_1", "prod.db_1"),
        ] {
            assert_eq!(sender_id(name).unwrap().as_str(), id);
        }
        for name in ["", "---", "!!!", "Tocsin"] {
            assert_eq!(sender_id(name), None, "{name}");
        }
        assert!(sender_id(&"字".repeat(100)).unwrap().0.len() <= 64);
    }
}
