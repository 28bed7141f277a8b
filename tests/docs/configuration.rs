//! `.env.example` and the table in docs/administrators.md against `esb::config::VARIABLES`.

use super::{quoted, read, root, table};
use esb::config::{COMPOSE_VARIABLES, Config, Environment, VARIABLES};
use secrecy::ExposeSecret;

#[test]
fn env_example_lists_variables_with_defaults() {
    let page = read(".env.example");
    let set: Vec<(&str, &str)> =
        page.lines().filter(|line| !line.starts_with("# ")).filter_map(|line| line.split_once('=')).collect();
    let expected: Vec<(&str, &str)> = VARIABLES
        .iter()
        .chain(COMPOSE_VARIABLES)
        .map(|(name, default)| match *name {
            "DATABASE_URL" => ("#DATABASE_URL", "sqlite://data/esb.db"),
            name => (name, *default),
        })
        .collect();
    assert_eq!(set, expected, ".env.example and esb::config::VARIABLES differ");
}

#[test]
fn env_example_explains_each_variable() {
    let page = read(".env.example");
    for part in page.split("\n\n").skip(1) {
        assert!(part.starts_with("# "), "no comment above:\n{part}");
    }
}

#[test]
fn env_example_is_the_default_configuration() {
    let lines = dotenvy::from_path_iter(root().join(".env.example")).unwrap();
    let environment: Environment = lines.map(Result::unwrap).collect();
    let (given, default) =
        (Config::parse(&environment).unwrap(), Config::parse(&Environment::new()).unwrap());
    assert_eq!(format!("{given:?}"), format!("{default:?}"));
    assert_eq!(given.database_url.expose_secret(), default.database_url.expose_secret());
    assert!(given.secret_key.is_none());
}

#[test]
fn commented_database_is_the_default() {
    let page = read(".env.example");
    let commented = page.lines().find_map(|line| line.strip_prefix("#DATABASE_URL=")).unwrap();
    assert_eq!(Config::parse(&Environment::new()).unwrap().database_url.expose_secret(), commented);
}

#[test]
fn administrators_guide_lists_every_variable() {
    let rows = table(&read("docs/administrators.md"), "## Configuration");
    let names: Vec<&str> = rows.iter().filter_map(|row| quoted(&row[0]).next()).collect();
    let all = || VARIABLES.iter().chain(COMPOSE_VARIABLES);
    assert_eq!(names, all().map(|(name, _)| *name).collect::<Vec<_>>());
    for (row, (name, default)) in rows.iter().zip(all()).filter(|(_, (_, default))| !default.is_empty()) {
        assert_eq!(quoted(&row[1]).next(), Some(*default), "default of {name}");
    }
}
