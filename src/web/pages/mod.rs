//! The pages, one file a group of routes, and the table that names them all. A page reads its call,
//! asks one operation, hands the view to `render` and answers; the kernel does the rest.

use super::kernel::{Access, OnDiskError, Route, UploadRule};
use crate::domain::file::{Accepts, MB};

mod area;
mod areas;
pub(super) mod assets;
mod attachments;
mod audit;
mod board;
mod config;
mod equipment;
pub(super) mod events;
mod forms;
pub(super) mod health;
mod jobs;
mod login;
mod machine;
mod machine_form;
mod me_too;
pub(super) mod metrics;
mod old_addresses;
mod password;
mod registry;
mod repairs;
mod report;
pub(super) mod slack;
mod status;
mod tokens;
mod typed;
mod users;

/// Most bytes of a form: far more than the longest report, so that one that is too long comes back
/// with its text instead of being cut off.
const FORM_LIMIT: usize = 256 * 1024;

/// Most bytes of a form of few and short fields.
const SMALL_FORM: usize = 16 * 1024;

/// Most photos of one form (spec, `POST /e/{id}/report`).
const PHOTOS: usize = 5;

/// Photos of somebody who is not signed in (spec, `POST /e/{id}/report`).
const REPORT_PHOTOS: UploadRule = UploadRule {
    field: "photos",
    accepts: Accepts::Photos,
    most: PHOTOS,
    each: Some(10 * MB),
    text: FORM_LIMIT,
    on_disk_error: OnDiskError::GoOn,
};

/// Photos and videos of technicians and staff, with a new repair.
const REPAIR_PHOTOS: UploadRule =
    UploadRule { accepts: Accepts::PhotosAndVideos, each: None, ..REPORT_PHOTOS };

/// Photos and videos of technicians and staff, by themselves.
const ANY_PHOTOS: UploadRule = UploadRule { on_disk_error: OnDiskError::Refuse, ..REPAIR_PHOTOS };

/// A document of a machine.
const DOCUMENT: UploadRule =
    UploadRule { field: "document", accepts: Accepts::Documents, most: 1, ..ANY_PHOTOS };

