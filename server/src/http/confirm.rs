//! Confirming a subscription: Amazon's SNS and Huawei's SMN send nothing until an address in their first message was fetched. Nothing in a
//! message is ever fetched by itself; an administrator has it done, and only at these two services.

use super::{
    App,
    app::{act, now},
    principal::Principal,
    problem::ApiError,
    session,
};
use crate::{
    db::AuditEntry,
    outbound::{Deadlines, Outbound, quote},
};
use actix_web::{http::StatusCode, web};
use engine::normalize;
use shared::{
    EventId, Failure,
    api::{Confirmed, Subscription},
    config::WebhookChannel,
};
use url::{Host, Url};

/// Under which an act stands in the record.
const ACTION: &str = "subscription.confirm";
/// What stands there until it is known what came of it.
const ASKED: &str = "asked";
/// Where SMN's addresses lead: the consoles, at this path and no other.
const CONSOLES: &[&str] = &["console.huaweicloud.com", "console-intl.huaweicloud.com"];
const CONSOLE_PATH: &str = "/smn/subscription/confirm";

/// The address, if it is one of SNS or SMN by which a subscription is confirmed, and nothing else done.
fn known(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let is_plain =
        url.scheme() == "https" && url.port().is_none() && url.username().is_empty() && url.password().is_none();
    let Some(Host::Domain(host)) = url.host().filter(|_| is_plain) else { return None };
    let parts: Vec<&str> = host.split('.').collect();
    let confirms = || {
        let mut actions = url.query_pairs().filter(|(name, _)| name.eq_ignore_ascii_case("action"));
        actions.next().is_some_and(|(_, action)| action == "ConfirmSubscription") && actions.next().is_none()
    };
    let is_known = match parts.as_slice() {
        ["sns", region, "amazonaws", "com"] | ["sns", region, "amazonaws", "com", "cn"] => {
            is_region(region) && url.path() == "/" && confirms()
        }
        ["smn", region, "myhuaweicloud", "com"] => is_region(region) && url.path().ends_with("/confirm"),
        _ => CONSOLES.contains(&host) && url.path() == CONSOLE_PATH,
    };
    is_known.then_some(url)
}

/// `us-gov-west-1`. What else stands there is the name of a service, where anybody may own a bucket called `sns`.
fn is_region(name: &str) -> bool {
    let mut parts = name.split('-').rev();
    let number = parts.next().unwrap_or_default();
    let words: Vec<&str> = parts.collect();
    let is = |part: &str, kind: fn(&u8) -> bool| !part.is_empty() && part.as_bytes().iter().all(kind);
    is(number, u8::is_ascii_digit) && words.len() >= 2 && words.iter().all(|word| is(word, u8::is_ascii_lowercase))
}

fn host_of(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned)).unwrap_or_default()
}

/// How the subscription stands that a message asks about.
pub(super) async fn standing(app: &App, id: EventId, url: &str) -> Result<Subscription, ApiError> {
    let confirmed_at = app.db(move |store| store.audit_last(ACTION, &id.to_string())).await?;
    Ok(Subscription { host: host_of(url), known: known(url).is_some(), confirmed_at })
}

pub(super) async fn confirm(
    app: web::Data<App>,
    by: Principal,
    id: web::Path<i64>,
) -> Result<web::Json<Confirmed>, ApiError> {
    let id = EventId(id.into_inner());
    let message = app.db(move |store| store.event(id)).await?.ok_or_else(|| ApiError::not_found("message"))?;
    let asked = normalize::subscription(&message.body).ok_or_else(|| {
        ApiError::new(StatusCode::CONFLICT, "no_subscription", "This message does not ask about a subscription")
    })?;
    let host = host_of(&asked);
    let url = known(&asked).ok_or_else(|| {
        let title = "This address is not one of a known service";
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_service", title).detail(format!(
            "`{host}` is none of Amazon's SNS or Huawei's SMN. Open the link in the message if you trust it."
        ))
    })?;
    // It is others' server.
    let whose = format!("confirm {id}");
    app.throttle(|throttle| throttle.admit(&whose, by.peer, now())).map_err(session::throttled)?;
    let outbound = client().map_err(|error| ApiError::unavailable().detail(error))?;
    let mut entry = act(&by.record_name(), ACTION, id.to_string(), format!("at {host}"));
    // Before it is done, so that nothing is done without a record.
    let asked = AuditEntry { outcome: ASKED.to_owned(), ..entry.clone() };
    app.db(move |store| store.audit_append(&asked)).await?;
    let said = ask(&outbound, &url).await;
    if let Err(failure) = &said {
        entry.outcome.clone_from(&failure.detail);
    }
    entry.at = now();
    app.db(move |store| store.audit_append(&entry)).await?;
    let said = said.map_err(|failure| {
        ApiError::new(StatusCode::BAD_GATEWAY, "not_confirmed", "The service did not confirm it")
            .detail(format!("{host}: {}", failure.detail))
    })?;
    Ok(web::Json(Confirmed { host, said }))
}

/// Nobody allows these two what is allowed to the webhooks of the house: private networks, and no encryption.
fn client() -> Result<Outbound, String> {
    Outbound::new(&WebhookChannel::default(), &[], Deadlines::default())
}

