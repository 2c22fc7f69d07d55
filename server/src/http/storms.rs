//! Storms: the account of each, the one that lasts included.

use super::{App, problem::ApiError};
use actix_web::web;
use shared::{Storm, api::List};

const MOST: usize = 100;

pub(super) async fn list_storms(app: web::Data<App>) -> Result<web::Json<List<Storm>>, ApiError> {
    let items = app.db(|store| store.storms(MOST)).await?;
    Ok(web::Json(List { items, next: None }))
}
