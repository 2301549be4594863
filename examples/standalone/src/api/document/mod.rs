//! The API told of itself: its routes, each with what it is for, and from these the `OpenAPI`
//! document and a page to read.
//!
//! Resources declare their routes with [`Routes`], which takes no handler without a description:
//! what is served and what is told is one table. Fields and their versions come from the tables
//! of [`super::fields`], bodies from [`super::schema`].

mod components;
mod gate;
mod member;
mod openapi;
mod operation;
mod page;
mod routes;
mod serve;
mod shape;
mod words;

pub(super) use member::{Member, Record};
pub(super) use operation::{ACCEPTED, About, DONE, about, created, listed, shows};
pub(super) use routes::{Refusal, Routes, any, delete, get, post, put, refused};
pub(super) use serve::{Docs, routes as docs};
pub(super) use shape::Shape;
