//! What a notice about a silence says.

use super::{Language, PageText, span};
use crate::{ContactId, Digest, Named, Notice, NoticeAbout, Silence, SilenceKind, config::ContactKind};

/// The text of a notice about `silence`; none when what it tells of is not remembered any more.
#[must_use]
pub fn notice_text(language: Language, silence: &Silence, notice: &Notice) -> Option<PageText> {
    let (id, reason) = (silence.id, &silence.reason);
    let name = match (language, silence.kind) {
        (Language::En, SilenceKind::Silence) => format!("Silence {id}"),
        (Language::En, SilenceKind::Maintenance) => format!("Maintenance {id}"),
        (Language::Zh, SilenceKind::Silence) => format!("静默 {id}"),
        (Language::Zh, SilenceKind::Maintenance) => format!("维护 {id}"),
    };
    let conditions = silence.matches.join(", ");
    match notice.about {
        NoticeAbout::EndsSoon { ends_at, firing } => {
            let said_at = notice.sending.as_ref().and_then(|sending| sending.first_sent_at).unwrap_or(notice.at);
            let left = span(language, ends_at.ms_since(said_at));
            let title = match (language, firing) {
                (Language::En, 1) => format!("{name} ends in {left}: 1 incident still fires under it"),
                (Language::En, _) => format!("{name} ends in {left}: {firing} incidents still fire under it"),
                (Language::Zh, _) => format!("{name} 将在 {left}后结束：仍有 {firing} 个事件在告警"),
            };
            let ask = match language {
                Language::En => "Extend it, or let it page.",
                Language::Zh => "请延长，否则到时将通知值班人员。",
            };
            Some(PageText { title, body: format!("{reason}\n{conditions}\n{ask}") })
        }
        NoticeAbout::Over { digest } => {
            let digest = silence.digests.iter().find(|it| it.at == digest)?;
            let sums = digest_sums(language, digest);
            let title = match language {
                Language::En => format!("{name} is over: {sums}"),
                Language::Zh => format!("{name} 已结束：{sums}"),
            };
            let (still, gone) = match language {
                Language::En => ("Still firing when it ended", "Recovered alone"),
                Language::Zh => ("结束时仍在告警", "已自行恢复"),
            };
            let mut body = format!("{reason}\n{conditions}");
            list(&mut body, still, &digest.still, digest.firing);
            list(&mut body, gone, &digest.gone, digest.recovered);
            Some(PageText { title, body })
        }
    }
}

/// What somebody is told whose contact does not work any more.
#[must_use]
pub fn broken_text(language: Language, contact: &ContactId, channel: ContactKind, why: &str) -> PageText {
    let kind = channel.as_str();
    match language {
        Language::En => PageText {
            title: format!("Your contact {contact} ({kind}) does not work"),
            body: format!(
                "{why}\nPages go to your other contacts. Change it in the settings, or send a test page to it."
            ),
        },
        Language::Zh => PageText {
            title: format!("您的联系方式 {contact}（{kind}）已失效"),
            body: format!("{why}\n通知会发往您的其他联系方式。请在设置中修改，或发送一条测试通知。"),
        },
    }
}

/// `5 kept quiet, 3 recovered alone, 2 still firing`.
#[must_use]
pub fn digest_sums(language: Language, digest: &Digest) -> String {
    let Digest { hid, recovered, firing, .. } = digest;
    match language {
        Language::En => format!("{hid} kept quiet, {recovered} recovered alone, {firing} still firing"),
        Language::Zh => format!("屏蔽 {hid} 个，自行恢复 {recovered} 个，仍在告警 {firing} 个"),
    }
}

fn list(body: &mut String, heading: &str, named: &[Named], all: u32) {
    if named.is_empty() {
        return;
    }
    body.push_str(&format!("\n\n{heading}:"));
    for Named { incident, severity, title } in named {
        body.push_str(&format!("\n#{incident} {severity} {title}"));
    }
    if (named.len() as u32) < all {
        body.push_str(&format!("\n… {all}"));
    }
}
