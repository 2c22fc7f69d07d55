//! Port mirrors: their list, one of them, and the card on an incident's page.

use shared::{
    config::Language,
    mirror::{Direction, Mirror, MirrorState, Verified},
};

shared::messages! {
    title() { en: "Mirrors", zh: "端口镜像" }
    lead() { en: "Traffic that is copied to be looked at: each with an end, and with the proof that it ended.", zh: "为排查而复制的流量：每个镜像都有结束时间，并有已停止的证明。" }
    mirror_n(id: i64) { en: "Mirror {id}", zh: "镜像 {id}" }
    new() { en: "New mirror", zh: "新建镜像" }
    running() { en: "Now", zh: "当前" }
    past() { en: "Past 30 days", zh: "过去 30 天" }
    none_running() { en: "No mirror is running", zh: "当前没有镜像" }
    none_running_lead() { en: "Begin one from an incident's machine in two taps, or describe one here.", zh: "可在事件的机器卡片上两步开始，也可在此新建。" }
    none_past() { en: "There has been none.", zh: "尚无记录。" }
    no_backends() { en: "Nothing can be mirrored yet", zh: "尚无可用的镜像后端" }
    no_backends_lead() { en: "Name a switch in the configuration: [[mirrors.backends]] for an Open vSwitch or a vCenter, and [[mirrors.collectors]] for where copies may go.", zh: "请在配置中添加：[[mirrors.backends]] 指定 Open vSwitch 或 vCenter，[[mirrors.collectors]] 指定允许的采集器。" }
    machine() { en: "machine", zh: "虚拟机" }
    switch() { en: "switch", zh: "交换机" }
    collector() { en: "collector", zh: "采集器" }
    not_chosen() { en: "not chosen yet", zh: "尚未选择" }
    and_more(n: usize) { en: "and {n} more", zh: "及另外 {n} 个" }
    from_vm() { en: "what it sends", zh: "其发出的流量" }
    to_vm() { en: "what it is sent", zh: "其收到的流量" }
    both_ways() { en: "both ways", zh: "双向流量" }
    picture(from: &str, direction: &str, over: &str, to: &str) { en: "{from}, {direction}, over {over}, to {to}", zh: "{from} 的{direction}，经 {over}，到 {to}" }
    only_vlans(vlans: &str) { en: "only VLAN {vlans}", zh: "仅 VLAN {vlans}" }
    cut_to(bytes: u32) { en: "first {bytes} bytes", zh: "仅前 {bytes} 字节" }
    one_of(n: u32) { en: "one packet of {n}", zh: "每 {n} 个包取一" }
    comes_back() { en: "the copies would be copied again", zh: "副本会被再次复制" }
    rspan_in_vlan(vlan: u16) { en: "RSPAN in VLAN {vlan}", zh: "RSPAN，VLAN {vlan}" }
    rspan_out_of_port() { en: "RSPAN, out of a port", zh: "RSPAN，从端口输出" }
    gre_key(key: u32) { en: "GRE, key {key}", zh: "GRE，key {key}" }
    erspan(version: &str, session: u32) { en: "ERSPAN {version}, session {session}", zh: "ERSPAN {version}，会话 {session}" }
    legacy() { en: "legacy, mixed", zh: "旧式混合" }

    planned() { en: "waits for a second person", zh: "等待第二人批准" }
    begins_at(at: &str) { en: "begins at {at}", zh: "{at} 开始" }
    approved() { en: "about to be sent", zh: "即将下发" }
    applying() { en: "being sent", zh: "下发中" }
    applying_again(tries: u32) { en: "being sent, try {tries}", zh: "下发中，第 {tries} 次" }
    applied() { en: "in the switch, not counted yet", zh: "已在交换机中，尚未计数" }
    copies() { en: "copies", zh: "复制中" }
    idle() { en: "idle: nothing to see yet", zh: "空闲：暂无流量" }
    uncounted() { en: "in the switch, which does not count", zh: "已在交换机中（交换机不计数）" }
    drifted() { en: "changed by somebody else", zh: "已被他人更改" }
    disarmed() { en: "its source is gone", zh: "源端口已消失" }
    stopping() { en: "stopping", zh: "停止中" }
    still_there(tries: u32) { en: "still in the switch: asked {tries} times", zh: "仍在交换机中：已请求 {tries} 次" }
    stopped() { en: "gone from the switch", zh: "已从交换机移除" }
    proved() { en: "proved stopped", zh: "已证明停止" }
    failed() { en: "refused by the switch", zh: "被交换机拒绝" }
    dropped() { en: "never begun", zh: "未开始" }

    time_left(left: &str) { en: "{left} left", zh: "剩余 {left}" }
    until(at: &str) { en: "until {at}", zh: "至 {at}" }
    server_ends_it() { en: "no connection: the server ends it all the same", zh: "连接中断：服务器仍会按时结束" }
    by_for(who: &str, incident: &str) { en: "{who} for {incident}", zh: "{who}，{incident}" }
    owner() { en: "Asked for by", zh: "申请人" }
    approved_by() { en: "Approved by", zh: "批准人" }
    incident() { en: "Incident", zh: "事件" }
    reason() { en: "Reason", zh: "原因" }
    when() { en: "From, until", zh: "起止" }
    rate_now() { en: "now", zh: "当前速率" }
    copied() { en: "copied", zh: "已复制" }
    packets(n: &str) { en: "{n} packets", zh: "{n} 个包" }
    peak(rate: &str) { en: "peak {rate}", zh: "峰值 {rate}" }
    extend(minutes: i64) { en: "+{minutes} min", zh: "+{minutes} 分钟" }
    extend_label(id: i64, minutes: i64) { en: "Extend mirror {id} by {minutes} minutes", zh: "镜像 {id} 延长 {minutes} 分钟" }
    extended(at: &str) { en: "It lasts until {at} now", zh: "已延长至 {at}" }
    stop_now() { en: "Stop now", zh: "立即停止" }
    take_back() { en: "Take back", zh: "撤回" }
    stop_label(id: i64) { en: "Stop mirror {id} now", zh: "立即停止镜像 {id}" }
    stop_asked() { en: "It is asked to end; the list says when it is gone", zh: "已请求停止，移除后列表会显示" }
    approve() { en: "Look and approve", zh: "查看并批准" }
    approve_title(id: i64) { en: "Approve mirror {id}?", zh: "批准镜像 {id}？" }
    approve_lead(who: &str) { en: "{who} wants to look at this traffic, and a machine of it is sensitive. What you approve is exactly this plan: another one begins nothing.", zh: "{who} 申请查看该流量，其中有敏感虚拟机。您批准的正是此方案：方案变化则不会执行。" }
    approve_plan(hash: &str) { en: "Approve plan {hash}", zh: "批准方案 {hash}" }
    approve_done(id: i64) { en: "Mirror {id} is approved", zh: "镜像 {id} 已批准" }
    own_request() { en: "somebody else must approve it", zh: "需由他人批准" }

    others() { en: "Found on a switch, not ours", zh: "交换机上的其他会话" }
    others_lead() { en: "Foreign sessions are shown and never touched. Orphans carry a Tocsin's tag that nobody knows any more: they are stopped.", zh: "外部会话仅显示，绝不改动。孤儿会话带有 Tocsin 标记但已无人认领：会被停止。" }
    foreign() { en: "foreign: never touched", zh: "外部会话：绝不改动" }
    orphaned() { en: "orphan: being stopped", zh: "孤儿会话：正在停止" }
    orphan_until(owner: &str, at: &str) { en: "of {owner}, until {at}", zh: "属于 {owner}，至 {at}" }
    session_off() { en: "switched off", zh: "已停用" }
    all_ports() { en: "every port", zh: "所有端口" }
    takes(what: &str) { en: "takes {what}", zh: "源 {what}" }
    sends(what: &str) { en: "sends to {what}", zh: "目的 {what}" }
    backends() { en: "Switches", zh: "交换机后端" }
    answered(ago: &str) { en: "answered {ago} ago", zh: "{ago}前应答" }
    never_answered() { en: "has not answered yet", zh: "尚未应答" }
    not_answering() { en: "does not answer", zh: "无应答" }
    paused() { en: "paused: nothing new is begun", zh: "已暂停：不再开始新的镜像" }
    ports_others(ports: u32, others: usize) { en: "{ports} ports, {others} sessions of others", zh: "{ports} 个端口，{others} 个其他会话" }
    openvswitch() { en: "Open vSwitch", zh: "Open vSwitch" }
    vsphere() { en: "vSphere", zh: "vSphere" }
    dry_run() { en: "dry run: only as if", zh: "演练：不实际执行" }
    panic() { en: "Stop everything", zh: "全部停止" }
    panic_label(name: &str) { en: "Stop every mirror on {name}", zh: "停止 {name} 上的所有镜像" }
    panic_title(name: &str) { en: "Stop every mirror on {name}?", zh: "停止 {name} 上的所有镜像？" }
    panic_lead() { en: "Every session that carries a Tocsin's tag is removed from its switches in one request, also those of another Tocsin. Sessions of others stay as they are. Production traffic is not interrupted.", zh: "一次请求移除该后端所有交换机上带 Tocsin 标记的会话（包括其他 Tocsin 的）。他人的会话保持不变，不影响业务流量。" }
    panic_running(n: usize) { en: "Of ours {n} run there now.", zh: "其中当前运行 {n} 个。" }
    panic_do() { en: "Stop all of them", zh: "全部停止" }
    panicked(n: usize) { en: "Removed from the switch: {n}", zh: "已从交换机移除：{n} 个" }
    watchdog(ago: &str) { en: "The watchdog was heard {ago} ago: it ends what outlives this server.", zh: "看门狗 {ago}前在线：服务器失效时由它结束镜像。" }
    watchdog_late(ago: &str) { en: "The watchdog was last heard {ago} ago: look after it.", zh: "看门狗上次在线是 {ago}前，请检查。" }
    no_watchdog() { en: "No watchdog runs: what outlives this server is stopped when it starts again.", zh: "没有看门狗运行：若服务器失效，遗留的镜像在其重启后停止。" }

    way() { en: "Its way", zh: "进程" }
    stage_planned() { en: "planned", zh: "已计划" }
    stage_approved() { en: "approved", zh: "已批准" }
    stage_applying() { en: "sent", zh: "已下发" }
    stage_applied() { en: "read back", zh: "已读回" }
    stage_active() { en: "verified", zh: "已验证" }
    stage_stopping() { en: "asked to end", zh: "请求停止" }
    stage_stopped() { en: "read back as gone", zh: "读回已移除" }
    stage_proved() { en: "proved stopped", zh: "证明已停止" }
    stage_needs_nobody() { en: "not needed", zh: "无需批准" }
    standing_done() { en: "done", zh: "完成" }
    standing_here() { en: "now", zh: "当前" }
    standing_wrong() { en: "now, and not as planned", zh: "当前，与方案不符" }
    standing_broken() { en: "ended here", zh: "在此终止" }
    standing_to_come() { en: "to come", zh: "未到" }
    standing_skipped() { en: "left out", zh: "跳过" }
    evidence() { en: "Evidence", zh: "证据" }
    evidence_lead() { en: "By the switch's own counters.", zh: "以交换机自身计数为准。" }
    counted_at_start() { en: "at the start", zh: "开始时" }
    counted_last() { en: "at last", zh: "最近" }
    counted_diff() { en: "copied", zh: "已复制" }
    counted_packets() { en: "Packets", zh: "包数" }
    counted_bytes() { en: "Bytes", zh: "字节" }
    counted_source() { en: "Of the source", zh: "源端口" }
    no_counts() { en: "Nothing was counted yet.", zh: "尚无计数。" }
    rate_seen() { en: "Rate since this page was opened", zh: "打开本页以来的速率" }
    tso_hint() { en: "Counts may differ from those in the machine: packets are joined and split on the way (TSO, LRO).", zh: "计数可能与虚拟机内不同：途中会合并或拆分数据包（TSO、LRO）。" }
    steps() { en: "What was done", zh: "执行记录" }
    no_steps() { en: "Nothing yet.", zh: "暂无。" }
    progress() { en: "The switch says", zh: "交换机反馈" }
    trouble() { en: "The last try failed", zh: "上次尝试失败" }
    plan() { en: "Plan", zh: "方案" }
    plan_hash() { en: "hash", zh: "哈希" }
    plan_sent(n: usize) { en: "Exactly what is sent ({n})", zh: "实际下发内容（{n}）" }
    plan_undo(what: &str) { en: "Taken back by: {what}", zh: "撤销方式：{what}" }
    plan_adds() { en: "adds", zh: "新增" }
    plan_changes() { en: "changes", zh: "修改" }
    plan_removes() { en: "removes", zh: "删除" }
    findings() { en: "What the rules say", zh: "规则检查" }
    no_findings() { en: "Nothing speaks against it.", zh: "没有异议。" }
    blocks() { en: "In the way", zh: "阻止项" }
    warns() { en: "To know", zh: "注意项" }
    about() { en: "Who and why", zh: "申请与原因" }
    guide() { en: "At the collector", zh: "在采集器" }
    guide_lead() { en: "The copies arrive inside a tunnel. Look at them as they come, or let Linux take the tunnel off.", zh: "副本封装在隧道中到达。可直接抓取，也可由 Linux 解封装。" }
    guide_tcpdump() { en: "As they arrive", zh: "原样抓取" }
    guide_wireshark() { en: "Wireshark's display filter", zh: "Wireshark 显示过滤器" }
    guide_receiver() { en: "Let Linux take the tunnel off", zh: "由 Linux 解封装" }
    guide_inside() { en: "And look inside", zh: "查看内层流量" }
    not_found() { en: "There is no such mirror.", zh: "没有该镜像。" }

    traffic() { en: "Traffic", zh: "流量" }
    traffic_lead() { en: "Look at what the machine sends and is sent.", zh: "查看该机器收发的流量。" }
    preset(span: &str, to: &str) { en: "Mirror {span} to {to}", zh: "镜像 {span} 到 {to}" }
    preset_of(vm: &str, span: &str, to: &str) { en: "Mirror {vm} {span} to {to}", zh: "镜像 {vm} {span} 到 {to}" }
    preset_says(from: &str, direction: &str, to: &str, at: &str) { en: "Copies of {from} ({direction}) go to {to} until {at}. Then the mirror is removed, and that is checked.", zh: "将 {from} 的{direction}复制到 {to}，至 {at}；到时移除并核实。" }
    preset_looks() { en: "Looking whether that is possible…", zh: "正在检查是否可行…" }
    preset_begin() { en: "Begin now", zh: "立即开始" }
    preset_ask() { en: "Ask for approval", zh: "申请批准" }
    preset_change() { en: "Change it", zh: "修改" }
    preset_begun(id: i64) { en: "Mirror {id} is on its way", zh: "镜像 {id} 已提交" }
    preset_approval(id: i64) { en: "Mirror {id} waits for a second person", zh: "镜像 {id} 等待第二人批准" }
    no_preset_machine() { en: "No source knows its machine, so nothing is offered here.", zh: "没有数据源知道其机器，无法提供快捷镜像。" }
    no_preset_reach() { en: "Its machine is on no switch that can be mirrored, or no collector can be reached from there.", zh: "其机器不在可镜像的交换机上，或无可达的采集器。" }
    none_here() { en: "None runs for this incident.", zh: "该事件没有镜像。" }
    earlier(n: usize) { en: "{n} earlier", zh: "更早 {n} 个" }
}

