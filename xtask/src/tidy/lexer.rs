//! Rust source with its comments and strings told apart, so that a rule is not fooled by either.

/// The same text twice, character for character and line for line: once the code, once the comments.
/// Whatever belongs to neither half there is a space; the insides of strings are in neither.
pub(super) struct Source {
    pub(super) code: String,
    pub(super) comments: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut source = Self { code: String::with_capacity(text.len()), comments: String::new() };
        let mut at = 0;
        while at < chars.len() {
            let (kind, length) = token(&chars, at);
            for (offset, &c) in chars[at..at + length].iter().enumerate() {
                source.put(kind, c, offset == 0 || offset + 1 == length);
            }
            at += length;
        }
        source
    }

    fn put(&mut self, kind: Kind, c: char, is_edge: bool) {
        let blank = if c == '\n' { '\n' } else { ' ' };
        self.code.push(match kind {
            Kind::Code => c,
            // The quotes stay, so that code still shows where a string stood.
            Kind::Literal if is_edge && c != '\n' => '"',
            Kind::Comment | Kind::Literal => blank,
        });
        self.comments.push(if kind == Kind::Comment { c } else { blank });
    }
}

/// The kind and length (at least 1) of what begins at `at`.
fn token(chars: &[char], at: usize) -> (Kind, usize) {
    let next = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    match chars[at] {
        '/' if next(1) == '/' => (Kind::Comment, line_length(chars, at)),
        '/' if next(1) == '*' => (Kind::Comment, block_length(chars, at)),
        '"' => (Kind::Literal, string_length(chars, at)),
        'r' if (next(1) == '"' || next(1) == '#') && !follows_word(chars, at) => raw_string(chars, at),
        'b' | 'c' if next(1) == 'r' && (next(2) == '"' || next(2) == '#') && !follows_word(chars, at) => {
            let (kind, length) = raw_string(chars, at + 1);
            (kind, length + 1)
        }
        '\'' => quote(chars, at),
        _ => (Kind::Code, 1),
    }
}

fn follows_word(chars: &[char], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| chars[before].is_alphanumeric() || chars[before] == '_')
}

fn line_length(chars: &[char], at: usize) -> usize {
    chars[at..].iter().take_while(|&&c| c != '\n').count()
}

fn block_length(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut end = at;
    while end < chars.len() {
        match (chars[end], chars.get(end + 1)) {
            ('/', Some('*')) => depth += 1,
            ('*', Some('/')) => depth -= 1,
            _ => {
                end += 1;
                continue;
            }
        }
        end += 2;
        if depth == 0 {
            break;
        }
    }
    end - at
}

fn string_length(chars: &[char], at: usize) -> usize {
    let mut end = at + 1;
    while end < chars.len() {
        match chars[end] {
            '\\' => end += 2,
            '"' => return end + 1 - at,
            _ => end += 1,
        }
    }
    chars.len() - at
}

/// `r"..."`, `r#"..."#`; but `r#type` is a name.
fn raw_string(chars: &[char], at: usize) -> (Kind, usize) {
    let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
    let opening = at + 1 + hashes;
    if chars.get(opening) != Some(&'"') {
        return (Kind::Code, 1);
    }
    let closes =
        |end: usize| chars[end] == '"' && chars[end + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes;
    let end = (opening + 1..chars.len()).find(|&end| closes(end)).map_or(chars.len(), |end| end + 1 + hashes);
    (Kind::Literal, end - at)
}

/// A character, or the tick of a lifetime.
fn quote(chars: &[char], at: usize) -> (Kind, usize) {
    if chars.get(at + 1) == Some(&'\\') {
        let end = (at + 3..chars.len()).find(|&end| chars[end] == '\'');
        return (Kind::Literal, end.map_or(1, |end| end + 1 - at));
    }
    if chars.get(at + 2) == Some(&'\'') { (Kind::Literal, 3) } else { (Kind::Code, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_are_not_code() {
        for (text, code) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            ("f(\"x // y\") // z", "f(\"      \")     "),
            ("f(\"a\\\"b\") g", "f(\"    \") g"),
            ("f(r#\"a\"b\"#) g", "f(\"      \") g"),
            ("r#type + b'\\'' + '{'", "r#type + b\"  \" + \" \""),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
        ] {
            let source = Source::read(text);
            assert_eq!(source.code, code, "{text}");
        }
    }

    #[test]
    fn comments_keep_their_place() {
        let source = Source::read("let a = \"//no\"; // yes\n/* and */ b");
        assert_eq!(source.comments, "                  // yes\n/* and */  ".replacen(' ', "", 2));
    }
}
