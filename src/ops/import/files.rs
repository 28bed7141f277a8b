//! Documents and photos: each file goes through the same checks as an upload, then gets a row. The caller locates
//! the old files.

use super::Tally;
use super::convert::{RowReader, quoted};
use super::equipment::NO_EQUIPMENT;
use super::run::Run;
use crate::domain::file::{Accepts, DocumentCategory, StoredFile};
use crate::domain::ids::{DocumentId, EquipmentId, PhotoId, RepairId, UserId};
use crate::domain::text::DocumentTitle;
use crate::ops::OpError;
use crate::ops::equipment::documents::DOCUMENTS_MAX;
use crate::ops::repairs::photos::PHOTOS_MAX;
use crate::store::documents::Document;
use crate::store::import;
use crate::store::legacy::Row;
use crate::store::legacy::tables::DOCUMENTS;
use crate::store::photos::Photo;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A file of the Python system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyFile {
    /// Relative to that system's upload directory.
    pub path: PathBuf,
    /// The name under which it was uploaded.
    pub name: String,
    pub accepts: Accepts,
}

/// Why a file is not copied.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// It is missing or of a kind that ESB does not accept.
    #[error("{0}")]
    File(String),
    /// No file can be stored.
    #[error("files cannot be stored")]
    Disk(#[source] std::io::Error),
}

/// Copies the old files.
pub trait Uploads: Sync {
    fn copy<'a>(&'a self, file: &'a LegacyFile) -> BoxFuture<'a, Result<StoredFile, UploadError>>;

    /// Checks that a file can be opened, without copying it.
    fn check<'a>(&'a self, file: &'a LegacyFile) -> BoxFuture<'a, Result<(), UploadError>>;
}

/// What a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Document(EquipmentId),
    Equipment(EquipmentId),
    Repair(RepairId),
}

/// Categories by their names in the Python system.
const CATEGORIES: [(&str, DocumentCategory); 7] = [
    ("owners_manual", DocumentCategory::OwnersManual),
    ("service_manual", DocumentCategory::ServiceManual),
    ("quick_start", DocumentCategory::QuickStart),
    ("training_video", DocumentCategory::TrainingVideo),
    ("manufacturer_page", DocumentCategory::ProductPage),
    ("manufacturer_support", DocumentCategory::Support),
    ("other", DocumentCategory::Other),
];

pub(super) async fn copy(run: &mut Run<'_>, uploads: Option<&dyn Uploads>) -> Result<Tally, OpError> {
    let mut pages = run.begin(DOCUMENTS).await?;
    let mut counts: BTreeMap<Owner, u64> = BTreeMap::new();
    while let Some(page) = pages.next(run).await? {
        let sources: Vec<String> = page.iter().map(source).collect();
        let here = import::sources(run.ctx.store.read(), &sources).await?;
        let ids: Vec<i64> = page.iter().map(|row| row.id).collect();
        let documents = import::made::<Document>(run.ctx.store.read(), &ids).await?;
        let photos = import::made::<Photo>(run.ctx.store.read(), &ids).await?;
        for row in &page {
            let name = row.text("original_filename").unwrap_or_default();
            let is_here = here.contains(&source(row));
            if is_here {
                run.count_existing();
            }
            let owner = match owner(run, row) {
                Ok(owner) => owner,
                Err(_) if is_here => continue,
                Err(why) => {
                    run.skip(row, name, why);
                    continue;
                }
            };
            let others = if matches!(owner, Owner::Document(_)) { &documents } else { &photos };
            let is_copied = match uploads {
                _ if is_here => true,
                None => {
                    run.skip(row, name, "its file was not asked for (--uploads)");
                    false
                }
                Some(_) if others.contains_key(&row.id) => {
                    run.skip(row, name, "its number was given to another here");
                    false
                }
                Some(uploads) => copy_file(run, uploads, row, owner).await?,
            };
            if is_copied {
                *counts.entry(owner).or_default() += 1;
            }
        }
        run.report_progress();
    }
    for (owner, count) in counts {
        let (whose, most) = match owner {
            Owner::Document(equipment) => {
                (format!("equipment {equipment}: has {count} documents"), DOCUMENTS_MAX)
            }
            Owner::Equipment(equipment) => (format!("equipment {equipment}: has {count} photos"), PHOTOS_MAX),
            Owner::Repair(repair) => (format!("repair_records {repair}: has {count} photos"), PHOTOS_MAX),
        };
        if count > most {
            run.report(&format!("{whose}, pages show the first {most}"));
        }
    }
    Ok(run.end())
}

/// The `source` column of a file of the Python system, which makes the copy idempotent.
fn source(row: &Row) -> String {
    format!("legacy:document:{}", row.id)
}

