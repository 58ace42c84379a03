//! Keys, certificates and signatures that tests make and throw away. Nothing here is kept, and no key leaves the process.

use num_bigint::BigUint;

use super::{certificate::Certificate, hash::DigestKind, rsa::padded};

/// Object identifiers that go into certificates and signatures.
mod oid {
    pub(super) const RSA_ENCRYPTION: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1];
    pub(super) const SHA256_WITH_RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11];
    pub(super) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    pub(super) const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    pub(super) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];
    pub(super) const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];
    pub(super) const INDIRECT_DATA: &[u8] = &[0x2B, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 4];
    pub(super) const PE_IMAGE_DATA: &[u8] = &[0x2B, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 15];
    pub(super) const CONTENT_TYPE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 3];
    pub(super) const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4];
}

/// A value of DER: its tag, its length, its parts.
pub(crate) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let length: Vec<u8> = match content.len() {
        0..0x80 => vec![length[3]],
        0x80..0x1_0000 => vec![0x82, length[2], length[3]],
        _ => vec![0x83, length[1], length[2], length[3]],
    };
    // The long form with a zero before it is no DER.
    let length = match length.as_slice() {
        [0x82, 0, last] => vec![0x81, *last],
        _ => length,
    };
    [&[tag][..], &length, &content].concat()
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

fn number(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes[0] & 0x80 == 0 { &[] } else { &[0] };
    value(2, &[sign, bytes])
}

fn identifier(content: &[u8]) -> Vec<u8> {
    value(6, &[content])
}

fn algorithm(content: &[u8]) -> Vec<u8> {
    value(SEQUENCE, &[&identifier(content), &[5, 0]])
}

/// A private key.
pub(crate) struct Key {
    modulus: BigUint,
    private: BigUint,
}

const EXPONENT: u32 = 65_537;

impl Key {
    /// A key of 1,024 bits: enough to be verified, and made in a moment. The same seed gives the same key.
    pub(crate) fn of(seed: u64) -> Self {
        let mut noise = Noise(seed.wrapping_mul(2).wrapping_add(1));
        let one = BigUint::from(1_u8);
        let exponent = BigUint::from(EXPONENT);
        loop {
            let (p, q) = (noise.prime(), noise.prime());
            let order = (&p - &one) * (&q - &one);
            if let Some(private) = exponent.modinv(&order)
                && p != q
            {
                let modulus = p * q;
                return Self { modulus, private };
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let digest = DigestKind::Sha256.of_bytes(message);
        let length = self.modulus.to_bytes_be().len();
        let padded = padded(DigestKind::Sha256, &digest, length).unwrap();
        let signature = BigUint::from_bytes_be(&padded).modpow(&self.private, &self.modulus);
        let signature = signature.to_bytes_be();
        [vec![0; length - signature.len()], signature].concat()
    }

    fn public(&self) -> Vec<u8> {
        let exponent = EXPONENT.to_be_bytes();
        let key = value(
            SEQUENCE,
            &[
                &number(&self.modulus.to_bytes_be()),
                &number(&exponent[1..]),
            ],
        );
        value(
            SEQUENCE,
            &[&algorithm(oid::RSA_ENCRYPTION), &value(3, &[&[0], &key])],
        )
    }
}

/// Numbers that look random (splitmix64).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// A prime of 512 bits, as far as Fermat's test with four bases shows it.
    fn prime(&mut self) -> BigUint {
        let one = BigUint::from(1_u8);
        loop {
            let mut bytes: Vec<u8> = (0..8).flat_map(|_| self.next().to_be_bytes()).collect();
            bytes[0] |= 0xC0;
            bytes[63] |= 1;
            let candidate = BigUint::from_bytes_be(&bytes);
            let is_divided = [3_u32, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]
                .iter()
                .any(|small| &candidate % *small == BigUint::ZERO);
            let passes =
                |base: u32| BigUint::from(base).modpow(&(&candidate - &one), &candidate) == one;
            if !is_divided && [2, 3, 5, 7].into_iter().all(passes) {
                return candidate;
            }
        }
    }
}

/// Somebody with a key and a certificate.
pub(crate) struct Party {
    pub(crate) key: Key,
    pub(crate) name: String,
    pub(crate) der: Vec<u8>,
    serial: u8,
    issuer: String,
}

impl Party {
    /// An authority that signs its own certificate.
    pub(crate) fn authority(name: &str, seed: u64) -> Self {
        let key = Key::of(seed);
        let der = certificate(name, name, 1, &key, &key, true);
        Self {
            key,
            name: name.to_owned(),
            der,
            serial: 1,
            issuer: name.to_owned(),
        }
    }

