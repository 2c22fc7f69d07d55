//! Port mirrors as sentences: what happened to one, where it stands, and why it ends. What rules say is in `rules`.

mod rules;

pub use rules::{finding, rule};

use super::{Language, Voice};
use crate::{
    MirrorId, NounKind, Timestamp, messages,
    mirror::{MirrorEnd, MirrorState, Verified},
    timeline::{Actor, MirrorEvent},
};

messages! {
    requested(mirror: &str, of: &str, to: &str, until: &str, reason: &str) { en: "Mirror {mirror} of {of} to {to} asked for, until {until}: {reason}", zh: "申请端口镜像 {mirror}：{of} → {to}，截止 {until}。原因：{reason}" }
    needs_approval(plan: &str) { en: ". A second person must agree to plan {plan} before it begins", zh: "。开始前须由另一人批准方案 {plan}" }
    approved(mirror: &str, plan: &str) { en: "Mirror {mirror}: a second person agreed to plan {plan}", zh: "端口镜像 {mirror}：另一人已批准方案 {plan}" }
    sent(mirror: &str) { en: "Mirror {mirror} is sent to the switch", zh: "端口镜像 {mirror}：正在下发到交换机" }
    sent_again(mirror: &str, tries: u32) { en: "Mirror {mirror} is sent to the switch, try {tries}", zh: "端口镜像 {mirror}：正在下发到交换机，第 {tries} 次" }
    applied(mirror: &str) { en: "Mirror {mirror} is in the switch as planned; whether it copies is being looked at", zh: "端口镜像 {mirror}：已按方案下发，正在确认是否有镜像流量" }
    counted(mirror: &str) { en: "Mirror {mirror} copies: the switch counts copies", zh: "端口镜像 {mirror}：已验证，交换机已统计到镜像报文" }
    idle(mirror: &str) { en: "Mirror {mirror} is idle: nothing was copied, because its source neither sent nor was sent anything", zh: "端口镜像 {mirror}：空闲，源端口暂无收发流量，因此没有镜像报文" }
    uncounted(mirror: &str) { en: "Mirror {mirror} is in the switch and switched on; this switch does not count copies", zh: "端口镜像 {mirror}：会话已启用，但该交换机不统计镜像报文" }
    not_copying(mirror: &str) { en: "Mirror {mirror} is in the switch, and no copy was counted although its source is busy, or cannot tell: look at the switch and the collector", zh: "端口镜像 {mirror}：已下发，但源端口有流量（或无法统计）而未统计到镜像报文，请检查交换机和采集器" }
    disarmed(mirror: &str) { en: "Mirror {mirror} copies nothing: its source is gone from the switch", zh: "端口镜像 {mirror}：源端口已不在该交换机上，不再复制流量" }
    drifted(mirror: &str, what: &str) { en: "Mirror {mirror} was changed in the switch by somebody else: {what}", zh: "端口镜像 {mirror}：会话被他人在交换机上修改：{what}" }
    restored(mirror: &str) { en: "Mirror {mirror} is as planned again", zh: "端口镜像 {mirror}：已恢复为方案所定" }
    extended(mirror: &str, until: &str) { en: "Mirror {mirror} may last until {until} now", zh: "端口镜像 {mirror}：已延长至 {until}" }
    not_extended(mirror: &str, message: &str) { en: "Mirror {mirror}: the switch was not told of the new end yet: {message}", zh: "端口镜像 {mirror}：新的截止时间尚未写入交换机：{message}" }
    ending(mirror: &str, why: &str) { en: "Mirror {mirror} ends: {why}", zh: "端口镜像 {mirror}：正在停止，{why}" }
    not_stopped(mirror: &str, tries: u32, message: &str) { en: "Mirror {mirror} may still be in the switch (asked {tries} times, and asked again): {message}", zh: "端口镜像 {mirror}：可能仍在交换机上（已请求停止 {tries} 次，将继续重试）：{message}" }
    stopped(mirror: &str, packets: u64, bytes: &str) { en: "Mirror {mirror} is gone from the switch; it copied {packets} packets, {bytes}", zh: "端口镜像 {mirror}：已从交换机删除，共复制 {packets} 个报文、{bytes}" }
    proved(mirror: &str) { en: "Mirror {mirror} is proved to be over: no copy was counted in two looks after it was gone", zh: "端口镜像 {mirror}：已确认停止，删除后连续两次检查均无镜像报文" }
    still_counted(mirror: &str) { en: "Mirror {mirror} is gone from the switch, and copies are still counted where they went: look at the switch", zh: "端口镜像 {mirror}：会话已删除，但目的端仍统计到报文，请检查交换机" }
    refused(mirror: &str, message: &str) { en: "The switch refused mirror {mirror} and has nothing of it: {message}", zh: "交换机拒绝端口镜像 {mirror}，未留下任何配置：{message}" }
    dropped(mirror: &str) { en: "Mirror {mirror} is dropped: it was never sent", zh: "端口镜像 {mirror}：已作废，未曾下发" }

    end_asked(who: &str) { en: "{who} ended it", zh: "由 {who} 停止" }
    end_expired() { en: "its time was over", zh: "已到期" }
    end_panic(who: &str) { en: "{who} stopped everything on its switch", zh: "由 {who} 紧急停止该交换机上的全部镜像" }
    end_unanswered() { en: "the switch did not say what came of it, so it is removed to be sure", zh: "交换机未答复下发结果，为安全起见予以删除" }
    end_removed() { en: "it was removed from the switch from outside", zh: "会话已在交换机上被外部删除" }
    end_changed() { en: "it was changed in the switch, and what nobody planned does not go on", zh: "会话在交换机上被修改，未经计划的镜像不再继续" }
    end_refused() { en: "the switch refused it", zh: "交换机拒绝" }
    end_not_approved() { en: "nobody agreed to it in time", zh: "未在期限内获得批准" }
    somebody() { en: "somebody with a link", zh: "持有链接的人员" }
    system() { en: "Tocsin", zh: "Tocsin" }

    planned_state() { en: "waits for approval", zh: "待批准" }
    approved_state() { en: "approved", zh: "已批准" }
    applying_state() { en: "being sent", zh: "下发中" }
    applied_state() { en: "in the switch", zh: "已下发" }
    active_state() { en: "active", zh: "运行中" }
    drifted_state() { en: "changed by others", zh: "被他人修改" }
    disarmed_state() { en: "source gone", zh: "源端口缺失" }
    stopping_state() { en: "stopping", zh: "停止中" }
    stopped_state() { en: "stopped", zh: "已停止" }
    proved_state() { en: "proved stopped", zh: "已确认停止" }
    failed_state() { en: "failed", zh: "失败" }
    dropped_state() { en: "dropped", zh: "已作废" }
}

