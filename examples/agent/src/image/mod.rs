//! Images: what the conductor says of one, and the way onto the disk.

mod checksum;
mod download;
mod info;

pub(crate) use download::Downloader;
pub(crate) use info::ImageInfo;
