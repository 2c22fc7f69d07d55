//! Slows down guessing of passwords, per account and per address, without ever locking anybody out for good.
//!
//! A few tries are free. Then one try is admitted at a time, ever further apart, up to a minute; old tries are
//! forgotten as the window slides. A person who has signed in from an address before is judged there by a budget
//! of their own, so that a stranger who hammers an account at 3 a.m. does not keep its owner out.
//! Pure: takes `now`, holds a bounded number of keys, decides nothing else.

use shared::Timestamp;
use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
};

/// Tries older than this do not count.
const WINDOW_MS: i64 = 15 * 60_000;
/// Tries of one account that cost no waiting.
const FREE_ACCOUNT: usize = 5;
/// Tries from one address that cost no waiting: an office shares one.
const FREE_ADDRESS: usize = 30;
/// The longest wait between two tries.
const LONGEST_WAIT_MS: i64 = 60_000;
/// More tries than these make no difference to the wait, so they are not kept.
const KEPT_BEYOND_FREE: usize = 7;
/// Of each kind; the one least recently used makes room.
const MOST_KEYS: usize = 10_000;
/// Longer logins share a key with those that begin alike.
const MOST_LOGIN_CHARS: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Account(String),
    Address(IpAddr),
    Familiar(String, IpAddr),
}

impl Key {
    const fn free(&self) -> usize {
        match self {
            Self::Account(_) | Self::Familiar(..) => FREE_ACCOUNT,
            Self::Address(_) => FREE_ADDRESS,
        }
    }
}

/// Who tried lately, and who is known where.
#[derive(Debug, Default)]
pub struct Throttle {
    tries: BTreeMap<Key, VecDeque<Timestamp>>,
    familiar: BTreeMap<(String, IpAddr), Timestamp>,
}

impl Throttle {
    /// Asks for one try. `Ok` counts it as failed at once, so that parallel tries cannot slip through together;
    /// [`Self::succeeded`] takes it back. `Err` is how many seconds to wait; it is not held against anybody.
    pub fn admit(&mut self, account: &str, address: IpAddr, now: Timestamp) -> Result<(), u32> {
        let keys = self.keys(account, address);
        let wait_ms = keys.iter().map(|key| self.wait_ms(key, now)).max().unwrap_or(0);
        if wait_ms > 0 {
            return Err(u32::try_from((wait_ms + 999) / 1_000).unwrap_or(u32::MAX));
        }
        for key in keys {
            self.count(key, now);
        }
        Ok(())
    }

    /// The admitted try was the right password: forgives the account, and remembers where it came from.
    pub fn succeeded(&mut self, account: &str, address: IpAddr, now: Timestamp) {
        let [account_key, address_key] = self.keys(account, address);
        self.tries.remove(&account_key);
        // The address is given back one try only, or one good account would buy endless guesses at others.
        if let Some(tries) = self.tries.get_mut(&address_key) {
            tries.pop_back();
        }
        make_room(&mut self.familiar, |_, at| *at);
        self.familiar.insert((fold(account), network(address)), now);
    }

    fn keys(&self, account: &str, address: IpAddr) -> [Key; 2] {
        let (account, address) = (fold(account), network(address));
        let first = if self.familiar.contains_key(&(account.clone(), address)) {
            Key::Familiar(account, address)
        } else {
            Key::Account(account)
        };
        [first, Key::Address(address)]
    }

    fn wait_ms(&self, key: &Key, now: Timestamp) -> i64 {
        let Some(tries) = self.tries.get(key) else { return 0 };
        let recent = tries.iter().filter(|at| counts(**at, now)).count();
        let Some(over) = recent.checked_sub(key.free()) else { return 0 };
        let gap = 1_000_i64.checked_shl(u32::try_from(over).unwrap_or(u32::MAX)).unwrap_or(LONGEST_WAIT_MS);
        let since = tries.back().map_or(i64::MAX, |last| now.ms_since(*last));
        gap.clamp(1_000, LONGEST_WAIT_MS).saturating_sub(since).max(0)
    }

    fn count(&mut self, key: Key, now: Timestamp) {
        let most = key.free() + KEPT_BEYOND_FREE;
        if !self.tries.contains_key(&key) {
            if self.tries.len() >= MOST_KEYS {
                self.tries.retain(|_, tries| tries.back().is_some_and(|last| counts(*last, now)));
            }
            make_room(&mut self.tries, |_, tries| tries.back().copied().unwrap_or_default());
        }
        let tries = self.tries.entry(key).or_default();
        tries.retain(|at| counts(*at, now));
        tries.push_back(now);
        while tries.len() > most {
            tries.pop_front();
        }
    }
}

/// Tries in the future are left over from a clock that was set back: they would never end.
fn counts(at: Timestamp, now: Timestamp) -> bool {
    (0..WINDOW_MS).contains(&now.ms_since(at))
}

/// Case does not make another account, nor does space around it.
fn fold(account: &str) -> String {
    account.trim().chars().take(MOST_LOGIN_CHARS).flat_map(char::to_lowercase).collect()
}

