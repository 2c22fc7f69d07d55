//! Which push services are spoken to: those of the browsers' makers, and those an administrator names.
//!
//! A browser names the address that is posted to, so that without a list anybody could make this server post anywhere.

use shared::config::PushChannel;
use std::net::IpAddr;
use url::{Host, Url};

/// Of the makers: every host under these names.
const MAKERS: [&str; 8] = [
    "google.com",
    "googleapis.com",
    "mozilla.com",
    "mozaws.net",
    "mozgcp.net",
    "windows.com",
    "microsoft.com",
    "apple.com",
];
/// The longest known are of 400 characters.
const ENDPOINT_BYTES: usize = 2_000;

/// The origin of a subscription's endpoint, when it may be pushed to; otherwise why not.
///
/// # Errors
/// A sentence for whoever registered it.
pub fn endpoint(config: &PushChannel, text: &str) -> Result<String, String> {
    if text.len() > ENDPOINT_BYTES {
        return Err("the endpoint is too long".to_owned());
    }
    let url = Url::parse(text).map_err(|_| "the endpoint is no address".to_owned())?;
    let host = url.host().ok_or("the endpoint has no host")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the endpoint holds a login".to_owned());
    }
    let name = canonical(&host.to_string());
    let is_own = config.hosts.iter().any(|own| canonical(own) == name);
    if !is_own && !is_of_makers(&url) {
        return Err(format!(
            "{name} is no push service this server knows; an administrator can name it in channels.push.hosts"
        ));
    }
    // What is named and does not leave this machine needs no certificate.
    let stays_here = is_own && is_loopback(&host);
    match url.scheme() {
        "https" => Ok(url.origin().ascii_serialization()),
        "http" if stays_here => Ok(url.origin().ascii_serialization()),
        _ => Err("the endpoint is not https://".to_owned()),
    }
}

/// Whether it is at one of those who make browsers.
pub(super) fn is_makers(endpoint: &str) -> bool {
    Url::parse(endpoint).is_ok_and(|url| is_of_makers(&url))
}

fn is_of_makers(url: &Url) -> bool {
    let Some(Host::Domain(name)) = url.host() else { return false };
    let name = canonical(name);
    let is_below = |maker: &&str| name.strip_suffix(*maker).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    url.port().is_none() && MAKERS.iter().any(is_below)
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(v4) => v4.is_loopback(),
        Host::Ipv6(v6) => v6.is_loopback(),
        Host::Domain(name) => canonical(name) == "localhost",
    }
}

fn canonical(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether a text of `channels.push.hosts` is the name or address of a host.
pub(super) fn host(text: &str) -> Result<(), String> {
    let bad = || format!("`{text}` is no host; write its name alone, such as push.example.org");
    let read = Host::parse(text).map_err(|_| bad())?;
    // What is taken for a host in a URL and is not one: `a/b` is refused above, an empty text is here.
    if canonical(&read.to_string()).is_empty() { Err(bad()) } else { Ok(()) }
}

/// Whether push services can write to this: Apple refuses every push of a server that says they cannot.
pub(super) fn contact(text: &str) -> Result<(), String> {
    let mend = "write mailto: with an address that receives mail, such as mailto:oncall@example.org, or the https:// \
                address of this server";
    let domain = if let Some(mailbox) = text.strip_prefix("mailto:") {
        let (local, domain) = mailbox.rsplit_once('@').ok_or_else(|| format!("`{text}` has no @; {mend}"))?;
        if local.is_empty() || mailbox.contains(|c: char| c.is_whitespace() || c.is_control() || "<>?,".contains(c)) {
            return Err(format!("`{text}` is no single mail address; {mend}"));
        }
        domain.to_owned()
    } else {
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "https");
        let url = url.ok_or_else(|| format!("`{text}` is neither mailto: nor https://; {mend}"))?;
        url.host_str().unwrap_or_default().to_owned()
    };
    let domain = canonical(&domain);
    let last = domain.rsplit('.').next().unwrap_or_default();
    let is_name = domain.parse::<IpAddr>().is_err()
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
        && Host::parse(&domain).is_ok_and(|host| matches!(host, Host::Domain(_)));
    if !is_name || matches!(last, "localhost" | "local" | "localdomain" | "invalid") {
        return Err(format!("push services cannot write to `{domain}`, and Apple refuses pushes then; {mend}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(hosts: &[&str]) -> PushChannel {
        PushChannel { contact: None, hosts: hosts.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn only_push_services_are_pushed_to() {
        let config = config(&["push.lan", "127.0.0.1", "localhost"]);
        for (text, origin) in [
            ("https://fcm.googleapis.com/fcm/send/abc:APA91", "https://fcm.googleapis.com"),
            ("https://updates.push.services.mozilla.com/wpush/v2/gAAAA", "https://updates.push.services.mozilla.com"),
            ("https://web.push.apple.com/QGu", "https://web.push.apple.com"),
            ("https://wns2-par02p.notify.windows.com/w/?token=BQ", "https://wns2-par02p.notify.windows.com"),
            ("https://WEB.PUSH.APPLE.COM:443/x", "https://web.push.apple.com"),
            ("https://push.lan:8443/up/x", "https://push.lan:8443"),
            ("http://127.0.0.1:9/x", "http://127.0.0.1:9"),
        ] {
            assert_eq!(endpoint(&config, text).as_deref(), Ok(origin), "{text}");
        }
        for text in [
            "https://evilapple.com/x",
            "https://apple.com.evil.example/x",
            "https://web.push.apple.com@evil.example/x",
            "https://a:b@web.push.apple.com/x",
            "https://web.push.apple.com:8443/x",
            "http://web.push.apple.com/x",
            "http://push.lan/x",
            "https://127.0.0.2/x",
            "http://2130706434/x",
            "https://169.254.169.254/latest",
            "https://sub.push.lan/x",
            "ftp://127.0.0.1/x",
            "https:///x",
            "nothing",
            "",
            &format!("https://web.push.apple.com/{}", "x".repeat(2_000)),
        ] {
            assert!(endpoint(&config, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_contact_is_one_that_can_be_written_to() {
        for text in
            ["mailto:a@example.org", "https://tocsin.example.org", "https://tocsin.example.org/x", "mailto:a.b+c@x.io"]
        {
            assert_eq!(contact(text), Ok(()), "{text}");
        }
        for text in [
            "mailto:x@localhost",
            "mailto:x@mail",
            "mailto:@example.org",
            "mailto:example.org",
            "mailto:a@b@",
            "mailto:a@example..org",
            "mailto:Me <a@example.org>",
            "a@example.org",
            "http://tocsin.example.org",
            "https://localhost:8080",
            "https://tocsin.localhost",
            "https://10.0.0.1",
            "https://[::1]",
            "https://tocsin",
            "",
        ] {
            let why = contact(text).unwrap_err();
            assert!(why.contains("mailto:oncall@example.org"), "{text}: {why}");
        }
    }

    #[test]
    fn an_own_push_service_is_named_by_its_host() {
        for (text, good) in
            [("push.lan", true), ("10.0.0.1", true), ("https://push.lan", false), ("a/b", false), ("", false)]
        {
            assert_eq!(host(text).is_ok(), good, "{text}");
        }
    }
}
