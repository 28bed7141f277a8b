//! The program: reads its arguments, sets up TLS, runs the command.

use clap::Parser;
use esb::cli::Cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Chosen once for the whole process: two providers in one program panic at run time.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let status = runtime.block_on(cli.run());
            // Not waited for: a terminal's next line may never come.
            runtime.shutdown_background();
            status
        }
        Err(_) => ExitCode::FAILURE,
    }
}
