//! The tokens of a session: kept in memory alone, renewed in time, and anew when the service asks for it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::header::HeaderMap;
use tokio::sync::Mutex;

use crate::config::Auth;
use crate::error::Result;
use crate::net::http::Client;

use super::cloud::Servers;
use super::sign_in::{self, Asking, Credential, Granted, Proof, TokenEndpoint};
use super::surroundings::Surroundings;
use super::terms::Terms;

pub(super) use super::sign_in::Token;

/// A token is renewed this long before its end.
const RENEW_EARLY_MS: i64 = 120_000;

struct Kept {
    token: Arc<Token>,
    renew_at_ms: i64,
}

impl Kept {
    // a lifetime shorter than the margin still serves one request
    fn new(granted: Granted) -> Self {
        Self { token: Arc::new(granted.token), renew_at_ms: granted.ends_at_ms.saturating_sub(RENEW_EARLY_MS) }
    }
}

struct State {
    credential: Credential,
    kept: Option<Kept>,
    /// What the service wants the next token to hold.
    claims: Option<String>,
}

/// The tokens of one session. One request for a token at a time; everybody else waits for its outcome.
pub(super) struct Tokens {
    endpoint: TokenEndpoint,
    servers: Arc<Servers>,
    surroundings: Arc<dyn Surroundings>,
    base_dir: Option<PathBuf>,
    state: Mutex<State>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tokens").field("url", &self.servers.token_url.as_str()).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens for a sign-in method; nothing is asked for yet.
    ///
    /// # Errors
    /// `config_missing`, `config_unsupported` at the pointer; those of reading the certificate's file.
    pub(super) fn new(
        auth: &Auth,
        base_dir: Option<&Path>,
        client: Client,
        servers: Arc<Servers>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self> {
        let credential = Credential::new(auth, base_dir, &*surroundings)?;
        let state = Mutex::new(State { credential, kept: None, claims: None });
        let endpoint = TokenEndpoint::new(client, Arc::clone(&servers));
        Ok(Self { endpoint, servers, surroundings, base_dir: base_dir.map(Path::to_owned), state })
    }

    /// Replaces the credential; what was kept is forgotten.
    pub(super) async fn replace(&self, auth: &Auth) -> Result<()> {
        let credential = Credential::new(auth, self.base_dir.as_deref(), &*self.surroundings)?;
        *self.state.lock().await = State { credential, kept: None, claims: None };
        Ok(())
    }

    /// A token that is good for a while; the one at hand, or a new one, asked for on somebody's behalf.
    pub(super) async fn current(&self, terms: &Terms) -> Result<Arc<Token>> {
        let mut state = self.state.lock().await;
        let now_ms = self.surroundings.now_ms();
        if let Some(kept) = state.kept.as_ref().filter(|kept| now_ms < kept.renew_at_ms) {
            return Ok(Arc::clone(&kept.token));
        }
        let asking = Asking { surroundings: &*self.surroundings, terms, claims: state.claims.as_deref() };
        let granted = match &state.credential {
            Credential::Secret { app_id, secret } => self.endpoint.token(asking, app_id, Proof::Secret(secret)).await?,
            Credential::Certificate { app_id, key } => {
                self.endpoint.token(asking, app_id, Proof::Certificate(key)).await?
            }
            Credential::ManagedIdentity(identity) => identity.token(asking, self.servers.resource()).await?,
            Credential::Token(text) => {
                let token = Token::new(text.reveal().to_owned());
                token.check(&self.servers, now_ms)?;
                // looked at again for every call: its end may come meanwhile
                Granted { token, ends_at_ms: now_ms }
            }
        };
        let kept = Kept::new(granted);
        let token = Arc::clone(&kept.token);
        state.kept = Some(kept);
        state.claims = None;
        Ok(token)
    }

    /// Remembers what the refusal of a token asks the next one to hold, if anything.
    pub(super) async fn challenged(&self, token: &Token, headers: &HeaderMap) {
        let Some(claims) = sign_in::claims(headers) else { return };
        let mut state = self.state.lock().await;
        if state.kept.as_ref().is_some_and(|kept| kept.token.reveal() == token.reveal()) {
            state.claims = Some(claims);
        }
    }

    /// Forgets a token that was not accepted. Whether another one can be had.
    pub(super) async fn reject(&self, token: &Arc<Token>) -> bool {
        let mut state = self.state.lock().await;
        if state.kept.as_ref().is_some_and(|kept| kept.token.reveal() != token.reveal()) {
            // somebody else renewed it, or the caller brought another one, meanwhile
            return true;
        }
        state.kept = None;
        match &state.credential {
            Credential::Token(own) => own.reveal() != token.reveal(),
            _ => true,
        }
    }

    /// What the application's certificate is called and until when it is valid, where one signs in.
    pub(super) async fn certificate(&self) -> Option<(String, i64)> {
        match &self.state.lock().await.credential {
            Credential::Certificate { key, .. } => {
                let certificate = key.certificate();
                Some((certificate.thumbprint.clone(), certificate.not_after_ms))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_comes_two_minutes_early() {
        let kept = Kept::new(Granted { token: Token::new("a.b.c".to_owned()), ends_at_ms: 3_600_000 });
        assert_eq!(kept.renew_at_ms, 3_600_000 - 120_000);
    }
}
