//! A database of each test's own, gone with the value: SQLite in a file, or a database of a server (`mariadb`
//! or `postgres`, at `ESB_TEST_MARIADB` or `ESB_TEST_POSTGRES`), by name or as `ESB_TEST_DATABASE` says.

use esb::store::Store;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use secrecy::SecretString;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Which database the tests of this process use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    MariaDb,
    Postgres,
}

/// What names of our databases begin with; then comes the number of the process that made it.
const PREFIX: &str = "esb_test_";
/// Ends the name of the database of which the others are copies.
const TEMPLATE: &str = "template";

/// Connections of a test's store: a server has a hundred for all tests that run at once.
pub const CONNECTIONS: u32 = 3;

static MADE: AtomicU32 = AtomicU32::new(0);
static TIDIED: [OnceCell<()>; 3] = [const { OnceCell::const_new() }; 3];
static COPIED: OnceCell<String> = OnceCell::const_new();

/// A database that does not exist yet (SQLite), is empty (MariaDB) or up to date (PostgreSQL, a copy of one
/// that was migrated).
pub struct TestDatabase {
    kind: Kind,
    url: String,
    _file: Option<TempDir>,
    name: Option<String>,
}

impl Kind {
    /// What `ESB_TEST_DATABASE` says.
    pub fn wanted() -> Self {
        match std::env::var("ESB_TEST_DATABASE").as_deref() {
            Err(_) | Ok("sqlite") => Self::Sqlite,
            Ok("mariadb") => Self::MariaDb,
            Ok("postgres") => Self::Postgres,
            Ok(other) => panic!("ESB_TEST_DATABASE={other}: say sqlite, mariadb or postgres"),
        }
    }

    /// Whether its server can be reached; SQLite needs none.
    #[allow(dead_code, reason = "the fault program asks; here a missing server fails the test that wants it")]
    pub fn is_there(self) -> bool {
        self == Self::Sqlite || std::net::TcpStream::connect(host(&self.server())).is_ok()
    }

    fn server(self) -> String {
        let (variable, default) = match self {
            Self::MariaDb => ("ESB_TEST_MARIADB", "mysql://root@127.0.0.1:3306"),
            _ => ("ESB_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432"),
        };
        std::env::var(variable).unwrap_or_else(|_| default.to_owned())
    }

    /// A connection that may make databases.
    async fn admin(self) -> DatabaseConnection {
        let own = if self == Self::MariaDb { "mysql" } else { "postgres" };
        let mut options = sea_orm::ConnectOptions::new(format!("{}/{own}", self.server()));
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.unwrap_or_else(|error| panic!("{}: {error}", self.server()))
    }

    /// The same, after what other processes left behind is dropped.
    async fn tidied(self) -> DatabaseConnection {
        let admin = self.admin().await;
        TIDIED[self as usize].get_or_init(|| self.tidy(&admin)).await;
        admin
    }

    /// Names of our databases that are there.
    async fn ours(self, admin: &DatabaseConnection) -> Vec<String> {
        let all = match self {
            Self::MariaDb => "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA",
            _ => "SELECT datname::text AS name FROM pg_database",
        };
        let all = Statement::from_string(admin.get_database_backend(), all);
        let rows = admin.query_all_raw(all).await.unwrap();
        let names = rows.iter().map(|row| row.try_get::<String>("", "name").unwrap());
        names.filter(|name| name.starts_with(PREFIX)).collect()
    }

    async fn drop(self, admin: &DatabaseConnection, name: &str) {
        if self == Self::MariaDb {
            admin.execute_unprepared("SET SESSION lock_wait_timeout = 5").await.unwrap();
            admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}")).await.unwrap();
        } else {
            admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        }
    }

    /// Drops what processes left behind that are no more; one of them may have had our number. We have made
    /// nothing yet.
    async fn tidy(self, admin: &DatabaseConnection) {
        let our_number = std::process::id().to_string();
        for name in self.ours(admin).await {
            let maker = name[PREFIX.len()..].split('_').next().unwrap_or_default();
            if maker == our_number || !std::path::Path::new(&format!("/proc/{maker}")).exists() {
                self.drop(admin, &name).await;
            }
        }
    }
}

/// Host and port of an address.
fn host(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let after = after.split_once('@').map_or(after, |(_, rest)| rest);
    after.split('/').next().unwrap_or_default()
}

impl TestDatabase {
    /// A database for one test; the schema may be missing.
    pub async fn new() -> Self {
        let kind = Kind::wanted();
        if kind == Kind::Sqlite {
            return Self::bare_of(kind).await;
        }
        let admin = kind.tidied().await;
        if kind == Kind::MariaDb {
            return Self::made(kind, &admin, "").await;
        }
        let template = COPIED.get_or_init(|| migrated_template(kind, &admin)).await;
        Self::made(kind, &admin, &format!("TEMPLATE {template}")).await
    }

    /// A database without any table, also where [`TestDatabase::new`] copies one.
    pub async fn bare() -> Self {
        Self::bare_of(Kind::wanted()).await
    }

    /// A database of that kind without any table.
    pub async fn bare_of(kind: Kind) -> Self {
        if kind == Kind::Sqlite {
            let directory = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}/data/esb.db", directory.path().display());
            return Self { kind, url, _file: Some(directory), name: None };
        }
        Self::made(kind, &kind.tidied().await, "").await
    }

    /// A SQLite file in that directory.
    pub fn in_directory(directory: &std::path::Path) -> Self {
        let url = format!("sqlite://{}/esb.db", directory.display());
        Self { kind: Kind::Sqlite, url, _file: None, name: None }
    }

    async fn made(kind: Kind, admin: &DatabaseConnection, options: &str) -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}_{number}", std::process::id());
        admin.execute_unprepared(&format!("CREATE DATABASE {name} {options}")).await.unwrap();
        Self { kind, url: format!("{}/{name}", kind.server()), _file: None, name: Some(name) }
    }

    /// Its address, as `DATABASE_URL` takes it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host and port of its server.
    pub fn host(&self) -> &str {
        host(&self.url)
    }

    /// Its address by way of a proxy.
    pub fn url_by(&self, proxy: std::net::SocketAddr) -> String {
        self.url.replacen(self.host(), &proxy.to_string(), 1)
    }

    /// Connects to it; the schema stays as it is.
    pub async fn connect(&self) -> Store {
        Store::connect_with(&SecretString::from(self.url.as_str()), CONNECTIONS).await.unwrap()
    }
}

async fn migrated_template(kind: Kind, admin: &DatabaseConnection) -> String {
    let name = format!("{PREFIX}{}_{TEMPLATE}", std::process::id());
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let store = Store::connect(&format!("{}/{name}", kind.server()).into()).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await.unwrap();
    name
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (kind, Some(name)) = (self.kind, self.name.take()) else { return };
        // A test's own runtime may be at its end.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { kind.drop(&kind.admin().await, &name).await });
        });
        let _ = dropped.join();
    }
}