    /// One with a certificate of an authority's, which may be an authority itself.
    pub(crate) fn issues(&self, name: &str, seed: u64, is_authority: bool) -> Self {
        let key = Key::of(seed);
        let der = certificate(name, &self.name, 7, &key, &self.key, is_authority);
        Self {
            key,
            name: name.to_owned(),
            der,
            serial: 7,
            issuer: self.name.clone(),
        }
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::decode(&self.der).unwrap()
    }

    /// A signature of the program with this SHA-256, which brings these certificates along.
    pub(crate) fn signature(&self, program: &[u8], certificates: &[&[u8]]) -> Vec<u8> {
        let data = value(
            SEQUENCE,
            &[&identifier(oid::PE_IMAGE_DATA), &value(SEQUENCE, &[])],
        );
        let digest = value(SEQUENCE, &[&algorithm(oid::SHA256), &value(4, &[program])]);
        let content = [data, digest].concat();
        let hash = DigestKind::Sha256.of_bytes(&content);
        let attributes = [
            value(
                SEQUENCE,
                &[
                    &identifier(oid::CONTENT_TYPE),
                    &value(SET, &[&identifier(oid::INDIRECT_DATA)]),
                ],
            ),
            value(
                SEQUENCE,
                &[
                    &identifier(oid::MESSAGE_DIGEST),
                    &value(SET, &[&value(4, &[&hash])]),
                ],
            ),
        ]
        .concat();
        let signature = self.key.sign(&value(SET, &[&attributes]));
        let signer = value(
            SEQUENCE,
            &[
                &number(&[1]),
                &value(SEQUENCE, &[&name(&self.issuer), &number(&[self.serial])]),
                &algorithm(oid::SHA256),
                &value(0xA0, &[&attributes]),
                &algorithm(oid::RSA_ENCRYPTION),
                &value(4, &[&signature]),
            ],
        );
        let certificates = certificates.concat();
        let data = value(
            SEQUENCE,
            &[
                &number(&[1]),
                &value(SET, &[&algorithm(oid::SHA256)]),
                &value(
                    SEQUENCE,
                    &[
                        &identifier(oid::INDIRECT_DATA),
                        &value(0xA0, &[&value(SEQUENCE, &[&content])]),
                    ],
                ),
                &value(0xA0, &[&certificates]),
                &value(SET, &[&signer]),
            ],
        );
        value(
            SEQUENCE,
            &[&identifier(oid::SIGNED_DATA), &value(0xA0, &[&data])],
        )
    }
}

fn name(common: &str) -> Vec<u8> {
    let pair = value(
        SEQUENCE,
        &[
            &identifier(oid::COMMON_NAME),
            &value(12, &[common.as_bytes()]),
        ],
    );
    value(SEQUENCE, &[&value(SET, &[&pair])])
}

fn certificate(
    subject: &str,
    issuer: &str,
    serial: u8,
    key: &Key,
    signer: &Key,
    is_authority: bool,
) -> Vec<u8> {
    // Long past: nobody looks at it.
    let time = value(0x17, &[b"010101000000Z"]);
    let flag = value(1, &[&[0xFF]]);
    let said: &[u8] = if is_authority { &flag } else { &[] };
    let constraints = value(SEQUENCE, &[said]);
    let extension = value(
        SEQUENCE,
        &[
            &identifier(oid::BASIC_CONSTRAINTS),
            &flag,
            &value(4, &[&constraints]),
        ],
    );
    let signed = value(
        SEQUENCE,
        &[
            &value(0xA0, &[&number(&[2])]),
            &number(&[serial]),
            &algorithm(oid::SHA256_WITH_RSA),
            &name(issuer),
            &value(SEQUENCE, &[&time, &time]),
            &name(subject),
            &key.public(),
            &value(0xA3, &[&value(SEQUENCE, &[&extension])]),
        ],
    );
    let signature = signer.sign(&signed);
    value(
        SEQUENCE,
        &[
            &signed,
            &algorithm(oid::SHA256_WITH_RSA),
            &value(3, &[&[0], &signature]),
        ],
    )
}

/// The SHA-256 of a program as Authenticode has it, told apart by hand from [`super::HashedParts`]: one pass over the file, bytes that do not count left out.
pub(crate) fn hash_of(program: &[u8]) -> Vec<u8> {
    let (checksum, entry, table) = fields(program);
    let end = if table == 0 { program.len() } else { table };
    let counted = program[..end].iter().enumerate();
    let counted = counted.filter(|(at, _)| {
        !(checksum..checksum + 4).contains(at) && !(entry..entry + 8).contains(at)
    });
    let counted: Vec<u8> = counted.map(|(_, byte)| *byte).collect();
    DigestKind::Sha256.of_bytes(&counted)
}

/// Where the checksum and the certificate table's entry of a 64-bit program stand, and the table.
fn fields(program: &[u8]) -> (usize, usize, usize) {
    let word = |at: usize| u32::from_le_bytes(program[at..at + 4].try_into().unwrap()) as usize;
    let optional = word(0x3C) + 24;
    let entry = optional + 112 + 32;
    (optional + 64, entry, word(entry))
}

/// A program with these signatures behind it.
pub(crate) fn signed(program: &[u8], signatures: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = program.to_vec();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let start = bytes.len();
    for signature in signatures {
        let length = u32::try_from(signature.len() + 8).unwrap();
        bytes.extend(length.to_le_bytes());
        bytes.extend([0, 2, 2, 0]);
        bytes.extend(signature);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    }
    let (_, entry, _) = fields(program);
    let size = bytes.len() - start;
    let words = [start, size].map(|word| u32::try_from(word).unwrap().to_le_bytes());
    bytes[entry..entry + 8].copy_from_slice(&words.concat());
    bytes
}

/// A program for x86-64 with these sections, put together by hand (PE/COFF): headers, sections, and the names that are longer than eight characters.
pub(crate) fn program(sections: &[(&str, &[u8])]) -> Vec<u8> {
    const ALIGNED: usize = 512;
    let mut names = vec![0; 4];
    let mut headers = Vec::new();
    let mut bodies: Vec<u8> = Vec::new();
    let start = (64 + 24 + 240 + 40 * sections.len()).next_multiple_of(ALIGNED);
    for (number, (name, body)) in sections.iter().enumerate() {
        let mut header = [0; 40];
        let short = if name.len() > 8 {
            let place = names.len();
            names.extend(name.bytes());
            names.push(0);
            format!("/{place}")
        } else {
            (*name).to_owned()
        };
        header[..short.len()].copy_from_slice(short.as_bytes());
        let size = body.len().next_multiple_of(ALIGNED);
        let words = [body.len(), (number + 1) << 16, size, start + bodies.len()];
        let words = words.map(|word| u32::try_from(word).unwrap().to_le_bytes());
        header[8..24].copy_from_slice(&words.concat());
        headers.extend(header);
        bodies.extend(*body);
        bodies.resize(bodies.len().next_multiple_of(ALIGNED), 0);
    }
    let mut bytes = vec![0; 64];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3C] = 64;
    bytes.extend(b"PE\0\0\x64\x86");
    bytes.extend(u16::try_from(sections.len()).unwrap().to_le_bytes());
    bytes.extend([0; 4]);
    let strings = start + bodies.len();
    bytes.extend(u32::try_from(strings).unwrap().to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend([240, 0, 0x22, 0]);
    let mut optional = [0; 240];
    optional[..2].copy_from_slice(&[0x0B, 2]);
    optional[60..64].copy_from_slice(&u32::try_from(start).unwrap().to_le_bytes());
    optional[64..68].copy_from_slice(&[0xDE, 0xAD, 0xBE, 0xEF]);
    optional[68] = 10;
    optional[108] = 16;
    bytes.extend(optional);
    bytes.extend(headers);
    bytes.resize(start, 0);
    bytes.extend(bodies);
    let length = u32::try_from(names.len()).unwrap().to_le_bytes();
    names[..4].copy_from_slice(&length);
    bytes.extend(names);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}
