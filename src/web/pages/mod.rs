//! The pages, one file a group of routes, and the table that names them all. A page reads its call,
//! asks one operation, hands the view to `render` and answers; the kernel does the rest.

use super::kernel::{Access, Route};

mod area;
pub(super) mod assets;
mod board;
mod equipment;
pub(super) mod events;
mod health;
mod login;
mod me_too;
pub(super) mod metrics;
mod report;
mod status;

/// Most bytes of a form: far more than the longest report, so that one that is too long comes back
/// with its text instead of being cut off.
const FORM_LIMIT: usize = 256 * 1024;

/// Most bytes of a form of few and short fields.
const SMALL_FORM: usize = 16 * 1024;

/// Every route.
pub(super) static ROUTES: &[Route] = &[
    Route::get("/", Access::Anyone, |web, call| Box::pin(board::show(web, call))),
    Route::get("/area/{id}", Access::Anyone, |web, call| Box::pin(area::show(web, call))),
    Route::get("/e/{id}", Access::Anyone, |web, call| Box::pin(equipment::show(web, call))),
    Route::get("/e/{id}.json", Access::Unasked, |web, call| Box::pin(equipment::json(web, call))),
    Route::form("/e/{id}/report", Access::Anyone, FORM_LIMIT, |web, call| Box::pin(report::send(web, call))),
    Route::get("/e/{id}/reported/{token}", Access::Anyone, |web, call| Box::pin(report::reported(web, call))),
    Route::form("/e/{id}/me-too/{repair}", Access::Anyone, FORM_LIMIT, |web, call| {
        Box::pin(me_too::say(web, call))
    }),
    Route::get("/login", Access::Anyone, |web, call| Box::pin(login::show(web, call))),
    Route::form("/login", Access::Anyone, SMALL_FORM, |web, call| Box::pin(login::log_in(web, call))),
    Route::form("/logout", Access::SignedIn, SMALL_FORM, |web, call| Box::pin(login::log_out(web, call))),
    Route::get("/status.json", Access::Unasked, |web, call| Box::pin(status::show(web, call))),
    Route::get("/events", Access::Unasked, |web, _| Box::pin(events::listen(web))),
    Route::get("/health", Access::Unasked, |web, _| Box::pin(health::ready(web))),
    Route::get("/health/live", Access::Unasked, |_, _| Box::pin(health::live())),
    Route::get("/metrics", Access::Unasked, |web, _| Box::pin(metrics::show(web))),
    Route::get("/assets/{*path}", Access::Unasked, |web, call| Box::pin(assets::show(web, call))),
];
