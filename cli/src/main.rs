//! The program `lightbox`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match lightbox_cli::run(std::env::args_os()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lightbox: {error}");
            ExitCode::FAILURE
        }
    }
}
