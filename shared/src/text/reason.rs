//! Why a message was not understood, in words.

use super::Language;
use crate::{messages, timeline::RejectReason};

messages! {
    empty() { en: "The body is empty.", zh: "消息内容为空。" }
    json(detail: &str) { en: "The body is declared as JSON and is not: {detail}.", zh: "声明为 JSON，但无法解析：{detail}。" }
    deep(limit: u32) { en: "The JSON is nested deeper than {limit} levels; flatten it.", zh: "JSON 嵌套超过 {limit} 层，请减少层级。" }
    object(found: &str) { en: "The JSON is {found}; send an object or an array of objects.", zh: "JSON 为 {found}；请发送对象或对象数组。" }
    many(found: u64, limit: u32) { en: "The request has {found} members and at most {limit} are taken; split it.", zh: "请求含 {found} 条，最多接收 {limit} 条，请拆分。" }
    event(faults: &str) { en: "The event lacks something: {faults}.", zh: "事件不完整：{faults}。" }
    content(detail: &str) { en: "The form has no field that is read ({detail}).", zh: "表单没有可识别的字段（{detail}）。" }
}

/// One sentence for whoever sent it.
#[must_use]
pub fn reject_reason(l: Language, reason: &RejectReason) -> String {
    match reason {
        RejectReason::Empty => empty(l),
        RejectReason::BadJson { detail } => json(l, detail.trim_end_matches('.')),
        RejectReason::TooDeep { limit } => deep(l, *limit),
        RejectReason::NotAnObject { found } => object(l, found),
        RejectReason::TooMany { limit, found } => many(l, *found, *limit),
        RejectReason::NoContent { detail } => content(l, detail),
        RejectReason::BadEvent { faults } => event(l, &faults.join("; ")),
    }
}