/// Fetches the address once; gives the beginning of what was said, without markup and without the token.
async fn ask(outbound: &Outbound, url: &Url) -> Result<String, Failure> {
    let secret = |(name, value): (_, std::borrow::Cow<'_, str>)| {
        (name == "Token" || name == "token").then(|| value.into_owned())
    };
    let secrets: Vec<String> = url.query_pairs().filter_map(secret).collect();
    let answer = outbound.get(url.as_str(), secrets.clone()).await?;
    let mut words = String::new();
    let mut is_markup = false;
    for c in String::from_utf8_lossy(&answer.body).chars() {
        match c {
            '<' => is_markup = true,
            '>' => {
                is_markup = false;
                words.push(' ');
            }
            _ if is_markup => {}
            _ => words.push(c),
        }
    }
    Ok(quote(&words, &secrets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    #[test]
    fn only_the_two_services_are_asked() {
        for url in [
            "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=1",
            "https://SNS.cn-north-1.amazonaws.com.cn/?Action=ConfirmSubscription",
            "https://smn.cn-north-4.myhuaweicloud.com/smn/confirm?token=1",
            "https://console.huaweicloud.com/smn/subscription/confirm?token=1",
            "https://sns.us-gov-west-1.amazonaws.com:443/?Action=ConfirmSubscription&TopicArn=t&Token=1",
            "https://smn.eu-west-101.myhuaweicloud.com/smn/subscription/confirm?token=1",
        ] {
            assert!(known(url).is_some(), "{url}");
        }
        for url in [
            "http://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.us-west-2.amazonaws.com:8443/?Action=ConfirmSubscription",
            "https://sns.us-west-2.amazonaws.com@evil.example/?Action=ConfirmSubscription",
            "https://evil@sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.us-west-2.amazonaws.com.evil.example/?Action=ConfirmSubscription",
            "https://sns.us-west-2.amazonaws.com.cn.evil.example/?Action=ConfirmSubscription",
            "https://sns..amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.a.b.amazonaws.com/?Action=ConfirmSubscription",
            // A bucket of this name.
            "https://sns.s3.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.s3-us-west-2.amazonaws.com/?Action=ConfirmSubscription",
            "https://sns.s3-accelerate.amazonaws.com/?Action=ConfirmSubscription",
            "https://smn.obs.myhuaweicloud.com/smn/subscription/confirm",
            // Something else than this.
            "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-west-2:1:t:2bcf",
            "https://sns.us-west-2.amazonaws.com/?Action=Unsubscribe&Action=ConfirmSubscription",
            "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription&action=Unsubscribe",
            "https://sns.us-west-2.amazonaws.com/",
            "https://smn.cn-north-4.myhuaweicloud.com/smn/subscription/unsubscribe?token=1",
            "https://s3.us-west-2.amazonaws.com/bucket",
            "https://sqs.us-west-2.amazonaws.com/",
            "https://bucket.myhuaweicloud.com/",
            "https://console.huaweicloud.com/iam",
            "https://console.huaweicloud.com/smn/subscription/confirm/../../../iam",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://localhost/",
            "file:///etc/passwd",
            "sns.us-west-2.amazonaws.com",
            "",
        ] {
            assert!(known(url).is_none(), "{url}");
        }
    }

    /// Answers one request, and gives what was asked.
    async fn service(listener: TcpListener, answer: &str) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4_096];
        let length = stream.read(&mut asked).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&asked[..length]).into_owned()
    }

    async fn asked(answer: &str) -> (Result<String, Failure>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?Action=ConfirmSubscription&Token=5ecret5ecret", listener.local_addr().unwrap());
        let limits = WebhookChannel { allow_networks: vec!["127.0.0.0/8".to_owned()], allow_http: false };
        let (outbound, url) = (Outbound::new(&limits, &[], Deadlines::default()).unwrap(), Url::parse(&url).unwrap());
        tokio::join!(ask(&outbound, &url), service(listener, answer))
    }

    #[tokio::test]
    async fn what_the_service_says_is_told_in_short_and_without_the_token() {
        let body = "<ConfirmSubscriptionResponse><SubscriptionArn>arn:aws:sns:us-west-2:1:t:2bcf</SubscriptionArn>\
            <Token>5ecret5ecret</Token></ConfirmSubscriptionResponse>";
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let (said, request) = asked(&answer).await;
        assert!(request.starts_with("GET /?Action=ConfirmSubscription&Token=5ecret5ecret HTTP/1.1"), "{request}");
        assert_eq!(said.unwrap(), "arn:aws:sns:us-west-2:1:t:2bcf …");
    }

    #[tokio::test]
    async fn a_refusal_is_told_and_a_redirect_leads_nowhere() {
        let body = "<Error><Code>InvalidParameter</Code></Error>";
        let refused = asked(&format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
        assert!(refused.0.unwrap_err().detail.contains("it answered 400"));
        let moved = asked("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
        assert!(moved.0.unwrap_err().detail.contains("redirects are not followed"));
    }

    #[tokio::test]
    async fn a_private_address_is_not_asked_whatever_its_name() {
        let client = client().unwrap();
        let failure = ask(&client, &Url::parse("https://10.0.0.1/").unwrap()).await.unwrap_err();
        assert!(failure.detail.contains("private"), "{failure:?}");
        // A name whose address is private, as one that an attacker answers for would be.
        let failure = ask(&client, &Url::parse("https://localhost/").unwrap()).await.unwrap_err();
        assert!(failure.detail.contains("private"), "{failure:?}");
    }
}