/// Where a mirror stands, in a word or two.
#[must_use]
pub fn state(l: Language, state: MirrorState) -> String {
    match state {
        MirrorState::Planned => planned_state(l),
        MirrorState::Approved => approved_state(l),
        MirrorState::Applying => applying_state(l),
        MirrorState::Applied => applied_state(l),
        MirrorState::Active => active_state(l),
        MirrorState::Drifted => drifted_state(l),
        MirrorState::Disarmed => disarmed_state(l),
        MirrorState::Stopping => stopping_state(l),
        MirrorState::Stopped => stopped_state(l),
        MirrorState::ProvedStopped => proved_state(l),
        MirrorState::Failed => failed_state(l),
        MirrorState::Dropped => dropped_state(l),
    }
}

/// Why a mirror was asked to end.
#[must_use]
pub fn end(l: Language, why: &MirrorEnd) -> String {
    match why {
        MirrorEnd::Asked { by, .. } => end_asked(l, &who(l, by)),
        MirrorEnd::Expired { .. } => end_expired(l),
        MirrorEnd::Panic { by, .. } => end_panic(l, &who(l, by)),
        MirrorEnd::Unanswered { .. } => end_unanswered(l),
        MirrorEnd::Removed { .. } => end_removed(l),
        MirrorEnd::Changed { .. } => end_changed(l),
        MirrorEnd::Refused { .. } => end_refused(l),
        MirrorEnd::NotApproved { .. } => end_not_approved(l),
    }
}

