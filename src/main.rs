//! The program: reads its arguments, sets up TLS, runs the command.

use clap::Parser;
use esb::cli::Cli;
use std::pin::Pin;
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// Gives memory back after a crowd, as the system's allocator does not (docs/adr/0009). How is said in
/// `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Chosen once for the whole process: two providers in one program panic at run time.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            // Of a known size: else the compiler makes a copy of the whole program for each kind of runtime.
            let run: Pin<Box<dyn Future<Output = ExitCode>>> = Box::pin(cli.run());
            let status = runtime.block_on(run);
            // Not waited for: a terminal's next line may never come.
            runtime.shutdown_background();
            status
        }
        Err(_) => ExitCode::FAILURE,
    }
}
