//! Calendars that others keep.

shared::messages! {
    name(layer: &str, host: &str) { en: "{layer}: a calendar at {host}", zh: "{layer}：{host} 上的日历" }
    copy(events: u32, age: &str) { en: "{events} events, checked {age} ago", zh: "{events} 个日程，{age} 前核对" }
    missing() { en: "It was not fetched yet, so it puts nobody on call.", zh: "尚未获取，因此不安排任何人值班。" }
    nothing() { en: "It has no events, so it puts nobody on call.", zh: "日历为空，因此不安排任何人值班。" }
    over() { en: "It has no shift to come, so it puts nobody on call.", zh: "没有未来的班次，因此不安排任何人值班。" }
    old() { en: "Nobody could look at it for more than a day; its last good copy counts.", zh: "已超过一天无法获取，以最后一次成功的副本为准。" }
    failed(why: &str) { en: "The last try failed: {why}.", zh: "最近一次获取失败：{why}。" }
    stranger(name: &str, event: &str) { en: "“{name}” in the event “{event}” is nobody here, and is not on call.", zh: "日程“{event}”中的“{name}”不是此处的人员，不会值班。" }
    shared(name: &str, event: &str) { en: "“{name}” in the event “{event}” is the name of several people: write an id. Nobody is on call for it.", zh: "日程“{event}”中的“{name}”有重名，请写人员 ID；目前无人因此值班。" }
    nameless(event: &str) { en: "The event “{event}” names nobody.", zh: "日程“{event}”没有写明人员。" }
    fetch() { en: "Fetch now", zh: "立即获取" }
}
