//! Devices that receive pushes, in memory, and the key that pushes are signed with: a page does not wait for the store.
//!
//! What becomes of pushes counts here at once and is noted in the store a moment later. Another server's changes are seen
//! in the rhythm in which tokens are.

mod allowance;
mod proofs;
mod vapid;

pub use proofs::{Proofs, doubt};

use crate::{
    auth::keyring::REFRESH_EVERY_MS,
    db::{Death, Device, DeviceNote, Readers, Store, StoreError, VAPID, device_key},
};
use allowance::Allowance;
use shared::{PersonId, Timestamp, api::PushProvider};
use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};
use vapid::Vapid;

/// Every device of every person.
#[derive(Default)]
pub struct Devices {
    /// None where nothing was opened: web push is not there then.
    vapid: Option<Vapid>,
    held: RwLock<Held>,
    /// What the store does not know yet. Taken before `held`.
    notes: Mutex<BTreeMap<i64, DeviceNote>>,
    /// One at a time: what was written must be in what is read.
    refreshing: Mutex<()>,
    receipts: Mutex<Allowance>,
}

#[derive(Default)]
struct Held {
    turn: Option<String>,
    all: BTreeMap<i64, Arc<Device>>,
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Devices").field("held", &self.with(BTreeMap::len)).finish_non_exhaustive()
    }
}

impl Devices {
    /// Reads the devices and the key; makes the key at the first start. All servers of one database have the same.
    ///
    /// # Errors
    /// When the store does not answer, or what is sealed in it cannot be opened.
    pub fn open(store: &mut Store) -> Result<Self, StoreError> {
        let vapid = Vapid::read(&store.secret_once(VAPID, &Vapid::made())?);
        if vapid.is_none() {
            tracing::error!("the stored key of web push is no key: nothing can be pushed");
        }
        let devices = Self { vapid, ..Self::default() };
        devices.refresh(store)?;
        Ok(devices)
    }

    /// What browsers subscribe with.
    #[must_use]
    pub fn push_key(&self) -> Option<&str> {
        self.vapid.as_ref().map(|vapid| vapid.public.as_str())
    }

    /// The header by which a push service knows whose push this is. `subject` is whom it can write to.
    pub(crate) fn authorization(&self, origin: &str, subject: &str, now: Timestamp) -> Option<String> {
        self.vapid.as_ref()?.header(origin, subject, now)
    }

    /// All devices of a person, by number, those that are dead among them.
    #[must_use]
    pub fn of(&self, person: &PersonId) -> Vec<Arc<Device>> {
        self.with(|all| all.values().filter(|it| it.person == *person).cloned().collect())
    }

