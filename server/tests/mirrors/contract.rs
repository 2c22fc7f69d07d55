//! What every driver must do, written once: each test of a driver gives a [`Harness`] and calls [`obeys`].

use server::mirror::{Driver, Order, Outcome, Picked};
use shared::{
    MirrorId, Timestamp,
    mirror::{
        Direction, MIRROR_MARK, MirrorSource, MirrorSpec, MirrorTag, Observed, Plan, Presence, REVISION_MARK,
        SwitchView, Transport,
    },
    net::Mac,
};
use std::collections::BTreeSet;

/// A driver with a switch that is the test's alone.
pub(crate) trait Harness {
    type Driver: Driver;

    fn driver(&self) -> &Self::Driver;

    /// The switch that the machines are on.
    fn switch(&self) -> &str;

    /// Two machines of it.
    fn machines(&self) -> [Mac; 2];

    /// How copies may go: twice, so that the two disturb each other in nothing.
    fn transports(&self) -> [Transport; 2];

    /// Changes a specification so that the switch cannot do it.
    fn overask(&self, spec: &mut MirrorSpec);

    /// Makes a session that is nobody's of ours, and gives its name.
    fn add_foreign(&mut self) -> String;

    /// Takes the port of a machine away, and says whether that can be done here.
    fn unplug(&mut self, port: &str) -> bool;
}

/// When the mirrors of these tests end, unless a test says otherwise.
const EXPIRES: Timestamp = Timestamp::from_ms(4_000_000_000_000);
/// Of the Tocsin of these tests.
pub(crate) const INSTANCE: &str = "ab12";

/// A mirror as it is given to a driver.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) spec: MirrorSpec,
    pub(crate) sources: Vec<(Mac, String)>,
    pub(crate) tag: MirrorTag,
}

impl Case {
    /// What a specification becomes on a switch.
    pub(crate) fn of(view: &SwitchView, number: i64, spec: MirrorSpec) -> Self {
        let port = |mac: &Mac| view.ports.iter().find(|port| port.mac == Some(*mac)).unwrap().key.clone();
        let sources = match &spec.source {
            MirrorSource::Nics { macs } => macs.iter().map(|mac| (*mac, port(mac))).collect(),
            MirrorSource::Vlans { .. } => Vec::new(),
        };
        let expires_at = spec.expires_at.unwrap_or(EXPIRES);
        let tag = MirrorTag {
            mirror: MirrorId(number),
            instance: INSTANCE.into(),
            owner: "ada".into(),
            expires_at,
            plan: "0123456789ab".into(),
        };
        let spec = MirrorSpec {
            backend: Some(view.backend.clone()),
            switch: Some(view.switch.clone()),
            expires_at: Some(expires_at),
            ..spec
        };
        Self { spec, sources, tag }
    }

    pub(crate) const fn order(&self) -> Order<'_> {
        Order { spec: &self.spec, sources: self.sources.as_slice(), tag: &self.tag }
    }

    /// As it is planned: before there is a number or a hash.
    fn draft(&self) -> Self {
        Self { tag: MirrorTag { mirror: MirrorId(0), plan: String::new(), ..self.tag.clone() }, ..self.clone() }
    }
}

pub(crate) fn spec(mac: Mac, direction: Direction, transport: Transport) -> MirrorSpec {
    MirrorSpec { source: MirrorSource::Nics { macs: vec![mac] }, direction, transport, ..MirrorSpec::default() }
}

pub(crate) async fn view<D: Driver>(driver: &D, switch: &str) -> SwitchView {
    driver.look(&[]).await.unwrap().into_iter().find(|view| view.switch == switch).unwrap()
}

/// Plans as before an approval, and sends.
pub(crate) async fn apply<D: Driver>(driver: &D, switch: &str, case: &Case) -> Outcome {
    let plan = plan(driver, &view(driver, switch).await, case);
    driver.apply(&case.order(), &plan).await
}

fn plan<D: Driver>(driver: &D, view: &SwitchView, case: &Case) -> Plan {
    driver.plan(&case.draft().order(), view).unwrap()
}

fn tagged(view: &SwitchView, case: &Case) -> Vec<Observed> {
    let is_its = |tag: &MirrorTag| tag.mirror == case.tag.mirror && tag.instance == case.tag.instance;
    view.sessions.iter().filter(|session| session.tag.as_ref().is_some_and(is_its)).cloned().collect()
}

