//! What the rules of mirrors say: what is the matter, why it matters, and how to mend it.

use super::rate;
use crate::{
    messages,
    mirror::{About, AddressKind, MirrorFinding, Needs, PortKind, Rule},
    text::{Language, span},
};

messages! {
    expiry() { en: "It ends", zh: "有效期" }
    source_known() { en: "Source is known", zh: "源接口明确" }
    same_session() { en: "Source is not the destination", zh: "源与目的不同" }
    destination_taken() { en: "Destination is free", zh: "目的未被占用" }
    promiscuous() { en: "No promiscuous port", zh: "无混杂模式端口" }
    ephemeral() { en: "Destination keeps its port", zh: "目的端口固定" }
    destination_marked() { en: "Destination is a collector", zh: "目的为采集器" }
    source_kind() { en: "Source is a machine", zh: "源为虚拟机" }
    loops() { en: "No loop", zh: "无环路" }
    collector_allowed() { en: "Collector is allowed", zh: "采集器允许使用" }
    tunnel_fields() { en: "Tunnel's fields", zh: "隧道参数" }
    rspan_vlan() { en: "VLANs", zh: "VLAN" }
    snap() { en: "Length of copies", zh: "报文截断" }
    sampling() { en: "Sampling", zh: "采样" }
    capability() { en: "Switch can do it", zh: "交换机支持" }
    quota() { en: "Not too many", zh: "数量限制" }
    same_hypervisor() { en: "One hypervisor", zh: "同一宿主机" }
    bandwidth() { en: "Copies fit", zh: "带宽" }
    mtu() { en: "Packets fit", zh: "MTU" }
    accountable() { en: "Reason and approval", zh: "原因与批准" }
    revalidation() { en: "Running traffic", zh: "已有流量" }
    unsettled() { en: "Machine is settled", zh: "虚拟机稳定" }
    clocks() { en: "Clocks agree", zh: "时钟一致" }

    no_expiry() { en: "It has no end, and a mirror that nobody ends goes on for ever: say when it is to end", zh: "未设置截止时间，无人停止的镜像会一直存在：请设置截止时间" }
    expiry_past() { en: "It would end before it begins: choose a later end", zh: "截止时间早于开始时间：请选择更晚的截止时间" }
    expiry_late(longest: &str) { en: "It would last longer than {longest}, the longest that is allowed: choose an earlier end, and extend it while it runs if needed", zh: "持续时间超过允许的最长 {longest}：请提前截止时间，需要时可在运行中延长" }
    start_late(latest: &str) { en: "It would begin more than {latest} from now, when the machine may be elsewhere: begin it earlier", zh: "开始时间在 {latest}之后，届时虚拟机可能已迁移：请提前开始" }
    no_source() { en: "Nothing is to be copied yet: choose a machine's interface, or a VLAN", zh: "尚未选择镜像源：请选择虚拟机的网络接口或 VLAN" }
    too_many_sources(most: u32) { en: "More than {most} sources: choose those that matter, or begin a second mirror", zh: "镜像源超过 {most} 个：请只保留需要的，或另建一个镜像" }
    source_unknown(mac: &str) { en: "No source knows a machine with {mac}: check the address, and whether the machine's source answers", zh: "没有数据源认识 MAC 为 {mac} 的虚拟机：请核对地址，并检查数据源是否正常" }
    source_ambiguous(mac: &str, vms: &str) { en: "{mac} is the address of several machines ({vms}), and the wrong one might be copied: give one of them another address", zh: "多台虚拟机使用 MAC {mac}（{vms}），可能镜像到错误的一台：请修改其中一台的 MAC" }
    source_old(mac: &str, age: &str, most: &str) { en: "Where {mac} is was last seen {age} ago, and it may have moved since ({most} is allowed): wait until its source answers again", zh: "{mac} 的位置信息是 {age}前的，虚拟机可能已迁移（最多允许 {most}）：请等待数据源恢复应答" }
    source_unplugged(mac: &str, vm: &str) { en: "{vm} ({mac}) is at no port of the switch: connect its interface, or choose another one", zh: "{vm}（{mac}）未连接到该交换机的任何端口：请连接其网卡，或选择其他接口" }
    source_elsewhere(mac: &str, switch: &str) { en: "{mac} is on another switch ({switch}), and a mirror is on one switch only: begin a second mirror for it", zh: "{mac} 位于另一台交换机（{switch}），一个镜像只能在一台交换机上：请为其另建镜像" }
    source_twice(mac: &str) { en: "{mac} is listed twice: remove one", zh: "{mac} 重复：请删除一个" }
    port_of_another(mac: &str, port: &str) { en: "Port {port} belongs to another machine by now, no longer to {mac}: wait until its source was asked again", zh: "端口 {port} 现已属于其他虚拟机，不再是 {mac}：请等待数据源更新" }
    own_destination(port: &str) { en: "Port {port} is a source of this mirror, and switches refuse it as its destination: choose another port", zh: "端口 {port} 是本镜像的源，不能同时作为目的：请选择其他端口" }
    own_vlan(vlan: u16) { en: "VLAN {vlan} is a source of this mirror, so the copies in it would be copied again: choose another VLAN for them", zh: "VLAN {vlan} 是本镜像的源，镜像报文会被再次复制：请为镜像流量选择其他 VLAN" }
    destination_of(port: &str, session: &str) { en: "Port {port} is the destination of {session}, and copies of both would be mixed: choose another port, or end that one first", zh: "端口 {port} 已是会话 {session} 的目的端口，两路镜像会混在一起：请选择其他端口，或先停止该会话" }
    source_of(port: &str, session: &str) { en: "What is sent to port {port} is copied by {session}, so copies would be copied again: choose another port, or end that one first", zh: "会话 {session} 正在镜像发往端口 {port} 的流量，镜像报文会被再次复制：请选择其他端口，或先停止该会话" }
    vlan_of(vlan: u16, session: &str) { en: "The copies of {session} go into VLAN {vlan} already, and would be mixed with these: choose another VLAN", zh: "会话 {session} 的镜像流量已使用 VLAN {vlan}，会与本镜像混在一起：请选择其他 VLAN" }
    promiscuous_port(port: &str) { en: "Port {port} is promiscuous, which switches refuse here; Tocsin never changes that: choose another port, or have promiscuous mode switched off", zh: "端口 {port} 启用了混杂模式，交换机不允许；Tocsin 不会修改该设置：请选择其他端口，或由管理员关闭混杂模式" }
    ephemeral_group(port: &str, group: &str) { en: "Port {port} is of the ephemeral port group {group}, whose ports vanish with their machines: use a port group with static binding", zh: "端口 {port} 属于临时绑定的端口组 {group}，端口会随虚拟机消失：请使用静态绑定的端口组" }
    not_a_collector(port: &str) { en: "Port {port} is not marked as a collector's, and whoever is there would lose its own traffic: choose a collector, or add the port to [[mirrors.collectors]]", zh: "端口 {port} 未登记为采集器，占用后其正常流量会中断：请选择采集器，或将该端口加入 [[mirrors.collectors]]" }
    not_a_collector_vm(port: &str, vm: &str) { en: "Port {port} is {vm}'s and not marked as a collector's, and {vm} would lose its own traffic: choose a collector, or add the port to [[mirrors.collectors]]", zh: "端口 {port} 属于 {vm}，未登记为采集器，占用后 {vm} 的正常流量会中断：请选择采集器，或将该端口加入 [[mirrors.collectors]]" }
    normal_traffic(port: &str) { en: "Port {port} cannot go on taking part in its network while copies come out of it: leave `keep_normal_traffic` out", zh: "端口 {port} 输出镜像流量时不能继续正常通信：请取消“保留正常流量”" }
    no_port() { en: "The port where the copies come out is not chosen yet: choose a collector", zh: "尚未选择镜像目的端口：请选择采集器" }
    no_such_port(port: &str) { en: "The switch has no port {port} (whole names count): choose one from its list", zh: "交换机没有端口 {port}（须完全一致）：请从列表中选择" }
    not_a_machine(port: &str, kind: &str) { en: "Port {port} is {kind}: its copies would be copied again, which brings the whole switch down; choose the ports of machines", zh: "端口 {port} 是{kind}，镜像报文会被再次复制并可能使交换机崩溃：请选择虚拟机端口" }
    leaves_through_source(remote: &str, port: &str) { en: "The way to {remote} leaves through port {port}, which is a source: copies would be copied again without end; choose another collector, or a source that is not on its way", zh: "到 {remote} 的路径经过源端口 {port}，镜像报文会被无限复制：请选择其他采集器或其他源" }
    leaves_through_switch(remote: &str) { en: "The way to {remote} leaves through the switch whose VLANs are copied, which brings it down: mirror the ports of single machines, or choose a collector on another network", zh: "到 {remote} 的路径经过被镜像 VLAN 所在的交换机，会使其崩溃：请改为镜像单台虚拟机的端口，或选择其他网络的采集器" }
    route_unknown(remote: &str) { en: "Nobody knows through which port the switch reaches {remote}, so a loop cannot be ruled out: give the backend its `control` socket, or make sure that the way is not mirrored", zh: "无法得知交换机经哪个端口到达 {remote}，不能排除环路：请为后端配置 `control` 套接字，或确认该路径未被镜像" }
    no_route(remote: &str) { en: "The switch's host has no way to {remote}, so no copy would arrive: add a route there, or choose another collector", zh: "交换机所在主机没有到 {remote} 的路由，镜像报文无法送达：请添加路由，或选择其他采集器" }
    own_address(remote: &str, vm: &str) { en: "{remote} is the address of {vm}, whose traffic is to be copied: copies would be copied again; choose another collector", zh: "{remote} 是被镜像虚拟机 {vm} 自己的地址，镜像报文会被再次复制：请选择其他采集器" }
    collector_unknown(remote: &str) { en: "{remote} is no collector, and copies may only go to collectors: choose one, or add it to [[mirrors.collectors]]", zh: "{remote} 不是采集器，镜像流量只能发往采集器：请选择采集器，或将其加入 [[mirrors.collectors]]" }
    no_remote() { en: "Where the copies go is not said yet: choose a collector", zh: "尚未选择镜像目的地址：请选择采集器" }
    never_there(remote: &str, kind: &str) { en: "{remote} is {kind}, and copies never go there: choose the collector's own address", zh: "{remote} 是{kind}，镜像流量不会发往该地址：请填写采集器自己的地址" }
    public_address(remote: &str) { en: "{remote} is of the Internet, where others could read the copies: choose a collector inside, or say `public = true` of this one", zh: "{remote} 是公网地址，镜像内容可能被他人读取：请选择内网采集器，或为其设置 `public = true`" }
    not_yours(collector: &str) { en: "You may not send to {collector}: choose another collector, or have your account added to its `accounts`", zh: "您无权使用采集器 {collector}：请选择其他采集器，或请管理员将您的账号加入其 `accounts`" }
    vlan_no_collectors(vlan: u16) { en: "No collector takes VLAN {vlan}, so nobody knows who would read the copies: choose a collector's VLAN, or add one to [[mirrors.collectors]]", zh: "没有采集器使用 VLAN {vlan}，无法确定谁会收到镜像流量：请选择采集器的 VLAN，或将其加入 [[mirrors.collectors]]" }
    session_large(session: u32) { en: "Session {session} is larger than 1023; switches cut it off without a word: choose 0 to 1023", zh: "会话号 {session} 超过 1023，交换机会静默截断：请使用 0 到 1023" }
    session_taken(session: u32, by: &str) { en: "Session {session} at this collector is that of {by}, and their copies could not be told apart: choose another number", zh: "该采集器上的会话号 {session} 已被 {by} 使用，两路镜像无法区分：请更换会话号" }
    cos_large(cos: u8) { en: "Class of service {cos} does not exist: choose 0 to 7", zh: "服务等级 {cos} 不存在：请使用 0 到 7" }
    nanoseconds_need() { en: "Timestamps in nanoseconds are in ERSPAN III only: choose that, or leave them out", zh: "纳秒时间戳仅 ERSPAN III 支持：请改用 ERSPAN III，或取消该选项" }
    netstack_empty() { en: "The network stack has no name: name one, or leave it out for the management's", zh: "网络堆栈名称为空：请填写名称，或留空以使用管理网络堆栈" }
    vlan_range(vlan: u16) { en: "{vlan} is no VLAN: choose 1 to 4094", zh: "{vlan} 不是有效的 VLAN：请使用 1 到 4094" }
    vlan_reserved(vlan: u16) { en: "VLAN {vlan} is reserved, for management or storage perhaps, and mirrors leave it alone: choose another one", zh: "VLAN {vlan} 为保留 VLAN（如管理、存储网络），镜像不得使用：请选择其他 VLAN" }
    vlan_used(vlan: u16, port: &str) { en: "VLAN {vlan} is that of port {port}: copies in it would spoil what switches have learned; choose a VLAN of its own for RSPAN", zh: "VLAN {vlan} 正被端口 {port} 使用，镜像流量会破坏交换机的 MAC 表：请为 RSPAN 使用专用 VLAN" }
    no_uplink() { en: "No uplink is named, and a distributed switch asks for one: name the uplinks that carry the VLAN", zh: "未指定上行链路，分布式交换机要求指定：请填写承载该 VLAN 的上行链路" }
    snap_range(least: u32, most: u32) { en: "This switch copies {least} to {most} bytes of a packet: choose a length between", zh: "该交换机可复制每个报文的 {least} 到 {most} 字节：请在此范围内选择" }
    snap_in_tunnel() { en: "Open vSwitch would cut the tunnel's own packets, and nothing could be read of them: copy whole packets, or use SPAN", zh: "Open vSwitch 会截断隧道报文本身，采集器无法解析：请复制完整报文，或改用 SPAN" }
    sampling_range() { en: "One packet of 1 to 65535 can be copied: choose a number between", zh: "采样率须为每 1 到 65535 个报文复制一个：请在此范围内选择" }
    cannot(what: &str, version: &str) { en: "This switch (version {version}) cannot do {what}, and nothing is left out quietly: choose another way, or leave it out", zh: "该交换机（版本 {version}）不支持{what}，系统不会静默忽略：请换一种方式，或取消该选项" }
    source_and_transport() { en: "Machines' ports are mirrored by SPAN, RSPAN out or a tunnel; VLANs as the end of RSPAN, and elsewhere only where the switch can: choose the one that fits", zh: "虚拟机端口适用于 SPAN、RSPAN 源或隧道；VLAN 适用于 RSPAN 目的，其他方式须交换机支持：请选择匹配的组合" }
    legacy() { en: "Such sessions are of the time before vSphere 5.1 and only shown: choose SPAN, RSPAN or ERSPAN", zh: "此类会话为 vSphere 5.1 之前的旧类型，仅供查看：请选择 SPAN、RSPAN 或 ERSPAN" }
    switch_unknown() { en: "The switch is not known, or does not answer: name a backend and switch, and look at how the backend stands", zh: "交换机未知或无应答：请指定后端和交换机，并检查后端状态" }
    paused(backend: &str) { en: "Nothing new is begun on {backend}, which is paused in the configuration: wait, or ask whoever paused it", zh: "后端 {backend} 已在配置中暂停，不再新建镜像：请等待，或联系管理员" }
    many_on_switch(most: u32) { en: "The switch has {most} sessions already, and one more would copy nothing: end one first", zh: "该交换机已有 {most} 个会话，再增加将不会复制任何流量：请先停止一个" }
    many_of_person(most: u32) { en: "You have {most} mirrors already, as many as are allowed at once: end one first", zh: "您已有 {most} 个镜像，达到同时允许的上限：请先停止一个" }
    many_at_collector(collector: &str, most: u32) { en: "{collector} takes {most} mirrors at once and has as many: end one first, or choose another collector", zh: "采集器 {collector} 最多同时接收 {most} 个镜像，已满：请先停止一个，或选择其他采集器" }
    other_hypervisor(source: &str, destination: &str) { en: "The source is on {source} and the destination on {destination}, and SPAN does not leave a hypervisor: use ERSPAN, or a collector on {source}", zh: "源在 {source}，目的在 {destination}，SPAN 不能跨宿主机：请使用 ERSPAN，或使用 {source} 上的采集器" }
    hypervisor_unknown(port: &str) { en: "Which hypervisor port {port} is on is not known, and SPAN does not leave one: use ERSPAN, or wait until it is known", zh: "端口 {port} 所在的宿主机未知，SPAN 不能跨宿主机：请使用 ERSPAN，或等待信息更新" }
    too_much(copied: &str, percent: u32, room: &str) { en: "Copies of {copied} would take {percent} % of the {room} that their way has free, at the cost of other traffic: choose one direction, fewer sources or sampling", zh: "镜像流量约 {copied}，将占用路径剩余带宽 {room} 的 {percent}%，影响正常业务：请只镜像一个方向、减少源或启用采样" }
    rate_unknown() { en: "How much would be copied, or how much its way takes, is not counted anywhere: watch the rate while it runs", zh: "无法估算镜像流量或路径带宽：请在运行中关注速率" }
    too_long_tunnel(mtu: u32, added: u32) { en: "The tunnel adds {added} bytes to each packet, and its way takes {mtu}: the largest packets are cut into pieces or lost; raise the MTU on the way and say so of the collector", zh: "隧道会给每个报文增加 {added} 字节，而路径 MTU 为 {mtu}，大报文会被分片或丢弃：请增大路径 MTU，并在采集器配置中注明" }
    too_long(mtu: u32) { en: "The destination takes packets of {mtu} bytes, and the source sends larger ones, which are lost: raise the destination's MTU", zh: "目的端口 MTU 为 {mtu}，源端口的大报文会被丢弃：请增大目的端口的 MTU" }
    no_reason() { en: "Why this traffic must be looked at is not said: write a reason, which everybody can read later", zh: "未填写原因：请说明为何需要查看该流量，供日后审计" }
    no_incident() { en: "It helps with no incident yet, and traffic is looked at for incidents only: choose one", zh: "未关联事件，仅可因事件查看流量：请选择事件" }
    second_person(vms: &str) { en: "{vms}: this traffic is sensitive, so a second person must agree before it begins", zh: "{vms}：流量敏感，开始前须由另一人批准" }
    must_revalidate(version: &str) { en: "Open vSwitch {version} goes on as before with connections that already run; Tocsin has it look at them again, at the beginning and at the end", zh: "Open vSwitch {version} 不会对已有连接应用镜像变更；Tocsin 会在开始和停止时强制其重新校验" }
    already_mirrored(vm: &str, session: &str) { en: "{vm} is mirrored already, by {session}: some switches allow one session a port; perhaps its copies are enough", zh: "{vm} 已被会话 {session} 镜像，部分交换机每个端口只允许一个会话：可先确认现有镜像是否够用" }
    moving(vm: &str) { en: "{vm} moves, or moved just now: copies may be missing; look again when it has arrived", zh: "{vm} 正在迁移或刚迁移完，镜像可能有缺失：请待迁移完成后再查看" }
    asleep(vm: &str) { en: "{vm} does not run, so there is nothing to copy yet: start it, or choose another machine", zh: "{vm} 未运行，暂无流量可复制：请先启动，或选择其他虚拟机" }
    clocks_differ(ms: &str) { en: "Clocks differ by {ms}, and mirrors end by them: set the clocks of this server, its store and the switch's host by NTP", zh: "时钟相差 {ms}，会影响镜像按时停止：请用 NTP 校准本服务器、存储和交换机主机的时钟" }

    uplink() { en: "an uplink", zh: "上行链路" }
    tunnel() { en: "the end of a tunnel", zh: "隧道端点" }
    host() { en: "the host's own", zh: "宿主机自身的端口" }
    patch() { en: "a wire between bridges", zh: "网桥间的连线" }
    machine() { en: "a machine's", zh: "虚拟机端口" }
    nothing_known() { en: "not known to be a machine's", zh: "未确认为虚拟机的端口" }

    loopback() { en: "a loopback address", zh: "环回地址" }
    multicast() { en: "a multicast address", zh: "组播地址" }
    broadcast() { en: "a broadcast address", zh: "广播地址" }

    needs_span() { en: "SPAN", zh: " SPAN" }
    needs_rspan() { en: "RSPAN", zh: " RSPAN" }
    needs_rspan_end() { en: "the end of RSPAN", zh: " RSPAN 目的" }
    needs_gre() { en: "GRE", zh: " GRE" }
    needs_erspan2() { en: "ERSPAN II", zh: " ERSPAN II" }
    needs_erspan3() { en: "ERSPAN III", zh: " ERSPAN III" }
    needs_vlan_source() { en: "VLANs as source", zh: "以 VLAN 为源" }
    needs_vlan_filter() { en: "a filter of VLANs", zh: " VLAN 过滤" }
    needs_snap() { en: "cutting packets", zh: "报文截断" }
    needs_sampling() { en: "sampling", zh: "采样" }
    needs_netstack() { en: "a network stack of its own", zh: "独立的网络堆栈" }
}

