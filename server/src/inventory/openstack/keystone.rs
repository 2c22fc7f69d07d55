//! Keystone: a token for the account, and where the other services answer.

use super::{Interface, Login, Settings};
use crate::{
    inventory::{
        Fault, FaultKind,
        https::{
            Https,
            json::{Api, Words, path_of},
        },
    },
    outbound::quote,
};
use reqwest::header::HeaderName;
use serde_json::{Value, json};
use shared::Timestamp;
use std::{collections::BTreeSet, fmt};

/// A token that ends sooner is not begun with: a look at a large cloud takes a while.
const SOON_MS: i64 = 300_000;
const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const NEW_TOKEN: &str = "x-subject-token";
const NOVA_VERSION: HeaderName = HeaderName::from_static("x-openstack-nova-api-version");
/// The first with tags, of 2016; hypervisors are named in every one.
const NOVA_VERSION_ASKED: &str = "2.26";

const WITH_PASSWORD: Words = Words {
    what: "Keystone's version 3, Nova or Neutron",
    login: "`username`, `password`, `project` and `domain`",
    rights: "the role reader in its project",
};
const WITH_CREDENTIAL: Words = Words {
    login: "`username` (the id of an application credential) and `password` (its secret), or name a `project` for a user",
    ..WITH_PASSWORD
};

/// Keystone, and who asks it.
pub(super) struct Keystone {
    settings: Settings,
    api: Api,
    words: Words,
}

impl fmt::Debug for Keystone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keystone").field(&self.api).finish()
    }
}

/// A token's time, and the services it is for.
pub(super) struct Session {
    ends_at: Option<Timestamp>,
    pub(super) nova: Api,
    pub(super) neutron: Api,
    /// The account may not see what others have.
    pub(super) own_project_only: bool,
}

impl Session {
    pub(super) fn ends_soon(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|at| at.ms_since(now) < SOON_MS)
    }
}

impl Keystone {
    pub(super) fn new(settings: Settings) -> Result<Self, Fault> {
        let (words, secret) = match &settings.login {
            Login::Password { password, .. } => (WITH_PASSWORD, password),
            Login::ApplicationCredential { secret, .. } => (WITH_CREDENTIAL, secret),
        };
        let https = Https::new(&settings.url, &settings.trust)?;
        let api = Api::new(https, &with_version(path_of(&settings.url), "v3"), words).keeping(secret);
        Ok(Self { settings, api, words })
    }

    pub(super) async fn login(&self) -> Result<Session, Fault> {
        let (headers, said): (_, Value) = self.api.post("/auth/tokens", &question(&self.settings.login)).await?;
        let Some(token) = headers.get(NEW_TOKEN).and_then(|value| value.to_str().ok()) else {
            return Err(self.api.unreadable("/auth/tokens", "there is no token"));
        };
        let said = &said["token"];
        let ends_at = said["expires_at"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let ends_at = ends_at.map(|at| Timestamp::from_ms(at.as_millisecond()));
        let of = |kind: &str| -> Result<(Https, String), Fault> {
            let url = self.find(&said["catalog"], kind)?;
            let https = Https::new(url, &self.settings.trust).map_err(|fault| {
                let message = format!(
                    "the catalogue at {} has an address of `{kind}` that is not used: {}; look at `interface`",
                    self.api.shown(),
                    fault.message
                );
                Fault::new(fault.kind, message)
            })?;
            Ok((https, path_of(url)))
        };
        let api = |(https, root): (Https, String)| {
            Api::new(https, &root, self.words).keeping(token).sending(TOKEN, token.to_owned())
        };
        let (neutron, root) = of("network")?;
        Ok(Session {
            ends_at,
            nova: api(of("compute")?).sending(NOVA_VERSION, NOVA_VERSION_ASKED.to_owned()),
            neutron: api((neutron, with_version(root, "v2.0"))),
            own_project_only: false,
        })
    }

    /// The one address of a service in our region.
    fn find<'a>(&self, catalogue: &'a Value, kind: &str) -> Result<&'a str, Fault> {
        let Settings { region, interface, .. } = &self.settings;
        let services = catalogue.as_array().into_iter().flatten().filter(|service| service["type"] == kind);
        let endpoints = services.flat_map(|service| service["endpoints"].as_array().into_iter().flatten());
        let endpoints: Vec<&Value> = endpoints.filter(|endpoint| endpoint["interface"] == interface.name()).collect();
        let here = |endpoint: &&&Value| {
            region.as_deref().is_none_or(|region| endpoint["region"] == region || endpoint["region_id"] == region)
        };
        let found: BTreeSet<&str> = endpoints.iter().filter(here).filter_map(|it| it["url"].as_str()).collect();
        if let (1, Some(url)) = (found.len(), found.first()) {
            return Ok(url);
        }
        let regions: BTreeSet<&str> = endpoints.iter().filter_map(|endpoint| endpoint["region"].as_str()).collect();
        let regions = quote(&regions.into_iter().collect::<Vec<_>>().join(", "), &[]);
        let message = format!(
            "the catalogue at {} names {} addresses of a service `{kind}` with the interface `{}`, where one is needed; its \
             regions there are: {regions}; name one as `region`",
            self.api.shown(),
            found.len(),
            interface.name()
        );
        Err(Fault::new(FaultKind::Unreadable, message))
    }
}

