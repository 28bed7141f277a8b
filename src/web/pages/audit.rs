//! `GET /admin/audit` and `GET /admin/audit.csv`: who changed what.

use crate::domain::equipment::parse_day;
use crate::domain::zone::Zone;
use crate::ops::audit::{AuditFilter, EXPORT_PART, PART, audit};
use crate::render::csv;
use crate::render::html::AuditForm;
use crate::views::records::AuditView;
use crate::web::Web;
use crate::web::kernel::response::{html, spreadsheet};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use bytes::Bytes;
use chrono::Days;
use futures_util::stream;
use http::StatusCode;

/// Shown if the filter cannot be read.
const UNREADABLE: &str =
    "Days have the form YYYY-MM-DD, and the number is a whole number. Correct the filter and search again.";

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let query = request.query()?;
    let form = form(request)?;
    let Some(filter) = filter(&form, &web.config.timezone) else {
        let nothing = AuditView { entries: Vec::new(), older_than: None };
        let page = web.html(request).audit(&nothing, &form, Some(UNREADABLE)).map_err(PageError::internal)?;
        return Ok(html(StatusCode::UNPROCESSABLE_ENTITY, page));
    };
    let older_than = match query.typed("before")? {
        "" => None,
        id => Some(id.parse().map_err(|_| PageError::NotFound)?),
    };
    let view = audit(&web.ctx, &request.actor(), &filter, older_than, PART).await?;
    let page = web.html(request).audit(&view, &form, None).map_err(PageError::internal)?;
    Ok(html(StatusCode::OK, page))
}

fn form(request: &PageRequest) -> Result<AuditForm, PageError> {
    let query = request.query()?;
    let text = |name| query.typed(name).map(|text| text.trim().replace('\0', ""));
    Ok(AuditForm {
        who: text("who")?,
        noun: text("noun")?,
        id: text("id")?,
        action: text("action")?,
        from: text("from")?,
        to: text("to")?,
    })
}

/// The filter; `None` if it cannot be read. Days are in the configured zone.
fn filter(form: &AuditForm, zone: &Zone) -> Option<AuditFilter> {
    let day = |text: &str| if text.is_empty() { Some(None) } else { parse_day(text).ok().map(Some) };
    let noun_id = if form.id.is_empty() { None } else { Some(form.id.parse().ok()?) };
    let (first, last) = (day(&form.from)?, day(&form.to)?);
    Some(AuditFilter {
        who: form.who.clone(),
        noun: form.noun.clone(),
        noun_id,
        action: form.action.clone(),
        from: first.map(|day| zone.begin(day).ok_or(())).transpose().ok()?,
        before: last.and_then(|day| zone.begin(day.checked_add_days(Days::new(1))?)),
    })
}

/// State of the export.
enum Export {
    Head,
    Before(Option<i64>),
    End,
}

/// Exports all matching entries, with the same filters.
pub(super) async fn export(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let filter = filter(&form(request)?, &web.config.timezone)
        .ok_or_else(|| PageError::Refused { message: UNREADABLE.into() })?;
    let (ctx, actor) = (web.ctx.clone(), request.actor());
    let pieces = stream::try_unfold(Export::Head, move |state| {
        let (ctx, actor, filter) = (ctx.clone(), actor.clone(), filter.clone());
        async move {
            let older_than = match state {
                Export::Head => return Ok(Some((Bytes::from(csv::audit_head()), Export::Before(None)))),
                Export::Before(older_than) => older_than,
                Export::End => return Ok(None),
            };
            let view = audit(&ctx, &actor, &filter, older_than, EXPORT_PART).await?;
            let next = view.older_than.map_or(Export::End, |id| Export::Before(Some(id)));
            Ok(Some((Bytes::from(csv::audit(&view.entries)), next)))
        }
    });
    Ok(spreadsheet("audit.csv", pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_filter_uses_local_days() {
        let form = AuditForm { from: "2026-03-08".into(), to: "2026-03-08".into(), ..AuditForm::default() };
        let filter = filter(&form, &"America/New_York".parse().unwrap()).unwrap();
        assert_eq!(filter.from.unwrap().to_rfc3339(), "2026-03-08T05:00:00+00:00");
        assert_eq!(filter.before.unwrap().to_rfc3339(), "2026-03-09T04:00:00+00:00", "a day of 23 hours");
        let bad = AuditForm { from: "yesterday".into(), ..AuditForm::default() };
        assert!(super::filter(&bad, &"UTC".parse().unwrap()).is_none());
    }
}
