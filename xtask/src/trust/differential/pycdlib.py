"""Reads boot catalogs with pycdlib, slot by slot as it reads a disc's: a count (32 bits, little-endian), so many blocks of 2048
bytes, and for each a line of JSON: the slots that it read, how many it looked at, and why it stopped."""
import json
import struct
import sys

from pycdlib import eltorito


def entry(kind, e):
    return [kind, e.boot_indicator, e.boot_media_type, e.load_segment, e.system_type, e.sector_count, e.load_rba]


def read(block):
    catalog = eltorito.EltoritoBootCatalog(None)
    slots, error, ended = [], None, False
    for slot in range(64):
        bytes = block[slot * 32 : slot * 32 + 32]
        alone = len(catalog.standalone_entries)
        try:
            ended = catalog.parse(bytes)
        except Exception as problem:
            error = "%s: %s" % (type(problem).__name__, problem)
            break
        if ended:
            break
        if slot == 0:
            slots.append(["validation", catalog.validation_entry.platform_id])
        elif slot == 1:
            slots.append(entry("initial", catalog.initial_entry))
        elif bytes[0] in (0x90, 0x91):
            header = catalog.sections[-1]
            slots.append(["header", header.header_indicator, header.platform_id, header.num_section_entries])
        elif bytes[0] == 0x44:
            slots.append(["extension"])
        elif len(catalog.standalone_entries) > alone:
            slots.append(entry("alone", catalog.standalone_entries[-1]))
        else:
            slots.append(entry("section", catalog.sections[-1].section_entries[-1]))
    return {"slots": slots, "error": error, "ended": ended}


questions, answers = sys.stdin.buffer, sys.stdout
while count := questions.read(4):
    (count,) = struct.unpack("<I", count)
    blocks = questions.read(count * 2048)
    for at in range(0, len(blocks), 2048):
        answers.write(json.dumps(read(blocks[at : at + 2048]), separators=(",", ":")) + "\n")
    answers.flush()
