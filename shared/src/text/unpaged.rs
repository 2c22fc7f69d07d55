//! Why an alert of a replay paged nobody, in words.

use super::Language;
use crate::{api::Unpaged, messages};

messages! {
    rejected() { en: "the message was not understood", zh: "消息无法识别" }
    stale() { en: "its own time is more than a day ago", zh: "自带时间早于一天之前" }
    unmatched() { en: "a recovery of nothing that was open", zh: "没有对应告警的恢复" }
    overtaken() { en: "newer messages about the same overtook it", zh: "被同一告警的较新消息超过" }
    no_route() { en: "no route took it", zh: "没有路由匹配" }
    quiet() { en: "it was kept quiet on purpose", zh: "被静默、维护或抑制" }
    held() { en: "it recovered while its route held it", zh: "在路由的等待时间内恢复" }
    waited() { en: "it recovered while its pages waited", zh: "在通知等待期间恢复" }
    not_meant() { en: "its policies run no level for it", zh: "策略没有适用的级别" }
    nobody() { en: "its levels came to nobody", zh: "各级别均无人可通知" }
    waiting() { en: "its pages still waited at the end", zh: "到结束时通知仍在等待" }
}

/// The reason, without a full stop.
#[must_use]
pub fn unpaged(l: Language, why: Unpaged) -> String {
    match why {
        Unpaged::Rejected => rejected(l),
        Unpaged::Stale => stale(l),
        Unpaged::UnmatchedRecovery => unmatched(l),
        Unpaged::Overtaken => overtaken(l),
        Unpaged::NoRoute => no_route(l),
        Unpaged::KeptQuiet => quiet(l),
        Unpaged::Held => held(l),
        Unpaged::Waited => waited(l),
        Unpaged::NotMeant => not_meant(l),
        Unpaged::NobodyReached => nobody(l),
        Unpaged::StillWaiting => waiting(l),
    }
}
