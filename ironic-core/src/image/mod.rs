//! Images: what to write to a disk.