pub(crate) async fn remove_own<D: Driver>(driver: &D, case: &Case) -> Vec<server::mirror::Removed> {
    let own = |tag: &MirrorTag| tag.mirror == case.tag.mirror && tag.instance == INSTANCE;
    driver.remove(None, Picked(&own)).await.unwrap()
}

/// The whole contract, on one switch that is left as it was found but for what [`Harness::unplug`] takes away.
pub(crate) async fn obeys<H: Harness>(mut harness: H) {
    what_is_there_is_seen(&harness).await;
    a_plan_is_pure_and_stable(&harness).await;
    a_mirror_comes_is_read_extended_and_goes(&harness).await;
    sending_twice_is_sending_once(&harness).await;
    what_is_gone_is_removed_without_a_fault(&harness).await;
    only_what_is_picked_goes(&harness).await;
    a_plan_for_another_state_is_refused(&harness).await;
    what_the_switch_cannot_do_is_not_planned(&harness).await;
    what_is_foreign_stays(&mut harness).await;
    a_source_that_is_gone_is_said(&mut harness).await;
}

async fn what_is_there_is_seen<H: Harness>(harness: &H) {
    let view = view(harness.driver(), harness.switch()).await;
    let found: BTreeSet<Mac> = view.ports.iter().filter_map(|port| port.mac).collect();
    assert!(harness.machines().iter().all(|mac| found.contains(mac)), "{found:?}");
    assert!(!view.revision.is_empty() && !view.version.is_empty());
    assert!(view.sessions.iter().all(|session| session.tag.is_none()), "{:?}", view.sessions);
}

/// The first and the second mirror of a harness.
async fn cases<H: Harness>(harness: &H) -> [Case; 2] {
    let view = view(harness.driver(), harness.switch()).await;
    let mut number = 0;
    let specs: Vec<MirrorSpec> = harness
        .machines()
        .into_iter()
        .zip(harness.transports())
        .map(|(mac, transport)| spec(mac, Direction::FromVm, transport))
        .collect();
    <[MirrorSpec; 2]>::try_from(specs).unwrap().map(|spec| {
        number += 1;
        Case::of(&view, number, spec)
    })
}

async fn a_plan_is_pure_and_stable<H: Harness>(harness: &H) {
    let driver = harness.driver();
    let [case, _] = cases(harness).await;
    let before = view(driver, harness.switch()).await;
    let planned = plan(driver, &before, &case);
    let after = view(driver, harness.switch()).await;
    assert_eq!(before.sessions.len(), after.sessions.len());
    assert_eq!(plan(driver, &after, &case), planned);
    // Neither its number nor its hash is known when somebody agrees to it.
    assert_eq!(driver.plan(&case.order(), &after).unwrap(), planned);
    assert_eq!((planned.hash.as_str(), &planned.revision), ("", &after.revision));
    assert_eq!(planned.sources, case.sources);
    let sent: String = planned.steps.iter().map(|step| step.sent.as_str()).collect();
    assert!(sent.contains(MIRROR_MARK) && sent.contains(REVISION_MARK), "{sent}");
    assert!(planned.steps.iter().all(|step| !step.changes.is_empty() && !step.undo.is_empty()), "{planned:?}");
}

async fn a_mirror_comes_is_read_extended_and_goes<H: Harness>(harness: &H) {
    let driver = harness.driver();
    let [mut case, _] = cases(harness).await;
    assert_eq!(driver.read(&case.order()).await.unwrap().presence, Presence::Absent);
    let outcome = apply(driver, harness.switch(), &case).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(driver.read(&case.order()).await.unwrap().presence, Presence::AsPlanned);
    let seen = tagged(&view(driver, harness.switch()).await, &case);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!((seen[0].name.as_str(), seen[0].tag.as_ref()), (case.tag.name().as_str(), Some(&case.tag)));
    assert_eq!(
        (seen[0].from_vm.as_slice(), seen[0].to_vm.as_slice()),
        ([case.sources[0].1.clone()].as_slice(), &[][..])
    );

    case.tag.expires_at = EXPIRES.plus_ms(60_000);
    driver.retag(&case.order()).await.unwrap();
    let seen = tagged(&view(driver, harness.switch()).await, &case);
    assert_eq!(seen[0].tag.as_ref(), Some(&case.tag));
    assert_eq!(driver.read(&case.order()).await.unwrap().presence, Presence::AsPlanned);

    let removed = remove_own(driver, &case).await;
    assert_eq!(removed.len(), 1, "{removed:?}");
    assert_eq!((removed[0].mirror, removed[0].tag.as_ref()), (case.tag.mirror, Some(&case.tag)));
    assert_eq!(driver.read(&case.order()).await.unwrap().presence, Presence::Absent);
    assert_eq!(tagged(&view(driver, harness.switch()).await, &case), []);
    assert!(driver.quiet(&case.order()).await.is_ok());
    let gone = driver.retag(&case.order()).await.unwrap_err();
    assert!(gone.message.contains(&case.tag.name()), "{gone}");
}

