use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// How often a line is written where nobody sees a bar.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often a bar is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);
const WIDTH: usize = 40;

/// How far something is: a bar on a terminal, a line now and then elsewhere.
#[derive(Debug)]
pub(crate) struct Bar {
    terminal: bool,
    last: Instant,
    phase: String,
    drawn: bool,
}

impl Bar {
    pub(crate) fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            last: Instant::now(),
            phase: String::new(),
            drawn: false,
        }
    }

    /// It is so far.
    pub(crate) fn show(&mut self, phase: &str, done: usize, of: usize, more: &str) {
        let (every, new) = match self.terminal {
            true => (DRAW_EVERY, self.phase != phase || done == of),
            false => (LINE_EVERY, false),
        };
        if !new && self.last.elapsed() < every {
            return;
        }
        self.last = Instant::now();
        phase.clone_into(&mut self.phase);
        let mut stderr = std::io::stderr().lock();
        // Whoever looks on no more misses nothing.
        let _ = if self.terminal {
            self.drawn = true;
            let full = (WIDTH * done / of.max(1)).min(WIDTH);
            let (full, left) = ("#".repeat(full), ".".repeat(WIDTH - full));
            write!(
                stderr,
                "\r\x1b[K{phase:<9} [{full}{left}] {done}/{of}{more}"
            )
        } else {
            writeln!(stderr, "{phase}: {done} of {of}{more}")
        };
        let _ = stderr.flush();
    }

    /// The bar goes, and leaves the line to what is said next.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K");
            let _ = stderr.flush();
        }
    }
}
