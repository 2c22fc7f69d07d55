//! Hosts: their board, one of them with its charts and tables, and the host around an alert.

use shared::config::Language;

shared::messages! {
    title() { en: "Hosts", zh: "主机监控" }
    lead() { en: "What every monitored machine does, second by second.", zh: "每台受监控机器的实时状态。" }
    rules() { en: "Threshold rules", zh: "阈值规则" }
    add() { en: "Add a host", zh: "添加主机" }
    none() { en: "No host is measured yet.", zh: "还没有受监控的主机。" }
    none_lead() { en: "Install the agent, or let what you already have send here.", zh: "安装 agent，或让现有系统把数据发送到这里。" }
    none_match() { en: "No host matches.", zh: "没有符合条件的主机。" }
    show_all() { en: "Show all of them", zh: "显示全部" }
    view() { en: "View", zh: "视图" }
    view_tiles() { en: "Tiles", zh: "卡片" }
    view_comb() { en: "Honeycomb", zh: "蜂窝" }
    view_table() { en: "Table", zh: "表格" }
    view_charts() { en: "Charts", zh: "曲线" }
    group_by() { en: "Group by", zh: "分组" }
    group_none() { en: "nothing", zh: "不分组" }
    group_group() { en: "group", zh: "主机组" }
    group_cluster() { en: "cluster", zh: "集群" }
    group_hypervisor() { en: "hypervisor", zh: "宿主机" }
    group_nowhere() { en: "No group", zh: "未归属" }
    only() { en: "Show", zh: "显示" }
    only_all() { en: "all", zh: "全部" }
    only_trouble() { en: "in trouble", zh: "有问题" }
    only_silent() { en: "silent", zh: "失联" }
    sort_by() { en: "Sort by", zh: "排序" }
    sort_worst() { en: "what is worst", zh: "严重程度" }
    search() { en: "Name, address, group", zh: "名称、地址、主机组" }
    counts(all: &str, trouble: usize, silent: usize) { en: "{all}, {trouble} in trouble, {silent} not heard from", zh: "{all}，{trouble} 台有问题，{silent} 台无上报" }
    host_1() { en: "1 host", zh: "1 台主机" }
    hosts_more(n: usize) { en: "{n} hosts", zh: "{n} 台主机" }
    column_host() { en: "Host", zh: "主机" }
    column_cpu() { en: "CPU", zh: "CPU" }
    column_iowait() { en: "iowait", zh: "iowait" }
    column_load() { en: "Load", zh: "负载" }
    column_mem() { en: "Memory", zh: "内存" }
    column_swap() { en: "Swap", zh: "交换区" }
    column_disk() { en: "Fullest disk", zh: "最满磁盘" }
    column_util() { en: "Busiest disk", zh: "最忙磁盘" }
    column_in() { en: "Received", zh: "入流量" }
    column_out() { en: "Sent", zh: "出流量" }
    column_tcp() { en: "TCP", zh: "TCP" }
    column_pids() { en: "Tasks", zh: "任务" }
    seen_ago(ago: &str) { en: "agent last seen {ago} ago", zh: "agent 最后上报于{ago}前" }
    late_ago(ago: &str) { en: "late: last seen {ago} ago", zh: "延迟：最后上报于{ago}前" }
    said(name: &str, state: &str, cpu: &str) { en: "{name}: {state}, CPU {cpu}", zh: "{name}：{state}，CPU {cpu}" }
    calm() { en: "calm", zh: "正常" }
    in_trouble(severity: &str) { en: "{severity}", zh: "{severity}" }
    silent_word() { en: "not heard from", zh: "无上报" }
    comb_hint() { en: "Each cell is a host; press one to open it.", zh: "每个单元是一台主机，点按即可打开。" }
    comb_keys() { en: "Arrow keys walk through the cells.", zh: "方向键在单元间移动。" }
    metric() { en: "Metric", zh: "指标" }
    metric_other() { en: "Another metric", zh: "其他指标" }
    metric_hint() { en: "As rules name it: ss.timewait, disk.io.await", zh: "与规则中的写法相同：ss.timewait、disk.io.await" }
    multiples_axis(most: &str) { en: "All charts have the same axis, up to {most}. What is worst comes first.", zh: "所有曲线使用相同坐标轴，上限 {most}。最严重的排在最前。" }
    tiles_more(n: usize) { en: "Show {n} more", zh: "再显示 {n} 台" }
    multiples_more(n: usize) { en: "Show {n} more", zh: "再显示 {n} 台" }
    multiples_left(n: u32) { en: "{n} more series would match and are left out.", zh: "另有 {n} 个序列未显示。" }
    now_value(value: &str) { en: "now {value}", zh: "当前 {value}" }
    // Adding one.
    new_name() { en: "Name of the host", zh: "主机名称" }
    new_name_hint() { en: "Letters, digits, dots, hyphens and underscores.", zh: "字母、数字、点、连字符和下划线。" }
    make_token() { en: "Make its token", zh: "生成令牌" }
    token_for(name: &str) { en: "The token of {name}", zh: "{name} 的令牌" }
    token_once() { en: "It is shown this once. Only its hash is kept.", zh: "仅显示这一次，服务器只保存其哈希。" }
    how() { en: "How it is measured", zh: "采集方式" }
    way_systemd() { en: "Agent, systemd", zh: "Agent（systemd）" }
    way_systemd_hint() { en: "Copy tocsin-agent, which was built beside this server's program, to the host, and run these lines there as root.", zh: "将与本服务器程序一同构建的 tocsin-agent 复制到该主机，以 root 运行以下命令。" }
    way_plain() { en: "Agent, by hand", zh: "Agent（手动）" }
    way_plain_hint() { en: "To try it out; it ends with the terminal.", zh: "用于试用；终端关闭即停止。" }
    way_prometheus() { en: "Prometheus", zh: "Prometheus" }
    way_prometheus_hint() { en: "In prometheus.yml: what node_exporter measures is written here too.", zh: "写入 prometheus.yml：node_exporter 的数据同时写到这里。" }
    way_falcon() { en: "Open-Falcon", zh: "Open-Falcon" }
    way_falcon_hint() { en: "Whatever pushes to an Open-Falcon agent can push here.", zh: "凡推送到 Open-Falcon agent 的，都可推送到这里。" }
    way_scrape() { en: "node_exporter", zh: "node_exporter" }
    way_scrape_hint() { en: "In this server's configuration: it asks the exporter itself.", zh: "写入本服务器配置：由服务器主动拉取。" }
    // One host.
    range() { en: "Range", zh: "时间范围" }
    range_live() { en: "Live", zh: "实时" }
    range_hours(n: i64) { en: "{n} h", zh: "{n} 小时" }
    range_days(n: i64) { en: "{n} d", zh: "{n} 天" }
    zoomed(from: &str, until: &str) { en: "{from} to {until}", zh: "{from} 至 {until}" }
    kernel() { en: "Kernel", zh: "内核" }
    uptime() { en: "Up for", zh: "运行时间" }
    system() { en: "System", zh: "系统" }
    load() { en: "Load", zh: "负载" }
    load_of(cpus: u32) { en: "of {cpus} cores", zh: "共 {cpus} 核" }
    cpu() { en: "CPU", zh: "CPU" }
    cores() { en: "Cores", zh: "各核" }
    memory() { en: "Memory", zh: "内存" }
    swap() { en: "Swap", zh: "交换区" }
    swap_none() { en: "none", zh: "无" }
    pressure() { en: "Pressure (PSI)", zh: "压力（PSI）" }
    psi_cpu() { en: "CPU", zh: "CPU" }
    psi_memory() { en: "memory", zh: "内存" }
    psi_io() { en: "I/O", zh: "IO" }
    tasks() { en: "Tasks", zh: "任务" }
    clock() { en: "Clock", zh: "时钟" }
    clock_ntp(offset: &str) { en: "{offset} from NTP", zh: "与 NTP 相差 {offset}" }
    clock_server(offset: &str) { en: "{offset} from this server", zh: "与服务器相差 {offset}" }
    clock_fine() { en: "agrees", zh: "一致" }
    of_total(part: &str, whole: &str) { en: "{part} of {whole}", zh: "{part} / {whole}" }
    idle() { en: "idle", zh: "空闲" }
    mem_used(){ en: "used", zh: "已用" }
    mem_cache() { en: "cache", zh: "缓存" }
    mem_free() { en: "free", zh: "空闲" }
    disks() { en: "Disks", zh: "磁盘" }
    interfaces() { en: "Interfaces", zh: "网卡" }
    devices_more(n: usize) { en: "{n} more in the charts below", zh: "另有 {n} 个，见下方图表" }
    packets(both: &str) { en: "packets {both}", zh: "包 {both}" }
    lost(dropped: &str, errors: &str) { en: "dropped {dropped}, errors {errors}", zh: "丢包 {dropped}，错包 {errors}" }
    chart_cpu() { en: "CPU", zh: "CPU" }
    chart_load() { en: "Load", zh: "负载" }
    chart_memory() { en: "Memory", zh: "内存" }
    chart_swap() { en: "Swapping", zh: "换入换出" }
    chart_psi() { en: "Pressure: time somebody waited", zh: "压力：等待时间占比" }
    chart_cores() { en: "Each core", zh: "各核使用率" }
    chart_util() { en: "Disks, busy", zh: "磁盘繁忙度" }
    chart_await() { en: "Disk latency (await)", zh: "磁盘响应时间（await）" }
    chart_svctm() { en: "Disk service time (svctm)", zh: "磁盘服务时间（svctm）" }
    chart_disk() { en: "Disks, read and written", zh: "磁盘读写" }
    chart_df() { en: "File systems, used", zh: "文件系统使用率" }
    chart_net() { en: "Network, bits", zh: "网络流量" }
    chart_packets() { en: "Network, packets", zh: "网络包数" }
    chart_drops() { en: "Network, errors and drops", zh: "网络错包与丢包" }
    chart_tcp() { en: "TCP connections by state", zh: "各状态 TCP 连接" }
    chart_retrans() { en: "TCP retransmits and listen drops", zh: "TCP 重传与监听丢弃" }
    chart_conntrack() { en: "Connection tracking", zh: "连接跟踪" }
    chart_pids() { en: "Tasks", zh: "任务数" }
    chart_cgroups() { en: "Control groups, tasks", zh: "控制组任务数" }
    other_series() { en: "Other series", zh: "其他序列" }
    other_hint() { en: "What is measured and has no chart above.", zh: "已采集但上方没有图表的指标。" }
    draw() { en: "Draw", zh: "绘制" }
    undraw(name: &str) { en: "No longer draw {name}", zh: "不再绘制 {name}" }
    processes() { en: "Processes", zh: "进程" }
    process() { en: "Process", zh: "进程" }
    user() { en: "User", zh: "用户" }
    state() { en: "State", zh: "状态" }
    resident() { en: "Memory", zh: "内存" }
    threads() { en: "Threads", zh: "线程" }
    reads() { en: "Read", zh: "读" }
    writes() { en: "Written", zh: "写" }
    core() { en: "Core", zh: "核" }
    core_n(n: u32) { en: "core {n}", zh: "{n} 号核" }
    cgroups() { en: "Control groups", zh: "控制组" }
    cgroup() { en: "Control group", zh: "控制组" }
    pids_of(current: u64, max: u64) { en: "{current} of {max}", zh: "{current} / {max}" }
    pids_unlimited(current: u64) { en: "{current}, no limit", zh: "{current}，不限" }
    peers() { en: "TCP connections by port", zh: "按端口统计 TCP 连接" }
    port() { en: "Port", zh: "端口" }
    port_ours(port: u16) { en: "{port}, served here", zh: "{port}（本机服务）" }
    port_theirs(port: u16) { en: "{port}, remote", zh: "{port}（远端）" }
    established() { en: "Established", zh: "已建立" }
    other_states() { en: "Other", zh: "其他" }
    busiest() { en: "Busiest peer", zh: "最多对端" }
    time_wait_what() { en: "What TIME_WAIT is", zh: "什么是 TIME_WAIT" }
    time_wait_is() { en: "Whoever closes a TCP connection first keeps it for another minute as TIME_WAIT, so that late packets are not taken for a new connection's. It costs next to nothing.", zh: "先关闭 TCP 连接的一方会把该连接保留约一分钟（TIME_WAIT），以免迟到的报文被当作新连接的数据。它几乎不占资源。" }
    time_wait_matters() { en: "It matters when thousands are to one remote port: each holds a local port, about 28,000 of them, and then new connections to that address fail with EADDRNOTAVAIL.", zh: "当大量 TIME_WAIT 指向同一远端端口时才有问题：每个都占用一个本地端口（约 28,000 个），用尽后到该地址的新连接会报 EADDRNOTAVAIL。" }
    time_wait_do() { en: "Let the client keep connections open (HTTP keep-alive, a pool). Then net.ipv4.ip_local_port_range and net.ipv4.tcp_tw_reuse. Connections in CLOSE_WAIT are something else: a program here forgets to close.", zh: "让客户端复用连接（HTTP keep-alive、连接池）；其次调整 net.ipv4.ip_local_port_range 与 net.ipv4.tcp_tw_reuse。CLOSE_WAIT 则不同：是本机程序忘记关闭连接。" }
    facts() { en: "Facts", zh: "基本信息" }
    fact_cpu() { en: "Processor", zh: "处理器" }
    fact_addresses() { en: "Addresses", zh: "地址" }
    fact_hardware() { en: "Hardware addresses", zh: "硬件地址" }
    fact_version() { en: "Measured by", zh: "采集程序" }
    fact_every(every: &str) { en: "every {every}", zh: "每 {every}" }
    fact_lost(n: u64) { en: "{n} samples given up by the agent since it started", zh: "agent 启动以来丢弃 {n} 个采样" }
    fact_missing() { en: "Not measured", zh: "未采集" }
    fact_vm() { en: "VM", zh: "虚拟机" }
    fact_groups() { en: "Groups", zh: "主机组" }
    standing() { en: "Its rules", zh: "规则状态" }
    standing_none() { en: "No threshold rule is for this host.", zh: "没有适用于该主机的阈值规则。" }
    incidents() { en: "Incidents", zh: "事件" }
    feed_agent() { en: "tocsin agent", zh: "tocsin agent" }
    feed_own() { en: "this server", zh: "本服务器" }
    feed_falcon() { en: "Open-Falcon", zh: "Open-Falcon" }
    feed_remote_write() { en: "Prometheus", zh: "Prometheus" }
    feed_scrape() { en: "node_exporter", zh: "node_exporter" }
    silent() { en: "Nothing is heard of this host. What is shown is the last that was said.", zh: "该主机没有上报，显示的是最后一次的数据。" }
    silent_for(ago: &str) { en: "For {ago}.", zh: "已持续{ago}。" }
    mirror() { en: "Mirror its traffic", zh: "镜像其流量" }
    forget() { en: "Forget this host", zh: "移除该主机" }
    forget_ask(name: &str) { en: "Forget {name}, with everything measured of it?", zh: "移除 {name} 及其全部数据？" }
    forget_do() { en: "Forget it", zh: "移除" }
    forgotten(name: &str) { en: "{name} is forgotten.", zh: "{name} 已移除。" }
    cancel() { en: "Cancel", zh: "取消" }
    // Around an alert.
    around() { en: "The host around the alert", zh: "告警前后的主机" }
    around_open() { en: "Open the host", zh: "打开主机页" }
    around_live() { en: "Live, once a second", zh: "实时，每秒一次" }
    around_host() { en: "Host", zh: "主机" }
}

pub(crate) fn hosts_n(l: Language, n: usize) -> String {
    if n == 1 { host_1(l) } else { hosts_more(l, n) }
}
