//! What is pasted at whatever forwards logs or mail: syslog, Fluent Bit, Fluentd and mail programs.

use super::Address;

/// A line of a script, over syslog.
#[must_use]
pub fn logger(to: &Address) -> String {
    to.fill(
        "logger --server {SYSLOG_HOST} --port {SYSLOG_PORT} --tcp --octet-count --tag alert \\\n  \
         '[P0][PROBLEM][db-07][10.8.3.21][host is down]'",
    )
}

/// For a file in /etc/rsyslog.d.
#[must_use]
pub fn rsyslog(to: &Address) -> String {
    to.fill(
        "local0.* action(type=\"omfwd\" target=\"{SYSLOG_HOST}\" port=\"{SYSLOG_PORT}\" protocol=\"tcp\"\n  \
         TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\"\n  \
         action.resumeRetryCount=\"-1\" queue.type=\"linkedList\")\n",
    )
}

/// For syslog-ng.conf: by an address of its own, or by HTTP with a token.
#[must_use]
pub fn syslog_ng(to: &Address) -> String {
    to.fill(
        "destination d_tocsin { syslog(\"{SYSLOG_HOST}\" transport(\"tcp\") port({SYSLOG_PORT})); };\n\n\
         # or with the token, which needs mod-http and says what was not stored\n\
         destination d_tocsin_http {\n  http(url(\"{URL}/syslog\") method(\"POST\")\n       \
         body(\"<$PRI>1 $ISODATE $HOST $PROGRAM ${PID:--} - - $MSG\"));\n};\n",
    )
}

/// For fluent-bit.conf.
#[must_use]
pub fn fluent_bit(to: &Address) -> String {
    to.fill(
        "[OUTPUT]\n    name             http\n    match            alerts.*\n    host             {NAME}\n    \
         port             {PORT}\n    uri              /ingest/{TOKEN}\n    format           json\n    \
         json_date_format iso8601\n    tls              {TLS}\n",
    )
}

/// For fluentd.conf: posted with the token, or forwarded to an address that the integration listens on.
#[must_use]
pub fn fluentd(to: &Address) -> String {
    to.fill(
        "<match alerts.**>\n  @type http\n  endpoint {URL}\n  content_type application/json\n  json_array true\n  \
         retryable_response_codes 429,500,502,503,504\n  <format>\n    @type json\n  </format>\n  <buffer>\n    \
         flush_interval 1s\n    chunk_limit_size 512k\n  </buffer>\n</match>\n\n\
         # or as it speaks itself, to the address of [integrations.forward]\n\
         <match alerts.**>\n  @type forward\n  require_ack_response true\n  <security>\n    self_hostname \
         \"#{Socket.gethostname}\"\n    shared_key as in shared_key there\n  </security>\n  <server>\n    host {NAME}\n    port \
         24224\n  </server>\n</match>\n",
    )
}

/// For whatever can only write mail.
#[must_use]
pub fn mail(to: &Address) -> String {
    to.fill(
        "{TOKEN}@{NAME}\n\n# for example\nprintf 'lag is 412 s' | mail -s '[P1][PROBLEM][db-07][10.8.3.21][replication lag]' \
         \\\n  {TOKEN}@{NAME}\n",
    )
}
