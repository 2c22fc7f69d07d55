//! The page says which machine it is and how its neighbours are; forty VMs of one hypervisor are one page about it.

use anyhow::{Result, ensure};
use e2e::{
    hook::{HookSink, Page},
    tocsin::Tocsin,
    wait,
};
use serde_json::{Value, json};
use shared::{
    IncidentState,
    api::{IncidentList, Role},
};
use std::{fmt::Write as _, fs, time::Duration};

const PATIENCE: Duration = Duration::from_secs(60);
const VMS: usize = 40;
const FIRST: &str = "paging = { bundle = \"1s\" }\nstorm = { incidents = 0 }\nsuspects = { calm = \"1s\" }\n";
const CONFIG: &str = r#"
[[policies]]
id = "all"
levels = [{ notify = ["person:wang"], delay = "1h" }]
[[routes]]
id = "all"
policy = "all"
"#;

/// One message about some of the VMs of `esx-07`.
fn message(vms: impl Iterator<Item = usize>, status: &str) -> String {
    let alert = |n| json!({ "severity": "P1", "status": status, "host": format!("web{n}"), "ip": format!("10.1.2.{n}"), "summary": "host is down" });
    Value::from(vms.map(alert).collect::<Vec<_>>()).to_string()
}

#[test]
fn a_page_says_which_machine_it_is_and_forty_of_one_hypervisor_are_one_page() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    let list = server.folder().join("machines.csv");
    let mut machines = "name,ip,hypervisor\ndb01,10.1.3.1,esx-01\n".to_owned();
    for n in 1..=VMS {
        writeln!(machines, "web{n},10.1.2.{n},esx-07")?;
    }
    fs::write(&list, machines)?;
    let source = format!("[[sources]]\nid = \"list\"\nkind = \"file\"\naddress = \"{}\"\n", list.display());
    server.apply(&(FIRST.to_owned() + &hook.people(&["wang"]) + CONFIG + &source))?;
    server.start()?;
    let viewer = server.somebody(Role::Viewer)?;
    wait::attempt("the list to be read", wait::PATIENCE, || {
        let sources: Value = viewer.read("/api/v1/sources")?;
        Ok((sources["items"][0]["state"] == "well").then_some(()))
    })?;
    let ingest = format!("/ingest/{}", server.sender("falcon")?);
    let send = |body: &str| server.anybody().post(&ingest, &[], body.as_bytes())?.is(200).map(drop);

    send("[P0][PROBLEM][db01][10.1.3.1][host is down]")?;
    let text = |page: &Page| page.text.clone();
    let page = hook.wait_for("/wang", 1, PATIENCE)?.page()?;
    ensure!(text(&page).ends_with("VM db01 on esx-01, the only one there"), "{}", text(&page));
    send("[P0][PROBLEM][web40][10.1.2.40][disk is full]")?;
    let page = hook.wait_for("/wang", 2, PATIENCE)?.page()?;
    ensure!(text(&page).ends_with("VM web40 on esx-07; 39 others there are quiet"), "{}", text(&page));

    send(&message(1..=VMS, "firing"))?;
    let page = hook.wait_for("/wang", 3, PATIENCE)?.page()?;
    let named: Vec<i64> = page.incidents.iter().map(|it| it.id).collect();
    ensure!(page.title.contains("esx-07") && named.len() == 1, "{}: {named:?}", page.title);
    let open = || -> Result<Vec<_>> {
        let board: IncidentList = viewer.read("/api/v1/incidents?limit=200")?;
        Ok(board.items.into_iter().filter(|row| row.state != IncidentState::Resolved).collect())
    };
    let quiet = open()?
        .iter()
        .filter(|row| row.suppressed.iter().any(|by| by.source().map(|it| it.0) == Some(named[0])))
        .count();
    ensure!(quiet == VMS, "{quiet} are quiet because of it");
    ensure!(hook.calls_of("/wang").len() == 3, "one page for all of them");

    // Two stay down: they page once it is over.
    send(&message(3..=VMS, "resolved"))?;
    let last = wait::attempt("the two that stay down to page", PATIENCE, || {
        let pages = hook.calls_of("/wang").iter().map(e2e::hook::Call::page).collect::<Result<Vec<_>>>()?;
        let named: Vec<i64> = pages.iter().skip(3).flat_map(|page| &page.incidents).map(|it| it.id).collect();
        Ok((named.len() >= 2).then_some(named))
    })?;
    let hosts: Vec<_> = open()?.into_iter().filter(|row| last.contains(&row.id.0)).filter_map(|row| row.host).collect();
    ensure!(hosts.len() == 2 && hosts.iter().all(|host| ["web1", "web2"].contains(&host.as_str())), "{hosts:?}");
    ensure!(open()?.iter().all(|row| row.id.0 != named[0]), "the hypervisor is no longer suspected");
    Ok(())
}
