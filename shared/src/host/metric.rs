//! The metrics that are known by name: their units, which end of them is bad, and what they are called.
//!
//! Names are Open-Falcon's where it has one (open-falcon book, "Linux operations metrics"); others follow its manner. A
//! metric that is not listed is kept and drawn all the same, without a unit.

use serde::{Deserialize, Serialize};

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Percent,
    Bytes,
    BytesPerSecond,
    BitsPerSecond,
    PerSecond,
    Count,
    Milliseconds,
    Seconds,
    /// A number without a unit.
    Plain,
}

/// Which end of a metric is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Worse {
    High,
    Low,
    Neither,
}

/// A metric that is known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    pub name: &'static str,
    pub unit: Unit,
    pub worse: Worse,
    /// The names of its tags.
    pub tags: &'static [&'static str],
    pub english: &'static str,
    pub chinese: &'static str,
}

const fn m(name: &'static str, unit: Unit, worse: Worse, english: &'static str, chinese: &'static str) -> Metric {
    Metric { name, unit, worse, tags: &[], english, chinese }
}

const fn of(tags: &'static [&'static str], metric: Metric) -> Metric {
    Metric { tags, ..metric }
}

use Unit::{BitsPerSecond, Bytes, BytesPerSecond, Count, Milliseconds, PerSecond, Percent, Plain, Seconds};
use Worse::{High, Low, Neither};

const CORE: &[&str] = &["core"];
const MOUNT: &[&str] = &["fstype", "mount"];
const DEVICE: &[&str] = &["device"];
const IFACE: &[&str] = &["iface", "kind"];
const CGROUP: &[&str] = &["cgroup"];

