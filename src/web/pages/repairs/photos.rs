//! `POST /repairs/{id}/photos`: photos and videos of a repair.

use super::edit::again;
use crate::domain::ids::RepairId;
use crate::ops::repair_photos::{AddPhotos, NewPhoto, add_photos};
use crate::ops::{OpError, Refusal};
use crate::web::Web;
use crate::web::kernel::answer::see_other;
use crate::web::kernel::upload::settled;
use crate::web::kernel::{Answer, Call, PageError};
use crate::web::pages::forms::request_id;

pub(in crate::web::pages) async fn add(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let repair: RepairId = call.id("id")?;
    let request_id = request_id(call)?;
    let refused = call.uploads.refused().cloned();
    let files = call.uploads.entrust();
    let done = match &refused {
        Some((_, error)) => Err(refusal(error.message.clone())),
        None if files.is_empty() => Err(refusal("Please choose a photo or video.".into())),
        None => {
            let photos = files.iter().cloned().map(NewPhoto::from).collect();
            let add = AddPhotos { repair, photos, request_id };
            settled(web, &files, add_photos(&web.ctx, &call.actor(), &add).await).await
        }
    };
    match done {
        Ok(_) => see_other(&format!("/repairs/{repair}#pictures")),
        Err(error) => {
            let mut answer = again(web, call, repair, None, error).await?;
            if let Some((status, _)) = refused {
                *answer.status_mut() = status;
            }
            Ok(answer)
        }
    }
}

const fn refusal(message: String) -> OpError {
    OpError::Refused(Refusal { field: Some("photos"), message })
}
