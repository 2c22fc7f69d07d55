//! Machines: looking one up, the way to it, and the sources that know it.

shared::messages! {
    title() { en: "Machines", zh: "机器" }
    lead() { en: "From an address or a name to the VM, its port and its hypervisor.", zh: "由地址或名称查到虚拟机、端口和宿主机。" }
    field() { en: "MAC, IP, name, UUID, or whole lines of a program's output", zh: "MAC、IP、名称、UUID，或程序输出的整行文本" }
    field_hint() { en: "Every notation is understood, parts too: 0050.56, 10.1.2.0/24. Paste hundreds of lines at once.", zh: "支持各种写法，也可只写一部分：0050.56、10.1.2.0/24。可一次粘贴数百行。" }
    examples() { en: "For example", zh: "例如" }
    look_up() { en: "Look up", zh: "查询" }
    understood() { en: "Understood", zh: "识别结果" }
    mac() { en: "MAC", zh: "MAC" }
    mac_part() { en: "part of a MAC", zh: "MAC 片段" }
    ip() { en: "IP", zh: "IP" }
    network() { en: "network", zh: "网段" }
    uuid() { en: "UUID", zh: "UUID" }
    name() { en: "name", zh: "名称" }
    not_understood() { en: "not understood", zh: "无法识别" }
    fault_of(text: &str, fault: &str) { en: "{text} {fault}", zh: "{text}：{fault}" }
    nothing() { en: "No source knows it.", zh: "没有数据源知道它。" }
    nothing_of(text: &str) { en: "Nothing is known of {text}.", zh: "没有关于 {text} 的信息。" }
    more_than_shown() { en: "There are more; write more of the name or address.", zh: "还有更多结果；请输入更完整的名称或地址。" }
    way(name: &str) { en: "The way to {name}", zh: "到 {name} 的路径" }
    interface() { en: "Interface", zh: "网卡" }
    vm() { en: "VM", zh: "虚拟机" }
    port() { en: "Port", zh: "端口" }
    hypervisor() { en: "Hypervisor", zh: "宿主机" }
    cluster() { en: "Cluster", zh: "集群" }
    how_platform() { en: "its platform says so", zh: "平台提供" }
    how_guest() { en: "reported from inside", zh: "虚拟机内部上报" }
    how_assigned() { en: "assigned by the platform", zh: "平台分配" }
    how_recorded() { en: "written down", zh: "人工登记" }
    how_neighbour() { en: "a neighbour answered", zh: "邻居应答" }
    how_switch() { en: "the switch says so", zh: "交换机提供" }
    by(source: &str, ago: &str) { en: "{source}, {ago} ago", zh: "{source}，{ago}前" }
    good() { en: "reliable", zh: "可靠" }
    fair() { en: "fair", zh: "一般" }
    stale() { en: "old", zh: "陈旧" }
    several_vms(mac: &str, vms: &str) { en: "Several VMs have {mac}: {vms}", zh: "多台虚拟机使用 {mac}：{vms}" }
    several_ips(ip: &str, vms: &str) { en: "Several machines claim {ip}: {vms}", zh: "多台机器声称使用 {ip}：{vms}" }
    other_answers(ip: &str, mac: &str, segment: &str) { en: "On {segment}, {mac} answers for {ip}", zh: "在 {segment} 上，{mac} 应答 {ip}" }
    not_in_inventory(mac: &str) { en: "No source knows whose {mac} is", zh: "没有数据源知道 {mac} 属于谁" }
    behind_router(ip: &str, mac: &str, segment: &str) { en: "On {segment} a router ({mac}) answers for {ip}: the machine is behind it, if anywhere", zh: "在 {segment} 上由路由器（{mac}）代答 {ip}：该机器若存在，则在路由器之后" }
    other_hypervisor(source: &str, hypervisor: &str) { en: "{source} says it runs on {hypervisor}", zh: "{source} 认为它运行在 {hypervisor}" }
    vms_there(n: u32) { en: "{n} VMs there", zh: "其上共 {n} 台虚拟机" }
    vlan(n: u16) { en: "VLAN {n}", zh: "VLAN {n}" }
    unplugged() { en: "its cable is out", zh: "网线未连接" }
    power_on() { en: "running", zh: "运行中" }
    power_off() { en: "off", zh: "已关机" }
    power_paused() { en: "paused", zh: "已挂起" }
    power_unknown() { en: "power unknown", zh: "电源状态未知" }
    unknown_machine() { en: "unknown machine", zh: "未知机器" }
    copy_csv() { en: "Copy as CSV", zh: "复制为 CSV" }
    copy_json() { en: "Copy as JSON", zh: "复制为 JSON" }
    asked() { en: "Asked for", zh: "查询项" }
    found_n(n: usize) { en: "{n} machines", zh: "{n} 台机器" }
    open_incidents() { en: "Open incidents", zh: "未恢复事件" }
    quiet() { en: "nothing is open", zh: "没有未恢复事件" }
    sources() { en: "Sources", zh: "数据源" }
    no_sources() { en: "No source is configured yet.", zh: "尚未配置数据源。" }
    no_sources_hint() { en: "Add one to the configuration, under [[sources]]: a list of machines as CSV will do.", zh: "在配置的 [[sources]] 中添加；一个 CSV 机器清单即可。" }
    silent(name: &str, error: &str) { en: "{name} does not answer: {error}", zh: "{name} 没有应答：{error}" }
    silent_since(name: &str, ago: &str, error: &str) { en: "{name} does not answer; what it said {ago} ago counts. {error}", zh: "{name} 没有应答，以{ago}前的数据为准。{error}" }
    well() { en: "answers", zh: "正常" }
    waiting() { en: "not asked yet", zh: "等待首次查询" }
    failing() { en: "does not answer", zh: "没有应答" }
    paused() { en: "paused", zh: "已暂停" }
    counts(vms: u32, nics: u32, hypervisors: u32) { en: "{vms} VMs, {nics} interfaces, {hypervisors} hypervisors", zh: "{vms} 台虚拟机，{nics} 个网卡，{hypervisors} 台宿主机" }
    ports_n(n: u32) { en: "{n} ports", zh: "{n} 个端口" }
    neighbours_n(n: u32) { en: "{n} neighbours", zh: "{n} 个邻居" }
    heard(ago: &str) { en: "heard {ago} ago", zh: "{ago}前有应答" }
    agent_silent() { en: "silent", zh: "失联" }
    agent_probes(prefixes: &str) { en: "may look in {prefixes}", zh: "可在 {prefixes} 内探询" }
    ask_segment(source: &str) { en: "Ask the segment {source}", zh: "询问网段 {source}" }
    ask_segments() { en: "Ask the segments", zh: "询问各网段" }
    ask_hint() { en: "An agent there sends one packet and sees who answers.", zh: "该网段的 agent 会发送一个数据包并查看谁应答。" }
    asking() { en: "Asking…", zh: "正在询问…" }
    asked_answered(mac: &str) { en: "{mac} answered", zh: "{mac} 已应答" }
    asked_router(mac: &str) { en: "only a router answered ({mac}): it is not on this segment", zh: "仅路由器（{mac}）应答：不在该网段" }
    asked_nobody() { en: "nobody answered", zh: "无人应答" }
    asked_confirming() { en: "an old answer is being confirmed; ask again in ten seconds", zh: "正在确认旧的应答，请十秒后再次询问" }
    asked_no_report() { en: "the agent did not report back in time", zh: "agent 未及时返回" }
    asked_refused() { en: "the agent may not look there", zh: "agent 不允许在此探询" }
    asked_not_sent() { en: "the agent could not send; its log says why", zh: "agent 无法发送，原因见其日志" }
    asked_busy() { en: "the agent is asked too much already", zh: "agent 的询问过多" }
    asked_no_agent() { en: "no agent that is heard may look there", zh: "没有在线的 agent 可在此探询" }
    interfaces() { en: "Interfaces", zh: "网卡" }
    history() { en: "Where it has been", zh: "迁移历史" }
    no_history() { en: "It has not moved since we know it.", zh: "自纳入以来未发生变化。" }
    came() { en: "appeared", zh: "出现" }
    went() { en: "was gone", zh: "消失" }
    moved(from: &str, to: &str) { en: "moved from {from} to {to}", zh: "从 {from} 迁移到 {to}" }
    changed() { en: "its interfaces changed", zh: "网卡发生变化" }
    facts() { en: "Facts", zh: "基本信息" }
    host_name() { en: "Host name", zh: "主机名" }
    power() { en: "Power", zh: "电源" }
    source() { en: "Source", zh: "数据源" }
    storage() { en: "Storage", zh: "存储" }
    tags() { en: "Tags", zh: "标签" }
    tenants(n: usize, alerting: usize) { en: "{n} VMs, {alerting} of them with open incidents", zh: "{n} 台虚拟机，其中 {alerting} 台有未恢复事件" }
    tenants_title() { en: "Its VMs", zh: "其上的虚拟机" }
}
