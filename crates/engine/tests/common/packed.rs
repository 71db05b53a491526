//! Text files of the data sets, plain or packed.

use std::io::Read as _;
use std::path::Path;

/// The text of a file; unpacked where its name ends in `.gz`.
pub fn text_of(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip of UTF-8");
        return text;
    }
    String::from_utf8(bytes).expect("UTF-8")
}
