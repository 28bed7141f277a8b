//! Files of forms and messages: which are photos to fetch, and which are only named. The actual type is determined
//! by the content when it is fetched.

use super::envelope::SentFile;
use crate::domain::job::PhotoSource;
use crate::domain::text::{Note, cut};
use crate::ops::repairs::photo_source::InSlack;

/// Most photos to fetch from one message (Slack's limit of files per message).
const FETCH_MAX: usize = 10;
/// Most characters of a file's name in a note.
const NAME_MAX: usize = 120;

/// Sorts files; external files, files that are not pictures, and those above the limit are named with a link.
pub(super) fn sorted(files: &[SentFile]) -> InSlack {
    let mut fetch = Vec::new();
    let mut links = Vec::new();
    for file in files {
        match photo(file).filter(|_| fetch.len() < FETCH_MAX) {
            Some(photo) => fetch.push(photo),
            None => links.push(link(file)),
        }
    }
    let links = (!links.is_empty()).then(|| format!("In Slack only:\n{}", links.join("\n")));
    InSlack { fetch, links: links.and_then(|links| note(&links)) }
}

/// A text as a note, cut and normalized; `None` if nothing is visible.
pub(super) fn note(text: &str) -> Option<Note> {
    Note::parse(&cut(text.replace('\0', "").trim(), Note::MAX)).ok()
}

/// Slack's value for a file without further fields (its page on Slack Connect).
const ASK: &str = "check_file_info";

fn photo(file: &SentFile) -> Option<PhotoSource> {
    let name = file.name.as_deref().unwrap_or_default();
    if file.file_access.as_deref() == Some(ASK) {
        return PhotoSource::to_look_up(&file.id, name).ok();
    }
    let is_picture = |kind: &String| kind.starts_with("image/") || kind.starts_with("video/");
    if file.is_external || !file.mimetype.as_ref().is_none_or(is_picture) {
        return None;
    }
    PhotoSource::new(&file.id, file.url_private.as_deref()?, name).ok()
}

fn link(file: &SentFile) -> String {
    let name = cut(file.name.as_deref().unwrap_or("A file"), NAME_MAX);
    let at = if file.is_external { &file.url_private } else { &file.permalink };
    match at.as_ref().or(file.permalink.as_ref()) {
        Some(at) => format!("{name}: {at}"),
        None => format!("{name} (Slack does not say where it is)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str) -> SentFile {
        SentFile {
            id: id.into(),
            name: Some(format!("{id}.jpg")),
            mimetype: Some("image/jpeg".into()),
            url_private: Some(format!("https://files.slack.com/{id}")),
            permalink: Some(format!("https://x.slack.com/{id}")),
            is_external: false,
            file_access: Some("visible".into()),
        }
    }

    #[test]
    fn photos_are_fetched_other_files_are_linked() {
        let elsewhere =
            SentFile { url_private: Some("https://drive.test/a".into()), is_external: true, ..file("F2") };
        let files = [
            file("F1"),
            elsewhere,
            SentFile { mimetype: Some("application/pdf".into()), ..file("F3") },
            SentFile { url_private: None, permalink: None, ..file("F4") },
            SentFile { mimetype: Some("video/mp4".into()), ..file("F5") },
            SentFile { mimetype: None, ..file("F6") },
            SentFile { id: "F7".into(), file_access: Some(ASK.into()), ..SentFile::default() },
        ];
        let sorted = sorted(&files);
        let fetched: Vec<&str> = sorted.fetch.iter().map(|photo| photo.file_id.as_str()).collect();
        assert_eq!(fetched, ["F1", "F5", "F6", "F7"]);
        assert_eq!(
            sorted.fetch.iter().filter(|photo| photo.url.is_none()).count(),
            1,
            "Slack is asked first"
        );
        let expected = "In Slack only:\nF2.jpg: https://drive.test/a\nF3.jpg: https://x.slack.com/F3\n\
                        F4.jpg (Slack does not say where it is)";
        assert_eq!(sorted.links.unwrap().as_str(), expected);
    }

    #[test]
    fn files_over_fetch_limit_are_linked() {
        let files: Vec<SentFile> = (1..=12).map(|n| file(&format!("F{n}"))).collect();
        let sorted = sorted(&files);
        assert_eq!(sorted.fetch.len(), FETCH_MAX);
        assert_eq!(sorted.links.unwrap().as_str().lines().count(), 3);
        assert_eq!(super::sorted(&[]), InSlack::default());
    }
}
