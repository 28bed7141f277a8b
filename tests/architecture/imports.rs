//! Which module may import which, and which may use which library.

use super::{RustFile, assert_no_violations, source};
use std::collections::BTreeSet;

/// Each module of `src/` and the modules, or parts of modules, that it may import.
const ALLOWED_IMPORTS: &[(&str, &[&str])] = &[
    // Rules without IO can be tested with a table.
    ("domain", &[]),
    // No behavior.
    ("views", &["domain"]),
    ("clock", &[]),
    ("metrics", &[]),
    ("error_chain", &[]),
    ("revision_cache", &[]),
    ("config", &["domain"]),
    // It knows rows, not use cases.
    ("store", &["error_chain", "domain"]),
    // It knows no protocol and no markup.
    ("ops", &["error_chain", "clock", "domain", "revision_cache", "store", "views"]),
    // The caller passes data and time.
    ("render", &["domain", "views"]),
    // It knows Slack and nothing of repairs.
    ("clients", &["config", "metrics"]),
    // It turns a stream of bytes into a file, without a protocol.
    ("files", &["error_chain", "clock", "domain", "store"]),
    // A step fetches and calls an operation: no lease, no SQL.
    ("jobs", &["error_chain", "clients", "domain", "files", "ops"]),
    ("people", &["error_chain", "clients", "clock", "domain", "ops", "store"]),
    // No `store`: an edge calls an operation.
    (
        "slack",
        &[
            "error_chain",
            "clients::slack_api",
            "clock",
            "domain",
            "metrics",
            "revision_cache",
            "ops",
            "people",
            "render::links",
            "render::slack",
            "views",
        ],
    ),
    // No `store`, as for `slack`; edges do not know each other.
    (
        "web",
        &[
            "error_chain",
            "clock",
            "domain",
            "files",
            "metrics",
            "revision_cache",
            "ops",
            "render::csv",
            "render::html",
            "render::links",
            "views",
        ],
    ),
    // No edge.
    (
        "worker",
        &[
            "error_chain",
            "clients",
            "clock",
            "domain",
            "files",
            "jobs",
            "metrics",
            "ops",
            "render::links",
            "render::slack",
            "store",
        ],
    ),
    ("logging", &["clock", "ops::mutation_log"]),
    // `app` builds what needs more.
    ("cli", &["app", "clock", "config", "domain", "logging", "ops"]),
    // It knows everything except `cli`, which calls it.
    (
        "app",
        &[
            "error_chain",
            "clients",
            "clock",
            "config",
            "domain::file",
            "files",
            "jobs",
            "metrics",
            "ops",
            "people",
            "render",
            "slack",
            "store",
            "web",
            "worker",
        ],
    ),
    ("lib", &[]),
    ("main", &["cli"]),
];

/// Libraries that only some parts of `src/` may use.
const LIBRARY_USERS: &[(&str, &[&str])] = &[
    ("sea_orm", &["domain", "store", "ops", "people", "worker"]),
    ("esb_migration", &["store::connect", "store::schema"]),
    ("slack_morphism", &["clients::slack_api"]),
    ("tokio_tungstenite", &["slack::socket"]),
    ("hyper", &["web", "clients"]),
    ("hyper_util", &["web", "clients", "cli::healthcheck", "cli::demo"]),
    ("hyper_rustls", &["clients"]),
    ("rustls", &["clients", "main"]),
    ("image", &["files"]),
    ("ipnet", &["domain::network"]),
    ("jiff", &["domain::zone"]),
    ("multer", &["web::upload"]),
    ("matchit", &["web"]),
    ("tower", &["web", "clients"]),
    ("tower_http", &["web"]),
    ("cookie", &["web"]),
    ("rustix", &["app::open_files", "app::writable", "files::disk_space"]),
    ("handlebars", &["render"]),
    ("rust_embed", &["render", "web::pages::assets"]),
    ("prometheus_client", &["metrics", "web::pages::metrics"]),
    ("governor", &["clock", "web::limits::rate_limiter", "worker::rate_limiter"]),
    ("argon2", &["ops::accounts::password"]),
    ("scrypt", &["ops::accounts::password"]),
    ("ring", &["ops::secret_box"]),
    ("sha2", &["ops::secret", "slack::http", "web::kernel::cookies"]),
    ("hmac", &["slack::http"]),
    ("dotenvy", &["config"]),
    ("strsim", &["config"]),
    ("clap", &["cli", "main"]),
    ("anyhow", &["app", "cli", "logging"]),
    ("tracing_subscriber", &["config", "logging"]),
    ("esb_sandbox", &["cli::demo"]),
    ("tikv_jemallocator", &["main"]),
    ("unicode_security", &["domain::username"]),
];

