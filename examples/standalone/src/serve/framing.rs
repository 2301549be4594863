//! Watching where requests end, so that none is served of which others may see the end elsewhere
//! (request smuggling, RFC 9112 §11.2).

/// How much of a line is kept: more than the lines that matter have when they are written as
/// usual.
const KEPT: usize = 64;

/// Follows the bytes of a connection from request to request (RFC 9112 §§2, 6, 7).
///
/// The HTTP server parses requests by itself. This only notices what it would let pass: a request
/// with a length *and* chunks, chunks under another coding, and chunks whose size cannot be read.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    line: [u8; KEPT],
    /// How long the line is so far, also where it is longer than what is kept.
    read: usize,
    length: Option<u64>,
    chunked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a request.
    Between,
    RequestLine,
    Headers,
    /// So many bytes of a body are to come.
    Body(u64),
    ChunkSize,
    /// So many bytes of a chunk are to come, with the line end after it.
    Chunk(u64),
    Trailers,
    /// Where the request ends is in doubt; nothing is followed any more.
    Doubtful,
}

impl Framing {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Between,
            line: [0; KEPT],
            read: 0,
            length: None,
            chunked: false,
        }
    }

    /// Whether there has been a request whose end is in doubt.
    pub(super) fn is_doubtful(&self) -> bool {
        self.state == State::Doubtful
    }

    /// Whether the client has sent all of a request, or nothing of one yet.
    pub(super) fn is_between(&self) -> bool {
        self.state == State::Between
    }

    /// Takes note of bytes that have come in.
    pub(super) fn watch(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Doubtful => return,
                State::Body(left) => self.pass(left, bytes, State::Body, State::Between),
                State::Chunk(left) => self.pass(left, bytes, State::Chunk, State::ChunkSize),
                _ => self.follow_line(bytes),
            };
        }
    }

    /// Passes over bytes of a body; the rest.
    fn pass<'a>(
        &mut self,
        left: u64,
        bytes: &'a [u8],
        more: fn(u64) -> State,
        done: State,
    ) -> &'a [u8] {
        let there = bytes.len() as u64;
        if there < left {
            self.state = more(left - there);
            return &[];
        }
        self.state = done;
        // No more than there are bytes, so it fits.
        bytes
            .get(usize::try_from(left).unwrap_or(usize::MAX)..)
            .unwrap_or_default()
    }

    /// Adds to the line that is being read; the rest.
    fn follow_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (part, rest) = match end {
            Some(end) => bytes.split_at(end + 1),
            None => (bytes, &[][..]),
        };
        let kept = self.read.min(KEPT);
        let room = self.line.get_mut(kept..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(part) {
            *to = *from;
        }
        self.read = self.read.saturating_add(part.len());
        if self.state == State::Between {
            self.state = State::RequestLine;
        }
        if end.is_some() {
            self.end_line();
            self.read = 0;
        }
        rest
    }

    fn end_line(&mut self) {
        let whole = self.read <= KEPT;
        let line = self.line.get(..self.read.min(KEPT)).unwrap_or_default();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.state = match self.state {
            // Empty lines before a request are passed over (RFC 9112 §2.2).
            State::RequestLine if line.is_empty() => State::Between,
            State::RequestLine => {
                (self.length, self.chunked) = (None, false);
                State::Headers
            }
            State::Headers if line.is_empty() => match (self.length, self.chunked) {
                (Some(_), true) => State::Doubtful,
                (_, true) => State::ChunkSize,
                (None | Some(0), false) => State::Between,
                (Some(length), false) => State::Body(length),
            },
            State::Headers => match read_header(line, whole) {
                Header::Other => State::Headers,
                Header::Chunked if !self.chunked => {
                    self.chunked = true;
                    State::Headers
                }
                Header::Length(length) if self.length.is_none_or(|same| same == length) => {
                    self.length = Some(length);
                    State::Headers
                }
                _ => State::Doubtful,
            },
            State::ChunkSize => match chunk_size(line) {
                Some(0) => State::Trailers,
                // The line end after a chunk counts as part of it.
                Some(size) => size.checked_add(2).map_or(State::Doubtful, State::Chunk),
                None => State::Doubtful,
            },
            State::Trailers if line.is_empty() => State::Between,
            other => other,
        };
    }
}

