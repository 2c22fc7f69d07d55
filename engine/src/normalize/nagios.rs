//! What our command for Nagios and Icinga posts (docs/integrations/tocsin_notify.sh): the macros of a notification, by the names
//! under which Nagios puts them into a command's environment.
//!
//! Host and service are the identity: a problem's number begins again when Nagios starts. While something flaps Nagios is
//! silent about it, so the beginning of that is a problem and its end says what holds then.

use super::{
    Parsed, Source, Told, bounds,
    fields::{self, Spans},
    json::Members,
    object::{filled, member, place},
    text,
};
use shared::{Action, AlertEvent, Flag, Format, Severity};

/// Reads an object, or a form, that has the macros.
pub(super) fn read(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Option<Told> {
    let is_one = member(members, "NAGIOS_NOTIFICATIONTYPE").is_some();
    is_one.then(|| event(source, members, whole).map(|it| vec![it]))
}

fn event(source: &Source<'_>, members: &Members<'_>, whole: &str) -> Result<Parsed, Vec<String>> {
    let node = |name: &str| member(members, &format!("NAGIOS_{name}"));
    // A macro that Nagios does not know stays as it was written.
    let is_known = |text: &&str| !(text.len() > 1 && text.starts_with('$') && text.ends_with('$'));
    let of = |name: &str| node(name).and_then(filled).filter(is_known);
    let Some(host) = of("HOSTNAME") else {
        return Err(vec!["'NAGIOS_HOSTNAME' is missing; `enable_environment_macros=1` hands macros on".to_owned()]);
    };
    let service = of("SERVICEDESC");
    let mut spans = Spans::new(whole);
    let state_name = if service.is_some() { "SERVICESTATE" } else { "HOSTSTATE" };
    for (field, name) in
        [("host", "HOSTNAME"), ("service", "SERVICEDESC"), ("status", "NOTIFICATIONTYPE"), ("severity", state_name)]
    {
        node(name).into_iter().for_each(|node| spans.add(field, place(node)));
    }
    let mut event = AlertEvent::blank(Format::Nagios, source.integration.default_severity);
    let state = of(state_name).unwrap_or_default().to_ascii_uppercase();
    let kind = of("NOTIFICATIONTYPE").unwrap_or_default().to_ascii_uppercase();
    event.status_raw = bounds::name(&mut event, &kind);
    event.action = action(&kind, &state);
    event.host = bounds::name(&mut event, &fields::bare_host(host));
    event.ip = of("HOSTADDRESS").and_then(fields::address).map(|ip| ip.to_string().into());
    fields::find_addresses(&mut event);
    event.service = service.and_then(|service| bounds::name(&mut event, service));
    let output = of(if service.is_some() { "SERVICEOUTPUT" } else { "HOSTOUTPUT" });
    let long = of(if service.is_some() { "LONGSERVICEOUTPUT" } else { "LONGHOSTOUTPUT" });
    let flaps = if kind.starts_with("FLAPPINGSTART") { " and flaps" } else { "" };
    let what = service.map_or_else(|| format!("{host} is {state}"), |service| format!("{service} is {state}"));
    let said = output.map_or_else(|| format!("{what}{flaps}"), |output| format!("{what}{flaps}: {output}"));
    event.summary = bounds::one_line(&said).into();
    // Line ends arrive as two letters.
    let lines: Vec<String> = long.into_iter().map(|text| text.replace("\\n", "\n")).collect();
    let comment = of("NOTIFICATIONCOMMENT").map(|comment| match of("NOTIFICATIONAUTHOR") {
        Some(author) => format!("{author}: {comment}"),
        None => comment.to_owned(),
    });
    let content: Vec<String> = lines.into_iter().chain(comment).collect();
    bounds::set_content(&mut event, &content.join("\n"));
    set_severity(&mut event, &state, source);
    for (label, name) in [
        ("hostgroups", "HOSTGROUPNAMES"),
        ("servicegroups", "SERVICEGROUPNAMES"),
        ("notification_number", "NOTIFICATIONNUMBER"),
        ("alias", "HOSTALIAS"),
        ("author", "NOTIFICATIONAUTHOR"),
    ] {
        of(name).into_iter().for_each(|value| bounds::label(&mut event, label, value));
    }
    for name in ["SERVICEACTIONURL", "SERVICENOTESURL", "HOSTACTIONURL", "HOSTNOTESURL"] {
        of(name).into_iter().for_each(|url| bounds::link(&mut event, url));
    }
    // No name of a host has this letter in Icinga, which writes it so itself.
    bounds::set_key(&mut event, format!("nagios:{host}!{}", service.unwrap_or_default()));
    event.flags.retain(|flag| *flag != Flag::NoContent);
    Ok(Parsed { event, spans: spans.list })
}

/// A downtime is no problem, and what somebody sends by hand is what the state says.
pub(super) fn action(kind: &str, state: &str) -> Action {
    let is_well = matches!(state, "OK" | "UP");
    match kind {
        "PROBLEM" | "FLAPPINGSTART" => Action::Trigger,
        "RECOVERY" => Action::Resolve,
        "ACKNOWLEDGEMENT" => Action::Acknowledge,
        "FLAPPINGSTOP" | "FLAPPINGEND" | "FLAPPINGDISABLED" if is_well => Action::Resolve,
        // In a downtime Nagios tells of no recovery.
        "DOWNTIMEEND" | "DOWNTIMECANCELLED" | "DOWNTIMEREMOVED" if is_well => Action::Resolve,
        "FLAPPINGSTOP" | "FLAPPINGEND" | "FLAPPINGDISABLED" => Action::Trigger,
        _ if kind.starts_with("DOWNTIME") || is_well => Action::Change,
        _ => Action::Trigger,
    }
}

/// What a state means; what is well and flaps is a warning.
pub(super) fn severity(state: &str) -> Option<Severity> {
    match state {
        "CRITICAL" | "DOWN" => Some(Severity::P1),
        "UNREACHABLE" | "UNKNOWN" => Some(Severity::P2),
        "WARNING" | "OK" | "UP" => Some(Severity::P3),
        _ => None,
    }
}

/// A level in the text, or what the state means.
fn set_severity(event: &mut AlertEvent, state: &str, source: &Source<'_>) {
    let of_state = severity(state);
    let in_text = text::level_anywhere(&event.summary);
    if in_text.is_none() {
        event.severity_word = bounds::name(event, state);
    }
    fields::set_severity(event, in_text.or_else(|| of_state.map(|level| (level, false))), source);
}
