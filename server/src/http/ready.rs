//! `/r/{cap}`, and a button on the page: somebody says that they are ready for a shift that begins soon.
//!
//! As with pages, GET only shows and POST acts, because mail scanners open links first.

use super::{App, ack, app::now, body::Json, me, principal::Principal, problem::ApiError, reader};
use crate::{auth::caplink::CapError, readiness::clock_time};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{LOCATION, REFERRER_POLICY},
    },
    web,
};
use engine::readiness::{Asked, Coming, coming};
use shared::{api::ShiftReady, config::Language, messages};

messages! {
    title() { en: "Your shift", zh: "您的值班" }
    begins(when: &str, schedule: &str) { en: "You are on call from {when}: {schedule}", zh: "您自 {when} 起值班：{schedule}" }
    ready_it() { en: "I am ready", zh: "我已就绪" }
    ready_hint() { en: "Your phone reached you with this. Is it charged, and loud at night?", zh: "此通知已送达您的手机。请确认电量充足，且夜间铃声已开启。" }
    is_ready() { en: "Confirmed: you are ready", zh: "已确认就绪" }
    see_it() { en: "Who is on call", zh: "查看值班表" }
}

pub(super) async fn show(app: web::Data<App>, request: HttpRequest, cap: web::Path<String>) -> HttpResponse {
    let shift = match app.runtime.links().verify_ready(&cap, now()) {
        Ok(shift) => shift,
        Err(error) => return refused(&app, &request, error),
    };
    let l = reader::language(&app, Some(&shift.person), &request);
    let wanted = shift.clone();
    let known = app.db(move |store| store.readiness(wanted.from)).await;
    match known {
        Ok(known) => {
            let asked = known.into_iter().find(|(it, _)| *it == shift).map(|(_, asked)| asked);
            shown(&app, l, &shift, &asked.unwrap_or_default())
        }
        Err(error) => ack::troubled(l, &error),
    }
}

pub(super) async fn confirm(app: web::Data<App>, request: HttpRequest, text: web::Path<String>) -> HttpResponse {
    let shift = match app.runtime.links().verify_ready(&text, now()) {
        Ok(shift) => shift,
        Err(error) => return refused(&app, &request, error),
    };
    let l = reader::language(&app, Some(&shift.person), &request);
    match note(&app, shift).await {
        // Showing the page again by GET makes reloading it harmless.
        Ok(()) => HttpResponse::SeeOther()
            .insert_header((LOCATION, format!("/r/{text}")))
            .insert_header((REFERRER_POLICY, "no-referrer"))
            .finish(),
        Err(error) => ack::troubled(l, &error),
    }
}

/// The same from the own page.
pub(super) async fn own(
    app: web::Data<App>,
    principal: Principal,
    Json(body): Json<ShiftReady>,
) -> Result<HttpResponse, ApiError> {
    let person = me::own(&app, &principal)?.id;
    let wanted = Coming { schedule: body.schedule, person, from: body.from };
    if !coming(&app.runtime.config(), now()).contains(&wanted) {
        return Err(ApiError::not_found("shift").detail("It is not one of yours, or it does not begin within a day."));
    }
    note(&app, wanted).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn note(app: &App, shift: Coming) -> Result<(), ApiError> {
    let now = now();
    app.db(move |store| store.readiness_change(&shift, |asked| asked.confirmed_at = asked.confirmed_at.or(Some(now))))
        .await?;
    Ok(())
}

fn refused(app: &App, request: &HttpRequest, error: CapError) -> HttpResponse {
    ack::refused(app, request, error)
}

fn shown(app: &App, l: Language, shift: &Coming, asked: &Asked) -> HttpResponse {
    let config = app.runtime.config();
    let schedule = config.document.schedules.iter().find(|it| it.id == shift.schedule);
    let name = schedule.map_or(shift.schedule.as_str(), |it| it.name.as_str());
    let when = clock_time(&config, shift, l);
    let head = format!("<h1>{}</h1>", ack::escaped(&begins(l, &when, name)));
    let rest = if asked.confirmed_at.is_some() {
        format!("<p class=\"state\" role=\"status\">{}</p>", is_ready(l))
    } else {
        format!("<form method=\"post\"><button>{}</button></form><p class=\"muted\">{}</p>", ready_it(l), ready_hint(l))
    };
    let see = format!("<p><a href=\"/oncall\">{}</a></p>", see_it(l));
    ack::page(StatusCode::OK, l, &ack::Parts { title: title(l), body: format!("{head}{rest}{see}") })
}