/// Every metric that is known by name.
pub const METRICS: &[Metric] = &[
    // The machine.
    m("agent.alive", Plain, Low, "measured", "采集存活"),
    m("kernel.uptime", Seconds, Neither, "up for", "运行时间"),
    m("clock.offset", Milliseconds, Neither, "clock against this server", "与服务器的时钟差"),
    m("sys.ntp.offset", Milliseconds, Neither, "clock against NTP", "NTP 偏差"),
    // Processors, of a hundred; the whole machine. `cpu.guest` is a part of `cpu.user`, as in proc(5).
    m("cpu.busy", Percent, High, "CPU busy", "CPU 使用率"),
    m("cpu.idle", Percent, Low, "CPU idle", "CPU 空闲"),
    m("cpu.user", Percent, High, "CPU user", "CPU 用户态"),
    m("cpu.nice", Percent, High, "CPU nice", "CPU nice"),
    m("cpu.system", Percent, High, "CPU system", "CPU 系统态"),
    m("cpu.iowait", Percent, High, "CPU iowait", "CPU IO 等待"),
    m("cpu.irq", Percent, High, "CPU irq", "CPU 硬中断"),
    m("cpu.softirq", Percent, High, "CPU softirq", "CPU 软中断"),
    m("cpu.steal", Percent, High, "CPU steal", "CPU 被抢占"),
    m("cpu.guest", Percent, Neither, "CPU guest", "CPU 虚拟机"),
    m("cpu.switches", PerSecond, High, "context switches", "上下文切换"),
    m("cpu.interrupts", PerSecond, High, "interrupts", "中断"),
    m("cpu.forks", PerSecond, High, "new processes", "新建进程"),
    of(CORE, m("cpu.core.busy", Percent, High, "core busy", "单核使用率")),
    m("load.1min", Plain, High, "load, 1 min", "1 分钟负载"),
    m("load.5min", Plain, High, "load, 5 min", "5 分钟负载"),
    m("load.15min", Plain, High, "load, 15 min", "15 分钟负载"),
    m("psi.cpu.some", Percent, High, "waiting for CPU", "等待 CPU（PSI）"),
    m("psi.memory.some", Percent, High, "some waiting for memory", "部分等待内存（PSI）"),
    m("psi.memory.full", Percent, High, "all waiting for memory", "全部等待内存（PSI）"),
    m("psi.io.some", Percent, High, "some waiting for I/O", "部分等待 IO（PSI）"),
    m("psi.io.full", Percent, High, "all waiting for I/O", "全部等待 IO（PSI）"),
    // Memory. Used is the total without what is available.
    m("mem.memtotal", Bytes, Neither, "memory", "内存总量"),
    m("mem.memused", Bytes, High, "memory used", "已用内存"),
    m("mem.memavailable", Bytes, Low, "memory available", "可用内存"),
    m("mem.memfree", Bytes, Neither, "memory free", "空闲内存"),
    m("mem.buffers", Bytes, Neither, "buffers", "缓冲"),
    m("mem.cached", Bytes, Neither, "page cache", "页缓存"),
    m("mem.slab", Bytes, Neither, "slab", "slab"),
    m("mem.shmem", Bytes, Neither, "shared", "共享内存"),
    m("mem.dirty", Bytes, High, "dirty", "脏页"),
    m("mem.memused.percent", Percent, High, "memory used", "内存使用率"),
    m("mem.memfree.percent", Percent, Low, "memory available", "内存可用率"),
    m("mem.swaptotal", Bytes, Neither, "swap", "交换区总量"),
    m("mem.swapused", Bytes, High, "swap used", "已用交换区"),
    m("mem.swapfree", Bytes, Neither, "swap free", "空闲交换区"),
    m("mem.swapused.percent", Percent, High, "swap used", "交换区使用率"),
    m("mem.swap.in", BytesPerSecond, High, "swapped in", "换入"),
    m("mem.swap.out", BytesPerSecond, High, "swapped out", "换出"),
    m("mem.oom", PerSecond, High, "killed for want of memory", "OOM 终止"),
    // File systems.
    of(MOUNT, m("df.bytes.total", Bytes, Neither, "file system", "文件系统大小")),
    of(MOUNT, m("df.bytes.used", Bytes, High, "space used", "已用空间")),
    of(MOUNT, m("df.bytes.free", Bytes, Low, "space free", "剩余空间")),
    of(MOUNT, m("df.bytes.used.percent", Percent, High, "space used", "空间使用率")),
    of(MOUNT, m("df.bytes.free.percent", Percent, Low, "space free", "空间剩余率")),
    of(MOUNT, m("df.inodes.used.percent", Percent, High, "inodes used", "inode 使用率")),
    of(MOUNT, m("df.inodes.free.percent", Percent, Low, "inodes free", "inode 剩余率")),
    // Disks.
    of(DEVICE, m("disk.io.util", Percent, High, "disk busy", "磁盘繁忙度")),
    of(DEVICE, m("disk.io.await", Milliseconds, High, "disk wait", "磁盘响应时间")),
    of(DEVICE, m("disk.io.r_await", Milliseconds, High, "read wait", "读响应时间")),
    of(DEVICE, m("disk.io.w_await", Milliseconds, High, "write wait", "写响应时间")),
    of(DEVICE, m("disk.io.svctm", Milliseconds, High, "disk service time", "磁盘服务时间")),
    of(DEVICE, m("disk.io.avgqu-sz", Plain, High, "disk queue", "磁盘队列长度")),
    of(DEVICE, m("disk.io.read_requests", PerSecond, Neither, "reads", "读请求")),
    of(DEVICE, m("disk.io.write_requests", PerSecond, Neither, "writes", "写请求")),
    of(DEVICE, m("disk.io.read_bytes", BytesPerSecond, Neither, "read", "读速率")),
    of(DEVICE, m("disk.io.write_bytes", BytesPerSecond, Neither, "written", "写速率")),
    // Interfaces. One that rides on others (a bond, a VLAN, a bridge, a tunnel) has a `kind`: what it carries is counted
    // where it enters the machine, so a sum over all is of those without one.
    of(IFACE, m("net.if.in.bits", BitsPerSecond, Neither, "received", "入流量")),
    of(IFACE, m("net.if.out.bits", BitsPerSecond, Neither, "sent", "出流量")),
    of(IFACE, m("net.if.in.packets", PerSecond, Neither, "packets received", "入包")),
    of(IFACE, m("net.if.out.packets", PerSecond, Neither, "packets sent", "出包")),
    of(IFACE, m("net.if.in.errors", PerSecond, High, "errors received", "入错包")),
    of(IFACE, m("net.if.out.errors", PerSecond, High, "errors sent", "出错包")),
    of(IFACE, m("net.if.in.dropped", PerSecond, High, "dropped received", "入丢包")),
    of(IFACE, m("net.if.out.dropped", PerSecond, High, "dropped sent", "出丢包")),
    of(IFACE, m("net.if.speed.bits", BitsPerSecond, Neither, "speed", "网卡速率")),
    // TCP connections by state, as `ss -s` and ss(8) name them; IPv4 and IPv6 together.
    m("ss.estab", Count, Neither, "established", "已建立"),
    m("ss.synsent", Count, High, "SYN sent", "SYN 已发送"),
    m("ss.synrecv", Count, High, "SYN received", "SYN 已接收"),
    m("ss.finwait1", Count, High, "FIN wait 1", "FIN 等待 1"),
    m("ss.finwait2", Count, High, "FIN wait 2", "FIN 等待 2"),
    m("ss.timewait", Count, High, "TIME_WAIT", "TIME_WAIT"),
    m("ss.closewait", Count, High, "close wait", "CLOSE_WAIT"),
    m("ss.lastack", Count, High, "last ACK", "LAST_ACK"),
    m("ss.closing", Count, High, "closing", "CLOSING"),
    m("ss.listen", Count, Neither, "listening", "监听"),
    m("ss.orphaned", Count, High, "orphaned", "孤儿连接"),
    m("sockets.used", Count, High, "sockets", "套接字"),
    m("sockets.tcp.inuse", Count, High, "TCP sockets", "TCP 套接字"),
    m("sockets.tcp.mem", Bytes, High, "TCP memory", "TCP 内存"),
    m("sockets.udp.inuse", Count, High, "UDP sockets", "UDP 套接字"),
    m("tcp.retrans", PerSecond, High, "TCP segments sent again", "TCP 重传"),
    m("tcp.listen.overflows", PerSecond, High, "accept queue overflows", "全连接队列溢出"),
    m("tcp.listen.drops", PerSecond, High, "connections dropped at listen", "监听丢弃"),
    m("conntrack.count", Count, High, "tracked connections", "连接跟踪数"),
    m("conntrack.max", Count, Neither, "most tracked connections", "连接跟踪上限"),
    m("conntrack.used.percent", Percent, High, "connection tracking used", "连接跟踪使用率"),
    // Tasks.
    m("proc.total", Count, Neither, "processes", "进程数"),
    m("proc.running", Count, High, "running", "运行中"),
    m("proc.blocked", Count, High, "blocked on I/O", "阻塞于 IO"),
    m("pids.current", Count, High, "tasks", "任务数"),
    m("pids.max", Count, Neither, "most tasks", "任务上限"),
    m("pids.used.percent", Percent, High, "tasks used", "任务使用率"),
    of(CGROUP, m("cgroup.pids.current", Count, High, "tasks of the group", "控制组任务数")),
    of(CGROUP, m("cgroup.pids.max", Count, Neither, "most tasks of the group", "控制组任务上限")),
    of(CGROUP, m("cgroup.pids.used.percent", Percent, High, "tasks of the group used", "控制组任务使用率")),
    of(CGROUP, m("cgroup.memory.bytes", Bytes, High, "memory of the group", "控制组内存")),
    m("kernel.files.allocated", Count, High, "open files", "打开文件数"),
    m("kernel.maxfiles", Count, Neither, "most open files", "打开文件上限"),
];

/// The metric of this name, if it is known.
#[must_use]
pub fn metric(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|it| it.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::SeriesName;

    #[test]
    fn each_metric_is_listed_once_under_a_name_that_can_be_read() {
        for (n, it) in METRICS.iter().enumerate() {
            assert_eq!(it.name.parse(), Ok(SeriesName::plain(it.name)));
            assert!(METRICS.iter().skip(n + 1).all(|other| other.name != it.name), "{}", it.name);
            assert!(!it.english.is_empty() && !it.chinese.is_empty() && it.tags.is_sorted());
        }
    }
}
