//! Ansible itself takes our inventory: by the interface's document, and by the program under its script's name.

use anyhow::{Context as _, Result, ensure};
use e2e::{environment, tocsin::Tocsin, wait};
use serde_json::Value;
use shared::api::Role;
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

const MACHINES: &str = "name,mac,ip,hypervisor,cluster,tags
web01,52:54:00:00:00:01,10.1.2.3,kvm-1.example.org,prod,role=web
web02,52:54:00:00:00:02,10.1.2.4,kvm-1.example.org,prod,role=web
db01,52:54:00:00:00:03,10.1.3.3,kvm-2.example.org,prod,
";

/// A program of ansible-core, in the tests' own Python.
fn ansible(name: &str) -> Result<Command> {
    let python = environment::python()?;
    let program = python.with_file_name(name);
    ensure!(program.is_file(), "{} is missing; `cargo xtask test` installs it", program.display());
    Ok(Command::new(program))
}

fn run(command: &mut Command, home: &Path, data: &Path) -> Result<String> {
    // Its own settings and caches, whoever runs the tests.
    let output =
        command.env("HOME", home).env("ANSIBLE_LOCALHOST_WARNING", "False").env("TOCSIN_DATA", data).output()?;
    let (said, why) = (String::from_utf8(output.stdout)?, String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?}: {why}");
    ensure!(!why.contains("[WARNING]"), "{command:?} warns: {why}");
    Ok(said)
}

#[test]
fn ansible_takes_our_inventory_and_resolves_its_groups() -> Result<()> {
    let mut tocsin = Tocsin::fresh()?;
    let list = tocsin.folder().join("machines.csv");
    fs::write(&list, MACHINES)?;
    let source = format!("[[sources]]\nid = \"list\"\nkind = \"file\"\naddress = \"{}\"\n", list.display());
    tocsin.apply(&source)?;
    tocsin.start()?;
    let token = tocsin.api_token(Role::Viewer)?;
    let viewer = tocsin.anybody().bearer(&token);
    wait::attempt("the list to be read", wait::PATIENCE, || {
        let sources: Value = viewer.read("/api/v1/sources")?;
        Ok((sources["items"][0]["state"] == "well").then_some(()))
    })?;
    let sender = tocsin.sender("falcon")?;
    let line = b"[P1][PROBLEM][web02][10.1.2.4][host is down]";
    let sent = tocsin.anybody().post(&format!("/ingest/{sender}"), &[], line)?;
    ensure!(sent.status == 200, "{}", sent.status);

    let whole: Value = viewer.read("/api/v1/inventory/ansible")?;
    let home = tempfile::tempdir()?;
    // What a script prints, from the interface: a program that ansible runs with --list.
    let script = home.path().join("from-the-interface");
    fs::write(&script, format!("#!/bin/sh\ncat <<'END'\n{whole}\nEND\n"))?;
    Command::new("chmod").arg("+x").arg(&script).status()?;
    let link: PathBuf = home.path().join("tocsin-inventory");
    symlink(environment::binary()?, &link)?;
    let data = tocsin.folder().join("data");
    wait::attempt("the list to be stored", wait::PATIENCE, || {
        let said = run(Command::new(&link).arg("--list"), home.path(), &data)?;
        Ok(said.contains("web01").then_some(()))
    })?;
    for inventory in [&script, &link] {
        let list = ["--list", "-i"];
        let read: Value =
            serde_json::from_str(&run(ansible("ansible-inventory")?.args(list).arg(inventory), home.path(), &data)?)?;
        let hosts = |group: &str| -> BTreeSet<String> {
            let hosts = read[group]["hosts"].as_array().into_iter().flatten();
            hosts.filter_map(|it| it.as_str().map(str::to_owned)).collect()
        };
        let named = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|it| (*it).to_owned()).collect() };
        assert_eq!(hosts("hypervisor_kvm_1_example_org"), named(&["web01", "web02"]));
        assert_eq!(hosts("cluster_prod"), named(&["web01", "web02", "db01"]));
        assert_eq!(hosts("tag_role_web"), named(&["web01", "web02"]));
        assert_eq!((hosts("alerting_p1"), hosts("quiet")), (named(&["web02"]), named(&["web01", "db01"])));
        assert_eq!(read["_meta"]["hostvars"]["db01"]["ansible_host"], "10.1.3.3");
        let pattern = "hypervisor_kvm_1_example_org:!alerting";
        let listed = run(ansible("ansible")?.args([pattern, "--list-hosts", "-i"]).arg(inventory), home.path(), &data)?;
        let listed: Vec<&str> = listed.lines().skip(1).map(str::trim).collect();
        assert_eq!(listed, ["web01"], "who is quiet on this hypervisor");
    }
    let one: Value = serde_json::from_str(&run(Command::new(&link).args(["--host", "db01"]), home.path(), &data)?)?;
    assert_eq!(one["tocsin_hypervisor"], "kvm-2.example.org");
    let unknown = Command::new(&link).args(["--host", "nobody"]).env("TOCSIN_DATA", &data).output()?;
    let why = String::from_utf8(unknown.stderr).context("in UTF-8")?;
    assert!(!unknown.status.success() && why.contains("no source knows a machine called `nobody`"), "{why}");
    Ok(())
}
