//! Whatever notation an address is written in and whatever stands around it, it is the same address; and no text
//! makes reading it fail.

use proptest::prelude::*;
use shared::net::{Mac, MacPart, What, understand};

fn a_mac() -> impl Strategy<Value = Mac> {
    any::<[u8; 6]>().prop_filter_map("of a machine", |bytes| Mac::checked(bytes).ok())
}

/// An address in each notation.
fn notations(mac: Mac) -> Vec<String> {
    let colons = mac.to_string();
    let bare = colons.replace(':', "");
    let by = |size: usize, separator: &str| {
        let groups: Vec<_> = bare.as_bytes().chunks(size).map(String::from_utf8_lossy).collect();
        groups.join(separator)
    };
    let short = mac.0.map(|byte| format!("{byte:x}")).join(":");
    let wide = colons.replace(':', "：");
    let all = [colons, by(2, "-"), by(4, "."), by(4, "-"), by(6, "-"), short, wide];
    all.iter().cloned().chain(all.iter().map(|text| text.to_uppercase())).collect()
}

proptest! {
    #[test]
    fn every_notation_is_read_back(mac in a_mac()) {
        prop_assert_eq!(serde_json::from_str::<Mac>(&serde_json::to_string(&mac).unwrap()).unwrap(), mac);
        for text in notations(mac) {
            prop_assert_eq!(text.parse(), Ok(mac), "{}", text);
            for around in ["X", "lladdr X REACHABLE", "<mac address='X'/>", "mac=X,", "? (10.1.2.3) at X on en0"] {
                let found = understand(&around.replace('X', &text));
                prop_assert!(found.iter().any(|term| term.what == What::Mac(mac)), "{} in {}: {:?}", text, around, found);
            }
        }
    }

    #[test]
    fn the_beginning_of_an_address_is_part_of_it(mac in a_mac(), groups in 2_usize..6) {
        let whole = mac.to_string();
        let part = MacPart::parse(&whole[..3 * groups]).unwrap();
        prop_assert!(whole.replace(':', "").starts_with(&part.digits));
    }

    #[test]
    fn any_text_is_understood_somehow(text in "[0-9a-fA-F:.\\-/% \\n\\[\\]，：xyz名]{0,80}|\\PC{0,60}") {
        for term in understand(&text) {
            prop_assert!(text.get(term.at.clone()).is_some_and(|part| !part.trim().is_empty()), "{:?}", term);
        }
    }
}
