//! Handmade small pictures that would cost a careless decoder gigabytes.

/// A chunk of a PNG.
fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let named = [&kind[..], content].concat();
    let crc = !named.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    });
    [&length(content)[..], &named, &crc.to_be_bytes()].concat()
}

fn length(content: &[u8]) -> [u8; 4] {
    u32::try_from(content.len()).unwrap().to_be_bytes()
}

/// Many zeros in zlib's encoding: one zero, then repeated copies of the last byte, 258 at a time.
fn zeros(count: u32) -> Vec<u8> {
    let matches = (count - 1) / 258;
    let mut bits = vec![true, true, false];
    // Codes are written from their highest bit.
    let code = |value: u16, width: u32| (0..width).rev().map(move |bit| value >> bit & 1 == 1);
    bits.extend(code(0b0011_0000, 8));
    for _ in 0..matches {
        bits.extend(code(0b1100_0101, 8).chain(code(0, 5)));
    }
    bits.extend(code(0, 7));
    let pack = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    let adler = ((matches * 258 + 1) % 65_521) << 16 | 1;
    let packed: Vec<u8> = bits.chunks(8).map(pack).collect();
    [&[0x78, 0x9c][..], &packed, &adler.to_be_bytes()].concat()
}

fn png(width: u32, height: u32, note: &[u8]) -> Vec<u8> {
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let pixels = chunk(b"IDAT", &zeros((width + 1) * height));
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &head), note, &pixels, &chunk(b"IEND", &[])].concat()
}

/// A PNG of 259 by 1 pixels whose color profile decompresses to `size` bytes.
pub fn png_with_profile(bytes: u32) -> Vec<u8> {
    png(258, 1, &chunk(b"iCCP", &[b"profile\0\0", &zeros(bytes)[..]].concat()))
}

/// A PNG with one line of this width.
pub fn wide_png(width: u32) -> Vec<u8> {
    png(width, 1, &[])
}

/// A JPEG of many scans and four components; a decoder holds it twice until the last scan.
pub fn progressive_jpeg(side: u16) -> Vec<u8> {
    let segment = |mark: u8, content: &[u8]| {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, mark][..], &length, content].concat()
    };
    let side = side.to_be_bytes();
    let components: Vec<u8> = (1..=4).flat_map(|number| [number, 0x11, 0]).collect();
    let frame = [&[8][..], &side, &side, &[4], &components].concat();
    let codes = [&[0, 1][..], &[0; 15], &[0]].concat();
    let quantities = [&[0][..], &[1; 64]].concat();
    let scan = [&[4][..], &[1, 0, 2, 0, 3, 0, 4, 0], &[0, 0, 0]].concat();
    let segments = [segment(0xdb, &quantities), segment(0xc2, &frame), segment(0xc4, &codes)].concat();
    [b"\xff\xd8", &segments[..], &segment(0xda, &scan), &[0; 64], b"\xff\xd9"].concat()
}

/// An animated WebP with this side length, whose first frame has one color.
pub fn moving_webp(side: u32) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        let padding = vec![0; content.len() % 2];
        [&kind[..], &length, content, &padding].concat()
    };
    let three = |number: u32| number.to_le_bytes()[..3].to_vec();
    let size = [three(side - 1), three(side - 1)].concat();
    // Signature, size, transparency, version; no transforms; five codes of one symbol.
    let head = 0x2f | u64::from(side - 1) << 8 | u64::from(side - 1) << 22 | 1 << 36;
    let codes = (0..5).fold(0_u64, |bits, n| bits | 1 << (3 + 4 * n));
    let picture = [&head.to_le_bytes()[..5], &codes.to_le_bytes(), &[0; 8]].concat();
    let frame = [vec![0; 6], size.clone(), three(100), vec![0], chunk(b"VP8L", &picture)].concat();
    let extended = chunk(b"VP8X", &[&[0x12, 0, 0, 0][..], &size].concat());
    let body = [extended, chunk(b"ANIM", &[0; 6]), chunk(b"ANMF", &frame)].concat();
    let length = u32::try_from(body.len() + 4).unwrap().to_le_bytes();
    [b"RIFF", &length[..], b"WEBP", &body].concat()
}

fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [&length[..], kind, content].concat()
}

fn heic(iloc: &[u8], data: usize) -> Vec<u8> {
    let item = |number: u8, kind: &[u8; 4]| {
        boxed(b"infe", &[&[2, 0, 0, 0, 0, number, 0, 0][..], kind, b"\0"].concat())
    };
    let items = [&b"\0\0\0\0\0\x02"[..], &item(1, b"hvc1"), &item(2, b"Exif")].concat();
    let hdlr = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let meta = [&[0; 4][..], &hdlr, &boxed(b"iinf", &items), &boxed(b"iloc", iloc)].concat();
    let ftyp = boxed(b"ftyp", b"heic\0\0\0\0mif1heic");
    [ftyp, boxed(b"meta", &meta), boxed(b"mdat", &vec![1; data])].concat()
}

/// A HEIC of about that many bytes whose Exif item references its last part many times.
pub fn heic_of_overlapping_notes(bytes: u32, times: u16) -> Vec<u8> {
    let place = [400 + 8 * u32::from(times), bytes].map(u32::to_be_bytes).concat();
    let head = [&b"\x01\0\0\0\x44\0\0\x01\0\x02\0\0\0\0"[..], &times.to_be_bytes()].concat();
    let data = usize::try_from(bytes).unwrap() + 400;
    heic(&[head, place.repeat(usize::from(times))].concat(), data)
}

/// A HEIC that lists billions of extents, each of which takes no byte of the list.
pub fn heic_of_endless_parts() -> Vec<u8> {
    let item = b"\0\x01\0\x01\0\0\xff\xff".repeat(65_000);
    heic(&[&b"\x01\0\0\0\0\0\xfd\xe8"[..], &item].concat(), 16)
}
