"""Files of streams as tests write them, of structure alone: MPEG-TS and PS, FLV, RealMedia, ASF, Ogg, DV, Y4M."""

import struct
from uuid import UUID


def section(table, body, number=1):
    """A section of a table, with a checksum that nobody looks at."""
    return bytes([table]) + struct.pack(">HHBBB", 0xB000 | len(body) + 9, number, 0xC1, 0, 0) + body + bytes(4)


def packets(pid, section=b"", head=b""):
    """Packets of 188 bytes with a section, or with nothing that is looked at. head: flags of the first one's, more."""
    data, start, made = b"\0" + section if section else bytes(180), 0x40, b""
    while data or not made:
        adapted = bytes([len(head)]) + head if head and not made else b""
        room = 184 - len(adapted)
        fill = room - len(data)
        if adapted or 0 < fill < room:
            part, data = data[:room], data[room:]
            pad = bytes([255]) * max(0, fill)
            control = 0x30 if adapted else 0x10
            payload = adapted + part + pad
        else:
            payload, data, control = data[:room], data[room:], 0x10
        made += bytes([0x47, start | pid >> 8, pid & 255, control]) + payload
        start = 0
    return made


def descriptors(found):
    """Descriptors by tag."""
    return b"".join(bytes([tag, len(content)]) + content for tag, content in found)


def pmt(streams=(), words=b"", program=1):
    """A program's map. streams: type, identifier, descriptors."""
    body = struct.pack(">HH", 0xE100, 0xF000 | len(words)) + words
    for kind, pid, more in streams:
        body += bytes([kind]) + struct.pack(">HH", 0xE000 | pid, 0xF000 | len(more)) + more
    return section(2, body, program)


def transport(*more, streams=(), words=b"", programs=((1, 0x20),)):
    """A transport stream with an MPEG-2 picture of identifier 0x100. more: packets."""
    pat = section(0, b"".join(struct.pack(">HH", number, 0xE000 | pid) for number, pid in programs))
    maps = b"".join(
        packets(pid, pmt([(2, 0x100, b""), *streams], words, number) if n == 0 else pmt(program=number))
        for n, (number, pid) in enumerate(programs)
    )
    return packets(0, pat) + maps + 6 * packets(0x100) + b"".join(more) + packets(0x1FFF)


def pes(code, payload=b"", head=b"\x80\0\0"):
    """A packet of a program stream."""
    body = (b"" if code in (0xBF, 0xBE, 0xBC, 0xFF) or 0xF0 <= code <= 0xF2 else head) + payload
    return b"\0\0\1" + bytes([code]) + struct.pack(">H", len(body)) + body


PACK = b"\0\0\1\xba\x44" + bytes(8) + b"\xf8"


def program(*more):
    """A program stream with a picture. more: packets."""
    return (
        PACK + pes(0xBB, bytes(6), b"") + pes(0xE0, b"picture") + b"".join(more) + pes(0xBE, bytes(9)) + b"\0\0\1\xb9"
    )


def amf(value):
    """A value as AMF0 has it."""
    if isinstance(value, bool):
        return b"\1" + bytes([value])
    if isinstance(value, (int, float)):
        return b"\0" + struct.pack(">d", value)
    if isinstance(value, str):
        return b"\2" + struct.pack(">H", len(value)) + value.encode()
    if isinstance(value, list):
        return b"\x0a" + struct.pack(">I", len(value)) + b"".join(map(amf, value))
    pairs = b"".join(struct.pack(">H", len(k)) + k.encode() + amf(v) for k, v in value.items())
    return b"\x08" + struct.pack(">I", len(value)) + pairs + b"\0\0\x09"


def flv_tag(kind, content):
    """A tag of an FLV, with its size behind it."""
    return bytes([kind]) + len(content).to_bytes(3, "big") + bytes(7) + content + struct.pack(">I", 11 + len(content))


def flv(*more, values=None):
    """An FLV with a picture's tag. values: of onMetaData. more: tags."""
    script = flv_tag(18, amf("onMetaData") + amf({"duration": 1, "stereo": True, **(values or {})}))
    return b"FLV\1\1\0\0\0\x09\0\0\0\0" + script + flv_tag(9, b"\x12picture") + b"".join(more)