/// What a rule is about, in a few words.
#[must_use]
pub fn rule(l: Language, rule: Rule) -> String {
    match rule {
        Rule::Expiry => expiry(l),
        Rule::SourceKnown => source_known(l),
        Rule::SameSession => same_session(l),
        Rule::DestinationTaken => destination_taken(l),
        Rule::Promiscuous => promiscuous(l),
        Rule::Ephemeral => ephemeral(l),
        Rule::DestinationMarked => destination_marked(l),
        Rule::SourceKind => source_kind(l),
        Rule::Loop => loops(l),
        Rule::CollectorAllowed => collector_allowed(l),
        Rule::TunnelFields => tunnel_fields(l),
        Rule::RspanVlan => rspan_vlan(l),
        Rule::Snap => snap(l),
        Rule::Sampling => sampling(l),
        Rule::Capability => capability(l),
        Rule::Quota => quota(l),
        Rule::SameHypervisor => same_hypervisor(l),
        Rule::Bandwidth => bandwidth(l),
        Rule::Mtu => mtu(l),
        Rule::Accountable => accountable(l),
        Rule::Revalidation => revalidation(l),
        Rule::Unsettled => unsettled(l),
        Rule::Clock => clocks(l),
    }
}

/// What is the matter, with the reason and the mend.
// tidy: long because each of the findings has its one line here
#[must_use]
pub fn finding(l: Language, finding: &MirrorFinding) -> String {
    match &finding.about {
        About::NoExpiry => no_expiry(l),
        About::ExpiryPast => expiry_past(l),
        About::ExpiryTooLate { longest_ms } => expiry_late(l, &span(l, *longest_ms)),
        About::StartTooLate { latest_ms } => start_late(l, &span(l, *latest_ms)),
        About::NoSource => no_source(l),
        About::TooManySources { most } => too_many_sources(l, *most),
        About::SourceUnknown { mac } => source_unknown(l, &mac.to_string()),
        About::SourceAmbiguous { mac, vms } => source_ambiguous(l, &mac.to_string(), &vms.join(", ")),
        About::SourceOld { mac, age_ms, most_ms } => {
            source_old(l, &mac.to_string(), &span(l, *age_ms), &span(l, *most_ms))
        }
        About::SourceUnplugged { mac, vm } => source_unplugged(l, &mac.to_string(), vm),
        About::SourceElsewhere { mac, switch } => source_elsewhere(l, &mac.to_string(), switch),
        About::SourceTwice { mac } => source_twice(l, &mac.to_string()),
        About::PortOfAnother { mac, port } => port_of_another(l, &mac.to_string(), port),
        About::OwnDestination { port } => own_destination(l, port),
        About::OwnVlan { vlan } => own_vlan(l, *vlan),
        About::DestinationOf { port, session } => destination_of(l, port, session),
        About::SourceOf { port, session } => source_of(l, port, session),
        About::VlanOf { vlan, session } => vlan_of(l, *vlan, session),
        About::PromiscuousPort { port } => promiscuous_port(l, port),
        About::EphemeralGroup { port, group } => ephemeral_group(l, port, group),
        About::NotACollector { port, vm: None } => not_a_collector(l, port),
        About::NotACollector { port, vm: Some(vm) } => not_a_collector_vm(l, port, vm),
        About::NormalTraffic { port } => normal_traffic(l, port),
        About::NoSuchPort { port } if port.is_empty() => no_port(l),
        About::NoSuchPort { port } => no_such_port(l, port),
        About::NotAMachine { port, is } => not_a_machine(l, port, &port_kind(l, *is)),
        About::LeavesThroughSource { remote, port } => leaves_through_source(l, &remote.to_string(), port),
        About::LeavesThroughSwitch { remote } => leaves_through_switch(l, &remote.to_string()),
        About::RouteUnknown { remote } => route_unknown(l, &remote.to_string()),
        About::NoRoute { remote } => no_route(l, &remote.to_string()),
        About::SourcesOwnAddress { remote, vm } => own_address(l, &remote.to_string(), vm),
        About::CollectorUnknown { remote } => collector_unknown(l, &remote.to_string()),
        About::CollectorAddress { remote, is } => address(l, &remote.to_string(), *is),
        About::CollectorNotYours { collector } => not_yours(l, collector),
        About::VlanNoCollectors { vlan } => vlan_no_collectors(l, *vlan),
        About::SessionTooLarge { session } => session_large(l, *session),
        About::SessionTaken { session, by } => session_taken(l, *session, by),
        About::CosTooLarge { cos } => cos_large(l, *cos),
        About::NanosecondsNeedIII => nanoseconds_need(l),
        About::NetstackEmpty => netstack_empty(l),
        About::VlanOutOfRange { vlan } => vlan_range(l, *vlan),
        About::VlanReserved { vlan } => vlan_reserved(l, *vlan),
        About::VlanUsed { vlan, port } => vlan_used(l, *vlan, port),
        About::NoUplink => no_uplink(l),
        About::SnapOutOfRange { least, most } => snap_range(l, *least, *most),
        About::SnapInTunnel => snap_in_tunnel(l),
        About::SamplingOutOfRange => sampling_range(l),
        About::CannotDo { what, version } => cannot(l, &needs(l, *what), version),
        About::SourceAndTransport => source_and_transport(l),
        About::LegacyIsReadOnly => legacy(l),
        About::SwitchUnknown => switch_unknown(l),
        About::Paused { backend } => paused(l, backend),
        About::TooManyOnSwitch { most } => many_on_switch(l, *most),
        About::TooManyOfPerson { most } => many_of_person(l, *most),
        About::TooManyAtCollector { collector, most } => many_at_collector(l, collector, *most),
        About::OtherHypervisor { source, destination } => other_hypervisor(l, source, destination),
        About::HypervisorUnknown { port } => hypervisor_unknown(l, port),
        About::TooMuch { copied_bps, room_bps, percent } => too_much(l, &rate(*copied_bps), *percent, &rate(*room_bps)),
        About::RateUnknown => rate_unknown(l),
        About::TooLong { mtu, added: 0 } => too_long(l, *mtu),
        About::TooLong { mtu, added } => too_long_tunnel(l, *mtu, *added),
        About::NoReason => no_reason(l),
        About::NoIncident => no_incident(l),
        About::SecondPerson { vms } => second_person(l, &vms.join(", ")),
        About::MustRevalidate { version } => must_revalidate(l, version),
        About::AlreadyMirrored { vm, session } => already_mirrored(l, vm, session),
        About::Moving { vm } => moving(l, vm),
        About::Asleep { vm } => asleep(l, vm),
        About::ClocksDiffer { ms } => clocks_differ(l, &span(l, ms.saturating_abs())),
    }
}

