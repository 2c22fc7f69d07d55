//! What people ask for: a mirror, and somebody's agreement, more time, and the end of one.

use super::{
    MirrorAct, MirrorCommand, MirrorRefusal, Request, check,
    lifecycle::{Running, destination},
};
use crate::{engine::Turn, event::Refusal};
use shared::{
    MirrorId, Timestamp,
    mirror::{About, Evidence, Mirror, MirrorEnd, MirrorPlace, MirrorSource, MirrorState, Weight},
    timeline::{Actor, MirrorEvent},
};

impl Turn<'_> {
    /// Somebody asks for a mirror, or does something about one.
    pub(crate) fn mirror(&mut self, by: Actor, act: MirrorAct) -> Result<Vec<MirrorId>, Refusal> {
        let done = match act {
            MirrorAct::Request(request) => self.request_mirror(by, *request).map(|id| vec![id]),
            MirrorAct::Approve { mirror, hash } => self.approve_mirror(by, mirror, &hash).map(|()| vec![mirror]),
            MirrorAct::Extend { mirror, until } => self.extend_mirror(by, mirror, until).map(|()| vec![mirror]),
            MirrorAct::Stop { mirror } => self.stop_mirror(by, mirror).map(|()| vec![mirror]),
            MirrorAct::Panic { places } => Ok(self.panic_mirrors(&by, &places)),
        };
        done.map_err(|refusal| Refusal::Mirror(Box::new(refusal)))
    }

    fn request_mirror(&mut self, by: Actor, request: Request) -> Result<MirrorId, MirrorRefusal> {
        let Request { spec, mut world, plan, seen, key } = request;
        let ours = self.engine.state.mirrors.values().map(|it| &it.mirror);
        if let Some(same) = ours.clone().find(|it| key.is_some() && it.key == key && it.by == by) {
            return Ok(same.id);
        }
        // Whoever asked before us may have taken the destination since the world was looked at.
        world.mirrors = ours.cloned().collect();
        world.now = self.now;
        let findings = check(&spec, &world);
        if findings.iter().any(|it| it.weight == Weight::Blocks) {
            return Err(MirrorRefusal::Blocked(findings));
        }
        if plan.hash != seen {
            return Err(MirrorRefusal::OtherPlan { now: plan.hash });
        }
        // No finding blocks, so it ends: the first rule.
        let expires_at = spec.expires_at.ok_or(MirrorRefusal::Blocked(findings.clone()))?;
        let needs_approval = findings.iter().any(|it| matches!(it.about, About::SecondPerson { .. }));
        if needs_approval && by.login().is_none() {
            return Err(MirrorRefusal::NeedsAccount);
        }
        let id = self.engine.state.counters.next_mirror();
        let starts_at = spec.starts_at.unwrap_or(self.now).max(self.now);
        let state = if needs_approval { MirrorState::Planned } else { MirrorState::Approved };
        let of = match &spec.source {
            MirrorSource::Nics { .. } => {
                world.sources.iter().flat_map(|(_, found)| found).map(|it| it.vm.clone()).collect()
            }
            MirrorSource::Vlans { vlans } => vlans.iter().map(|vlan| format!("VLAN {vlan}")).collect(),
        };
        let requested = MirrorEvent::Requested {
            of,
            to: destination(&spec.transport),
            until: expires_at,
            needs_approval,
            plan: short(&plan.hash),
            reason: spec.reason.clone(),
        };
        let mirror = Mirror {
            id,
            spec,
            plan,
            findings,
            state,
            by: by.clone(),
            created_at: self.now,
            key,
            needs_approval,
            approved: None,
            starts_at,
            expires_at,
            latest: self.now.after(self.config.document.mirrors.longest).max(expires_at),
            tries: 0,
            trouble: None,
            progress: None,
            applied_at: None,
            verified: None,
            evidence: Evidence::default(),
            ended: None,
            stopped_at: None,
            proved_at: None,
            unprovable: false,
            steps: Vec::new(),
        };
        self.engine.state.mirrors.insert(id, Running::new(mirror, self.now));
        self.step(id, by, requested);
        self.engine.arm_mirror(id);
        Ok(id)
    }

    fn approve_mirror(&mut self, by: Actor, id: MirrorId, hash: &str) -> Result<(), MirrorRefusal> {
        let mirror = self.known(id)?;
        if mirror.state != MirrorState::Planned {
            return Err(MirrorRefusal::NotWaiting);
        }
        if mirror.plan.hash != hash {
            return Err(MirrorRefusal::OtherPlan { now: mirror.plan.hash.clone() });
        }
        let Some(login) = by.login() else { return Err(MirrorRefusal::NeedsAccount) };
        let person = self.config.person_of(&by);
        if mirror.by.login() == Some(login) || (person.is_some() && person == self.config.person_of(&mirror.by)) {
            return Err(MirrorRefusal::OwnApproval);
        }
        let plan = short(hash);
        self.change(id, |mirror, now| {
            mirror.approved = Some((by.clone(), now));
            mirror.state = MirrorState::Approved;
        });
        self.step(id, by, MirrorEvent::Approved { plan });
        self.engine.arm_mirror(id);
        Ok(())
    }

    fn extend_mirror(&mut self, by: Actor, id: MirrorId, until: Timestamp) -> Result<(), MirrorRefusal> {
        let mirror = self.known(id)?;
        if !mirror.state.is_running() {
            return Err(MirrorRefusal::NotRunning);
        }
        if until <= self.now {
            return Err(MirrorRefusal::InThePast);
        }
        if until > mirror.latest {
            return Err(MirrorRefusal::TooLate { latest: mirror.latest });
        }
        self.change(id, |mirror, _| mirror.expires_at = until);
        self.step(id, by, MirrorEvent::Extended { until });
        if let Some(running) = self.engine.state.mirrors.get_mut(&id) {
            running.untagged = true;
        }
        self.effects.mirrors.push(MirrorCommand::Retag { mirror: id });
        self.engine.arm_mirror(id);
        Ok(())
    }

    fn stop_mirror(&mut self, by: Actor, id: MirrorId) -> Result<(), MirrorRefusal> {
        let state = self.known(id)?.state;
        // To be asked once more is no mistake: whoever asks wants it gone.
        if !matches!(state, MirrorState::Stopping | MirrorState::Stopped) {
            self.end_mirror(id, MirrorEnd::Asked { at: self.now, by: by.clone() }, by);
        }
        Ok(())
    }

    /// Everything on these switches was removed at once.
    fn panic_mirrors(&mut self, by: &Actor, places: &[MirrorPlace]) -> Vec<MirrorId> {
        let concerned = |mirror: &Mirror| mirror.state.may_run() && places.contains(&mirror.place());
        let ids: Vec<MirrorId> = self
            .engine
            .state
            .mirrors
            .values()
            .filter(|it| concerned(&it.mirror) && it.mirror.state != MirrorState::Stopping)
            .map(|it| it.mirror.id)
            .collect();
        for id in &ids {
            self.end_mirror(*id, MirrorEnd::Panic { at: self.now, by: by.clone() }, by.clone());
        }
        ids
    }
}

/// The beginning of a hash, as people compare it.
fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}
