//! PostgreSQL behind pgbouncer, as it comes: in session mode ESB works, in transaction mode it says what to change.

use crate::support::database::Kind;
use crate::support::process::Installation;
use crate::support::wait::DEADLINE;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct PgBouncer {
    process: Child,
    port: u16,
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts it before that server; `None` where it is not installed.
fn pgbouncer(home: &Path, server: &str, pool_mode: &str) -> Option<PgBouncer> {
    let program =
        ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].into_iter().find(|path| Path::new(path).exists());
    let Some(program) = program else {
        assert!(std::env::var("ESB_TEST_REQUIRE").as_deref() != Ok("all"), "pgbouncer is not there");
        eprintln!("skipped: pgbouncer is not there (Debian: pgbouncer)");
        return None;
    };
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (host, server_port) = server.rsplit_once(':').unwrap();
    let config = home.join(format!("{pool_mode}.ini"));
    let text = format!(
        "[databases]\n* = host={host} port={server_port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
         listen_port = {port}\nauth_type = any\npool_mode = {pool_mode}\nunix_socket_dir =\ndefault_pool_size = 12\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(program);
    if is_root() {
        // It refuses to be root.
        command.args(["-u", "nobody"]);
    }
    let process = command.arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (pooler, began) = (PgBouncer { process, port }, Instant::now());
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(began.elapsed() < DEADLINE, "pgbouncer does not listen");
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(pooler)
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn transaction_pooling_is_refused_with_remedy() {
    if Kind::from_env() != Kind::Postgres {
        return eprintln!("skipped: pgbouncer stands before PostgreSQL");
    }
    let here = Installation::new().await;
    let server = here.database.host();
    let Some(pooler) = pgbouncer(here.directory.path(), server, "transaction") else { return };
    let url = here.database.url_via(([127, 0, 0, 1], pooler.port).into());
    for command in [&["serve"][..], &["migrate"], &["check-config"]] {
        let (status, text) = here.run(command, &[("DATABASE_URL", &url)]);
        assert!(status != 0, "{command:?}: {text}");
        if command != ["serve"] {
            assert!(text.contains("Set pool_mode = session"), "{command:?}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_mode_works_without_further_settings() {
    if Kind::from_env() != Kind::Postgres {
        return eprintln!("skipped: pgbouncer stands before PostgreSQL");
    }
    let here = Installation::new().await;
    let server = here.database.host();
    let Some(pooler) = pgbouncer(here.directory.path(), server, "session") else { return };
    let url = here.database.url_via(([127, 0, 0, 1], pooler.port).into());
    let (status, text) = here.run(&["demo-data"], &[("DATABASE_URL", &url)]);
    assert!(status == 0 && text.contains("60 machines"), "{text}");
    let (status, text) = here.run(&["check-config"], &[("DATABASE_URL", &url)]);
    assert!(status == 0 && text.ends_with("The configuration is fine.\n"), "{text}");
}