fn who(l: Language, by: &Actor) -> String {
    match by {
        Actor::Account { login } => login.clone(),
        Actor::Device { login, .. } => login.to_string(),
        Actor::Token { name } => name.clone(),
        Actor::Integration { integration } => integration.to_string(),
        Actor::Link { .. } => somebody(l),
        Actor::System => system(l),
    }
}

/// What happened to a mirror.
pub(super) fn event(voice: &Voice<'_>, mirror: MirrorId, what: &MirrorEvent) -> String {
    let l = voice.l;
    let m = &voice.noun(NounKind::Mirror, &mirror.to_string(), None, None, &format!("#{mirror}"));
    match what {
        MirrorEvent::Requested { of, to, until, needs_approval: needs, plan, reason } => {
            let said = requested(l, m, &of.join(", "), to, &clock(*until), reason);
            if *needs { said + &needs_approval(l, plan) } else { said }
        }
        MirrorEvent::Approved { plan } => approved(l, m, plan),
        MirrorEvent::Sent { tries: 0 | 1 } => sent(l, m),
        MirrorEvent::Sent { tries } => sent_again(l, m, *tries),
        MirrorEvent::Applied => applied(l, m),
        MirrorEvent::Verified { how: Verified::Counted { .. } } => counted(l, m),
        MirrorEvent::Verified { how: Verified::Idle { .. } } => idle(l, m),
        MirrorEvent::Verified { how: Verified::Uncounted { .. } } => uncounted(l, m),
        MirrorEvent::NotCopying => not_copying(l, m),
        MirrorEvent::Disarmed => disarmed(l, m),
        MirrorEvent::Drifted { what } => drifted(l, m, what),
        MirrorEvent::Restored => restored(l, m),
        MirrorEvent::Extended { until } => extended(l, m, &clock(*until)),
        MirrorEvent::NotExtended { message } => not_extended(l, m, message),
        MirrorEvent::Ending { why } => ending(l, m, &end(l, why)),
        MirrorEvent::NotStopped { message, tries } => not_stopped(l, m, *tries, message),
        MirrorEvent::Stopped { packets, bytes } => stopped(l, m, *packets, &size(*bytes)),
        MirrorEvent::ProvedStopped => proved(l, m),
        MirrorEvent::StillCounted => still_counted(l, m),
        MirrorEvent::Refused { message } => refused(l, m, message),
        MirrorEvent::Dropped => dropped(l, m),
    }
}

