//! Proof of delivery: what became of a message after its provider took it.

use crate::{Failure, SharedStr, Timestamp};
use serde::{Deserialize, Serialize};

/// What somebody else says became of a message: a carrier, a browser, an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum DeliveryReceipt {
    /// It is on the phone; or the call was answered, by a person or by a machine.
    Delivered,
    /// It stands on a screen.
    Shown,
    /// Somebody tapped it, or pressed a key.
    Opened,
    /// Somebody put it away, and so has seen it.
    Dismissed,
    /// It will not arrive after all: the phone is off, the number is wrong, nobody answered the call.
    Failed { failure: Failure },
}

impl DeliveryReceipt {
    /// Whether a person can have noticed it.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        matches!(self, Self::Shown | Self::Opened | Self::Dismissed)
    }
}

/// What is known of a message beyond that its provider took it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The provider's own id of the message, if it gave one.
    pub provider_id: Option<SharedStr>,
    pub delivered_at: Option<Timestamp>,
    pub shown_at: Option<Timestamp>,
    /// Somebody touched it.
    pub seen_at: Option<Timestamp>,
    /// What showed it first, by the name its owner gave it.
    pub device: Option<SharedStr>,
}

impl Proof {
    /// Whether it was on a screen.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        self.shown_at.is_some() || self.seen_at.is_some()
    }

    /// Takes a receipt down; gives whether it says anything new.
    pub fn add(&mut self, receipt: &DeliveryReceipt, device: Option<&SharedStr>, now: Timestamp) -> bool {
        let place = match receipt {
            DeliveryReceipt::Delivered => &mut self.delivered_at,
            DeliveryReceipt::Shown => &mut self.shown_at,
            DeliveryReceipt::Opened | DeliveryReceipt::Dismissed => &mut self.seen_at,
            DeliveryReceipt::Failed { .. } => return false,
        };
        let new = place.is_none();
        place.get_or_insert(now);
        if receipt.is_shown() && self.device.is_none() {
            self.device = device.cloned();
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_kind_counts() {
        let (mut proof, at) = (Proof::default(), Timestamp::from_ms);
        assert!(proof.add(&DeliveryReceipt::Delivered, None, at(1)) && !proof.is_shown());
        assert!(proof.add(&DeliveryReceipt::Shown, Some(&"Pixel".into()), at(2)) && proof.is_shown());
        assert!(!proof.add(&DeliveryReceipt::Shown, Some(&"iPad".into()), at(3)));
        assert!(
            proof.add(&DeliveryReceipt::Dismissed, None, at(4)) && !proof.add(&DeliveryReceipt::Opened, None, at(5))
        );
        assert_eq!((proof.shown_at, proof.seen_at, proof.device.as_deref()), (Some(at(2)), Some(at(4)), Some("Pixel")));
    }
}
