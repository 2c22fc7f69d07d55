//! `tocsin inventory`: all machines as a dynamic inventory of Ansible, out of what the server stored last.
//!
//! Ansible runs a script with `--list` or `--host NAME`. A link to the program that is called `tocsin-inventory` is such a
//! script: `ansible -i ./tocsin-inventory all -m ping`.

use super::{CliError, Done, open_existing};
use crate::{
    config::Storage,
    db::{IncidentQuery, LIMIT_MAX, Store, StoreError},
    inventory::{Inventory, Machine, ansible, open_of_each},
};
use clap::Args;
use serde_json::Value;
use shared::{Incident, IncidentState};

/// The name under which the program is a script of Ansible's.
pub(super) const SCRIPT: &str = "tocsin-inventory";

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct Command {
    /// Print all groups and machines
    #[arg(long)]
    list: bool,
    /// Print the variables of one machine
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
}

pub(super) fn inventory(storage: &Storage, command: &Command) -> Done {
    let (_, mut store) = open_existing(storage)?;
    let inventory = Inventory::default();
    inventory.restore(&mut store)?;
    let machines: Vec<Machine> = inventory.index().vms().map(|(_, _, vm)| Machine::of_vm(vm)).collect();
    let open = open_of_each(open_incidents(&mut store)?.iter(), &machines);
    let mut whole = ansible::inventory(&inventory.index(), &open);
    let shown = match &command.host {
        Some(name) => {
            let vars = whole.pointer_mut("/_meta/hostvars").and_then(|vars| vars.get_mut(name)).map(Value::take);
            vars.ok_or_else(|| CliError::Told(format!("no source knows a machine called `{name}`; --list prints all")))?
        }
        None => whole,
    };
    println!("{shown:#}");
    Ok(())
}

fn open_incidents(store: &mut Store) -> Result<Vec<Incident>, StoreError> {
    let states = vec![IncidentState::Triggered, IncidentState::Acked, IncidentState::Snoozed];
    let mut query = IncidentQuery { states, limit: LIMIT_MAX, ..IncidentQuery::default() };
    let mut open = Vec::new();
    loop {
        let page = store.incidents(&query)?;
        open.extend(page.items);
        query.before = page.next;
        if query.before.is_none() {
            return Ok(open);
        }
    }
}
