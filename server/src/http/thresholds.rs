//! Threshold rules: how they stand, and what one would have done.

use super::{
    App,
    app::{blocking, now},
    body, hosts,
    problem::ApiError,
};
use crate::{
    clock::Stopwatch,
    db::Store,
    hosts::{Hosts, QueryFault},
};
use actix_web::{HttpRequest, http::StatusCode, web};
use engine::{
    compile::Snapshot,
    threshold::{Bound, forecast},
};
use shared::{
    Delay, Timestamp,
    api::{
        RuleStanding, RuleState, TemplateRow, ThresholdBoard, ThresholdForecast, ThresholdRow, ThresholdTrial,
        WouldAlert,
    },
    config::HostGroup,
};
use std::{collections::BTreeMap, sync::Arc};

/// What fires or holds, as one list shows it.
const STANDING_MAX: usize = 500;
/// The alerts that one trial tells of.
const ALERTS_MAX: usize = 1_000;
/// The series that one trial looks at.
const SERIES_MAX: u32 = 5_000;
/// A trial takes no longer.
const PATIENCE_MS: i64 = 15_000;
const MOST_BYTES: usize = 64 * 1024;

pub(super) async fn list_thresholds(app: web::Data<App>) -> Result<web::Json<ThresholdBoard>, ApiError> {
    blocking(move || board(&app)).await.map(web::Json)
}

fn board(app: &App) -> ThresholdBoard {
    let config = app.runtime.config();
    let hosts = app.hosts.known();
    let all = app.judge.standing(|_, _| true);
    let mut counts: BTreeMap<(&str, &str), (u32, u32, u32)> = BTreeMap::new();
    for it in &all {
        let count = counts.entry((it.template.as_str(), it.rule.as_str())).or_default();
        match it.state {
            RuleState::Firing => count.0 += 1,
            RuleState::Holding => count.1 += 1,
            RuleState::Fine | RuleState::Unknown => {}
        }
        count.2 += 1;
    }
    let row = |rule: Arc<Bound>, of: &shared::TemplateId| {
        let (firing, holding, series) =
            counts.get(&(rule.template.as_str(), rule.config.id.as_str())).copied().unwrap_or_default();
        let from = (rule.template != *of).then(|| rule.template.clone());
        ThresholdRow { rule: rule.config.clone(), from, firing, holding, series }
    };
    let templates = config.document.templates.iter().map(|template| TemplateRow {
        template: template.clone(),
        hosts: count(hosts.iter().filter(|host| config.thresholds.is_for(&template.id, &host.name)).count()),
        rules: config.thresholds.of_template(&template.id).into_iter().map(|rule| row(rule, &template.id)).collect(),
    });
    let templates = templates.collect();
    let mut standing: Vec<RuleStanding> = all.into_iter().filter(|it| it.state >= RuleState::Holding).collect();
    standing.sort_by(|a, b| (b.state, a.severity, a.since, &a.host).cmp(&(a.state, b.severity, b.since, &b.host)));
    standing.truncate(STANDING_MAX);
    ThresholdBoard { templates, standing }
}

pub(super) async fn try_threshold(
    request: HttpRequest,
    payload: web::Payload,
    app: web::Data<App>,
) -> Result<web::Json<ThresholdForecast>, ApiError> {
    let trial: ThresholdTrial = body::json(&request, payload, MOST_BYTES).await?;
    let config = app.runtime.config();
    let rule = Bound::compile(&"trial".into(), &trial.rule, &config.windows).map_err(|faults| {
        let told = faults.into_iter().map(|(field, why)| format!("{field}: {why}")).collect::<Vec<_>>();
        refused("bad_rule", "The rule cannot be used").detail(told.join("; "))
    })?;
    let (from, until) = (trial.from, trial.until.min(now()));
    if from >= until || until.ms_since(from) > config.document.hosts.keep_tens.0 {
        return Err(refused("bad_range", "The range cannot be used")
            .detail("`from` lies before `until` and before now, and no further back than is kept."));
    }
    let groups = groups(&config, &trial)?;
    let asked = Asked { hosts: trial.hosts, groups, from, until };
    let reading = app.clone();
    let tried = move |store: &mut Store| {
        let usual = config.document.hosts.every;
        run(&reading.hosts, usual, &rule, &asked, PATIENCE_MS, store)
    };
    hosts::read(&app, tried).await.map(web::Json)
}

