//! What goes wrong in the demo: a fixed cast of machines and ailments, written in the forms real senders use.

/// How a sender writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Five bracketed fields.
    Brackets,
    /// Open-Falcon's line: an empty fourth field, a metric, a step and a time.
    Falcon,
    /// A plain JSON object.
    Json,
    /// A document with a list of alerts.
    Alerts,
}

/// Something that can happen to a machine, and be over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    pub(super) sender: &'static str,
    pub(super) form: Form,
    pub(super) severity: u8,
    pub(super) host: &'static str,
    pub(super) ip: &'static str,
    pub(super) text: &'static str,
    /// For forms that name one.
    pub(super) service: &'static str,
}

const fn t(
    sender: &'static str,
    form: Form,
    severity: u8,
    host: &'static str,
    ip: &'static str,
    text: &'static str,
    service: &'static str,
) -> Trouble {
    Trouble { sender, form, severity, host, ip, text, service }
}

use Form::{Alerts, Brackets, Falcon, Json};

/// The cast.
pub(super) const TROUBLES: &[Trouble] = &[
    t("open-falcon", Falcon, 0, "db-order-01", "10.21.3.7", "mysql.is_alive module=mysql,port=3306 0==0", "mysql"),
    t("open-falcon", Falcon, 1, "db-order-02", "10.21.3.8", "mysql.slave.lag port=3306 812>300", "mysql"),
    t("open-falcon", Falcon, 2, "web-gw-11", "10.21.8.11", "load.1min  21.4>16", "nginx"),
    t("open-falcon", Falcon, 3, "web-gw-12", "10.21.8.12", "cpu.idle  3.2<5", "nginx"),
    t("open-falcon", Falcon, 3, "cache-03", "10.21.4.23", "redis.used_memory.percent port=6379 93.1>90", "redis"),
    t("open-falcon", Falcon, 4, "etl-07", "10.21.9.7", "df.bytes.free.percent mount=/data 8.4<10", "etl"),
    t("open-falcon", Falcon, 5, "etl-09", "10.21.9.9", "net.if.in.dropped iface=eth0 57>50", "etl"),
    t("sms-gateway", Brackets, 0, "db-pay-01", "10.21.3.17", "支付主库不可写 primary is read-only", "mysql"),
    t("sms-gateway", Brackets, 0, "core-sw-02", "10.20.0.2", "uplink Te1/0/49 down, 214 hosts unreachable", "network"),
    t(
        "sms-gateway",
        Brackets,
        1,
        "lb-edge-03",
        "10.20.1.3",
        "证书 3 天后过期 certificate expires in 3 days",
        "network",
    ),
    t("sms-gateway", Brackets, 1, "kvm-host-19", "10.22.0.19", "内存 ECC 错误 uncorrectable memory error", "hardware"),
    t("sms-gateway", Brackets, 2, "kvm-host-21", "10.22.0.21", "RAID degraded, disk 4 missing", "hardware"),
    t("sms-gateway", Brackets, 2, "dns-01", "10.20.0.53", "解析延迟 p99 812 ms", "dns"),
    t("sms-gateway", Brackets, 4, "kvm-host-07", "10.22.0.7", "fan 2 below 1200 rpm", "hardware"),
    t("sms-gateway", Brackets, 6, "backup-01", "10.22.1.5", "nightly backup took 5 h 12 min", "backup"),
    t("prometheus", Alerts, 1, "api-checkout-5", "10.30.2.45", "5xx ratio of checkout above 4 % for 5 min", "checkout"),
    t("prometheus", Alerts, 2, "api-search-2", "10.30.2.12", "p99 latency of search is 2.4 s", "search"),
    t("prometheus", Alerts, 2, "kafka-04", "10.30.4.4", "consumer group billing lags by 1.2 million", "kafka"),
    t("prometheus", Alerts, 3, "node-berlin-08", "10.60.0.8", "filesystem / fills up within 24 hours", "node"),
    t("prometheus", Alerts, 3, "node-berlin-11", "10.60.0.11", "clock is 340 ms off", "node"),
    t("prometheus", Alerts, 4, "api-mail-1", "10.30.2.61", "mail queue holds 4 312 messages", "mail"),
    t("prometheus", Alerts, 5, "node-berlin-14", "10.60.0.14", "reboot required since 9 days", "node"),
    t("shop", Json, 0, "pay-gateway", "10.30.9.1", "支付成功率低于 90% payments succeed at 87 %", "payments"),
    t("shop", Json, 1, "pay-gateway", "10.30.9.1", "refund job failed three times", "payments"),
    t("shop", Json, 2, "order-worker-3", "10.30.9.13", "订单积压 8421 orders waiting", "orders"),
    t("shop", Json, 3, "recommend-1", "10.30.9.31", "model is 26 hours old", "recommend"),
    t("shop", Json, 4, "coupon-1", "10.30.9.41", "coupon pool below 5 %", "coupons"),
    t("shop", Json, 6, "report-1", "10.30.9.51", "daily report is ready", "reports"),
];

