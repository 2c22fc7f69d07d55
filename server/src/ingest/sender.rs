//! Who sends, as far as it is shown: first the token, then the signature where the sender's settings ask for one. Nothing
//! gives away whose token it is before both are right, so no address can forget to look.

use super::{
    carried, refuse,
    requests::Note,
    signature::{self, Signed},
    text_of,
};
use crate::{
    auth::keyring::Unfit,
    clock,
    http::{ApiError, App},
    telemetry,
};
use actix_web::{
    HttpMessage as _, HttpRequest,
    http::{StatusCode, header::HeaderName},
};
use shared::{IntegrationId, config::Signature};

/// A sender whose token was shown.
#[derive(Debug)]
pub(super) struct Sender {
    integration: IntegrationId,
    rules: Option<Signature>,
}

impl Sender {
    /// The sender of a token. From here on the request stands in the list of the sender's last ones.
    pub(super) async fn of(request: &HttpRequest, app: &App, token: &str) -> Result<Self, Unfit> {
        let found = app.keyring.find_integration(token, &app.readers, clock::now()).await;
        let integration = found.inspect_err(|_| telemetry::refused("token"))?;
        let rules = app.runtime.config().integrations.get(&integration).and_then(|it| it.signature.clone());
        let mut note = Note::new(integration.clone(), request.path(), token);
        note.is_proven = rules.is_none();
        request.extensions_mut().insert(note);
        Ok(Self { integration, rules })
    }

    /// Whose message it is: a body as it came, which says everything there is to say.
    pub(super) fn signed(self, request: &HttpRequest, body: &[u8]) -> Result<IntegrationId, ApiError> {
        Note::of(request, |note| note.bytes = body.len());
        let Some(rules) = &self.rules else { return Ok(self.integration) };
        let says = |name: &str| text_of(request.headers(), &HeaderName::try_from(name).ok()?);
        match signature::verify(rules, says, body, clock::now()) {
            Ok(Signed { key }) => {
                Note::of(request, |note| (note.key, note.is_proven) = (key, true));
                Ok(self.integration)
            }
            Err(flaw) => Err(unsigned(request, flaw.word(), flaw.to_string())),
        }
    }

    /// Who asks whether it may send. Nothing is taken, so there is nothing to sign, and nothing to list.
    pub(super) fn greeted(self, request: &HttpRequest) -> IntegrationId {
        drop(request.extensions_mut().remove::<Note>());
        self.integration
    }

    /// Who asks where a signature of the body would not cover what is asked for: the address says it.
    pub(super) fn unsigned(self, request: &HttpRequest) -> Result<IntegrationId, ApiError> {
        if self.rules.is_none() {
            return Ok(self.integration);
        }
        let why = "What is asked for stands in the address, which no signature covers; this integration takes signed messages \
                   only. Post them to /ingest, or take an integration without `signature`.";
        Err(unsigned(request, "signature_address", why.to_owned()))
    }
}

/// Counted as one kind of refusal; whoever connects the sender is told which it is.
fn unsigned(request: &HttpRequest, word: &'static str, why: String) -> ApiError {
    refuse(request, "signature");
    Note::of(request, |note| (note.reason, note.detail) = (Some(word), Some(why.clone())));
    ApiError::new(StatusCode::UNAUTHORIZED, "bad_signature", "The message is not signed as it should be").detail(why)
}

/// Whose token it is: in the path, or where else senders carry one.
pub(super) async fn sender(request: &HttpRequest, app: &App) -> Result<Sender, ApiError> {
    let in_path = request.match_info().get("token").map(ToOwned::to_owned);
    let token = in_path.or_else(|| carried::token(request)).unwrap_or_default();
    Sender::of(request, app, &token).await.map_err(|unfit| match unfit {
        Unfit::Unknown => {
            ApiError::new(StatusCode::UNAUTHORIZED, "unknown_token", "There is no such integration token").detail(
                "Make one with `tocsin token create --kind integration --name NAME` or on the Integrations page.",
            )
        }
        Unfit::Expired => ApiError::new(StatusCode::UNAUTHORIZED, "expired_token", "This integration token has ended")
            .detail("Another one took its place; give the sender that one."),
    })
}
