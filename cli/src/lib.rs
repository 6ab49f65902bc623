//! The program `lightbox` as a library: the SDKs' first user.
//!
//! One file a subcommand: [`demo`], [`serve`], [`view`], [`record`], [`mod@bench`]. Frames come from a [`source`]; [`host`] hands
//! them to a server and input back, an [`encoder`] of its own beside them; [`watch`] is what a client without a window does; [`report`] is JSON and tables.

pub mod bench;
pub mod counter;
pub mod demo;
pub mod encoder;
pub mod files;
pub mod host;
pub mod interrupt;
pub mod keymap;
pub mod overlay;
pub mod picture;
pub mod record;
pub mod report;
pub mod serve;
pub mod source;
pub mod usage;
pub mod view;
pub mod watch;
#[cfg(feature = "window")]
pub mod window;
pub mod zst;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What went wrong: one line that says what to do.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A remote desktop whose diagnostic pixels are proved exact.
#[derive(Debug, Parser)]
#[command(name = "lightbox", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Both ends over real QUIC on loopback: a reading room, what arrived, and proof of it.
    Demo(demo::Options),
    /// Serve a desktop.
    Serve(serve::Options),
    /// Show a desktop that is served.
    View(view::Options),
    /// Keep what a desktop shows in a file, to be measured with or served again.
    Record(record::Options),
    /// Measure.
    #[command(subcommand)]
    Bench(bench::Bench),
}

/// Runs the program with these arguments, the program's name first.
///
/// # Errors
/// One line for the person at the keyboard.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<ExitCode, Failure> {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no failure; clap knows which stream and which code each takes.
            error.print()?;
            return Ok(ExitCode::from(error.exit_code() as u8));
        }
    };
    interrupt::listen()?;
    match arguments.command {
        Command::Demo(options) => demo::run(options),
        Command::Serve(options) => serve::run(options),
        Command::View(options) => view::run(options),
        Command::Record(options) => record::run(options),
        Command::Bench(bench) => bench::run(bench),
    }
}
