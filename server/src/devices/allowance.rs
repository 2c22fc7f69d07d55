//! How many receipts are taken from one address: an office full of phones in a storm, but not a flood.
//!
//! Pure: takes `now`, holds a bounded number of addresses.

use crate::auth::throttle::network;
use shared::Timestamp;
use std::{collections::BTreeMap, net::IpAddr};

/// At once.
const BURST: i64 = 600;
/// One more after so long.
const EVERY_MS: i64 = 100;
const MOST_ADDRESSES: usize = 10_000;

/// When each address has everything back.
#[derive(Debug, Default)]
pub(super) struct Allowance(BTreeMap<IpAddr, Timestamp>);

impl Allowance {
    /// Takes one; says otherwise in how many seconds there is one again.
    pub(super) fn admit(&mut self, address: IpAddr, now: Timestamp) -> Result<(), u32> {
        let address = network(address);
        if !self.0.contains_key(&address) && self.0.len() >= MOST_ADDRESSES {
            self.0.retain(|_, whole_at| *whole_at > now);
            if self.0.len() >= MOST_ADDRESSES {
                return Err(1);
            }
        }
        let whole_at = self.0.entry(address).or_insert(now);
        // A clock that was set back must not lock anybody out.
        let used_ms = whole_at.ms_since(now).clamp(0, BURST * EVERY_MS);
        if used_ms > (BURST - 1) * EVERY_MS {
            return Err(1);
        }
        *whole_at = now.plus_ms(used_ms + EVERY_MS);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_ends_and_comes_back_slowly_and_others_are_not_hurt() {
        let (mut allowance, now) = (Allowance::default(), Timestamp::from_ms(1_000_000));
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let taken = (0..1_000).filter(|_| allowance.admit(one, now).is_ok()).count();
        assert_eq!(taken as i64, BURST);
        assert_eq!((allowance.admit(one, now), allowance.admit(other, now)), (Err(1), Ok(())));
        let later = now.plus_ms(1_000);
        assert_eq!((0..100).filter(|_| allowance.admit(one, later).is_ok()).count(), 10);
        assert_eq!(allowance.admit(one, Timestamp::from_ms(0)), Err(1));
        assert_eq!(allowance.admit(one, now.plus_ms(120_000)), Ok(()));
    }
}
