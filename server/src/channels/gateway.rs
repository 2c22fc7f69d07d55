//! Any HTTP interface that writes text messages or makes calls: fields with placeholders, posted as a form or as JSON.

use super::{Accepted, chat, message::Message, phone};
use crate::outbound::{Outbound, OutboundRequest, permanent, transient, visible};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::header::HeaderName;
use shared::{
    Failure,
    config::{Gateway, GatewayFor, GatewayFormat},
};
use std::{collections::BTreeMap, fmt};
use url::{Url, form_urlencoded};

/// Several segments; gateways cut or refuse what is longer.
const TEXT_CHARS: usize = 500;
/// Headers hold ASCII only; whatever else is said there is written in its bytes.
const IN_HEADERS: &AsciiSet = &CONTROLS.add(b'%');

/// What stands for something in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    To,
    Text,
    Title,
    Level,
    Host,
    Ip,
    What,
    Link,
    Key,
    Callback,
    Token,
}

impl Slot {
    const ALL: [(&'static str, Self); 11] = [
        ("to", Self::To),
        ("text", Self::Text),
        ("title", Self::Title),
        ("level", Self::Level),
        ("host", Self::Host),
        ("ip", Self::Ip),
        ("what", Self::What),
        ("link", Self::Link),
        ("key", Self::Key),
        ("callback", Self::Callback),
        ("token", Self::Token),
    ];
}

/// A piece of a field.
enum Part {
    Plain(String),
    Slot(Slot),
}

/// The value of a field, read once: what is put in is never looked at for placeholders again.
struct Template(Vec<Part>);

impl Template {
    /// Fails with the name of a placeholder that is none.
    fn read(text: &str) -> Result<Self, String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            parts.push(Part::Plain(before.to_owned()));
            let name = after.split_once('}').filter(|(name, _)| is_name(name));
            rest = match name {
                Some((name, after)) => {
                    let slot = Slot::ALL.into_iter().find(|(known, _)| *known == name);
                    parts.push(Part::Slot(slot.ok_or_else(|| name.to_owned())?.1));
                    after
                }
                // Somebody's own brace.
                None => {
                    parts.push(Part::Plain("{".to_owned()));
                    after
                }
            };
        }
        parts.push(Part::Plain(rest.to_owned()));
        Ok(Self(parts))
    }

    fn has(&self, wanted: Slot) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Slot(slot) if *slot == wanted))
    }

    fn fill(&self, value: impl Fn(Slot) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Plain(text) => text.clone(),
            Part::Slot(slot) => value(*slot),
        };
        self.0.iter().map(part).collect()
    }

    /// What is the same in every message; it may be a password.
    fn constant(&self) -> Option<String> {
        let fixed = self.0.iter().all(|part| matches!(part, Part::Plain(_)));
        fixed.then(|| self.fill(|_| String::new()))
    }
}

/// Words that could be meant as a placeholder; `{"a": 1}` could not.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// One configured gateway.
pub(super) struct HttpGateway {
    id: String,
    url: Url,
    sends: GatewayFor,
    format: GatewayFormat,
    fields: BTreeMap<String, Template>,
    headers: Vec<(HeaderName, Template)>,
    token: Option<String>,
    success: Option<String>,
}

impl fmt::Debug for HttpGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Address, fields and headers may hold passwords.
        f.debug_struct("HttpGateway").field("id", &self.id).finish_non_exhaustive()
    }
}

impl HttpGateway {
    /// Fails with a sentence for the operator.
    pub(super) fn new(config: &Gateway) -> Result<Self, String> {
        let id = &config.id;
        let template = |at: &str, text: &str| {
            let names = || Slot::ALL.map(|(name, _)| format!("{{{name}}}")).join(" ");
            let template = Template::read(text).map_err(|name| {
                format!("gateway `{id}`: `{{{name}}}` in {at} is no placeholder; there are {}", names())
            })?;
            if template.has(Slot::Token) && config.token.is_none() {
                return Err(format!("gateway `{id}`: {at} asks for {{token}}; add `token`"));
            }
            Ok(template)
        };
        let fields =
            config.fields.iter().map(|(name, text)| Ok((name.clone(), template(&format!("field `{name}`"), text)?)));
        let headers = config.headers.iter().map(|(name, text)| {
            let header = HeaderName::from_bytes(name.as_bytes()).ok();
            // Those are of the connection, not of the message.
            let header = header
                .filter(|it| !matches!(it.as_str(), "host" | "content-length" | "transfer-encoding" | "connection"));
            let header = header.ok_or_else(|| format!("gateway `{id}`: `{name}` cannot be a header of it"))?;
            Ok((header, template(&format!("header `{name}`"), text)?))
        });
        Ok(Self {
            id: id.clone(),
            url: chat::base(&format!("the url of gateway `{id}`"), &config.url)?,
            sends: config.sends,
            format: config.format,
            fields: fields.collect::<Result<_, String>>()?,
            headers: headers.collect::<Result<_, String>>()?,
            token: config.token.clone(),
            success: config.success.clone(),
        })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) async fn send(&self, outbound: &Outbound, message: &Message<'_>, to: &str) -> Result<Accepted, Failure> {
        let answer = outbound.post(self.request(message, to)?).await?;
        let said = String::from_utf8_lossy(&answer.body);
        match &self.success {
            // Many gateways say so little of a refusal that a busy minute and a wrong number look alike. A message tried
            // in vain once more does no harm; one that is given up in a busy minute wakes nobody.
            Some(success) if !said.contains(success.as_str()) => {
                Err(transient(format!("the gateway did not say that it took the message: “{}”", answer.quote(&said))))
            }
            _ => Ok(Accepted::default()),
        }
    }

