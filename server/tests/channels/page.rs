//! The page that the tests of channels deliver: a P0 about a full disk, for somebody who reads Chinese.

use server::channels::{Address, Delivery};
use shared::{AttemptId, config::Language, placement::Neighbourhood};
use std::sync::Arc;

pub(crate) fn delivery(address: Address) -> Delivery {
    let incident = serde_json::json!({
        "id": 42, "version": 1, "state": "triggered", "severity": "P0", "title": "磁盘满 disk full", "integration": "zabbix",
        "host": "db-7", "ip": "10.1.2.3", "alerts": [9], "firing": 1, "count": 3, "opened_at": 1_700_000_000_000_i64,
        "updated_at": 1_700_000_000_000_i64, "escalations": [], "timeline": 1
    });
    let page = serde_json::json!({
        "id": 5, "recipient": {"person": "li"}, "via": {"kind": "direct"}, "policy": "p", "level": 1, "cycle": 0,
        "created_at": 1_700_000_000_000_i64, "attempts": []
    });
    Delivery {
        key: "page-5-7".into(),
        attempt: AttemptId(7),
        try_number: 1,
        incident: Arc::new(serde_json::from_value(incident).unwrap()),
        page: serde_json::from_value(page).unwrap(),
        language: Language::Zh,
        address,
        ack_url: None,
        base: "https://tocsin.example.org".into(),
        incident_url: "https://tocsin.example.org/incidents/42".into(),
        test: false,
        unrecorded: false,
        others: Vec::new(),
        storm: false,
        near: Some(Neighbourhood { vm: "web01".into(), hypervisor: "esx-07".into(), vms: 15, failing: 1 }),
        reminder: false,
    }
}
