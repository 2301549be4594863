//! Pages for those who build on this engine; the code on them is compiled and tested.

#[doc = include_str!("writing_a_store.md")]
#[doc = "```"]
#[doc = include_str!("card_index.rs")]
#[doc = "```"]
#[doc = include_str!("testing_a_store.md")]
pub mod writing_a_store {}

#[doc = include_str!("writing_a_driver.md")]
pub mod writing_a_driver {}