/// How a mirror stands, in a few words; that it copies and that there is nothing to copy are two things.
pub(crate) fn state(l: Language, mirror: &Mirror) -> String {
    match mirror.state {
        MirrorState::Planned => planned(l),
        MirrorState::Approved => approved(l),
        MirrorState::Applying if mirror.tries > 1 => applying_again(l, mirror.tries),
        MirrorState::Applying => applying(l),
        MirrorState::Applied => applied(l),
        MirrorState::Active => match mirror.verified {
            Some(Verified::Idle { .. }) => idle(l),
            Some(Verified::Uncounted { .. }) => uncounted(l),
            Some(Verified::Counted { .. }) | None => copies(l),
        },
        MirrorState::Drifted => drifted(l),
        MirrorState::Disarmed => disarmed(l),
        MirrorState::Stopping if mirror.tries > 1 => still_there(l, mirror.tries),
        MirrorState::Stopping => stopping(l),
        MirrorState::Stopped => stopped(l),
        MirrorState::ProvedStopped => proved(l),
        MirrorState::Failed => failed(l),
        MirrorState::Dropped => dropped(l),
    }
}

pub(crate) fn direction(l: Language, direction: Direction) -> String {
    match direction {
        Direction::FromVm => from_vm(l),
        Direction::ToVm => to_vm(l),
        Direction::Both => both_ways(l),
    }
}