impl Trouble {
    /// The body its sender posts, and its type; `again` rises while it lasts.
    pub(super) fn body(&self, over: bool, again: u32) -> (String, &'static str) {
        let Self { host, ip, text, severity, service, .. } = self;
        let status = if over { "OK" } else { "PROBLEM" };
        match self.form {
            Brackets => (format!("[P{severity}][{status}][{host}][{ip}][{text}]"), "text/plain; charset=utf-8"),
            Falcon => {
                let step = if over { 1 } else { again + 1 };
                let line = format!("[P{severity}][{status}][{host}][][ all(#3) {text}][O{step} 2026-11-21 10:00:00]");
                (line, "text/plain; charset=utf-8")
            }
            Json => {
                let body = serde_json::json!({
                    "priority": format!("P{severity}"), "status": status, "host": host, "ip": ip, "message": text,
                    "service": service, "region": "cn-north", "dedup_key": format!("{host}/{service}/{severity}"),
                });
                (body.to_string(), "application/json")
            }
            Alerts => {
                let status = if over { "resolved" } else { "firing" };
                let body = serde_json::json!({
                    "status": status,
                    "alerts": [{
                        "status": status,
                        "labels": { "alertname": text, "instance": host, "severity": format!("P{severity}"),
                                    "job": service, "ip": ip },
                        "annotations": { "summary": text },
                        "fingerprint": format!("{host}-{service}-{severity}"),
                    }],
                });
                (body.to_string(), "application/json")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::normalize::{Source, normalize};
    use shared::{Action, Timestamp, config::Integration};
    use std::collections::BTreeSet;

    #[test]
    fn every_trouble_is_understood_and_its_end_matches_it() {
        let mut identities = BTreeSet::new();
        for trouble in TROUBLES {
            let integration = Integration::undeclared(trouble.sender.into());
            let read = |over, again| {
                let (body, content_type) = trouble.body(over, again);
                let received_at = Timestamp::from_ms(1_795_000_000_000);
                let source = Source {
                    integration: &integration,
                    content_type: Some(content_type),
                    format: None,
                    peer: None,
                    received_at,
                };
                let mut found = normalize(&source, body.as_bytes()).events;
                assert_eq!(found.len(), 1, "{body}");
                found.remove(0).event
            };
            let (begins, lasts, ends) = (read(false, 0), read(false, 4), read(true, 4));
            assert_eq!((begins.action, ends.action), (Action::Trigger, Action::Resolve), "{trouble:?}");
            assert_eq!(begins.severity.rank(), trouble.severity, "{trouble:?}");
            assert_eq!(begins.host.as_deref(), Some(trouble.host), "{trouble:?}");
            assert_eq!(begins.dedup_key, lasts.dedup_key, "{trouble:?}");
            assert_eq!(begins.dedup_key, ends.dedup_key, "{trouble:?}");
            assert!(identities.insert((trouble.sender, begins.dedup_key)), "{trouble:?} is like another one");
        }
        assert!(TROUBLES.len() >= 25);
    }
}
