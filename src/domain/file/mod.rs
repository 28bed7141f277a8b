//! Files that people attach: kinds, where each is accepted, what is stored about a file, and the messages for
//! rejected ones. Must not read files (`files` does).

use sea_orm::prelude::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};
use std::fmt;

mod allowance;
mod category;
mod name;

pub use allowance::{LostPhotos, VisitorAllowance};
pub use category::DocumentCategory;
pub use name::{FileName, StoredName};

/// Most bytes of a picture: it is in memory while it is rotated.
pub const PICTURE_MAX: u64 = 50 * MB;
/// Most pixels of a picture: three bytes each in memory.
pub const PIXELS_MAX: u64 = 50_000_000;
/// Decimal, as sizes are shown.
pub const MB: u64 = 1_000_000;

/// Kind of a file, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))")]
pub enum FileKind {
    #[sea_orm(string_value = "pdf")]
    Pdf,
    /// Word, before 2007.
    #[sea_orm(string_value = "doc")]
    Doc,
    /// Word.
    #[sea_orm(string_value = "docx")]
    Docx,
    /// Plain text.
    #[sea_orm(string_value = "txt")]
    Txt,
    /// Rich text.
    #[sea_orm(string_value = "rtf")]
    Rtf,
    /// OpenDocument text.
    #[sea_orm(string_value = "odt")]
    Odt,
    /// Excel, before 2007.
    #[sea_orm(string_value = "xls")]
    Xls,
    /// Excel.
    #[sea_orm(string_value = "xlsx")]
    Xlsx,
    /// A table as text.
    #[sea_orm(string_value = "csv")]
    Csv,
    /// PowerPoint, before 2007.
    #[sea_orm(string_value = "ppt")]
    Ppt,
    /// PowerPoint.
    #[sea_orm(string_value = "pptx")]
    Pptx,
    #[sea_orm(string_value = "jpg")]
    Jpeg,
    #[sea_orm(string_value = "png")]
    Png,
    /// GIF, still or moving.
    #[sea_orm(string_value = "gif")]
    Gif,
    #[sea_orm(string_value = "webp")]
    Webp,
    /// HEIC, as iPhones write it.
    #[sea_orm(string_value = "heic")]
    Heic,
    /// AVIF, still or moving.
    #[sea_orm(string_value = "avif")]
    Avif,
    #[sea_orm(string_value = "mp4")]
    Mp4,
    /// QuickTime.
    #[sea_orm(string_value = "mov")]
    Mov,
    #[sea_orm(string_value = "avi")]
    Avi,
    #[sea_orm(string_value = "webm")]
    Webm,
}

/// The use of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileGroup {
    Document,
    Photo,
    Video,
}

impl FileKind {
    /// All kinds.
    pub const ALL: [Self; 21] = [
        Self::Pdf,
        Self::Doc,
        Self::Docx,
        Self::Txt,
        Self::Rtf,
        Self::Odt,
        Self::Xls,
        Self::Xlsx,
        Self::Csv,
        Self::Ppt,
        Self::Pptx,
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Webp,
        Self::Heic,
        Self::Avif,
        Self::Mp4,
        Self::Mov,
        Self::Avi,
        Self::Webm,
    ];

