//! Writes a demo session as a Markdown page: each input line with its output. Lines that begin with `#` become prose.

use anyhow::Context;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// The board's address in the page, regardless of the session's port.
const BOARD: &str = "http://localhost:5000";

pub(super) struct Transcript {
    file: File,
    board: String,
}

impl Transcript {
    pub(super) fn create(path: &Path, board: &str) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("--transcript {}", path.display()))?;
        Ok(Self { file, board: board.to_owned() })
    }

    pub(super) fn add(&mut self, line: &str, shown: &str) -> anyhow::Result<()> {
        let line = line.trim();
        if let Some(prose) = line.strip_prefix("# ") {
            writeln!(self.file, "{prose}\n")?;
        } else if !line.is_empty() {
            let shown = shown.replace(&self.board, BOARD);
            writeln!(self.file, "```text\n> {line}\n{}\n```\n", shown.trim_end())?;
        }
        Ok(())
    }
}
