//! What is set for a sender, as the page of integrations shows it: everything but the secrets.

use super::{App, app::blocking, problem::ApiError, versions::document};
use crate::db::StoredConfig;
use engine::Snapshot;
use shared::{
    IntegrationId, Timestamp,
    api::{SenderSettings, SenderSignature},
    config::Document,
};
use std::collections::BTreeMap;

/// So many versions are looked through for when a second secret came.
const MOST_VERSIONS: i64 = 50;

pub(super) fn of(config: &Snapshot, id: &IntegrationId, two_since: Option<Timestamp>) -> SenderSettings {
    let set = config.integration(id);
    let signature = set.signature.map(|it| SenderSignature {
        kind: it.kind,
        two_secrets: it.next_secret.is_some(),
        two_since: two_since.filter(|_| it.next_secret.is_some()),
        header: it.header,
        timestamp_header: it.timestamp_header,
        tolerance: it.tolerance,
    });
    let syslog = set.syslog.unwrap_or_default();
    SenderSettings {
        declared: config.integrations.contains_key(id),
        signature,
        rate_limit: set.rate_limit,
        charset: set.charset,
        default_severity: set.default_severity,
        time_zone: set.time_zone,
        dedup_key: set.dedup_key,
        mapped: set.mapping.is_some(),
        syslog_udp: syslog.udp,
        syslog_tcp: syslog.tcp,
        syslog_from: syslog.from,
    }
}

/// Since when senders have two secrets, of those that have; nothing is read when none has.
pub(super) async fn two_since(app: &App) -> Result<BTreeMap<IntegrationId, Timestamp>, ApiError> {
    let has_two = |document: &Document| document.integrations.iter().any(|it| two(document, &it.id));
    if !has_two(&app.runtime.config().document) {
        return Ok(BTreeMap::new());
    }
    let stored = app.db(|store| {
        let today = store.config_number()?;
        store.config_versions(today - MOST_VERSIONS, today)
    });
    let stored = stored.await?;
    blocking(move || since(&stored)).await
}

fn two(document: &Document, id: &IntegrationId) -> bool {
    let signature = document.integrations.iter().find(|it| it.id == *id).and_then(|it| it.signature.as_ref());
    signature.is_some_and(|it| it.next_secret.is_some())
}

/// Versions are oldest first: the first of those that all say so up to the newest. Not known where the oldest says so as well.
fn since(stored: &[StoredConfig]) -> BTreeMap<IntegrationId, Timestamp> {
    let mut found = BTreeMap::new();
    let Some(newest) = stored.last().map(|it| document(&it.toml)) else { return found };
    let mut open: Vec<IntegrationId> = newest.integrations.iter().map(|it| it.id.clone()).collect();
    open.retain(|id| two(&newest, id));
    let mut later: Option<Timestamp> = None;
    for version in stored.iter().rev() {
        if open.is_empty() {
            break;
        }
        let said = document(&version.toml);
        open.retain(|id| {
            let is_still = two(&said, id);
            if let Some(later) = later.filter(|_| !is_still) {
                found.insert(id.clone(), later);
            }
            is_still
        });
        later = Some(version.at);
    }
    // It began with the first version there is.
    if let Some(first) = stored.first().filter(|it| it.version == 1) {
        found.extend(open.into_iter().map(|id| (id, first.at)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_secret_counts_since_the_version_that_brought_it_and_kept_it() {
        let version = |version: i64, next: &str| StoredConfig {
            version,
            at: Timestamp::from_ms(version * 100),
            by: "root".to_owned(),
            toml: format!(
                "[[integrations]]\nid = \"a\"\nsignature = {{ kind = \"github\", secret = \"s\"{next} }}\n\
                 [[integrations]]\nid = \"b\"\n"
            ),
        };
        let next = ", next_secret = \"t\"";
        let of =
            |all: &[StoredConfig]| since(all).into_iter().map(|(id, at)| (id.to_string(), at.ms())).collect::<Vec<_>>();
        let at = |ms: i64| vec![("a".to_owned(), ms)];
        assert_eq!(of(&[version(1, ""), version(2, next), version(3, next)]), at(200));
        assert_eq!(of(&[version(1, next), version(2, ""), version(3, next)]), at(300));
        assert_eq!(of(&[version(1, next), version(2, next)]), at(100), "from the first version on");
        assert_eq!(of(&[version(7, next), version(8, next)]), [], "longer than was looked");
        assert_eq!(of(&[version(1, next), version(2, "")]), []);
        assert_eq!(of(&[]), []);
    }
}
