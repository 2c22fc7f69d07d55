//! The dry run obeys the contract, counts by its clock, and fails as it is told.

use super::contract::{Case, Harness, apply, obeys, remove_own, spec, view};
use server::mirror::{
    Driver as _, Outcome, Picked, Quiet,
    dry_run::{DryRun, Trouble},
};
use shared::{
    Timestamp,
    mirror::{Direction, MirrorSpec, Presence, Transport},
    net::Mac,
};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

const SWITCH: &str = "hv-1/br-prod";

struct Dry {
    driver: DryRun,
    now_ms: Arc<AtomicI64>,
}

fn dry() -> Dry {
    let now_ms = Arc::new(AtomicI64::new(1_000_000));
    let clock = Arc::clone(&now_ms);
    let driver = DryRun::new("dry".into(), Arc::new(move || Timestamp::from_ms(clock.load(Ordering::Relaxed))));
    Dry { driver, now_ms }
}

impl Harness for Dry {
    type Driver = DryRun;

    fn driver(&self) -> &DryRun {
        &self.driver
    }

    fn switch(&self) -> &str {
        SWITCH
    }

    fn machines(&self) -> [Mac; 2] {
        ["52:54:00:d0:01:01", "52:54:00:d0:01:02"].map(|mac| mac.parse().unwrap())
    }

    fn transports(&self) -> [Transport; 2] {
        let erspan = |session| Transport::Erspan {
            version: shared::mirror::Encapsulation::Erspan2,
            remote: "192.0.2.9".parse().unwrap(),
            session,
            cos: None,
            nanoseconds: false,
            netstack: None,
        };
        [Transport::Span { port: "capture0".into() }, erspan(7)]
    }

    fn overask(&self, spec: &mut MirrorSpec) {
        spec.sampling = Some(100);
    }

    fn add_foreign(&mut self) -> String {
        self.driver.add_foreign("theirs", "vnet13");
        "theirs".into()
    }

    fn unplug(&mut self, port: &str) -> bool {
        self.driver.unplug(port);
        true
    }
}

#[tokio::test]
async fn it_obeys_the_contract() {
    obeys(dry()).await;
}

async fn running() -> (Dry, Case) {
    let dry = dry();
    let [mac, _] = dry.machines();
    let [span, _] = dry.transports();
    let case = Case::of(&view(&dry.driver, SWITCH).await, 7, spec(mac, Direction::Both, span));
    (dry, case)
}

#[tokio::test]
async fn it_counts_by_its_clock_and_the_same_each_time() {
    let (dry, case) = running().await;
    assert!(
        matches!(apply(&dry.driver, SWITCH, &case).await, Outcome::Applied(Some(counters)) if counters.packets == 0)
    );
    dry.now_ms.fetch_add(10_000, Ordering::Relaxed);
    let first = dry.driver.read(&case.order()).await.unwrap().counters.unwrap();
    assert_eq!(dry.driver.read(&case.order()).await.unwrap().counters.unwrap(), first);
    assert!(first.packets > 0 && first.bytes > first.packets);
    dry.now_ms.fetch_add(10_000, Ordering::Relaxed);
    let second = dry.driver.read(&case.order()).await.unwrap().counters.unwrap();
    assert_eq!(second.packets, 2 * first.packets);
    assert_eq!(remove_own(&dry.driver, &case).await[0].counters, Some(second));
    assert_eq!(dry.driver.quiet(&case.order()).await.unwrap(), Quiet::Flat);
}

#[tokio::test]
async fn it_fails_as_it_is_told() {
    let (dry, case) = running().await;
    dry.driver.fail(Trouble::Unreachable);
    let fault = dry.driver.look(&[]).await.unwrap_err();
    assert!(fault.message.contains("dry"), "{fault}");
    assert!(dry.driver.remove(None, Picked(&|_| true)).await.is_err());

    dry.driver.fail(Trouble::Refuses);
    assert!(matches!(apply(&dry.driver, SWITCH, &case).await, Outcome::Refused(_)));
    assert_eq!(dry.driver.read(&case.order()).await.unwrap().presence, Presence::Absent);

    dry.driver.fail(Trouble::LosesAnswers);
    assert!(matches!(apply(&dry.driver, SWITCH, &case).await, Outcome::Unknown(_)));
    assert_eq!(dry.driver.read(&case.order()).await.unwrap().presence, Presence::AsPlanned);

    dry.driver.fail(Trouble::KeepsMirrors);
    assert!(dry.driver.remove(None, Picked(&|_| true)).await.is_err());
    assert_eq!(dry.driver.quiet(&case.order()).await.unwrap(), Quiet::Counted);

    dry.driver.fail(Trouble::None);
    assert_eq!(remove_own(&dry.driver, &case).await.len(), 1);
}