async fn sending_twice_is_sending_once<H: Harness>(harness: &H) {
    let driver = harness.driver();
    let [case, _] = cases(harness).await;
    let plan = plan(driver, &view(driver, harness.switch()).await, &case);
    for _ in 0..2 {
        let outcome = driver.apply(&case.order(), &plan).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    }
    assert_eq!(tagged(&view(driver, harness.switch()).await, &case).len(), 1);
    remove_own(driver, &case).await;
}

async fn what_is_gone_is_removed_without_a_fault<H: Harness>(harness: &H) {
    let [case, _] = cases(harness).await;
    assert_eq!(remove_own(harness.driver(), &case).await, []);
}

async fn only_what_is_picked_goes<H: Harness>(harness: &H) {
    let driver = harness.driver();
    let [mut first, second] = cases(harness).await;
    (first.spec.expires_at, first.tag.expires_at) = (Some(Timestamp::from_ms(1)), Timestamp::from_ms(1));
    for case in [&first, &second] {
        let outcome = apply(driver, harness.switch(), case).await;
        assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    }
    let elsewhere = driver.remove(Some("no-such/switch"), Picked(&|_| true)).await.unwrap();
    assert_eq!(elsewhere, []);
    let is_over = |tag: &MirrorTag| tag.expires_at <= Timestamp::from_ms(2);
    let removed = driver.remove(Some(harness.switch()), Picked(&is_over)).await.unwrap();
    assert_eq!(removed.iter().map(|it| it.mirror).collect::<Vec<_>>(), [first.tag.mirror]);
    assert_eq!(driver.read(&first.order()).await.unwrap().presence, Presence::Absent);
    assert_eq!(driver.read(&second.order()).await.unwrap().presence, Presence::AsPlanned);
    assert_eq!(remove_own(driver, &second).await.len(), 1);
}

async fn a_plan_for_another_state_is_refused<H: Harness>(harness: &H) {
    let driver = harness.driver();
    let [first, second] = cases(harness).await;
    let old = plan(driver, &view(driver, harness.switch()).await, &first);
    let outcome = apply(driver, harness.switch(), &second).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    let outcome = driver.apply(&first.order(), &old).await;
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    assert_eq!(driver.read(&first.order()).await.unwrap().presence, Presence::Absent);
    remove_own(driver, &second).await;
}

async fn what_the_switch_cannot_do_is_not_planned<H: Harness>(harness: &H) {
    let driver = harness.driver();
    let [mut case, _] = cases(harness).await;
    let view = view(driver, harness.switch()).await;
    assert!(driver.plan(&case.draft().order(), &view).is_ok());
    harness.overask(&mut case.spec);
    let why = driver.plan(&case.draft().order(), &view).unwrap_err();
    assert!(!why.is_empty());
}

async fn what_is_foreign_stays<H: Harness>(harness: &mut H) {
    let foreign = harness.add_foreign();
    let driver = harness.driver();
    let named = |view: &SwitchView| view.sessions.iter().find(|it| it.name == foreign).cloned();
    let before = named(&view(driver, harness.switch()).await).unwrap();
    assert_eq!(before.tag, None);
    let [case, _] = cases(harness).await;
    let outcome = apply(driver, harness.switch(), &case).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    assert_eq!(driver.remove(None, Picked(&|_| true)).await.unwrap().len(), 1);
    let after = named(&view(driver, harness.switch()).await).unwrap();
    let outline = |it: &Observed| (it.key.clone(), it.from_vm.clone(), it.to_vm.clone(), it.ports.clone());
    assert_eq!(outline(&after), outline(&before));
}

async fn a_source_that_is_gone_is_said<H: Harness>(harness: &mut H) {
    let [case, _] = cases(harness).await;
    let outcome = apply(harness.driver(), harness.switch(), &case).await;
    assert!(matches!(outcome, Outcome::Applied(_)), "{outcome:?}");
    if harness.unplug(&case.sources[0].1) {
        assert_eq!(harness.driver().read(&case.order()).await.unwrap().presence, Presence::SourceGone);
    }
    assert_eq!(remove_own(harness.driver(), &case).await.len(), 1);
}
