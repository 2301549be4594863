//! Consistent hash ring with the placement of OpenStack Ironic's.