/// The time of day. Mirrors last hours at most, and whoever reads may be anywhere.
fn clock(at: Timestamp) -> String {
    let minutes = at.ms().div_euclid(60_000).rem_euclid(1_440);
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// How much, in the largest unit that leaves a whole part: `812 B`, `3.4 MB`.
fn size(bytes: u64) -> String {
    scaled(bytes, &["B", "kB", "MB", "GB", "TB", "PB", "EB"])
}

/// How fast: `940 Mbit/s`.
fn rate(bps: u64) -> String {
    scaled(bps, &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s"])
}

/// A number with the unit that fits, in steps of a thousand.
fn scaled(number: u64, units: &[&str]) -> String {
    let (mut whole, mut rest, mut step) = (number, 0, 0);
    while whole >= 1_000 && step + 1 < units.len() {
        (whole, rest, step) = (whole / 1_000, whole % 1_000 / 100, step + 1);
    }
    let unit = units.get(step).copied().unwrap_or_default();
    if step == 0 || whole >= 100 { format!("{whole} {unit}") } else { format!("{whole}.{rest} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Names;

    const AT: Timestamp = Timestamp::from_ms(1_795_357_800_000);

    fn say(l: Language, what: &MirrorEvent) -> String {
        event(&Voice::plainly(l, &Names::new()), MirrorId(12), what)
    }

    fn every_event() -> Vec<MirrorEvent> {
        let by = || Actor::Account { login: "li".into() };
        let message = || "kvm-1 does not answer".to_owned();
        let ends = [
            MirrorEnd::Asked { at: AT, by: by() },
            MirrorEnd::Expired { at: AT },
            MirrorEnd::Panic { at: AT, by: by() },
            MirrorEnd::Unanswered { at: AT },
            MirrorEnd::Removed { at: AT },
            MirrorEnd::Changed { at: AT },
            MirrorEnd::Refused { at: AT },
            MirrorEnd::NotApproved { at: AT },
        ];
        let requested = |needs_approval| MirrorEvent::Requested {
            of: vec!["web01".into(), "web02".into()],
            to: "capture host".into(),
            until: AT,
            needs_approval,
            plan: "3fa9".into(),
            reason: "resets at the gateway".into(),
        };
        let mut all = vec![
            requested(false),
            requested(true),
            MirrorEvent::Approved { plan: "3fa9".into() },
            MirrorEvent::Sent { tries: 1 },
            MirrorEvent::Sent { tries: 2 },
            MirrorEvent::Applied,
            MirrorEvent::Verified { how: Verified::Counted { at: AT } },
            MirrorEvent::Verified { how: Verified::Idle { at: AT } },
            MirrorEvent::Verified { how: Verified::Uncounted { at: AT } },
            MirrorEvent::NotCopying,
            MirrorEvent::Disarmed,
            MirrorEvent::Drifted { what: "output_port is eth9".into() },
            MirrorEvent::Restored,
            MirrorEvent::Extended { until: AT },
            MirrorEvent::NotExtended { message: message() },
            MirrorEvent::NotStopped { message: message(), tries: 3 },
            MirrorEvent::Stopped { packets: 4_200, bytes: 3_456_789 },
            MirrorEvent::ProvedStopped,
            MirrorEvent::StillCounted,
            MirrorEvent::Refused { message: message() },
            MirrorEvent::Dropped,
        ];
        all.extend(ends.map(|why| MirrorEvent::Ending { why }));
        all
    }

    #[test]
    fn every_line_of_a_mirror_is_a_sentence_of_its_own_in_both_languages() {
        let golden = include_str!("mirror/events.golden");
        let lines: Vec<String> =
            every_event().iter().map(|it| format!("{}\n{}\n", say(Language::En, it), say(Language::Zh, it))).collect();
        let (said, mut unique) = (lines.concat(), lines.clone());
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), lines.len(), "two events read the same");
        assert_eq!(said, golden, "shared/src/text/mirror/events.golden holds every line as it was last read through");
    }

    #[test]
    fn every_state_has_words_of_its_own() {
        use MirrorState as S;
        let all = [
            S::Planned,
            S::Approved,
            S::Applying,
            S::Applied,
            S::Active,
            S::Drifted,
            S::Disarmed,
            S::Stopping,
            S::Stopped,
            S::ProvedStopped,
            S::Failed,
            S::Dropped,
        ];
        for l in [Language::En, Language::Zh] {
            let mut words = all.map(|it| state(l, it));
            words.sort();
            assert!(words.windows(2).all(|two| two[0] != two[1]), "{words:?}");
        }
    }

    #[test]
    fn numbers_have_the_unit_that_fits() {
        for (bytes, said) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (3_456_789, "3.4 MB"),
            (812_000_000, "812 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(size(bytes), said);
        }
        assert_eq!(rate(940_000_000), "940 Mbit/s");
        assert_eq!(clock(AT), "14:30 UTC");
        assert_eq!(clock(Timestamp::from_ms(-60_000)), "23:59 UTC");
    }
}