/// A line of a head, as far as it says where the request ends.
enum Header {
    Other,
    Length(u64),
    Chunked,
    Doubtful,
}

/// Reads a line, of which there may be more than this.
fn read_header(line: &[u8], whole: bool) -> Header {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Header::Other;
    };
    let (name, value) = line.split_at(colon);
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    if name.eq_ignore_ascii_case(b"content-length") {
        match decimal(value).filter(|_| whole) {
            Some(length) => Header::Length(length),
            None => Header::Doubtful,
        }
    } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
        // No other coding is of use here, and some are how smugglers hide this one.
        match whole && value.eq_ignore_ascii_case(b"chunked") {
            true => Header::Chunked,
            false => Header::Doubtful,
        }
    } else {
        Header::Other
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let right = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| right)?;
    text.parse().ok()
}

/// The size of a chunk, which extensions may follow (RFC 9112 §7.1).
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?;
    let digits = digits.trim_ascii_end();
    let right = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(digits).ok().filter(|_| right)?;
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Framing;

    /// Watches bytes in pieces of this size; whether the last request is complete, and whether
    /// any is in doubt.
    fn watched(bytes: &[u8], piece: usize) -> (bool, bool) {
        let mut framing = Framing::new();
        for piece in bytes.chunks(piece) {
            framing.watch(piece);
        }
        (framing.is_between(), framing.is_doubtful())
    }

    #[test]
    fn requests_end_where_they_say() {
        let length = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
        let chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n";
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n", "a".repeat(1000));
        for (bytes, complete) in [
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), true),
            ("\r\nGET / HTTP/1.1\nHost: x\n\n".to_owned(), true),
            ("GET / HTTP/1.1\r\n".to_owned(), false),
            (format!("{long}\r\n"), true),
            (long, false),
            (format!("{length}abcde"), true),
            (format!("{length}ab"), false),
            (format!("{length}abcde{length}abcde"), true),
            // A body may look like anything.
            (format!("{length}\r\n\r\nG{length}\r\n\r\n\r"), true),
            (format!("{chunks}0\r\n\r\n"), true),
            (format!("{chunks}5;x=y\r\nabcde\r\n0\r\nA: b\r\n\r\n"), true),
            (format!("{chunks}a\r\n0123456789\r\n"), false),
            (format!("{chunks}0\r\nA: b\r\n"), false),
        ] {
            for piece in [1, 2, 3, 7, 4096] {
                assert_eq!(
                    watched(bytes.as_bytes(), piece),
                    (complete, false),
                    "{bytes:?}"
                );
            }
        }
    }

    #[test]
    fn ends_that_others_may_see_elsewhere_are_noticed() {
        let head = |headers: &str| format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n");
        let blanks = " ".repeat(80);
        for bytes in [
            head("Content-Length: 4\r\nTransfer-Encoding: chunked"),
            head("Transfer-Encoding: chunked\r\nContent-Length: 4"),
            head("transfer-encoding: chunked\r\nX: 1\r\ncontent-length: 0"),
            head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            head("Transfer-Encoding: identity, chunked"),
            head("Transfer-Encoding: xchunked"),
            head(&format!("Transfer-Encoding:{blanks}chunked")),
            head("Content-Length: 4\r\nContent-Length: 5"),
            head("Content-Length: +4"),
            head("Content-Length: 4, 4"),
            head("Content-Length: 99999999999999999999"),
            head("Transfer-Encoding: chunked") + "0x5\r\n",
            head("Transfer-Encoding: chunked") + "-1\r\n",
            head("Transfer-Encoding: chunked") + "\r\n",
            head("Transfer-Encoding: chunked") + "ffffffffffffffff\r\n",
            head("Transfer-Encoding: chunked") + "10000000000000000\r\n",
            head("Transfer-Encoding: chunked") + "5\r\nabcde0\r\n\r\nGET",
        ] {
            for piece in [1, 3, 4096] {
                assert!(watched(bytes.as_bytes(), piece).1, "{bytes:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            bytes in proptest::collection::vec(any::<u8>(), 0..512),
            piece in 1_usize..64,
        ) {
            prop_assert_eq!(watched(&bytes, piece), watched(&bytes, bytes.len().max(1)));
        }
    }
}
