//! Teams: a workflow posts an adaptive card into the chat it was made for.

use super::{
    Accepted, Room, markup,
    message::{Message, clip, clip_bytes},
    room::{Post, links},
};
use crate::outbound::{Outbound, permanent};
use serde_json::{Value, json};
use shared::Failure;
use url::Url;

/// The whole card may have 28 KB; escaping can make four bytes of one.
const BODY_BYTES: usize = 5_000;
const TITLE_CHARS: usize = 300;

pub(super) async fn say(outbound: &Outbound, message: &Message<'_>, room: &Room) -> Result<Accepted, Failure> {
    let url = Url::parse(&room.to).map_err(|_| permanent("a chat in Teams needs the whole address of its workflow"))?;
    Post::new(url, body(message), message, room).send(outbound).await?;
    Ok(Accepted::default())
}

fn body(message: &Message<'_>) -> Value {
    let color = if message.is_urgent() { "Attention" } else { "Default" };
    let mut blocks = vec![json!({
        "type": "TextBlock", "text": markup::markdown(&clip(&message.title, TITLE_CHARS)), "wrap": true,
        "size": "Medium", "weight": "Bolder", "color": color,
    })];
    if !message.body.is_empty() {
        let text = markup::markdown(&clip_bytes(&message.body, BODY_BYTES));
        blocks.push(json!({"type": "TextBlock", "text": text, "wrap": true}));
    }
    let actions: Vec<Value> = links(message)
        .into_iter()
        .map(|(word, url)| json!({"type": "Action.OpenUrl", "title": word, "url": url}))
        .collect();
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "msteams": {"width": "Full"},
            "body": blocks,
            "actions": actions,
        },
    }]})
}
