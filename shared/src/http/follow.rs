//! What a request causes is followed by the gateway's id of it. The access log has the same id, and so has the header
//! `apigw-requestid` of the response.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::Extensions;
use lambda_http::request::RequestContext;

use crate::trace::TraceId;

/// Returns the id of a request, or a new one if the gateway gave none.
#[must_use]
pub fn trace_of(extensions: &Extensions) -> TraceId {
    let given = match extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.as_deref().and_then(TraceId::parse),
        _ => None,
    };
    given.unwrap_or_else(TraceId::fresh)
}

/// Handles a request as the cause of what follows from it.
pub async fn follow_request(request: Request, next: Next) -> Response {
    trace_of(request.extensions()).follow(next.run(request)).await
}

#[cfg(test)]
mod tests {
    use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;

    use super::*;

    #[test]
    fn a_request_has_the_gateway_s_id_or_one_of_its_own() {
        let from_gateway = |id: &str| {
            let mut context = ApiGatewayV2httpRequestContext::default();
            context.request_id = Some(id.to_owned());
            let mut extensions = Extensions::new();
            extensions.insert(RequestContext::ApiGatewayV2(context));
            trace_of(&extensions)
        };
        assert_eq!(from_gateway("JKJaXmPLvHcESHA=").as_str(), "JKJaXmPLvHcESHA=");
        assert_ne!(from_gateway("an \"id\"").as_str(), "an \"id\"", "it would break the log");
        assert_ne!(trace_of(&Extensions::new()), trace_of(&Extensions::new()));
    }
}