    /// Everybody's, by number.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Device>> {
        self.with(|all| all.values().cloned().collect())
    }

    /// Those of a person that something can be pushed to.
    #[must_use]
    pub fn live(&self, person: &PersonId) -> Vec<Arc<Device>> {
        let pushed_to = |it: &Arc<Device>| it.dead_at.is_none() && it.kind != PushProvider::None;
        self.of(person).into_iter().filter(pushed_to).collect()
    }

    /// A device of a person.
    #[must_use]
    pub fn find(&self, id: i64, person: &PersonId) -> Option<Arc<Device>> {
        self.with(|all| all.get(&id).filter(|it| it.person == *person).cloned())
    }

    /// Its push service took a push. `asks` says whether the device is to tell what becomes of it.
    pub(crate) fn took(&self, device: &Device, asks: bool, now: Timestamp) {
        let proofs = if asks { Proofs::sent(now) } else { Proofs::default() };
        // Of a notice there is nearly always nothing to forget, and nothing to write.
        if asks || self.with(|all| all.get(&device.id).is_some_and(|it| it.failures > 0)) {
            self.note(device.id, DeviceNote { took: true, proofs, ..DeviceNote::default() });
        }
    }

    /// Its push service did not take a push.
    pub(crate) fn failed(&self, device: &Device) {
        self.note(device.id, DeviceNote { failures: 1, ..DeviceNote::default() });
    }

    /// Its subscription is gone: nothing is pushed to it any more.
    pub(crate) fn died(&self, device: &Device, why: &str, now: Timestamp) {
        let of = device_key(device.kind, &device.endpoint);
        let death = Death { at: now, why: why.to_owned(), of };
        self.note(device.id, DeviceNote { dead: Some(death), ..DeviceNote::default() });
    }

    /// It showed something, so many milliseconds after it was sent, as far as that is known.
    pub fn shown(&self, id: i64, after_ms: Option<u32>, now: Timestamp) {
        let proofs = after_ms.map(Proofs::shown).unwrap_or_default();
        self.note(id, DeviceNote { shown_at: Some(now), proofs, ..DeviceNote::default() });
    }

    /// Somebody touched what it showed.
    pub fn opened(&self, id: i64, now: Timestamp) {
        self.note(id, DeviceNote { shown_at: Some(now), opened_at: Some(now), ..DeviceNote::default() });
    }

    /// Whether one more receipt is taken from an address; otherwise in how many seconds.
    pub(crate) fn admit_receipt(&self, address: IpAddr, now: Timestamp) -> Result<(), u32> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner).admit(address, now)
    }

    fn note(&self, id: i64, note: DeviceNote) {
        let mut notes = self.notes();
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        // What was removed is not noted: whoever guesses numbers must not fill this up.
        let Some(device) = held.all.get_mut(&id) else { return };
        apply(&note, Arc::make_mut(device));
        drop(held);
        let entry = notes.entry(id).or_default();
        *entry = after(std::mem::take(entry), note);
    }

    /// Writes down what became of pushes, and reads the devices again if any changed; blocks.
    ///
    /// # Errors
    /// When the store does not answer; what is in memory stays in force.
    pub fn refresh(&self, store: &mut Store) -> Result<(), StoreError> {
        let _alone = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = std::mem::take(&mut *self.notes());
        if !pending.is_empty()
            && let Err(error) = store.devices_note(pending.iter().map(|(id, note)| (*id, note)))
        {
            let mut notes = self.notes();
            for (id, older) in pending {
                let newer = notes.remove(&id).unwrap_or_default();
                notes.insert(id, after(older, newer));
            }
            return Err(error);
        }
        // Asked first: what changes in between is read twice.
        let turn = store.devices_turn()?;
        if turn == self.held.read().unwrap_or_else(PoisonError::into_inner).turn {
            return Ok(());
        }
        let mut all: BTreeMap<i64, Arc<Device>> =
            store.devices()?.into_iter().map(|device| (device.id, Arc::new(device))).collect();
        let notes = self.notes();
        for (id, note) in notes.iter() {
            if let Some(device) = all.get_mut(id) {
                apply(note, Arc::make_mut(device));
            }
        }
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Held { turn, all };
        drop(notes);
        Ok(())
    }

    /// The same on a thread that may block; what is known stays in force when it fails.
    pub async fn reload(self: &Arc<Self>, readers: &Arc<Readers>) {
        let devices = Arc::clone(self);
        if let Err(error) = readers.aside(move |store| devices.refresh(store)).await {
            tracing::warn!(%error, "the devices could not be read; those known stay in force");
        }
    }

    fn with<T>(&self, look: impl FnOnce(&BTreeMap<i64, Arc<Device>>) -> T) -> T {
        look(&self.held.read().unwrap_or_else(PoisonError::into_inner).all)
    }

    fn notes(&self) -> MutexGuard<'_, BTreeMap<i64, DeviceNote>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps memory and store alike, for as long as the server runs.
pub async fn keep(devices: Arc<Devices>, readers: Arc<Readers>) {
    loop {
        tokio::time::sleep(Duration::from_millis(REFRESH_EVERY_MS)).await;
        devices.reload(&readers).await;
    }
}

fn apply(note: &DeviceNote, device: &mut Device) {
    device.shown_at = device.shown_at.max(note.shown_at);
    device.opened_at = device.opened_at.max(note.opened_at);
    device.failures = if note.took { 0 } else { device.failures }.saturating_add(note.failures);
    if let Some(death) = note.dead.as_ref().filter(|it| it.of == device_key(device.kind, &device.endpoint)) {
        device.dead_at = Some(death.at);
        device.why = Some(death.why.clone());
    }
    device.proofs = std::mem::take(&mut device.proofs).then(&note.proofs, note.shown_at.is_some());
}

/// Two notes as one.
fn after(older: DeviceNote, newer: DeviceNote) -> DeviceNote {
    DeviceNote {
        shown_at: older.shown_at.max(newer.shown_at),
        opened_at: older.opened_at.max(newer.opened_at),
        took: older.took || newer.took,
        failures: if newer.took { newer.failures } else { older.failures.saturating_add(newer.failures) },
        dead: newer.dead.or(older.dead),
        proofs: older.proofs.then(&newer.proofs, newer.shown_at.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_notes_are_as_good_as_one_after_the_other() {
        let at = |ms| Some(Timestamp::from_ms(ms));
        let failed = DeviceNote { failures: 2, shown_at: at(5), ..DeviceNote::default() };
        let took = DeviceNote { took: true, shown_at: at(3), ..DeviceNote::default() };
        let both = after(failed.clone(), took.clone());
        assert_eq!((both.took, both.failures, both.shown_at), (true, 0, at(5)));
        let both = after(took, failed);
        assert_eq!((both.took, both.failures), (true, 2));
    }
}
