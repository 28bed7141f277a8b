//! A database for each test, removed with the value: a SQLite file, or a database on a server (`mariadb` or
//! `postgres`, at `ESB_TEST_MARIADB` or `ESB_TEST_POSTGRES`). `ESB_TEST_DATABASE` chooses which.
//!
//! The migrations run once per process, in a template. SQLite copies the template's file, PostgreSQL creates
//! its databases from the template, MariaDB replays the template's schema as one batch of statements. One
//! thread drops the databases of finished tests, so that no test waits for that. What a killed run leaves is
//! dropped by the next one.

use esb::store::Store;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement};
use secrecy::SecretString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, mpsc};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// A kind of database that tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    MariaDb,
    Postgres,
}

/// Names of test databases begin with this, then comes the id of the process that created them.
const PREFIX: &str = "esb_test_";

/// Connections of a test's store: a server has a hundred for all tests that run at the same time.
pub const CONNECTIONS: u32 = 3;

static CREATED: AtomicU32 = AtomicU32::new(0);
static SWEPT: [OnceCell<()>; 3] = [const { OnceCell::const_new() }; 3];
static TEMPLATES: [OnceCell<Template>; 3] = [const { OnceCell::const_new() }; 3];

/// How a migrated database is made, by kind.
enum Template {
    /// The bytes of the file.
    Sqlite(Vec<u8>),
    /// Statements that create the tables and their first rows.
    MariaDb(String),
    /// The name of the database to copy.
    Postgres(String),
}

pub struct TestDatabase {
    kind: Kind,
    url: String,
    _directory: Option<TempDir>,
    name: Option<String>,
}

impl Kind {
    /// The kind that `ESB_TEST_DATABASE` names; SQLite by default.
    pub fn from_env() -> Self {
        match std::env::var("ESB_TEST_DATABASE").as_deref() {
            Err(_) | Ok("sqlite") => Self::Sqlite,
            Ok("mariadb") => Self::MariaDb,
            Ok("postgres") => Self::Postgres,
            Ok(other) => panic!("ESB_TEST_DATABASE={other}: use sqlite, mariadb or postgres"),
        }
    }

    /// Whether its server accepts connections; SQLite needs no server.
    #[allow(dead_code, reason = "only the fault program skips databases whose server is missing")]
    pub fn is_available(self) -> bool {
        self == Self::Sqlite || std::net::TcpStream::connect(host(&self.server())).is_ok()
    }

    fn server(self) -> String {
        let (variable, default) = match self {
            Self::MariaDb => ("ESB_TEST_MARIADB", "mysql://root@127.0.0.1:3306"),
            _ => ("ESB_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432"),
        };
        std::env::var(variable).unwrap_or_else(|_| default.to_owned())
    }

    /// A connection that may create and drop databases.
    async fn admin(self) -> DatabaseConnection {
        let database = if self == Self::MariaDb { "mysql" } else { "postgres" };
        let mut options = sea_orm::ConnectOptions::new(format!("{}/{database}", self.server()));
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.unwrap_or_else(|error| panic!("{}: {error}", self.server()))
    }

    /// The same, after databases of ended processes are swept.
    async fn swept_admin(self) -> DatabaseConnection {
        let admin = self.admin().await;
        SWEPT[self as usize].get_or_init(|| self.sweep(&admin)).await;
        admin
    }

    /// Drops the databases of processes that have ended. One of them may have had our process id: its
    /// databases go first, because their names are needed again.
    async fn sweep(self, admin: &DatabaseConnection) {
        let own_id = std::process::id().to_string();
        for name in self.test_databases(admin).await {
            let creator = name[PREFIX.len()..].split('_').next().unwrap_or_default();
            if creator == own_id {
                self.drop_database(admin, &name).await;
            } else if !Path::new("/proc").join(creator).exists() {
                drop_later(self, name);
            }
        }
    }

    async fn test_databases(self, admin: &DatabaseConnection) -> Vec<String> {
        let all = match self {
            Self::MariaDb => "SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA",
            _ => "SELECT datname::text AS name FROM pg_database",
        };
        let rows = rows(admin, all).await;
        let names = rows.iter().map(|row| row.try_get::<String>("", "name").unwrap());
        names.filter(|name| name.starts_with(PREFIX)).collect()
    }

    /// Failures are ignored: the next run's sweep tries again.
    async fn drop_database(self, admin: &DatabaseConnection, name: &str) {
        let force = if self == Self::Postgres { " WITH (FORCE)" } else { "" };
        let _ = admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}{force}")).await;
    }

    async fn template(self) -> &'static Template {
        let build = || async move {
            match self {
                Self::Sqlite => sqlite_template().await,
                Self::MariaDb => mariadb_template().await,
                Self::Postgres => Template::Postgres(template_database(self).await),
            }
        };
        // Boxed: the library's futures are too deep for those that await this.
        Box::pin(TEMPLATES[self as usize].get_or_init(build)).await
    }
}

/// Hands a database to the thread that drops them.
fn drop_later(kind: Kind, name: String) {
    static QUEUE: OnceLock<mpsc::Sender<(Kind, String)>> = OnceLock::new();
    let queue = QUEUE.get_or_init(|| {
        let (queue, names) = mpsc::channel();
        std::thread::spawn(move || drop_databases(&names));
        queue
    });
    let _ = queue.send((kind, name));
}