    fn request(&self, message: &Message<'_>, to: &str) -> Result<OutboundRequest<HeaderName>, Failure> {
        let value = |slot| self.value(slot, message, to);
        let fields: BTreeMap<&str, String> =
            self.fields.iter().map(|(name, it)| (name.as_str(), it.fill(value))).collect();
        let (content_type, body) = match self.format {
            GatewayFormat::Form => {
                let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
                ("application/x-www-form-urlencoded", form.into_bytes())
            }
            GatewayFormat::Json => {
                let json = serde_json::to_vec(&fields).map_err(|_| permanent("the message cannot be written"))?;
                ("application/json", json)
            }
        };
        let mut headers = vec![(reqwest::header::CONTENT_TYPE, content_type.to_owned())];
        headers.extend(self.headers.iter().map(|(name, it)| (name.clone(), in_header(&it.fill(value)))));
        Ok(OutboundRequest { url: self.url.to_string(), headers, body, secrets: self.secrets(message, to) })
    }

    fn secrets(&self, message: &Message<'_>, to: &str) -> Vec<String> {
        let configured = self.fields.values().chain(self.headers.iter().map(|(_, it)| it));
        let mut secrets: Vec<String> = configured.filter_map(Template::constant).collect();
        secrets.extend(self.token.clone());
        secrets.extend(phone::forms(to));
        secrets.extend(message.secrets.iter().cloned());
        secrets
    }

    fn value(&self, slot: Slot, message: &Message<'_>, to: &str) -> String {
        let page = message.page.as_ref();
        match slot {
            Slot::To => to.to_owned(),
            Slot::Text => match self.sends {
                GatewayFor::Sms => phone::written(message, phone::link(message), TEXT_CHARS),
                GatewayFor::Voice => phone::said(message),
            },
            Slot::Title => message.title.clone(),
            Slot::Level => page.map_or_else(String::new, |page| page.severity.to_string()),
            Slot::Host => page.map_or_else(String::new, |page| visible(page.host)),
            Slot::Ip => page.map_or_else(String::new, |page| visible(page.ip)),
            Slot::What => page.map_or_else(|| message.title.clone(), |page| visible(page.what)),
            Slot::Link => phone::link(message).to_owned(),
            Slot::Key => message.key.to_owned(),
            Slot::Callback => {
                message.answer.map_or_else(String::new, |it| it.callback(&format!("gateway/{}", self.id)))
            }
            Slot::Token => self.token.clone().unwrap_or_default(),
        }
    }
}

/// One line of ASCII.
fn in_header(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.is_ascii() { line } else { utf8_percent_encode(&line, IN_HEADERS).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gateway(fields: &[(&str, &str)], token: Option<&str>) -> Result<HttpGateway, String> {
        let fields = fields.iter().map(|(name, it)| ((*name).to_owned(), (*it).to_owned())).collect();
        HttpGateway::new(&Gateway {
            id: "own".into(),
            url: "http://10.0.0.5/sms".into(),
            sends: GatewayFor::Sms,
            format: GatewayFormat::Form,
            fields,
            headers: BTreeMap::new(),
            token: token.map(str::to_owned),
            success: None,
        })
    }

    #[test]
    fn what_cannot_work_is_said_at_start() {
        let error = gateway(&[("tos", "{to}"), ("x", "a {who} b")], None).map(|_| ()).unwrap_err();
        assert!(error.contains("`{who}` in field `x`") && error.contains("{callback}"), "{error}");
        assert!(gateway(&[("key", "{token}")], None).map(|_| ()).unwrap_err().contains("add `token`"));
        assert!(gateway(&[("key", "{token}"), ("json", r#"{"a": "{text}", {}"#)], Some("t")).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_put_in_is_not_replaced_again(before in "[^{}]*", value in any::<String>(), after in "[^{}]*") {
            let template = Template::read(&format!("{before}{{text}}{after}")).unwrap();
            prop_assert_eq!(template.fill(|_| value.clone()), format!("{before}{value}{after}"));
        }

        #[test]
        fn any_text_is_a_template_or_names_what_is_wrong(text in any::<String>()) {
            match Template::read(&text) {
                Ok(template) => {
                    let shown = |slot| Slot::ALL.into_iter().find(|(_, it)| *it == slot).map_or_else(String::new, |it| format!("{{{}}}", it.0));
                    prop_assert_eq!(template.fill(shown), text);
                }
                Err(name) => {
                    let named = format!("{{{name}}}");
                    prop_assert!(text.contains(&named));
                }
            }
        }

        #[test]
        fn a_header_is_one_line_of_ascii(text in any::<String>()) {
            prop_assert!(in_header(&text).bytes().all(|b| (32..127).contains(&b)));
        }
    }
}