/// Every route.
pub(super) static ROUTES: &[Route] = &[
    Route::get("/", Access::Anyone, |web, call| Box::pin(board::show(web, call))),
    Route::get("/area/{id}", Access::Anyone, |web, call| Box::pin(area::show(web, call))),
    Route::get("/e/{id}", Access::Anyone, |web, call| Box::pin(equipment::show(web, call))),
    Route::get("/e/{id}.json", Access::Unasked, |web, call| Box::pin(equipment::json(web, call))),
    Route::open_upload("/e/{id}/report", REPORT_PHOTOS, |web, call| Box::pin(report::send(web, call))),
    Route::get("/e/{id}/reported/{token}", Access::Anyone, |web, call| Box::pin(report::reported(web, call))),
    Route::open_form("/e/{id}/me-too/{repair}", FORM_LIMIT, |web, call| Box::pin(me_too::say(web, call))),
    Route::get("/login", Access::Anyone, |web, call| Box::pin(login::show(web, call))),
    Route::form("/login", Access::Anyone, SMALL_FORM, |web, call| Box::pin(login::log_in(web, call))),
    Route::form("/logout", Access::SignedIn, SMALL_FORM, |web, call| Box::pin(login::log_out(web, call))),
    Route::get("/repairs", Access::Technician, |web, call| Box::pin(repairs::queue::show(web, call))),
    Route::get("/repairs/new", Access::Technician, |web, call| Box::pin(repairs::create::show(web, call))),
    Route::upload("/repairs/new", Access::Technician, REPAIR_PHOTOS, |web, call| {
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
    Route::upload("/repairs/{id}/photos", Access::Technician, ANY_PHOTOS, |web, call| {
        Box::pin(repairs::photos::add(web, call))
    }),
    Route::get("/photos/{id}", Access::Anyone, |web, call| Box::pin(attachments::photo(web, call))),
    Route::get("/photos/{id}/thumbnail", Access::Anyone, |web, call| {
        Box::pin(attachments::thumbnail(web, call))
    }),
    Route::get("/documents/{id}", Access::Anyone, |web, call| Box::pin(attachments::document(web, call))),
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
    Route::form("/admin/users/{id}/unlink-slack", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(users::unlink_slack(web, call))
    }),
    Route::form("/admin/users/{id}/allow-slack", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(users::allow_slack(web, call))
    }),
    Route::get("/admin/tokens", Access::Staff, |web, call| Box::pin(tokens::list(web, call))),
    Route::form("/admin/tokens", Access::Staff, SMALL_FORM, |web, call| Box::pin(tokens::create(web, call))),
    Route::form("/admin/tokens/{id}/revoke", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(tokens::revoke(web, call))
    }),
    Route::get("/equipment", Access::Technician, |web, call| Box::pin(registry::show(web, call))),
    Route::get("/equipment.csv", Access::Technician, |web, call| Box::pin(registry::export(web, call))),
    Route::get("/equipment/new", Access::Staff, |web, call| Box::pin(machine_form::new(web, call))),
    Route::form("/equipment/new", Access::Staff, FORM_LIMIT, |web, call| {
        Box::pin(machine_form::create(web, call))
    }),
    Route::get("/equipment/{id}", Access::Technician, |web, call| Box::pin(machine::show(web, call))),
    Route::get("/equipment/{id}/edit", Access::Staff, |web, call| Box::pin(machine_form::edit(web, call))),
    Route::form("/equipment/{id}/edit", Access::Staff, FORM_LIMIT, |web, call| {
        Box::pin(machine_form::save(web, call))
    }),
    Route::get("/equipment/{id}/archive", Access::Staff, |web, call| {
        Box::pin(machine_form::ask_archive(web, call))
    }),
    Route::form("/equipment/{id}/archive", Access::Staff, FORM_LIMIT, |web, call| {
        Box::pin(machine_form::archive(web, call))
    }),
    Route::form("/equipment/{id}/restore", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(machine_form::restore(web, call))
    }),
    Route::form("/equipment/{id}/notes", Access::Technician, FORM_LIMIT, |web, call| {
        Box::pin(machine::write_note(web, call))
    }),
    Route::form("/equipment/{id}/notes/{note}/remove", Access::Technician, SMALL_FORM, |web, call| {
        Box::pin(machine::remove_one_note(web, call))
    }),
    Route::form("/equipment/{id}/links", Access::Technician, FORM_LIMIT, |web, call| {
        Box::pin(machine::write_link(web, call))
    }),
    Route::form("/equipment/{id}/links/{link}/remove", Access::Technician, SMALL_FORM, |web, call| {
        Box::pin(machine::remove_one_link(web, call))
    }),
    Route::upload("/equipment/{id}/documents", Access::Editor, DOCUMENT, |web, call| {
        Box::pin(attachments::add_one_document(web, call))
    }),
    Route::form("/equipment/{id}/documents/{document}/remove", Access::Editor, SMALL_FORM, |web, call| {
        Box::pin(attachments::remove_one_document(web, call))
    }),
    Route::upload("/equipment/{id}/photos", Access::Editor, ANY_PHOTOS, |web, call| {
        Box::pin(attachments::add_photos(web, call))
    }),
    Route::form("/equipment/{id}/photos/{photo}/remove", Access::Editor, SMALL_FORM, |web, call| {
        Box::pin(attachments::remove_one_photo(web, call))
    }),
    Route::get("/admin/areas", Access::Staff, |web, call| Box::pin(areas::show(web, call))),
    Route::form("/admin/areas", Access::Staff, FORM_LIMIT, |web, call| Box::pin(areas::create(web, call))),
    Route::get("/admin/areas/{id}", Access::Staff, |web, call| Box::pin(areas::edit(web, call))),
    Route::form("/admin/areas/{id}", Access::Staff, FORM_LIMIT, |web, call| Box::pin(areas::save(web, call))),
    Route::form("/admin/areas/{id}/archive", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(areas::archive(web, call))
    }),
    Route::form("/admin/areas/{id}/restore", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(areas::restore(web, call))
    }),
    Route::get("/admin/config", Access::Staff, |web, call| Box::pin(config::show(web, call))),
    Route::form("/admin/config", Access::Staff, FORM_LIMIT, |web, call| Box::pin(config::save(web, call))),
    Route::get("/admin/jobs", Access::Staff, |web, call| Box::pin(jobs::list(web, call))),
    Route::get("/admin/jobs/{id}", Access::Staff, |web, call| Box::pin(jobs::show(web, call))),
    Route::form("/admin/jobs/{id}/cancel", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(jobs::cancel(web, call))
    }),
    Route::form("/admin/jobs/{id}/resume", Access::Staff, SMALL_FORM, |web, call| {
        Box::pin(jobs::resume(web, call))
    }),
    Route::get("/admin/audit", Access::Staff, |web, call| Box::pin(audit::show(web, call))),
    Route::get("/admin/audit.csv", Access::StaffOrToken, |web, call| Box::pin(audit::export(web, call))),
    Route::get("/public", Access::Unasked, |_, _| Box::pin(old_addresses::board())),
    Route::get("/public/", Access::Unasked, |_, _| Box::pin(old_addresses::board())),
    Route::get("/public/kiosk", Access::Unasked, |_, _| Box::pin(old_addresses::board())),
    Route::get("/public/kiosk/{area}", Access::Unasked, |_, call| Box::pin(old_addresses::area(call))),
    Route::get("/public/kiosk/dense/{columns}", Access::Unasked, |_, _| Box::pin(old_addresses::board())),
    Route::get("/public/equipment/{id}", Access::Unasked, |_, call| Box::pin(old_addresses::equipment(call))),
    Route::get("/public/equipment/{id}/info", Access::Unasked, |_, call| {
        Box::pin(old_addresses::equipment(call))
    }),
    Route::get("/repairs/queue", Access::Unasked, |_, _| Box::pin(old_addresses::queue())),
    Route::get("/repairs/kanban", Access::Unasked, |_, _| Box::pin(old_addresses::queue())),
    Route::get("/auth/login", Access::Unasked, |_, call| Box::pin(old_addresses::login(call))),
    Route::get("/docs", Access::Unasked, |_, _| Box::pin(old_addresses::board())),
    Route::get("/docs/", Access::Unasked, |_, _| Box::pin(old_addresses::board())),
    Route::get("/docs/{*page}", Access::Unasked, |_, _| Box::pin(old_addresses::board())),
    Route::get("/equipment/export.csv", Access::Unasked, |_, call| Box::pin(old_addresses::export(call))),
    Route::get("/status.json", Access::Unasked, |web, call| Box::pin(status::show(web, call))),
    Route::raw("/slack/events", slack::check, |web, call| Box::pin(slack::receive(web, call))),
    Route::get("/events", Access::Unasked, |web, call| Box::pin(events::listen(web, call))),
    Route::watch("/health", |web, _| Box::pin(health::ready(web))),
    Route::watch("/health/live", |_, _| Box::pin(std::future::ready(health::live()))),
    Route::watch("/metrics", |web, _| Box::pin(metrics::show(web))),
    Route::get("/assets/{*path}", Access::Unasked, |web, call| Box::pin(assets::show(web, call))),
];
