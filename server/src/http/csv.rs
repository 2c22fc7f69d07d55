//! Tables as CSV (RFC 4180), which programs for spreadsheets may open without doing what a cell says.

/// Rows of cells as one text, the headings first.
pub(super) fn written(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        for (place, cell) in cells.enumerate() {
            if place > 0 {
                text.push(',');
            }
            put(&mut text, cell);
        }
        text.push_str("\r\n");
    };
    line(&mut headings.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

/// One cell. What a spreadsheet would take for a formula gets an apostrophe in front, and is shown as the text it is.
fn put(text: &mut String, cell: &str) {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = is_formula || cell.contains(['"', ',', '\r', '\n']);
    if quoted {
        text.push('"');
    }
    if is_formula {
        text.push('\'');
    }
    if quoted {
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let rows = [["a", "b, c", "say \"no\"", "two\nlines"].map(str::to_owned).to_vec()];
        let text = written(&["1", "2", "3", "4"], rows);
        assert_eq!(text, "1,2,3,4\r\na,\"b, c\",\"say \"\"no\"\"\",\"two\nlines\"\r\n");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "=HYPERLINK(\"http://x\",\"y\")"] {
            let text = written(&["h"], [vec![cell.to_owned()]]);
            assert!(text.starts_with("h\r\n\"'"), "{text}");
            assert!(text.ends_with("\"\r\n"), "{text}");
        }
    }
}