    /// Extensions of this kind, the usual one first.
    pub const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Doc => &["doc"],
            Self::Docx => &["docx"],
            Self::Txt => &["txt"],
            Self::Rtf => &["rtf"],
            Self::Odt => &["odt"],
            Self::Xls => &["xls"],
            Self::Xlsx => &["xlsx"],
            Self::Csv => &["csv"],
            Self::Ppt => &["ppt"],
            Self::Pptx => &["pptx"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Png => &["png"],
            Self::Gif => &["gif"],
            Self::Webp => &["webp"],
            Self::Heic => &["heic", "heif"],
            Self::Avif => &["avif"],
            Self::Mp4 => &["mp4", "m4v"],
            Self::Mov => &["mov", "qt"],
            Self::Avi => &["avi"],
            Self::Webm => &["webm"],
        }
    }

    /// The usual extension.
    pub fn ending(self) -> &'static str {
        self.endings().first().copied().unwrap_or("bin")
    }

    /// The kind of an extension in lower case.
    pub fn of_ending(ending: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.endings().contains(&ending))
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Doc => "application/msword",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Txt => "text/plain",
            Self::Rtf => "application/rtf",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Xls => "application/vnd.ms-excel",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv",
            Self::Ppt => "application/vnd.ms-powerpoint",
            Self::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
            Self::Avif => "image/avif",
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
            Self::Avi => "video/x-msvideo",
            Self::Webm => "video/webm",
        }
    }

    pub const fn group(self) -> FileGroup {
        match self {
            Self::Jpeg | Self::Png | Self::Gif | Self::Webp | Self::Heic | Self::Avif => FileGroup::Photo,
            Self::Mp4 | Self::Mov | Self::Avi | Self::Webm => FileGroup::Video,
            _ => FileGroup::Document,
        }
    }

    /// True for photos in a HEIF container, which we cannot decode.
    pub const fn is_heif(self) -> bool {
        matches!(self, Self::Heic | Self::Avif)
    }

    /// True when a browser may show it inline; others are downloaded. Few browsers show HEIC and AVI, and older
    /// ones no AVIF.
    pub const fn is_shown(self) -> bool {
        match self {
            Self::Heic | Self::Avif | Self::Avi => false,
            Self::Pdf => true,
            other => !matches!(other.group(), FileGroup::Document),
        }
    }
}

/// Disk space that uploads leave free, so that the database can still write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskReserve {
    /// At least this many bytes.
    pub bytes: u64,
    /// At least this part of the disk.
    pub percent: u64,
}

impl DiskReserve {
    /// The product's reserve (spec "Database").
    pub const STANDARD: Self = Self { bytes: 200 * MB, percent: 5 };

    /// True when this much of `total` bytes is free. A disk of unknown size passes.
    pub const fn is_free(self, free: u64, total: u64) -> bool {
        total == 0 || (free >= self.bytes && free >= (total / 100).saturating_mul(self.percent))
    }
}

/// What an upload form accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    Photos,
    PhotosAndVideos,
    /// Documents, and instruction videos.
    Documents,
}

impl Accepts {
    pub const fn takes(self, kind: FileKind) -> bool {
        match (self, kind.group()) {
            (Self::Photos | Self::PhotosAndVideos, FileGroup::Photo)
            | (Self::PhotosAndVideos | Self::Documents, FileGroup::Video)
            | (Self::Documents, FileGroup::Document) => true,
            (Self::Photos, _) | (Self::PhotosAndVideos, FileGroup::Document) => false,
            (Self::Documents, FileGroup::Photo) => false,
        }
    }

    /// The value of the `accept` attribute.
    pub fn offered(self) -> String {
        let taken = FileKind::ALL.into_iter().filter(|kind| self.takes(*kind));
        let endings: Vec<String> =
            taken.flat_map(FileKind::endings).map(|ending| format!(".{ending}")).collect();
        match self {
            // Phones offer the camera for a type, not for an extension.
            Self::Photos => format!("image/*,{}", endings.join(",")),
            Self::PhotosAndVideos => format!("image/*,video/*,{}", endings.join(",")),
            Self::Documents => endings.join(","),
        }
    }

    /// The accepted files, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Photos => "photos: JPEG, PNG, GIF, WebP, HEIC or AVIF",
            Self::PhotosAndVideos => {
                "photos (JPEG, PNG, GIF, WebP, HEIC, AVIF) and videos (MP4, MOV, AVI, WebM)"
            }
            Self::Documents => {
                "PDF, Word, Excel, PowerPoint, ODT, RTF, text, CSV and videos (MP4, MOV, AVI, WebM)"
            }
        }
    }
}

/// A stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name in the upload directory.
    pub stored: StoredName,
    pub kind: FileKind,
    /// The sender's name for it.
    pub name: FileName,
    /// In bytes.
    pub size: u64,
    pub has_thumbnail: bool,
}

/// Why a file is rejected; its `Display` is the sentence for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRefusal {
    Empty,
    TooLarge {
        /// In bytes.
        limit: u64,
    },
    /// Its content is not an accepted kind.
    NotTaken(Accepts),
    /// Its extension does not match its content.
    Mislabelled {
        /// The extension.
        ending: String,
        kind: Option<FileKind>,
    },
    /// A picture that cannot be decoded completely.
    Damaged,
    /// A picture with too many pixels.
    TooManyPixels,
    /// A HEIC or AVIF whose metadata cannot be located reliably.
    OddHeic,
}

