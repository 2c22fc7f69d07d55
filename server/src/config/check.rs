//! Everything that is asked of a document before it is put in force: reading, compiling, linting, its own tests.

use super::{
    parse::{fault, parse},
    plan::plan,
    secrets::KEPT,
    settings,
};
use crate::{
    answers::wecom::Keys,
    channels::{Channels, check_service_account, is_apns_key},
    hosts, ingest, inventory, mirror,
};
use engine::{Snapshot, oncall::Copies};
use shared::{
    Timestamp,
    api::{ConfigReport, TrialResult},
    config::{Document, Finding},
};
use std::sync::Arc;

/// A document that may be put in force.
#[derive(Clone, Debug)]
pub struct Checked {
    pub document: Document,
    pub snapshot: Snapshot,
    /// What is doubtful, but allowed.
    pub warnings: Vec<Finding>,
    pub tests: Vec<TrialResult>,
}

/// Why a document is not put in force; at least one finding is fatal.
#[derive(Clone, Debug)]
pub struct Refused {
    pub findings: Vec<Finding>,
    pub tests: Vec<TrialResult>,
    /// What it says, when it could be read.
    pub document: Option<Document>,
}

/// Checks a document's text; `now` is what "on call now" and "in the coming weeks" mean, and `copies` are those of the
/// calendars that others keep. Blocks for a while.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check(toml: &str, version: i64, copies: Arc<Copies>, now: Timestamp) -> Result<Checked, Box<Refused>> {
    match parse(toml) {
        Ok(document) => check_document(document, version, copies, now),
        Err(finding) => Err(Box::new(Refused { findings: vec![finding], tests: Vec::new(), document: None })),
    }
}

/// Checks a document that was read already.
///
/// # Errors
/// Everything that is wrong with it.
pub fn check_document(
    document: Document,
    version: i64,
    copies: Arc<Copies>,
    now: Timestamp,
) -> Result<Checked, Box<Refused>> {
    let mut findings = outside(&document);
    let snapshot = match Snapshot::compile_with(version, document.clone(), copies) {
        Ok(snapshot) => snapshot,
        Err(faults) => {
            findings.extend(faults);
            return Err(Box::new(Refused { findings, tests: Vec::new(), document: Some(document) }));
        }
    };
    findings.extend(engine::lint::lint(&snapshot, now));
    let tests = engine::trial::run(&snapshot, &document);
    findings.extend(
        tests
            .iter()
            .filter(|test| !test.passed)
            .map(|test| fault(format!("tests[{}]", test.name), format!("the test fails: {}", test.detail))),
    );
    if findings.iter().any(|finding| finding.fatal) {
        return Err(Box::new(Refused { findings, tests, document: Some(document) }));
    }
    Ok(Checked { document, snapshot, warnings: findings, tests })
}

/// What the engine does not look at: addresses of our own, and the channels.
fn outside(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(Err(message)) = document.public_url.as_deref().map(settings::public_url) {
        findings.push(fault("public_url", message));
    }
    if let Err(message) = Channels::new(&document.channels) {
        findings.push(fault("channels", message));
    }
    let wecom = &document.channels.wecom;
    if wecom.aes_key.as_deref().is_some_and(|key| Keys::new("", key, "").is_none()) {
        let message = "this is no EncodingAESKey of WeCom, which has 43 letters and digits; cards have a link instead of a button";
        findings.push(Finding { fatal: false, ..fault("channels.wecom.aes_key", message) });
    }
    if let Some(Err(why)) = document.channels.fcm.as_ref().map(|it| check_service_account(&it.service_account)) {
        let message = format!("{why}; apps that Google carries to get no pushes");
        findings.push(Finding { fatal: false, ..fault("channels.fcm.service_account", message) });
    }
    if document.channels.apns.as_ref().is_some_and(|it| !is_apns_key(&it.signing_key)) {
        let message = "this is no key of a .p8 file; apps that Apple carries to get no pushes";
        findings.push(Finding { fatal: false, ..fault("channels.apns.signing_key", message) });
    }
    let contacts = document.people.iter().flat_map(|person| {
        person.contacts.iter().map(|it| (format!("people[{}].contacts[{}].secret", person.id, it.id), &it.secret))
    });
    if document.channels.feishu.encrypt_key.is_some() {
        let message = "robots of groups hear nothing, so their messages have a link; leave it out";
        findings.push(Finding { fatal: false, ..fault("channels.feishu.encrypt_key", message) });
    }
    let hooks = document.webhooks.iter().map(|it| (format!("webhooks[{}].secret", it.id), &it.secret));
    let sources = document.sources.iter().map(|it| (format!("sources[{}].password", it.id), &it.password));
    let backends =
        document.mirrors.backends.iter().map(|it| (format!("mirrors.backends[{}].password", it.id), &it.password));
    let scrapes = document.hosts.scrapes.iter();
    let scrapes = scrapes.map(|it| (format!("hosts.scrapes[{}].password", it.address), &it.password));
    let all = contacts.chain(hooks).chain(sources).chain(backends).chain(scrapes);
    for (path, _) in all.filter(|(_, secret)| secret.as_deref() == Some(KEPT)) {
        findings.push(fault(path, "`********` only stands for a secret; write the secret out"));
    }
    for integration in &document.integrations {
        let Some(signature) = &integration.signature else { continue };
        let path = format!("integrations[{}].signature", integration.id);
        findings.extend(ingest::check(signature).into_iter().map(|(key, why)| fault(format!("{path}.{key}"), why)));
    }
    findings.extend(inventory::check(&document.sources));
    findings.extend(mirror::check(&document.mirrors.backends));
    findings.extend(hosts::scrape::check(&document.hosts));
    findings
}

/// The report of a check against what is in force; nothing is applied.
#[must_use]
pub fn report(result: &Result<Checked, Box<Refused>>, old: &Document, version: i64) -> ConfigReport {
    let (document, findings, tests) = match result {
        Ok(checked) => (Some(&checked.document), &checked.warnings, &checked.tests),
        Err(refused) => (refused.document.as_ref(), &refused.findings, &refused.tests),
    };
    ConfigReport {
        version,
        applied: false,
        changes: document.map(|document| plan(old, document)).unwrap_or_default(),
        findings: findings.clone(),
        tests: tests.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);

    #[test]
    fn an_empty_document_is_allowed_with_a_warning() {
        let checked = check("", 1, Arc::default(), NOW).unwrap();
        assert!(!checked.warnings.is_empty() && checked.warnings.iter().all(|finding| !finding.fatal));
    }

    #[test]
    fn every_fault_is_named() {
        let text = r#"
            public_url = "tocsin.example.org"
            [channels.webhook]
            allow_networks = ["nowhere"]
            [[policies]]
            id = "p"
            levels = []
        "#;
        let refused = check(text, 1, Arc::default(), NOW).unwrap_err();
        let paths: Vec<&str> = refused.findings.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(paths, ["public_url", "channels", "policies[p].levels"]);
    }
}
