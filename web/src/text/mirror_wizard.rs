//! The page on which a port mirror is described.

use crate::mirror::draft::Kind;
use shared::{config::Language, mirror::Needs};

shared::messages! {
    title() { en: "New mirror", zh: "新建端口镜像" }
    lead() { en: "Nothing is sent before you begin. The picture and the rules follow what you type.", zh: "点击开始之前不会下发任何内容。图示与规则检查随输入更新。" }
    type_title() { en: "How the copies travel", zh: "传输方式" }
    source_title() { en: "Whose traffic", zh: "流量来源" }
    destination_title() { en: "Where the copies go", zh: "副本去向" }
    options_title() { en: "How long and how much", zh: "时长与范围" }
    why_title() { en: "Why", zh: "原因" }
    plan_title() { en: "What will be sent", zh: "下发方案" }
    erspan2() { en: "ERSPAN II", zh: "ERSPAN II" }
    erspan2_is() { en: "In a tunnel to an address; most collectors read it.", zh: "经隧道发往 IP 地址，多数采集器支持。" }
    erspan3() { en: "ERSPAN III", zh: "ERSPAN III" }
    erspan3_is() { en: "The same with timestamps.", zh: "同上，带时间戳。" }
    gre() { en: "GRE", zh: "GRE" }
    gre_is() { en: "A plain tunnel that any Linux takes off.", zh: "普通隧道，任何 Linux 均可解封装。" }
    span() { en: "SPAN", zh: "SPAN" }
    span_is() { en: "Out of another port of the same switch.", zh: "从同一交换机的另一端口输出。" }
    rspan_out() { en: "RSPAN out", zh: "RSPAN 源" }
    rspan_out_is() { en: "Into a VLAN of its own, towards a switch elsewhere.", zh: "送入专用 VLAN，发往其他交换机。" }
    rspan_in() { en: "RSPAN in", zh: "RSPAN 目的" }
    rspan_in_is() { en: "From such a VLAN out of a port here.", zh: "从该 VLAN 经本地端口输出。" }
    cannot(what: &str) { en: "The switch cannot do {what}.", zh: "交换机不支持 {what}。" }
    not_here() { en: "This switch cannot do that.", zh: "该交换机不支持。" }
    machines() { en: "Machines", zh: "虚拟机" }
    vlans() { en: "Whole VLANs", zh: "整个 VLAN" }
    kind_of_source() { en: "Source", zh: "来源" }
    find() { en: "Find a machine", zh: "查找虚拟机" }
    find_hint() { en: "Name, IP or MAC, in any notation; Enter looks it up.", zh: "名称、IP 或 MAC，任意写法，回车查询。" }
    look_up() { en: "Look up", zh: "查询" }
    found_none() { en: "No machine is known by that.", zh: "没有匹配的虚拟机。" }
    found_label() { en: "Interfaces that were found", zh: "找到的网卡" }
    picked() { en: "Chosen", zh: "已选择" }
    picked_none() { en: "No interface is chosen yet.", zh: "尚未选择网卡。" }
    take_away(name: &str) { en: "Take {name} away", zh: "移除 {name}" }
    no_mac() { en: "has no interface that is known", zh: "没有已知网卡" }
    vlans_field() { en: "VLANs", zh: "VLAN" }
    vlans_hint() { en: "1 to 4094, apart by commas.", zh: "1 到 4094，用逗号分隔。" }
    switch() { en: "Switch", zh: "交换机" }
    switch_of_source() { en: "that of the source", zh: "来源所在的交换机" }
    direction() { en: "Direction, seen from the machine", zh: "方向（以虚拟机为准）" }
    from_vm() { en: "From it", zh: "发出" }
    to_vm() { en: "To it", zh: "收到" }
    both() { en: "Both", zh: "双向" }
    collectors() { en: "Collectors", zh: "采集器" }
    collectors_none() { en: "No collector takes copies this way. Add one to the configuration, under [[mirrors.collectors]].", zh: "没有支持此方式的采集器，请在配置的 [[mirrors.collectors]] 中添加。" }
    collector_used(n: u32) { en: "{n} send to it now", zh: "当前 {n} 个镜像" }
    collector_not_yours() { en: "not allowed for you", zh: "您无权使用" }
    session() { en: "Session", zh: "会话号" }
    session_hint(free: u32) { en: "Which stream it is at the collector: 0 to 1023. {free} is free.", zh: "采集器用于区分流：0 到 1023。{free} 空闲。" }
    session_hint_none() { en: "Which stream it is at the collector: 0 to 1023.", zh: "采集器用于区分流：0 到 1023。" }
    key() { en: "Key", zh: "Key" }
    nanoseconds() { en: "Timestamps in nanoseconds", zh: "纳秒时间戳" }
    port() { en: "Port", zh: "端口" }
    port_hint() { en: "The copies leave through it; what it carried otherwise may stop.", zh: "副本从该端口输出，其原有流量可能中断。" }
    port_choose() { en: "choose a port", zh: "选择端口" }
    port_of(key: &str, who: &str) { en: "{key} · {who}", zh: "{key} · {who}" }
    port_loading() { en: "asking the switch…", zh: "正在查询交换机…" }
    port_no_switch() { en: "The ports are listed once the switch is known: choose a source or a switch first.", zh: "确定交换机后才能列出端口：请先选择来源或交换机。" }
    kind_vm() { en: "machine", zh: "虚拟机" }
    kind_uplink() { en: "uplink", zh: "上行链路" }
    kind_tunnel() { en: "tunnel", zh: "隧道" }
    kind_host() { en: "host", zh: "宿主机" }
    kind_patch() { en: "patch", zh: "互联" }
    kind_unknown() { en: "unknown", zh: "未知" }
    vlan() { en: "VLAN of the copies", zh: "副本所用 VLAN" }
    vlan_hint() { en: "1 to 4094, used by nothing else.", zh: "1 到 4094，且未被占用。" }
    uplinks() { en: "Uplinks", zh: "上行链路" }
    uplinks_hint() { en: "Apart by spaces; an Open vSwitch needs none.", zh: "用空格分隔；Open vSwitch 无需填写。" }
    strip() { en: "Without the VLAN the packet had of itself", zh: "去除报文原有的 VLAN" }
    keep() { en: "The port goes on taking part in its network", zh: "端口保留正常收发" }
    duration() { en: "Minutes", zh: "时长（分钟）" }
    duration_hint(most: i64) { en: "It ends by itself; {most} at most, extensions included.", zh: "到时自动结束；含延长最多 {most} 分钟。" }
    min(n: i64) { en: "{n} min", zh: "{n} 分钟" }
    snap() { en: "Bytes of each packet", zh: "每包字节数" }
    snap_hint() { en: "All when empty.", zh: "留空为全部。" }
    snap_hint_range(least: u32, most: u32) { en: "{least} to {most}; all when empty.", zh: "{least} 到 {most}，留空为全部。" }
    sampling() { en: "One packet of", zh: "抽样（每 N 包取一）" }
    sampling_hint() { en: "Each when empty.", zh: "留空为每个包。" }
    vlan_filter() { en: "Only these VLANs", zh: "仅限 VLAN" }
    vlan_filter_hint() { en: "All when empty.", zh: "留空为全部。" }
    reason() { en: "Reason", zh: "原因" }
    reason_hint() { en: "Everybody reads it, with the mirror and in the audit log.", zh: "所有人可见，并写入审计日志。" }
    incident() { en: "Incident", zh: "事件" }
    incident_hint() { en: "Its number, such as 1042.", zh: "事件编号，例如 1042。" }
    not_a_number() { en: "That is no number.", zh: "不是数字。" }
    not_numbers() { en: "These are no VLANs: write numbers apart by commas.", zh: "请填写 VLAN 编号，用逗号分隔。" }
    picture() { en: "Picture", zh: "图示" }
    load() { en: "Load", zh: "带宽" }
    load_unknown() { en: "The rate is known once the source is.", zh: "选择来源后显示速率。" }
    load_of(copied: &str, room: &str, percent: u64) { en: "{copied} of {room} free on the way: {percent} %", zh: "占可用 {room} 中的 {copied}：{percent} %" }
    load_room_unknown(copied: &str) { en: "{copied} would be copied; how much its way takes is not known", zh: "将复制 {copied}；链路余量未知" }
    load_marks() { en: "said from 50 %, refused from 80 %", zh: "50 % 起提示，80 % 起拒绝" }
    checking() { en: "checking…", zh: "检查中…" }
    checked(at: &str) { en: "checked at {at}", zh: "检查于 {at}" }
    check_failed() { en: "It could not be checked", zh: "无法检查" }
    switch_silent() { en: "The switch does not answer", zh: "交换机无应答" }
    plan_awaited() { en: "There is a plan once a source and a destination are chosen and nothing is in the way.", zh: "选定来源与去向且无阻止项后生成方案。" }
    ends_at(at: &str) { en: "Until {at}; then it is removed, and that is checked.", zh: "至 {at}；到时移除并核实。" }
    begin() { en: "Begin", zh: "开始" }
    ask_approval() { en: "Ask for approval", zh: "申请批准" }
    needs_approval() { en: "A machine of it is sensitive: a second person must agree to exactly this plan.", zh: "含敏感虚拟机：需第二人批准此方案。" }
    plan_changed() { en: "The plan changed meanwhile: nothing was begun. Look at the new one.", zh: "方案已变化，未执行任何操作。请查看新方案。" }
    may_not() { en: "You may look at what would be sent. To begin one takes the role network operator.", zh: "您可以查看方案；开始镜像需要“网络运维”角色。" }
    offline() { en: "No connection: nothing can be begun now.", zh: "连接中断，暂时无法开始。" }
}

pub(crate) fn kind(l: Language, kind: Kind) -> (String, String) {
    match kind {
        Kind::Erspan2 => (erspan2(l), erspan2_is(l)),
        Kind::Erspan3 => (erspan3(l), erspan3_is(l)),
        Kind::Gre => (gre(l), gre_is(l)),
        Kind::Span => (span(l), span_is(l)),
        Kind::RspanOut => (rspan_out(l), rspan_out_is(l)),
        Kind::RspanIn => (rspan_in(l), rspan_in_is(l)),
    }
}

/// Why something is not offered.
pub(crate) fn why_not(l: Language, what: Needs) -> String {
    let what = match what {
        Needs::Span => span(l),
        Needs::RspanSource => rspan_out(l),
        Needs::RspanDestination => rspan_in(l),
        Needs::Gre => gre(l),
        Needs::Erspan2 => erspan2(l),
        Needs::Erspan3 => erspan3(l),
        // Their field says what they are.
        Needs::VlanSource | Needs::VlanFilter | Needs::Snap | Needs::Sampling | Needs::Netstack => return not_here(l),
    };
    cannot(l, &what)
}
