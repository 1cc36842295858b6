//! Where AWS has its services, and how each is spoken to. Services are named by their endpoints, such as `monitoring` for
//! CloudWatch and `email` for SES.

/// The base URL of a service in a region.
pub(crate) fn base_url(service: &str, region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://{service}.{region}.{domain}")
}

/// The name by which requests to a service are signed, where it is not that of its endpoint.
pub(crate) fn signing_name(service: &str) -> &str {
    match service {
        "email" => "ses",
        other => other,
    }
}

/// The version of AWS's JSON protocol that a service speaks.
pub(crate) fn json_version(service: &str) -> &'static str {
    match service {
        "sqs" | "dynamodb" => "1.0",
        _ => "1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_where_aws_has_it() {
        assert_eq!(base_url("monitoring", "eu-central-1"), "https://monitoring.eu-central-1.amazonaws.com");
        assert_eq!(base_url("sqs", "cn-north-1"), "https://sqs.cn-north-1.amazonaws.com.cn");
        assert_eq!((signing_name("email"), signing_name("monitoring")), ("ses", "monitoring"));
    }
}
