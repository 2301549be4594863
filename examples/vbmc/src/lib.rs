//! A virtual BMC, and a simulated machine behind it.
