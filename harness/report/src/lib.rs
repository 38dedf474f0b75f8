//! What a run says afterwards: one model, and how it is set for machines and for people.
//!
//! Text in, text out: this crate opens no file, and knows neither scenarios nor boards. The bench fills a
//! [`model::Run`]; [`json`] writes it and reads it back, from anybody; JUnit, Markdown and HTML are made of it alone, so
//! that a report can be set anew on a machine that never saw the run, and those of several machines can be one.

pub mod history;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod merge;
pub mod model;
pub mod reasons;
pub mod release;
pub mod weight;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod schema;
