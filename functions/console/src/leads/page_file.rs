//! A file that its page keeps in a hidden field, so that it can be imported without being chosen again. It is stored
//! nowhere else.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::form::MAX_BODY_BYTES;

/// Maximum size of a packed file. The rest of a request is for the other fields.
const MAX_PACKED_BYTES: usize = MAX_BODY_BYTES - 64 * 1024;
/// Maximum size of an unpacked file: more than any import takes.
const MAX_UNPACKED_BYTES: u64 = 5_000_000;

/// Packs a file as the value of a field. `None` for one that would not fit into a request; no table of leads is so hard
/// to compress.
pub(super) fn pack(file: &[u8]) -> Option<String> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(file).ok()?;
    let packed = URL_SAFE_NO_PAD.encode(packer.finish().ok()?);
    (packed.len() <= MAX_PACKED_BYTES).then_some(packed)
}

/// Unpacks a file. `None` if the value is not one that was packed here.
pub(super) fn unpack(packed: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(packed).ok()?;
    let mut file = Vec::new();
    GzDecoder::new(bytes.as_slice()).take(MAX_UNPACKED_BYTES).read_to_end(&mut file).ok()?;
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_out_as_it_went_in() {
        let utf_16: Vec<u8> = "id\tname\r\n1\tÄnne \"Q\"\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let every_byte: Vec<u8> = (0..=255).collect();
        for file in [&b"a,b\r\n\"1\n2\",3\n"[..], &utf_16[..], &every_byte[..], b""] {
            assert_eq!(unpack(&pack(file).unwrap()).unwrap(), file);
        }
        // A table of the maximum size fits.
        let line = |number: usize| format!("{number},Ann {number},ann{}@example.com,+1415{number:07}\n", number * 7919);
        let table: String = (0..)
            .map(line)
            .scan(0, |size, line| {
                *size += line.len();
                (*size < 4_000_000).then_some(line)
            })
            .collect();
        assert_eq!(unpack(&pack(table.as_bytes()).unwrap()).unwrap(), table.as_bytes());
    }

    #[test]
    fn what_was_not_packed_here_is_no_file_and_fills_no_memory() {
        let whole = pack(b"full_name\nAnn\n").unwrap();
        for bad in ["", "x", "full_name", "+/==", &whole[..whole.len() - 8]] {
            assert_eq!(unpack(bad), None, "{bad}");
        }
        let bomb = pack(&vec![b'x'; 20_000_000]).unwrap();
        assert_eq!(unpack(&bomb).unwrap().len(), 5_000_000);
        let noise: Vec<u8> = (0..4_000_000).map(|_| rand::random()).collect();
        assert_eq!(pack(&noise), None, "it would not fit into a request");
    }
}
