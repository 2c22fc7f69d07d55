//! Where machines run, as sentences: hypervisors under suspicion, VMs that moved, and the neighbourhood in a page.

use super::{Language, Voice, span};
use crate::{
    messages,
    placement::{Common, Neighbourhood},
    timeline::Happening,
};

messages! {
    hypervisor() { en: "hypervisor", zh: "宿主机" }
    switch() { en: "switch", zh: "交换机" }
    datastore() { en: "datastore", zh: "存储" }
    suspected(what: &str, name: &str, failing: u32, of: u32, within: &str, least: u32) { en: "The {what} {name} is suspected: {failing} of {of} VMs there fail alike within {within} ({least} are enough). They page nobody while it lasts", zh: "怀疑{what} {name} 故障：其上 {of} 台虚拟机中有 {failing} 台在 {within}内出现相同故障（达到 {least} 台即怀疑）。期间这些虚拟机不再单独通知" }
    suspected_vms(names: &str) { en: ": {names}", zh: "：{names}" }
    calms(failing: u32, wait: &str) { en: "{failing} still fail: whoever does in {wait} pages for themselves", zh: "仍有 {failing} 台故障：{wait}后仍未恢复的将单独通知" }
    moved(vm: &str, from: &str, to: &str) { en: "VM {vm} runs on {to} now, no longer on {from}", zh: "虚拟机 {vm} 已从 {from} 迁移到 {to}" }
    alone(vm: &str, hypervisor: &str) { en: "VM {vm} on {hypervisor}, the only one there", zh: "虚拟机 {vm} 位于 {hypervisor}，其上没有其他虚拟机" }
    quiet_one(vm: &str, hypervisor: &str) { en: "VM {vm} on {hypervisor}; the other one there is quiet", zh: "虚拟机 {vm} 位于 {hypervisor}；其上另一台正常" }
    quiet(vm: &str, hypervisor: &str, others: u32) { en: "VM {vm} on {hypervisor}; {others} others there are quiet", zh: "虚拟机 {vm} 位于 {hypervisor}；其上另外 {others} 台正常" }
    failing(vm: &str, hypervisor: &str, failing: u32, of: u32) { en: "VM {vm} on {hypervisor}; {failing} of {of} VMs there have something open", zh: "虚拟机 {vm} 位于 {hypervisor}；其上 {of} 台中有 {failing} 台存在未恢复的告警" }
}

/// What VMs have in common, in a word.
#[must_use]
pub fn common(l: Language, what: Common) -> String {
    match what {
        Common::Hypervisor => hypervisor(l),
        Common::Switch => switch(l),
        Common::Datastore => datastore(l),
    }
}

/// An entry about where machines run; nothing for any other.
pub(super) fn happening(voice: &Voice<'_>, what: &Happening) -> String {
    let l = voice.l;
    match what {
        Happening::Suspected { what, name, vms, failing, of, least, within_ms, .. } => {
            let (what, of) = (common(l, *what), (*of).max(*failing));
            let said = suspected(l, &what, name, *failing, of, &span(l, *within_ms), *least);
            if vms.is_empty() { said } else { said + &suspected_vms(l, &vms.join(", ")) }
        }
        Happening::SuspicionCalms { failing, calm_ms } => calms(l, *failing, &span(l, *calm_ms)),
        Happening::VmMoved { vm, from, to } => moved(l, vm, from, to),
        _ => String::new(),
    }
}

/// Which VM it is, on which hypervisor, and whether it is the only one there: the end of a page's text.
#[must_use]
pub fn neighbourhood(l: Language, it: &Neighbourhood) -> String {
    match (it.vms, it.failing) {
        (0 | 1, _) => alone(l, &it.vm, &it.hypervisor),
        (2, 0 | 1) => quiet_one(l, &it.vm, &it.hypervisor),
        (vms, 0 | 1) => quiet(l, &it.vm, &it.hypervisor, vms - 1),
        (vms, failing_there) => failing(l, &it.vm, &it.hypervisor, failing_there, vms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_whether_the_neighbours_are_well() {
        let say = |vms, failing| {
            let it = Neighbourhood { vm: "web01".into(), hypervisor: "esx-07".into(), vms, failing };
            neighbourhood(Language::En, &it)
        };
        assert_eq!(say(15, 1), "VM web01 on esx-07; 14 others there are quiet");
        assert_eq!(say(2, 1), "VM web01 on esx-07; the other one there is quiet");
        assert_eq!(say(1, 1), "VM web01 on esx-07, the only one there");
        assert_eq!(say(15, 4), "VM web01 on esx-07; 4 of 15 VMs there have something open");
    }
}