/// Modules without IO.
const PURE_MODULES: &[&str] = &["domain", "views", "render"];

/// Libraries that do IO, wait, or implement a protocol.
const IO_LIBRARIES: &[&str] =
    &["tokio", "tokio_util", "futures_util", "http", "http_body_util", "bytes", "tracing", "rand"];

fn covers(allowed: &str, named: &[String]) -> bool {
    let mut parts = allowed.split("::");
    parts.by_ref().zip(named).all(|(part, name)| part == name) && allowed.split("::").count() <= named.len()
}

#[test]
fn import_table_lists_exactly_the_modules() {
    let there: BTreeSet<String> = source().iter().map(|file| file.top().to_owned()).collect();
    let named: BTreeSet<String> = ALLOWED_IMPORTS.iter().map(|(module, _)| (*module).to_owned()).collect();
    assert_eq!(there, named, "src/ and ALLOWED_IMPORTS in tests/architecture/imports.rs differ");
}

#[test]
fn modules_import_only_allowed_modules() {
    let mut violations = Vec::new();
    for file in source() {
        let top = file.top();
        let may = ALLOWED_IMPORTS.iter().find(|(module, _)| *module == top).map_or(&[][..], |(_, may)| may);
        for path in file.paths() {
            let own = path.segments.first().is_none_or(|first| first == top);
            if !own && !may.iter().any(|allowed| covers(allowed, &path.segments)) {
                let named = path.segments.join("::");
                violations.push(format!("{}:{}: `{top}` may not use crate::{named}", file.path, path.line));
            }
        }
    }
    assert_no_violations(
        "Imports that ALLOWED_IMPORTS in tests/architecture/imports.rs does not allow (move the code, or change the rule):",
        &violations,
    );
}

#[test]
fn main_uses_only_cli() {
    let main = source().iter().find(|file| file.path == "src/main.rs").unwrap();
    let ours: Vec<_> =
        main.mentions("esb::").into_iter().filter(|line| !line.contains("esb::cli::")).collect();
    assert_no_violations("src/main.rs may use only `cli`:", &ours);
}

#[test]
fn libraries_are_used_where_allowed() {
    let mut violations = Vec::new();
    for file in source() {
        for (line, word) in file.first_words() {
            let users = LIBRARY_USERS.iter().find(|(library, _)| *library == word).map(|(_, users)| *users);
            let pure = PURE_MODULES.contains(&file.top()) && IO_LIBRARIES.contains(&word.as_str());
            let foreign = users.is_some_and(|users| !users.iter().any(|s| covers(s, &file.module)));
            if pure || foreign {
                violations.push(format!("{}:{line}: `{word}` is not allowed here", file.path));
            }
        }
    }
    assert_no_violations(
        "Libraries used where they are not allowed (LIBRARY_USERS, PURE_MODULES in tests/architecture/imports.rs):",
        &violations,
    );
}

#[test]
fn library_table_allows_only_what_is_used() {
    let mut violations = Vec::new();
    for (library, users) in LIBRARY_USERS {
        for user in *users {
            let uses = |file: &RustFile| {
                covers(user, &file.module) && file.first_words().iter().any(|(_, word)| word == library)
            };
            if !source().iter().any(uses) {
                violations.push(format!("{user} does not use {library}"));
            }
        }
    }
    assert_no_violations(
        "LIBRARY_USERS in tests/architecture/imports.rs allows unused libraries:",
        &violations,
    );
}