fn drop_databases(names: &mpsc::Receiver<(Kind, String)>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut admins: [Option<DatabaseConnection>; 3] = [const { None }; 3];
    for (kind, name) in names {
        runtime.block_on(async {
            let admin = &mut admins[kind as usize];
            if admin.is_none() {
                *admin = Some(kind.admin().await);
            }
            if let Some(admin) = admin {
                if kind == Kind::MariaDb {
                    // A connection of the test may not have ended yet.
                    let _ = admin.execute_unprepared("SET SESSION lock_wait_timeout = 5").await;
                }
                kind.drop_database(admin, &name).await;
            }
        });
    }
}

async fn rows(db: &DatabaseConnection, sql: &str) -> Vec<sea_orm::QueryResult> {
    db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap()
}

async fn sqlite_template() -> Template {
    let database = TestDatabase::empty_of(Kind::Sqlite).await;
    migrate(&database.url).await;
    let file = database.url.strip_prefix("sqlite://").unwrap();
    Template::Sqlite(std::fs::read(file).unwrap())
}

async fn mariadb_template() -> Template {
    let name = template_database(Kind::MariaDb).await;
    let admin = Kind::MariaDb.admin().await;
    let mut script = "SET FOREIGN_KEY_CHECKS = 0;".to_owned();
    for row in rows(&admin, &format!("SHOW TABLES FROM {name}")).await {
        let table: String = row.try_get_by_index(0).unwrap();
        let create = &rows(&admin, &format!("SHOW CREATE TABLE {name}.`{table}`")).await[0];
        script += &create.try_get_by_index::<String>(1).unwrap();
        script += ";";
        if !rows(&admin, &format!("SELECT 1 FROM {name}.`{table}` LIMIT 1")).await.is_empty() {
            script += &format!("INSERT INTO `{table}` SELECT * FROM {name}.`{table}`;");
        }
    }
    Template::MariaDb(script + "SET FOREIGN_KEY_CHECKS = 1")
}

/// A migrated database on a server, which stays until the next run sweeps it.
async fn template_database(kind: Kind) -> String {
    let name = format!("{PREFIX}{}_template", std::process::id());
    let admin = kind.swept_admin().await;
    admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    migrate(&format!("{}/{name}", kind.server())).await;
    name
}

async fn migrate(url: &str) {
    let store = Store::connect(&url.into()).await.unwrap();
    store.migrate().await.unwrap();
    store.close().await.unwrap();
}

/// Host and port of an address.
fn host(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let after = after.split_once('@').map_or(after, |(_, rest)| rest);
    after.split('/').next().unwrap_or_default()
}

impl TestDatabase {
    /// A migrated database of the kind that the environment names.
    pub async fn new() -> Self {
        Box::pin(Self::copy_of_template(Kind::from_env())).await
    }

    async fn copy_of_template(kind: Kind) -> Self {
        match kind.template().await {
            Template::Sqlite(bytes) => {
                let database = Self::empty_of(kind).await;
                write_private(Path::new(database.url.strip_prefix("sqlite://").unwrap()), bytes);
                database
            }
            Template::MariaDb(script) => {
                let admin = kind.admin().await;
                let database = Self::create(kind, &admin, "").await;
                let name = database.name.as_ref().unwrap();
                admin.execute_unprepared(&format!("USE {name}; {script}")).await.unwrap();
                database
            }
            Template::Postgres(template) => {
                Self::create(kind, &kind.admin().await, &format!("TEMPLATE {template}")).await
            }
        }
    }

    /// A database without tables; on SQLite the file does not exist yet.
    pub async fn empty() -> Self {
        Self::empty_of(Kind::from_env()).await
    }

    pub async fn empty_of(kind: Kind) -> Self {
        if kind == Kind::Sqlite {
            let directory = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}/data/esb.db", directory.path().display());
            return Self { kind, url, _directory: Some(directory), name: None };
        }
        Self::create(kind, &kind.swept_admin().await, "").await
    }

    /// A SQLite file in that directory, not created yet.
    pub fn in_directory(directory: &Path) -> Self {
        let url = format!("sqlite://{}/esb.db", directory.display());
        Self { kind: Kind::Sqlite, url, _directory: None, name: None }
    }

    async fn create(kind: Kind, admin: &DatabaseConnection, options: &str) -> Self {
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}_{number}", std::process::id());
        admin.execute_unprepared(&format!("CREATE DATABASE {name} {options}")).await.unwrap();
        Self { kind, url: format!("{}/{name}", kind.server()), _directory: None, name: Some(name) }
    }

    /// Its address in the form of `DATABASE_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Host and port of its server.
    pub fn host(&self) -> &str {
        host(&self.url)
    }

    /// Its address through a proxy.
    pub fn url_via(&self, proxy: std::net::SocketAddr) -> String {
        self.url.replacen(self.host(), &proxy.to_string(), 1)
    }

    /// Connects to it without migrating.
    pub async fn connect(&self) -> Store {
        Store::connect_with(&SecretString::from(self.url.as_str()), CONNECTIONS).await.unwrap()
    }
}

/// Writes a new file with the modes that the program gives its database.
fn write_private(file: &Path, bytes: &[u8]) {
    DirBuilder::new().recursive(true).mode(0o700).create(file.parent().unwrap()).unwrap();
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).unwrap();
    file.write_all(bytes).unwrap();
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            drop_later(self.kind, name);
        }
    }
}
