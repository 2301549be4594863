//! The ramdisk agent.
