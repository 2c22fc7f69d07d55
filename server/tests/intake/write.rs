//! Remote write: what a real Prometheus sent, and what is refused.

use super::{
    house::{Answer, House, call, request},
    latest,
};
use server::{
    clock,
    hosts::{Hosts, Intake, prometheus},
};
use shared::Timestamp;
use std::sync::Arc;

/// What Prometheus 2.42.0 sent of one node_exporter, at instants that are two seconds apart.
const BODIES: [&[u8]; 3] = [
    include_bytes!("prometheus-2.42.0-1.bin"),
    include_bytes!("prometheus-2.42.0-2.bin"),
    include_bytes!("prometheus-2.42.0-3.bin"),
];

async fn post(house: &House, body: &[u8], kind: &str, packed: &str) -> Answer {
    let mut post =
        request("POST", &format!("/prom/{}/api/v1/write", house.sender)).insert_header(("content-type", kind));
    if !packed.is_empty() {
        post = post.insert_header(("content-encoding", packed));
    }
    call(&house.service().await, post.set_payload(body.to_vec())).await
}

#[actix_web::test]
async fn a_body_is_taken_or_the_answer_says_whether_to_send_it_again() {
    let house = House::new();
    const FIRST: &str = "application/x-protobuf";
    for kind in [FIRST, "application/x-protobuf;proto=prometheus.WriteRequest"] {
        let answer = post(&house, BODIES[0], kind, "snappy").await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (204, ""));
    }
    let bomb = snap::raw::Encoder::new().compress_vec(&vec![0; (8 << 20) + 1]).unwrap();
    let garbled = snap::raw::Encoder::new().compress_vec(b"\xff\xff\xff").unwrap();
    for (body, kind, packed, status, code) in [
        (BODIES[0], "application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", 415, "not_remote_write"),
        (BODIES[0], "application/json", "snappy", 415, "not_remote_write"),
        (BODIES[0], FIRST, "", 415, "encoded_body"),
        (BODIES[0], FIRST, "zstd", 415, "encoded_body"),
        (b"plain", FIRST, "snappy", 400, "not_understood"),
        (&garbled, FIRST, "snappy", 400, "not_understood"),
        (&bomb, FIRST, "snappy", 413, "body_too_large"),
        (&vec![0; (4 << 20) + 1], FIRST, "snappy", 413, "body_too_large"),
    ] {
        let answer = post(&house, body, kind, packed).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{}", answer.text);
    }
    let stranger = request("POST", "/prom/wrong/api/v1/write").insert_header(("content-type", FIRST));
    assert_eq!(call(&house.service().await, stranger).await.status, 401);
}

#[test]
fn what_a_real_prometheus_wrote_is_one_host() {
    let hosts = Arc::new(Hosts::default());
    let intake = Intake::new(Arc::clone(&hosts));
    let mut last = Timestamp::default();
    for body in BODIES {
        let written = prometheus::written(body, clock::now()).unwrap();
        assert_eq!((written.left_out, written.readings.len()), (0, 29));
        last = written.readings.iter().map(|(_, at, _)| *at).max().unwrap();
        intake.write(written, last.plus_ms(10)).unwrap();
    }
    intake.settle(last.plus_ms(2_011));
    // It calls itself so; it was asked at 127.0.0.1:19100.
    let known = hosts.known();
    let told: Vec<_> = known.iter().map(|it| (it.name.as_str(), it.seen_at)).collect();
    assert_eq!(told, [("vm", last)]);
    assert_eq!(latest(&hosts, "vm", "mem.memtotal"), Some(f64::from(25_276_510_208_u64 as f32)));
    assert_eq!(latest(&hosts, "vm", "agent.alive"), Some(1.0));
    let modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
    let shares: Vec<f64> = modes.iter().map(|mode| latest(&hosts, "vm", &format!("cpu.{mode}")).unwrap()).collect();
    assert!((shares.iter().sum::<f64>() - 100.0).abs() < 0.01, "{shares:?}");
    assert!(latest(&hosts, "vm", "cpu.forks").unwrap() > 0.0);
    assert_eq!(latest(&hosts, "vm", "net.if.in.bits/iface=eth0"), Some(0.0));
}