impl FileRefusal {
    /// True when a smaller file would have been accepted.
    pub const fn is_about_size(&self) -> bool {
        matches!(self, Self::TooLarge { .. })
    }
}

impl fmt::Display for FileRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty. Please choose it again."),
            Self::TooLarge { limit } => {
                write!(
                    f,
                    "is too large: at most {} are taken. Please send a smaller one.",
                    size_words(*limit)
                )
            }
            Self::NotTaken(accepts) => write!(f, "is not what is taken here: {}.", accepts.words()),
            Self::Mislabelled { ending, kind: Some(kind) } => write!(
                f,
                "ends in .{ending} but is a {} inside. Please give it its right name, or save it again.",
                kind.ending().to_uppercase()
            ),
            Self::Mislabelled { ending, kind: None } => {
                write!(f, "ends in .{ending} but is none inside. Save it again and send that.")
            }
            Self::Damaged => f.write_str("is damaged or not whole. Please send it again."),
            Self::TooManyPixels => {
                write!(f, "has too many pixels: at most {} million are taken.", PIXELS_MAX / 1_000_000)
            }
            Self::OddHeic => f.write_str(
                "may tell where it was taken, and this cannot be removed from it. Please send it as JPEG.",
            ),
        }
    }
}

/// A size as people read it: "350 kB", "12 MB".
pub fn size_words(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..MB => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / MB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_ending_belongs_to_one_kind() {
        let mut seen = HashSet::new();
        for kind in FileKind::ALL {
            for ending in kind.endings() {
                assert!(seen.insert(*ending), "{ending}");
                assert_eq!(FileKind::of_ending(ending), Some(kind));
            }
            assert_eq!(FileKind::ALL.iter().filter(|other| **other == kind).count(), 1);
        }
        assert_eq!(FileKind::of_ending("exe"), None);
    }

    #[test]
    fn each_upload_accepts_its_file_kinds() {
        for (kind, photos, both, documents) in [
            (FileKind::Jpeg, true, true, false),
            (FileKind::Heic, true, true, false),
            (FileKind::Avif, true, true, false),
            (FileKind::Mp4, false, true, true),
            (FileKind::Pdf, false, false, true),
            (FileKind::Csv, false, false, true),
        ] {
            let taken =
                [Accepts::Photos, Accepts::PhotosAndVideos, Accepts::Documents].map(|a| a.takes(kind));
            assert_eq!(taken, [photos, both, documents], "{kind:?}");
        }
        assert!(Accepts::Photos.offered().starts_with("image/*,.jpg,.jpeg,.png"));
        assert!(!Accepts::Documents.offered().contains(".png"));
    }

    #[test]
    fn only_inert_files_are_shown_inline() {
        let shown: Vec<&str> =
            FileKind::ALL.into_iter().filter(|kind| kind.is_shown()).map(FileKind::ending).collect();
        assert_eq!(shown, ["pdf", "jpg", "png", "gif", "webp", "mp4", "mov", "webm"]);
    }

    #[test]
    fn reserve_is_bytes_and_percent() {
        const GB: u64 = 1000 * MB;
        for (free, total, is_free) in [
            (200 * MB, GB, true),
            (199 * MB, GB, false),
            (5 * GB, 100 * GB, true),
            (4 * GB, 100 * GB, false),
            (0, 0, true),
            (u64::MAX, u64::MAX, true),
        ] {
            assert_eq!(DiskReserve::STANDARD.is_free(free, total), is_free, "{free} of {total}");
        }
    }

    #[test]
    fn sizes_are_shown_in_short_units() {
        assert_eq!((size_words(0), size_words(999)), ("0 bytes".into(), "999 bytes".into()));
        assert_eq!((size_words(1_500), size_words(10 * MB)), ("1 kB".into(), "10 MB".into()));
        let refusal = FileRefusal::TooLarge { limit: 10 * MB };
        assert!(refusal.to_string().contains("at most 10 MB") && refusal.is_about_size());
    }
}
