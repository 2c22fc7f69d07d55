//! A source on another machine, reached through the system's `ssh`: it carries the bytes of a socket there to us.
//!
//! Who the other side is, ssh checks by its known hosts; a stranger is refused, and nothing here can switch that off.

use super::{EndpointError, Fault, FaultKind, endpoint::Stream};
use crate::outbound::quote;
use rustls::pki_types::ServerName;
use std::{
    fmt, io,
    path::{Path, PathBuf},
    pin::Pin,
    process::Stdio,
    task::{Context, Poll, ready},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
};

/// Of the last that ssh says; what came before is read and dropped.
const SAID_BYTES: usize = 512;
/// For ssh's own connection, which is a part of what its caller waits for.
const CONNECT_SECONDS: &str = "5";
const USUAL_PORT: u16 = 22;

/// Where a socket is, and as whom we come to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    user: Option<String>,
    name: String,
    port: u16,
    /// Of the socket on that machine; none for what the kind of source usually has.
    socket: Option<String>,
    usual: Usual,
    /// Our private key; ssh's own choice without it.
    key: Option<PathBuf>,
    /// The file of known hosts; ssh's own without it.
    known: Option<PathBuf>,
}

/// What is spoken to when no socket is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usual {
    /// libvirt's own helper, or else its read-only socket.
    Libvirt,
    /// The socket of the switch's database.
    Openvswitch,
}

impl Ssh {
    /// Reads `[user@]name[:port][/path/of/the/socket]`. `key` and `known` are files on this server.
    ///
    /// # Errors
    /// When it is none, or when any part could mean something else to ssh or to a shell.
    pub fn parse(text: &str, usual: Usual, key: Option<&Path>, known: Option<&Path>) -> Result<Self, EndpointError> {
        let (place, socket) = text.find('/').map_or((text, None), |at| (&text[..at], Some(&text[at..])));
        let (user, place) = place.split_once('@').map_or((None, place), |(user, place)| (Some(user), place));
        let (name, port) = super::endpoint::name_and_port(place, USUAL_PORT).map_err(|_| EndpointError::Ssh)?;
        // An option is told from a name by its first letter, and both a shell and ssh's own settings have words of their own.
        let plain = |text: &str, more: &[u8]| {
            !text.is_empty()
                && !text.starts_with('-')
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte) || more.contains(&byte))
        };
        let is_good = plain(&name, b":")
            && ServerName::try_from(name.as_str()).is_ok()
            && user.is_none_or(|user| plain(user, b""))
            && socket.is_none_or(|socket| plain(socket, b"/"));
        if !is_good {
            return Err(EndpointError::Ssh);
        }
        let file = |file: &Path| file.to_str().is_some_and(|text| text.starts_with('/') && plain(text, b"/@+,="));
        if !key.is_none_or(file) || !known.is_none_or(file) {
            return Err(EndpointError::SshFile);
        }
        let owned = |path: Option<&Path>| path.map(Path::to_owned);
        let (user, socket) = (user.map(str::to_owned), socket.map(str::to_owned));
        Ok(Self { user, name, port, socket, usual, key: owned(key), known: owned(known) })
    }

    /// Starts ssh. It has not connected yet: what comes of that is said by the first read.
    ///
    /// # Errors
    /// When there is no ssh.
    pub fn open(&self) -> Result<Stream, Fault> {
        let mut command = Command::new("ssh");
        command.args(self.arguments()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // The settings of this server are nobody else's, and its passwords are among them.
        command.env_remove("TOCSIN_DATABASE").kill_on_drop(true);
        let fault = |error: io::Error| {
            let message = format!("{self}: `ssh` cannot be run ({error}); install OpenSSH's client (openssh-client)");
            Fault::new(FaultKind::Unreachable, message).because(error)
        };
        let mut child = command.spawn().map_err(fault)?;
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(fault(io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Box::new(Carried { _child: child, input, output, said: tokio::spawn(listen(errors)) }))
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> =
            vec!["-T".into(), "-e".into(), "none".into(), "-p".into(), self.port.to_string()];
        let connect = format!("ConnectTimeout={CONNECT_SECONDS}");
        let mut options: Vec<String> = [
            // Nobody is there to be asked.
            "BatchMode=yes",
            "StrictHostKeyChecking=yes",
            &connect,
            "ServerAliveInterval=15",
            "ServerAliveCountMax=3",
            "ClearAllForwardings=yes",
            "ForwardAgent=no",
            "PermitLocalCommand=no",
            // A connection that others share would outlive this one.
            "ControlMaster=no",
            "ControlPath=none",
        ]
        .map(str::to_owned)
        .into();
        if let Some(known) = &self.known {
            options.push(format!("UserKnownHostsFile={}", known.display()));
            options.push("GlobalKnownHostsFile=/dev/null".to_owned());
        }
        if let Some(key) = &self.key {
            options.push(format!("IdentityFile={}", key.display()));
            options.push("IdentitiesOnly=yes".to_owned());
        }
        if let Some(user) = &self.user {
            arguments.extend(["-l".to_owned(), user.clone()]);
        }
        arguments.extend(options.into_iter().flat_map(|option| ["-o".to_owned(), option]));
        arguments.extend(["--".to_owned(), self.name.clone(), self.command()]);
        arguments
    }

    /// For the shell of the other side, whichever it is. There are several `nc`: one of them only ends with its input when
    /// it is told to.
    fn command(&self) -> String {
        let nc = |socket: &str| {
            format!(
                "if nc -q 2>&1 | grep -q \"requires an argument\"; then exec nc -q 0 -U {socket}; else exec nc -U {socket}; fi"
            )
        };
        let line = match (&self.socket, self.usual) {
            (Some(socket), _) => nc(socket),
            (None, Usual::Openvswitch) => nc("/run/openvswitch/db.sock"),
            (None, Usual::Libvirt) => format!(
                "if command -v virt-ssh-helper >/dev/null 2>&1; then exec virt-ssh-helper -r {}; fi; {}",
                super::libvirt::USUAL_URI,
                nc(super::libvirt::USUAL_SOCKET)
            ),
        };
        format!("sh -c '{line}'")
    }

    /// What the end of ssh means, by what it said.
    #[must_use]
    pub(super) fn ended(&self, ended: &Ended) -> Fault {
        let said = ended.0.as_str();
        let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let (kind, mend) = if has(&["Host key verification failed", "host key is known", "REMOTE HOST IDENTIFICATION"])
        {
            let mend = "its key is not among the known hosts; compare it with the machine's own, and add it there \
                        (`ca` names another file of known hosts)";
            (FaultKind::Untrusted, mend)
        } else if has(&["Permission denied", "UNPROTECTED PRIVATE KEY", "no such identity"]) {
            let mend = "it does not let us in; put the public half of `key` into that account's authorized_keys";
            (FaultKind::Refused, mend)
        } else if has(&["not found", "No such file", "not in the groups", "cannot connect to"]) {
            (FaultKind::Unreachable, "install virt-ssh-helper or netcat-openbsd there; is the socket's path right?")
        } else {
            (FaultKind::Unreachable, "try the same with `ssh` from this server's account")
        };
        let said = if said.is_empty() { "it hung up without a word".to_owned() } else { quote(said, &[]) };
        Fault::new(kind, format!("{self}: {mend} (ssh said: {said})"))
    }
}

impl fmt::Display for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssh:")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        let (open, close) = if self.name.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{open}{}{close}:{}", self.name, self.port)?;
        f.write_str(self.socket.as_deref().unwrap_or_default())
    }
}

