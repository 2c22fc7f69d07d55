//! What is pasted at services that call a webhook, and at programs that sign what they send.

use super::Address;

/// A body that is signed by a shared secret, and how the integration is told of it.
#[must_use]
pub fn signed(to: &Address) -> String {
    to.fill(
        r#"# in the configuration of the integration:
# signature = { kind = "hmac_sha256", secret = "…", header = "X-Signature" }
body='{"severity":"P1","host":"db-07","summary":"replication lag 412 s"}'
signature=$(printf %s "$body" | openssl dgst -sha256 -hmac "$SECRET" -hex | sed 's/.* //')
curl -sS '{URL}' -H 'content-type: application/json' \
  -H "X-Signature: $signature" --data-binary "$body""#,
    )
}

/// A message as Standard Webhooks has it.
#[must_use]
pub fn standard_webhooks(to: &Address) -> String {
    to.fill(
        r#"# signature = { kind = "standard_webhooks", secret = "whsec_…" }
import datetime, json, os, urllib.request, uuid
from standardwebhooks.webhooks import Webhook

body = json.dumps({"severity": "P1", "host": "db-07", "summary": "replication lag 412 s"})
name, now = f"msg_{uuid.uuid4().hex}", datetime.datetime.now(datetime.timezone.utc)
request = urllib.request.Request("{URL}", body.encode(), {
    "content-type": "application/json", "webhook-id": name,
    "webhook-timestamp": str(int(now.timestamp())),
    "webhook-signature": Webhook(os.environ["SECRET"]).sign(name, now, body),
})
print(urllib.request.urlopen(request, timeout=10).read().decode())"#,
    )
}

/// A webhook of a repository.
#[must_use]
pub fn github(to: &Address) -> String {
    to.fill(
        "Payload URL   {URL}\nContent type  application/json\nSecret        as in signature = { kind = \"github\", secret = \"…\" }\n\n\
         # or by its command\n\
         gh api repos/OWNER/REPOSITORY/hooks -f name=web -F active=true \\\n  \
         -f 'config[url]={URL}' -f 'config[content_type]=json' \\\n  \
         -f \"config[secret]=$SECRET\" -f 'events[]=workflow_run' -f 'events[]=check_run'\n",
    )
}

/// An internal integration of Sentry.
#[must_use]
pub fn sentry(to: &Address) -> String {
    to.fill(
        "Webhook URL   {URL}\nAlert Rule Action  on\nWebhooks      issue\nClient Secret      as in signature = { kind = \"sentry\", secret = \"…\" }\n",
    )
}

/// A subscription of Amazon's SNS or Huawei's SMN.
#[must_use]
pub fn sns(to: &Address) -> String {
    to.fill(
        "aws sns subscribe --topic-arn arn:aws:sns:REGION:ACCOUNT:TOPIC \\\n  --protocol https --notification-endpoint \
         '{URL}'\n\n# Huawei Cloud: Simple Message Notification, Subscriptions, Add\n# Protocol HTTPS, Endpoint {URL}\n",
    )
}

/// An event of CloudEvents, its attributes in headers.
#[must_use]
pub fn cloudevents(to: &Address) -> String {
    to.fill(
        r#"curl -sS '{URL}' -H 'content-type: application/json' \
  -H 'ce-specversion: 1.0' -H 'ce-id: lag-1' -H 'ce-source: /databases/db-07' \
  -H 'ce-type: com.example.replication.lag' --data-binary '{
  "severity": "P1", "host": "db-07", "summary": "replication lag 412 s"
}'"#,
    )
}
