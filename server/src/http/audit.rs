//! Who did what, newest first.

use super::{App, problem::ApiError};
use actix_web::web::{self, Query};
use serde::Deserialize;
use shared::api::{AuditRow, List};

#[derive(Deserialize)]
pub(super) struct Page {
    after: Option<i64>,
    limit: Option<usize>,
}

pub(super) async fn list_audit(app: web::Data<App>, page: Query<Page>) -> Result<web::Json<List<AuditRow>>, ApiError> {
    let (before, limit) = (page.after, page.limit.unwrap_or(50).clamp(1, 500));
    let mut items = app.db(move |store| store.audit_list(before, limit + 1)).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(web::Json(List { items, next }))
}