fn port_kind(l: Language, kind: PortKind) -> String {
    match kind {
        PortKind::Vm => machine(l),
        PortKind::Uplink => uplink(l),
        PortKind::Tunnel => tunnel(l),
        PortKind::Host => host(l),
        PortKind::Patch => patch(l),
        PortKind::Unknown => nothing_known(l),
    }
}

fn address(l: Language, remote: &str, kind: AddressKind) -> String {
    match kind {
        AddressKind::Unspecified => no_remote(l),
        AddressKind::Public => public_address(l, remote),
        AddressKind::Loopback => never_there(l, remote, &loopback(l)),
        AddressKind::Multicast => never_there(l, remote, &multicast(l)),
        AddressKind::Broadcast => never_there(l, remote, &broadcast(l)),
    }
}

fn needs(l: Language, what: Needs) -> String {
    match what {
        Needs::Span => needs_span(l),
        Needs::RspanSource => needs_rspan(l),
        Needs::RspanDestination => needs_rspan_end(l),
        Needs::Gre => needs_gre(l),
        Needs::Erspan2 => needs_erspan2(l),
        Needs::Erspan3 => needs_erspan3(l),
        Needs::VlanSource => needs_vlan_source(l),
        Needs::VlanFilter => needs_vlan_filter(l),
        Needs::Snap => needs_snap(l),
        Needs::Sampling => needs_sampling(l),
        Needs::Netstack => needs_netstack(l),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{mirror::Weight, net::Mac};
    use std::net::IpAddr;

    // tidy: long because each of the findings stands here once
    fn every_finding() -> Vec<(Rule, Vec<About>)> {
        let mac = Mac([0x00, 0x50, 0x56, 0x0a, 0x0b, 0x0c]);
        let remote: IpAddr = [10, 77, 9, 5].into();
        let (port, session) = (|| "vnet7".to_owned(), || "tocsin-ab12-7".to_owned());
        let vm = || "web01".to_owned();
        vec![
            (
                Rule::Expiry,
                vec![
                    About::NoExpiry,
                    About::ExpiryPast,
                    About::ExpiryTooLate { longest_ms: 14_400_000 },
                    About::StartTooLate { latest_ms: 3_600_000 },
                ],
            ),
            (
                Rule::SourceKnown,
                vec![
                    About::NoSource,
                    About::TooManySources { most: 64 },
                    About::SourceUnknown { mac },
                    About::SourceAmbiguous { mac, vms: vec![vm(), "web02".into()] },
                    About::SourceOld { mac, age_ms: 90_000, most_ms: 60_000 },
                    About::SourceUnplugged { mac, vm: vm() },
                    About::SourceElsewhere { mac, switch: "kvm-2/br0".into() },
                    About::SourceTwice { mac },
                    About::PortOfAnother { mac, port: port() },
                ],
            ),
            (Rule::SameSession, vec![About::OwnDestination { port: port() }, About::OwnVlan { vlan: 900 }]),
            (
                Rule::DestinationTaken,
                vec![
                    About::DestinationOf { port: port(), session: session() },
                    About::SourceOf { port: port(), session: session() },
                    About::VlanOf { vlan: 900, session: session() },
                ],
            ),
            (Rule::Promiscuous, vec![About::PromiscuousPort { port: port() }]),
            (Rule::Ephemeral, vec![About::EphemeralGroup { port: port(), group: "lab".into() }]),
            (
                Rule::DestinationMarked,
                vec![
                    About::NotACollector { port: port(), vm: None },
                    About::NotACollector { port: port(), vm: Some(vm()) },
                    About::NormalTraffic { port: port() },
                    About::NoSuchPort { port: String::new() },
                    About::NoSuchPort { port: port() },
                ],
            ),
            (
                Rule::SourceKind,
                [PortKind::Uplink, PortKind::Tunnel, PortKind::Host, PortKind::Patch, PortKind::Unknown]
                    .map(|is| About::NotAMachine { port: port(), is })
                    .to_vec(),
            ),
            (
                Rule::Loop,
                vec![
                    About::LeavesThroughSource { remote, port: port() },
                    About::LeavesThroughSwitch { remote },
                    About::RouteUnknown { remote },
                    About::NoRoute { remote },
                    About::SourcesOwnAddress { remote, vm: vm() },
                ],
            ),
            (
                Rule::CollectorAllowed,
                vec![
                    About::CollectorUnknown { remote },
                    About::CollectorAddress { remote, is: AddressKind::Unspecified },
                    About::CollectorAddress { remote, is: AddressKind::Loopback },
                    About::CollectorAddress { remote, is: AddressKind::Multicast },
                    About::CollectorAddress { remote, is: AddressKind::Broadcast },
                    About::CollectorAddress { remote, is: AddressKind::Public },
                    About::CollectorNotYours { collector: "capture".into() },
                    About::VlanNoCollectors { vlan: 900 },
                ],
            ),
            (
                Rule::TunnelFields,
                vec![
                    About::SessionTooLarge { session: 5_000 },
                    About::SessionTaken { session: 7, by: session() },
                    About::CosTooLarge { cos: 9 },
                    About::NanosecondsNeedIII,
                    About::NetstackEmpty,
                ],
            ),
            (
                Rule::RspanVlan,
                vec![
                    About::VlanOutOfRange { vlan: 4_095 },
                    About::VlanReserved { vlan: 10 },
                    About::VlanUsed { vlan: 42, port: port() },
                    About::NoUplink,
                ],
            ),
            (Rule::Snap, vec![About::SnapOutOfRange { least: 60, most: 9_216 }, About::SnapInTunnel]),
            (Rule::Sampling, vec![About::SamplingOutOfRange]),
            (Rule::Capability, capabilities()),
            (
                Rule::Quota,
                vec![
                    About::TooManyOnSwitch { most: 32 },
                    About::TooManyOfPerson { most: 3 },
                    About::TooManyAtCollector { collector: "capture".into(), most: 16 },
                ],
            ),
            (
                Rule::SameHypervisor,
                vec![
                    About::OtherHypervisor { source: "esx-07".into(), destination: "esx-08".into() },
                    About::HypervisorUnknown { port: port() },
                ],
            ),
            (
                Rule::Bandwidth,
                vec![
                    About::TooMuch { copied_bps: 840_000_000, room_bps: 1_000_000_000, percent: 84 },
                    About::RateUnknown,
                ],
            ),
            (Rule::Mtu, vec![About::TooLong { mtu: 1_500, added: 50 }, About::TooLong { mtu: 1_500, added: 0 }]),
            (
                Rule::Accountable,
                vec![About::NoReason, About::NoIncident, About::SecondPerson { vms: vec!["pay-07".into()] }],
            ),
            (Rule::Revalidation, vec![About::MustRevalidate { version: "3.1.0".into() }]),
            (
                Rule::Unsettled,
                vec![
                    About::AlreadyMirrored { vm: vm(), session: session() },
                    About::Moving { vm: vm() },
                    About::Asleep { vm: vm() },
                ],
            ),
            (Rule::Clock, vec![About::ClocksDiffer { ms: -45_000 }]),
        ]
    }

    fn capabilities() -> Vec<About> {
        use Needs as N;
        let mut all = [
            N::Span,
            N::RspanSource,
            N::RspanDestination,
            N::Gre,
            N::Erspan2,
            N::Erspan3,
            N::VlanSource,
            N::VlanFilter,
            N::Snap,
            N::Sampling,
            N::Netstack,
        ]
        .map(|what| About::CannotDo { what, version: "3.1.0".into() })
        .to_vec();
        all.extend([About::SourceAndTransport, About::LegacyIsReadOnly, About::SwitchUnknown]);
        all.push(About::Paused { backend: "kvm-1".into() });
        all
    }

    #[test]
    fn every_finding_is_a_sentence_of_its_own_in_both_languages() {
        let golden = include_str!("rules.golden");
        let (mut said, mut sentences) = (String::new(), Vec::new());
        for ((about_rule, all), number) in every_finding().into_iter().zip(1..) {
            assert_eq!(about_rule.number(), number, "the rules are in order, and none is left out");
            let title = |l| rule(l, about_rule);
            said += &format!(
                "M{number:02} {} | {}
",
                title(Language::En),
                title(Language::Zh)
            );
            for about in all {
                let it = MirrorFinding { rule: about_rule, weight: Weight::Blocks, path: String::new(), about };
                let both = [finding(Language::En, &it), finding(Language::Zh, &it)];
                said += &format!(
                    "  {}
  {}
",
                    both[0], both[1]
                );
                sentences.extend(both);
            }
        }
        let count = sentences.len();
        sentences.sort();
        sentences.dedup();
        assert_eq!(sentences.len(), count, "two findings read the same");
        assert_eq!(
            said, golden,
            "shared/src/text/mirror/rules.golden holds every sentence as it was last read through"
        );
    }
}
