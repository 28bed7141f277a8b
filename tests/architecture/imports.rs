//! Who may import whom, and which module may speak which library.

use super::{RustFile, hold, root, source};
use std::collections::BTreeSet;
use std::fs;

/// Each module of `src/` and what it may name of the others: a module, or only a part of it.
/// ARCHITECTURE.md shows the same table.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("views", &["domain"]),
    ("clock", &[]),
    ("metrics", &[]),
    ("chain", &[]),
    ("newest", &[]),
    ("config", &["domain"]),
    ("store", &["chain", "domain"]),
    ("ops", &["chain", "clock", "domain", "newest", "store", "views"]),
    ("render", &["domain", "views"]),
    ("clients", &["config", "metrics"]),
    ("files", &["chain", "clock", "domain", "store"]),
    ("jobs", &["chain", "clients", "domain", "files", "ops"]),
    ("people", &["chain", "clients", "clock", "domain", "ops", "store"]),
    (
        "slack",
        &[
            "chain",
            "clients::slack_api",
            "clock",
            "domain",
            "metrics",
            "newest",
            "ops",
            "people",
            "render::links",
            "render::slack",
            "views",
        ],
    ),
    (
        "web",
        &[
            "chain",
            "clock",
            "domain",
            "files",
            "metrics",
            "newest",
            "ops",
            "render::csv",
            "render::html",
            "render::links",
            "views",
        ],
    ),
    (
        "worker",
        &[
            "chain",
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
    ("cli", &["app", "clock", "config", "domain", "logging", "ops"]),
    (
        "app",
        &[
            "chain",
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

/// Libraries that belong somewhere: the parts of `src/` that may name them.
const SPOKEN_BY: &[(&str, &[&str])] = &[
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
    ("multer", &["web::kernel::upload"]),
    ("matchit", &["web"]),
    ("tower", &["web", "clients"]),
    ("tower_http", &["web"]),
    ("cookie", &["web"]),
    ("rustix", &["app::open_files", "files::disk_space"]),
    ("handlebars", &["render"]),
    ("rust_embed", &["render", "web::pages::assets"]),
    ("prometheus_client", &["metrics", "web::pages::metrics"]),
    ("governor", &["clock", "web::kernel::limit", "worker::rate_limiter"]),
    ("argon2", &["ops::password"]),
    ("scrypt", &["ops::password"]),
    ("ring", &["ops::seal"]),
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

/// Modules that neither wait nor know a protocol: no library of IO at all.
const PURE: &[&str] = &["domain", "views", "render"];

/// Libraries that wait, or know a protocol.
const IMPURE: &[&str] =
    &["tokio", "tokio_util", "futures_util", "http", "http_body_util", "bytes", "tracing", "rand"];

fn covers(allowed: &str, named: &[String]) -> bool {
    let mut parts = allowed.split("::");
    parts.by_ref().zip(named).all(|(part, name)| part == name) && allowed.split("::").count() <= named.len()
}

#[test]
fn every_module_stands_in_the_table_and_the_table_names_no_other() {
    let there: BTreeSet<String> = source().iter().map(|file| file.top().to_owned()).collect();
    let named: BTreeSet<String> = MAY_USE.iter().map(|(module, _)| (*module).to_owned()).collect();
    assert_eq!(there, named, "src/ and MAY_USE in tests/architecture/imports.rs differ");
}

#[test]
fn modules_import_only_whom_they_may() {
    let mut breaches = Vec::new();
    for file in source() {
        let top = file.top();
        let may = MAY_USE.iter().find(|(module, _)| *module == top).map_or(&[][..], |(_, may)| may);
        for path in file.paths() {
            let own = path.segments.first().is_none_or(|first| first == top);
            if !own && !may.iter().any(|allowed| covers(allowed, &path.segments)) {
                let named = path.segments.join("::");
                breaches.push(format!("{}:{}: `{top}` may not use crate::{named}", file.shown, path.line));
            }
        }
    }
    hold(
        "ARCHITECTURE.md, \"Who may import whom\" (move the code, or change the rule on purpose):",
        &breaches,
    );
}

#[test]
fn the_program_starts_from_the_command_line_alone() {
    let main = source().iter().find(|file| file.shown == "src/main.rs").unwrap();
    let ours: Vec<_> =
        main.mentions("esb::").into_iter().filter(|line| !line.contains("esb::cli::")).collect();
    hold("src/main.rs only starts `cli`:", &ours);
}

#[test]
fn libraries_are_spoken_where_they_belong() {
    let mut breaches = Vec::new();
    for file in source() {
        for (line, word) in file.first_words() {
            let speakers =
                SPOKEN_BY.iter().find(|(library, _)| *library == word).map(|(_, speakers)| *speakers);
            let pure = PURE.contains(&file.top()) && IMPURE.contains(&word.as_str());
            let foreign = speakers.is_some_and(|speakers| !speakers.iter().any(|s| covers(s, &file.module)));
            if pure || foreign {
                breaches.push(format!("{}:{line}: `{word}` is not spoken here", file.shown));
            }
        }
    }
    hold("Each library has its place (SPOKEN_BY, PURE in tests/architecture/imports.rs):", &breaches);
}

#[test]
fn every_speaker_still_speaks() {
    let mut breaches = Vec::new();
    for (library, speakers) in SPOKEN_BY {
        for speaker in *speakers {
            let speaks = |file: &RustFile| {
                covers(speaker, &file.module) && file.first_words().iter().any(|(_, word)| word == library)
            };
            if !source().iter().any(speaks) {
                breaches.push(format!("{speaker} does not use {library}"));
            }
        }
    }
    hold("SPOKEN_BY in tests/architecture/imports.rs allows more than is needed:", &breaches);
}

#[test]
fn architecture_md_shows_the_same_table() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let row = |(module, may): &(&str, &[&str])| {
        let may: Vec<String> = may.iter().map(|name| format!("`{name}`")).collect();
        let may = if may.is_empty() { "nothing".to_owned() } else { may.join(", ") };
        format!("| `{module}` | {may} |")
    };
    let missing: Vec<String> = MAY_USE
        .iter()
        .map(row)
        .filter(|row| !page.lines().any(|line| line.starts_with(row.as_str())))
        .collect();
    hold("ARCHITECTURE.md, \"Who may import whom\", lacks these rows:", &missing);
}