/// ssh has ended, and what it said.
#[derive(Debug)]
pub(super) struct Ended(String);

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ssh ended: {}", self.0)
    }
}

impl std::error::Error for Ended {}

/// The bytes that ssh carries. It is killed with this value.
struct Carried {
    _child: Child,
    input: ChildStdin,
    output: ChildStdout,
    said: JoinHandle<String>,
}

impl Carried {
    /// ssh has closed our side: waits for its last words, which come with its end.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let said = ready!(Pin::new(&mut self.said).poll(context)).unwrap_or_default();
        // Whoever asks again hears of it again.
        self.said = tokio::spawn(std::future::ready(said.clone()));
        Poll::Ready(io::Error::other(Ended(said)))
    }
}

impl AsyncRead for Carried {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(context, into))?;
        if into.filled().len() > before || into.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        self.poll_end(context).map(Err)
    }
}

impl AsyncWrite for Carried {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.input).poll_write(context, bytes)) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self.poll_end(context).map(Err),
            done => Poll::Ready(done),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(context)
    }
}

/// The last of what ssh says until it ends: a banner of the other side may come before what went wrong.
async fn listen(mut errors: ChildStderr) -> String {
    let (mut said, mut buffer) = (Vec::new(), [0; 1_024]);
    while let Ok(read @ 1..) = errors.read(&mut buffer).await {
        said.extend_from_slice(&buffer[..read]);
        let over = said.len().saturating_sub(SAID_BYTES);
        said.drain(..over);
    }
    String::from_utf8_lossy(&said).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Ssh, EndpointError> {
        Ssh::parse(text, Usual::Libvirt, None, None)
    }

    #[test]
    fn places_are_read_in_every_form() {
        for (text, shown) in [
            ("kvm-1.example.org", "ssh:kvm-1.example.org:22"),
            ("reader@kvm-1:2222", "ssh:reader@kvm-1:2222"),
            ("reader@kvm-1/run/libvirt/libvirt-sock", "ssh:reader@kvm-1:22/run/libvirt/libvirt-sock"),
            ("192.0.2.7:7/run/a.sock", "ssh:192.0.2.7:7/run/a.sock"),
            ("u@[2001:db8::7]:7", "ssh:u@[2001:db8::7]:7"),
            ("2001:db8::7", "ssh:[2001:db8::7]:22"),
        ] {
            assert_eq!(parse(text).map(|ssh| ssh.to_string()), Ok(shown.to_owned()), "{text}");
        }
    }

    #[test]
    fn nothing_that_means_something_else_to_ssh_or_a_shell_gets_through() {
        for text in [
            "",
            "@kvm",
            "-oProxyCommand=touch /tmp/x",
            "-oProxyCommand=x@kvm",
            "user@-oProxyCommand=x",
            "u@kvm/run/a'; touch /tmp/x; '",
            "u@kvm/run/$(touch x)",
            "u@kvm/run/a b",
            "u@kvm:0",
            "a b@kvm",
            "u%h@kvm",
            "u@kvm;x",
            "u@a@kvm",
            "u@kvm\n",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        for file in ["relative", "/a b", "/a\"b", "/a%h", "/a\nb", "/a$b", "/~x'"] {
            let file = Some(Path::new(file));
            assert_eq!(Ssh::parse("kvm", Usual::Libvirt, file, None), Err(EndpointError::SshFile), "{file:?}");
            assert_eq!(Ssh::parse("kvm", Usual::Libvirt, None, file), Err(EndpointError::SshFile), "{file:?}");
        }
    }

    #[test]
    fn strangers_are_refused_and_the_name_stands_where_no_option_can() {
        let (key, known) = (Path::new("/etc/tocsin/id"), Path::new("/etc/tocsin/known_hosts"));
        let ssh = Ssh::parse("reader@kvm-1:2222/run/a.sock", Usual::Libvirt, Some(key), Some(known)).unwrap();
        let arguments = ssh.arguments();
        for option in
            ["StrictHostKeyChecking=yes", "BatchMode=yes", "IdentityFile=/etc/tocsin/id", "IdentitiesOnly=yes"]
        {
            assert!(arguments.iter().any(|argument| argument == option), "{option}: {arguments:?}");
        }
        assert!(arguments.contains(&"UserKnownHostsFile=/etc/tocsin/known_hosts".to_owned()));
        let [.., dashes, name, command] = arguments.as_slice() else { panic!("{arguments:?}") };
        assert_eq!((dashes.as_str(), name.as_str()), ("--", "kvm-1"));
        assert!(command.contains("nc -U /run/a.sock") && !command.contains("virt-ssh-helper"), "{command}");
        let usual = parse("kvm-1").unwrap().command();
        assert!(usual.contains("virt-ssh-helper -r qemu:///system") && usual.contains("libvirt-sock-ro"), "{usual}");
    }

    #[test]
    fn what_ssh_says_is_told_with_the_mend() {
        let ssh = parse("kvm-1").unwrap();
        for (said, kind) in [
            ("No ED25519 host key is known for kvm-1 and you have requested strict checking.", FaultKind::Untrusted),
            ("u@kvm-1: Permission denied (publickey).", FaultKind::Refused),
            ("sh: 1: nc: not found", FaultKind::Unreachable),
            ("", FaultKind::Unreachable),
        ] {
            let fault = ssh.ended(&Ended(said.to_owned()));
            assert!(fault.kind == kind && fault.message.contains("ssh:kvm-1:22"), "{said}: {fault}");
        }
        let long = ssh.ended(&Ended("x\u{1b}".repeat(10_000)));
        assert!(long.message.len() < 2_000 && !long.message.contains('\u{1b}'), "{}", long.message.len());
    }

    proptest! {
        #[test]
        fn whatever_is_read_has_no_word_of_a_shell(text in "\\PC{0,40}") {
            if let Ok(ssh) = parse(&text) {
                let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/".contains(&b));
                prop_assert!(word(&ssh.name) && !ssh.name.starts_with('-'));
                prop_assert!(ssh.user.as_deref().is_none_or(|user| word(user) && !user.starts_with('-')));
                prop_assert!(ssh.socket.as_deref().is_none_or(word));
            }
        }

        #[test]
        fn what_is_shown_is_read_again(text in "([a-z]{1,5}@)?[a-z0-9.-]{1,9}(:[0-9]{1,5})?(/[a-z/.-]{0,9})?") {
            if let Ok(once) = parse(&text) {
                let shown = once.to_string();
                prop_assert_eq!(parse(shown.strip_prefix("ssh:").unwrap()), Ok(once));
            }
        }
    }
}
