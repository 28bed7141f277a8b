//! The pages, one file per group of routes, and the route table. A page parses its request, calls one operation, passes
//! the view to `render` and responds; the kernel does the rest.

use super::kernel::{Access, Route};
use super::upload::{OnDiskError, UploadRule};
use crate::domain::file::{Accepts, MB};

mod area;
mod areas;
pub(super) mod assets;
mod attachments;
mod audit;
mod board;
mod config;
mod equipment;
mod equipment_form;
mod equipment_list;
pub(super) mod events;
mod form_parser;
mod forms;
pub(super) mod health;
mod jobs;
mod legacy_redirects;
mod login;
mod me_too;
pub(super) mod metrics;
mod password;
mod public_equipment;
mod repairs;
mod report;
pub(super) mod slack;
mod status;
mod tokens;
mod users;

/// Most bytes of a form: far more than the longest report, so that a report that is too long is shown again with its
/// text instead of being cut off.
const FORM_LIMIT: usize = 256 * 1024;

/// Most bytes of a form with few and short fields.
const SMALL_FORM: usize = 16 * 1024;

/// Most photos of one form (spec, `POST /e/{id}/report`).
const PHOTOS: usize = 5;

/// Photos of visitors who are not signed in (spec, `POST /e/{id}/report`).
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

/// Photos and videos of technicians and staff, added to a repair.
const ANY_PHOTOS: UploadRule = UploadRule { on_disk_error: OnDiskError::Refuse, ..REPAIR_PHOTOS };

/// A document of equipment.
const DOCUMENT: UploadRule =
    UploadRule { field: "document", accepts: Accepts::Documents, most: 1, ..ANY_PHOTOS };

