//! Cuts a message into plain and marked pieces; spans are byte offsets and may be wrong.

use crate::order::sorted;
use shared::alert::FieldSpan;

/// A stretch of the text, and the field it became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) field: Option<String>,
}

/// The pieces in order; together they are exactly the text. Spans that overlap an earlier one, run past the end or
/// cut a character in two are left out.
pub(crate) fn pieces(text: &str, fields: &[FieldSpan]) -> Vec<Piece> {
    let spans: Vec<&FieldSpan> = fields.iter().filter(|span| span.start < span.end).collect();
    let spans = sorted(spans, |a, b| (a.start, a.end).cmp(&(b.start, b.end)));
    let mut pieces = Vec::new();
    let mut at = 0;
    let plain = |from: usize, to: usize, pieces: &mut Vec<Piece>| {
        if let Some(part) = text.get(from..to).filter(|part| !part.is_empty()) {
            pieces.push(Piece { text: part.to_owned(), field: None });
        }
    };
    for span in spans {
        let (start, end) = (span.start as usize, span.end as usize);
        let Some(part) = text.get(start..end).filter(|_| start >= at) else { continue };
        plain(at, start, &mut pieces);
        pieces.push(Piece { text: part.to_owned(), field: Some(span.field.clone()) });
        at = end;
    }
    plain(at, text.len(), &mut pieces);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(field: &str, start: u32, end: u32) -> FieldSpan {
        FieldSpan { field: field.to_owned(), start, end, mapped: false }
    }

    fn whole(pieces: &[Piece]) -> String {
        pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    #[test]
    fn marked_and_plain_pieces_make_up_the_text() {
        let text = "[P0][PROBLEM][db-07]";
        let cut = pieces(text, &[span("host", 14, 19), span("severity", 1, 3)]);
        assert_eq!(whole(&cut), text);
        assert_eq!(cut[1], Piece { text: "P0".into(), field: Some("severity".into()) });
        assert_eq!(cut[3].field.as_deref(), Some("host"));
    }

    #[test]
    fn spans_that_cannot_be_true_are_left_out() {
        let text = "主机 db";
        let cut = pieces(text, &[span("half", 1, 3), span("past", 4, 99), span("whole", 0, 6), span("inside", 3, 6)]);
        assert_eq!(whole(&cut), text);
        assert_eq!(cut.iter().filter(|piece| piece.field.is_some()).count(), 1);
    }
}
