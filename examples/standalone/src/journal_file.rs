//! The file of a journal: it goes on where it ends, and elsewhere once it has been moved away.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

/// A file that lines are appended to. When it has been moved away or removed, as programs do that
/// rotate logs, the next line goes into a new one of its name.
#[derive(Debug)]
pub(crate) struct JournalFile {
    path: PathBuf,
    file: File,
    /// Which file it is, by device and number.
    id: (u64, u64),
    /// Whether the last line has not been ended yet.
    amid: bool,
}

impl JournalFile {
    /// Opens the file, or makes it. A line that was cut off at its end, by a crash, is ended.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        // It says what machines are like and who asked for what: for the operator alone.
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)?;
        let found = file.metadata()?;
        // What is no file, such as a pipe, has no end to look at.
        if found.is_file() && found.len() > 0 {
            let mut last = [0];
            File::open(&path)?.read_exact_at(&mut last, found.len() - 1)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self {
            path,
            file,
            id: (found.dev(), found.ino()),
            amid: false,
        })
    }

    /// Opens the file anew if its name stands for another one by now, or for none. One that cannot
    /// be looked at is kept.
    fn follow(&mut self) -> io::Result<()> {
        let stays = match std::fs::metadata(&self.path) {
            Ok(found) => (found.dev(), found.ino()) == self.id,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        if !stays {
            *self = Self::open(self.path.clone())?;
        }
        Ok(())
    }
}

impl Write for JournalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.amid {
            self.follow()?;
        }
        let written = self.file.write(bytes)?;
        if let Some(last) = bytes.get(..written).and_then(<[u8]>::last) {
            self.amid = *last != b'\n';
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::JournalFile;

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("j");
        for expected in ["one\n", "one\none\n"] {
            let mut file = JournalFile::open(path.clone()).unwrap();
            file.write_all(b"one\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        }
        fs::write(&path, "whole\ncut o").unwrap();
        let mut file = JournalFile::open(path.clone()).unwrap();
        file.write_all(b"next\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole\ncut o\nnext\n");
    }

    #[test]
    fn a_file_that_is_moved_away_gets_no_further_line() {
        let directory = tempfile::tempdir().unwrap();
        let (path, away) = (directory.path().join("j"), directory.path().join("j.1"));
        let mut file = JournalFile::open(path.clone()).unwrap();
        file.write_all(b"one\n").unwrap();
        // Amid a line it stays.
        file.write_all(b"tw").unwrap();
        fs::rename(&path, &away).unwrap();
        file.write_all(b"o\n").unwrap();
        file.write_all(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&away).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        // Where no new one can be made, the line is lost and the next one tries again.
        fs::rename(&path, &away).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(file.write_all(b"four\n").is_err());
        fs::remove_dir(&path).unwrap();
        file.write_all(b"five\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "five\n");
    }
}
