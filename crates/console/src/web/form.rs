//! A posted form of a signed-in person.
//!
//! In: `application/x-www-form-urlencoded` with the session's CSRF token. Out: its pairs. Bound: `FORM_BYTES_MAX`;
//! a longer one, one of another kind, or one without the token is refused before a handler sees it.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};

use super::App;
use super::chrome::Visit;
use super::params::Params;
use super::problem::Problem;
use crate::auth;

/// Longest form that is read.
pub(crate) const FORM_BYTES_MAX: usize = 256 * 1024;

/// A form whose token was checked.
pub(crate) struct Form {
    pub params: Params,
    pub visit: Visit,
}

impl FromRequest<App> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Form, Problem> {
        let visit = request.extensions().get::<Visit>().cloned().ok_or_else(Problem::forged)?;
        let params = read(request, app).await?;
        let token = params.get("csrf").unwrap_or_default();
        if !auth::same(token, &visit.session.csrf) {
            return Err(Problem::forged());
        }
        Ok(Form { params, visit })
    }
}

/// The pairs of a form, its token not yet checked.
pub(crate) async fn read(request: Request, app: &App) -> Result<Params, Problem> {
    if comes_from_elsewhere(request.headers()) {
        return Err(Problem::forged());
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
        return Err(Problem { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, ..Problem::bad("A form is expected here.") });
    }
    let body = Bytes::from_request(request, app).await;
    let body = body.map_err(|error| Problem { status: error.status(), ..Problem::bad("The form is too long.") })?;
    Ok(Params::parse(&String::from_utf8_lossy(&body)))
}

/// Browsers say where a form comes from; what they call another site is refused whatever it carries.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    matches!(site, Some("cross-site" | "same-site"))
}
