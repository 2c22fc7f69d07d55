//! The words senders use for a state and for a severity.

use shared::{Action, Severity};

const RESOLVED: [&str; 24] = [
    "ok",
    "okay",
    "recovery",
    "recovered",
    "recover",
    "resolved",
    "resolve",
    "up",
    "close",
    "closed",
    "normal",
    "clear",
    "cleared",
    "green",
    "healthy",
    "inactive",
    "恢复",
    "已恢复",
    "恢复正常",
    "正常",
    "已解决",
    "解决",
    "关闭",
    "已关闭",
];

const FIRING: [&str; 37] = [
    "problem",
    "firing",
    "fire",
    "trigger",
    "triggered",
    "alert",
    "alerting",
    "alarm",
    "down",
    "open",
    "opened",
    "active",
    "new",
    "create",
    "created",
    "fail",
    "failed",
    "failure",
    "error",
    "critical",
    "warning",
    "unreachable",
    "unknown",
    "no_data",
    "nodata",
    "bad",
    "red",
    "info",
    "告警",
    "报警",
    "故障",
    "异常",
    "问题",
    "警告",
    "严重",
    "紧急",
    "触发",
];

const SEVERITIES: [(&str, Severity); 40] = [
    ("page", Severity::P0),
    ("fatal", Severity::P0),
    ("emergency", Severity::P0),
    ("emerg", Severity::P0),
    ("disaster", Severity::P0),
    ("security", Severity::P0),
    ("紧急", Severity::P0),
    ("critical", Severity::P1),
    ("crit", Severity::P1),
    ("alert", Severity::P1),
    ("down", Severity::P1),
    ("s1", Severity::P1),
    ("严重", Severity::P1),
    ("error", Severity::P2),
    ("err", Severity::P2),
    ("major", Severity::P2),
    ("high", Severity::P2),
    ("average", Severity::P2),
    ("unreachable", Severity::P2),
    ("s2", Severity::P2),
    ("重要", Severity::P2),
    ("warning", Severity::P3),
    ("warn", Severity::P3),
    ("minor", Severity::P3),
    ("medium", Severity::P3),
    ("s3", Severity::P3),
    ("警告", Severity::P3),
    ("次要", Severity::P3),
    ("info", Severity::P4),
    ("informational", Severity::P4),
    ("information", Severity::P4),
    ("notice", Severity::P4),
    ("none", Severity::P4),
    ("low", Severity::P4),
    ("indeterminate", Severity::P4),
    ("提示", Severity::P4),
    ("通知", Severity::P4),
    ("debug", Severity::P5),
    ("trace", Severity::P5),
    ("调试", Severity::P5),
];

/// What a status word asks for; `None` when nobody knows the word.
pub(super) fn action(word: &str) -> Option<Action> {
    let word = word.trim();
    let is = |known: &[&str]| known.iter().any(|entry| entry.eq_ignore_ascii_case(word));
    // The two words every bracket message carries, without the search.
    if word == "PROBLEM" || is(&FIRING) {
        Some(Action::Trigger)
    } else if is(&RESOLVED) {
        Some(Action::Resolve)
    } else {
        None
    }
}

/// A severity named by a word of the table in the design (not by `P0`).
pub(super) fn severity(word: &str) -> Option<Severity> {
    let word = word.trim();
    SEVERITIES.iter().find(|(entry, _)| entry.eq_ignore_ascii_case(word)).map(|(_, severity)| *severity)
}

/// `P0` to `P99`: the severity, and whether it had to be clamped to P6.
pub(super) fn level(text: &str) -> Option<(Severity, bool)> {
    rank(text.trim().strip_prefix(['P', 'p', 'Ｐ', 'ｐ'])?)
}

/// One or two digits as a severity rank.
pub(super) fn rank(digits: &str) -> Option<(Severity, bool)> {
    let mut number = 0;
    let mut count = 0;
    for c in digits.chars() {
        let digit = match c {
            '0'..='9' => u32::from(c) - u32::from('0'),
            '０'..='９' => u32::from(c) - u32::from('０'),
            _ => return None,
        };
        number = number * 10 + digit;
        count += 1;
        if count > 2 {
            return None;
        }
    }
    (count > 0).then(|| (Severity::from_rank(u64::from(number)), number > 6))
}
