//! What is left when every delivery about something urgent failed, the fallback's as well: the machine this server runs on.
//! The log says so, a file keeps it, and a program of the operator's may sound a siren.

use super::writer::Writer;
use engine::Changes;
use shared::{Incident, Timestamp, config::Language, text::page_text, timeline::Happening};
use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{process::Command, sync::Semaphore, time::timeout};

/// A siren that sounds longer goes on by itself.
const PROGRAM_PATIENCE: Duration = Duration::from_secs(60);

/// One that is called for, and those who wait for it to end.
const QUEUE: usize = 8;

/// Where it is told; as it stands only in the log.
#[derive(Clone, Debug, Default)]
pub struct LastResort {
    file: Option<PathBuf>,
    program: Option<Siren>,
}

/// A program that runs once at a time.
#[derive(Clone, Debug)]
struct Siren {
    program: PathBuf,
    free: Arc<Semaphore>,
    /// Places for those who wait: when a network is gone, a storm of incidents reaches nobody, and a few sirens are enough.
    queue: Arc<Semaphore>,
}

/// What nobody knows of.
struct Unknown {
    at: Timestamp,
    incident: i64,
    severity: &'static str,
    title: String,
    url: String,
}

impl LastResort {
    /// A file that is appended to, and a program that is run.
    #[must_use]
    pub fn new(file: PathBuf, program: Option<PathBuf>) -> Self {
        let of = |places| Arc::new(Semaphore::new(places));
        let program = program.map(|program| Siren { program, free: of(1), queue: of(QUEUE) });
        Self { file: Some(file), program }
    }

    async fn tell(self, about: Unknown) {
        let Unknown { incident, title, .. } = &about;
        tracing::error!(incident, title, "nobody can be reached: every delivery failed, the fallback's as well");
        if let Some(file) = self.file {
            let line = about.line();
            let path = file.clone();
            let written = tokio::task::spawn_blocking(move || append(&path, &line)).await;
            match written {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, file = %file.display(), "the last resort cannot be written"),
                Err(error) => tracing::error!(%error, "the last resort was not written"),
            }
        }
        if let Some(siren) = self.program {
            siren.sound(&about).await;
        }
    }
}

impl Siren {
    async fn sound(self, about: &Unknown) {
        let program = self.program.display().to_string();
        let Ok(_place) = self.queue.try_acquire() else {
            tracing::warn!(program, incident = about.incident, "the last resort is being called for others");
            return;
        };
        // Nobody closes it.
        let _turn = self.free.acquire().await;
        match run(&self.program, about).await {
            Ok(()) => tracing::info!(program, "the last resort was called"),
            Err(why) => tracing::error!(program, why, "the last resort failed"),
        }
    }
}

impl Unknown {
    fn line(&self) -> String {
        let Self { at, incident, severity, title, url } = self;
        let title = title.replace(char::is_control, " ");
        let at = jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default();
        format!("{at} {severity} incident {incident}: nobody can be reached about {title} {url}\n")
    }
}

fn append(file: &Path, line: &str) -> io::Result<()> {
    use io::Write as _;
    std::fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(line.as_bytes())
}

/// Runs it without a shell and without this server's own settings.
async fn run(program: &Path, about: &Unknown) -> Result<(), String> {
    let mut command = Command::new(program);
    command.env_remove("TOCSIN_DATABASE").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    command.env("TOCSIN_INCIDENT", about.incident.to_string()).env("TOCSIN_SEVERITY", about.severity);
    command.env("TOCSIN_TITLE", about.title.replace('\0', " ")).env("TOCSIN_URL", &about.url);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    match timeout(PROGRAM_PATIENCE, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(status.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it took longer than {} s and was ended", PROGRAM_PATIENCE.as_secs())),
    }
}

impl Writer {
    /// Tells of every incident that nobody knows of since this commit.
    pub(super) fn call_last_resort(&self, changes: &Changes, now: Timestamp) {
        let unreached = changes.timeline.iter().filter(|entry| matches!(entry.what, Happening::Unreached { .. }));
        for id in unreached.map(|entry| entry.incident).collect::<std::collections::BTreeSet<_>>() {
            let Some(incident) = self.engine.state.incidents.get(&id) else { continue };
            let about = self.unknown(incident, now);
            self.dispatcher.tasks.spawn(self.last_resort.clone().tell(about));
        }
    }

    fn unknown(&self, incident: &Incident, at: Timestamp) -> Unknown {
        Unknown {
            at,
            incident: incident.id.0,
            severity: incident.severity.as_str(),
            title: page_text(Language::En, incident, 0, false).title,
            url: self.vitals.links.incident(incident.id),
        }
    }
}
