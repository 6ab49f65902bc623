//! `lightbox bench`: the figures that others can measure again.

mod arrive;
mod builtin;
mod console;
mod idle;
mod link;
mod screen;
mod stack;
mod still;
mod turner;

use std::path::Path;
use std::process::ExitCode;

use crate::Failure;
use crate::picture::{Still, read_still};

/// What to measure.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Bench {
    /// The still codec on PGM, PPM or PNG files, each optionally .zst: one JSON line a file.
    Still(still::Options),
    /// A stack of images scrolled there, back and there again: the bytes of each pass.
    Stack(stack::Options),
    /// Recorded screens through server and client with real threads and clock: one JSON line a file.
    Screen(screen::Options),
    /// How a picture arrives over a thin link: shown with an error, exact, proved. One JSON line a picture and way.
    Arrive(arrive::Options),
    /// A key pressed at the client until what it does on a real desktop is proved at the client, and what that costs.
    Console(console::Options),
    /// What sessions cost while nothing happens.
    Idle(idle::Options),
    /// The transport alone under frames, bursts and input, in virtual time.
    Link(link::Options),
}

/// Runs it.
///
/// # Errors
/// One line for the person at the keyboard.
pub fn run(bench: Bench) -> Result<ExitCode, Failure> {
    match bench {
        Bench::Still(options) => still::run(&options),
        Bench::Stack(options) => stack::run(&options),
        Bench::Screen(options) => screen::run(&options),
        Bench::Arrive(options) => arrive::run(&options),
        Bench::Console(options) => console::run(&options),
        Bench::Idle(options) => idle::run(&options),
        Bench::Link(options) => link::run(&options),
    }
}

/// A picture of the command line; the error names it.
fn picture_at(file: &Path) -> Result<Still, Failure> {
    read_still(file).map_err(|error| format!("{}: {error}", file.display()).into())
}