def rm_chunk(kind, content=b""):
    """A chunk of a RealMedia file."""
    return kind + struct.pack(">IH", 10 + len(content), 0) + content


def rm_stream(number, name, kind, content=b""):
    """Properties of a stream."""
    texts = b"".join(bytes([len(t)]) + t for t in (name, kind))
    return rm_chunk(b"MDPR", struct.pack(">H", number) + bytes(28) + texts + struct.pack(">I", len(content)) + content)


def realmedia(*more):
    """A RealMedia file of a picture. more: chunks."""
    head = rm_chunk(b".RMF", bytes(8)) + rm_chunk(b"PROP", bytes(40)) + rm_chunk(b"CONT", bytes(8))
    picture = rm_stream(0, b"Video Stream", b"video/x-pn-realvideo")
    return head + picture + b"".join(more) + rm_chunk(b"DATA", bytes(30)) + rm_chunk(b"INDX", bytes(10))


def asf_object(guid, content=b""):
    """An object of an ASF file."""
    return UUID(guid).bytes_le + struct.pack("<Q", 24 + len(content)) + content


def wide(text):
    """A text as ASF has it."""
    return text.encode("utf-16-le") + b"\0\0"


def asf_values(values):
    """An extended content description: names, kinds and bytes."""
    made = struct.pack("<H", len(values))
    for name, kind, value in values:
        made += struct.pack("<H", len(wide(name))) + wide(name) + struct.pack("<HH", kind, len(value)) + value
    return asf_object("D2D0A440-E307-11D2-97F0-00A0C95EA850", made)


def asf(*more, inner=()):
    """An ASF file of a picture. inner: objects of the header's extension; more: of the header."""
    picture = UUID("BC19EFC0-5B4D-11CF-A8FD-00805F5C442B").bytes_le + bytes(32) + b"\1\0" + bytes(4)
    extension = asf_object("5FBF03B5-A92E-11CF-8EE3-00C00C205365", bytes(22) + b"".join(inner))
    parts = asf_object("B7DC0791-A9B7-11CF-8EE6-00C00C205365", picture) + extension + b"".join(more)
    data = asf_object("75B22636-668E-11CF-A6D9-00AA0062CE6C", bytes(50))
    return asf_object("75B22630-668E-11CF-A6D9-00AA0062CE6C", bytes(6) + parts) + data


def page(serial, *found, flags=0, ends=True):
    """A page of an Ogg file. ends: whether the last of these packets does; its bytes are a multiple of 255 if not."""
    lacing = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in found)
    lacing = lacing if ends else lacing[:-1]
    head = b"OggS\0" + bytes([flags]) + bytes(8) + struct.pack("<III", serial, 0, 0) + bytes([len(lacing)])
    return head + lacing + b"".join(found)


def comments(*texts):
    """Vorbis comments of a program called x."""
    return struct.pack("<I", 1) + b"x" + struct.pack("<I", len(texts)) + b"".join(
        struct.pack("<I", len(text)) + text for text in texts
    )  # fmt: skip


def ogg(*more, texts=()):
    """An Ogg file of a Theora picture. texts: its comments; more: pages."""
    return page(1, b"\x80theora" + bytes(40), flags=2) + b"".join(more) + page(1, b"\x81theora" + comments(*texts), b"")


def dv(kinds, pictures=1):
    """Raw DV, 625 lines, with packs of these kinds and contents in each of its sequences."""
    packs = b"".join(bytes([kind]) + content for kind, content in kinds)
    assert len(packs) <= 75
    video = b"\x5f\x07\0" + packs.ljust(75, b"\xff") + b"\xff\xff"
    sequence = b"\x1f\x07\0\xbf" + b"\xff" * 76 + 2 * (b"\x3f\x07\0" + b"\xff" * 77) + video
    sequence += 2 * (b"\x5f\x07\0" + b"\xff" * 77) + 144 * (b"\x9f\x07\0" + bytes(77))
    return 12 * pictures * sequence


def y4m(*words, frame=()):
    """A Y4M picture of 2 x 2. words: of its header; frame: of its first frame's."""
    head = b" ".join((b"YUV4MPEG2 W2 H2 F25:1 Ip A1:1 C420jpeg XYSCSS=420JPEG", *words))
    return head + b"\n" + b" ".join((b"FRAME", *frame)) + b"\n" + bytes(6)
