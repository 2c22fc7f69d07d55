//! Alert text among the markup of others: nothing in it becomes a link, a mention, a heading or a list.

/// For Slack's `mrkdwn`, in which only these three have a meaning that reaches beyond the looks of a word.
pub(super) fn mrkdwn(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// For the subsets of Markdown that chats know. Each line becomes a paragraph, as a single line end counts for nothing.
/// Where a client knows no backslashes it shows them, and `](` is torn apart all the same.
pub(super) fn markdown(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(line).collect::<Vec<_>>().join("\n\n")
}

fn line(text: &str) -> String {
    let (before, after) = text.split_at(start_of_block(text));
    let slash = if before.is_empty() && !starts_block(text) { "" } else { "\\" };
    format!("{}{slash}{}", inline(before), inline(after))
}

/// Where `1.` or `1)` has the point that makes a list of it, else 0.
fn start_of_block(text: &str) -> usize {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    let ends = rest.strip_prefix(['.', ')']).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    if ends { digits } else { 0 }
}

fn starts_block(text: &str) -> bool {
    text.starts_with(['#', '>', '-', '+', '=', '|', ':'])
}

fn inline(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            // Not by a backslash: whoever does not know those might still know tags.
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            // `{{DATE(…)}}` is what adaptive cards put a time for.
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '{' => out.extend(['\\', c]),
            other => out.push(other),
        }
        out
    })
}

/// For texts in which tags are read and nothing says how to write them: the same signs at full width.
pub(super) fn tagless(text: &str) -> String {
    text.replace('<', "＜").replace('>', "＞")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_markup_becomes_text() {
        assert_eq!(mrkdwn("<!channel> & <http://evil|x>"), "&lt;!channel&gt; &amp; &lt;http://evil|x&gt;");
        for (text, expected) in [
            ("[x](http://evil)", "\\[x\\](http://evil)"),
            ("![x](http://evil)", "!\\[x\\](http://evil)"),
            ("# big\n\n   - list\n1. one\n12) two\n> said", "\\# big\n\n\\- list\n\n1\\. one\n\n12\\) two\n\n\\> said"),
            ("10.1.2.3 is down - a_b *x*", "10.1.2.3 is down - a\\_b \\*x\\*"),
            ("<at>all</at> &lt; {{DATE(x)}}", "&lt;at>all&lt;/at> &amp;lt; \\{\\{DATE(x)}}"),
            ("=====\n|a|", "\\=====\n\n\\|a|"),
        ] {
            assert_eq!(markdown(text), expected);
        }
        assert_eq!(tagless("<a href=x>y</a>"), "＜a href=x＞y＜/a＞");
    }
}