impl Interface {
    const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
        }
    }
}

/// What Keystone is asked for a token with.
fn question(login: &Login) -> Value {
    match login {
        Login::Password { username, password, project, domain } => {
            let domain = json!({"name": domain});
            let user = json!({"name": username, "domain": domain, "password": password});
            let identity = json!({"methods": ["password"], "password": {"user": user}});
            json!({"auth": {"identity": identity, "scope": {"project": {"name": project, "domain": domain}}}})
        }
        Login::ApplicationCredential { id, secret } => {
            let credential = json!({"id": id, "secret": secret});
            let identity = json!({"methods": ["application_credential"], "application_credential": credential});
            json!({"auth": {"identity": identity}})
        }
    }
}

/// People and catalogues write it, or not.
fn with_version(path: String, version: &str) -> String {
    if path.rsplit('/').next() == Some(version) { path } else { format!("{path}/{version}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::https::{Fingerprint, Trust};
    use proptest::prelude::*;
    use std::time::Duration;

    fn keystone(region: Option<&str>, interface: Interface) -> Keystone {
        let login = Login::ApplicationCredential { id: "id".into(), secret: "canary".into() };
        let (url, trust) = ("https://127.0.0.1:5000/v3/".to_owned(), Trust::Certificate(Fingerprint([0; 32])));
        let region = region.map(str::to_owned);
        let every = Duration::from_secs(60);
        Keystone::new(Settings { url, login, trust, region, interface, every }).unwrap()
    }

    #[test]
    fn the_version_is_written_or_not() {
        for (path, whole) in
            [("", "/v3"), ("/v3", "/v3"), ("/identity", "/identity/v3"), ("/identity/v3", "/identity/v3")]
        {
            assert_eq!(with_version(path.to_owned(), "v3"), whole);
        }
    }

    #[test]
    fn a_service_is_found_in_its_region_or_the_regions_are_told() {
        let endpoint = |interface: &str, region: &str, url: &str| json!({"id": "1", "interface": interface, "region": region, "region_id": region, "url": url});
        let endpoints = [
            endpoint("public", "one", "https://one"),
            endpoint("internal", "one", "https://one.internal"),
            endpoint("public", "two", "https://two"),
        ];
        let catalogue = json!([
            {"type": "compute", "id": "2", "name": "nova", "endpoints": endpoints},
            {"type": "identity", "endpoints": []},
        ]);
        let find = |region, interface, kind| {
            keystone(region, interface).find(&catalogue, kind).map(str::to_owned).map_err(|fault| fault.message)
        };
        assert_eq!(find(Some("two"), Interface::Public, "compute").unwrap(), "https://two");
        assert_eq!(find(None, Interface::Internal, "compute").unwrap(), "https://one.internal");
        let several = find(None, Interface::Public, "compute").unwrap_err();
        assert!(
            several.contains("names 2 addresses") && several.contains("one, two; name one as `region`"),
            "{several}"
        );
        let none = find(None, Interface::Public, "network").unwrap_err();
        assert!(none.contains("names 0 addresses of a service `network`"), "{none}");
    }

    #[test]
    fn nothing_shows_the_secret() {
        let shown = format!("{:?}", keystone(None, Interface::Public));
        assert!(shown.contains("127.0.0.1:5000") && !shown.contains("canary"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_catalogue_is_read_or_refused(catalogue in crate::inventory::https::json::any_json()) {
            let keystone = keystone(None, Interface::Public);
            keystone.find(&catalogue, "compute").ok();
            keystone.find(&json!([{"type": "compute", "endpoints": catalogue}]), "compute").ok();
        }
    }
}
