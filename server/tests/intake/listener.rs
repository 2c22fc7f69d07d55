//! The address at which agents of Open-Falcon speak JSON-RPC.

use super::{
    house::{CONFIG, House},
    latest,
};
use server::{clock, hosts::falcon};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A house that listens where nobody else does, for those of one prefix.
fn house(from: &str) -> (House, SocketAddr) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hosts = format!("[hosts]\nfalcon_listen = \"{free}\"\nfalcon_from = [\"{from}\"]\n");
    let house = House::with(&format!("{CONFIG}{hosts}"), None);
    let (intake, runtime) = (Arc::clone(&house.app.intake), house.app.runtime.clone());
    drop(actix_web::rt::spawn(falcon::listen(intake, runtime)));
    (house, free)
}

async fn connected(address: SocketAddr) -> TcpStream {
    let connect = async {
        loop {
            if let Ok(stream) = TcpStream::connect(address).await {
                return stream;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, connect).await.unwrap()
}

async fn line(stream: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    timeout(PATIENCE, stream.read_line(&mut line)).await.unwrap().unwrap();
    line
}

#[actix_web::test]
async fn an_agent_is_heard_however_its_bytes_arrive() {
    let (house, address) = house("127.0.0.0/8");
    let mut stream = BufReader::new(connected(address).await);
    let call = r#"{"method":"Transfer.Update","params":[[{"metric":"load.1min","endpoint":"db01","value":0.5,"step":10,
        "counterType":"GAUGE","tags":"","timestamp":0}]],"id":0}"#;
    let (first, second) = call.split_at(70);
    stream.write_all(first.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    // The rest, and another call at once.
    let rest = format!("{second}{{\"method\":\"Transfer.Ping\",\"params\":[{{}}],\"id\":1}}\n");
    stream.write_all(rest.as_bytes()).await.unwrap();
    let answer = line(&mut stream).await;
    assert!(
        answer.starts_with("{\"id\":0,\"result\":{\"Message\":\"ok\",\"Total\":1,\"Invalid\":0,\"Latency\":"),
        "{answer}"
    );
    assert!(answer.ends_with("},\"error\":null}\n"), "{answer}");
    assert_eq!(line(&mut stream).await, "{\"id\":1,\"result\":{\"code\":0},\"error\":null}\n");
    house.app.intake.settle(clock::now().plus_ms(2_000));
    assert_eq!(latest(&house.app.hosts, "db01", "load.1min"), Some(0.5));
    // What is no JSON ends the connection.
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(line(&mut stream).await, "");
}

#[actix_web::test]
async fn a_call_that_never_ends_and_a_stranger_are_hung_up_on() {
    let (_house, address) = house("127.0.0.0/8");
    let mut stream = connected(address).await;
    let endless = vec![b'['; 64 << 10];
    let mut said = stream.write_all(b"{\"params\":").await;
    for _ in 0..64 {
        said = said.and(stream.write_all(&endless).await);
    }
    // Two of the four million bytes are read; then it is over, for whoever writes or reads.
    let heard = timeout(PATIENCE, stream.read(&mut [0; 16])).await.unwrap();
    assert!(said.is_err() || heard.is_err() || heard.is_ok_and(|bytes| bytes == 0));
    let (_other, address) = self::house("10.0.0.0/8");
    let mut stream = connected(address).await;
    let said = stream.write_all(b"{\"method\":\"Transfer.Ping\",\"params\":[{}],\"id\":1}").await;
    let heard = timeout(PATIENCE, stream.read(&mut [0; 16])).await.unwrap();
    assert!(said.is_err() || heard.is_err() || heard.is_ok_and(|bytes| bytes == 0), "a stranger is answered");
}