pub(super) static ROUTES: &[Route] = &[
    Route::get("/", Access::Anyone, |web, request| Box::pin(board::show(web, request))),
    Route::get("/area/{id}", Access::Anyone, |web, request| Box::pin(area::show(web, request))),
    Route::get("/e/{id}", Access::Anyone, |web, request| Box::pin(public_equipment::show(web, request))),
    Route::get("/e/{id}.json", Access::Public, |web, request| Box::pin(public_equipment::json(web, request))),
    Route::open_upload("/e/{id}/report", REPORT_PHOTOS, |web, request| Box::pin(report::send(web, request))),
    Route::get("/e/{id}/reported/{token}", Access::Anyone, |web, request| {
        Box::pin(report::reported(web, request))
    }),
    Route::open_form("/e/{id}/me-too/{repair}", FORM_LIMIT, |web, request| {
        Box::pin(me_too::say(web, request))
    }),
    Route::get("/login", Access::Anyone, |web, request| Box::pin(login::show(web, request))),
    Route::form("/login", Access::Anyone, SMALL_FORM, |web, request| Box::pin(login::log_in(web, request))),
    Route::form("/logout", Access::SignedIn, SMALL_FORM, |web, request| {
        Box::pin(login::log_out(web, request))
    }),
    Route::get("/repairs", Access::Technician, |web, request| Box::pin(repairs::queue::show(web, request))),
    Route::get("/repairs/new", Access::Technician, |web, request| {
        Box::pin(repairs::create::show(web, request))
    }),
    Route::upload("/repairs/new", Access::Technician, REPAIR_PHOTOS, |web, request| {
        Box::pin(repairs::create::send(web, request))
    }),
    Route::get("/repairs/{id}", Access::Technician, |web, request| {
        Box::pin(repairs::show::show(web, request))
    }),
    Route::form("/repairs/{id}/edit", Access::Technician, FORM_LIMIT, |web, request| {
        Box::pin(repairs::edit::edit(web, request))
    }),
    Route::form("/repairs/{id}/claim", Access::Technician, SMALL_FORM, |web, request| {
        Box::pin(repairs::edit::claim(web, request))
    }),
    Route::form("/repairs/{id}/resolve", Access::Technician, FORM_LIMIT, |web, request| {
        Box::pin(repairs::edit::resolve(web, request))
    }),
    Route::form("/repairs/{id}/status", Access::Technician, FORM_LIMIT, |web, request| {
        Box::pin(repairs::edit::status(web, request))
    }),
    Route::form("/repairs/{id}/notes", Access::Technician, FORM_LIMIT, |web, request| {
        Box::pin(repairs::edit::notes(web, request))
    }),
    Route::upload("/repairs/{id}/photos", Access::Technician, ANY_PHOTOS, |web, request| {
        Box::pin(repairs::photos::add(web, request))
    }),
    Route::get("/photos/{id}", Access::Anyone, |web, request| Box::pin(attachments::photo(web, request))),
    Route::get("/photos/{id}/thumbnail", Access::Anyone, |web, request| {
        Box::pin(attachments::thumbnail(web, request))
    }),
    Route::get("/documents/{id}", Access::Anyone, |web, request| {
        Box::pin(attachments::document(web, request))
    }),
    Route::get("/setup", Access::Anyone, |web, request| Box::pin(login::show_setup(web, request))),
    Route::form("/setup", Access::Anyone, SMALL_FORM, |web, request| Box::pin(login::set_up(web, request))),
    Route::get("/password", Access::SignedIn, |web, request| Box::pin(password::show(web, request))),
    Route::form("/password", Access::SignedIn, SMALL_FORM, |web, request| {
        Box::pin(password::change(web, request))
    }),
    Route::get("/admin/users", Access::Staff, |web, request| Box::pin(users::list(web, request))),
    Route::form("/admin/users", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(users::create(web, request))
    }),
    Route::get("/admin/users/{id}", Access::Staff, |web, request| Box::pin(users::show(web, request))),
    Route::form("/admin/users/{id}", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(users::edit(web, request))
    }),
    Route::form("/admin/users/{id}/activate", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(users::activate(web, request))
    }),
    Route::form("/admin/users/{id}/deactivate", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(users::deactivate(web, request))
    }),
    Route::form("/admin/users/{id}/reset-password", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(users::reset_password(web, request))
    }),
    Route::form("/admin/users/{id}/unlink-slack", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(users::unlink_slack(web, request))
    }),
    Route::form("/admin/users/{id}/allow-slack", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(users::allow_slack(web, request))
    }),
    Route::get("/admin/tokens", Access::Staff, |web, request| Box::pin(tokens::list(web, request))),
    Route::form("/admin/tokens", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(tokens::create(web, request))
    }),
    Route::form("/admin/tokens/{id}/revoke", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(tokens::revoke(web, request))
    }),
    Route::get("/equipment", Access::Technician, |web, request| Box::pin(equipment_list::show(web, request))),
    Route::get("/equipment.csv", Access::Technician, |web, request| {
        Box::pin(equipment_list::export(web, request))
    }),
    Route::get("/equipment/new", Access::Staff, |web, request| Box::pin(equipment_form::new(web, request))),
    Route::form("/equipment/new", Access::Staff, FORM_LIMIT, |web, request| {
        Box::pin(equipment_form::create(web, request))
    }),
    Route::get("/equipment/{id}", Access::Technician, |web, request| Box::pin(equipment::show(web, request))),
    Route::get("/equipment/{id}/edit", Access::Staff, |web, request| {
        Box::pin(equipment_form::edit(web, request))
    }),
    Route::form("/equipment/{id}/edit", Access::Staff, FORM_LIMIT, |web, request| {
        Box::pin(equipment_form::save(web, request))
    }),
    Route::get("/equipment/{id}/archive", Access::Staff, |web, request| {
        Box::pin(equipment_form::ask_archive(web, request))
    }),
    Route::form("/equipment/{id}/archive", Access::Staff, FORM_LIMIT, |web, request| {
        Box::pin(equipment_form::archive(web, request))
    }),
    Route::form("/equipment/{id}/restore", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(equipment_form::restore(web, request))
    }),
    Route::form("/equipment/{id}/notes", Access::Technician, FORM_LIMIT, |web, request| {
        Box::pin(equipment::write_note(web, request))
    }),
    Route::form("/equipment/{id}/notes/{note}/remove", Access::Technician, SMALL_FORM, |web, request| {
        Box::pin(equipment::remove_one_note(web, request))
    }),
    Route::form("/equipment/{id}/links", Access::Technician, FORM_LIMIT, |web, request| {
        Box::pin(equipment::write_link(web, request))
    }),
    Route::form("/equipment/{id}/links/{link}/remove", Access::Technician, SMALL_FORM, |web, request| {
        Box::pin(equipment::remove_one_link(web, request))
    }),
    Route::upload("/equipment/{id}/documents", Access::Editor, DOCUMENT, |web, request| {
        Box::pin(attachments::add_one_document(web, request))
    }),
    Route::form("/equipment/{id}/documents/{document}/remove", Access::Editor, SMALL_FORM, |web, request| {
        Box::pin(attachments::remove_one_document(web, request))
    }),
    Route::upload("/equipment/{id}/photos", Access::Editor, ANY_PHOTOS, |web, request| {
        Box::pin(attachments::add_photos(web, request))
    }),
    Route::form("/equipment/{id}/photos/{photo}/remove", Access::Editor, SMALL_FORM, |web, request| {
        Box::pin(attachments::remove_one_photo(web, request))
    }),
    Route::get("/admin/areas", Access::Staff, |web, request| Box::pin(areas::show(web, request))),
    Route::form("/admin/areas", Access::Staff, FORM_LIMIT, |web, request| {
        Box::pin(areas::create(web, request))
    }),
    Route::get("/admin/areas/{id}", Access::Staff, |web, request| Box::pin(areas::edit(web, request))),
    Route::form("/admin/areas/{id}", Access::Staff, FORM_LIMIT, |web, request| {
        Box::pin(areas::save(web, request))
    }),
    Route::form("/admin/areas/{id}/archive", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(areas::archive(web, request))
    }),
    Route::form("/admin/areas/{id}/restore", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(areas::restore(web, request))
    }),
    Route::get("/admin/config", Access::Staff, |web, request| Box::pin(config::show(web, request))),
    Route::form("/admin/config", Access::Staff, FORM_LIMIT, |web, request| {
        Box::pin(config::save(web, request))
    }),
    Route::get("/admin/jobs", Access::Staff, |web, request| Box::pin(jobs::list(web, request))),
    Route::get("/admin/jobs/{id}", Access::Staff, |web, request| Box::pin(jobs::show(web, request))),
    Route::form("/admin/jobs/{id}/cancel", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(jobs::cancel(web, request))
    }),
    Route::form("/admin/jobs/{id}/resume", Access::Staff, SMALL_FORM, |web, request| {
        Box::pin(jobs::resume(web, request))
    }),
    Route::get("/admin/audit", Access::Staff, |web, request| Box::pin(audit::show(web, request))),
    Route::get("/admin/audit.csv", Access::StaffOrToken, |web, request| {
        Box::pin(audit::export(web, request))
    }),
    Route::get("/public", Access::Public, |_, _| Box::pin(legacy_redirects::board())),
    Route::get("/public/", Access::Public, |_, _| Box::pin(legacy_redirects::board())),
    Route::get("/public/kiosk", Access::Public, |_, _| Box::pin(legacy_redirects::board())),
    Route::get("/public/kiosk/{area}", Access::Public, |_, request| {
        Box::pin(legacy_redirects::area(request))
    }),
    Route::get("/public/kiosk/dense/{columns}", Access::Public, |_, _| Box::pin(legacy_redirects::board())),
    Route::get("/public/equipment/{id}", Access::Public, |_, request| {
        Box::pin(legacy_redirects::equipment(request))
    }),
    Route::get("/public/equipment/{id}/info", Access::Public, |_, request| {
        Box::pin(legacy_redirects::equipment(request))
    }),
    Route::get("/repairs/queue", Access::Public, |_, _| Box::pin(legacy_redirects::queue())),
    Route::get("/repairs/kanban", Access::Public, |_, _| Box::pin(legacy_redirects::queue())),
    Route::get("/auth/login", Access::Public, |_, request| Box::pin(legacy_redirects::login(request))),
    Route::get("/docs", Access::Public, |_, _| Box::pin(legacy_redirects::board())),
    Route::get("/docs/", Access::Public, |_, _| Box::pin(legacy_redirects::board())),
    Route::get("/docs/{*page}", Access::Public, |_, _| Box::pin(legacy_redirects::board())),
    Route::get("/equipment/export.csv", Access::Public, |_, request| {
        Box::pin(legacy_redirects::export(request))
    }),
    Route::get("/status.json", Access::Public, |web, request| Box::pin(status::show(web, request))),
    Route::raw("/slack/events", slack::check, |web, request| Box::pin(slack::receive(web, request))),
    Route::get("/events", Access::Public, |web, request| Box::pin(events::listen(web, request))),
    Route::watch("/health", |web, _| Box::pin(health::ready(web))),
    Route::watch("/health/live", |_, _| Box::pin(std::future::ready(health::live()))),
    Route::watch("/metrics", |web, _| Box::pin(metrics::show(web))),
    Route::get("/assets/{*path}", Access::Public, |web, request| Box::pin(assets::show(web, request))),
];
