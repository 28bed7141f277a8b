//! The pages, one file a group of routes, and the table that names them all. A page reads its call,
//! asks one operation, hands the view to `render` and answers; the kernel does the rest.

use super::kernel::{Access, Route};

mod area;
pub(super) mod assets;
mod board;
mod equipment;
pub(super) mod events;
mod forms;
mod health;
mod login;
mod me_too;
pub(super) mod metrics;
mod password;
mod repairs;
mod report;
mod status;
mod tokens;
mod users;

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
    Route::get("/repairs", Access::Technician, |web, call| Box::pin(repairs::queue::show(web, call))),
    Route::get("/repairs/new", Access::Technician, |web, call| Box::pin(repairs::create::show(web, call))),
    Route::form("/repairs/new", Access::Technician, FORM_LIMIT, |web, call| {
        Box::pin(repairs::create::send(web, call))
    }),
    Route::get("/repairs/{id}", Access::Technician, |web, call| Box::pin(repairs::show::show(web, call))),
    Route::form("/repairs/{id}/edit", Access::Technician, FORM_LIMIT, |web, call| {
        Box::pin(repairs::edit::edit(web, call))
    }),
    Route::form("/repairs/{id}/claim", Access::Technician, SMALL_FORM, |web, call| {
        Box::pin(repairs::edit::claim(web, call))
    }),
    Route::form("/repairs/{id}/resolve", Access::Technician, FORM_LIMIT, |web, call| {
        Box::pin(repairs::edit::resolve(web, call))
    }),
    Route::form("/repairs/{id}/status", Access::Technician, FORM_LIMIT, |web, call| {
        Box::pin(repairs::edit::status(web, call))
    }),
    Route::form("/repairs/{id}/notes", Access::Technician, FORM_LIMIT, |web, call| {
        Box::pin(repairs::edit::notes(web, call))
    }),
    Route::get("/setup", Access::Anyone, |web, call| Box::pin(login::show_setup(web, call))),
    Route::form("/setup", Access::Anyone, SMALL_FORM, |web, call| Box::pin(login::set_up(web, call))),
    Route::get("/password", Access::SignedIn, |web, call| Box::pin(password::show(web, call))),
    Route::form("/password", Access::SignedIn, SMALL_FORM, |web, call| Box::pin(password::change(web, call))),
    Route::get("/admin/users", Access::Staff, |web, call| Box::pin(users::list(web, call))),
    Route::form("/admin/users", Access::Staff, SMALL_FORM, |web, call| Box::pin(users::create(web, call))),
    Route::get("/admin/users/{id}", Access::Staff, |web, call| Box::pin(users::show(web, call))),
    Route::form("/admin/users/{id}", Access::Staff, SMALL_FORM, |web, call| Box::pin(users::edit(web, call))),
    Route::form("/admin/users/{id}/activate", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(users::activate(web, call))
    }),
    Route::form("/admin/users/{id}/deactivate", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(users::deactivate(web, call))
    }),
    Route::form("/admin/users/{id}/reset-password", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(users::reset_password(web, call))
    }),
    Route::get("/admin/tokens", Access::Staff, |web, call| Box::pin(tokens::list(web, call))),
    Route::form("/admin/tokens", Access::Staff, SMALL_FORM, |web, call| Box::pin(tokens::create(web, call))),
    Route::form("/admin/tokens/{id}/revoke", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(tokens::revoke(web, call))
    }),
    Route::get("/status.json", Access::Unasked, |web, call| Box::pin(status::show(web, call))),
    Route::get("/events", Access::Unasked, |web, _| Box::pin(events::listen(web))),
    Route::get("/health", Access::Unasked, |web, _| Box::pin(health::ready(web))),
    Route::get("/health/live", Access::Unasked, |_, _| Box::pin(health::live())),
    Route::get("/metrics", Access::Unasked, |web, _| Box::pin(metrics::show(web))),
    Route::get("/assets/{*path}", Access::Unasked, |web, call| Box::pin(assets::show(web, call))),
];
