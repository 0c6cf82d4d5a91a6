//! Content identifiers, and DAG-CBOR, which the CID of a record is taken over.
//!
//! CIDv1: version 1, codec (raw 0x55 or DAG-CBOR 0x71), SHA-256 (0x12), 32 bytes; in text, `b` and
//! unpadded lower-case base32.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

const RAW: u8 = 0x55;
const DAG_CBOR: u8 = 0x71;
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

pub(super) fn of_blob(bytes: &[u8]) -> String {
    text(RAW, bytes)
}

/// `None` when the record holds what the data model has no place for: fractions, broken links.
pub(super) fn of_record(record: &Value) -> Option<String> {
    let mut encoded = Vec::new();
    encode(record, &mut encoded)?;
    Some(text(DAG_CBOR, &encoded))
}

fn text(codec: u8, content: &[u8]) -> String {
    let mut bytes = vec![1, codec, 0x12, 0x20];
    bytes.extend_from_slice(&Sha256::digest(content));
    let mut text = String::from("b");
    let (mut held, mut bits) = (0u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
    text
}

fn letter(value: u32) -> char {
    char::from(BASE32[(value & 31) as usize])
}

fn bytes_of(cid: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0u32, 0);
    for letter in cid.strip_prefix('b')?.bytes() {
        let value = BASE32.iter().position(|known| *known == letter)?;
        held = ((held << 5) | value as u32) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(((held >> bits) & 0xff) as u8);
        }
    }
    (bytes.len() == 36).then_some(bytes)
}

fn encode(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(set) => out.push(if *set { 0xf5 } else { 0xf4 }),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => head(0, number, out),
            // CBOR stores a negative number as what is left when counting down from -1.
            (None, Some(number)) => head(1, number.unsigned_abs() - 1, out),
            (None, None) => return None,
        },
        Value::String(text) => {
            head(3, text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            head(4, items.len() as u64, out);
            for item in items {
                encode(item, out)?;
            }
        }
        Value::Object(object) => match (object.len(), object.get("$link"), object.get("$bytes")) {
            (1, Some(link), None) => encode_link(link.as_str()?, out)?,
            (1, None, Some(bytes)) => encode_bytes(bytes.as_str()?, out)?,
            _ => encode_object(object, out)?,
        },
    }
    Some(())
}

fn encode_link(cid: &str, out: &mut Vec<u8>) -> Option<()> {
    let bytes = bytes_of(cid)?;
    head(6, 42, out);
    head(2, bytes.len() as u64 + 1, out);
    out.push(0);
    out.extend_from_slice(&bytes);
    Some(())
}

fn encode_bytes(text: &str, out: &mut Vec<u8>) -> Option<()> {
    use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
    let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    head(2, bytes.len() as u64, out);
    out.extend_from_slice(&bytes);
    Some(())
}

/// DAG-CBOR orders keys by length, then by bytes.
fn encode_object(object: &Map<String, Value>, out: &mut Vec<u8>) -> Option<()> {
    let mut entries: Vec<(&String, &Value)> = object.iter().collect();
    entries.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    head(5, entries.len() as u64, out);
    for (key, value) in entries {
        head(3, key.len() as u64, out);
        out.extend_from_slice(key.as_bytes());
        encode(value, out)?;
    }
    Some(())
}

/// Major type and argument in the shortest form.
fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => out.push(major | bytes[7]),
        24..0x100 => out.extend_from_slice(&[major | 24, bytes[7]]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend_from_slice(&bytes[6..]);
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend_from_slice(&bytes[4..]);
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn known_content_has_its_known_identifier() {
        // The identifiers of no bytes and of an empty map, as every IPLD tool prints them.
        let empty = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
        assert_eq!(of_blob(b""), empty);
        let empty_map = "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua";
        assert_eq!(of_record(&json!({})).as_deref(), Some(empty_map));
    }

    #[test]
    fn links_survive_reading_and_fractions_are_refused() {
        let cid = of_blob(b"x");
        let bytes = bytes_of(&cid).unwrap();
        assert_eq!(bytes.len(), 36);
        assert!(of_record(&json!({ "ref": { "$link": cid }, "n": -7, "m": 70_000 })).is_some());
        assert_eq!(of_record(&json!({ "n": 0.5 })), None);
        assert_eq!(of_record(&json!({ "ref": { "$link": "nonsense" } })), None);
    }
}