fn owner(run: &Run<'_>, row: &Row) -> Result<Owner, &'static str> {
    let number = row.number("parent_id").ok().flatten().unwrap_or_default();
    let (equipment, repair) = (EquipmentId(number), RepairId(number));
    let is_equipment = run.known.equipment.contains(&equipment);
    match row.text("parent_type").unwrap_or_default() {
        "equipment_doc" if is_equipment => Ok(Owner::Document(equipment)),
        "equipment_photo" if is_equipment => Ok(Owner::Equipment(equipment)),
        "equipment_doc" | "equipment_photo" => Err(NO_EQUIPMENT),
        "repair_photo" if run.known.repairs.contains_key(&repair) => Ok(Owner::Repair(repair)),
        "repair_photo" => Err("its repair was not copied"),
        _ => Err("what it belongs to is unknown (parent_type)"),
    }
}

/// The path of a file; `None` if its name would leave the directory.
fn legacy_file(row: &Row, owner: Owner) -> Option<LegacyFile> {
    let stored = row.text("stored_filename").unwrap_or_default();
    let is_plain = stored.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if !is_plain || stored.trim_matches('.').is_empty() {
        return None;
    }
    let (directory, accepts) = match owner {
        Owner::Document(equipment) => (format!("equipment/{equipment}/docs"), Accepts::Documents),
        Owner::Equipment(equipment) => (format!("equipment/{equipment}/photos"), Accepts::PhotosAndVideos),
        Owner::Repair(repair) => (format!("repairs/{repair}"), Accepts::PhotosAndVideos),
    };
    let name = row.text("original_filename").unwrap_or(stored).to_owned();
    Some(LegacyFile { path: PathBuf::from(directory).join(stored), name, accepts })
}

/// Copies a file and adds its row. Returns false if it was skipped.
async fn copy_file(
    run: &mut Run<'_>,
    uploads: &dyn Uploads,
    row: &Row,
    owner: Owner,
) -> Result<bool, OpError> {
    let name = row.text("original_filename").unwrap_or_default();
    let Some(old) = legacy_file(row, owner) else {
        let stored = quoted(row.text("stored_filename").unwrap_or_default());
        run.skip(row, name, &format!("{stored} is no name of a file"));
        return Ok(false);
    };
    let copied =
        if run.dry { uploads.check(&old).await.map(|()| None) } else { uploads.copy(&old).await.map(Some) };
    let file = match copied {
        Ok(file) => file,
        Err(UploadError::File(why)) => {
            run.skip(row, name, &format!("{}: {why}", old.path.display()));
            return Ok(false);
        }
        Err(error @ UploadError::Disk(_)) => return Err(OpError::Internal(error.into())),
    };
    let mut reader = RowReader::new(row);
    if let Some(file) = &file {
        // After an error the row may be missing: then the sweep removes the file.
        add_row(run, &mut reader, owner, file).await?;
    }
    run.report_copied(name, &reader);
    Ok(true)
}

/// Adds the row of a file that was stored.
async fn add_row(
    run: &mut Run<'_>,
    reader: &mut RowReader<'_>,
    owner: Owner,
    file: &StoredFile,
) -> Result<(), OpError> {
    let uploader_name = reader.name("uploaded_by");
    let uploader = run.known.named(&uploader_name);
    match owner {
        Owner::Document(equipment) => {
            run.add(vec![document(reader, equipment, file, (uploader_name, uploader))]).await
        }
        Owner::Equipment(equipment) => {
            let photo = photo(reader, file, (uploader_name, uploader));
            run.add(vec![Photo { equipment_id: Some(equipment), ..photo }]).await
        }
        Owner::Repair(repair) => {
            let photo = photo(reader, file, (uploader_name, uploader));
            run.add(vec![Photo { repair_id: Some(repair), ..photo }]).await
        }
    }
}

fn document(
    reader: &mut RowReader<'_>,
    equipment: EquipmentId,
    file: &StoredFile,
    (uploader_name, uploader_user_id): (String, Option<UserId>),
) -> Document {
    let kept = reader.row.text("category").unwrap_or_default();
    let category = CATEGORIES.into_iter().find(|(word, _)| *word == kept).map(|(_, category)| category);
    if category.is_none() && !kept.is_empty() {
        reader.report("category", kept, "is unknown: Other instead");
    }
    let title = reader.short("original_filename", DocumentTitle::MAX, DocumentTitle::parse);
    Document {
        id: DocumentId(reader.row.id),
        equipment_id: equipment,
        category: category.unwrap_or(DocumentCategory::Other),
        title: title.map_or_else(|| file.name.to_string(), DocumentTitle::into_string),
        stored_name: file.stored.to_string(),
        kind: file.kind,
        original_name: file.name.to_string(),
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        has_thumbnail: file.has_thumbnail,
        uploader_name,
        uploader_user_id,
        uploader_slack_id: None,
        source: Some(source(reader.row)),
        created_at: reader.made(),
    }
}

/// A photo without its owner.
fn photo(
    reader: &mut RowReader<'_>,
    file: &StoredFile,
    (uploader_name, uploader_user_id): (String, Option<UserId>),
) -> Photo {
    Photo {
        id: PhotoId(reader.row.id),
        equipment_id: None,
        repair_id: None,
        stored_name: file.stored.to_string(),
        kind: file.kind,
        original_name: file.name.to_string(),
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        has_thumbnail: file.has_thumbnail,
        uploader_name,
        uploader_user_id,
        uploader_slack_id: None,
        source: Some(source(reader.row)),
        created_at: reader.made(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn file_name_never_leaves_its_directory() {
        let path = |stored: &str| {
            let row = Row::of(3, &[("stored_filename", stored)]);
            legacy_file(&row, Owner::Document(EquipmentId(7))).map(|file| file.path)
        };
        assert_eq!(path("ab12.pdf").as_deref(), Some(Path::new("equipment/7/docs/ab12.pdf")));
        for bad in ["", "..", ".", "../secret", "/etc/passwd", "a/b.pdf", "a\\b", "a\0"] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }
}
