//! `esb demo` as a process: what its lines say, and how it ends.

use std::io::Write;
use std::process::{Command, Stdio};

/// What the demo shows for some lines, when it has ended by itself.
fn demo(lines: &str) -> String {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_esb"));
    let mut demo =
        demo.args(["demo", "--port", "0"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = demo.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    // The input stays open: only a line can end the demo.
    let ended = demo.wait_with_output().unwrap();
    drop(input);
    assert!(ended.status.success());
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn help_lists_board_and_exit_commands() {
    for end in ["exit", "quit"] {
        let shown = demo(&format!("help\n {end} \nwho\n"));
        for line in ["/command text ", "board [word] ", "exit, quit, Ctrl-C "] {
            assert!(shown.contains(&format!("\n{line}")), "{line} in {shown}");
        }
        assert!(!shown.contains("Ana Lee"), "it went on after {end}: {shown}");
    }
}

#[test]
fn demo_assignees_are_people_of_the_workspace() {
    let areas = ["wood shop", "metal shop", "laser and print", "electronics"];
    let lines: String = areas.iter().map(|area| format!("/esb-status {area}\n")).collect();
    let shown = demo(&format!("who\n{lines}exit\n"));
    let assignees = shown.split("assigned to ").skip(1).filter_map(|rest| rest.split([' ', '\n']).next());
    let assignees: std::collections::BTreeSet<&str> = assignees.collect();
    assert!(assignees.len() > 1, "{assignees:?}");
    for name in assignees {
        assert!(shown.lines().any(|line| line.starts_with(&format!("{name} "))), "{name} in {shown}");
    }
}
