//! PDF, and what Word and PowerPoint write, old and new.

use std::io::{Read, Seek, SeekFrom};

use super::bytes_at;

const DOC: &str = "application/msword";
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const PDF: &str = "application/pdf";
const PPT: &str = "application/vnd.ms-powerpoint";
const PPTX: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";

/// `None`: it is something else.
pub(super) fn recognise(
    file: &mut (impl Read + Seek),
    head: &[u8],
    bytes: u64,
) -> Option<&'static str> {
    if head.starts_with(b"%PDF-") {
        return Some(PDF);
    }
    if head.starts_with(b"PK\x03\x04") {
        return in_zip(file, bytes);
    }
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
        return in_compound_file(file, head);
    }
    None
}

/// Room for the names of some ten thousand entries, which a zip lists at its end.
const LIST_BYTES_MAX: u64 = 1024 * 1024;

/// By the part that such a document cannot be without (ECMA-376, part 1).
fn in_zip(file: &mut (impl Read + Seek), bytes: u64) -> Option<&'static str> {
    file.seek(SeekFrom::Start(bytes.saturating_sub(LIST_BYTES_MAX))).ok()?;
    let mut list = Vec::new();
    file.take(LIST_BYTES_MAX).read_to_end(&mut list).ok()?;
    let names = |name: &[u8]| list.windows(name.len()).any(|window| window == name);
    match (names(b"word/document.xml"), names(b"ppt/presentation.xml")) {
        (true, _) => Some(DOCX),
        (false, true) => Some(PPTX),
        (false, false) => None,
    }
}

const ENTRY_BYTES: u64 = 128;

/// By what the first entry of the directory says that it is, else by the streams that follow it
/// (MS-CFB, 2.2 and 2.6).
fn in_compound_file(file: &mut (impl Read + Seek), head: &[u8]) -> Option<&'static str> {
    let shift = u16::from_le_bytes(head.get(30..32)?.try_into().ok()?);
    let sector = u32::from_le_bytes(head.get(48..52)?.try_into().ok()?);
    // A sector has 512 or 4,096 bytes.
    if shift != 9 && shift != 12 {
        return None;
    }
    let directory = (u64::from(sector) + 1) << shift;
    let [.., class] = split_class(bytes_at::<96>(file, directory)?);
    match class {
        [0x06, 0x09, 0x02, 0, ..] => return Some(DOC),
        [0x10, 0x8d, 0x81, 0x64, ..] => return Some(PPT),
        _ => (),
    }
    for entry in 1..(1 << shift) / ENTRY_BYTES {
        let name = bytes_at::<64>(file, directory + entry * ENTRY_BYTES)?;
        let name = name.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
        let name: String = char::decode_utf16(name.take_while(|&unit| unit != 0))
            .map(|letter| letter.unwrap_or_default())
            .collect();
        match name.as_str() {
            "WordDocument" => return Some(DOC),
            "PowerPoint Document" => return Some(PPT),
            _ => (),
        }
    }
    None
}

/// Sixteen bytes each; the last is the class of the entry.
fn split_class(entry: [u8; 96]) -> [[u8; 16]; 6] {
    let mut parts = [[0; 16]; 6];
    for (part, bytes) in parts.iter_mut().zip(entry.chunks_exact(16)) {
        part.copy_from_slice(bytes);
    }
    parts
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn recognised(bytes: &[u8]) -> Option<&'static str> {
        recognise(&mut Cursor::new(bytes), bytes, bytes.len() as u64)
    }

    fn compound(class: [u8; 4], streams: &[&str]) -> Vec<u8> {
        let mut file = vec![0; 3 * 512];
        file[..8].copy_from_slice(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
        file[30] = 9;
        file[48] = 1;
        file[1024 + 80..1024 + 84].copy_from_slice(&class);
        for (entry, name) in streams.iter().enumerate() {
            let at = 1024 + 128 * (entry + 1);
            for (offset, unit) in name.encode_utf16().enumerate() {
                file[at + 2 * offset..at + 2 * offset + 2].copy_from_slice(&unit.to_le_bytes());
            }
        }
        file
    }

    #[test]
    fn documents_are_told_apart_by_what_they_hold() {
        let zip = |name: &str| [b"PK\x03\x04[Content_Types].xml", name.as_bytes()].concat();
        for (bytes, expected) in [
            (b"%PDF-1.7\n".to_vec(), Some(PDF)),
            (zip("word/document.xml"), Some(DOCX)),
            (zip("ppt/presentation.xml"), Some(PPTX)),
            (zip("xl/workbook.xml"), None),
            (compound([6, 9, 2, 0], &[]), Some(DOC)),
            (compound([0x10, 0x8d, 0x81, 0x64], &[]), Some(PPT)),
            (compound([0; 4], &["1Table", "WordDocument"]), Some(DOC)),
            (compound([0; 4], &["PowerPoint Document"]), Some(PPT)),
            (compound([0; 4], &["Workbook"]), None),
            (compound([6, 9, 2, 0], &[])[..40].to_vec(), None),
            (compound([6, 9, 2, 0], &[])[..1030].to_vec(), None),
            (b"a text".to_vec(), None),
        ] {
            assert_eq!(recognised(&bytes), expected, "{bytes:?}");
        }
    }
}
