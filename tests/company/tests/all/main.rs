//! The tests of the company: one program, so that they share what they make.

mod certificates;
mod common;
mod decisions;
mod files;
mod servers;