/// Who has one IPv6 address has the whole /64 to try from.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & (u128::MAX << 64)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Drops the oldest entry of a full map.
fn make_room<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, age: impl Fn(&K, &V) -> Timestamp) {
    if map.len() < MOST_KEYS {
        return;
    }
    if let Some(oldest) = map.iter().min_by_key(|(key, value)| age(key, value)).map(|(key, _)| key.clone()) {
        map.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn ip(n: u32) -> IpAddr {
        IpAddr::V4((0x0900_0000 + n).into())
    }

    /// Tries every second for `seconds` from fresh addresses; how many were admitted.
    fn hammer(throttle: &mut Throttle, account: &str, from: Timestamp, seconds: i64) -> usize {
        (0..seconds)
            .filter(|s| {
                let address = ip(u32::try_from(*s).unwrap());
                throttle.admit(account, address, from.plus_ms(s * 1_000)).is_ok()
            })
            .count()
    }

    #[test]
    fn five_tries_are_free_then_the_wait_doubles_to_a_minute() {
        let mut throttle = Throttle::default();
        let mut now = T0;
        for _ in 0..5 {
            assert_eq!(throttle.admit("li", ip(1), now), Ok(()));
        }
        for wait in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            assert_eq!(throttle.admit("li", ip(1), now), Err(wait));
            now = now.plus_ms(i64::from(wait) * 1_000);
            assert_eq!(throttle.admit("li", ip(1), now), Ok(()), "after {wait} s");
        }
        now = now.plus_ms(WINDOW_MS);
        assert_eq!(throttle.admit("li", ip(1), now), Ok(()), "the window has slid on");
        assert_eq!(throttle.admit("li", ip(1), now), Ok(()));
    }

    #[test]
    fn case_and_space_do_not_make_another_account() {
        let mut throttle = Throttle::default();
        for name in ["li.wei", "LI.WEI", "Li.Wei ", " li.WEI", "lI.wEI"] {
            assert_eq!(throttle.admit(name, ip(1), T0), Ok(()));
        }
        assert_eq!(throttle.admit("Li.wei", ip(2), T0), Err(1), "another address does not help");
        assert_eq!(throttle.admit("wang", ip(2), T0), Ok(()));
    }

    #[test]
    fn one_address_guessing_at_many_accounts_is_slowed_and_v6_counts_by_network() {
        let mut throttle = Throttle::default();
        let addresses: Vec<IpAddr> = ["2001:db8::1", "2001:db8::ffff"].map(|a| a.parse().unwrap()).to_vec();
        for n in 0..FREE_ADDRESS {
            assert_eq!(throttle.admit(&format!("user{n}"), addresses[n % 2], T0), Ok(()));
        }
        assert_eq!(throttle.admit("another", addresses[0], T0), Err(1));
        assert_eq!(throttle.admit("another", "2001:db8:0:1::1".parse().unwrap(), T0), Ok(()));
        assert_eq!(network("::ffff:9.9.9.9".parse().unwrap()), network("9.9.9.9".parse().unwrap()));
    }

    #[test]
    fn guessing_goes_at_a_minute_a_try_and_nobody_is_locked_out() {
        let mut throttle = Throttle::default();
        let admitted = hammer(&mut throttle, "li", T0, 3_600);
        assert!((60..100).contains(&admitted), "{admitted} guesses in an hour");
        assert!(throttle.admit("li", ip(9_999), T0.plus_ms(3_600_000 + LONGEST_WAIT_MS)).is_ok());
    }

    #[test]
    fn the_owner_gets_in_from_a_familiar_address_while_others_hammer() {
        let mut throttle = Throttle::default();
        let home = ip(77_777);
        throttle.admit("li", home, T0).unwrap();
        throttle.succeeded("li", home, T0);
        hammer(&mut throttle, "li", T0, 600);
        let now = T0.plus_ms(600_000);
        assert!(throttle.admit("li", ip(88_888), now).is_err());
        for _ in 0..5 {
            assert_eq!(throttle.admit("li", home, now), Ok(()));
        }
        assert_eq!(throttle.admit("li", home, now), Err(1), "and has a budget of their own there");
    }

    #[test]
    fn success_forgives_the_account_but_the_address_only_one_try() {
        let mut throttle = Throttle::default();
        for _ in 0..5 {
            throttle.admit("li", ip(1), T0).unwrap();
        }
        throttle.succeeded("li", ip(1), T0);
        assert_eq!(throttle.admit("li", ip(2), T0), Ok(()));
        assert_eq!(throttle.tries[&Key::Address(ip(1))].len(), 4);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_and_memory_is_bounded() {
        let mut throttle = Throttle::default();
        for n in 0..u32::try_from(MOST_KEYS).unwrap() {
            let now = T0.plus_ms(i64::from(n));
            throttle.admit(&format!("user{n}"), ip(n), now).unwrap();
            throttle.succeeded(&format!("user{n}"), ip(n), now);
        }
        hammer(&mut throttle, "li", T0, 60);
        assert!(throttle.tries.len() <= MOST_KEYS && throttle.familiar.len() <= MOST_KEYS);
        assert_eq!(throttle.admit("li", ip(5), T0.plus_ms(-3_600_000)), Ok(()));
        let most = throttle.tries.values().map(VecDeque::len).max().unwrap();
        assert!(most <= FREE_ADDRESS + KEPT_BEYOND_FREE);
    }
}
