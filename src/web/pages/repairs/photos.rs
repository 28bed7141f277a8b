//! `POST /repairs/{id}/photos`: photos and videos of a repair.

use super::edit::again;
use crate::domain::ids::RepairId;
use crate::ops::repairs::photos::{AddPhotos, NewPhoto, add_photos};
use crate::ops::{OpError, Refusal};
use crate::web::Web;
use crate::web::kernel::response::see_other;
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use crate::web::pages::forms::request_id;
use crate::web::upload::settled;

pub(in crate::web::pages) async fn add(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let repair: RepairId = request.id("id")?;
    let request_id = request_id(request)?;
    let refused = request.uploads.refused().cloned();
    let files = request.uploads.entrust();
    let done = match &refused {
        Some((_, error)) => Err(refusal(error.message.clone())),
        None if files.is_empty() => Err(refusal("Please choose a photo or video.".into())),
        None => {
            let photos = files.iter().cloned().map(NewPhoto::from).collect();
            let add = AddPhotos { repair, photos, request_id };
            settled(web, &files, add_photos(&web.ctx, &request.actor(), &add).await).await
        }
    };
    match done {
        Ok(_) => see_other(&format!("/repairs/{repair}#pictures")),
        Err(error) => {
            let mut response = again(web, request, repair, None, error).await?;
            if let Some((status, _)) = refused {
                *response.status_mut() = status;
            }
            Ok(response)
        }
    }
}

const fn refusal(message: String) -> OpError {
    OpError::Refused(Refusal { field: Some("photos"), message })
}