struct Asked {
    hosts: Vec<String>,
    groups: Vec<HostGroup>,
    from: Timestamp,
    until: Timestamp,
}

fn refused(code: &'static str, title: &'static str) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, code, title)
}

fn groups(config: &Snapshot, trial: &ThresholdTrial) -> Result<Vec<HostGroup>, ApiError> {
    let find = |id: &shared::HostGroupId| {
        let found = config.document.host_groups.iter().find(|it| it.id == *id).cloned();
        found.ok_or_else(|| {
            refused("no_such_group", "There is no such group of hosts")
                .detail(format!("The configuration has no host_groups with id = \"{id}\"."))
        })
    };
    trial.groups.iter().map(find).collect()
}

fn too_much() -> QueryFault {
    let message = format!(
        "The rule looks at more than {SERIES_MAX} series, or for longer than {} s; name some hosts, or a shorter time.",
        PATIENCE_MS / 1_000
    );
    QueryFault::Bad { field: "groups", message }
}

fn run(
    hosts: &Hosts,
    usual: Delay,
    rule: &Bound,
    asked: &Asked,
    patience_ms: i64,
    store: &mut Store,
) -> Result<ThresholdForecast, QueryFault> {
    let is_meant = |name: &str| {
        let everybody = asked.hosts.is_empty() && asked.groups.is_empty();
        everybody || asked.hosts.iter().any(|it| it == name) || asked.groups.iter().any(|group| group.holds(name))
    };
    let mut found = ThresholdForecast {
        from: asked.from,
        until: asked.until,
        hosts: 0,
        series: 0,
        alerts: Vec::new(),
        left_out: 0,
        step_ms: 0,
    };
    let watch = Stopwatch::start();
    for host in hosts.known().into_iter().filter(|host| is_meant(&host.name)) {
        // All that is kept of a host is read, even where nothing of it is meant.
        if watch.elapsed_ms() > patience_ms {
            return Err(too_much());
        }
        found.hosts += 1;
        let begins = asked.from.plus_ms(rule.reach(usual).0.saturating_neg());
        for points in hosts.past(&host.name, &rule.when.series, begins, asked.until, store, now())? {
            let step = Delay(points.step_ms).max(usual);
            found.step_ms = found.step_ms.max(step.0);
            if found.series >= SERIES_MAX || watch.elapsed_ms() > patience_ms {
                return Err(too_much());
            }
            found.series += 1;
            let alerts = forecast(rule, &points.points, step, asked.until);
            for it in alerts.into_iter().filter(|it| it.until.is_none_or(|until| until >= asked.from)) {
                if found.alerts.len() >= ALERTS_MAX {
                    found.left_out += 1;
                    continue;
                }
                found.alerts.push(WouldAlert {
                    host: host.name.clone(),
                    series: points.series.to_string(),
                    from: it.from,
                    until: it.until,
                    value: it.value.map(|it| it as f32),
                    steps: it.steps,
                });
            }
        }
    }
    found.alerts.sort_by(|a, b| (a.from, &a.host, &a.series).cmp(&(b.from, &b.host, &b.series)));
    Ok(found)
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{db::DatabaseUrl, hosts::Batch};
    use serde_json::json;
    use shared::host::{Feed, Sample};

    #[test]
    fn a_trial_that_finds_nothing_ends_in_time_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&DatabaseUrl::Sqlite(folder.path().join("t.db"))).unwrap();
        store.migrate().unwrap();
        let (hosts, at) = (Hosts::default(), now());
        let batch = Batch {
            host: "web-01".to_owned(),
            feed: Feed::Agent,
            every_ms: 10_000,
            facts: None,
            series: Vec::new(),
            samples: vec![Sample { at, values: Vec::new() }],
            tables: None,
            clock_ahead_ms: None,
            lost: 0,
        };
        hosts.take(batch, at).unwrap();
        let rule = serde_json::from_value(json!({ "id": "r", "when": "all(#1) no.such.metric > 0" })).unwrap();
        let rule = Bound::compile(&"trial".into(), &rule, &BTreeMap::new()).unwrap();
        let asked = Asked { hosts: Vec::new(), groups: Vec::new(), from: at.plus_ms(-60_000), until: at };
        let mut tried = |patience_ms| run(&hosts, Delay::secs(10), &rule, &asked, patience_ms, &mut store);
        assert_eq!(tried(PATIENCE_MS).unwrap().hosts, 1);
        assert!(matches!(tried(-1), Err(QueryFault::Bad { field: "groups", .. })));
    }
}
