//! A switch's database behind TLS: both sides prove themselves, or nothing is said.

use super::picture::whole;
use e2e::{
    lab::{Lab, Network},
    wait,
};
use server::inventory::{
    Collector as _, Credentials, Endpoint, FaultKind, OwnCertificate,
    ovsdb::{Ovsdb, USUAL_PORT},
};
use std::fs;

/// A lab in which a database answers on a port of 127.0.0.1, to whom `ca` has signed.
fn lab() -> (Lab, u16) {
    let mut lab = Lab::new(Network::Ours).unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    for ca in ["ca", "stranger"] {
        lab.run(&format!("openssl req -x509 {key} -keyout {ca}.key -out {ca}.pem -subj /CN={ca}")).unwrap();
    }
    for (name, ca) in [("switch", "ca"), ("tocsin", "ca"), ("intruder", "stranger")] {
        lab.run(&format!("openssl req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}")).unwrap();
        lab.run("printf 'basicConstraints=CA:FALSE\\nsubjectAltName=IP:127.0.0.1\\n' > extensions").unwrap();
        let sign = format!("openssl x509 -req -in {name}.csr -out {name}.pem -days 2 -extfile extensions");
        lab.run(&format!("{sign} -CA {ca}.pem -CAkey {ca}.key -CAcreateserial")).unwrap();
    }
    lab.run("ovsdb-tool create conf.db /usr/share/openvswitch/vswitch.ovsschema").unwrap();
    let proof = "--private-key=switch.key --certificate=switch.pem --ca-cert=ca.pem";
    let remotes = "--remote=pssl:0:127.0.0.1 --remote=punix:/run/openvswitch/db.sock";
    let rest = "--unixctl=/run/openvswitch/db.ctl --pidfile=/run/openvswitch/db.pid --detach --log-file=db.log";
    lab.run(&format!("ovsdb-server conf.db {remotes} {proof} {rest}")).unwrap();
    lab.run("ovs-vsctl --no-wait add-br brc -- add-port brc p0").unwrap();
    let log = lab.file("db.log");
    let port = wait::until("the port of the database", wait::PATIENCE, || {
        let log = fs::read_to_string(&log).ok()?;
        let (_, port) = log.rsplit_once("listening on port ")?;
        port.split_whitespace().next()?.parse().ok()
    });
    (lab, port.unwrap())
}

/// The database as `host`, whom `ca` must have signed, with our own certificate `own`.
fn source(lab: &Lab, place: &str, ca: &str, own: Option<&str>) -> Ovsdb {
    let own = own.map(|own| OwnCertificate {
        certificate: lab.file(&format!("{own}.pem")),
        key: lab.file(&format!("{own}.key")),
    });
    let credentials = Credentials { ca: lab.file(&format!("{ca}.pem")), own };
    Ovsdb::new(Endpoint::parse(place, USUAL_PORT, Some(&credentials)).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_prove_themselves() {
    let (mut lab, port) = lab();
    let place = format!("tls:127.0.0.1:{port}");
    let mut trusted = source(&lab, &place, "ca", Some("tocsin"));
    let mut picture = whole(&mut trusted).await;
    assert_eq!(picture.ports.values().map(|port| port.port.as_str()).collect::<Vec<_>>(), ["p0"]);
    lab.run("ovs-vsctl --no-wait add-port brc p1").unwrap();
    picture.until(&mut trusted, "the new port", |picture| picture.port("p1").is_some()).await;

    for own in [None, Some("intruder")] {
        let fault = source(&lab, &place, "ca", own).next().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused, "{own:?}: {fault}");
        assert!(fault.message.contains("certificate"), "{fault}");
    }
    let elsewhere = format!("tls:localhost:{port}");
    for (place, ca) in [(&place, "stranger"), (&elsewhere, "ca")] {
        let fault = source(&lab, place, ca, Some("tocsin")).next().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Untrusted, "{place} {ca}: {fault}");
        assert!(fault.message.contains("subjectAltName"), "{fault}");
    }
    let missing = source(&lab, &place, "nobody", None).next().await.unwrap_err();
    assert_eq!(missing.kind, FaultKind::Untrusted, "{missing}");
    assert!(missing.message.contains("nobody.pem"), "{missing}");
    // The file of a key in the place of a certificate; nothing of it is quoted.
    fs::copy(lab.file("ca.key"), lab.file("swapped.pem")).unwrap();
    let swapped = source(&lab, &place, "swapped", None).next().await.unwrap_err();
    assert!(swapped.message.contains("swapped.pem") && !swapped.message.contains("BEGIN"), "{swapped}");
}
