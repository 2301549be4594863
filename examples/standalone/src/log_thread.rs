//! A thread that writes what is logged, so that nobody waits for a disk, a pipe or a terminal.

use std::io::{self, Write};
use std::mem::take;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// How many bytes may wait to be written before whoever logs is held up: some thousands of lines.
/// Nothing is left out.
const ROOM: usize = 1 << 20;

/// The thread; when it is dropped, everything is written that was logged before.
#[derive(Debug)]
pub(crate) struct LogThread {
    waiting: Arc<Waiting>,
    thread: Option<JoinHandle<()>>,
}

/// The lines that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    lines: Mutex<Lines>,
    /// There is something to do for the thread.
    stirred: Condvar,
    /// There is room again.
    taken: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    text: Vec<u8>,
    /// Whether the thread waits to be stirred.
    sleeps: bool,
    /// Whether nothing more is to come.
    ended: bool,
}

impl LogThread {
    /// Starts the thread. What cannot be written is lost, as there is nowhere to say so.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(log: impl Write + Send + 'static) -> io::Result<Self> {
        let waiting = Arc::<Waiting>::default();
        let lines = Arc::clone(&waiting);
        let thread = Builder::new().name("log".to_owned());
        let thread = thread.spawn(move || lines.write_all_to(log))?;
        Ok(Self {
            waiting,
            thread: Some(thread),
        })
    }

    /// Where to write lines, each in one go.
    pub(crate) fn lines(&self) -> Arc<Waiting> {
        Arc::clone(&self.waiting)
    }
}

impl Drop for LogThread {
    fn drop(&mut self) {
        self.waiting.lock().ended = true;
        self.waiting.stirred.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Waiting {
    // What is in it is whole whenever the lock is let go.
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all_to(&self, mut log: impl Write) {
        let mut text = Vec::new();
        while self.take(&mut text) {
            let _ = log.write_all(&text).and_then(|()| log.flush());
            text.clear();
        }
    }

    /// Waits for lines and takes them all; `false` if no more will come.
    fn take(&self, text: &mut Vec<u8>) -> bool {
        let mut lines = self.lock();
        while lines.text.is_empty() {
            if lines.ended {
                return false;
            }
            lines.sleeps = true;
            let stirred = self.stirred.wait(lines);
            lines = stirred.unwrap_or_else(PoisonError::into_inner);
        }
        // The two buffers change places: neither is allocated anew.
        let empty = take(text);
        *text = std::mem::replace(&mut lines.text, empty);
        drop(lines);
        self.taken.notify_all();
        true
    }
}

impl Write for &Waiting {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = self.lock();
        while lines.text.len() >= ROOM && !lines.ended {
            let taken = self.taken.wait(lines);
            lines = taken.unwrap_or_else(PoisonError::into_inner);
        }
        lines.text.extend_from_slice(line);
        let sleeps = take(&mut lines.sleeps);
        drop(lines);
        if sleeps {
            self.stirred.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
    use std::thread;

    use super::*;

    /// A log that takes something only when it is told to.
    struct Gate {
        open: Receiver<()>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            let _ = self.open.recv();
            self.written.send(text.to_vec()).unwrap();
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (LogThread, SyncSender<()>, Receiver<Vec<u8>>) {
        let (opener, open) = sync_channel(100);
        let (written, writes) = channel();
        let thread = LogThread::start(Gate { open, written }).unwrap();
        (thread, opener, writes)
    }

    fn all(writes: &Receiver<Vec<u8>>) -> String {
        String::from_utf8(writes.iter().flatten().collect()).unwrap()
    }

    #[test]
    fn whoever_logs_does_not_wait_for_the_disk_and_nothing_is_lost_at_the_end() {
        let (thread, opener, writes) = gated();
        let lines = thread.lines();
        let mut expected = String::new();
        for number in 0..1000 {
            let line = format!("line {number}\n");
            (&*lines).write_all(line.as_bytes()).unwrap();
            expected += &line;
        }
        // Nothing has been written so far, as the gate was shut.
        assert!(writes.try_recv().is_err());
        drop(opener);
        drop(thread);
        assert_eq!(all(&writes), expected);
    }

    #[test]
    fn a_log_that_takes_nothing_holds_others_up_before_memory_runs_out() {
        let (thread, opener, writes) = gated();
        let line = [vec![b'x'; 99], vec![b'\n']].concat();
        let count = 3 * ROOM / line.len();
        let (begun, at_work) = sync_channel(count);
        let logging = {
            let (lines, line) = (thread.lines(), line.clone());
            thread::spawn(move || {
                for _ in 0..count {
                    (&*lines).write_all(&line).unwrap();
                    begun.send(()).unwrap();
                }
            })
        };
        // As many as there is room for, and no more until something has been written: one lot is
        // with the thread at most, and one waits.
        let room = ROOM.div_ceil(line.len());
        for _ in 0..room {
            at_work.recv().unwrap();
        }
        let waiting = thread.lines();
        assert!(waiting.lock().text.len() <= ROOM + line.len());
        assert!(!logging.is_finished());
        drop(opener);
        logging.join().unwrap();
        drop(thread);
        assert_eq!(all(&writes).len(), count * line.len());
    }

    #[test]
    fn a_log_that_fails_ends_nothing() {
        struct Fails;
        impl Write for Fails {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let thread = LogThread::start(Fails).unwrap();
        let lines = thread.lines();
        for _ in 0..(2 * ROOM / 1000) {
            (&*lines).write_all(&[b'x'; 1000]).unwrap();
        }
        drop(thread);
    }
}
