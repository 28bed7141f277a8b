//! Dockerfile, compose files and systemd files against the sources and the administrators' guide. `.ci/containers`
//! runs what they describe.

use super::{read, root};
use std::collections::BTreeSet;

/// Sources of `COPY` lines, without those of another stage.
fn copied() -> Vec<String> {
    let dockerfile = read("Dockerfile");
    let copies = dockerfile.lines().filter_map(|line| line.strip_prefix("COPY "));
    let own = copies.filter(|copy| !copy.starts_with("--from"));
    own.flat_map(|copy| {
        let mut words: Vec<String> = copy.split(' ').map(str::to_owned).collect();
        words.pop();
        words
    })
    .collect()
}

#[test]
fn dockerfile_copies_existing_files_that_dockerignore_allows() {
    let allowed = read(".dockerignore");
    let allowed: BTreeSet<&str> = allowed.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for source in copied() {
        assert!(root().join(&source).exists(), "{source} does not exist");
        let top = source.split('/').next().unwrap();
        assert!(allowed.contains(top), ".dockerignore hides {source}");
    }
}

#[test]
fn dockerfile_copies_every_workspace_member() {
    let manifest = read("Cargo.toml");
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = [")).unwrap();
    let members: Vec<&str> = members.split('"').skip(1).step_by(2).filter(|member| *member != ".").collect();
    assert!(members.len() >= 3, "{members:?}");
    let copied = copied();
    for member in members {
        assert!(copied.contains(&format!("{member}/Cargo.toml")), "the dependency layer lacks {member}");
        assert!(copied.contains(&member.to_owned()), "the build lacks {member}");
    }
}

#[test]
fn files_compiled_in_are_copied() {
    let copied = copied();
    for name in ["blocks", "templates", "assets", "manifest.yaml", "src"] {
        assert!(copied.iter().any(|source| source == name), "{name}");
    }
}

#[test]
fn guide_names_existing_compose_files_and_services() {
    let guide = read("docs/administrators.md");
    let mut files = 0;
    for word in guide.split(|c: char| c.is_whitespace() || matches!(c, '`' | '(' | ')' | ',')) {
        if word.starts_with("deploy/") {
            files += 1;
            assert!(root().join(word).exists(), "{word} does not exist");
        }
    }
    assert!(files >= 6, "{files}");
    let compose = read("compose.yaml");
    for part in guide.split("docker compose exec ").skip(1) {
        let service = part.split_whitespace().find(|word| *word != "-T").unwrap();
        assert!(compose.contains(&format!("\n  {service}:\n")), "no service {service}");
    }
}

#[test]
fn unit_runs_where_tmpfiles_and_sysusers_say() {
    let (unit, tmpfiles, sysusers) =
        (read("deploy/esb.service"), read("deploy/esb.tmpfiles.conf"), read("deploy/esb.sysusers.conf"));
    for line in ["User=esb", "WorkingDirectory=/var/lib/esb", "ExecStart=/usr/local/bin/esb serve"] {
        assert!(unit.lines().any(|it| it == line), "{line}");
    }
    assert!(unit.lines().any(|line| line == "RestartPreventExitStatus=2"));
    assert!(tmpfiles.lines().any(|line| line == "d /var/lib/esb 0750 esb esb"), "{tmpfiles}");
    assert!(sysusers.lines().any(|line| line.starts_with("u esb ")), "{sysusers}");
}
