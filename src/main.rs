//! The program: reads its arguments, sets up TLS, runs the command.

use clap::Parser;
use esb::cli::Cli;
use std::pin::Pin;
use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// Returns memory to the system after a load peak, which the default allocator does not (docs/adr/0009). Its options
/// are in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // One provider for the whole process: rustls panics if it finds two.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            // Boxed: otherwise the compiler duplicates the whole program for each kind of runtime.
            let run: Pin<Box<dyn Future<Output = ExitCode>>> = Box::pin(cli.run());
            let status = runtime.block_on(run);
            // Do not wait: a blocking read of standard input may never return.
            runtime.shutdown_background();
            status
        }
        Err(_) => ExitCode::FAILURE,
    }
}
