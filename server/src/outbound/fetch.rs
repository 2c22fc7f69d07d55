//! Fetching a document: a GET that may be conditional, follows a few redirects and reads so much and no more.

use super::{Outbound, classify, permanent, refusal, transient};
use reqwest::{
    Response, StatusCode, Url,
    header::{
        ACCEPT, CONTENT_LENGTH, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
    },
};
use shared::Failure;
use tokio::time::timeout;

/// More is a circle, or a machine that makes fun of us.
const REDIRECTS_MAX: usize = 3;
/// A longer validator is none.
const VALIDATOR_BYTES: usize = 1_024;

/// What is fetched.
#[derive(Clone, Debug)]
pub struct Fetch {
    pub url: String,
    /// What the copy that is there came with.
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// A larger document is refused.
    pub most_bytes: usize,
    /// The media type that is asked for.
    pub accept: &'static str,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The copy that is there is the newest.
    Unchanged,
    New {
        body: Vec<u8>,
        etag: Option<String>,
        last_modified: Option<String>,
    },
}

impl Outbound {
    /// Fetches once, within the deadline for everything, redirects included. Each address on the way is judged like the
    /// first. Nothing of what a stranger answered is quoted.
    ///
    /// # Errors
    /// Why there is no document.
    pub async fn fetch(&self, fetch: &Fetch) -> Result<Fetched, Failure> {
        match timeout(self.deadlines.total, self.follow(fetch)).await {
            Ok(fetched) => fetched,
            Err(_) => Err(transient("it was not there in time")),
        }
    }

    async fn follow(&self, fetch: &Fetch) -> Result<Fetched, Failure> {
        let mut url = self.reach.check(&fetch.url)?;
        for hops in 0..=REDIRECTS_MAX {
            let mut request = self.client.get(url.clone()).header(ACCEPT, fetch.accept);
            for (name, value) in [(IF_NONE_MATCH, &fetch.etag), (IF_MODIFIED_SINCE, &fetch.last_modified)] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let response = request.send().await.map_err(|error| on_the_way(hops, classify(&error)))?;
            let status = response.status();
            if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                let next = target(&url, response.headers()).ok_or_else(|| permanent("it redirects to nowhere"))?;
                url = self.reach.check(next.as_str()).map_err(|failure| on_the_way(1, failure))?;
                continue;
            }
            if status == StatusCode::NOT_MODIFIED && (fetch.etag.is_some() || fetch.last_modified.is_some()) {
                return Ok(Fetched::Unchanged);
            }
            if !status.is_success() {
                return Err(refusal(status.as_u16(), None, ""));
            }
            let validator = |name| validator(response.headers(), &name);
            let (etag, last_modified) = (validator(ETAG), validator(LAST_MODIFIED));
            let body = read_whole(response, fetch.most_bytes).await?;
            return Ok(Fetched::New { body, etag, last_modified });
        }
        Err(permanent(format!("it redirects more than {REDIRECTS_MAX} times")))
    }
}

fn on_the_way(hops: usize, failure: Failure) -> Failure {
    if hops == 0 {
        return failure;
    }
    Failure { detail: format!("it redirects, and there: {}", failure.detail), ..failure }
}

fn target(from: &Url, headers: &HeaderMap) -> Option<Url> {
    from.join(headers.get(LOCATION)?.to_str().ok()?).ok()
}

fn validator(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (text.len() <= VALIDATOR_BYTES).then(|| text.to_owned())
}

async fn read_whole(mut response: Response, most_bytes: usize) -> Result<Vec<u8>, Failure> {
    let too_large = || permanent(format!("it is larger than {} KiB", most_bytes / 1_024));
    let length = response.headers().get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > most_bytes) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| transient("it was cut off"))? {
        if body.len() + chunk.len() > most_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
