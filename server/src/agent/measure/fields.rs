//! Reads the kernel's tables of names and numbers, which grow by a line now and then.
//!
//! Every reader is total: a line that is not understood is passed over, so a kernel that has more or less than ours costs
//! the values it lacks and no others. That is why these are not `procfs`'s, which gives up a whole file for one line.

/// The number that stands after a name at the beginning of a line: `pswpin 12`, `MemFree:  12 kB`.
pub(super) fn after(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let first = words.next()?;
        if first.strip_suffix(':').unwrap_or(first) == name { words.next()?.parse().ok() } else { None }
    })
}

/// The number after `name` in the line that begins with `line`: `TCP: inuse 13 orphan 0`.
pub(super) fn in_line(text: &str, line: &str, name: &str) -> Option<u64> {
    let mut words = text.lines().find_map(|it| it.strip_prefix(line)?.strip_prefix(':'))?.split_whitespace();
    words.find(|word| *word == name).and_then(|_| words.next()?.parse().ok())
}

/// The number in a table of two lines, names and numbers: `TcpExt: … ListenDrops`, `TcpExt: … 7`.
pub(super) fn in_table(text: &str, table: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(table)?.strip_prefix(':'));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let at = names.split_whitespace().position(|it| it == name)?;
    numbers.split_whitespace().nth(at)?.parse().ok()
}

/// The microseconds for which tasks waited, `some` or `full`, in a file of `/proc/pressure`.
pub(super) fn waited_us(text: &str, kind: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(kind))?;
    line.split_whitespace().find_map(|word| word.strip_prefix("total="))?.parse().ok()
}

/// The numbers of a line, up to the first word that is none.
pub(super) fn numbers(text: &str) -> impl Iterator<Item = u64> {
    text.split_whitespace().map_while(|word| word.parse().ok())
}

/// A text in which the kernel wrote spaces and the like as `\040`.
pub(super) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let octal = more.get(..3).filter(|it| *first == b'\\' && it.iter().all(|c| (b'0'..=b'7').contains(c)));
        let code = octal.and_then(|it| it.iter().try_fold(0_u8, |sum, c| sum.checked_mul(8)?.checked_add(c - b'0')));
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { more.get(3..).unwrap_or_default() } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_found_by_their_names() {
        assert_eq!(after("pswpin 12\npswpout 7\n", "pswpout"), Some(7));
        assert_eq!(after("MemTotal:  16 kB\nMemFree:   5 kB\n", "MemFree"), Some(5));
        let sockstat = "sockets: used 50\nTCP: inuse 13 orphan 2 tw 1258 alloc 13 mem 72\nTCP6: inuse 3\n";
        assert_eq!((in_line(sockstat, "TCP", "tw"), in_line(sockstat, "TCP6", "inuse")), (Some(1258), Some(3)));
        assert_eq!((in_line(sockstat, "UDP", "inuse"), in_line(sockstat, "TCP", "less")), (None, None));
        let netstat = "TcpExt: A ListenOverflows ListenDrops\nTcpExt: 1 2 3\nIpExt: B\nIpExt: 9\n";
        assert_eq!(in_table(netstat, "TcpExt", "ListenDrops"), Some(3));
        assert_eq!((in_table(netstat, "IpExt", "B"), in_table(netstat, "IpExt", "A")), (Some(9), None));
        let pressure = "some avg10=0.00 avg60=0.00 avg300=0.00 total=42\n";
        assert_eq!((waited_us(pressure, "some"), waited_us(pressure, "full")), (Some(42), None));
        assert_eq!(unescaped(r"/mnt/two\040words\134"), r"/mnt/two words\");
        assert_eq!(unescaped(r"\777 \04"), r"\777 \04");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(?s).{0,300}", name in ".{0,8}") {
            after(&text, &name);
            in_line(&text, &name, &name);
            in_table(&text, &name, &name);
            waited_us(&text, &name);
            numbers(&text).count();
            unescaped(&text);
        }
    }
}
