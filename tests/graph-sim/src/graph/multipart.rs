//! `multipart/form-data` bodies, which carry files.

use axum::body::Bytes;

use super::error::GraphError;

/// One part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// Whether it is a file: it has a file name, or it is not text.
    pub(crate) is_file: bool,
    pub(crate) file_name: Option<String>,
    pub(crate) content: Bytes,
}

/// Splits a body into its parts.
///
/// # Errors
/// Returns 100 if the boundary or the head of a part is missing, 200 for a file without a content type unless
/// `untyped_files` are allowed: Meta reports the latter like a missing permission.
pub(crate) fn parse(content_type: &str, body: &Bytes, untyped_files: bool) -> Result<Vec<Part>, GraphError> {
    let boundary = parameter(content_type, "boundary").ok_or_else(|| broken("the boundary is missing"))?;
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut at = find(body, delimiter.as_bytes(), 0).ok_or_else(|| broken("the first boundary is missing"))?;
    loop {
        at += delimiter.len();
        if body.get(at..at + 2) == Some(b"--") {
            return Ok(parts);
        }
        let head_end = find(body, b"\r\n\r\n", at).ok_or_else(|| broken("a part has no end of its head"))?;
        // The head begins after the line break of the boundary.
        let head = String::from_utf8_lossy(body.get(at..head_end).unwrap_or_default()).into_owned();
        let start = head_end + 4;
        let closing = format!("\r\n{delimiter}");
        let end = find(body, closing.as_bytes(), start).ok_or_else(|| broken("the last boundary is missing"))?;
        parts.push(part(&head, body.slice(start..end), untyped_files)?);
        at = end + 2;
    }
}

fn part(head: &str, content: Bytes, untyped_files: bool) -> Result<Part, GraphError> {
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let disposition = header("content-disposition").ok_or_else(|| broken("a part has no Content-Disposition"))?;
    let name = parameter(&disposition, "name").ok_or_else(|| broken("a part has no name"))?;
    let file_name = parameter(&disposition, "filename");
    let is_file = file_name.is_some() || std::str::from_utf8(&content).is_err();
    if is_file && !untyped_files && header("content-type").is_none() {
        return Err(GraphError::new(403, 200, "(#200) Permissions error"));
    }
    Ok(Part { name, is_file, file_name, content })
}

/// Returns a parameter of a header value, such as `boundary` or `name`.
fn parameter(value: &str, wanted: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (name, text) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| text.trim().trim_matches('"').to_owned())
    })
}

fn find(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let first = *wanted.first()?;
    let mut at = from;
    loop {
        at += body.get(at..)?.iter().position(|byte| *byte == first)?;
        if body.get(at..at + wanted.len())? == wanted {
            return Some(at);
        }
        at += 1;
    }
}

fn broken(problem: &str) -> GraphError {
    GraphError::invalid(format!("(#100) The multipart body is malformed: {problem}"))
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::parse;

    #[test]
    fn fields_and_files_are_separated_and_binary_content_survives() {
        let body = Bytes::from_static(
            b"preamble\r\n--x\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\nH\xc3\xa9 --x\r\n\
              --x\r\ncontent-disposition: form-data; name=\"source\"; filename=\"a;b.jpg\"\r\nContent-Type: image/jpeg\r\n\
              \r\n\xff\xd8\r\n\r\n\x00\r\n--x--\r\n",
        );
        let parts = parse("multipart/form-data; boundary=\"x\"", &body, false).unwrap();
        let shown: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.is_file, &part.content[..])).collect();
        assert_eq!(shown, [("caption", false, "Hé --x".as_bytes()), ("source", true, &b"\xff\xd8\r\n\r\n\x00"[..]),]);
    }

    #[test]
    fn a_file_without_content_type_looks_like_a_missing_permission() {
        let body = Bytes::from_static(
            b"--x\r\nContent-Disposition: form-data; name=\"source\"; filename=\"a.jpg\"\r\n\r\n1\r\n--x--\r\n",
        );
        assert_eq!(parse("multipart/form-data; boundary=x", &body, false).unwrap_err().code, 200);
        assert!(parse("multipart/form-data; boundary=x", &body, true).is_ok());
        for broken in ["--x\r\n", "--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--", "", "--y--"] {
            assert_eq!(parse("multipart/form-data; boundary=x", &Bytes::from(broken), false).unwrap_err().code, 100);
        }
    }
}
