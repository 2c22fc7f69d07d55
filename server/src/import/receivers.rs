//! Receivers become a policy each, which pages an empty team until somebody is put into it.

use super::{
    Differences,
    alertmanager::{File, list, values},
    write::{Ids, Writer},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The policy of each receiver.
pub(super) type Policies = BTreeMap<String, String>;

/// # Errors
/// When two receivers share a name.
pub(super) fn translate(
    file: &File,
    yaml: &str,
    toml: &mut Writer,
    differences: &mut Differences,
) -> Result<Policies, String> {
    let values = values(yaml)?;
    let mut ids = Ids::default();
    // The policy made of `fallback` has this name.
    ids.keep(engine::compile::FALLBACK);
    let mut policies = Policies::new();
    for (i, receiver) in file.receivers.iter().enumerate() {
        let place = format!("receivers[{i}]");
        let id = ids.name(&receiver.name, "receiver");
        let channels = list(&values, "receivers").get(i).map(channels).unwrap_or_default();
        differences.add(
            &place,
            match channels.is_empty() {
                true => format!("`{}` was empty: policy `{id}` pages the empty team `{id}`", receiver.name),
                false => format!(
                    "`{}` is a placeholder, policy `{id}` and the empty team `{id}`; it sent by {}",
                    receiver.name,
                    channels.join(", ")
                ),
            },
        );
        if channels.is_empty() {
            toml.comment(&format!("Receiver {:?}, which sent nothing.", receiver.name));
        } else {
            toml.comment(&format!("Receiver {:?}, which sent by {}.", receiver.name, channels.join(", ")));
        }
        toml.item("teams");
        toml.key("id", id.as_str());
        toml.key("name", receiver.name.as_str());
        toml.texts("members", &[] as &[&str]);
        toml.gap();
        toml.item("policies");
        toml.key("id", id.as_str());
        toml.key("name", receiver.name.as_str());
        toml.raw("levels", &format!("[{{ notify = [\"team:{id}\"], delay = \"5m\" }}]"));
        toml.gap();
        if policies.insert(receiver.name.clone(), id).is_some() {
            return Err(format!("{place}: there are two receivers called `{}`", receiver.name));
        }
    }
    Ok(policies)
}

/// How a receiver sends: the kind, and where to as far as it is no secret.
fn channels(receiver: &Value) -> Vec<String> {
    let lists = receiver
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, list)| Some((key.strip_suffix("_configs")?, list.as_array()?)));
    let shown = |kind: &str, config: &Value| {
        let told = ["to", "channel", "room_id", "chat_id", "to_party", "topic_arn"];
        match told.into_iter().find_map(|key| config.get(key)) {
            Some(Value::String(to)) => format!("{kind} ({to})"),
            Some(Value::Number(to)) => format!("{kind} ({to})"),
            _ => kind.to_owned(),
        }
    };
    lists.flat_map(|(kind, configs)| configs.iter().map(move |config| shown(kind, config))).collect()
}
